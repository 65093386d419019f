package fhirwrite

import (
	"strconv"
	"time"
)

// A Decimal is Units / 10^Places. It is a pair of integers because float arithmetic may be fused
// on some processors and then rounds differently.
type Decimal struct {
	Units  int
	Places int
}

func (d Decimal) append(buf []byte) []byte {
	units := d.Units
	if units < 0 {
		buf = append(buf, '-')
		units = -units
	}
	scale := 1
	for range d.Places {
		scale *= 10
	}
	buf = strconv.AppendInt(buf, int64(units/scale), 10)
	if d.Places == 0 {
		return buf
	}
	buf = append(buf, '.')
	for rest := units % scale; scale > 1; rest %= scale {
		scale /= 10
		buf = append(buf, byte('0'+rest/scale))
	}
	return buf
}

// String returns the decimal with all of its places.
func (d Decimal) String() string { return string(d.append(nil)) }

// A Coding is a code, the system it is from and the system's own text for it, which may be empty.
type Coding struct {
	System, Code, Display string
}

// A Concept is a CodeableConcept: one meaning, in the codes of one or more systems and as text.
type Concept struct {
	Codings []Coding
	Text    string
}

// A Quantity is a measured amount: Unit is for people, Code is UCUM.
type Quantity struct {
	Value      Decimal
	Unit, Code string
}

// An Identifier is a business identifier. Type has no code when there is nothing to say.
type Identifier struct {
	Use           string
	Type          Coding
	System, Value string
}

const ucum = "http://unitsofmeasure.org"

// Coding writes a Coding.
func (w *Writer) Coding(name string, c Coding) {
	w.Object(name)
	if c.System != "" {
		w.String("system", c.System)
	}
	w.String("code", c.Code)
	if c.Display != "" {
		w.String("display", c.Display)
	}
	w.End()
}

// Concept writes a CodeableConcept.
func (w *Writer) Concept(name string, c Concept) {
	w.Object(name)
	if len(c.Codings) > 0 {
		w.Array("coding")
		for _, coding := range c.Codings {
			w.Coding("", coding)
		}
		w.EndArray()
	}
	if c.Text != "" {
		w.String("text", c.Text)
	}
	w.End()
}

// Concepts writes an array of CodeableConcepts.
func (w *Writer) Concepts(name string, concepts ...Concept) {
	w.Array(name)
	for _, c := range concepts {
		w.Concept("", c)
	}
	w.EndArray()
}

// Coded writes a CodeableConcept of one coding and no text.
func (w *Writer) Coded(name string, c Coding) {
	w.Object(name)
	w.Array("coding")
	w.Coding("", c)
	w.EndArray()
	w.End()
}

// CodedList writes an array of one CodeableConcept of one coding.
func (w *Writer) CodedList(name string, c Coding) {
	w.Array(name)
	w.Coded("", c)
	w.EndArray()
}

// Reference writes a literal relative reference. An empty display is left out.
func (w *Writer) Reference(name, resourceType, id, display string) {
	w.Object(name)
	w.name("reference")
	w.buf = append(w.buf, '"')
	w.buf = append(w.buf, resourceType...)
	w.buf = append(w.buf, '/')
	w.buf = append(w.buf, id...)
	w.buf = append(w.buf, '"')
	if display != "" {
		w.String("display", display)
	}
	w.End()
}

// Quantity writes a Quantity in UCUM.
func (w *Writer) Quantity(name string, q Quantity) {
	w.Object(name)
	w.Decimal("value", q.Value)
	w.String("unit", q.Unit)
	w.String("system", ucum)
	w.String("code", q.Code)
	w.End()
}

// Money writes an amount of US dollars, given in cents.
func (w *Writer) Money(name string, cents int) {
	w.Object(name)
	w.Decimal("value", Decimal{Units: cents, Places: 2})
	w.String("currency", "USD")
	w.End()
}

// Period writes a Period of dateTimes. A zero end is left out.
func (w *Writer) Period(name string, start, end time.Time) {
	w.Object(name)
	w.DateTime("start", start)
	if !end.IsZero() {
		w.DateTime("end", end)
	}
	w.End()
}

// Days writes a Period of dates. A zero start or end is left out.
func (w *Writer) Days(name string, start, end time.Time) {
	w.Object(name)
	if !start.IsZero() {
		w.Date("start", start)
	}
	if !end.IsZero() {
		w.Date("end", end)
	}
	w.End()
}

// Identifier writes an Identifier.
func (w *Writer) Identifier(name string, id Identifier) {
	w.Object(name)
	if id.Use != "" {
		w.String("use", id.Use)
	}
	if id.Type.Code != "" {
		w.Coded("type", id.Type)
	}
	w.String("system", id.System)
	w.String("value", id.Value)
	w.End()
}

// Contact writes a ContactPoint. An empty use is left out.
func (w *Writer) Contact(name, system, value, use string) {
	w.Object(name)
	w.String("system", system)
	w.String("value", value)
	if use != "" {
		w.String("use", use)
	}
	w.End()
}
