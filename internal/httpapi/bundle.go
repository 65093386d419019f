package httpapi

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sandfhir/sandfhir/fhirstore"
)

// A bundle is a Bundle as it is written. Resources go in byte for byte, as
// they are stored.
type bundle struct {
	head    []byte
	links   []byte
	entries []byte
}

// newBundle begins a Bundle of a type; a total below 0 is left out.
func newBundle(typ string, total int64) *bundle {
	b := &bundle{head: []byte(`{"resourceType":"Bundle","type":"` + typ + `"`)}
	if total >= 0 {
		b.head = strconv.AppendInt(append(b.head, `,"total":`...), total, 10)
	}
	return b
}

func (b *bundle) link(relation, url string) {
	if b.links != nil {
		b.links = append(b.links, ',')
	}
	b.links = append(b.links, `{"relation":"`+relation+`","url":`...)
	b.links = append(appendString(b.links, url), '}')
}

func (b *bundle) next() {
	if b.entries != nil {
		b.entries = append(b.entries, ',')
	}
}

// match adds a resource of a search result; mode is match or include.
func (b *bundle) match(base string, res *fhirstore.Resource, mode string) {
	b.next()
	b.entries = appendFullURL(b.entries, base, res)
	b.entries = append(append(b.entries, `,"resource":`...), res.JSON...)
	b.entries = append(b.entries, `,"search":{"mode":"`+mode+`"}}`...)
}

// outcome adds an OperationOutcome to a search result.
func (b *bundle) outcome(outcome []byte) {
	b.next()
	b.entries = append(append(b.entries, `{"resource":`...), outcome...)
	b.entries = append(b.entries, `,"search":{"mode":"outcome"}}`...)
}

// version adds an entry of a history (FHIR R4, http, history).
func (b *bundle) version(base string, res *fhirstore.Resource) {
	b.next()
	b.entries = appendFullURL(b.entries, base, res)
	if res.Op != fhirstore.OpDelete {
		b.entries = append(append(b.entries, `,"resource":`...), res.JSON...)
	}
	method, url, status := "PUT", res.Type+"/"+res.ID, "200 OK"
	switch res.Op {
	case fhirstore.OpCreate:
		status = "201 Created"
	case fhirstore.OpDelete:
		method, status = "DELETE", "204 No Content"
	}
	b.entries = append(b.entries, `,"request":{"method":"`+method+`","url":"`+url+`"},"response":{"status":"`+status+`","etag":`...)
	b.entries = appendString(b.entries, etag(res.Version))
	b.entries = append(b.entries, `,"lastModified":"`+fhirstore.FormatInstant(res.At)+`"}}`...)
}

func appendFullURL(to []byte, base string, res *fhirstore.Resource) []byte {
	return appendString(append(to, `{"fullUrl":`...), base+"/"+res.Type+"/"+res.ID)
}

// appendString appends s as a JSON string. Characters of HTML stay as they are:
// an & in a URL is easier to read than \u0026.
func appendString(to []byte, s string) []byte {
	text, err := jsontext.AppendQuote(to, s)
	if err != nil {
		return append(to, `""`...) // only ill-formed UTF-8 fails, and no URL of ours has any
	}
	return text
}

// bytes ends the Bundle. Lists without members are left out, as FHIR's JSON
// wants it.
func (b *bundle) bytes() []byte {
	out := make([]byte, 0, len(b.head)+len(b.links)+len(b.entries)+32)
	out = append(out, b.head...)
	if b.links != nil {
		out = append(append(append(out, `,"link":[`...), b.links...), ']')
	}
	if b.entries != nil {
		out = append(append(append(out, `,"entry":[`...), b.entries...), ']')
	}
	return append(out, '}')
}
