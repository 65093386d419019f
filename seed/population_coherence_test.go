package seed_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/seed"
)

// A record is a resource with its JSON decoded.
type record struct {
	seed.Resource
	body map[string]any
}

func (r record) key() string { return r.Type + "/" + r.ID }

// patient is the id of the patient that the resource is about, or "".
func (r record) patient() string {
	if r.Type == "Patient" || strings.HasPrefix(r.ID, "pt-") {
		return r.ID[:len("pt-000000")]
	}
	return ""
}

// at returns what lies at a path of names and indices, or nil.
func at(v any, path ...any) any {
	for _, step := range path {
		switch s := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[s]
		case int:
			l, _ := v.([]any)
			if s >= len(l) {
				return nil
			}
			v = l[s]
		}
	}
	return v
}

func text(v any, path ...any) string {
	s, _ := at(v, path...).(string)
	return s
}

// leaves calls f for every string of a value with the dotted names on the way to it.
func leaves(v any, path string, f func(path, s string)) {
	switch v := v.(type) {
	case map[string]any:
		for name, child := range v {
			leaves(child, path+"."+name, f)
		}
	case []any:
		for _, child := range v {
			leaves(child, path, f)
		}
	case string:
		f(path, v)
	}
}

// decode returns the resources of a population and an index of them by type and id.
func decode(t *testing.T, p seed.Population) ([]record, map[string]record) {
	t.Helper()
	var all []record
	index := make(map[string]record)
	for _, r := range generate(t, p) {
		rec := record{Resource: r}
		if err := json.Unmarshal(r.JSON, &rec.body); err != nil {
			t.Fatalf("%s/%s: %v", r.Type, r.ID, err)
		}
		all = append(all, rec)
		index[rec.key()] = rec
	}
	return all, index
}

// moment returns the first instant that a date, dateTime or instant can mean.
func moment(s string) (time.Time, bool) {
	if len(s) < 4 || s[0] < '1' || s[0] > '2' || len(s) > 4 && s[4] != '-' {
		return time.Time{}, false
	}
	for _, form := range []string{time.RFC3339Nano, time.DateOnly, "2006"} {
		if t, err := time.Parse(form, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

var dateName = regexp.MustCompile(`(?i)(date|time|start|end|issued|recorded|authoredOn|created)$`)

func TestReferencesResolve(t *testing.T) {
	t.Parallel()
	all, index := decode(t, seed.Population{Seed: 4, Patients: 50})
	literal := regexp.MustCompile(`^[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}$`)
	count := 0
	for _, r := range all {
		leaves(r.body, r.Type, func(path, s string) {
			if !strings.HasSuffix(path, ".reference") {
				return
			}
			count++
			target, ok := index[s]
			if !ok || !literal.MatchString(s) {
				t.Errorf("%s: %s is %q, which is not in the population", r.key(), path, s)
				return
			}
			if p, q := r.patient(), target.patient(); p != "" && q != "" && p != q {
				t.Errorf("%s: %s is %q, which is another patient's", r.key(), path, s)
			}
			// Decision 7 of the design: an organization's view is complete.
			if r.Organization != "" && target.Organization != "" && r.Organization != target.Organization {
				t.Errorf("%s of %s: %s is %q, which belongs to %s", r.key(), r.Organization, path, s, target.Organization)
			}
		})
	}
	if count < 9_000 {
		t.Errorf("got %d references, want more", count)
	}
}

func TestOrganizations(t *testing.T) {
	t.Parallel()
	all, index := decode(t, seed.Population{Seed: 1, Patients: 40})
	kinds, owners, nested := make(map[string]int), make(map[string]int), 0
	for _, r := range all {
		if r.Organization != "" {
			owner, ok := index["Organization/"+r.Organization]
			if !ok {
				t.Fatalf("%s belongs to %q, which is not there", r.key(), r.Organization)
			}
			owners[text(owner.body, "type", 0, "coding", 0, "code")]++
		} else if r.patient() != "" {
			t.Errorf("%s belongs to nobody", r.key())
		}
		if r.Type != "Organization" {
			continue
		}
		kinds[text(r.body, "type", 0, "coding", 0, "code")]++
		seen := []string{r.key()}
		for next := r; ; {
			parent := text(next.body, "partOf", "reference")
			if parent == "" {
				break
			}
			if slices.Contains(seen, parent) {
				t.Fatalf("%s is a part of itself", parent)
			}
			var ok bool
			if next, ok = index[parent]; !ok {
				t.Fatalf("%s is part of %q, which is not there", r.key(), parent)
			}
			seen, nested = append(seen, parent), nested+1
		}
	}
	if kinds["pay"] < 3 || kinds["prov"] < 4 || nested < 3 {
		t.Errorf("got %v and %d steps of partOf, want three payers, several providers and some nesting", kinds, nested)
	}
	if owners["pay"] == 0 || owners["prov"] == 0 {
		t.Errorf("got owners %v, want payers and providers", owners)
	}
	if kids := index["Organization/provider-mica-kids"]; text(kids.body, "partOf", "reference") != "Organization/provider-mica-clinic" {
		t.Errorf("provider-mica-kids is part of %q", text(kids.body, "partOf", "reference"))
	}
}

func TestDates(t *testing.T) {
	t.Parallel()
	for _, asOf := range []time.Time{newYear, time.Date(2020, 2, 29, 7, 8, 9, 10_000_000, time.UTC), time.Date(2099, 12, 31, 23, 59, 59, 0, time.UTC)} {
		t.Run(asOf.Format(time.DateOnly), func(t *testing.T) {
			t.Parallel()
			all, index := decode(t, seed.Population{Seed: 5, Patients: 100, AsOf: asOf})
			dates := 0
			for _, r := range all {
				if r.At.After(asOf) {
					t.Errorf("%s: At is %v, after %v", r.key(), r.At, asOf)
				}
				birth, death := lifetime(index, r.patient())
				leaves(r.body, "", func(path, s string) {
					when, ok := moment(s)
					if !ok || !dateName.MatchString(path) {
						return
					}
					if strings.HasPrefix(path, ".target") && r.Type == "Goal" {
						return // what is hoped for lies ahead
					}
					if path == ".expirationDate" {
						return
					}
					dates++
					if when.After(r.At) {
						t.Errorf("%s: %s is %s, but it was last updated at %v", r.key(), path, s, r.At)
					}
					if when.Before(birth) {
						t.Errorf("%s: %s is %s, before the birth %v", r.key(), path, s, birth)
					}
					administrative := slices.Contains([]string{"ExplanationOfBenefit", "Claim", "Coverage", "Patient", "Provenance"}, r.Type)
					if !death.IsZero() && when.After(death) && !administrative {
						t.Errorf("%s: %s is %s, after the death %v", r.key(), path, s, death)
					}
				})
				if r.Type == "Encounter" || r.Type == "Condition" {
					inOrder(t, r)
				}
			}
			if dates < 14_000 {
				t.Errorf("looked at %d dates, want more", dates)
			}
		})
	}
}

// lifetime returns a patient's birth and death; zero times where there is none.
func lifetime(index map[string]record, patient string) (birth, death time.Time) {
	p, ok := index["Patient/"+patient]
	if !ok {
		return
	}
	birth, _ = moment(text(p.body, "birthDate"))
	death, _ = moment(text(p.body, "deceasedDateTime"))
	return
}

func inOrder(t *testing.T, r record) {
	t.Helper()
	var last time.Time
	for _, path := range [][]any{{"onsetDateTime"}, {"abatementDateTime"}, {"period", "start"}, {"period", "end"}} {
		if when, ok := moment(text(r.body, path...)); ok {
			if when.Before(last) {
				t.Errorf("%s: %v is %v, before %v", r.key(), path, when, last)
			}
			last = when
		}
	}
	onset, _ := moment(text(r.body, "onsetDateTime"))
	if recorded, ok := moment(text(r.body, "recordedDate")); ok && recorded.Before(onset) {
		t.Errorf("%s: recorded at %v, before the onset %v", r.key(), recorded, onset)
	}
}

// TestWithinEncounter checks that what a visit did was done while it lasted.
func TestWithinEncounter(t *testing.T) {
	t.Parallel()
	all, index := decode(t, seed.Population{Seed: 6, Patients: 60})
	checked := 0
	for _, r := range all {
		visit, ok := index[text(r.body, "encounter", "reference")]
		if !ok {
			continue
		}
		start, _ := moment(text(visit.body, "period", "start"))
		end, _ := moment(text(visit.body, "period", "end"))
		for _, path := range [][]any{{"effectiveDateTime"}, {"performedDateTime"}, {"performedPeriod", "start"}, {"performedPeriod", "end"},
			{"occurrenceDateTime"}, {"authoredOn"}, {"recordedDate"}} {
			if when, ok := moment(text(r.body, path...)); ok {
				checked++
				if when.Before(start) || when.After(end) {
					t.Errorf("%s: %v is %v, outside its encounter from %v to %v", r.key(), path, when, start, end)
				}
			}
		}
	}
	if checked < 3_000 {
		t.Errorf("checked %d, want more", checked)
	}
}

// TestNothingLooksReal checks identifiers, telephone numbers and addresses on the net.
func TestNothingLooksReal(t *testing.T) {
	t.Parallel()
	all, _ := decode(t, seed.Population{Seed: 9, Patients: 60})
	phone := regexp.MustCompile(`^\+1-\d{3}-555-01\d\d$`)
	mail := regexp.MustCompile(`^[a-z0-9.\-]+@([a-z\-]+\.)*example\.(com|org)$`)
	ssn := regexp.MustCompile(`^999-[1-4]\d-\d{4}$`)
	counts := make(map[string]int)
	for _, r := range all {
		for _, c := range list(at(r.body, "telecom")) {
			system, value := text(c, "system"), text(c, "value")
			counts[system]++
			if system == "phone" && !phone.MatchString(value) || system == "email" && !mail.MatchString(value) {
				t.Errorf("%s: %s %q could be somebody's", r.key(), system, value)
			}
		}
		for _, id := range list(at(r.body, "identifier")) {
			system, value := text(id, "system"), text(id, "value")
			counts[system]++
			switch system {
			case "http://hl7.org/fhir/sid/us-npi":
				if value[0] != '9' || !validNPI(value) {
					t.Errorf("%s: NPI %s, want a leading 9 and a valid check digit", r.key(), value)
				}
			case "http://hl7.org/fhir/sid/us-ssn":
				if !ssn.MatchString(value) {
					t.Errorf("%s: SSN %s could be issued", r.key(), value)
				}
			case "urn:oid:2.16.840.1.113883.4.4":
				if !strings.HasPrefix(value, "00-") {
					t.Errorf("%s: the tax number %s could be issued", r.key(), value)
				}
			case "http://hl7.org/fhir/sid/ndc":
				if !strings.HasPrefix(value, "99999") {
					t.Errorf("%s: the drug code %s could be issued", r.key(), value)
				}
			case "urn:oid:2.16.840.1.113883.6.300", "urn:oid:2.16.840.1.113883.4.7":
			default:
				if !strings.HasPrefix(system, "https://example.org/") && !strings.Contains(system, ".example.org/") {
					t.Errorf("%s: identifier system %s is not ours", r.key(), system)
				}
			}
		}
		leaves(r.body, "", func(_, s string) {
			if strings.Contains(s, "http") && strings.Contains(s, ".com") && !strings.Contains(s, "example.com") && !strings.Contains(s, "usps.com") {
				t.Errorf("%s: %q leads to somebody", r.key(), s)
			}
		})
	}
	for _, want := range []string{"phone", "email", "http://hl7.org/fhir/sid/us-npi", "http://hl7.org/fhir/sid/us-ssn"} {
		if counts[want] == 0 {
			t.Errorf("no %s was looked at", want)
		}
	}
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

// validNPI applies the Luhn formula to the number behind the prefix 80840 (45 CFR 162.406).
func validNPI(value string) bool {
	digits, sum := "80840"+value, 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			d = d*2/10 + d*2%10
		}
		sum += d
	}
	return len(value) == 10 && sum%10 == 0
}

// TestBodies checks that what is measured of a body fits together and moves as bodies do.
func TestBodies(t *testing.T) {
	t.Parallel()
	all, _ := decode(t, seed.Population{Seed: 11, Patients: 140})
	height, weight, a1c := make(map[string]float64), make(map[string]float64), make(map[string]float64)
	checked := 0
	for _, r := range all {
		if r.Type != "Observation" {
			continue
		}
		value, _ := at(r.body, "valueQuantity", "value").(float64)
		visit := text(r.body, "encounter", "reference")
		switch text(r.body, "code", "coding", 0, "code") {
		case "8302-2":
			if before := height[r.patient()]; value < before {
				t.Errorf("%s: shrank from %v to %v cm", r.key(), before, value)
			}
			height[r.patient()], height[visit] = value, value
		case "29463-7":
			weight[visit] = value
		case "39156-5":
			checked++
			want := weight[visit] / (height[visit] * height[visit]) * 10_000
			if diff := value - want; diff < -0.06 || diff > 0.06 {
				t.Errorf("%s: got a body mass index of %v, want %.2f", r.key(), value, want)
			}
		case "85354-9":
			upper, okUpper := at(r.body, "component", 0, "valueQuantity", "value").(float64)
			lower, okLower := at(r.body, "component", 1, "valueQuantity", "value").(float64)
			if okUpper && okLower && (upper < 70 || upper > 200 || lower < 35 || lower > upper-15) {
				t.Errorf("%s: got a blood pressure of %v/%v", r.key(), upper, lower)
			}
		case "4548-4":
			if before := a1c[r.patient()]; before > 0 && (value-before > 2.6 || before-value > 2.6) {
				t.Errorf("%s: HbA1c jumped from %v to %v", r.key(), before, value)
			}
			a1c[r.patient()] = value
		}
	}
	if checked < 200 {
		t.Errorf("checked %d body mass indices, want more", checked)
	}
	if len(a1c) < 15 {
		t.Errorf("got HbA1c of %d patients, want more", len(a1c))
	}
}
