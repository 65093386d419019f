package population

import "time"

// provenance writes one Provenance for everything that a visit left behind (US Core Provenance).
func (r *scribe) provenance(v *visit) {
	recorded := v.end
	for _, res := range v.results {
		recorded = later(recorded, res.issued)
	}
	recorded = earlier(recorded.Add(6*time.Minute), r.asOf)
	r.begin("Provenance", r.next("prov", &r.written.provenances), usCore+"us-core-provenance")
	r.Array("target")
	for _, t := range r.targets {
		r.Reference("", t.resourceType, t.id, "")
	}
	r.EndArray()
	r.targets = r.targets[:0]
	r.Instant("recorded", recorded)
	r.Array("agent")
	r.Object("")
	r.Coded("type", coding{System: tho + "provenance-participant-type", Code: "author", Display: "Author"})
	r.Reference("who", "Practitioner", v.doctor.id, v.doctor.name())
	r.Reference("onBehalfOf", "Organization", v.site.id, v.site.name)
	r.End()
	r.Object("")
	r.Coded("type", coding{System: "http://hl7.org/fhir/us/core/CodeSystem/us-core-provenance-participant-type", Code: "transmitter", Display: "Transmitter"})
	r.Reference("who", "Organization", v.site.id, v.site.name)
	r.End()
	r.EndArray()
	r.file(recorded)
}
