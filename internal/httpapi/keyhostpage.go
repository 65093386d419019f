package httpapi

import (
	"net/url"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/internal/exchange"
	"github.com/sandfhir/sandfhir/internal/jose"
	"github.com/sandfhir/sandfhir/internal/keyhost"
	"github.com/sandfhir/sandfhir/internal/localca"
	"github.com/sandfhir/sandfhir/web"
)

// pagedFetches is how many fetches of key sets the page lists.
const pagedFetches = 20

// keyHostsPage shows the hosted key sets to a person, with what the server has
// fetched of late; problem is what is wrong with what was asked, and made the key
// that was made now.
func (l *call) keyHostsPage(problem string, made *web.MadeKey) error {
	page := web.KeysPage{Site: l.site(), Here: "keys", Faults: "faults", Exchanges: "exchanges?kind=fetch", Problem: problem, Made: made}
	for _, h := range l.workspace.KeyHosts.List() {
		v, err := l.keyHostView(h)
		if err != nil {
			return err
		}
		hosted := web.HostedKeys{Name: h.Name, URI: v.JWKSURI, Certificate: h.Certificate}
		for _, k := range h.Published(l.workspace.Clock.Now()) {
			hosted.Keys = append(hosted.Keys, web.Key{ID: k.ID, Type: k.Describe()})
		}
		page.Hosted = append(page.Hosted, hosted)
	}
	for _, flaw := range localca.Flaws() {
		if flaw != localca.None || l.server.cfg.Authority != nil {
			page.Certificates = append(page.Certificates, string(flaw))
		}
	}
	fetches := l.workspace.Exchanges.List(pagedFetches, func(e *exchange.Exchange) bool { return e.Kind == exchange.Fetch })
	for _, e := range fetches {
		page.Fetches = append(page.Fetches, l.exchangeRow(e))
	}
	return l.page(page)
}

// keyHostForm does what the page's form asks: it makes a host, rotates one, or
// removes one.
func (l *call) keyHostForm() error {
	form, err := l.readPageForm()
	if err != nil {
		return err
	}
	if name := form.Get("remove"); name != "" {
		_ = l.workspace.KeyHosts.Remove(name) // one that is gone already is gone
		return l.Redirect("keys", fiber.StatusSeeOther)
	}
	h, key, err := l.keyOfForm(form)
	if err != nil {
		l.Status(fiber.StatusBadRequest)
		return l.keyHostsPage(sentence(err.Error()), nil)
	}
	text, err := key.PEM()
	if err != nil {
		return err
	}
	l.noStore()
	return l.keyHostsPage("", &web.MadeKey{Name: h.Name, ID: key.ID, PEM: string(text)})
}

func (l *call) keyOfForm(form url.Values) (*keyhost.Host, *jose.Key, error) {
	name := form.Get("rotate")
	if name == "" {
		return l.newKeyHost(keyHostAsked{Name: form.Get("name"), Alg: form.Get("alg"), Certificate: localca.Flaw(form.Get("certificate"))})
	}
	h, err := l.workspace.KeyHosts.Host(name)
	if err != nil {
		return nil, nil, err
	}
	made, err := l.rotate(h, rotationAsked{Alg: form.Get("alg"), Overlap: form.Get("overlap")})
	return h, made, err
}
