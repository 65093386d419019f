package portal

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/jose"
)

// KeySet turns public keys as people have them, a JWK Set, a bare JWK or PEM,
// into what is registered, and returns what is wrong with them. A private key
// is refused: it was not meant to leave its machine.
func (p *Portal) KeySet(text string) (set []byte, problems []authz.KeyProblem) {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, []authz.KeyProblem{{Text: "There are no keys.", Fix: "Paste your public keys: a JWK Set, a JWK or PEM."}}
	}
	set = []byte(text)
	if !strings.HasPrefix(text, "{") && !strings.HasPrefix(text, "[") {
		if set, problems = fromPEM(text); problems != nil {
			return nil, problems
		}
	}
	set = p.asSet(set)
	_, problems = p.Sandbox.CheckKeySet(set)
	return set, problems
}

// asSet makes of a set, or of a bare key, the form that the behaviour takes.
// What is neither stays as it is.
func (p *Portal) asSet(text []byte) []byte {
	var members struct {
		Type json.RawMessage `json:"kty"`
		Keys json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &members); err != nil {
		return text
	}
	keys := members.Keys
	if members.Type != nil {
		keys = append(append(json.RawMessage("["), text...), ']')
	}
	switch {
	case keys == nil:
		return text
	case p.Sandbox.Behaviour().InlineKeys == authz.InlineArray:
		return keys
	case members.Type == nil:
		return text
	}
	return append(append([]byte(`{"keys":`), keys...), '}')
}

func fromPEM(text string) ([]byte, []authz.KeyProblem) {
	file, err := jose.Read([]byte(text))
	var bad *jose.FileError
	switch {
	case errors.As(err, &bad):
		return nil, []authz.KeyProblem{{Text: "This is no public key: " + bad.Text, Fix: bad.Fix}}
	case err != nil:
		return nil, []authz.KeyProblem{{Text: "This is no public key: " + err.Error() + "."}}
	case file.IsPrivate():
		return nil, []authz.KeyProblem{{Finding: "A19", Text: "This is a private key. It must never leave the machine of the service.",
			Fix: "Paste the public half, which openssl pkey -pubout writes; and make another key pair if this one is used anywhere."}}
	}
	set, err := jose.PublicSet(file.Keys...)
	if err != nil {
		return nil, []authz.KeyProblem{{Text: "This key cannot be used: " + err.Error() + ".", Fix: "Make a key on P-384 for ES384, or an RSA key of 2048 bits or more for RS384."}}
	}
	return set, nil
}
