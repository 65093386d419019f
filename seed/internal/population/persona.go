package population

import "time"

// A persona is a patient whose facts are the same in every population, so that documents and
// tests can name them. Ages count back from the population's AsOf.
type persona struct {
	female      bool
	years, days int // of age
	given       []string
	family      string
	origin      int // index of communities
	smokes      smoking
	payer       *payer

	diedDaysAgo  int // 0: alive
	pregnantDays int // since conception; 0: not pregnant
	history      int // years of visits
	conditions   []since
	bare         bool // nothing is known but a name
}

// since is a chronic condition and the years for which the persona has had it.
type since struct {
	key   diseaseKey
	years int
}

var personas = []persona{
	// pt-000001, an infant: growth and percentiles, the first vaccines.
	{female: true, days: 250, given: []string{"Hazel", "Inés"}, family: "Sandoval", origin: 1, payer: &saltmarsh, history: 1},
	// pt-000002, a pregnant woman in her third trimester.
	{female: true, years: 31, days: 80, given: []string{"Marisol", "Renée"}, family: "Okafor", origin: 3, payer: &sandpiper,
		pregnantDays: 214, history: 6, conditions: []since{{asthma, 14}}},
	// pt-000003, an elderly man with diabetes and hypertension.
	{years: 74, days: 40, given: []string{"Walter", "Eugene"}, family: "Lindqvist", origin: 0, smokes: smokedOnce, payer: &dunegrass,
		history: 12, conditions: []since{{hypertension, 19}, {diabetes, 13}, {hyperlipidemia, 16}}},
	// pt-000004, who died.
	{female: true, years: 83, days: 200, given: []string{"Dorothy", "Mae"}, family: "Featherstonehaugh", origin: 0, smokes: smokesDaily, payer: &dunegrass,
		diedDaysAgo: 140, history: 9, conditions: []since{{copd, 11}, {afib, 6}, {hypertension, 20}}},
	// pt-000005, of whom almost nothing is known.
	{years: 36, days: 1, family: "Niemand", origin: 0, history: 3, bare: true},
}

// personaOf returns the persona of the n-th patient, or nil.
func personaOf(n int) *persona {
	if n <= len(personas) {
		return &personas[n-1]
	}
	return nil
}

// setDates replaces what was drawn of a person's birth and death.
func (c *persona) setDates(p *person, asOf time.Time) {
	p.female = c.female
	p.birth = yearsBefore(asOf, c.years, c.days)
	p.death = time.Time{}
	if c.diedDaysAgo > 0 {
		p.death = midnight(asOf).Add(-time.Duration(c.diedDaysAgo)*day + 4*time.Hour + 25*time.Minute)
	}
}

// dress replaces what was drawn of a person's name and habits.
func (c *persona) dress(p *person) {
	p.given, p.family, p.suffix, p.maiden, p.renamed = c.given, c.family, "", "", time.Time{}
	p.origin, p.tongue = &communities[c.origin], english
	p.smokes = c.smokes
	p.gender = "male"
	if c.female {
		p.gender = "female"
	}
	if p.heightZ, p.massZ = p.heightZ/2, p.massZ/2; c.bare {
		p.former, p.hasSSN = residence{}, false
	}
}

// has returns the years for which the persona has had a condition.
func (c *persona) has(key diseaseKey) (years int, ok bool) {
	for _, s := range c.conditions {
		if s.key == key {
			return s.years, true
		}
	}
	return 0, false
}
