package httpapi_test

import (
	"encoding/base64"
	"strings"
	"testing"
)

// TestBinary is about Binary, which is read and written as what it holds.
func TestBinary(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all
	content := "\x00\x01not text\xff"
	resource := `{"resourceType":"Binary","id":"b","contentType":"application/pdf","securityContext":{"reference":"Patient/p"},"data":"` + base64.StdEncoding.EncodeToString([]byte(content)) + `"}`
	p.put(t, "/Binary/b", resource).want(t, 201)
	for _, path := range []string{"/Binary/b", "/Binary/b/_history/1"} {
		for _, accept := range []string{"", "*/*", "application/pdf", "text/html, */*;q=0.8", "application/pdf, application/json;q=0.1"} {
			a := p.get(t, path, "Accept", accept).want(t, 200).wantHeader(t, "Content-Type", "application/pdf").wantHeader(t, "ETag", `W/"1"`).
				wantHeader(t, "X-Security-Context", "Patient/p").wantHeader(t, "X-Content-Type-Options", "nosniff").wantHeader(t, "Content-Security-Policy", "sandbox")
			if string(a.body) != content {
				t.Errorf("FR-CN-10 Accept %q: got %q", accept, a.body)
			}
		}
		for _, accept := range []string{"application/fhir+json", "application/json", "application/pdf;q=0.5, application/fhir+json;q=0.5"} {
			if a := p.get(t, path, "Accept", accept).want(t, 200).wantHeader(t, "Content-Type", fhirJSON); !strings.Contains(string(a.body), `"resourceType":"Binary"`) {
				t.Errorf("FR-CN-10 Accept %q: got %q", accept, a.body)
			}
		}
	}
	p.get(t, "/Binary/b?_format=json").want(t, 200).wantHeader(t, "Content-Type", fhirJSON)
	p.get(t, "/Binary/b", "If-None-Match", `W/"1"`).want(t, 304)
	if head := p.send(t, "HEAD", "/Binary/b", ""); head.status != 200 || head.header.Get("Content-Type") != "application/pdf" {
		t.Errorf("HEAD: got %d %q", head.status, head.header.Get("Content-Type"))
	}
	p.get(t, "/Binary/b", "Accept", "application/fhir+xml").refused(t, 406, "not-supported")
	p.get(t, "/Binary/b", "Accept", fhirJSON+"; fhirVersion=5.0").refused(t, 406, "not-supported")
	p.get(t, "/Binary/b?_format=xml").refused(t, 406, "not-supported")
	if got := string(p.get(t, "/Binary/b?_pretty=true", "Accept", "*/*").want(t, 200).body); got != content {
		t.Errorf("_pretty: got %q", got)
	}
	p.get(t, "/Binary?_count=1", "Accept", "application/pdf").refused(t, 406, "not-supported")
	p.get(t, "/Binary/none").refused(t, 404, "not-found")

	t.Run("written as it is", func(t *testing.T) {
		a := p.send(t, "POST", "/Binary", content, "Content-Type", "image/png", "X-Security-Context", "Patient/p").want(t, 201)
		stored := p.get(t, a.header.Get("Location"), "Accept", "image/png").want(t, 200).wantHeader(t, "Content-Type", "image/png").wantHeader(t, "X-Security-Context", "Patient/p")
		if string(stored.body) != content {
			t.Errorf("got %q", stored.body)
		}
		p.send(t, "PUT", "/Binary/raw", "text", "Content-Type", "text/plain; charset=utf-8").want(t, 201)
		if got := string(p.get(t, "/Binary/raw", "Accept", "*/*").want(t, 200).wantHeader(t, "Content-Type", "text/plain; charset=utf-8").body); got != "text" {
			t.Errorf("got %q", got)
		}
		p.send(t, "PUT", "/Binary/raw", "caf\xe9", "Content-Type", "text/plain; charset=iso-8859-1").want(t, 200)
		p.send(t, "PUT", "/Binary/raw", "", "Content-Type", "text/plain").refused(t, 400, "required")
		p.send(t, "PUT", "/Binary/raw", "<Binary/>", "Content-Type", "application/fhir+xml").refused(t, 415, "not-supported")
		p.send(t, "POST", "/Patient", content, "Content-Type", "image/png").refused(t, 415, "not-supported")
	})

	t.Run("FR-SC-25 by its DocumentReference", func(t *testing.T) {
		document := func(id, url, status string) {
			p.put(t, "/DocumentReference/"+id, `{"resourceType":"DocumentReference","id":"`+id+`","status":"`+status+`","content":[{"attachment":{"url":"`+url+`"}}]}`).want(t, 201)
		}
		for _, id := range []string{"relative", "absolute", "hidden", "alone"} {
			p.put(t, "/Binary/"+id, strings.Replace(resource, `"id":"b"`, `"id":"`+id+`"`, 1)).want(t, 201)
		}
		document("d1", "Binary/relative", "current")
		document("d2", w.FHIRURL()+"/Binary/absolute", "current")
		document("d3", "Binary/hidden", "superseded")
		scope := "system/DocumentReference.r?status=current"
		reader := w.holder(t, w.client(t, scope), scope)
		for id, status := range map[string]int{"relative": 200, "absolute": 200, "hidden": 403, "alone": 403, "none": 403} {
			if a := reader.get(t, "/Binary/"+id); a.status != status {
				t.Errorf("Binary/%s: got %d, want %d", id, a.status, status)
			}
		}
		w.grant(t, "system/DocumentReference.cr").get(t, "/Binary/relative").refused(t, 403, "forbidden")
		w.grant(t, "system/DocumentReference.s").get(t, "/Binary/relative").refused(t, 403, "forbidden")
		w.grant(t, "system/Binary.r").get(t, "/Binary/alone", "Accept", "*/*").want(t, 200)
		reader.get(t, "/Binary/relative/_history/1").refused(t, 403, "forbidden")
	})
}
