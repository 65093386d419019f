package authz

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
)

// RegistrationRequest is a request to the registration endpoint of RFC 7591.
type RegistrationRequest struct {
	Method      string
	ContentType string
	Body        []byte
	Addresses   Addresses
}

// RegistrationDecision is what became of it: a Registration or an Err.
type RegistrationDecision struct {
	Checks       []Check
	Registration *Registration
	Err          *Error
}

// Registration is a client that was just registered.
type Registration struct {
	Client *Client
	// Response is the JSON of the 201 answer: the metadata as stored, and a
	// new secret where one was issued, shown this one time.
	Response RegistrationResponse
}

// RegistrationResponse is the client information response of RFC 7591 section
// 3.2.1.
type RegistrationResponse struct {
	ClientID                string          `json:"client_id"`
	ClientIDIssuedAt        int64           `json:"client_id_issued_at"`
	ClientSecret            string          `json:"client_secret,omitempty"`
	ClientSecretExpiresAt   *int64          `json:"client_secret_expires_at,omitempty"` // 0 is never; set only with a secret
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
// client as a draft. It says what it changed or left out of the request by
// what it returns.
func (s *Server) Register(ctx context.Context, req RegistrationRequest) *RegistrationDecision {
	r := &registering{Server: s, req: req, ladder: newLadder([]Part{PartRegistration})}
	registration, err := r.register(ctx)
	return &RegistrationDecision{Checks: r.ladder.checks(), Registration: registration, Err: err}
}

// registering is one registration request on its way through the rules.
type registering struct {
	*Server
	req    RegistrationRequest
	ladder *ladder
	asked  clientMetadata
}

func (r *registering) register(ctx context.Context) (*Registration, *Error) {
	client := &Client{Status: StatusDraft, Source: SourceRegistration, CreatedAt: r.core.clock.Now()}
	client.StatusAt = client.CreatedAt
	for _, step := range []func(*Client) *Error{r.read, r.method, r.grants, r.keyChoice, r.keyURI, r.keySet, r.scopes, r.links} {
		if err := step(client); err != nil {
			return nil, err
		}
	}
	var plain string
	if client.Method.usesSecret() {
		secret, kept, err := r.NewSecret(0)
		if err != nil {
			return nil, r.fault("make a secret", err)
		}
		plain, client.Secrets = secret, []Secret{kept}
	}
	id, err := r.NewClientID()
	if err != nil {
		return nil, r.fault("make a client_id", err)
	}
	client.ID = id
	stored, err := r.core.store.PutClient(ctx, r.core.env.Name, client)
	if err != nil {
		return nil, r.fault("store the client", err)
	}
	return &Registration{Client: stored, Response: registrationResponse(stored, plain)}, nil
}

// NewClientID returns an id for a new client: 128 random bits in hexadecimal,
// so that no encoding of a form or of Basic changes it.
func (s *Server) NewClientID() (string, error) { return s.core.randomHex(16) }

func registrationResponse(c *Client, secret string) RegistrationResponse {
	resp := RegistrationResponse{
		ClientID: c.ID, ClientIDIssuedAt: c.CreatedAt.Unix(), ClientSecret: secret, ClientName: c.Name,
		TokenEndpointAuthMethod: c.Method, GrantTypes: c.Grants, ResponseTypes: []string{},
		Scope: c.Scopes.String(), JWKSURI: c.JWKSURI, JWKS: c.JWKS, Metadata: c.Metadata,
	}
	if secret != "" {
		resp.ClientSecretExpiresAt = new(int64)
	}
	return resp
}

func (r *registering) refuse(g rung, code string, o outcome) *Error {
	return &Error{Code: code, Status: 400, Check: r.ladder.fail(g, o)}
}

func (r *registering) fault(doing string, err error) *Error {
	e := r.refuse(rungRegisterLinks, CodeServerError, outcome{text: "The server could not " + doing + ". That is not your client's fault; try again."})
	e.Status, e.cause = 500, err
	return e
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
		return r.refuse(rungRegisterMethod, CodeInvalidClientMetadata, outcome{got: "no token_endpoint_auth_method", want: string(PrivateKeyJWT),
			text: "The registration has no token_endpoint_auth_method, which by RFC 7591 means client_secret_basic: not SMART Backend Services. Send \"token_endpoint_auth_method\":\"private_key_jwt\" with jwks_uri or jwks."})
	case !slices.Contains(want, string(got)):
		return r.refuse(rungRegisterMethod, CodeInvalidClientMetadata, outcome{got: string(got), want: list(want),
			text: "token_endpoint_auth_method is " + quote(string(got)) + "; this server takes " + list(want) + ". For SMART Backend Services send private_key_jwt."})
	}
	c.Method = got
	if got.usesSecret() {
		r.ladder.warn(rungRegisterMethod, outcome{got: string(got), want: string(PrivateKeyJWT),
			text: "The client gets a secret. That is not SMART Backend Services, and no client for ONC g10; choose private_key_jwt for those."})
		return nil
	}
	r.ladder.pass(rungRegisterMethod, string(got))
	return nil
}

// grants settles the grant types: client_credentials, with no response type.
// Others are left out of what is stored.
func (r *registering) grants(c *Client) *Error {
	got := r.asked.GrantTypes
	switch {
	case len(got) == 0 && !r.behaviour.RegistrationDefaults:
		return r.refuse(rungRegisterGrants, CodeInvalidClientMetadata, outcome{got: "no grant_types", want: GrantClientCredentials,
			text: "The registration has no grant_types, which by RFC 7591 means authorization_code: this server has no users. Send \"grant_types\":[\"client_credentials\"]."})
	case len(got) > 0 && !slices.Contains(got, GrantClientCredentials):
		return r.refuse(rungRegisterGrants, CodeInvalidClientMetadata, outcome{got: list(got), want: GrantClientCredentials,
			text: "grant_types are " + clip(list(got)) + "; this server has client_credentials only. Send \"grant_types\":[\"client_credentials\"]."})
	case len(got) <= 1 && len(r.asked.ResponseTypes) > 0:
		return r.refuse(rungRegisterGrants, CodeInvalidClientMetadata, outcome{got: "response_types " + clip(list(r.asked.ResponseTypes)), want: "none",
			text: "response_types are " + clip(list(r.asked.ResponseTypes)) + ", which do not go with client_credentials (RFC 7591 section 2.1). Leave response_types out, or send an empty array."})
	}
	c.Grants = []string{GrantClientCredentials}
	if len(got) > 1 {
		r.ladder.warn(rungRegisterGrants, outcome{got: list(got), want: GrantClientCredentials,
			text: "Of the grant types " + clip(list(got)) + " only client_credentials was registered; this server has no other."})
		return nil
	}
	r.ladder.pass(rungRegisterGrants, GrantClientCredentials)
	return nil
}

// scopes settles what the client may ask for. Without a scope it is reading
// and searching everything, which RFC 7591 section 2 leaves to the server.
func (r *registering) scopes(c *Client) *Error {
	if strings.TrimSpace(r.asked.Scope) == "" {
		c.Scopes = Scopes{{Type: AnyType, Letters: Read | Search}}
		r.ladder.warn(rungRegisterScopes, outcome{finding: "S01", got: "no scope", want: "the scopes to be registered",
			text: "The registration has no scope; " + c.Scopes.String() + " was registered. Name the scopes that the client needs."})
		return nil
	}
	var dropped []string
	for _, word := range strings.Fields(r.asked.Scope) {
		if why := ungrantable(word); why != "" {
			dropped = append(dropped, clip(word)+" ("+why+")")
			continue
		}
		scope, err := r.checkScope(word)
		if err != nil {
			bad := scopeError(word, err)
			return r.refuse(rungRegisterScopes, CodeInvalidClientMetadata, outcome{finding: bad.Finding, got: word, want: bad.Fix, text: bad.Text})
		}
		c.Scopes = append(c.Scopes, scope)
	}
	if len(c.Scopes) == 0 {
		return r.refuse(rungRegisterScopes, CodeInvalidClientMetadata, outcome{got: r.asked.Scope, want: "system/ scopes",
			text: "None of the scopes is for a backend service: " + list(dropped) + ". Register system/ scopes, for instance system/*.rs."})
	}
	if len(dropped) > 0 {
		r.ladder.warn(rungRegisterScopes, outcome{got: r.asked.Scope, want: c.Scopes.String(),
			text: "Registered " + clip(c.Scopes.String()) + ". Left out: " + list(dropped) + "."})
		return nil
	}
	r.ladder.pass(rungRegisterScopes, c.Scopes.String())
	return nil
}
