package main

import (
	"maps"
	"slices"
	"strings"
)

// types returns the resource and data types of R4 by name, without their profiles.
func (d *definitions) types() map[string]structure {
	types := map[string]structure{}
	for _, s := range d.structures {
		if s.Derivation != "constraint" && s.Kind != "logical" && s.FHIRVersion == fhirVersion {
			types[s.Name] = s
		}
	}
	return types
}

// isResource reports whether s is a resource type that has instances.
func isResource(s structure) bool { return s.Kind == "resource" && !s.Abstract }

// ownElements returns the elements that a type does not inherit, corrected after HL7's list of
// data elements.
func (d *definitions) ownElements(s structure) []element {
	var own []element
	for _, e := range s.Snapshot.Element {
		if e.Base.Path == e.Path && strings.Contains(e.Path, ".") && d.genuine(e) {
			own = append(own, d.corrected(e))
		}
	}
	if s.Kind == "primitive-type" {
		return nil // what they add is the value, which is no element in JSON
	}
	return append(own, d.missing(s)...)
}

// genuine reports whether an element belongs to 4.0.1. The list of data elements has every
// element but the parents of others, those that only refer to another's content, and those whose
// id ("de-" and the path) would be longer than the 64 characters that an id may have.
func (d *definitions) genuine(e element) bool {
	const longestID = 64
	parent := e.Path[:strings.LastIndexByte(e.Path, '.')]
	if strings.Contains(parent, ".") && !d.genuine(element{Path: parent}) {
		return false
	}
	_, listed := d.dataElements[e.Path]
	return listed || e.ContentReference != "" || len("de-"+e.Path) > longestID || d.parents()[e.Path]
}

// parents returns the paths that have a data element below them.
func (d *definitions) parents() map[string]bool {
	if d.parentPaths == nil {
		d.parentPaths = map[string]bool{}
		for path := range d.dataElements {
			for i := strings.LastIndexByte(path, '.'); i >= 0; i = strings.LastIndexByte(path[:i], '.') {
				d.parentPaths[path[:i]] = true
			}
		}
	}
	return d.parentPaths
}

// corrected returns e with the types and the binding that the list has.
func (d *definitions) corrected(e element) element {
	if listed, ok := d.dataElements[e.Path]; ok {
		e.Type, e.Binding = listed.Type, listed.Binding
	}
	return e
}

// missing returns the elements of s that are on the list only, in alphabetical order.
func (d *definitions) missing(s structure) []element {
	have := map[string]bool{}
	for _, e := range s.Snapshot.Element {
		have[e.Path] = true
	}
	var missing []element
	for _, path := range slices.Sorted(maps.Keys(d.dataElements)) {
		if strings.HasPrefix(path, s.Name+".") && !have[path] {
			missing = append(missing, d.dataElements[path])
		}
	}
	return missing
}

// relative returns an element's path without the type's name.
func relative(path string) string { return path[strings.IndexByte(path, '.')+1:] }

// typeNames returns the element's types: FHIR's names, in the order of the definition. A
// reference to another element's content is "#" and that element's path.
func typeNames(e element) []string {
	if e.ContentReference != "" {
		return []string{e.ContentReference}
	}
	names := make([]string, 0, len(e.Type))
	for _, t := range e.Type {
		names = append(names, typeName(e.Path, t.Code))
	}
	return names
}

// typeName replaces FHIRPath's System types, which ids and urls have, by FHIR's own.
func typeName(path, code string) string {
	if !strings.HasPrefix(code, "http://hl7.org/fhirpath/System.") {
		return code
	}
	switch path {
	case "Resource.id":
		return "id"
	case "Extension.url":
		return "uri"
	}
	return "string"
}

// targetNames returns the resource types that the element's References and canonicals may point
// to, sorted; nil means any.
func targetNames(e element) []string {
	var names []string
	for _, t := range e.Type {
		for _, profile := range t.TargetProfile {
			names = append(names, strings.TrimPrefix(profile, structurePrefix))
		}
	}
	slices.Sort(names)
	if slices.Contains(names, "Resource") {
		return nil
	}
	return slices.Compact(names)
}
