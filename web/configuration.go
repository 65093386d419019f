package web

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ConfigurationPage shows how clients are met: the SMART configuration of both
// environments, and every switch of the behaviour in force.
type ConfigurationPage struct {
	Site
	JSON   string // URL of the behaviour as JSON
	Choose string // URL that a form posts the name of another behaviour to

	Behaviour   string // the name of the one in force
	Description string
	Behaviours  []Behaviour // all that can be chosen
	Switches    []Switch
	Documents   []Document
}

// Behaviour is a set of switches that can be chosen.
type Behaviour struct{ Name, Description string }

// Switch is a setting of the behaviour.
type Switch struct {
	Name    string
	Value   string
	Strict  string // the value in strict
	Effect  string // "milder", "stricter", "different", or empty for as strict
	Meaning string
	Source  string
}

// Document is an environment's SMART configuration.
type Document struct {
	Environment
	JSON []byte
}

// Render returns the page as HTML.
func (p ConfigurationPage) Render() ([]byte, error) { return render("configuration.html", p) }

// Title returns the document's title.
func (p ConfigurationPage) Title() string { return "SMART configuration · Sandfhir" }

// Differing returns the switches that are not as strict has them.
func (p ConfigurationPage) Differing() []Switch {
	return p.switches(func(s Switch) bool { return s.Effect != "" })
}

// Rest returns the others.
func (p ConfigurationPage) Rest() []Switch {
	return p.switches(func(s Switch) bool { return s.Effect == "" })
}

func (p ConfigurationPage) switches(want func(Switch) bool) []Switch {
	var list []Switch
	for _, s := range p.Switches {
		if want(s) {
			list = append(list, s)
		}
	}
	return list
}

// Summary says in words how far the behaviour is from strict: "8 milder, 4
// stricter, 2 different".
func (p ConfigurationPage) Summary() string {
	var parts []string
	for _, effect := range []string{"milder", "stricter", "different"} {
		if n := len(p.switches(func(s Switch) bool { return s.Effect == effect })); n > 0 {
			parts = append(parts, strconv.Itoa(n)+" "+effect)
		}
	}
	return strings.Join(parts, ", ")
}

// Shown returns the value for reading; an empty one is told apart.
func (s Switch) Shown() string { return shown(s.Value) }

// ShownStrict does the same with the value in strict.
func (s Switch) ShownStrict() string { return shown(s.Strict) }

func shown(value string) string {
	if value == "" {
		return "empty"
	}
	return value
}

// Sentence returns the meaning as a sentence.
func (s Switch) Sentence() string {
	if s.Meaning == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(s.Meaning)
	return string(unicode.ToUpper(first)) + s.Meaning[size:] + "."
}

// Word returns the effect as a word for a reader.
func (s Switch) Word() string {
	switch s.Effect {
	case "milder":
		return "Milder"
	case "stricter":
		return "Stricter"
	case "different":
		return "Different"
	}
	return "As strict"
}

// Text returns the document, indented.
func (d Document) Text() string { return indent(d.JSON) }
