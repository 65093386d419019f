package main

import (
	"fmt"
	"slices"
	"strings"
)

// A parameter is a search parameter of one type.
type parameter struct {
	code, kind, url, expression string
	targets                     []string
	parts                       []part
}

// A part is a component of a composite: the code of the parameter that it is a value of, and an
// expression on the composite's value.
type part struct{ code, expression string }

// additions are search parameters that clients of US payers and providers use and base R4 lacks:
// those of US Core 6.1.0 (CC0, hl7.fhir.us.core 6.1.0, SearchParameter-us-core-*.json), and
// Group's name, which R5 has and the Bulk Data guide's cohorts are found by.
func additions() []searchParameter {
	const usCore = "http://hl7.org/fhir/us/core/SearchParameter/us-core-"
	add := func(url, base, code, kind, expression string) searchParameter {
		return searchParameter{URL: url, Base: []string{base}, Code: code, Type: kind, Expression: expression}
	}
	return []searchParameter{
		add(usCore+"careteam-role", "CareTeam", "role", "token", "CareTeam.participant.role"),
		add(usCore+"condition-asserted-date", "Condition", "asserted-date", "date",
			"Condition.extension.where(url = 'http://hl7.org/fhir/StructureDefinition/condition-assertedDate').valueDateTime"),
		add(usCore+"encounter-discharge-disposition", "Encounter", "discharge-disposition", "token",
			"Encounter.hospitalization.dischargeDisposition"),
		add(usCore+"ethnicity", "Patient", "ethnicity", "token",
			"Patient.extension.where(url = 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-ethnicity').extension.value.code"),
		add(usCore+"goal-description", "Goal", "description", "token", "Goal.description"),
		add(usCore+"patient-gender-identity", "Patient", "gender-identity", "token",
			"Patient.extension.where(url='http://hl7.org/fhir/us/core/StructureDefinition/us-core-genderIdentity').value.coding.code"),
		add(usCore+"race", "Patient", "race", "token",
			"Patient.extension.where(url = 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-race').extension.value.code"),
		add(parameterPrefix+"Group-name", "Group", "name", "string", "Group.name"),
	}
}

// anyTarget is from how many target types on a parameter means a reference to anything: the
// published lists of all types leave out a few.
const anyTarget = 140

// parametersOf returns the search parameters whose base is exactly the type, by code.
func (d *definitions) parametersOf(typ string, types map[string]structure) ([]parameter, error) {
	var found []parameter
	for _, p := range append(slices.Clone(d.parameters), additions()...) {
		if !slices.Contains(p.Base, typ) {
			continue
		}
		expression, err := applicable(p, typ)
		if err != nil {
			return nil, err
		}
		one := parameter{code: p.Code, kind: p.Type, url: p.URL, expression: expression}
		for _, target := range p.Target {
			if isResource(types[target]) {
				one.targets = append(one.targets, target)
			}
		}
		slices.Sort(one.targets)
		if len(one.targets) >= anyTarget {
			one.targets = []string{"*"}
		}
		for _, c := range p.Component {
			code, err := d.codeOf(c.Definition, typ)
			if err != nil {
				return nil, fmt.Errorf("%s of %s: %w", p.Code, typ, err)
			}
			one.parts = append(one.parts, part{code, c.Expression})
		}
		if p.URL == parameterPrefix+"DocumentReference-relationship" { // published with its parts' expressions exchanged
			one.parts[0].expression, one.parts[1].expression = one.parts[1].expression, one.parts[0].expression
		}
		found = append(found, one)
	}
	slices.SortFunc(found, func(a, b parameter) int { return strings.Compare(a.code, b.code) })
	return found, nil
}

// codeOf returns the code of the parameter that a URL names; it has to be one of the type.
func (d *definitions) codeOf(url, typ string) (string, error) {
	for _, p := range d.parameters {
		if p.URL == url && slices.Contains(p.Base, typ) {
			return p.Code, nil
		}
	}
	return "", fmt.Errorf("no parameter %s", url)
}

// applicable returns those alternatives of a parameter's expression that begin with the type: a
// parameter of several bases joins one or more alternatives for each.
func applicable(p searchParameter, typ string) (string, error) {
	if corrected := correction(p.URL); corrected != "" {
		return corrected, nil
	}
	if len(p.Base) == 1 {
		return p.Expression, nil
	}
	var kept []string
	for _, alternative := range alternatives(p.Expression) {
		if head(alternative) == typ {
			kept = append(kept, alternative)
		}
	}
	if len(kept) == 0 {
		return "", fmt.Errorf("nothing in the expression of %s applies to %s", p.URL, typ)
	}
	return strings.Join(kept, " | "), nil
}

// correction returns what a published expression should say. Both select the first resource of any
// Bundle; the parameters' descriptions restrict them to documents and messages.
func correction(url string) string {
	switch url {
	case parameterPrefix + "Bundle-composition":
		return "Bundle.entry[0].resource.as(Composition)"
	case parameterPrefix + "Bundle-message":
		return "Bundle.entry[0].resource.as(MessageHeader)"
	}
	return ""
}

// alternatives splits an expression at the unions that stand outside of brackets and quotes.
func alternatives(expression string) []string {
	var parts []string
	depth, start, quoted := 0, 0, false
	for i, c := range expression {
		switch {
		case c == '\'':
			quoted = !quoted
		case quoted:
		case c == '(' || c == '[':
			depth++
		case c == ')' || c == ']':
			depth--
		case c == '|' && depth == 0:
			parts = append(parts, strings.TrimSpace(expression[start:i]))
			start = i + 1
		}
	}
	return append(parts, strings.TrimSpace(expression[start:]))
}

// head returns the name that an alternative begins with.
func head(alternative string) string {
	alternative = strings.TrimLeft(alternative, "( ")
	if end := strings.IndexAny(alternative, ". )["); end >= 0 {
		return alternative[:end]
	}
	return alternative
}
