package httpapi_test

import (
	"bytes"
	"mime/multipart"
	"slices"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/sandbox"
)

// What there is, by type, resource and version, and who refers to whom; without
// a token, by whoever may use the controls.
func TestDataIsBrowsed(t *testing.T) {
	t.Parallel()
	w := start(t)
	var all struct {
		Environment string
		Total       int64
		Types       []struct {
			Type  string
			Count int64
		}
	}
	w.at().get(t, "/_sandbox/data").want(t, 200).decode(t, &all)
	counts, err := w.Counts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sum := int64(0)
	for _, c := range all.Types {
		if counts[c.Type] != c.Count {
			t.Errorf("%s: %d over HTTP, %d in Go", c.Type, c.Count, counts[c.Type])
		}
		sum += c.Count
	}
	if all.Environment != "sandbox" || sum != all.Total || len(counts) != len(all.Types) || counts["Patient"] != 5 {
		t.Errorf("got %+v", all)
	}
	var production struct{ Environment string }
	if w.at().get(t, "/production/_sandbox/data").want(t, 200).decode(t, &production); production.Environment != "production" {
		t.Errorf("got %+v", production)
	}

	w.all.put(t, "/Patient/p", `{"resourceType":"Patient","id":"p","name":[{"family":"Able","given":["Ann"]}],"managingOrganization":{"reference":"Organization/o"}}`).want(t, 201)
	w.all.put(t, "/Patient/p", `{"resourceType":"Patient","id":"p","name":[{"family":"Baker","given":["Ann"]}],"managingOrganization":{"reference":"Organization/o"}}`).want(t, 200)
	w.all.put(t, "/Observation/x", `{"resourceType":"Observation","id":"x","status":"final","code":{"text":"Pulse"},"subject":{"reference":"Patient/p"}}`).want(t, 201)
	var p struct {
		Version    string
		Resource   struct{ Name []struct{ Family string } }
		Versions   []struct{ Version string }
		References []string
		Referrers  []struct {
			Type, Parameter string
			Count           int64
		}
	}
	w.at().get(t, "/_sandbox/data/Patient/p").want(t, 200).decode(t, &p)
	if p.Version != "2" || len(p.Versions) != 2 || !slices.Equal(p.References, []string{"Organization/o"}) || len(p.Referrers) != 2 || p.Referrers[0].Type != "Observation" {
		t.Errorf("got %+v", p)
	}
	w.at().get(t, "/_sandbox/data/Patient/p?version=1").want(t, 200).decode(t, &p)
	if p.Resource.Name[0].Family != "Able" {
		t.Errorf("got %+v", p)
	}
	w.all.send(t, "DELETE", "/Observation/x", "").want(t, 204)
	w.at().get(t, "/_sandbox/data/Observation/x", "Accept", "text/html").page(t, 200, "It was deleted.", ", deleted")
	w.at().get(t, "/_sandbox/data/Patient?name=Baker", "Accept", "text/html").page(t, 200, "1 found", "Ann Baker", "_sandbox/data/Patient/p")
	w.sendForm(t, "/_sandbox/data/Patient", "query", "?name=Baker&_count=1").page(t, 200, "1 found")
	w.at().get(t, "/_sandbox/data/Patient?nome=x", "Accept", "text/html").page(t, 400, "Patient has no search parameter")
	for path, status := range map[string]int{
		"/_sandbox/data/Patient?nome=x": 400, "/_sandbox/data/Nothing": 404, "/_sandbox/data/Nothing/1": 404,
		"/_sandbox/data/Patient/none": 404, "/_sandbox/data/Patient/p?version=9": 404,
	} {
		w.at().get(t, path).want(t, status)
	}
	guarded := start(t, sandbox.WithAdminToken("secret-of-the-admin"))
	guarded.at().get(t, "/_sandbox/data/Patient").want(t, 401)
}

// Data are added while the server runs, all or nothing, by HTTP, by the page's
// form and from Go.
func TestDataAreLoaded(t *testing.T) {
	t.Parallel()
	w := start(t)
	load := func(text string, status int) *answer {
		t.Helper()
		return w.at().send(t, "POST", "/_sandbox/data/load", text, "Content-Type", "application/fhir+ndjson").want(t, status)
	}
	load("{\"resourceType\":\"Patient\",\"id\":\"a\"}\n{\"resourceType\":\"Patient\",\"id\":\"b\"}\n", 200)
	w.all.get(t, "/Patient/a").want(t, 200)
	if a := load("{\"resourceType\":\"Patient\",\"id\":\"c\"}\nno JSON\n", 400); !strings.Contains(string(a.body), "upload.ndjson:2:1") {
		t.Errorf("got %s", a.body)
	}
	w.all.get(t, "/Patient/c").want(t, 404)
	load("{\n \"resourceType\":\"Bundle\",\"type\":\"transaction\",\"entry\":[{\"fullUrl\":\"urn:uuid:0c6a9a4e-5f0e-4f4b-8a35-6d3b2f1d2f60\",\"resource\":{\"resourceType\":\"Patient\"},\"request\":{\"method\":\"POST\",\"url\":\"Patient\"}}]}", 200)
	load("", 200)

	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	file, err := form.CreateFormFile("file", "x.ndjson")
	if err == nil {
		_, err = file.Write([]byte(`{"resourceType":"Patient","id":"by-form"}`))
	}
	if err != nil || form.Close() != nil {
		t.Fatal(err)
	}
	w.at().send(t, "POST", "/_sandbox/data", body.String(), "Content-Type", form.FormDataContentType(), "Accept", "text/html").page(t, 200, "Loaded 1 resources.")
	w.all.get(t, "/Patient/by-form").want(t, 200)

	report, err := w.Load(t.Context(), []byte(`{"resourceType":"Patient","id":"by-go"}`))
	if err != nil || report.ByType["Patient"] != 1 {
		t.Errorf("got %+v, %v", report, err)
	}
	w.all.get(t, "/Patient/by-go").want(t, 200)
	if _, err := w.Load(t.Context(), []byte("{")); err == nil || !strings.Contains(err.Error(), "upload.ndjson:1") {
		t.Errorf("got %v", err)
	}
	w.sendForm(t, "/_sandbox/data", "days", "1").page(t, 200, "moved on by 1 days")
	w.sendForm(t, "/_sandbox/data", "days", "0").page(t, 400)
	w.sendForm(t, "/_sandbox/data", "reset", "yes").page(t, 200, "Data of sandbox")
	w.grant(t, "system/*.rs").get(t, "/Patient/by-form").want(t, 404)
}
