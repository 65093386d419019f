package httpapi_test

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

const servicesPath = "/portal/api/services"

// A portalService is a service as /portal/api shows it.
type portalService struct {
	ClientID       string `json:"client_id"`
	Secret         string `json:"client_secret"`
	Name           string
	Authentication string
	Compliance     string
	Scope          string
	JWKS           json.RawMessage
	Organization   string
	Status         string
	StatusReason   string `json:"status_reason"`
	Allowed        []string
	Live           bool
	History        []struct{ Status, By, Reason string }
	Environments   map[string]struct {
		FHIRBase            string `json:"fhir_base"`
		SMARTConfiguration  string `json:"smart_configuration"`
		TokenURL            string `json:"token_url"`
		CapabilityStatement string `json:"capability_statement"`
	}
}

func (a *answer) service(t *testing.T, status int) (s portalService) {
	t.Helper()
	a.want(t, status).decode(t, &s)
	return s
}

// portal sends a request of a script to the portal.
func (w *world) portal(t *testing.T, method, path string, body any) *answer {
	t.Helper()
	text := ""
	if body != nil {
		text = string(marshal(t, body))
	}
	return w.at().send(t, method, path, text, "Content-Type", "application/json")
}

// bySecret is a registration that needs no keys.
func bySecret(scope string) map[string]any {
	return map[string]any{"name": "Claims fetcher", "authentication": "secret", "scope": scope}
}

// secretToken asks for a token with a secret and says how that ended.
func (w *world) secretToken(t *testing.T, tokenURL string, id, secret string) *answer {
	t.Helper()
	p := party{web: w.web}
	return p.send(t, "POST", tokenURL, form("grant_type", "client_credentials", "scope", "system/Patient.rs"),
		"Content-Type", formType, "Authorization", "Basic "+basic(id, secret))
}

// PB-14 to PB-18, PB-20 to PB-24: from the form to production and out of it
// again.
func TestPortalReview(t *testing.T) {
	t.Parallel()
	w := start(t)
	s := w.portal(t, "POST", servicesPath, bySecret("system/Patient.rs")).service(t, 201)
	path := servicesPath + "/" + s.ClientID
	read := func() portalService { return w.portal(t, "GET", path, nil).service(t, 200) }
	token := func(tokenURL string) *answer { return w.secretToken(t, tokenURL, s.ClientID, s.Secret) }
	if s.Status != "draft" || s.Live || len(s.Environments) != 1 {
		t.Fatalf("PB-14, PB-21: got %+v", s)
	}
	token(w.TokenURL()).want(t, 200)                    // PB-17
	token(w.Production().TokenURL()).want(t, 401)       // PB-18: not copied yet
	w.tells(t, token(w.Production().TokenURL()), "L01") // and told why
	if s = withSecret(w.portal(t, "POST", path+"/submit", nil).service(t, 200), s.Secret); s.Status != "under-review" {
		t.Errorf("PB-15: got status %s", s.Status)
	}
	token(w.TokenURL()).want(t, 200) // PB-17
	s = withSecret(w.portal(t, "POST", path+"/approve", nil).service(t, 200), s.Secret)
	if s.Status != "active" || !s.Live {
		t.Errorf("PB-22: got %+v", s)
	}
	for name, env := range s.Environments { // PB-20, PB-21
		for _, u := range []string{env.SMARTConfiguration, env.CapabilityStatement} {
			w.at().get(t, u).want(t, 200)
		}
		w.at().get(t, env.TokenURL).want(t, 405)
		if !strings.HasPrefix(env.CapabilityStatement, env.FHIRBase) {
			t.Errorf("PB-20: %s: got %+v", name, env)
		}
	}
	if _, there := s.Environments["production"]; !there {
		t.Errorf("PB-21: production's constants are missing: %v", s.Environments)
	}
	live := token(w.Production().TokenURL()).want(t, 200).object(t)["access_token"].(string) // PB-18
	trial := token(w.TokenURL()).want(t, 200).object(t)["access_token"].(string)             // PB-26
	party{web: w.web, base: w.Production().FHIRURL(), token: live}.get(t, "/Patient").want(t, 200)
	w.portal(t, "POST", path+"/deactivate", map[string]string{"reason": "the contract ended"}).want(t, 200)
	if s := read(); s.Status != "rejected" || s.Live || s.StatusReason != "the contract ended" || len(s.Environments) != 0 {
		t.Errorf("PB-23: got %+v", s)
	}
	party{web: w.web, base: w.Production().FHIRURL(), token: live}.get(t, "/Patient").want(t, 401)
	party{web: w.web, base: w.FHIRURL(), token: trial}.get(t, "/Patient").want(t, 401)
	for _, tokenURL := range []string{w.TokenURL(), w.Production().TokenURL()} {
		w.tells(t, token(tokenURL), "L03")
	}
	var steps []string
	for _, h := range read().History {
		steps = append(steps, h.Status)
	}
	if want := []string{"draft", "under-review", "active", "rejected"}; !slices.Equal(steps, want) {
		t.Errorf("got history %v, want %v", steps, want)
	}
}

func withSecret(s portalService, secret string) portalService {
	s.Secret = secret
	return s
}

// PB-24: every step in every status, of a service that was never in production
// and of one that was approved and is edited again.
func TestPortalTransitions(t *testing.T) {
	t.Parallel()
	w := start(t)
	allowed := map[string]map[string]string{ // status, step: status
		"draft":        {"submit": "under-review"},
		"under-review": {"approve": "active", "reject": "rejected"},
		"active":       {"deactivate": "rejected"},
		"rejected":     {},
	}
	ways := map[string][]string{"draft": nil, "under-review": {"submit"}, "active": {"submit", "approve"}, "rejected": {"submit", "reject"}}
	for status, way := range ways {
		for _, live := range []bool{false, true} {
			for _, step := range []string{"submit", "approve", "reject", "deactivate"} {
				want, ok := allowed[status][step], allowed[status][step] != ""
				if live && step == "deactivate" {
					want, ok = "rejected", true
				}
				name := status + " " + step
				if live {
					name += " with an approved copy"
				}
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					s := w.portal(t, "POST", servicesPath, bySecret("system/Patient.rs")).service(t, 201)
					path := servicesPath + "/" + s.ClientID
					take := func(step string) *answer {
						return w.portal(t, "POST", path+"/"+step, map[string]string{"reason": "a test"})
					}
					if live {
						take("submit").want(t, 200)
						take("approve").want(t, 200)
						if status != "active" {
							w.portal(t, "PUT", path, bySecret("system/Patient.r")).want(t, 200)
						}
					}
					if !live || status != "active" {
						for _, step := range way {
							take(step).want(t, 200)
						}
					}
					got := take(step)
					if !ok {
						got.want(t, 409)
						if s := w.portal(t, "GET", path, nil).service(t, 200); s.Status != status {
							t.Errorf("the refused step left the status %s", s.Status)
						}
						return
					}
					if s := got.service(t, 200); s.Status != want {
						t.Errorf("got status %s, want %s", s.Status, want)
					}
				})
			}
		}
	}
}

// PB-27: what an edit does in each status. The approved copy goes on until the
// revision is approved.
func TestPortalEdit(t *testing.T) {
	t.Parallel()
	w := start(t)
	s := w.portal(t, "POST", servicesPath, bySecret("system/Patient.rs")).service(t, 201)
	path := servicesPath + "/" + s.ClientID
	take := func(step string) {
		t.Helper()
		w.portal(t, "POST", path+"/"+step, map[string]string{"reason": "a test"}).want(t, 200)
	}
	edit := func(scope string) portalService {
		t.Helper()
		s := w.portal(t, "PUT", path, bySecret(scope)).service(t, 200)
		if s.Status != "draft" || s.Secret != "" {
			t.Errorf("after an edit: status %s, secret %q", s.Status, s.Secret)
		}
		return s
	}
	scopeOf := func(tokenURL string) string {
		t.Helper()
		p := party{web: w.web}
		a := p.send(t, "POST", tokenURL, form("grant_type", "client_credentials", "scope", "system/*.cruds"),
			"Content-Type", formType, "Authorization", "Basic "+basic(s.ClientID, s.Secret)).want(t, 200)
		return a.object(t)["scope"].(string)
	}
	take("submit")
	edit("system/Patient.r") // withdrawn
	take("submit")
	take("reject")
	w.tells(t, w.secretToken(t, w.TokenURL(), s.ClientID, s.Secret), "L03")
	edit("system/Patient.rs") // opened again
	take("submit")
	take("approve")
	if got := edit("system/Observation.rs"); !got.Live {
		t.Errorf("the edit ended the approved copy: %+v", got)
	}
	if got := scopeOf(w.Production().TokenURL()); got != "system/Patient.rs" {
		t.Errorf("production grants %s before the revision is approved", got)
	}
	if got := scopeOf(w.TokenURL()); got != "system/Observation.rs" {
		t.Errorf("the sandbox grants %s, want the revision's", got)
	}
	take("submit")
	take("reject")
	if got := scopeOf(w.Production().TokenURL()); got != "system/Patient.rs" {
		t.Errorf("production grants %s after the revision was rejected", got)
	}
	edit("system/Observation.rs")
	take("submit")
	take("approve")
	if got := scopeOf(w.Production().TokenURL()); got != "system/Observation.rs" {
		t.Errorf("production grants %s after the revision was approved", got)
	}
	take("deactivate")
	edit("system/Patient.rs")
	w.tells(t, w.secretToken(t, w.Production().TokenURL(), s.ClientID, s.Secret), "L01") // a draft again, not rejected
	w.portal(t, "DELETE", path, nil).want(t, 204)
	w.portal(t, "GET", path, nil).want(t, 404)
	w.tells(t, w.secretToken(t, w.TokenURL(), s.ClientID, s.Secret), "A02")
}

// PB-02, PB-03, PB-08, PB-25: everything that is wrong with a form is told at
// once, by field.
func TestPortalRefusesForms(t *testing.T) {
	t.Parallel()
	w := start(t)
	key := newES384(t, "k1")
	for _, c := range []struct {
		name   string
		body   map[string]any
		fields []string
	}{
		{"PB-02 no name", map[string]any{"authentication": "secret", "scope": "system/Patient.rs"}, []string{"name"}},
		{"PB-02 a name of white space", map[string]any{"name": " \t", "authentication": "secret", "scope": "system/Patient.rs"}, []string{"name"}},
		{"a name of two lines", map[string]any{"name": "a\nb", "authentication": "secret", "scope": "system/Patient.rs"}, []string{"name"}},
		{"a long name", map[string]any{"name": strings.Repeat("x", 201), "authentication": "secret", "scope": "system/Patient.rs"}, []string{"name"}},
		{"PB-03 no authentication", map[string]any{"name": "a", "scope": "system/Patient.rs"}, []string{"authentication"}},
		{"PB-03 a third authentication", map[string]any{"name": "a", "authentication": "tls_client_auth", "scope": "system/Patient.rs"}, []string{"authentication"}},
		{"PB-03 both", map[string]any{"name": "a", "authentication": "secret", "jwks_uri": "https://app.example/jwks.json", "scope": "system/Patient.rs"}, []string{"jwks_uri"}},
		{"no URL", map[string]any{"name": "a", "authentication": "jwks_uri", "scope": "system/Patient.rs"}, []string{"jwks_uri"}},
		{"URL by plain http", map[string]any{"name": "a", "authentication": "jwks_uri", "jwks_uri": "http://app.example/jwks.json", "scope": "system/Patient.rs"}, []string{"jwks_uri"}},
		{"no keys", map[string]any{"name": "a", "authentication": "jwks", "scope": "system/Patient.rs"}, []string{"jwks"}},
		{"a private JWK", map[string]any{"name": "a", "authentication": "jwks", "jwks": map[string]any{"keys": []any{key.jwk(t, func(jwk map[string]any) { jwk["d"] = "AAAA" })}}, "scope": "system/Patient.rs"}, []string{"jwks"}},
		{"no key at all", map[string]any{"name": "a", "authentication": "jwks", "jwks": "rubbish", "scope": "system/Patient.rs"}, []string{"jwks"}},
		{"PB-08 a patient's scope", map[string]any{"name": "a", "authentication": "secret", "scope": "patient/Patient.rs"}, []string{"scope"}},
		{"no scope", map[string]any{"name": "a", "authentication": "secret"}, []string{"scope"}},
		{"an unknown organization", map[string]any{"name": "a", "authentication": "secret", "scope": "system/Patient.rs", "organization": "nobody"}, []string{"organization"}},
		{"all at once", map[string]any{"authentication": "jwks_uri", "scope": "system/Patients.rs user/Patient.rs"}, []string{"name", "jwks_uri", "scope", "scope"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var refused struct {
				Error  string
				Fields []struct{ Field, Message, Fix string }
			}
			w.portal(t, "POST", servicesPath, c.body).want(t, 400).decode(t, &refused)
			var fields []string
			for _, f := range refused.Fields {
				fields = append(fields, f.Field)
				if !strings.HasSuffix(strings.TrimSpace(f.Message), ".") {
					t.Errorf("%s: got %q, want a sentence", f.Field, f.Message)
				}
			}
			if !slices.Equal(fields, c.fields) || refused.Error == "" {
				t.Errorf("got %q, fields %v; want %v", refused.Error, fields, c.fields)
			}
		})
	}
	t.Run("PB-25 redirect_uris", func(t *testing.T) {
		body := bySecret("system/Patient.rs")
		body["redirect_uris"] = []string{"https://app.example/"}
		w.portal(t, "POST", servicesPath, body).want(t, 400)
	})
	t.Run("PB-02 a name alone is no service", func(t *testing.T) {
		w.portal(t, "POST", servicesPath, map[string]any{"name": "a"}).want(t, 400)
	})
}

// PB-04, PB-05: the three ways to authenticate, each with a client that does
// so, and what they are worth.
func TestPortalAuthentication(t *testing.T) {
	t.Parallel()
	w := start(t)
	key := newES384(t, "k1")
	host := publish(t, keySet(key.jwk(t))).URL
	for _, tt := range []struct {
		name string
		body map[string]any
	}{
		{"PB-04 jwks_uri", map[string]any{"authentication": "jwks_uri", "jwks_uri": host}},
		{"a set", map[string]any{"authentication": "jwks", "jwks": keySet(key.jwk(t))}},
		{"a key", map[string]any{"authentication": "jwks", "jwks": key.jwk(t)}},
		{"PEM", map[string]any{"authentication": "jwks", "jwks": key.publicPEM(t)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.body["name"], tt.body["scope"] = "Claims fetcher", "system/Patient.rs"
			s := w.portal(t, "POST", servicesPath, tt.body).service(t, 201)
			if s.Secret != "" || !strings.Contains(s.Compliance, "required for ONC (g)(10)") {
				t.Errorf("PB-05: got %+v", s)
			}
			var set struct{ Keys []struct{ KID string } }
			kid := key.kid
			if s.JWKS != nil { // PEM has no kid: the portal names it
				if err := json.Unmarshal(s.JWKS, &set); err != nil || len(set.Keys) != 1 {
					t.Fatalf("got keys %s: %v", s.JWKS, err)
				}
				kid = set.Keys[0].KID
			}
			assertion := key.assertion(t, s.ClientID, w.TokenURL(), withHeader("kid", kid))
			w.at().askToken(t, w.TokenURL(), assertion, "system/Patient.rs").want(t, 200)
			w.tells(t, w.secretToken(t, w.TokenURL(), s.ClientID, "guess"), "K04")
		})
	}
	s := w.portal(t, "POST", servicesPath, bySecret("system/Patient.rs")).service(t, 201)
	if !strings.Contains(s.Compliance, "not SMART Backend Services") {
		t.Errorf("PB-05: got %q", s.Compliance)
	}
}

// PB-06, PB-07: a secret is shown once and rotated, in both environments.
func TestPortalSecret(t *testing.T) {
	t.Parallel()
	w := start(t)
	s := w.portal(t, "POST", servicesPath, bySecret("system/Patient.rs")).service(t, 201)
	path := servicesPath + "/" + s.ClientID
	w.portal(t, "POST", path+"/submit", nil).want(t, 200)
	w.portal(t, "POST", path+"/approve", nil).want(t, 200)
	for _, shown := range []*answer{w.portal(t, "GET", path, nil), w.portal(t, "GET", servicesPath, nil), w.at().get(t, "/_sandbox/exchanges")} {
		if strings.Contains(string(shown.want(t, 200).body), s.Secret) {
			t.Errorf("PB-06: %s shows the secret again", shown.request)
		}
	}
	second := w.portal(t, "POST", path+"/rotate-secret", nil).service(t, 200).Secret
	third := w.portal(t, "POST", path+"/rotate-secret", map[string]string{"overlap": "10m"}).service(t, 200).Secret
	for _, tokenURL := range []string{w.TokenURL(), w.Production().TokenURL()} {
		for secret, status := range map[string]int{s.Secret: 401, second: 200, third: 200} {
			w.secretToken(t, tokenURL, s.ClientID, secret).want(t, status)
		}
	}
	w.Clock().Advance(11 * time.Minute)
	for _, tokenURL := range []string{w.TokenURL(), w.Production().TokenURL()} {
		for secret, status := range map[string]int{second: 401, third: 200} {
			w.secretToken(t, tokenURL, s.ClientID, secret).want(t, status)
		}
	}
	c := w.client(t, "system/Patient.rs")
	w.portal(t, "POST", servicesPath+"/"+c.ID()+"/rotate-secret", nil).want(t, 409)
}

// PB-01, SF-16: the list has the services, however they were registered.
func TestPortalLists(t *testing.T) {
	t.Parallel()
	w := start(t)
	made := w.portal(t, "POST", servicesPath, bySecret("system/Patient.rs")).service(t, 201).ClientID
	key := newES384(t, "k1")
	registered := w.register(t, map[string]any{"client_name": "By itself", "token_endpoint_auth_method": "private_key_jwt",
		"grant_types": []string{"client_credentials"}, "jwks": map[string]any{"keys": []any{key.jwk(t)}}}).want(t, 201).object(t)["client_id"].(string)
	list := func(query string) (ids []string) {
		var got struct{ Services []portalService }
		w.portal(t, "GET", servicesPath+query, nil).want(t, 200).decode(t, &got)
		for _, s := range got.Services {
			ids = append(ids, s.ClientID)
		}
		return ids
	}
	for _, id := range []string{made, registered, w.DefaultClient().ID()} {
		if ids := list(""); !slices.Contains(ids, id) {
			t.Errorf("%s is not in the list %v", id, ids)
		}
	}
	if ids := list("?status=draft"); len(ids) != 2 {
		t.Errorf("got drafts %v, want the two", ids)
	}
	w.portal(t, "POST", servicesPath+"/"+registered+"/submit", nil).want(t, 200)
	if ids := list("?status=under-review"); !slices.Equal(ids, []string{registered}) {
		t.Errorf("got under review %v", ids)
	}
	w.portal(t, "GET", servicesPath+"/"+url.PathEscape("no such"), nil).want(t, 404)
}

// What a developer can ask of keys before registering them.
func TestPortalChecksKeys(t *testing.T) {
	t.Parallel()
	w := start(t)
	key := newES384(t, "k1")
	type seen struct {
		Keys     []struct{ KID, Signs string }
		Problems []struct{ Check, Message string }
		JWKS     json.RawMessage
		Exchange string
	}
	check := func(body map[string]any) (s seen) {
		t.Helper()
		w.portal(t, "POST", "/portal/api/keys", body).want(t, 200).decode(t, &s)
		return s
	}
	for name, body := range map[string]map[string]any{
		"published": {"jwks_uri": publish(t, keySet(key.jwk(t))).URL},
		"a set":     {"jwks": keySet(key.jwk(t))},
		"PEM":       {"jwks": key.publicPEM(t)},
	} {
		s := check(body)
		if len(s.Keys) != 1 || s.Keys[0].KID != "k1" && name != "PEM" || s.Keys[0].Signs != "ES384" || len(s.Problems) != 0 {
			t.Errorf("%s: got %+v", name, s)
		}
		if name == "published" {
			w.at().get(t, s.Exchange).want(t, 200)
		} else if again := check(map[string]any{"jwks": s.JWKS}); len(again.Problems) > 0 {
			t.Errorf("%s: what would be registered has problems: %v", name, again.Problems)
		}
	}
	if s := check(map[string]any{"jwks_uri": "http://127.0.0.1:1/jwks.json"}); len(s.Problems) != 1 || s.Problems[0].Check != "J01" {
		t.Errorf("a host that does not answer: got %+v", s)
	}
	if s := check(map[string]any{"jwks": string(w.DefaultClient().PrivateKeyPEM())}); len(s.Problems) != 1 || s.Problems[0].Check != "A19" || s.JWKS != nil {
		t.Errorf("a private key: got %+v", s)
	}
	w.portal(t, "POST", "/portal/api/keys", map[string]any{}).want(t, 400)
}

// publicPEM is the public key as openssl pkey -pubout writes it.
func (s *signer) publicPEM(t *testing.T) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(s.key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// tells checks which rule the explanation of a refusal names.
func (w *world) tells(t *testing.T, a *answer, id string) {
	t.Helper()
	if got := (&lab{world: w, t: t}).says(a); !strings.HasSuffix(got, " "+id) {
		t.Errorf("%s: got %s, want a refusal by %s", a.request, got, id)
	}
}
