package httpapi_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/internal/r4"
)

// A capabilityStatement is what clients read of one.
type capabilityStatement struct {
	ResourceType string
	FHIRVersion  string
	Kind         string
	Format       []string
	PatchFormat  []string
	Instantiates []string
	Rest         []struct {
		Mode     string
		Security struct {
			CORS    bool
			Service []struct {
				Coding []struct{ System, Code string }
			}
			Extension []struct {
				URL       string
				Extension []struct{ URL, ValueURI string }
			}
		}
		Documentation string
		SearchParam   []capabilityParam
		Compartment   []string
		Resource      []capabilityResource
		Interaction   []struct{ Code string }
		Operation     []capabilityOperation
	}
}

type capabilityResource struct {
	Type              string
	Interaction       []struct{ Code string }
	Versioning        string
	ReadHistory       bool
	UpdateCreate      bool
	ConditionalCreate bool
	ConditionalUpdate bool
	ConditionalRead   string
	ConditionalDelete string
	SearchParam       []capabilityParam
	SearchInclude     []string
	SearchRevInclude  []string
	Operation         []capabilityOperation
}

type capabilityParam struct{ Name, Type, Definition string }

type capabilityOperation struct{ Name, Definition string }

func (s capabilityStatement) resource(t *testing.T, typ string) capabilityResource {
	t.Helper()
	for _, r := range s.Rest[0].Resource {
		if r.Type == typ {
			return r
		}
	}
	t.Fatalf("the CapabilityStatement does not list %s", typ)
	return capabilityResource{}
}

func TestCapabilityStatement(t *testing.T) {
	t.Parallel()
	w := start(t)
	for _, env := range []string{"", "/production"} {
		a := w.at().get(t, env+"/fhir/metadata").want(t, 200).wantHeader(t, "Content-Type", fhirJSON) // FR-CA-01, SB-DISC-03: open
		var s capabilityStatement
		a.decode(t, &s)
		if s.ResourceType != "CapabilityStatement" || len(s.Rest) != 1 {
			t.Fatalf("got %s, want a CapabilityStatement", a.excerpt())
		}
		rest := s.Rest[0]
		var token, register string
		for _, e := range rest.Security.Extension {
			for _, inner := range e.Extension {
				switch {
				case strings.HasSuffix(e.URL, "/oauth-uris") && inner.URL == "token":
					token = inner.ValueURI
				case strings.HasSuffix(e.URL, "/oauth-uris") && inner.URL == "register":
					register = inner.ValueURI
				}
			}
		}
		const base = "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/"
		for _, c := range []struct {
			name string
			ok   bool
		}{
			{"FR-CA-04 fhirVersion", s.FHIRVersion == "4.0.1" && s.Kind == "instance" && rest.Mode == "server"},
			{"FR-CA-04 format", slices.Contains(s.Format, fhirJSON) && !slices.ContainsFunc(s.Format, func(f string) bool { return strings.Contains(f, "xml") })},
			{"FR-CA-04 patchFormat", slices.Equal(s.PatchFormat, []string{"application/json-patch+json", fhirJSON})},
			{"FR-CA-04 security", rest.Security.CORS && len(rest.Security.Service) == 1 && rest.Security.Service[0].Coding[0].Code == "SMART-on-FHIR"},
			{"SB-DISC-21 oauth-uris token", token == w.URL()+env+"/auth/token"},
			{"SB-DISC-21 oauth-uris register", (register == w.URL()+"/auth/register") == (env == "")},
			{"BD-CAP-02 instantiates", slices.Contains(s.Instantiates, "http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data")},
			{"FR-CA-05 instantiates", slices.Contains(s.Instantiates, "http://hl7.org/fhir/us/core/CapabilityStatement/us-core-server")},
			{"FR-OP-05 docref", slices.Contains(s.resource(t, "DocumentReference").Operation, capabilityOperation{"docref", "http://hl7.org/fhir/us/core/OperationDefinition/docref"})},
			{"BD-CAP-03 export", slices.Contains(rest.Operation, capabilityOperation{"export", base + "export"})},
			{"BD-CAP-03 patient-export", slices.Contains(s.resource(t, "Patient").Operation, capabilityOperation{"patient-export", base + "patient-export"})},
			{"BD-CAP-03 group-export", slices.Contains(s.resource(t, "Group").Operation, capabilityOperation{"group-export", base + "group-export"})},
		} {
			if !c.ok {
				t.Errorf("%s%s does not hold: %s", env, c.name, a.excerpt())
			}
		}
	}
}

func TestCapabilityStatementFormats(t *testing.T) {
	t.Parallel()
	w := start(t)
	for _, c := range []struct {
		name, query, accept string
		status              int
	}{
		{"FR-CN-04 _format=json", "?_format=json", "", 200},
		{"FR-CN-04 _format goes before Accept", "?_format=application/json", "application/xml", 200},
		{"FR-CN-05 raw + in _format", "?_format=application/fhir+json", "", 200},
		{"FR-CN-05 escaped + in _format", "?_format=application%2Ffhir%2Bjson", "", 200},
		{"FR-CN-04 _format=xml", "?_format=xml", "", 406},
		{"FR-CN-02 Accept with q", "", "application/fhir+xml;q=0.9, application/fhir+json;q=0.1", 200},
		{"FR-CN-02 Accept application/json", "", "application/json", 200},
		{"FR-CN-02 Accept *", "", "*/*", 200},
		{"FR-CN-02 Accept xml", "", "application/fhir+xml", 406},
		{"FR-CN-02 Accept with q=0", "", "application/fhir+json;q=0", 406},
		{"FR-CN-07 fhirVersion 4.0", "", "application/fhir+json; fhirVersion=4.0", 200},
		{"FR-CN-07 fhirVersion 3.0", "", "application/fhir+json; fhirVersion=3.0", 406},
		{"FR-CN-09 application/json+fhir", "", "application/json+fhir", 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			var header []string
			if c.accept != "" {
				header = []string{"Accept", c.accept}
			}
			a := w.at().get(t, "/fhir/metadata"+c.query, header...)
			if c.status == 406 {
				a.refused(t, 406, "not-supported")
				return
			}
			a.want(t, 200)
		})
	}
}

// examples are values of search parameters by their kind.
var examples = map[string]string{
	"number": "1", "date": "2020-01-01", "string": "x", "token": "x", "reference": "x", "quantity": "1", "uri": "urn:x",
}

// example is a value of a search parameter.
func (p capabilityParam) example(t *testing.T, typ string) string {
	if value := examples[p.Type]; value != "" {
		return value
	}
	if p.Type != "composite" {
		t.Errorf("%s of %s is of the type %s, for which there is no example", p.Name, typ, p.Type)
	}
	def, ok := r4.Definitions().Param(typ, p.Name)
	if !ok {
		t.Fatalf("%s of %s is not defined", p.Name, typ)
	}
	var parts []string
	for i := range def.Components {
		parts = append(parts, examples[def.Components[i].Param.Kind.String()])
	}
	return strings.Join(parts, "$")
}

// TestCapabilityStatementOfSearches sends, for each of all types, everything
// that the statement lists for searches, and looks for what it does not list
// (FR-CA-04, FR-CA-06).
func TestCapabilityStatementOfSearches(t *testing.T) {
	t.Parallel()
	w := start(t)
	var s capabilityStatement
	w.at().get(t, "/fhir/metadata").want(t, 200).decode(t, &s)
	strict := []string{"Prefer", "handling=strict"}
	composites := 0
	for _, r := range s.Rest[0].Resource {
		if len(r.SearchParam) < 2 || len(r.SearchInclude) == 1 {
			t.Errorf("got %v and %v of %s", r.SearchParam, r.SearchInclude, r.Type)
		}
		query := url.Values{"_count": {"1"}}
		listed := map[string]bool{}
		for _, p := range r.SearchParam {
			listed[p.Name] = true
			query.Add(p.Name, p.example(t, r.Type))
			if p.Type == "composite" {
				composites++
			}
		}
		w.all.search(t, "/"+r.Type+"/_search", query.Encode(), strict...).want(t, 200)
		query = url.Values{"_id": {"x"}, "_include": r.SearchInclude, "_revinclude": r.SearchRevInclude}
		w.all.search(t, "/"+r.Type+"/_search", query.Encode(), strict...).want(t, 200)
		for _, p := range r4.Definitions().Params(r.Type) {
			if !listed[p.Code] {
				w.all.get(t, "/"+r.Type+"?"+url.QueryEscape(p.Code)+"=x", strict...).refused(t, 400, "not-supported")
			}
		}
		if !slices.Contains(r.SearchRevInclude, "Provenance:target") { // FR-UC-22
			t.Errorf("%s has no _revinclude=Provenance:target", r.Type)
		}
	}
	if composites < 70 {
		t.Errorf("FR-ST-08: %d composites are listed", composites)
	}
	var common []string
	for _, p := range s.Rest[0].SearchParam {
		common = append(common, p.Name)
		value := examples[p.Type]
		switch p.Name {
		case "_type":
			value = "Patient"
		case "_has":
			p.Name = "_has:Observation:patient:code"
		}
		w.all.get(t, "?"+url.QueryEscape(p.Name)+"="+url.QueryEscape(value), strict...).want(t, 200)
		if p.Name != "_type" {
			w.all.get(t, "/Patient?"+url.QueryEscape(p.Name)+"="+url.QueryEscape(value), strict...).want(t, 200)
		}
	}
	for _, name := range []string{"_id", "_lastUpdated", "_tag", "_profile", "_security", "_source", "_has", "_list", "_type"} { // FR-SE-08
		if !slices.Contains(common, name) {
			t.Errorf("FR-SE-08: %s works and is not listed among %v", name, common)
		}
	}
	for _, name := range []string{"_text", "_content", "_filter", "_query"} { // which is not offered, and not listed
		w.all.get(t, "/Patient?"+name+"=x", strict...).refused(t, 400, "not-supported")
		if slices.Contains(common, name) {
			t.Errorf("FR-CA-04: %s is listed", name)
		}
	}
	// What there is no element for is said in words.
	for modifier, of := range map[string]string{":not": "gender:not=male", ":text": "language:text=x", ":of-type": "identifier:of-type=a|b|c", ":exact": "name:exact=x", ":contains": "name:contains=x", ":identifier": "organization:identifier=x", ":missing": "name:missing=true"} {
		if !strings.Contains(s.Rest[0].Documentation, modifier) {
			t.Errorf("FR-CA-04: nothing says that there is %s", modifier)
		}
		w.all.get(t, "/Patient?"+of, strict...).want(t, 200)
	}
	for _, modifier := range []string{"in", "not-in", "above", "below"} {
		a := w.all.get(t, "/Observation?code:"+modifier+"=x").refused(t, 400, "not-supported")
		if !strings.Contains(a.Diagnostics, "terminology") {
			t.Errorf("FR-MO-03: %q does not say why", a.Diagnostics)
		}
	}
	for _, typ := range []string{"Patient", "Observation"} {
		if got := w.all.get(t, "/Patient/pt-000002/"+typ).want(t, 200); s.Rest[0].Compartment[0] != "http://hl7.org/fhir/CompartmentDefinition/patient" {
			t.Errorf("FR-CA-04: %s works, and the compartments are %v", got.request, s.Rest[0].Compartment)
		}
	}
}

// minimal is the least that a resource of a type has besides its type and id.
var minimal = map[string]string{
	"Patient":           "",
	"Observation":       `,"status":"final","code":{"text":"x"}`,
	"Condition":         `,"subject":{"display":"x"}`,
	"Encounter":         `,"status":"finished","class":{"code":"AMB"}`,
	"MedicationRequest": `,"status":"active","intent":"order","medicationCodeableConcept":{"text":"x"},"subject":{"display":"x"}`,
	"Group":             `,"type":"person","actual":true`,
	"Provenance":        `,"target":[{"display":"x"}],"recorded":"2020-01-01T00:00:00Z","agent":[{"who":{"display":"x"}}]`,
	"ValueSet":          `,"status":"draft"`,
}

// TestCapabilityStatementIsTrue does everything that the statement promises
// (FR-CA-04, FR-CA-06).
func TestCapabilityStatementIsTrue(t *testing.T) {
	t.Parallel()
	w := start(t)
	var s capabilityStatement
	w.at().get(t, "/fhir/metadata").want(t, 200).decode(t, &s)
	for typ, rest := range minimal {
		r := s.resource(t, typ)
		t.Run("interactions of "+typ, func(t *testing.T) {
			var codes []string
			for _, i := range r.Interaction {
				codes = append(codes, i.Code)
			}
			slices.Sort(codes)
			body := `{"resourceType":"` + typ + `","id":"mine"` + rest + `}`
			done := map[string]*answer{
				"create":           w.all.post(t, "/"+typ, body),
				"update":           w.all.put(t, "/"+typ+"/mine", body),
				"read":             w.all.get(t, "/"+typ+"/mine"),
				"vread":            w.all.get(t, "/"+typ+"/mine/_history/1"),
				"history-instance": w.all.get(t, "/"+typ+"/mine/_history"),
				"search-type":      w.all.get(t, "/"+typ),
				"patch":            w.all.send(t, "PATCH", "/"+typ+"/mine", "[]", "Content-Type", "application/json-patch+json"),
				"history-type":     w.all.get(t, "/"+typ+"/_history"),
				"delete":           w.all.send(t, "DELETE", "/"+typ+"/mine", ""),
			}
			for interaction, a := range done {
				if promised, kept := slices.Contains(codes, interaction), a.status < 300; promised != kept {
					t.Errorf("%s: promised is %t, and %s answers %d", interaction, promised, a.request, a.status)
				}
			}
			if r.Versioning == "no-version" || !r.ReadHistory || !r.UpdateCreate {
				t.Errorf("got versioning %q, readHistory %t, updateCreate %t, which are all offered", r.Versioning, r.ReadHistory, r.UpdateCreate)
			}
			conditional := w.all.post(t, "/"+typ, body, "If-None-Exist", "_id=mine")
			if conditional.status >= 300 == r.ConditionalCreate {
				t.Errorf("FR-CO-02: conditionalCreate is %t, and If-None-Exist answers %d", r.ConditionalCreate, conditional.status)
			}
			conditional = w.all.put(t, "/"+typ+"?_id=mine", body)
			if conditional.status >= 300 == r.ConditionalUpdate {
				t.Errorf("FR-CO-02: conditionalUpdate is %t, and a conditional update answers %d", r.ConditionalUpdate, conditional.status)
			}
			version := conditional.header.Get("ETag")
			if a := w.all.get(t, "/"+typ+"/mine", "If-None-Match", version); (a.status == 304) != (r.ConditionalRead == "full-support") {
				t.Errorf("FR-CA-04: conditionalRead is %q, and a conditional read answers %d", r.ConditionalRead, a.status)
			}
			if a := w.all.send(t, "DELETE", "/"+typ+"?_id=mine", ""); (a.status == 204) != (r.ConditionalDelete == "single") {
				t.Errorf("FR-CA-04: conditionalDelete is %q, and a conditional delete answers %d", r.ConditionalDelete, a.status)
			}
		})
	}
	for _, i := range s.Rest[0].Interaction {
		if a := w.all.post(t, "", `{"resourceType":"Bundle","type":"`+i.Code+`"}`); (i.Code == "batch" || i.Code == "transaction") && a.status != 200 {
			t.Errorf("FR-CA-04: %s is promised and answers %d", i.Code, a.status)
		}
	}
}

// TestCapabilityStatementIsCacheable is about the ETag of the statement and its
// parts.
func TestCapabilityStatementIsCacheable(t *testing.T) {
	t.Parallel()
	w := start(t)
	whole := w.at().get(t, "/fhir/metadata").want(t, 200)
	tag := whole.header.Get("ETag")
	w.Clock().Advance(time.Hour)
	w.at().get(t, "/fhir/metadata", "If-None-Match", tag).want(t, 304)
	if other := w.at().get(t, "/production/fhir/metadata").want(t, 200).header.Get("ETag"); other == tag || tag == "" {
		t.Errorf("FR-CA-02: got the ETags %s and %s of two statements", tag, other)
	}
	part := w.at().get(t, "/fhir/metadata?_elements=fhirVersion,format").want(t, 200).object(t)
	if part["fhirVersion"] != "4.0.1" || part["rest"] != nil || part["instantiates"] != nil {
		t.Errorf("FR-CA-02 _elements: got %v", part)
	}
	if summary := w.at().get(t, "/fhir/metadata?_summary=true").want(t, 200).body; len(summary) >= len(whole.body) {
		t.Errorf("FR-CA-02 _summary: got %d bytes of %d", len(summary), len(whole.body))
	}
	if full := w.at().get(t, "/fhir/metadata?mode=full").want(t, 200).body; len(full) != len(whole.body) {
		t.Errorf("FR-CA-03 mode: got %d bytes, want %d", len(full), len(whole.body))
	}
}
