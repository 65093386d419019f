package r4

import (
	"slices"
	"strings"
	"sync"

	"github.com/sandfhir/sandfhir/internal/fhirpath"
)

// paramsPerType is how far apart the ids of two types' parameters are.
const paramsPerType = 128

// Params returns the search parameters of a resource type sorted by code, including those of
// Resource and DomainResource. Params("Resource") are the ones that every type has.
func (t *Table) Params(resourceType string) []*SearchParam {
	if def, ok := t.types[resourceType]; ok && def.number >= 0 {
		return def.params().sorted
	}
	return nil
}

// Param returns a resource type's search parameter.
func (t *Table) Param(resourceType, code string) (*SearchParam, bool) {
	def, ok := t.types[resourceType]
	if !ok || def.number < 0 {
		return nil, false
	}
	p, ok := def.params().byCode[code]
	return p, ok
}

// ParamByID returns the search parameter that has the id.
func (t *Table) ParamByID(id int32) (*SearchParam, bool) {
	def, ok := t.byNumber[int(id)/paramsPerType]
	if !ok {
		return nil, false
	}
	p, ok := def.params().byID[id]
	return p, ok
}

// PatientCompartment returns the reference parameters by which a resource of the type is in a
// patient's compartment (FHIR R4, CompartmentDefinition patient), sorted by code. It is empty for
// types that are only context, such as Practitioner. A Patient is in its own compartment besides.
func (t *Table) PatientCompartment(resourceType string) []*SearchParam {
	if def, ok := t.types[resourceType]; ok && def.number >= 0 {
		return def.params().compartment
	}
	return nil
}

// InPatientCompartment reports whether resources of the type can be in a patient's compartment,
// Patient itself included.
func (t *Table) InPatientCompartment(resourceType string) bool {
	def, ok := t.types[resourceType]
	return ok && len(def.compartment) > 0
}

// A paramSet is the search parameters of one resource type.
type paramSet struct {
	sorted      []*SearchParam
	byCode      map[string]*SearchParam
	byID        map[int32]*SearchParam
	compartment []*SearchParam
}

func (def *typeDef) readParams() *paramSet {
	set := &paramSet{byCode: map[string]*SearchParam{}, byID: map[int32]*SearchParam{}}
	for ancestor := def; ancestor != nil; ancestor = def.table.types[ancestor.base] {
		for line := range strings.Lines(ancestor.lines) {
			switch keyword, fields, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t"); keyword {
			case "param":
				set.add(def.newParam(fields))
			case "part":
				last := set.sorted[len(set.sorted)-1]
				last.Components = append(last.Components, def.newComponent(fields))
			}
		}
	}
	for _, p := range set.sorted {
		for i := range p.Components {
			code := p.Components[i].Param.Code
			p.Components[i].Param = set.byCode[code]
		}
	}
	slices.SortFunc(set.sorted, func(a, b *SearchParam) int { return strings.Compare(a.Code, b.Code) })
	for _, code := range def.compartment {
		set.compartment = append(set.compartment, set.byCode[code])
	}
	return set
}

func (set *paramSet) add(p *SearchParam) {
	set.sorted = append(set.sorted, p)
	set.byCode[p.Code] = p
	set.byID[p.ID] = p
}

// newParam reads a parameter: number, code, kind, targets, url, expression.
func (def *typeDef) newParam(fields string) *SearchParam {
	f := split(fields, 6)
	p := &SearchParam{
		ID:         int32(def.number*paramsPerType + integer(f[0])),
		Type:       def.name,
		Code:       f[1],
		Kind:       kindNamed(f[2]),
		Targets:    list(f[3]),
		URL:        absolute(parameterPrefix, f[4]),
		Expression: f[5],
		table:      def.table,
	}
	if f[3] == "*" {
		p.Targets = def.table.names
	}
	p.compile = compileOnce(p.Expression)
	return p
}

// newComponent reads a component: code, expression. Its parameter is only named; it may be on a
// later line.
func (def *typeDef) newComponent(fields string) Component {
	f := split(fields, 2)
	return Component{
		Param:      &SearchParam{Code: f[0]},
		Expression: f[1],
		table:      def.table,
		compile:    compileOnce(f[1]),
	}
}

func compileOnce(expression string) func() (*fhirpath.Expr, error) {
	return sync.OnceValues(func() (*fhirpath.Expr, error) { return fhirpath.Compile(expression) })
}
