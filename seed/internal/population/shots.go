package population

import "time"

// seriesOf returns what the person has been given of a vaccine.
func (c *care) seriesOf(v *vaccine) *series {
	s := c.given[v]
	if s == nil {
		s = &series{}
		c.given[v] = s
	}
	return s
}

// recall takes down, at the first visit, what a child has been given before.
func (c *care) recall(v *visit) {
	if c.age(v.start) >= 18 {
		return
	}
	months := monthsAt(c.birth, v.start)
	for _, d := range childhood {
		at := c.birth.Add(time.Duration(d.month*3044/100+c.choices.between(1, 14)) * day)
		if d.month+d.within >= months || !d.vaccine.usable(at) || !at.Before(midnight(v.start)) {
			continue
		}
		s := c.seriesOf(d.vaccine)
		v.shots = append(v.shots, &shot{vaccine: d.vaccine, at: at, number: s.doses + 1, reported: true})
		s.doses, s.last = s.doses+1, at
	}
}

// vaccinate gives the doses that are due at a visit.
func (c *care) vaccinate(v *visit) {
	months, years := monthsAt(c.birth, v.start), c.age(v.start)
	for _, d := range childhood {
		s := c.seriesOf(d.vaccine)
		late := months - d.month
		if late < 0 || late >= d.within || s.doses >= d.number || !d.vaccine.usable(v.start) || v.start.Sub(s.last) < 25*day {
			continue
		}
		c.offer(v, d.vaccine, s, s.doses+1)
	}
	for _, b := range boosters {
		s := c.seriesOf(b.vaccine)
		once := b.every == 0 && s.doses > 0
		if years < b.from || years > b.to || once || !b.vaccine.usable(v.start) || !c.due(s.last, v.start, b.every) {
			continue
		}
		if b.vaccine == influenza && v.start.Month() > time.February && v.start.Month() < time.September {
			continue
		}
		if c.choices.chance(b.permille) {
			c.offer(v, b.vaccine, s, 0)
		}
	}
}

// offer gives a dose, or takes down that it was refused.
func (c *care) offer(v *visit, vac *vaccine, s *series, number int) {
	refused := c.choices.chance(22)
	v.shots = append(v.shots, &shot{vaccine: vac, at: v.start.Add(time.Duration(c.choices.between(10, 15)) * time.Minute), number: number, refused: refused})
	s.last = v.start
	if !refused {
		s.doses++
	}
}
