package sandbox

import (
	"crypto"
	"fmt"
	"maps"
	"slices"

	"github.com/sandfhir/sandfhir/internal/behaviour"
)

// A Behaviour is the set of switches that a server runs under: what its
// authorization servers take, refuse and say.
type Behaviour struct {
	Name        string // strict, aidbox, or what a file says
	Description string // one line
	Extends     string // what it was derived from; empty for strict
	Switches    []Switch

	text string
}

// A Switch is one setting of a behaviour.
type Switch struct {
	Name    string // aud.accept
	Value   string // as WithSwitch takes it
	Default string // the value in strict
	Meaning string // one line
	Source  string // what the value follows, or who set it
	// Effect is empty where Value is Default, else "milder" where something
	// passes that strict refuses, "stricter" where something is refused that
	// passes there, or "different".
	Effect string
}

// Value returns the value of a switch, "" where there is none of this name.
func (b Behaviour) Value(name string) string {
	for _, s := range b.Switches {
		if s.Name == name {
			return s.Value
		}
	}
	return ""
}

// Differs reports whether any switch is not as strict has it.
func (b Behaviour) Differs() bool {
	return slices.ContainsFunc(b.Switches, func(s Switch) bool { return s.Effect != "" })
}

// String returns the name, and how many switches differ from strict where any
// do.
func (b Behaviour) String() string { return b.text }

// Behaviour returns the switches in force, in both environments.
func (w *World) Behaviour() Behaviour {
	b := w.workspace.Behaviour()
	out := Behaviour{Name: b.Name, Description: b.Description, Extends: b.Extends, text: b.String()}
	for _, set := range b.Settings() {
		out.Switches = append(out.Switches, Switch{
			Name: set.Name, Value: set.Value, Default: set.Strict,
			Meaning: set.Meaning, Source: set.Source, Effect: string(set.Effect),
		})
	}
	return out
}

// SetBehaviour changes what the server is strict about, in both environments
// and from the next request on: to the behaviour of this name or file, as
// WithBehaviour takes it, with the switches then set one by one. An empty name
// keeps the behaviour in force and changes the switches alone. Where its error
// is not nil nothing has changed.
//
//	err := sb.SetBehaviour("", map[string]string{"jti.replay": "allow"})
func (w *World) SetBehaviour(nameOrFile string, switches map[string]string) error {
	err := w.workspace.ChangeBehaviour(func(b behaviour.Behaviour) (_ behaviour.Behaviour, err error) {
		if nameOrFile != "" {
			if b, err = w.behaviourNamed(nameOrFile); err != nil {
				return b, err
			}
		}
		for _, name := range slices.Sorted(maps.Keys(switches)) {
			if b, err = b.With(name, switches[name], "SetBehaviour"); err != nil {
				return b, err
			}
		}
		return b, nil
	})
	if err != nil {
		return fmt.Errorf("sandbox: set behaviour: %w", err)
	}
	return nil
}

// behaviourNamed returns the behaviour that the server began under, by its
// name, and else what Load knows.
func (w *World) behaviourNamed(nameOrFile string) (behaviour.Behaviour, error) {
	if b, err := behaviour.Named(w.workspace.Behaviours(), nameOrFile); err == nil {
		return b, nil
	}
	return behaviour.Load(nameOrFile)
}

// algorithm is what a new key signs with: what is asked for, else ES384, or
// RS384 where the behaviour takes no ES384. A key that is there decides itself.
func (e *Environment) algorithm(cfg ClientConfig) Algorithm {
	allowed := e.inner().Auth.Behaviour().Algorithms
	switch {
	case cfg.Key != nil || cfg.Algorithm != "":
		return cfg.Algorithm
	case !slices.Contains(allowed, string(ES384)) && slices.Contains(allowed, string(RS384)):
		return RS384
	}
	return ES384
}

// usable returns the key, or nil where the behaviour takes no signature of it.
func (e *Environment) usable(key crypto.Signer) crypto.Signer {
	if key == nil {
		return nil
	}
	k, err := newPrivateKey(ClientConfig{Key: key})
	if err == nil && !slices.Contains(e.inner().Auth.Behaviour().Algorithms, string(k.alg)) {
		return nil
	}
	return key // what is wrong with it shows where it is used
}
