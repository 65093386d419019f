package validation

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
)

// narrative judges the div of a Narrative: well-formed XHTML of the basic formatting elements, with
// something to read in it (FHIR R4, narrative; txt-1 and txt-2).
func (r *run) narrative(n *fhirjson.Node) {
	s := scanner{rest: strings.TrimSpace(n.Text)}
	if wrong := s.document(); wrong != "" {
		r.fault("invariant", n.Start, "cannot be shown: %s", wrong)
	}
}

const xhtmlNamespace = "http://www.w3.org/1999/xhtml"

// deepest is how many elements of a narrative may be open at once.
const deepest = 200

// A scanner reads XHTML once from front to back. Its methods return what is wrong, or "".
type scanner struct {
	rest    string
	open    []string // elements
	content bool     // there was a text or a picture
}

func (s *scanner) document() (wrong string) {
	if !strings.HasPrefix(s.rest, "<div") {
		return "a narrative is one <div> element"
	}
	for first := true; first || len(s.open) > 0; first = false {
		switch {
		case s.rest == "":
			return fmt.Sprintf("<%s> is not closed", s.open[len(s.open)-1])
		case s.rest[0] != '<':
			wrong = s.text()
		case strings.HasPrefix(s.rest, "<!--"):
			wrong = s.comment()
		case strings.HasPrefix(s.rest, "</"):
			wrong = s.end()
		case len(s.rest) > 1 && isLetter(s.rest[1]):
			wrong = s.start()
		default:
			wrong = "a < that begins no tag is written &lt;, and there are no declarations or instructions: " + quote(s.rest)
		}
		if wrong != "" {
			return wrong
		}
	}
	switch {
	case s.rest != "":
		return "there is more behind the end of its <div>: " + quote(s.rest)
	case !s.content:
		return "there is nothing to read in it (txt-2)"
	}
	return ""
}

// text reads up to the next tag.
func (s *scanner) text() string {
	end := strings.IndexByte(s.rest, '<')
	if end < 0 {
		end = len(s.rest)
	}
	text := s.rest[:end]
	s.rest = s.rest[end:]
	s.content = s.content || strings.TrimSpace(text) != ""
	return wrongEntities(text)
}

// wrongEntities judges the references in a text: &amp; &nbsp; &#160; &#xA0;.
func wrongEntities(text string) string {
	for {
		i := strings.IndexByte(text, '&')
		if i < 0 {
			return ""
		}
		text = text[i:]
		name, _, ok := strings.Cut(text[1:min(len(text), 12)], ";")
		digits, isNumber := strings.CutPrefix(name, "#")
		hex, isHex := strings.CutPrefix(digits, "x")
		switch {
		case !ok || name == "":
		case isHex && isNumber && hex != "" && strings.Trim(hex, "0123456789abcdefABCDEF") == "",
			isNumber && !isHex && digits != "" && strings.Trim(digits, "0123456789") == "",
			!isNumber && isLetter(name[0]) && !strings.ContainsFunc(name, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) }):
			text = text[len(name)+2:]
			continue
		}
		return "an & is written &amp;: " + quote(text)
	}
}

func (s *scanner) comment() string {
	end := strings.Index(s.rest[4:], "-->")
	if end < 0 {
		return "a comment does not end"
	}
	s.rest = s.rest[4+end+3:]
	return ""
}

// end reads an end tag.
func (s *scanner) end() string {
	tag, rest, ok := strings.Cut(s.rest[2:], ">")
	name := strings.TrimRight(tag, " \t\r\n")
	last := s.open[len(s.open)-1]
	if !ok || name != last {
		return fmt.Sprintf("<%s> is open where </%s> stands", last, excerpt(name))
	}
	s.open = s.open[:len(s.open)-1]
	s.rest = rest
	return ""
}

// start reads a start tag with its attributes.
func (s *scanner) start() string {
	element := s.name(s.rest[1:])
	s.rest = s.rest[1+len(element):]
	if !isFormatting(element) {
		return fmt.Sprintf("<%s> is none of the formatting elements that a narrative may have (txt-1)", excerpt(element))
	}
	s.content = s.content || element == "img"
	var seen []string
	namespace := len(s.open) > 0 // inherited
	for {
		trimmed := strings.TrimLeft(s.rest, " \t\r\n")
		spaced := len(trimmed) < len(s.rest)
		s.rest = trimmed
		switch {
		case strings.HasPrefix(s.rest, "/>"):
			s.rest = s.rest[2:]
			return wrongNamespace(namespace)
		case strings.HasPrefix(s.rest, ">"):
			if s.rest = s.rest[1:]; len(s.open) == deepest {
				return fmt.Sprintf("its elements are nested more than %d deep", deepest)
			}
			s.open = append(s.open, element)
			return wrongNamespace(namespace)
		case s.rest == "" || !spaced || !isLetter(s.rest[0]):
			return fmt.Sprintf("the tag <%s> is malformed near %s", element, quote(s.rest))
		}
		name, value, wrong := s.attribute(element)
		switch {
		case wrong != "":
			return wrong
		case slices.Contains(seen, name):
			return fmt.Sprintf("<%s> has the attribute %s twice", element, name)
		case name == "xmlns" && value != xhtmlNamespace:
			return fmt.Sprintf("the namespace %s is not that of XHTML, %s", quote(value), xhtmlNamespace)
		}
		namespace = namespace || name == "xmlns"
		seen = append(seen, name)
	}
}

func wrongNamespace(known bool) string {
	if !known {
		return fmt.Sprintf(`its <div> has no xmlns=%q`, xhtmlNamespace)
	}
	return ""
}

// attribute reads name="value".
func (s *scanner) attribute(element string) (name, value, wrong string) {
	name = s.name(s.rest)
	s.rest = strings.TrimLeft(s.rest[len(name):], " \t\r\n")
	if !strings.HasPrefix(s.rest, "=") {
		return "", "", fmt.Sprintf("the attribute %s of <%s> has no value", excerpt(name), element)
	}
	s.rest = strings.TrimLeft(s.rest[1:], " \t\r\n")
	if s.rest == "" || s.rest[0] != '"' && s.rest[0] != '\'' {
		return "", "", fmt.Sprintf("the value of the attribute %s of <%s> does not stand in quotation marks", excerpt(name), element)
	}
	value, rest, ok := strings.Cut(s.rest[1:], s.rest[:1])
	if !ok || strings.Contains(value, "<") {
		return "", "", fmt.Sprintf("the value of the attribute %s of <%s> does not end", excerpt(name), element)
	}
	s.rest = rest
	switch {
	case !isFormattingAttribute(name):
		wrong = fmt.Sprintf("<%s> has the attribute %s, which a narrative may not have (txt-1)", element, excerpt(name))
	case isScript(value) && (name == "href" || name == "src"):
		wrong = fmt.Sprintf("the %s of <%s> is a script (txt-1)", name, element)
	default:
		wrong = wrongEntities(value)
	}
	return name, value, wrong
}

// name returns the name that text begins with.
func (*scanner) name(text string) string {
	end := strings.IndexFunc(text, func(c rune) bool {
		return !unicode.IsLetter(c) && !unicode.IsDigit(c) && c != '-' && c != ':' && c != '_' && c != '.'
	})
	if end < 0 {
		return text
	}
	return text[:end]
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

func isScript(url string) bool {
	scheme, _, ok := strings.Cut(url, ":")
	scheme = strings.ToLower(strings.Join(strings.Fields(scheme), ""))
	return ok && (scheme == "javascript" || scheme == "vbscript")
}

// isFormatting reports whether an element is of HTML 4.0, chapters 7 to 11 but section 9.4, and 15,
// a link or a picture (txt-1).
func isFormatting(element string) bool {
	switch element {
	case "div", "span", "h1", "h2", "h3", "h4", "h5", "h6", "address", "p", "br", "pre", "bdo",
		"em", "strong", "dfn", "code", "samp", "kbd", "var", "cite", "abbr", "acronym", "blockquote", "q", "sub", "sup",
		"ul", "ol", "li", "dl", "dt", "dd",
		"table", "caption", "thead", "tfoot", "tbody", "colgroup", "col", "tr", "th", "td",
		"tt", "i", "b", "big", "small", "strike", "s", "u", "font", "center", "hr",
		"a", "img", "map", "area":
		return true
	}
	return false
}

// isFormattingAttribute reports whether an attribute belongs to those elements, without events.
func isFormattingAttribute(name string) bool {
	switch name {
	case "xmlns", "xml:lang", "xml:space", "id", "class", "style", "title", "lang", "dir", "align", "accesskey", "tabindex",
		"abbr", "axis", "bgcolor", "border", "cellpadding", "cellspacing", "char", "charoff", "colspan", "frame", "headers",
		"nowrap", "rowspan", "rules", "scope", "span", "summary", "valign", "width", "height",
		"cite", "clear", "color", "compact", "face", "noshade", "size", "start", "type", "value",
		"alt", "charset", "coords", "href", "hreflang", "hspace", "ismap", "longdesc", "name", "nohref", "rel", "rev", "shape", "src", "usemap", "vspace":
		return true
	}
	return false
}
