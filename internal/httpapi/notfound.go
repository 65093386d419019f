package httpapi

import (
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// notFound answers what no route does: 405 where another method would have
// done, else 404; on FHIR paths only after the token was looked at.
func (s *Server) notFound(c *fiber.Ctx) error {
	l := callOf(c)
	l.surface = surfaceOf(l.routed)
	if l.surface == fhirSurface && !strings.HasPrefix(l.routed, fhir+"/.well-known") && l.routed != fhir+"/metadata" {
		if err := l.authenticate(); err != nil {
			return l.fail(err)
		}
	}
	if allowed := allowedMethods(l.routed); len(allowed) > 0 {
		list := strings.Join(allowed, ", ")
		return l.fail(&httpError{status: fiber.StatusMethodNotAllowed, code: "not-supported", message: c.Method() + " is not offered here; " + list + " are",
			header: map[string]string{fiber.HeaderAllow: list}})
	}
	if strings.HasPrefix(l.routed, fhir) && strings.Contains(l.routed, "/$") {
		return l.fail(&httpError{status: fiber.StatusNotFound, code: "not-supported", message: "the operation " + l.routed[strings.Index(l.routed, "$"):] + " is not offered"})
	}
	return l.fail(notFound("there is nothing at %s", l.path))
}

func surfaceOf(path string) surface {
	switch {
	case path == fhir || strings.HasPrefix(path, fhir+"/"):
		return fhirSurface
	case strings.HasPrefix(path, "/auth/"):
		return oauthSurface
	}
	return plainSurface
}

// allowedMethods are the methods that routes offer at a path.
func allowedMethods(path string) []string {
	var methods []string
	for _, r := range routes {
		if fiber.RoutePatternMatch(path, r.path, fiber.Config{CaseSensitive: true, UnescapePath: true}) && !slices.Contains(methods, r.method) {
			methods = append(methods, r.method)
		}
	}
	return methods
}
