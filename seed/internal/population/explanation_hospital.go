package population

import "github.com/sandfhir/sandfhir/seed/internal/fhirwrite"

// hospitalBenefit writes the ExplanationOfBenefit of a hospital's claim (CARIN BB 2.0.0, C4BB
// ExplanationOfBenefit Inpatient Institutional and Outpatient Institutional). Medicare Advantage
// decides of the claim as a whole, the others line by line: a claim has one or the other.
func (r *scribe) hospitalBenefit(c *claim) {
	profile := "Outpatient-Institutional"
	if c.form == inpatientStayClaim {
		profile = "Inpatient-Institutional"
	}
	r.beginBenefit(c, profile)
	r.careTeam(c.doctor, "attending", "Attending")
	r.hospitalInfo(c)
	count := r.diagnoses(c)
	if c.form == inpatientStayClaim {
		r.hospitalProcedures(c.visit)
	}
	r.insured()
	r.Array("item")
	for i := range c.lines {
		r.hospitalLine(c, i, count)
	}
	r.EndArray()
	r.Array("adjudication")
	r.network("billingnetworkstatus", "Billing Network Status")
	r.network("benefitpaymentstatus", "Benefit Payment Status")
	if c.atHeader {
		sum := c.sum()
		r.amounts(&sum, true)
		r.reduced(&sum)
	}
	r.EndArray()
	r.endBenefit(c)
}

func (r *scribe) hospitalLine(c *claim, i, diagnoses int) {
	l := &c.lines[i]
	r.Object("")
	r.Int("sequence", i+1)
	r.firstOnly("careTeamSequence")
	r.sequences("diagnosisSequence", 1, diagnoses)
	r.Coded("revenue", l.revenue)
	r.Coded("productOrService", l.service)
	if l.modifier.Code != "" {
		r.CodedList("modifier", l.modifier)
	}
	r.Date("servicedDate", c.served)
	r.Quantity("quantity", units(l.units))
	r.firstOnlyEncounter(c.visit)
	r.note(c, i)
	if !c.atHeader {
		r.Array("adjudication")
		r.amounts(l, false)
		r.reduced(l)
		r.allowed(l.units)
		r.EndArray()
	}
	r.End()
}

// units is a number of times that something was done.
func units(n int) fhirwrite.Quantity {
	return fhirwrite.Quantity{Value: fhirwrite.Decimal{Units: n}, Unit: "service", Code: "1"}
}

func (r *scribe) firstOnlyEncounter(v *visit) {
	r.Array("encounter")
	r.Reference("", "Encounter", v.id, "")
	r.EndArray()
}
