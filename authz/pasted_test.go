package authz_test

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/authz/authztest"
)

// der returns a key in the format that PEM labels so.
func der(t testing.TB, label string, k *authztest.Key) []byte {
	t.Helper()
	var data []byte
	var err error
	switch label {
	case "PUBLIC KEY":
		data, err = x509.MarshalPKIXPublicKey(k.Private.Public())
	case "RSA PUBLIC KEY":
		data = x509.MarshalPKCS1PublicKey(k.Private.Public().(*rsa.PublicKey))
	case "PRIVATE KEY":
		data, err = x509.MarshalPKCS8PrivateKey(k.Private)
	case "RSA PRIVATE KEY":
		data = x509.MarshalPKCS1PrivateKey(k.Private.(*rsa.PrivateKey))
	case "EC PRIVATE KEY":
		data, err = x509.MarshalECPrivateKey(k.Private.(*ecdsa.PrivateKey))
	case "CERTIFICATE":
		template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "app"}, NotAfter: epoch.Add(time.Hour)}
		data, err = x509.CreateCertificate(rand.Reader, template, template, k.Private.Public(), k.Private)
	}
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func pemOf(t testing.TB, label string, k *authztest.Key) []byte {
	t.Helper()
	return pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der(t, label, k)})
}

// What people paste where a JWK Set is wanted is named for what it is, by value
// and at a jwks_uri, and no private key is repeated.
func TestPastedKeys(t *testing.T) {
	t.Parallel()
	rsaKey, ecKey, p256 := key(t, "rsa-a", "k"), key(t, "ec-a", "k"), key(t, "ec-p256", "k")
	for _, c := range []struct {
		name    string
		label   string
		key     *authztest.Key
		finding string
		says    []string
	}{
		{"A19 SPKI", "PUBLIC KEY", rsaKey, "A19", []string{"a public key (SPKI)", "RSA of 2048 bits, would do for RS384"}},
		{"A19 SPKI on P-384", "PUBLIC KEY", ecKey, "A19", []string{"EC on P-384, would do for ES384"}},
		{"A19 SPKI on P-256", "PUBLIC KEY", p256, "A19", []string{"EC on P-256, would not do"}},
		{"A19 PKCS #1", "RSA PUBLIC KEY", rsaKey, "A19", []string{"a public RSA key (PKCS #1)"}},
		{"A19 private PKCS #8", "PRIVATE KEY", rsaKey, "A19", []string{"a private key (PKCS #8)", "Revoke this key pair"}},
		{"A19 private PKCS #1", "RSA PRIVATE KEY", rsaKey, "A19", []string{"a private RSA key (PKCS #1)", "Revoke this key pair"}},
		{"A19 private SEC 1", "EC PRIVATE KEY", ecKey, "A19", []string{"a private EC key (SEC 1)", "Revoke this key pair"}},
		{"A23 certificate", "CERTIFICATE", ecKey, "A23", []string{"an X.509 certificate", "EC on P-384, would do for ES384", "No certificate is needed"}},
	} {
		text := string(pemOf(t, c.label, c.key))
		inside := base64.StdEncoding.EncodeToString(der(t, c.label, c.key))
		forms := map[string]string{
			"PEM": text, "PEM in a JSON string": mustJSON(t, text),
			"PEM on one line": mustJSON(t, strings.ReplaceAll(text, "\n", "")),
		}
		if c.label != "RSA PUBLIC KEY" { // without its label it looks like others
			forms["the inside of the PEM"], forms["the inside of the PEM in a JSON string"] = inside, mustJSON(t, inside)
		}
		for form, jwks := range forms {
			t.Run(c.name+", "+form, func(t *testing.T) {
				t.Parallel()
				_, err := authz.ParseKeySet([]byte(jwks))
				wantPasted(t, err, authz.FindingID(c.finding), inside)
				if form == "PEM" || form == "the inside of the PEM" {
					for _, part := range c.says {
						if !strings.Contains(err.Error(), part) {
							t.Errorf("does not say %q: %v", part, err)
						}
					}
				}
				h := plainHost(t)
				h.publish([]byte(jwks))
				var record *authz.Fetch
				_, err = authz.NewFetcher(authz.FetchConfig{Reach: authz.ReachLoopback, OnFetch: func(r *authz.Fetch) string { record = r; return "" }}).Keys(t.Context(), h.URL, "k")
				var failed *authz.FetchError
				if f, ok := err.(*authz.FetchError); ok {
					failed = f
				}
				if failed == nil || string(failed.Finding) != c.finding || strings.Contains(err.Error(), inside[:40]) {
					t.Errorf("got %v, want %s and nothing of the key", err, c.finding)
				}
				if private := strings.Contains(c.label, "PRIVATE"); private != (record.Body == nil) {
					t.Errorf("the record has a body of %d bytes, private: %v", len(record.Body), private)
				}
			})
		}
	}
}

func wantPasted(t *testing.T, err error, finding authz.FindingID, inside string) {
	t.Helper()
	bad, ok := err.(*authz.KeySetError)
	if !ok || bad.Finding != finding || bad.Fix == "" {
		t.Fatalf("got %v, want %s", err, finding)
	}
	if strings.Contains(bad.Error(), inside[:40]) {
		t.Errorf("repeats the key: %v", bad)
	}
}

// What is repeated of an answer that is no key set never holds a private
// member, however the answer is broken.
func TestRepeatedAnswersHoldNoKey(t *testing.T) {
	t.Parallel()
	const secret = "SECRETSECRETSECRET"
	for name, body := range map[string]string{
		"a bare array":        `[{"kty":"EC","d":"` + secret + `"}]`,
		"a single key":        `{"d":"` + secret + `","kty":"EC"}`,
		"broken JSON":         `{"keys":[{"d":"` + secret + `"`,
		"cut in the member":   `{"keys":[{"d":"` + secret,
		"single quotes":       `{'d':'` + secret + `'}`,
		"no quotes":           `{d:` + secret + `}`,
		"a key set in a text": `"{\"d\":\"` + secret + `\"}"`,
		"a key set twice":     `{"d":"` + secret + `"} {"d":"` + secret + `"}`,
		"the member twice":    `{"keys":[],"d":"` + secret + `","d":"` + secret + `"}`,
	} {
		t.Run("A20 "+name, func(t *testing.T) {
			t.Parallel()
			h := plainHost(t)
			for _, status := range []int{200, 404} {
				h.answer(answering(status, body))
				_, err := authz.NewFetcher(authz.FetchConfig{Reach: authz.ReachLoopback}).Keys(t.Context(), h.URL, "k")
				if err == nil || strings.Contains(err.Error(), "SECRET") {
					t.Errorf("%d: %v", status, err)
				}
			}
			if _, err := authz.ParseKeySet([]byte(body)); err == nil || strings.Contains(err.Error(), "SECRET") {
				t.Errorf("by value: %v", err)
			}
		})
	}
}

// A private key that was cut or changed, so that nobody recognises it, is not repeated either.
func TestDamagedKeysAreNotRepeated(t *testing.T) {
	t.Parallel()
	text := string(pemOf(t, "PRIVATE KEY", key(t, "ec-a", "k")))
	body := strings.Join(strings.Split(strings.TrimSpace(text), "\n")[1:3], "")
	for name, damaged := range map[string]string{
		"hyphens changed": strings.ReplaceAll(text, "-----", "---"),
		"frame lost, cut": body[:101],
		"after a word":    "key: " + body,
		"quoted":          `"` + body + `x`,
	} {
		_, err := authz.ParseKeySet([]byte(damaged))
		if err == nil || strings.Contains(err.Error(), body[:16]) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
