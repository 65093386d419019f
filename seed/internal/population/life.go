package population

import (
	"cmp"
	"slices"
	"time"
)

// A life is what happens to a person and is known: their conditions, and the visits at which
// conditions are found, watched and treated. It is settled wholly before the first resource is
// written, because a resource tells how things ended: a prescription, that it was stopped.
type life struct {
	*person
	seed     uint64
	world    *world
	richness Richness
	asOf     time.Time // the instant that ages and the beginning of the history count back from
	now      time.Time // the instant at which the life is seen, some days later
	since    time.Time // the history known begins
	until    time.Time // what is planned ends: no visit ends later, except the last of a life
	problems []*problem
	visits   []*visit

	found         int // problems that were recorded
	prescriptions []*prescription
	allergies     []*allergy
}

// A problem is a condition of the person.
type problem struct {
	*disease
	id      string // set when it is recorded
	onset   time.Time
	abated  time.Time // zero: it lasts
	found   *visit    // where it is to be found; nil: at the first visit after the onset
	at      *visit    // where it was recorded; nil: not yet
	regimen *regimen
}

// activeAt tells whether the person has the problem at t and it is known.
func (b *problem) activeAt(t time.Time) bool {
	return b.at != nil && !b.onset.After(t) && (b.abated.IsZero() || b.abated.After(t))
}

// A visit is an encounter: why, when and where, and all that was done.
type visit struct {
	kind       *visitKind
	start, end time.Time
	problem    *problem       // the reason; nil: none in particular
	exam       *procedureKind // what an appointment is for; nil: it is another visit
	site       *provider
	doctor     *practitioner
	last       bool // the person died in it
	id         string

	found         []*problem
	signs         signs
	results       []*result
	exams         []*procedureKind
	prescriptions []*prescription
	shots         []*shot
}

// newLife settles the life of the n-th patient. It is planned beyond the instant at which it is
// seen, so that the same life seen later has the same past.
func newLife(b Blueprint, n int, w *world) *life {
	now, seed := b.now(), b.Seed
	l := &life{person: newPerson(seed, n, b.AsOf, now, w), seed: seed, world: w, asOf: b.AsOf, now: now, richness: b.Richness}
	l.until = l.end(b.AsOf.Add(MaxDays * day)).Add(-unsettled)
	l.since = l.historyStart(newStream(seed, "history", n))
	if l.persona != nil && l.persona.bare {
		return l
	}
	l.drawProblems(newStream(seed, "problems", n))
	l.drawAllergies(newStream(seed, "allergies", n))
	l.planVisits(newStream(seed, "visits", n))
	l.forget()
	l.attend(newStream(seed, "care given", n))
	return l
}

// unsettled is for how long nothing is known of a visit yet: until its results are all there.
const unsettled = 5 * day

// forget takes away what lies after the instant at which the life is seen.
func (l *life) forget() {
	known := l.end(l.now).Add(-unsettled)
	l.visits = slices.DeleteFunc(l.visits, func(v *visit) bool {
		if v.last {
			return l.death.IsZero()
		}
		return v.end.After(known)
	})
	for _, b := range l.problems {
		if b.abated.After(l.end(l.now)) {
			b.abated = time.Time{}
		}
	}
}

// historyStart draws how far back the history goes. Its length is spread log-normally, so that a few
// people have several times as much of everything as most.
func (l *life) historyStart(s *stream) time.Time {
	spread := [...]int{31, 42, 50, 57, 64, 70, 76, 83, 89, 96, 104, 112, 121, 131, 143, 157, 175, 199, 237, 324} // exp(0.6 z) in per cent
	typical := [...]int{Usual: 530, Small: 160, Full: 3400}[l.richness]                                          // days
	days := typical * spread[s.below(len(spread))] / 100
	if l.persona != nil {
		days = 365 * l.persona.history
	}
	return later(l.birth, midnight(l.end(l.asOf)).Add(-time.Duration(days)*day))
}

// drawProblems draws the chronic conditions. Each takes the same number of draws from the
// stream, whether the person gets it or not.
func (l *life) drawProblems(s *stream) {
	for _, d := range chronic {
		hit := s.chance(d.permille)
		onset := l.birth.AddDate(s.between(d.from, d.to), 0, 0).Add(time.Duration(s.between(3, 360)) * day)
		weights := make([]int, len(d.regimens))
		for i, r := range d.regimens {
			weights[i] = r.weight
		}
		var chosen *regimen
		if len(weights) > 0 {
			chosen = &d.regimens[s.weighted(weights)]
		}
		if l.persona != nil {
			var years int
			if years, hit = l.persona.has(d.key); hit {
				onset = midnight(l.asOf).AddDate(-years, 0, -35)
			}
		} else if d.sex == womenOnly && !l.female || d.sex == menOnly && l.female || d.smokers && l.smokes == neverSmoked {
			hit = false
		}
		b := &problem{disease: d, onset: onset, regimen: chosen}
		if d.outgrown > 0 {
			if over := l.birth.AddDate(d.outgrown, 0, 0); over.Before(l.until) {
				b.abated = over
			}
		}
		past := !b.abated.IsZero() && b.abated.Before(l.since)
		if hit && !past && onset.Before(l.until.Add(-20*day)) {
			l.problems = append(l.problems, b)
		}
	}
	l.settlePrediabetes()
}

// settlePrediabetes ends prediabetes where diabetes begins.
func (l *life) settlePrediabetes() {
	before, after := l.problem(prediabetes), l.problem(diabetes)
	if before == nil || after == nil {
		return
	}
	if before.onset.AddDate(1, 0, 0).After(after.onset) {
		l.problems = slices.DeleteFunc(l.problems, func(b *problem) bool { return b == before })
		return
	}
	before.abated = after.onset
}

// problem returns the person's problem of a kind that one has once, or nil.
func (l *life) problem(key diseaseKey) *problem {
	for _, b := range l.problems {
		if b.key == key {
			return b
		}
	}
	return nil
}

// suffers tells whether the person has a condition at t and knows it.
func (l *life) suffers(key diseaseKey, t time.Time) bool {
	b := l.problem(key)
	return b != nil && b.activeAt(t)
}

// attend walks through the visits in order and settles what was done at each.
func (l *life) attend(s *stream) {
	slices.SortFunc(l.visits, func(a, b *visit) int { return a.start.Compare(b.start) })
	slices.SortStableFunc(l.problems, func(a, b *problem) int { return cmp.Or(a.onset.Compare(b.onset), cmp.Compare(a.key, b.key)) })
	body := newBody(l, newStream(l.seed, "values", l.n))
	care := newCare(l, s, body)
	for i, v := range l.visits {
		v.id = partID(l.id, "enc", i+1)
		for _, b := range l.problems {
			if b.at == nil && !b.onset.After(v.start) && (b.found == nil || b.found == v) {
				l.record(b, v)
			}
		}
		body.examine(v)
		if body.tooHeavy(v) {
			b := &problem{disease: &obese, onset: midnight(v.start)}
			l.problems = append(l.problems, b)
			l.record(b, v)
		}
		care.give(v)
	}
	care.close()
}

// record writes a problem down at a visit.
func (l *life) record(b *problem, v *visit) {
	l.found++
	b.id = partID(l.id, "cond", l.found)
	b.at = v
	v.found = append(v.found, b)
}
