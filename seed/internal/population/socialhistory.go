package population

import "time"

// socialHistory writes what a visit asked of smoking, and of pregnancy.
func (r *scribe) socialHistory(v *visit) {
	at := v.start.Add(3 * time.Minute)
	if v.signs.taken&takeSmoking != 0 {
		r.observation(v, "us-core-smokingstatus", socialHistory, meaning(loinc("72166-2", "Tobacco smoking status")), at)
		r.issuedBy(at, "Practitioner", v.doctor.id)
		r.Concept("valueCodeableConcept", meaning(smokingCodes[v.signs.smoking]))
		r.put(at)
	}
	if v.kind == &prenatalFirst || v.kind == &prenatalVisit {
		r.observation(v, "us-core-observation-pregnancystatus", socialHistory, meaning(loinc("82810-3", "Pregnancy status")), at)
		r.Concept("valueCodeableConcept", meaning(snomed("77386006", "Pregnant")))
		r.put(at)
	}
	if v.kind == &postnatalVisit {
		r.observation(v, "us-core-observation-pregnancyintent", socialHistory, meaning(loinc("86645-9", "Pregnancy intention in the next year - Reported")), at)
		r.Concept("valueCodeableConcept", meaning(snomed("454381000124105", "Not sure of desire to become pregnant")))
		r.put(at)
	}
}
