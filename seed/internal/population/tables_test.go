package population

import "testing"

// TestDiseases checks the tables of conditions for what the plan of a life takes for granted.
func TestDiseases(t *testing.T) {
	t.Parallel()
	products := make(map[int]string)
	regimens := func(d *disease) {
		for _, r := range d.regimens {
			if r.weight <= 0 || len(r.steps) == 0 {
				t.Errorf("%s: a regimen without weight or steps", d.snomed.Display)
			}
			for _, s := range r.steps {
				if s.until != 0 && s.until <= s.from || s.drug.supply <= 0 || s.drug.quantity <= 0 || s.drug.cents <= 0 {
					t.Errorf("%s: %s is prescribed for no time, no supply or no price", d.snomed.Display, s.drug.text)
				}
				if other, ok := products[s.drug.product]; ok && other != s.drug.text {
					t.Errorf("%s and %s have the same product number", other, s.drug.text)
				}
				products[s.drug.product] = s.drug.text
			}
		}
	}
	keys := make(map[diseaseKey]bool)
	for _, d := range chronic {
		if d.key == acute || keys[d.key] || d.from > d.to || d.permille <= 0 || d.permille > 1000 {
			t.Errorf("%s: got key %d, ages %d to %d, %d permille", d.snomed.Display, d.key, d.from, d.to, d.permille)
		}
		if d.outgrown > 0 && d.outgrown <= d.to {
			t.Errorf("%s: is outgrown at %d, but begins until %d", d.snomed.Display, d.outgrown, d.to)
		}
		keys[d.key] = true
		regimens(d)
	}
	for _, d := range episodes {
		if d.key != acute || d.visit == nil || d.shortest <= 0 || d.shortest > d.longest || d.permille <= 0 || d.from > d.to {
			t.Errorf("%s: got key %d, %d to %d days, weight %d, ages %d to %d", d.snomed.Display, d.key, d.shortest, d.longest, d.permille, d.from, d.to)
		}
		if d.visit.class == inpatient && d.stay == 0 {
			t.Errorf("%s: a stay of no days", d.snomed.Display)
		}
		regimens(d)
	}
}

func TestAssays(t *testing.T) {
	t.Parallel()
	for a := range analytes {
		row := &assays[a]
		if row.code.Code == "" {
			t.Errorf("analyte %d has no code", a)
			continue
		}
		if row.high > 0 && (row.low >= row.high || row.ucum == "") || row.highMen > 0 && row.lowMen >= row.highMen {
			t.Errorf("%s: got the range %d to %d (men %d to %d) of %q", row.code.Display, row.low, row.high, row.lowMen, row.highMen, row.ucum)
		}
		if row.mean > 0 && (row.mean < row.low || row.mean > row.high) {
			t.Errorf("%s: the mean %d is not in the range %d to %d", row.code.Display, row.mean, row.low, row.high)
		}
	}
}

func TestSchedule(t *testing.T) {
	t.Parallel()
	doses, months := make(map[*vaccine]int), make(map[*vaccine]int)
	for _, d := range childhood {
		if d.number != doses[d.vaccine]+1 || d.month < months[d.vaccine] || d.within <= 0 {
			t.Errorf("%s: dose %d at %d months, after dose %d at %d", d.vaccine.text, d.number, d.month, doses[d.vaccine], months[d.vaccine])
		}
		doses[d.vaccine], months[d.vaccine] = d.number, d.month
	}
}

func TestWorld(t *testing.T) {
	t.Parallel()
	w := newWorld(1)
	for _, p := range []*provider{&micaHospital, &micaClinic, &micaKids, &pebble, &lighthouse} {
		if len(w.staff[p]) == 0 || p.site.Code == "" {
			t.Errorf("%s has %d practitioners and the site %q; visits need both", p.name, len(w.staff[p]), p.site.Code)
		}
	}
	if got := npi(99000000 + len(providers)); len(w.practitioners) >= 99000000 || len(got) != 10 {
		t.Errorf("the numbers of practitioners and organizations overlap: %s", got)
	}
	total := 0
	for _, share := range communityShares {
		total += share
	}
	if total != 1000 {
		t.Errorf("got communities of %d permille, want 1000", total)
	}
}
