package seed_test

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/seed"
)

// FR-BT-07: references to entries become literal ones, everywhere and nothing else.
func TestBundleTransaction(t *testing.T) {
	t.Parallel()
	got := load(t, seed.LoadOptions{}, "testdata/transaction.json")
	if got.err != nil {
		t.Fatal(got.err)
	}
	const one, three = "0a000000-0000-4000-8000-000000000001", "0a000000-0000-4000-8000-000000000003"
	wantOrder(t, got, "Patient/"+one, "Organization/seven", "Observation/"+three)
	want := map[string]string{
		"Patient/" + one: `{"resourceType":"Patient","id":"` + one + `",` +
			`"identifier":[{"system":"urn:ietf:rfc:3986","value":"urn:uuid:` + one + `"}],` +
			`"managingOrganization":{"reference":"Organization/seven"},"photo":[{"url":"Observation/` + three + `"}]}`,
		"Organization/seven": `{"resourceType":"Organization","id":"seven",` +
			`"identifier":[{"system":"http://example.org/org","value":"7"}],` +
			`"extension":[{"url":"http://example.org/x","valueUri":"Patient/` + one + `"}]}`,
		"Observation/" + three: `{"resourceType":"Observation","id":"` + three + `","subject":{"reference":"Patient/` + one + `"},` +
			`"performer":[{"reference":"Organization/seven"},{"reference":"#me"}],` +
			`"contained":[{"resourceType":"Practitioner","id":"me","qualification":[{"issuer":{"reference":"Organization/seven"}}]}],` +
			`"valueQuantity":{"value":1.00}}`,
	}
	for key, json := range want {
		if got.json(key) != json {
			t.Errorf("%s is\n%s, want\n%s", key, got.json(key), json)
		}
	}
	if want := map[string]int64{"DELETE entry": 1, "GET entry": 1}; !maps.Equal(got.report.SkippedBy, want) {
		t.Errorf("skipped %v, want %v", got.report.SkippedBy, want)
	}
	if got.report.Warned != 0 {
		t.Errorf("warnings %v", got.report.Warnings)
	}
}

func bundle(kind string, entries ...string) string {
	return `{"resourceType":"Bundle","type":"` + kind + `","entry":[` + strings.Join(entries, ",") + `]}`
}

func TestBundleEntries(t *testing.T) {
	t.Parallel()
	const patient = `{"resourceType":"Patient","id":"a"}`
	tests := []struct {
		name, bundle string
		want         string // what was emitted
		skipped      string // "reason n"
	}{
		{"collection", bundle("collection", `{"resource":`+patient+`}`), patient, ""},
		{"document", bundle("document", `{"resource":`+patient+`}`), patient, ""},
		{"message", bundle("message", `{"resource":`+patient+`}`), patient, ""},
		{"batch", bundle("batch", `{"resource":`+patient+`,"request":{"method":"POST","url":"Patient"}}`), patient, ""},
		{"searchset with an outcome", bundle("searchset", `{"resource":`+patient+`,"search":{"mode":"match"}}`,
			`{"resource":{"resourceType":"OperationOutcome"},"search":{"mode":"outcome"}}`), patient, "search outcome 1"},
		{"entry members after the entries", `{"entry":[{"resource":` + patient + `}],"total":1,"type":"collection","resourceType":"Bundle"}`, patient, ""},
		{"entry without a resource", bundle("collection", `{"fullUrl":"http://example.org/x"}`), "", "entry without a resource 1"},
		{"PATCH", bundle("transaction", `{"resource":{"resourceType":"Parameters"},"request":{"method":"PATCH","url":"Patient/a"}}`), "", "PATCH entry 1"},
		{"no entries", `{"resourceType":"Bundle","type":"collection"}`, "", ""},
		{"empty entries", bundle("collection"), "", ""},
		{"id of a PUT", bundle("transaction", `{"resource":{"resourceType":"Patient"},"request":{"method":"PUT","url":"Patient/a"}}`), patient, ""},
		{"id of an oid", bundle("collection", `{"fullUrl":"urn:oid:1.2.3","resource":{"resourceType":"Patient","active":true}}`),
			`{"resourceType":"Patient","id":"1.2.3","active":true}`, ""},
		{"Bundle in a Bundle", bundle("collection", `{"resource":{"resourceType":"Bundle","id":"in","type":"collection","entry":[{"resource":`+patient+`}]}}`),
			`{"resourceType":"Bundle","id":"in","type":"collection","entry":[{"resource":` + patient + `}]}`, ""},
		{"reference by fullUrl", bundle("collection", `{"fullUrl":"http://h/Patient/x","resource":`+patient+`}`,
			`{"resource":{"resourceType":"Basic","id":"b","subject":{"reference":"http:\/\/h\/Patient\/x"},"url":"http://h/Patient/x"}}`),
			patient + `{"resourceType":"Basic","id":"b","subject":{"reference":"Patient/a"},"url":"http://h/Patient/x"}`, ""},
		{"canonical url as fullUrl", bundle("collection",
			`{"fullUrl":"urn:oid:1.2","resource":{"resourceType":"ValueSet","id":"v","url":"urn:oid:1.2","compose":{"include":[{"valueSet":["urn:oid:1.2"]}]}}}`),
			`{"resourceType":"ValueSet","id":"v","url":"urn:oid:1.2","compose":{"include":[{"valueSet":["urn:oid:1.2"]}]}}`, ""},
		{"history", bundle("history",
			`{"resource":{"resourceType":"Patient","id":"a","meta":{"versionId":"2","lastUpdated":"2024-01-02T00:00:00Z"}},"request":{"method":"PUT","url":"Patient/a"}}`,
			`{"resource":{"resourceType":"Patient","id":"a","meta":{"versionId":"10","lastUpdated":"2024-01-02T00:00:00Z"},"active":true},"request":{"method":"PUT","url":"Patient/a"}}`,
			`{"resource":{"resourceType":"Patient","id":"a","meta":{"versionId":"1","lastUpdated":"2024-01-01T00:00:00Z"}},"request":{"method":"POST","url":"Patient"}}`),
			`{"resourceType":"Patient","id":"a","meta":{"versionId":"10","lastUpdated":"2024-01-02T00:00:00Z"},"active":true}`, "older version 2"},
		{"history without instants", bundle("history", `{"resource":`+patient+`}`, `{"resource":{"resourceType":"Patient","id":"a","active":true}}`),
			patient, "older version 1"},
		{"history that ends in a deletion", bundle("history",
			`{"request":{"method":"DELETE","url":"Patient/a"},"response":{"status":"204","lastModified":"2024-01-03T00:00:00Z"}}`,
			`{"resource":{"resourceType":"Patient","id":"a","meta":{"lastUpdated":"2024-01-02T00:00:00Z"}},"request":{"method":"PUT","url":"Patient/a"}}`),
			"", "deleted resource 1, older version 1"},
		{"history of a resource that came back", bundle("history",
			`{"resource":`+patient+`,"response":{"status":"200","lastModified":"2024-01-04T00:00:00Z"}}`,
			`{"request":{"method":"DELETE","url":"Patient/a"},"response":{"status":"204","lastModified":"2024-01-03T00:00:00Z"}}`),
			patient, "older version 1"},
	}
	for _, test := range tests {
		for _, ext := range []string{".json", ".ndjson"} {
			t.Run(test.name+ext, func(t *testing.T) {
				t.Parallel()
				got := load(t, seed.LoadOptions{}, write(t, t.TempDir(), "b"+ext, test.bundle))
				if got.err != nil {
					t.Fatal(got.err)
				}
				var emitted strings.Builder
				for _, key := range got.order {
					emitted.WriteString(got.json(key))
				}
				if emitted.String() != test.want {
					t.Errorf("emitted\n%s, want\n%s", &emitted, test.want)
				}
				if skipped := counts(got.report.SkippedBy); skipped != test.skipped {
					t.Errorf("skipped %q, want %q", skipped, test.skipped)
				}
			})
		}
	}
}

func TestBundleProblems(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, bundle, want string }{
		{"no type", `{"resourceType":"Bundle","entry":[]}`, "1:1: the Bundle has no type"},
		{"a response", "{\"resourceType\":\"Bundle\",\"entry\":[\n{},\n{}],\n\"type\":\"batch-response\"}", `4:8: a Bundle of type "batch-response"`},
		{"syntax in an entry", "{\"resourceType\":\"Bundle\",\"type\":\"batch\",\"entry\":[\n{\"resource\":{\"resourceType\":\"Patient\",\"id\":\"a\"}},\n{\"resource\":{1}}]}", "3:14: "},
		{"syntax after the entries", "{\"resourceType\":\"Bundle\",\"type\":\"batch\",\"entry\":[\n{},\n{}],\n\"total\":01}", "4:"},
		{"syntax before the entries", "{\"resourceType\":\"Bundle\",\"total\":01,\"type\":\"batch\",\"entry\":[\n{}]}", "1:"},
		{"comma after the last entry", "{\"resourceType\":\"Bundle\",\"type\":\"batch\",\"entry\":[\n{},\n]}", "2:3: "},
		{"text after the Bundle", bundle("batch", "{}") + "\n}", "2:1: "},
		{"two entry members", `{"resourceType":"Bundle","type":"batch","entry":[],"entry":[{}]}`, "1:"},
		{"unclosed", `{"resourceType":"Bundle","type":"batch","entry":[{"a":"b]}`, "1:"},
		{"entry that is no object", bundle("batch", "[]"), "1:50: an entry is a JSON object"},
		{"entry null", bundle("batch", "null"), "1:50: an entry is a JSON object"},
		{"resource that is no object", bundle("batch", `{"resource":7}`), "1:62: a resource is a JSON object"},
		{"no id to be had", bundle("transaction", "\n"+`{"fullUrl":"http://h/1","resource":{"resourceType":"Patient"}}`), "2:36: Patient has no id"},
		{"a uuid that is no id", bundle("collection", "\n"+`{"fullUrl":"urn:uuid:{x}","resource":{"resourceType":"Patient"}}`), "2:38: Patient has no id"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := write(t, t.TempDir(), "b.json", test.bundle)
			got := load(t, seed.LoadOptions{}, p)
			var problem seed.LoadProblem
			if !errors.As(got.err, &problem) || !strings.HasPrefix(problem.Error(), p+":"+test.want) {
				t.Errorf("error %v, want %s", got.err, test.want)
			}
		})
	}
}

func TestBundleDuplicate(t *testing.T) {
	t.Parallel()
	p := write(t, t.TempDir(), "b.json", "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[\n"+
		"{\"resource\":{\"resourceType\":\"Patient\",\"id\":\"a\"}},\n{\"resource\":\n{\"resourceType\":\"Patient\",\"id\":\"a\"}}]}")
	got := load(t, seed.LoadOptions{KeepGoing: true}, p)
	wantOrder(t, got, "Patient/a")
	want := fmt.Sprintf("%s:4:1: Patient/a stands in this load already: %s:2", p, p)
	if got.report.Bad != 1 || got.report.Problems[0].Error() != want {
		t.Errorf("problems %v, want %s", got.report.Problems, want)
	}
}

// FR-BT-08, as far as a load can: what cannot be resolved stays and is a warning.
func TestBundleConditionalReferences(t *testing.T) {
	t.Parallel()
	organization := func(id, system, value string) string {
		return fmt.Sprintf(`{"resource":{"resourceType":"Organization","id":"%s","identifier":[{"system":"%s","value":"%s"}]}}`, id, system, value)
	}
	referring := func(reference string) string {
		return `{"resource":{"resourceType":"Basic","id":"b","subject":{"reference":"` + reference + `"}}}`
	}
	tests := []struct {
		name, reference string
		want            string // "" when it stays
		reason          string
	}{
		{"system and value", "Organization?identifier=http://s|1", "Organization/one", ""},
		{"value alone", "Organization?identifier=1", "Organization/one", ""},
		{"escaped", "Organization?identifier=http%3A%2F%2Fs%7C1", "Organization/one", ""},
		{"plus sign", "Organization?identifier=http://s|p+1", "Organization/plus", ""},
		{"of an earlier Bundle", "Practitioner?identifier=http://npi|9", "Practitioner/nine", ""},
		{"no match", "Organization?identifier=http://s|0", "", "matches no resource"},
		{"other type", "Location?identifier=http://s|1", "", "matches no resource"},
		{"several matches", "Organization?identifier=2", "", "matches more than one"},
		{"other parameter", "Organization?name=x", "", "not by one identifier"},
		{"two parameters", "Organization?identifier=1&name=x", "", "not by one identifier"},
		{"missing entry", "urn:uuid:0", "", "means no entry"},
		{"entry twice", "urn:uuid:2", "", "means more than one entry"},
		{"literal", "Organization/one", "", ""},
		{"foreign", "http://other/Organization/one?x", "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, dir, "practitionerInformation.json", bundle("batch",
				`{"resource":{"resourceType":"Practitioner","id":"nine","identifier":[{"system":"http://npi","value":"9"}]}}`,
				`{"resource":{"resourceType":"Encounter","id":"e","identifier":[{"system":"http://s","value":"0"}]}}`))
			write(t, dir, "a.json", bundle("transaction",
				organization("one", "http://s", "1"), organization("two", "http://s", "2"), organization("plus", "http://s", "p+1"),
				referring(test.reference), organization("deux", "http://t", "2"),
				`{"fullUrl":"urn:uuid:2","resource":{"resourceType":"Patient","id":"x"}}`,
				`{"fullUrl":"urn:uuid:2","resource":{"resourceType":"Patient","id":"y"}}`))
			got := load(t, seed.LoadOptions{}, dir)
			want := test.want
			if want == "" {
				want = test.reference
			}
			if json := got.json("Basic/b"); !strings.Contains(json, `"reference":"`+want+`"`) {
				t.Errorf("emitted %s, want a reference to %s", json, want)
			}
			if warned := got.report.Warned == 1; warned != (test.reason != "") ||
				warned && !strings.Contains(got.report.Warnings[0].Reason, test.reason) {
				t.Errorf("warnings %v, want %q", got.report.Warnings, test.reason)
			}
		})
	}
}

func counts(by map[string]int64) string {
	var parts []string
	for _, reason := range []string{"deleted resource", "entry without a resource", "older version", "PATCH entry", "search outcome"} {
		if n := by[reason]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", reason, n))
		}
	}
	return strings.Join(parts, ", ")
}
