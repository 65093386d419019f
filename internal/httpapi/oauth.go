package httpapi

import (
	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/fhirstore"
)

// token is the token endpoint (SMART App Launch 2.2, backend-services, Obtain
// access token). What is wrong with a request, its method included, is for
// authz to say.
func (l *call) token() error {
	var body []byte
	if l.Method() == fiber.MethodPost {
		var err error
		if body, err = l.readBody(maxOAuthBody); err != nil {
			return err
		}
	}
	decision := l.env.Auth.Token(l.UserContext(), authz.FormRequest{
		Method:        l.Method(),
		ContentType:   l.Get(fiber.HeaderContentType),
		Body:          body,
		Query:         l.query(),
		Authorization: l.authorizations(),
		Addresses:     l.addresses,
		Exchange:      l.exchange.ID,
	})
	l.exchange.Checks, l.exchange.Client, l.exchange.Assertion = decision.Checks, decision.ClientID, decision.Assertion
	if decision.Err != nil {
		return decision.Err
	}
	l.noStore()
	return l.json(fiber.StatusOK, decision.Grant.Response)
}

// register is dynamic client registration (RFC 7591).
func (l *call) register() error {
	body, err := l.readBody(maxOAuthBody)
	if err != nil {
		return err
	}
	decision := l.env.Auth.Register(l.UserContext(), authz.RegistrationRequest{
		Method: l.Method(), ContentType: l.Get(fiber.HeaderContentType), Body: body, Addresses: l.addresses,
	})
	l.exchange.Checks = decision.Checks
	if decision.Err != nil {
		return decision.Err
	}
	l.exchange.Client = decision.Registration.Client.ID
	l.noStore()
	return l.json(fiber.StatusCreated, decision.Registration.Response)
}

// authenticate finds out who asks. Every FHIR handler calls it first, so that a
// caller without a token learns nothing (SB-RS-15).
func (l *call) authenticate() error {
	decision := l.env.Auth.Authenticate(l.UserContext(), authz.BearerRequest{
		Authorization: l.authorizations(),
		Query:         l.query(),
		Addresses:     l.addresses,
	})
	l.exchange.Checks, l.exchange.Client = decision.Checks, decision.ClientID
	if decision.Err != nil {
		return decision.Err
	}
	l.access = decision.Access
	return nil
}

// require checks that the token's scopes allow an interaction. What they allow
// only under a constraint is for the store to judge by the view.
func (l *call) require(typ string, letters authz.Letters, doing string) error {
	_, check, err := l.access.Require(authz.Need{Type: typ, Letters: letters, Doing: doing})
	if err != nil {
		return err
	}
	l.exchange.Checks = append(l.exchange.Checks, check)
	return nil
}

// view turns the token's scopes into what the store lets its holder see.
func (l *call) view() fhirstore.View {
	v := fhirstore.View{Owner: l.access.Organization}
	if l.access.Organization != "" {
		v.Organizations = []string{l.access.Organization}
	}
	for _, s := range l.access.Scopes {
		v.Permissions = append(v.Permissions, fhirstore.Permission{Type: s.Type, Letters: lettersOf(s.Letters), Query: s.Query.String()})
	}
	return v
}

// lettersOf turns the letters of scopes into those of views. Both are bits in
// the order c, r, u, d, s.
func lettersOf(l authz.Letters) fhirstore.Letters { return fhirstore.Letters(l) }
