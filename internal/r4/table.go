package r4

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:embed data/r4.txt
var source string

var definitions = sync.OnceValue(func() *Table { return newTable(source) })

// Definitions returns the table, which is built once a process.
func Definitions() *Table { return definitions() }

// A Table holds the definitions. It is immutable and safe for concurrent use; slices that it
// returns must not be changed.
type Table struct {
	types       map[string]*typeDef // resource and data types, abstract ones included
	names       []string            // of the resource types, sorted
	byNumber    map[int]*typeDef    // resource types and Resource
	valueSets   map[string]func() []Coding
	constraints map[string]Constraint // by id
	hash        func() string
}

// A typeDef is one type: the head of its section of the table, and what the section's lines say
// once somebody asks.
type typeDef struct {
	table       *Table
	name        string
	number      int // of a resource type; -1 for others
	base        string
	constraints []string // ids of those on the root
	compartment []string // codes of the patient compartment's parameters
	lines       string

	elements func() *elementSet
	params   func() *paramSet
}

// Hash identifies the table's content: a store that was indexed under another hash has to index
// again.
func (t *Table) Hash() string { return t.hash() }

// Types returns the names of the resource types, sorted.
func (t *Table) Types() []string { return t.names }

// IsType reports whether name is a resource type. The abstract Resource and DomainResource are
// not.
func (t *Table) IsType(name string) bool {
	def, ok := t.types[name]
	return ok && def.number > 0
}

// newTable finds the sections of the table's text. The text is part of the program; one that
// cannot be read is a mistake of the build and panics.
func newTable(text string) *Table {
	t := &Table{
		types:       map[string]*typeDef{},
		byNumber:    map[int]*typeDef{},
		valueSets:   map[string]func() []Coding{},
		constraints: map[string]Constraint{},
		hash: sync.OnceValue(func() string {
			sum := sha256.Sum256([]byte(text))
			return hex.EncodeToString(sum[:])
		}),
	}
	for len(text) > 0 {
		line, rest, _ := strings.Cut(text, "\n")
		switch keyword, fields, _ := strings.Cut(line, "\t"); keyword {
		case "constraint":
			t.addConstraint(fields)
		case "valueset":
			var lines string
			lines, rest = section(rest)
			t.valueSets[absolute(valueSetPrefix, fields)] = sync.OnceValue(func() []Coding { return readCodes(lines) })
		case "type":
			var lines string
			lines, rest = section(rest)
			t.addType(fields, lines)
		}
		text = rest
	}
	slices.Sort(t.names)
	return t
}

// section splits text before the line that begins the next value set or type.
func section(text string) (lines, rest string) {
	end := 0
	for end < len(text) && !strings.HasPrefix(text[end:], "valueset\t") && !strings.HasPrefix(text[end:], "type\t") {
		line := strings.IndexByte(text[end:], '\n')
		if line < 0 {
			return text, ""
		}
		end += line + 1
	}
	return text[:end], text[end:]
}

func (t *Table) addType(fields, lines string) {
	f := split(fields, 5)
	def := &typeDef{
		table:       t,
		name:        f[0],
		number:      -1,
		base:        f[2],
		constraints: list(f[3]),
		compartment: list(f[4]),
		lines:       lines,
	}
	def.elements = sync.OnceValue(def.readElements)
	def.params = sync.OnceValue(def.readParams)
	t.types[def.name] = def
	if f[1] == "" {
		return
	}
	def.number = integer(f[1])
	t.byNumber[def.number] = def
	if def.number > 0 {
		t.names = append(t.names, def.name)
	}
}

const (
	structurePrefix = "http://hl7.org/fhir/StructureDefinition/"
	valueSetPrefix  = "http://hl7.org/fhir/ValueSet/"
	parameterPrefix = "http://hl7.org/fhir/SearchParameter/"
)

// absolute puts the prefix that the table leaves out before a URL.
func absolute(prefix, url string) string {
	if url == "" || strings.Contains(url, ":") {
		return url
	}
	return prefix + url
}

// split cuts a line into n fields; those that the line does not have are empty.
func split(line string, n int) []string {
	fields := make([]string, n)
	for i := range fields {
		fields[i], line, _ = strings.Cut(line, "\t")
	}
	return fields
}

// list cuts a field at its commas.
func list(field string) []string {
	if field == "" {
		return nil
	}
	return strings.Split(field, ",")
}

func integer(field string) int {
	n, err := strconv.Atoi(field)
	if err != nil {
		panic("r4: the embedded table is damaged: " + err.Error())
	}
	return n
}
