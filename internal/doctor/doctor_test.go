package doctor_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"math/big"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/authz/authztest"
	"github.com/sandfhir/sandfhir/internal/clock"
	"github.com/sandfhir/sandfhir/internal/doctor"
	"github.com/sandfhir/sandfhir/internal/jose"
)

const tokenURL = "https://payer.example/auth/token"

// now is when everything happens.
var now = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func frozen() clock.Clock {
	c := clock.NewAdjustable(nil)
	c.Freeze()
	c.Set(now)
	return c
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// keys are made once: RSA keys take their time.
type keys struct{ rsa, ec, other *authztest.Key }

func newKeys() keys {
	return keys{authztest.NewRSAKey("rsa-1", 2048), authztest.NewECKey("ec-1", elliptic.P384()), authztest.NewECKey("ec-2", elliptic.P384())}
}

// pemOf is a private key in PKCS #8, as a file for its owner alone.
func pemOf(k *authztest.Key) *doctor.File {
	return file(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(k.Private))})))
}

func file(text string) *doctor.File {
	return &doctor.File{Name: "FILE", Data: []byte(text), Mode: 0o600}
}

func setOf(members ...map[string]any) *doctor.File {
	return file(string(authztest.RawJWKS(members...)))
}

func with(members map[string]any, changes ...any) map[string]any {
	m := maps.Clone(members)
	for i := 0; i < len(changes); i += 2 {
		m[changes[i].(string)] = changes[i+1]
	}
	return m
}

// private is the key as a JWK with its private members.
func private(k *authztest.Key, changes ...any) *doctor.File {
	own := &jose.Key{Private: k.Private, Public: k.Private.Public(), ID: k.ID}
	m := map[string]any{}
	for name, value := range must(own.PrivateJWK()) {
		m[name] = value
	}
	for i := 0; i < len(changes); i += 2 {
		if m[changes[i].(string)] = changes[i+1]; changes[i+1] == nil {
			delete(m, changes[i].(string))
		}
	}
	return file(string(must(json.Marshal(m))))
}

// signed is a right assertion, changed before it was signed.
func signed(k *authztest.Key, changes ...func(*authztest.Assertion)) *doctor.Assertion {
	a := k.NewAssertion("app", tokenURL, now)
	for _, change := range changes {
		change(&a)
	}
	return doctor.ReadAssertion("a.jwt", k.Sign(a))
}

func claim(name string, value any) func(*authztest.Assertion) {
	return func(a *authztest.Assertion) { a.Claims[name] = value }
}

func header(name string, value any) func(*authztest.Assertion) {
	return func(a *authztest.Assertion) { a.Header[name] = value }
}

// findings are the ids of what failed and, with a question mark, of what was warned of, by section.
func findings(r *doctor.Report) string {
	var all []string
	for _, s := range r.Sections {
		var ids []string
		for _, c := range s.Checks {
			switch c.Result {
			case authz.Fail:
				ids = append(ids, c.ID())
			case authz.Warn:
				ids = append(ids, c.ID()+"?")
			}
		}
		if len(ids) > 0 {
			all = append(all, s.Name+": "+strings.Join(ids, " "))
		}
	}
	return strings.Join(all, "; ")
}

// says reports whether a diagnosis or a command holds the text.
func says(r *doctor.Report, text string) bool {
	return strings.Contains(string(must(json.Marshal(r))), string(must(json.Marshal(text)))[1:len(must(json.Marshal(text)))-1])
}

func examine(t *testing.T, c doctor.Case) *doctor.Report {
	t.Helper()
	c.Clock = frozen()
	r, err := doctor.Examine(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if r.OK != (r.Failed == 0) {
		t.Errorf("OK is %t with %d failed", r.OK, r.Failed)
	}
	for _, s := range r.Sections {
		for _, c := range s.Checks {
			if c.Rule == "" || c.Clause == "" || c.RuleID == "" {
				t.Errorf("%s: incomplete check %+v", s.Name, c)
			}
			if c.Result == authz.Fail && c.Text == "" {
				t.Errorf("%s: %s has no diagnosis", s.Name, c.ID())
			}
		}
	}
	return r
}

type doctorCase struct {
	name string
	c    doctor.Case
	want string   // findings; "" where nothing is wrong
	says []string // somewhere in the report
}

func TestKeys(t *testing.T) {
	t.Parallel()
	k := newKeys()
	weak := &authztest.Key{ID: "weak", Private: must(rsa.GenerateKey(rand.Reader, 1024))}
	p256 := authztest.NewECKey("p256", elliptic.P256())
	text := string(pemOf(k.ec).Data)
	sec1 := string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: must(x509.MarshalECPrivateKey(k.ec.Private.(*ecdsa.PrivateKey)))}))
	pkcs1 := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(k.rsa.Private.(*rsa.PrivateKey))}))
	readable := pemOf(k.ec)
	readable.Mode = 0o644
	unknownMode := pemOf(k.ec)
	unknownMode.Mode = 0
	public := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: must(x509.MarshalPKIXPublicKey(k.ec.Private.Public()))}))
	const convert = "sandfhir doctor --key FILE --convert pem --out key8.pem"
	tests := []doctorCase{
		{"PKCS #8, EC", doctor.Case{Key: pemOf(k.ec)}, "", []string{"PKCS #8 PEM, EC on P-384, signs ES384"}},
		{"PKCS #8, RSA", doctor.Case{Key: pemOf(k.rsa)}, "", []string{"RSA of 2048 bits, signs RS384"}},
		{"JWK", doctor.Case{Key: private(k.ec)}, "", []string{`"as the JWK says"`}},
		{"mode unknown", doctor.Case{Key: unknownMode}, "", nil},
		{"DR-MODE", doctor.Case{Key: readable}, "key: DR-MODE?", []string{"chmod 600 FILE"}},
		{"A19 SEC 1", doctor.Case{Key: file(sec1)}, "key: A19?", []string{convert}},
		{"A19 PKCS #1", doctor.Case{Key: file(pkcs1)}, "key: A19?", []string{convert}},
		{"A19 in one line", doctor.Case{Key: file(strings.ReplaceAll(text, "\n", `\n`))}, "key: A19?", []string{convert, `has \n in two characters`}},
		{"A19 CRLF and text", doctor.Case{Key: file("x\r\n" + strings.ReplaceAll(text, "\n", "\r\n"))}, "key: A19?", []string{"has line breaks of Windows (CRLF) and has text before the key"}},
		{"A19 encrypted", doctor.Case{Key: file("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n")}, "key: A19", []string{"openssl pkey -in FILE -out key.pem"}},
		{"A19 public key", doctor.Case{Key: file(public)}, "key: A19", []string{"This is a public key", "the public half: EC on P-384"}},
		{"A19 nothing", doctor.Case{Key: file("")}, "key: A19", []string{"The file is empty."}},
		{"A23 certificate", doctor.Case{Key: file(certificate(k.ec))}, "key: A23", []string{"X.509 certificate"}},
		{"A22 1024 bits", doctor.Case{Key: pemOf(weak)}, "key: A22", []string{"1024 bits", "sandfhir keygen"}},
		{"A17 P-256", doctor.Case{Key: pemOf(p256)}, "key: A17", []string{"P-384 (secp384r1)", "sandfhir keygen"}},
		{"A14 symmetric", doctor.Case{Key: file(`{"kty":"oct","k":"c2VjcmV0"}`)}, "key: A14", nil},
		{"A18 sign byte in the modulus", doctor.Case{Key: private(k.rsa, "n", zeroPadded(k.rsa))}, "key: A18?", []string{"leading zero"}},
		{"A21 use", doctor.Case{Key: private(k.ec, "use", "enc")}, "key: A21", nil},
		{"SB-REG-08 alg of the JWK", doctor.Case{Key: private(k.ec, "alg", "ES256")}, "key: SB-REG-08", []string{`says \"alg\":\"ES256\"`}},
		{"JWK without kid", doctor.Case{Key: private(k.ec, "kid", nil)}, "", nil},
		{"A19 several keys", doctor.Case{Key: file(`{"keys":[` + string(private(k.ec).Data) + `,` + string(private(k.rsa).Data) + `]}`)}, "key: A19", []string{"ec-1, rsa-1"}},
		{"one of several keys", doctor.Case{Key: file(`{"keys":[` + string(private(k.ec).Data) + `,` + string(private(k.rsa).Data) + `]}`), KeyID: "rsa-1"}, "", []string{"signs RS384"}},
	}
	check(t, tests)
}

func check(t *testing.T, tests []doctorCase) {
	t.Helper()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := examine(t, test.c)
			if got := findings(r); got != test.want {
				t.Errorf("found %q, want %q\n%s", got, test.want, must(json.MarshalIndent(r, "", " ")))
			}
			for _, text := range test.says {
				if !says(r, text) && !strings.Contains(string(must(json.Marshal(r))), text) {
					t.Errorf("it does not say %q\n%s", text, must(json.MarshalIndent(r, "", " ")))
				}
			}
		})
	}
}

func certificate(k *authztest.Key) string {
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "c"}}
	der := must(x509.CreateCertificate(rand.Reader, template, template, k.Private.Public(), k.Private))
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// zeroPadded is the modulus with the sign byte that some encoders leave in.
func zeroPadded(k *authztest.Key) string {
	return base64.RawURLEncoding.EncodeToString(append([]byte{0}, k.Private.Public().(*rsa.PublicKey).N.Bytes()...))
}

func TestKeySets(t *testing.T) {
	t.Parallel()
	k := newKeys()
	const convert = "sandfhir doctor --jwks FILE --convert jwks"
	check(t, []doctorCase{
		{"two keys", doctor.Case{KeySet: setOf(k.rsa.JWK(), k.ec.JWK())}, "", []string{"RSA of 2048 bits", "EC on P-384"}},
		{"A20 private members", doctor.Case{KeySet: setOf(with(k.ec.JWK(), "d", "AAAA"))}, "key-set: A20", nil},
		{"A20 J04 the private JWK", doctor.Case{KeySet: private(k.ec)}, "key-set: A20 J04", []string{convert}},
		{"A20 A19 the private PEM", doctor.Case{KeySet: pemOf(k.ec)}, "key-set: A20 A19", []string{convert}},
		{"A23 certificate", doctor.Case{KeySet: file(certificate(k.ec))}, "key-set: A23", []string{convert}},
		{"J04 bare array", doctor.Case{KeySet: file(`[` + string(must(json.Marshal(k.ec.JWK()))) + `]`)}, "key-set: J04", []string{convert}},
		{"J03 no JSON", doctor.Case{KeySet: file("<html>")}, "key-set: J03", nil},
		{"J03 empty", doctor.Case{KeySet: file(" \n")}, "key-set: J03", nil},
		{"SB-KEY-08 empty", doctor.Case{KeySet: setOf()}, "key-set: SB-KEY-08", nil},
		{"A13 two keys of one kid", doctor.Case{KeySet: setOf(k.ec.JWK(), with(k.other.JWK(), "kid", "ec-1"))}, "key-set: A13", nil},
		{"A11 no kid", doctor.Case{KeySet: setOf(with(k.ec.JWK(), "kid", ""))}, "key-set: A11", nil},
		{"A17 A18 A21 all at once", doctor.Case{KeySet: setOf(authztest.NewECKey("p256", elliptic.P256()).JWK(), with(k.rsa.JWK(), "n", zeroPadded(k.rsa)), with(k.ec.JWK(), "use", "enc"))},
			"key-set: A18 A21 A17", nil},

		{"the key is in the set", doctor.Case{Key: pemOf(k.ec), KeySet: setOf(k.rsa.JWK(), k.ec.JWK())}, "", []string{`{"name":"in the set","value":"ec-1"`}},
		{"A12 the key is not in the set", doctor.Case{Key: pemOf(k.other), KeySet: setOf(k.ec.JWK())}, "key-in-set: A12", []string{`{"name":"in the set","value":"no"`}},
		{"A12 only the kid is wrong", doctor.Case{Key: private(k.ec, "kid", "mine"), KeySet: setOf(k.ec.JWK())}, "key-in-set: A12", []string{`would verify with key \"ec-1\": only the kid is wrong`}},
		{"A15 another key of the same kid", doctor.Case{Key: private(k.other, "kid", "ec-1"), KeySet: setOf(k.ec.JWK())}, "key-in-set: A15", []string{"it was signed with another private key"}},
		{"A14 the kid of a key of another kind", doctor.Case{Key: pemOf(k.ec), KeyID: "rsa-1", KeySet: setOf(k.rsa.JWK())}, "key-in-set: A14", nil},
		{"A20 the key's own JWK is in the set", doctor.Case{Key: pemOf(k.ec), KeySet: setOf(with(k.ec.JWK(), "d", "AAAA"))}, "key-set: A20; key-in-set: A20", nil},
	})
}

func TestAssertions(t *testing.T) {
	t.Parallel()
	k := newKeys()
	set := setOf(k.rsa.JWK(), k.ec.JWK())
	good := signed(k.ec)
	der := func() *doctor.Assertion {
		parts := strings.Split(good.JWT, ".")
		raw := must(base64.RawURLEncoding.DecodeString(parts[2]))
		var signature struct{ R, S *big.Int }
		signature.R, signature.S = new(big.Int).SetBytes(raw[:48]), new(big.Int).SetBytes(raw[48:])
		return doctor.ReadAssertion("", parts[0]+"."+parts[1]+"."+base64.RawURLEncoding.EncodeToString(must(marshalASN1(signature.R, signature.S))))
	}()
	form := func(change func(url.Values)) *doctor.Assertion {
		values := url.Values{"grant_type": {"client_credentials"}, "scope": {"system/Patient.rs"}, "client_assertion_type": {authz.AssertionType}, "client_assertion": {good.JWT}}
		change(values)
		return doctor.ReadAssertion("", values.Encode())
	}
	all := doctor.Case{Assertion: good, KeySet: set, Client: "app", TokenURL: tokenURL}
	but := func(a *doctor.Assertion) doctor.Case {
		c := all
		c.Assertion = a
		return c
	}
	check(t, []doctorCase{
		{"right", all, "", []string{`"2026-03-04T12:04:00Z, in 240 s"`}},
		{"right, by the key alone", doctor.Case{Assertion: good, Key: pemOf(k.ec)}, "", []string{"Whether kid is the registered one", "Whether aud is the token endpoint's URL"}},
		{"right, alone", doctor.Case{Assertion: good}, "", []string{"Key and signature: name the key set"}},
		{"right, signed by the key", doctor.Case{Assertion: good, KeySet: set, Key: pemOf(k.ec)}, "", []string{`"signed-by"`}},
		{"A15 signed by another key than that", doctor.Case{Assertion: good, KeySet: set, Key: pemOf(k.other)}, "key-in-set: A12; signed-by: A15", nil},
		{"A14 signed by a key of another kind", doctor.Case{Assertion: good, KeySet: set, Key: pemOf(k.rsa)}, "signed-by: A14", nil},
		{"A12 kid, the key set decides", but(signed(k.ec, header("kid", "x"))), "assertion: A12", []string{`would verify with key \"ec-1\"`}},
		{"A12 kid, the key says another", doctor.Case{Assertion: signed(k.ec, header("kid", "x")), Key: private(k.ec)}, "assertion: A12", nil},
		{"A15 the key alone", doctor.Case{Assertion: good, Key: pemOf(k.other)}, "assertion: A15", nil},
		{"A16 ASN.1", but(der), "assertion: A16", []string{"Decoded as DER it would verify"}},
		{"A06 cut short", but(doctor.ReadAssertion("", good.JWT[:len(good.JWT)-3])), "assertion: A06", nil},
		{"A06 nothing like it", but(doctor.ReadAssertion("", "hello")), "assertion: A06", nil},
		{"A02 another client", func() doctor.Case { c := all; c.Client = "apq"; return c }(), "assertion: A02", []string{`iss is \"app\", and the client is \"apq\"`}},
		{"C02 iss is a URL", but(signed(k.ec, claim("iss", "https://app.example"))), "assertion: C02 C01", nil},
		{"C03 the issuer's URL", but(signed(k.ec, claim("aud", "https://payer.example"))), "assertion: C03", nil},
		{"C04 slash", but(signed(k.ec, claim("aud", tokenURL+"/"))), "assertion: C04", nil},
		{"C04 slash missing", func() doctor.Case { c := all; c.TokenURL += "/"; return c }(), "assertion: C04", []string{"the missing slash at its end"}},
		{"C03 no aud and nobody knows", doctor.Case{Assertion: signed(k.ec, claim("aud", nil))}, "assertion: C03", nil},
		{"A07 C09 C14 A12 all at once", but(signed(k.ec, header("typ", nil), header("kid", "x"), claim("exp", now.Add(time.Hour).Unix()), claim("jti", nil))), "assertion: A07 C09 C14 A12", nil},
		{"S02 S07 scopes", func() doctor.Case { c := all; c.Scopes = []string{"system/Patient.sr"}; return c }(), "assertion: S07", []string{"system/Patient.rs"}},
		{"SB-ERR-23 unknown type", func() doctor.Case { c := all; c.Scopes = []string{"system/Patients.rs"}; return c }(), "assertion: SB-ERR-23", nil},
		{"a form", but(form(func(url.Values) {})), "", nil},
		{"SB-ERR-04 A form with another grant", but(form(func(v url.Values) { v.Set("grant_type", "password") })), "assertion: SB-ERR-04", nil},
		{"A05 a form with a wrong type", but(form(func(v url.Values) { v.Set("client_assertion_type", "jwt-bearer") })), "assertion: A05", nil},
		{"S01 a form without scope", but(form(func(v url.Values) { v.Del("scope") })), "assertion: S01", nil},
	})
}

// Nothing that the doctor says holds private key material or a signature.
func TestNothingSecretIsSaid(t *testing.T) {
	t.Parallel()
	k := newKeys()
	for _, key := range []*authztest.Key{k.rsa, k.ec} {
		assertion := signed(key, claim("aud", "x"))
		own := &jose.Key{Private: key.Private, Public: key.Private.Public()}
		members := must(own.PrivateJWK())
		secrets := []string{strings.Split(assertion.JWT, ".")[2]}
		for _, name := range []string{"d", "p", "q", "dp", "dq", "qi"} {
			if members[name] != "" {
				secrets = append(secrets, members[name])
			}
		}
		for line := range strings.Lines(string(pemOf(key).Data)) {
			if !strings.HasPrefix(line, "-----") && len(line) > 16 {
				secrets = append(secrets, strings.TrimSpace(line))
			}
		}
		whole := string(pemOf(key).Data)
		files := []*doctor.File{pemOf(key), private(key), private(key, "n", "AAAA", "x", "AAAA"), file(whole[:len(whole)/2]), file(strings.Replace(whole, "PRIVATE", "PUBLIC", 2)),
			file(strings.ReplaceAll(whole, "-----", "---")), file(strings.Join(strings.Split(whole, "\n")[1:4], ""))}
		for i, f := range files {
			for _, c := range []doctor.Case{{Key: f}, {KeySet: f}, {Key: f, KeySet: setOf(k.other.JWK()), Assertion: assertion}, {Assertion: doctor.ReadAssertion("", string(f.Data))}} {
				report := string(must(json.Marshal(examine(t, c))))
				for _, secret := range secrets {
					if strings.Contains(report, secret[:16]) {
						t.Errorf("file %d: the report holds %s…\n%s", i, secret[:16], report)
					}
				}
			}
		}
	}
}

func marshalASN1(r, s *big.Int) ([]byte, error) {
	return asn1.Marshal(struct{ R, S *big.Int }{r, s})
}

func compact(r *doctor.Report) string { return string(must(json.Marshal(r))) }

func indent(r *doctor.Report) string { return string(must(json.MarshalIndent(r, "", " "))) }
