package httpapi

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/portal"
)

// A serviceForm is a registration as /portal/api takes it.
type serviceForm struct {
	Name           string          `json:"name"`
	Description    string          `json:"description,omitempty"`
	Contacts       []string        `json:"contacts,omitempty"`
	Authentication string          `json:"authentication" jsonschema:"jwks_uri, jwks or secret"`
	JWKSURI        string          `json:"jwks_uri,omitempty"`
	JWKS           json.RawMessage `json:"jwks,omitempty" jsonschema:"a JWK Set, a JWK, or PEM in a string"`
	Scope          string          `json:"scope" jsonschema:"scopes of SMART, separated by spaces"`
	Organization   string          `json:"organization,omitempty" jsonschema:"id of the organization whose data the service sees; without it, all"`
}

const serviceFormText = `a service is {"name":"…","authentication":"jwks_uri","jwks_uri":"https://…","scope":"system/Patient.rs"}, or has jwks or secret for its authentication, and may have description, contacts and organization`

func (l *call) readService() (portal.Registration, error) {
	var f serviceForm
	if err := l.readControl(serviceFormText, &f); err != nil {
		return portal.Registration{}, err
	}
	keys, err := keysText(f.JWKS)
	if err != nil {
		return portal.Registration{}, badRequest("value", serviceFormText+": "+jsonProblem(err))
	}
	return portal.Registration{
		Name: f.Name, Description: f.Description, Contacts: f.Contacts,
		Authentication: portal.Authentication(f.Authentication), JWKSURI: f.JWKSURI, Keys: keys,
		Scopes: f.Scope, Organization: f.Organization,
	}, nil
}

// A serviceView is a service as /portal/api shows it.
type serviceView struct {
	ClientID  string `json:"client_id"`
	Secret    string `json:"client_secret,omitempty" jsonschema:"in the answer to the request that made it, and never again"`
	SecretEnd *int64 `json:"client_secret_expires_at,omitempty" jsonschema:"seconds since 1970; 0 is never"`

	Name           string                `json:"name"`
	Description    string                `json:"description,omitempty"`
	Contacts       []string              `json:"contacts,omitempty"`
	Authentication portal.Authentication `json:"authentication"`
	Method         authz.AuthMethod      `json:"token_endpoint_auth_method"`
	Compliance     string                `json:"compliance"`
	JWKSURI        string                `json:"jwks_uri,omitempty"`
	JWKS           json.RawMessage       `json:"jwks,omitempty"`
	Scope          string                `json:"scope"`
	Organization   string                `json:"organization,omitempty"`

	Status       authz.Status    `json:"status"`
	StatusReason string          `json:"status_reason,omitempty"`
	StatusBy     string          `json:"status_by,omitempty"`
	StatusAt     time.Time       `json:"status_at,omitzero"`
	Allowed      []portal.Action `json:"allowed" jsonschema:"steps of the review that can be taken now"`
	Revision     string          `json:"revision" jsonschema:"what it asks for and where it is in the review, for steps"`
	Live         bool            `json:"live" jsonschema:"whether an approved copy is in production"`
	CreatedAt    time.Time       `json:"created_at"`
	Source       string          `json:"source,omitempty" jsonschema:"how it came: portal, registration, go"`
	History      []statusView    `json:"history,omitempty"`

	Environments map[string]environmentConstants `json:"environments" jsonschema:"the constants of the environments that admit the service"`
}

type serviceList struct {
	Services []serviceView `json:"services"`
}

type organizationList struct {
	Organizations []portal.Organization `json:"organizations"`
}

// A stepAsked comes with a step of the review.
type stepAsked struct {
	Reason   string `json:"reason,omitempty" jsonschema:"rejecting and deactivating need one"`
	Revision string `json:"revision,omitempty" jsonschema:"what the step is about, as the service was read; a service that has changed since is a 409"`
}

type statusView struct {
	At     time.Time    `json:"at"`
	Status authz.Status `json:"status"`
	By     string       `json:"by,omitempty"`
	Reason string       `json:"reason,omitempty"`
}

// environmentConstants are what a client is configured with.
type environmentConstants struct {
	FHIRBase            string `json:"fhir_base"`
	SMARTConfiguration  string `json:"smart_configuration"`
	TokenURL            string `json:"token_url"`
	CapabilityStatement string `json:"capability_statement"`
}

func (l *call) constantsOf(env string) environmentConstants {
	v := l.environmentView(env)
	return environmentConstants{v.FHIRBase, v.SMARTConfiguration(), v.TokenURL, v.CapabilityStatement()}
}

func (l *call) serviceView(s *portal.Service) serviceView {
	v := serviceView{
		ClientID: s.ID, Name: s.Name, Description: s.Description, Contacts: s.Metadata.Contacts,
		Authentication: s.Authentication(), Method: s.Method, Compliance: s.Authentication().Compliance(),
		JWKSURI: s.JWKSURI, JWKS: s.JWKS, Scope: s.Scopes.String(), Organization: s.Organization,
		Status: s.Status, StatusReason: s.StatusReason, StatusBy: s.StatusBy, StatusAt: s.StatusAt,
		Allowed: append([]portal.Action{}, s.Allowed()...), Revision: s.Revision(), Live: s.Live != nil, CreatedAt: s.CreatedAt, Source: s.Source,
		Environments: map[string]environmentConstants{},
	}
	if !json.Valid(s.JWKS) { // one that a test registered unchecked
		v.JWKS = nil
	}
	if s.Status != authz.StatusRejected {
		v.Environments[authz.Sandbox] = l.constantsOf(authz.Sandbox)
	}
	if s.Live != nil {
		v.Environments[authz.Production] = l.constantsOf(authz.Production)
	}
	return v
}

// withSecret adds a secret that was made now.
func (v serviceView) withSecret(s *portal.Service, plain string) serviceView {
	if plain == "" {
		return v
	}
	v.Secret, v.SecretEnd = plain, new(int64)
	if end := s.Secrets[len(s.Secrets)-1].ExpiresAt; !end.IsZero() {
		*v.SecretEnd = end.Unix()
	}
	return v
}

// services lists the services, the latest registered first: ?status= keeps
// those of one status.
func (l *call) services() error {
	list, err := l.portal().Services(l.UserContext())
	if err != nil {
		return err
	}
	status := authz.Status(l.Query("status"))
	views := []serviceView{}
	for _, s := range list {
		if status == "" || s.Status == status {
			views = append(views, l.serviceView(s))
		}
	}
	return l.json(fiber.StatusOK, serviceList{views})
}

// service shows one service with its history.
func (l *call) service() error {
	p, id := l.portal(), l.Params("service")
	s, err := p.Service(l.UserContext(), id)
	if err != nil {
		return portalError(err)
	}
	v := l.serviceView(s)
	history, err := p.History(l.UserContext(), id)
	if err != nil {
		return err
	}
	for _, change := range history {
		v.History = append(v.History, statusView(change))
	}
	return l.json(fiber.StatusOK, v)
}

func (l *call) createService() error {
	r, err := l.readService()
	if err != nil {
		return err
	}
	s, secret, err := l.portal().Register(l.UserContext(), r)
	if err != nil {
		return portalError(err)
	}
	l.noStore()
	l.Set(fiber.HeaderLocation, l.root+l.prefix+"/portal/api/services/"+s.ID)
	return l.json(fiber.StatusCreated, l.serviceView(s).withSecret(s, secret))
}

func (l *call) editService() error {
	r, err := l.readService()
	if err != nil {
		return err
	}
	s, secret, err := l.portal().Edit(l.UserContext(), l.Params("service"), r)
	if err != nil {
		return portalError(err)
	}
	l.noStore()
	return l.json(fiber.StatusOK, l.serviceView(s).withSecret(s, secret))
}

func (l *call) deleteService() error {
	if err := l.portal().Delete(l.UserContext(), l.Params("service")); err != nil {
		return portalError(err)
	}
	return l.SendStatus(fiber.StatusNoContent)
}

// takeStep returns the handler of a step of the review: {"reason":"…"}, which
// rejecting and deactivating need.
func takeStep(action portal.Action) func(*call) error {
	return func(l *call) error {
		var asked stepAsked
		if err := l.readOptionalControl(`the body is {"reason":"…","revision":"…"} or nothing`, &asked); err != nil {
			return err
		}
		s, err := l.portal().Take(l.UserContext(), l.Params("service"), action, asked.Reason, asked.Revision)
		if err != nil {
			return portalError(err)
		}
		return l.json(fiber.StatusOK, l.serviceView(s))
	}
}

// rotateServiceSecret gives a service a new secret: {"overlap":"10m"} lets the
// old one work for that long.
func (l *call) rotateServiceSecret() error {
	overlap, err := l.overlap()
	if err != nil {
		return err
	}
	s, secret, err := l.portal().RotateSecret(l.UserContext(), l.Params("service"), overlap)
	if err != nil {
		return portalError(err)
	}
	l.noStore()
	return l.json(fiber.StatusOK, l.serviceView(s).withSecret(s, secret))
}

// organizations lists the organizations whose data a service can be bound to.
func (l *call) organizations() error {
	list, err := l.portal().Organizations(l.UserContext())
	if err != nil {
		return err
	}
	return l.json(fiber.StatusOK, organizationList{list})
}

// portalError words what the portal refuses.
func portalError(err error) error {
	var (
		invalid  *portal.InvalidError
		conflict *portal.ConflictError
		stale    *portal.StaleError
	)
	switch {
	case errors.Is(err, portal.ErrNoService):
		return notFound("there is no such service")
	case errors.Is(err, portal.ErrNoReason):
		return &httpError{status: fiber.StatusBadRequest, code: "required", message: err.Error(), fields: []fieldError{{Field: "reason", Message: err.Error()}}}
	case errors.As(err, &stale):
		return &httpError{status: fiber.StatusConflict, code: "conflict", message: stale.Error()}
	case errors.As(err, &conflict):
		return &httpError{status: fiber.StatusConflict, code: "conflict", message: conflict.Error()}
	case errors.Is(err, authz.ErrNoSecret):
		return &httpError{status: fiber.StatusConflict, code: "conflict", message: "the service signs assertions and has no secret to rotate"}
	case errors.As(err, &invalid):
		refused := &httpError{status: fiber.StatusBadRequest, code: "invalid", message: "the registration is not complete: see fields"}
		for _, p := range invalid.Problems {
			refused.fields = append(refused.fields, fieldError{string(p.Field), p.Text, p.Fix})
		}
		return refused
	}
	return err
}
