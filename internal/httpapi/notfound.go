package httpapi

import (
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// notFound answers what no route does, on FHIR paths only after the token was
// looked at.
func (s *Server) notFound(c *fiber.Ctx) error { return s.refuseUnserved(callOf(c)) }

func (s *Server) refuseUnserved(l *call) error {
	if l.surface == fhirSurface && !isOpen(l.routed) {
		if err := l.authenticate(); err != nil {
			return err
		}
	}
	return l.nothingHere()
}

// nothingHere is the refusal of a path or method that no route serves: 405
// where another method would have done, else 404.
func (l *call) nothingHere() error {
	if allowed := strings.Join(allowedMethods(l.server.routes, l.routed), ", "); allowed != "" {
		return &httpError{status: fiber.StatusMethodNotAllowed, code: "not-supported", message: l.Method() + " is not offered here; use " + allowed, header: map[string]string{fiber.HeaderAllow: allowed}}
	}
	if _, operation, ok := strings.Cut(l.routed, "/$"); ok && l.surface == fhirSurface {
		return &httpError{status: fiber.StatusNotFound, code: "not-supported", message: "the operation $" + operation + " is not offered"}
	}
	return notFound("there is nothing at %s", l.path)
}

// allowedMethods are the methods that routes offer at a path; a route that
// names the path itself goes before those that match it by a pattern.
func allowedMethods(routes []route, path string) []string {
	var exact, matching []string
	for _, r := range routes {
		offered := []string{r.method}
		if r.method == fiber.MethodGet && !r.noHead {
			offered = append(offered, fiber.MethodHead)
		}
		switch {
		case r.path == path:
			exact = append(exact, offered...)
		case r.matches(path) && !slices.Contains(matching, r.method):
			matching = append(matching, offered...)
		}
	}
	if exact != nil {
		return exact
	}
	return matching
}

// matches reports whether the router takes a path to the route, and its
// handler does not give it back for a special name.
func (r route) matches(path string) bool {
	_, ok := r.bind(path)
	return ok
}

// bind returns the parts of a path by their names in the route, and whether it
// matches.
func (r route) bind(path string) (params map[string]string, ok bool) {
	got, want := strings.Split(path, "/"), strings.Split(r.path, "/")
	if len(got) != len(want) {
		return nil, false
	}
	params = map[string]string{}
	for i, name := range want {
		name, isParam := strings.CutPrefix(name, ":")
		switch {
		case !isParam && got[i] != name,
			isParam && got[i] == "",
			isParam && name == "type" && !isTypeName(got[i]),
			isParam && name == "id" && isSpecial(got[i]):
			return nil, false
		}
		if isParam {
			params[name] = got[i]
		}
	}
	return params, true
}

// isOpen reports whether a FHIR path is read without a token.
func isOpen(path string) bool {
	return strings.HasPrefix(path, fhir+wellKnown) || path == fhir+metadata
}

// isTypeName reports whether a segment stands where a resource type does and is
// no name of another kind.
func isTypeName(segment string) bool { return !isSpecial(segment) && segment[0] != '.' }

// isSpecial reports whether a segment is an operation ($export) or a name that
// FHIR gives a meaning (_history), and neither a type nor an id.
func isSpecial(segment string) bool {
	return segment == "" || segment[0] == '$' || segment[0] == '_'
}
