package authz

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"strings"
	"time"
)

// BearerRequest is what a request to the resource server shows of itself.
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
	Scopes       Scopes
	TokenID      string
	IssuedAt     time.Time // workspace time
	Expires      time.Time // workspace time
	Environment  Environment

	// wildcard are the types that system/*.read stands for, where that is not
	// all of them.
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
		Scopes: claims.scopes, TokenID: claims.ID,
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
		got := "two Authorization headers"
		if inQuery {
			got = "a token in the header and one in the query string"
		}
		return "", b.badRequest(ruleBearerTransport, outcome{got: got, want: "one Authorization header",
			text: "The request carries " + got + ".", fix: "Send the token once, in the Authorization header (RFC 6750 section 2)."})
	}
	if inQuery {
		o := outcome{got: "access_token in the query string", want: "Authorization: Bearer",
			text: "The access token is in the query string, where it is not read: URLs end up in logs.", fix: "Send it as Authorization: Bearer, then the token."}
		return "", b.noCredentials(ruleBearerTransport, o)
	}
	b.checks.pass(ruleBearerTransport, "")
	if len(headers) == 0 || strings.TrimSpace(headers[0]) == "" {
		return "", b.noCredentials(ruleBearerPresent, outcome{got: "no Authorization header", want: "Authorization: Bearer",
			text: "The request has no credentials.", fix: tokenHint(b.req.Addresses)})
	}
	return b.schemeAndToken(headers[0])
}

func tokenHint(a Addresses) string {
	text := "Get an access token from the token endpoint"
	if a.TokenURL != "" {
		text += ", " + a.TokenURL + ","
	}
	return text + " and send it as Authorization: Bearer, then the token."
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
		o := outcome{got: "Authorization: " + scheme, want: "Authorization: Bearer"}
		if scheme == "" {
			o.got = "a value without a scheme"
			o.text = "The Authorization header has no scheme before the token."
			o.fix = "Write Bearer, a space, then the token."
		} else {
			o.text = "The Authorization header has the scheme " + quote(scheme) + "; the FHIR API takes Bearer tokens only."
			o.fix = tokenHint(b.req.Addresses)
		}
		return "", b.noCredentials(ruleBearerPresent, o)
	}
	b.checks.pass(ruleBearerPresent, scheme)
	if b.server.behaviour.CaseSensitiveBearer && scheme != "Bearer" {
		return "", b.refuse(ruleBearerForm, outcome{finding: "T02", got: scheme, want: "Bearer",
			text: "The Authorization scheme is " + quote(scheme) + "; this server's behaviour needs \"Bearer\", as some payers do (RFC 6750 takes any case).", fix: "Write Bearer with a capital B."})
	}
	if token == "" || strings.ContainsAny(token, " \t\",") {
		o := outcome{got: "Bearer without a token", want: "Bearer, a space, the token",
			text: "The Authorization header says Bearer and no token follows.", fix: "Send the value of access_token behind it. Is the variable that holds the token empty?"}
		if token != "" {
			o.got = "Bearer and more than a token"
			o.text = "What follows Bearer is not a token alone: it holds a space, a comma or a quotation mark."
			o.fix = "Send the value of access_token from the token answer, and nothing else."
		}
		return "", b.badRequest(ruleBearerForm, o)
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
		return nil, b.refuse(ruleTokenForm, outcome{got: "something that is no token of this server", want: "the access_token of a token answer",
			text: "The bearer token is none that this server issues.", fix: "Send the value of access_token exactly as the token endpoint returned it. Is it cut short, quoted, or from another server?"})
	}
	if typ, _ := j.header.text("typ"); typ != tokenTyp {
		if astray := assertionInHeader(token); astray != nil {
			return nil, b.refuse(ruleTokenForm, *astray)
		}
		return nil, b.refuse(ruleTokenForm, outcome{got: "a JWT of typ " + j.header.show("typ") + " from issuer " + j.claims.show("iss"), want: "an access token of this server",
			text: "The bearer token is a JWT, but none that this server issued: its iss is " + j.claims.show("iss") + ".", fix: tokenHint(b.req.Addresses)})
	}
	var claims tokenClaims
	if err := json.Unmarshal(j.claimsJSON, &claims); err != nil {
		return nil, b.refuse(ruleTokenForm, outcome{got: "claims that cannot be read", want: "an access token of this server",
			text: "The bearer token is none that this server issued: its claims have other types.", fix: tokenHint(b.req.Addresses)})
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
	o := outcome{finding: "T05", got: clip(from.String()), want: b.server.env.String()}
	o.text = "The token was issued by " + clip(from.String()) + " (iss " + clip(claims.Issuer) + "); this is " + b.server.env.String() + ". Tokens do not travel between environments."
	o.fix = "Get a token from this one's token endpoint"
	if b.req.Addresses.TokenURL != "" {
		o.fix += ", " + b.req.Addresses.TokenURL
	}
	o.fix += ", or call the FHIR base of the other, " + clip(claims.Audience) + "."
	return b.refuse(ruleTokenEnvironment, o)
}

func (b *bearer) checkSignature(ctx context.Context, j *compactJWS, claims *tokenClaims) *Error {
	kid, _ := j.header.text("kid")
	key, err := b.server.ring.find(ctx, kid)
	if err != nil {
		return b.checks.serverError(ruleTokenSignature, "read its signing keys", err)
	}
	alg, _ := j.header.text("alg")
	if key == nil {
		return b.refuse(ruleTokenSignature, outcome{got: "a token signed with key " + clip(kid), want: "a key of this environment",
			text: "The token was signed with a key that this environment does not have (any more). It is from before a reset or a restart without stored data, or from another server.", fix: tokenHint(b.req.Addresses)})
	}
	if alg != string(tokenAlgorithm) || !signedBy(key, j) {
		return b.refuse(ruleTokenSignature, outcome{got: "a signature that does not verify", want: "the token as issued",
			text: "The token names this server's key, but its signature does not verify: it was changed or cut on the way.", fix: "Send the value of access_token exactly as the token endpoint returned it."})
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
		return b.refuse(ruleTokenExpiry, outcome{finding: "T03", got: "expired at " + stamp(expires), want: "after " + stamp(now),
			text: "The token expired " + seconds(now.Sub(expires)) + " ago, at " + stamp(expires) + " by this server's clock; it lived " + seconds(time.Duration(claims.Expires-claims.IssuedAt)*time.Second) + ".", fix: "Get a new token with a new assertion and repeat this request; an export job goes on meanwhile."})
	}
	b.checks.pass(ruleTokenExpiry, seconds(expires.Sub(now))+" left")
	revoked, err := b.server.store.TokenRevoked(ctx, b.server.env.Name, claims.ID)
	if err != nil {
		return b.checks.serverError(ruleTokenRevoked, "look up whether the token was revoked", err)
	}
	if revoked {
		return b.refuse(ruleTokenRevoked, outcome{finding: "T06", got: "revoked", want: "not revoked",
			text: "This token was revoked at the revocation endpoint or in the portal.", fix: "Get a new one with a new assertion."})
	}
	b.checks.pass(ruleTokenRevoked, "")
	return nil
}

// checkClient looks the token's client up and checks that it still may come in.
func (b *bearer) checkClient(ctx context.Context, claims *tokenClaims) (*Client, *Error) {
	client, err := b.server.store.Client(ctx, b.server.env.Name, claims.ClientID)
	if errors.Is(err, ErrNoClient) {
		return nil, b.refuse(ruleTokenClient, outcome{finding: "T06", got: "a client that was deleted", want: "a registered client",
			text: "Client " + quote(claims.ClientID) + " was deleted; all its tokens are revoked.", fix: "Register it again.", remedy: Remedy{Kind: RemedyRegistration}})
	}
	if err != nil {
		return nil, b.checks.serverError(ruleTokenClient, "look up the token's client", err)
	}
	if o := b.server.statusOutcome(client, b.req.Addresses); o != nil {
		o.finding, o.remedy.Kind = "T06", RemedyNone
		return nil, b.refuse(ruleTokenClient, *o)
	}
	if client.Generation != claims.Generation {
		return nil, b.refuse(ruleTokenClient, outcome{finding: "T06", got: "generation " + itoa(int(claims.Generation)), want: "generation " + itoa(int(client.Generation)),
			text: "The tokens of " + client.display() + " were revoked after this one was issued.", fix: "Get a new one with a new assertion."})
	}
	b.checks.pass(ruleTokenClient, client.ID+", "+string(client.Status))
	return client, nil
}
