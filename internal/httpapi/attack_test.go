package httpapi_test

import (
	"encoding/pem"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/sandfhir/sandfhir/sandbox"
)

// An id does not decide who may use a path: one that is spelt like an operation is
// guarded as any other.
func TestIdsDoNotOpenControls(t *testing.T) {
	t.Parallel()
	guarded := start(t, sandbox.WithAdminToken("secret-of-the-admin"), sandbox.WithBehaviour("aidbox"))
	open := start(t)
	for _, path := range []string{"/Client/$dump", "/AccessPolicy/$dump", "/production/Client/$dump", "/portal/api/services/$dump", "/_sandbox/faults/$dump", "/services/$dump"} {
		for _, method := range []string{"GET", "PUT", "DELETE"} {
			a := guarded.at().send(t, method, path, "{}", "Content-Type", "application/json")
			if a.status != 401 && a.status != 405 {
				t.Errorf("%s %s: got %d, want 401", method, path, a.status)
			}
			a = open.at().send(t, method, path, "{}", "Origin", "https://evil.example")
			if method != "GET" && a.status != 403 && a.status != 405 || a.header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s %s of another site: got %d, %v", method, path, a.status, a.header)
			}
		}
	}
	if a := open.at().send(t, "OPTIONS", "/Client/$dump", "", "Origin", "https://evil.example", "Access-Control-Request-Method", "PUT"); a.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("a preflight was allowed: %v", a.header)
	}
	for _, id := range []string{"$dump", "..", "%00", "a%0Ab", "_history", "%3Cscript%3E", strings.Repeat("x", 300)} {
		if a := open.at().send(t, "PUT", open.URL()+"/Client/"+id, "{}", "Content-Type", "application/json"); a.status < 400 || a.status >= 500 {
			t.Errorf("the id %.20s: got %d", id, a.status)
		}
	}
}

// A Client is a JSON object whose members are spelt as they are.
func TestClientsAreObjects(t *testing.T) {
	t.Parallel()
	w := start(t)
	for body, want := range map[string]int{
		"null": 400, "[]": 400, `"x"`: 400, "": 400, `{"Secret":"leak"}`: 422, `{"JWKS":[]}`: 422, "{}": 201,
	} {
		a := w.at().send(t, "PUT", "/Client/c", body, "Content-Type", "application/json").want(t, want)
		if want >= 400 && strings.Contains(string(a.body), "leak") {
			t.Errorf("%s: got %s", body, a.body)
		}
		w.at().get(t, "/Client").want(t, 200)
	}
	// A secret that was replaced by keys does not come back.
	put := func(body string) {
		w.at().send(t, "PUT", "/Client/c", body, "Content-Type", "application/json").want(t, 200)
	}
	put(`{"secret":"first-secret","scope":["system/*.read"],"grant_types":["client_credentials"]}`)
	put(`{"jwks_uri":"http://127.0.0.1:1/jwks.json","scope":["system/*.read"],"grant_types":["client_credentials"]}`)
	put(`{"scope":["system/*.read"],"grant_types":["client_credentials"]}`)
	w.secretToken(t, w.TokenURL(), "c", "first-secret").want(t, 401)
}

// The administrator approves what was on the page, and nothing else.
func TestStaleSteps(t *testing.T) {
	t.Parallel()
	w := start(t)
	made := w.portal(t, "POST", servicesPath, bySecret("system/Patient.rs")).object(t)
	path := servicesPath + "/" + made["client_id"].(string)
	submitted := w.portal(t, "POST", path+"/submit", nil).want(t, 200).object(t)
	w.portal(t, "PUT", path, bySecret("system/*.cruds")).want(t, 200)
	w.portal(t, "POST", path+"/submit", nil).want(t, 200)
	if a := w.portal(t, "POST", path+"/approve", map[string]any{"revision": submitted["revision"]}).want(t, 409); !strings.Contains(string(a.body), "has changed since it was looked at") {
		t.Errorf("got %s", a.body)
	}
	w.sendForm(t, "/admin/services/"+made["client_id"].(string)+"/approve", "revision", submitted["revision"].(string)).page(t, 409, "has changed since it was looked at")
	now := w.portal(t, "GET", path, nil).object(t)["revision"]
	w.portal(t, "POST", path+"/approve", map[string]any{"revision": now}).want(t, 200)
}

// What is deleted stays so, whoever approves or rotates meanwhile.
func TestDeletedServicesStayGone(t *testing.T) {
	t.Parallel()
	w := start(t)
	for range 25 {
		s := w.portal(t, "POST", servicesPath, bySecret("system/Patient.rs")).service(t, 201)
		path := servicesPath + "/" + s.ClientID
		w.portal(t, "POST", path+"/submit", nil).want(t, 200)
		var side sync.WaitGroup
		for _, step := range []string{"approve", "rotate-secret"} {
			side.Go(func() {
				if a := w.portal(t, "POST", path+"/"+step, nil); a.status >= 500 {
					t.Errorf("%s: got %d", step, a.status)
				}
			})
		}
		side.Go(func() { w.portal(t, "DELETE", path, nil).want(t, 204) })
		side.Wait()
		w.portal(t, "GET", path, nil).want(t, 404)
		w.at().get(t, "/production/Client/"+s.ClientID).want(t, 404)
		w.at().get(t, "/Client/"+s.ClientID).want(t, 404)
	}
	// Deleted as a Client it is gone from production too.
	s := w.portal(t, "POST", servicesPath, bySecret("system/Patient.rs")).service(t, 201)
	w.portal(t, "POST", servicesPath+"/"+s.ClientID+"/submit", nil).want(t, 200)
	w.portal(t, "POST", servicesPath+"/"+s.ClientID+"/approve", nil).want(t, 200)
	w.at().send(t, "DELETE", "/Client/"+s.ClientID, "").want(t, 204)
	w.at().get(t, "/production/Client/"+s.ClientID).want(t, 404)
}

// A private key that somebody pastes into a form is in no record and on no page.
func TestPastedPrivateKeysAreHidden(t *testing.T) {
	t.Parallel()
	w := start(t)
	text := string(w.DefaultClient().PrivateKeyPEM())
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		t.Fatal("no PEM")
	}
	inside := strings.Split(text, "\n")[1]
	page := w.sendForm(t, "/services", "name", "x", "authentication", "jwks", "jwks", text, "check", "jwks")
	if strings.Contains(string(page.body), inside) {
		t.Error("the page has the key")
	}
	for _, path := range []string{"/_sandbox/exchanges", "/_sandbox/exchanges.har", "/_sandbox/exchanges/" + w.latest(t).ID + "?_format=json"} {
		body := string(w.at().get(t, path).want(t, 200).body)
		if strings.Contains(body, inside) || strings.Contains(body, url.QueryEscape(inside)) {
			t.Errorf("%s has the key", path)
		}
	}
}

// A policy sees the parameters that a search sees, and the organization of the
// URL.
func TestPoliciesSeeWhatIsAsked(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.at().send(t, "PUT", "/Client/c", `{"secret":"of-the-client","scope":["system/*.read"],"grant_types":["client_credentials"]}`, "Content-Type", "application/json").want(t, 201)
	policy := func(matcho string) {
		t.Helper()
		a := w.at().send(t, "PUT", "/AccessPolicy/p", `{"engine":"matcho","matcho":`+matcho+`,"link":[{"resourceType":"Client","id":"c"}]}`, "Content-Type", "application/json")
		if a.status != 200 && a.status != 201 {
			t.Fatalf("got %d: %s", a.status, a.body)
		}
	}
	policy(`{"params":{"family":"nil?"}}`)
	var got struct {
		Token string `json:"access_token"`
	}
	w.at().send(t, "POST", w.TokenURL(), form("grant_type", "client_credentials", "scope", "system/*.read"), "Content-Type", formType, "Authorization", "Basic "+basic("c", "of-the-client")).want(t, 200).decode(t, &got)
	p := party{web: w.web, base: w.FHIRURL(), token: got.Token}
	p.get(t, "/Patient?_count=1").want(t, 200)
	for _, query := range []string{"family=Lindqvist", "family=Lindqvist,;", "_count=1&family=a;b"} {
		p.get(t, "/Patient?"+query).want(t, 403)
	}
	policy(`{"uri":"#^/Organization/payer-tern/fhir/"}`)
	p.get(t, "/Patient?_count=1").want(t, 403)
	party{web: w.web, base: w.URL() + "/Organization/payer-tern/fhir", token: got.Token}.get(t, "/Patient?_count=1").want(t, 200)
}
