package behaviour

import (
	"embed"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/bulk"
)

// A Behaviour is a set of switches with a name. The zero value is no behaviour;
// begin with Strict. A Behaviour does not change: With returns another one.
type Behaviour struct {
	Name        string // strict, aidbox, or what a file of one's own says
	Description string // one line
	Extends     string // the name of what it was derived from, "" for strict

	switches switches
	sources  map[string]string // by switch: what its value follows
}

// Authz returns the switches as package authz takes them.
func (b Behaviour) Authz() authz.Behaviour { return b.switches.Behaviour }

// Exports returns the switches as package bulk takes them.
func (b Behaviour) Exports() bulk.Behaviour { return b.switches.export }

// A Setting is a switch with the value that a behaviour gives it.
type Setting struct {
	*Switch
	Value  string
	Strict string // the value in strict, which is the default
	Source string // what the value follows
	Effect Effect // how it differs from strict
}

// Settings returns every switch, in the order of the table.
func (b Behaviour) Settings() []Setting {
	table, strict := Table(), strictSwitches()
	list := make([]Setting, len(table))
	for i := range table {
		s := &table[i]
		value := s.get(b.switches)
		list[i] = Setting{Switch: s, Value: value, Strict: s.get(strict), Source: b.sources[s.Name], Effect: s.Effect(value)}
	}
	return list
}

// With returns the behaviour with one switch at another value. source says who
// or what wants it so.
func (b Behaviour) With(name, value, source string) (Behaviour, error) {
	s, err := Find(name)
	if err != nil {
		return b, err
	}
	switches := b.switches
	if err := s.set(&switches, value); err != nil {
		return b, fmt.Errorf("%s: %w", name, err)
	}
	if err := switches.Validate(); err != nil {
		return b, fmt.Errorf("%s: %w", name, err)
	}
	b.switches, b.sources = switches, maps.Clone(b.sources)
	if b.sources == nil {
		b.sources = map[string]string{}
	}
	b.sources[name] = source
	return b, nil
}

//go:embed strict.json aidbox.json
var files embed.FS

// builtin are the behaviours that come with the program, read at first use.
var builtin = sync.OnceValues(func() ([]Behaviour, error) {
	var list []Behaviour
	for _, name := range []string{"strict", "aidbox"} {
		data, err := files.ReadFile(name + ".json")
		if err != nil {
			return nil, err
		}
		r := reader{name: name + ".json", known: list}
		b, err := r.read(data)
		if err != nil {
			return nil, err
		}
		list = append(list, b)
	}
	return list, nil
})

// Builtin returns the behaviours that come with the program, strict first.
func Builtin() []Behaviour {
	list, err := builtin()
	if err != nil {
		panic("behaviour: " + err.Error()) // a test reads them
	}
	return slices.Clone(list)
}

// Strict returns the default.
func Strict() Behaviour { return Builtin()[0] }

// Named returns the behaviour of a list that has the name. The error of one
// that does not exist names those that do.
func Named(list []Behaviour, name string) (Behaviour, error) {
	names := make([]string, len(list))
	for i, b := range list {
		if b.Name == name {
			return b, nil
		}
		names[i] = b.Name
	}
	near := didYouMean(name, names)
	if near == "" {
		near = "; there are " + strings.Join(names, ", ")
	}
	return Behaviour{}, fmt.Errorf("there is no behaviour %q%s", name, near)
}
