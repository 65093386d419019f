package population

import (
	"time"

	"github.com/sandfhir/sandfhir/seed/internal/fhirwrite"
)

// medicationRequest writes the MedicationRequest (US Core MedicationRequest).
func (r *scribe) medicationRequest(p *prescription) {
	v, m := p.visit, p.drug
	r.begin("MedicationRequest", p.id, usCore+"us-core-medicationrequest")
	r.String("status", p.status)
	r.String("intent", "order")
	category := coding{System: tho + "medicationrequest-category", Code: "community", Display: "Community"}
	if v.kind.class == inpatient {
		category.Code, category.Display = "discharge", "Discharge"
	}
	r.CodedList("category", category)
	r.Bool("reportedBoolean", false)
	r.medication(m)
	r.aboutPatient("subject")
	r.inEncounter(v)
	authored := v.authored()
	r.DateTime("authoredOn", authored)
	r.Reference("requester", "Practitioner", v.doctor.id, v.doctor.name())
	r.Array("reasonReference")
	r.Reference("", "Condition", p.problem.id, "")
	r.EndArray()
	r.dosage(m)
	r.Object("dispenseRequest")
	r.Int("numberOfRepeatsAllowed", m.refills)
	r.Quantity("quantity", m.amount(m.quantity))
	r.Quantity("expectedSupplyDuration", fhirwrite.Quantity{Value: fhirwrite.Decimal{Units: m.supply}, Unit: "days", Code: "d"})
	r.End()
	if p.prior != nil {
		r.Reference("priorPrescription", "MedicationRequest", p.prior.id, "")
	}
	r.put(later(authored, p.ended))
}

// authored is when the prescriptions of a visit are written: before it ends.
func (v *visit) authored() time.Time { return v.end.Add(-2 * time.Minute) }

func (r *scribe) dosage(m *medication) {
	r.Array("dosageInstruction")
	r.Object("")
	r.Int("sequence", 1)
	r.String("text", m.sig)
	r.Object("timing")
	r.Object("repeat")
	r.Int("frequency", m.times)
	r.Int("period", m.period)
	r.String("periodUnit", m.each)
	r.End()
	r.End()
	r.Array("doseAndRate")
	r.Object("")
	r.Quantity("doseQuantity", m.amount(m.dose))
	r.End()
	r.EndArray()
	r.End()
	r.EndArray()
}
