package fhirstore_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/clock"
)

// repeated is "a0,a1,…": n values of a parameter.
func repeated(value string, n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprint(value, i)
	}
	return strings.Join(list, ",")
}

func TestRefusedValues(t *testing.T) {
	t.Parallel()
	s := must(fhirstore.Open(t.Context(), "", fhirstore.Options{}))
	defer s.Close()
	var many []string // within every parameter's limit, beyond the query's
	for i := range 5 {
		many = append(many, "name="+repeated(fmt.Sprint("n", i, "-"), 500))
	}
	for _, c := range []struct {
		name, query, code string
		filter            bool
	}{
		{"an empty token beside a comma", "Observation?code=a,", "value", false},
		{"an empty string beside a comma", "Patient?name=,a", "value", false},
		{"an empty reference between commas", "Observation?patient=a,,b", "value", false},
		{"an empty _id beside a comma", "Patient?_id=a,", "value", false},
		{"an empty _lastUpdated beside a comma", "Patient?_lastUpdated=ge2020,", "value", false},
		{"a filter without a value", "Observation?category=", "value", true},
		{"_id:not", "Patient?_id:not=a", "not-supported", false},
		{"_id:missing", "Patient?_id:missing=true", "not-supported", false},
		{"1,100 instants", "Patient?_lastUpdated=" + strings.TrimSuffix(strings.Repeat("ge2020,", 1100), ","), "too-costly", false},
		{"501 references", "Observation?subject=" + repeated("p", 501), "too-costly", false},
		{"2,500 values together", "Patient?" + strings.Join(many, "&"), "too-costly", false},
	} {
		typ, query, _ := strings.Cut(c.query, "?")
		_, err := s.Query(typ, must(fhirstore.ParseParams(query)), fhirstore.QueryOptions{FilterOnly: c.filter})
		var refused *fhirstore.QueryError
		if !errors.As(err, &refused) || refused.Code != c.code {
			t.Errorf("%s: %v; want the code %s", c.name, err, c.code)
		}
	}
}

// TestLargeQueries runs what the limits allow: nothing of it may be too much for
// the database.
func TestLargeQueries(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, s *fhirstore.Store, _ *clock.Adjustable) {
		put(t, s, sample...)
		var dates []string
		for i := range 2 {
			dates = append(dates, "date="+strings.ReplaceAll(repeated("ge20", 500), "ge20", fmt.Sprintf("ge202%d-01-01T00:00:00.", i)))
		}
		var refs []string
		for i := range 100 {
			refs = append(refs, "subject="+repeated(fmt.Sprint("p", i, "-"), 30)+",a")
		}
		many := func(format string) string {
			var list []string
			for i := range 500 {
				list = append(list, fmt.Sprintf(format, i))
			}
			return strings.Join(list, ",")
		}
		for name, query := range map[string]string{
			"500 composites":                 "Observation?code-value-quantity=" + many("4548-4$gt0.0%d"),
			"500 composites of any code":     "Observation?code-value-quantity=" + many("http://loinc.org|$gt0.0%d"),
			"500 quantities":                 "Observation?value-quantity=" + many("gt0.0%d"),
			"500 URLs and those below":       "ValueSet?url:below=http://example.org," + strings.TrimPrefix(many("http://x/%d"), "http://x/0,"),
			"a URL of many segments":         "ValueSet?url:above=http://example.org/vs/One" + strings.Repeat("/x", 5000),
			"ids of a reference to any type": "Provenance?target=" + repeated("p", 499) + ",o1",
			"500 instants":                   "Observation?_lastUpdated=" + strings.TrimSuffix(strings.Repeat("ge2020,", 500), ","),
			"500 ids":                        "Observation?_id=" + repeated("x", 499) + ",o1",
			"1,000 dates":                    "Observation?" + strings.Join(dates, "&"),
			"100 references of 31 each":      "Observation?" + strings.Join(refs, "&"),
		} {
			typ, query, _ := strings.Cut(query, "?")
			q := must(s.Query(typ, must(fhirstore.ParseParams(query)), fhirstore.QueryOptions{Strict: true}))
			if page, err := s.Search(t.Context(), all, q); err != nil || len(page.Matches) == 0 {
				t.Errorf("%s: found %v, error %v", name, page, err)
			}
		}
	})
}

// TestEvaluatorsAgree has what SQLite and Go see differently if nobody minds.
func TestEvaluatorsAgree(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, s *fhirstore.Store, _ *clock.Adjustable) {
		put(t, s,
			`{"resourceType":"Observation","id":"kelvin","status":"final","code":{"coding":[{"system":"*","code":"\u212a"}]},"effectivePeriod":{"start":"2026-05-10","end":"2026-05-01"}}`,
			`{"resourceType":"Observation","id":"k","status":"final","code":{"coding":[{"system":"http://a","code":"k"}]},"effectivePeriod":{"start":"2026-05-01","end":"2026-05-10"}}`)
		for _, c := range []struct{ name, query, want string }{
			{"letters beyond ASCII have no case", "code=K", "k"},
			{"a system * is one of its own", "code=http://a|\u212a", ""},
			{"a system * is found by its name", "code=*|", "kelvin"},
			{"a period that ends before it starts", "date=2026-05", "k"},
			{"a period that ends before it starts, ne", "date=ne2026-05", ""},
			{"an implied system", "status=http://hl7.org/fhir/observation-status|final", "kelvin k"},
		} {
			if got := ids(search(t, s, all, "Observation", c.query)); got != c.want {
				t.Errorf("%s: %s found %q; want %q", c.name, c.query, got, c.want)
			}
			checkEvaluators(t, s, "Observation", c.query)
		}
	})
}

// TestLeadingClauses has queries that each start from another kind of list.
func TestLeadingClauses(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, s *fhirstore.Store, _ *clock.Adjustable) {
		put(t, s, sample...)
		for _, c := range []struct{ query, want string }{
			{"Patient?name=smith,ana", "a b"},
			{"Patient?_id=a,b,zz", "a b"},
			{"Patient?_id=a,b&active=true", "a"},
			{"Observation?date=gt2026-01-14,lt2026-01-14", "o2 o3"},
			{"Observation?date=ge2026-01-14&date=le2026-01-14", "o1 o2"},
		} {
			typ, query, _ := strings.Cut(c.query, "?")
			if got := ids(search(t, s, all, typ, query)); got != c.want {
				t.Errorf("%s found %q; want %q", c.query, got, c.want)
			}
			checkEvaluators(t, s, typ, query)
		}
	})
}
