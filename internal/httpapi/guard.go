package httpapi

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// adminCookie keeps the admin token in a browser that came by the portal link.
const adminCookie = "sandfhir-admin"

// adminHeader has the admin token where the Authorization header is for another
// one.
const adminHeader = "X-Sandfhir-Admin"

// guard keeps the portal and the control surfaces to those who may use them.
// FHIR and OAuth surfaces are guarded by their own rules.
func (r route) guard(l *call) error {
	if surfaceOf(r.path) != plainSurface || r.public { // by the route, whatever ids the path has
		return nil
	}
	return l.mayControl()
}

// mayControl refuses a request that may not use the controls.
func (l *call) mayControl() error {
	if err := l.checkOrigin(); err != nil {
		return err
	}
	token := l.server.cfg.AdminToken
	if token == "" {
		return l.checkHost()
	}
	if offered := l.Query("admin"); offered != "" && equal(offered, token) {
		l.Cookie(&fiber.Cookie{Name: adminCookie, Value: offered, Path: "/", HTTPOnly: true, SameSite: fiber.CookieSameSiteStrictMode, Secure: l.Secure()})
		return nil
	}
	scheme, bearer, _ := strings.Cut(l.Get(fiber.HeaderAuthorization), " ")
	if strings.EqualFold(scheme, "Bearer") && equal(strings.TrimLeft(bearer, " "), token) || equal(l.Cookies(adminCookie), token) || equal(l.Get(adminHeader), token) {
		return nil
	}
	return &httpError{status: fiber.StatusUnauthorized, code: "login",
		message: "this needs the admin token: follow the portal link that the server printed when it started, or send the token as Authorization: Bearer, or as " + adminHeader,
		header:  map[string]string{fiber.HeaderWWWAuthenticate: `Bearer realm="sandfhir admin"`}}
}

// equal compares in a time that says nothing about the values.
func equal(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// checkOrigin refuses a browser that acts for a page of another site. A page is
// of this server's where it was read under the Host of this request, or under
// the base URL.
func (l *call) checkOrigin() error {
	origin := l.Get(fiber.HeaderOrigin)
	if origin == "" {
		return l.checkSite()
	}
	u, err := url.Parse(origin)
	if err == nil && u.Host != "" && (strings.EqualFold(u.Host, hostOf(l.Ctx)) || strings.EqualFold(u.Host, l.baseURL().Host)) {
		return nil
	}
	return &httpError{status: fiber.StatusForbidden, code: "forbidden", message: "a page of " + origin + " must not use this server's controls"}
}

// checkSite refuses what a browser asks for on behalf of a page of another site,
// where it says so without an Origin (Fetch Metadata): a change, and what that page
// wants for itself, such as an image. A link there may lead here.
func (l *call) checkSite() error {
	site := l.Get("Sec-Fetch-Site")
	reads := l.Method() == fiber.MethodGet || l.Method() == fiber.MethodHead
	if site == "" || site == "same-origin" || site == "none" || reads && l.Get("Sec-Fetch-Mode") == "navigate" {
		return nil
	}
	return &httpError{status: fiber.StatusForbidden, code: "forbidden", message: "a page of another site must not use this server's controls"}
}

// checkHost refuses a Host that is not this server's name: a page of another
// site reaches a server on its reader's own machine by a name of its own that
// leads there (DNS rebinding). It cannot do so by an address, and not through a
// proxy that knows whom it serves.
func (l *call) checkHost() error {
	own := url.URL{Host: hostOf(l.Ctx)}
	name := own.Hostname()
	switch {
	case l.IsProxyTrusted(),
		net.ParseIP(name) != nil,
		name == "localhost", strings.HasSuffix(name, ".localhost"),
		name != "" && strings.EqualFold(name, l.baseURL().Hostname()):
		return nil
	}
	return &httpError{status: fiber.StatusForbidden, code: "forbidden", message: "the controls are open to the name " + name + " only where the server was told that it is its own (--base-url)"}
}

// baseURL is the URL that the server was told, or an empty one.
func (l *call) baseURL() *url.URL {
	u, err := url.Parse(l.server.cfg.BaseURL)
	if err != nil {
		return new(url.URL)
	}
	return u
}
