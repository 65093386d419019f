package population

import "github.com/sandfhir/sandfhir/seed/internal/fhirjson"

// professionalBenefit writes the ExplanationOfBenefit of a visit (CARIN BB 2.0.0, C4BB
// ExplanationOfBenefit Professional NonClinician).
func (r *scribe) professionalBenefit(c *claim) {
	v := c.visit
	r.beginBenefit(c, "Professional-NonClinician", "professional", "Professional", v.end)
	r.careTeam(v.doctor, "rendering", "Rendering provider")

	sequence := 0
	r.Array("supportingInfo")
	r.info(&sequence, "clmrecvddate", "Claim Received Date")
	r.Date("timingDate", c.created)
	r.End()
	r.info(&sequence, "servicefacility", "Service Facility")
	r.Reference("valueReference", "Organization", c.provider.id, "")
	r.End()
	r.info(&sequence, "medicalrecordnumber", "Medical Record Number")
	r.String("valueString", r.recordNumber())
	r.End()
	r.info(&sequence, "patientaccountnumber", "Patient Account Number")
	r.String("valueString", "ACCT-"+c.id)
	r.End()
	r.EndArray()

	count := r.diagnoses(v)
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

// diagnoses writes what a visit was for and found, and returns how many there are.
func (r *scribe) diagnoses(v *visit) int {
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
	r.Array("diagnosis")
	for i, code := range codes {
		kind := coding{System: tho + "ex-diagnosistype", Code: "principal", Display: "Principal Diagnosis"}
		if i > 0 {
			kind = coding{System: sysC4Diagnosis, Code: "secondary", Display: "Secondary"}
		}
		r.Object("")
		r.Int("sequence", i+1)
		r.Coded("diagnosisCodeableConcept", code)
		r.CodedList("type", kind)
		r.End()
	}
	r.EndArray()
	return len(codes)
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
	r.Array("careTeamSequence")
	r.Int("", 1)
	r.EndArray()
	r.Array("diagnosisSequence")
	for n := 1; n <= diagnoses; n++ {
		r.Int("", n)
	}
	r.EndArray()
	r.Coded("productOrService", l.service)
	r.Date("servicedDate", c.served)
	r.Coded("locationCodeableConcept", v.kind.place)
	r.Quantity("quantity", fhirjson.Quantity{Value: fhirjson.Decimal{Units: 1}, Unit: "service", Code: "1"})
	r.Array("encounter")
	r.Reference("", "Encounter", v.id, "")
	r.EndArray()
	r.Array("adjudication")
	r.amounts(l)
	r.network("benefitpaymentstatus", "Benefit Payment Status")
	r.Object("")
	r.Coded("category", coding{System: sysC4Discriminator, Code: "allowedunits", Display: "allowed units"})
	r.Int("value", 1)
	r.End()
	r.EndArray()
	r.End()
}
