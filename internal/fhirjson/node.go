package fhirjson

// A Kind tells which of JSON's six kinds of value a Node is.
type Kind uint8

// The kinds of JSON value. The zero Kind is none of them.
const (
	Object Kind = iota + 1
	Array
	String
	Number
	Bool
	Null
)

// String returns the kind's name as a message would use it: "object", "array", "string",
// "number", "boolean" or "null".
func (k Kind) String() string {
	switch k {
	case Object:
		return "object"
	case Array:
		return "array"
	case String:
		return "string"
	case Number:
		return "number"
	case Bool:
		return "boolean"
	case Null:
		return "null"
	}
	return "nothing"
}

// A Node is one JSON value. Parse keeps nothing of the tree that it returns, which may be read by
// any number of goroutines as long as whoever parsed it does not change it.
type Node struct {
	Kind Kind

	// Start and End are the byte offsets of the value in the parsed input: data[Start:End] is
	// the value as it was written, quotes included. A node that no input stands behind, such
	// as the outcome of a comparison, has both at -1.
	Start, End int

	// Text is the decoded text of a string, the literal of a number as it was written, "true"
	// or "false"; it is empty for null, objects and arrays.
	Text string

	Members []Member // of an object, in the order of the input
	Items   []Node   // of an array
}

// A Member is one name of an object with its value.
type Member struct {
	Name      string
	NameStart int // byte offset of the name's opening quote
	Value     Node
}

// Get returns the value of the object's member name. It is nil where n is nil or not an object
// and where no member has that name.
func (n *Node) Get(name string) *Node {
	if n == nil {
		return nil
	}
	for i := range n.Members {
		if n.Members[i].Name == name {
			return &n.Members[i].Value
		}
	}
	return nil
}

// Str returns the text of the member name where that is a string, and "" otherwise.
func (n *Node) Str(name string) string {
	if m := n.Get(name); m != nil && m.Kind == String {
		return m.Text
	}
	return ""
}
