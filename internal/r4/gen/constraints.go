package main

import (
	"maps"
	"slices"
	"strings"
)

// A rulebook knows the constraints of all types. Each has an id: its key, or, where several
// types use one key for different things (inv-1), the type's name, a colon and the key for all
// but the first.
type rulebook struct {
	types map[string]structure
	rules map[string]constraint // by id
}

func newRulebook(types map[string]structure) rulebook {
	b := rulebook{types, map[string]constraint{}}
	for _, name := range slices.Sorted(maps.Keys(types)) {
		for _, e := range types[name].Snapshot.Element {
			for _, c := range e.Constraint {
				if !wanted(c) {
					continue
				}
				id := c.Key
				if first, taken := b.rules[id]; taken && first.Expression != c.Expression {
					id = name + ":" + c.Key
				}
				b.rules[id] = c
			}
		}
	}
	return b
}

// wanted reports whether a constraint belongs in the table. evv-1 is of R5; htmlChecks() cannot
// be said in FHIRPath.
func wanted(c constraint) bool {
	return c.Key != "evv-1" && c.Expression != "" && !strings.Contains(c.Expression, "htmlChecks()")
}

// idsOf returns the ids of an element's constraints, without those that it has from its own
// types or, for the root of a type, from the type's base.
func (b rulebook) idsOf(e element) []string {
	root, _, isChild := strings.Cut(e.Path, ".")
	inherited := map[string]bool{}
	if isChild {
		for _, t := range typeNames(e) {
			b.collect(inherited, t)
		}
		b.collect(inherited, "Element")
	} else {
		b.collect(inherited, baseOf(b.types[root]))
	}
	var ids []string
	for _, c := range e.Constraint {
		id := root + ":" + c.Key
		if _, ok := b.rules[id]; !ok {
			id = c.Key
		}
		if _, ok := b.rules[id]; ok && !inherited[c.Key] && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// collect adds the keys of the constraints on the root of a type and its bases.
func (b rulebook) collect(keys map[string]bool, typ string) {
	for s, ok := b.types[typ]; ok; s, ok = b.types[baseOf(s)] {
		for _, c := range s.Snapshot.Element[0].Constraint {
			keys[c.Key] = true
		}
	}
}

// baseOf returns the name of the type that s specializes, "" for none.
func baseOf(s structure) string { return strings.TrimPrefix(s.BaseDefinition, structurePrefix) }
