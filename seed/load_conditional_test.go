package seed_test

import (
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/seed"
)

// TestLoadOfConditionalReferencesInNDJSON: bulk exports of Synthea, and SMART's sample data sets,
// refer to their practitioners by identifier, from files that come before theirs by name.
func TestLoadOfConditionalReferencesInNDJSON(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "Encounter.000.ndjson", `{"resourceType":"Encounter","id":"e","participant":[{"individual":{"reference":"Practitioner?identifier=http://hl7.org/fhir/sid/us-npi|9999"}}],`+
		`"serviceProvider":{"reference":"Organization?identifier=urn:x|o"},"location":[{"location":{"reference":"Location?identifier=urn:x|nowhere"}}],"subject":{"reference":"urn:uuid:1"}}`+"\n")
	write(t, dir, "Organization.ndjson", `{"resourceType":"Organization","id":"org","identifier":[{"system":"urn:x","value":"o"}]}`+"\n")
	write(t, dir, "Practitioner.000.ndjson", `{"resourceType":"Practitioner","id":"doc","identifier":[{"system":"http://hl7.org/fhir/sid/us-npi","value":"9999"}]}`+"\n")
	got := load(t, seed.LoadOptions{}, dir)
	if got.err != nil {
		t.Fatal(got.err)
	}
	wantOrder(t, got, "Organization/org", "Practitioner/doc", "Encounter/e")
	for _, want := range []string{`"reference":"Practitioner/doc"`, `"reference":"Organization/org"`, `"reference":"Location?identifier=urn:x|nowhere"`, `"reference":"urn:uuid:1"`} {
		if !strings.Contains(got.json("Encounter/e"), want) {
			t.Errorf("got %s, want %s in it", got.json("Encounter/e"), want)
		}
	}
	if got.report.Warned != 1 || !strings.Contains(got.report.Warnings[0].Reason, "nowhere") {
		t.Errorf("got the warnings %v, want one for the Location", got.report.Warnings)
	}
}
