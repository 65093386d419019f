package population

import "time"

// socialHistory writes what a visit asked of smoking, mood and pregnancy, and the first check-up of
// work and needs.
func (r *scribe) socialHistory(v *visit) {
	at := v.start.Add(3 * time.Minute)
	if v.signs.taken&takeSmoking != 0 {
		r.observation(v, "us-core-smokingstatus", socialHistory, meaning(loinc("72166-2", "Tobacco smoking status")), at)
		r.issuedBy(at, "Practitioner", v.doctor.id)
		r.Concept("valueCodeableConcept", meaning(smokingCodes[v.signs.smoking]))
		r.put(at)
	}
	if v.kind.prevents && r.age(v.start) >= 18 && !r.asked {
		r.asked = true
		if !r.jobless && r.age(v.start) < 67 {
			r.occupation(v, at)
		} else if r.jobless && r.age(v.start) < 65 {
			r.unemployment(v)
		}
		r.socialSurvey(v)
		if r.female && r.age(v.start) < 46 && !r.suffers(pregnancy, v.start) {
			r.pregnancyIntent(v, at)
		}
	}
	for _, k := range v.exams {
		if k == &moodScreening {
			r.moodSurvey(v)
		}
	}
	if v.kind == &prenatalFirst || v.kind == &prenatalVisit {
		r.observation(v, "us-core-observation-pregnancystatus", socialHistory, meaning(loinc("82810-3", "Pregnancy status")), at)
		r.Concept("valueCodeableConcept", meaning(snomed("77386006", "Pregnant")))
		r.put(at)
	}
	if v.kind == &postnatalVisit {
		r.pregnancyIntent(v, at)
	}
}

// pregnancyIntent writes what a woman said of having a child (US Core Observation Pregnancy
// Intent).
func (r *scribe) pregnancyIntent(v *visit, at time.Time) {
	r.observation(v, "us-core-observation-pregnancyintent", socialHistory, meaning(loinc("86645-9", "Pregnancy intention in the next year - Reported")), at)
	r.Concept("valueCodeableConcept", meaning(snomed("454381000124105", "Not sure of desire to become pregnant")))
	r.put(at)
}
