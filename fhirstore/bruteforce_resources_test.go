package fhirstore_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

type coding struct{ system, code string }

type organization struct {
	id, name string
	partOf   string // id of another
}

type identifier struct {
	coding // system and value
	types  []coding
	text   string // of the type
}

type person struct {
	id          string
	gender      string // "" for none
	birth       string // a date of any precision, "" for none
	families    []string
	identifiers []identifier
	org         string // id, "" for none
}

type measured struct {
	id        string
	status    string
	code      concept
	subject   string // id of a person, or
	logical   coding // an identifier of one
	at        string // dateTime, or
	from, to  string // a period, open where empty
	value     value
	component []component
}

type concept struct {
	codings []coding
	display string // of the first coding
	text    string
}

// A value is a quantity, a concept, a text or a date.
type value struct {
	number, unit, code string // code is UCUM's
	concept            []coding
	text, date         string
}

type component struct {
	code  concept
	value value
}

// A form is a Questionnaire with what it is made for.
type form struct {
	id  string
	url string
	use []use
}

type use struct {
	code      string
	low, high string // of a range, "" for open; both "" for none
	number    string // of a quantity
	concept   []coding
}

// A goal has any number of dates.
type goal struct {
	id  string
	due []string
}

func (g goal) json() string {
	m := map[string]any{"resourceType": "Goal", "id": g.id, "lifecycleStatus": "active"}
	var targets []any
	for _, d := range g.due {
		targets = append(targets, map[string]any{"dueDate": d})
	}
	if targets != nil {
		m["target"] = targets
	}
	return encode(m)
}

func randomDate(r *rand.Rand) string {
	year, month, day := 2020+r.IntN(2), 1+r.IntN(3), 1+r.IntN(4)
	switch r.IntN(6) {
	case 0:
		return fmt.Sprintf("%d", year)
	case 1:
		return fmt.Sprintf("%d-%02d", year, month)
	case 2, 3:
		return fmt.Sprintf("%d-%02d-%02d", year, month, day)
	case 4:
		return fmt.Sprintf("%d-%02d-%02dT%02d:30:00.500Z", year, month, day, r.IntN(3))
	}
	return fmt.Sprintf("%d-%02d-%02dT%02d:30:00Z", year, month, day, r.IntN(3))
}

func randomCodes(r *rand.Rand) (list []coding) {
	for range r.IntN(3) {
		list = append(list, coding{pick(r, "", "urn:a", "urn:b"), pick(r, "x", "y", "Z")})
	}
	return list
}

func randomConcept(r *rand.Rand) concept {
	return concept{randomCodes(r), pick(r, "", "Alpha", "Beta"), pick(r, "", "alphabet", "gamma")}
}

func randomDecimal(r *rand.Rand) string {
	return pick(r, "1", "1.0", "1.04", "1.05", "2", "2.5", "-3", "100", "0")
}

func randomValue(r *rand.Rand) (v value) {
	switch r.IntN(6) {
	case 0, 1, 2:
		v.number, v.unit, v.code = randomDecimal(r), pick(r, "", "mg", "kg"), pick(r, "", "mg")
	case 3:
		v.concept = randomCodes(r)
	case 4:
		v.text = pick(r, "Alpha", "alphabet", "Beta")
	}
	return v
}

func randomWorld(r *rand.Rand) *world {
	w := &world{}
	for i := range 4 {
		w.orgs = append(w.orgs, organization{id: fmt.Sprintf("o%d", i), name: pick(r, "Ana", "Bo", "Clinic"), partOf: pick(r, "", "o0", "o1")})
	}
	for i := range 25 {
		p := person{id: fmt.Sprintf("p%d", i), gender: pick(r, "", "male", "female"), org: pick(r, "", "o1", "o2", "o9")}
		if r.IntN(3) > 0 {
			p.birth = randomDate(r)
			p.birth = p.birth[:min(10, len(p.birth))]
		}
		for range r.IntN(3) {
			p.families = append(p.families, pick(r, "Ana", "Anand", "Bo", "bob", "Xu", "Ana-Bo"))
		}
		for _, c := range randomCodes(r) {
			p.identifiers = append(p.identifiers, identifier{c, randomCodes(r), pick(r, "", "Alpha", "Beta")})
		}
		w.people = append(w.people, p)
	}
	for i := range 60 {
		o := measured{id: fmt.Sprintf("m%d", i), status: pick(r, "final", "amended", "preliminary"), code: randomConcept(r), value: randomValue(r)}
		if r.IntN(4) > 0 {
			o.subject = fmt.Sprintf("p%d", r.IntN(28))
		} else {
			o.logical = coding{pick(r, "", "urn:a", "urn:b"), pick(r, "x", "y", "Z")}
		}
		switch r.IntN(4) {
		case 0:
			o.from = randomDate(r)
		case 1:
			o.from, o.to = randomDate(r), randomDate(r)
		case 2:
			o.at = randomDate(r)
		}
		for range r.IntN(3) {
			o.component = append(o.component, component{randomConcept(r), randomValue(r)})
		}
		if r.IntN(5) == 0 {
			o.value = value{date: randomDate(r)}
		}
		w.measures = append(w.measures, o)
	}
	for i := range 15 {
		f := form{id: fmt.Sprintf("f%d", i), url: pick(r, "http://a/x", "http://a/x/y", "http://a/x/y/z", "http://a/xy", "urn:x", "http://b/x/")}
		for range r.IntN(3) {
			u := use{code: pick(r, "x", "y")}
			switch r.IntN(4) {
			case 0:
				u.number = randomDecimal(r)
			case 1:
				u.concept = []coding{{pick(r, "", "urn:a"), pick(r, "x", "y")}}
			default:
				u.low, u.high = pick(r, "", "-3", "0", "1"), pick(r, "1", "2", "2.5", "100")
			}
			f.use = append(f.use, u)
		}
		w.forms = append(w.forms, f)
	}
	for i := range 40 {
		g := goal{id: fmt.Sprintf("g%d", i)}
		for range pick(r, 0, 1, 1, 1, 2, 3) {
			d := randomDate(r)
			g.due = append(g.due, d[:min(10, len(d))])
		}
		w.goals = append(w.goals, g)
	}
	return w
}

func (o organization) json() string {
	m := map[string]any{"resourceType": "Organization", "id": o.id, "name": o.name}
	if o.partOf != "" {
		m["partOf"] = reference("Organization", o.partOf)
	}
	return encode(m)
}

func (p person) json() string {
	m := map[string]any{"resourceType": "Patient", "id": p.id}
	set(m, "gender", p.gender)
	set(m, "birthDate", p.birth)
	var names, identifiers []any
	for _, f := range p.families {
		names = append(names, map[string]any{"family": f})
	}
	if names != nil {
		m["name"] = names
	}
	for _, i := range p.identifiers {
		one := map[string]any{"value": i.code}
		set(one, "system", i.system)
		if c := (concept{codings: i.types, text: i.text}).json(); len(c) > 0 {
			one["type"] = c
		}
		identifiers = append(identifiers, one)
	}
	if identifiers != nil {
		m["identifier"] = identifiers
	}
	if p.org != "" {
		m["managingOrganization"] = reference("Organization", p.org)
	}
	return encode(m)
}

func (o measured) json() string {
	m := map[string]any{"resourceType": "Observation", "id": o.id, "status": o.status, "code": o.code.json()}
	if o.subject != "" {
		m["subject"] = reference("Patient", o.subject)
	} else {
		of := map[string]any{"value": o.logical.code}
		set(of, "system", o.logical.system)
		m["subject"] = map[string]any{"identifier": of}
	}
	switch {
	case o.at != "":
		m["effectiveDateTime"] = o.at
	case o.from != "" || o.to != "":
		period := map[string]any{}
		set(period, "start", o.from)
		set(period, "end", o.to)
		m["effectivePeriod"] = period
	}
	o.value.into(m)
	var components []any
	for _, c := range o.component {
		one := map[string]any{"code": c.code.json()}
		c.value.into(one)
		components = append(components, one)
	}
	if components != nil {
		m["component"] = components
	}
	return encode(m)
}

func (v value) into(m map[string]any) {
	switch {
	case v.number != "":
		quantity := map[string]any{"value": json.Number(v.number)}
		set(quantity, "unit", v.unit)
		if v.code != "" {
			quantity["system"], quantity["code"] = "urn:ucum", v.code
		}
		m["valueQuantity"] = quantity
	case v.concept != nil:
		m["valueCodeableConcept"] = concept{codings: v.concept}.json()
	case v.text != "":
		m["valueString"] = v.text
	case v.date != "":
		m["valueDateTime"] = v.date
	}
}

func (f form) json() string {
	m := map[string]any{"resourceType": "Questionnaire", "id": f.id, "status": "active", "url": f.url}
	var uses []any
	for _, u := range f.use {
		one := map[string]any{"code": map[string]any{"code": u.code}}
		switch {
		case u.number != "":
			one["valueQuantity"] = map[string]any{"value": json.Number(u.number)}
		case u.concept != nil:
			one["valueCodeableConcept"] = concept{codings: u.concept}.json()
		default:
			of := map[string]any{"high": map[string]any{"value": json.Number(u.high)}}
			if u.low != "" {
				of["low"] = map[string]any{"value": json.Number(u.low)}
			}
			one["valueRange"] = of
		}
		uses = append(uses, one)
	}
	if uses != nil {
		m["useContext"] = uses
	}
	return encode(m)
}

func (c concept) json() map[string]any {
	m := map[string]any{}
	var list []any
	for i, one := range c.codings {
		coding := map[string]any{"code": one.code}
		set(coding, "system", one.system)
		if i == 0 {
			set(coding, "display", c.display)
		}
		list = append(list, coding)
	}
	if list != nil {
		m["coding"] = list
	}
	set(m, "text", c.text)
	return m
}

func reference(typ, id string) map[string]any { return map[string]any{"reference": typ + "/" + id} }

func set(m map[string]any, name, value string) {
	if value != "" {
		m[name] = value
	}
}

// encode writes a resource, resourceType and id in front, as put wants them.
func encode(m map[string]any) string {
	head := fmt.Sprintf(`{"resourceType":%q,"id":%q,`, m["resourceType"], m["id"])
	delete(m, "resourceType")
	delete(m, "id")
	text := must(json.Marshal(m))
	if len(m) == 0 {
		return strings.TrimSuffix(head, ",") + "}"
	}
	return head + string(text[1:])
}

// span is the range of an observation's time, if it has one.
func (o measured) span() (lo, hi time.Time, ok bool) {
	switch {
	case o.at != "":
		lo, hi = span(o.at)
	case o.from != "" || o.to != "":
		lo, hi = never, forever
		if o.from != "" {
			lo, _ = span(o.from)
		}
		if o.to != "" {
			_, hi = span(o.to)
		}
	default:
		return lo, hi, false
	}
	return lo, hi, lo.Before(hi)
}

// has is a quantity search over a value.
func (v value) has(prefix, number, unit string) bool {
	x, err := strconv.ParseFloat(v.number, 64)
	if err != nil || !compareNumber(prefix, number, x, x) {
		return false
	}
	switch {
	case unit == "":
		return true
	case strings.HasPrefix(unit, "||"):
		return unit[2:] == v.unit || unit[2:] == v.code
	}
	return v.code != "" && unit == "|urn:ucum|"+v.code
}

// has is a quantity search over what a form is for.
func (u use) has(prefix, number string) bool {
	if u.number != "" {
		x, _ := strconv.ParseFloat(u.number, 64)
		return compareNumber(prefix, number, x, x)
	}
	if u.concept != nil {
		return false
	}
	lo, err := strconv.ParseFloat(u.low, 64)
	if err != nil {
		lo = -1e300
	}
	hi, _ := strconv.ParseFloat(u.high, 64)
	return compareNumber(prefix, number, lo, hi)
}

// says is :text over a concept.
func (c concept) says(text string) bool {
	return starts(c.text, text) || len(c.codings) > 0 && starts(c.display, text)
}
