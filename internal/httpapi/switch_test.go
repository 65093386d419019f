package httpapi_test

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/internal/behaviour"
	"github.com/sandfhir/sandfhir/sandbox"
)

// A lab is a server under some behaviour with two clients that may do
// everything.
type lab struct {
	*world
	t      *testing.T
	es, rs service // sign ES384 and RS384
}

func newLab(t *testing.T, rsa *signer, opts ...sandbox.Option) *lab {
	t.Helper()
	sb := sandbox.Start(t, append([]sandbox.Option{sandbox.WithPatients(patients)}, opts...)...)
	x := &lab{world: &world{Server: sb, web: newWeb(t)}, t: t}
	x.es = x.enrol(newES384(t, "es-1"), sandbox.ClientConfig{})
	x.rs = x.enrol(rsa, sandbox.ClientConfig{})
	return x
}

// enrol registers a client with a key, which says what it is for. Scopes are
// written as both versions can be.
func (x *lab) enrol(key *signer, cfg sandbox.ClientConfig) service {
	x.t.Helper()
	cfg.Key, cfg.KeyID = key.key, key.kid
	if cfg.Scopes == nil {
		cfg.Scopes = []string{"system/*.*"}
		if x.Behaviour().Value("scope.version") == "v2" {
			cfg.Scopes = []string{"system/*.cruds"}
		}
	}
	c, err := x.RegisterClient(x.t.Context(), cfg)
	if err != nil {
		x.t.Fatal(err)
	}
	return service{signer: key, id: c.ID()}
}

// ask asks for a token with an assertion of the client's.
func (x *lab) ask(s service, twists ...twist) *answer {
	return x.askFor(s, "system/Patient.read", twists...)
}

func (x *lab) askFor(s service, scope string, twists ...twist) *answer {
	x.t.Helper()
	return x.at().askToken(x.t, x.TokenURL(), s.assertion(x.t, s.id, x.TokenURL(), twists...), scope)
}

// says tells an answer in a few words: the status, and the check that failed.
func (x *lab) says(a *answer) string {
	x.t.Helper()
	text := fmt.Sprint(a.status)
	page, _, found := strings.Cut(a.header.Get("Link"), ">")
	if a.status < 400 || !found {
		return text
	}
	for _, seen := range x.Exchanges() {
		if seen.ID != path.Base(page) {
			continue
		}
		for _, check := range seen.Checks {
			if check.Result == sandbox.Fail {
				return text + " " + check.ID
			}
		}
	}
	x.t.Errorf("%s: no exchange explains %s", a.request, a.body)
	return text
}

// told tells of a token answer what a client goes by.
func (x *lab) told(a *answer, members ...string) string {
	x.t.Helper()
	if a.status != 200 {
		return x.says(a)
	}
	got := a.object(x.t)
	var words []string
	for _, name := range members {
		value, there := got[name]
		if !there {
			value = "-"
		}
		words = append(words, fmt.Sprint(value))
	}
	return strings.Join(words, ", ")
}

// token obtains an access token.
func (x *lab) token(s service, scope string) party {
	x.t.Helper()
	var got tokenAnswer
	x.askFor(s, scope).want(x.t, 200).decode(x.t, &got)
	return party{web: x.web, base: x.FHIRURL(), token: got.AccessToken}
}

// discovered is a member of the discovery document.
func (x *lab) discovered(member string) string {
	x.t.Helper()
	return fmt.Sprint(x.at().get(x.t, "/fhir/.well-known/smart-configuration").want(x.t, 200).object(x.t)[member])
}

// secretive registers a client with a secret over HTTP.
func (x *lab) secretive() (id, secret string, expires int64) {
	x.t.Helper()
	var got struct {
		ID      string `json:"client_id"`
		Secret  string `json:"client_secret"`
		Expires int64  `json:"client_secret_expires_at"`
	}
	x.register(x.t, metadata(func(m map[string]any) {
		m["token_endpoint_auth_method"], m["scope"] = "client_secret_basic", "system/*.read"
	})).want(x.t, 201).decode(x.t, &got)
	return got.ID, got.Secret, got.Expires
}

func (x *lab) askBasic(id, secret string) *answer {
	x.t.Helper()
	return x.at().search(x.t, "/auth/token", form("grant_type", "client_credentials", "scope", "system/Patient.read"), "Authorization", "Basic "+basic(id, secret))
}

// registered registers a client with what a payer's form would hold.
func (x *lab) registered(change func(m map[string]any)) *answer {
	x.t.Helper()
	return x.register(x.t, metadata(func(m map[string]any) {
		m["scope"] = "system/*.read"
		change(m)
	}))
}

func both(words ...string) string { return strings.Join(words, "; ") }

// without takes members out of a JWK.
func without(names ...string) func(map[string]any) {
	return func(jwk map[string]any) {
		for _, name := range names {
			delete(jwk, name)
		}
	}
}

// A switchCase does the same at two servers: a strict one, and one under
// another behaviour.
type switchCase struct {
	name     string // the ids that it is about, and the matter
	switches string // name=value, separated by semicolons
	aidbox   bool   // the other behaviour is aidbox
	opts     []sandbox.Option
	do       func(x *lab) string
	strict   string
	switched string // "" where the difference makes none
	inGo     bool   // part of what is done is no request, so that no fault meets it
}

func (c switchCase) options(t *testing.T) []sandbox.Option {
	t.Helper()
	opts := c.opts
	if c.aidbox {
		opts = append(opts, sandbox.WithBehaviour("aidbox"))
	}
	for name, value := range c.each() {
		opts = append(opts, sandbox.WithSwitch(name, value))
	}
	if len(opts) == 0 {
		t.Fatal("the case changes nothing")
	}
	return opts
}

func (c switchCase) each() map[string]string {
	list := map[string]string{}
	for pair := range strings.SplitSeq(c.switches, ";") {
		if name, value, found := strings.Cut(pair, "="); found {
			list[name] = value
		}
	}
	return list
}

func switchCases(t *testing.T, rsa *signer) []switchCase {
	t.Helper()
	return slices.Concat(assertionCases(), keyCases(rsa), secretCases(), tokenCases(), scopeCases(), wireCases(), differenceCases(), exportCases())
}

// TestSwitches plays every switch, and every difference between the sources
// and the specifications, at a strict server and at one that has it switched.
// Then the strict one is switched while it runs, and by faults.
func TestSwitches(t *testing.T) {
	t.Parallel()
	rsa := newRS384(t, "rs-1")
	for _, c := range switchCases(t, rsa) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			want := c.switched
			if want == "" {
				want = c.strict
			}
			if got := c.do(newLab(t, rsa)); got != c.strict {
				t.Errorf("strict: got %s, want %s", got, c.strict)
			}
			if got := c.do(newLab(t, rsa, c.options(t)...)); got != want {
				t.Errorf("%s: got %s, want %s", c.switches, got, want)
			}
			if c.opts != nil {
				return
			}
			x, name := newLab(t, rsa), ""
			if c.aidbox {
				name = "aidbox"
			}
			if err := x.SetBehaviour(name, c.each()); err != nil {
				t.Fatal(err)
			}
			if got := c.do(x); got != want {
				t.Errorf("%s, set while it runs: got %s, want %s", c.switches, got, want)
			}
			if c.aidbox || c.inGo {
				return
			}
			x = newLab(t, rsa)
			for name, value := range c.each() {
				x.inject(t, name+"="+value)
			}
			if got := c.do(x); got != want {
				t.Errorf("%s, as faults: got %s, want %s", c.switches, got, want)
			}
		})
	}
}

// Every switch and every difference has a case.
func TestSwitchCasesAreComplete(t *testing.T) {
	t.Parallel()
	played, names := map[string]bool{}, ""
	for _, c := range switchCases(t, newES384(t, "k")) {
		names += c.name + "\n"
		for name := range c.each() {
			played[name] = true
		}
	}
	for _, s := range behaviour.Table() {
		if !played[s.Name] {
			t.Errorf("no case plays %s", s.Name)
		}
	}
	for n := 1; n <= 16; n++ {
		if id := fmt.Sprintf("SB-DIF-%02d", n); !strings.Contains(names, id) {
			t.Errorf("no case is about %s", id)
		}
	}
}

func assertionCases() []switchCase {
	aud := func(value func(x *lab) any) func(x *lab) string {
		return func(x *lab) string { return x.says(x.ask(x.rs, withClaim("aud", value(x)))) }
	}
	exp := func(ahead int) func(x *lab) string {
		return func(x *lab) string { return x.says(x.ask(x.rs, withClaim("exp", inSeconds(ahead)))) }
	}
	return []switchCase{
		{name: "SB-DIF-01 C03 SB-ERR-10 aud of another server", switches: "aud.accept=any",
			do: aud(func(*lab) any { return "https://payer.example/token" }), strict: "400 C03", switched: "200"},
		{name: "SB-DIF-01 C03 SB-ERR-10 no aud", switches: "aud.accept=any",
			do: func(x *lab) string { return x.says(x.ask(x.rs, withoutClaim("aud"))) }, strict: "400 C03", switched: "200"},
		{name: "SB-JWT-13 C03 the issuer as aud", switches: "aud.accept=token issuer",
			do: aud(func(x *lab) any { return strings.TrimSuffix(x.TokenURL(), "/token") }), strict: "400 C03", switched: "200"},
		{name: "SB-JWT-13 C03 the token URL where the issuer alone is wanted", switches: "aud.accept=issuer",
			do: func(x *lab) string { return x.says(x.ask(x.rs)) }, strict: "200", switched: "400 C03"},
		{name: "SB-JWT-13 C03 the FHIR base as aud", switches: "aud.accept=fhir-base",
			do: aud(func(x *lab) any { return x.FHIRURL() }), strict: "400 C03", switched: "200"},
		{name: "SB-JWT-13 C04 a slash at the end of aud", switches: "aud.accept=token slash",
			do: aud(func(x *lab) any { return x.TokenURL() + "/" }), strict: "400 C04", switched: "200"},
		{name: "SB-JWT-13 C05 https for http in aud", switches: "aud.accept=token scheme",
			do: aud(func(x *lab) any { return strings.Replace(x.TokenURL(), "http:", "https:", 1) }), strict: "400 C05", switched: "200"},
		{name: "C06 aud is an array", switches: "aud.array=deny",
			do: aud(func(x *lab) any { return []string{x.TokenURL()} }), strict: "200", switched: "400 C06"},
		{name: "C06 aud is an array where anything goes otherwise", switches: "aud.array=deny;aud.accept=any",
			do: aud(func(x *lab) any { return []string{"a", "b"} }), strict: "400 C03", switched: "400 C06"},
		{name: "SB-DIF-02 C09 SB-ERR-12 exp ten minutes ahead", switches: "exp.max=600s",
			do: exp(600), strict: "400 C09", switched: "200"},
		{name: "SB-DIF-02 C09 SB-ERR-12 exp twelve minutes ahead", switches: "exp.max=600s",
			do: exp(720), strict: "400 C09"},
		{name: "SB-JWT-15 C09 a payer that takes two minutes", switches: "exp.max=120s",
			do: exp(240), strict: "200", switched: "400 C09"},
		{name: "SB-JWT-22 C09 no tolerance for clocks", switches: "clock.skew=0s",
			do: exp(315), strict: "200", switched: "400 C09"},
		{name: "SB-JWT-22 C08 much tolerance for clocks", switches: "clock.skew=120s",
			do: exp(-60), strict: "400 C08", switched: "200"},
		{name: "SB-ERR-13 C12 nbf in the future", switches: "nbf.check=false",
			do: func(x *lab) string { return x.says(x.ask(x.rs, withClaim("nbf", inSeconds(100)))) }, strict: "400 C12", switched: "200"},
		{name: "SB-ERR-13 C12 iat in the future", switches: "iat.check=false",
			do: func(x *lab) string { return x.says(x.ask(x.rs, withClaim("iat", inSeconds(100)))) }, strict: "400 C12", switched: "200"},
		{name: "SB-ERR-13 iat that is no number", switches: "iat.check=false",
			do: func(x *lab) string { return x.says(x.ask(x.rs, withClaim("iat", "now"))) }, strict: "400 SB-JWT-17", switched: "200"},
		{name: "C13 no iat", switches: "iat.require=true",
			do: func(x *lab) string {
				return both(x.says(x.ask(x.rs)), x.says(x.ask(x.rs, withClaim("iat", inSeconds(0)))))
			}, strict: "200; 200", switched: "400 C13; 200"},
		{name: "C13 no iat where iat is wanted and not looked at", switches: "iat.require=true;iat.check=false",
			do: func(x *lab) string { return x.says(x.ask(x.rs)) }, strict: "200", switched: "400 C13"},
		{name: "SB-JWT-17 C08 an old iat", switches: "iat.max_age=2h",
			do: func(x *lab) string { return x.says(x.ask(x.rs, withClaim("iat", inSeconds(-3600)))) }, strict: "400 C08", switched: "200"},
		{name: "SB-JWT-17 C08 an iat of any age", switches: "iat.max_age=0s",
			do: func(x *lab) string { return x.says(x.ask(x.rs, withClaim("iat", inSeconds(-1000000)))) }, strict: "400 C08", switched: "200"},
		{name: "C10 a clock that leads by five seconds at a server that tolerates none", switches: "clock.offset=-5s;clock.skew=0s",
			do: func(x *lab) string {
				return both(x.says(x.ask(x.rs, withClaim("exp", inSeconds(300)), withClaim("iat", inSeconds(0)))), x.says(x.ask(x.rs)))
			}, strict: "200; 200", switched: "400 C10; 200"},
		{name: "C08 a clock that is behind by an hour", switches: "clock.offset=1h",
			do: func(x *lab) string { return x.says(x.ask(x.rs)) }, strict: "200", switched: "400 C08"},
		{name: "C09 C12 a clock that leads by an hour", switches: "clock.offset=-1h",
			do: func(x *lab) string {
				return both(x.says(x.ask(x.rs)), x.says(x.ask(x.rs, withClaim("nbf", inSeconds(0)), withClaim("exp", inSeconds(-3500)))))
			}, strict: "200; 400 C08", switched: "400 C09; 400 C12"},
		{name: "C12 SB-JWT-17 iat ten seconds ahead where none is tolerated", switches: "iat.max_future=0s",
			do: func(x *lab) string {
				return both(x.says(x.ask(x.rs, withClaim("iat", inSeconds(10)))), x.says(x.ask(x.rs, withClaim("nbf", inSeconds(10)))), x.says(x.ask(x.rs, withClaim("exp", inSeconds(-10)))))
			}, strict: "200; 200; 200", switched: "400 C12; 400 C12; 200"},
		{name: "C12 SB-JWT-16 nbf and iat a minute ahead", switches: "iat.max_future=2m",
			do: func(x *lab) string {
				return both(x.says(x.ask(x.rs, withClaim("iat", inSeconds(60)))), x.says(x.ask(x.rs, withClaim("nbf", inSeconds(60)))))
			}, strict: "400 C12; 400 C12", switched: "200; 200"},
		{name: "C12 SB-JWT-22 one tolerance for all unless iat has its own", switches: "clock.skew=120s",
			do: func(x *lab) string { return x.says(x.ask(x.rs, withClaim("iat", inSeconds(60)))) }, strict: "400 C12", switched: "200"},
		{name: "C17 a jti of 65 bytes", switches: "jti.max_len=64",
			do: func(x *lab) string {
				return x.says(x.ask(x.rs, withClaim("jti", rand.Text()+strings.Repeat("x", 65-len(rand.Text())))))
			}, strict: "200", switched: "400 C17"},
		{name: "C16 C15 an assertion twice", switches: "jti.replay=allow",
			do: func(x *lab) string {
				assertion := x.rs.assertion(x.t, x.rs.id, x.TokenURL())
				ask := func() string { return x.says(x.at().askToken(x.t, x.TokenURL(), assertion, "system/Patient.read")) }
				return both(ask(), ask())
			}, strict: "200; 400 C15", switched: "200; 200"},
		{name: "SB-JWT-02 A07 no typ", switches: "typ.require=false",
			do: func(x *lab) string { return x.says(x.ask(x.rs, withoutHeader("typ"))) }, strict: "400 A07", switched: "200"},
		{name: "SB-DIF-04 A09 ES384", switches: "alg.allow=RS384",
			do: func(x *lab) string {
				return both(x.says(x.ask(x.es)), x.says(x.ask(x.rs)), x.discovered("token_endpoint_auth_signing_alg_values_supported"))
			}, strict: "200; 200; [RS384 ES384]", switched: "400 A09; 200; [RS384]"},
		{name: "SB-JWT-05 A08 RS256 is advertised where it is taken", switches: "alg.allow=RS384,ES384,RS256",
			do: func(x *lab) string { return x.discovered("token_endpoint_auth_signing_alg_values_supported") }, strict: "[RS384 ES384]", switched: "[RS384 ES384 RS256]"},
	}
}

func keyCases(rsa *signer) []switchCase {
	inline := func(set func(jwk map[string]any) any) func(x *lab) string {
		return func(x *lab) string {
			return x.says(x.registered(func(m map[string]any) { m["jwks"] = set(rsa.jwk(x.t)) }))
		}
	}
	object := func(jwk map[string]any) any { return keySet(jwk) }
	array := func(jwk map[string]any) any { return []any{jwk} }
	return []switchCase{
		{name: "SB-DIF-07 A21 a key without use", switches: "jwks.require_use=true",
			do: func(x *lab) string {
				set := keySet(rsa.jwk(x.t, without("use")))
				s := x.enrol(rsa, sandbox.ClientConfig{JWKS: marshal(x.t, set)})
				return x.says(x.ask(s))
			}, strict: "200", switched: "400 A21"},
		{name: "SB-DIF-06 J04 SB-REG-04 a bare array by value", switches: "jwks.inline=both", do: inline(array), strict: "400 J04", switched: "201"},
		{name: "SB-DIF-06 J04 SB-REG-04 an object by value where both are taken", switches: "jwks.inline=both", do: inline(object), strict: "201"},
		{name: "SB-DIF-06 AX-05 J04 an object by value where an array is wanted", switches: "jwks.inline=array", do: inline(object), strict: "201", switched: "400 J04"},
		{name: "SB-DIF-06 AX-05 a token by a key of a bare array", switches: "jwks.inline=array",
			do: func(x *lab) string {
				return x.says(x.ask(x.enrol(rsa, sandbox.ClientConfig{JWKS: marshal(x.t, []any{rsa.jwk(x.t)})})))
			}, strict: "400 J04", switched: "200"},
		{name: "AX-06 J04 a bare array at a jwks_uri", switches: "jwks.inline=array",
			do: func(x *lab) string {
				return x.says(x.ask(x.enrol(rsa, sandbox.ClientConfig{JWKSURI: publish(x.t, []any{rsa.jwk(x.t)}).URL})))
			}, strict: "400 J04"},
		{name: "SB-REG-03 jwks and jwks_uri", switches: "jwks.sources=both",
			do: func(x *lab) string {
				published, shared, apart := newES384(x.t, "published"), newES384(x.t, "shared"), newES384(x.t, "ambiguous")
				a := x.registered(func(m map[string]any) {
					m["jwks"] = keySet(rsa.jwk(x.t), shared.jwk(x.t), apart.jwk(x.t))
					m["jwks_uri"] = publish(x.t, keySet(published.jwk(x.t), shared.jwk(x.t), newES384(x.t, "ambiguous").jwk(x.t))).URL
				})
				words := []string{x.says(a)}
				for _, key := range []*signer{rsa, published, shared, apart, newES384(x.t, "other")} {
					if id, registered := a.object(x.t)["client_id"].(string); registered {
						words = append(words, x.says(x.ask(service{key, id})))
					}
				}
				return both(words...)
			}, strict: "400 SB-DCR-06", switched: "201; 200; 200; 200; 400 A13; 400 A12"},
		{name: "SB-REG-10 J08 a jwks_uri by http on this machine", switches: "jwks.require_https=true",
			do: func(x *lab) string {
				keys := publish(x.t, keySet(rsa.jwk(x.t))).URL
				s := x.enrol(rsa, sandbox.ClientConfig{JWKSURI: keys})
				return both(x.says(x.registered(func(m map[string]any) { m["jwks_uri"] = keys })), x.says(x.ask(s)))
			}, strict: "201; 200", switched: "400 J08; 400 J08"},
		{name: "J05 SB-KEY-03 SB-KEY-06 a key that joins a published set", switches: "jwks.stale=1h",
			do: func(x *lab) string {
				next := newES384(x.t, "next")
				var rotated atomic.Bool
				host := keyHost(x.t, func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Cache-Control", "max-age=60")
					set := keySet(rsa.jwk(x.t))
					if rotated.Load() {
						set = keySet(rsa.jwk(x.t), next.jwk(x.t))
					}
					_, _ = w.Write(marshal(x.t, set))
				})
				s := x.enrol(rsa, sandbox.ClientConfig{JWKSURI: host.URL})
				before := x.says(x.ask(s))
				rotated.Store(true)
				after := x.says(x.ask(service{next, s.id}))
				x.ages(61 * time.Minute)
				return both(before, after, x.says(x.ask(service{next, s.id})))
			}, strict: "200; 200; 200", switched: "200; 400 J05; 200"},
		{name: "A03 a client that was registered just now", switches: "registration.propagation_delay=24h",
			do: func(x *lab) string {
				s := x.enrol(rsa, sandbox.ClientConfig{})
				id, secret, _ := x.secretive()
				first := both(x.says(x.ask(s)), x.says(x.askBasic(id, secret)))
				x.ages(23 * time.Hour)
				second := x.says(x.ask(s))
				x.ages(time.Hour)
				return both(first, second, x.says(x.ask(s)), x.says(x.askBasic(id, secret)))
			}, strict: "200; 200; 200; 200; 200", switched: "400 A03; 401 A03; 400 A03; 200; 200"},
		{name: "SB-DCR-04 a registration that leaves the defaults out", switches: "registration.defaults=true",
			do: func(x *lab) string {
				a := x.registered(func(m map[string]any) {
					m["jwks"] = keySet(rsa.jwk(x.t))
					delete(m, "token_endpoint_auth_method")
					delete(m, "grant_types")
				})
				if a.status != 201 {
					return x.says(a)
				}
				got := a.object(x.t)
				return fmt.Sprint(got["token_endpoint_auth_method"], " ", got["grant_types"])
			}, strict: "400 SB-DCR-04", switched: "private_key_jwt [client_credentials]"},
	}
}

// ages moves the workspace's clock.
func (x *lab) ages(d time.Duration) { x.Clock().Advance(d) }

// rotate rotates a secret over HTTP.
func (x *lab) rotate(id string) {
	x.t.Helper()
	x.at().send(x.t, http.MethodPost, "/_sandbox/clients/"+id+"/rotate-secret", "").want(x.t, 200)
}
