package population

import "github.com/sandfhir/sandfhir/seed/internal/fhirwrite"

// encounter writes the Encounter (US Core Encounter).
func (r *scribe) encounter(v *visit) {
	r.begin("Encounter", v.id, usCore+"us-core-encounter")
	r.Array("identifier")
	r.Identifier("", fhirwrite.Identifier{Use: "official", System: idOwner + "encounter", Value: v.id})
	r.EndArray()
	r.String("status", "finished")
	r.Coding("class", v.kind.class)
	r.Concepts("type", meaning(v.kind.code))
	r.aboutPatient("subject")
	r.Array("participant")
	r.Object("")
	r.CodedList("type", attender)
	r.Period("period", v.start, v.end)
	r.Reference("individual", "Practitioner", v.doctor.id, v.doctor.name())
	r.End()
	r.EndArray()
	r.Period("period", v.start, v.end)
	if v.problem != nil {
		r.Concepts("reasonCode", meaning(v.problem.snomed))
		r.Array("reasonReference")
		r.Reference("", "Condition", v.problem.id, "")
		r.EndArray()
	}
	if v.kind.class == inpatient || v.last {
		r.Object("hospitalization")
		r.Coded("dischargeDisposition", v.disposition())
		r.End()
	}
	if v.site.site.Code != "" {
		r.Array("location")
		r.Object("")
		r.Reference("location", "Location", v.site.siteID(), v.site.name)
		r.End()
		r.EndArray()
	}
	r.Reference("serviceProvider", "Organization", v.site.id, v.site.name)
	r.put(v.end)
}

// disposition tells where a patient went from the hospital.
func (v *visit) disposition() coding {
	if v.last {
		return coding{System: sysDischarge, Code: "exp", Display: "Expired"}
	}
	return coding{System: sysDischarge, Code: "home", Display: "Home"}
}
