package population

// An amount is a kind of sum that lines and totals show.
type amount struct {
	category coding
	always   bool // shown even if it is nothing
	whole    bool // shown of a claim, not of its lines
	of       func(*line) int
}

var amounts = []amount{
	{coding{System: tho + "adjudication", Code: "submitted", Display: "Submitted Amount"}, true, false, func(l *line) int { return l.submitted }},
	{coding{System: tho + "adjudication", Code: "eligible", Display: "Eligible Amount"}, true, false, func(l *line) int { return l.eligible }},
	{coding{System: tho + "adjudication", Code: "deductible", Display: "Deductible"}, false, false, func(l *line) int { return l.deductible }},
	{coding{System: tho + "adjudication", Code: "copay", Display: "CoPay"}, false, false, func(l *line) int { return l.copay }},
	{coding{System: sysC4Amount, Code: "coinsurance", Display: "Co-insurance"}, false, false, func(l *line) int { return l.coinsurance }},
	{coding{System: sysC4Amount, Code: "noncovered", Display: "Noncovered"}, false, false, func(l *line) int { return l.noncovered }},
	{coding{System: sysC4Amount, Code: "discount", Display: "Discount"}, false, false, func(l *line) int { return l.discount }},
	{coding{System: tho + "adjudication", Code: "benefit", Display: "Benefit Amount"}, true, false, func(l *line) int { return l.benefit }},
	{coding{System: sysC4Amount, Code: "paidtoprovider", Display: "Paid to provider"}, false, true, func(l *line) int { return l.benefit }},
	{coding{System: sysC4Amount, Code: "memberliability", Display: "Member liability"}, false, true, (*line).liability},
}

// amounts writes the amounts of a line, or of a whole claim, as items of an open array, whose
// elements are alike: adjudications and totals. What is left out is nothing, or is told of the whole.
func (r *scribe) amounts(l *line, whole bool) {
	for i := range amounts {
		a := &amounts[i]
		if a.of(l) == 0 && !a.always || a.whole && !whole {
			continue
		}
		r.Object("")
		r.Coded("category", a.category)
		r.Money("amount", a.of(l))
		r.End()
	}
}

// reduced writes, as an item of an open array, why less was allowed than asked for, where it was
// (X12 Claim Adjustment Reason Codes).
func (r *scribe) reduced(l *line) {
	reason := coding{System: "https://x12.org/codes/claim-adjustment-reason-codes", Code: "45"}
	switch {
	case l.noncovered > 0:
		reason.Code = "96"
	case l.discount == 0:
		return
	}
	r.Object("")
	r.Coded("category", coding{System: sysC4Discriminator, Code: "adjustmentreason", Display: "Adjustment Reason"})
	r.Coded("reason", reason)
	r.End()
}

// allowed writes, as an item of an open array, how many units are paid for.
func (r *scribe) allowed(units int) {
	r.Object("")
	r.Coded("category", coding{System: sysC4Discriminator, Code: "allowedunits", Display: "allowed units"})
	r.Int("value", units)
	r.End()
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

// received writes the item of supportingInfo that says when the payer had the claim.
func (r *scribe) received(sequence *int, c *claim) {
	r.info(sequence, "clmrecvddate", "Claim Received Date")
	r.Date("timingDate", c.created)
	r.End()
}

// records writes the items of supportingInfo that name the provider's records.
func (r *scribe) records(sequence *int, c *claim) {
	r.info(sequence, "medicalrecordnumber", "Medical Record Number")
	r.String("valueString", r.recordNumber())
	r.End()
	r.info(sequence, "patientaccountnumber", "Patient Account Number")
	r.String("valueString", "ACCT-"+c.id(r))
	r.End()
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

// firstOnly writes the sequence of what there is one of.
func (r *scribe) firstOnly(name string) {
	r.Array(name)
	r.Int("", 1)
	r.EndArray()
}

// sequences writes the sequences 1 to n.
func (r *scribe) sequences(name string, first, last int) {
	r.Array(name)
	for i := first; i <= last; i++ {
		r.Int("", i)
	}
	r.EndArray()
}

// note writes that the payer's note is about a line.
func (r *scribe) note(c *claim, line int) {
	if c.noted && line == 0 {
		r.firstOnly("noteNumber")
	}
}
