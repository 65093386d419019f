package population

import (
	"time"

	"github.com/sandfhir/sandfhir/seed/internal/fhirwrite"
)

// A carePlan is what is planned for a lasting condition, and what for.
type carePlan struct {
	activity coding
	advice   string
	goal     string
	measure  coding // LOINC, of the goal; no code: it is not measured
	target   fhirwrite.Quantity
}

// carePlans are by condition.
var carePlans = [diseaseKeys]*carePlan{
	hypertension: {snomed("443402002", "Lifestyle education regarding hypertension"), "Less salt, half an hour of walking a day, the medication every day.",
		"Systolic blood pressure below 140 mmHg", loinc("8480-6", "Systolic blood pressure"), measured(140, 0, "mmHg", "mm[Hg]")},
	prediabetes: {snomed("698360004", "Diabetes self management plan"), "Fewer sweet drinks, seven per cent less weight, a yearly test.",
		"Hemoglobin A1c below 5.7 %", loinc("4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood"), measured(57, 1, "%", "%")},
	diabetes: {snomed("698360004", "Diabetes self management plan"), "Regular meals, the medication every day, feet and eyes looked at every year.",
		"Hemoglobin A1c below 7 %", loinc("4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood"), measured(7, 0, "%", "%")},
	hyperlipidemia: {snomed("736285004", "Hyperlipidemia clinical management plan"), "Less saturated fat, the medication every evening.",
		"LDL cholesterol below 100 mg/dL", loinc("18262-6", "Cholesterol in LDL [Mass/volume] in Serum or Plasma by Direct assay"), measured(100, 0, "mg/dL", "mg/dL")},
	pregnancy: {snomed("134435003", "Routine antenatal care"), "A visit a month, vitamins, no alcohol and no smoking.",
		"A healthy child at term", coding{}, fhirwrite.Quantity{}},
	asthma: {snomed("53950000", "Respiratory therapy"), "The inhaler at hand, triggers avoided, a written action plan.",
		"No emergency visit for asthma", coding{}, fhirwrite.Quantity{}},
	copd: {snomed("53950000", "Respiratory therapy"), "No smoking, pulmonary rehabilitation, a vaccination every autumn.",
		"Oxygen saturation of 90 % or more", loinc("59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry"), measured(90, 0, "%", "%")},
}

// plans writes the CarePlans and Goals for the lasting conditions that a visit found.
func (r *scribe) plans(v *visit) {
	for _, b := range v.found {
		if p := carePlans[b.key]; p != nil {
			r.goal(v, b, p)
			r.carePlan(v, b, p)
		}
	}
}

// goal writes the Goal of a plan (US Core Goal).
func (r *scribe) goal(v *visit, b *problem, p *carePlan) {
	r.written.plans++
	r.begin("Goal", partID(r.person.id, "goal", r.written.plans), usCore+"us-core-goal")
	status, told := "active", v.end
	switch {
	case !b.abated.IsZero():
		status, told = "completed", b.abated
	case !r.death.IsZero():
		status, told = "cancelled", r.death
	}
	r.String("lifecycleStatus", status)
	r.Concept("description", concept{Text: p.goal})
	r.aboutPatient("subject")
	r.Date("startDate", v.start)
	r.Array("target")
	r.Object("")
	if p.measure.Code != "" {
		r.Concept("measure", meaning(p.measure))
		r.Quantity("detailQuantity", p.target)
	}
	r.Date("dueDate", midnight(v.start).AddDate(1, 0, 0))
	r.End()
	r.EndArray()
	r.Reference("expressedBy", "Practitioner", v.doctor.id, "")
	r.Array("addresses")
	r.Reference("", "Condition", b.id, "")
	r.EndArray()
	r.put(later(v.end, told))
}

// carePlan writes the CarePlan (US Core CarePlan).
func (r *scribe) carePlan(v *visit, b *problem, p *carePlan) {
	r.begin("CarePlan", partID(r.person.id, "plan", r.written.plans), usCore+"us-core-careplan")
	r.narrative(p.activity.Display + ": " + p.advice)
	status, ended := "active", time.Time{}
	switch {
	case !b.abated.IsZero():
		status, ended = "completed", later(b.abated, v.end)
	case !r.death.IsZero():
		status, ended = "revoked", r.death
	}
	r.String("status", status)
	r.String("intent", "plan")
	r.CodedList("category", coding{System: "http://hl7.org/fhir/us/core/CodeSystem/careplan-category", Code: "assess-plan", Display: "Assessment and Plan of Treatment"})
	r.String("title", p.activity.Display)
	r.aboutPatient("subject")
	r.inEncounter(v)
	r.Days("period", v.start, ended)
	r.DateTime("created", v.end)
	r.Reference("author", "Practitioner", v.doctor.id, "")
	r.Array("careTeam")
	r.Reference("", "CareTeam", r.teamID(), "")
	r.EndArray()
	r.Array("addresses")
	r.Reference("", "Condition", b.id, "")
	r.EndArray()
	r.Array("goal")
	r.Reference("", "Goal", partID(r.person.id, "goal", r.written.plans), "")
	r.EndArray()
	r.Array("activity")
	r.Object("")
	r.Object("detail")
	r.Concept("code", meaning(p.activity))
	activity := "in-progress"
	if !ended.IsZero() {
		activity = "completed"
	}
	r.String("status", activity)
	r.String("description", p.advice)
	r.End()
	r.End()
	r.EndArray()
	r.put(later(v.end, ended))
}

// narrative writes a generated text of one paragraph, which holds no markup.
func (s *sink) narrative(words string) {
	s.Object("text")
	s.String("status", "generated")
	s.String("div", `<div xmlns="http://www.w3.org/1999/xhtml"><p>`+words+`</p></div>`)
	s.End()
}
