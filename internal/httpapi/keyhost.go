package httpapi

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/internal/jose"
	"github.com/sandfhir/sandfhir/internal/keyhost"
	"github.com/sandfhir/sandfhir/internal/localca"
)

const (
	keysRoot    = "/_sandbox/keys/"
	keySetFile  = "/jwks.json"
	keySetMedia = "application/jwk-set+json" // RFC 7517 section 8.5.2
)

// isHostedKeySet reports whether a path is that of a key set that the server
// hosts for a client.
func isHostedKeySet(path string) bool {
	return strings.HasPrefix(path, keysRoot) && strings.HasSuffix(path, keySetFile)
}

// A keyHostAsked is a key host that is to be made.
type keyHostAsked struct {
	Name        string       `json:"name,omitempty" jsonschema:"1 to 64 letters, digits, dots, underscores and hyphens; by default one that nobody guesses"`
	Alg         string       `json:"alg,omitempty" jsonschema:"ES384, which it is by default, or RS384"`
	Certificate localca.Flaw `json:"certificate,omitempty" jsonschema:"publish it by https, with a certificate that is trusted, self-signed, expired, other-name or missing-intermediate"`
}

// A keyHostView is a key host as the control surface shows it.
type keyHostView struct {
	Name        string          `json:"name"`
	JWKSURI     string          `json:"jwks_uri"`
	Certificate string          `json:"certificate,omitempty"`
	JWKS        json.RawMessage `json:"jwks" jsonschema:"what is published now, faults aside"`
	Fetches     string          `json:"fetches" jsonschema:"URL of the fetches that the server has made of it"`
	// What follows is shown where a key was made, and never again.
	KeyID   string            `json:"kid,omitempty" jsonschema:"of the key that was made now"`
	Private map[string]string `json:"private_jwk,omitempty" jsonschema:"the key that was made now; it is not kept"`
	PEM     string            `json:"private_pem,omitempty" jsonschema:"the same, PKCS #8"`
}

type keyHostList struct {
	Keys []keyHostView `json:"keys"`
}

// A rotationAsked says how keys change.
type rotationAsked struct {
	Alg     string `json:"alg,omitempty" jsonschema:"ES384, which it is by default, or RS384"`
	Overlap string `json:"overlap,omitempty" jsonschema:"how long the keys before stay published, such as 10m; by default they go at once"`
	Late    string `json:"late,omitempty" jsonschema:"how long until the new key is published, such as 1m; by default it is at once"`
}

// makeKeyHost has the server publish a key set for a client.
func (l *call) makeKeyHost() error {
	if l.hasForm() {
		return l.keyHostForm()
	}
	var asked keyHostAsked
	if err := l.readOptionalControl(`a key host takes {"name":"app","alg":"ES384","certificate":"self-signed"}, or nothing`, &asked); err != nil {
		return err
	}
	h, made, err := l.newKeyHost(asked)
	if err != nil {
		return err
	}
	l.Set(fiber.HeaderLocation, l.root+l.prefix+keysRoot+h.Name)
	return l.showKeyHost(fiber.StatusCreated, h, made)
}

func (l *call) newKeyHost(asked keyHostAsked) (*keyhost.Host, *jose.Key, error) {
	if asked.Certificate != "" {
		if _, err := l.server.originWith(asked.Certificate); err != nil {
			return nil, nil, err
		}
	}
	h, made, err := l.workspace.KeyHosts.Make(asked.Name, asked.Alg, string(asked.Certificate))
	return h, made, keyHostRefusal(err)
}

func keyHostRefusal(err error) error {
	switch {
	case errors.Is(err, keyhost.ErrNoHost):
		return notFound("%v", err)
	case errors.Is(err, keyhost.ErrTaken), errors.Is(err, keyhost.ErrMany):
		return &httpError{status: fiber.StatusConflict, code: "conflict", message: err.Error()}
	case errors.Is(err, keyhost.ErrName), errors.Is(err, keyhost.ErrAlg):
		return badRequest("value", err.Error())
	}
	return err
}

// showKeyHost answers with a host, and with the key that was made for it.
func (l *call) showKeyHost(status int, h *keyhost.Host, made *jose.Key) error {
	v, err := l.keyHostView(h)
	if err != nil {
		return err
	}
	if made != nil {
		l.noStore()
		if v.Private, err = made.PrivateJWK(); err != nil {
			return err
		}
		text, err := made.PEM()
		if err != nil {
			return err
		}
		v.KeyID, v.PEM = made.ID, string(text)
	}
	return l.json(status, v)
}

func (l *call) keyHostView(h *keyhost.Host) (keyHostView, error) {
	set, err := jose.PublicSet(h.Published(l.workspace.Clock.Now())...)
	if err != nil {
		return keyHostView{}, err
	}
	path := l.prefix + keysRoot + h.Name + keySetFile
	root := l.root
	if h.Certificate != "" {
		if root, err = l.server.originWith(localca.Flaw(h.Certificate)); err != nil {
			return keyHostView{}, err
		}
	}
	fetches := url.Values{"kind": {"fetch"}, "path": {path}}
	return keyHostView{
		Name: h.Name, JWKSURI: root + path, Certificate: h.Certificate, JWKS: set,
		Fetches: l.root + l.prefix + "/_sandbox/exchanges?" + fetches.Encode(),
	}, nil
}

// listKeyHosts lists the hosts; to a browser as a page.
func (l *call) listKeyHosts() error {
	if l.wantsPage() {
		return l.keyHostsPage("", nil)
	}
	list := keyHostList{Keys: []keyHostView{}}
	for _, h := range l.workspace.KeyHosts.List() {
		v, err := l.keyHostView(h)
		if err != nil {
			return err
		}
		list.Keys = append(list.Keys, v)
	}
	return l.json(fiber.StatusOK, list)
}

func (l *call) keyHost() (*keyhost.Host, error) {
	h, err := l.workspace.KeyHosts.Host(l.Params("name"))
	return h, keyHostRefusal(err)
}

func (l *call) readKeyHost() error {
	h, err := l.keyHost()
	if err != nil {
		return err
	}
	return l.showKeyHost(fiber.StatusOK, h, nil)
}

func (l *call) removeKeyHost() error {
	if err := l.workspace.KeyHosts.Remove(l.Params("name")); err != nil {
		return keyHostRefusal(err)
	}
	return l.SendStatus(fiber.StatusNoContent)
}

// rotateKeys gives a host another key.
func (l *call) rotateKeys() error {
	h, err := l.keyHost()
	if err != nil {
		return err
	}
	var asked rotationAsked
	if err := l.readOptionalControl(`a rotation takes {"alg":"ES384","overlap":"10m","late":"1m"}, or nothing`, &asked); err != nil {
		return err
	}
	made, err := l.rotate(h, asked)
	if err != nil {
		return err
	}
	return l.showKeyHost(fiber.StatusOK, h, made)
}

func (l *call) rotate(h *keyhost.Host, asked rotationAsked) (*jose.Key, error) {
	overlap, err := spanOf("overlap", asked.Overlap)
	if err != nil {
		return nil, err
	}
	late, err := spanOf("late", asked.Late)
	if err != nil {
		return nil, err
	}
	made, err := h.Rotate(asked.Alg, l.workspace.Clock.Now(), overlap, late)
	return made, keyHostRefusal(err)
}

// spanOf reads a duration that may be left out.
func spanOf(name, text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	span, err := time.ParseDuration(text)
	if err != nil || span < 0 {
		return 0, badRequest("value", name+" has to be a duration such as 30s or 10m")
	}
	return span, nil
}

// hostedKeySet is what a jwks_uri of a hosted set leads to.
func (l *call) hostedKeySet() error {
	h, err := l.keyHost()
	if err != nil {
		return err
	}
	set, err := jose.PublicSet(h.Published(l.workspace.Clock.Now())...)
	if err != nil {
		return err
	}
	l.Set(fiber.HeaderCacheControl, "no-cache")
	return l.send(fiber.StatusOK, keySetMedia, set)
}
