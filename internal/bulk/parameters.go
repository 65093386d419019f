package bulk

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/nearest"
)

// formats are the values of _outputFormat that mean NDJSON. A raw + in a URL
// arrives as a space.
var formats = [...]string{"application/fhir+ndjson", "application/fhir ndjson", "application/ndjson", "ndjson"}

// gzipFormat is the _outputFormat of files that are gzip themselves.
const gzipFormat = "application/fhir+ndjson+gzip"

// A definition is what the guide says of a parameter, and what reads it.
type definition struct {
	name    string
	values  []string // the types of its value in a Parameters resource, the guide's first
	repeats bool     // whether it may be there more than once
	list    bool     // whether a comma divides values
	since   Version  // the version that brought it; Version2 has those of 3.0.0
	// read reads the parameter; values are those of a list, and else the one.
	read func(p *parser, param Param, values []string) *Error
}

// definitions are the parameters of $export in some version (OperationDefinition
// export).
func definitions() []definition {
	text, instant := []string{"valueString"}, []string{"valueInstant"}
	size := []string{"valueInteger", "valuePositiveInt", "valueUnsignedInt", "valueDecimal"}
	return []definition{
		{name: "_outputFormat", values: text, since: Version1, read: func(p *parser, param Param, _ []string) *Error { return p.format(param.Value) }},
		{name: "_since", values: instant, since: Version1, read: func(p *parser, param Param, _ []string) *Error { return p.instant(param, &p.sel.Since) }},
		{name: "_until", values: instant, since: Version2, read: func(p *parser, param Param, _ []string) *Error { return p.instant(param, &p.sel.Until) }},
		{name: "_type", values: text, repeats: true, list: true, since: Version1, read: func(p *parser, _ Param, values []string) *Error { return p.types(values) }},
		{name: "_typeFilter", values: text, repeats: true, since: Version1, read: func(p *parser, param Param, _ []string) *Error {
			p.filters = append(p.filters, p.splitFilters(param.Value)...)
			return nil
		}},
		{name: "_elements", values: text, repeats: true, list: true, since: Version2, read: func(p *parser, _ Param, values []string) *Error { return p.elementsOf(values) }},
		{name: "patient", values: []string{"valueReference"}, repeats: true, since: Version2, read: func(p *parser, param Param, _ []string) *Error { return p.patient(param) }},
		{name: "includeAssociatedData", values: []string{"valueCode", "valueCoding"}, repeats: true, list: true, since: Version2, read: func(p *parser, _ Param, values []string) *Error { return p.associated(values) }},
		{name: "organizeOutputBy", values: text, since: Version2, read: func(p *parser, param Param, _ []string) *Error { return p.organize(param) }},
		{name: "allowPartialManifests", values: []string{"valueBoolean"}, since: Version2, read: func(p *parser, param Param, _ []string) *Error { return p.allowPartial(param) }},
		{name: "_minimumFileSize", values: size, since: Version4, read: func(p *parser, param Param, _ []string) *Error { return p.size(param, &p.smallest) }},
		{name: "_maximumFileSize", values: size, since: Version4, read: func(p *parser, param Param, _ []string) *Error { return p.size(param, &p.sel.MaxBytes) }},
	}
}

// definitionOf returns the definition of a parameter, and whether there is such a
// parameter.
func definitionOf(name string) (definition, bool) {
	for _, d := range definitions() {
		if d.name == name {
			return d, true
		}
	}
	return definition{}, false
}

// ParameterNames returns the names of all parameters of $export.
func ParameterNames() (names []string) {
	for _, d := range definitions() {
		names = append(names, d.name)
	}
	return names
}

// parser turns a request's parameters into a selection.
type parser struct {
	store     *fhirstore.Store
	behaviour Behaviour
	request   Request
	sel       fhirstore.Selection
	filters   []string
	elements  []element
	smallest  int64 // _minimumFileSize
	partial   bool
	gzip      bool
	seen      map[string]bool
	ignored   []*Error
	how       map[*Error]string // what became of a parameter that was not ignored whole
	withheld  []string          // types that were left out
}

func (p *parser) parse() error {
	p.sel.AnyGroup = !p.behaviour.GroupScope
	p.sel.Level, p.sel.Group, p.sel.OnlyChanges = p.request.Level, p.request.Group, p.behaviour.OnlyChanges
	p.sel.MaxRows, p.sel.MaxBytes = int64(p.behaviour.MaxRows), int64(p.behaviour.MaxBytes)
	p.seen, p.how = map[string]bool{}, map[*Error]string{}
	for _, param := range p.request.Params {
		if param.Wrong != nil && param.Name != "" && param.Value == "" { // nobody knows what was meant
			if slices.Contains(telling[:], param.Name) || param.Name == "_type" || param.Name == "_typeFilter" {
				return param.Wrong // without it far more is exported
			}
			if err := p.pass(param.Wrong); err != nil {
				return err
			}
			continue
		}
		if err := p.pass(param.Wrong); err != nil {
			return err
		}
		if param.Wrong != nil && param.Value != "" {
			p.how[param.Wrong] = "was taken all the same"
		}
		if param.Name == "" {
			continue
		}
		wrong := p.param(param)
		if err := p.pass(wrong); err != nil {
			return err
		}
		if wrong != nil && (param.Name == "_type" && len(p.sel.Types) > 0 || param.Name == "_elements" && len(p.elements) > 0) {
			p.how[wrong] = "was ignored in part"
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

// telling are the parameters without which an export is another one.
var telling = [...]string{"_since", "_until", "patient"}

// mayBeIgnored reports whether a lenient export goes on in spite of err. A
// wrong point in time or patient would export what nobody asked for.
func mayBeIgnored(err *Error) bool {
	return err.ID == mistypedValue || !slices.Contains(telling[:], err.Parameter)
}

// param reads one parameter.
func (p *parser) param(param Param) *Error {
	def, known := definitionOf(param.Name)
	if !known || p.request.Version < def.since || slices.Contains(p.behaviour.Unsupported, param.Name) {
		hint := ""
		if near := nearest.Name(param.Name, ParameterNames()); !known && near != "" {
			hint = fmt.Sprintf(" (did you mean %s?)", near)
		}
		way := "leave it out, or send Prefer: respond-async, handling=lenient to go on without it"
		if p.request.Version == Version1 { // has no lenient handling
			way = "leave it out"
		}
		return &Error{"B05", "not-supported", param.Name, fmt.Sprintf("the parameter %s is not supported%s in Bulk Data Access %s; %s", param.Name, hint, p.request.Version, way)}
	}
	if p.seen[param.Name] && !def.repeats {
		return &Error{"BD-RJ-14", "invalid", param.Name, fmt.Sprintf("%s is there more than once; it takes one value", param.Name)}
	}
	p.seen[param.Name] = true
	values := []string{param.Value}
	if def.list && p.request.Version == Version4 && strings.Contains(param.Value, ",") {
		return &Error{"BD-RJ-18", "invalid", param.Name, fmt.Sprintf("%s=%s has several values in one; in %s each is a parameter of its own, and lists with commas are those of earlier versions", param.Name, param.Value, Version4)}
	} else if def.list {
		values = strings.Split(param.Value, ",")
	}
	return def.read(p, param, values)
}

func (p *parser) organize(param Param) *Error {
	if param.Value != "Patient" {
		return &Error{"BD-RJ-13", "not-supported", param.Name, fmt.Sprintf("organizeOutputBy=%s is not offered; Patient is", param.Value)}
	}
	p.sel.OrganizeBy = param.Value
	return nil
}

func (p *parser) allowPartial(param Param) *Error {
	if param.Value != "true" && param.Value != "false" {
		return &Error{"BD-RJ-15", "value", param.Name, fmt.Sprintf("allowPartialManifests is %q; it has to be true or false", param.Value)}
	}
	p.partial = param.Value == "true"
	return nil
}

func (p *parser) format(value string) *Error {
	plus := strings.ReplaceAll(value, " ", "+")
	offered := slices.Contains(formats[:], value)
	if p.behaviour.StrictFormat {
		offered = plus == formats[0]
	}
	p.gzip = p.behaviour.GzipFormat && plus == gzipFormat
	if offered || p.gzip {
		return nil
	}
	return &Error{"B06", "not-supported", "_outputFormat", fmt.Sprintf("_outputFormat=%s is not offered; exports are application/fhir+ndjson (a raw + in a URL is a space: send %%2B)", value)}
}

func (p *parser) instant(param Param, to *time.Time) *Error {
	text := param.Value
	if !param.Posted {
		text = strings.ReplaceAll(text, " ", "+") // a zone's raw + arrives as a space
	}
	t, err := ParseInstant(text)
	if err != nil {
		return &Error{"B07", "value", param.Name, fmt.Sprintf("%s=%s is no FHIR instant: it needs a date, a time with seconds and a zone, such as 2026-01-31T08:00:00.000Z", param.Name, param.Value)}
	}
	if latest := p.store.Latest(); t.After(latest) {
		return &Error{"BD-RJ-06", "value", param.Name, fmt.Sprintf("%s=%s lies in the future; the server's time is %s", param.Name, param.Value, fhirstore.FormatInstant(latest))}
	}
	if t.IsZero() { // which would stand for no bound at all
		t = t.Add(time.Millisecond)
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
func (p *parser) types(values []string) *Error {
	if p.sel.Types == nil {
		p.sel.Types = []string{}
	}
	var first *Error
	for _, typ := range values {
		err := p.typeError(typ)
		switch {
		case err == nil && p.request.Withheld != nil && p.request.Withheld(typ):
			p.withhold(typ)
		case err == nil:
			p.sel.Types = append(p.sel.Types, typ)
		case first == nil:
			first = err
		default:
			first = &Error{err.ID, err.Code, err.Parameter, first.Message + "; " + err.Message}
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
		p.ignored = append(p.ignored, &Error{ID: "S11", Code: "forbidden", Message: fmt.Sprintf("%s was left out: the token has no read scope for it", typ)})
	}
}

// typeError tells why a type cannot be exported, or returns nil.
func (p *parser) typeError(typ string) *Error {
	if !p.store.KnowsType(typ) {
		hint := ""
		if near := p.store.NearestType(typ); near != "" {
			hint = fmt.Sprintf("; did you mean %s?", near)
		}
		return &Error{"B08", "not-supported", "_type", fmt.Sprintf("_type names %q, which is no FHIR R4 resource type%s", typ, hint)}
	}
	if p.sel.Level != fhirstore.SystemLevel && !p.store.ExportsAtPatientLevel(typ) {
		return &Error{"BD-RJ-08", "not-supported", "_type", fmt.Sprintf("_type names %s, which is not in the patient compartment, so a patient or group export has none; ask at system level", typ)}
	}
	return nil
}

func (p *parser) patient(param Param) *Error {
	if p.sel.Level == fhirstore.SystemLevel {
		return &Error{"BD-RJ-10", "not-supported", "patient", "patient is a parameter of patient and group exports, not of system exports"}
	}
	if !param.Posted {
		return &Error{"B11", "not-supported", "patient", "patient is only allowed in the Parameters body of a POST (Bulk Data Access 2.0.0, Query Parameters)"}
	}
	reference := strings.TrimPrefix(param.Value, p.request.Base+"/")
	id, ok := strings.CutPrefix(reference, "Patient/")
	if !ok || !fhirstore.ValidID(id) {
		return &Error{"BD-RJ-11", "value", "patient", fmt.Sprintf("patient is %q; it has to be a reference to a Patient of this server, such as Patient/123", param.Value)}
	}
	p.sel.Patients = append(p.sel.Patients, id)
	return nil
}

// associated reads one includeAssociatedData. Of two values that conflict the
// one with the larger set is taken.
func (p *parser) associated(values []string) *Error {
	for _, value := range values {
		switch of := fhirstore.Associated(value); of {
		case fhirstore.RelevantProvenance:
			p.sel.Associated = of
		case fhirstore.LatestProvenance:
			if p.sel.Associated == "" {
				p.sel.Associated = of
			}
		default:
			return &Error{"BD-RJ-13", "not-supported", "includeAssociatedData", fmt.Sprintf("includeAssociatedData=%s is not offered; %s and %s are", value, fhirstore.LatestProvenance, fhirstore.RelevantProvenance)}
		}
	}
	return nil
}

// size reads a number of bytes.
func (p *parser) size(param Param, to *int64) *Error {
	n, err := strconv.ParseInt(param.Value, 10, 64)
	if err != nil || n < 1 {
		return &Error{"BD-RJ-15", "value", param.Name, fmt.Sprintf("%s is %q; it has to be a positive number of bytes", param.Name, param.Value)}
	}
	if *to == 0 || n < *to {
		*to = n
	}
	return nil
}

// splitFilters splits a _typeFilter at the commas that separate queries: up to
// 2.0.0 a comma joins queries, but it also separates the values of one. Later
// versions have a parameter for each.
func (p *parser) splitFilters(value string) []string {
	if p.request.Version == Version3 || p.request.Version == Version4 {
		return []string{value}
	}
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
		return nil, &Error{"BD-RJ-09", "invalid", "_typeFilter", fmt.Sprintf("_typeFilter %q does not begin with a resource type and a question mark, as in Observation?category=laboratory", filter)}
	}
	if slices.Contains(p.withheld, typ) {
		return nil, nil
	}
	if p.sel.Types != nil && !slices.Contains(p.sel.Types, typ) {
		return nil, &Error{"B10", "invalid", "_typeFilter", fmt.Sprintf("_typeFilter is about %s, which _type does not ask for", typ)}
	}
	params, err := fhirstore.ParseParams(query)
	if err == nil {
		var q *fhirstore.Query
		q, err = p.store.Query(typ, params, fhirstore.QueryOptions{Strict: true, FilterOnly: true, Base: p.request.Base})
		if err == nil {
			return q, nil
		}
	}
	id := "BD-RJ-09"
	if slices.ContainsFunc(params, func(p fhirstore.Param) bool { return shapesResult(p.Name) }) {
		id = "B10"
	}
	return nil, &Error{id, "invalid", "_typeFilter", fmt.Sprintf("_typeFilter %s: %v", filter, err)}
}

// shapesResult reports whether a search parameter shapes the result, which an
// export does not have (FHIR R4, Search, search result parameters).
func shapesResult(name string) bool {
	name, _, _ = strings.Cut(name, ":")
	return slices.Contains([]string{"_sort", "_count", "_include", "_revinclude", "_summary", "_total", "_elements", "_contained", "_containedType"}, name)
}

func (p *parser) check() error {
	if !p.sel.Since.IsZero() && !p.sel.Until.IsZero() && !p.sel.Until.After(p.sel.Since) {
		return &Error{"BD-RJ-06", "value", "_until", "_until is not after _since, so nothing can lie between them"}
	}
	if p.smallest > 0 {
		if p.sel.MaxBytes > 0 && p.sel.MaxBytes <= p.smallest {
			return &Error{"BD-RJ-15", "value", "_maximumFileSize", fmt.Sprintf("files cannot have at least %d bytes and at most %d", p.smallest, p.sel.MaxBytes)}
		}
		p.sel.MaxRows = 0 // which would make them smaller
	}
	return nil
}
