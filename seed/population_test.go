package seed_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/seed"
)

var newYear = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

func generate(tb testing.TB, p seed.Population) []seed.Resource {
	tb.Helper()
	var got []seed.Resource
	if err := p.Generate(context.Background(), func(r seed.Resource) error { got = append(got, r); return nil }); err != nil {
		tb.Fatalf("Generate: %v", err)
	}
	return got
}

// fingerprint is a hash over everything that is emitted.
func fingerprint(resources []seed.Resource) string {
	h := sha256.New()
	for _, r := range resources {
		fmt.Fprintf(h, "%s %s %q %d %s\n", r.Type, r.ID, r.Organization, r.At.UnixMilli(), r.JSON)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// TestGolden holds the bytes of this Version. Where they change on purpose, raise seed.Version
// and put the new hashes here.
func TestGolden(t *testing.T) {
	t.Parallel()
	if seed.Version != "6" {
		t.Errorf("got Version %q, but the hashes below are of version 6", seed.Version)
	}
	cases := []struct {
		name string
		p    seed.Population
		want string
	}{
		{"a hundred patients", seed.Population{Seed: 1, Patients: 100}, "4329677c3c2b32b48234c4cb63459a85221ea3a3bd23b03503baa84e8cbf7f9b"},
		{"nobody", seed.Population{Seed: 1}, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}, // of nothing
		{"the zero seed", seed.Population{Patients: 10}, "6fe1e6faba410226adf52d6def90e5435a54ae129352a68f4f0afae0bedb85e5"},
		{"thirty days later", seed.Population{Seed: 1, Patients: 20, Days: 30}, "93c33d3477217f595fede04f945dcddbfc1be9d26172495178b307fc37b40796"},
		{"small records", seed.Population{Seed: 1, Patients: 20, Richness: seed.Small}, "d9b2a56dfd9a8f383c70a1a62b98c469238e11017da0c9e3cd7db4e5a5c350fd"},
		{"full records", seed.Population{Seed: 1, Patients: 20, Richness: seed.Full}, "090f29aac4d654bdf36e6116edb7647bc2870135296f6f71d340d72571c755d8"},
		{"another instant", seed.Population{Seed: 1, Patients: 10, AsOf: time.Date(2031, 7, 9, 11, 30, 0, 0, time.UTC)}, "94ffaaa62b884ef72623cb5543b486fe61cf467419da9baa299e81646b7d3718"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := fingerprint(generate(t, tc.p)); got != tc.want {
				t.Errorf("got hash %s, want %s", got, tc.want)
			}
		})
	}
}

func TestSameSeedSameBytes(t *testing.T) {
	t.Parallel()
	p := seed.Population{Seed: 7, Patients: 20}
	first := fingerprint(generate(t, p))
	for _, tc := range []struct {
		name string
		p    seed.Population
		same bool
	}{
		{"again", p, true},
		{"the default instant, given", seed.Population{Seed: 7, Patients: 20, AsOf: newYear}, true},
		{"the default instant, in another zone and finer", seed.Population{Seed: 7, Patients: 20,
			AsOf: newYear.Add(300 * time.Microsecond).In(time.FixedZone("", 5*3600))}, true},
		{"another seed", seed.Population{Seed: 8, Patients: 20}, false},
		{"another instant", seed.Population{Seed: 7, Patients: 20, AsOf: newYear.Add(24 * time.Hour)}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := fingerprint(generate(t, tc.p)) == first; got != tc.same {
				t.Errorf("got the same bytes: %v, want %v", got, tc.same)
			}
		})
	}
}

func TestPatientIsIndependentOfSize(t *testing.T) {
	t.Parallel()
	small, large := generate(t, seed.Population{Seed: 3, Patients: 20}), generate(t, seed.Population{Seed: 3, Patients: 200})
	if len(small) < 21 {
		t.Fatalf("got %d resources, want more", len(small))
	}
	for i, want := range small {
		if want.Type == "Group" {
			break // the groups come last and are as large as the population
		}
		got := large[i]
		if !bytes.Equal(got.JSON, want.JSON) || !got.At.Equal(want.At) || got.Organization != want.Organization {
			t.Fatalf("resource %d: got %s of %v in the large population, want %s of %v", i, got.JSON, got.At, want.JSON, want.At)
		}
	}
}

func TestOrderOfEmission(t *testing.T) {
	t.Parallel()
	stage, patient := 0, 0 // 0 context, 1 patients, 2 groups
	for _, r := range generate(t, seed.Population{Seed: 1, Patients: 30}) {
		switch {
		case slices.Contains([]string{"Organization", "Location", "Practitioner", "Endpoint", "PractitionerRole", "Medication"}, r.Type):
			if stage != 0 {
				t.Fatalf("%s/%s comes after a patient or group", r.Type, r.ID)
			}
		case r.Type == "Group":
			stage = 2
		case r.Type == "Patient":
			stage, patient = max(stage, 1), patient+1
			if want := fmt.Sprintf("pt-%06d", patient); r.ID != want || stage != 1 {
				t.Fatalf("got Patient/%s in stage %d, want %s before the groups", r.ID, stage, want)
			}
		default:
			if want := fmt.Sprintf("pt-%06d-", patient); !strings.HasPrefix(r.ID, want) || stage != 1 {
				t.Fatalf("%s/%s is not with the patient %s", r.Type, r.ID, want)
			}
		}
	}
	if stage != 2 || patient != 30 {
		t.Errorf("got %d patients and stage %d, want 30 and groups last", patient, stage)
	}
}

// TestForm checks what the contract says of every line by itself.
func TestForm(t *testing.T) {
	t.Parallel()
	validID := regexp.MustCompile(`^[A-Za-z0-9\-.]{1,64}$`) // FHIR R4, datatypes, id
	seen := make(map[string]bool)
	for _, r := range generate(t, seed.Population{Seed: 2, Patients: 30}) {
		key := r.Type + "/" + r.ID
		if seen[key] {
			t.Errorf("%s is there twice", key)
		}
		seen[key] = true
		if !validID.MatchString(r.ID) {
			t.Errorf("%s: the id is not valid", key)
		}
		head := fmt.Sprintf(`{"resourceType":%q,"id":%q,"meta":{`, r.Type, r.ID)
		if !bytes.HasPrefix(r.JSON, []byte(head)) {
			t.Errorf("%s does not begin with %s: %.90s", key, head, r.JSON)
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, r.JSON); err != nil {
			t.Errorf("%s is not JSON: %v", key, err)
		} else if !bytes.Equal(compact.Bytes(), r.JSON) || bytes.ContainsAny(r.JSON, "\n\r") {
			t.Errorf("%s is not one compact line", key)
		}
		var parsed struct {
			Meta struct {
				VersionID   *string                         `json:"versionId"`
				LastUpdated *string                         `json:"lastUpdated"`
				Profile     []string                        `json:"profile"`
				Security    []struct{ System, Code string } `json:"security"`
			} `json:"meta"`
		}
		if err := json.Unmarshal(r.JSON, &parsed); err != nil {
			t.Errorf("%s: %v", key, err)
		}
		if parsed.Meta.VersionID != nil || parsed.Meta.LastUpdated != nil {
			t.Errorf("%s sets what is the store's to set", key)
		}
		if s := parsed.Meta.Security; len(s) != 1 || s[0].Code != "HTEST" || s[0].System != "http://terminology.hl7.org/CodeSystem/v3-ActReason" {
			t.Errorf("%s has the security labels %v, want HTEST", key, s)
		}
		if len(parsed.Meta.Profile) == 0 && !slices.Contains([]string{"Group", "Binary", "Claim", "Endpoint"}, r.Type) {
			t.Errorf("%s claims no profile", key)
		}
		if r.At.IsZero() || r.At.After(newYear) || r.At.Location() != time.UTC || r.At.Nanosecond()%1_000_000 != 0 {
			t.Errorf("%s: At is %v, want an instant in UTC to the millisecond, not after %v", key, r.At, newYear)
		}
		if err := repeatedName(r.JSON); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// repeatedName returns an error for an object that has a name twice, which encoding/json accepts.
func repeatedName(raw []byte) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	var walk func() error
	walk = func() error {
		tok, err := d.Token()
		if err != nil {
			return err
		}
		open, ok := tok.(json.Delim)
		if !ok {
			return nil
		}
		names := make(map[string]bool)
		for d.More() {
			if open == '{' {
				name, err := d.Token()
				if err != nil {
					return err
				}
				if names[name.(string)] {
					return fmt.Errorf("the name %q is there twice", name)
				}
				names[name.(string)] = true
			}
			if err := walk(); err != nil {
				return err
			}
		}
		_, err = d.Token()
		return err
	}
	return walk()
}

// TestSizes checks how much is known of people who are no personas.
func TestSizes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		richness seed.Richness
		from, to int // resources a patient, on average
	}{{seed.Small, 25, 60}, {seed.Usual, 85, 130}, {seed.Full, 260, 450}} {
		for s := range uint64(3) {
			t.Run(fmt.Sprintf("%q seed %d", tc.richness, s), func(t *testing.T) {
				t.Parallel()
				count, size := 0, 0
				for _, r := range generate(t, seed.Population{Seed: s, Patients: 100, Richness: tc.richness}) {
					if strings.HasPrefix(r.ID, "pt-") && r.ID[:9] > "pt-000012" {
						count++
						size += len(r.JSON)
					}
				}
				if mean := count / 88; mean < tc.from || mean > tc.to {
					t.Errorf("got %d resources a patient, want %d to %d", mean, tc.from, tc.to)
				}
				if mean := size / count; mean < 900 || mean > 1750 {
					t.Errorf("got %d bytes a resource, want about 1,500", mean)
				}
			})
		}
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		p    seed.Population
		ok   bool
	}{
		{"the zero value is an empty population", seed.Population{}, true},
		{"the most", seed.Population{Patients: seed.MaxPatients}, true},
		{"fewer than none", seed.Population{Patients: -1}, false},
		{"too many", seed.Population{Patients: seed.MaxPatients + 1}, false},
		{"as early as can be", seed.Population{AsOf: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)}, true},
		{"too early", seed.Population{AsOf: time.Date(2019, 12, 31, 23, 59, 59, 0, time.UTC)}, false},
		{"as late as can be", seed.Population{AsOf: time.Date(2099, 12, 31, 23, 59, 59, 0, time.UTC)}, true},
		{"too late", seed.Population{AsOf: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}, false},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			err := tc.p.Validate()
			if (err == nil) != tc.ok || err != nil && !errors.Is(err, seed.ErrPopulation) {
				t.Errorf("got %v, want success: %v", err, tc.ok)
			}
			if tc.ok {
				return
			}
			err = tc.p.Generate(context.Background(), func(seed.Resource) error { t.Error("something was emitted"); return nil })
			if !errors.Is(err, seed.ErrPopulation) {
				t.Errorf("Generate: got %v, want ErrPopulation", err)
			}
		})
	}
}

func TestGenerateStops(t *testing.T) {
	t.Parallel()
	full := errors.New("full")
	t.Run("at the first error of emit", func(t *testing.T) {
		t.Parallel()
		for _, after := range []int{1, 5, 60, 300} {
			calls := 0
			err := seed.Population{Seed: 1, Patients: 5}.Generate(context.Background(), func(seed.Resource) error {
				if calls++; calls == after {
					return full
				}
				return nil
			})
			if err != full || calls != after {
				t.Errorf("got %v after %d calls, want the error of call %d as it is", err, calls, after)
			}
		}
	})
	t.Run("when the context ends", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(context.Background())
		patients := 0
		err := seed.Population{Seed: 1, Patients: 100}.Generate(ctx, func(r seed.Resource) error {
			if r.Type == "Patient" {
				if patients++; patients == 3 {
					cancel()
				}
			}
			return nil
		})
		if !errors.Is(err, context.Canceled) || patients != 3 {
			t.Errorf("got %v after %d patients, want context.Canceled after 3", err, patients)
		}
	})
}

func TestEmittedBytesAreKept(t *testing.T) {
	t.Parallel()
	var got, copies [][]byte
	err := seed.Population{Seed: 1, Patients: 5}.Generate(context.Background(), func(r seed.Resource) error {
		got, copies = append(got, r.JSON), append(copies, bytes.Clone(r.JSON))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range got {
		if !bytes.Equal(got[i], copies[i]) {
			t.Fatalf("resource %d changed after it was emitted", i)
		}
	}
}

func BenchmarkGenerate(b *testing.B) {
	b.ReportAllocs()
	resources, size := 0, 0
	for i := range b.N {
		err := seed.Population{Seed: uint64(i), Patients: 100}.Generate(context.Background(), func(r seed.Resource) error {
			resources++
			size += len(r.JSON)
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(resources)/b.Elapsed().Seconds(), "resources/s")
	b.SetBytes(int64(size / b.N))
}
