package population

import (
	"time"

	"github.com/sandfhir/sandfhir/seed/internal/fhirwrite"
)

// orderOf writes the ServiceRequest for a procedure of a visit (US Core ServiceRequest) and returns
// its id.
func (r *scribe) orderOf(v *visit, k *procedureKind) string {
	id := r.next("ord", &r.written.orders)
	authored := v.start.Add(4 * time.Minute)
	r.begin("ServiceRequest", id, usCore+"us-core-servicerequest")
	r.Array("identifier")
	r.Identifier("", fhirwrite.Identifier{System: idOwner + "order", Value: id})
	r.EndArray()
	r.String("status", "completed")
	r.String("intent", "order")
	r.Concepts("category", meaning(k.order))
	r.Concept("code", meaning(k.code))
	r.aboutPatient("subject")
	r.inEncounter(v)
	done := v.start.Add(procedureDelay + time.Duration(k.minutes)*time.Minute)
	r.Period("occurrencePeriod", v.start.Add(procedureDelay), done)
	r.DateTime("authoredOn", authored)
	r.Reference("requester", "Practitioner", v.doctor.id, v.doctor.name())
	if v.problem != nil {
		r.Concepts("reasonCode", meaning(v.problem.snomed))
		r.Array("reasonReference")
		r.Reference("", "Condition", v.problem.id, "")
		r.EndArray()
	}
	r.put(done)
	return id
}
