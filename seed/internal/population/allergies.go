package population

import "time"

// An allergen is a substance that people are allergic to.
type allergen struct {
	code     coding
	category string // food, medication, environment or biologic; none: there is no allergy
	severe   bool
	reaction []coding
}

var (
	wheal       = snomed("247472004", "Wheal")
	rash        = snomed("21626009", "Cutaneous hypersensitivity")
	runningNose = snomed("267101005", "Nasal discharge")
	anaphylaxis = snomed("39579001", "Anaphylaxis")
	urticaria   = snomed("126485001", "Urticaria")
	nausea      = snomed("422587007", "Nausea")

	noAllergy = allergen{code: snomed("716186003", "No known allergy")}
)

var allergens = []allergen{
	{snomed("762952008", "Peanut"), "food", true, []coding{anaphylaxis, wheal}},
	{snomed("102263004", "Eggs (edible)"), "food", false, []coding{urticaria}},
	{snomed("442571000124108", "Tree nut"), "food", true, []coding{anaphylaxis}},
	{snomed("260147004", "House dust mite"), "environment", false, []coding{runningNose}},
	{snomed("264287008", "Animal dander"), "environment", false, []coding{runningNose, wheal}},
	{snomed("84489001", "Mold"), "environment", false, []coding{runningNose}},
	{snomed("782576004", "Tree pollen"), "environment", false, []coding{runningNose}},
	{snomed("111088007", "Latex"), "environment", false, []coding{rash}},
	{snomed("288328004", "Bee venom"), "environment", true, []coding{anaphylaxis, urticaria}},
	{coding{System: sysRxNorm, Code: "7980", Display: "penicillin G"}, "medication", false, []coding{rash}},
	{coding{System: sysRxNorm, Code: "10831", Display: "sulfamethoxazole / trimethoprim"}, "medication", false, []coding{rash, nausea}},
	{coding{System: sysRxNorm, Code: "1191", Display: "aspirin"}, "medication", true, []coding{urticaria}},
}

// An allergy is one that a person has, or the statement that there is none.
type allergy struct {
	*allergen
	onset time.Time // zero: not known
}

func (l *life) drawAllergies(s *stream) {
	count := 0
	switch u := s.below(1000); {
	case u < 60:
		count = 2
	case u < 260:
		count = 1
	case u < 700:
		l.allergies = []*allergy{{allergen: &noAllergy}}
	}
	first := s.below(len(allergens))
	days := max(daysFrom(l.birth, l.since), 400)
	for i := range count {
		a := &allergens[(first+i*5)%len(allergens)]
		onset := l.birth.Add(time.Duration(s.between(300, days)) * day)
		if onset.Before(l.until) {
			l.allergies = append(l.allergies, &allergy{allergen: a, onset: onset})
		}
	}
}
