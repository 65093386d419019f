package population

// pharmacyBenefit writes the ExplanationOfBenefit of a fill (CARIN BB 2.0.0, C4BB
// ExplanationOfBenefit Pharmacy).
func (r *scribe) pharmacyBenefit(c *claim) {
	m := c.filled.drug
	r.beginBenefit(c, "Pharmacy")
	r.careTeam(c.doctor, "prescribing", "Prescribing provider")

	sequence := 0
	r.Array("supportingInfo")
	r.received(&sequence, c)
	r.infoNumber(&sequence, "dayssupply", "Days Supply", m.supply)
	r.infoCode(&sequence, "dawcode", "DAW (Dispense As Written) Code", "NCPDPDispensedAsWrittenOrProductSelectionCode", "0")
	r.infoNumber(&sequence, "refillnum", "Refill Number", c.fill.number)
	r.infoNumber(&sequence, "refillsauthorized", "Refills Authorized", m.refills)
	indicator := "2" // generic
	if m.brand {
		indicator = "1"
	}
	r.infoCode(&sequence, "brandgenericindicator", "Brand Generic Indicator", "NCPDPBrandGenericIndicator", indicator)
	compound := "1" // it is none
	if m.compound {
		compound = "2"
	}
	r.infoCode(&sequence, "rxorigincode", "Rx Origin Code", "NCPDPPrescriptionOriginCode", "3")
	r.infoCode(&sequence, "compoundcode", "Compound Code", "NCPDPCompoundCode", compound)
	r.EndArray()

	r.insured()
	l := &c.lines[0]
	r.Array("item")
	r.Object("")
	r.Int("sequence", 1)
	r.firstOnly("careTeamSequence")
	r.Coded("productOrService", l.service)
	r.Date("servicedDate", c.served)
	r.Quantity("quantity", m.amount(m.quantity))
	r.note(c, 0)
	r.Array("adjudication")
	r.amounts(l, false)
	if c.denied {
		r.Object("")
		r.Coded("category", coding{System: sysC4Discriminator, Code: "rejectreason", Display: "Reject Reason"})
		r.Coded("reason", coding{System: tho + "NCPDPRejectCode", Code: "70"})
		r.End()
	}
	r.EndArray()
	if m.compound {
		r.ingredients(m)
	}
	r.End()
	r.EndArray()
	r.Array("adjudication")
	r.network("billingnetworkstatus", "Billing Network Status")
	r.network("benefitpaymentstatus", "Benefit Payment Status")
	r.EndArray()
	r.endBenefit(c)
}

// ingredients writes what the pharmacy mixed: the powder and what it is suspended in.
func (r *scribe) ingredients(m *medication) {
	r.Array("detail")
	for i, text := range [...]string{"active ingredient", "suspending vehicle"} {
		r.Object("")
		r.Int("sequence", i+1)
		r.Coded("productOrService", coding{System: sysNDC, Code: "99999" + padded(m.product, 4) + padded(11+i, 2), Display: text})
		r.Quantity("quantity", m.amount(m.quantity/2))
		r.End()
	}
	r.EndArray()
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
