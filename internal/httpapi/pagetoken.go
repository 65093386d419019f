package httpapi

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/fhirstore"
)

// ownPage is a page token of the store as it stands in a link: with a mark of
// the client that it was given to. An empty one stays empty.
func (l *call) ownPage(token string) string {
	if token == "" {
		return ""
	}
	return token + "." + l.pageMark()
}

// pageMark is short, because it protects nothing: a page shows what whoever asks
// may see. It tells a client that took another's link by mistake.
func (l *call) pageMark() string {
	sum := sha256.Sum256([]byte(l.access.ClientID))
	return base64.RawURLEncoding.EncodeToString(sum[:6])
}

// openPages takes the marks off the page tokens of parameters, and refuses those
// of other clients.
func (l *call) openPages(params []fhirstore.Param) error {
	for i := range params {
		if params[i].Name != fhirstore.NextParam || params[i].Value == "" {
			continue
		}
		token, mark, marked := strings.Cut(params[i].Value, ".")
		switch {
		case !marked:
			return badRequest("value", fhirstore.NextParam+" is not the token of a page: follow the links that a search gives")
		case mark != l.pageMark():
			return &httpError{status: fiber.StatusForbidden, code: "forbidden", message: "this page belongs to a search of another client: begin with the search itself, and follow the links that it gives"}
		}
		params[i].Value = token
	}
	return nil
}
