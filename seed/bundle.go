package seed

import (
	"bytes"
	"fmt"
	"time"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
)

// A bundleEntry is what has to be known of an entry before the first one can be loaded.
type bundleEntry struct {
	span
	fullURL string
	key     string    // Type/id, "" where either is missing
	given   string    // the id that the entry gives a resource without one
	create  bool      // a server would assign the id
	skip    string    // reason to pass it over
	deleted bool      // a history's DELETE
	at      time.Time // of the version in a history
	version string
}

// bundle loads the entries of a Bundle. It reads them twice: first for what the references of
// all of them can mean, then one after the other.
func (l *loader) bundle(t *text, b bundleText) error {
	root, err := fhirjson.Parse(b.skeleton)
	if err != nil {
		p := t.syntax(0, err)
		if s, ok := p.err.(*fhirjson.SyntaxError); ok {
			p = t.problem(b.offset(s.Offset), s.Msg, err)
		}
		return l.bad(p)
	}
	kind := root.Str("type")
	switch kind {
	case "collection", "searchset", "document", "message", "batch", "transaction", "history":
	case "":
		return l.bad(t.problem(root.Start, "the Bundle has no type", nil))
	default:
		return l.bad(t.problem(b.offset(root.Get("type").Start),
			fmt.Sprintf("a Bundle of type %q holds no resources to load", kind), nil))
	}

	entries := make([]bundleEntry, len(b.entries))
	refs := references{targets: map[string]string{}, earlier: l.identifiers}
	if bytes.Contains(t.data, []byte("?identifier=")) {
		refs.own = identifierIndex{}
	}
	for i, s := range b.entries {
		n, p := t.parseAt(s)
		if p != nil {
			return l.bad(*p)
		}
		e, resource := &entries[i], n.Get("resource")
		*e = readEntry(n, kind)
		e.span = s
		if e.create {
			e.given = l.assignedID(t.data[s.start+resource.Start : s.start+resource.End])
			e.key = resource.Str("resourceType") + "/" + e.given
		}
		if e.skip == "" {
			refs.add(e, resource)
		}
	}
	if kind == "history" {
		keepLatest(entries)
	}
	for i := range entries {
		if err := l.entry(t, &entries[i], &refs); err != nil {
			return err
		}
	}
	return nil
}

// entry loads one entry.
func (l *loader) entry(t *text, e *bundleEntry, refs *references) error {
	if e.skip != "" {
		l.skip(e.skip)
		return nil
	}
	n, p := t.parseAt(e.span)
	if p != nil {
		return l.bad(*p)
	}
	if n.Kind != fhirjson.Object {
		return l.bad(t.problem(e.start, fmt.Sprintf("an entry is a JSON object, this is of kind %s", n.Kind), nil))
	}
	resource := n.Get("resource")
	edits, unresolved := refs.resolve(resource, t.data[e.start:e.end])
	for _, u := range unresolved {
		l.warn(t.problem(e.start+u.at, u.reason, nil))
	}
	return l.resource(arrival{t: t, base: e.start, node: resource, id: e.given, edits: edits})
}

// readEntry tells what an entry of a Bundle of this type is.
func readEntry(n *fhirjson.Node, bundleType string) bundleEntry {
	e := bundleEntry{fullURL: n.Str("fullUrl")}
	if n.Kind != fhirjson.Object {
		return e // refused when its turn comes
	}
	request := n.Get("request")
	method := request.Str("method")
	resource := n.Get("resource")
	switch {
	case bundleType == "history" && method == "DELETE":
		e.deleted = true
		e.key = request.Str("url")
		e.at, _ = parseInstant(n.Get("response").Str("lastModified"))
		return e
	case (bundleType == "batch" || bundleType == "transaction") && method != "" && method != "POST" && method != "PUT":
		e.skip = method + " entry"
	case bundleType == "searchset" && n.Get("search").Str("mode") == "outcome":
		e.skip = "search outcome"
	case resource == nil:
		e.skip = "entry without a resource"
	}
	if e.skip != "" {
		return e
	}

	typ, id := resource.Str("resourceType"), resource.Str("id")
	if resource.Get("id") == nil {
		e.given = givenID(typ, e.fullURL, method, request.Str("url"))
		id = e.given
		e.create = id == "" && typ != "" && (bundleType == "batch" || bundleType == "transaction") && method != ""
	}
	if typ != "" && wellFormedID(id) {
		e.key = typ + "/" + id
	}
	meta := resource.Get("meta")
	e.version = meta.Str("versionId")
	var err error
	if e.at, err = parseInstant(meta.Str("lastUpdated")); err != nil {
		e.at, _ = parseInstant(n.Get("response").Str("lastModified"))
	}
	return e
}

// keepLatest marks all but the latest version of each resource of a history to be passed over,
// and the latest as well if it is a deletion. A history stands newest first (FHIR R4, RESTful
// API, history), which decides where the instants do not.
func keepLatest(entries []bundleEntry) {
	latest := map[string]int{}
	for i := range entries {
		e := &entries[i]
		if e.skip != "" || e.key == "" {
			continue
		}
		j, seen := latest[e.key]
		switch {
		case !seen:
			latest[e.key] = i
		case newer(e, &entries[j]):
			entries[j].skip = skipOlder
			latest[e.key] = i
		default:
			e.skip = skipOlder
		}
	}
	for i := range entries {
		if entries[i].deleted && entries[i].skip == "" {
			entries[i].skip = "deleted resource"
		}
	}
}

const skipOlder = "older version"

func newer(a, b *bundleEntry) bool {
	if !a.at.Equal(b.at) && !a.at.IsZero() && !b.at.IsZero() {
		return a.at.After(b.at)
	}
	if len(a.version) != len(b.version) {
		return a.version != "" && b.version != "" && len(a.version) > len(b.version)
	}
	return a.version > b.version
}
