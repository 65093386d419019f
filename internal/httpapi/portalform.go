package httpapi

import (
	"cmp"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/exchange"
	"github.com/sandfhir/sandfhir/internal/portal"
	"github.com/sandfhir/sandfhir/internal/r4"
	"github.com/sandfhir/sandfhir/web"
)

// maxScopeRows bounds the rows of the scope picker.
const maxScopeRows = 150

// newServiceForm is the empty form.
func (l *call) newServiceForm() error {
	page, err := l.formPage()
	if err != nil {
		return err
	}
	page.Authentication = string(portal.KeysByURL)
	page.Rows = []web.ScopeRow{{Number: 1, Type: "Patient", Operations: "rs"}}
	return l.showForm(page)
}

// editServiceForm is the form with what is registered.
func (l *call) editServiceForm() error {
	s, err := l.portal().Service(l.UserContext(), l.Params("service"))
	if err != nil {
		return portalError(err)
	}
	page, err := l.formPage()
	if err != nil {
		return err
	}
	page.Name, page.Description, page.Contacts = s.Name, s.Description, strings.Join(s.Metadata.Contacts, "\n")
	page.Authentication, page.JWKSURI, page.JWKS = string(s.Authentication()), s.JWKSURI, string(s.JWKS)
	page.Organization, page.Live = s.Organization, s.Live != nil
	page.Rows, page.Version, page.Scopes = rowsOf(s.Scopes, page.Version)
	return l.showForm(page)
}

// formPage is the form with what does not depend on the service.
func (l *call) formPage() (web.ServiceFormPage, error) {
	p := l.portal()
	behaviour := p.Sandbox.Behaviour()
	page := web.ServiceFormPage{
		Site: l.site(), Action: l.workspacePath() + "services", Back: l.workspacePath(), SecretsOffered: behaviour.SecretsOffered,
		Version: 2, Types: r4.Definitions().Types(), CheckKeys: l.workspacePath() + "portal/api/keys",
	}
	if !slices.Contains(behaviour.ScopeVersions, 2) {
		page.Version = 1
	}
	if id := l.Params("service"); id != "" {
		page.Editing, page.Action, page.Back = true, l.servicePath(id)+"/edit", l.servicePath(id)
	}
	organizations, err := p.Organizations(l.UserContext())
	if err != nil {
		return page, err
	}
	if len(organizations) < 2 { // nothing to choose
		return page, nil
	}
	for _, o := range organizations {
		page.Organizations = append(page.Organizations, web.Choice{Value: o.ID, Name: cmp.Or(o.Name, o.ID)})
	}
	return page, nil
}

// showForm answers with the form and the scopes that its rows make. A private
// key that was pasted into it does not travel a second time.
func (l *call) showForm(page web.ServiceFormPage) error {
	if exchange.HasCredentials(page.JWKS) {
		page.JWKS = ""
	}
	built, _ := scopesOf(page)
	page.Built = strings.TrimSpace(built + " " + page.Scopes)
	if len(page.Rows) == 0 {
		page.Rows = []web.ScopeRow{{Number: 1}}
	}
	for i := range page.Rows {
		page.Rows[i].Number = i + 1
	}
	return l.page(page)
}

// sendServiceForm registers or edits a service, or shows the form again: with
// what is wrong, or because one of its other buttons was pressed.
func (l *call) sendServiceForm() error {
	form, err := l.readPageForm()
	if err != nil {
		return err
	}
	page, err := l.formPage()
	if err != nil {
		return err
	}
	fillForm(&page, form)
	switch {
	case form.Get("add") != "":
		page.Rows = append(page.Rows, web.ScopeRow{})
	case form.Get("remove") != "":
		page.Rows = slices.DeleteFunc(page.Rows, func(r web.ScopeRow) bool { return strconv.Itoa(r.Number) == form.Get("remove") })
	case form.Get("check") != "":
		page.Seen = l.seenKeys(form.Get("check"), page)
	default:
		return l.saveService(page)
	}
	return l.showForm(page)
}

// fillForm fills the form with what was sent.
func fillForm(page *web.ServiceFormPage, form url.Values) {
	page.Name, page.Description, page.Contacts = form.Get("name"), form.Get("description"), form.Get("contacts")
	page.Authentication, page.JWKSURI, page.JWKS = form.Get("authentication"), strings.TrimSpace(form.Get("jwks_uri")), form.Get("jwks")
	page.Scopes, page.Organization = strings.Join(strings.Fields(form.Get("scope")), " "), form.Get("organization")
	if version := form.Get("scope_version"); version != "" {
		page.Version = 2
		if version == "1" {
			page.Version = 1
		}
	}
	for n := 1; n <= maxScopeRows; n++ {
		number := strconv.Itoa(n)
		if form.Has("type-"+number) || form.Has("op-"+number) {
			page.Rows = append(page.Rows, web.ScopeRow{Number: n, Type: form.Get("type-" + number), Operations: strings.Join(form["op-"+number], "")})
		}
	}
}

// seenKeys is what the server makes of the keys in a field.
func (l *call) seenKeys(field string, page web.ServiceFormPage) *web.SeenKeys {
	var v keysView
	p := l.portal()
	if field == string(portal.FieldJWKSURI) {
		v = l.publishedKeys(l.UserContext(), p, page.JWKSURI)
	} else {
		v = pastedKeys(p, page.JWKS)
	}
	seen := &web.SeenKeys{Of: field, Exchange: v.Exchange}
	for _, k := range v.Keys {
		seen.Keys = append(seen.Keys, web.SeenKey{ID: k.KeyID, Description: k.Description, Signs: k.Signs, Thumbprint: k.Thumbprint})
	}
	for _, problem := range v.Problems {
		seen.Problems = append(seen.Problems, web.FieldProblem{Field: problem.KeyID, Text: problem.Message, Fix: problem.Fix})
	}
	return seen
}

// saveService registers what the form says, or shows what is wrong with it.
func (l *call) saveService(page web.ServiceFormPage) error {
	built, half := scopesOf(page)
	r := portal.Registration{
		Name: page.Name, Description: page.Description, Contacts: strings.Split(page.Contacts, "\n"),
		Authentication: portal.Authentication(page.Authentication), Scopes: built + " " + page.Scopes, Organization: page.Organization,
	}
	switch r.Authentication { // what stands in the fields of another choice is not meant
	case portal.KeysByURL:
		r.JWKSURI = page.JWKSURI
	case portal.KeysByValue:
		r.Keys = page.JWKS
	}
	p := l.portal()
	var s *portal.Service
	var secret string
	var err error
	switch {
	case half != "":
		err = &portal.InvalidError{Problems: []portal.Problem{{Field: portal.FieldScopes, Text: half}}}
	case page.Editing:
		s, secret, err = p.Edit(l.UserContext(), l.Params("service"), r)
	default:
		s, secret, err = p.Register(l.UserContext(), r)
	}
	var invalid *portal.InvalidError
	if errors.As(err, &invalid) {
		for _, problem := range invalid.Problems {
			page.Problems = append(page.Problems, web.FieldProblem{Field: string(problem.Field), Text: problem.Text, Fix: problem.Fix})
		}
		l.exchange.Refusal = err.Error()
		l.Status(fiber.StatusBadRequest)
		return l.showForm(page)
	}
	if err != nil {
		return portalError(err)
	}
	if secret != "" {
		return l.page(l.secretPage(s, secret))
	}
	return l.Redirect(l.servicePath(s.ID), fiber.StatusSeeOther)
}

// scopesOf are the scopes that the rows of the picker make. half says which row
// is not complete.
func scopesOf(page web.ServiceFormPage) (built, half string) {
	var scopes authz.Scopes
	for _, row := range page.Rows {
		letters := lettersIn(row.Operations)
		switch {
		case row.Type == "" && letters == 0:
			continue
		case row.Type == "":
			half = "A row of the scopes has operations and no resource type."
			continue
		case letters == 0:
			half = "The row of " + row.Type + " has no operation."
			continue
		}
		scopes = append(scopes, authz.BuildScopes(page.Version, row.Type, letters)...)
	}
	return scopes.String(), half
}

func lettersIn(text string) (letters authz.Letters) {
	for i, letter := range []byte("cruds") {
		if strings.IndexByte(text, letter) >= 0 {
			letters |= 1 << i
		}
	}
	return letters
}

// rowsOf turns scopes into rows of the picker, as far as rows can say them, and
// the rest as text.
func rowsOf(scopes authz.Scopes, version int) (rows []web.ScopeRow, of int, rest string) {
	if len(scopes) > 0 {
		version = 2
		if scopes[0].V1 {
			version = 1
		}
	}
	var others authz.Scopes
	for _, s := range scopes {
		if len(s.Query) > 0 || s.V1 != (version == 1) {
			others = append(others, s)
			continue
		}
		rows = append(rows, web.ScopeRow{Type: s.Type, Operations: s.Letters.String()})
	}
	return rows, version, others.String()
}
