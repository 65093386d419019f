package fhirstore_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/clock"
)

// This file holds searches against a second evaluation that shares nothing with
// the store: random resources as Go values, random queries, and for each query
// a walk over all resources by the words of FHIR R4's search page.

type coding struct{ system, code string }

type person struct {
	id         string
	gender     string // "" for none
	birth      string // of any precision, "" for none
	families   []string
	identifier []coding
	org        string
}

type measured struct {
	id       string
	status   string
	code     []coding
	subject  string // id of a person
	at       string // dateTime, or
	from, to string // a period, open where empty
	value    string // decimal, "" for none
	unit     string
}

func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

func randomDate(r *rand.Rand) string {
	year, month, day := 2020+r.IntN(2), 1+r.IntN(3), 1+r.IntN(4)
	switch r.IntN(4) {
	case 0:
		return fmt.Sprintf("%d", year)
	case 1:
		return fmt.Sprintf("%d-%02d", year, month)
	case 2:
		return fmt.Sprintf("%d-%02d-%02d", year, month, day)
	}
	return fmt.Sprintf("%d-%02d-%02dT%02d:30:00Z", year, month, day, r.IntN(3))
}

func randomCodes(r *rand.Rand) (list []coding) {
	for range r.IntN(3) {
		list = append(list, coding{pick(r, "", "urn:a", "urn:b"), pick(r, "x", "y", "Z")})
	}
	return list
}

func randomDecimal(r *rand.Rand) string {
	return pick(r, "1", "1.0", "1.04", "1.05", "2", "2.5", "-3", "100")
}

func (p person) json() string {
	m := map[string]any{"resourceType": "Patient", "id": p.id}
	set(m, "gender", p.gender)
	set(m, "birthDate", p.birth)
	var names []any
	for _, f := range p.families {
		names = append(names, map[string]any{"family": f})
	}
	if names != nil {
		m["name"] = names
	}
	if list := codingList(p.identifier, "value"); list != nil {
		m["identifier"] = list
	}
	if p.org != "" {
		m["managingOrganization"] = map[string]any{"reference": "Organization/" + p.org}
	}
	return encode(m)
}

func (o measured) json() string {
	m := map[string]any{"resourceType": "Observation", "id": o.id, "status": o.status, "code": map[string]any{"text": "t"}}
	if list := codingList(o.code, "code"); list != nil {
		m["code"] = map[string]any{"coding": list}
	}
	if o.subject != "" {
		m["subject"] = map[string]any{"reference": "Patient/" + o.subject}
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
	if o.value != "" {
		quantity := map[string]any{"value": json.Number(o.value)}
		set(quantity, "unit", o.unit)
		m["valueQuantity"] = quantity
	}
	return encode(m)
}

func set(m map[string]any, name, value string) {
	if value != "" {
		m[name] = value
	}
}

func codingList(list []coding, member string) (out []any) {
	for _, c := range list {
		m := map[string]any{member: c.code}
		set(m, "system", c.system)
		out = append(out, m)
	}
	return out
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

// span is the half-open range of time that a date stands for.
func span(date string) (lo, hi time.Time) {
	for layout, next := range map[string]func(time.Time) time.Time{
		"2006":                 func(t time.Time) time.Time { return t.AddDate(1, 0, 0) },
		"2006-01":              func(t time.Time) time.Time { return t.AddDate(0, 1, 0) },
		"2006-01-02":           func(t time.Time) time.Time { return t.AddDate(0, 0, 1) },
		"2006-01-02T15:04:05Z": func(t time.Time) time.Time { return t.Add(time.Second) },
	} {
		if t, err := time.Parse(layout, date); err == nil {
			return t, next(t)
		}
	}
	panic("no date: " + date)
}

var (
	never   = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	forever = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
)

// spans are the ranges of an observation's time: one or none.
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

// compareDate is FHIR R4, Search, prefixes, for dates.
func compareDate(prefix, date string, lo, hi time.Time) bool {
	qlo, qhi := span(date)
	within := !lo.Before(qlo) && !hi.After(qhi)
	switch prefix {
	case "ne":
		return !within
	case "gt":
		return hi.After(qhi)
	case "lt":
		return lo.Before(qlo)
	case "ge":
		return hi.After(qhi) || within
	case "le":
		return lo.Before(qlo) || within
	case "sa":
		return !lo.Before(qhi)
	case "eb":
		return !hi.After(qlo)
	}
	return within
}

// compareNumber is the same for numbers: without a prefix, or with eq and ne,
// the query stands for what rounds to it.
func compareNumber(prefix, text string, value float64) bool {
	q, _ := strconv.ParseFloat(text, 64)
	half := 0.5
	if _, decimals, found := strings.Cut(text, "."); found {
		for range decimals {
			half /= 10
		}
	}
	within := value >= q-half && value < q+half
	switch prefix {
	case "ne":
		return !within
	case "gt", "sa":
		return value > q
	case "lt", "eb":
		return value < q
	case "ge":
		return value >= q
	case "le":
		return value <= q
	}
	return within
}

func hasCode(list []coding, wanted string) bool {
	system, code, piped := strings.Cut(wanted, "|")
	if !piped {
		code = wanted
	}
	return slices.ContainsFunc(list, func(c coding) bool {
		return (code == "" || strings.EqualFold(code, c.code)) && (!piped || system == c.system)
	})
}

// A try is a query with its meaning.
type try[T any] struct {
	query string
	holds func(T) bool
}

func personTry(r *rand.Rand) try[person] {
	prefix := pick(r, "", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb")
	date, name, token := randomDate(r), pick(r, "a", "an", "ana", "b", "bo", "BO", "x"), pick(r, "x", "urn:a|x", "|y", "urn:b|", "z")
	switch r.IntN(10) {
	case 0:
		return try[person]{"birthdate=" + prefix + date, func(p person) bool {
			if p.birth == "" {
				return false
			}
			lo, hi := span(p.birth)
			return compareDate(prefix, date, lo, hi)
		}}
	case 1:
		return try[person]{"family=" + name, func(p person) bool {
			return slices.ContainsFunc(p.families, func(f string) bool { return strings.HasPrefix(strings.ToLower(f), strings.ToLower(name)) })
		}}
	case 2:
		return try[person]{"family:exact=" + name, func(p person) bool { return slices.Contains(p.families, name) }}
	case 3:
		return try[person]{"name:contains=" + name, func(p person) bool {
			return slices.ContainsFunc(p.families, func(f string) bool { return strings.Contains(strings.ToLower(f), strings.ToLower(name)) })
		}}
	case 4:
		return try[person]{"identifier=" + token, func(p person) bool { return hasCode(p.identifier, token) }}
	case 5:
		return try[person]{"gender:missing=true", func(p person) bool { return p.gender == "" }}
	case 6:
		gender := pick(r, "male", "female")
		return try[person]{"gender:not=" + gender, func(p person) bool { return p.gender != gender }}
	case 7:
		return try[person]{"gender=male,female", func(p person) bool { return p.gender != "" }}
	case 8:
		return try[person]{"organization=Organization/o1", func(p person) bool { return p.org == "o1" }}
	}
	id := fmt.Sprintf("p%d", r.IntN(20))
	return try[person]{"_id=" + id + ",p1", func(p person) bool { return p.id == id || p.id == "p1" }}
}

func measuredTry(r *rand.Rand, people map[string]person) try[measured] {
	prefix := pick(r, "", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb")
	date, token, number := randomDate(r), pick(r, "x", "urn:a|x", "|y", "urn:b|", "z"), randomDecimal(r)
	switch r.IntN(9) {
	case 0, 1:
		return try[measured]{"date=" + prefix + date, func(o measured) bool {
			lo, hi, ok := o.span()
			return ok && compareDate(prefix, date, lo, hi)
		}}
	case 2:
		return try[measured]{"code=" + token, func(o measured) bool { return hasCode(o.code, token) }}
	case 3:
		return try[measured]{"code:not=" + token, func(o measured) bool { return !hasCode(o.code, token) }}
	case 4, 5:
		return try[measured]{"value-quantity=" + prefix + number, func(o measured) bool {
			if o.value == "" {
				return false
			}
			value, _ := strconv.ParseFloat(o.value, 64)
			return compareNumber(prefix, number, value)
		}}
	case 6:
		return try[measured]{"value-quantity=" + number + "||mg", func(o measured) bool {
			value, err := strconv.ParseFloat(o.value, 64)
			return err == nil && o.unit == "mg" && compareNumber("", number, value)
		}}
	case 7:
		status := pick(r, "final", "amended")
		return try[measured]{"status=" + status, func(o measured) bool { return o.status == status }}
	}
	inner := personTry(r)
	return try[measured]{"subject:Patient." + inner.query, func(o measured) bool {
		p, ok := people[o.subject]
		return ok && inner.holds(p)
	}}
}

// TestAgainstBruteForce prints its seed where it fails.
func TestAgainstBruteForce(t *testing.T) {
	t.Parallel()
	seed := uint64(clock.System{}.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 0))
	s := must(fhirstore.Open(t.Context(), "", fhirstore.Options{}))
	defer s.Close()
	people := map[string]person{}
	var persons []person
	for i := range 25 {
		p := person{id: fmt.Sprintf("p%d", i), gender: pick(r, "", "male", "female"), org: pick(r, "", "o1", "o2")}
		if r.IntN(3) > 0 {
			p.birth = randomDate(r)
			if len(p.birth) > 10 {
				p.birth = p.birth[:10]
			}
		}
		for range r.IntN(3) {
			p.families = append(p.families, pick(r, "Ana", "Anand", "Bo", "bob", "Xu"))
		}
		p.identifier = randomCodes(r)
		people[p.id], persons = p, append(persons, p)
		put(t, s, p.json())
	}
	var measurements []measured
	for i := range 60 {
		o := measured{id: fmt.Sprintf("o%d", i), status: pick(r, "final", "amended", "preliminary"), code: randomCodes(r), subject: fmt.Sprintf("p%d", r.IntN(28)), unit: pick(r, "", "mg", "kg")}
		switch r.IntN(4) {
		case 0:
			o.from = randomDate(r)
		case 1:
			o.from, o.to = randomDate(r), randomDate(r)
		case 2:
			o.at = randomDate(r)
		}
		if r.IntN(4) > 0 {
			o.value = randomDecimal(r)
		}
		measurements = append(measurements, o)
		put(t, s, o.json())
	}
	for range 700 {
		tries := []try[measured]{measuredTry(r, people)}
		for r.IntN(2) == 0 {
			tries = append(tries, measuredTry(r, people))
		}
		compareWith(t, s, seed, "Observation", measurements, tries, func(o measured) string { return o.id })
		about := []try[person]{personTry(r)}
		for r.IntN(2) == 0 {
			about = append(about, personTry(r))
		}
		if r.IntN(3) == 0 { // reverse chaining
			inner := measuredTry(r, people)
			about = append(about, try[person]{"_has:Observation:patient:" + inner.query, func(p person) bool {
				return slices.ContainsFunc(measurements, func(o measured) bool { return o.subject == p.id && inner.holds(o) })
			}})
		}
		compareWith(t, s, seed, "Patient", persons, about, func(p person) string { return p.id })
	}
}

func compareWith[T any](t *testing.T, s *fhirstore.Store, seed uint64, typ string, resources []T, tries []try[T], id func(T) string) {
	t.Helper()
	var queries []string
	for _, q := range tries {
		queries = append(queries, q.query)
	}
	var want []string
	for _, resource := range resources {
		if !slices.ContainsFunc(tries, func(q try[T]) bool { return !q.holds(resource) }) {
			want = append(want, id(resource))
		}
	}
	query := strings.Join(queries, "&")
	page := search(t, s, all, typ, query+"&_count=1000")
	got := strings.Fields(ids(page))
	slices.SortFunc(got, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
	slices.SortFunc(want, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
	if !slices.Equal(got, want) || int(page.Total) != len(want) {
		t.Errorf("seed %d: %s?%s\nfound %v\nwant  %v", seed, typ, query, got, want)
	}
}
