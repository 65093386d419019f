package httpapi

import (
	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/snippet"
)

// form reads a request to an endpoint that takes a form. What is wrong with it,
// its method included, is for authz to say.
func (l *call) form() (authz.FormRequest, error) {
	req := authz.FormRequest{
		Method:        l.Method(),
		ContentType:   l.Get(fiber.HeaderContentType),
		Query:         l.query(),
		Authorization: l.authorizations(),
		Addresses:     l.addresses,
		Exchange:      l.exchange.ID,
		Remote:        l.IP(),
	}
	var err error
	if req.Method == fiber.MethodPost {
		req.Body, err = l.readBody(maxOAuthBody)
	}
	return req, err
}

// noteDecision puts what became of a form into the exchange.
func (l *call) noteDecision(d authz.FormDecision) {
	l.exchange.Checks, l.exchange.Client, l.exchange.Assertion = d.Checks, d.ClientID, d.Assertion
	l.scopeAsked = d.Scope
}

// token is the token endpoint (SMART App Launch 2.2, backend-services, Obtain
// access token).
func (l *call) token() error {
	req, err := l.form()
	if err != nil {
		return err
	}
	req.Within = l.grantedWithin
	decision := l.env.Auth.Token(l.UserContext(), req)
	l.noteDecision(decision.FormDecision)
	if decision.Err != nil {
		return decision.Err
	}
	l.noStore()
	return l.json(fiber.StatusOK, decision.Grant.Response)
}

// A tokenExplanation is what would become of a token request.
type tokenExplanation struct {
	Granted   bool              `json:"granted"`
	Scope     string            `json:"scope,omitempty"`
	ExpiresIn int64             `json:"expires_in,omitempty" jsonschema:"seconds"`
	Error     string            `json:"error,omitempty"`
	Status    int               `json:"status" jsonschema:"of the answer to such a token request"`
	Why       string            `json:"error_description,omitempty"`
	Client    string            `json:"client,omitempty"`
	Assertion *authz.Assertion  `json:"assertion,omitempty"`
	Failed    *authz.Check      `json:"failed,omitempty"`
	Snippets  []snippet.Snippet `json:"snippets,omitempty" jsonschema:"the code that puts a refusal right"`
	Checks    []authz.Check     `json:"checks"`
}

// explainToken decides the same form as the token endpoint, and issues and
// remembers nothing. An explained refusal is a success here.
func (l *call) explainToken() error {
	req, err := l.form()
	if err != nil {
		return err
	}
	if l.server.cfg.AdminToken != "" { // the header was for the guard
		req.Authorization = nil
	}
	d := l.env.Auth.Explain(l.UserContext(), req)
	l.noteDecision(d.FormDecision)
	l.exchange.Checks = nil // they are in the answer; this request was not refused
	e := tokenExplanation{Status: fiber.StatusOK, Client: d.ClientID, Assertion: d.Assertion, Checks: d.Checks}
	if d.Err == nil {
		e.Granted, e.Scope, e.ExpiresIn = true, d.Grant.Scopes.String(), d.Grant.Response.ExpiresIn
	} else {
		e.Error, e.Status, e.Why, e.Failed = d.Err.Code, d.Err.Status, d.Err.Description(), &d.Err.Check
		l.exchange.Registration = l.registrationOf(l.exchange.Environment, d.ClientID)
		if remedy := l.remedy(e.Failed); remedy != nil {
			if e.Snippets, err = snippet.For(remedy.Kind, remedy.Facts); err != nil {
				return err
			}
		}
	}
	l.noStore()
	return l.json(fiber.StatusOK, e)
}

// introspect tells what an access token stands for (RFC 7662).
func (l *call) introspect() error {
	req, err := l.form()
	if err != nil {
		return err
	}
	decision := l.env.Auth.Introspect(l.UserContext(), req)
	l.noteDecision(decision.FormDecision)
	if decision.Err != nil {
		return decision.Err
	}
	if inactive := decision.Token.Err; inactive != nil { // for the page: the answer says no more than inactive
		why := inactive.Check
		why.Result = authz.Warn
		l.exchange.Checks = append(l.exchange.Checks, why)
	}
	l.noStore()
	return l.json(fiber.StatusOK, decision.Response)
}

// revoke ends an access token (RFC 7009).
func (l *call) revoke() error {
	req, err := l.form()
	if err != nil {
		return err
	}
	decision := l.env.Auth.Revoke(l.UserContext(), req)
	l.noteDecision(decision.FormDecision)
	if decision.Err != nil {
		return decision.Err
	}
	l.noStore()
	return l.Status(fiber.StatusOK).Send(nil)
}

// registration reads a request about a client's registration.
func (l *call) registration() (authz.RegistrationRequest, error) {
	body, err := l.readBody(maxOAuthBody)
	return authz.RegistrationRequest{
		Method:        l.Method(),
		ContentType:   l.Get(fiber.HeaderContentType),
		Authorization: l.authorizations(),
		Body:          body,
		Addresses:     l.addresses,
	}, err
}

// register is dynamic client registration (RFC 7591).
func (l *call) register() error {
	req, err := l.registration()
	if err != nil {
		return err
	}
	return l.registered(fiber.StatusCreated, l.env.Auth.Register(l.UserContext(), req))
}

// manage reads, replaces or deletes a registration (RFC 7592).
func (l *call) manage() error {
	req, err := l.registration()
	if err != nil {
		return err
	}
	l.exchange.Client = l.Params("client")
	decision := l.env.Auth.Manage(l.UserContext(), l.exchange.Client, req)
	if decision.Err == nil && l.Method() != fiber.MethodGet {
		if err := l.portal().Settle(l.UserContext(), l.exchange.Client); err != nil {
			return err
		}
	}
	return l.registered(fiber.StatusOK, decision)
}

func (l *call) registered(status int, decision *authz.RegistrationDecision) error {
	l.exchange.Checks, l.scopeAsked = decision.Checks, decision.Scope
	if decision.Err != nil {
		return decision.Err
	}
	l.noStore()
	if decision.Registration == nil {
		return l.Status(fiber.StatusNoContent).Send(nil)
	}
	l.exchange.Client = decision.Registration.Client.ID
	return l.json(status, decision.Registration.Response)
}
