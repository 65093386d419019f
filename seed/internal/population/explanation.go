package population

import (
	"time"

	"github.com/sandfhir/sandfhir/seed/internal/fhirwrite"
)

// benefit writes the ExplanationOfBenefit of a claim after the profile of its form (CARIN BB
// 2.0.0, C4BB ExplanationOfBenefit).
func (r *scribe) benefit(c *claim) {
	switch c.form {
	case professional:
		r.professionalBenefit(c)
	case pharmacyClaim:
		r.pharmacyBenefit(c)
	default:
		r.hospitalBenefit(c)
	}
}

// kind returns the type of a claim and, of a hospital's, the kind of visit.
func (c *claim) kind() (kind, sub coding) {
	kind = coding{System: tho + "claim-type", Code: "professional", Display: "Professional"}
	switch c.form {
	case pharmacyClaim:
		kind.Code, kind.Display = "pharmacy", "Pharmacy"
	case inpatientStayClaim:
		sub = coding{System: carin + "C4BBInstitutionalClaimSubType", Code: "inpatient", Display: "Inpatient"}
	case outpatientClaim:
		sub = coding{System: carin + "C4BBInstitutionalClaimSubType", Code: "outpatient", Display: "Outpatient"}
	}
	if sub.Code != "" {
		kind.Code, kind.Display = "institutional", "Institutional"
	}
	return kind, sub
}

// beginBenefit opens an ExplanationOfBenefit and writes what all forms of claims have in common
// up to the outcome.
func (r *scribe) beginBenefit(c *claim, profile string) {
	kind, sub := c.kind()
	r.begin("ExplanationOfBenefit", c.benefitID(r), c4+"ExplanationOfBenefit-"+profile+c4Level)
	r.Array("identifier")
	r.Identifier("", fhirwrite.Identifier{Type: coding{System: sysC4Identifier, Code: "uc", Display: "Unique Claim ID"},
		System: r.claimSystem(), Value: r.claimNumber(c.n)})
	r.EndArray()
	status := "active"
	if !c.replacedOn.IsZero() {
		status = "cancelled"
	}
	r.String("status", status)
	r.Coded("type", kind)
	if sub.Code != "" {
		r.Coded("subType", sub)
	}
	r.String("use", "claim")
	r.aboutPatient("patient")
	r.Days("billablePeriod", c.served, c.ended)
	r.DateTime("created", c.created)
	r.Reference("insurer", "Organization", r.payer.id, r.payer.name)
	r.Reference("provider", "Organization", c.provider.id, c.provider.name)
	switch {
	case c.corrected:
		r.related(coding{System: tho + "ex-relatedclaimrelationship", Code: "prior", Display: "Prior Claim"}, c.n-1)
	case !c.replacedOn.IsZero():
		r.related(coding{System: carin + "C4BBRelatedClaimRelationshipCodes", Code: "replacedby", Display: "Replaced by"}, c.n+1)
	}
	if c.filled != nil {
		r.Reference("prescription", "MedicationRequest", c.filled.id, "")
	}
	r.Object("payee")
	r.Coded("type", coding{System: tho + "payeetype", Code: "provider", Display: "Provider"})
	r.Reference("party", "Organization", c.provider.id, "")
	r.End()
	r.Reference("claim", "Claim", c.id(r), "")
	r.String("outcome", "complete")
}

func (r *scribe) claimSystem() string { return "https://" + r.payer.domain + "/fhir/claim" }

func (r *scribe) claimNumber(n int) string {
	return r.payer.memberPrefix + "-" + partID(r.person.id, "eob", n)
}

// related writes the claim that a claim replaces or that replaces it.
func (r *scribe) related(relationship coding, other int) {
	r.Array("related")
	r.Object("")
	r.Coded("relationship", relationship)
	r.Object("reference")
	r.String("system", r.claimSystem())
	r.String("value", r.claimNumber(other))
	r.End()
	r.End()
	r.EndArray()
}

// endBenefit writes the totals, the payment and the payer's note, and closes the resource.
func (r *scribe) endBenefit(c *claim) {
	sum := c.sum()
	r.Array("total")
	r.amounts(&sum, true)
	r.EndArray()
	r.Object("payment")
	status := coding{System: sysC4Status, Code: "paid", Display: "Paid"}
	if c.denied {
		status.Code, status.Display = "denied", "Denied"
	}
	r.Coded("type", status)
	r.Date("date", c.paidOn)
	r.Money("amount", sum.benefit)
	r.End()
	if c.noted {
		r.Array("processNote")
		r.Object("")
		r.Int("number", 1)
		r.String("type", "display")
		words := "Thank you for using a provider of our network."
		switch {
		case c.denied:
			words = "The service is not covered by your plan. You have 180 days to appeal."
		case c.corrected:
			words = "This replaces our earlier decision: the provider corrected the claim."
		}
		r.String("text", words)
		r.End()
		r.EndArray()
	}
	told := c.paidOn
	if !c.replacedOn.IsZero() {
		told = c.replacedOn
	}
	r.file(told.Add(13 * time.Hour))
}

// sum adds the lines up.
func (c *claim) sum() line {
	var sum line
	for i := range c.lines {
		m := &c.lines[i]
		sum.submitted += m.submitted
		sum.discount += m.discount
		sum.noncovered += m.noncovered
		sum.eligible += m.eligible
		sum.deductible += m.deductible
		sum.copay += m.copay
		sum.coinsurance += m.coinsurance
		sum.benefit += m.benefit
	}
	return sum
}
