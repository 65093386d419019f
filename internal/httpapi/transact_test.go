package httpapi_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// An answeredEntry is one of the answer to a batch or transaction.
type answeredEntry struct {
	Resource json.RawMessage
	Response struct {
		Status, Location, Etag, LastModified string
		Outcome                              *struct{ Issue []issue }
	}
}

// requests is a Bundle of requests; each entry is method, url, and the rest of
// its members or a resource.
func requests(typ string, entries ...string) string {
	return `{"resourceType":"Bundle","type":"` + typ + `","entry":[` + strings.Join(entries, ",") + `]}`
}

// does is an entry; more are its other members, and a first one that begins with
// {"resourceType" is its resource. Those of the request stand behind a
// question mark.
func does(method, url string, more ...string) string {
	members, request := "", ""
	for _, m := range more {
		switch {
		case strings.HasPrefix(m, `{"resourceType"`):
			members += `,"resource":` + m
		case strings.HasPrefix(m, "?"):
			request += "," + m[1:]
		default:
			members += "," + m
		}
	}
	return `{"request":{"method":"` + method + `","url":"` + url + `"` + request + `}` + members + `}`
}

func urn(n int) string { return fmt.Sprintf("urn:uuid:00000000-0000-4000-8000-%012d", n) }

func named(n int) string { return `"fullUrl":"` + urn(n) + `"` }

// transact posts a Bundle and returns the entries of the answer.
func (p party) transact(t *testing.T, body string, header ...string) []answeredEntry {
	t.Helper()
	a := p.post(t, "", body, header...).want(t, 200).wantHeader(t, "Content-Type", fhirJSON)
	var b struct {
		ResourceType, Type string
		Entry              []answeredEntry
	}
	a.decode(t, &b)
	sent := "batch"
	if strings.Contains(body[:60], "transaction") {
		sent = "transaction"
	}
	if b.ResourceType != "Bundle" || b.Type != sent+"-response" {
		t.Fatalf("got a %s of the type %s, want a Bundle %s-response", b.ResourceType, b.Type, sent)
	}
	return b.Entry
}

// statuses are the numbers of the entries' statuses.
func statuses(entries []answeredEntry) (list []string) {
	for _, e := range entries {
		list = append(list, e.Response.Status)
	}
	return list
}

func wantStatuses(t *testing.T, entries []answeredEntry, want ...string) {
	t.Helper()
	if got := statuses(entries); !slices.Equal(got, want) {
		t.Fatalf("got the statuses %q, want %q: %s", got, want, marshalled(t, entries))
	}
}

func marshalled(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// at is the id in a location.
func at(t *testing.T, e answeredEntry) string {
	t.Helper()
	parts := strings.Split(e.Response.Location, "/")
	if len(parts) < 4 || parts[len(parts)-2] != "_history" {
		t.Fatalf("got the location %q", e.Response.Location)
	}
	return parts[len(parts)-3]
}

func TestTransaction(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all

	t.Run("FR-BT-01 FR-BT-05 FR-BT-07 create with references", func(t *testing.T) {
		entries := p.transact(t, requests("transaction",
			does("POST", "Observation", named(2), `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"`+urn(1)+`"},"hasMember":[{"reference":"`+urn(3)+`"}],`+
				`"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><a href=\"`+urn(1)+`\">her</a></div>"},"extension":[{"url":"http://example.org/x","valueUri":"`+urn(1)+`"},{"url":"http://example.org/y","valueCanonical":"`+urn(1)+`"}]}`),
			does("POST", "Patient", named(1), `{"resourceType":"Patient","id":"ignored","identifier":[{"system":"`+urn(1)+`","value":"bt"}]}`),
			does("POST", "Observation", named(3), `{"resourceType":"Observation","status":"final","code":{"text":"y"},"hasMember":[{"reference":"`+urn(2)+`"}]}`),
			does("GET", "Patient?identifier=bt"),
		))
		wantStatuses(t, entries, "201 Created", "201 Created", "201 Created", "200 OK")
		patient, first, second := at(t, entries[1]), at(t, entries[0]), at(t, entries[2])
		if patient == "ignored" {
			t.Error("FR-CR-02: a POST took the id of its body")
		}
		stored := p.get(t, "/Observation/"+first).want(t, 200)
		if string(stored.body) != string(entries[0].Resource) {
			t.Errorf("the answer has %s, stored is %s", entries[0].Resource, stored.body)
		}
		for _, want := range []string{`"subject":{"reference":"Patient/` + patient + `"}`, `"hasMember":[{"reference":"Observation/` + second + `"}]`, `<a href=\"Patient/` + patient + `\">`,
			`"valueUri":"Patient/` + patient + `"`, `"valueCanonical":"` + urn(1) + `"`} {
			if !strings.Contains(string(stored.body), want) {
				t.Errorf("FR-BT-07: %s is not in %s", want, stored.body)
			}
		}
		if got := p.get(t, "/Observation/"+second).body; !strings.Contains(string(got), `"Observation/`+first+`"`) {
			t.Errorf("FR-BT-07: a circle is not closed in %s", got)
		}
		if got := p.get(t, "/Patient/"+patient).body; !strings.Contains(string(got), `"system":"`+urn(1)+`"`) {
			t.Errorf("FR-BT-07: the name of a system was rewritten in %s", got)
		}
		if found := p.get(t, "/Observation?subject=Patient/"+patient).want(t, 200).object(t)["total"]; found != 1.0 {
			t.Errorf("a search finds %v by the rewritten reference", found)
		}
		r := entries[0].Response
		if r.Etag != `W/"1"` || !strings.HasPrefix(r.Location, w.FHIRURL()+"/Observation/") || r.LastModified != stored.object(t)["meta"].(map[string]any)["lastUpdated"] {
			t.Errorf("FR-BT-05: got the response %+v", r)
		}
		if !strings.Contains(string(entries[3].Resource), `"total":1`) || entries[3].Response.Location != "" {
			t.Errorf("FR-BT-02: a search sees %s, want what was written", entries[3].Resource)
		}
		instants := map[string]bool{}
		for _, e := range entries[:3] {
			instants[e.Response.LastModified] = true
		}
		if len(instants) != 1 {
			t.Errorf("a transaction has the instants %v, want one", instants)
		}
	})

	t.Run("FR-BT-07 fullUrl that is a URL, and references relative to it", func(t *testing.T) {
		entries := p.transact(t, requests("transaction",
			does("POST", "Patient", `"fullUrl":"http://elsewhere.example/r4/Patient/77"`, `{"resourceType":"Patient"}`),
			does("POST", "Basic", `"fullUrl":"http://elsewhere.example/r4/Basic/1"`, `{"resourceType":"Basic","code":{"text":"x"},"subject":{"reference":"Patient/77"}}`),
			does("POST", "Basic", `{"resourceType":"Basic","code":{"text":"x"},"subject":{"reference":"http://elsewhere.example/r4/Patient/77"}}`),
			does("POST", "Basic", `{"resourceType":"Basic","code":{"text":"x"},"subject":{"reference":"Patient/77"}}`),
		))
		id := at(t, entries[0])
		for i, want := range []string{"", `"Patient/` + id + `"`, `"Patient/` + id + `"`, `"Patient/77"`} {
			if !strings.Contains(string(entries[i].Resource), want) {
				t.Errorf("entry %d: %s is not in %s", i+1, want, entries[i].Resource)
			}
		}
	})

	t.Run("FR-BT-02 FR-BT-09 all interactions, in whatever order", func(t *testing.T) {
		for _, id := range []string{"old", "changed", "patched", "read", "by-criteria"} {
			p.put(t, "/Patient/bt-"+id, `{"resourceType":"Patient","id":"bt-`+id+`","identifier":[{"value":"`+id+`"}]}`)
		}
		patch := `{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"add"},{"name":"path","valueString":"Patient"},{"name":"name","valueString":"active"},{"name":"value","valueBoolean":true}]}]}`
		json := `{"resourceType":"Binary","contentType":"application/json-patch+json","data":"` + base64.StdEncoding.EncodeToString([]byte(`[{"op":"add","path":"/gender","value":"other"}]`)) + `"}`
		entries := p.transact(t, requests("transaction",
			does("GET", "Patient/bt-read"),
			does("HEAD", "Patient/bt-read"),
			does("GET", "Patient/bt-read", `?"ifNoneMatch":"W/\"1\""`),
			does("PATCH", "Patient/bt-patched", patch),
			does("PATCH", "Patient?identifier=by-criteria", json),
			does("PUT", "Patient/bt-changed", `?"ifMatch":"W/\"1\""`, `{"resourceType":"Patient","id":"bt-changed","active":false}`),
			does("PUT", "Patient/bt-new", `{"resourceType":"Patient","id":"bt-new"}`),
			does("POST", "Patient", `?"ifNoneExist":"identifier=read"`, `{"resourceType":"Patient"}`),
			does("DELETE", "Patient/bt-old"),
			does("DELETE", "Patient?identifier=none"),
			does("GET", "Patient/bt-read/_history/1"),
			does("GET", "Patient/bt-changed/_history"),
			does("GET", w.FHIRURL()+"/Patient/bt-new"),
		))
		wantStatuses(t, entries, "200 OK", "200 OK", "304 Not Modified", "200 OK", "200 OK", "200 OK", "201 Created", "200 OK", "204 No Content", "204 No Content", "200 OK", "200 OK", "200 OK")
		if len(entries[1].Resource) > 0 || entries[1].Response.Etag != `W/"1"` || len(entries[2].Resource) > 0 {
			t.Errorf("HEAD and 304 brought %s", marshalled(t, entries[1:3]))
		}
		if !strings.Contains(string(entries[3].Resource), `"active":true`) || !strings.Contains(string(entries[4].Resource), `"gender":"other"`) {
			t.Errorf("FR-BT-10: the patches made %s and %s", entries[3].Resource, entries[4].Resource)
		}
		if at(t, entries[7]) != "bt-read" || !strings.Contains(string(entries[11].Resource), `"total":2`) {
			t.Errorf("FR-BT-09: got %s", marshalled(t, entries[7:12]))
		}
		p.get(t, "/Patient/bt-old").refused(t, 410, "deleted")
	})

	t.Run("FR-BT-11 nothing at all", func(t *testing.T) {
		for _, body := range []string{`{"resourceType":"Bundle","type":"transaction"}`, `{"resourceType":"Bundle","type":"batch"}`} {
			if got := string(p.post(t, "", body).want(t, 200).body); strings.Contains(got, "entry") {
				t.Errorf("got %s", got)
			}
		}
	})

	t.Run("FR-BT-05 FR-PR-01 preferences", func(t *testing.T) {
		body := requests("transaction", does("POST", "Patient", `{"resourceType":"Patient"}`), does("GET", "Patient?_count=1"))
		entries := p.transact(t, body, "Prefer", "return=minimal")
		if len(entries[0].Resource) > 0 || entries[0].Response.Location == "" || len(entries[1].Resource) == 0 {
			t.Errorf("return=minimal brings %s", marshalled(t, entries))
		}
		entries = p.transact(t, body, "Prefer", "return=OperationOutcome")
		if len(entries[0].Resource) > 0 || entries[0].Response.Outcome == nil || len(entries[1].Resource) == 0 {
			t.Errorf("return=OperationOutcome brings %s", marshalled(t, entries))
		}
	})

	t.Run("FR-BT-07 versions, fragments and the case of URNs", func(t *testing.T) {
		p.put(t, "/Patient/bt-v", `{"resourceType":"Patient","id":"bt-v"}`)
		entries := p.transact(t, requests("transaction",
			does("PUT", "Patient/bt-v", `"fullUrl":"http://elsewhere.example/r4/Patient/bt-v"`, `{"resourceType":"Patient","id":"bt-v"}`),
			does("POST", "Patient", `"fullUrl":"urn:uuid:00000000-0000-4000-8000-00000000000A"`, `{"resourceType":"Patient"}`),
			does("POST", "Basic", `{"resourceType":"Basic","code":{"text":"x"},"subject":{"reference":"http://elsewhere.example/r4/Patient/bt-v/_history/1"}}`),
			does("POST", "Basic", `{"resourceType":"Basic","code":{"text":"x"},"subject":{"reference":"http://elsewhere.example/r4/Patient/bt-v"},"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><a href=\"http://elsewhere.example/r4/Patient/bt-v#part\">x</a></div>"}}`),
			does("POST", "Basic", `{"resourceType":"Basic","code":{"text":"x"},"subject":{"reference":"URN:uuid:00000000-0000-4000-8000-00000000000a"}}`),
		))
		for i, want := range []string{"", "", `"Patient/bt-v/_history/2"`, `<a href=\"Patient/bt-v#part\">`, `"Patient/` + at(t, entries[1]) + `"`} {
			if !strings.Contains(string(entries[i].Resource), want) {
				t.Errorf("entry %d: %s is not in %s", i+1, want, entries[i].Resource)
			}
		}
	})

	t.Run("FR-BT-07 a Bundle within keeps its names", func(t *testing.T) {
		inner := `{"resourceType":"Bundle","type":"collection","entry":[{` + named(1) + `,"resource":{"resourceType":"Patient"}},{` + named(2) + `,"resource":{"resourceType":"Basic","code":{"text":"x"},"subject":{"reference":"` + urn(1) + `"}}}]}`
		entries := p.transact(t, requests("transaction", does("POST", "Patient", named(1), `{"resourceType":"Patient"}`), does("POST", "Bundle", inner)))
		if got := string(entries[1].Resource); strings.Count(got, urn(1)) != 2 || strings.Contains(got, "Patient/") {
			t.Errorf("got %s", got)
		}
	})

	t.Run("FR-BT-10 a patch of what has names that are no entry's", func(t *testing.T) {
		p.put(t, "/Observation/bt-old", `{"resourceType":"Observation","id":"bt-old","status":"final","code":{"text":"x"},"subject":{"reference":"`+urn(77)+`"}}`).want(t, 201)
		patch := `{"resourceType":"Binary","contentType":"application/json-patch+json","data":"` + base64.StdEncoding.EncodeToString([]byte(`[{"op":"replace","path":"/status","value":"amended"}]`)) + `"}`
		wantStatuses(t, p.transact(t, requests("transaction", does("PATCH", "Observation/bt-old", patch))), "200 OK")
	})

	t.Run("FR-PR-01 deletes", func(t *testing.T) {
		p.put(t, "/Patient/bt-gone", `{"resourceType":"Patient","id":"bt-gone"}`)
		a := p.post(t, "", requests("transaction", does("DELETE", "Patient/bt-gone")), "Prefer", "return=OperationOutcome").want(t, 200).wantHeader(t, "Preference-Applied", "return=OperationOutcome")
		if !strings.Contains(string(a.body), `"status":"200 OK"`) || !strings.Contains(string(a.body), "deleted as version 2") {
			t.Errorf("got %s", a.body)
		}
	})

	t.Run("FR-BT-08 conditional references", func(t *testing.T) {
		p.put(t, "/Practitioner/bt-doc", `{"resourceType":"Practitioner","id":"bt-doc","identifier":[{"system":"http://npi","value":"1"}]}`)
		entries := p.transact(t, requests("transaction",
			does("POST", "Encounter", `{"resourceType":"Encounter","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient?identifier=http://x|new"},"participant":[{"individual":{"reference":"Practitioner?identifier=http://npi|1"}}]}`),
			does("POST", "Patient", `{"resourceType":"Patient","identifier":[{"system":"http://x","value":"new"}],"link":[{"type":"seealso","other":{"reference":"Patient?identifier=http://x|new"}}]}`),
		))
		id := at(t, entries[1])
		for i, want := range []string{`"subject":{"reference":"Patient/` + id + `"},"participant":[{"individual":{"reference":"Practitioner/bt-doc"}}]`, `"other":{"reference":"Patient/` + id + `"}`} {
			if !strings.Contains(string(entries[i].Resource), want) {
				t.Errorf("%s is not in %s", want, entries[i].Resource)
			}
		}
		encounter := at(t, entries[0])
		if got := p.get(t, "/Encounter/"+encounter).want(t, 200); got.header.Get("ETag") != `W/"1"` || string(got.body) != string(entries[0].Resource) {
			t.Errorf("stored is %s, version %s", got.body, got.header.Get("ETag"))
		}
		if found := p.get(t, "/Patient/"+id+"/Encounter").want(t, 200).object(t)["total"]; found != 1.0 {
			t.Errorf("the compartment has %v encounters by the resolved reference", found)
		}
	})
}

// TestTransactionRefused sends transactions that fail: nothing of them is
// stored, and one OperationOutcome says which entry failed and why.
func TestTransactionRefused(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all
	p.put(t, "/Patient/two-a", `{"resourceType":"Patient","id":"two-a","identifier":[{"value":"two"}]}`)
	p.put(t, "/Patient/two-b", `{"resourceType":"Patient","id":"two-b","identifier":[{"value":"two"}]}`)
	good := does("POST", "Basic", named(9), `{"resourceType":"Basic","code":{"text":"must not stay"}}`)
	patient := `{"resourceType":"Patient"}`
	count := func() any { return p.get(t, "/Basic?_summary=count").object(t)["total"] }
	for _, c := range []struct {
		name, entry string
		status      int
		code        string
		expression  string
		words       string
	}{
		{"FR-BT-01 no request", `{"resource":` + patient + `}`, 400, "required", "Bundle.entry[1].request", "entry 2: "},
		{"FR-BT-01 no url", `{"request":{"method":"POST"},"resource":` + patient + `}`, 400, "required", "Bundle.entry[1].request.url", "has no url"},
		{"FR-BT-01 no method", `{"request":{"url":"Patient"},"resource":` + patient + `}`, 400, "required", "Bundle.entry[1].request.method", ""},
		{"FR-CR-05 unknown element of the Bundle", does("POST", "Patient", patient, `"ful":"x"`), 400, "structure", "Bundle.entry[1].ful", ""},
		{"FR-BT-01 no resource", does("POST", "Patient"), 400, "required", "Bundle.entry[1].resource", "entry 2 (POST Patient): a POST needs a resource"},
		{"FR-BT-01 another type", does("POST", "Patient", `{"resourceType":"Basic","code":{"text":"x"}}`), 400, "invalid", "Bundle.entry[1].resource", "the body's resourceType"},
		{"FR-BT-03 nothing to read", does("GET", "Patient/none"), 404, "not-found", "Bundle.entry[1]", "entry 2 (GET Patient/none): there is no Patient"},
		{"FR-BT-03 nothing to patch", does("PATCH", "Patient/none", `{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"delete"},{"name":"path","valueString":"Patient.active"}]}]}`), 404, "not-found", "Bundle.entry[1]", ""},
		{"FR-BT-03 invalid resource", does("POST", "Patient", `{"resourceType":"Patient","birthDate":"yesterday"}`), 400, "value", "Bundle.entry[1].resource.birthDate", "(line 1,"},
		{"FR-BT-03 invalid by what a name stands for", does("POST", "Observation", `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"`+urn(9)+`"}}`), 400, "value", "Bundle.entry[1].resource.subject.reference", "entry 2 (POST Observation): "},
		{"FR-BT-09 If-Match that is a number", does("PUT", "Patient/two-a", `?"ifMatch":7`, `{"resourceType":"Patient","id":"two-a"}`), 400, "value", "Bundle.entry[1].request.ifMatch", ""},
		{"FR-BT-09 misspelt condition", does("POST", "Patient", `?"ifNoneExists":"identifier=1"`, patient), 400, "structure", "Bundle.entry[1].request.ifNoneExists", ""},
		{"FR-BT-09 condition that is none of a create", does("POST", "Patient", `?"ifMatch":"W/\"1\""`, patient), 400, "not-supported", "Bundle.entry[1]", "If-Match is no condition of a create"},
		{"FR-BT-09 condition that is none of an update", does("PUT", "Patient/two-a", `?"ifNoneExist":"identifier=1"`, `{"resourceType":"Patient","id":"two-a"}`), 400, "not-supported", "Bundle.entry[1]", ""},
		{"FR-BT-01 url that is a number", `{"request":{"method":"GET","url":5}}`, 400, "structure", "Bundle.entry[1].request.url", ""},
		{"FR-BT-07 fullUrl of another resource", does("PUT", "Patient/two-a", `"fullUrl":"http://x.example/fhir/Patient/two-b"`, `{"resourceType":"Patient","id":"two-a"}`), 400, "invalid", "Bundle.entry[1].fullUrl", ""},
		{"FR-BT-06 create that finds what is updated", does("POST", "Patient", `?"ifNoneExist":"_id=two-a"`, patient) + "," + does("PUT", "Patient/two-a", `{"resourceType":"Patient","id":"two-a"}`), 400, "duplicate", "Bundle.entry[2]", ""},
		{"FR-BT-15 discovery", does("GET", ".well-known/smart-configuration"), 400, "not-supported", "Bundle.entry[1].request.url", ""},
		{"FR-BT-09 If-Match", does("PUT", "Patient/two-a", `?"ifMatch":"W/\"7\""`, `{"resourceType":"Patient","id":"two-a"}`), 412, "conflict", "Bundle.entry[1]", "is at version 1"},
		{"FR-BT-09 If-None-Match", does("PUT", "Patient/two-a", `?"ifNoneMatch":"*"`, `{"resourceType":"Patient","id":"two-a"}`), 412, "conflict", "Bundle.entry[1]", ""},
		{"FR-BT-09 several by criteria", does("PUT", "Patient?identifier=two", patient), 412, "multiple-matches", "Bundle.entry[1]", ""},
		{"FR-CO-06 unknown criteria", does("DELETE", "Patient?colour=red"), 400, "not-supported", "Bundle.entry[1]", ""},
		{"FR-UP-01 another id", does("PUT", "Patient/two-a", `{"resourceType":"Patient","id":"b"}`), 400, "invalid", "Bundle.entry[1].resource.id", ""},
		{"FR-BT-06 same resource", does("PUT", "Basic/x", `{"resourceType":"Basic","id":"x","code":{"text":"1"}}`) + "," + does("DELETE", "Basic/x"), 400, "duplicate", "Bundle.entry[1]", "it and entry 3 (DELETE Basic/x) are about the same resource, Basic/x"},
		{"FR-BT-06 same resource by criteria", does("PUT", "Patient/two-a", `{"resourceType":"Patient","id":"two-a"}`) + "," + does("PUT", "Patient?_id=two-a", patient), 400, "duplicate", "Bundle.entry[2]", ""},
		{"FR-BT-06 criteria that match what another entry writes", does("PUT", "Patient?identifier=three", patient) + "," + does("POST", "Patient", `{"resourceType":"Patient","identifier":[{"value":"three"}]}`), 400, "duplicate", "Bundle.entry[1]", "its criteria match what entry 3 (POST Patient) writes"},
		{"FR-BT-06 two creates that exclude each other", does("POST", "Patient", `?"ifNoneExist":"identifier=4"`, `{"resourceType":"Patient","identifier":[{"value":"4"}]}`) + "," + does("POST", "Patient", `?"ifNoneExist":"identifier=4"`, `{"resourceType":"Patient","identifier":[{"value":"4"}]}`), 400, "duplicate", "Bundle.entry[1]", ""},
		{"bdl-7 same fullUrl", does("POST", "Basic", named(9), `{"resourceType":"Basic","code":{"text":"x"}}`), 400, "duplicate", "Bundle.entry[1].fullUrl", "entries 1 and 2"},
		{"FR-BT-07 name of nothing", does("POST", "Basic", `{"resourceType":"Basic","code":{"text":"x"},"subject":{"reference":"`+urn(404)+`"}}`), 400, "invalid", "Bundle.entry[1].resource.subject.reference", "means no entry"},
		{"FR-BT-08 no target", does("POST", "Basic", `{"resourceType":"Basic","code":{"text":"x"},"subject":{"reference":"Patient?identifier=none"}}`), 400, "not-found", "Bundle.entry[1].resource.subject.reference", "the conditional reference Patient?identifier=none: nothing matches it"},
		{"FR-BT-08 several targets", does("POST", "Basic", `{"resourceType":"Basic","code":{"text":"x"},"subject":{"reference":"Patient?identifier=two"}}`), 412, "multiple-matches", "Bundle.entry[1].resource.subject.reference", "the conditional reference Patient?identifier=two matches several"},
		{"FR-BT-08 unknown parameter", does("POST", "Basic", `{"resourceType":"Basic","code":{"text":"x"},"subject":{"reference":"Patient?colour=red"}}`), 400, "not-supported", "Bundle.entry[1].resource.subject.reference", "the conditional reference"},
		{"FR-BT-15 another server", does("GET", "http://elsewhere.example/fhir/Patient/1"), 400, "invalid", "Bundle.entry[1].request.url", "of another server"},
		{"FR-BT-15 a slash", does("GET", "/Patient/two-a"), 400, "invalid", "Bundle.entry[1].request.url", "write Patient/two-a"},
		{"FR-BT-15 nested", does("POST", "", `{"resourceType":"Bundle","type":"batch"}`), 400, "invalid", "Bundle.entry[1].request.url", "cannot hold another one"},
		{"FR-BT-15 export", does("GET", "$export"), 400, "not-supported", "Bundle.entry[1].request.url", "send it by itself"},
		{"FR-GE-02 unknown type", does("GET", "Nothing/1"), 404, "not-supported", "Bundle.entry[1]", ""},
		{"FR-GE-02 wrong method", does("PUT", "Patient/two-a/_history", patient), 405, "not-supported", "Bundle.entry[1]", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := count()
			a := p.post(t, "", requests("transaction", good, c.entry))
			i := a.refused(t, c.status, c.code)
			if len(i.Expression) != 1 || i.Expression[0] != c.expression {
				t.Errorf("got the expression %q, want %q: %s", i.Expression, c.expression, i.Diagnostics)
			}
			if !strings.Contains(i.Diagnostics, c.words) {
				t.Errorf("got %q, want %q in it", i.Diagnostics, c.words)
			}
			if after := count(); after != before {
				t.Errorf("FR-BT-03: of a transaction that failed something stays: %v resources became %v", before, after)
			}
		})
	}
}

func TestBundlesAtTheRoot(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all
	t.Run("FR-BT-14 FR-GE-10 what is none", func(t *testing.T) {
		p.post(t, "", `{"resourceType":"Bundle","type":"collection"}`).refused(t, 422, "not-supported")
		p.post(t, "", `{"resourceType":"Bundle"}`).refused(t, 422, "not-supported")
		p.post(t, "", `{"resourceType":"Patient"}`).refused(t, 400, "invalid")
		p.post(t, "", `[]`).refused(t, 400, "invalid")
		p.post(t, "", `{"resourceType":"Bundle","type":"batch","entry":{}}`).refused(t, 400, "structure")
		p.post(t, "", `{"resourceType":"Bundle","type":"batch"`).refused(t, 400, "structure")
		p.post(t, "", `{"resourceType":"Bundle","type":"batch"}`, "Content-Type", "text/plain").refused(t, 415, "not-supported")
		p.post(t, "", `{"resourceType":"Bundle","type":"batch"}`, "Accept", "application/fhir+xml").refused(t, 406, "not-supported")
		p.post(t, "", requests("batch", slices.Repeat([]string{"{}"}, 10_001)...)).refused(t, 413, "too-costly")
		w.stranger().post(t, "", `{"resourceType":"Bundle","type":"batch"}`).refused(t, 401, "login")
		p.post(t, "/Bundle", `{"resourceType":"Bundle","type":"transaction"}`).want(t, 201)
	})
}

func TestBatch(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all
	p.put(t, "/Patient/b", `{"resourceType":"Patient","id":"b"}`)
	entries := p.transact(t, requests("batch",
		does("GET", "Patient/b"),
		does("GET", "Patient/none"),
		does("POST", "Patient", named(1), `{"resourceType":"Patient","birthDate":"yesterday"}`),
		does("POST", "Patient", named(2), `{"resourceType":"Patient"}`),
		does("POST", "Basic", `{"resourceType":"Basic","code":{"text":"x"},"subject":{"reference":"`+urn(2)+`"}}`),
		does("POST", "Basic", `{"resourceType":"Basic","code":{"text":"x"},"subject":{"reference":"Patient?identifier=1"}}`),
		does("PUT", "Patient/b", `{"resourceType":"Patient","id":"b","active":true}`),
		does("DELETE", "Patient/none"),
		`{"resource":{"resourceType":"Patient"}}`,
		`"entry"`,
		does("FETCH", "Patient/b"),
		does("GET", "Patient/b/$everything"),
		does("POST", "Patient/$validate", `{"resourceType":"Patient","gender":"none"}`),
		does("GET", "Patient?_id=%zz"),
		does("GET", "metadata"),
		does("DELETE", "Patient/b", `?"ifMatch":99`),
		does("POST", "Patient", `?"ifNoneExist":""`, `{"resourceType":"Patient"}`),
		does("GET", ".well-known/smart-configuration"),
		does("PUT", "Patient/c", named(3), `{"resourceType":"Patient","id":"c"}`),
		does("POST", "Basic", `{"resourceType":"Basic","code":{"text":"x"},"extension":[{"url":"http://x","valueUri":"`+urn(3)+`"}]}`),
		does("HEAD", "Patient/none"),
		does("GET", "Patient/b?_elements=nothing"),
	))
	wantStatuses(t, entries, "200 OK", "404 Not Found", "400 Bad Request", "201 Created", "400 Bad Request", "400 Bad Request", "200 OK", "204 No Content",
		"400 Bad Request", "400 Bad Request", "405 Method Not Allowed", "200 OK", "200 OK", "400 Bad Request", "200 OK",
		"400 Bad Request", "400 Bad Request", "400 Bad Request", "201 Created", "400 Bad Request", "404 Not Found", "400 Bad Request")
	if e := entries[21]; e.Response.Outcome == nil || entries[20].Response.Outcome == nil || e.Response.Etag != "" {
		t.Errorf("FR-BT-04: a refused HEAD and GET are %s", marshalled(t, entries[20:]))
	}
	if !strings.Contains(string(entries[0].Resource), `"active":true`) {
		t.Errorf("FR-BT-02: a read sees %s, want what the update wrote", entries[0].Resource)
	}
	t.Run("FR-BT-04 FR-BT-13 FR-BT-15 what is refused", func(t *testing.T) {
		for i, words := range map[int]string{1: "there is no Patient", 2: "yesterday", 4: "entries of a batch know nothing of each other", 5: "only stand in a transaction", 8: "needs a request", 9: "JSON object", 10: "FETCH is not offered", 15: "ifMatch has to be a string", 17: "cannot be part of a batch", 19: "entries of a batch know nothing"} {
			o := entries[i].Response.Outcome
			if o == nil || len(o.Issue) == 0 || !strings.Contains(o.Issue[0].Diagnostics, words) || len(entries[i].Resource) > 0 {
				t.Errorf("FR-BT-04: entry %d is %s, want an outcome with %q", i+1, marshalled(t, entries[i]), words)
			}
		}
	})
	if !strings.Contains(string(entries[12].Resource), `"OperationOutcome"`) {
		t.Errorf("$validate brings %s", entries[12].Resource)
	}
	refused := 0
	for _, x := range w.Exchanges() {
		if x.Method == "GET" && strings.HasSuffix(x.URL, "/fhir/Patient/none") && x.Status == 404 && x.Refused() {
			refused++
		}
	}
	if refused != 1 {
		t.Errorf("there are %d records of the entry that was refused, want 1", refused)
	}
}

// TestEntriesNeedTheirScopes tries transactions and batches with less than all
// scopes (FR-SC-17, FR-SC-18).
func TestEntriesNeedTheirScopes(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.all.put(t, "/Patient/s", `{"resourceType":"Patient","id":"s","gender":"male","identifier":[{"value":"s"}]}`)
	w.all.put(t, "/Patient/f", `{"resourceType":"Patient","id":"f","gender":"female"}`)
	read, create := does("GET", "Patient/s"), does("POST", "Basic", `{"resourceType":"Basic","code":{"text":"x"}}`)
	refer := does("POST", "Basic", `{"resourceType":"Basic","code":{"text":"x"},"subject":{"reference":"Patient?identifier=s"}}`)
	for _, c := range []struct {
		name, scopes string
		entries      []string
		batch        []string // statuses
		missing      string   // the scope that the refusal of the transaction names, "none" for a constraint, "" where it is not refused
	}{
		{"FR-BT-12 all", "system/Patient.r system/Basic.c", []string{read, create}, []string{"200 OK", "201 Created"}, ""},
		{"FR-BT-12 no read", "system/Basic.c", []string{read, create}, []string{"403 Forbidden", "201 Created"}, "system/Patient.r"},
		{"FR-BT-12 no create", "system/Patient.r", []string{read, create}, []string{"200 OK", "403 Forbidden"}, "system/Basic.c"},
		{"FR-BT-12 constraint", "system/Patient.r?gender=female system/Basic.c", []string{read, create}, []string{"403 Forbidden", "201 Created"}, "none"},
		{"FR-BT-12 update outside of a constraint", "system/Patient.u?gender=female", []string{does("PUT", "Patient/f", `{"resourceType":"Patient","id":"f","gender":"male"}`)}, []string{"403 Forbidden"}, "none"},
		{"FR-SC-18 search", "system/Patient.s system/Basic.c", []string{refer}, []string{"400 Bad Request"}, ""},
		{"FR-SC-18 no search", "system/Patient.r system/Basic.c", []string{refer}, []string{"400 Bad Request"}, "system/Patient.s"},
		{"FR-SC-10 conditional create", "system/Basic.c", []string{does("POST", "Basic", `?"ifNoneExist":"code=x"`, `{"resourceType":"Basic","code":{"text":"x"}}`)}, []string{"403 Forbidden"}, "system/Basic.cs"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := w.holder(t, w.client(t, strings.Fields(c.scopes)...), strings.Fields(c.scopes)...)
			wantStatuses(t, p.transact(t, requests("batch", c.entries...)), c.batch...)
			a := p.post(t, "", requests("transaction", c.entries...))
			if c.missing == "" {
				a.want(t, 200)
				return
			}
			a.refused(t, 403, "forbidden")
			if c.missing == "none" { // the scope is there
				return
			}
			if challenge := a.challenge(t, "insufficient_scope"); !strings.Contains(challenge, `scope="`+c.missing) {
				t.Errorf("FR-SC-35: got %s, want it to name %s", challenge, c.missing)
			}
			wantExplained(t, w.at(), a)
		})
	}
	t.Run("FR-SC-30 no read, no representation", func(t *testing.T) {
		scope := "system/Basic.c"
		entries := w.holder(t, w.client(t, scope), scope).transact(t, requests("transaction", create))
		if len(entries[0].Resource) > 0 {
			t.Errorf("got %s", entries[0].Resource)
		}
	})
	t.Run("FR-SC-18 outside of a constraint", func(t *testing.T) {
		scopes := []string{"system/Patient.s?gender=female", "system/Basic.c"}
		w.holder(t, w.client(t, scopes...), scopes...).post(t, "", requests("transaction", refer)).refused(t, 400, "not-found")
	})
}

// TestTransactionOrder proves that what a transaction leads to does not depend
// on the order of its entries (FR-BT-02). It prints the seed of its shuffles.
func TestTransactionOrder(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	outcome := ""
	for round := range 12 {
		w := start(t)
		p := w.all
		for _, id := range []string{"a", "b", "c"} {
			p.put(t, "/Patient/"+id, `{"resourceType":"Patient","id":"`+id+`","identifier":[{"value":"`+id+`"}]}`)
		}
		entries := []string{
			does("DELETE", "Patient/a"),
			does("POST", "Patient", named(1), `?"ifNoneExist":"identifier=a"`, `{"resourceType":"Patient","identifier":[{"value":"a"}],"active":true}`),
			does("PUT", "Patient?identifier=b", named(2), `{"resourceType":"Patient","identifier":[{"value":"b"}],"link":[{"type":"seealso","other":{"reference":"`+urn(1)+`"}}]}`),
			does("PUT", "Patient/c", named(3), `{"resourceType":"Patient","id":"c","link":[{"type":"seealso","other":{"reference":"`+urn(2)+`"}}]}`),
			does("POST", "Basic", `{"resourceType":"Basic","id":"x","code":{"text":"x"},"subject":{"reference":"Patient?identifier=a"}}`),
			does("GET", "Patient?_summary=count"),
		}
		order := random.Perm(len(entries))
		var shuffled []string
		for _, i := range order {
			shuffled = append(shuffled, entries[i])
		}
		got := p.transact(t, requests("transaction", shuffled...))
		sorted, created := make([]string, len(entries)), ""
		for at, i := range order {
			sorted[i] = got[at].Response.Status
			if i == 1 {
				created = strings.Split(got[at].Response.Location, "/Patient/")[1][:36]
			}
		}
		b, basic := p.get(t, "/Patient/b").body, p.get(t, "/Basic?subject=Patient/"+created).want(t, http.StatusOK)
		sorted = append(sorted, fmt.Sprint(strings.Contains(string(b), "Patient/"+created), basic.object(t)["total"]))
		if text := strings.Join(sorted, "; "); outcome == "" {
			outcome = text
		} else if text != outcome {
			t.Fatalf("round %d, order %v: got %s, before %s", round, order, text, outcome)
		}
	}
	if want := "204 No Content; 201 Created; 200 OK; 200 OK; 201 Created; 200 OK; true 1"; outcome != want {
		t.Errorf("got %s, want %s", outcome, want)
	}
}

// TestConditionalReferencesOfEachOther: what a conditional reference matches does
// not depend on whether another one has been replaced already (FR-BT-02).
func TestConditionalReferencesOfEachOther(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.all.put(t, "/Patient/p", `{"resourceType":"Patient","id":"p","identifier":[{"value":"p"}]}`)
	observation := does("POST", "Observation", `{"resourceType":"Observation","identifier":[{"value":"o"}],"status":"final","code":{"text":"x"},"subject":{"reference":"Patient?identifier=p"}}`)
	report := does("POST", "DiagnosticReport", `{"resourceType":"DiagnosticReport","status":"final","code":{"text":"x"},"result":[{"reference":"Observation?patient=p&identifier=o"}]}`)
	w.all.post(t, "", requests("transaction", observation, report)).refused(t, 400, "not-found")
	w.all.post(t, "", requests("transaction", report, observation)).refused(t, 400, "not-found")
}

// TestAnswersHaveALimit asks for more than a batch brings (FR-ER-20).
func TestAnswersHaveALimit(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.all.put(t, "/Binary/large", large("large", 20<<20)).want(t, 201)
	var reads []string
	for range 6 {
		reads = append(reads, does("GET", "Binary/large"))
	}
	got := statuses(w.all.transact(t, requests("batch", reads...)))
	if got[0] != "200 OK" || got[5] != "413 Request Entity Too Large" {
		t.Errorf("got %v", got)
	}
	w.all.post(t, "", requests("transaction", reads...)).refused(t, 413, "too-costly")
}

// TestConditionsThatAreNone: a condition that a write does not have is refused,
// not passed over (FR-CO-02).
func TestConditionsThatAreNone(t *testing.T) {
	t.Parallel()
	w := start(t)
	patient := `{"resourceType":"Patient","id":"p"}`
	w.all.post(t, "/Patient", patient, "If-Match", `W/"5"`).refused(t, 400, "not-supported")
	w.all.post(t, "/Patient", patient, "If-None-Match", "*").refused(t, 400, "not-supported")
	w.all.put(t, "/Patient/p", patient, "If-None-Exist", "identifier=1").refused(t, 400, "not-supported")
	w.all.send(t, "DELETE", "/Patient/p", "", "If-None-Exist", "identifier=1").refused(t, 400, "not-supported")
	w.all.post(t, "", requests("batch"), "If-Match", `W/"5"`).refused(t, 400, "not-supported")
	if n := *w.all.get(t, "/Patient?_summary=count").bundle(t).Total; n != patients {
		t.Errorf("there are %d patients, want %d", n, patients)
	}
}
