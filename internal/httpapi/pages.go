package httpapi

import (
	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/exchange"
	"github.com/sandfhir/sandfhir/web"
)

// homePage is what the start page shows.
type homePage struct {
	Style        string // URL of the style sheet
	Environments []environmentView
	Refused      []exchangeView // the latest refused exchanges, newest first
}

// environmentView are the constants of an environment.
type environmentView struct {
	Name string
	authz.Addresses
}

// exchangeView is an exchange with the URL of its page.
type exchangeView struct {
	*exchange.Exchange
	Page string
}

// exchangePageData is what the page of an exchange shows.
type exchangePageData struct {
	Style    string
	Home     string
	Exchange *exchange.Exchange
	JSON     string // URL of the same as JSON
}

// home is the page that a person starts from.
func (l *call) home() error {
	page := homePage{Style: l.styleURL()}
	for _, name := range []string{authz.Sandbox, authz.Production} {
		page.Environments = append(page.Environments, environmentView{name, l.addressesOf(name)})
	}
	for _, e := range l.workspace.Exchanges.List(20, (*exchange.Exchange).Refused) {
		page.Refused = append(page.Refused, exchangeView{e, l.exchangeURL(e.ID)})
	}
	return l.page("home", page)
}

// exchangePage shows one exchange: to a browser as a page that explains it,
// else as JSON. Whoever knows its id may read it.
func (l *call) exchangePage() error {
	e := l.workspace.Exchanges.Get(l.Params("id"))
	if e == nil {
		return notFound("there is no such exchange, or it is too old to be kept")
	}
	l.Set(fiber.HeaderCacheControl, "no-store")
	l.Vary(fiber.HeaderAccept)
	if !accepts(l.Get(fiber.HeaderAccept), fiber.MIMETextHTML) {
		return l.json(fiber.StatusOK, e)
	}
	return l.page("exchange", exchangePageData{Style: l.styleURL(), Home: l.addresses.PortalURL, Exchange: e, JSON: l.exchangeURL(e.ID)})
}

func (l *call) exchangeURL(id string) string { return l.root + l.prefix + "/_sandbox/exchanges/" + id }

func (l *call) styleURL() string { return l.root + l.prefix + "/_sandbox/style.css" }

func (l *call) page(name string, data any) error {
	body, err := web.Render(name, data)
	if err != nil {
		return err
	}
	l.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'")
	l.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	l.Set(fiber.HeaderReferrerPolicy, "no-referrer")
	return l.send(fiber.StatusOK, fiber.MIMETextHTMLCharsetUTF8, body)
}

func (l *call) style() error {
	l.Set(fiber.HeaderCacheControl, "max-age=3600")
	return l.send(fiber.StatusOK, "text/css; charset=utf-8", web.Style())
}
