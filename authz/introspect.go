package authz

import (
	"context"
	"time"
)

// IntrospectionDecision is what became of a request to the introspection
// endpoint: a Response, or an Err.
type IntrospectionDecision struct {
	FormDecision
	Response *IntrospectionResponse
	// Token tells why a token is active or not; nil if the checks did not get
	// that far. It is for the exchange's page: the answer says no more than
	// inactive.
	Token *AccessDecision
}

// IntrospectionResponse is the JSON of the answer (RFC 7662 section 2.2). Of
// an inactive token it says nothing but that.
type IntrospectionResponse struct {
	Active    bool   `json:"active"`
	Scope     string `json:"scope,omitempty"`
	ClientID  string `json:"client_id,omitempty"`
	TokenType string `json:"token_type,omitempty"`
	Expires   int64  `json:"exp,omitempty"`
	IssuedAt  int64  `json:"iat,omitempty"`
	Subject   string `json:"sub,omitempty"`
	Audience  string `json:"aud,omitempty"`
	Issuer    string `json:"iss,omitempty"`
	TokenID   string `json:"jti,omitempty"`
}

// Introspect decides a request to the introspection endpoint (RFC 7662; SMART
// App Launch 2.2, token-introspection). The caller authenticates as a client
// does at the token endpoint, or by an access token of its own as a bearer
// token; either may introspect the tokens of any client.
func (s *Server) Introspect(ctx context.Context, req FormRequest) *IntrospectionDecision {
	a := s.attempt(IntrospectionEndpoint, req)
	response, token, err := a.introspect(ctx)
	return &IntrospectionDecision{FormDecision: a.decision(err), Response: response, Token: token}
}

func (a *attempt) introspect(ctx context.Context) (*IntrospectionResponse, *AccessDecision, *Error) {
	if err := a.readForm("token", "client_assertion_type", "client_assertion", "client_secret"); err != nil {
		return nil, nil, err
	}
	if err := a.caller(ctx); err != nil {
		return nil, nil, err
	}
	token, err := a.tokenParameter()
	if err != nil {
		return nil, nil, err
	}
	claims, decision := a.examine(ctx, token)
	if decision.Err != nil {
		if decision.Err.Status >= 500 {
			return nil, decision, a.checks.serverError(ruleTokenParameter, "look at the token", decision.Err)
		}
		return &IntrospectionResponse{}, decision, nil
	}
	return &IntrospectionResponse{
		Active: true, Scope: claims.Scope, ClientID: claims.ClientID, TokenType: a.behaviour.TokenType,
		Expires: claims.Expires, IssuedAt: claims.IssuedAt, Subject: claims.Subject,
		Audience: claims.Audience, Issuer: claims.Issuer, TokenID: claims.ID,
	}, decision, nil
}

// caller proves who asks: a bearer token where the form has no credential,
// else as at the token endpoint.
func (a *attempt) caller(ctx context.Context) *Error {
	if a.scheme != "bearer" || a.form["client_assertion"] != "" || a.form["client_secret"] != "" {
		_, err := a.authenticate(ctx)
		return err
	}
	a.mechanism = ByAccessToken
	b := a.server.bearer(BearerRequest{Authorization: a.req.Authorization, Addresses: a.req.Addresses})
	access, refused := b.authenticate(ctx)
	a.clientID = b.clientID
	if refused == nil {
		a.checks.pass(ruleCaller, "an access token of "+access.ClientID)
		return nil
	}
	e := a.refuse(ruleCaller, refused.Code, *b.checks.broken())
	e.Status, e.cause = refused.Status, refused.cause
	if e.Status < 500 {
		e.Challenge = bearerChallenge(realmFHIR, e)
	}
	return e
}

func (a *attempt) tokenParameter() (string, *Error) {
	token := a.form["token"]
	if token == "" {
		return "", a.refuse(ruleTokenParameter, CodeInvalidRequest, noTokenParameter())
	}
	a.checks.pass(ruleTokenParameter, "")
	return token, nil
}

// examine walks the checklist of the resource server for a token that was sent
// as a parameter.
func (a *attempt) examine(ctx context.Context, token string) (*tokenClaims, *AccessDecision) {
	b := a.server.bearer(BearerRequest{Addresses: a.req.Addresses})
	for _, r := range []ruleIndex{ruleBearerTransport, ruleBearerPresent, ruleBearerForm} {
		b.checks.pass(r, "the parameter token")
	}
	claims, err := b.open(ctx, token)
	if err == nil {
		_, err = b.checkClient(ctx, claims)
	}
	return claims, &AccessDecision{Checks: b.checks.list(PartBearer), Err: err, ClientID: b.clientID}
}

// RevocationDecision is what became of a request to the revocation endpoint;
// without an Err the answer is 200 with an empty body.
type RevocationDecision struct {
	FormDecision
	// TokenID is the token that was revoked now; "" if there was nothing to
	// revoke: unknown, expired and revoked tokens get the same answer.
	TokenID string
}

// Revoke decides a request to the revocation endpoint (RFC 7009). A client
// revokes its own access tokens; the resource server and the introspection
// endpoint know at once.
func (s *Server) Revoke(ctx context.Context, req FormRequest) *RevocationDecision {
	a := s.attempt(RevocationEndpoint, req)
	tokenID, err := a.revoke(ctx)
	return &RevocationDecision{FormDecision: a.decision(err), TokenID: tokenID}
}

func (a *attempt) revoke(ctx context.Context) (tokenID string, refused *Error) {
	if err := a.readForm("token", "client_assertion_type", "client_assertion", "client_secret"); err != nil {
		return "", err
	}
	client, err := a.authenticate(ctx)
	if err != nil {
		return "", err
	}
	token, err := a.tokenParameter()
	if err != nil {
		return "", err
	}
	claims, decision := a.examine(ctx, token)
	if decision.Err != nil {
		if decision.Err.Status >= 500 {
			return "", a.checks.serverError(ruleTokenOwner, "look at the token", decision.Err)
		}
		a.checks.pass(ruleTokenOwner, "no active token of this environment: nothing to revoke")
		return "", nil
	}
	if claims.ClientID != client.ID {
		return "", a.refuse(ruleTokenOwner, CodeUnauthorizedClient, tokenOfOther(client))
	}
	if err := a.server.store.RevokeToken(ctx, a.server.env.Name, claims.ID, time.Unix(claims.Expires, 0)); err != nil {
		return "", a.checks.serverError(ruleTokenOwner, "record the revocation", err)
	}
	a.checks.pass(ruleTokenOwner, "token "+claims.ID+" revoked")
	return claims.ID, nil
}
