package population

import (
	"time"

	"github.com/sandfhir/sandfhir/seed/internal/fhirwrite"
)

// claim writes the Claim as the payer received it (FHIR R4, claim).
func (r *scribe) claim(c *claim) {
	kind, sub := c.kind()
	r.begin("Claim", c.id(r))
	r.Array("identifier")
	r.Identifier("", fhirwrite.Identifier{System: "https://" + c.provider.domain + "/fhir/claim", Value: c.id(r)})
	r.EndArray()
	r.String("status", "active")
	r.Coded("type", kind)
	if sub.Code != "" {
		r.Coded("subType", sub)
	}
	r.String("use", "claim")
	r.aboutPatient("patient")
	r.Days("billablePeriod", c.served, c.ended)
	r.DateTime("created", c.created)
	r.Reference("insurer", "Organization", r.payer.id, "")
	r.Reference("provider", "Organization", c.provider.id, "")
	r.Coded("priority", coding{System: tho + "processpriority", Code: "normal", Display: "Normal"})
	if c.filled != nil {
		r.Reference("prescription", "MedicationRequest", c.filled.id, "")
	}
	r.Array("careTeam")
	r.Object("")
	r.Int("sequence", 1)
	r.Reference("provider", "Practitioner", c.doctor.id, "")
	r.End()
	r.EndArray()
	r.Array("diagnosis")
	for i, code := range r.diagnosisCodes(c.visit) {
		r.Object("")
		r.Int("sequence", i+1)
		r.Coded("diagnosisCodeableConcept", code)
		r.End()
	}
	r.EndArray()
	r.Array("insurance")
	r.Object("")
	r.Int("sequence", 1)
	r.Bool("focal", true)
	r.Reference("coverage", "Coverage", r.coverageID(), "")
	r.End()
	r.EndArray()
	r.Array("item")
	total := 0
	for i := range c.lines {
		l := &c.lines[i]
		total += l.submitted
		r.Object("")
		r.Int("sequence", i+1)
		if l.revenue.Code != "" && c.form != professional {
			r.Coded("revenue", l.revenue)
		}
		r.Coded("productOrService", l.service)
		r.Date("servicedDate", c.served)
		r.Quantity("quantity", units(l.units))
		r.Money("net", l.submitted)
		if c.filled == nil {
			r.firstOnlyEncounter(c.visit)
		}
		r.End()
	}
	r.EndArray()
	r.Money("total", total)
	r.file(c.created.Add(time.Minute))
}
