package httpapi

import (
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/exchange"
	"github.com/sandfhir/sandfhir/internal/snippet"
	"github.com/sandfhir/sandfhir/web"
)

// An exchangeView is an exchange as tools get it: what was recorded, and of a
// refusal the failed check with what was found and what to do by themselves.
type exchangeView struct {
	*exchange.Exchange
	Failed         *authz.Check `json:"failed,omitempty"`
	Counterfactual string       `json:"counterfactual,omitempty"`
	Fix            string       `json:"fix,omitempty"`
	// Snippets is the code that puts it right; lists leave it out.
	Snippets []snippet.Snippet `json:"snippets,omitempty"`
	// Curl is the request as a command, with variables for what is hidden; lists
	// leave it out.
	Curl string `json:"curl,omitempty"`
	// UsedBy are the requests that waited for a fetch or used its copy; lists
	// leave it out.
	UsedBy []string `json:"usedBy,omitempty"`
}

func viewOf(e *exchange.Exchange) exchangeView {
	v := exchangeView{Exchange: e, Failed: e.Failed()}
	if v.Failed != nil {
		v.Counterfactual, v.Fix = v.Failed.Counterfactual, v.Failed.Fix
	}
	return v
}

// wholeViewOf is viewOf with all that a list leaves out.
func (l *call) wholeViewOf(e *exchange.Exchange) (exchangeView, error) {
	v := viewOf(e)
	v.Curl = e.Curl()
	if e.Kind == exchange.Fetch {
		for _, user := range l.usersOf(e) {
			v.UsedBy = append(v.UsedBy, user.ID)
		}
	}
	var err error
	if e.Remedy != nil {
		v.Snippets, err = snippet.For(e.Remedy.Kind, e.Remedy.Facts)
	}
	return v, err
}

// usersOf returns the requests that waited for a fetch or used its copy, oldest
// first.
func (l *call) usersOf(fetch *exchange.Exchange) []*exchange.Exchange {
	users := l.workspace.Exchanges.List(0, func(e *exchange.Exchange) bool { return slices.Contains(e.Fetches, fetch.ID) })
	slices.Reverse(users)
	return users
}

// exchangePage shows one exchange: to a browser as a page that explains it,
// else, or for ?_format=json, as JSON. Whoever knows its id may read it.
func (l *call) exchangePage() error {
	e := l.workspace.Exchanges.Get(l.Params("id"))
	if e == nil {
		return notFound("there is no such exchange, or it is too old to be kept")
	}
	v, err := l.wholeViewOf(e)
	if err != nil {
		return err
	}
	if !l.wantsPage() {
		l.Set(fiber.HeaderCacheControl, "no-store")
		return l.json(fiber.StatusOK, v)
	}
	return l.page(l.exchangePageOf(v))
}

func (l *call) exchangePageOf(v exchangeView) web.ExchangePage {
	e := v.Exchange
	page := web.ExchangePage{
		Site: l.site(), JSON: "?_format=json", List: "../exchanges",
		ID: e.ID, Environment: e.Environment, Client: e.Client,
		At: e.At, Took: time.Duration(e.Seconds * float64(time.Second)),
		Method: e.Method, Path: e.Path(), URL: e.URL,
		Request: web.Message{Header: fieldViews(e.RequestHeader), Body: e.RequestBody},
		Status:  e.Status, Response: web.Message{Header: fieldViews(e.ResponseHeader), Body: e.ResponseBody, Bytes: e.ResponseBytes},
		Aborted: e.Aborted, Broken: e.Broken, Fault: e.Fault, Refusal: e.Refusal,
		Registration: registrationView(e.Registration), Fetches: l.fetchLinks(e.Fetches),
	}
	page.Curl = v.Curl
	if a := e.Access; a != nil {
		page.Access = &web.Access{Scopes: a.Scopes, Organization: a.Organization, Policy: a.Policy}
	}
	if a := e.Assertion; a != nil {
		page.Assertion = &web.Assertion{Header: a.Header, Claims: a.Claims}
	}
	for _, c := range e.Checks {
		page.Checks = append(page.Checks, web.Check{
			ID: c.ID(), Requirement: string(c.RuleID), Rule: c.Rule, Clause: c.Clause,
			Result: c.Result.String(), Got: c.Got, Want: c.Want, Text: c.Text, Counterfactual: c.Counterfactual, Fix: c.Fix,
		})
	}
	if e.Remedy != nil {
		page.Does = snippet.Does(e.Remedy.Kind, e.Remedy.Facts)
	}
	for _, s := range v.Snippets {
		page.Snippets = append(page.Snippets, web.Snippet{Title: s.Title, Code: s.Code})
	}
	if s := e.Source; s != nil {
		page.Path = e.URL // it is on another server
		page.Fetch = &web.Source{
			Reason: s.Reason, Resolved: s.Resolved, Address: s.Address, Redirects: s.Redirects,
			KeyIDs: s.KeyIDs, KeepUntil: s.KeepUntil, KeptBy: s.KeptBy, UsedBy: l.requestLinks(e),
		}
	}
	return page
}

func registrationView(r *exchange.Registration) *web.Registration {
	if r == nil {
		return nil
	}
	v := &web.Registration{
		Name: r.Name, Status: r.Status, StatusReason: r.StatusReason, StatusBy: r.StatusBy, StatusAt: r.StatusAt,
		Method: r.Method, JWKSURI: r.JWKSURI, Scopes: r.Scopes,
	}
	for _, k := range r.Keys {
		v.Keys = append(v.Keys, web.Key{ID: k.ID, Type: k.Type})
	}
	return v
}

// fetchLinks tells of the fetches of key sets that a request used, as far as
// they are still kept.
func (l *call) fetchLinks(ids []string) []web.Link {
	var list []web.Link
	for _, id := range ids {
		if e := l.workspace.Exchanges.Get(id); e != nil {
			list = append(list, l.linkTo(e))
		}
	}
	return list
}

func (l *call) requestLinks(fetch *exchange.Exchange) []web.Link {
	var list []web.Link
	for _, e := range l.usersOf(fetch) {
		list = append(list, l.linkTo(e))
	}
	return list
}

func (l *call) linkTo(e *exchange.Exchange) web.Link {
	link := web.Link{Page: l.sandboxPath() + "exchanges/" + e.ID, Method: e.Method, Path: e.Path(), Status: e.Status, At: e.At}
	if e.Kind == exchange.Fetch {
		link.Path = e.URL
	}
	if failed := e.Failed(); failed != nil {
		link.Check = failed.ID()
	}
	return link
}

func fieldViews(headers []exchange.Header) []web.Field {
	fields := make([]web.Field, len(headers))
	for i, h := range headers {
		fields[i] = web.Field(h)
	}
	return fields
}
