package portal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sandfhir/sandfhir/authz"
)

// A Registration is what a developer fills in about a service.
type Registration struct {
	Name           string
	Description    string
	Contacts       []string // for instance e-mail addresses
	Authentication Authentication
	JWKSURI        string // with KeysByURL
	// Keys are the public keys with KeysByValue: a JWK Set, a bare JWK, or PEM;
	// see KeySet.
	Keys         string
	Scopes       string // separated by spaces
	Organization string // id of the Organization that the service is bound to; "" is all data
}

// A Field is a member of a Registration, by its name in forms and in JSON.
type Field string

// The fields.
const (
	FieldName           Field = "name"
	FieldDescription    Field = "description"
	FieldContacts       Field = "contacts"
	FieldAuthentication Field = "authentication"
	FieldJWKSURI        Field = "jwks_uri"
	FieldKeys           Field = "jwks"
	FieldScopes         Field = "scope"
	FieldOrganization   Field = "organization"
)

// A Problem is what is wrong with a field, and what to do: full sentences.
type Problem struct {
	Field Field
	Text  string
	Fix   string
}

// An InvalidError says everything that is wrong with a Registration.
type InvalidError struct{ Problems []Problem }

// Error returns the problems, one after the other.
func (e *InvalidError) Error() string {
	var texts []string
	for _, p := range e.Problems {
		texts = append(texts, strings.TrimSpace(string(p.Field)+": "+p.Text+" "+p.Fix))
	}
	return strings.Join(texts, " ")
}

// Limits of what people get to see, in characters.
const (
	maxName        = 200
	maxDescription = 4000
	maxContacts    = 10
)

// check writes what was filled in to the client, and returns what is wrong
// with it.
func (p *Portal) check(ctx context.Context, r Registration, c *authz.Client) error {
	bad := &InvalidError{}
	wrong := func(f Field, text, fix string) { bad.Problems = append(bad.Problems, Problem{f, text, fix}) }
	r.describe(c, wrong)
	p.authentication(r, c, wrong)
	p.scopes(r, c, wrong)
	c.Organization = strings.TrimSpace(r.Organization)
	if err := p.checkOrganization(ctx, c.Organization, wrong); err != nil {
		return err
	}
	if len(bad.Problems) > 0 {
		return bad
	}
	return nil
}

// describe fills in what people read.
func (r Registration) describe(c *authz.Client, wrong func(Field, string, string)) {
	c.Name, c.Description = strings.TrimSpace(r.Name), strings.TrimSpace(r.Description)
	switch {
	case c.Name == "":
		wrong(FieldName, "The service has no name.", "Give it one that a reviewer recognises.")
	case utf8.RuneCountInString(c.Name) > maxName:
		wrong(FieldName, fmt.Sprintf("The name has more than %d characters.", maxName), "Shorten it; the description has room for more.")
	case strings.ContainsFunc(c.Name, unicode.IsControl):
		wrong(FieldName, "The name holds a control character, such as a line break.", "Write it in one line.")
	}
	if utf8.RuneCountInString(c.Description) > maxDescription {
		wrong(FieldDescription, fmt.Sprintf("The description has more than %d characters.", maxDescription), "Shorten it.")
	}
	c.Metadata.Contacts = nil
	for _, contact := range r.Contacts {
		if contact = strings.TrimSpace(contact); contact != "" {
			c.Metadata.Contacts = append(c.Metadata.Contacts, contact)
		}
	}
	for _, contact := range c.Metadata.Contacts {
		if utf8.RuneCountInString(contact) > maxName || strings.ContainsFunc(contact, unicode.IsControl) {
			wrong(FieldContacts, "A contact is no line of text, or is too long.", "Name a person, an e-mail address or a telephone number.")
			return
		}
	}
	if len(c.Metadata.Contacts) > maxContacts {
		wrong(FieldContacts, fmt.Sprintf("There are more than %d contacts.", maxContacts), "Name the ones to ask first.")
	}
}

// authentication settles how the service proves itself.
func (p *Portal) authentication(r Registration, c *authz.Client, wrong func(Field, string, string)) {
	c.JWKS, c.JWKSURI = nil, ""
	switch r.Authentication {
	case KeysByURL:
		c.Method, c.JWKSURI = authz.PrivateKeyJWT, strings.TrimSpace(r.JWKSURI)
		if c.JWKSURI == "" {
			wrong(FieldJWKSURI, "There is no URL of a key set.", "Name the URL that answers with your public keys, a JWK Set (RFC 7517 section 5).")
		} else if err := p.Sandbox.CheckKeyURI(c.JWKSURI); err != nil {
			wrong(FieldJWKSURI, err.Error(), "")
		}
	case KeysByValue:
		c.Method = authz.PrivateKeyJWT
		p.keys(r, c, wrong)
	case BySecret:
		c.Method = authz.ClientSecretBasic
		if !p.Sandbox.Behaviour().SecretsOffered {
			wrong(FieldAuthentication, "This server's behaviour offers no client secrets.", "Register public keys.")
		}
	case "":
		wrong(FieldAuthentication, "It is not said how the service proves itself.", "Choose jwks_uri, jwks or secret.")
	default:
		wrong(FieldAuthentication, "There is no authentication "+quoted(string(r.Authentication))+".", "Choose jwks_uri, jwks or secret.")
	}
	if r.Authentication != BySecret {
		c.Secrets = nil
	}
	if r.Authentication != KeysByURL && strings.TrimSpace(r.JWKSURI) != "" {
		wrong(FieldJWKSURI, "There is a URL of a key set, and the authentication is another one.", "Choose jwks_uri, or leave the URL out.")
	}
	if r.Authentication != KeysByValue && strings.TrimSpace(r.Keys) != "" {
		wrong(FieldKeys, "There are keys, and the authentication is another one.", "Choose jwks, or leave the keys out.")
	}
}

func (p *Portal) keys(r Registration, c *authz.Client, wrong func(Field, string, string)) {
	set, problems := p.KeySet(r.Keys)
	for _, problem := range problems {
		wrong(FieldKeys, problem.Text, problem.Fix)
	}
	c.JWKS = set
}

// scopes settles what the service may ask for.
func (p *Portal) scopes(r Registration, c *authz.Client, wrong func(Field, string, string)) {
	c.Scopes = nil
	words := strings.Fields(r.Scopes)
	if len(words) == 0 {
		wrong(FieldScopes, "No scope is asked for.", "Pick at least one resource type and an operation.")
	}
	for _, word := range words {
		scopes, err := p.Sandbox.CheckScopes(word)
		var bad *authz.ScopeError
		switch {
		case errors.As(err, &bad):
			wrong(FieldScopes, bad.Text, bad.Fix)
		case err != nil:
			wrong(FieldScopes, err.Error(), "")
		}
		c.Scopes = append(c.Scopes, scopes...)
	}
}

func quoted(text string) string { return fmt.Sprintf("%.60q", text) }

// Register registers a service: a draft. The secret is "" unless the service
// has one; it is shown this once. What is wrong with r is an *InvalidError.
func (p *Portal) Register(ctx context.Context, r Registration) (s *Service, secret string, err error) {
	c := &authz.Client{Source: authz.SourcePortal, Grants: []string{authz.GrantClientCredentials}, CreatedAt: p.Now()}
	if err := p.check(ctx, r, c); err != nil {
		return nil, "", err
	}
	if c.ID, err = p.Sandbox.NewClientID(); err != nil {
		return nil, "", fmt.Errorf("make a client_id: %w", err)
	}
	p.turn(c, authz.StatusDraft, Developer, "")
	if secret, err = p.firstSecret(c); err != nil {
		return nil, "", err
	}
	if _, err := p.Store.PutClient(ctx, authz.Sandbox, c); err != nil {
		return nil, "", fmt.Errorf("store the service: %w", err)
	}
	s, err = p.Service(ctx, c.ID)
	return s, secret, err
}

// Edit replaces what was filled in. The service is a draft then, whatever it
// was: a review that is under way is withdrawn, a rejected service is opened
// again, and of an active one the approved copy goes on in production. The
// secret is "" unless the service had none and has one now.
func (p *Portal) Edit(ctx context.Context, id string, r Registration) (s *Service, secret string, err error) {
	if _, err := p.Service(ctx, id); err != nil {
		return nil, "", err
	}
	_, err = p.Sandbox.Change(ctx, id, func(c *authz.Client) error {
		if err := p.check(ctx, r, c); err != nil {
			return err
		}
		if secret, err = p.firstSecret(c); err != nil {
			return err
		}
		if c.Status != authz.StatusDraft {
			p.turn(c, authz.StatusDraft, Developer, "")
		}
		return p.forgetEnded(ctx, id)
	})
	if errors.Is(err, authz.ErrNoClient) {
		err = ErrNoService
	}
	if err != nil {
		return nil, "", err
	}
	s, err = p.Service(ctx, id)
	return s, secret, err
}

// Settle does in production what follows from a change that the developer made
// to the client by other means (RFC 7592): a client that was deleted leaves it,
// and one that was edited is not rejected there any longer.
func (p *Portal) Settle(ctx context.Context, id string) error {
	_, err := p.Store.Client(ctx, authz.Sandbox, id)
	if !errors.Is(err, authz.ErrNoClient) {
		return errors.Join(err, p.forgetEnded(ctx, id))
	}
	return p.endCopy(ctx, id)
}

// endCopy removes the service's copy from production, if there is one.
func (p *Portal) endCopy(ctx context.Context, id string) error {
	err := p.Production.Remove(ctx, id, func(*authz.Client) error { return nil })
	if err == nil || errors.Is(err, authz.ErrNoClient) {
		return nil
	}
	return fmt.Errorf("delete the service from production: %w", err)
}

// forgetEnded removes a copy from production that was deactivated: its service
// is not approved there rather than rejected.
func (p *Portal) forgetEnded(ctx context.Context, id string) error {
	admitted := errors.New("it is admitted")
	err := p.Production.Remove(ctx, id, func(live *authz.Client) error {
		if p.Production.Environment().Admits(live.Status) {
			return admitted
		}
		return nil
	})
	if err == nil || errors.Is(err, authz.ErrNoClient) || errors.Is(err, admitted) {
		return nil
	}
	return fmt.Errorf("delete the service from production: %w", err)
}
