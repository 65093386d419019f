package validation

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/fhirpath"
)

// A kind tells how a type stands in JSON.
type kind uint8

const (
	complexType  kind = iota // an object
	resourceType             // an object that says which resource it is
	boolean
	decimal
	integer
	positiveInt
	unsignedInt
	stringType
	markdown
	code
	id
	uri
	canonical
	oid
	uuid
	base64Binary
	date
	dateTime
	instant
	timeOfDay
	xhtml
)

// kindOf returns the kind of a FHIR type.
func kindOf(typ string) kind {
	names := [...]string{boolean: "boolean", decimal: "decimal", integer: "integer", positiveInt: "positiveInt", unsignedInt: "unsignedInt",
		stringType: "string", markdown: "markdown", code: "code", id: "id", uri: "uri", canonical: "canonical", oid: "oid", uuid: "uuid",
		base64Binary: "base64Binary", date: "date", dateTime: "dateTime", instant: "instant", timeOfDay: "time", xhtml: "xhtml"}
	switch typ {
	case "Resource":
		return resourceType
	case "url":
		return uri
	}
	return kind(max(0, slices.Index(names[:], typ)))
}

// json is the kind of JSON value that the type has, with what a message says of it.
func (k kind) json() (want fhirjson.Kind, described string) {
	switch k {
	case boolean:
		return fhirjson.Bool, "true or false without quotation marks"
	case decimal, integer, positiveInt, unsignedInt:
		return fhirjson.Number, "a number without quotation marks"
	}
	return fhirjson.String, "a text in quotation marks"
}

// primitiveMember judges the member of a primitive together with the one that extends it.
func (r *run) primitiveMember(n *fhirjson.Node, m *fhirjson.Member, sl *slot, siblings bool) {
	value, ext := &m.Value, (*fhirjson.Node)(nil)
	switch {
	case m.Name[0] == '_':
		if n.Get(m.Name[1:]) != nil {
			return // judged there
		}
		value, ext = nil, value
	case siblings:
		ext = n.Get("_" + m.Name)
	}
	if sl.many {
		r.primitives(value, ext, sl)
		return
	}
	r.enter(sl.name, -1)
	r.primitive(value, ext, sl)
	r.leave()
}

// primitives judges a repeating primitive: the array of its values, and the one of what extends
// them, of which null fills the gaps (FHIR R4, json, repeating elements).
func (r *run) primitives(values, exts *fhirjson.Node, sl *slot) {
	r.enter(sl.name, -1)
	ok := (values == nil || r.isList(values)) && (exts == nil || r.isList(exts))
	if ok && values != nil && exts != nil && len(values.Items) != len(exts.Items) {
		r.fault("structure", exts.Start, "has %d values and _%s has %d entries; each stands beside its own, with null where there is none", len(values.Items), sl.name, len(exts.Items))
		ok = false
	}
	r.leave()
	if !ok {
		return
	}
	for i := 0; i < max(count(values), count(exts)) && !r.full(); i++ {
		value, ext := item(values, i), item(exts, i)
		if value != nil && value.Kind == fhirjson.Null && exts != nil {
			value = nil
		}
		if ext != nil && ext.Kind == fhirjson.Null && values != nil {
			ext = nil
		}
		r.enter(sl.name, i)
		if value == nil && ext == nil {
			r.fault("structure", values.Items[i].Start, "is null in both arrays; null stands where the other array has something")
		} else {
			r.primitive(value, ext, sl)
		}
		r.leave()
	}
}

func count(n *fhirjson.Node) int {
	if n == nil {
		return 0
	}
	return len(n.Items)
}

func item(n *fhirjson.Node, i int) *fhirjson.Node {
	if n == nil {
		return nil
	}
	return &n.Items[i]
}

// primitive judges a value and what extends it; either may be nil.
func (r *run) primitive(value, ext *fhirjson.Node, sl *slot) {
	before := r.errors
	switch {
	case value == nil:
		r.complex(ext, r.v.instead)
		return
	case ext != nil:
		r.complex(ext, r.v.beside)
	}
	want, described := sl.kind.json()
	switch {
	case value.Kind == want:
		r.format(value, sl)
	case value.Kind == fhirjson.Null:
		r.null(value)
	case value.Kind == fhirjson.Array:
		r.tooMany(value, described)
	default:
		r.fault("structure", value.Start, "is a JSON %s; %s is %s", value.Kind, article(sl.typ), described)
	}
	if r.errors > before {
		return
	}
	if sl.binding != nil {
		r.boundCode(value, sl)
	}
	for _, rule := range sl.rules {
		r.judge(rule, fhirpath.Value{Node: value, Ext: ext, Type: sl.typ}, value.Start, before)
	}
}

// longestText is the most characters that a string may have (FHIR R4, datatypes, string).
const longestText = 1 << 20

// format judges a value of the right kind of JSON by its type (FHIR R4, datatypes, primitive types).
func (r *run) format(n *fhirjson.Node, sl *slot) {
	text := n.Text
	if text == "" {
		r.fault("value", n.Start, "is an empty string; FHIR leaves out what has no value")
		return
	}
	wrong := ""
	switch sl.kind {
	case boolean, decimal: // what JSON takes
	case integer:
		wrong = wrongInteger(text, -1<<31)
	case unsignedInt:
		wrong = wrongInteger(text, 0)
	case positiveInt:
		wrong = wrongInteger(text, 1)
	case stringType, markdown:
		r.text(n)
		return
	case code:
		wrong = wrongCode(text)
	case id:
		wrong = wrongID(text)
	case uri:
		wrong = wrongURI(text)
	case canonical:
		if wrong = wrongURI(text); wrong == "" && !r.opt.ErrorsOnly && !isAbsolute(text) && text[0] != '#' {
			r.warn("value", n.Start, "is %s; a canonical is an absolute URL, so that it means the same everywhere", quote(text))
		}
	case oid:
		if !isOID(text) {
			wrong = "an oid is urn:oid: with numbers and dots, such as urn:oid:1.2.3"
		}
	case uuid:
		if !isUUID(text) || text != strings.ToLower(text) {
			wrong = "a uuid is urn:uuid: with 32 hexadecimal digits in lower case as 8-4-4-4-12"
		}
	case base64Binary:
		wrong = wrongBase64(text)
	case date:
		wrong = wrongDate(text)
	case dateTime:
		wrong = wrongDateTime(text)
	case instant:
		wrong = wrongInstant(text)
	case timeOfDay:
		wrong = wrongTime(text)
	case xhtml:
		r.narrative(n)
		return
	}
	if wrong != "" {
		r.fault("value", n.Start, "is %s, which is no %s: %s", shown(n), sl.typ, wrong)
	}
	if (sl.kind == uri || sl.kind == canonical) && text[0] == '#' {
		r.refer(text)
	}
}

// shown shows a value as it was written.
func shown(n *fhirjson.Node) string {
	if n.Kind == fhirjson.String {
		return quote(n.Text)
	}
	return excerpt(n.Text)
}

// text judges a string or markdown.
func (r *run) text(n *fhirjson.Node) {
	if len(n.Text) > longestText && utf8.RuneCountInString(n.Text) > longestText {
		r.fault("value", n.Start, "is longer than 1048576 characters, the most that a string may have")
	}
	if r.opt.ErrorsOnly {
		return
	}
	if strings.TrimSpace(n.Text) == "" {
		r.warn("value", n.Start, "is nothing but white space; leave out what has no value")
	}
	if i := strings.IndexFunc(n.Text, isControl); i >= 0 {
		r.warn("value", n.Start, "holds the control character U+%04X; of those below U+0020 a string has tabs and line ends only", n.Text[i])
	}
}

func isControl(c rune) bool { return c < ' ' && c != '\t' && c != '\r' && c != '\n' }
