package httpapi

import (
	"mime"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/r4"
	"github.com/sandfhir/sandfhir/internal/subset"
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
	q, err := store.Query(typ, params, l.queryOptions())
	if err != nil {
		return err
	}
	return l.found(store, q, "/"+typ, params)
}

// searchCompartment is a search within a patient's compartment, for one type or
// for * (FHIR R4, http, search, variant searches).
func (l *call) searchCompartment() error {
	patient := l.Params("id")
	options := l.queryOptions()
	options.Patient = patient
	if l.Params("type") == "*" {
		return l.searchTypes(options, "/Patient/"+patient+"/*", true)
	}
	typ, store, err := l.begin(authz.Search, "is a search")
	if err != nil {
		return err
	}
	if !store.InPatientCompartment(typ) {
		return &httpError{status: fiber.StatusNotFound, code: "not-supported", message: typ + " is no part of a patient's compartment (FHIR R4, CompartmentDefinition patient); search /" + typ + " instead"}
	}
	params, err := l.searchParams()
	if err != nil {
		return err
	}
	q, err := store.Query(typ, params, options)
	if err != nil {
		return err
	}
	return l.found(store, q, "/Patient/"+patient+"/"+typ, params)
}

// searchSystem is a search across types, for those that _type names or all that
// the token may search.
func (l *call) searchSystem() error { return l.searchTypes(l.queryOptions(), "", false) }

func (l *call) searchTypes(options fhirstore.QueryOptions, path string, compartment bool) error {
	if err := l.authenticate(); err != nil {
		return err
	}
	store, err := l.data()
	if err != nil {
		return err
	}
	params, err := l.searchParams()
	if err != nil {
		return err
	}
	var asked []fhirstore.Param
	types, err := l.searchableTypes(store, &params, &asked, compartment)
	if err != nil {
		return err
	}
	if err := l.answersJSON(); err != nil {
		return err
	}
	q, err := store.QueryAll(types, params, options)
	if err != nil {
		return err
	}
	q.Used = append(asked, q.Used...)
	return l.found(store, q, path, params)
}

// searchableTypes takes _type out of the parameters of a search across types
// and returns the types to search: those it names, each of which the token has
// to allow, or else all that the token allows.
func (l *call) searchableTypes(store *fhirstore.Store, params, asked *[]fhirstore.Param, compartment bool) ([]string, error) {
	var named []string
	rest := (*params)[:0:0]
	for _, p := range *params {
		if p.Name != "_type" {
			rest = append(rest, p)
			continue
		}
		*asked = append(*asked, p)
		named = append(named, strings.Split(p.Value, ",")...)
	}
	*params = rest
	for _, typ := range named {
		if !store.KnowsType(typ) {
			return nil, badRequest("value", "_type names "+strconv.Quote(typ)+", which is no FHIR R4 resource type")
		}
		if compartment && !store.InPatientCompartment(typ) {
			return nil, badRequest("value", "_type names "+typ+", which is no part of a patient's compartment")
		}
		if err := l.require(typ, authz.Search, "is a search"); err != nil {
			return nil, err
		}
	}
	if len(named) > 0 {
		slices.Sort(named)
		return slices.Compact(named), nil
	}
	for _, typ := range store.Types() {
		if (!compartment || store.InPatientCompartment(typ)) && l.access.Allows(typ, authz.Search).Granted {
			named = append(named, typ)
		}
	}
	if len(named) == 0 {
		return nil, l.require(authz.AnyType, authz.Search, "is a search")
	}
	return named, nil
}

func (l *call) queryOptions() fhirstore.QueryOptions {
	return fhirstore.QueryOptions{Strict: l.preferences()["handling"] == "strict", Base: l.addresses.FHIRBase}
}

// found answers with what a query finds.
func (l *call) found(store *fhirstore.Store, q *fhirstore.Query, path string, params []fhirstore.Param) error {
	page, err := store.Search(l.UserContext(), l.view(), q)
	if err != nil {
		return err
	}
	b := newBundle("searchset", page.Total)
	token := l.ownPage(pageToken(params))
	b.link("self", l.searchURL(path, q.Used, token))
	if token != "" {
		b.link("first", l.searchURL(path, q.Used, ""))
	}
	for _, to := range []struct{ relation, token string }{{"previous", page.Previous}, {"next", page.Next}, {"last", page.Last}} {
		if to.token != "" {
			b.link(to.relation, l.searchURL(path, q.Used, l.ownPage(to.token)))
		}
	}
	wanted := map[string]subset.Selection{} // by type
	for i := range page.Matches {
		res := &page.Matches[i]
		selection, known := wanted[res.Type]
		if !known {
			selection = q.Selection(res.Type)
			wanted[res.Type] = selection
		}
		if res.JSON, err = subset.Of(r4.Definitions(), res.JSON, selection); err != nil {
			return err
		}
		b.match(l.addresses.FHIRBase, res, "match")
	}
	for i := range page.Included {
		b.match(l.addresses.FHIRBase, &page.Included[i], "include")
	}
	for _, ignored := range q.Ignored {
		b.outcome(operationOutcome("warning", ignored.Code, ignoredText(ignored), ""))
	}
	for _, typ := range page.Hidden {
		b.outcome(operationOutcome("information", "suppressed", "resources of the type "+typ+" are not included, because the token has no scope to read them: ask for system/"+typ+".r as well", ""))
	}
	return l.send(fiber.StatusOK, fhirJSON, b.bytes())
}

// searchParams are the parameters of the URL and, for POST, of the form.
func (l *call) searchParams() ([]fhirstore.Param, error) {
	params, err := l.queryParams()
	if err != nil {
		return nil, err
	}
	if l.Method() != fiber.MethodPost {
		return params, l.openPages(params)
	}
	if media, _, err := mime.ParseMediaType(l.Get(fiber.HeaderContentType)); err != nil || media != fiber.MIMEApplicationForm {
		return nil, &httpError{status: fiber.StatusUnsupportedMediaType, code: "not-supported", message: "the body of a _search is a form: Content-Type application/x-www-form-urlencoded"}
	}
	body, err := l.readBody(maxFHIRBody)
	if err != nil {
		return nil, err
	}
	more, err := fhirstore.ParseParams(string(body))
	if err != nil {
		return nil, err
	}
	params = append(params, more...)
	return params, l.openPages(params)
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

// searchURL is the URL of a page below the FHIR base: the parameters that are
// honoured and, but for the first one, where it begins.
func (l *call) searchURL(path string, used []fhirstore.Param, next string) string {
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
	at := l.addresses.FHIRBase + path
	if q.Len() == 0 {
		return at
	}
	return at + "?" + q.String()
}
