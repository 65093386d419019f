package population

// vitals says which vital signs a visit measures.
type vitals uint

const (
	takePressure vitals = 1 << iota
	takePulse
	takeBreaths
	takeTemperature
	takeHeight
	takeWeight // and the body mass index, where there is a height too
	takeSaturation
	takeSmoking

	childCheck = takePulse | takeBreaths | takeTemperature | takeHeight | takeWeight | takePressure
	fullCheck  = takePressure | takePulse | takeHeight | takeWeight | takeSmoking
	shortCheck = takePressure | takePulse | takeWeight
	briefCheck = takePulse | takeTemperature
	sickCheck  = takePressure | takePulse | takeTemperature
)

// A visitKind is a kind of encounter: how it is coded, how long it lasts, what is done and what
// is claimed for it.
type visitKind struct {
	class            coding
	code             coding
	shortest, length int // minutes
	vitals           vitals
	prescribes       bool // renews what is taken for chronic conditions
	prevents         bool // gives vaccines and screens
	service          coding
	place            coding
	cents            int // what is charged for the visit alone
}

var (
	ambulatory = coding{System: sysActCode, Code: "AMB", Display: "ambulatory"}
	emergency  = coding{System: sysActCode, Code: "EMER", Display: "emergency"}
	inpatient  = coding{System: sysActCode, Code: "IMP", Display: "inpatient encounter"}
	virtual    = coding{System: sysActCode, Code: "VR", Display: "virtual"}

	placeOffice     = coding{System: sysPlace, Code: "11", Display: "Office"}
	placeOutpatient = coding{System: sysPlace, Code: "22", Display: "On Campus-Outpatient Hospital"}
	placeInpatient  = coding{System: sysPlace, Code: "21", Display: "Inpatient Hospital"}
	placeEmergency  = coding{System: sysPlace, Code: "23", Display: "Emergency Room - Hospital"}
	placeUrgent     = coding{System: sysPlace, Code: "20", Display: "Urgent Care Facility"}
	placeAmbulance  = coding{System: sysPlace, Code: "41", Display: "Ambulance - Land"}
	placePhone      = coding{System: sysPlace, Code: "10", Display: "Telehealth Provided in Patient's Home"}

	clinicVisit = hcpcs("T1015", "Clinic visit/encounter, all-inclusive")
)

var (
	wellChild = visitKind{ambulatory, snomed("410620009", "Well child visit"), 20, 40, childCheck, true, true,
		hcpcs("S0302", "Completed early periodic screening diagnosis and treatment (EPSDT) service"), placeOffice, 16500}
	wellAdult = visitKind{ambulatory, snomed("162673000", "General examination of patient"), 25, 50, fullCheck, true, true,
		hcpcs("G0439", "Annual wellness visit, includes a personalized prevention plan of service (PPS), subsequent visit"), placeOffice, 21500}
	firstVisit = visitKind{ambulatory, snomed("185349003", "Encounter for check up"), 30, 60, fullCheck, true, true,
		hcpcs("G0438", "Annual wellness visit; includes a personalized prevention plan of service (PPS), initial visit"), placeOffice, 28500}
	problemVisit = visitKind{ambulatory, snomed("185347001", "Encounter for problem"), 20, 40, shortCheck, true, false,
		clinicVisit, placeOffice, 18500}
	followUpVisit = visitKind{ambulatory, snomed("390906007", "Follow-up encounter"), 15, 30, shortCheck, true, true,
		clinicVisit, placeOffice, 14500}
	symptomVisit = visitKind{ambulatory, snomed("185345009", "Encounter for symptom"), 15, 25, briefCheck, false, false,
		clinicVisit, placeOffice, 13500}
	urgentVisit = visitKind{ambulatory, snomed("702927004", "Urgent care clinic"), 20, 60, briefCheck, false, false,
		hcpcs("S9083", "Global fee urgent care centers"), placeUrgent, 17500}
	phoneVisit = visitKind{virtual, snomed("185317003", "Telephone encounter"), 8, 15, 0, true, false,
		hcpcs("G2012", "Brief communication technology-based service, e.g., virtual check-in"), placePhone, 4500}
	examVisit = visitKind{ambulatory, snomed("371883000", "Outpatient procedure"), 45, 120, takePressure | takePulse, false, false,
		hcpcs("G0463", "Hospital outpatient clinic visit for assessment and management of a patient"), placeOutpatient, 31500}
	emergencyVisit = visitKind{emergency, snomed("50849002", "Emergency room admission"), 60, 480, sickCheck | takeBreaths | takeSaturation, false, false,
		hcpcs("G0381", "Level 2 hospital emergency department visit provided in a type B emergency department"), placeEmergency, 64500}
	inpatientStay = visitKind{inpatient, snomed("183452005", "Emergency hospital admission"), 0, 0, sickCheck | takeBreaths | takeSaturation, false, false,
		hcpcs("G0378", "Hospital observation service, per hour"), placeInpatient, 385000}
	prenatalFirst = visitKind{ambulatory, snomed("424441002", "Prenatal initial visit"), 40, 60, fullCheck, true, false,
		hcpcs("H1000", "Prenatal care, at-risk assessment"), placeOffice, 24500}
	prenatalVisit = visitKind{ambulatory, snomed("424619006", "Prenatal visit"), 15, 30, shortCheck, true, true,
		hcpcs("H1001", "Prenatal care, at-risk enhanced service; antepartum management"), placeOffice, 15500}
	deliveryStay = visitKind{inpatient, snomed("183460006", "Obstetric emergency hospital admission"), 0, 0, sickCheck, false, false,
		hcpcs("H1005", "Prenatal care, at-risk enhanced service package (includes H1001-H1004)"), placeInpatient, 410000}
	postnatalVisit = visitKind{ambulatory, snomed("169762003", "Postnatal visit"), 20, 40, shortCheck, false, true,
		clinicVisit, placeOffice, 14500}
)

// preventive tells whether a visit is one that members pay nothing for.
func (k *visitKind) preventive() bool { return k == &wellChild || k == &wellAdult || k == &firstVisit }
