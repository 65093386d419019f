package authz

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
)

// RegistrationRequest is a request to the registration endpoint of RFC 7591,
// or to a client's configuration endpoint of RFC 7592.
type RegistrationRequest struct {
	Method        string
	ContentType   string
	Body          []byte
	Authorization []string // every value of the header
	Addresses     Addresses
}

// RegistrationDecision is what became of a registration request: an Err or a
// Registration; neither after a client was deleted.
type RegistrationDecision struct {
	Checks       []Check
	Registration *Registration
	Err          *Error
	Scope        string // that the request wants to have registered, as it was sent
}

// Registration is a client as it is registered now.
type Registration struct {
	Client *Client
	// Response is the JSON of the answer: the metadata as stored, and a new
	// secret where one was issued, shown this one time.
	Response RegistrationResponse
}

// RegistrationResponse is the client information response of RFC 7591 section
// 3.2.1 and RFC 7592 section 3.
type RegistrationResponse struct {
	ClientID                string          `json:"client_id"`
	ClientIDIssuedAt        int64           `json:"client_id_issued_at"`
	ClientSecret            string          `json:"client_secret,omitempty"`
	ClientSecretExpiresAt   *int64          `json:"client_secret_expires_at,omitempty"` // 0: never; nil: no secret
	RegistrationAccessToken string          `json:"registration_access_token"`
	RegistrationClientURI   string          `json:"registration_client_uri"`
	ClientName              string          `json:"client_name,omitempty"`
	TokenEndpointAuthMethod AuthMethod      `json:"token_endpoint_auth_method"`
	GrantTypes              []string        `json:"grant_types"`
	ResponseTypes           []string        `json:"response_types"`
	Scope                   string          `json:"scope,omitempty"`
	JWKSURI                 string          `json:"jwks_uri,omitempty"`
	JWKS                    json.RawMessage `json:"jwks,omitempty"`
	Metadata
}

// Register decides a registration request (RFC 7591 section 3) and stores the
// client as a draft. The Registration shows what was changed or left out.
func (s *Server) Register(ctx context.Context, req RegistrationRequest) *RegistrationDecision {
	r := s.registering(req)
	registration, err := r.register(ctx)
	return r.decision(registration, err, PartInitialToken, PartRegistration)
}

// registering is one registration request on its way through the rules, which
// are its methods.
type registering struct {
	server    *Server
	behaviour *Behaviour // the server's
	checks    *checklist
	req       RegistrationRequest
	asked     clientMetadata
	plain     string // a secret issued now
}

func (s *Server) registering(req RegistrationRequest) *registering {
	return &registering{server: s, behaviour: &s.behaviour, checks: new(checklist), req: req}
}

func (r *registering) register(ctx context.Context) (*Registration, *Error) {
	if err := r.initialToken(); err != nil {
		return nil, err
	}
	id, err := r.server.NewClientID()
	if err != nil {
		return nil, r.checks.serverError(ruleInitialToken, "make a client_id", err)
	}
	token, err := r.server.random(32)
	if err != nil {
		return nil, r.checks.serverError(ruleInitialToken, "make a registration access token", err)
	}
	client := &Client{ID: id, Source: SourceRegistration, CreatedAt: r.server.workspaceClock.Now(),
		RegistrationToken: HashSecret(token)}
	stored, refused := r.put(ctx, client, "POST")
	if refused != nil {
		return nil, refused
	}
	return r.registration(stored, token), nil
}

// decision is what became of the request.
func (r *registering) decision(registration *Registration, err *Error, parts ...Part) *RegistrationDecision {
	d := &RegistrationDecision{Checks: r.checks.list(parts...), Registration: registration, Err: err,
		Scope: r.asked.Scope}
	if d.Scope == "" { // none, or refused before it was read
		d.Scope = scopeIn(r.req.Body)
	}
	return d
}

// put fills the client from the request, checks it and stores it as a draft.
func (r *registering) put(ctx context.Context, c *Client, verb string) (*Client, *Error) {
	if err := r.read(c, verb); err != nil {
		return nil, err
	}
	if verb == "PUT" {
		if err := r.updateMembers(c); err != nil {
			return nil, err
		}
	}
	for _, step := range []func(*Client) *Error{r.method, r.grants, r.keyChoice, r.keyURI, r.keySet, r.scopes,
		r.links, r.secret} {
		if err := step(c); err != nil {
			return nil, err
		}
	}
	c.Status, c.StatusAt, c.StatusBy, c.StatusReason = StatusDraft, r.server.workspaceClock.Now(), "", ""
	stored, err := r.server.store.PutClient(ctx, r.server.env.Name, c)
	if err != nil {
		return nil, r.checks.serverError(ruleRegisterLinks, "store the client", err)
	}
	return stored, nil
}

// secret issues a secret to a secret client that has none, and removes those
// of a key client.
func (r *registering) secret(c *Client) *Error {
	switch {
	case !c.Method.usesSecret():
		c.Secrets = nil
	case len(c.Secrets) == 0:
		plain, kept, err := r.server.NewSecret(r.behaviour.SecretLifetime)
		if err != nil {
			return r.checks.serverError(ruleRegisterLinks, "make a secret", err)
		}
		r.plain, c.Secrets = plain, []Secret{kept}
	}
	return nil
}

// NewClientID returns an id for a new client: 128 random bits in hexadecimal,
// so that no encoding of a form or of Basic changes it.
func (s *Server) NewClientID() (string, error) { return s.randomHex(16) }

func (r *registering) registration(c *Client, token string) *Registration {
	resp := RegistrationResponse{
		ClientID: c.ID, ClientIDIssuedAt: c.CreatedAt.Unix(), ClientSecret: r.plain, ClientName: c.Name,
		RegistrationAccessToken: token, RegistrationClientURI: r.req.Addresses.RegistrationURL + "/" + c.ID,
		TokenEndpointAuthMethod: c.Method, GrantTypes: c.Grants, ResponseTypes: []string{},
		Scope: c.Scopes.String(), JWKSURI: c.JWKSURI, JWKS: c.JWKS, Metadata: c.Metadata,
	}
	if r.plain != "" {
		resp.ClientSecretExpiresAt = new(int64)
		if ends := c.Secrets[len(c.Secrets)-1].ExpiresAt; !ends.IsZero() {
			*resp.ClientSecretExpiresAt = ends.Unix()
		}
	}
	return &Registration{Client: c, Response: resp}
}

func (r *registering) refuse(g ruleIndex, code string, o outcome) *Error {
	return r.checks.refusal(400, code, g, o)
}

// method settles how the client authenticates.
func (r *registering) method(c *Client) *Error {
	got := AuthMethod(r.asked.Method)
	want := []string{string(PrivateKeyJWT)}
	if r.behaviour.SecretsOffered {
		want = append(want, string(ClientSecretBasic), string(ClientSecretPost))
	}
	switch {
	case got == "" && r.behaviour.RegistrationDefaults:
		got = PrivateKeyJWT
	case got == "":
		return r.refuse(ruleRegisterMethod, CodeInvalidClientMetadata, noAuthMethod())
	case !slices.Contains(want, string(got)):
		return r.refuse(ruleRegisterMethod, CodeInvalidClientMetadata, otherAuthMethod(got, want))
	}
	c.Method = got
	if got.usesSecret() {
		r.checks.warn(ruleRegisterMethod, registeredSecret(got))
		return nil
	}
	r.checks.pass(ruleRegisterMethod, string(got))
	return nil
}

// grants settles the grant types: client_credentials, with no response type.
// Others are left out of what is stored.
func (r *registering) grants(c *Client) *Error {
	got := r.asked.GrantTypes
	switch {
	case len(got) == 0 && !r.behaviour.RegistrationDefaults:
		return r.refuse(ruleRegisterGrants, CodeInvalidClientMetadata, noGrants())
	case len(got) > 0 && !slices.Contains(got, GrantClientCredentials):
		return r.refuse(ruleRegisterGrants, CodeInvalidClientMetadata, unknownGrants(got))
	case len(got) <= 1 && len(r.asked.ResponseTypes) > 0:
		return r.refuse(ruleRegisterGrants, CodeInvalidClientMetadata, needlessResponseTypes(r.asked.ResponseTypes))
	}
	c.Grants = []string{GrantClientCredentials}
	if len(got) > 1 {
		r.checks.warn(ruleRegisterGrants, grantsLeftOut(got))
		return nil
	}
	r.checks.pass(ruleRegisterGrants, GrantClientCredentials)
	return nil
}

// scopes settles what the client may ask for. A registration without scope
// gets reading and searching of everything; RFC 7591 section 2 leaves that to
// the server.
func (r *registering) scopes(c *Client) *Error {
	if strings.TrimSpace(r.asked.Scope) == "" {
		c.Scopes = Scopes{{Type: AnyType, Letters: Read | Search}}
		r.checks.warn(ruleRegisterScopes, defaultRegistered(c.Scopes))
		return nil
	}
	var dropped []string
	for _, word := range strings.Fields(r.asked.Scope) {
		if why := ungrantable(word); why != "" {
			dropped = append(dropped, clip(word)+" ("+why+")")
			continue
		}
		scope, err := r.server.checkScope(word)
		if err != nil {
			bad := scopeError(word, err)
			return r.refuse(ruleRegisterScopes, CodeInvalidClientMetadata, bad.outcome())
		}
		c.Scopes = append(c.Scopes, scope)
	}
	if len(c.Scopes) == 0 {
		return r.refuse(ruleRegisterScopes, CodeInvalidClientMetadata, noneForServices(r.asked.Scope, dropped))
	}
	if len(dropped) > 0 {
		r.checks.warn(ruleRegisterScopes, scopesLeftOut(r.asked.Scope, c.Scopes, dropped))
		return nil
	}
	r.checks.pass(ruleRegisterScopes, c.Scopes.String())
	return nil
}
