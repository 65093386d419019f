package behaviour

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/bulk"
	"github.com/sandfhir/sandfhir/internal/nearest"
	"github.com/sandfhir/sandfhir/internal/r4"
)

// Kind is what a switch takes.
type Kind string

// The kinds.
const (
	Flag     Kind = "flag"     // true or false
	Number   Kind = "number"   // a whole number
	Duration Kind = "duration" // such as 300s or 5m
	Choice   Kind = "choice"   // one of Values
	List     Kind = "list"     // some of Values, separated by spaces
	Text     Kind = "text"
)

// Effect is how a value differs from that of strict.
type Effect string

// The effects. A milder value lets something pass that strict refuses, a
// stricter one refuses what strict lets pass.
const (
	Same      Effect = ""
	Milder    Effect = "milder"
	Stricter  Effect = "stricter"
	Different Effect = "different"
)

// A Switch is one row of the table.
type Switch struct {
	Name    string // aud.accept
	Kind    Kind
	Values  []string // what a choice or a list takes
	Meaning string   // one line
	// IDs are the requirements, differences between sources and findings
	// that it is about.
	IDs []string

	get    func(switches) string
	set    func(*switches, string) error
	effect func(value, strict string) Effect
}

// switches are what the rows of the table set: those of the authorization server, and those
// of exports.
type switches struct {
	authz.Behaviour
	export bulk.Behaviour
}

func strictSwitches() switches { return switches{authz.Strict(), bulk.Strict()} }

// part returns the switches of one package.
func part[B authz.Behaviour | bulk.Behaviour](r *switches) *B {
	for _, p := range []any{&r.Behaviour, &r.export} {
		if p, ok := p.(*B); ok {
			return p
		}
	}
	return nil // B is one of the two
}

// Effect returns how a value differs from that of strict.
func (s *Switch) Effect(value string) Effect {
	strict := s.get(strictSwitches())
	if value == strict {
		return Same
	}
	return s.effect(value, strict)
}

// Find returns the switch with this name. The error of one that does not exist
// names the one that was probably meant.
func Find(name string) (*Switch, error) {
	table := Table()
	names := make([]string, len(table))
	for i := range table {
		if table[i].Name == name {
			return &table[i], nil
		}
		names[i] = table[i].Name
	}
	return nil, fmt.Errorf("there is no switch %q%s", name, didYouMean(name, names))
}

func didYouMean(word string, names []string) string {
	if name := nearest.Name(word, names); name != "" {
		return fmt.Sprintf("; did you mean %q?", name)
	}
	return ""
}

// The functions below make the rows of each kind. at returns where a switch
// lies.

func flag[B authz.Behaviour | bulk.Behaviour](name, meaning string, ids []string, on Effect, at func(*B) *bool) Switch {
	return Switch{Name: name, Kind: Flag, Values: []string{"true", "false"}, Meaning: meaning, IDs: ids,
		get: func(b switches) string { return strconv.FormatBool(*at(part[B](&b))) },
		set: func(b *switches, text string) error {
			if text != "true" && text != "false" {
				return fmt.Errorf("%q is neither true nor false", text)
			}
			*at(part[B](b)) = text == "true"
			return nil
		},
		effect: func(string, string) Effect { return on },
	}
}

// not makes a flag whose field says the opposite.
func not(s Switch) Switch {
	get, set := s.get, s.set
	opposite := map[string]string{"true": "false", "false": "true"}
	s.get = func(b switches) string { return opposite[get(b)] }
	s.set = func(b *switches, text string) error {
		if opposite[text] == "" {
			return set(b, text)
		}
		return set(b, opposite[text])
	}
	return s
}

// maxNumber is more than any number that a switch sensibly takes.
const maxNumber = 1 << 20

func number[B authz.Behaviour | bulk.Behaviour](name, meaning string, ids []string, at func(*B) *int) Switch {
	return Switch{Name: name, Kind: Number, Meaning: meaning, IDs: ids,
		get: func(b switches) string { return strconv.Itoa(*at(part[B](&b))) },
		set: func(b *switches, text string) error {
			n, err := strconv.Atoi(text)
			if err != nil || n < 1 || n > maxNumber {
				return fmt.Errorf("%q is not a whole number from 1 to %d", text, maxNumber)
			}
			*at(part[B](b)) = n
			return nil
		},
		effect: func(value, strict string) Effect {
			got, _ := strconv.Atoi(value)
			want, _ := strconv.Atoi(strict)
			return moreIsMilder(got > want)
		},
	}
}

func moreIsMilder(more bool) Effect {
	if more {
		return Milder
	}
	return Stricter
}

// maxDuration is a hundred years.
const maxDuration = 100 * 365 * 24 * time.Hour

// duration makes a switch whose values begin at least. zeroIsEndless says that 0s
// is longer than anything.
func duration[B authz.Behaviour | bulk.Behaviour](name, meaning string, ids []string, least time.Duration, zeroIsEndless bool, at func(*B) *time.Duration) Switch {
	return Switch{Name: name, Kind: Duration, Meaning: meaning, IDs: ids,
		get: func(b switches) string { return writeDuration(*at(part[B](&b))) },
		set: func(b *switches, text string) error {
			d, err := time.ParseDuration(text)
			switch {
			case err != nil:
				return fmt.Errorf("%q is not a duration such as 300s or 5m", text)
			case d < least || d > maxDuration:
				return fmt.Errorf("%s is not from %s to a hundred years", text, writeDuration(least))
			}
			*at(part[B](b)) = d
			return nil
		},
		effect: func(value, strict string) Effect {
			got, _ := time.ParseDuration(value)
			want, _ := time.ParseDuration(strict)
			if zeroIsEndless && (got == 0 || want == 0) {
				return moreIsMilder(got == 0)
			}
			return moreIsMilder(got > want)
		},
	}
}

// writeDuration writes whole seconds as such, up to where nobody counts them.
func writeDuration(d time.Duration) string {
	if d%time.Second == 0 && d < time.Hour {
		return strconv.FormatInt(int64(d/time.Second), 10) + "s"
	}
	text := d.String()
	for _, nothing := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, nothing) {
			text = text[:len(text)-2]
		}
	}
	return text
}

// choice makes a switch that takes one of the values; effects say how those
// that strict has not differ from it.
func choice[B authz.Behaviour | bulk.Behaviour, T ~string](name, meaning string, ids []string, at func(*B) *T, effects map[T]Effect, values ...T) Switch {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = string(v)
	}
	return Switch{Name: name, Kind: Choice, Values: words, Meaning: meaning, IDs: ids,
		get: func(b switches) string { return string(*at(part[B](&b))) },
		set: func(b *switches, text string) error {
			if err := oneOf(text, words); err != nil {
				return err
			}
			*at(part[B](b)) = T(text)
			return nil
		},
		effect: func(value, _ string) Effect { return effects[T(value)] },
	}
}

// either makes a switch between two words over a field that is true for the
// second.
func either[B authz.Behaviour | bulk.Behaviour](name, meaning string, ids []string, no, yes string, effect Effect, at func(*B) *bool) Switch {
	words := []string{no, yes}
	return Switch{Name: name, Kind: Choice, Values: words, Meaning: meaning, IDs: ids,
		get: func(b switches) string {
			if *at(part[B](&b)) {
				return yes
			}
			return no
		},
		set: func(b *switches, text string) error {
			if err := oneOf(text, words); err != nil {
				return err
			}
			*at(part[B](b)) = text == yes
			return nil
		},
		effect: func(string, string) Effect { return effect },
	}
}

func oneOf(text string, words []string) error {
	if slices.Contains(words, text) {
		return nil
	}
	return fmt.Errorf("%q is none of %s%s", text, strings.Join(words, ", "), didYouMean(text, words))
}

// list makes a switch that takes one or more of the values.
func list[B authz.Behaviour | bulk.Behaviour, T ~string](name, meaning string, ids []string, at func(*B) *[]T, values ...T) Switch {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = string(v)
	}
	return Switch{Name: name, Kind: List, Values: words, Meaning: meaning, IDs: ids,
		get: func(b switches) string { return join(*at(part[B](&b))) },
		set: func(b *switches, text string) error {
			items, err := split[T](text, func(item string) error { return oneOf(item, words) })
			if err != nil {
				return err
			}
			slices.SortFunc(items, func(a, b T) int { return slices.Index(values, a) - slices.Index(values, b) })
			*at(part[B](b)) = items
			return nil
		},
		effect: func(value, strict string) Effect {
			got, want := strings.Fields(value), strings.Fields(strict)
			switch {
			case slices.Contains(got, string(authz.AudienceAny)), contains(got, want):
				return Milder
			case contains(want, got):
				return Stricter
			}
			return Different
		},
	}
}

func contains(all, some []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(all, s) })
}

func join[T ~string](items []T) string {
	words := make([]string, len(items))
	for i, item := range items {
		words[i] = string(item)
	}
	return strings.Join(words, " ")
}

// split reads a list: words separated by spaces or commas, each once.
func split[T ~string](text string, check func(string) error) ([]T, error) {
	var items []T
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' }) {
		if err := check(word); err != nil {
			return nil, err
		}
		if slices.Contains(items, T(word)) {
			return nil, fmt.Errorf("%q is there twice", word)
		}
		items = append(items, T(word))
	}
	if len(items) == 0 {
		return nil, fmt.Errorf("the list is empty")
	}
	return items, nil
}

// checkType checks the name of a resource type.
func checkType(name string) error {
	defs := r4.Definitions()
	if defs.IsType(name) {
		return nil
	}
	if near := defs.NearestType(name); near != "" {
		return fmt.Errorf("%q is no resource type; did you mean %q?", name, near)
	}
	return fmt.Errorf("%q is no resource type", name)
}
