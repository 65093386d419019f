package population

// Revenue codes of hospitals (National Uniform Billing Committee).
var (
	roomRevenue       = nubc("RevenueCodes", "0120", "Room and Board - Semiprivate Two Beds")
	drugRevenue       = nubc("RevenueCodes", "0250", "Pharmacy")
	laboratoryRevenue = nubc("RevenueCodes", "0300", "Laboratory")
	theatreRevenue    = nubc("RevenueCodes", "0360", "Operating Room Services")
	emergencyRevenue  = nubc("RevenueCodes", "0450", "Emergency Room")
	clinicRevenue     = nubc("RevenueCodes", "0510", "Clinic")
	vaccineRevenue    = nubc("RevenueCodes", "0771", "Preventive Care Services - Vaccine Administration")

	noService = coding{System: sysAbsent, Code: "not-applicable", Display: "Not Applicable"}
)

func nubc(system, code, display string) coding {
	return coding{System: "https://www.nubc.org/CodeSystem/" + system, Code: code, Display: display}
}

// stayLines are the services of a stay in hospital.
func (c *claim) stayLines(s *stream) {
	v := c.visit
	days := max(daysFrom(midnight(v.start), midnight(v.end)), 1)
	c.lines = append(c.lines, line{service: noService, revenue: roomRevenue, units: days, submitted: v.kind.cents * days})
	for _, k := range v.exams {
		c.lines = append(c.lines, line{service: noService, revenue: theatreRevenue, units: 1, submitted: 9000*k.minutes + 100*s.between(0, 900)})
	}
	for _, res := range v.results {
		l := line{service: noService, revenue: laboratoryRevenue, units: 1, submitted: 3900}
		if res.panel.claim.Code != "" {
			l.service, l.submitted = res.panel.claim, res.panel.cents
			l.modifier = hcpcs("QW", "CLIA waived test")
		}
		c.lines = append(c.lines, l)
	}
	c.lines = append(c.lines, line{service: noService, revenue: drugRevenue, units: 1, submitted: 100 * s.between(90, 700)})
}

// drg returns the group of a stay (Medicare Severity Diagnosis Related Groups).
func (v *visit) drg() coding {
	code, display := "948", "Signs and symptoms without MCC"
	switch {
	case v.exam == &newKnee:
		code, display = "470", "Major hip and knee joint replacement or reattachment of lower extremity without MCC"
	case v.exam == &pacing:
		code, display = "244", "Permanent cardiac pacemaker implant without CC/MCC"
	case v.kind == &deliveryStay:
		code, display = "807", "Vaginal delivery without sterilization or D&C without CC/MCC"
	case v.problem == nil:
	case v.problem.operation == &appendectomy:
		code, display = "343", "Appendectomy without complicated principal diagnosis without CC/MCC"
	case v.problem.breath:
		code, display = "194", "Simple pneumonia and pleurisy with CC"
	case v.problem.key == copd:
		code, display = "190", "Chronic obstructive pulmonary disease with MCC"
	case v.problem.key == afib:
		code, display = "309", "Cardiac arrhythmia and conduction disorders with CC"
	}
	return coding{System: "https://www.cms.gov/Medicare/Medicare-Fee-for-Service-Payment/AcuteInpatientPPS/MS-DRG-Classifications-and-Software", Code: code, Display: display}
}

// hospitalInfo writes the supportingInfo of a hospital's claim.
func (r *scribe) hospitalInfo(c *claim) {
	v, sequence := c.visit, 0
	r.Array("supportingInfo")
	bill := "0131"
	if c.form == inpatientStayClaim {
		bill = "0111"
		r.info(&sequence, "admissionperiod", "Admission Period")
		r.Days("timingPeriod", v.start, v.end)
		r.End()
	}
	if c.corrected {
		bill = bill[:3] + "7"
	}
	r.received(&sequence, c)
	r.coded(&sequence, "typeofbill", "Type of Bill", nubc("TypeOfBill", bill, ""))
	r.coded(&sequence, "pointoforigin", "Point of origin for admission or visit", nubc("PointOfOrigin", "1", "Non-Health Care Facility Point of Origin"))
	kind := nubc("PriorityTypeOfAdmitOrVisit", "3", "Elective")
	if v.kind.class == emergency || v.exam == nil {
		kind.Code, kind.Display = "1", "Emergency"
	}
	r.coded(&sequence, "admtype", "Priority (Type) of Admission or Visit", kind)
	status := nubc("PatDischargeStatus", "01", "Discharged to home or self care (routine discharge)")
	if v.last {
		status.Code, status.Display = "20", "Expired"
	}
	r.coded(&sequence, "discharge-status", "Discharge Status", status)
	if c.form == inpatientStayClaim {
		r.coded(&sequence, "drg", "Diagnosis Related Group (DRG)", v.drg())
	}
	r.records(&sequence, c)
	r.EndArray()
}

// coded writes an item of supportingInfo that is a code.
func (r *scribe) coded(sequence *int, category, display string, code coding) {
	r.info(sequence, category, display)
	r.Coded("code", code)
	r.End()
}

// hospitalProcedures writes the operations of a stay, where there were any.
func (r *scribe) hospitalProcedures(v *visit) {
	open := false
	for i, k := range v.exams {
		if k.icd10pcs.Code == "" {
			continue
		}
		if !open {
			r.Array("procedure")
			open = true
		}
		r.Object("")
		r.Int("sequence", i+1)
		kind := coding{System: carin + "C4BBClaimProcedureType", Code: "principal", Display: "Principal"}
		if i > 0 {
			kind.Code, kind.Display = "other", "Other"
		}
		r.CodedList("type", kind)
		r.DateTime("date", v.start.Add(procedureDelay))
		r.Coded("procedureCodeableConcept", k.icd10pcs)
		r.End()
	}
	if open {
		r.EndArray()
	}
}
