package population

import "time"

// A person is who a patient is, apart from what happens to them.
type person struct {
	n       int // from 1
	id      string
	persona *persona // nil: nobody in particular

	female  bool
	gender  string // administrative: male, female, other or unknown
	birth   time.Time
	fate    time.Time // when they die, also after the instant at which they are seen; zero: not in these years
	death   time.Time // fate, once it has come; zero: alive
	origin  *community
	tongue  language
	given   []string
	family  string
	suffix  string
	maiden  string // former family name, or ""
	renamed time.Time
	marital coding

	home      residence
	former    residence // no line: none
	moved     time.Time
	phone     string
	mobile    string
	hasSSN    bool
	smokes    smoking
	payer     *payer // nil: uninsured
	custodian string // id of the organization whose data everything about the person is
	clinic    *provider
	doctor    *practitioner

	heightZ, massZ int // hundredths of a deviation from the middle of their age and sex
}

type residence struct {
	line string
	town town
}

// smoking is a smoking status in the words of US Core.
type smoking int

const (
	neverSmoked smoking = iota
	smokedOnce
	smokesDaily
	smokesSometimes
)

var smokingCodes = [...]coding{
	neverSmoked:     snomed("266919005", "Never smoked tobacco"),
	smokedOnce:      snomed("8517006", "Ex-smoker"),
	smokesDaily:     snomed("449868002", "Smokes tobacco daily"),
	smokesSometimes: snomed("428041000124106", "Occasional tobacco smoker"),
}

// agePyramid are the shares of the ages 0 to 4, 5 to 9 and so on, the last one from 85.
var agePyramid = []int{57, 60, 64, 65, 66, 66, 69, 67, 64, 60, 63, 63, 64, 56, 45, 31, 20, 20}

// newPerson draws the n-th patient.
func newPerson(seed uint64, n int, asOf, now time.Time, w *world) *person {
	p := &person{n: n, id: patientID(n), persona: personaOf(n)}
	if isDuplicate(n) {
		n-- // whose identity it is
	}
	p.drawDates(newStream(seed, "dates", n), asOf)
	if p.persona != nil {
		p.persona.setDates(p, asOf)
	}
	p.drawIdentity(newStream(seed, "identity", n), asOf)
	p.drawHome(newStream(seed, "home", p.n), asOf)
	p.drawBody(newStream(seed, "build", n))
	if p.persona != nil {
		p.persona.dress(p, asOf)
	}
	p.drawCare(newStream(seed, "care", n), asOf, w)
	if !p.fate.After(now) {
		p.death = p.fate
	}
	return p
}

// age returns the person's age in years at t.
func (p *person) age(t time.Time) int { return yearsAt(p.birth, t) }

// end returns t, or the person's death if that comes first.
func (p *person) end(t time.Time) time.Time {
	if !p.fate.IsZero() && p.fate.Before(t) {
		return p.fate
	}
	return t
}

func (p *person) drawDates(s *stream, asOf time.Time) {
	p.female = s.chance(505)
	group := s.weighted(agePyramid)
	years := 5*group + s.below(5)
	if group == len(agePyramid)-1 {
		years += s.early(15)
	}
	p.birth = yearsBefore(asOf, years, s.between(2, 364))
	mortality := 6
	switch {
	case years >= 80:
		mortality = 330
	case years >= 65:
		mortality = 150
	case years >= 40:
		mortality = 45
	case years < 5:
		mortality = 0
	}
	died, dies := s.chance(mortality), s.chance(mortality)
	if died {
		p.fate = midnight(asOf).Add(-time.Duration(s.between(20, 365*4)) * day).Add(time.Duration(s.below(24*60)) * time.Minute)
	} else if dies {
		p.fate = midnight(asOf).Add(time.Duration(s.between(20, 365*4)) * day).Add(time.Duration(s.below(24*60)) * time.Minute)
	}
}

func (p *person) drawIdentity(s *stream, asOf time.Time) {
	p.origin = &communities[s.weighted(communityShares)]
	p.tongue = english
	for _, l := range p.origin.languages {
		if s.chance(l.permille) {
			p.tongue = l
		}
	}
	p.gender = "male"
	if p.female {
		p.gender = "female"
	}
	switch u := s.below(1000); {
	case u < 4:
		p.gender = "other"
	case u < 6:
		p.gender = "unknown"
	}
	names := p.origin.elders
	switch {
	case p.birth.Year() >= 1995:
		names = p.origin.young
	case p.birth.Year() >= 1955:
		names = p.origin.adults
	}
	list := names.given(p.female)
	p.family = names.family(s, true)
	p.given = []string{list[s.early(len(list))]}
	if s.chance(650) {
		if middle := list[s.below(len(list))]; middle != p.given[0] {
			p.given = append(p.given, middle)
		}
	}
	if !p.female && s.chance(35) {
		p.suffix = pick(s, []string{"Jr.", "Sr.", "III"})
	}
	adult := p.age(p.end(asOf)) >= 18
	p.marital = coding{System: sysMarital, Code: "S", Display: "Never Married"}
	if adult && s.chance(620) {
		p.marital = coding{System: sysMarital, Code: "M", Display: "Married"}
		wedding := p.birth.AddDate(s.between(20, 32), 0, s.below(365))
		if p.female && s.chance(550) && wedding.Before(p.end(asOf)) {
			p.maiden = names.family(s, false)
			p.renamed = midnight(wedding)
		}
	}
	if p.maiden == p.family {
		p.maiden = ""
	}
	p.hasSSN = s.chance(600)
	p.smokes = neverSmoked
	if adult {
		p.smokes = smoking(s.weighted([]int{600, 220, 120, 60}))
	}
}

func (p *person) drawHome(s *stream, asOf time.Time) {
	p.home = newResidence(s)
	if s.chance(120) && daysFrom(p.birth, p.end(asOf)) > 4*365 {
		p.former = newResidence(s)
		p.moved = midnight(p.end(asOf)).Add(-time.Duration(s.between(100, 1200)) * day)
	}
	p.phone = phone(p.home.town.area, s.below(100))
	p.mobile = phone(p.home.town.area, s.below(100))
}

func newResidence(s *stream) residence {
	line := padded(s.between(1, 999), 1) + " " + pick(s, streets)
	if s.chance(150) {
		line += " Apt " + padded(s.between(1, 40), 1)
	}
	return residence{line, pick(s, towns)}
}

func (p *person) drawBody(s *stream) {
	p.heightZ = clamp(s.around(0, 100), -220, 220)
	p.massZ = clamp(s.around(0, 100), -200, 240)
}

// drawCare settles who pays, who treats and whose data all of it is. It comes after the persona,
// because it depends on age and sex.
func (p *person) drawCare(s *stream, asOf time.Time, w *world) {
	years := p.age(p.end(asOf))
	shares := []int{480, 5, 270, 160} // of the payers
	if years >= 65 {
		shares = []int{100, 800, 50, 30}
	}
	insured, choice := s.chance(940), s.weighted(shares)
	if insured || p.n%50 == leavesOf50 || p.n%50 == joinsOf50 {
		p.payer = payers[choice]
	}
	p.clinic = &micaClinic
	if s.chance(400) {
		p.clinic = &pebble
	}
	if years < 18 {
		p.clinic = &micaKids
	}
	p.doctor = pick(s, w.staff[p.clinic])
	if p.persona != nil {
		p.payer = p.persona.payer
	}
	// Payers hold the records of their members; a fifth of the records are held by the clinic
	// instead, and so are those of the uninsured.
	p.custodian = p.clinic.id
	if p.payer != nil && p.n%5 != 0 {
		p.custodian = p.payer.id
	}
}

// isMember tells whether the person's record is held by their payer.
func (p *person) isMember() bool { return p.payer != nil && p.custodian == p.payer.id }
