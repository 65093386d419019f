package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/portal"
)

// A keysView is what the server makes of public keys, pasted or published.
type keysView struct {
	Keys     []keyView        `json:"keys"`
	Problems []keyProblemView `json:"problems"`
	// JWKS is what would be registered; only of pasted keys.
	JWKS json.RawMessage `json:"jwks,omitempty"`
	// CacheControl is what the host of published keys says about copies.
	CacheControl string `json:"cache_control,omitempty"`
	// Exchange is the page that shows the fetch.
	Exchange string `json:"exchange,omitempty"`
}

type keyView struct {
	KeyID       string `json:"kid"`
	Description string `json:"description"`     // "RSA of 2048 bits", "EC on P-384"
	Algorithm   string `json:"alg,omitempty"`   // as the key says
	Use         string `json:"use,omitempty"`   // as the key says
	Signs       string `json:"signs,omitempty"` // RS384 or ES384, or nothing that SMART has
	Thumbprint  string `json:"thumbprint,omitempty"`
}

type keyProblemView struct {
	KeyID   string `json:"kid,omitempty"`
	Check   string `json:"check,omitempty"`
	Message string `json:"message"`
	Fix     string `json:"fix,omitempty"`
}

// A keysAsked is a question about keys: one of the two.
type keysAsked struct {
	JWKSURI string          `json:"jwks_uri,omitempty" jsonschema:"of a published set, which is fetched now"`
	JWKS    json.RawMessage `json:"jwks,omitempty" jsonschema:"a JWK Set, a JWK, or PEM in a string"`
}

// checkKeys says what the server makes of keys before they are registered:
// {"jwks_uri":"https://…"} fetches a published set now, {"jwks":…} judges a set,
// a key, or PEM in a string.
func (l *call) checkKeys() error {
	var f keysAsked
	if err := l.readControl(`the body is {"jwks_uri":"https://…"} or {"jwks":…}`, &f); err != nil {
		return err
	}
	p := l.portal()
	switch {
	case (f.JWKSURI == "") == (len(f.JWKS) == 0):
		return badRequest("value", `the body is {"jwks_uri":"https://…"} or {"jwks":…}, one of them`)
	case f.JWKSURI != "":
		return l.json(fiber.StatusOK, l.publishedKeys(l.UserContext(), p, f.JWKSURI))
	}
	keys, err := keysText(f.JWKS)
	if err != nil {
		return badRequest("value", "jwks: "+jsonProblem(err))
	}
	return l.json(fiber.StatusOK, pastedKeys(p, keys))
}

// keysText is a set as people have it: JSON, or PEM in a JSON string.
func keysText(value json.RawMessage) (string, error) {
	text := string(value)
	if text == "null" {
		return "", nil
	}
	if strings.HasPrefix(text, `"`) {
		err := json.Unmarshal(value, &text)
		return text, err
	}
	return text, nil
}

func pastedKeys(p *portal.Portal, text string) keysView {
	set, problems := p.KeySet(text)
	v := newKeysView(problems)
	if len(problems) > 0 {
		return v
	}
	v.JWKS = set
	known := p.Sandbox.KnownKeys(&authz.Client{JWKS: set})
	v.add(known)
	return v
}

func (l *call) publishedKeys(ctx context.Context, p *portal.Portal, uri string) keysView {
	published, problems, err := p.Sandbox.FetchKeys(ctx, strings.TrimSpace(uri))
	v := newKeysView(problems)
	var failed *authz.FetchError
	switch {
	case errors.As(err, &failed):
		v.Problems = append(v.Problems, keyProblemView{Check: string(failed.Finding), Message: failed.Text, Fix: failed.Fix})
	case err != nil:
		v.Problems = append(v.Problems, keyProblemView{Message: err.Error()})
	default:
		v.CacheControl = published.CacheControl
		if published.Record != "" {
			v.Exchange = l.exchangeURL(published.Record)
		}
		v.add(published.Set)
	}
	return v
}

func newKeysView(problems []authz.KeyProblem) keysView {
	v := keysView{Keys: []keyView{}, Problems: []keyProblemView{}}
	for _, p := range problems {
		v.Problems = append(v.Problems, keyProblemView{p.KeyID, string(p.Finding), p.Text, p.Fix})
	}
	return v
}

func (v *keysView) add(set *authz.KeySet) {
	if set == nil {
		return
	}
	for _, k := range set.Keys() {
		v.Keys = append(v.Keys, keyView{k.KeyID, k.Description, k.Algorithm, k.Use, k.Signs, k.Thumbprint()})
	}
}
