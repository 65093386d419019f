package fhirstore_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/clock"
)

// sample is a little of everything that searches look at.
var sample = []string{
	`{"resourceType":"Organization","id":"payer","name":"Payer","partOf":{}}`,
	`{"resourceType":"Organization","id":"branch","name":"Branch","partOf":{"reference":"Organization/payer"}}`,
	`{"resourceType":"Patient","id":"a","active":true,"gender":"female","birthDate":"1980-05-17","identifier":[{"system":"urn:mrn","value":"M-1"}],"name":[{"family":"Müller-Lüdenscheidt","given":["Ana","Béatrice"]}],"address":[{"city":"Springfield","line":["1 Main St"]}]}`,
	`{"resourceType":"Patient","id":"b","active":false,"gender":"male","birthDate":"1980-05","identifier":[{"value":"M-2"}],"name":[{"family":"Smith","given":["Bob"]},{"family":"Smythe"}]}`,
	`{"resourceType":"Patient","id":"c","name":[{"text":"C, \"the\" $ilent | pipe"}],"telecom":[{"system":"email","value":"c@example.org"}]}`,
	`{"resourceType":"Observation","id":"o1","status":"final","subject":{"reference":"Patient/a"},"code":{"coding":[{"system":"http://loinc.org","code":"4548-4"},{"code":"local"}]},"category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory"}]}],"effectiveDateTime":"2026-01-14T10:00:00Z","valueQuantity":{"value":6.30,"unit":"percent","system":"http://unitsofmeasure.org","code":"%"}}`,
	`{"resourceType":"Observation","id":"o2","status":"amended","subject":{"reference":"Patient/a"},"code":{"coding":[{"system":"http://loinc.org","code":"8867-4"}]},"category":[{"coding":[{"code":"vital-signs"}]}],"effectivePeriod":{"start":"2026-01-10","end":"2026-01-20"},"valueQuantity":{"value":72,"unit":"/min"}}`,
	`{"resourceType":"Observation","id":"o3","status":"final","subject":{"reference":"Patient/b"},"code":{"coding":[{"system":"http://loinc.org","code":"4548-4"}]},"effectivePeriod":{"start":"2026-02-01"},"valueQuantity":{"value":100}}`,
	`{"resourceType":"Condition","id":"c1","subject":{"reference":"Patient/a"},"onsetDateTime":"2020","encounter":{"reference":"Encounter/e/_history/3"}}`,
	`{"resourceType":"Condition","id":"c2","subject":{"reference":"http://elsewhere/fhir/Patient/a"},"onsetDateTime":"2020-06-15"}`,
	`{"resourceType":"Provenance","id":"v1","target":[{"reference":"Observation/o1"}],"recorded":"2026-01-14T10:00:00Z","agent":[{"who":{"reference":"Organization/payer"}}]}`,
	`{"resourceType":"RiskAssessment","id":"r1","status":"final","subject":{"reference":"Patient/a"},"prediction":[{"probabilityDecimal":0.02}]}`,
	`{"resourceType":"ValueSet","id":"s1","status":"active","url":"http://example.org/vs/One","version":"1"}`,
	`{"resourceType":"QuestionnaireResponse","id":"q1","status":"completed","questionnaire":"http://example.org/q|1.0"}`,
	`{"resourceType":"QuestionnaireResponse","id":"q2","status":"completed","questionnaire":"http://example.org/q"}`,
	`{"resourceType":"ServiceRequest","id":"t1","meta":{"source":"urn:feed","profile":["http://example.org/profile"],"security":[{"code":"R"}],"tag":[{"system":"urn:t","code":"one"}]},"status":"active","intent":"order","subject":{"display":"x"},"occurrenceTiming":{"event":["2026-03-01T08:00:00Z","2026-03-20"]}}`,
	`{"resourceType":"MedicationRequest","id":"m1","status":"active","intent":"order","subject":{"reference":"Patient/a"},"contained":[{"resourceType":"Medication","id":"x"}],"medicationReference":{"reference":"#x"}}`,
}

func TestSearch(t *testing.T) {
	t.Parallel()
	cases := []struct{ id, query, want string }{
		{"all", "Patient?", "a b c"},
		{"_id", "Patient?_id=b,c,zz", "b c"},
		{"_id is exact", "Patient?_id=B", ""},
		{"FR-SE-07 empty value", "Patient?name=", "a b c"},
		{"FR-SE-04 comma is OR", "Patient?gender=female,male", "a b"},
		{"FR-SE-04 repeated is AND", "Patient?name=smith&name=bob", "b"},
		{"FR-SE-04 repeated is AND over values", "Patient?name=smith&name=smythe", "b"},
		{"FR-SE-04 escaped", `Patient?name=C\, "the" \$ilent \| pipe`, "c"},

		{"FR-ST-03 without case", "Patient?name=ana", "a"},
		{"FR-ST-03 without accents", "Patient?given=beatrice", "a"},
		{"FR-ST-03 accent in the query", "Patient?family=MÜLLER", "a"},
		{"FR-ST-03 part of a family name", "Patient?family=ludenscheidt", "a"},
		{"FR-ST-03 starts with, not contains", "Patient?name=mith", ""},
		{"FR-ST-03 address line", "Patient?address=1 main", "a"},
		{"FR-MO-02 :contains", "Patient?name:contains=MYTH", "b"},
		{"FR-MO-02 :exact", "Patient?family:exact=Smith", "b"},
		{"FR-MO-02 :exact minds case", "Patient?family:exact=smith", ""},
		{"FR-MO-01 :missing=true", "Patient?birthdate:missing=true", "c"},
		{"FR-MO-01 :missing=false", "Patient?identifier:missing=false", "a b"},

		{"FR-ST-04 code", "Observation?code=4548-4", "o1 o3"},
		{"FR-ST-04 system|code", "Observation?code=http://loinc.org|4548-4", "o1 o3"},
		{"FR-ST-04 other system", "Observation?code=http://snomed.info/sct|4548-4", ""},
		{"FR-ST-04 |code", "Observation?code=|local", "o1"},
		{"FR-ST-04 |code with a system", "Observation?code=|4548-4", ""},
		{"FR-ST-04 system|", "Patient?identifier=urn:mrn|", "a"},
		{"FR-ST-04 without case", "Patient?identifier=m-1", "a"},
		{"FR-ST-04 boolean", "Patient?active=false", "b"},
		{"FR-ST-04 implied system", "Patient?gender=http://hl7.org/fhir/administrative-gender|male", "b"},
		{"FR-ST-04 implied system, any code", "Patient?gender=http://hl7.org/fhir/administrative-gender|", "a b"},
		{"FR-ST-04 system that is not the implied one", "Patient?gender=http://x|male", ""},
		{"FR-ST-04 system that is not the implied one, any code", "Patient?gender=http://x|", ""},
		{"FR-ST-04 contact point", "Patient?email=c@example.org", "c"},
		{"FR-ST-04 escaped | of a contact point", `Patient?email=c@example.org\|x`, ""},
		{"FR-MO-03 :not", "Observation?status:not=final", "o2"},
		{"FR-MO-03 :not finds those without a value", "Observation?category:not=laboratory", "o2 o3"},

		{"FR-ST-05 id", "Observation?patient=a", "o1 o2"},
		{"FR-ST-05 Type/id", "Observation?subject=Patient/a", "o1 o2"},
		{"FR-ST-05 own base", "Observation?patient=http://here/fhir/Patient/a", "o1 o2"},
		{"FR-ST-05 other base", "Condition?subject=http://elsewhere/fhir/Patient/a", "c2"},
		{"FR-ST-05 versioned reference", "Condition?encounter=Encounter/e", "c1"},
		{"FR-MO-04 :Type", "Observation?subject:Patient=b", "o3"},

		{"FR-ST-05 canonical", "QuestionnaireResponse?questionnaire=http://example.org/q", "q1 q2"},
		{"FR-ST-05 canonical with a version", "QuestionnaireResponse?questionnaire=http://example.org/q|1.0", "q1"},
		{"FR-ST-05 canonical of another version", "QuestionnaireResponse?questionnaire=http://example.org/q|2.0", ""},
		{"FR-ST-02 day holds the time", "Observation?date=2026-01-14", "o1"},
		{"FR-ST-02 period within", "Observation?date=2026-01", "o1 o2"},
		{"FR-ST-02 open period is not within", "Observation?date=2026-02", ""},
		{"FR-MO-06 ge", "Observation?date=ge2026-01-15", "o2 o3"},
		{"FR-MO-06 ge holds the day", "Observation?date=ge2026-01-14", "o1 o2 o3"},
		{"FR-MO-06 gt day", "Observation?date=gt2026-01-14", "o2 o3"},
		{"FR-MO-06 lt", "Observation?date=lt2026-01-14", "o2"},
		{"FR-MO-06 le", "Observation?date=le2026-01-14", "o1 o2"},
		{"FR-MO-06 sa", "Observation?date=sa2026-01-14", "o3"},
		{"FR-MO-06 eb", "Observation?date=eb2026-01-15", "o1"},
		{"FR-MO-06 ne", "Observation?date=ne2026-01-14", "o2 o3"},
		{"FR-ST-02 AND of two", "Observation?date=ge2026-01-12&date=lt2026-02", "o1 o2"},
		{"FR-ST-02 year on both sides", "Condition?onset-date=2020", "c1 c2"},
		{"FR-ST-02 year is not within a day", "Condition?onset-date=2020-06-15", "c2"},
		{"FR-ST-02 zone", "Observation?date=2026-01-14T11:00:00%2B01:00", "o1"},
		{"FR-MO-07 FR-MO-05 ap", "Condition?onset-date=ap2020-06", "c1 c2"},
		{"FR-ST-02 Timing by its bounds", "ServiceRequest?occurrence=2026-03", "t1"},
		{"FR-ST-02 Timing from its first event", "ServiceRequest?occurrence=lt2026-03-02", "t1"},
		{"FR-ST-02 Timing until its last event", "ServiceRequest?occurrence=gt2026-03-19", "t1"},
		{"FR-ST-02 Timing beyond", "ServiceRequest?occurrence=sa2026-03-19", ""},
		{"FR-SE-08 _tag", "ServiceRequest?_tag=urn:t|one", "t1"},
		{"FR-SE-08 _security", "ServiceRequest?_security=R", "t1"},
		{"FR-SE-08 _profile", "ServiceRequest?_profile=http://example.org/profile", "t1"},
		{"FR-SE-08 _profile minds case", "ServiceRequest?_profile=http://example.org/Profile", ""},
		{"FR-SE-08 _source", "ServiceRequest?_source=urn:feed", "t1"},
		{"FR-ST-02 birth month", "Patient?birthdate=1980-05", "a b"},
		{"FR-ST-02 birth day", "Patient?birthdate=1980-05-17", "a"},

		{"FR-ST-06 implicit precision", "Observation?value-quantity=6.3", "o1"},
		{"FR-ST-06 finer precision", "Observation?value-quantity=6.30", "o1"},
		{"FR-ST-06 beyond precision", "Observation?value-quantity=6.35", ""},
		{"FR-ST-06 system and code", "Observation?value-quantity=6.3|http://unitsofmeasure.org|%25", "o1"},
		{"FR-ST-06 other code", "Observation?value-quantity=6.3|http://unitsofmeasure.org|mg", ""},
		{"FR-ST-06 unit", "Observation?value-quantity=72||/min", "o2"},
		{"FR-MO-05 gt", "Observation?value-quantity=gt72", "o3"},
		{"FR-MO-05 le", "Observation?value-quantity=le72", "o1 o2"},
		{"FR-ST-01 number", "RiskAssessment?probability=gt0.01", "r1"},
		{"FR-ST-01 precision of 1e2", "Observation?value-quantity=1e2", "o2 o3"},
		{"FR-ST-07 uri", "ValueSet?url=http://example.org/vs/One", "s1"},
		{"FR-ST-07 uri minds case", "ValueSet?url=http://example.org/vs/one", ""},

		{"FR-UC-30 any order", "Observation?code=4548-4&patient=a", "o1"},
		{"FR-UC-30 three", "Observation?category=laboratory&patient=a&date=ge2026-01-01", "o1"},
		{"_lastUpdated", "Patient?_lastUpdated=ge2026-03-01", "a b c"},
		{"_lastUpdated before", "Patient?_lastUpdated=lt2026-03-01", ""},
		{"FR-RC-13 no match", "Patient?name=nobody", ""},
	}
	stores(t, func(t *testing.T, s *fhirstore.Store, _ *clock.Adjustable) {
		put(t, s, sample...)
		for _, c := range cases {
			typ, query, _ := strings.Cut(c.query, "?")
			page := search(t, s, all, typ, query)
			if got := ids(page); got != c.want {
				t.Errorf("%s: %s found %q; want %q", c.id, c.query, got, c.want)
			}
			if int(page.Total) != len(page.Matches) {
				t.Errorf("%s: %s has total %d and %d matches", c.id, c.query, page.Total, len(page.Matches))
			}
			checkEvaluators(t, s, typ, query)
		}
	})
}

// checkEvaluators puts a query to every resource alone, as the constraint of a
// read, and compares with what the search over the index finds.
func checkEvaluators(t *testing.T, s *fhirstore.Store, typ, query string) {
	t.Helper()
	if query == "" || strings.HasSuffix(query, "=") {
		return
	}
	found := map[string]bool{}
	for _, r := range search(t, s, all, typ, strings.ReplaceAll(query, "http://here/fhir/", "")).Matches {
		found[r.ID] = true
	}
	v := fhirstore.View{Permissions: []fhirstore.Permission{{Type: typ, Letters: fhirstore.AllLetters, Query: strings.ReplaceAll(query, "http://here/fhir/", "")}}}
	for _, r := range search(t, s, all, typ, "").Matches {
		_, err := s.Read(t.Context(), v, typ, r.ID)
		var forbidden *fhirstore.ForbiddenError
		if err != nil && !errors.As(err, &forbidden) {
			t.Fatalf("read under %s: %v", query, err)
		}
		if (err == nil) != found[r.ID] {
			t.Errorf("%s?%s: the index says %v for %s, the resource itself says %v", typ, query, found[r.ID], r.ID, err == nil)
		}
	}
}

func TestRefusedQueries(t *testing.T) {
	t.Parallel()
	s := must(fhirstore.Open(t.Context(), "", fhirstore.Options{}))
	defer s.Close()
	for _, c := range []struct{ id, query, code string }{
		{"FR-SE-05 unknown parameter", "Patient?nome=x", "not-supported"},
		{"FR-SE-05 modifier of another kind", "Patient?name:not=x", "not-supported"},
		{"FR-SE-05 unknown modifier", "Observation?code:in=x", "not-supported"},
		{"FR-SE-06 date", "Patient?birthdate=17.5.1980", "value"},
		{"FR-SE-06 time without zone digits", "Patient?birthdate=1980-13", "value"},
		{"FR-SE-06 number", "RiskAssessment?probability=much", "value"},
		{"FR-SE-06 infinite number", "RiskAssessment?probability=Inf", "value"},
		{"FR-SE-06 empty token", "Observation?code=|", "value"},
		{"FR-ST-04 pipe of a boolean", "Patient?active=|true", "value"},
		{"FR-ST-04 pipe of a contact point", "Patient?telecom=phone|555", "value"},
		{"FR-ST-04 pipe of a uri", "Subscription?contact=urn:x|y", "value"},
		{"FR-ST-02 hours without minutes", "Observation?date=2026-01-14T10", "value"},
		{"FR-SE-06 reference", "Observation?subject=a$b", "value"},
		{"FR-SE-08 _query", "Patient?_query=mine", "not-supported"},
		{"FR-SE-08 functional _list", "Patient?_list=$current-problems", "not-supported"},
		{"FR-SE-08 modifier of _list", "Patient?_list:not=a", "not-supported"},
		{"FR-RC-11 _contained", "Patient?_contained=true", "not-supported"},
		{"FR-ST-09 special", "Location?near=1|2", "not-supported"},
		{"FR-MO-01 :missing", "Patient?name:missing=maybe", "value"},
		{"FR-RC-04 _count", "Patient?_count=-1", "value"},
		{"_total", "Patient?_total=some", "value"},
		{"FR-RC-05 page token", "Patient?_page=xx", "value"},
	} {
		typ, query, _ := strings.Cut(c.query, "?")
		params := must(fhirstore.ParseParams(query))
		_, err := s.Query(typ, params, fhirstore.QueryOptions{Strict: true})
		var refused *fhirstore.QueryError
		if !errors.As(err, &refused) || refused.Code != c.code {
			t.Errorf("%s: %s gives %v; want the code %s", c.id, c.query, err, c.code)
		}
	}
	for encoded, place := range map[string]string{
		"_id=a&name=%zz":          `the value of the parameter "name" has "%zz"`,
		"name=a%2":                `the value of the parameter "name" has "%2"`,
		"na%me=a":                 `the name of the parameter "na%me" has "%me"`,
		"name=%C3%A9%EF%BF%BD%ff": `the value of the parameter "name" is not UTF-8 once it is decoded: its byte 6 is FF`,
		"name=\xc3":               `the value of the parameter "name" is not UTF-8 once it is decoded: its byte 1 is C3`,
		"%c3%28=a":                `the name of the parameter "%c3%28" is not UTF-8`,
	} {
		_, err := fhirstore.ParseParams(encoded)
		var refused *fhirstore.QueryError
		if !errors.As(err, &refused) || refused.Code != "invalid" || !strings.HasPrefix(refused.Message, place) {
			t.Errorf("%q: got %v, want invalid: %s", encoded, err, place)
		}
	}
	if got := must(fhirstore.ParseParams("name=%C3%A9%EF%BF%BD+b%2B")); got[0].Value != "é\uFFFD b+" {
		t.Errorf("got %q", got)
	}
	q := must(s.Query("Patient", []fhirstore.Param{{Name: "nome", Value: "x"}, {Name: "name", Value: "y"}}, fhirstore.QueryOptions{}))
	if len(q.Ignored) != 1 || len(q.Used) != 1 || q.Used[0].Name != "name" {
		t.Errorf("FR-RC-02 lenient: ignored %v, used %v; want nome ignored and name used", q.Ignored, q.Used)
	}
}

func TestPagesWhileOthersWrite(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, s *fhirstore.Store, _ *clock.Adjustable) {
		for i := range 25 {
			put(t, s, fmt.Sprintf(`{"resourceType":"Patient","id":"p%02d","active":true}`, i))
		}
		seen := map[string]int{}
		next := ""
		for page := 0; ; page++ {
			result := search(t, s, all, "Patient", "active=true&_count=10"+next)
			if len(result.Matches) > 10 {
				t.Fatalf("FR-RC-04 a page of %d", len(result.Matches))
			}
			for _, r := range result.Matches {
				seen[r.ID]++
			}
			// While pages are read, one resource changes, one goes, one comes.
			put(t, s, fmt.Sprintf(`{"resourceType":"Patient","id":"p%02d","active":true,"gender":"male"}`, page))
			if _, err := s.Delete(t.Context(), all, "Patient", "p24", fhirstore.Condition{}); err != nil {
				t.Fatal(err)
			}
			put(t, s, fmt.Sprintf(`{"resourceType":"Patient","id":"new%d","active":true}`, page))
			if result.Next == "" {
				break
			}
			next = "&" + fhirstore.NextParam + "=" + result.Next
		}
		for i := range 24 {
			if id := fmt.Sprintf("p%02d", i); seen[id] != 1 {
				t.Errorf("FR-RC-05 %s appeared %d times", id, seen[id])
			}
		}
	})
}

func TestIncludes(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, s *fhirstore.Store, _ *clock.Adjustable) {
		put(t, s, sample...)
		included := func(v fhirstore.View, query string) string {
			var list []string
			typ, query, _ := strings.Cut(query, "?")
			for _, r := range search(t, s, v, typ, query).Included {
				list = append(list, r.Type+"/"+r.ID)
			}
			return strings.Join(list, " ")
		}
		for _, c := range []struct{ id, query, want string }{
			{"FR-RC-08 _include", "Observation?_id=o1&_include=Observation:subject", "Patient/a"},
			{"FR-RC-08 once", "Observation?patient=a&_include=Observation:subject&_include=Observation:patient", "Patient/a"},
			{"FR-RC-08 target type", "Observation?_id=o1&_include=Observation:subject:Group", ""},
			{"FR-RC-08 _revinclude", "Observation?_id=o1&_revinclude=Provenance:target", "Provenance/v1"},
			{"FR-RC-08 wildcard", "Observation?_id=o1&_include=Observation:*", "Patient/a"},
			{"FR-RC-08 everything referred to", "Observation?_id=o1&_include=*", "Patient/a"},
			{"FR-RC-08 everything, :iterate stays with the type", "Provenance?_include:iterate=*", "Organization/payer Observation/o1"},
			{"FR-RC-08 missing target", "Condition?_id=c1&_include=Condition:encounter", ""},
			{"FR-RC-08 :iterate", "Provenance?_include=Provenance:target&_include:iterate=Observation:subject", "Observation/o1 Patient/a"},
			{"FR-RC-08 without :iterate", "Provenance?_include=Provenance:target", "Observation/o1"},
			{"FR-RC-08 :iterate backward", "Patient?_id=a&_revinclude=Condition:patient&_revinclude=Observation:patient&_revinclude:iterate=Provenance:target", "Condition/c1 Observation/o1 Observation/o2 Provenance/v1"},
			{"FR-RC-08 :iterate around", "Organization?_id=branch&_include:iterate=Organization:partof&_revinclude:iterate=Organization:partof", "Organization/payer"},
		} {
			if got := included(all, c.query); got != c.want {
				t.Errorf("%s: %s included %q; want %q", c.id, c.query, got, c.want)
			}
		}
		observations := fhirstore.View{Permissions: []fhirstore.Permission{{Type: "Observation", Letters: fhirstore.AllLetters}}}
		if got := included(observations, "Observation?_id=o1&_include=Observation:subject"); got != "" {
			t.Errorf("FR-SC-19 a view of observations included %q", got)
		}
		if page := search(t, s, observations, "Observation", "_id=o1&_include=Observation:subject"); len(page.Hidden) != 1 || page.Hidden[0] != "Patient" {
			t.Errorf("SB-RS-13 left out are %v, want Patient", page.Hidden)
		}
	})
}
