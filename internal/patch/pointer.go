package patch

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
)

// A pointer is a JSON Pointer (RFC 6901): the member names and indexes that lead from the root to
// a value.
type pointer []string

// parsePointer reads a pointer in its string form (RFC 6901, section 3).
func parsePointer(s string) (pointer, error) {
	if s == "" {
		return nil, nil
	}
	if s[0] != '/' {
		return nil, fmt.Errorf("%q is no JSON Pointer, which is empty or begins with /", s)
	}
	p := pointer(strings.Split(s[1:], "/"))
	for i, token := range p {
		rest := strings.NewReplacer("~0", "", "~1", "").Replace(token)
		if strings.Contains(rest, "~") {
			return nil, fmt.Errorf("%q is no JSON Pointer: behind ~ stands 0 or 1", s)
		}
		p[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
	}
	return p, nil
}

// String returns the pointer as it is written.
func (p pointer) String() string {
	var b strings.Builder
	for _, token := range p {
		b.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(token))
	}
	return b.String()
}

// leadsInto reports whether q is a place inside of p's value.
func (p pointer) leadsInto(q pointer) bool {
	return len(q) > len(p) && slices.Equal(p, q[:len(p)])
}

// last splits the pointer of something that has a parent.
func (p pointer) last() (parent pointer, token string) { return p[:len(p)-1], p[len(p)-1] }

// walk returns the value at p. With changing it notes that the value, and all that hold it, will
// not be as they were written.
func (d *document) walk(p pointer, changing bool) (*fhirjson.Node, error) {
	n := &d.root
	for i := 0; ; i++ {
		if changing {
			changed(n)
		}
		if i == len(p) {
			return n, nil
		}
		child, err := d.child(n, p[:i], p[i])
		if err != nil {
			return nil, err
		}
		n = child
	}
}

// child returns the value that a token of a pointer leads to from n, which is at p.
func (d *document) child(n *fhirjson.Node, p pointer, token string) (*fhirjson.Node, error) {
	switch n.Kind {
	case fhirjson.Object:
		i, err := d.find(n, token)
		if err == nil && i < 0 {
			err = unfit("there is no member %q in %s", token, p.place())
		}
		if err != nil {
			return nil, err
		}
		return &n.Members[i].Value, nil
	case fhirjson.Array:
		i, err := index(n, p, token)
		if err != nil {
			return nil, err
		}
		if i == len(n.Items) {
			return nil, unfit("there is no item %s in %s, which has %d", token, p.place(), len(n.Items))
		}
		return &n.Items[i], nil
	}
	return nil, unfit("%s is a %s and holds nothing by the name %q", p.place(), n.Kind, token)
}

// find returns the index of an object's member, or -1.
func (d *document) find(n *fhirjson.Node, name string) (int, error) {
	i := slices.IndexFunc(n.Members, func(m fhirjson.Member) bool { return m.Name == name })
	if i < 0 {
		return i, d.spend(1 + len(n.Members))
	}
	return i, d.spend(1 + i)
}

// index reads a token as an index of an array that is at p: up to its length, since something may
// be added there (RFC 6901, section 4).
func index(n *fhirjson.Node, p pointer, token string) (int, error) {
	if token == "-" {
		return len(n.Items), nil
	}
	for i := range len(token) {
		if token[i] < '0' || token[i] > '9' || i == 0 && token[0] == '0' && len(token) > 1 {
			return 0, unfit("%q is no index of %s, which is an array: an index has no sign and no leading 0", token, p.place())
		}
	}
	i, err := strconv.Atoi(token)
	switch {
	case token == "":
		return 0, unfit("%s is an array, and the pointer names no index of it", p.place())
	case err != nil || i > len(n.Items):
		return 0, unfit("there is no item %s in %s, which has %d", token, p.place(), len(n.Items))
	}
	return i, nil
}

// place names the pointer's value in a message.
func (p pointer) place() string {
	if len(p) == 0 {
		return "the resource"
	}
	return p.String()
}
