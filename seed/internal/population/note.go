package population

import "strconv"

// noteText returns the words of a visit's note.
func (r *scribe) noteText(v *visit, title string) []byte {
	b := make([]byte, 0, 1500)
	line := func(parts ...string) {
		for _, p := range parts {
			b = append(b, p...)
		}
		b = append(b, '\n')
	}
	line(title, ", ", v.site.name, ", ", v.start.Format("January 2, 2006"))
	line("Patient: ", r.fullName(), ", ", ageWords(r.age(v.start)), ", record ", r.recordNumber())
	line("")
	line("REASON")
	if v.problem != nil {
		line(v.problem.snomed.Display, ", since ", v.problem.onset.Format("January 2006"), ".")
	} else {
		line(v.kind.code.Display, ".")
	}
	line("")
	line("FINDINGS")
	g := &v.signs
	if g.taken&takePressure != 0 && g.diastolic > 0 {
		line("Blood pressure ", strconv.Itoa(g.systolic), "/", strconv.Itoa(g.diastolic), " mmHg.")
	}
	if g.taken&takePulse != 0 {
		line("Heart rate ", strconv.Itoa(g.pulse), " per minute.")
	}
	if g.taken&takeTemperature != 0 {
		line("Temperature ", strconv.Itoa(g.celsius/10), ".", strconv.Itoa(g.celsius%10), " degrees Celsius.")
	}
	if g.taken&takeWeight != 0 {
		line("Weight ", strconv.Itoa(g.weight/10), ".", strconv.Itoa(g.weight%10), " kg.")
	}
	for _, p := range v.found {
		line("New: ", p.snomed.Display, " (", p.icd10.Code, ").")
	}
	line("")
	line("PLAN")
	for _, k := range v.exams {
		line(k.code.Display, " done.")
	}
	for _, res := range v.results {
		line("Laboratory: ", res.panel.title(), ".")
	}
	for _, p := range v.prescriptions {
		line(p.drug.text, ": ", p.drug.sig, ".")
	}
	if v.last {
		line("The patient died in our care.")
	} else {
		line("Return if symptoms persist or get worse.")
	}
	line("")
	line("Signed: ", v.doctor.name(), ", ", v.doctor.specialty.Display)
	line("This is synthetic test data about nobody.")
	return b
}

// title names the panel, or its one member.
func (p *panel) title() string {
	if p.code.Display != "" {
		return p.code.Display
	}
	return assays[p.members[0]].code.Display
}

// fullName returns the name as it is spoken.
func (p *person) fullName() string {
	name := ""
	for _, g := range p.given {
		name += g + " "
	}
	return name + p.family
}

func ageWords(years int) string {
	if years == 0 {
		return "an infant"
	}
	return strconv.Itoa(years) + " years old"
}
