package population

import "time"

// A situation is how a person lives, as far as screening asks.
type situation struct {
	occupation coding
	industry   coding
	household  int // how many live there
	housing    answer
	stress     answer
	jobless    bool
	mood       [2]int // the two answers of the PHQ-2, 0 to 3
}

// An answer is one of LOINC's answer lists.
type answer struct{ code, display string }

func (a answer) coding() coding { return loinc(a.code, a.display) }

// occupations and their industries are by the Bureau of Labor Statistics' SOC 2018 and the
// Census's NAICS 2022, as CDC's value sets have them.
var occupations = []struct{ job, industry coding }{
	{soc("29-1141", "Registered Nurses"), naics("622110", "General Medical and Surgical Hospitals")},
	{soc("25-2021", "Elementary School Teachers, Except Special Education"), naics("611110", "Elementary and Secondary Schools")},
	{soc("41-2031", "Retail Salespersons"), naics("455110", "Department Stores")},
	{soc("53-3032", "Heavy and Tractor-Trailer Truck Drivers"), naics("484121", "General Freight Trucking, Long-Distance, Truckload")},
	{soc("15-1252", "Software Developers"), naics("541511", "Custom Computer Programming Services")},
	{soc("47-2061", "Construction Laborers"), naics("236115", "New Single-Family Housing Construction (except For-Sale Builders)")},
	{soc("35-2014", "Cooks, Restaurant"), naics("722511", "Full-Service Restaurants")},
	{soc("13-2011", "Accountants and Auditors"), naics("541211", "Offices of Certified Public Accountants")},
}

func soc(code, display string) coding {
	return coding{System: "urn:oid:2.16.840.1.114222.4.5.338", Code: code, Display: display}
}

func naics(code, display string) coding {
	return coding{System: "urn:oid:2.16.840.1.114222.4.5.337", Code: code, Display: display}
}

var (
	hasHousing  = answer{"LA30189-7", "I have housing"}
	noHousing   = answer{"LA30190-5", "I do not have housing (staying with others, in a hotel, in a shelter, living outside on the street, on a beach, in a car, or in a park)"}
	notStressed = answer{"LA6568-5", "Not at all"}
	stressed    = answer{"LA13909-9", "Somewhat"}

	frequency = [...]answer{{"LA6568-5", "Not at all"}, {"LA6569-3", "Several days"}, {"LA6570-1", "More than half the days"}, {"LA6571-9", "Nearly every day"}}
)

// drawSituation draws how the person lives.
func (l *life) drawSituation(s *stream) situation {
	o := pick(s, occupations)
	k := situation{occupation: o.job, industry: o.industry, household: s.between(1, 6), housing: hasHousing, stress: notStressed}
	if s.chance(25) {
		k.housing = noHousing
	}
	if s.chance(300) {
		k.stress = stressed
	}
	k.jobless = s.chance(70)
	sad := 600
	if l.problem(depression) != nil {
		sad = 200
	}
	for i := range k.mood {
		if !s.chance(sad) {
			k.mood[i] = s.between(1, 3)
		}
	}
	return k
}

// occupation writes what a person works as (US Core Observation Occupation).
func (r *scribe) occupation(v *visit, at time.Time) {
	began := midnight(later(r.birth.AddDate(18, 3, 0), v.start.AddDate(-6, 0, -r.n%300)))
	r.begin("Observation", r.next("obs", &r.written.observations), usCore+"us-core-observation-occupation")
	r.String("status", "final")
	r.Concepts("category", socialHistory)
	r.Concept("code", meaning(loinc("11341-5", "History of Occupation")))
	r.aboutPatient("subject")
	r.inEncounter(v)
	r.Days("effectivePeriod", began, time.Time{})
	r.Concept("valueCodeableConcept", meaning(r.situation.occupation))
	r.Array("component")
	r.Object("")
	r.Concept("code", meaning(loinc("86188-0", "History of Occupation industry")))
	r.Concept("valueCodeableConcept", meaning(r.situation.industry))
	r.End()
	r.EndArray()
	r.put(at)
}

// unemployment writes what a screening found of social needs, as a health concern (US Core
// Condition Problems and Health Concerns).
func (r *scribe) unemployment(v *visit) {
	r.begin("Condition", partID(r.person.id, "need", 1), usCore+"us-core-condition-problems-health-concerns")
	r.Array("extension")
	r.Object("")
	r.String("url", "http://hl7.org/fhir/StructureDefinition/condition-assertedDate")
	r.DateTime("valueDateTime", v.start)
	r.End()
	r.EndArray()
	r.Coded("clinicalStatus", coding{System: tho + "condition-clinical", Code: "active", Display: "Active"})
	r.Coded("verificationStatus", coding{System: tho + "condition-ver-status", Code: "confirmed", Display: "Confirmed"})
	r.Array("category")
	r.Coded("", coding{System: "http://hl7.org/fhir/us/core/CodeSystem/condition-category", Code: "health-concern", Display: "Health Concern"})
	r.Coded("", socialNeed)
	r.EndArray()
	r.Concept("code", concept{Codings: []coding{snomed("73438004", "Unemployed"), icd("Z56.0", "Unemployment, unspecified")}, Text: "Unemployed"})
	r.aboutPatient("subject")
	r.inEncounter(v)
	r.Date("onsetDateTime", midnight(v.start).Add(-40*day))
	r.DateTime("recordedDate", v.start.Add(10*time.Minute))
	r.Reference("recorder", "Practitioner", v.doctor.id, "")
	r.put(v.start.Add(10 * time.Minute))
}
