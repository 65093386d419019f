package jose_test

import (
	"encoding/base64"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/internal/jose"
)

// A19, A23: what stands where a key set is wanted is named for what it is, whole or cut.
func TestRecognise(t *testing.T) {
	t.Parallel()
	key, err := jose.Generate(jose.ES384, 0)
	if err != nil {
		t.Fatal(err)
	}
	private, err := key.PEM()
	if err != nil {
		t.Fatal(err)
	}
	public, err := key.PublicPEM()
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(public)
	for _, c := range []struct {
		name, text, what string
		private, key     bool
	}{
		{"A19 a private key", string(private), "a private key (PKCS #8)", true, true},
		{"A19 a private key that is cut", string(private[:100]), "a private key (PKCS #8)", true, false},
		{"A19 a private key labelled as a public one", strings.ReplaceAll(string(private), "PRIVATE", "PUBLIC"), "a public key (SPKI)", true, true},
		{"A19 an encrypted key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----", "an encrypted private key (PKCS #8)", true, false},
		{"A19 a public key", "Here it is:\n" + string(public), "a public key (SPKI)", false, true},
		{"A19 the inside of a PEM", base64.StdEncoding.EncodeToString(block.Bytes), "a public key (SPKI)", false, true},
		{"A23 a request for a certificate", "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----", "a certificate request", false, false},
		{"a key set", `{"keys":[]}`, "", false, false},
		{"base64 of something", base64.StdEncoding.EncodeToString([]byte("0 is where DER begins")), "", false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, ok := jose.Recognise(c.text)
			if ok != (c.what != "") || got.Name != c.what || got.IsPrivate != c.private || (got.Key != nil) != c.key {
				t.Errorf("got %+v, %v", got, ok)
			}
			if got.Key != nil && (got.Key.Private != nil || got.Key.Describe() != "EC on P-384") {
				t.Errorf("key %+v", got.Key)
			}
		})
	}
}
