package httpapi

import (
	"strings"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/r4"
)

// Names of documents that clients look for below one base URL or another.
const (
	smartDocument  = wellKnown + "smart-configuration"
	issuerDocument = wellKnown + "oauth-authorization-server"
	keysDocument   = wellKnown + "jwks.json"
	metadata       = "/metadata"
)

// astray refuses a path that a client has joined from a wrong base URL, and says
// what the right one is. It comes before credentials: discovery needs none.
func (l *call) astray() error {
	path, inProduction := oneSlash(l.routed), l.env.Name == authz.Production
	hint := ""
	if whole := oneSlash(l.original); whole != l.original {
		hint = "The path has two slashes in a row: a base URL that ends in a slash was joined to a name that begins with one."
	}
	isThere := func(served string) bool { return path == served && hint == "" }
	switch {
	case inProduction && isBelow(path, "/auth/register"):
		return authz.NoRegistration(l.addresses.Other[authz.Sandbox])
	case inProduction && path == keysDocument:
		return notFound("there is nothing at %s; the key set of production is at %s", l.path, l.addresses.JWKSURL)
	case strings.Contains(path, smartDocument):
		if !isThere(fhir+smartDocument) && (inProduction || !isThere(smartDocument)) {
			return l.misplaced("SMART configuration", smartDocument, l.addresses.FHIRBase+smartDocument, hint)
		}
	case strings.Contains(path, issuerDocument):
		if !isThere(issuerDocument + "/auth") {
			return l.misplaced("authorization server metadata", issuerDocument, l.issuerDocumentURL(), hint)
		}
	case strings.HasSuffix(path, metadata):
		if !isThere(fhir+metadata) && !isInstance(path) {
			return l.misplaced("CapabilityStatement", metadata, l.addresses.FHIRBase+metadata, hint)
		}
	}
	if hint != "" {
		return notFound("there is nothing at %s. %s Ask for %s", l.path, hint, oneSlash(l.original))
	}
	return nil
}

// misplaced is the refusal of a document that is somewhere else.
func (l *call) misplaced(document, name, place, hint string) error {
	under, ok := strings.CutSuffix(strings.TrimRight(l.path, "/"), name)
	if !ok {
		under = strings.TrimPrefix(l.path, name)
	}
	if under == "" {
		under = "/"
	}
	return authz.Misplaced{Document: document, Under: under, Place: place, Requested: l.root + l.original, Hint: hint}.Refusal()
}

// issuerDocumentURL is where the metadata of the environment's authorization
// server are: the name stands before the path of the issuer, which is no empty
// one (RFC 8414 section 3).
func (l *call) issuerDocumentURL() string {
	issuer := l.addresses.Issuer
	if strings.HasPrefix(l.path, issuerDocument+"/"+authz.Production) {
		issuer = l.addresses.Other[authz.Production].Issuer
	}
	return l.root + issuerDocument + strings.TrimPrefix(issuer, l.root)
}

// isInstance reports whether a path is that of a resource: an id may be any
// name.
func isInstance(path string) bool {
	rest, ok := strings.CutPrefix(path, fhir+"/")
	typ, _, _ := strings.Cut(rest, "/")
	return ok && strings.Count(rest, "/") == 1 && r4.Definitions().IsType(typ)
}

// oneSlash is a path without the slashes that follow another.
func oneSlash(path string) string {
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	return path
}
