package population

import (
	"time"

	"github.com/sandfhir/sandfhir/seed/internal/fhirjson"
)

// beginBenefit opens an ExplanationOfBenefit and writes what all kinds of claims have in common
// up to the outcome (CARIN BB 2.0.0, C4BB ExplanationOfBenefit).
func (r *scribe) beginBenefit(c *claim, profile, kind, display string, end time.Time) {
	r.begin("ExplanationOfBenefit", c.id, c4+"ExplanationOfBenefit-"+profile+c4Level)
	r.Array("identifier")
	r.Identifier("", fhirjson.Identifier{Type: coding{System: sysC4Identifier, Code: "uc", Display: "Unique Claim ID"},
		System: "https://" + r.payer.domain + "/fhir/claim", Value: r.payer.memberPrefix + "-" + c.id})
	r.EndArray()
	r.String("status", "active")
	r.Coded("type", coding{System: tho + "claim-type", Code: kind, Display: display})
	r.String("use", "claim")
	r.aboutPatient("patient")
	r.Days("billablePeriod", c.served, end)
	r.DateTime("created", c.created)
	r.Reference("insurer", "Organization", r.payer.id, r.payer.name)
	r.Reference("provider", "Organization", c.provider.id, c.provider.name)
	r.Object("payee")
	r.Coded("type", coding{System: tho + "payeetype", Code: "provider", Display: "Provider"})
	r.Reference("party", "Organization", c.provider.id, "")
	r.End()
	if c.filled != nil {
		r.Reference("prescription", "MedicationRequest", c.filled.id, "")
	}
	r.String("outcome", "complete")
}

// endBenefit writes the totals and the payment, and closes the resource.
func (r *scribe) endBenefit(c *claim) {
	var sum line
	for i := range c.lines {
		sum.add(&c.lines[i])
	}
	r.Array("total")
	r.amounts(&sum)
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
	r.file(c.paidOn.Add(13 * time.Hour))
}

func (l *line) add(m *line) {
	l.submitted += m.submitted
	l.discount += m.discount
	l.noncovered += m.noncovered
	l.eligible += m.eligible
	l.deductible += m.deductible
	l.copay += m.copay
	l.coinsurance += m.coinsurance
	l.benefit += m.benefit
}

// An amount is a kind of sum that lines and totals show.
type amount struct {
	category coding
	always   bool // shown even if it is nothing
	of       func(*line) int
}

var amounts = []amount{
	{coding{System: tho + "adjudication", Code: "submitted", Display: "Submitted Amount"}, true, func(l *line) int { return l.submitted }},
	{coding{System: tho + "adjudication", Code: "eligible", Display: "Eligible Amount"}, true, func(l *line) int { return l.eligible }},
	{coding{System: tho + "adjudication", Code: "deductible", Display: "Deductible"}, false, func(l *line) int { return l.deductible }},
	{coding{System: tho + "adjudication", Code: "copay", Display: "CoPay"}, false, func(l *line) int { return l.copay }},
	{coding{System: sysC4Amount, Code: "coinsurance", Display: "Co-insurance"}, false, func(l *line) int { return l.coinsurance }},
	{coding{System: sysC4Amount, Code: "noncovered", Display: "Noncovered"}, false, func(l *line) int { return l.noncovered }},
	{coding{System: sysC4Amount, Code: "discount", Display: "Discount"}, false, func(l *line) int { return l.discount }},
	{coding{System: tho + "adjudication", Code: "benefit", Display: "Benefit Amount"}, true, func(l *line) int { return l.benefit }},
	{coding{System: sysC4Amount, Code: "paidtoprovider", Display: "Paid to provider"}, false, func(l *line) int { return l.benefit }},
	{coding{System: sysC4Amount, Code: "memberliability", Display: "Member liability"}, false, (*line).liability},
}

// amounts writes the amounts of a line or of all lines as items of an open array, whose elements
// are alike: adjudications of a line, totals of a claim. What is left out is nothing.
func (r *scribe) amounts(l *line) {
	for i := range amounts {
		a := &amounts[i]
		if a.of(l) == 0 && !a.always {
			continue
		}
		r.Object("")
		r.Coded("category", a.category)
		r.Money("amount", a.of(l))
		r.End()
	}
}

// network writes, as an item of an open array, that a provider belongs to the payer's network.
func (r *scribe) network(code, display string) {
	r.Object("")
	r.Coded("category", coding{System: sysC4Discriminator, Code: code, Display: display})
	r.Coded("reason", coding{System: sysC4Status, Code: "innetwork", Display: "In Network"})
	r.End()
}

// careTeam writes the one practitioner of a claim.
func (r *scribe) careTeam(p *practitioner, role, display string) {
	r.Array("careTeam")
	r.Object("")
	r.Int("sequence", 1)
	r.Reference("provider", "Practitioner", p.id, p.name())
	r.Coded("role", coding{System: sysC4CareTeam, Code: role, Display: display})
	r.Coded("qualification", p.specialty)
	r.End()
	r.EndArray()
}

// info opens the next item of supportingInfo; the caller writes its value and ends it.
func (r *scribe) info(sequence *int, code, display string) {
	*sequence++
	r.Object("")
	r.Int("sequence", *sequence)
	r.Coded("category", coding{System: sysC4Info, Code: code, Display: display})
}

// insured writes the coverage that the claim was made under.
func (r *scribe) insured() {
	r.Array("insurance")
	r.Object("")
	r.Bool("focal", true)
	r.Reference("coverage", "Coverage", r.coverageID(), "")
	r.End()
	r.EndArray()
}
