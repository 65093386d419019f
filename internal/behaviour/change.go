package behaviour

import (
	"encoding/json"
	"fmt"
	"strings"
)

// takes says what kind of value a switch wants, for errors.
func (s *Switch) takes() string {
	switch s.Kind {
	case Flag:
		return "true or false"
	case Number:
		return "a whole number"
	case Duration:
		return "a duration such as 300s"
	case Choice:
		return "one of " + strings.Join(s.Values, ", ")
	case List:
		return "a list of " + strings.Join(s.Values, ", ")
	}
	return "a text"
}

// Change returns b as JSON wants it changed:
//
//	{"name": "aidbox", "switches": {"exp.max": "120s"}}
//
// With a name, one of the list is taken afresh; without one, b stays but for
// the switches. source says who changes it.
func (b Behaviour) Change(list []Behaviour, data []byte, source string) (Behaviour, error) {
	r := reader{name: source}
	root, err := r.parse(data)
	if err != nil {
		return b, err
	}
	if err := r.members(root, "name", "switches"); err != nil {
		return b, err
	}
	name, err := r.line(root, "name")
	if err != nil {
		return b, err
	}
	if name != "" {
		if b, err = Named(list, name); err != nil {
			return b, r.fail(root.Get("name").Start, "%w", err)
		}
	}
	return r.switches(b, root.Get("switches"))
}

// MarshalJSON returns the value as its kind suggests: a flag as a boolean, a
// list as an array.
func (s Setting) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Name    string   `json:"name"`
		Kind    Kind     `json:"kind"`
		Values  []string `json:"values,omitempty"`
		Value   any      `json:"value"`
		Default any      `json:"default"`
		Differs bool     `json:"differs"`
		Effect  Effect   `json:"effect,omitempty"`
		Meaning string   `json:"meaning"`
		IDs     []string `json:"ids"`
		Source  string   `json:"source"`
	}{s.Name, s.Kind, s.Values, s.natural(s.Value), s.natural(s.Strict), s.Effect != Same, s.Effect, s.Meaning, s.IDs, s.Source})
}

func (s *Switch) natural(value string) any {
	switch s.Kind {
	case Flag:
		return value == "true"
	case Number:
		return json.Number(value)
	case List:
		return strings.Fields(value)
	}
	return value
}

// origin is what strict is read over: the packages' own defaults.
func origin() Behaviour {
	return Behaviour{switches: strictSwitches()}
}

// String returns the name and how many switches differ from strict.
func (b Behaviour) String() string {
	n := 0
	for _, s := range b.Settings() {
		if s.Effect != Same {
			n++
		}
	}
	switch n {
	case 0:
		return b.Name
	case 1:
		return b.Name + " (1 switch differs from strict)"
	}
	return fmt.Sprintf("%s (%d switches differ from strict)", b.Name, n)
}
