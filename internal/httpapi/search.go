package httpapi

import (
	"mime"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/fhirstore"
)

// search is FHIR R4, http, search, by GET and by POST _search.
func (l *call) search() error {
	typ, store, err := l.begin(authz.Search, "is a search")
	if err != nil {
		return err
	}
	params, err := l.searchParams()
	if err != nil {
		return err
	}
	strict := l.preferences()["handling"] == "strict"
	q, err := store.Query(typ, params, fhirstore.QueryOptions{Strict: strict, Base: l.addresses.FHIRBase})
	if err != nil {
		return err
	}
	page, err := store.Search(l.UserContext(), l.view(), q)
	if err != nil {
		return err
	}
	b := newBundle("searchset", page.Total)
	b.link("self", l.searchURL(typ, q.Used, pageToken(params)))
	if page.Next != "" {
		b.link("next", l.searchURL(typ, q.Used, page.Next))
	}
	for i := range page.Matches {
		b.match(l.addresses.FHIRBase, &page.Matches[i], "match")
	}
	for i := range page.Included {
		b.match(l.addresses.FHIRBase, &page.Included[i], "include")
	}
	for _, ignored := range q.Ignored {
		b.outcome(operationOutcome("warning", ignored.Code, ignored.Parameter+" was ignored: "+ignored.Message, ""))
	}
	return l.send(fiber.StatusOK, fhirJSON, b.bytes())
}

// searchParams are the parameters of the URL and, for POST, of the form.
func (l *call) searchParams() ([]fhirstore.Param, error) {
	params, err := fhirstore.ParseParams(l.query())
	if err != nil || l.Method() != fiber.MethodPost {
		return params, err
	}
	if media, _, err := mime.ParseMediaType(l.Get(fiber.HeaderContentType)); err != nil || media != fiber.MIMEApplicationForm {
		return nil, &httpError{status: fiber.StatusUnsupportedMediaType, code: "not-supported", message: "the body of a _search is a form: Content-Type application/x-www-form-urlencoded"}
	}
	body, err := l.readBody(maxFHIRBody)
	if err != nil {
		return nil, err
	}
	more, err := fhirstore.ParseParams(string(body))
	return append(params, more...), err
}

// pageToken is the token of the page that the parameters ask for, or "" for
// the first.
func pageToken(params []fhirstore.Param) string {
	for _, p := range params {
		if p.Name == fhirstore.NextParam {
			return p.Value
		}
	}
	return ""
}

// searchURL is the URL of a page: the parameters that are honoured and, but
// for the first one, where it begins.
func (l *call) searchURL(typ string, used []fhirstore.Param, next string) string {
	var q strings.Builder
	add := func(name, value string) {
		if q.Len() > 0 {
			q.WriteByte('&')
		}
		q.WriteString(url.QueryEscape(name) + "=" + url.QueryEscape(value))
	}
	for _, p := range used {
		add(p.Name, p.Value)
	}
	if next != "" {
		add(fhirstore.NextParam, next)
	}
	at := l.addresses.FHIRBase + "/" + typ
	if q.Len() == 0 {
		return at
	}
	return at + "?" + q.String()
}
