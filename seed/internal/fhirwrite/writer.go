// Package fhirwrite appends FHIR R4 resources to a byte slice as compact JSON, element by element
// and in the order of the calls. It reflects on nothing and allocates nothing but the buffer, so
// that a population of millions of resources is made as fast as it can be stored.
//
// It checks nothing either: whoever calls it opens and closes what belongs together and gives
// every object its names once. It knows data types, no resource types.
package fhirwrite

import (
	"encoding/base64"
	"strconv"
	"time"
)

// A Writer builds one JSON value after the other in a buffer that it reuses. The zero value is
// ready to use.
//
// The methods that write an element take its name first; inside an array the name is empty.
type Writer struct {
	buf []byte
}

// Reset forgets what was written and keeps the buffer.
func (w *Writer) Reset() { w.buf = w.buf[:0] }

// Bytes returns what was written since the last Reset. It is valid until the next one.
func (w *Writer) Bytes() []byte { return w.buf }

// Object opens an object.
func (w *Writer) Object(name string) {
	w.name(name)
	w.buf = append(w.buf, '{')
}

// End closes an object.
func (w *Writer) End() { w.buf = append(w.buf, '}') }

// Array opens an array.
func (w *Writer) Array(name string) {
	w.name(name)
	w.buf = append(w.buf, '[')
}

// EndArray closes an array.
func (w *Writer) EndArray() { w.buf = append(w.buf, ']') }

// String writes a string, code, uri or other primitive that JSON shows as a string.
func (w *Writer) String(name, value string) {
	w.name(name)
	w.buf = append(w.buf, '"')
	w.text(value)
	w.buf = append(w.buf, '"')
}

// Strings writes an array of strings.
func (w *Writer) Strings(name string, values ...string) {
	w.Array(name)
	for _, v := range values {
		w.String("", v)
	}
	w.EndArray()
}

// Base64 writes a base64Binary of these bytes.
func (w *Writer) Base64(name string, content []byte) {
	w.name(name)
	w.buf = append(w.buf, '"')
	w.buf = base64.StdEncoding.AppendEncode(w.buf, content)
	w.buf = append(w.buf, '"')
}

// Bool writes a boolean.
func (w *Writer) Bool(name string, value bool) {
	w.name(name)
	w.buf = strconv.AppendBool(w.buf, value)
}

// Int writes an integer, positiveInt or unsignedInt.
func (w *Writer) Int(name string, value int) {
	w.name(name)
	w.buf = strconv.AppendInt(w.buf, int64(value), 10)
}

// Decimal writes a decimal with all of its places, because a decimal's precision is part of its
// value (FHIR R4, datatypes, decimal).
func (w *Writer) Decimal(name string, value Decimal) {
	w.name(name)
	w.buf = value.append(w.buf)
}

// Date writes the day of t, which is in UTC, as a date.
func (w *Writer) Date(name string, t time.Time) {
	w.time(name, t, time.DateOnly)
}

// DateTime writes t, which is in UTC, as a dateTime to the second.
func (w *Writer) DateTime(name string, t time.Time) {
	w.time(name, t, time.RFC3339)
}

// Instant writes t, which is in UTC, as an instant to the millisecond.
func (w *Writer) Instant(name string, t time.Time) {
	w.time(name, t, "2006-01-02T15:04:05.000Z07:00")
}

func (w *Writer) time(name string, t time.Time, layout string) {
	w.name(name)
	w.buf = append(w.buf, '"')
	w.buf = t.AppendFormat(w.buf, layout)
	w.buf = append(w.buf, '"')
}

// name sets the comma that a preceding sibling asks for and the element's name, if it has one.
func (w *Writer) name(name string) {
	if n := len(w.buf); n > 0 && w.buf[n-1] != '{' && w.buf[n-1] != '[' {
		w.buf = append(w.buf, ',')
	}
	if name == "" {
		return
	}
	w.buf = append(w.buf, '"')
	w.buf = append(w.buf, name...)
	w.buf = append(w.buf, '"', ':')
}

// text appends s with what JSON wants escaped (RFC 8259, section 7).
func (w *Writer) text(s string) {
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		w.buf = append(w.buf, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			w.buf = append(w.buf, '\\', c)
		case '\n':
			w.buf = append(w.buf, '\\', 'n')
		default:
			const hex = "0123456789abcdef"
			w.buf = append(w.buf, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	w.buf = append(w.buf, s[from:]...)
}
