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

	implant        *procedureKind // nil: none
	maiden         string         // former family name
	renamedDaysAgo int
	movedDaysAgo   int // 0: never
	narrative      int // bytes of the Patient's text; 0: none
	twin           bool
	abroad         bool
	frail          bool // the blood pressure cannot be measured at the first visit
	mistyped       bool // a value of the last visit is found to be wrong some days later
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
		history: 5, conditions: []since{{hypertension, 19}, {diabetes, 13}, {hyperlipidemia, 16}}, mistyped: true},
	// pt-000004, who died.
	{female: true, years: 83, days: 200, given: []string{"Dorothy", "Mae"}, family: "Featherstonehaugh", origin: 0, smokes: smokesDaily, payer: &dunegrass,
		diedDaysAgo: 140, history: 5, conditions: []since{{copd, 11}, {afib, 6}, {hypertension, 20}}},
	// pt-000005, of whom almost nothing is known.
	{years: 36, days: 1, family: "Niemand", origin: 0, history: 3, bare: true},
	// pt-000006, who has a pacemaker.
	{years: 68, days: 120, given: []string{"Wayne", "Ahiga"}, family: "Begay", origin: 10, payer: &dunegrass,
		history: 5, conditions: []since{{afib, 4}}, implant: &pacing},
	// pt-000007, whose name and address changed.
	{female: true, years: 43, days: 15, given: []string{"Zoë", "Marie"}, family: "O'Brien-Núñez", maiden: "Wolański", renamedDaysAgo: 400, origin: 0, payer: &tern,
		movedDaysAgo: 380, history: 4, conditions: []since{{depression, 6}}},
	// pt-000008, whose Patient has a narrative of 60 KB.
	{years: 52, days: 200, given: []string{"Benedict"}, family: "Longwind", origin: 0, payer: &sandpiper,
		history: 3, conditions: []since{{hypertension, 5}}, narrative: 60 << 10},
	// pt-000009, a newborn twin, whose mother is a RelatedPerson.
	{days: 19, given: []string{"Theo"}, family: "Twomey", origin: 0, payer: &saltmarsh, history: 1, twin: true},
	// pt-000010, with a very long history.
	{female: true, years: 71, days: 300, given: []string{"Lakshmi", "Meera"}, family: "Venkataraghavan", origin: 6, payer: &dunegrass,
		history: 15, conditions: []since{{hypertension, 28}, {diabetes, 22}, {hyperlipidemia, 26}, {hypothyroidism, 18}, {arthritis, 12}}},
	// pt-000011, 104 years old.
	{female: true, years: 104, days: 33, given: []string{"Ottilie"}, family: "Methuen", origin: 0, payer: &dunegrass,
		history: 4, conditions: []since{{hypertension, 35}, {osteoporosis, 24}}, frail: true},
	// pt-000012, who lives abroad and writes their name in another script, too.
	{years: 39, days: 71, given: []string{"Haruto"}, family: "Sunahara", origin: 8, payer: &sandpiper,
		history: 2, abroad: true},
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
	p.fate = time.Time{}
	if c.diedDaysAgo > 0 {
		p.fate = midnight(asOf).Add(-time.Duration(c.diedDaysAgo)*day + 4*time.Hour + 25*time.Minute)
	}
}

// dress replaces what was drawn of a person's name and habits.
func (c *persona) dress(p *person, asOf time.Time) {
	p.given, p.family, p.suffix, p.maiden, p.renamed = c.given, c.family, "", "", time.Time{}
	p.origin, p.tongue = &communities[c.origin], english
	p.smokes = c.smokes
	p.gender = "male"
	if c.female {
		p.gender = "female"
	}
	p.heightZ, p.massZ = p.heightZ/2, p.massZ/2
	p.former, p.moved = residence{}, time.Time{}
	switch {
	case c.bare:
		p.hasSSN = false
	case c.abroad:
		p.home, p.hasSSN, p.tongue = residence{"3-17 Sunahama", sunahama}, false, language{code: "ja", display: "Japanese"}
	case c.movedDaysAgo > 0:
		p.former, p.moved = residence{"12 Old Quarry Road", duneValley}, midnight(asOf).Add(-time.Duration(c.movedDaysAgo)*day)
	}
	if c.maiden != "" {
		p.maiden, p.renamed = c.maiden, midnight(asOf).Add(-time.Duration(c.renamedDaysAgo)*day)
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
