package seed

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/sandfhir/sandfhir/internal/clock"
	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/reference"
)

// A text is JSON and where it stands: an NDJSON line or a file.
type text struct {
	file string
	line int // number of data's first line
	data []byte

	at, atLine, lineStart int // the last place asked for
}

// place returns the line, and the column in bytes from 1, of an offset. Asking in the order of
// offsets costs one pass over the data.
func (t *text) place(offset int) (line, column int) {
	if t.atLine == 0 || offset < t.at {
		t.at, t.atLine, t.lineStart = 0, t.line, 0
	}
	between := t.data[t.at:offset]
	t.atLine += bytes.Count(between, []byte{'\n'})
	if i := bytes.LastIndexByte(between, '\n'); i >= 0 {
		t.lineStart = t.at + i + 1
	}
	t.at = offset
	return t.atLine, offset - t.lineStart + 1
}

func (t *text) problem(offset int, reason string, err error) LoadProblem {
	line, column := t.place(offset)
	return LoadProblem{File: t.file, Line: line, Column: column, Reason: reason, err: err}
}

// syntax returns the problem that err is: an error of fhirjson.Parse on the part of t from base.
func (t *text) syntax(base int, err error) LoadProblem {
	var s *fhirjson.SyntaxError
	if !errors.As(err, &s) {
		return t.problem(base, err.Error(), err)
	}
	return t.problem(min(base+s.Offset, len(t.data)), s.Msg, err)
}

// json loads a file that holds one Bundle or one resource. One that holds neither is passed
// over: among the files of a package, or of a pattern that a shell expands, there is other JSON
// as well.
func (l *loader) json(name string, r io.Reader, size int64) error {
	var buf bytes.Buffer
	if 0 < size && size <= l.opts.MaxDocument {
		buf.Grow(int(size) + bytes.MinRead)
	}
	if _, err := buf.ReadFrom(io.LimitReader(r, l.opts.MaxDocument+1)); err != nil {
		return l.unreadable(name, 0, err)
	}
	if int64(buf.Len()) > l.opts.MaxDocument {
		return l.bad(LoadProblem{File: name, Reason: fmt.Sprintf(
			"the file is larger than %d bytes, which is too much for one JSON value; NDJSON has no such limit",
			l.opts.MaxDocument)})
	}
	data := bytes.TrimPrefix(buf.Bytes(), byteOrderMark())
	return l.document(&text{file: name, line: 1, data: data}, false)
}

// document loads one JSON value. required says whether it has to be a resource.
func (l *loader) document(t *text, required bool) error {
	if b, ok := splitBundle(t.data); ok {
		return l.bundle(t, b)
	}
	n, err := fhirjson.Parse(t.data)
	if err != nil {
		return l.bad(t.syntax(0, err))
	}
	if !required && n.Get("resourceType") == nil {
		l.skip(skipNotFHIR)
		return nil
	}
	a := arrival{t: t, node: n}
	if bytes.Contains(t.data, []byte("?identifier=")) {
		refs := references{earlier: l.identifiers}
		var left []unresolved
		a.edits, left = refs.resolveConditional(n, t.data)
		for _, u := range left {
			l.warn(t.problem(u.at, u.reason, nil))
		}
	}
	return l.resource(a)
}

// An arrival is one resource on its way to emit.
type arrival struct {
	t     *text
	base  int              // where the bytes that node was parsed from begin in t
	node  *fhirjson.Node   // the resource
	id    string           // for a resource that has none
	edits []reference.Edit // of its bytes, from base
}

// resource checks one resource and emits it.
func (l *loader) resource(a arrival) error {
	typ, at, reason := l.resourceType(a.node)
	if reason != "" {
		return l.bad(a.t.problem(a.base+at, reason, nil))
	}
	id, at, reason := resourceID(a.node, a.id)
	if reason != "" {
		return l.bad(a.t.problem(a.base+at, fmt.Sprintf("%s %s", typ, reason), nil))
	}
	key := typ + "/" + id
	start := a.base + a.node.Start
	if first, ok := l.seen.find(key); ok {
		return l.bad(a.t.problem(start, fmt.Sprintf("%s stands in this load already: %s", key, first), nil))
	}

	r := Resource{Type: typ, ID: id, JSON: a.compact()}
	if l.opts.KeepInstants {
		r.At = l.instant(a.node)
	}
	err := l.hand(r)
	var refused *ResourceError
	switch {
	case errors.As(err, &refused):
		return l.bad(a.t.problem(start, fmt.Sprintf("%s: %s", key, refused), refused.Err))
	case err != nil:
		return fmt.Errorf("load %s from %s: %w", key, a.t.file, err)
	}
	line, _ := a.t.place(start)
	l.seen.add(key, a.t.file, line)
	if sharedContext(typ) {
		l.identifiers.add(a.node, key)
	}
	l.report.Resources++
	l.report.ByType[typ]++
	return nil
}

func (l *loader) hand(r Resource) error {
	if l.opts.Validate != nil {
		if err := l.opts.Validate(r.Type, r.JSON); err != nil {
			return &ResourceError{err}
		}
	}
	return l.emit(r)
}

// resourceType returns n's resourceType, or what is wrong with it and where.
func (l *loader) resourceType(n *fhirjson.Node) (typ string, at int, reason string) {
	if n.Kind != fhirjson.Object {
		return "", n.Start, fmt.Sprintf("a resource is a JSON object, this is of kind %s", n.Kind)
	}
	m := n.Get("resourceType")
	switch {
	case m == nil:
		return "", n.Start, "the resource has no resourceType"
	case m.Kind != fhirjson.String:
		return "", m.Start, fmt.Sprintf("resourceType is a string, this is of kind %s", m.Kind)
	case !l.opts.IsResourceType(m.Text):
		return "", m.Start, fmt.Sprintf("FHIR R4 has no resource type %q", m.Text)
	}
	return m.Text, 0, ""
}

// resourceID returns n's id, or else the given one, or what is wrong with it and where.
func resourceID(n *fhirjson.Node, given string) (id string, at int, reason string) {
	m := n.Get("id")
	switch {
	case m == nil && given != "":
		return given, 0, ""
	case m == nil:
		return "", n.Start, "has no id"
	case m.Kind != fhirjson.String:
		return "", m.Start, fmt.Sprintf("id is a string, this is of kind %s", m.Kind)
	case !wellFormedID(m.Text):
		return "", m.Start, fmt.Sprintf("id %q is not 1 to 64 letters, digits, hyphens and dots", m.Text)
	}
	return m.Text, 0, ""
}

// wellFormedID implements the id type of FHIR R4: [A-Za-z0-9\-\.]{1,64}.
func wellFormedID(id string) bool {
	for _, c := range []byte(id) {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '.') {
			return false
		}
	}
	return 1 <= len(id) && len(id) <= 64
}

// instant returns n's meta.lastUpdated in UTC and whole milliseconds; zero where it has none,
// an ill-formed one or one of the future.
func (l *loader) instant(n *fhirjson.Node) time.Time {
	at, err := parseInstant(n.Get("meta").Str("lastUpdated"))
	now := l.opts.AsOf
	if now.IsZero() {
		now = clock.System{}.Now()
	}
	if err != nil || at.After(now) {
		return time.Time{}
	}
	return at.UTC().Truncate(time.Millisecond)
}

// parseInstant reads the instant type of FHIR R4, which RFC 3339's parser is laxer than: it
// takes one digit for an hour and a comma for the decimal point.
func parseInstant(s string) (time.Time, error) {
	if len(s) < len("2006-01-02T15:04:05Z") || s[10] != 'T' || s[13] != ':' || strings.Contains(s, ",") {
		return time.Time{}, fmt.Errorf("%q is not an instant", s)
	}
	return time.Parse(time.RFC3339Nano, s)
}
