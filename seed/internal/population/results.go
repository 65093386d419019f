package population

import "time"

// A result is a panel that the laboratory did at a visit.
type result struct {
	panel  *panel
	taken  time.Time // the specimen
	issued time.Time
	values []finding

	corrected time.Time // when a value was found to be wrong; zero: never
	wrong     int       // index of that value
	before    int       // what it was said to be
}

// A finding is the value of one analyte: a number, a code or words.
type finding struct {
	analyte analyte
	value   int
	code    coding // if it has a code
	words   string // if it has neither
}

// test does a panel at a visit.
func (b *body) test(v *visit, p *panel) *result {
	r := &result{panel: p, taken: v.start.Add(time.Duration(b.s.between(6, 12)) * time.Minute)}
	r.issued = r.taken.Add(time.Duration(b.s.between(60, 30*60)) * time.Minute)
	if v.last {
		r.issued = r.taken.Add(25 * time.Minute)
	}
	for _, a := range p.members {
		r.values = append(r.values, b.find(a, v))
	}
	switch p {
	case &lipid:
		r.set(cholesterol, r.get(ldl)+r.get(hdl)+r.get(triglycerides)/5)
	case &basicMetabolic:
		r.set(filtration, filtrationRate(r.get(creatinine), b.age(v.start), b.female))
	case &bloodCount:
		r.countCells()
	}
	return r
}

// countCells derives the indices of the red cells, which are quotients of each other.
func (r *result) countCells() {
	r.set(hematocrit, roundDiv(r.get(hemoglobin)*1000, r.get(mchc)))
	r.set(erythrocytes, roundDiv(r.get(hematocrit)*100, r.get(mcv)))
	r.set(mch, roundDiv(r.get(hemoglobin)*1000, r.get(erythrocytes)))
}

func (r *result) get(a analyte) int {
	for _, f := range r.values {
		if f.analyte == a {
			return f.value
		}
	}
	return 0
}

func (r *result) set(a analyte, value int) {
	for i := range r.values {
		if r.values[i].analyte == a {
			r.values[i].value = value
		}
	}
}

// find returns what a visit's specimen shows of an analyte.
func (b *body) find(a analyte, v *visit) finding {
	switch a {
	case urineColor:
		return finding{analyte: a, code: snomed("371254008", "Brown color")}
	case urineLook:
		return finding{analyte: a, words: pick(b.s, []string{"Cloudy", "Slightly cloudy", "Turbid"})}
	case urineNitrite:
		return finding{analyte: a, code: snomed("10828004", "Positive")}
	case urineCulture:
		return finding{analyte: a, code: snomed("112283007", "Escherichia coli")}
	case cholesterol, filtration, hematocrit, erythrocytes, mch:
		return finding{analyte: a} // derived from the others
	}
	f := finding{analyte: a, value: b.level(a, v.start)}
	if a == leukocytes && v.problem != nil && v.problem.fever {
		f.value += 62
	}
	return f
}
