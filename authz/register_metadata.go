package authz

import (
	"cmp"
	"errors"
	"net/url"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// clientMetadata is the body of a registration request (RFC 7591 section 2).
// Unknown members are ignored, software_statement among them: section 2.3 lets
// a server do so.
type clientMetadata struct {
	Name          string         `json:"client_name"`
	Method        string         `json:"token_endpoint_auth_method"`
	GrantTypes    []string       `json:"grant_types"`
	ResponseTypes []string       `json:"response_types"`
	Scope         string         `json:"scope"`
	JWKSURI       string         `json:"jwks_uri"`
	JWKS          jsontext.Value `json:"jwks"`

	RedirectURIs    []string `json:"redirect_uris"`
	ClientURI       string   `json:"client_uri"`
	LogoURI         string   `json:"logo_uri"`
	Contacts        []string `json:"contacts"`
	TermsURI        string   `json:"tos_uri"`
	PolicyURI       string   `json:"policy_uri"`
	SoftwareID      string   `json:"software_id"`
	SoftwareVersion string   `json:"software_version"`

	// For updates by RFC 7592 section 2.2.
	ClientID                string         `json:"client_id"`
	ClientSecret            string         `json:"client_secret"`
	ClientIDIssuedAt        jsontext.Value `json:"client_id_issued_at"`
	ClientSecretExpiresAt   jsontext.Value `json:"client_secret_expires_at"`
	RegistrationAccessToken jsontext.Value `json:"registration_access_token"`
	RegistrationClientURI   jsontext.Value `json:"registration_client_uri"`
}

// maxName bounds what people get to see of a registration, in characters.
const maxName = 200

// read checks method, content type and JSON.
func (r *registering) read(c *Client, verb string) *Error {
	if r.req.Method != verb {
		e := r.refuse(ruleRegisterForm, CodeInvalidRequest, wrongRegisterMethod(r.req.Method, verb))
		e.Status, e.Allow = 405, verb
		return e
	}
	if !isJSON(r.req.ContentType) {
		return r.refuse(ruleRegisterForm, CodeInvalidClientMetadata,
			noJSON(cmp.Or(r.req.ContentType, "no Content-Type")))
	}
	r.checks.pass(ruleRegisterForm, verb+" of application/json")
	if err := json.Unmarshal(r.req.Body, &r.asked); err != nil || jsontext.Value(r.req.Body).Kind() != '{' {
		return r.refuse(ruleRegisterJSON, CodeInvalidClientMetadata, brokenMetadata(err))
	}
	if utf8.RuneCountInString(r.asked.Name) > maxName {
		return r.refuse(ruleRegisterJSON, CodeInvalidClientMetadata, longName(r.asked.Name))
	}
	r.checks.pass(ruleRegisterJSON, "a JSON object")
	c.Name, c.JWKS, c.JWKSURI, c.Scopes = r.asked.Name, nil, "", nil
	c.Metadata = Metadata{
		RedirectURIs: r.asked.RedirectURIs, ClientURI: r.asked.ClientURI, LogoURI: r.asked.LogoURI,
		Contacts: r.asked.Contacts, TermsURI: r.asked.TermsURI, PolicyURI: r.asked.PolicyURI,
		SoftwareID: r.asked.SoftwareID, SoftwareVersion: r.asked.SoftwareVersion,
	}
	return nil
}

// keyChoice checks that keys come by URL or by value, not both, and that a
// key client has some.
func (r *registering) keyChoice(c *Client) *Error {
	hasSet := len(r.asked.JWKS) > 0 && r.asked.JWKS.Kind() != 'n'
	switch {
	case hasSet && r.asked.JWKSURI != "" && !r.behaviour.BothKeySources:
		return r.refuse(ruleRegisterKeys, CodeInvalidClientMetadata, twoKeySources())
	case c.Method == PrivateKeyJWT && !hasSet && r.asked.JWKSURI == "":
		return r.refuse(ruleRegisterKeys, CodeInvalidClientMetadata, noKeys())
	}
	switch {
	case hasSet && r.asked.JWKSURI != "":
		r.checks.warn(ruleRegisterKeys, bothKeySources())
	case hasSet:
		r.checks.pass(ruleRegisterKeys, "jwks")
	case r.asked.JWKSURI != "":
		r.checks.pass(ruleRegisterKeys, "jwks_uri")
	default:
		r.checks.pass(ruleRegisterKeys, "none")
	}
	return nil
}

func (r *registering) keyURI(c *Client) *Error {
	if r.asked.JWKSURI == "" {
		r.checks.pass(ruleRegisterKeyURI, "absent")
		return nil
	}
	if err := r.server.CheckKeyURI(r.asked.JWKSURI); err != nil {
		return r.refuse(ruleRegisterKeyURI, CodeInvalidClientMetadata, uriOutcome(r.asked.JWKSURI, err))
	}
	c.JWKSURI = r.asked.JWKSURI
	r.checks.pass(ruleRegisterKeyURI, c.JWKSURI)
	return nil
}

// keySet checks a set by value key by key: what a later token request would
// refuse is refused now.
func (r *registering) keySet(c *Client) *Error {
	if len(r.asked.JWKS) == 0 || r.asked.JWKS.Kind() == 'n' {
		r.checks.pass(ruleRegisterKeySet, "absent")
		return nil
	}
	jwks := r.asked.JWKS.Clone()
	set, problems := r.server.CheckKeySet(jwks)
	if len(problems) > 0 {
		return r.refuse(ruleRegisterKeySet, CodeInvalidClientMetadata, problemsOutcome(problems))
	}
	c.JWKS = jwks
	r.checks.pass(ruleRegisterKeySet, plural(set.Len(), "key")+": "+list(set.KeyIDs()))
	return nil
}

// CheckKeySet reads a key set that is to be registered by value, and returns
// everything that a later token request would refuse or that should never be
// published. The set is nil if it cannot be read at all.
func (s *Server) CheckKeySet(jwks []byte) (*KeySet, []KeyProblem) {
	if s.behaviour.InlineKeys == InlineArray && jsontext.Value(jwks).Kind() == '{' {
		return nil, []KeyProblem{{Finding: "J04",
			Text: "The key set is a JSON object; this server's behaviour takes inline keys as a bare array " +
				"of JWKs, as Aidbox's Client resource does.",
			Fix: `Send the array alone: the object {"keys":[…]} is for a jwks_uri.`}}
	}
	set, err := s.behaviour.parseInline(jwks)
	var bad *KeySetError
	if errors.As(err, &bad) {
		return nil, []KeyProblem{{Finding: bad.Finding, Text: sentences(bad.Text, bad.Counterfactual), Fix: bad.Fix}}
	}
	return set, append(set.Problems(), set.unfit(s.behaviour.Algorithms)...)
}

// CheckKeyURI returns an error in full sentences if uri may not be registered
// as a jwks_uri under the behaviour in force.
func (s *Server) CheckKeyURI(uri string) error {
	if err := s.CanFetchKeys(uri); err != nil {
		return err
	}
	if err := s.behaviour.refusesKeyURI(uri); err != nil {
		return err
	}
	return nil
}

// CanFetchKeys returns an error in full sentences if keys are fetched from uri
// under no behaviour.
func (s *Server) CanFetchKeys(uri string) error { return s.keys.CheckURI(uri) }

// links checks the URLs that people will click on: web addresses only.
func (r *registering) links(c *Client) *Error {
	for _, link := range []struct{ name, uri string }{
		{"client_uri", c.Metadata.ClientURI}, {"logo_uri", c.Metadata.LogoURI},
		{"tos_uri", c.Metadata.TermsURI}, {"policy_uri", c.Metadata.PolicyURI},
	} {
		if link.uri != "" && !isWebAddress(link.uri) {
			return r.refuse(ruleRegisterLinks, CodeInvalidClientMetadata, noWebAddress(link.name, link.uri))
		}
	}
	for _, uri := range c.Metadata.RedirectURIs {
		if u, err := url.Parse(uri); err != nil || u.Scheme == "" || u.Fragment != "" {
			return r.refuse(ruleRegisterLinks, CodeInvalidRedirectURI, badRedirect(uri))
		}
	}
	r.checks.pass(ruleRegisterLinks, "")
	return nil
}

func isWebAddress(uri string) bool {
	u, err := url.Parse(uri)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}
