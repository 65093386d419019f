package authz

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"strings"
	"time"
)

// BearerRequest is what authz needs of a request to the resource server.
type BearerRequest struct {
	Authorization []string // every value of the header
	Query         string   // the raw query string: a token there is not read, but diagnosed
	Addresses     Addresses
}

// AccessDecision is what became of the credentials of a resource request:
// Access, or an Err with status 400 or 401.
type AccessDecision struct {
	// Checks is the checklist of PartBearer in order. Access makes those of
	// PartAccess that follow.
	Checks []Check
	Access *Access
	Err    *Error
	// ClientID is the client that the token says it was issued to, proven or
	// not; "" if it names none.
	ClientID string
}

// Access is what a valid access token stands for.
type Access struct {
	ClientID     string
	ClientName   string
	Organization string // "" means all
	// ByURL says that the request asks for that organization's data by the URL,
	// and not that the client is bound to it.
	ByURL bool
	// ByAdmin says that an administrator put the client: its requests need an
	// AccessPolicy.
	ByAdmin     bool
	Scopes      Scopes
	TokenID     string
	IssuedAt    time.Time // workspace time
	Expires     time.Time // workspace time
	Environment Environment

	// wildcard holds the types that system/*.read stands for; nil means all
	// of them.
	wildcard []string
}

// Authenticate decides whether a request to the resource server carries a
// valid access token (SMART App Launch 2.2, backend-services, Access FHIR API
// Response; RFC 6750). It looks the client up on every call, so that a
// rejection or revocation holds at once.
func (s *Server) Authenticate(ctx context.Context, req BearerRequest) *AccessDecision {
	b := s.bearer(req)
	access, err := b.authenticate(ctx)
	return &AccessDecision{Checks: b.checks.list(PartBearer), Access: access, Err: err, ClientID: b.clientID}
}

// bearer is one bearer token on its way through the rules, which are its
// methods.
type bearer struct {
	server   *Server
	checks   *checklist
	req      BearerRequest
	clientID string
}

func (s *Server) bearer(req BearerRequest) *bearer {
	return &bearer{server: s, checks: new(checklist), req: req}
}

func (b *bearer) authenticate(ctx context.Context) (*Access, *Error) {
	token, err := b.transport()
	if err != nil {
		return nil, err
	}
	claims, err := b.open(ctx, token)
	if err != nil {
		return nil, err
	}
	client, err := b.checkClient(ctx, claims)
	if err != nil {
		return nil, err
	}
	if o := b.server.stillInSandbox(ctx, client, b.req.Addresses, 1); o != nil {
		b.checks.warn(ruleTokenClient, *o)
	}
	access := &Access{
		ClientID: client.ID, ClientName: client.Name, Organization: client.Organization,
		ByAdmin: client.Source == SourceAdmin, Scopes: claims.scopes, TokenID: claims.ID,
		IssuedAt: time.Unix(claims.IssuedAt, 0), Expires: time.Unix(claims.Expires, 0),
		Environment: b.server.env,
		wildcard:    b.server.behaviour.WildcardRead,
	}
	return access, nil
}

// refuse answers 401 invalid_token with its challenge (RFC 6750 section 3.1).
func (b *bearer) refuse(r ruleIndex, o outcome) *Error {
	e := b.checks.refusal(401, CodeInvalidToken, r, o)
	e.Challenge = bearerChallenge(realmFHIR, e)
	return e
}

// noCredentials answers 401 with a challenge that names no error (RFC 6750
// section 3).
func (b *bearer) noCredentials(r ruleIndex, o outcome) *Error {
	e := b.checks.refusal(401, "", r, o)
	e.Challenge = bearerChallenge(realmFHIR, e)
	return e
}

// realmFHIR is the realm of the resource server's challenges.
const realmFHIR = "fhir"

// transport takes the token out of the request: from the Authorization header
// and from nowhere else.
func (b *bearer) transport() (string, *Error) {
	inQuery := len(queryNames(b.req.Query, "access_token")) > 0
	headers := b.req.Authorization
	if len(headers) > 1 || len(headers) == 1 && inQuery {
		return "", b.badRequest(ruleBearerTransport, severalTokens(inQuery))
	}
	if inQuery {
		return "", b.noCredentials(ruleBearerTransport, tokenInQuery())
	}
	b.checks.pass(ruleBearerTransport, "")
	if len(headers) == 0 || strings.TrimSpace(headers[0]) == "" {
		return "", b.noCredentials(ruleBearerPresent, b.noToken())
	}
	return b.schemeAndToken(headers[0])
}

func (b *bearer) badRequest(r ruleIndex, o outcome) *Error {
	e := b.checks.refusal(400, CodeInvalidRequest, r, o)
	e.Challenge = bearerChallenge(realmFHIR, e)
	return e
}

// schemeAndToken splits the header: the scheme in any case, spaces, the token
// (RFC 6750 section 2.1).
func (b *bearer) schemeAndToken(header string) (string, *Error) {
	scheme, token := splitAuthorization(header)
	if !strings.EqualFold(scheme, "Bearer") {
		return "", b.noCredentials(ruleBearerPresent, b.otherScheme(scheme))
	}
	b.checks.pass(ruleBearerPresent, scheme)
	if b.server.behaviour.CaseSensitiveBearer && scheme != "Bearer" {
		return "", b.refuse(ruleBearerForm, schemeCase(scheme))
	}
	if token == "" {
		return "", b.badRequest(ruleBearerForm, emptyToken())
	}
	if strings.ContainsAny(token, " \t\",") {
		return "", b.badRequest(ruleBearerForm, moreThanToken())
	}
	b.checks.pass(ruleBearerForm, scheme)
	return token, nil
}

// open reads and verifies the token: its form, its environment, its signature.
// A token that was verified before is not verified again; everything that can
// change is checked each time.
func (b *bearer) open(ctx context.Context, token string) (*tokenClaims, *Error) {
	sum := sha256.Sum256([]byte(token))
	claims, known := b.server.verified.get(sum)
	if !known {
		var err *Error
		if claims, err = b.verify(ctx, token); err != nil {
			return nil, err
		}
		b.server.verified.put(sum, claims)
	}
	b.clientID = claims.ClientID
	b.checks.pass(ruleTokenForm, "token "+claims.ID)
	b.checks.pass(ruleTokenEnvironment, b.server.env.String())
	b.checks.pass(ruleTokenSignature, string(tokenAlgorithm))
	return claims, b.alive(ctx, claims)
}

// verify reads a token that has not been seen before.
func (b *bearer) verify(ctx context.Context, token string) (*tokenClaims, *Error) {
	j, broken := splitJWS(token)
	if broken == nil {
		broken = j.readMembers()
	}
	if broken != nil {
		return nil, b.refuse(ruleTokenForm, notOurs())
	}
	if typ, _ := j.header.text("typ"); typ != tokenTyp {
		if astray := assertionInHeader(token); astray != nil {
			return nil, b.refuse(ruleTokenForm, *astray)
		}
		return nil, b.refuse(ruleTokenForm, b.anotherJWT(j))
	}
	var claims tokenClaims
	if err := json.Unmarshal(j.claimsJSON, &claims); err != nil {
		return nil, b.refuse(ruleTokenForm, b.otherClaims())
	}
	b.clientID = claims.ClientID
	b.checks.pass(ruleTokenForm, "token "+claims.ID)
	if err := b.checkEnvironment(&claims); err != nil {
		return nil, err
	}
	return &claims, b.checkSignature(ctx, j, &claims)
}

func (b *bearer) checkEnvironment(claims *tokenClaims) *Error {
	from := Environment{Name: claims.Environment, Workspace: claims.Workspace}
	if from == b.server.env {
		b.checks.pass(ruleTokenEnvironment, from.String())
		return nil
	}
	return b.refuse(ruleTokenEnvironment, b.fromElsewhere(from, claims))
}

func (b *bearer) checkSignature(ctx context.Context, j *compactJWS, claims *tokenClaims) *Error {
	kid, _ := j.header.text("kid")
	key, err := b.server.ring.find(ctx, kid)
	if err != nil {
		return b.checks.serverError(ruleTokenSignature, "read its signing keys", err)
	}
	alg, _ := j.header.text("alg")
	if key == nil {
		return b.refuse(ruleTokenSignature, b.unknownSigningKey(kid))
	}
	if alg != string(tokenAlgorithm) || !signedBy(key, j) {
		return b.refuse(ruleTokenSignature, changedToken())
	}
	scopes, err := ParseScopes(claims.Scope)
	if err != nil {
		return b.checks.serverError(ruleTokenSignature, "read the token's scopes", err)
	}
	claims.scopes = scopes
	b.checks.pass(ruleTokenSignature, alg)
	return nil
}

// alive checks that the token has neither expired nor been revoked.
func (b *bearer) alive(ctx context.Context, claims *tokenClaims) *Error {
	now := b.server.workspaceClock.Now()
	expires := time.Unix(claims.Expires, 0)
	if !now.Before(expires) {
		return b.refuse(ruleTokenExpiry, expiredToken(claims, now))
	}
	if claims.Age < b.server.tokenAge() {
		return b.refuse(ruleTokenExpiry, agedToken(expires))
	}
	b.checks.pass(ruleTokenExpiry, seconds(expires.Sub(now))+" left")
	revoked, err := b.server.store.TokenRevoked(ctx, b.server.env.Name, claims.ID)
	if err != nil {
		return b.checks.serverError(ruleTokenRevoked, "look up whether the token was revoked", err)
	}
	if revoked {
		return b.refuse(ruleTokenRevoked, revokedToken())
	}
	b.checks.pass(ruleTokenRevoked, "")
	return nil
}

// checkClient looks the token's client up and checks that it still may come in.
func (b *bearer) checkClient(ctx context.Context, claims *tokenClaims) (*Client, *Error) {
	client, err := b.server.store.Client(ctx, b.server.env.Name, claims.ClientID)
	if errors.Is(err, ErrNoClient) {
		return nil, b.refuse(ruleTokenClient, deletedClient(claims.ClientID))
	}
	if err != nil {
		return nil, b.checks.serverError(ruleTokenClient, "look up the token's client", err)
	}
	if o := b.server.statusOutcome(client, b.req.Addresses); o != nil {
		o.finding, o.remedy.Kind = "T06", RemedyNone
		return nil, b.refuse(ruleTokenClient, *o)
	}
	if client.Generation != claims.Generation {
		return nil, b.refuse(ruleTokenClient, otherGeneration(client, claims))
	}
	b.checks.pass(ruleTokenClient, client.ID+", "+string(client.Status))
	return client, nil
}
