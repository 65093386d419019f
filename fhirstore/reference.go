package fhirstore

import (
	"fmt"
	"strings"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/fhirpath"
	"github.com/sandfhir/sandfhir/internal/r4"
)

// A refValue is a value of a reference parameter: "Type/id" for a literal
// relative reference, without a version; otherwise the URL as it stands. A
// canonical with a version is a second value without it.
type refValue struct {
	param  int32
	target string
}

// A uriValue is a value of a uri parameter.
type uriValue struct {
	param int32
	value string
}

// targets joins references x with the resources t that they lead to.
const targets = `ix_ref x JOIN resource t ON t.type = substr(x.target, 1, instr(x.target, '/') - 1) AND t.id = substr(x.target, instr(x.target, '/') + 1)`

func appendRefs(to []refValue, param int32, f fhirpath.Value) []refValue {
	text := f.Node.Text
	if f.Node.Kind == fhirjson.Object {
		text = f.Node.Str("reference")
	}
	if text == "" || text[0] == '#' {
		return to
	}
	if local := localReference(text); local != "" {
		text = local
	}
	if unversioned, _, versioned := strings.Cut(text, "|"); versioned && f.Type == "canonical" {
		to = append(to, refValue{param, unversioned})
	}
	return append(to, refValue{param, text})
}

// localReference returns "Type/id" for a relative reference, with or without a
// version, and "" for everything else.
func localReference(text string) string {
	typ, rest, ok := strings.Cut(text, "/")
	if !ok || typ == "" || typ[0] < 'A' || typ[0] > 'Z' {
		return ""
	}
	id, _, _ := strings.Cut(rest, "/")
	if !ValidID(id) {
		return ""
	}
	return typ + "/" + id
}

// parseReference turns the value of a reference search into the targets that it
// may mean: an id alone can be of any type that the parameter points to, or of
// the one that a modifier names.
func parseReference(p *r4.SearchParam, modifier, base, text string) ([]string, error) {
	text = unescape(text)
	if rest, ok := strings.CutPrefix(text, strings.TrimSuffix(base, "/")+"/"); ok && base != "" {
		text = rest
	}
	if local := localReference(text); local != "" {
		if modifier != "" && !strings.HasPrefix(local, modifier+"/") {
			return nil, fmt.Errorf("%q is not a reference to a %s, which the modifier asks for", text, modifier)
		}
		return []string{local}, nil
	}
	if strings.Contains(text, "/") || strings.Contains(text, ":") {
		return []string{text}, nil
	}
	if !ValidID(text) {
		return nil, fmt.Errorf("%q is no reference: give an id, Type/id or an absolute URL", text)
	}
	if modifier != "" {
		return []string{modifier + "/" + text}, nil
	}
	list := make([]string, 0, len(p.Targets))
	for _, t := range p.Targets {
		list = append(list, t+"/"+text)
	}
	return list, nil
}

// above returns the URLs above one: those that it lies below by the segments of
// its path (FHIR R4, Search, uri).
func above(url string) (list []string) {
	start := 0
	if i := strings.Index(url, "://"); i >= 0 {
		start = i + len("://")
	}
	for end := len(url); ; {
		cut := strings.LastIndexByte(url[start:end], '/')
		if cut < 0 {
			return list
		}
		end = start + cut
		list = append(list, url[:end], url[:end+1])
	}
}

// below is the alternative of being a URL or one below it by the segments of
// its path (FHIR R4, Search, uri).
type below string

func (b below) dir() string { return strings.TrimSuffix(string(b), "/") + "/" }

func (b below) match(u uriValue) bool {
	return u.value == string(b) || strings.HasPrefix(u.value, b.dir())
}

func (b below) sql() (string, []any) {
	dir := b.dir()
	return "(x.value = ? OR x.value >= ? AND x.value < ?)", []any{string(b), dir, dir[:len(dir)-1] + "0"} // 0 comes after /
}

func (b below) ranges() []part {
	_, args := b.sql()
	return []part{{where: "x.value = ?", args: args[:1]}, {where: "x.value >= ? AND x.value < ?", args: args[1:]}}
}
