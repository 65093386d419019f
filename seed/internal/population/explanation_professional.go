package population

// professionalBenefit writes the ExplanationOfBenefit of a visit or an ambulance (CARIN BB 2.0.0, C4BB
// ExplanationOfBenefit Professional NonClinician).
func (r *scribe) professionalBenefit(c *claim) {
	r.beginBenefit(c, "Professional-NonClinician")
	r.careTeam(c.doctor, "rendering", "Rendering provider")

	sequence := 0
	r.Array("supportingInfo")
	if c.ride != nil {
		r.rideInfo(&sequence, c.ride)
	}
	r.received(&sequence, c)
	r.info(&sequence, "servicefacility", "Service Facility")
	r.Reference("valueReference", "Organization", c.provider.id, "")
	r.End()
	r.records(&sequence, c)
	r.EndArray()

	count := r.diagnoses(c)
	r.insured()
	r.Array("item")
	for i := range c.lines {
		r.professionalLine(c, i, count)
	}
	r.EndArray()
	r.Array("adjudication")
	r.network("billingnetworkstatus", "Billing Network Status")
	r.network("renderingnetworkstatus", "Rendering Network Status")
	r.EndArray()
	r.endBenefit(c)
}

// diagnoses writes what a claim's visit was for and found, and returns how many there are.
func (r *scribe) diagnoses(c *claim) int {
	codes := r.diagnosisCodes(c.visit)
	r.Array("diagnosis")
	for i, code := range codes {
		kind := coding{System: tho + "ex-diagnosistype", Code: "principal", Display: "Principal Diagnosis"}
		switch {
		case i > 0 && c.form == professional:
			kind = coding{System: sysC4Diagnosis, Code: "secondary", Display: "Secondary"}
		case i > 0:
			kind = coding{System: sysC4Diagnosis, Code: "other", Display: "Other"}
		}
		r.Object("")
		r.Int("sequence", i+1)
		r.Coded("diagnosisCodeableConcept", code)
		r.CodedList("type", kind)
		if c.form == inpatientStayClaim {
			r.Coded("onAdmission", nubc("PresentOnAdmissionIndicator", "Y", "Diagnosis was present at time of inpatient admission."))
		}
		r.End()
	}
	r.EndArray()
	return len(codes)
}

// diagnosisCodes are at most four, and at least one.
func (r *scribe) diagnosisCodes(v *visit) []coding {
	codes := make([]coding, 0, 4)
	if v.problem != nil {
		codes = append(codes, v.problem.icd10)
	}
	for _, b := range v.found {
		if b != v.problem && len(codes) < 4 {
			codes = append(codes, b.icd10)
		}
	}
	if len(codes) == 0 {
		codes = append(codes, r.checkUpCode(v))
	}
	return codes
}

// checkUpCode is the reason of a visit without a condition.
func (r *scribe) checkUpCode(v *visit) coding {
	if r.age(v.start) < 18 {
		return icd("Z00.129", "Encounter for routine child health examination without abnormal findings")
	}
	return icd("Z00.00", "Encounter for general adult medical examination without abnormal findings")
}

func (r *scribe) professionalLine(c *claim, i, diagnoses int) {
	l, v := &c.lines[i], c.visit
	r.Object("")
	r.Int("sequence", i+1)
	r.firstOnly("careTeamSequence")
	r.sequences("diagnosisSequence", 1, diagnoses)
	if c.ride != nil {
		r.sequences("informationSequence", 1, rideItems)
	}
	r.Coded("productOrService", l.service)
	if l.modifier.Code != "" {
		r.CodedList("modifier", l.modifier)
	}
	r.Date("servicedDate", c.served)
	place := v.kind.place
	if c.ride != nil {
		place = placeAmbulance
	}
	r.Coded("locationCodeableConcept", place)
	r.Quantity("quantity", units(l.units))
	r.firstOnlyEncounter(v)
	r.note(c, i)
	r.Array("adjudication")
	r.amounts(l, false)
	r.reduced(l)
	r.network("benefitpaymentstatus", "Benefit Payment Status")
	r.allowed(l.units)
	r.EndArray()
	r.End()
}
