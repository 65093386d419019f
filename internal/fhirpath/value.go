package fhirpath

import (
	"errors"
	"strconv"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
)

// made is a node for what stands in no input.
func made(kind fhirjson.Kind, text string) *fhirjson.Node {
	return &fhirjson.Node{Kind: kind, Start: -1, End: -1, Text: text}
}

func booleanValue(b bool) Value {
	return Value{Node: made(fhirjson.Bool, strconv.FormatBool(b)), Type: "boolean"}
}

func textValue(text string) Value {
	return Value{Node: made(fhirjson.String, text), Type: "string"}
}

func integerValue(i int) Value { return numberValue(strconv.Itoa(i)) }

func numberValue(text string) Value {
	if isInteger(text) {
		return Value{Node: made(fhirjson.Number, text), Type: "integer"}
	}
	return Value{Node: made(fhirjson.Number, text), Type: "decimal"}
}

func isInteger(text string) bool {
	_, err := strconv.Atoi(text)
	return err == nil
}

// A class is what can be compared with its like.
type class uint8

const (
	absent       class = iota // no value
	truthValue                // boolean
	text                      // string and what derives from it, uri, base64Binary
	number                    // integer, decimal
	temporal                  // date, dateTime, instant, time
	complexValue              // everything that is a JSON object
)

func classOf(v Value) class {
	if v.Node == nil {
		return absent
	}
	switch v.Node.Kind {
	case fhirjson.Bool:
		return truthValue
	case fhirjson.Number:
		return number
	case fhirjson.String:
		switch v.Type {
		case "date", "dateTime", "instant", "time":
			return temporal
		}
		return text
	case fhirjson.Object, fhirjson.Array:
		return complexValue
	}
	return absent
}

// truth is the three-valued logic of FHIRPath.
type truth uint8

const (
	undecided truth = iota
	no
	yes
)

func truthIf(b bool) truth {
	if b {
		return yes
	}
	return no
}

func (t truth) not() truth {
	switch t {
	case yes:
		return no
	case no:
		return yes
	}
	return undecided
}

// values returns t as a collection: true, false or nothing.
func (t truth) values() []Value {
	if t == undecided {
		return nil
	}
	return []Value{booleanValue(t == yes)}
}

var errSeveral = errors.New("a single value is needed and there are several")

// truthOfValues applies the singleton rule: a boolean is itself, any other single value is true
// (FHIRPath N1, section 4.5).
func truthOfValues(values []Value) (truth, error) {
	switch len(values) {
	case 0:
		return undecided, nil
	case 1:
		switch classOf(values[0]) {
		case truthValue:
			return truthIf(values[0].Node.Text == "true"), nil
		case absent:
			return undecided, nil
		}
		return yes, nil
	}
	return undecided, errSeveral
}

// oneText returns the text of a collection of one text or number. ok is false where the
// collection is empty or has a value of another class.
func oneText(values []Value) (s string, ok bool, err error) {
	switch len(values) {
	case 0:
		return "", false, nil
	case 1:
		switch classOf(values[0]) {
		case text, number, temporal, truthValue:
			return values[0].Node.Text, true, nil
		}
		return "", false, nil
	}
	return "", false, errSeveral
}
