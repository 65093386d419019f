package fhirstore

import (
	"fmt"
	"strconv"
	"time"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
)

// A draft is a resource on its way in.
type draft struct {
	body []byte
	root *fhirjson.Node // of body
}

// newDraft reads a resource that has to be of type typ. Its errors are
// *fhirjson.SyntaxError and *InvalidError.
func newDraft(typ string, body []byte) (*draft, error) {
	root, err := parseResource(typ, body)
	if err != nil {
		return nil, err
	}
	return &draft{body, root}, nil
}

// Judge asks Options.Check about a resource that fhirjson.Parse read from body.
func (s *Store) Judge(root *fhirjson.Node, body []byte) error {
	if s.check == nil {
		return nil
	}
	return s.check(root, body)
}

func (s *Store) judge(d *draft) error { return s.Judge(d.root, d.body) }

func parseResource(typ string, body []byte) (*fhirjson.Node, error) {
	root, err := fhirjson.Parse(body)
	if err != nil {
		return nil, err
	}
	if root.Kind != fhirjson.Object {
		return nil, &InvalidError{Code: "structure", Message: fmt.Sprintf("a resource is a JSON object; this is a JSON %s", root.Kind)}
	}
	got := root.Get("resourceType")
	switch {
	case got == nil:
		return nil, &InvalidError{Code: "required", Expression: "resourceType", Message: "the body has no resourceType, so it is no FHIR resource"}
	case got.Kind != fhirjson.String || got.Text != typ:
		return nil, &InvalidError{Code: "invalid", Expression: "resourceType", Message: fmt.Sprintf("the body's resourceType is %q, the URL's type is %s; they have to be the same", got.Text, typ)}
	}
	if meta := root.Get("meta"); meta != nil && meta.Kind != fhirjson.Object {
		return nil, &InvalidError{Code: "structure", Expression: typ + ".meta", Message: fmt.Sprintf("meta is a JSON %s; it has to be an object", meta.Kind)}
	}
	return root, nil
}

// id returns the body's own id, or "".
func (d *draft) id() string { return d.root.Str("id") }

// stamped returns the JSON with id and meta set, without insignificant white
// space: id, meta.versionId and meta.lastUpdated are replaced where they stand
// or put in behind resourceType; every other byte stays.
func (d *draft) stamped(id string, version int64, at time.Time) []byte {
	out := make([]byte, 0, len(d.body)+len(id)+96)
	out = append(out, '{')
	hasID, hasMeta := d.root.Get("id") != nil, d.root.Get("meta") != nil
	for i := range d.root.Members {
		m := &d.root.Members[i]
		if i > 0 {
			out = append(out, ',')
		}
		switch m.Name {
		case "id":
			out = appendID(out, id)
		case "meta":
			out = d.appendMeta(out, &m.Value, version, at)
		default:
			out = fhirjson.Compact(out, d.body[m.NameStart:m.Value.End])
		}
		if m.Name == "resourceType" && !hasID {
			out = appendID(append(out, ','), id)
		}
		if !hasMeta && (m.Name == "id" || m.Name == "resourceType" && !hasID) {
			out = d.appendMeta(append(out, ','), nil, version, at)
		}
	}
	return append(out, '}')
}

func appendID(out []byte, id string) []byte {
	return strconv.AppendQuote(append(out, `"id":`...), id) // the id grammar needs no escapes
}

func (d *draft) appendMeta(out []byte, meta *fhirjson.Node, version int64, at time.Time) []byte {
	out = append(out, `"meta":{"versionId":"`...)
	out = strconv.AppendInt(out, version, 10)
	out = append(out, `","lastUpdated":"`...)
	out = at.UTC().AppendFormat(out, instantLayout)
	out = append(out, '"')
	if meta != nil {
		for i := range meta.Members {
			if m := &meta.Members[i]; m.Name != "versionId" && m.Name != "lastUpdated" {
				out = fhirjson.Compact(append(out, ','), d.body[m.NameStart:m.Value.End])
			}
		}
	}
	return append(out, '}')
}

// ValidID reports whether id fits the grammar of logical ids (FHIR R4,
// datatypes, id): 1 to 64 of A-Z a-z 0-9 - and the dot.
func ValidID(id string) bool {
	if len(id) == 0 || len(id) > 64 {
		return false
	}
	for i := range len(id) {
		c := id[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.') {
			return false
		}
	}
	return true
}
