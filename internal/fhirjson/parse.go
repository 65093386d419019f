package fhirjson

import "fmt"

// MaxDepth is how many objects and arrays may be open at once. Real resources stay below 30;
// the limit keeps whoever walks a tree recursively from exhausting the stack.
const MaxDepth = 200

// Parse reads one JSON value with nothing but white space around it. Its error is a
// *SyntaxError. The tree does not refer to data, which the caller may reuse; all of its texts
// share one copy of the input.
func Parse(data []byte) (*Node, error) {
	p := parser{
		src:     string(data),
		members: make([]Member, 0, 32),
		items:   make([]Node, 0, 16),
	}
	root, err := p.document()
	if err != nil {
		return nil, err
	}
	return &root, nil
}

// A parser builds the tree in one pass. Members and items of the objects and arrays that are
// open lie on two stacks; when one closes, what it holds is moved to a slab that many share, so
// that a resource takes a handful of allocations. Nodes are handed up by value for the same
// reason.
type parser struct {
	src string
	pos int

	members    []Member // stack
	items      []Node   // stack
	memberSlab []Member // unused room
	itemSlab   []Node   // unused room
}

func (p *parser) document() (Node, *SyntaxError) {
	if msg := refusedStart(p.src); msg != "" {
		return Node{}, p.fail(0, msg)
	}
	root, err := p.value(0)
	if err != nil {
		return Node{}, err
	}
	p.skipSpace()
	if p.pos < len(p.src) {
		return Node{}, p.fail(p.pos, "there is more after the end of the value")
	}
	return root, nil
}

// value reads the next value; depth objects and arrays are open.
func (p *parser) value(depth int) (Node, *SyntaxError) {
	p.skipSpace()
	if p.pos == len(p.src) {
		return Node{}, p.fail(p.pos, endsEarly)
	}
	n := Node{Start: p.pos}
	var err *SyntaxError
	switch c := p.src[p.pos]; c {
	case '{':
		n.Kind = Object
		n.Members, err = p.object(depth + 1)
	case '[':
		n.Kind = Array
		n.Items, err = p.array(depth + 1)
	case '"':
		n.Kind = String
		n.Text, err = p.text()
	case 't':
		n.Kind = Bool
		n.Text, err = p.literal("true")
	case 'f':
		n.Kind = Bool
		n.Text, err = p.literal("false")
	case 'n':
		n.Kind = Null
		_, err = p.literal("null")
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		n.Kind = Number
		n.Text, err = p.number()
	default:
		err = p.unexpected(aValue)
	}
	n.End = p.pos
	return n, err
}

// object reads an object from its opening brace on.
func (p *parser) object(depth int) ([]Member, *SyntaxError) {
	if depth > MaxDepth {
		return nil, p.tooDeep()
	}
	base := len(p.members)
	var seen names
	p.pos++
	for p.skipSpace(); !p.take('}'); p.skipSpace() {
		if len(p.members) > base {
			if !p.take(',') {
				return nil, p.unexpected("',' or '}'")
			}
			p.skipSpace()
		}
		if !p.at('"') {
			return nil, p.unexpected("a member name in double quotes")
		}
		m := Member{NameStart: p.pos}
		var err *SyntaxError
		if m.Name, err = p.text(); err != nil {
			return nil, err
		}
		if seen.has(m.Name, p.members[base:]) {
			msg := fmt.Sprintf("the member %q occurs twice in one object", m.Name)
			return nil, p.fail(m.NameStart, msg).within(m.Name)
		}
		if p.skipSpace(); !p.take(':') {
			return nil, p.unexpected("':'").within(m.Name)
		}
		if m.Value, err = p.value(depth); err != nil {
			return nil, err.within(m.Name)
		}
		p.members = append(p.members, m)
	}
	members := p.keepMembers(p.members[base:])
	p.members = p.members[:base]
	return members, nil
}

// array reads an array from its opening bracket on.
func (p *parser) array(depth int) ([]Node, *SyntaxError) {
	if depth > MaxDepth {
		return nil, p.tooDeep()
	}
	base := len(p.items)
	p.pos++
	for p.skipSpace(); !p.take(']'); p.skipSpace() {
		if len(p.items) > base && !p.take(',') {
			return nil, p.unexpected("',' or ']'")
		}
		item, err := p.value(depth)
		if err != nil {
			return nil, err.within(fmt.Sprint(len(p.items) - base))
		}
		p.items = append(p.items, item)
	}
	items := p.keepItems(p.items[base:])
	p.items = p.items[:base]
	return items, nil
}

func (p *parser) tooDeep() *SyntaxError {
	return p.fail(p.pos, fmt.Sprintf("objects and arrays are nested more than %d deep", MaxDepth))
}

// names finds out whether an object has a name already. Few members are compared one by one, as
// that is quickest; many go to a set, so that a hostile object does not take quadratic time.
type names struct{ set map[string]bool }

func (s *names) has(name string, members []Member) bool {
	const few = 32
	if s.set != nil {
		known := s.set[name]
		s.set[name] = true
		return known
	}
	known := false
	for i := range members {
		known = known || members[i].Name == name
	}
	if len(members) == few {
		s.set = make(map[string]bool, 4*few)
		for i := range members {
			s.set[members[i].Name] = true
		}
		s.set[name] = true
	}
	return known
}

func (p *parser) keepMembers(members []Member) []Member {
	size := len(members)
	if size == 0 {
		return nil
	}
	if size > len(p.memberSlab) {
		p.memberSlab = make([]Member, max(size, p.room()))
	}
	kept := p.memberSlab[:size:size]
	p.memberSlab = p.memberSlab[size:]
	copy(kept, members)
	return kept
}

func (p *parser) keepItems(items []Node) []Node {
	size := len(items)
	if size == 0 {
		return nil
	}
	if size > len(p.itemSlab) {
		p.itemSlab = make([]Node, max(size, p.room()/3))
	}
	kept := p.itemSlab[:size:size]
	p.itemSlab = p.itemSlab[size:]
	copy(kept, items)
	return kept
}

// room is how many members a new slab should hold: as many as the rest of the input is likely to
// have, within limits.
func (p *parser) room() int {
	const bytesPerMember = 28 // measured on compact resources
	return min(max((len(p.src)-p.pos)/bytesPerMember, 12), 256)
}
