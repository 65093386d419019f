package authz_test

import (
	"crypto/elliptic"
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/authz/authztest"
)

// assertionCases are refused assertions, one a finding; they
// also make the golden file of diagnoses.
type assertionCase struct {
	name    string
	options []option
	edit    func(a *ask)
	want    refusal
}

// clientError is the refusal of every failed assertion: 400 invalid_client.
func clientError(id string, says ...string) refusal {
	return refusal{id: id, code: "invalid_client", status: 400, says: says}
}

func header(name string, value any) func(*ask) {
	return func(a *ask) { a.assertion.Header[name] = value }
}

func claim(name string, value any) func(*ask) {
	return func(a *ask) { a.assertion.Claims[name] = value }
}

func sealed(change func(string) string) func(*ask) {
	return func(a *ask) { a.sealed = change }
}

func envelopeCases() []assertionCase {
	part := func(jwt string, n int) string { return strings.Split(jwt, ".")[n] }
	return []assertionCase{
		{name: "A05 SB-ERR-06 mistyped assertion type", edit: func(a *ask) {
			a.form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt_bearer")
		}, want: clientError("A05", "jwt_bearer", "differ from character")},
		{name: "A06 SB-JWT-01 two parts", edit: sealed(func(j string) string { return j[:strings.LastIndex(j, ".")] }), want: clientError("A06", "signature is missing")},
		{name: "A06 five parts", edit: sealed(func(j string) string { return j + ".YQ.YQ" }), want: clientError("A06", "encrypted JWT")},
		{name: "A06 one part", edit: sealed(func(string) string { return "opaque" }), want: clientError("A06", "1 part")},
		{name: "A06 a PEM", edit: sealed(func(string) string { return "-----BEGIN PRIVATE KEY-----\nMII" }), want: clientError("A06", "PEM")},
		{name: "A06 padding", edit: sealed(func(j string) string { return part(j, 0) + "=." + part(j, 1) + "." + part(j, 2) }), want: clientError("A06", "Part 1", "padding", `"="`)},
		{name: "A06 standard base64 in the signature", edit: sealed(func(j string) string { return part(j, 0) + "." + part(j, 1) + ".ab+/" }), want: clientError("A06", "Part 3", `"+" at position 3`, "standard base64")},
		{name: "A06 line break", edit: sealed(func(j string) string { return part(j, 0) + "." + part(j, 1) + "." + part(j, 2) + "\n" }), want: clientError("A06", "line break")},
		{name: "A06 Bearer in front", edit: sealed(func(j string) string { return "Bearer " + j }), want: clientError("A06", "begins with \"Bearer \"")},
		{name: "A06 JSON", edit: sealed(func(string) string { return `{"iss":"app"}` }), want: clientError("A06", "holds JSON")},
		{name: "A06 quotation marks", edit: sealed(func(j string) string { return `"` + j + `"` }), want: clientError("A06", "quotation mark at position 1")},
		{name: "A06 encoded twice", edit: sealed(func(j string) string { return part(j, 0) + "%3D." + part(j, 1) + "." + part(j, 2) }), want: clientError("A06", "encoded twice")},
		{name: "A06 plus turned into a space", edit: sealed(func(j string) string { return part(j, 0) + "." + part(j, 1) + ".ab cd" }), want: clientError("A06", "found a space at position 3")},
		{name: "A06 beyond ASCII", edit: sealed(func(j string) string { return part(j, 0) + "." + part(j, 1) + ".äb" }), want: clientError("A06", "no character of it")},
		{name: "A06 an empty part", edit: sealed(func(j string) string { return "." + part(j, 1) + "." + part(j, 2) }), want: clientError("A06", "Part 1", "it is empty")},
		{name: "A06 stray bits", edit: sealed(func(j string) string { return part(j, 0) + "." + part(j, 1) + ".aB" }), want: clientError("A06", "stray bits")},
		{name: "A06 header is no JSON", edit: sealed(func(j string) string { return authztest.Encode([]byte("{alg}")) + "." + part(j, 1) + "." + part(j, 2) }), want: clientError("A06", "header part", "not valid JSON near byte 1")},
		{name: "A05 in another case", edit: func(a *ask) { a.form.Set("client_assertion_type", strings.ToUpper(authz.AssertionType)) }, want: clientError("A05", "only in upper and lower case")},
		{name: "A05 with a space", edit: func(a *ask) { a.form.Set("client_assertion_type", authz.AssertionType+" ") }, want: clientError("A05", "white space around it")},
		{name: "A05 cut", edit: func(a *ask) { a.form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt") }, want: clientError("A05", `"-bearer" is missing at its end`)},
		{name: "A08 no alg", edit: func(a *ask) { a.assertion.Header["alg"] = nil; a.signAs = "RS384" }, want: clientError("A08", "alg is absent")},
		{name: "A08 EdDSA", edit: header("alg", "EdDSA"), want: clientError("A08", "Ed25519")},
		{name: "A06 cut", edit: sealed(func(j string) string { return part(j, 0) + "." + part(j, 1) + ".abcde" }), want: clientError("A06", "it was cut")},
		{name: "A06 claims no object", edit: sealed(func(j string) string {
			return part(j, 0) + "." + authztest.Encode([]byte(`"hello"`)) + "." + part(j, 2)
		}), want: clientError("A06", "claims", "JSON object")},
		{name: "SB-JWT-23 duplicate claim", edit: sealed(func(j string) string {
			return part(j, 0) + "." + authztest.Encode([]byte(`{"iss":"app","iss":"app"}`)) + "." + part(j, 2)
		}), want: clientError("SB-JWT-23", `"iss" twice`)},
		{name: "SB-JWT-23 duplicate header member", edit: sealed(func(j string) string {
			return authztest.Encode([]byte(`{"alg":"none","alg":"RS384","kid":"rsa-1","typ":"JWT"}`)) + "." + part(j, 1) + "." + part(j, 2)
		}), want: clientError("SB-JWT-23", `"alg" twice`)},
		{name: "A07 SB-JWT-02 no typ", edit: header("typ", nil), want: clientError("A07", "no typ")},
		{name: "A07 other typ", edit: header("typ", "at+jwt"), want: clientError("A07", `"at+jwt"`)},
		{name: "SB-JWT-09 crit", edit: header("crit", []string{"exp"}), want: clientError("SB-JWT-09", `["exp"]`)},
		{name: "A08 SB-JWT-03 RS256", edit: header("alg", "RS256"), want: clientError("A08", "signature checks out", "SHA-384", "key can stay")},
		{name: "A08 RS256 with a wrong key", edit: func(a *ask) {
			a.assertion.Header["alg"] = "RS256"
			a.key = key(a.t, "rsa-b", "rsa-1")
		}, want: clientError("A08", `alg is "RS256"; this server takes`)},
		{name: "A08 PS384", edit: header("alg", "PS384"), want: clientError("A08", "signature checks out", "PKCS #1")},
		{name: "A08 ES256", edit: func(a *ask) { a.signWith(key(a.t, "ec-p256", "p256")) }, want: clientError("A08", "P-384")},
		{name: "A08 lower case", edit: func(a *ask) { a.assertion.Header["alg"] = "rs384"; a.signAs = "RS384" }, want: clientError("A08", "case-sensitive")},
		{name: "A09 only RS384 taken", options: []option{withBehaviour(func(b *authz.Behaviour) { b.Algorithms = []string{"RS384"} })},
			edit: func(a *ask) { a.signWith(a.ec) }, want: clientError("A09", "takes RS384 only", `checks out with key "ec-1"`)},
		{name: "A10 none", edit: header("alg", "none"), want: clientError("A10", "not signed")},
		{name: "A10 HMAC with the public key", edit: header("alg", "HS384"), want: clientError("A10", "HMAC secret")},
		{name: "A11 SB-JWT-07 no kid", edit: header("kid", nil), want: clientError("A11", "2 keys", `"rsa-1" and "ec-1"`, `"kid":"rsa-1"`)},
		{name: "A11 kid is a number", edit: header("kid", 7), want: clientError("A11")},
	}
}

// stranger is a key that no client has.
func stranger(a *ask) *authztest.Key { return key(a.t, "rsa-b", "rsa-1") }

func claimCases() []assertionCase {
	now := epoch.Unix()
	return []assertionCase{
		{name: "SB-JWT-10 no iss", edit: claim("iss", nil), want: clientError("SB-JWT-10", `its sub is "app"`)},
		{name: "C02 iss is a URL", edit: claim("iss", "https://app.example.org/"), want: clientError("C02", "no client_id", "not by a URL")},
		{name: "C02 iss is the server's URL", edit: claim("iss", tokenURL), want: clientError("C02", "this server's own URL")},
		{name: "C02 iss is the host of the jwks_uri", edit: func(a *ask) {
			a.put(&authz.Client{ID: "hosted", Name: "Hosted", Method: authz.PrivateKeyJWT, JWKSURI: "https://app.example.org/jwks.json"})
			a.assertion.Claims["iss"] = "https://app.example.org/"
			a.key = stranger(a)
		}, want: clientError("C02", `Did you mean "hosted" (Hosted)?`)},
		{name: "A02 SB-ERR-09 mistyped client", edit: func(a *ask) {
			a.assertion.Claims["iss"], a.key = "apq", stranger(a)
		}, want: clientError("A02", `Did you mean "app"`)},
		{name: "A02 unknown client", edit: func(a *ask) {
			a.assertion.Claims["iss"], a.key = "something-else", stranger(a)
		}, want: clientError("A02", "No client", "sandbox", "portal")},
		{name: "A02 the id of a client nobody has, and a client's key", edit: claim("iss", "something-else"), want: clientError("A02", `would verify with key "rsa-1" of client "app"`, `Set iss and sub to "app"`)},
		{name: "A02 client of production", edit: func(a *ask) {
			a.putIn(authz.Production, &authz.Client{ID: "prod", Method: authz.PrivateKeyJWT, JWKS: authztest.JWKS(a.rsa)})
			a.assertion.Claims["iss"], a.assertion.Claims["sub"] = "prod", "prod"
		}, want: clientError("A02", "This client exists in production, with status active", otherToken)},
		{name: "L01 draft at production", options: []option{inProduction}, edit: func(a *ask) {
			a.putIn(authz.Sandbox, &authz.Client{ID: "draft", Name: "My service", Method: authz.PrivateKeyJWT, Status: authz.StatusDraft})
			a.assertion.Claims["iss"], a.assertion.Claims["sub"] = "draft", "draft"
		}, want: clientError("L01", "My service", "draft", "production opens when it is approved", tokenURL)},
		{name: "L01 SB-ERR-27 SB-REG-14 draft record in production", options: []option{inProduction}, edit: func(a *ask) {
			a.change(func(c *authz.Client) { c.Status = authz.StatusUnderReview })
		}, want: clientError("L01", "under review", tokenURL)},
		{name: "L03 SB-ERR-27 SB-REG-14 rejected", edit: func(a *ask) {
			a.change(func(c *authz.Client) {
				c.Status, c.StatusBy, c.StatusReason, c.StatusAt = authz.StatusRejected, "ann", "unused for a year", epoch
			})
		}, want: clientError("L03", "by ann at 2026-03-04T12:00:00Z: unused for a year")},
		{name: "A02 white space", edit: claim("iss", "some other client "), want: clientError("A02", "white space around it")},
		{name: "A02 a client's name", edit: func(a *ask) {
			a.assertion.Claims["iss"], a.key = "claims importer", stranger(a)
		}, want: clientError("A02", `Did you mean "app"`)},
		{name: "A02 nobody is registered", options: []option{inProduction}, edit: func(a *ask) {
			if err := a.store.DeleteClient(a.t.Context(), authz.Production, "app"); err != nil {
				a.t.Fatal(err)
			}
		}, want: clientError("A02", "No client is registered there at all yet")},
		{name: "C01 SB-JWT-11 sub differs", edit: claim("sub", "https://app.example.org"), want: clientError("C01", `iss is "app"`, `both must be your client_id`)},
		{name: "C01 no sub", edit: claim("sub", nil), want: clientError("C01", "sub is absent")},
		{name: "SB-TOK-07 form client_id differs", edit: func(a *ask) { a.form.Set("client_id", "other") }, want: clientError("SB-TOK-07", `"other"`)},
		{name: "K04 SB-ERR-21 assertion for a secret client", edit: func(a *ask) {
			a.change(func(c *authz.Client) { c.Method = authz.ClientSecretBasic })
		}, want: clientError("K04", "client_secret_basic", "an assertion")},
		{name: "C03 SB-JWT-12 no aud", edit: claim("aud", nil), want: clientError("C03", "no aud", tokenURL)},
		{name: "C03 FHIR base", edit: claim("aud", "http://127.0.0.1:8080/fhir"), want: clientError("C03", "this server's FHIR base URL")},
		{name: "C03 issuer", edit: claim("aud", []string{"http://127.0.0.1:8080/auth"}), want: clientError("C03", "this server's issuer URL")},
		{name: "C03 production's token URL", edit: claim("aud", otherToken), want: clientError("C03", "the token URL of production, and you called sandbox")},
		{name: "C03 another server", edit: claim("aud", "https://payer.example.com/token"), want: clientError("C03", "none of this server's URLs")},
		{name: "C03 no URL", edit: claim("aud", "sandfhir"), want: clientError("C03", "no URL")},
		{name: "C03 empty array", edit: claim("aud", []string{}), want: clientError("C03", "empty array")},
		{name: "C03 number", edit: claim("aud", 5), want: clientError("C03", "must be a string")},
		{name: "C04 trailing slash", edit: claim("aud", tokenURL+"/"), want: clientError("C04", "the slash at its end")},
		{name: "C04 doubled slash", edit: claim("aud", "http://127.0.0.1:8080//auth/token"), want: clientError("C04", "doubled slash")},
		{name: "C04 best of several", edit: claim("aud", []string{"https://payer.example.com/token", tokenURL + "/"}), want: clientError("C04", "None of the 2 values", "slash")},
		{name: "C04 white space", edit: claim("aud", " "+tokenURL), want: clientError("C04", "white space around it")},
		{name: "C04 case", edit: claim("aud", "http://127.0.0.1:8080/Auth/Token"), want: clientError("C04", "upper and lower case")},
		{name: "C04 percent-encoding", edit: claim("aud", "http://127.0.0.1:8080/auth%2Ftoken"), want: clientError("C04", "percent-encoding")},
		{name: "C04 query string", edit: claim("aud", tokenURL+"?x=1"), want: clientError("C04", "its query string")},
		{name: "C04 fragment", edit: claim("aud", tokenURL+"#x"), want: clientError("C04", "its fragment")},
		{name: "C04 two slashes", edit: claim("aud", "http://127.0.0.1:8080//auth/token/"), want: clientError("C04", "slashes")},
		{name: "C05 localhost", edit: claim("aud", "http://localhost:8080/auth/token"), want: clientError("C05", "host localhost instead of 127.0.0.1", "--base-url")},
		{name: "C05 https and no port", edit: claim("aud", "https://127.0.0.1/auth/token"), want: clientError("C05", "https instead of http", "port none instead of 8080")},
		{name: "C07 SB-JWT-14 no exp", edit: claim("exp", nil), want: clientError("C07", "no exp", "1772625600")},
		{name: "C07 exp is a string", edit: claim("exp", "1772625700"), want: clientError("C07", "no JSON number", "without quotation marks")},
		{name: "C08 SB-ERR-11 expired", edit: claim("exp", now-31), want: clientError("C08", "31 s ago", "NTP")},
		{name: "C08 clock an hour behind", edit: func(a *ask) {
			a.assertion.Claims["iat"], a.assertion.Claims["exp"] = now-3600, now-3360
		}, want: clientError("C08", "time zone", "1 h")},
		{name: "C08 exp is a duration", edit: claim("exp", 300), want: clientError("C08", "not a duration")},
		{name: "C08 exp not after iat", edit: func(a *ask) {
			a.assertion.Claims["iat"], a.assertion.Claims["exp"] = now, now-100
		}, want: clientError("C08", "not after iat")},
		{name: "SB-JWT-16 nbf is null", edit: func(a *ask) {
			a.sealed = func(string) string {
				input := authztest.Encode([]byte(`{"alg":"RS384","typ":"JWT","kid":"rsa-1"}`)) + "." +
					authztest.Encode([]byte(`{"iss":"app","sub":"app","aud":"`+tokenURL+`","exp":1772625700,"jti":"j","nbf":null}`))
				return input + "." + authztest.Encode(a.rsa.Signature(input, "RS384"))
			}
		}, want: clientError("SB-JWT-16", "nbf is null")},
		{name: "C09 SB-JWT-15 an hour", edit: claim("exp", now+3600), want: clientError("C09", "1 h ahead", "libraries often default to 1 h", "now + 240")},
		{name: "C09 331 s", edit: claim("exp", now+331), want: clientError("C09", "331 s ahead", "at most 300 s", "30 s")},
		{name: "C10 a clock that leads", edit: func(a *ask) {
			a.assertion.Claims["iat"], a.assertion.Claims["exp"] = now+100, now+400
		}, want: clientError("C10", "your clock leads by about 100 s")},
		{name: "C11 milliseconds", edit: claim("exp", (now+240)*1000), want: clientError("C11", "milliseconds", "seconds (RFC 7519 section 2)")},
		{name: "C11 nanoseconds", edit: claim("nbf", (now+240)*1e9), want: clientError("C11", "nbf", "nanoseconds")},
		{name: "C12 SB-JWT-16 nbf", edit: claim("nbf", now+31), want: clientError("C12", "nbf is 31 s in the future")},
		{name: "C12 SB-JWT-17 iat", edit: claim("iat", now+31), want: clientError("C12", "iat is 31 s in the future")},
		{name: "C08 SB-JWT-17 old iat", edit: claim("iat", now-631), want: clientError("C08", "issued 11 min ago")},
		{name: "SB-JWT-17 iat is a string", edit: claim("iat", "now"), want: clientError("SB-JWT-17", "no JSON number")},
		{name: "C13 iat required", options: []option{withBehaviour(func(b *authz.Behaviour) { b.RequireIAT = true })},
			edit: func(*ask) {}, want: clientError("C13", "no iat")},
		{name: "C14 SB-JWT-18 no jti", edit: claim("jti", nil), want: clientError("C14", "no jti", "UUID")},
		{name: "C14 empty jti", edit: claim("jti", ""), want: clientError("C14")},
		{name: "C14 jti is a number", edit: claim("jti", 7), want: clientError("C14", "must be a string")},
		{name: "C17 jti too long", edit: claim("jti", strings.Repeat("j", 256)), want: clientError("C17", "256 bytes")},
	}
}

func TestRefusedAssertions(t *testing.T) {
	t.Parallel()
	for _, c := range append(append(envelopeCases(), claimCases()...), keyCases()...) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, c.options...)
			a := w.newAsk()
			c.edit(a)
			d := a.send()
			c.want.check(t, d.Checks, d.Err)
			if d.Err.Challenge != (authz.Challenge{}) {
				t.Errorf("SB-ERR-31: challenge %q although Authorization was not used", d.Err.Challenge)
			}
			if sig := a.form.Get("client_assertion"); strings.Count(sig, ".") == 2 {
				if s := sig[strings.LastIndex(sig, ".")+1:]; len(s) > 20 && strings.Contains(d.Err.Check.Text+d.Err.Check.Got, s[:20]) {
					t.Error("the diagnosis shows the signature")
				}
			}
		})
	}
}

func TestGrantedAssertions(t *testing.T) {
	t.Parallel()
	now := epoch.Unix()
	for _, c := range []struct {
		name    string
		options []option
		edit    func(*ask)
		warns   string // the id of the one warning
	}{
		{name: "RS384", edit: func(*ask) {}},
		{name: "SB-JWT-04 ES384", edit: func(a *ask) { a.signWith(a.ec) }},
		{name: "SB-JWT-12 aud array", edit: claim("aud", []string{"https://else.example", tokenURL})},
		{name: "SB-JWT-14 fractional exp", edit: claim("exp", float64(now)+239.5)},
		{name: "SB-JWT-02 typ in lower case", edit: header("typ", "jwt")},
		{name: "exp 300 s ahead", edit: claim("exp", now+300)},
		{name: "C10 SB-JWT-22 exp 301 s ahead", edit: claim("exp", now+301), warns: "C10"},
		{name: "C10 exp 330 s ahead", edit: claim("exp", now+330), warns: "C10"},
		{name: "C08 exp 29 s ago", edit: claim("exp", now-29), warns: "C08"},
		{name: "SB-JWT-16 nbf 30 s ahead", edit: claim("nbf", now+30)},
		{name: "iat 30 s ahead", edit: claim("iat", now+30)},
		{name: "iat 10 min ago", edit: claim("iat", now-630)},
		{name: "SB-TOK-07 same client_id in the form", edit: func(a *ask) { a.form.Set("client_id", "app") }},
		{name: "SB-JWT-23 unknown claims and header members", edit: func(a *ask) {
			a.assertion.Claims["extra"] = map[string]any{"a": 1}
			a.assertion.Header["kty"] = "RSA"
		}},
		{name: "SB-JWT-09 jwk and x5u in the header are ignored", edit: func(a *ask) {
			a.assertion.Header["jwk"] = key(a.t, "rsa-b", "rsa-1").JWK()
			a.assertion.Header["x5u"] = "https://evil.example/cert"
		}},
		{name: "SB-KEY-01 one kid on two types", edit: func(a *ask) {
			a.change(func(c *authz.Client) { c.JWKS = authztest.JWKS(a.ec.WithID("rsa-1"), a.rsa) })
		}},
		{name: "SB-KEY-09 other keys of the set are broken", edit: func(a *ask) {
			a.change(func(c *authz.Client) {
				c.JWKS = authztest.RawJWKS(map[string]any{"kty": "OKP"}, map[string]any{"kty": "RSA", "kid": "x", "n": "!"},
					map[string]any{"kty": "oct", "k": "AAAA", "kid": "o"}, a.rsa.JWK())
			})
		}},
		{name: "SB-REG-09 use and alg of the key", edit: func(a *ask) {
			j := a.rsa.JWK()
			j["use"], j["alg"], j["key_ops"] = "sig", "RS384", []string{"verify"}
			a.change(func(c *authz.Client) { c.JWKS = authztest.RawJWKS(j) })
		}},
		{name: "draft in the sandbox", edit: func(a *ask) { a.change(func(c *authz.Client) { c.Status = authz.StatusDraft }) }},
		{name: "charset in the content type", edit: func(a *ask) { a.ContentType = "application/x-www-form-urlencoded; charset=UTF-8" }},
		{name: "Authorization: Bearer is ignored", edit: func(a *ask) { a.Authorization = []string{"Bearer old"} }, warns: "SB-TOK-06"},
		{name: "SB-JWT-05 RS256 when it is on", options: []option{withBehaviour(func(b *authz.Behaviour) { b.Algorithms = append(b.Algorithms, "RS256") })},
			edit: header("alg", "RS256")},
		{name: "SB-JWT-05 ES256 when it is on", options: []option{withBehaviour(func(b *authz.Behaviour) { b.Algorithms = append(b.Algorithms, "ES256") })},
			edit: func(a *ask) {
				k := authztest.NewECKey("p", elliptic.P256())
				a.change(func(c *authz.Client) { c.JWKS = authztest.JWKS(k) })
				a.signWith(k)
			}},
		{name: "lenient: no typ", options: []option{withBehaviour(func(b *authz.Behaviour) { b.OptionalTyp = true })}, edit: header("typ", nil), warns: "A07"},
		{name: "lenient: aud not looked at", options: []option{withBehaviour(func(b *authz.Behaviour) { b.Audiences = []authz.Audience{authz.AudienceAny} })}, edit: claim("aud", nil), warns: "C03"},
		{name: "lenient: aud is the issuer", options: []option{withBehaviour(func(b *authz.Behaviour) { b.Audiences = []authz.Audience{authz.AudienceIssuer} })}, edit: claim("aud", "http://127.0.0.1:8080/auth"), warns: "C03"},
		{name: "lenient: aud with a slash", options: []option{withBehaviour(func(b *authz.Behaviour) { b.Audiences = []authz.Audience{authz.AudienceSlash} })}, edit: claim("aud", tokenURL+"/"), warns: "C03"},
		{name: "lenient: aud with https", options: []option{withBehaviour(func(b *authz.Behaviour) { b.Audiences = []authz.Audience{authz.AudienceScheme} })}, edit: claim("aud", strings.Replace(tokenURL, "http:", "https:", 1)), warns: "C03"},
		{name: "lenient: ten minutes", options: []option{withBehaviour(func(b *authz.Behaviour) { b.MaxAssertion = 10 * time.Minute })}, edit: claim("exp", now+600)},
		{name: "lenient: replay", options: []option{withBehaviour(func(b *authz.Behaviour) { b.AllowReplay = true })}, edit: func(a *ask) {
			first := a.newAsk()
			first.assertion = a.assertion
			first.granted()
		}, warns: "C16"},
		{name: "lenient: bare array of keys", options: []option{withBehaviour(func(b *authz.Behaviour) { b.InlineKeys = authz.InlineBoth })}, edit: func(a *ask) {
			a.change(func(c *authz.Client) {
				c.JWKS = []byte(strings.TrimSuffix(strings.TrimPrefix(string(authztest.JWKS(a.rsa)), `{"keys":`), `}`))
			})
		}},
		{name: "lenient: JSON", options: []option{withBehaviour(func(b *authz.Behaviour) { b.JSONRequests = true })}, edit: func(a *ask) {
			a.ContentType = "application/json"
			a.Body = []byte(`{"grant_type":"client_credentials","scope":"system/Patient.rs","client_assertion_type":"` + authz.AssertionType + `","client_assertion":"` + a.rsa.Sign(a.assertion) + `"}`)
		}, warns: "D04"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, c.options...)
			a := w.newAsk()
			c.edit(a)
			d := a.send()
			if d.Err != nil {
				t.Fatalf("refused: %v", d.Err)
			}
			checkOrder(t, d.Checks, nil)
			var warnings []string
			for _, check := range d.Checks {
				if check.Result == authz.Warn {
					warnings = append(warnings, check.ID())
				}
			}
			if strings.Join(warnings, " ") != c.warns {
				t.Errorf("warnings are %v, want %q", warnings, c.warns)
			}
		})
	}
}
