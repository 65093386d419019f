package httpapi

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/exchange"
	"github.com/sandfhir/sandfhir/web"
)

// listedRefusals is how many refused exchanges the start page lists.
const listedRefusals = 20

// home is the page that a person starts from.
func (l *call) home() error {
	page := web.HomePage{
		Site:          l.site(),
		Configuration: l.sandboxPath() + "smart-configuration",
		Behaviour:     l.workspace.Behaviour().String(),
		Sandbox:       l.environmentView(authz.Sandbox),
		Production:    l.environmentView(authz.Production),
		TokenCommand:  l.server.cfg.TokenCommand,
		Register:      l.servicesPath() + "new",
		Faults:        l.sandboxPath() + "faults",
		Exchanges:     l.sandboxPath() + "exchanges",
		KeyHosts:      l.sandboxPath() + "keys",
		Data:          l.sandboxPath() + "data",
		Clock:         l.sandboxPath() + "clock",
		Snapshots:     l.sandboxPath() + "snapshots",
	}
	if _, err := l.worlds(); err == nil {
		page.Worlds = l.sandboxPath() + "workspaces"
	}
	var err error
	if page.Services, page.Waiting, err = l.dashboard(); err != nil {
		return err
	}
	for _, e := range l.workspace.Exchanges.List(listedRefusals, (*exchange.Exchange).Refused) {
		page.Refused = append(page.Refused, l.exchangeRow(e))
	}
	return l.page(page)
}

func (l *call) environmentView(name string) web.Environment {
	a := l.addressesOf(name)
	return web.Environment{Name: name, FHIRBase: a.FHIRBase, TokenURL: a.TokenURL, RegistrationURL: a.RegistrationURL}
}

// exchangeURL is the absolute URL of an exchange's page, for answers.
func (l *call) exchangeURL(id string) string { return l.root + l.prefix + "/_sandbox/exchanges/" + id }

// workspacePath is the workspace's root relative to the page that is asked
// for. Pages refer to each other so, because a browser may reach the server by
// another name than the one it was told by --base-url.
func (l *call) workspacePath() string {
	up := strings.Repeat("../", max(0, strings.Count(l.path, "/")-1))
	if up == "" {
		up = "./"
	}
	if l.prefix == "" {
		return up
	}
	return up + strings.TrimPrefix(l.prefix, "/") + "/"
}

func (l *call) sandboxPath() string { return l.workspacePath() + "_sandbox/" }

func (l *call) site() web.Site {
	files, version := l.sandboxPath(), "?v="+web.Version()
	return web.Site{
		Home: l.workspacePath(), AdminHome: l.workspacePath() + "admin",
		Style: files + "style.css" + version, Script: files + "script.js" + version, Keys: files + "keys.js" + version, Icon: files + "icon.svg" + version,
	}
}

// contentSecurityPolicy lets a page load its own style sheet, script and icon,
// ask this server, and nothing else, whatever an exchange brings into it.
const contentSecurityPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// page answers with a page for people. It is not kept by caches: it shows, or
// links to, what was exchanged.
func (l *call) page(page interface{ Render() ([]byte, error) }) error {
	body, err := page.Render()
	if err != nil {
		return err
	}
	l.Set(fiber.HeaderCacheControl, "no-store")
	l.Set(fiber.HeaderContentSecurityPolicy, contentSecurityPolicy)
	l.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	// To other hosts nothing of where a link stood; without a referrer a browser
	// would send forms with an Origin of null (Fetch, append a request Origin).
	l.Set(fiber.HeaderReferrerPolicy, "same-origin")
	return l.send(l.Response().StatusCode(), fiber.MIMETextHTMLCharsetUTF8, body)
}

func (l *call) style() error     { return l.file("text/css; charset=utf-8", web.Style()) }
func (l *call) script() error    { return l.file("text/javascript; charset=utf-8", web.Script()) }
func (l *call) keyScript() error { return l.file("text/javascript; charset=utf-8", web.Keys()) }
func (l *call) icon() error      { return l.file("image/svg+xml", web.Icon()) }

// file answers with a file that pages refer to. Its URL changes with it.
func (l *call) file(contentType string, body []byte) error {
	l.Set(fiber.HeaderCacheControl, "max-age=86400")
	l.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	return l.send(fiber.StatusOK, contentType, body)
}
