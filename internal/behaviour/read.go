package behaviour

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
)

// Load returns the behaviour with this name, or that of the file with this
// name: what has a slash or ends in .json is a file. Its errors say where in
// the file something is wrong and what was probably meant.
func Load(nameOrFile string) (Behaviour, error) {
	if !isFile(nameOrFile) {
		b, err := Named(Builtin(), nameOrFile)
		if err != nil {
			return b, fmt.Errorf("%w (a file's name ends in .json)", err)
		}
		return b, nil
	}
	return load(nameOrFile, nil)
}

func isFile(name string) bool {
	return strings.HasSuffix(name, ".json") || strings.ContainsAny(name, `/\`)
}

// load reads a file; above are the files that extend it, outermost first.
func load(path string, above []string) (Behaviour, error) {
	if slices.Contains(above, path) {
		return Behaviour{}, fmt.Errorf("%s: it extends itself, by way of %s", path, strings.Join(append(above, path), " and "))
	}
	data, err := readFile(path)
	if err != nil {
		return Behaviour{}, fmt.Errorf("%s: the behaviour cannot be read: %w", path, err)
	}
	above = append(slices.Clone(above), path)
	r := reader{name: path, known: Builtin(), load: func(other string) (Behaviour, error) { return load(other, above) }}
	return r.read(data)
}

// maxFile is more than any behaviour needs, in bytes.
const maxFile = 1 << 20

func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err == nil && info.Size() > maxFile {
		return nil, errors.New("it is longer than a mebibyte")
	}
	data, err := os.ReadFile(path)
	var cause *fs.PathError
	if errors.As(err, &cause) {
		err = cause.Err
	}
	return data, err
}

// Read reads a behaviour from JSON that name is shown for in errors. It may
// extend those that come with the program.
func Read(name string, data []byte) (Behaviour, error) {
	r := reader{name: name, known: Builtin()}
	return r.read(data)
}

// A reader reads one file:
//
//	{
//	  "name": "payer",
//	  "description": "what the payer's manual says",
//	  "extends": "aidbox",
//	  "switches": {
//	    "exp.max": {"value": "120s", "source": "manual, page 12"},
//	    "alg.allow": ["RS384", "ES384"]
//	  }
//	}
//
// A value is written as its kind suggests or as text.
type reader struct {
	name  string
	known []Behaviour                          // what can be extended by name
	load  func(path string) (Behaviour, error) // reads another file; nil where files cannot be extended
	text  string
}

// fail says what is wrong at a byte of the file.
func (r *reader) fail(offset int, format string, args ...any) error {
	before := r.text[:offset]
	line := 1 + strings.Count(before, "\n")
	column := 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
	return fmt.Errorf("%s:%d:%d: %w", r.name, line, column, fmt.Errorf(format, args...))
}

// parse reads the file's JSON, which is an object.
func (r *reader) parse(data []byte) (*fhirjson.Node, error) {
	root, err := fhirjson.Parse(data)
	var syntax *fhirjson.SyntaxError
	r.text = string(data)
	switch {
	case errors.As(err, &syntax):
		return nil, r.fail(syntax.Offset, "%s", syntax.Msg)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", r.name, err)
	case root.Kind != fhirjson.Object:
		return nil, r.fail(root.Start, "a behaviour is a JSON object, not %s", kindOf(root))
	}
	return root, nil
}

func kindOf(n *fhirjson.Node) string {
	if n.Kind == fhirjson.Null {
		return "null"
	}
	article := "a "
	if n.Kind == fhirjson.Array || n.Kind == fhirjson.Object {
		article = "an "
	}
	return article + n.Kind.String()
}

func (r *reader) read(data []byte) (Behaviour, error) {
	root, err := r.parse(data)
	if err != nil {
		return Behaviour{}, err
	}
	if err := r.members(root, "name", "description", "extends", "switches"); err != nil {
		return Behaviour{}, err
	}
	name, err := r.line(root, "name")
	if err != nil {
		return Behaviour{}, err
	}
	if name == "" {
		return Behaviour{}, r.fail(root.Start, "the behaviour has no name")
	}
	description, err := r.line(root, "description")
	if err != nil {
		return Behaviour{}, err
	}
	b, err := r.base(root, name)
	if err != nil {
		return Behaviour{}, err
	}
	b.Extends, b.Name, b.Description = b.Name, name, description
	return r.switches(b, root.Get("switches"))
}

// maxLine is the length of a name or a description, in bytes.
const maxLine = 200

// line returns the member that is one line of text, or "" where it is not
// there.
func (r *reader) line(root *fhirjson.Node, member string) (string, error) {
	n := root.Get(member)
	switch {
	case n == nil:
		return "", nil
	case n.Kind != fhirjson.String:
		return "", r.fail(n.Start, "%s is a text, not %s", member, kindOf(n))
	case strings.TrimSpace(n.Text) == "" || len(n.Text) > maxLine || strings.ContainsFunc(n.Text, func(c rune) bool { return c < ' ' || c == 0x7f }):
		return "", r.fail(n.Start, "%s has to be one line of at most %d bytes, and not empty", member, maxLine)
	}
	return n.Text, nil
}

// base returns the behaviour that the file extends: strict, unless it says
// another. strict itself begins with nothing.
func (r *reader) base(root *fhirjson.Node, name string) (Behaviour, error) {
	if len(r.known) == 0 {
		return origin(), nil
	}
	if _, err := Named(r.known, name); err == nil {
		return Behaviour{}, r.fail(root.Get("name").Start, "the name %q is taken by a behaviour that comes with the program", name)
	}
	extended, err := r.line(root, "extends")
	if err != nil {
		return Behaviour{}, err
	}
	if extended == "" {
		return r.known[0], nil
	}
	at := root.Get("extends").Start
	if isFile(extended) && r.load != nil {
		if !filepath.IsAbs(extended) {
			extended = filepath.Join(filepath.Dir(r.name), extended)
		}
		b, err := r.load(extended)
		if err != nil {
			return b, r.fail(at, "%w", err)
		}
		return b, nil
	}
	b, err := Named(r.known, extended)
	if err != nil {
		return b, r.fail(at, "%w", err)
	}
	return b, nil
}

// members refuses members that mean nothing.
func (r *reader) members(n *fhirjson.Node, names ...string) error {
	for _, m := range n.Members {
		if !slices.Contains(names, m.Name) {
			return r.fail(m.NameStart, "there is no member %q here%s", m.Name, didYouMean(m.Name, names))
		}
	}
	return nil
}

// switches applies an object of switches to b.
func (r *reader) switches(b Behaviour, n *fhirjson.Node) (Behaviour, error) {
	if n == nil {
		return b, nil
	}
	if n.Kind != fhirjson.Object {
		return b, r.fail(n.Start, "switches is an object, not %s", kindOf(n))
	}
	for _, m := range n.Members {
		s, err := Find(m.Name)
		if err != nil {
			return b, r.fail(m.NameStart, "%w", err)
		}
		value, source, err := r.setting(s, &m.Value)
		if err != nil {
			return b, err
		}
		if b, err = b.With(s.Name, value, source); err != nil {
			return b, r.fail(m.Value.Start, "%w", err)
		}
	}
	return b, nil
}

// setting reads a switch's value, alone or with its source.
func (r *reader) setting(s *Switch, n *fhirjson.Node) (value, source string, err error) {
	source = r.name
	if n.Kind == fhirjson.Object {
		if err := r.members(n, "value", "source"); err != nil {
			return "", "", err
		}
		given, err := r.line(n, "source")
		if err != nil {
			return "", "", err
		}
		if given != "" {
			source = given
		}
		inner := n.Get("value")
		if inner == nil {
			return "", "", r.fail(n.Start, "%s has no value", s.Name)
		}
		n = inner
	}
	value, err = r.value(s, n)
	return value, source, err
}

// value returns a value as text.
func (r *reader) value(s *Switch, n *fhirjson.Node) (string, error) {
	switch n.Kind {
	case fhirjson.String, fhirjson.Number, fhirjson.Bool:
		return n.Text, nil
	case fhirjson.Array:
		if s.Kind != List {
			break
		}
		words := make([]string, len(n.Items))
		for i, item := range n.Items {
			if item.Kind != fhirjson.String {
				return "", r.fail(item.Start, "%s: the items of the list are texts, not %s", s.Name, kindOf(&item))
			}
			if strings.ContainsAny(item.Text, " ,") || item.Text == "" {
				return "", r.fail(item.Start, "%s: %q is not one word", s.Name, item.Text)
			}
			words[i] = item.Text
		}
		return strings.Join(words, " "), nil
	}
	return "", r.fail(n.Start, "%s takes %s, not %s", s.Name, s.takes(), kindOf(n))
}
