package httpapi

import (
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// notFound answers what no route does, on FHIR paths only after the token was
// looked at.
func (s *Server) notFound(c *fiber.Ctx) error {
	l := callOf(c)
	l.surface = surfaceOf(l.routed)
	if l.surface == fhirSurface && !isOpen(l.routed) {
		if err := l.authenticate(); err != nil {
			return l.fail(err)
		}
	}
	return l.fail(l.nothingHere())
}

// nothingHere is the refusal of a path or method that no route serves: 405
// where another method would have done, else 404.
func (l *call) nothingHere() error {
	if allowed := allowedMethods(l.server.routes, l.routed); len(allowed) > 0 {
		list := strings.Join(allowed, ", ")
		return &httpError{status: fiber.StatusMethodNotAllowed, code: "not-supported", message: l.Method() + " is not offered here; " + list + " are",
			header: map[string]string{fiber.HeaderAllow: list}}
	}
	if strings.HasPrefix(l.routed, fhir) && strings.Contains(l.routed, "/$") {
		return &httpError{status: fiber.StatusNotFound, code: "not-supported", message: "the operation " + l.routed[strings.Index(l.routed, "$"):] + " is not offered"}
	}
	if l.routed == fhir && l.Method() == fiber.MethodPost {
		return &httpError{status: fiber.StatusNotFound, code: "not-supported", message: "batch and transaction are not offered; send each interaction by itself"}
	}
	return notFound("there is nothing at %s", l.path)
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

// allowedMethods are the methods that routes offer at a path; a route that
// names the path itself goes before those that match it by a pattern.
func allowedMethods(routes []route, path string) []string {
	var exact, matching []string
	for _, r := range routes {
		switch {
		case r.path == path:
			exact = append(exact, r.method)
		case matches(r.path, path) && !slices.Contains(matching, r.method):
			matching = append(matching, r.method)
		}
	}
	if exact != nil {
		return exact
	}
	return matching
}

// matches reports whether a path is one of a route's. A parameter is no
// operation ($export) and no special name (_history).
func matches(pattern, path string) bool {
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return false
	}
	for i := range want {
		if want[i] == "*" {
			continue
		}
		if strings.HasPrefix(want[i], ":") {
			if isSpecial(got[i]) || want[i] == ":type" && got[i][0] == '.' {
				return false
			}
		} else if want[i] != got[i] {
			return false
		}
	}
	return true
}

// isOpen reports whether a FHIR path is read without a token (SB-DISC-03).
func isOpen(path string) bool {
	return strings.HasPrefix(path, fhir+wellKnown) || path == fhir+"/metadata"
}

func isSpecial(segment string) bool {
	return segment == "" || segment[0] == '$' || segment[0] == '_'
}
