package httpapi

import (
	"cmp"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/exchange"
	"github.com/sandfhir/sandfhir/internal/portal"
	"github.com/sandfhir/sandfhir/internal/snippet"
	"github.com/sandfhir/sandfhir/web"
)

// servicesPath is the portal's pages of services, relative to the page that is
// asked for.
func (l *call) servicesPath() string { return l.workspacePath() + "services/" }

// servicePath is the page of one service.
func (l *call) servicePath(id string) string { return l.servicesPath() + url.PathEscape(id) }

func (l *call) reviewPath(id string) string {
	return l.workspacePath() + "admin/services/" + url.PathEscape(id)
}

// serviceOfPage is a service as lists and pages show it; page is its URL.
func (l *call) serviceOfPage(s *portal.Service, page string, names map[string]string) web.Service {
	v := web.Service{
		Page: page, ClientID: s.ID, Name: s.Name, Status: string(s.Status), Reason: s.StatusReason, By: s.StatusBy,
		At: s.StatusAt, Live: s.Live != nil, Authentication: string(s.Authentication()), Organization: cmp.Or(names[s.Organization], s.Organization),
		Description: s.Description, Contacts: s.Metadata.Contacts, JWKSURI: s.JWKSURI, Created: s.CreatedAt, Source: s.Source,
	}
	if v.At.IsZero() {
		v.At = s.CreatedAt
	}
	for _, scope := range s.Scopes {
		v.Scopes = append(v.Scopes, web.Scope{Text: scope.String(), Meaning: meaningOf(scope)})
	}
	if keys := l.workspace.Environment(authz.Sandbox).Auth.KnownKeys(s.Client); keys != nil {
		for _, k := range keys.Keys() {
			v.PublicKeys = append(v.PublicKeys, web.Key{ID: k.KeyID, Type: k.Description})
		}
	}
	return v
}

// meaningOf says in words what a scope gives.
func meaningOf(s authz.Scope) string {
	var verbs []string
	for _, verb := range []struct {
		letter authz.Letters
		word   string
	}{{authz.Create, "create"}, {authz.Read, "read"}, {authz.Update, "update"}, {authz.Delete, "delete"}, {authz.Search, "search"}} {
		if s.Letters.Has(verb.letter) {
			verbs = append(verbs, verb.word)
		}
	}
	text := strings.Join(verbs, ", ") + " " + s.Type
	if s.Type == authz.AnyType {
		text = strings.Join(verbs, ", ") + " every type"
	}
	if len(s.Query) > 0 {
		text += " where " + s.Query.String()
	}
	return text
}

// organizationNames are the names of organizations by their ids. A service that
// names one is rare, so that nothing is read where none does.
func (l *call) organizationNames(services ...*portal.Service) map[string]string {
	names := map[string]string{}
	if !slices.ContainsFunc(services, func(s *portal.Service) bool { return s.Organization != "" }) {
		return names
	}
	list, err := l.portal().Organizations(l.UserContext())
	if err != nil { // the id will do
		return names
	}
	for _, o := range list {
		names[o.ID] = o.Name
	}
	return names
}

// dashboard are the services on the start page, and how many of them wait for
// review.
func (l *call) dashboard() (list []web.Service, waiting int, err error) {
	services, err := l.portal().Services(l.UserContext())
	if err != nil {
		return nil, 0, err
	}
	names := l.organizationNames(services...)
	for _, s := range services {
		if s.Status == authz.StatusUnderReview {
			waiting++
		}
		list = append(list, l.serviceOfPage(s, l.servicePath(s.ID), names))
	}
	return list, waiting, nil
}

// adminPage lists the services for whoever reviews them.
func (l *call) adminPage() error {
	services, err := l.portal().Services(l.UserContext())
	if err != nil {
		return err
	}
	page, names := web.AdminPage{Site: l.site()}, l.organizationNames(services...)
	for _, s := range services {
		v := l.serviceOfPage(s, l.reviewPath(s.ID), names)
		switch s.Status {
		case authz.StatusUnderReview:
			page.Waiting = append(page.Waiting, v)
		case authz.StatusActive:
			page.Active = append(page.Active, v)
		default:
			page.Others = append(page.Others, v)
		}
	}
	slices.Reverse(page.Waiting) // who waits longest comes first
	return l.page(page)
}

func (l *call) servicePage() error { return l.showService(nil) }
func (l *call) reviewPage() error {
	return l.showService(func(p *web.ServicePage) { p.Admin = true })
}

// showService answers with the page of the service that the path names. change
// makes it that of the occasion.
func (l *call) showService(change func(*web.ServicePage)) error {
	p, id := l.portal(), l.Params("service")
	s, err := p.Service(l.UserContext(), id)
	if err != nil {
		return portalError(err)
	}
	history, err := p.History(l.UserContext(), id)
	if err != nil {
		return err
	}
	page := web.ServicePage{
		Site: l.site(), Service: l.serviceOfPage(s, "", l.organizationNames(s)),
		Revision: s.Revision(),
		TryReads: "GET " + fhir + trialPath(s.Scopes), Exchanges: l.exchangesOf(id),
	}
	if change != nil {
		change(&page)
	}
	page.Here, page.Other = l.servicePath(id), l.reviewPath(id)
	if page.Admin {
		page.Here, page.Other = page.Other, page.Here
	}
	page.Edit = l.servicePath(id) + "/edit"
	for _, action := range s.Allowed() {
		page.Allowed = append(page.Allowed, string(action))
	}
	for _, c := range history {
		page.History = append(page.History, web.StatusChange{Status: string(c.Status), By: c.By, Reason: c.Reason, At: c.At})
	}
	if s.Status != authz.StatusRejected {
		page.Sandbox = l.environmentOfPage(authz.Sandbox)
	}
	if s.Live != nil {
		page.Production, page.Changes = l.environmentOfPage(authz.Production), changesOf(s)
	}
	if page.Commands, err = l.commandsOf(s, page); err != nil {
		return err
	}
	return l.page(page)
}

// environmentOfPage are the constants that a service is configured with.
func (l *call) environmentOfPage(name string) *web.Environment {
	v := l.environmentView(name)
	v.RegistrationURL, v.Registered = "", true
	v.Audience = l.workspace.Environment(name).Auth.Behaviour().Audience(l.addressesOf(name))
	return &v
}

// commandsOf is the code that signs in as this very client and reads.
func (l *call) commandsOf(s *portal.Service, page web.ServicePage) ([]web.Commands, error) {
	var list []web.Commands
	for _, env := range []struct {
		name, title string
		open        bool
	}{{authz.Sandbox, "Sandbox", page.Sandbox != nil}, {authz.Production, "Production", page.Production != nil}} {
		if !env.open || page.Admin {
			continue
		}
		facts := l.factsOf(s, env.name)
		snippets, err := snippet.For(snippet.Read, facts)
		if err != nil {
			return nil, err
		}
		commands := web.Commands{Environment: env.title, Does: snippet.Does(snippet.Read, facts)}
		for _, code := range snippets {
			commands.Snippets = append(commands.Snippets, web.Snippet{Title: code.Title, Code: code.Code})
		}
		list = append(list, commands)
	}
	return list, nil
}

// factsOf are the values of a service in an environment, for code.
func (l *call) factsOf(s *portal.Service, env string) snippet.Facts {
	auth, a := l.workspace.Environment(env).Auth, l.addressesOf(env)
	f := snippet.Facts{
		ClientID: s.ID, TokenURL: a.TokenURL, Audience: auth.Behaviour().Audience(a), FHIRURL: a.FHIRBase + trialPath(s.Scopes),
		Scope: s.Scopes.String(), RawBasic: auth.Behaviour().BasicDecode == authz.BasicRaw, Credential: snippet.Credential(s.Method),
	}
	if keys := auth.KnownKeys(s.Client); keys != nil && keys.Len() > 0 {
		key := keys.Keys()[0]
		f.KeyID, f.Algorithm = key.KeyID, key.Signs
	}
	return f
}

// changesOf are the differences between what is approved and what a service is
// now.
func changesOf(s *portal.Service) []web.Change {
	var list []web.Change
	add := func(field, approved, asked string) {
		if approved != asked {
			list = append(list, web.Change{Field: field, Approved: cmp.Or(approved, "none"), Asked: cmp.Or(asked, "none")})
		}
	}
	live := &portal.Service{Client: s.Live}
	add("Name", live.Name, s.Name)
	add("Scopes", live.Scopes.String(), s.Scopes.String())
	add("Authentication", string(live.Authentication()), string(s.Authentication()))
	add("Key set", live.JWKSURI, s.JWKSURI)
	add("Keys", string(live.JWKS), string(s.JWKS))
	add("Organization", live.Organization, s.Organization)
	return list
}

// listedExchanges is how many exchanges a service's page lists.
const listedExchanges = 12

func (l *call) exchangesOf(id string) []web.ExchangeRow {
	var list []web.ExchangeRow
	for _, e := range l.workspace.Exchanges.List(listedExchanges, func(e *exchange.Exchange) bool { return e.Client == id && e.Kind == exchange.Request }) {
		list = append(list, l.exchangeRow(e))
	}
	return list
}

func (l *call) exchangeRow(e *exchange.Exchange) web.ExchangeRow {
	row := web.ExchangeRow{
		Link: l.linkTo(e), Kind: string(e.Kind), Environment: e.Environment, Client: e.Client, Refused: e.Refused(), Fault: e.Fault, Text: e.Refusal,
	}
	if failed := e.Failed(); failed != nil {
		row.Text, row.Fix = strings.TrimSpace(failed.Text+" "+failed.Counterfactual), failed.Fix
	}
	return row
}

// takeStepByForm is takeStep for the form of a page, to which it leads back.
func takeStepByForm(action portal.Action) func(*call) error {
	return func(l *call) error {
		form, err := l.readPageForm()
		if err != nil {
			return err
		}
		id := l.Params("service")
		_, err = l.portal().Take(l.UserContext(), id, action, form.Get("reason"), form.Get("revision"))
		var conflict *portal.ConflictError
		var stale *portal.StaleError
		switch {
		case errors.As(err, &conflict), errors.As(err, &stale), errors.Is(err, portal.ErrNoReason):
			l.Status(portalError(err).(*httpError).status)
			l.exchange.Refusal = err.Error()
			return l.showService(func(p *web.ServicePage) {
				p.Admin, p.Problem = action != portal.Submit, err.Error()
			})
		case err != nil:
			return portalError(err)
		}
		return l.Redirect("../"+url.PathEscape(id), fiber.StatusSeeOther)
	}
}

// hasForm reports whether the body is the form of a page. curl calls whatever it
// sends a form, but asks for no page.
func (l *call) hasForm() bool {
	return strings.HasPrefix(l.Get(fiber.HeaderContentType), fiber.MIMEApplicationForm) && accepts(l.Get(fiber.HeaderAccept), fiber.MIMETextHTML)
}

// readPageForm reads the form that a page sends.
func (l *call) readPageForm() (url.Values, error) {
	body, err := l.readBody(maxOAuthBody)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, badRequest("structure", "the body is no form")
	}
	return form, nil
}

func (l *call) deleteByForm() error {
	if err := l.portal().Delete(l.UserContext(), l.Params("service")); err != nil {
		return portalError(err)
	}
	return l.Redirect("../../", fiber.StatusSeeOther)
}

// rotateByForm gives a service a new secret and shows it.
func (l *call) rotateByForm() error {
	form, err := l.readPageForm()
	if err != nil {
		return err
	}
	overlap, err := time.ParseDuration(cmp.Or(form.Get("overlap"), "0s"))
	if err != nil || overlap < 0 {
		return badRequest("value", "overlap has to be a duration such as 10m or 24h")
	}
	s, secret, err := l.portal().RotateSecret(l.UserContext(), l.Params("service"), overlap)
	if err != nil {
		return portalError(err)
	}
	page := l.secretPage(s, secret)
	if overlap > 0 {
		page.OldUntil = l.workspace.Clock.Now().Add(overlap)
	}
	return l.page(page)
}

// secretPage shows a secret, this once: the record of the exchange leaves it
// out.
func (l *call) secretPage(s *portal.Service, secret string) web.SecretPage {
	l.unrecorded = "(a page with a client secret, which is not kept)"
	return web.SecretPage{
		Site: l.site(), Service: l.servicePath(s.ID), Name: s.Name, ID: s.ID, Secret: secret,
		Expires: s.Secrets[len(s.Secrets)-1].ExpiresAt,
	}
}
