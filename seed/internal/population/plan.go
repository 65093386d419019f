package population

import "time"

// planVisits settles when the person sees whom and why, the weightiest reasons first: a visit
// that falls too close to one that is planned already is left out or moved.
func (l *life) planVisits(s *stream) {
	l.planLastStay(s)
	l.planPregnancy(s)
	l.planImplants(s)
	l.planDiagnoses(s)
	l.planEpisodes(s)
	l.planAppointments(s)
	l.planWellChild(s)
	l.planWellAdult(s)
	l.planFollowUps(s)
}

// plan adds a visit about t and returns it, or nil if there is no room for it.
func (l *life) plan(s *stream, kind *visitKind, t time.Time, b *problem) *visit {
	start := officeHour(s, t)
	length := time.Duration(s.between(kind.shortest, kind.length)) * time.Minute
	switch kind.class {
	case emergency:
		start = midnight(t).Add(time.Duration(s.below(24*60)) * time.Minute)
	case inpatient:
		start = midnight(t).Add(time.Duration(s.below(24*60)) * time.Minute)
		length = time.Duration(max(b.stay, 2))*day + time.Duration(s.between(-300, 300))*time.Minute
	}
	v := &visit{kind: kind, start: start, end: start.Add(length), problem: b}
	if start.Before(l.since) || v.end.After(l.until) || !l.free(v) {
		return nil
	}
	l.staff(s, v)
	l.visits = append(l.visits, v)
	return v
}

// officeHour returns a time of the day of t, or of the next Monday, at which offices of the
// United States are open.
func officeHour(s *stream, t time.Time) time.Time {
	t = midnight(t)
	switch t.Weekday() {
	case time.Saturday:
		t = t.Add(2 * day)
	case time.Sunday:
		t = t.Add(day)
	}
	return t.Add(14*time.Hour + time.Duration(s.below(7*12))*5*time.Minute)
}

// free tells whether no other visit is within two days of v.
func (l *life) free(v *visit) bool {
	for _, other := range l.visits {
		if v.start.Before(other.end.Add(2*day)) && other.start.Before(v.end.Add(2*day)) {
			return false
		}
	}
	return true
}

// staff settles where a visit takes place and who attends.
func (l *life) staff(s *stream, v *visit) {
	switch {
	case v.problem != nil && v.problem.key == pregnancy:
		v.site = &lighthouse
		if v.kind.class == inpatient {
			v.site = &micaHospital
		}
		v.doctor = l.world.staff[&lighthouse][l.n%len(l.world.staff[&lighthouse])]
	case v.kind.class == emergency || v.kind.class == inpatient || v.kind == &examVisit:
		v.site = &micaHospital
		v.doctor = pick(s, l.world.staff[&micaHospital])
	default:
		v.site, v.doctor = l.clinic, l.doctor
		if s.chance(120) {
			v.doctor = pick(s, l.world.staff[l.clinic])
		}
	}
}

// planLastStay plans the hospital stay or emergency that a death ends.
func (l *life) planLastStay(s *stream) {
	hours, inHospital := s.between(30, 130), s.chance(550)
	if l.fate.IsZero() {
		return
	}
	v := &visit{kind: &emergencyVisit, start: l.fate.Add(-time.Duration(s.between(40, 200)) * time.Minute), end: l.fate, last: true}
	if inHospital || l.persona != nil {
		v.kind, v.start = &inpatientStay, l.fate.Add(-time.Duration(hours)*time.Hour)
	}
	for _, b := range l.problems {
		if b.abated.IsZero() && (v.problem == nil || b.key == copd || b.key == coronary) {
			v.problem = b
		}
	}
	if v.start.Before(l.since) {
		return
	}
	l.staff(s, v)
	l.visits = append(l.visits, v)
}

// planPregnancy plans the visits of at most one pregnancy of the known history.
func (l *life) planPregnancy(s *stream) {
	hit := s.chance(330)
	span := max(daysFrom(l.since, l.until), 1)
	conceived := l.since.Add(time.Duration(s.below(span)) * day)
	years := l.age(conceived)
	hit = hit && l.female && years >= expecting.from && years <= expecting.to && l.persona == nil
	if l.persona != nil && l.persona.pregnantDays > 0 {
		hit, conceived = true, midnight(l.asOf).Add(-time.Duration(l.persona.pregnantDays)*day)
	}
	if !hit {
		return
	}
	b := &problem{disease: &expecting, onset: conceived, regimen: &expectingRegimen}
	first := l.plan(s, &prenatalFirst, conceived.Add(time.Duration(s.between(44, 62))*day), b)
	if first == nil {
		return
	}
	b.found = first
	l.problems = append(l.problems, b)
	for week := 16; week <= 36; week += 5 {
		l.plan(s, &prenatalVisit, conceived.Add(time.Duration(7*week+s.between(-4, 4))*day), b)
	}
	if stay := l.plan(s, &deliveryStay, conceived.Add(time.Duration(266+s.between(-12, 9))*day), b); stay != nil {
		b.abated = stay.end
		l.plan(s, &postnatalVisit, stay.end.Add(time.Duration(s.between(38, 50))*day), b)
	} else if due := conceived.Add(280 * day); due.Before(l.until) {
		b.abated = due // in a hospital that this record does not know
	}
}

// implants are what conditions may come to.
var implants = []struct {
	key      diseaseKey
	exam     *procedureKind
	permille int
}{{afib, &pacing, 250}, {arthritis, &newKnee, 150}}

// planImplants plans the stays in hospital at which something is put into the body.
func (l *life) planImplants(s *stream) {
	for _, k := range implants {
		hit, after := s.chance(k.permille), s.between(400, 1100)
		b := l.problem(k.key)
		if l.persona != nil {
			hit = l.persona.implant == k.exam
		}
		if !hit || b == nil {
			continue
		}
		if v := l.plan(s, &inpatientStay, b.onset.Add(time.Duration(after)*day), b); v != nil {
			v.exam = k.exam
		}
	}
}

// planDiagnoses plans the visit at which a chronic condition of the known history is found.
func (l *life) planDiagnoses(s *stream) {
	for _, b := range l.problems {
		delay := s.between(3, 45)
		if b.key == pregnancy || b.onset.Before(l.since) {
			continue
		}
		b.found = l.plan(s, &problemVisit, b.onset.Add(time.Duration(delay)*day), b)
	}
}

// planEpisodes plans the acute conditions.
func (l *life) planEpisodes(s *stream) {
	const interval = 240 * day
	for t := l.since; t.Before(l.until); t = t.Add(interval) {
		hit := s.chance(750)
		if l.age(t) < 7 {
			hit = hit || s.chance(500)
		}
		d, when := l.drawEpisode(s, t), t.Add(time.Duration(s.below(int(interval/day)))*day)
		if !hit || d == nil {
			continue
		}
		length := time.Duration(s.between(d.shortest, d.longest)) * day
		onset := midnight(when).Add(-time.Duration(s.between(1, 3)) * day)
		if d.visit.class != ambulatory {
			onset = midnight(when)
		}
		if onset.Before(l.birth) {
			continue
		}
		b := &problem{disease: d, onset: onset}
		if len(d.regimens) > 0 {
			b.regimen = &d.regimens[s.below(len(d.regimens))]
		}
		v := l.plan(s, d.visit, when, b)
		if v == nil {
			continue
		}
		b.found = v
		if over := later(midnight(onset.Add(length)), midnight(v.end).Add(day)); over.Before(l.until) {
			b.abated = over
		}
		l.problems = append(l.problems, b)
	}
}

// drawEpisode draws one of the acute conditions that the person can have at t, or nil.
func (l *life) drawEpisode(s *stream, t time.Time) *disease {
	weights, any := make([]int, len(episodes)), false
	for i, d := range episodes {
		years := l.age(t)
		if years >= d.from && years <= d.to && (d.sex == anySex || l.female == (d.sex == womenOnly)) {
			weights[i], any = d.permille, true
		}
	}
	if !any {
		return nil
	}
	return episodes[s.weighted(weights)]
}

// planAppointments plans the screenings that have a visit of their own.
func (l *life) planAppointments(s *stream) {
	for _, a := range appointments {
		for t := l.since.Add(time.Duration(s.below(a.months*30)) * day); t.Before(l.until); {
			if kept := s.chance(a.permille); kept && a.fits(l.female, l.age(t)) {
				if v := l.plan(s, &examVisit, t, nil); v != nil {
					v.exam = a.exam
				}
			}
			t = t.Add(time.Duration(a.months*30+s.between(-30, 60)) * day)
		}
	}
}

// planWellChild plans the visits of the schedule from birth to the age of 17.
func (l *life) planWellChild(s *stream) {
	for _, days := range [...]int{5, 33, 64, 125, 187, 278, 369, 461, 552, 735} {
		l.plan(s, &wellChild, l.birth.Add(time.Duration(days+s.between(0, 6))*day), nil)
	}
	for years := 3; years < 18; years++ {
		keep, late := s.chance(780), s.between(2, 60)
		if keep {
			l.plan(s, &wellChild, l.birth.AddDate(years, 0, late), nil)
		}
	}
}

// planWellAdult plans check-ups from the age of 18 on, the more often the older.
func (l *life) planWellAdult(s *stream) {
	kind := &firstVisit
	for t := later(l.since, l.birth.AddDate(18, 2, 0)).Add(time.Duration(s.between(5, 300)) * day); t.Before(l.until); {
		if v := l.plan(s, kind, t, nil); v != nil {
			if s.chance(60) {
				l.plan(s, &phoneVisit, t.Add(time.Duration(s.between(40, 120))*day), nil)
			}
			kind = &wellAdult
		}
		months := 24
		switch years := l.age(t); {
		case years >= 65:
			months = 12
		case years >= 40:
			months = 17
		}
		t = t.Add(time.Duration(months*30+s.between(-40, 60)) * day)
	}
}

// planFollowUps plans the visits that chronic conditions ask for, one visit for all of them.
func (l *life) planFollowUps(s *stream) {
	for t := l.since.Add(time.Duration(s.between(60, 200)) * day); t.Before(l.until); {
		months := 0
		var reason *problem
		for _, b := range l.problems {
			known := b.onset.Add(90*day).Before(t) && (b.abated.IsZero() || b.abated.After(t.Add(30*day)))
			if known && b.followUp > 0 && (months == 0 || b.followUp < months) {
				months, reason = b.followUp, b
			}
		}
		if reason == nil {
			t = t.Add(90 * day)
			continue
		}
		l.plan(s, &followUpVisit, t, reason)
		t = t.Add(time.Duration(months*30+s.between(-20, 35)) * day)
	}
}

// expectingRegimen is what pregnant women take.
var expectingRegimen = lifelong(1, prenatal)
