package authz

import (
	"cmp"
	"encoding/json"
	"fmt"
	"time"
)

// tokenTyp marks access tokens in their header (RFC 9068 section 2.1).
const tokenTyp = "at+jwt"

// tokenClaims are the claims of an access token: those of RFC 9068, and what
// binds it to workspace, environment and the client's generation. iss and aud
// are the addresses that the token request used. They are for people to read:
// no rule compares them, so a token works under every name of the host.
type tokenClaims struct {
	Issuer      string `json:"iss"`
	Subject     string `json:"sub"`
	ClientID    string `json:"client_id"`
	Audience    string `json:"aud"`
	Expires     int64  `json:"exp"`
	IssuedAt    int64  `json:"iat"`
	ID          string `json:"jti"`
	Scope       string `json:"scope"`
	Workspace   string `json:"workspace"`
	Environment string `json:"environment"`
	Generation  int64  `json:"generation"`
	Age         int64  `json:"age,omitempty"` // see Config.TokenAge

	scopes Scopes // Scope, parsed
}

// lifetime returns how long the client's tokens live, in whole seconds.
func (b Behaviour) lifetime(c *Client) time.Duration {
	life := b.TokenLifetime
	if c.TokenLifetime > 0 {
		life = c.TokenLifetime
	}
	return max(min(life, b.MaxTokenLifetime), time.Second).Truncate(time.Second)
}

// issue makes the access token (SMART App Launch 2.2, backend-services, Issue
// access token). There is no refresh token.
func (s *Server) issue(c *Client, granted Scopes, requested string, addresses Addresses) (*Grant, error) {
	g := s.grant(c, granted, requested)
	id, err := s.random(16)
	if err != nil {
		return nil, err
	}
	now := firstSecond(s.workspaceClock.Now())
	claims := tokenClaims{
		Issuer: addresses.Issuer, Subject: c.ID, ClientID: c.ID, Audience: cmp.Or(c.Audience, addresses.FHIRBase),
		Expires: now.Add(s.behaviour.lifetime(c)).Unix(), IssuedAt: now.Unix(), ID: id, Scope: granted.String(),
		Workspace: s.env.Workspace, Environment: s.env.Name, Generation: c.Generation, Age: s.tokenAge(),
	}
	kid, key := s.ring.signing()
	header, err := json.Marshal(map[string]string{"alg": string(tokenAlgorithm), "typ": tokenTyp, "kid": kid})
	if err != nil {
		return nil, fmt.Errorf("encode token header: %w", err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return nil, fmt.Errorf("encode token claims: %w", err)
	}
	token, err := sign(key, header, payload)
	if err != nil {
		return nil, fmt.Errorf("sign token: %w", err)
	}
	g.TokenID, g.Response.AccessToken = id, token
	return g, nil
}

// grant is what a client gets, without the token itself.
func (s *Server) grant(c *Client, granted Scopes, requested string) *Grant {
	g := &Grant{
		ClientID: c.ID, Organization: c.Organization, Requested: requested, Scopes: granted,
		Response: TokenResponse{
			TokenType: s.behaviour.TokenType,
			ExpiresIn: int64(s.behaviour.lifetime(c) / time.Second),
			Scope:     granted.String(),
		},
	}
	if s.behaviour.OmitScope {
		g.Response.Scope = ""
	}
	return g
}

// JWKS returns the public halves of the signing keys as a JWK Set.
func (s *Server) JWKS() []byte { return s.ring.published() }

// firstSecond cuts t to the second, because tokens count in seconds.
func firstSecond(t time.Time) time.Time { return time.Unix(t.Unix(), 0) }
