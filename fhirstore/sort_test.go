package fhirstore_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/clock"
)

func TestSort(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, s *fhirstore.Store, c *clock.Adjustable) {
		put(t, s, sample...)
		for _, c := range []struct{ id, query, want string }{
			{"FR-RC-07 string", "Patient?_sort=family", "a b c"},
			{"FR-RC-07 descending", "Patient?_sort=-family", "b a c"},
			{"FR-RC-07 _id", "Observation?_sort=-_id", "o3 o2 o1"},
			{"FR-RC-07 date by its beginning", "Observation?_sort=date", "o2 o1 o3"},
			{"FR-RC-07 date descending by its end", "Observation?_sort=-date", "o3 o2 o1"},
			{"FR-RC-07 number", "Observation?_sort=-value-quantity", "o3 o2 o1"},
			{"FR-RC-07 token, then date", "Observation?_sort=status,-date", "o2 o3 o1"},
			{"FR-RC-07 reference", "Observation?_sort=-patient,date", "o3 o2 o1"},
			{"FR-RC-07 without a value last", "Patient?_sort=birthdate", "b a c"},
			{"FR-RC-07 without a value last, descending too", "Patient?_sort=-birthdate", "b a c"},
			{"FR-RC-07 with a condition", "Observation?patient=a&_sort=-date", "o2 o1"},
			{"FR-RC-07 ties by creation", "Observation?_sort=-code:none", "o1 o2 o3"},
		} {
			typ, encoded, _ := strings.Cut(c.query, "?")
			q := must(s.Query(typ, must(fhirstore.ParseParams(encoded)), fhirstore.QueryOptions{}))
			page := must(s.Search(t.Context(), all, q))
			if got := inOrder(page); got != c.want {
				t.Errorf("%s: %s found %q; want %q", c.id, c.query, got, c.want)
			}
		}
		q := must(s.Query("Patient", []fhirstore.Param{{Name: "_sort", Value: "nome"}}, fhirstore.QueryOptions{}))
		if len(q.Ignored) != 1 || len(q.Used) != 0 {
			t.Errorf("FR-RC-07 an unknown rule: ignored %v, used %v", q.Ignored, q.Used)
		}
		if _, err := s.Query("Patient", []fhirstore.Param{{Name: "_sort", Value: "nome"}}, fhirstore.QueryOptions{Strict: true}); err == nil {
			t.Error("FR-RC-07 an unknown rule is taken under handling=strict")
		}
	})
}

// inOrder lists the ids of the matches as they come.
func inOrder(page *fhirstore.Page) string {
	var list []string
	for _, r := range page.Matches {
		list = append(list, r.ID)
	}
	return strings.Join(list, " ")
}

// FR-RC-05: whatever the order, pages show every resource that stays as it is
// exactly once, in the order of one search for all of them.
func TestSortedPagesWhileOthersWrite(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, s *fhirstore.Store, _ *clock.Adjustable) {
		const patients = 60
		random := rand.New(rand.NewPCG(1, 2))
		patient := func(id string) string {
			body := fmt.Sprintf(`{"resourceType":"Patient","id":%q`, id)
			if random.IntN(4) > 0 {
				body += fmt.Sprintf(`,"birthDate":"19%02d-0%d"`, random.IntN(3)+50, random.IntN(3)+1)
			}
			if random.IntN(4) > 0 {
				body += fmt.Sprintf(`,"name":[{"family":"%c"},{"family":"%c"}]`, 'A'+random.IntN(3), 'A'+random.IntN(26))
			}
			return body + "}"
		}
		for i := range patients {
			put(t, s, patient(fmt.Sprintf("p%02d", i)))
		}
		for _, sort := range []string{"", "family", "-family", "birthdate,-family", "-birthdate", "_lastUpdated", "-_id", "-_lastUpdated,family"} {
			query := "_count=7"
			if sort != "" {
				query += "&_sort=" + sort
			}
			whole := strings.Fields(inOrder(search(t, s, all, "Patient", strings.Replace(query, "_count=7", "_count=1000", 1))))
			var seen []string
			next := ""
			for page := 0; ; page++ {
				result := search(t, s, all, "Patient", query+next)
				for _, r := range result.Matches {
					seen = append(seen, r.ID)
				}
				// One comes and goes while pages are read.
				put(t, s, patient(fmt.Sprintf("x%d", page)))
				if _, err := s.Delete(t.Context(), all, "Patient", fmt.Sprintf("x%d", page), fhirstore.Condition{}); err != nil {
					t.Fatal(err)
				}
				if result.Next == "" {
					break
				}
				next = "&" + fhirstore.NextParam + "=" + result.Next
			}
			if !slices.Equal(seen, whole) {
				t.Errorf("FR-RC-05 _sort=%s: pages show\n%v\nand one search\n%v", sort, seen, whole)
			}
		}
		page := search(t, s, all, "Patient", "_count=7&_sort=family")
		_, err := s.Query("Patient", must(fhirstore.ParseParams("_sort=family,-birthdate&"+fhirstore.NextParam+"="+page.Next)), fhirstore.QueryOptions{})
		if err == nil {
			t.Error("FR-RC-05 the token of another order is taken")
		}
	})
}
