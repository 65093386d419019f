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

// guard keeps the portal and the control surfaces to those who may use them.
// FHIR and OAuth surfaces are guarded by their own rules.
func (r route) guard(l *call) error {
	if l.surface != plainSurface || r.public {
		return nil
	}
	if err := l.checkOrigin(); err != nil {
		return err
	}
	token := l.server.cfg.AdminToken
	if token == "" {
		return nil
	}
	if offered := l.Query("admin"); offered != "" && equal(offered, token) {
		l.Cookie(&fiber.Cookie{Name: adminCookie, Value: offered, Path: "/", HTTPOnly: true, SameSite: fiber.CookieSameSiteStrictMode, Secure: l.Secure()})
		return nil
	}
	bearer, _ := strings.CutPrefix(l.Get(fiber.HeaderAuthorization), "Bearer ")
	if equal(bearer, token) || equal(l.Cookies(adminCookie), token) {
		return nil
	}
	return &httpError{status: fiber.StatusUnauthorized, code: "login",
		message: "this needs the admin token: follow the portal link that the server printed when it started, or send Authorization: Bearer with the token",
		header:  map[string]string{fiber.HeaderWWWAuthenticate: `Bearer realm="sandfhir admin"`}}
}

// equal compares in a time that says nothing about the values.
func equal(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// checkOrigin refuses a browser that acts for another site: by the Origin of
// its page, or by a Host that is not this server's name, which is how a page
// reaches a server on its reader's own machine (DNS rebinding).
func (l *call) checkOrigin() error {
	if origin := l.Get(fiber.HeaderOrigin); origin != "" {
		u, err := url.Parse(origin)
		if err != nil || u.Host != hostOfURL(l.root) {
			return &httpError{status: fiber.StatusForbidden, code: "forbidden", message: "a page of " + origin + " must not use this server's controls"}
		}
	}
	if l.server.cfg.AdminToken != "" || l.server.cfg.BaseURL != "" || l.IsProxyTrusted() {
		return nil
	}
	host := hostOfURL(l.root)
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if ip := net.ParseIP(strings.Trim(host, "[]")); ip != nil || host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return nil
	}
	return &httpError{status: fiber.StatusForbidden, code: "forbidden", message: "the controls are open to " + host + " only if the server was told its name (--base-url)"}
}

func hostOfURL(root string) string {
	u, err := url.Parse(root)
	if err != nil {
		return ""
	}
	return u.Host
}
