package httpapi_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/sandbox"
)

// tutorialClient is the Client of the Aidbox tutorial on SMART Backend Services,
// step 2.
func tutorialClient(keys any) map[string]any {
	return map[string]any{
		"resourceType": "Client", "type": "bulk", "grant_types": []string{"client_credentials"}, "scope": []string{"system/*.read"}, "jwks": keys,
		"auth": map[string]any{"client_credentials": map[string]any{
			"client_assertion_types":  []string{"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
			"access_token_expiration": 300, "token_format": "jwt", "audience": "https://my-box.example",
		}},
	}
}

func linkedTo(client string, rest map[string]any) map[string]any {
	rest["link"] = []any{map[string]string{"resourceType": "Client", "id": client}}
	return rest
}

// The tutorial's steps 2 to 6: the client, its policy, the token, the data
// (AX-01, AX-04, AX-07, AX-10, AX-13, AX-29, AX-30, AX-47, AX-49).
func TestAidboxTutorialSteps(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.WithBehaviour("aidbox"))
	key := newRS384(t, "b41528b6f37a9500edb8a905a595bdd7")
	const id = "inferno-my-clinic-bulk-client"
	got := w.portal(t, "PUT", "/Client/"+id, tutorialClient([]any{key.jwk(t)})).want(t, 201).object(t)
	if got["id"] != id || got["type"] != "bulk" || got["meta"].(map[string]any)["versionId"] != "1" {
		t.Errorf("AX-01: got %v", got)
	}
	w.portal(t, "PUT", "/Client/"+id, tutorialClient([]any{key.jwk(t)})).want(t, 200)
	if again := w.at().get(t, "/Client/"+id).want(t, 200).object(t); again["type"] != "bulk" || again["jwks"] == nil {
		t.Errorf("AX-47: got %v", again)
	}
	token := w.at().askToken(t, w.TokenURL(), key.assertion(t, id, w.TokenURL()), "system/*.read").want(t, 200).object(t)
	if token["token_type"] != "Bearer" || token["expires_in"] != 300.0 {
		t.Errorf("AX-04, AX-29: got %v", token)
	}
	p := party{web: w.web, base: w.FHIRURL(), token: token["access_token"].(string)}
	if aud := claimsOf(t, p.token)["aud"]; aud != "https://my-box.example" {
		t.Errorf("AX-13: the token's aud is %v", aud)
	}
	refused := p.get(t, "/Patient").refused(t, 403, "forbidden")
	if !strings.Contains(refused.Diagnostics, `S09: Token valid, scope ok; no AccessPolicy allows client "`+id+`" GET /fhir/Patient. Evaluated: none`) {
		t.Errorf("AX-07, AX-09: got %q", refused.Diagnostics)
	}
	w.portal(t, "PUT", "/AccessPolicy/"+id, linkedTo(id, map[string]any{"engine": "allow"})).want(t, 201)
	p.get(t, "/Patient").want(t, 200)
	if m := p.export(t, "/Patient/$export?_type=Patient"); len(m.Output) != 1 {
		t.Errorf("got %+v", m)
	}
	if list := w.at().get(t, "/AccessPolicy?link=Client/"+id).want(t, 200).object(t); list["total"] != 1.0 {
		t.Errorf("got %v", list)
	}
	if history := w.at().get(t, "/Client/"+id+"/_history").want(t, 200).object(t); history["total"] != 2.0 {
		t.Errorf("AX-49: got %v", history)
	}
	w.at().send(t, "DELETE", "/AccessPolicy/"+id, "").want(t, 204)
	p.get(t, "/Patient").want(t, 403)
	// AX-16: the session ends.
	if s := p.send(t, "GET", w.URL()+"/Session", "").want(t, 200).object(t); s["client"].(map[string]any)["id"] != id {
		t.Errorf("AX-16: got %v", s)
	}
	p.send(t, "DELETE", w.URL()+"/Session", "").want(t, 204)
	p.get(t, "/Patient").want(t, 401)
	w.at().send(t, "DELETE", "/Client/"+id, "").want(t, 204)
	w.at().get(t, "/Client/"+id).want(t, 404)
	w.tells(t, w.at().askToken(t, w.TokenURL(), key.assertion(t, id, w.TokenURL()), "system/*.read"), "A02")
}

// What a Client may not be, and what comes of one that lacks something (AX-02,
// AX-03, AX-05, AX-12, AX-14, AX-15).
func TestAidboxClients(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.WithBehaviour("aidbox"))
	key := newRS384(t, "k1")
	put := func(id string, change func(map[string]any)) *answer {
		t.Helper()
		c := tutorialClient([]any{key.jwk(t)})
		change(c)
		return w.portal(t, "PUT", "/Client/"+id, c)
	}
	credentials := func(c map[string]any) map[string]any {
		return c["auth"].(map[string]any)["client_credentials"].(map[string]any)
	}
	for name, change := range map[string]func(map[string]any){
		"AX-05 an object of keys":    func(c map[string]any) { c["jwks"] = keySet(key.jwk(t)) },
		"AX-05 a key for encryption": func(c map[string]any) { c["jwks"] = []any{key.jwk(t, func(k map[string]any) { k["use"] = "enc" })} },
		"a private key":              func(c map[string]any) { c["jwks"] = []any{key.jwk(t, func(k map[string]any) { k["d"] = "AAAA" })} },
		"an unknown scope":           func(c map[string]any) { c["scope"] = []string{"system/Patients.read"} },
		"AX-14 refresh tokens":       func(c map[string]any) { credentials(c)["refresh_token"] = true },
		"an opaque token":            func(c map[string]any) { credentials(c)["token_format"] = "opaque" },
		"a life of nothing":          func(c map[string]any) { credentials(c)["access_token_expiration"] = 0 },
		"another id":                 func(c map[string]any) { c["id"] = "other" },
		"keys and a secret":          func(c map[string]any) { c["secret"] = "s3cret" },
	} {
		t.Run(name, func(t *testing.T) { put("wrong", change).want(t, 422) })
	}
	ask := func(id string) *answer {
		return w.at().askToken(t, w.TokenURL(), key.assertion(t, id, w.TokenURL()), "system/*.read")
	}
	put("no-grant", func(c map[string]any) { c["grant_types"] = []string{"code"} }).want(t, 201)
	ask("no-grant").oauth(t, 400, "unauthorized_client") // AX-02
	put("no-assertions", func(c map[string]any) { delete(credentials(c), "client_assertion_types") }).want(t, 201)
	w.tells(t, ask("no-assertions"), "K04") // AX-03
	put("by-secret", func(c map[string]any) { delete(c, "jwks"); c["secret"] = "s3cret" }).want(t, 201)
	if shown := string(w.at().get(t, "/Client/by-secret").want(t, 200).body); strings.Contains(shown, "s3cret") {
		t.Errorf("the secret is shown: %s", shown)
	}
	basicAuth := []string{"Content-Type", formType, "Authorization", "Basic " + basic("by-secret", "s3cret")}
	w.at().send(t, "POST", "/auth/token", form("grant_type", "client_credentials", "scope", "system/*.read"), basicAuth...).want(t, 200) // AX-12, AX-15
	for _, e := range w.Exchanges() {
		if strings.Contains(e.RequestBody, "s3cret") {
			t.Errorf("the record of %s %s has the secret", e.Method, e.URL)
		}
	}
}

// AX-08, AX-09, AX-46: what each engine lets through.
func TestAccessPolicies(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.WithBehaviour("aidbox"))
	key := newRS384(t, "k1")
	for i, c := range []struct {
		name     string
		policies []map[string]any
		allowed  string
	}{
		{"none", nil, ""},
		{"allow", []map[string]any{{"engine": "allow"}}, "patient observation write dump batch"},
		{"allow for another", []map[string]any{{"engine": "allow", "link": []any{map[string]string{"reference": "Client/other"}}}}, ""},
		{"for an operation", []map[string]any{{"engine": "allow", "link": []any{map[string]string{"reference": "Operation/x"}}}}, ""},
		{"AX-46 matcho of the dump", []map[string]any{{"engine": "matcho", "matcho": map[string]any{"uri": `#^/[A-Za-z]+/\$dump$`, "request-method": "get"}}}, "dump"},
		{"matcho of a client", []map[string]any{{"engine": "matcho", "matcho": map[string]any{"client": map[string]any{"id": "#^policy-"}, "request-method": map[string]any{"$enum": []string{"get"}}}}}, "patient observation dump"},
		{"matcho that is not", []map[string]any{{"engine": "matcho", "matcho": map[string]any{"uri": map[string]any{"$not": "#Observation"}, "request-method": "get"}}}, "patient dump"},
		{"json-schema", []map[string]any{{"engine": "json-schema", "schema": map[string]any{"required": []string{"uri"}, "properties": map[string]any{"uri": map[string]any{"pattern": "^/fhir/Patient"}, "request-method": map[string]any{"const": "get"}}}}}, "patient"},
		{"scopes", []map[string]any{{"engine": "scopes", "scopes": []string{"system/Observation.read"}}}, "observation"},
		{"the first that says true", []map[string]any{
			{"engine": "matcho", "matcho": map[string]any{"uri": "/fhir/Nothing"}}, {"engine": "scopes", "scopes": []string{"system/Patient.read"}},
			{"engine": "scopes", "scopes": []string{"system/Observation.read"}}}, "patient observation dump"},
		{"batches and their entries", []map[string]any{{"engine": "matcho", "matcho": map[string]any{"uri": "#^/fhir(/Patient.*)?$"}}}, "patient write batch"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			id := fmt.Sprintf("policy-%d", i)
			client := tutorialClient([]any{key.jwk(t)})
			client["scope"] = []string{"system/*.*"}
			w.portal(t, "PUT", "/Client/"+id, client).want(t, 201)
			for n, p := range c.policies {
				if p["link"] == nil {
					p = linkedTo(id, p)
				}
				w.portal(t, "PUT", fmt.Sprintf("/AccessPolicy/%s-%d", id, n), p).want(t, 201)
			}
			token := w.at().askToken(t, w.TokenURL(), key.assertion(t, id, w.TokenURL()), "system/*.*").want(t, 200).object(t)["access_token"].(string)
			p := party{web: w.web, base: w.FHIRURL(), token: token}
			var allowed []string
			ok := func(name string, a *answer) {
				if a.status < 300 {
					allowed = append(allowed, name)
				} else if a.status != 403 {
					t.Errorf("%s: got %d: %s", name, a.status, a.excerpt())
				}
			}
			ok("patient", p.get(t, "/Patient?_count=1"))
			ok("observation", p.get(t, "/Observation?_count=1"))
			ok("write", p.put(t, "/Patient/"+id, patient(id)))
			ok("dump", p.send(t, "GET", w.URL()+"/Patient/$dump", ""))
			batch := p.post(t, "", `{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"Patient?_count=1"}},{"request":{"method":"GET","url":"Observation?_count=1"}}]}`)
			if batch.status == 200 {
				var got struct {
					Entry []struct{ Response struct{ Status string } }
				}
				batch.decode(t, &got)
				if strings.HasPrefix(got.Entry[0].Response.Status, "200") {
					allowed = append(allowed, "batch")
				}
				if observed := strings.HasPrefix(got.Entry[1].Response.Status, "200"); observed != slices.Contains(allowed, "observation") {
					t.Errorf("the entry for Observation: %s", got.Entry[1].Response.Status)
				}
			}
			want := strings.Fields(c.allowed)
			slices.Sort(allowed)
			slices.Sort(want)
			if c.name == "the first that says true" || c.name == "scopes" || strings.HasPrefix(c.name, "matcho") || c.name == "json-schema" {
				allowed = slices.DeleteFunc(allowed, func(s string) bool { return s == "batch" })
			}
			if !slices.Equal(allowed, want) {
				t.Errorf("got %v allowed, want %v", allowed, want)
			}
		})
	}
	t.Run("AX-08 engines that are not offered", func(t *testing.T) {
		for _, engine := range []string{"sql", "complex", "allow-rpc", "matcho-rpc", "", "matcho", "json-schema", "scopes"} {
			a := w.portal(t, "PUT", "/AccessPolicy/x", map[string]any{"engine": engine}).want(t, 422)
			if engine == "sql" && !strings.Contains(string(a.body), "is not offered by this sandbox; allow, matcho, json-schema, scopes are") {
				t.Errorf("got %s", a.body)
			}
		}
		w.portal(t, "PUT", "/AccessPolicy/x", map[string]any{"engine": "matcho", "matcho": map[string]any{"uri": "#("}}).want(t, 422)
		w.portal(t, "PUT", "/AccessPolicy/x", map[string]any{"engine": "json-schema", "schema": map[string]any{"$ref": "http://127.0.0.1:1/x.json"}}).want(t, 422)
	})
}

// PB-19: after the approval the policy in production is that of the scopes;
// without it the client is refused there, and only there.
func TestDerivedPolicies(t *testing.T) {
	t.Parallel()
	w := start(t)
	c, err := w.RegisterClient(t.Context(), sandbox.ClientConfig{ID: "app", Scopes: []string{"system/Patient.rs"}, Status: sandbox.StatusDraft})
	if err != nil {
		t.Fatal(err)
	}
	s := c.Service()
	for _, step := range []error{s.Submit(t.Context()), s.Approve(t.Context())} {
		if step != nil {
			t.Fatal(step)
		}
	}
	policies := func() (list []map[string]any) {
		var found struct {
			Entry []struct{ Resource map[string]any }
		}
		w.at().get(t, "/production/AccessPolicy?link=Client/app").want(t, 200).decode(t, &found)
		for _, e := range found.Entry {
			list = append(list, e.Resource)
		}
		return list
	}
	if list := policies(); len(list) != 1 || list[0]["id"] != "app-scopes" || list[0]["engine"] != "scopes" || fmt.Sprint(list[0]["scopes"]) != "[system/Patient.rs]" {
		t.Errorf("PB-19: got %v", list)
	}
	live, trial := w.holder(t, c.InProduction()), w.holder(t, c)
	live.get(t, "/Patient").want(t, 200)
	w.at().send(t, "DELETE", "/production/AccessPolicy/app-scopes", "").want(t, 204)
	live.get(t, "/Patient").refused(t, 403, "forbidden")
	trial.get(t, "/Patient").want(t, 200)
	if list := policies(); len(list) != 0 {
		t.Errorf("after its deletion: got %v", list)
	}
	w.portal(t, "PUT", "/production/AccessPolicy/app-scopes", linkedTo("app", map[string]any{"engine": "scopes", "scopes": []string{"system/Patient.r"}})).want(t, 200)
	live.get(t, "/Patient").refused(t, 403, "forbidden") // no search any more
	id := w.holder(t, c.InProduction()).base             // reading goes on
	_ = id
	if err := s.Deactivate(t.Context(), "a test"); err != nil {
		t.Fatal(err)
	}
	w.portal(t, "PUT", servicesPath+"/app", map[string]any{"name": "app", "authentication": "secret", "scope": "system/Patient.rs"}).want(t, 200)
	for _, step := range []error{s.Submit(t.Context()), s.Approve(t.Context())} {
		if step != nil {
			t.Fatal(step)
		}
	}
	if list := policies(); len(list) != 1 || fmt.Sprint(list[0]["scopes"]) != "[system/Patient.rs]" {
		t.Errorf("after another approval: got %v", list)
	}
}

// AX-35: which policies let a request through, under the behaviour aidbox.
func TestPolicyTrace(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.WithBehaviour("aidbox"))
	for _, a := range []*answer{w.all.get(t, "/Patient", "X-Debug", "policy"), w.all.get(t, "/Patient?__debug=policy")} {
		if got := a.want(t, 200).object(t); got["result"] != true || got["policy"] != "default-client-scopes" {
			t.Errorf("got %v", got)
		}
	}
	w.stranger().get(t, "/Patient", "X-Debug", "policy").want(t, 401)
	strict := start(t)
	if got := strict.all.get(t, "/Patient", "X-Debug", "policy").want(t, 200).object(t); got["resourceType"] != "Bundle" {
		t.Errorf("under strict: got %v", got)
	}
}

// claimsOf reads the claims of a JWT.
func claimsOf(t *testing.T, token string) (claims map[string]any) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is no JWT", token)
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err == nil {
		err = json.Unmarshal(text, &claims)
	}
	if err != nil {
		t.Fatal(err)
	}
	return claims
}
