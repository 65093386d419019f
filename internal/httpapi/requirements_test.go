package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sandfhir/sandfhir/sandbox"
)

// TestAuthorizationServer holds requirements of the authorization server that
// no other test is about.
func TestAuthorizationServer(t *testing.T) {
	t.Parallel()
	w := start(t)
	me := w.service(t, nil, "system/Patient.rs", "system/Observation.rs")
	aud := w.TokenURL()
	ask := func(t *testing.T, scope string) *answer {
		t.Helper()
		return w.at().askToken(t, aud, me.assertion(t, me.id, aud), scope)
	}
	t.Run("SB-REG-01 SB-DCR-01 registration comes first", func(t *testing.T) {
		s := newES384(t, "k1")
		w.at().askToken(t, aud, s.assertion(t, "not-yet", aud), "system/Patient.rs").oauth(t, 400, "invalid_client")
		body := marshal(t, map[string]any{"token_endpoint_auth_method": "private_key_jwt", "grant_types": []string{"client_credentials"},
			"scope": "system/Patient.rs", "jwks": keySet(s.jwk(t))})
		var registered struct {
			ClientID string `json:"client_id"`
		}
		w.at().send(t, "POST", "/auth/register", string(body), "Content-Type", "application/json").want(t, 201).decode(t, &registered)
		w.at().askToken(t, aud, s.assertion(t, registered.ClientID, aud), "system/Patient.rs").granted(t, "system/Patient.rs")
	})
	t.Run("SB-TOK-09 nothing is cached", func(t *testing.T) {
		for _, a := range []*answer{ask(t, "system/Patient.rs").want(t, 200), ask(t, "nonsense").want(t, 400), w.at().get(t, aud).want(t, 405)} {
			a.wantHeader(t, "Cache-Control", "no-store").wantHeader(t, "Pragma", "no-cache").wantHeader(t, "Content-Type", "application/json")
		}
	})
	t.Run("SB-ISS-01 SB-ISS-03 SB-ISS-04 SB-NEG-02 the answer", func(t *testing.T) {
		for _, scope := range []string{"system/Patient.rs", "system/Patient.r", "system/Patient.read", "system/*.rs", "system/Patient.cruds system/Observation.s"} {
			var raw map[string]json.RawMessage
			ask(t, scope).want(t, 200).decode(t, &raw)
			if string(raw["token_type"]) != `"bearer"` || string(raw["expires_in"]) != "300" || len(raw["scope"]) < 3 || len(raw["access_token"]) < 3 {
				t.Errorf("%s: got %s", scope, raw)
			}
			if _, ok := raw["refresh_token"]; ok || len(raw) != 4 {
				t.Errorf("%s: got more than the four members: %s", scope, raw)
			}
		}
	})
	t.Run("SB-ERR-30 SB-ERR-31 SB-ERR-32 a failed assertion", func(t *testing.T) {
		a := w.at().askToken(t, aud, spoiled(t, me.assertion(t, me.id, aud)), "system/Patient.rs")
		a.oauth(t, 400, "invalid_client")
		a.wantHeader(t, "WWW-Authenticate", "")
	})
	t.Run("SB-ERR-33 the failed assertions of a client are listed", func(t *testing.T) {
		mine := w.service(t, nil, "system/Patient.rs")
		assertion := mine.assertion(t, mine.id, aud+"/")
		w.at().askToken(t, aud, assertion, "system/Patient.rs").want(t, 400)
		var list []struct {
			Client    string
			Assertion struct{ Header, Claims map[string]any }
			Checks    []struct{ ID, Result string }
		}
		a := w.at().get(t, "/_sandbox/exchanges?refused=true&client="+mine.id).want(t, 200)
		a.decode(t, &list)
		if len(list) != 1 || list[0].Client != mine.id || list[0].Assertion.Claims["aud"] != aud+"/" || list[0].Assertion.Header["alg"] != "ES384" {
			t.Fatalf("got %s, want the one refused request with its header and claims", a.excerpt())
		}
		failed := ""
		for _, c := range list[0].Checks {
			if c.Result == "fail" {
				failed = c.ID
			}
		}
		if signature := assertion[strings.LastIndexByte(assertion, '.')+1:]; failed != "C04" || strings.Contains(string(a.body), signature) {
			t.Errorf("got failed check %q, want C04 and no signature", failed)
		}
	})
	t.Run("SB-INT-03 no launch context", func(t *testing.T) {
		p := w.grant(t, "system/Patient.rs")
		a := w.at().search(t, "/auth/introspect", form("token", p.token), "Authorization", "Bearer "+p.token).want(t, 200)
		for _, name := range []string{"patient", "encounter", "intent", "fhirUser", "need_patient_banner"} {
			if _, ok := a.object(t)[name]; ok {
				t.Errorf("a token without context has %s", name)
			}
		}
	})
	t.Run("SB-REV-01 a client revokes its token", func(t *testing.T) {
		var got tokenAnswer
		ask(t, "system/Patient.rs").want(t, 200).decode(t, &got)
		p := party{web: w.web, base: w.FHIRURL(), token: got.AccessToken}
		p.get(t, "/Patient").want(t, 200)
		a := w.at().search(t, "/auth/revoke", form("token", got.AccessToken, "token_type_hint", "refresh_token",
			"client_assertion_type", assertionType, "client_assertion", me.assertion(t, me.id, aud))).want(t, 200)
		if len(a.body) > 0 {
			t.Errorf("got %s, want no body", a.body)
		}
		p.get(t, "/Patient").refused(t, 401, "login")
	})
	t.Run("SB-DISC-17 nothing for patient apps", func(t *testing.T) {
		document := w.stranger().get(t, "/.well-known/smart-configuration").want(t, 200).object(t)
		for _, name := range []string{"associated_endpoints", "user_access_brand_bundle", "user_access_brand_identifier", "issuer", "authorization_endpoint"} {
			if _, ok := document[name]; ok {
				t.Errorf("discovery has %s", name)
			}
		}
	})
}

// TestKeySetFetches is about how the server asks for a client's key set.
func TestKeySetFetches(t *testing.T) {
	t.Parallel()
	w := start(t)
	key := newES384(t, "k1")
	var fetches atomic.Int64
	var mu sync.Mutex
	var seen http.Header
	method := ""
	release := make(chan struct{})
	host := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		fetches.Add(1)
		mu.Lock()
		seen, method = in.Header.Clone(), in.Method
		mu.Unlock()
		<-release
		out.Header().Set("Content-Type", "application/json")
		fmt.Fprint(out, string(marshal(t, keySet(key.jwk(t)))))
	}))
	t.Cleanup(host.Close)
	client, err := w.RegisterClient(t.Context(), sandbox.ClientConfig{Key: key.key, KeyID: key.kid, JWKSURI: host.URL})
	if err != nil {
		t.Fatal(err)
	}
	const posts = 8
	var wg sync.WaitGroup
	statuses := make([]int, posts)
	for i := range posts {
		body := tokenForm(key.assertion(t, client.ID(), w.TokenURL()), "system/Patient.rs")
		wg.Go(func() {
			if a, err := w.at().try(t.Context(), "POST", w.TokenURL(), strings.NewReader(body), "Content-Type", formType); err == nil {
				statuses[i] = a.status
			}
		})
	}
	await(t, "the fetch", func() bool { return fetches.Load() > 0 })
	close(release)
	wg.Wait()
	t.Run("SB-KEY-10 fetches at once are one", func(t *testing.T) {
		// Whoever came after the first fetch has the copy.
		if n := fetches.Load(); n > 2 {
			t.Errorf("%d fetches for %d requests", n, posts)
		}
		for i, status := range statuses {
			if status != 200 {
				t.Errorf("request %d: got status %d, want 200", i, status)
			}
		}
	})
	t.Run("SB-KEY-02 GET, Accept and no credentials", func(t *testing.T) {
		mu.Lock()
		defer mu.Unlock()
		if method != "GET" || seen.Get("Accept") != "application/json" || seen.Get("Authorization") != "" || seen.Get("Cookie") != "" {
			t.Errorf("got %s with %v", method, seen)
		}
	})
}

// TestResourceServer holds requirements of the resource server that no other
// test is about.
func TestResourceServer(t *testing.T) {
	t.Parallel()
	w := start(t)
	reader := w.grant(t, "system/Patient.rs")
	status := w.all.kickOff(t, "/Patient/$export?_type=Patient,Observation")
	m := w.all.finish(t, status)
	t.Run("SB-RS-15 401 before everything else", func(t *testing.T) {
		for _, c := range []struct{ method, path string }{
			{"GET", "/Nothing/x"}, {"GET", "/Patient/none"}, {"PATCH", "/Patient/none"}, {"DELETE", "/Patient"}, {"GET", "/Patient?_count=rubbish"},
			{"GET", "/$nothing"}, {"GET", "/Patient/$export?_since=rubbish"}, {"GET", status}, {"GET", m.Output[0].URL}, {"POST", "/"}, {"GET", "/Patient/a/b/c/d"},
		} {
			a := w.stranger().send(t, c.method, c.path, "")
			a.refused(t, 401, "login")
			a.challenge(t, "")
		}
	})
	t.Run("SB-RS-14 refusals are OperationOutcomes", func(t *testing.T) {
		for _, path := range []string{"/Observation", "/Observation/x", "/Patient/$export?_type=Observation", status, m.Output[0].URL} {
			stranger, narrow := w.stranger().get(t, path, "Accept", fhirJSON, "Prefer", "respond-async"), w.grant(t, "system/Immunization.rs").get(t, path, "Accept", fhirJSON, "Prefer", "respond-async")
			stranger.refused(t, 401, "login")
			narrow.refused(t, 403, "forbidden")
			narrow.challenge(t, "insufficient_scope")
		}
	})
	t.Run("SB-RS-07 data outside of the scopes", func(t *testing.T) {
		reader.get(t, "/Patient/$export?_type=Patient,Observation", "Accept", fhirJSON, "Prefer", "respond-async").refused(t, 403, "forbidden")
		reader.get(t, "/Observation?patient=pt-000001").refused(t, 403, "forbidden")
	})
	t.Run("SB-RS-08 a type that does not exist", func(t *testing.T) {
		w.all.get(t, "/$export?_type=Patient,Nothing", "Accept", fhirJSON, "Prefer", "respond-async").refused(t, 400, "value", "not-supported", "invalid")
		w.all.get(t, "/Nothing").refused(t, 404, "not-supported")
	})
	t.Run("SB-RS-05 another client's job", func(t *testing.T) {
		other := w.holder(t, w.client(t, "system/*.rs"))
		for _, target := range []string{status, m.Output[0].URL} {
			if a := other.get(t, target); a.refused(t, 404, "not-found").Diagnostics == "" || a.header.Get("WWW-Authenticate") != "" {
				t.Errorf("%s: got WWW-Authenticate %q, want none", target, a.header.Get("WWW-Authenticate"))
			}
		}
	})
	t.Run("SB-RS-13 includes without scope are left out", func(t *testing.T) {
		observer := w.grant(t, "system/Observation.rs")
		var found struct {
			Entry []struct {
				Resource struct{ ResourceType string }
				Search   struct{ Mode string }
			}
		}
		observer.get(t, "/Observation?_include=Observation:patient&_count=5").want(t, 200).decode(t, &found)
		for _, e := range found.Entry {
			if e.Resource.ResourceType == "Patient" {
				t.Error("a Patient came without a scope for it")
			}
		}
	})
}
