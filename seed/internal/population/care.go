package population

import "time"

// care settles what is done at the visits of a life: what is prescribed, tested, given.
type care struct {
	*life
	choices *stream
	body    *body

	tested   map[*panel]time.Time // looked up only, never ranged over
	examined map[*procedureKind]time.Time
	given    map[*vaccine]*series
	begun    bool // the first visit has been
}

// A prescription is an order for a medication.
type prescription struct {
	id      string
	drug    *medication
	problem *problem
	visit   *visit
	status  string        // active, completed or stopped
	ended   time.Time     // of a status other than active
	prior   *prescription // that it renews; nil: none
	fills   [2]fill       // the first and perhaps a refill
}

// A series is what a person has been given of a vaccine.
type series struct {
	doses int
	last  time.Time
}

// A shot is a dose of a vaccine that was given or refused.
type shot struct {
	vaccine  *vaccine
	at       time.Time
	number   int // of the series; 0: a booster
	refused  bool
	reported bool // given elsewhere, before the history begins
}

func newCare(l *life, choices *stream, b *body) *care {
	return &care{life: l, choices: choices, body: b, tested: make(map[*panel]time.Time),
		examined: make(map[*procedureKind]time.Time), given: make(map[*vaccine]*series)}
}

// give does at a visit what is due.
func (c *care) give(v *visit) {
	c.treatEpisode(v)
	if v.kind.prescribes {
		c.prescribe(v)
	}
	if v.kind.prescribes && v.kind.class == ambulatory {
		c.testChronic(v)
	}
	if v.exam != nil {
		c.examine(v, v.exam)
	}
	if !c.begun {
		c.begun = true
		c.recall(v)
	}
	if v.kind.prevents {
		c.screen(v)
		c.vaccinate(v)
	}
	c.attendPregnancy(v)
	if v.last {
		c.test(v, &basicMetabolic)
	}
}

// treatEpisode treats the acute condition that a visit is for.
func (c *care) treatEpisode(v *visit) {
	b := v.problem
	if b == nil || b.key != acute || b.at != v {
		return
	}
	if b.operation != nil {
		c.examine(v, b.operation)
	}
	for _, n := range b.panels {
		c.test(v, n.panel)
	}
	if b.regimen == nil {
		return
	}
	for _, s := range b.regimen.steps {
		p := c.order(v, b, s.drug)
		if over := midnight(v.start).Add(time.Duration(s.drug.supply) * day); over.Before(c.end(c.now)) {
			p.status, p.ended = "completed", over
		}
	}
}

// order writes a prescription.
func (c *care) order(v *visit, b *problem, drug *medication) *prescription {
	p := &prescription{id: partID(c.id, "med", len(c.prescriptions)+1), drug: drug, problem: b, visit: v, status: "active"}
	c.prescriptions = append(c.prescriptions, p)
	v.prescriptions = append(v.prescriptions, p)
	return p
}

// open returns the prescription of a drug that is in force, or nil.
func (c *care) open(b *problem, drug *medication) *prescription {
	for i := len(c.prescriptions) - 1; i >= 0; i-- {
		if p := c.prescriptions[i]; p.problem == b && p.drug == drug && p.status == "active" {
			return p
		}
	}
	return nil
}

// prescribe begins, renews and ends what is taken for lasting conditions.
func (c *care) prescribe(v *visit) {
	for _, b := range c.problems {
		if b.key == acute || b.regimen == nil || b.at == nil {
			continue
		}
		active := b.activeAt(v.start)
		years := yearsAt(b.onset, v.start)
		for _, s := range b.regimen.steps {
			wanted := active && years >= s.from && (s.until == 0 || years < s.until)
			p := c.open(b, s.drug)
			switch {
			case wanted && p == nil:
				c.order(v, b, s.drug)
			case wanted && v.start.Sub(p.visit.start) > 340*day:
				p.status, p.ended = "completed", v.start
				c.order(v, b, s.drug).prior = p
			case !wanted && p != nil && active:
				p.status, p.ended = "stopped", v.start
			}
		}
	}
}

// close ends the prescriptions that no visit ended.
func (c *care) close() {
	for _, p := range c.prescriptions {
		if p.status != "active" {
			continue
		}
		lasts := p.visit.start.Add(time.Duration(p.drug.supply*(p.drug.refills+1)+90) * day)
		switch {
		case !p.problem.abated.IsZero():
			p.status, p.ended = "completed", later(p.problem.abated, p.visit.end)
		case !c.death.IsZero():
			p.status, p.ended = "stopped", c.death
		case lasts.Before(c.now):
			p.status, p.ended = "completed", lasts
		}
	}
	c.settleFills()
}

// test does a panel, unless the same visit has done it.
func (c *care) test(v *visit, p *panel) {
	if c.tested[p].Equal(v.start) {
		return
	}
	c.tested[p] = v.start
	v.results = append(v.results, c.body.test(v, p))
}

// routine are the panels that people of an age have without being ill.
var routine = []struct {
	panel            *panel
	from, to, months int
}{
	{&lipid, 38, 80, 46}, {&basicMetabolic, 45, 120, 34}, {&glycated, 45, 80, 36}, {&bloodCount, 25, 120, 70},
}

// testChronic does the panels that are due.
func (c *care) testChronic(v *visit) {
	for _, b := range c.problems {
		if b.key == acute || !b.activeAt(v.start) {
			continue
		}
		for _, n := range b.panels {
			if c.due(c.tested[n.panel], v.start, n.every) {
				c.test(v, n.panel)
			}
		}
		for _, e := range b.exams {
			if c.due(c.examined[e.exam], v.start, e.every) && c.choices.chance(600) {
				c.examine(v, e.exam)
			}
		}
	}
	years := c.age(v.start)
	for _, r := range routine {
		if v.kind.prevents && years >= r.from && years <= r.to && c.due(c.tested[r.panel], v.start, r.months) && c.choices.chance(500) {
			c.test(v, r.panel)
		}
	}
}

// due tells whether so many months have passed since the last time, if there was one.
func (c *care) due(last, now time.Time, months int) bool {
	return last.IsZero() || daysFrom(last, now) >= months*30-20
}

// examine does a procedure. The visit lasts as long as that takes.
func (c *care) examine(v *visit, k *procedureKind) {
	c.examined[k] = v.start
	v.exams = append(v.exams, k)
	v.end = later(v.end, v.start.Add(procedureDelay+time.Duration(k.minutes+5)*time.Minute))
}

// procedureDelay is how long after the beginning of a visit a procedure begins.
const procedureDelay = 15 * time.Minute

// screen does the procedures that age asks for.
func (c *care) screen(v *visit) {
	for _, s := range screenings {
		if s.fits(c.female, c.age(v.start)) && c.due(c.examined[s.exam], v.start, s.months) && c.choices.chance(s.permille) {
			c.examine(v, s.exam)
		}
	}
}

// attendPregnancy does what the visits of a pregnancy are for.
func (c *care) attendPregnancy(v *visit) {
	switch v.kind {
	case &prenatalFirst:
		c.examine(v, &ultrasound)
		c.test(v, &bloodCount)
	case &prenatalVisit:
		if week := daysFrom(v.problem.onset, v.start) / 7; week >= 25 && week < 29 {
			c.test(v, &bloodCount)
		} else if week >= 19 && week < 23 {
			c.examine(v, &ultrasound)
		}
	case &deliveryStay:
		c.examine(v, &childbirth)
	}
}
