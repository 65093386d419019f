package bulk

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sandfhir/sandfhir/fhirstore"
)

// An Error is a refused kick-off. Code is from the FHIR issue-type code system.
type Error struct {
	Code      string
	Parameter string // the parameter at fault; empty for none
	Message   string
}

func (e *Error) Error() string { return e.Message }

// A Param is a kick-off parameter as it was sent.
type Param struct {
	Name  string
	Value string
	// Posted is set for a parameter of a Parameters body.
	Posted bool
}

// A Request is a kick-off as it came in.
type Request struct {
	Level  fhirstore.Level
	Group  string // id, with fhirstore.GroupLevel
	Params []Param
	// Lenient lets the export go on without what it does not support (Prefer:
	// handling=lenient); the job then has an error file that names it.
	Lenient bool
	// URL is the kick-off's URL, for the manifest.
	URL string
	// Base is the FHIR base under which absolute references are our own.
	Base string
	// Client is who asks, and Organization the one whose data it may reach;
	// empty for all.
	Client, Organization string
	// Constraint is the constraint under which the client may see a type, as
	// text; nil means that there is none.
	Constraint func(typ string) string
	// Withheld reports whether a type is left out although _type names it,
	// because the client may not have it; nil leaves out none. An export of
	// which nothing is left is a *fhirstore.ForbiddenError. Where TellWithheld is
	// set, an error file names what was left out.
	Withheld     func(typ string) bool
	TellWithheld bool
}

// formats are the values of _outputFormat that mean NDJSON. A raw + in a URL
// arrives as a space.
var formats = [...]string{"application/fhir+ndjson", "application/fhir ndjson", "application/ndjson", "ndjson"}

// parser turns a request's parameters into a selection.
type parser struct {
	store   *fhirstore.Store
	request Request
	sel     fhirstore.Selection
	filters []string
	seen    map[string]bool
	ignored []*Error
	// withheld are the types that were left out.
	withheld []string
}

func (p *parser) parse() error {
	p.sel.Level, p.sel.Group = p.request.Level, p.request.Group
	p.seen = map[string]bool{}
	for _, param := range p.request.Params {
		if err := p.pass(p.param(param)); err != nil {
			return err
		}
	}
	if len(p.withheld) > 0 && len(p.sel.Types) == 0 {
		return &fhirstore.ForbiddenError{Reason: fhirstore.NoLetter, Type: p.withheld[0]}
	}
	if err := p.typeFilters(); err != nil {
		return err
	}
	return p.check()
}

// pass notes an error that a lenient export goes on in spite of, and returns
// any other. It takes *Error and returns error, so that a nil one is nil.
func (p *parser) pass(err *Error) error {
	switch {
	case err == nil:
		return nil
	case !p.request.Lenient || !mayBeIgnored(err):
		return err
	}
	p.ignored = append(p.ignored, err)
	return nil
}

// mayBeIgnored reports whether a lenient export goes on in spite of err. A
// wrong point in time or patient would export what nobody asked for.
func mayBeIgnored(err *Error) bool {
	return !slices.Contains([]string{"_since", "_until", "patient"}, err.Parameter)
}

// param reads one parameter.
func (p *parser) param(param Param) *Error {
	repeats := slices.Contains([]string{"_type", "_typeFilter", "patient", "_elements", "includeAssociatedData"}, param.Name)
	if p.seen[param.Name] && !repeats {
		return &Error{"invalid", param.Name, fmt.Sprintf("%s is there more than once; it takes one value", param.Name)}
	}
	p.seen[param.Name] = true
	switch param.Name {
	case "_outputFormat":
		if !slices.Contains(formats[:], param.Value) {
			return &Error{"not-supported", param.Name, fmt.Sprintf("_outputFormat=%s is not offered; exports are application/fhir+ndjson (a raw + in a URL is a space: send %%2B)", param.Value)}
		}
	case "_since":
		return p.instant(param, &p.sel.Since)
	case "_until":
		return p.instant(param, &p.sel.Until)
	case "_type":
		return p.types(param)
	case "_typeFilter":
		p.filters = append(p.filters, splitFilters(param.Value)...)
	case "patient":
		return p.patient(param)
	default:
		return &Error{"not-supported", param.Name, fmt.Sprintf("the parameter %s is not supported; leave it out, or send Prefer: respond-async, handling=lenient to go on without it", param.Name)}
	}
	return nil
}

func (p *parser) instant(param Param, to *time.Time) *Error {
	text := param.Value
	if !param.Posted {
		text = strings.ReplaceAll(text, " ", "+") // a zone's raw + arrives as a space
	}
	t, err := ParseInstant(text)
	if err != nil {
		return &Error{"value", param.Name, fmt.Sprintf("%s=%s is no FHIR instant: it needs a date, a time with seconds and a zone, such as 2026-01-31T08:00:00.000Z", param.Name, param.Value)}
	}
	if latest := p.store.Latest(); t.After(latest) {
		return &Error{"value", param.Name, fmt.Sprintf("%s=%s lies in the future; the server's time is %s", param.Name, param.Value, fhirstore.FormatInstant(latest))}
	}
	*to = t
	return nil
}

// ParseInstant reads a FHIR instant (FHIR R4, datatypes, instant): a date, a
// time with seconds, and a zone. It is stricter than time.Parse, which also
// takes an hour of one digit, and a comma for a point.
func ParseInstant(text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err == nil && (len(text) < len("2026-01-31T08:00:00Z") || text[13] != ':' || strings.Contains(text, ",")) {
		err = fmt.Errorf("%q is no instant", text)
	}
	return t, err
}

// types reads one _type. A lenient export leaves out the types that it cannot
// give, and does not give others instead.
func (p *parser) types(param Param) *Error {
	if p.sel.Types == nil {
		p.sel.Types = []string{}
	}
	var first *Error
	for _, typ := range strings.Split(param.Value, ",") {
		err := p.typeError(typ)
		switch {
		case err == nil && p.request.Withheld != nil && p.request.Withheld(typ):
			p.withhold(typ)
		case err == nil:
			p.sel.Types = append(p.sel.Types, typ)
		case first == nil:
			first = err
		default:
			first = &Error{err.Code, err.Parameter, first.Message + "; " + err.Message}
		}
	}
	return first
}

// withhold leaves a type out.
func (p *parser) withhold(typ string) {
	if slices.Contains(p.withheld, typ) {
		return
	}
	p.withheld = append(p.withheld, typ)
	if p.request.TellWithheld {
		p.ignored = append(p.ignored, &Error{Code: "forbidden", Message: fmt.Sprintf("%s was left out: the token has no read scope for it", typ)})
	}
}

// typeError tells why a type cannot be exported, or returns nil.
func (p *parser) typeError(typ string) *Error {
	if !p.store.KnowsType(typ) {
		hint := ""
		if near := p.store.NearestType(typ); near != "" {
			hint = fmt.Sprintf("; did you mean %s?", near)
		}
		return &Error{"not-supported", "_type", fmt.Sprintf("_type names %q, which is no FHIR R4 resource type%s", typ, hint)}
	}
	if p.sel.Level != fhirstore.SystemLevel && !p.store.ExportsAtPatientLevel(typ) {
		return &Error{"not-supported", "_type", fmt.Sprintf("_type names %s, which is not in the patient compartment, so a patient or group export has none; ask at system level", typ)}
	}
	return nil
}

func (p *parser) patient(param Param) *Error {
	if p.sel.Level == fhirstore.SystemLevel {
		return &Error{"not-supported", "patient", "patient is a parameter of patient and group exports, not of system exports"}
	}
	if !param.Posted {
		return &Error{"not-supported", "patient", "patient is only allowed in the Parameters body of a POST (Bulk Data Access 2.0.0, Query Parameters)"}
	}
	reference := strings.TrimPrefix(param.Value, p.request.Base+"/")
	id, ok := strings.CutPrefix(reference, "Patient/")
	if !ok || !fhirstore.ValidID(id) {
		return &Error{"value", "patient", fmt.Sprintf("patient is %q; it has to be a reference to a Patient of this server, such as Patient/123", param.Value)}
	}
	p.sel.Patients = append(p.sel.Patients, id)
	return nil
}

// splitFilters splits a _typeFilter at the commas that separate queries: in
// 2.0.0 a comma joins queries, but it also separates the values of one.
func splitFilters(value string) []string {
	var filters []string
	for _, part := range strings.Split(value, ",") {
		typ, _, isQuery := strings.Cut(part, "?")
		startsType := isQuery && typ != "" && typ[0] >= 'A' && typ[0] <= 'Z' && !strings.ContainsAny(typ, "=&")
		if startsType || len(filters) == 0 {
			filters = append(filters, part)
		} else {
			filters[len(filters)-1] += "," + part
		}
	}
	return filters
}

func (p *parser) typeFilters() error {
	for _, filter := range p.filters {
		q, err := p.typeFilter(filter)
		if err := p.pass(err); err != nil {
			return err
		}
		if q != nil {
			p.sel.Filters = append(p.sel.Filters, q)
		}
	}
	return nil
}

func (p *parser) typeFilter(filter string) (*fhirstore.Query, *Error) {
	typ, query, ok := strings.Cut(filter, "?")
	if !ok || !p.store.KnowsType(typ) {
		return nil, &Error{"invalid", "_typeFilter", fmt.Sprintf("_typeFilter %q does not begin with a resource type and a question mark, as in Observation?category=laboratory", filter)}
	}
	if slices.Contains(p.withheld, typ) {
		return nil, nil
	}
	if p.sel.Types != nil && !slices.Contains(p.sel.Types, typ) {
		return nil, &Error{"invalid", "_typeFilter", fmt.Sprintf("_typeFilter is about %s, which _type does not ask for", typ)}
	}
	params, err := fhirstore.ParseParams(query)
	if err == nil {
		var q *fhirstore.Query
		q, err = p.store.Query(typ, params, fhirstore.QueryOptions{Strict: true, FilterOnly: true, Base: p.request.Base})
		if err == nil {
			return q, nil
		}
	}
	return nil, &Error{"invalid", "_typeFilter", fmt.Sprintf("_typeFilter %s: %v", filter, err)}
}

func (p *parser) check() error {
	if !p.sel.Since.IsZero() && !p.sel.Until.IsZero() && !p.sel.Until.After(p.sel.Since) {
		return &Error{"value", "_until", "_until is not after _since, so nothing can lie between them"}
	}
	return nil
}
