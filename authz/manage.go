package authz

import (
	"context"
	"crypto/subtle"
	"errors"
	"slices"
	"strings"
)

// Manage decides a request to a client's configuration endpoint (RFC 7592),
// the registration endpoint's URL followed by a slash and the client_id: GET
// reads the registration, PUT replaces it, DELETE removes the client and with
// it all of its tokens (then the decision has no Registration; the answer is
// 204). What PUT stores is a draft again.
func (s *Server) Manage(ctx context.Context, clientID string, req RegistrationRequest) *RegistrationDecision {
	parts := []Part{PartManagement}
	if req.Method == "PUT" {
		parts = append(parts, PartManagementBody, PartRegistration)
	}
	r := s.registering(req)
	s.managing.Lock()
	defer s.managing.Unlock()
	registration, err := r.manage(ctx, clientID)
	return r.decision(registration, err, parts...)
}

func (r *registering) manage(ctx context.Context, clientID string) (*Registration, *Error) {
	client, token, err := r.managed(ctx, clientID)
	if err != nil {
		return nil, err
	}
	switch r.req.Method {
	case "GET":
		r.checks.pass(ruleManageMethod, "GET")
		return r.registration(client, token), nil
	case "PUT":
		r.checks.pass(ruleManageMethod, "PUT")
		stored, err := r.put(ctx, client, "PUT")
		if err != nil {
			return nil, err
		}
		return r.registration(stored, token), nil
	case "DELETE":
		if err := r.server.store.DeleteClient(ctx, r.server.env.Name, client.ID); err != nil {
			return nil, r.checks.serverError(ruleManageMethod, "delete the client", err)
		}
		r.checks.pass(ruleManageMethod, "DELETE")
		return nil, nil
	}
	e := r.refuse(ruleManageMethod, CodeInvalidRequest, wrongManageMethod(r.req.Method))
	e.Status, e.Allow = 405, "GET, PUT, DELETE"
	return nil, e
}

// Change reads a client, lets change alter it, and stores what it has become,
// while no other change of a client of the environment is made. An error of
// change is returned as it is, and nothing is stored. It returns ErrNoClient if
// there is no such client.
func (s *Server) Change(ctx context.Context, clientID string, change func(*Client) error) (*Client, error) {
	s.managing.Lock()
	defer s.managing.Unlock()
	client, err := s.store.Client(ctx, s.env.Name, clientID)
	if err != nil {
		return nil, err
	}
	if err := change(client); err != nil {
		return nil, err
	}
	return s.store.PutClient(ctx, s.env.Name, client)
}

// Remove deletes a client, while no other change of a client of the environment
// is made; before it, with the client as it is, before does what belongs to it. It
// returns ErrNoClient if there is no such client, and errors of before as they
// are.
func (s *Server) Remove(ctx context.Context, clientID string, before func(*Client) error) error {
	s.managing.Lock()
	defer s.managing.Unlock()
	client, err := s.store.Client(ctx, s.env.Name, clientID)
	if err != nil {
		return err
	}
	if err := before(client); err != nil {
		return err
	}
	return s.store.DeleteClient(ctx, s.env.Name, clientID)
}

// managed returns the client and the token that manages it. A deleted client
// and a wrong token get the same answer (RFC 7592 section 2).
func (r *registering) managed(ctx context.Context, clientID string) (*Client, string, *Error) {
	token, ok := bearerToken(r.req.Authorization)
	if !ok {
		return nil, "", r.unauthorized(ruleManageToken, "", noManageToken())
	}
	client, err := r.server.store.Client(ctx, r.server.env.Name, clientID)
	if err != nil && !errors.Is(err, ErrNoClient) {
		return nil, "", r.checks.serverError(ruleManageToken, "look up the client", err)
	}
	if err != nil || len(client.RegistrationToken) == 0 ||
		subtle.ConstantTimeCompare(client.RegistrationToken, HashSecret(token)) != 1 {
		return nil, "", r.unauthorized(ruleManageToken, CodeInvalidToken, wrongManageToken(clientID))
	}
	r.checks.pass(ruleManageToken, "")
	return client, token, nil
}

// initialToken checks the token that registration asks for, if it does.
func (r *registering) initialToken() *Error {
	if r.server.initialToken == nil {
		r.checks.pass(ruleInitialToken, "registration is open")
		return nil
	}
	token, ok := bearerToken(r.req.Authorization)
	switch {
	case !ok:
		return r.unauthorized(ruleInitialToken, "", noInitialToken())
	case subtle.ConstantTimeCompare(r.server.initialToken, HashSecret(token)) != 1:
		return r.unauthorized(ruleInitialToken, CodeInvalidToken, wrongInitialToken())
	}
	r.checks.pass(ruleInitialToken, "")
	return nil
}

// bearerToken returns the token of a single Bearer header.
func bearerToken(authorization []string) (string, bool) {
	if len(authorization) != 1 {
		return "", false
	}
	scheme, token := splitAuthorization(authorization[0])
	return token, strings.EqualFold(scheme, "Bearer") && token != ""
}

// unauthorized is 401 with a challenge, which names an error only if a token
// was sent (RFC 6750 section 3).
func (r *registering) unauthorized(g ruleIndex, code string, o outcome) *Error {
	e := r.refuse(g, code, o)
	e.Status = 401
	e.Challenge = bearerChallenge("registration", e)
	return e
}

// updateMembers checks what RFC 7592 section 2.2 wants of an update besides
// the metadata: the client's own client_id, none of the members that the
// server sets, and the right client_secret if there is one.
func (r *registering) updateMembers(c *Client) *Error {
	var set []string
	for name, value := range map[string][]byte{
		"client_id_issued_at": r.asked.ClientIDIssuedAt, "client_secret_expires_at": r.asked.ClientSecretExpiresAt,
		"registration_access_token": r.asked.RegistrationAccessToken,
		"registration_client_uri":   r.asked.RegistrationClientURI,
	} {
		if len(value) > 0 {
			set = append(set, name)
		}
	}
	slices.Sort(set)
	switch {
	case r.asked.ClientID != c.ID:
		return r.refuse(ruleManageBody, CodeInvalidClientMetadata, otherClientID(r.asked.ClientID, c.ID))
	case len(set) > 0:
		return r.refuse(ruleManageBody, CodeInvalidClientMetadata, setByServer(set))
	case r.asked.ClientSecret != "" && c.matchSecret(r.asked.ClientSecret) < 0:
		return r.refuse(ruleManageBody, CodeInvalidClientMetadata, chosenSecret())
	}
	r.checks.pass(ruleManageBody, c.ID)
	return nil
}
