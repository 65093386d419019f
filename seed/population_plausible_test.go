package seed_test

import (
	"slices"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/seed"
)

// A bound says of whom and when a code is plausible. A zero value bounds nothing.
type bound struct {
	women        bool
	from, before int // days of age
	months       []time.Month
	since        time.Time
}

const year = 365

var bounds = map[string]bound{
	"72892002":  {women: true, from: 17 * year, before: 45 * year},      // normal pregnancy
	"66348005":  {women: true, from: 17 * year, before: 45 * year},      // childbirth
	"82810-3":   {women: true, from: 17 * year, before: 45 * year},      // pregnancy status
	"64859006":  {women: true, from: 59 * year},                         // osteoporosis
	"301011002": {women: true},                                          // urinary tract infection
	"71651007":  {women: true, from: 40 * year},                         // mammography
	"73761001":  {from: 40 * year},                                      // colonoscopy
	"44054006":  {from: 39 * year},                                      // type 2 diabetes
	"65363002":  {before: 8 * year},                                     // otitis media
	"72166-2":   {from: 18 * year},                                      // tobacco smoking status
	"9843-4":    {before: 3*year + 1},                                   // head circumference
	"20":        {from: 58, before: 8 * year},                           // DTaP
	"03":        {from: 360},                                            // MMR
	"119":       {from: 58, before: 250},                                // rotavirus
	"62":        {from: 9 * year},                                       // HPV
	"187":       {from: 49 * year},                                      // zoster
	"33":        {from: 64 * year},                                      // PPSV23
	"208":       {since: time.Date(2020, 12, 11, 0, 0, 0, 0, time.UTC)}, // COVID-19
	"140":       {months: []time.Month{9, 10, 11, 12, 1, 2}},            // influenza, in its season
}

// TestPlausible checks that people get what is theirs by sex, age and time of the year.
func TestPlausible(t *testing.T) {
	t.Parallel()
	all, index := decode(t, seed.Population{Seed: 14, Patients: 250})
	seen := make(map[string]int)
	for _, r := range all {
		patient, ok := index["Patient/"+r.patient()]
		if !ok {
			continue
		}
		code := text(r.body, "code", "coding", 0, "code")
		if r.Type == "Immunization" {
			code = text(r.body, "vaccineCode", "coding", 0, "code")
		}
		b, ok := bounds[code]
		if !ok {
			continue
		}
		seen[code]++
		var when time.Time
		for _, name := range []string{"onsetDateTime", "effectiveDateTime", "performedDateTime", "occurrenceDateTime", "authoredOn"} {
			if s, ok := moment(text(r.body, name)); ok {
				when = s
			}
		}
		if start, ok := moment(text(r.body, "performedPeriod", "start")); ok {
			when = start
		}
		birth, _ := moment(text(patient.body, "birthDate"))
		days := int(when.Sub(birth) / (24 * time.Hour))
		if days < b.from || b.before > 0 && days >= b.before {
			t.Errorf("%s: %s at the age of %d days, want %d to %d", r.key(), code, days, b.from, b.before)
		}
		if b.women && !female(patient) {
			t.Errorf("%s: %s of a man", r.key(), code)
		}
		if b.months != nil && !slices.Contains(b.months, when.Month()) || when.Before(b.since) {
			t.Errorf("%s: %s on %v, out of season", r.key(), code, when)
		}
	}
	for code := range bounds {
		if seen[code] == 0 {
			t.Errorf("nobody has %s", code)
		}
	}
}

// female tells the sex at birth.
func female(patient record) bool {
	for _, e := range list(at(patient.body, "extension")) {
		if text(e, "valueCode") == "F" {
			return true
		}
	}
	return false
}

// TestLives checks that there are all kinds of people.
func TestLives(t *testing.T) {
	t.Parallel()
	all, _ := decode(t, seed.Population{Seed: 15, Patients: 200})
	resources := make(map[string]int)
	dead, renamed, moved, minors := 0, 0, 0, 0
	for _, r := range all {
		resources[r.patient()]++
		if r.Type != "Patient" {
			continue
		}
		if _, ok := r.body["deceasedDateTime"]; ok {
			dead++
		}
		if len(list(at(r.body, "name"))) > 1 {
			renamed++
		}
		if len(list(at(r.body, "address"))) > 1 {
			moved++
		}
		if birth, _ := moment(text(r.body, "birthDate")); newYear.Sub(birth) < 18*year*24*time.Hour {
			minors++
		}
	}
	if dead < 4 || dead > 30 || renamed < 5 || moved < 8 || minors < 25 || minors > 80 {
		t.Errorf("of 200: got %d dead, %d renamed, %d moved, %d minors", dead, renamed, moved, minors)
	}
	delete(resources, "")
	var sizes []int
	for _, n := range resources {
		sizes = append(sizes, n)
	}
	slices.Sort(sizes)
	median, ninth, most := sizes[len(sizes)/2], sizes[len(sizes)*9/10], sizes[len(sizes)-1]
	if ninth*10 < median*16 || most < median*3 {
		t.Errorf("got a median of %d resources, a ninth tenth of %d and at most %d; want a long tail", median, ninth, most)
	}
}

// TestFamilyNames checks that a search by family name finds few of many patients.
func TestFamilyNames(t *testing.T) {
	t.Parallel()
	all, _ := decode(t, seed.Population{Seed: 14, Patients: 250})
	names := make(map[string]int)
	for _, r := range all {
		if r.Type == "Patient" {
			names[text(r.body, "name", 0, "family")]++
		}
	}
	if len(names) < 120 {
		t.Errorf("250 patients have %d family names, want 120 or more", len(names))
	}
	for name, n := range names {
		if n > 12 {
			t.Errorf("%d of 250 patients are called %s, want at most 12", n, name)
		}
	}
}
