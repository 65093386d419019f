package httpapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/sandfhir/sandfhir/sandbox"
)

func secretCases() []switchCase {
	return []switchCase{
		{
			name: "SB-TOK-11 failures are limited", switches: "failures.max=2",
			do: func(x *lab) string {
				wrong, other := func() *answer { return x.ask(x.rs, withClaim("exp", inSeconds(-60))) }, x.client(x.t, "system/*.read")
				told := []string{x.says(wrong()), x.says(wrong())}
				a := wrong()
				told = append(told, x.says(a), fmt.Sprint(a.header.Get("Retry-After") != ""), x.says(x.ask(x.rs)))
				_, err := other.Token(x.t.Context()) // another client at the same address
				return both(append(told, fmt.Sprint(err == nil))...)
			},
			strict: both("400 C08", "400 C08", "400 C08", "false", "200", "true"), switched: both("400 C08", "400 C08", "429 SB-TOK-11", "true", "429 SB-TOK-11", "true"),
		},
		{name: "SB-SYM-03 SB-DIF-08 client secrets", switches: "secret.offered=false",
			do: func(x *lab) string {
				c, err := x.RegisterClient(x.t.Context(), sandbox.ClientConfig{Method: sandbox.ClientSecretBasic})
				if err != nil {
					x.t.Fatal(err)
				}
				return both(x.says(x.askBasic(c.ID(), c.Secret())), x.discovered("token_endpoint_auth_methods_supported"), x.discovered("capabilities"))
			},
			strict:   "200; [private_key_jwt client_secret_basic client_secret_post]; [client-confidential-asymmetric client-confidential-symmetric permission-v2 permission-v1]",
			switched: "401 SB-SYM-03; [private_key_jwt]; [client-confidential-asymmetric permission-v2 permission-v1]"},
		{name: "K01 a secret of ninety days", switches: "secret.expire_after=2160h",
			do: func(x *lab) string {
				id, secret, expires := x.secretive()
				life := "never"
				if expires != 0 {
					life = (time.Unix(expires, 0).Sub(x.Clock().Now()) + 10*time.Second).Truncate(time.Minute).String()
				}
				first := x.says(x.askBasic(id, secret))
				x.ages(91 * 24 * time.Hour)
				return both(life, first, x.says(x.askBasic(id, secret)))
			}, strict: "never; 200; 200", switched: "2160h0m0s; 200; 401 K01"},
		{name: "L04 the old secret after a rotation", switches: "secret.grace=10m",
			do: func(x *lab) string {
				id, secret, _ := x.secretive()
				x.rotate(id)
				first := x.says(x.askBasic(id, secret))
				x.ages(11 * time.Minute)
				return both(first, x.says(x.askBasic(id, secret)))
			}, strict: "401 L04; 401 L04", switched: "200; 401 L04"},
		{name: "K02 SB-SYM-01 an id with a plus, as it is", switches: "basic.decode=raw",
			do: plusInID("a+b"), strict: "401 A02", switched: "200"},
		{name: "K02 SB-SYM-01 an id with a plus, encoded", switches: "basic.decode=raw",
			do: plusInID("a%2Bb"), strict: "200", switched: "401 A02"},
		{name: "K02 SB-SYM-01 an id with a plus, as it is or encoded", switches: "basic.decode=both",
			do: func(x *lab) string {
				return both(plusInID("a+b")(x), x.says(x.askBasic("a%2Bb", "wrong")))
			}, strict: "401 A02; 401 SB-REG-17", switched: "200; 401 SB-REG-17"},
		{name: "SB-DIF-03 SB-ERR-17 a wrong Basic secret", switches: "basic.status=400",
			do: func(x *lab) string {
				id, _, _ := x.secretive()
				a := x.askBasic(id, "wrong")
				return both(x.says(a), a.header.Get("WWW-Authenticate"))
			}, strict: `401 SB-REG-17; Basic realm="token", charset="UTF-8"`, switched: "400 SB-REG-17; "},
	}
}

// plusInID asks by Basic for the client a+b, under the id as it is sent.
func plusInID(sent string) func(x *lab) string {
	return func(x *lab) string {
		c, err := x.RegisterClient(x.t.Context(), sandbox.ClientConfig{ID: "a+b", Method: sandbox.ClientSecretBasic})
		if err != nil {
			x.t.Fatal(err)
		}
		return x.says(x.askBasic(sent, c.Secret()))
	}
}

func tokenCases() []switchCase {
	life := func(x *lab) string { return x.told(x.ask(x.rs), "expires_in") }
	return []switchCase{
		{name: "D04 AX-11 SB-ERR-02 a token request in JSON", switches: "token.accept_json=true",
			do: func(x *lab) string {
				body := marshal(x.t, map[string]string{
					"grant_type": "client_credentials", "scope": "system/Patient.read",
					"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
					"client_assertion":      x.rs.assertion(x.t, x.rs.id, x.TokenURL()),
				})
				return x.says(x.at().send(x.t, http.MethodPost, "/auth/token", string(body), "Content-Type", "application/json"))
			}, strict: "400 D04", switched: "200"},
		{name: "T03 SB-ISS-02 tokens of a minute", switches: "token.ttl=60s",
			do: func(x *lab) string {
				p := x.token(x.rs, "system/Patient.read")
				x.ages(90 * time.Second)
				return both(life(x), x.says(p.get(x.t, "/Patient")))
			}, strict: "300; 200", switched: "60; 401 T03"},
		{name: "T03 SB-ISS-02 tokens of twenty minutes", switches: "token.ttl=20m;token.max_ttl=20m", do: life, strict: "300", switched: "1200"},
		{name: "SB-ISS-02 SB-REG-19 no token longer than two minutes", switches: "token.max_ttl=120s",
			do: func(x *lab) string {
				took := "taken"
				if _, err := x.RegisterClient(x.t.Context(), sandbox.ClientConfig{TokenLifetime: 200 * time.Second}); err != nil {
					took = "refused"
				}
				return both(life(x), took)
			}, strict: "300; taken", switched: "120; refused", inGo: true},
		{name: "SB-DIF-05 SB-ISS-01 token_type", switches: "token.type=Bearer",
			do: func(x *lab) string { return x.told(x.ask(x.rs), "token_type") }, strict: "bearer", switched: "Bearer"},
		{name: "SB-DIF-05 T09 SB-NEG-02 scope in the answer", switches: "token.omit_scope=true",
			do: func(x *lab) string { return x.told(x.ask(x.rs), "scope", "token_type") }, strict: "system/Patient.read, bearer", switched: "-, bearer"},
	}
}

func scopeCases() []switchCase {
	granted := func(scope string) func(x *lab) string {
		return func(x *lab) string { return x.told(x.askFor(x.rs, scope), "scope") }
	}
	return []switchCase{
		{name: "SB-DIF-09 S03 v2 where v1 is spoken", switches: "scope.version=v1", do: granted("system/Patient.rs"), strict: "system/Patient.rs", switched: "400 S03"},
		{name: "SB-DIF-09 S03 v1 where v1 is spoken", switches: "scope.version=v1", do: granted("system/Patient.read"), strict: "system/Patient.read"},
		{name: "SB-DIF-09 S03 v1 where v2 is spoken", switches: "scope.version=v2", do: granted("system/Patient.read"), strict: "system/Patient.read", switched: "400 S03"},
		{name: "S03 the syntaxes in discovery", switches: "scope.version=v1",
			do: func(x *lab) string { return x.discovered("scopes_supported") }, strict: "[system/*.cruds system/*.rs system/*.read system/*.write system/*.*]", switched: "[system/*.read system/*.write system/*.*]"},
		{name: "SB-DIF-12 S01 SB-ERR-22 no scope", switches: "scope.missing=registered",
			do: func(x *lab) string {
				s := x.enrol(x.rs.signer, sandbox.ClientConfig{Scopes: []string{"system/Patient.rs", "system/Group.read"}})
				return x.told(x.askFor(s, ""), "scope")
			}, strict: "400 S01", switched: "system/Patient.rs system/Group.read"},
		{name: "SB-ERR-23 S07 SB-SCO-04 a malformed scope beside a good one", switches: "scope.malformed=drop", do: granted("system/Patient.rs system/Patient.dus"), strict: "400 S07", switched: "system/Patient.rs"},
		{name: "SB-ERR-23 S07 nothing but a malformed scope", switches: "scope.malformed=drop", do: granted("system/Patient.dus"), strict: "400 S07", switched: "400 S06"},
		{name: "AX-28 S05 more than is registered", switches: "scope.superset=refuse",
			do: func(x *lab) string {
				s := x.enrol(x.rs.signer, sandbox.ClientConfig{Scopes: []string{"system/Patient.rs"}})
				return both(x.told(x.askFor(s, "system/Patient.rs system/Observation.rs"), "scope"), x.told(x.askFor(s, "system/Patient.rs launch"), "scope"), x.told(x.askFor(s, "system/Patient.r"), "scope"))
			}, strict: "system/Patient.rs; system/Patient.rs; system/Patient.r", switched: "400 SB-NEG-01; 400 SB-NEG-01; system/Patient.r"},
		{name: "S10 AX-31 what a wildcard stands for", switches: "scope.wildcard=Patient,Group", do: granted("system/*.read"), strict: "system/*.read", switched: "system/Group.read system/Patient.read"},
		{name: "S10 AX-31 a wildcard of the second version", switches: "scope.wildcard=Patient,Group", do: granted("system/*.rs"), strict: "system/*.rs"},
	}
}

// exported exports by these scopes and downloads every file: the types of its
// output, and what its error files say.
func exported(scope, query string) func(x *lab) string {
	return func(x *lab) string {
		p := x.token(x.rs, scope)
		a := p.get(x.t, "/$export?"+query, exportHeader()...)
		if a.status != 202 {
			return x.says(a)
		}
		m := p.finish(x.t, a.header.Get("Content-Location"))
		var told []string
		for _, f := range append(m.Output, m.Error...) {
			if a = p.get(x.t, f.URL); a.status != 200 {
				return x.says(a)
			}
			if f.Type == "OperationOutcome" {
				_, text, _ := strings.Cut(string(a.body), `"diagnostics":"`)
				text, _, _ = strings.Cut(text, `"`)
				told = append(told, text)
			}
		}
		return fmt.Sprint(m.types(), " ", told)
	}
}

func wireCases() []switchCase {
	refusal := func(x *lab) string {
		a := x.ask(x.rs, withoutClaim("jti"))
		_, described := a.object(x.t)["error_description"]
		text := string(a.body)
		if described && strings.Contains(text, "jti") {
			return "explained"
		}
		return text
	}
	return []switchCase{
		{name: "T02 SB-RS-01 bearer in small letters", switches: "bearer.case_sensitive=true",
			do: func(x *lab) string {
				p := x.token(x.rs, "system/Patient.read")
				get := func(scheme string) string {
					return x.says(x.stranger().get(x.t, "/Patient", "Authorization", scheme+" "+p.token))
				}
				return both(get("bearer"), get("Bearer"))
			}, strict: "200; 200", switched: "401 T02; 200"},
		{name: "S11 SB-RS-07 an export of a type too many", switches: "export.missing_scope=omit",
			do: exported("system/Patient.rs", "_type=Patient,Observation&_typeFilter=Observation%3Fcategory%3Dlaboratory"), strict: "403 S11", switched: "[Patient] []"},
		{name: "S11 SB-RS-09 an export of a type too many, noted", switches: "export.missing_scope=error_entry",
			do: exported("system/Patient.read", "_type=Observation&_type=Patient"), strict: "403 S11", switched: "[Patient] [Observation was left out: the token has no read scope for it]"},
		{name: "S11 an export of nothing that the token covers", switches: "export.missing_scope=omit",
			do: exported("system/Patient.rs", "_type=Observation"), strict: "403 S11"},
		{name: "S11 an export that names no type", switches: "export.missing_scope=error_entry",
			do: exported("system/Patient.rs", ""), strict: "[Patient] []"},
		{name: "S12 a file by a scope of the second version", switches: "files.scope_v1_only=true",
			do: exported("system/Patient.rs", "_type=Patient"), strict: "[Patient] []", switched: "403 S12"},
		{name: "S12 a file by a scope of the first version", switches: "files.scope_v1_only=true",
			do: exported("system/Patient.read", "_type=Patient"), strict: "[Patient] []"},
		{name: "S12 a file by scopes of both", switches: "files.scope_v1_only=true",
			do: exported("system/Patient.rs system/*.read", "_type=Patient"), strict: "[Patient] []"},
		{name: "A01 SB-TOK-10 reasons", switches: "hide_reasons=true", do: refusal, strict: "explained", switched: `{"error":"invalid_client"}`},
		{name: "A01 SB-TOK-10 reasons, with a fixed description", switches: "hide_reasons=true;hide_reasons.description=client authentication failed",
			do: refusal, strict: "explained", switched: `{"error":"invalid_client","error_description":"client authentication failed"}`},
		{name: "A01 SB-TOK-10 reasons, with a description of null", switches: "hide_reasons=true;hide_reasons.description=null",
			do: refusal, strict: "explained", switched: `{"error":"invalid_client","error_description":null}`},
		{name: "A01 a description without hidden reasons", switches: "hide_reasons.description=client authentication failed", do: refusal, strict: "explained"},
	}
}

// differenceCases are the differences between the sources and the
// specifications as aidbox has them all at once, and those where both do the
// same.
func differenceCases() []switchCase {
	return []switchCase{
		{name: "SB-DIF-01 AX-26 aidbox: aud of another server", aidbox: true,
			do: func(x *lab) string { return x.says(x.ask(x.rs, withClaim("aud", "https://payer.example/"))) }, strict: "400 C03", switched: "200"},
		{name: "SB-DIF-02 AX-21 aidbox: exp ten and twelve minutes ahead", aidbox: true,
			do: func(x *lab) string {
				return both(x.says(x.ask(x.rs, withClaim("exp", inSeconds(600)))), x.says(x.ask(x.rs, withClaim("exp", inSeconds(720)))))
			}, strict: "400 C09; 400 C09", switched: "200; 400 C09"},
		{name: "SB-DIF-03 AX-25 aidbox: the status of refused clients", aidbox: true,
			do: func(x *lab) string {
				c, err := x.RegisterClient(x.t.Context(), sandbox.ClientConfig{Method: sandbox.ClientSecretBasic})
				if err != nil {
					x.t.Fatal(err)
				}
				return both(x.says(x.ask(x.rs, withClaim("sub", "else"))), x.says(x.askBasic(c.ID(), "wrong")))
			}, strict: "400 C01; 401 SB-REG-17", switched: "400 C01; 400 SB-REG-17"},
		{name: "SB-DIF-04 AX-27 aidbox: ES384", aidbox: true,
			do: func(x *lab) string { return both(x.says(x.ask(x.es)), x.says(x.ask(x.rs))) }, strict: "200; 200", switched: "400 A09; 200"},
		{name: "SB-DIF-05 AX-29 SB-DIF-10 SB-DIF-11 aidbox: the answer, always with expires_in, never with a refresh token", aidbox: true,
			do: func(x *lab) string {
				return x.told(x.ask(x.rs), "token_type", "scope", "expires_in", "refresh_token")
			}, strict: "bearer, system/Patient.read, 300, -", switched: "Bearer, -, 300, -"},
		{name: "SB-DIF-12 aidbox: no scope", aidbox: true,
			do: func(x *lab) string { return x.says(x.askFor(x.rs, "")) }, strict: "400 S01", switched: "200"},
		{name: "AX-28 aidbox: more than is registered", aidbox: true,
			do: func(x *lab) string {
				s := x.enrol(x.rs.signer, sandbox.ClientConfig{Scopes: []string{"system/Patient.read"}})
				return x.says(x.askFor(s, "system/Patient.read system/Group.read"))
			}, strict: "200", switched: "400 SB-NEG-01"},
		{name: "SB-DIF-08 client secrets are on, and advertised as what they are", aidbox: true,
			do: func(x *lab) string { return x.discovered("capabilities") }, strict: "[client-confidential-asymmetric client-confidential-symmetric permission-v2 permission-v1]"},
		{name: "SB-DIF-09 both syntaxes of scopes", aidbox: true,
			do: func(x *lab) string {
				return both(x.says(x.askFor(x.rs, "system/Patient.read")), x.says(x.askFor(x.rs, "system/Patient.rs")))
			}, strict: "200; 200"},
		{name: "SB-DIF-13 a client that registered itself needs no further policy", aidbox: true,
			do: func(x *lab) string {
				a := x.registered(func(m map[string]any) { m["jwks_uri"] = publish(x.t, keySet(x.rs.jwk(x.t))).URL })
				id, _ := a.want(x.t, 201).object(x.t)["client_id"].(string)
				return x.says(x.token(service{x.rs.signer, id}, "system/Patient.read").get(x.t, "/Patient"))
			}, strict: "200"},
		{name: "SB-DIF-14 SB-JWT-20 the signature is verified before jti is recorded", aidbox: true,
			do: func(x *lab) string {
				assertion := x.rs.assertion(x.t, x.rs.id, x.TokenURL())
				ask := func(assertion string) string {
					return x.says(x.at().askToken(x.t, x.TokenURL(), assertion, "system/Patient.read"))
				}
				return both(ask(spoiled(x.t, assertion)), ask(assertion), ask(assertion))
			}, strict: "400 A15; 200; 400 C15"},
		{name: "SB-DIF-15 J08 SB-KEY-07 key sets in private networks, by an option and no switch", opts: []sandbox.Option{sandbox.WithPrivateKeySets()},
			do: func(x *lab) string {
				return x.says(x.registered(func(m map[string]any) { m["jwks_uri"] = "http://10.0.0.7/jwks.json" }))
			}, strict: "400 J08", switched: "201"},
		{name: "SB-DIF-16 SB-RS-03 an expired token is invalid_token, for a client to ask again", aidbox: true,
			do: func(x *lab) string {
				p := x.token(x.rs, "system/Patient.read")
				x.ages(6 * time.Minute)
				a := p.get(x.t, "/Patient")
				a.challenge(x.t, "invalid_token")
				return both(x.says(a), x.says(x.token(x.rs, "system/Patient.read").get(x.t, "/Patient")))
			}, strict: "401 T03; 200"},
	}
}
