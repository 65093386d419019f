package population

// A procedureKind is something done to a patient.
type procedureKind struct {
	code     coding
	minutes  int
	surgical bool // takes a period, not a moment
}

var (
	spirometry      = procedureKind{snomed("127783003", "Spirometry"), 20, false}
	pulmonaryRehab  = procedureKind{snomed("15081005", "Pulmonary rehabilitation"), 60, false}
	cardioversion   = procedureKind{snomed("180325003", "Electrical cardioversion"), 45, true}
	boneDensity     = procedureKind{snomed("312681000", "Bone density scan"), 20, false}
	behaviorTherapy = procedureKind{snomed("228557008", "Cognitive and behavioral therapy"), 50, false}
	throatCulture   = procedureKind{snomed("117015009", "Throat culture"), 5, false}
	stretching      = procedureKind{snomed("229070002", "Stretching exercises"), 15, false}
	suture          = procedureKind{snomed("288086009", "Suture open wound"), 25, true}
	appendectomy    = procedureKind{snomed("80146002", "Appendectomy"), 75, true}
	ultrasound      = procedureKind{snomed("169230002", "Ultrasound scan for fetal viability"), 30, false}
	childbirth      = procedureKind{snomed("66348005", "Childbirth"), 240, true}
	colonoscopy     = procedureKind{snomed("73761001", "Colonoscopy"), 40, true}
	mammography     = procedureKind{snomed("71651007", "Mammography"), 20, false}
	medReview       = procedureKind{snomed("430193006", "Medication reconciliation"), 10, false}
	moodScreening   = procedureKind{snomed("171207006", "Depression screening"), 10, false}
)

// fits tells whether the screening is meant for somebody of a sex and an age in years.
func (s *screening) fits(female bool, years int) bool {
	return years >= s.from && years <= s.to && (s.sex == anySex || female == (s.sex == womenOnly))
}

// A screening is a procedure that people of an age are due for.
type screening struct {
	exam     *procedureKind
	sex      sex
	from, to int // years of age
	months   int // between two
	permille int // of those due who have it done
}

// appointments are the screenings that have a visit of their own.
var appointments = []screening{
	{&colonoscopy, anySex, 45, 75, 115, 400},
	{&mammography, womenOnly, 45, 74, 25, 550},
}

// screenings are those that a check-up includes.
var screenings = []screening{
	{&moodScreening, anySex, 13, 90, 34, 350},
	{&medReview, anySex, 65, 120, 22, 450},
}
