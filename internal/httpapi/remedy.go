package httpapi

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/exchange"
	"github.com/sandfhir/sandfhir/internal/snippet"
)

// noteRemedy adds to a refused exchange what is registered about its client,
// and which code puts the refusal right.
func (l *call) noteRemedy() {
	l.exchange.Registration = l.registrationOf(l.exchange.Environment, l.exchange.Client)
	if check := l.exchange.Failed(); check != nil {
		l.exchange.Remedy = l.remedy(check)
	}
}

// remedy names the code that puts right what a check of this request found; nil
// where there is none. The exchange holds what is registered about its client.
func (l *call) remedy(check *authz.Check) *exchange.Remedy {
	if check.Remedy.Kind == "" || check.Remedy.Kind == authz.RemedyNone {
		return nil
	}
	return &exchange.Remedy{Kind: snippet.Kind(check.Remedy.Kind), Facts: l.facts(check)}
}

// registrationOf returns what is registered about a client, or nil.
func (l *call) registrationOf(env, id string) *exchange.Registration {
	e := l.workspace.Environment(env)
	if id == "" || e == nil {
		return nil
	}
	client, err := l.workspace.Control().Client(l.UserContext(), env, id)
	if err != nil { // none, or a store that cannot tell: the page does without
		return nil
	}
	return exchange.RegistrationOf(client, e.Auth.KnownKeys(client))
}

// facts are the values with which the request would have been right, as far as
// they are known.
func (l *call) facts(check *authz.Check) snippet.Facts {
	r, e := check.Remedy, l.exchange
	env, id, registered := cmp.Or(r.Environment, e.Environment), cmp.Or(r.ClientID, e.Client), e.Registration
	if env != e.Environment || id != e.Client {
		registered = l.registrationOf(env, id)
	}
	a, auth := l.addressesOf(env), l.workspace.Environment(env).Auth
	if l.env != nil && l.env.Name == env {
		auth = l.env.Auth // faults may have the request go by other rules
	}
	behaviour := auth.Behaviour()
	f := snippet.Facts{
		ClientID: id, TokenURL: a.TokenURL, Audience: behaviour.Audience(a), FHIRURL: l.readURL(a), RegistrationURL: l.addressesOf(authz.Sandbox).RegistrationURL,
		Scope:        cmp.Or(r.Scope, l.scopeAsked),
		RawBasic:     behaviour.BasicDecode == authz.BasicRaw,
		InitialToken: check.RuleID == authz.RuleIDInitialToken,
	}
	switch l.routed {
	case "/auth/introspect":
		f.Endpoint = a.IntrospectionURL
	case "/auth/revoke":
		f.Endpoint = a.RevocationURL
	}
	if registered == nil {
		if check.Finding == authz.FindingIDUnknownClient || check.Finding == authz.FindingIDIssuerNoClientID {
			f.ClientID = "" // whatever it is, it is not the one that was sent
		}
		registered = &exchange.Registration{}
	}
	f.JWKSURI, f.Credential = registered.JWKSURI, snippet.Credential(registered.Method)
	f.Scope = cmp.Or(f.Scope, registered.Scopes)
	f.KeyID, f.Algorithm = l.keyFor(r, registered.Keys)
	if !slices.Contains(behaviour.Algorithms, f.Algorithm) {
		f.Algorithm = behaviour.Algorithms[0] // never empty
	}
	return f
}

// keyFor returns the kid and the algorithm to sign with: of the key that the
// remedy knows, that the assertion named, or that is registered.
func (l *call) keyFor(r authz.Remedy, keys []exchange.Key) (kid, alg string) {
	var sent authz.Assertion
	if l.exchange.Assertion != nil {
		sent = *l.exchange.Assertion
	}
	alg = cmp.Or(r.Algorithm, sent.Algorithm)
	if r.Kind == authz.RemedyNewKey {
		return unusedKeyID(keys), alg
	}
	named := func(kid string) int {
		return slices.IndexFunc(keys, func(k exchange.Key) bool { return kid != "" && k.ID == kid && k.Algorithm != "" })
	}
	i := named(r.KeyID)
	if i < 0 && r.KeyID == "" {
		i = named(sent.KeyID)
	}
	if i < 0 && r.KeyID == "" && alg != "" {
		i = slices.IndexFunc(keys, func(k exchange.Key) bool { return k.Algorithm == alg })
	}
	if i < 0 && r.KeyID == "" {
		i = slices.IndexFunc(keys, func(k exchange.Key) bool { return k.Algorithm != "" })
	}
	if i < 0 {
		return cmp.Or(r.KeyID, sent.KeyID), alg
	}
	return keys[i].ID, cmp.Or(r.Algorithm, keys[i].Algorithm)
}

// unusedKeyID returns a kid that no key has.
func unusedKeyID(keys []exchange.Key) string {
	for n := 1; ; n++ {
		kid := "key-" + strconv.Itoa(n)
		if !slices.ContainsFunc(keys, func(k exchange.Key) bool { return k.ID == kid }) {
			return kid
		}
	}
}

// readURL returns what to read with the right token: what was asked for, or
// something that there is.
func (l *call) readURL(a authz.Addresses) string {
	asked := l.exchange.URL
	if l.surface == fhirSurface && l.Method() == fiber.MethodGet && strings.HasPrefix(asked, a.FHIRBase+"/") && !strings.Contains(asked, "(hidden)") {
		return asked
	}
	return a.FHIRBase + "/Patient?_count=1"
}
