package jose_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/sandfhir/sandfhir/internal/jose"
)

func generate(t testing.TB, alg string) *jose.Key {
	t.Helper()
	k, err := jose.Generate(alg, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func block(label string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}))
}

func jwkText(t testing.TB, members map[string]string, changes ...string) string {
	t.Helper()
	m := maps.Clone(members)
	for i := 0; i < len(changes); i += 2 {
		if m[changes[i]] = changes[i+1]; changes[i+1] == "" {
			delete(m, changes[i])
		}
	}
	return string(must[[]byte](t)(json.Marshal(m)))
}

func utf16le(text string) string {
	b := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(text)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return string(b)
}

func indented(text string) string { return "    " + strings.ReplaceAll(text, "\n", "\n    ") }

// A19: every form in which people have a private key is the same key, and what libraries stumble
// over is named.
func TestA19EveryFormIsTheSameKey(t *testing.T) {
	t.Parallel()
	for _, alg := range []string{jose.ES384, jose.RS384} {
		key := generate(t, alg)
		pkcs8 := must[[]byte](t)(x509.MarshalPKCS8PrivateKey(key.Private))
		text := block("PRIVATE KEY", pkcs8)
		jwk := must[map[string]string](t)(key.PrivateJWK())
		own, ownForm, label := "", jose.SEC1PEM, "EC PRIVATE KEY"
		if private, ok := key.Private.(*rsa.PrivateKey); ok {
			ownForm, label = jose.PKCS1PEM, "RSA PRIVATE KEY"
			own = block(label, x509.MarshalPKCS1PrivateKey(private))
		} else {
			own = block(label, must[[]byte](t)(x509.MarshalECPrivateKey(key.Private.(*ecdsa.PrivateKey))))
		}
		body := strings.Join(strings.Split(strings.TrimSpace(text), "\n")[1:len(strings.Split(strings.TrimSpace(text), "\n"))-1], "")
		cert := certificate(t, key)
		tests := []struct {
			name, text string
			form       jose.Form
			oddity     string // "" for none
		}{
			{"PKCS #8", text, jose.PKCS8PEM, ""},
			{"no line break at the end", strings.TrimSpace(text), jose.PKCS8PEM, ""},
			{"its own form", own, ownForm, ""},
			{"CRLF", strings.ReplaceAll(text, "\n", "\r\n"), jose.PKCS8PEM, "line breaks of Windows"},
			{"literal line breaks", strings.ReplaceAll(text, "\n", `\n`), jose.PKCS8PEM, `\n in two characters`},
			{"literal line breaks of Windows", strings.ReplaceAll(text, "\n", `\r\n`), jose.PKCS8PEM, `\n in two characters`},
			{"literal line breaks, escaped again", strings.ReplaceAll(text, "\n", `\\n`), jose.PKCS8PEM, `\n in two characters`},
			{"JSON string", string(must[[]byte](t)(json.Marshal(text))), jose.PKCS8PEM, "quotation marks"},
			{"one line with spaces", strings.ReplaceAll(strings.TrimSpace(text), "\n", " "), jose.PKCS8PEM, "in one line"},
			{"body in one line", "-----BEGIN PRIVATE KEY-----\n" + body + "\n-----END PRIVATE KEY-----\n", jose.PKCS8PEM, "in one line"},
			{"indented", indented(text), jose.PKCS8PEM, "indented"},
			{"text before", "Bag Attributes\n    friendlyName: x\nKey Attributes: <No Attributes>\n" + text, jose.PKCS8PEM, "text before"},
			{"curve before", block("EC PARAMETERS", []byte{6, 5, 0x2b, 0x81, 4, 0, 0x22}) + own, ownForm, ""},
			{"certificate before", block("CERTIFICATE", cert) + text, jose.PKCS8PEM, ""},
			{"certificate behind", text + block("CERTIFICATE", cert), jose.PKCS8PEM, ""},
			{"byte order mark", "\ufeff" + text, jose.PKCS8PEM, "byte order mark"},
			{"UTF-16", utf16le(text), jose.PKCS8PEM, "UTF-16"},
			{"wrong label", strings.ReplaceAll(text, "PRIVATE KEY", label), ownForm, "is labelled " + label},
			{"other wrong label", strings.ReplaceAll(own, label, "PRIVATE KEY"), jose.PKCS8PEM, "is labelled PRIVATE KEY"},
			{"DER", string(pkcs8), jose.DER, ""},
			{"base64 of DER", body, jose.DER, "without the lines"},
			{"base64 of PEM", base64.StdEncoding.EncodeToString([]byte(text)), jose.PKCS8PEM, "base64 of a PEM file"},
			{"JWK", jwkText(t, jwk), jose.JWK, ""},
			{"JWK in a string", string(must[[]byte](t)(json.Marshal(jwkText(t, jwk)))), jose.JWK, "quotation marks"},
			{"JWK without primes", jwkText(t, jwk, "p", "", "q", "", "dp", "", "dq", "", "qi", ""), jose.JWK, ""},
			{"JWK with padding", jwkText(t, jwk, "d", jwk["d"]+"=="), jose.JWK, ""},
			{"JWK Set", `{"keys":[` + jwkText(t, jwk) + `]}`, jose.JWKSet, ""},
			{"bare array", `[` + jwkText(t, jwk) + `]`, jose.JWKSet, "array of keys"},
		}
		for _, test := range tests {
			t.Run(alg+" "+test.name, func(t *testing.T) {
				t.Parallel()
				file, err := jose.Read([]byte(test.text))
				if err != nil {
					t.Fatal(err)
				}
				got, err := file.PrivateKey("")
				if err != nil {
					t.Fatal(err)
				}
				if a, b := must[string](t)(got.Thumbprint()), must[string](t)(key.Thumbprint()); a != b {
					t.Errorf("that is another key: %s, want %s", a, b)
				}
				if _, err := got.Sign(alg, nil); err != nil {
					t.Error(err)
				}
				if file.Form != test.form {
					t.Errorf("form %q, want %q", file.Form, test.form)
				}
				if odd := strings.Join(file.Oddities, "; "); (odd == "") != (test.oddity == "") || !strings.Contains(odd, test.oddity) {
					t.Errorf("oddities %q, want %q", odd, test.oddity)
				}
			})
		}
	}
}

func certificate(t testing.TB, key *jose.Key) []byte {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "c"}, NotAfter: time.Date(2050, 1, 1, 0, 0, 0, 0, time.UTC)}
	return must[[]byte](t)(x509.CreateCertificate(rand.Reader, template, template, key.Public, key.Private))
}

// What is no private key for SMART is refused with the mistake's id, the reason and, where there
// is one, the way out.
func TestWrongFiles(t *testing.T) {
	t.Parallel()
	ec, rs := generate(t, jose.ES384), generate(t, jose.RS384)
	text := string(must[[]byte](t)(ec.PEM()))
	public := string(must[[]byte](t)(ec.PublicPEM()))
	jwk, rsaJWK := must[map[string]string](t)(ec.PrivateJWK()), must[map[string]string](t)(rs.PrivateJWK())
	other, otherRSA := must[map[string]string](t)(generate(t, jose.ES384).PrivateJWK()), must[map[string]string](t)(generate(t, jose.RS384).PrivateJWK())
	request := must[[]byte](t)(x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "c"}}, ec.Private))
	tests := []struct{ name, text, finding, want string }{
		{"A19 empty", " \n", "A19", "the file is empty"},
		{"A19 too large", strings.Repeat("x", jose.MaxFile+1), "A19", "larger than a mebibyte"},
		{"A19 anything", "hello", "A19", "neither a PEM private key nor a JWK"},
		{"A19 JWT", "eyJhbGciOiJub25lIn0.e30.x", "A19", "this is a JWT, not a key"},
		{"A19 SSH public key", "ssh-rsa AAAA me@here", "A19", "SSH public key"},
		{"A19 Java key store", "\xfe\xed\xfe\xed\x00\x00\x00\x02", "A19", "keytool -importkeystore"},
		{"A19 PuTTY", "PuTTY-User-Key-File-3: x", "A19", "PuTTY"},
		{"A19 hyphens changed", strings.ReplaceAll(text, "-----", "–––"), "A19", "no five hyphens"},
		{"A19 lower case", strings.ReplaceAll(text, "PRIVATE KEY", "private key"), "A19", "in capital letters"},
		{"A19 encrypted", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n", "A19", "openssl pkey -in FILE"},
		{"A19 encrypted, old form", "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nMIIB\n-----END RSA PRIVATE KEY-----\n", "A19", "encrypted with a passphrase"},
		{"A19 OpenSSH", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n", "A19", "ssh-keygen -p -m PKCS8"},
		{"A19 PGP", "-----BEGIN PGP PRIVATE KEY BLOCK-----\nAAAA\n-----END PGP PRIVATE KEY BLOCK-----\n", "A19", "no key of a client's"},
		{"A19 parameters only", block("EC PARAMETERS", []byte{6, 5, 0x2b, 0x81, 4, 0, 0x22}), "A19", "no key"},
		{"A19 cut in the middle", text[:200], "A19", "is missing: the key is cut short"},
		{"A19 a line lost", strings.Join(slices.Delete(strings.Split(text, "\n"), 2, 3), "\n"), "A19", "cut or changed"},
		{"A19 not base64", strings.Replace(text, "\nM", "\n*", 1), "A19", "is not base64"},
		{"A19 broken JSON", `{"kty":"EC"`, "A19", "not valid JSON"},
		{"A19 no kty", `{"a":1}`, "A19", "no kty"},
		{"A19 keys is no array", `{"keys":{}}`, "A19", "no array"},
		{"A19 empty set", `{"keys":[]}`, "A19", "holds no key"},
		{"A19 no object", `[1]`, "A19", "no JSON object"},
		{"A19 public key", public, "A19", "this is a public key"},
		{"A19 public JWK", jwkText(t, must[map[string]string](t)(ec.PublicJWK())), "A19", "this is a public key"},
		{"A23 certificate", block("CERTIFICATE", certificate(t, ec)), "A23", "an X.509 certificate"},
		{"A23 certificate in DER", string(certificate(t, rs)), "A23", "an X.509 certificate"},
		{"A23 request", block("CERTIFICATE REQUEST", request), "A23", "certificate signing request"},
		{"A14 symmetric", `{"kty":"oct","k":"AAAA"}`, "A14", "not for SMART"},
		{"A14 Ed25519 JWK", `{"kty":"OKP","crv":"Ed25519","x":"AAAA"}`, "A14", "not for SMART"},
		{"A17 secp256k1 JWK", `{"kty":"EC","crv":"secp256k1","x":"AAAA","y":"AAAA"}`, "A17", "ES384 needs P-384"},
		{"A18 EC halves of two keys", jwkText(t, jwk, "d", other["d"]), "A18", "of two key pairs"},
		{"A18 RSA halves of two keys", jwkText(t, rsaJWK, "d", otherRSA["d"], "p", "", "q", "", "dp", "", "dq", "", "qi", ""), "A18", "of two key pairs"},
		{"A18 RSA numbers of two keys", jwkText(t, rsaJWK, "p", otherRSA["p"]), "A18", "do not belong together"},
		{"A18 off the curve", jwkText(t, jwk, "x", jwk["y"]), "A18", "not on curve P-384"},
		{"A18 too long", jwkText(t, jwk, "x", jwk["x"]+"AAAA"), "A18", "longer than curve P-384"},
		{"A18 no x", jwkText(t, jwk, "x", ""), "A18", "has no x"},
		{"A18 not base64url", jwkText(t, jwk, "x", "***"), "A18", "not base64url"},
		{"A18 even exponent", jwkText(t, rsaJWK, "e", "AQAA"), "A18", "make no RSA key"},
		{"A18 more primes", jwkText(t, rsaJWK, "oth", "x"), "A18", "more than two primes"},
		{"A19 two keys", `{"keys":[` + jwkText(t, jwk, "kid", "a") + `,` + jwkText(t, rsaJWK, "kid", "b") + `]}`, "A19", "holds 2 keys; one is wanted. Choose one by its kid (--kid): a, b."},
		{"A18 second of two", `{"keys":[` + jwkText(t, jwk) + `,` + jwkText(t, jwk, "y", "") + `]}`, "A18", "key 2 of the set: the JWK has no y"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			file, err := jose.Read([]byte(test.text))
			if err == nil {
				_, err = file.PrivateKey("")
			}
			var bad *jose.FileError
			if !errors.As(err, &bad) || bad.Finding != test.finding || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, %+v; want %s: %s", err, bad, test.finding, test.want)
			}
			if err != nil && strings.Contains(err.Error(), text[40:80]) {
				t.Error("the message holds a piece of the key")
			}
		})
	}
}

func TestOneOfSeveralKeys(t *testing.T) {
	t.Parallel()
	a, b := must[map[string]string](t)(generate(t, jose.ES384).PrivateJWK()), must[map[string]string](t)(generate(t, jose.RS384).PrivateJWK())
	read := func(kids ...string) *jose.File {
		file, err := jose.Read([]byte(`{"keys":[` + jwkText(t, a, "kid", kids[0]) + `,` + jwkText(t, b, "kid", kids[1]) + `]}`))
		if err != nil {
			t.Fatal(err)
		}
		return file
	}
	if k, err := read("a", "b").PrivateKey("b"); err != nil || k.ID != "b" {
		t.Errorf("got %+v, %v", k, err)
	}
	if _, err := read("a", "a").PrivateKey("a"); err == nil || !strings.Contains(err.Error(), "2 keys with the kid a") {
		t.Errorf("A13 two keys of one kid: %v", err)
	}
	if k, err := read("", "b").PrivateKey(a["kid"]); err != nil || k.ID != "" {
		t.Errorf("by thumbprint: %+v, %v", k, err)
	}
}

func TestWritten(t *testing.T) {
	t.Parallel()
	for _, alg := range []string{jose.ES384, jose.RS384} {
		k := generate(t, alg)
		k.ID = "k1"
		set := must[[]byte](t)(jose.PublicSet(k))
		var read struct{ Keys []map[string]string }
		if err := json.Unmarshal(set, &read); err != nil || len(read.Keys) != 1 {
			t.Fatalf("%s, %v", set, err)
		}
		got := read.Keys[0]
		if got["kid"] != "k1" || got["use"] != "sig" || got["alg"] != alg {
			t.Errorf("%s: %v", alg, got)
		}
		for _, name := range []string{"d", "p", "q", "dp", "dq", "qi"} {
			if got[name] != "" {
				t.Errorf("A20: the set holds %s", name)
			}
		}
		for form, write := range map[jose.Form]func() ([]byte, error){jose.PKCS8PEM: k.PEM, jose.PublicKeyPEM: k.PublicPEM} {
			file, err := jose.Read(must[[]byte](t)(write()))
			if err != nil || file.Form != form || len(file.Oddities) > 0 || file.IsPrivate() != (form == jose.PKCS8PEM) {
				t.Errorf("%s: %+v, %v", form, file, err)
			}
		}
	}
	small := &jose.Key{Public: must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)).Public()}
	if jwk := must[map[string]string](t)(small.PublicJWK()); jwk["alg"] != "" || jwk["crv"] != "P-256" {
		t.Errorf("A17: a P-256 key is written as %v", jwk)
	}
}

// The example of RFC 7638 section 3.1.
func TestThumbprint(t *testing.T) {
	t.Parallel()
	const n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
	file, err := jose.Read([]byte(`{"kty":"RSA","n":"` + n + `","e":"AQAB","alg":"RS256","kid":"2011-04-29"}`))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := file.Keys[0].Thumbprint(); got != "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs" || err != nil {
		t.Errorf("thumbprint %s, %v", got, err)
	}
}

// FuzzRead reads any file without failing: what it takes it writes and reads again as the same key.
func FuzzRead(f *testing.F) {
	ec := generate(f, jose.ES384)
	text := must[[]byte](f)(ec.PEM())
	der := must[[]byte](f)(x509.MarshalPKCS8PrivateKey(ec.Private))
	for _, seed := range [][]byte{text, der, must[[]byte](f)(ec.PublicPEM()), []byte(utf16le(string(text))), bytes.ReplaceAll(text, []byte("\n"), []byte(`\n`)),
		[]byte(jwkText(f, must[map[string]string](f)(ec.PrivateJWK()))), must[[]byte](f)(jose.PublicSet(ec)), []byte(indented(string(text))), []byte(base64.StdEncoding.EncodeToString(der)),
		[]byte(block("CERTIFICATE", certificate(f, ec))), []byte(`{"kty":"RSA","n":"AQAB","e":"AQAB","d":"AQAB"}`), []byte("-----BEGIN"), []byte("[{}]"), []byte(`"'`)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := jose.Read(data)
		if err != nil {
			var bad *jose.FileError
			if !errors.As(err, &bad) || bad.Text == "" || bad.Finding == "" {
				t.Errorf("%q is refused with %v", data, err)
			}
			return
		}
		if len(file.Keys) == 0 || file.Form == "" {
			t.Fatalf("%q is taken as %+v", data, file)
		}
		for _, k := range file.Keys {
			print, err := k.Thumbprint()
			if err != nil {
				t.Fatal(err)
			}
			write := k.PublicPEM
			if k.Private != nil {
				write = k.PEM
			}
			again, err := jose.Read(must[[]byte](t)(write()))
			if err != nil {
				t.Fatalf("%q is written and not read: %v", data, err)
			}
			if got, err := again.Keys[0].Thumbprint(); err != nil || got != print {
				t.Errorf("thumbprint %s, was %s: %v", got, print, err)
			}
		}
	})
}
