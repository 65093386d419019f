package population

import "time"

// pharmacyBenefit writes the ExplanationOfBenefit of a fill (CARIN BB 2.0.0, C4BB
// ExplanationOfBenefit Pharmacy).
func (r *scribe) pharmacyBenefit(c *claim) {
	m := c.filled.drug
	r.beginBenefit(c, "Pharmacy", "pharmacy", "Pharmacy", time.Time{})
	r.careTeam(c.visit.doctor, "prescribing", "Prescribing provider")

	sequence := 0
	r.Array("supportingInfo")
	r.info(&sequence, "clmrecvddate", "Claim Received Date")
	r.Date("timingDate", c.created)
	r.End()
	r.infoNumber(&sequence, "dayssupply", "Days Supply", m.supply)
	r.infoCode(&sequence, "dawcode", "DAW (Dispense As Written) Code", "NCPDPDispensedAsWrittenOrProductSelectionCode", "0")
	r.infoNumber(&sequence, "refillnum", "Refill Number", c.refill)
	r.infoNumber(&sequence, "refillsauthorized", "Refills Authorized", m.refills)
	indicator := "2" // generic
	if m.brand {
		indicator = "1"
	}
	r.infoCode(&sequence, "brandgenericindicator", "Brand Generic Indicator", "NCPDPBrandGenericIndicator", indicator)
	r.infoCode(&sequence, "rxorigincode", "Rx Origin Code", "NCPDPPrescriptionOriginCode", "3")
	r.infoCode(&sequence, "compoundcode", "Compound Code", "NCPDPCompoundCode", "1")
	r.EndArray()

	r.insured()
	l := &c.lines[0]
	r.Array("item")
	r.Object("")
	r.Int("sequence", 1)
	r.Array("careTeamSequence")
	r.Int("", 1)
	r.EndArray()
	r.Coded("productOrService", l.service)
	r.Date("servicedDate", c.served)
	r.Quantity("quantity", m.amount(m.quantity))
	r.Array("adjudication")
	r.amounts(l)
	r.EndArray()
	r.End()
	r.EndArray()
	r.Array("adjudication")
	r.network("billingnetworkstatus", "Billing Network Status")
	r.network("benefitpaymentstatus", "Benefit Payment Status")
	r.EndArray()
	r.endBenefit(c)
}

func (r *scribe) infoNumber(sequence *int, code, display string, n int) {
	r.info(sequence, code, display)
	r.Object("valueQuantity")
	r.Int("value", n)
	r.End()
	r.End()
}

func (r *scribe) infoCode(sequence *int, code, display, system, value string) {
	r.info(sequence, code, display)
	r.Coded("code", coding{System: tho + system, Code: value})
	r.End()
}
