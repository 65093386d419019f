package main

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// fileHeader tells a reader of the table what its lines are.
const fileHeader = `# HL7 FHIR R4 (4.0.1), cut down to what this program uses. Derived from the definitions that HL7
# publishes under CC0 (https://hl7.org/fhir/R4/downloads.html) by internal/r4/gen. Do not edit.
# FHIR is the registered trademark of HL7.
#
# Fields are separated by tabs:
#   constraint  id, severity, expression, text     id is the key, or type:key where types share a key
#   valueset    url                                of a required binding; http://hl7.org/fhir/ValueSet/ is left out
#   codes       system, codes                      of the value set above
#   type        name, number, base, constraints, patient compartment parameters
#   el          path, cardinality, types, targets, flags (S summary, M modifier), value set, constraints
#   param       number, code, kind, targets (* any), url, expression
#   part        code, expression                   of the composite parameter above
#   retired     number, code                       a parameter that is no more; the number stays taken
# Numbers are for good: a search index refers to them (internal/r4/gen/registry.go).
`

// write writes the table.
func write(out *bytes.Buffer, d *definitions, numbers *registry) error {
	w := &writer{out: out, defs: d, numbers: numbers, types: d.types()}
	w.rules = newRulebook(w.types)
	out.WriteString(fileHeader)
	for _, id := range slices.Sorted(maps.Keys(w.rules.rules)) {
		c := w.rules.rules[id]
		w.line("constraint", id, c.Severity, c.Expression, c.Human)
	}
	w.valueSets()
	for _, s := range slices.SortedFunc(maps.Values(w.types), byName) {
		if err := w.structure(s); err != nil {
			return err
		}
	}
	return w.err
}

type writer struct {
	out     *bytes.Buffer
	defs    *definitions
	numbers *registry
	types   map[string]structure
	rules   rulebook
	err     error
}

func (w *writer) line(fields ...string) {
	for _, f := range fields {
		if strings.ContainsAny(f, "\t\r\n") {
			w.err = fmt.Errorf("a field has a tab or a line end: %q", f)
		}
	}
	w.out.WriteString(strings.TrimRight(strings.Join(fields, "\t"), "\t"))
	w.out.WriteByte('\n')
}

func (w *writer) valueSets() {
	urls := map[string]bool{}
	for _, s := range w.types {
		for _, e := range w.defs.ownElements(s) {
			urls[requiredValueSet(e)] = true
		}
	}
	for _, url := range slices.Sorted(maps.Keys(urls)) {
		lists, ok := w.defs.expand(url)
		if !ok {
			continue
		}
		w.line("valueset", strings.TrimPrefix(url, valueSetPrefix))
		for _, l := range lists {
			w.line(append([]string{"codes", l.system}, l.codes...)...)
		}
	}
}

func (w *writer) structure(s structure) error {
	number, err := w.typeNumber(s)
	if err != nil {
		return err
	}
	root := w.rules.idsOf(s.Snapshot.Element[0])
	w.line("type", s.Name, number, baseOf(s), strings.Join(root, ","), strings.Join(w.compartment(s.Name), ","))
	for _, e := range w.defs.ownElements(s) {
		w.element(e)
	}
	if s.Kind != "resource" {
		return nil
	}
	return w.parameters(s.Name)
}

// typeNumber returns a resource type's number and nothing for other types.
func (w *writer) typeNumber(s structure) (string, error) {
	if !isResource(s) && s.Name != "Resource" {
		return "", nil
	}
	n, err := w.numbers.typeNumber(s.Name)
	return strconv.Itoa(n), err
}

func (w *writer) element(e element) {
	flags := ""
	if e.IsSummary {
		flags += "S"
	}
	if e.IsModifier {
		flags += "M"
	}
	w.line("el", relative(e.Path), fmt.Sprintf("%d..%s", e.Min, e.Max), strings.Join(typeNames(e), ","),
		strings.Join(targetNames(e), ","), flags, strings.TrimPrefix(requiredValueSet(e), valueSetPrefix),
		strings.Join(w.rules.idsOf(e), ","))
}

func (w *writer) parameters(typ string) error {
	params, err := w.defs.parametersOf(typ, w.types)
	if err != nil {
		return err
	}
	present := map[string]bool{}
	for _, p := range params {
		present[p.code] = true
		number, err := w.numbers.paramNumber(typ, p.code)
		if err != nil {
			return err
		}
		w.line("param", strconv.Itoa(number), p.code, p.kind, strings.Join(p.targets, ","),
			strings.TrimPrefix(p.url, parameterPrefix), p.expression)
		for _, part := range p.parts {
			w.line("part", part.code, part.expression)
		}
	}
	for _, code := range slices.Sorted(maps.Keys(w.numbers.of(typ))) {
		if !present[code] {
			w.line("retired", strconv.Itoa(w.numbers.of(typ)[code]), code)
		}
	}
	return nil
}

// compartment returns the parameters by which the type is in a patient's compartment.
func (w *writer) compartment(typ string) []string {
	for _, r := range w.defs.patient.Resource {
		if r.Code == typ {
			return slices.Sorted(slices.Values(r.Param))
		}
	}
	return nil
}

func byName(a, b structure) int { return cmp.Compare(a.Name, b.Name) }
