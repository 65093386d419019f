package fhirstore_test

import (
	"context"
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/clock"
)

// grown returns a store of n Observations of n/100 patients, of which the last
// found ones are what the queries of costs find, or those in the middle: as many
// however large n is.
func grown(tb testing.TB, n int) *fhirstore.Store {
	tb.Helper()
	const found = 10
	ctx := tb.Context()
	dir := tb.TempDir()
	must(0, fhirstore.BuildBase(ctx, dir, func(l *fhirstore.Load) error {
		for i := range n / 100 {
			body := fmt.Sprintf(`,"name":[{"family":"Name%d"}],"identifier":[{"type":{"coding":[{"system":"urn:t","code":"MR"}]},"system":"urn:mrn","value":"%d"}]`, i, i)
			if err := l.Add(ctx, input("Patient", fmt.Sprint("p", i), body)); err != nil {
				return err
			}
		}
		for i := range n {
			code, display, value, day := "common", "Heart rate", float64(i%1000), i%1000
			if i >= n-found {
				code, display, value, day = "rare", "Tail rate", 5000, 5000
			}
			at := time.Date(2010, 1, 1, 8, 0, 0, 0, time.UTC).AddDate(0, 0, day).Format(time.RFC3339)
			if i >= n/2 && i < n/2+found {
				at = "2011-05-16T03:30:00Z"
			}
			body := fmt.Sprintf(`,"status":"final","code":{"coding":[{"system":"urn:c","code":%q,"display":%q},{"system":"urn:c","code":"all"}]},"subject":{"reference":"Patient/p%d"},"effectiveDateTime":%q,"valueQuantity":{"value":%g,"unit":"mg","system":"urn:ucum","code":"mg"}`,
				code, display, i/100, at, value)
			if err := l.Add(ctx, input("Observation", fmt.Sprint("o", i), body)); err != nil {
				return err
			}
		}
		return nil
	}))
	base := must(fhirstore.OpenBase(ctx, dir))
	s := fhirstore.Over(base, func() (string, error) { return "", fmt.Errorf("nothing is written") }, fhirstore.Options{})
	tb.Cleanup(func() { s.Close(); base.Close() })
	return s
}

// A cost is something that has to cost the same however large the store is.
type cost struct {
	name string
	do   func(ctx context.Context, s *fhirstore.Store) (found int, err error)
}

func costs(tb testing.TB) []cost {
	list := []cost{{"read", func(ctx context.Context, s *fhirstore.Store) (int, error) {
		_, err := s.Read(ctx, all, "Observation", "o17")
		return 10, err
	}}}
	for _, c := range []struct{ name, typ, query string }{
		{"token", "Observation", "code=urn:c|rare"},
		{"date range", "Observation", "date=ge2023-01-01&date=lt2024-01-01"},
		{"date range amid others", "Observation", "date=ge2011-05-16T03:00:00Z&date=lt2011-05-16T04:00:00Z"},
		{"date from", "Observation", "date=gt2023-01-01"},
		{"quantity from", "Observation", "value-quantity=gt4000"},
		{"quantity about", "Observation", "value-quantity=ap5000||mg"},
		{"composite", "Observation", "code-value-quantity=urn:c|all$gt4000"},
		{"composite about", "Observation", "combo-code-value-quantity=all$ap5000"},
		{"text of a token", "Observation", "code:text=tail"},
		{"reference and token", "Observation", "patient=p7&code=urn:c|all&date=lt2011-12-12"},
		{"chain", "Observation", "patient.identifier=urn:mrn|7&date=lt2011-12-12"},
		{"type of an identifier", "Patient", "identifier:of-type=urn:t|MR|7&_revinclude=Observation:patient&_total=none"},
		{"first page", "Observation", "_count=10&_total=none"},
	} {
		params := must(fhirstore.ParseParams(c.query))
		list = append(list, cost{c.name, func(ctx context.Context, s *fhirstore.Store) (int, error) {
			q, err := s.Query(c.typ, params, fhirstore.QueryOptions{Strict: true})
			if err != nil {
				return 0, err
			}
			page, err := s.Search(ctx, all, q)
			if err != nil {
				return 0, err
			}
			return len(page.Matches) + len(page.Included)/10, nil
		}})
	}
	return list
}

// TestCostDoesNotGrow compares what reads and searches cost in a store of 5,000
// with what they cost in one ten times as large, where they find as much. A
// cost is the least of many tries, taken in turn, so that what else the machine
// does is in neither.
func TestCostDoesNotGrow(t *testing.T) {
	if testing.Short() || raceDetector {
		t.Skip("builds a store of 50,000 resources")
	}
	ctx := t.Context()
	small, large := grown(t, 5_000), grown(t, 50_000)
	wall := clock.System{}
	for _, c := range costs(t) {
		t.Run(c.name, func(t *testing.T) {
			least := map[*fhirstore.Store]time.Duration{}
			ratio := 0.0
			for round := range 12 {
				for range 25 {
					for _, s := range []*fhirstore.Store{small, large} {
						begun := wall.Now()
						found, err := c.do(ctx, s)
						took := wall.Now().Sub(begun)
						if err != nil || found < 9 || found > 11 {
							t.Fatalf("found %d, error %v", found, err)
						}
						if least[s] == 0 || took < least[s] {
							least[s] = took
						}
					}
				}
				if ratio = least[large].Seconds() / least[small].Seconds(); ratio < 2 && round > 1 {
					return
				}
			}
			t.Errorf("%v among 5,000, %v among 50,000: %.1f times", least[small], least[large], ratio)
		})
	}
}

var costResources = flag.Int("cost-resources", 1_000_000, "how many Observations BenchmarkCost searches, beside a store of 10,000")

// BenchmarkCost measures reads and searches in a store of many resources beside
// the same in one of 10,000:
//
//	go test ./fhirstore -run '^$' -bench Cost -benchtime 200x -timeout 30m
func BenchmarkCost(b *testing.B) {
	ctx := b.Context()
	wall := clock.System{}
	small := grown(b, 10_000)
	begun := wall.Now()
	large := grown(b, *costResources)
	b.Logf("%d resources loaded and indexed in %v", *costResources, wall.Now().Sub(begun))
	for _, c := range costs(b) {
		b.Run(c.name, func(b *testing.B) {
			took := map[*fhirstore.Store]time.Duration{}
			for b.Loop() { // in turn, so that a drift of the machine's speed meets both
				for _, s := range []*fhirstore.Store{small, large} {
					begun := wall.Now()
					if _, err := c.do(ctx, s); err != nil {
						b.Fatal(err)
					}
					took[s] += wall.Now().Sub(begun)
				}
			}
			b.ReportMetric(float64(took[large].Microseconds())/float64(b.N), "large-us/op")
			b.ReportMetric(float64(took[small].Microseconds())/float64(b.N), "small-us/op")
			b.ReportMetric(took[large].Seconds()/took[small].Seconds(), "of-small-time")
		})
	}
}
