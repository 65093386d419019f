package population

import "time"

// An author answers for resources: a practitioner on behalf of a site, or the site.
type author struct {
	doctor *practitioner // nil: the site itself
	site   *provider
}

// provenance writes one Provenance for everything that a visit left behind (US Core Provenance).
func (r *scribe) provenance(v *visit) {
	recorded := v.end
	for _, res := range v.results {
		recorded = later(recorded, res.issued)
	}
	r.answered(r.next("prov", &r.written.provenances), author{v.doctor, v.site}, recorded.Add(6*time.Minute))
}

// answered writes the Provenance of what was written since the last one.
func (r *scribe) answered(id string, by author, recorded time.Time) {
	recorded = earlier(recorded, r.now)
	r.begin("Provenance", id, usCore+"us-core-provenance")
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
	if by.doctor != nil {
		r.Reference("who", "Practitioner", by.doctor.id, by.doctor.name())
		r.Reference("onBehalfOf", "Organization", by.site.id, by.site.name)
	} else {
		r.Reference("who", "Organization", by.site.id, by.site.name)
	}
	r.End()
	r.Object("")
	r.Coded("type", coding{System: "http://hl7.org/fhir/us/core/CodeSystem/us-core-provenance-participant-type", Code: "transmitter", Display: "Transmitter"})
	r.Reference("who", "Organization", by.site.id, by.site.name)
	r.End()
	r.EndArray()
	r.file(recorded)
}
