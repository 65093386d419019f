package seed

import (
	"bytes"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
)

// A bundleText is a Bundle taken apart without reading its entries, so that a large one needs
// memory for its bytes and for one entry's tree only.
type bundleText struct {
	skeleton []byte // the Bundle with an empty entry array
	cut      int    // offset up to which skeleton equals the Bundle
	shift    int    // by how much what follows the cut stands further back in the Bundle
	entries  []span // in the Bundle
}

type span struct{ start, end int }

// offset turns an offset in the skeleton into one in the Bundle.
func (b *bundleText) offset(inSkeleton int) int {
	if inSkeleton > b.cut {
		return inSkeleton + b.shift
	}
	return inSkeleton
}

// splitBundle takes data apart if it is a Bundle. It sees to brackets, commas and strings only;
// whether the skeleton and the entries are sound JSON is for their parser to say. ok is false
// where the data are no Bundle or no JSON object.
func splitBundle(data []byte) (b bundleText, ok bool) {
	if !bytes.Contains(data, []byte(`"Bundle"`)) {
		return b, false
	}
	s := scanner{data: data}
	isBundle, entry := false, span{}
	if !s.take('{') {
		return b, false
	}
	for more := !s.take('}'); more; {
		name, ok := s.value()
		if !ok || !s.take(':') {
			return b, false
		}
		s.space()
		if entry.end == 0 && string(data[name.start:name.end]) == `"entry"` && s.peek() == '[' {
			entry.start = s.at
			if b.entries, ok = s.items(); !ok {
				return b, false
			}
			entry.end = s.at
		} else {
			value, ok := s.value()
			if !ok {
				return b, false
			}
			isBundle = isBundle || string(data[name.start:name.end]) == `"resourceType"` &&
				string(data[value.start:value.end]) == `"Bundle"`
		}
		if more = s.take(','); !more && !s.take('}') {
			return b, false
		}
	}
	if !isBundle {
		return b, false
	}
	b.skeleton, b.cut = data, len(data)
	if entry.end > 0 {
		b.cut = entry.start + 1
		b.shift = entry.end - 1 - b.cut
		b.skeleton = append(append([]byte(nil), data[:b.cut]...), data[entry.end-1:]...)
	}
	return b, true
}

// A scanner finds the ends of JSON values.
type scanner struct {
	data []byte
	at   int
}

func (s *scanner) peek() byte {
	if s.at < len(s.data) {
		return s.data[s.at]
	}
	return 0
}

func (s *scanner) space() {
	for s.at < len(s.data) && (s.data[s.at] == ' ' || s.data[s.at] == '\n' || s.data[s.at] == '\t' || s.data[s.at] == '\r') {
		s.at++
	}
}

// take skips space and then c, if that is what follows.
func (s *scanner) take(c byte) bool {
	s.space()
	if s.peek() != c {
		return false
	}
	s.at++
	return true
}

// items skips an array and returns its values.
func (s *scanner) items() (items []span, ok bool) {
	if !s.take('[') {
		return nil, false
	}
	for more := !s.take(']'); more; {
		v, ok := s.value()
		if !ok {
			return nil, false
		}
		items = append(items, v)
		if more = s.take(','); !more && !s.take(']') {
			return nil, false
		}
	}
	return items, true
}

// value skips a value and returns it.
func (s *scanner) value() (v span, ok bool) {
	s.space()
	v.start = s.at
	depth := 0
	for s.at < len(s.data) {
		switch c := s.data[s.at]; c {
		case '"':
			if !s.skipString() {
				return v, false
			}
			s.at-- // onto the closing quote, passed below
		case '{', '[':
			depth++
		case '}', ']', ',', ':', ' ', '\n', '\t', '\r':
			if depth == 0 {
				v.end = s.at
				return v, v.end > v.start
			}
			if c == '}' || c == ']' {
				depth--
			}
		}
		s.at++
		if depth == 0 && bytes.IndexByte([]byte(`"}]`), s.data[s.at-1]) >= 0 {
			v.end = s.at
			return v, true
		}
	}
	return v, false
}

// skipString skips a string whose opening quote is next.
func (s *scanner) skipString() bool {
	for s.at++; s.at < len(s.data); s.at++ {
		switch s.data[s.at] {
		case '"':
			s.at++
			return true
		case '\\':
			s.at++ // what it escapes
		}
	}
	return false
}

// parseAt parses the part of t that v spans.
func (t *text) parseAt(v span) (*fhirjson.Node, *LoadProblem) {
	n, err := fhirjson.Parse(t.data[v.start:v.end])
	if err != nil {
		p := t.syntax(v.start, err)
		return nil, &p
	}
	return n, nil
}
