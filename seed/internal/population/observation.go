package population

import (
	"time"

	"github.com/sandfhir/sandfhir/seed/internal/fhirwrite"
)

// observation opens an Observation of a visit and writes all but its value.
func (r *scribe) observation(v *visit, profile string, category, code concept, at time.Time) string {
	return r.observed(v, "final", profile, category, code, at)
}

// observed is observation with a status other than final.
func (r *scribe) observed(v *visit, status, profile string, category, code concept, at time.Time) string {
	id := r.next("obs", &r.written.observations)
	r.begin("Observation", id, usCore+profile)
	r.String("status", status)
	r.Concepts("category", category)
	r.Concept("code", code)
	r.aboutPatient("subject")
	r.inEncounter(v)
	r.DateTime("effectiveDateTime", at)
	return id
}

// issuedBy writes when the result was given out and by whom.
func (r *scribe) issuedBy(at time.Time, resourceType, id string) {
	r.Instant("issued", at)
	r.Array("performer")
	r.Reference("", resourceType, id, "")
	r.EndArray()
}

// measured is a quantity as it is written in a table of vital signs.
func measured(value, places int, unit, code string) fhirwrite.Quantity {
	return fhirwrite.Quantity{Value: fhirwrite.Decimal{Units: value, Places: places}, Unit: unit, Code: code}
}
