package httpapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// replaceOperation is a FHIRPath Patch of one operation.
func replaceOperation(path, value string) string {
	return fmt.Sprintf(`{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"replace"},{"name":"path","valueString":%q},{"name":"value",%s}]}]}`, path, value)
}

func TestPatch(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all
	body := `{"resourceType":"Observation","id":"o","status":"preliminary","code":{"text":"\u0041<&>"},"subject":{"reference":"Patient/mine"},"valueQuantity":{"value":1.00,"unit":"mg"}}`
	p.put(t, "/Observation/o", body).want(t, 201)

	a := p.patch(t, "/Observation/o", `[{"op":"test","path":"/valueQuantity/value","value":1},{"op":"replace","path":"/status","value":"final"},{"op":"add","path":"/note","value":[{"text":"n"}]}]`, "If-Match", `W/"1"`).want(t, 200)
	a.wantHeader(t, "ETag", `W/"2"`).wantHeader(t, "Content-Type", fhirJSON) // FR-PA-01, FR-PA-02
	if a.header.Get("Last-Modified") == "" {
		t.Error("FR-PA-02: there is no Last-Modified")
	}
	_, rest, _ := strings.Cut(string(a.body), `},"status"`)
	if want := `:"final","code":{"text":"\u0041<&>"},"subject":{"reference":"Patient/mine"},"valueQuantity":{"value":1.00,"unit":"mg"},"note":[{"text":"n"}]}`; rest != want {
		t.Errorf("FR-PA-02: got %s, want %s behind meta", a.body, want)
	}
	b := p.send(t, "PATCH", "/Observation/o", replaceOperation("Observation.value", `"valueString":"none"`), "Content-Type", fhirJSON+"; fhirVersion=4.0").want(t, 200).wantHeader(t, "ETag", `W/"3"`)
	if !strings.Contains(string(b.body), `"valueString":"none","note"`) || strings.Contains(string(b.body), "valueQuantity") {
		t.Errorf("FR-PA-01: got %s, want the other value in the place of the first", b.body)
	}
	for version, want := range map[string]string{"1": "preliminary", "2": "final"} {
		if got := p.get(t, "/Observation/o/_history/"+version).object(t)["status"]; got != want {
			t.Errorf("FR-PA-02: version %s has status %v, want %s", version, got, want)
		}
	}
	if e := p.get(t, "/Observation/o/_history").bundle(t).Entry[0]; e.Request.Method != "PUT" || !strings.HasPrefix(e.Response.Status, "200") {
		t.Errorf("FR-HI-02: the entry of a patch is %s", e.raw)
	}
	if got := p.ids(t, "/Observation?_id=o&status=final"); len(got) != 1 {
		t.Errorf("FR-PA-02: a search does not find what was patched")
	}
	p.patch(t, "/Observation/o", `[]`).want(t, 200).wantHeader(t, "ETag", `W/"4"`) // FR-UP-04
	p.patch(t, "/Observation/o", `[]`, "If-Match", "*").want(t, 200).wantHeader(t, "ETag", `W/"5"`)
}

func TestRefusedPatches(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all
	p.put(t, "/Patient/mine", `{"resourceType":"Patient","id":"mine","active":true,"gender":"male"}`).want(t, 201)
	p.put(t, "/Patient/told", `{"resourceType":"Patient","id":"told","text":{"status":"additional","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>"}}`).want(t, 201)
	p.put(t, "/Patient/gone", patient("gone")).want(t, 201)
	p.send(t, "DELETE", "/Patient/gone", "").want(t, 204)
	const active = `[{"op":"add","path":"/active","value":false}]`
	for _, c := range []struct {
		name, path, body string
		header           []string
		status           int
		code             string
		says             string
	}{
		{name: "FR-PA-03 of nothing", path: "nobody", body: active, status: 404, code: "not-found"},
		{name: "FR-PA-03 of nothing, any version", path: "nobody", body: active, header: []string{"If-Match", "*"}, status: 404, code: "not-found"},
		{name: "FR-PA-03 of what is deleted", path: "gone", body: active, status: 410, code: "deleted"},
		{name: "FR-PA-02 other version", body: active, header: []string{"If-Match", `W/"7"`}, status: 412, code: "conflict"},
		{name: "FR-PA-02 If-None-Match", body: active, header: []string{"If-None-Match", "*"}, status: 412, code: "conflict"},
		{name: "FR-UP-08 If-Match not quoted", body: active, header: []string{"If-Match", "1"}, status: 400, code: "value"},
		{name: "FR-PA-01 XML Patch", body: "<diff/>", header: []string{"Content-Type", "application/xml-patch+xml"}, status: 415, code: "not-supported"},
		{name: "FR-PA-01 FHIR XML", body: "<Parameters/>", header: []string{"Content-Type", "application/fhir+xml"}, status: 415, code: "not-supported"},
		{name: "FR-PA-01 JSON Merge Patch", body: "{}", header: []string{"Content-Type", "application/merge-patch+json"}, status: 415, code: "not-supported"},
		{name: "FR-PA-01 plain JSON", body: active, header: []string{"Content-Type", "application/json"}, status: 415, code: "not-supported"},
		{name: "FR-PA-01 no type", body: active, header: []string{"Content-Type", ""}, status: 415, code: "not-supported"},
		{name: "FR-PA-01 other version of FHIR", body: replaceOperation("Patient.active", `"valueBoolean":false`), header: []string{"Content-Type", fhirJSON + "; fhirVersion=3.0"}, status: 415, code: "not-supported"},
		{name: "FR-CN-02 answer in XML", body: active, header: []string{"Accept", "application/fhir+xml"}, status: 406, code: "not-supported"},
		{name: "FR-PA-03 no JSON", body: "[", status: 400, code: "structure"},
		{name: "FR-PA-03 no body", body: "", status: 400, code: "structure"},
		{name: "FR-PA-03 no patch", body: `{"active":false}`, status: 400, code: "structure", says: "array of operations"},
		{name: "FR-PA-03 no operation", body: `[{"op":"add","path":"/active","value":false},{"op":"set","path":"/active"}]`, status: 400, code: "value", says: "operation 1"},
		{name: "FR-PA-03 no FHIRPath Patch", body: `{"resourceType":"Patient"}`, header: []string{"Content-Type", fhirJSON}, status: 400, code: "structure"},
		{name: "FR-PA-03 path of nothing", body: `[{"op":"replace","path":"/active","value":false},{"op":"remove","path":"/birthDate"}]`, status: 422, code: "processing", says: "operation 1 (remove /birthDate)"},
		{name: "FR-PA-03 test", body: `[{"op":"replace","path":"/active","value":false},{"op":"test","path":"/gender","value":"female"}]`, status: 422, code: "processing", says: "operation 1 (test /gender)"},
		{name: "FR-PA-03 FHIRPath of nothing", body: replaceOperation("Patient.birthDate", `"valueDate":"2020-01-01"`), header: []string{"Content-Type", fhirJSON}, status: 422, code: "processing", says: "Parameters.parameter[0]"},
		{name: "FR-PA-03 wrong type", body: replaceOperation("Patient.active", `"valueString":"x"`), header: []string{"Content-Type", fhirJSON}, status: 422, code: "processing", says: "valueBoolean"},
		{name: "FR-PA-03 result of another shape", body: `[{"op":"replace","path":"","value":[]}]`, status: 422, code: "business-rule"},
		{name: "FR-PA-03 result that is invalid", body: `[{"op":"replace","path":"/gender","value":"mal"}]`, status: 422, code: "code-invalid", says: "female, male, other or unknownPatient.gender"},
		{name: "FR-PA-04 id", body: `[{"op":"replace","path":"/id","value":"other"}]`, status: 422, code: "business-rule", says: "Patient.id"},
		{name: "FR-PA-04 id, FHIRPath", body: replaceOperation("Patient.id", `"valueId":"other"`), header: []string{"Content-Type", fhirJSON}, status: 422, code: "business-rule", says: "Patient.id"},
		{name: "FR-PA-04 resourceType", body: `[{"op":"replace","path":"/resourceType","value":"Group"}]`, status: 422, code: "business-rule", says: "resourceType"},
		{name: "FR-PA-04 versionId", body: `[{"op":"replace","path":"/meta/versionId","value":"9"}]`, status: 422, code: "business-rule", says: "Patient.meta.versionId"},
		{name: "FR-PA-04 lastUpdated", body: `[{"op":"remove","path":"/meta/lastUpdated"}]`, status: 422, code: "business-rule", says: "Patient.meta.lastUpdated"},
		{name: "FR-PA-04 meta", body: `[{"op":"remove","path":"/meta"}]`, status: 422, code: "business-rule", says: "Patient.meta.versionId"},
		{name: "FR-PA-06 data beside a narrative of its own", path: "told", body: active, status: 422, code: "business-rule", says: "text.status is additional"},
		{name: "FR-ER-03 unknown type", path: "../Nothing/x", body: active, status: 404, code: "not-supported"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.path == "" {
				c.path = "mine"
			}
			path := strings.Replace("/Patient/"+c.path, "/Patient/..", "", 1)
			a := p.patch(t, path, c.body, c.header...)
			i := a.refused(t, c.status, c.code)
			if said := i.Diagnostics + strings.Join(i.Expression, " "); !strings.Contains(said, c.says) {
				t.Errorf("got %q, want it to say %q", said, c.says)
			}
			if patches := a.header.Get("Accept-Patch"); (c.status == 415) != (patches == "application/json-patch+json, application/fhir+json") {
				t.Errorf("got Accept-Patch %q with status %d", patches, c.status)
			}
		})
	}
	a := p.patch(t, "/Patient/mine", active, "Content-Type", "application/json", "Origin", "https://app.example")
	if exposed := a.header.Get("Access-Control-Expose-Headers"); !strings.Contains(exposed, "Accept-Patch") || !strings.Contains(exposed, "ETag") { // FR-GE-07
		t.Errorf("got Access-Control-Expose-Headers %q, want Accept-Patch in it", exposed)
	}
	p.get(t, "/Patient/mine").want(t, 200).wantHeader(t, "ETag", `W/"1"`) // FR-PA-07: nothing of them stayed
}

func TestPreferReturnOfPatches(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.all.put(t, "/Patient/mine", `{"resourceType":"Patient","id":"mine","gender":"male","birthDate":"2020-01-01"}`).want(t, 201)
	const body = `[{"op":"add","path":"/active","value":true}]`
	reader := "system/Patient.ru"
	for _, c := range []struct{ name, scope, prefer, body, applied string }{
		{"FR-PR-01 nothing preferred", reader, "", "Patient", ""},
		{"FR-PR-01 representation", reader, "return=representation", "Patient", "return=representation"},
		{"FR-PR-01 minimal", reader, "return=minimal", "", "return=minimal"},
		{"FR-PR-01 OperationOutcome", reader, "return=OperationOutcome", "OperationOutcome", "return=OperationOutcome"},
		{"FR-SC-30 may not read", "system/Patient.u", "", "", ""},
		{"FR-SC-30 may not read and asks", "system/Patient.u", "return=representation", "", ""},
		{"FR-SC-30 may read it", "system/Patient.u system/Patient.r?gender=male", "", "Patient", ""},
		{"FR-SC-30 may read others", "system/Patient.u system/Patient.r?gender=female", "return=representation", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := w.grant(t, strings.Fields(c.scope)...).patch(t, "/Patient/mine", body, "Prefer", c.prefer).want(t, 200)
			typ := ""
			if len(a.body) > 0 {
				typ = a.resource(t).ResourceType
			}
			if typ != c.body || a.header.Get("Preference-Applied") != c.applied || a.header.Get("ETag") == "" {
				t.Errorf("got a body of %q, Preference-Applied %q, ETag %q; want %q, %q and an ETag", typ, a.header.Get("Preference-Applied"), a.header.Get("ETag"), c.body, c.applied)
			}
		})
	}
	a := w.grant(t, "system/Patient.u").patch(t, "/Patient/mine", `[{"op":"test","path":"/birthDate","value":"1999-01-01"}]`)
	if a.refused(t, 422, "processing"); strings.Contains(string(a.body), "2020") {
		t.Errorf("FR-SC-30: a failed test shows what is there: %s", a.body)
	}
}

func TestPatchUnderConstraints(t *testing.T) {
	t.Parallel()
	w := start(t)
	for _, category := range []string{"laboratory", "survey"} {
		w.all.put(t, "/Observation/"+category, observation(category, category)).want(t, 201)
	}
	lab := w.grant(t, "system/Observation.cruds?category="+categories+"|laboratory")
	const final = `[{"op":"replace","path":"/status","value":"amended"}]`
	const leave = `[{"op":"replace","path":"/category/0/coding/0/code","value":"survey"}]`
	lab.patch(t, "/Observation/laboratory", final).want(t, 200)
	lab.patch(t, "/Observation/laboratory", leave).refused(t, 403, "forbidden")
	lab.patch(t, "/Observation/survey", final).refused(t, 403, "forbidden")
	lab.patch(t, "/Observation?status=final,amended&_id=laboratory,survey", final).want(t, 200) // FR-SC-33: the other one does not match
	lab.patch(t, "/Observation?_id=survey", final).refused(t, 404, "not-found")
	w.all.get(t, "/Observation/survey").wantHeader(t, "ETag", `W/"1"`)
	w.all.get(t, "/Observation/laboratory").wantHeader(t, "ETag", `W/"3"`)
}

// TestParallelPatches: of 50 patches of one version one wins, each time.
func TestParallelPatches(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.all.put(t, "/Patient/race", `{"resourceType":"Patient","id":"race","multipleBirthInteger":0}`).want(t, 201)
	for version := 1; version <= 3; version++ {
		var wg sync.WaitGroup
		var mu sync.Mutex
		count := map[int]int{}
		for range 50 {
			wg.Go(func() {
				a, err := w.all.try(t.Context(), http.MethodPatch, "/Patient/race", strings.NewReader(fmt.Sprintf(`[{"op":"test","path":"/multipleBirthInteger","value":%d},{"op":"replace","path":"/multipleBirthInteger","value":%d}]`, version-1, version)),
					"Content-Type", "application/json-patch+json", "If-Match", fmt.Sprintf(`W/"%d"`, version))
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
					return
				}
				count[a.status]++
			})
		}
		wg.Wait()
		if count[200] != 1 || count[412] != 49 {
			t.Fatalf("FR-UP-05 version %d: got %v, want one 200 and 49 times 412", version, count)
		}
	}
	if got := w.all.get(t, "/Patient/race").wantHeader(t, "ETag", `W/"4"`).object(t)["multipleBirthInteger"]; got != 3.0 {
		t.Errorf("got %v patches, want 3", got)
	}
}
