package population

import "time"

// A scribe writes a life down as resources.
type scribe struct {
	*life
	*sink
	b        Blueprint
	instants *stream // of when resources were last updated: nothing else may depend on it
	details  *stream // of what is written of visits, one after the other
	kin      *relative
	situation

	written struct {
		observations, reports, specimens, procedures, immunizations, allergies, claims, provenances int
		devices, documents, binaries, plans, orders, forms                                          int
	}
	targets []target // of the next Provenance
	paid    deductible
	asked   bool   // about work and needs
	typo    *visit // at which the persona's heart rate is mistyped; nil: nowhere in particular
}

// newScribe returns a scribe for a life.
func newScribe(l *life, b Blueprint, s *sink) *scribe {
	r := &scribe{life: l, sink: s, b: b, instants: newStream(b.Seed, "instants", l.n), details: newStream(b.Seed, "details", l.n),
		kin: l.relativeOf(), situation: l.drawSituation(newStream(b.Seed, "situation", l.n))}
	if l.persona != nil && l.persona.mistyped {
		for _, v := range l.visits {
			if v.signs.taken&takePulse != 0 && v.end.Before(l.asOf.Add(-unsettled)) {
				r.typo = v
			}
		}
	}
	return r
}

// A target is a resource that a Provenance tells of.
type target struct{ resourceType, id string }

// write writes everything about the patient.
func (r *scribe) write() {
	r.patient()
	if r.kin != nil {
		r.relatedPerson(r.kin)
	}
	if r.payer != nil && !r.bare() {
		r.coverage()
	}
	if len(r.visits) == 0 {
		return
	}
	r.careTeamOf()
	for i, v := range r.visits {
		if i == 0 {
			for _, a := range r.allergies {
				r.allergyIntolerance(a, v)
			}
		}
		r.visit(v)
	}
	r.dispensed()
	if !r.death.IsZero() {
		r.died()
	}
	r.summary()
	r.claims()
}

func (r *scribe) bare() bool { return r.persona != nil && r.persona.bare }

// visit writes an encounter and all that was done in it.
func (r *scribe) visit(v *visit) {
	r.encounter(v)
	for _, b := range v.found {
		r.condition(b)
	}
	r.plans(v)
	r.vitalSigns(v)
	r.socialHistory(v)
	for _, res := range v.results {
		r.laboratory(v, res)
	}
	for _, k := range v.exams {
		r.procedure(v, k)
	}
	for _, p := range v.prescriptions {
		r.medicationRequest(p)
	}
	for _, s := range v.shots {
		r.immunization(v, s)
	}
	r.noted(v)
	r.provenance(v)
}

// dispensed writes what the pharmacy handed out.
func (r *scribe) dispensed() {
	var last time.Time
	for _, p := range r.prescriptions {
		for i := range p.fills {
			if f := &p.fills[i]; r.happened(p, f) {
				r.medicationDispense(p, f)
				last = later(last, f.at)
			}
		}
	}
	if !last.IsZero() {
		r.answered(r.person.id+"-prov-pharmacy", author{site: &driftwood}, last.Add(2*time.Minute))
	}
}

// put closes the resource that is being written: it was last updated shortly after what it tells
// of, and is a target of the next Provenance.
func (r *scribe) put(told time.Time) {
	r.targets = append(r.targets, target{r.openType, r.openID})
	r.file(told)
}

// file closes a resource that no Provenance tells of.
func (r *scribe) file(told time.Time) {
	delay := time.Duration(r.instants.between(2_000, 180_000)) * time.Millisecond
	r.finish(r.custodian, told.Add(delay))
}

// next returns the id for one more resource of a kind.
func (r *scribe) next(kind string, counter *int) string {
	*counter++
	return partID(r.person.id, kind, *counter)
}

// aboutPatient writes the reference to the patient.
func (r *scribe) aboutPatient(name string) { r.Reference(name, "Patient", r.person.id, "") }

// inEncounter writes the reference to the visit's Encounter.
func (r *scribe) inEncounter(v *visit) { r.Reference("encounter", "Encounter", v.id, "") }
