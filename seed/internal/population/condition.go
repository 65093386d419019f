package population

import "time"

// condition writes the Condition: an acute one as the diagnosis of its encounter, a lasting one
// as an item of the problem list (the two US Core Condition profiles).
func (r *scribe) condition(b *problem) {
	v := b.at
	encounterDiagnosis := b.key == acute
	profile, category := "us-core-condition-problems-health-concerns", coding{System: tho + "condition-category", Code: "problem-list-item", Display: "Problem List Item"}
	if encounterDiagnosis {
		profile, category = "us-core-condition-encounter-diagnosis", coding{System: tho + "condition-category", Code: "encounter-diagnosis", Display: "Encounter Diagnosis"}
	}
	r.begin("Condition", b.id, usCore+profile)
	clinical := coding{System: tho + "condition-clinical", Code: "active", Display: "Active"}
	if !b.abated.IsZero() {
		clinical.Code, clinical.Display = "resolved", "Resolved"
	}
	r.Coded("clinicalStatus", clinical)
	r.Coded("verificationStatus", coding{System: tho + "condition-ver-status", Code: "confirmed", Display: "Confirmed"})
	r.CodedList("category", category)
	r.Concept("code", concept{Codings: []coding{b.snomed, b.icd10}, Text: b.snomed.Display})
	r.aboutPatient("subject")
	r.inEncounter(v)
	r.Date("onsetDateTime", b.onset)
	if !b.abated.IsZero() {
		r.Date("abatementDateTime", b.abated)
	}
	recorded := earlier(v.start.Add(12*time.Minute), v.end)
	r.DateTime("recordedDate", recorded)
	r.Reference("recorder", "Practitioner", v.doctor.id, "")
	r.put(later(recorded, b.abated))
}
