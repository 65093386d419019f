package population

// A procedureKind is something done to a patient.
type procedureKind struct {
	code     coding
	minutes  int
	surgical bool   // takes a period, not a moment
	order    coding // category of the ServiceRequest; no code: nobody orders it beforehand
	report   *reportKind
	implant  *implantKind // what it leaves in the body
	icd10pcs coding       // of what hospitals claim
}

// Categories of orders (US Core ServiceRequest Category Codes).
var (
	orderedEvaluation = snomed("386053000", "Evaluation procedure")
	orderedImaging    = snomed("363679005", "Imaging")
	orderedCounseling = snomed("409063005", "Counselling")
	orderedSurgery    = snomed("387713003", "Surgical procedure")
)

func icd10pcs(code, display string) coding {
	return coding{System: "http://www.cms.gov/Medicare/Coding/ICD10", Code: code, Display: display}
}

var (
	spirometry      = procedureKind{code: snomed("127783003", "Spirometry"), minutes: 20, order: orderedEvaluation, report: &lungReport}
	pulmonaryRehab  = procedureKind{code: snomed("15081005", "Pulmonary rehabilitation"), minutes: 60, order: orderedCounseling}
	cardioversion   = procedureKind{code: snomed("180325003", "Electrical cardioversion"), minutes: 45, surgical: true, order: orderedSurgery, report: &heartReport}
	boneDensity     = procedureKind{code: snomed("312681000", "Bone density scan"), minutes: 20, order: orderedImaging, report: &boneReport}
	behaviorTherapy = procedureKind{code: snomed("228557008", "Cognitive and behavioral therapy"), minutes: 50, order: orderedCounseling}
	throatCulture   = procedureKind{code: snomed("117015009", "Throat culture"), minutes: 5}
	stretching      = procedureKind{code: snomed("229070002", "Stretching exercises"), minutes: 15}
	suture          = procedureKind{code: snomed("288086009", "Suture open wound"), minutes: 25, surgical: true}
	appendectomy    = procedureKind{code: snomed("80146002", "Appendectomy"), minutes: 75, surgical: true, icd10pcs: icd10pcs("0DTJ4ZZ", "Resection of Appendix, Percutaneous Endoscopic Approach")}
	ultrasound      = procedureKind{code: snomed("169230002", "Ultrasound scan for fetal viability"), minutes: 30, order: orderedImaging, report: &fetalReport}
	childbirth      = procedureKind{code: snomed("66348005", "Childbirth"), minutes: 240, surgical: true, icd10pcs: icd10pcs("10E0XZZ", "Delivery of Products of Conception, External Approach")}
	colonoscopy     = procedureKind{code: snomed("73761001", "Colonoscopy"), minutes: 40, surgical: true, order: orderedEvaluation, report: &tissueReport}
	mammography     = procedureKind{code: snomed("71651007", "Mammography"), minutes: 20, order: orderedImaging, report: &breastReport}
	medReview       = procedureKind{code: snomed("430193006", "Medication reconciliation"), minutes: 10}
	moodScreening   = procedureKind{code: snomed("171207006", "Depression screening"), minutes: 10}
	needs           = procedureKind{code: snomed("710824005", "Assessment of health and social care needs"), minutes: 10}
	pacing          = procedureKind{code: snomed("307280005", "Implantation of cardiac pacemaker"), minutes: 90, surgical: true, order: orderedSurgery, implant: &pacemaker, icd10pcs: icd10pcs("0JH606Z", "Insertion of Pacemaker, Dual Chamber into Chest Subcutaneous Tissue and Fascia, Open Approach")}
	newKnee         = procedureKind{code: snomed("609588000", "Total knee replacement"), minutes: 110, surgical: true, order: orderedSurgery, implant: &kneeProsthesis, icd10pcs: icd10pcs("0SRC0J9", "Replacement of Right Knee Joint with Synthetic Substitute, Cemented, Open Approach")}
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
	{&moodScreening, anySex, 12, 90, 22, 500},
	{&medReview, anySex, 50, 120, 10, 700},
	{&needs, anySex, 18, 120, 11, 800},
}
