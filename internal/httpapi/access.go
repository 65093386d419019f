package httpapi

import (
	"errors"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/exchange"
)

// authenticate finds out who asks. Every handler of data calls it first, so that a
// caller without a token learns nothing; that of a file by a signed URL alone does
// without.
func (l *call) authenticate() error {
	if l.access != nil { // of an entry: the batch or transaction was looked at
		return nil
	}
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
	err := l.byOrganization()
	l.exchange.Access = &exchange.Access{Scopes: l.access.Scopes.String(), Organization: l.access.Organization}
	if err != nil {
		return err
	}
	return l.checkPolicies()
}

// byOrganization narrows what the token reaches to the organization that the URL
// names, if it names one: that of the client or one below it.
func (l *call) byOrganization() error {
	if l.organization == "" {
		return nil
	}
	if err := l.isOrganization(); err != nil {
		return err
	}
	if bound := l.access.Organization; bound != "" {
		data, err := l.data()
		if err != nil {
			return err
		}
		if below, err := data.IsBelow(l.UserContext(), l.organization, bound); err != nil {
			return err
		} else if !below {
			return l.access.OfOrganization("The URL", l.organization)
		}
	}
	narrowed := *l.access
	narrowed.Organization, narrowed.ByURL = l.organization, true
	l.access = &narrowed
	return nil
}

// isOrganization refuses a URL of an organization that there is not.
func (l *call) isOrganization() error {
	data, err := l.data()
	if err != nil {
		return err
	}
	_, err = data.Read(l.UserContext(), fhirstore.Everything(), "Organization", l.organization)
	var missing *fhirstore.NotFoundError
	var gone *fhirstore.GoneError
	if errors.As(err, &missing) || errors.As(err, &gone) {
		return notFound("there is no Organization %s in %s, so that it has no view of the data; the FHIR base of all is %s", l.organization, l.env.Name, l.addressesOf(l.env.Name).FHIRBase)
	}
	return err
}

// require checks that the token's scopes allow an interaction; doing is what the
// request does, as the end of a sentence that begins with it. What they allow
// only under a constraint is for the store to judge by the view.
func (l *call) require(typ string, letters authz.Letters, doing string) error {
	_, check, err := l.access.Require(authz.Need{Type: typ, Letters: letters, Doing: l.Method() + " " + l.path + " " + doing})
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

// ofView has the rules word what the store refuses to a view.
func (l *call) ofView(f *fhirstore.ForbiddenError) *authz.Error {
	var letters authz.Letters
	for _, pair := range letterPairs() {
		if f.Letter&pair.view != 0 {
			letters |= pair.scope
		}
	}
	resource := f.Type
	if f.ID != "" {
		resource += "/" + f.ID
	}
	switch f.Reason {
	case fhirstore.OtherOrganization:
		return l.access.OfOrganization(resource, f.Organization)
	case fhirstore.OfNobody:
		return l.access.OfNobody(resource)
	case fhirstore.OutsideQuery:
		return l.access.OutsideConstraint(resource+" is out of reach", f.Type, letters)
	}
	return l.access.Insufficient(authz.Need{Type: f.Type, Letters: letters, Doing: l.Method() + " " + l.path + " needs " + letters.String() + " on " + f.Type})
}

// A letterPair is a letter of scopes and the same of views.
type letterPair struct {
	scope authz.Letters
	view  fhirstore.Letters
}

func letterPairs() [5]letterPair {
	return [...]letterPair{
		{authz.Create, fhirstore.LetterCreate},
		{authz.Read, fhirstore.LetterRead},
		{authz.Update, fhirstore.LetterUpdate},
		{authz.Delete, fhirstore.LetterDelete},
		{authz.Search, fhirstore.LetterSearch},
	}
}

// lettersOf turns the letters of scopes into those of views.
func lettersOf(letters authz.Letters) (of fhirstore.Letters) {
	for _, pair := range letterPairs() {
		if letters&pair.scope != 0 {
			of |= pair.view
		}
	}
	return of
}
