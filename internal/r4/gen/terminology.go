package main

import (
	"slices"
	"strings"
)

// A codeList is the codes of one system in a value set.
type codeList struct {
	system string
	codes  []string
}

// expand returns the codes of a value set. ok is false where they cannot be listed from the
// sources: filters, other value sets, or systems that are published elsewhere (UCUM, ISO 4217,
// MIME types).
func (d *definitions) expand(url string) (lists []codeList, ok bool) {
	v, known := d.valueSets[url]
	if !known || len(v.Compose.Exclude) > 0 {
		return nil, false
	}
	for _, include := range v.Compose.Include {
		concepts := include.Concept
		if len(concepts) == 0 {
			system := d.codeSystems[include.System]
			if system.Content != "complete" {
				return nil, false
			}
			concepts = system.Concept
		}
		if len(include.Filter) > 0 || len(include.ValueSet) > 0 {
			return nil, false
		}
		codes := appendCodes(nil, concepts)
		slices.Sort(codes)
		lists = append(lists, codeList{include.System, slices.Compact(codes)})
	}
	slices.SortFunc(lists, func(a, b codeList) int { return strings.Compare(a.system, b.system) })
	return lists, len(lists) > 0
}

func appendCodes(codes []string, concepts []concept) []string {
	for _, c := range concepts {
		codes = appendCodes(append(codes, c.Code), c.Concept)
	}
	return codes
}

// requiredValueSet returns the value set of a required binding, without its version.
func requiredValueSet(e element) string {
	if e.Binding.Strength != "required" {
		return ""
	}
	url, _, _ := strings.Cut(e.Binding.ValueSet, "|")
	return url
}
