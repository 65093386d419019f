package fhirstore_test

import (
	"cmp"
	"errors"
	"flag"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/clock"
)

// These tests hold searches against a second evaluation that shares nothing
// with the store: random resources as Go values (bruteforce_resources_test.go),
// random queries with their meaning (bruteforce_queries_test.go), and for each
// query a walk over all resources by the words of FHIR R4's search page.

// A world is what the store holds, as Go values in the order of their creation.
type world struct {
	now      time.Time
	orgs     []organization
	people   []person
	measures []measured
	forms    []form
	goals    []goal
}

var bruteForceSeed = flag.Uint64("brute-force-seed", 0, "the seed of TestAgainstBruteForce; 0 for a new one")

// TestAgainstBruteForce prints its seed where it fails; -brute-force-seed
// repeats a run.
func TestAgainstBruteForce(t *testing.T) {
	t.Parallel()
	seed := cmp.Or(*bruteForceSeed, uint64(clock.System{}.Now().UnixNano()))
	r := rand.New(rand.NewPCG(seed, 0))
	c := clock.NewAdjustable(nil)
	c.Freeze()
	c.Set(time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)) // which the prefix ap looks at
	s := must(fhirstore.Open(t.Context(), "", fhirstore.Options{Clock: c}))
	defer s.Close()
	w := randomWorld(r)
	w.now = c.Now()
	w.fill(t, s)

	b := bruteForce{t: t, s: s, r: r, seed: seed}
	rounds := 500
	if raceDetector { // which makes each take ten times as long
		rounds = 50
	}
	for i := range rounds {
		check(&b, "Observation", w.measures, w.measuredTry, w.measuredOrder, func(o measured) string { return o.id })
		check(&b, "Patient", w.people, w.personTry, w.personOrder, func(p person) string { return p.id })
		check(&b, "Questionnaire", w.forms, w.formTry, nil, func(f form) string { return f.id })
		if i%5 == 0 { // of one parameter only, so that queries of it are long
			check(&b, "Goal", w.goals, w.goalTry, nil, func(g goal) string { return g.id })
		}
		check(&b, "Organization", w.orgs, w.organizationTry, nil, func(o organization) string { return o.id })
	}
}

type bruteForce struct {
	t    *testing.T
	s    *fhirstore.Store
	r    *rand.Rand
	seed uint64
}

// A try is one parameter of a query with its meaning.
type try[T any] struct {
	name, value string
	holds       func(T) bool
}

// An order is one rule of _sort with its meaning: the keys of two resources
// compared, where those that have none come last.
type order[T any] struct {
	rule    string
	compare func(a, b T) int
}

// check puts one random query about resources of a type to the store and to
// brute force, and compares what they find, in which order, page by page.
func check[T any](b *bruteForce, typ string, resources []T, random func(*rand.Rand) try[T], orders func(*rand.Rand) order[T], id func(T) string) {
	b.t.Helper()
	var params []string
	var tries []try[T]
	for more := true; more; more = b.r.IntN(2) == 0 { // repeated is AND
		q := random(b.r)
		for range b.r.IntN(3) { // a comma is OR
			if other := random(b.r); other.name == q.name && !strings.HasSuffix(q.name, ":missing") && !strings.HasSuffix(q.name, ":not") {
				first := q.holds
				q.value += "," + other.value
				q.holds = func(x T) bool { return first(x) || other.holds(x) }
			}
		}
		tries, params = append(tries, q), append(params, q.name+"="+q.value)
	}
	var want []T
	for _, resource := range resources {
		if !slices.ContainsFunc(tries, func(q try[T]) bool { return !q.holds(resource) }) {
			want = append(want, resource)
		}
	}
	if orders != nil && b.r.IntN(2) == 0 {
		var rules []string
		var by []order[T]
		for range 1 + b.r.IntN(2) {
			o := orders(b.r)
			by, rules = append(by, o), append(rules, o.rule)
		}
		slices.SortStableFunc(want, func(x, y T) int {
			for _, o := range by {
				if c := o.compare(x, y); c != 0 {
					return c
				}
			}
			return 0
		})
		params = append(params, "_sort="+strings.Join(rules, ","))
	}
	count := pick(b.r, 3, 1000)
	query := strings.Join(params, "&") + "&_count=" + strconv.Itoa(count)

	var wantIDs, got []string
	for _, resource := range want {
		wantIDs = append(wantIDs, id(resource))
	}
	next := ""
	var before string // the ids of the page before
	for {
		page := search(b.t, b.s, all, typ, query+next)
		for _, match := range page.Matches {
			got = append(got, match.ID)
		}
		if page.Previous != "" {
			back := ids(search(b.t, b.s, all, typ, query+"&"+fhirstore.NextParam+"="+page.Previous))
			if back != before {
				b.t.Errorf("seed %d: %s?%s: the page before %q is %q, want %q", b.seed, typ, query, ids(page), back, before)
			}
		} else if before != "" && len(page.Matches) > 0 {
			b.t.Errorf("seed %d: %s?%s: no page is before %q", b.seed, typ, query, ids(page))
		}
		if page.Last != "" {
			last := search(b.t, b.s, all, typ, query+"&"+fhirstore.NextParam+"="+page.Last)
			if end := strings.Join(wantIDs[max(0, len(wantIDs)-count):], " "); ids(last) != end || last.Next != "" {
				b.t.Errorf("seed %d: %s?%s: the last page is %q, want %q", b.seed, typ, query, ids(last), end)
			}
		}
		before = ids(page)
		if int(page.Total) != len(want) {
			b.t.Errorf("seed %d: %s?%s has total %d, want %d", b.seed, typ, query, page.Total, len(want))
		}
		if page.Next == "" || len(got) > len(resources) {
			break
		}
		next = "&" + fhirstore.NextParam + "=" + page.Next
	}
	if !slices.Equal(got, wantIDs) {
		b.t.Errorf("seed %d: %s?%s\nfound %v\nwant  %v", b.seed, typ, query, got, wantIDs)
	}
	if slices.ContainsFunc(tries, func(q try[T]) bool { return strings.Contains(q.name, ".") || strings.HasPrefix(q.name, "_has") }) {
		return // what leads to other resources is no constraint
	}
	filter := strings.Join(params[:len(tries)], "&")
	constrained := fhirstore.View{Permissions: []fhirstore.Permission{{Type: typ, Letters: fhirstore.LetterRead, Query: filter}}}
	one := id(pick(b.r, resources...))
	_, err := b.s.Read(b.t.Context(), constrained, typ, one)
	var forbidden *fhirstore.ForbiddenError
	if err != nil && !errors.As(err, &forbidden) || (err == nil) != slices.Contains(wantIDs, one) {
		b.t.Errorf("seed %d: read of %s/%s under the constraint %s gives %v; a match: %t", b.seed, typ, one, filter, err, slices.Contains(wantIDs, one))
	}
}

// span is the half-open range of time that a date stands for.
func span(date string) (lo, hi time.Time) {
	for layout, next := range map[string]func(time.Time) time.Time{
		"2006":                     func(t time.Time) time.Time { return t.AddDate(1, 0, 0) },
		"2006-01":                  func(t time.Time) time.Time { return t.AddDate(0, 1, 0) },
		"2006-01-02":               func(t time.Time) time.Time { return t.AddDate(0, 0, 1) },
		"2006-01-02T15:04Z":        func(t time.Time) time.Time { return t.Add(time.Minute) },
		"2006-01-02T15:04:05Z":     func(t time.Time) time.Time { return t.Add(time.Second) },
		"2006-01-02T15:04:05.000Z": func(t time.Time) time.Time { return t.Add(time.Millisecond) },
	} {
		if t, err := time.Parse(layout, date); err == nil && (len(date) == len(layout)) {
			return t, next(t)
		}
	}
	panic("no date: " + date)
}

var (
	never   = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	forever = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
)

// compareDate is FHIR R4, Search, prefixes, for dates.
func compareDate(prefix, date string, lo, hi, now time.Time) bool {
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
	case "ap": // a tenth of the distance between now and the date, to whole milliseconds
		tenth := time.Duration(now.UnixMilli()-qlo.UnixMilli()) / 10 * time.Millisecond
		return lo.Before(qhi.Add(tenth)) && hi.After(qlo.Add(-tenth))
	}
	return within
}

// compareNumber is the same for numbers and ranges of them: without a prefix,
// or with eq and ne, the query stands for what rounds to it.
func compareNumber(prefix, text string, lo, hi float64) bool {
	q, _ := strconv.ParseFloat(text, 64)
	half := 0.5
	if _, decimals, found := strings.Cut(text, "."); found {
		for range decimals {
			half /= 10
		}
	}
	within := lo >= q-half && hi < q+half
	switch prefix {
	case "ne":
		return !within
	case "gt":
		return hi > q
	case "lt":
		return lo < q
	case "ge":
		return hi >= q
	case "le":
		return lo <= q
	case "sa":
		return lo > q
	case "eb":
		return hi < q
	case "ap":
		tenth := max(q, -q) / 10
		return lo <= q+tenth && hi >= q-tenth
	}
	return within
}

// hasCode is a token search over codes without case.
func hasCode(list []coding, wanted string) bool {
	system, code, piped := strings.Cut(wanted, "|")
	if !piped {
		code = wanted
	}
	return slices.ContainsFunc(list, func(c coding) bool {
		return (code == "" || strings.EqualFold(code, c.code)) && (!piped || system == c.system)
	})
}

// starts is a string search, without case.
func starts(text, with string) bool {
	return text != "" && strings.HasPrefix(strings.ToLower(text), strings.ToLower(with))
}

// lastWithout orders by the keys that two resources have; one without a key
// comes last, whatever the direction.
func lastWithout[K cmp.Ordered](a, b []K, descending bool) int {
	switch {
	case len(a) == 0 && len(b) == 0:
		return 0
	case len(a) == 0:
		return 1
	case len(b) == 0:
		return -1
	case descending:
		return cmp.Compare(slices.Max(b), slices.Max(a))
	}
	return cmp.Compare(slices.Min(a), slices.Min(b))
}

func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

// fill puts the world into a store.
func (w *world) fill(t *testing.T, s *fhirstore.Store) {
	t.Helper()
	for _, o := range w.orgs {
		put(t, s, o.json())
	}
	for _, p := range w.people {
		put(t, s, p.json())
	}
	for _, o := range w.measures {
		put(t, s, o.json())
	}
	for _, f := range w.forms {
		put(t, s, f.json())
	}
	for _, g := range w.goals {
		put(t, s, g.json())
	}
}

func (w *world) person(id string) (person, bool) {
	i := slices.IndexFunc(w.people, func(p person) bool { return p.id == id })
	if i < 0 {
		return person{}, false
	}
	return w.people[i], true
}

func (w *world) org(id string) (organization, bool) {
	i := slices.IndexFunc(w.orgs, func(o organization) bool { return o.id == id })
	if i < 0 {
		return organization{}, false
	}
	return w.orgs[i], true
}
