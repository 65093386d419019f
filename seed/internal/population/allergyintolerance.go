package population

// allergyIntolerance writes the AllergyIntolerance (US Core AllergyIntolerance), as the first
// visit took it down.
func (r *scribe) allergyIntolerance(a *allergy, v *visit) {
	r.begin("AllergyIntolerance", r.next("alg", &r.written.allergies), usCore+"us-core-allergyintolerance")
	r.Coded("clinicalStatus", coding{System: tho + "allergyintolerance-clinical", Code: "active", Display: "Active"})
	r.Coded("verificationStatus", coding{System: tho + "allergyintolerance-verification", Code: "confirmed", Display: "Confirmed"})
	if a.category != "" {
		r.String("type", "allergy")
		r.Strings("category", a.category)
		criticality := "low"
		if a.severe {
			criticality = "high"
		}
		r.String("criticality", criticality)
	}
	r.Concept("code", meaning(a.code))
	r.aboutPatient("patient")
	if !a.onset.IsZero() && a.onset.Before(v.start) {
		r.Date("onsetDateTime", a.onset)
	}
	r.DateTime("recordedDate", v.start)
	if len(a.reaction) > 0 {
		r.Array("reaction")
		r.Object("")
		r.Array("manifestation")
		for _, c := range a.reaction {
			r.Concept("", meaning(c))
		}
		r.EndArray()
		r.End()
		r.EndArray()
	}
	r.put(v.start)
}
