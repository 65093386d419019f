package httpapi_test

import (
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha512"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sandfhir/sandfhir/sandbox"
)

// A service is a client whose assertions the tests sign themselves.
type service struct {
	*signer
	id string
}

// service registers a client with a key of the test's own.
func (w *world) service(t *testing.T, env *sandbox.Environment, scopes ...string) service {
	t.Helper()
	s := service{signer: newES384(t, "k1")}
	cfg := sandbox.ClientConfig{Scopes: scopes, Key: s.key, KeyID: s.kid}
	register := w.RegisterClient
	if env != nil {
		register = env.RegisterClient
	}
	c, err := register(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.id = c.ID()
	return s
}

func TestTokenRefusesAssertions(t *testing.T) {
	t.Parallel()
	w := start(t)
	me := w.service(t, nil, "system/Patient.rs")
	other, stranger := w.service(t, nil, "system/Patient.rs"), newES384(t, "k1")
	_, err := w.RegisterClient(t.Context(), sandbox.ClientConfig{ID: "rejected-client", Key: me.key, KeyID: me.kid, Status: sandbox.StatusRejected})
	if err != nil {
		t.Fatal(err)
	}
	producer := w.service(t, w.Production(), "system/Patient.rs")
	aud := w.TokenURL()
	assertion := func(twists ...twist) string { return me.assertion(t, me.id, aud, twists...) }
	unsigned := func(alg string) string {
		full := assertion(withHeader("alg", alg))
		return full[:strings.LastIndexByte(full, '.')+1]
	}
	hmacWithKey := func() string { // the confusion of a public key with a secret
		public, err := x509.MarshalPKIXPublicKey(me.key.Public())
		if err != nil {
			t.Fatal(err)
		}
		input := strings.TrimSuffix(unsigned("HS384"), ".")
		mac := hmac.New(sha512.New384, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))
		mac.Write([]byte(input))
		return input + "." + base64url(mac.Sum(nil))
	}
	asn1 := func() string {
		input := strings.TrimSuffix(unsigned("ES384"), ".")
		digest := sha512.Sum384([]byte(input))
		der, err := ecdsa.SignASN1(rand.Reader, me.key.(*ecdsa.PrivateKey), digest[:])
		if err != nil {
			t.Fatal(err)
		}
		return input + "." + base64url(der)
	}
	twice := func(header, claims string) string { // each is put before the right members
		parts := strings.Split(assertion(), ".")
		return me.seal(t, []byte("{"+header+string(fromBase64(t, parts[0])[1:])), []byte("{"+claims+string(fromBase64(t, parts[1])[1:])))
	}
	right := assertion()
	parts := strings.Split(right, ".")
	for _, c := range []struct{ name, assertion, check string }{
		{"SB-JWT-04 wrong signature", spoiled(t, assertion()), "A15"},
		{"SB-JWT-04 signature of another key", stranger.assertion(t, me.id, aud), "A15"},
		{"SB-JWT-04 signature of another client's key", other.assertion(t, me.id, aud), "A15"},
		{"SB-JWT-04 claims exchanged", parts[0] + "." + strings.Split(assertion(), ".")[1] + "." + parts[2], "A15"},
		{"SB-JWT-06 signature in ASN.1", asn1(), "A16"},
		{"SB-JWT-01 not signed", unsigned("ES384"), ""},
		{"SB-JWT-01 two parts", parts[0] + "." + parts[1], "A06"},
		{"SB-JWT-01 five parts", right + ".x.y", "A06"},
		{"SB-JWT-01 rubbish", "rubbish", "A06"},
		{"SB-JWT-23 alg twice", twice(`"alg":"none",`, ""), "SB-JWT-23"},
		{"SB-JWT-23 iss twice", twice("", `"iss":"nobody",`), "SB-JWT-23"},
		{"SB-JWT-03 alg none", unsigned("none"), "A10"},
		{"SB-JWT-03 HS384 with the public key for a secret", hmacWithKey(), "A10"},
		{"SB-JWT-03 alg of another kind of key", assertion(withHeader("alg", "RS384")), "A14"},
		{"SB-JWT-05 RS256", assertion(withHeader("alg", "RS256")), "A08"},
		{"SB-JWT-02 no typ", assertion(withoutHeader("typ")), "A07"},
		{"SB-JWT-02 other typ", assertion(withHeader("typ", "at+jwt")), "A07"},
		{"SB-JWT-07 no kid", assertion(withoutHeader("kid")), "A11"},
		{"SB-KEY-01 unknown kid", assertion(withHeader("kid", "k2")), "A12"},
		{"SB-JWT-08 jku of a client with a set by value", assertion(withHeader("jku", "https://example.org/jwks")), "A24"},
		{"SB-JWT-09 unknown crit", assertion(withHeader("crit", []string{"x"}), withHeader("x", 1)), ""},
		{"SB-JWT-09 own key in the header", stranger.assertion(t, me.id, aud, withHeader("jwk", stranger.jwk(t))), "A15"},
		{"SB-JWT-10 unknown iss", assertion(withClaim("iss", "nobody"), withClaim("sub", "nobody")), "A02"},
		{"SB-JWT-10 no iss", assertion(withoutClaim("iss")), ""},
		{"SB-JWT-11 sub is not iss", assertion(withClaim("sub", other.id)), "C01"},
		{"SB-JWT-11 no sub", assertion(withoutClaim("sub")), "C01"},
		{"SB-ERR-27 rejected client", assertion(withClaim("iss", "rejected-client"), withClaim("sub", "rejected-client")), "L03"},
		{"client of the other environment", producer.assertion(t, producer.id, aud), ""},
		{"SB-JWT-12 no aud", assertion(withoutClaim("aud")), "C03"},
		{"SB-JWT-12 aud of the FHIR base", assertion(withClaim("aud", w.FHIRURL())), "C03"},
		{"SB-JWT-12 aud with a slash", assertion(withClaim("aud", aud+"/")), "C04"},
		{"SB-JWT-12 aud of the other environment", assertion(withClaim("aud", w.Production().TokenURL())), ""},
		{"SB-JWT-12 aud of another server", assertion(withClaim("aud", "https://example.org/auth/token")), ""},
		{"SB-JWT-12 array without the endpoint", assertion(withClaim("aud", []string{w.FHIRURL(), "x"})), ""},
		{"SB-JWT-14 expired", assertion(withClaim("exp", inSeconds(-60))), "C08"},
		{"SB-JWT-14 no exp", assertion(withoutClaim("exp")), "C07"},
		{"SB-JWT-14 exp is text", assertion(withClaim("exp", "soon")), "C07"},
		{"SB-JWT-15 exp in ten minutes", assertion(withClaim("exp", inSeconds(600))), "C09"},
		{"SB-JWT-15 exp in milliseconds", assertion(withClaim("exp", inSeconds(240)*1000)), "C11"},
		{"SB-JWT-16 nbf to come", assertion(withClaim("nbf", inSeconds(120))), "C12"},
		{"SB-JWT-17 iat to come", assertion(withClaim("iat", inSeconds(120))), "C12"},
		{"SB-JWT-17 iat long ago", assertion(withClaim("iat", inSeconds(-3600))), ""},
		{"SB-JWT-18 no jti", assertion(withoutClaim("jti")), "C14"},
		{"SB-JWT-18 empty jti", assertion(withClaim("jti", "")), "C14"},
		{"SB-JWT-18 jti is a number", assertion(withClaim("jti", 5)), "C14"},
		{"SB-JWT-18 jti too long", assertion(withClaim("jti", strings.Repeat("x", 300))), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := w.at().askToken(t, aud, c.assertion, "system/Patient.rs")
			e := a.oauth(t, 400, "invalid_client") // SB-ERR-30, SB-ERR-32
			if challenge := a.header.Get("WWW-Authenticate"); challenge != "" {
				t.Errorf("SB-ERR-31: got WWW-Authenticate %q, want none", challenge)
			}
			if !strings.HasPrefix(e.Description, c.check) {
				t.Errorf("got description %q, want the check %s", e.Description, c.check)
			}
			if page := w.at().get(t, e.URI); page.status != 200 { // without any credential
				t.Errorf("%s answers %d, want the page that explains", e.URI, page.status)
			}
		})
	}
	// What was refused above has not spoiled what is right.
	w.at().askToken(t, aud, right, "system/Patient.rs").granted(t, "system/Patient.rs")
}

// TestTokenTakesAssertions is about what clients in the wild send and is right.
func TestTokenTakesAssertions(t *testing.T) {
	t.Parallel()
	w := start(t)
	me := w.service(t, nil, "system/Patient.rs")
	aud := w.TokenURL()
	for _, c := range []struct {
		name   string
		twists []twist
	}{
		{"SB-JWT-12 aud is an array", []twist{withClaim("aud", []string{aud})}},
		{"SB-JWT-12 aud is an array of several", []twist{withClaim("aud", []string{w.FHIRURL(), aud})}},
		{"SB-JWT-14 exp with a fraction", []twist{withClaim("exp", float64(inSeconds(100))+0.25)}},
		{"SB-JWT-15 exp in exactly five minutes", []twist{withClaim("exp", inSeconds(300))}},
		{"SB-JWT-22 clock some seconds ahead", []twist{withClaim("exp", inSeconds(315)), withClaim("iat", inSeconds(15)), withClaim("nbf", inSeconds(15))}},
		{"SB-JWT-22 clock some seconds behind", []twist{withClaim("exp", inSeconds(-10))}},
		{"SB-JWT-17 iat and nbf now", []twist{withClaim("iat", inSeconds(0)), withClaim("nbf", inSeconds(0))}},
		{"SB-JWT-02 typ in lower case", []twist{withHeader("typ", "jwt")}},
		{"SB-JWT-23 more claims and headers", []twist{withClaim("colour", "blue"), withHeader("kty", "EC")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.at().askToken(t, aud, me.assertion(t, me.id, aud, c.twists...), "system/Patient.rs").granted(t, "system/Patient.rs")
		})
	}
	t.Run("SB-TOK-02 charset", func(t *testing.T) {
		w.at().search(t, aud, tokenForm(me.assertion(t, me.id, aud), "system/Patient.rs"), "Content-Type", formType+"; charset=UTF-8").granted(t, "system/Patient.rs")
	})
	t.Run("SB-TOK-07 client_id in the form", func(t *testing.T) {
		w.at().search(t, aud, tokenForm(me.assertion(t, me.id, aud), "system/Patient.rs")+"&client_id="+me.id).granted(t, "system/Patient.rs")
	})
	t.Run("SB-TOK-04 unknown parameters", func(t *testing.T) {
		w.at().search(t, aud, tokenForm(me.assertion(t, me.id, aud), "system/Patient.rs")+"&resource=x&client_secret=").granted(t, "system/Patient.rs")
	})
}

func TestTokenRefusesForms(t *testing.T) {
	t.Parallel()
	w := start(t)
	me := w.service(t, nil, "system/Patient.rs system/Observation.rs")
	aud := w.TokenURL()
	pair := func() string {
		return "&" + form("client_assertion_type", assertionType, "client_assertion", me.assertion(t, me.id, aud))
	}
	const grant, scope = "grant_type=client_credentials", "&scope=system/Patient.rs"
	for _, c := range []struct {
		name, body, code string
		header           []string
	}{
		{name: "SB-ERR-03 no grant_type", body: scope[1:] + pair(), code: "invalid_request"},
		{name: "SB-ERR-03 empty grant_type", body: "grant_type=" + scope + pair(), code: "invalid_request"},
		{name: "SB-ERR-04 other grant_type", body: "grant_type=authorization_code" + scope + pair(), code: "unsupported_grant_type"},
		{name: "SB-ERR-04 grant_type in capitals", body: "grant_type=Client_Credentials" + scope + pair(), code: "unsupported_grant_type"},
		{name: "SB-ERR-05 no credentials", body: grant + scope, code: "invalid_client"},
		{name: "SB-ERR-05 no client_assertion", body: grant + scope + "&" + form("client_assertion_type", assertionType), code: "invalid_request"},
		{name: "SB-ERR-05 no client_assertion_type", body: grant + scope + "&" + form("client_assertion", me.assertion(t, me.id, aud)), code: "invalid_request"},
		{name: "SB-ERR-06 other client_assertion_type", body: grant + scope + "&" + form("client_assertion_type", "jwt", "client_assertion", me.assertion(t, me.id, aud)), code: "invalid_client"},
		{name: "SB-TOK-06 assertion and Basic", body: grant + scope + pair(), code: "invalid_request", header: []string{"Authorization", "Basic " + basic(me.id, "x")}},
		{name: "SB-TOK-06 assertion and secret", body: grant + scope + pair() + "&client_secret=x&client_id=" + me.id, code: "invalid_request"},
		{name: "SB-TOK-07 client_id of somebody else", body: grant + scope + pair() + "&client_id=nobody", code: "invalid_client"},
		{name: "SB-ERR-21 secret of a client of keys", body: grant + scope + "&client_secret=x&client_id=" + me.id, code: "invalid_client"},
		{name: "SB-ERR-25 scope twice", body: grant + scope + scope + pair(), code: "invalid_request"},
		{name: "SB-ERR-25 grant_type twice", body: grant + "&" + grant + scope + pair(), code: "invalid_request"},
		{name: "SB-ERR-22 no scope", body: grant + pair(), code: "invalid_scope"},
		{name: "SB-ERR-22 empty scope", body: grant + "&scope=" + pair(), code: "invalid_scope"},
		{name: "SB-ERR-23 letters out of order", body: grant + "&scope=system/Patient.sr" + pair(), code: "invalid_scope"},
		{name: "SB-ERR-23 unknown letters", body: grant + "&scope=system/Patient.xyz" + pair(), code: "invalid_scope"},
		{name: "SB-ERR-23 type in lower case", body: grant + "&scope=system/patient.rs" + pair(), code: "invalid_scope"},
		{name: "SB-ERR-23 unknown type", body: grant + "&scope=system/Nothing.rs" + pair(), code: "invalid_scope"},
		{name: "SB-ERR-23 commas", body: grant + "&scope=system/Patient.rs,system/Observation.rs" + pair(), code: "invalid_scope"},
		{name: "SB-SCO-08 modifier", body: grant + "&scope=system/Observation.rs%3Fcode:in%3Dx" + pair(), code: "invalid_scope"},
		{name: "SB-SCO-09 constraint on all types", body: grant + "&scope=system/*.rs%3Fcategory%3Dx" + pair(), code: "invalid_scope"},
		{name: "SB-SCO-11 patient scope", body: grant + "&scope=patient/Patient.rs" + pair(), code: "invalid_scope"},
		{name: "SB-SCO-12 launch scopes", body: grant + "&scope=launch fhirUser openid" + pair(), code: "invalid_scope"},
		{name: "SB-ERR-24 scope not registered", body: grant + "&scope=system/Condition.rs" + pair(), code: "invalid_scope"},
		{name: "SB-NEG-10 write of a reader", body: grant + "&scope=system/Patient.write" + pair(), code: "invalid_scope"},
		{name: "SB-TOK-02 JSON", body: `{"grant_type":"client_credentials"}`, code: "invalid_request", header: []string{"Content-Type", "application/json"}},
		{name: "SB-TOK-02 no content type", body: grant + scope + pair(), code: "invalid_request", header: []string{"Content-Type", ""}},
		{name: "SB-TOK-04 invalid percent-encoding", body: grant + "&scope=%zz" + pair(), code: "invalid_request"},
		{name: "nothing at all", body: "", code: "invalid_request"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.at().search(t, aud, c.body, c.header...).oauth(t, 400, c.code)
		})
	}
	t.Run("SB-TOK-05 in the query", func(t *testing.T) {
		w.at().search(t, aud+"?"+grant+scope+pair(), "").oauth(t, 400, "invalid_request")
	})
	for _, method := range []string{"GET", "PUT", "DELETE", "PATCH"} {
		t.Run("SB-TOK-01 "+method, func(t *testing.T) {
			w.at().send(t, method, aud, "").oauth(t, 405, "invalid_request")
			w.at().send(t, method, aud, "").wantHeader(t, "Allow", "POST")
		})
	}
}

func TestTokenNegotiatesScopes(t *testing.T) {
	t.Parallel()
	w := start(t)
	me := w.service(t, nil, "system/Patient.rs", "system/Observation.rs", "system/Condition.r")
	for _, c := range []struct{ name, asked, granted string }{
		{"SB-NEG-01 all of it", "system/Patient.rs", "system/Patient.rs"},
		{"SB-NEG-04 fewer letters", "system/Patient.r", "system/Patient.r"},
		{"SB-NEG-04 letters beyond", "system/Patient.cruds", "system/Patient.rs"},
		{"SB-NEG-06 v1", "system/Patient.read", "system/Patient.read"},
		{"SB-NEG-06 mixed", "system/Patient.read system/Observation.rs", "system/Patient.read system/Observation.rs"},
		{"SB-NEG-07 v1 of a part", "system/Condition.read", "system/Condition.r"},
		{"SB-NEG-01 one of two", "system/Patient.rs system/Encounter.rs", "system/Patient.rs"},
		{"SB-NEG-08 one scope twice", "system/Patient.rs system/Patient.rs", "system/Patient.rs"},
		{"SB-NEG-08 letter by letter", "system/Patient.r system/Patient.s", "system/Patient.rs"},
		{"SB-NEG-05 constrained", "system/Observation.rs?category=laboratory", "system/Observation.rs?category=laboratory"},
		{"SB-SCO-12 beside launch scopes", "system/Patient.rs launch openid fhirUser offline_access", "system/Patient.rs"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.at().askToken(t, w.TokenURL(), me.assertion(t, me.id, w.TokenURL()), c.asked).granted(t, c.granted)
		})
	}
	t.Run("SB-NEG-09 SB-NEG-04 all types", func(t *testing.T) {
		var got tokenAnswer
		w.at().askToken(t, w.TokenURL(), me.assertion(t, me.id, w.TokenURL()), "system/*.rs").want(t, 200).decode(t, &got)
		if list := strings.Fields(got.Scope); len(list) != 3 || !containsAll(list, "system/Patient.rs", "system/Observation.rs", "system/Condition.r") {
			t.Errorf("got %q, want what is registered and nothing else", got.Scope)
		}
	})
}

func TestTokenReplay(t *testing.T) {
	t.Parallel()
	w := start(t)
	me, other := w.service(t, nil, "system/Patient.rs"), w.service(t, nil, "system/Patient.rs")
	aud := w.TokenURL()
	ask := func(t *testing.T, assertion string) *answer {
		t.Helper()
		return w.at().askToken(t, aud, assertion, "system/Patient.rs")
	}
	t.Run("SB-JWT-19 twice", func(t *testing.T) {
		assertion := me.assertion(t, me.id, aud)
		ask(t, assertion).want(t, 200)
		for range 2 {
			if e := ask(t, assertion).oauth(t, 400, "invalid_client"); !strings.HasPrefix(e.Description, "C15") {
				t.Errorf("got %q, want the check C15", e.Description)
			}
		}
	})
	t.Run("SB-JWT-19 another assertion of the same jti", func(t *testing.T) {
		jti := withClaim("jti", rand.Text())
		ask(t, me.assertion(t, me.id, aud, jti)).want(t, 200)
		ask(t, me.assertion(t, me.id, aud, jti, withClaim("exp", inSeconds(100)))).oauth(t, 400, "invalid_client")
		ask(t, other.assertion(t, other.id, aud, jti)).want(t, 200) // the jti of another issuer
	})
	t.Run("SB-JWT-20 a wrong signature uses no jti up", func(t *testing.T) {
		assertion := me.assertion(t, me.id, aud)
		ask(t, spoiled(t, assertion)).oauth(t, 400, "invalid_client")
		ask(t, assertion).want(t, 200)
	})
	t.Run("SB-JWT-20 of a hundred in parallel exactly one wins", func(t *testing.T) {
		const posts = 100
		for range 2 {
			body := tokenForm(me.assertion(t, me.id, aud), "system/Patient.rs")
			var wg sync.WaitGroup
			var mu sync.Mutex
			count := map[int]int{}
			for range posts {
				wg.Go(func() {
					a, err := w.at().try(t.Context(), http.MethodPost, aud, strings.NewReader(body), "Content-Type", formType)
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
			if count[200] != 1 || count[400] != posts-1 {
				t.Fatalf("%d parallel posts of one assertion: got %v, want one 200 and otherwise 400", posts, count)
			}
		}
	})
	t.Run("SB-JWT-20 SB-JWT-21 a restart is no second chance", func(t *testing.T) {
		dir := t.TempDir()
		first, err := sandbox.New(t.Context(), sandbox.WithPatients(patients), sandbox.WithDataDir(dir))
		if err != nil {
			t.Fatal(err)
		}
		if err := first.Listen("127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		c, err := first.RegisterClient(t.Context(), sandbox.ClientConfig{ID: "kept", Key: me.key, KeyID: me.kid})
		if err != nil {
			t.Fatal(err)
		}
		host := strings.TrimPrefix(first.URL(), "http://")
		assertion := me.assertion(t, c.ID(), c.TokenURL())
		ask := func(s *sandbox.Server) *answer {
			return w.at().search(t, s.URL()+"/auth/token", tokenForm(assertion, "system/Patient.rs"), "Host", host)
		}
		ask(first).want(t, 200)
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		second := sandbox.Start(t, sandbox.WithPatients(patients), sandbox.WithDataDir(dir)) // SB-JWT-21
		ask(second).oauth(t, 400, "invalid_client")
	})
}

// TestTokensStayInTheirEnvironment proves that sandbox and production do not
// know each other's tokens and clients.
func TestTokensStayInTheirEnvironment(t *testing.T) {
	t.Parallel()
	w := start(t)
	producer, err := w.Production().RegisterClient(t.Context(), sandbox.ClientConfig{})
	if err != nil {
		t.Fatal(err)
	}
	production := w.holder(t, producer)
	production.get(t, "/Patient").want(t, 200)
	for _, c := range []struct{ name, base, token string }{
		{"sandbox token in production", production.base, w.all.token},
		{"production token in the sandbox", w.all.base, production.token},
	} {
		t.Run("SB-RS-03 "+c.name, func(t *testing.T) {
			p := party{web: w.web, base: c.base, token: c.token}
			for _, path := range []string{"/Patient", "/Patient/nobody", "/$export", "/_export/0123"} {
				a := p.get(t, path)
				if i := a.refused(t, 401, "login", "unknown"); !strings.HasPrefix(i.Diagnostics, "T05") {
					t.Errorf("got %q, want the check T05", i.Diagnostics)
				}
				a.challenge(t, "invalid_token")
			}
		})
	}
	production.put(t, "/Patient/mine", `{"resourceType":"Patient","id":"mine"}`).want(t, 201)
	w.all.get(t, "/Patient/mine").refused(t, 404, "not-found")
	if slices.Contains(w.all.ids(t, "/Patient"), "mine") || !slices.Contains(production.ids(t, "/Patient"), "mine") {
		t.Error("what was written in production is in the sandbox, or not where it was written")
	}
}
