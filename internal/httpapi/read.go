package httpapi

import (
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/r4"
	"github.com/sandfhir/sandfhir/internal/subset"
)

// begin is what every FHIR interaction starts with: who asks, and for what
// type with what letters.
func (l *call) begin(letters authz.Letters, doing string) (typ string, store *fhirstore.Store, err error) {
	if typ, store, err = l.beginType(); err != nil {
		return "", nil, err
	}
	if err := l.require(typ, letters, doing); err != nil {
		return "", nil, err
	}
	return typ, store, l.answersJSON()
}

// isRead reports whether a request is by GET or HEAD.
func (l *call) isRead() bool {
	return l.Method() == fiber.MethodGet || l.Method() == fiber.MethodHead
}

// beginType is begin for what needs no scope.
func (l *call) beginType() (typ string, store *fhirstore.Store, err error) {
	if isOpen(l.routed) {
		return "", nil, l.nothingHere()
	}
	if err := l.authenticate(); err != nil {
		return "", nil, err
	}
	typ = l.Params("type")
	if !isTypeName(typ) || l.Params("id") != "" && isSpecial(l.Params("id")) {
		return "", nil, l.nothingHere() // the router takes $nothing and _nothing for a type or an id
	}
	store, err = l.data()
	if err != nil {
		return "", nil, err
	}
	if !store.KnowsType(typ) {
		hint := ""
		if near := store.NearestType(typ); near != "" {
			hint = "; did you mean " + near + "?"
		}
		return "", nil, &httpError{status: fiber.StatusNotFound, code: "not-supported", message: "FHIR R4 has no resource type " + typ + hint}
	}
	return typ, store, nil
}

// read is FHIR R4, http, read.
func (l *call) read() error {
	if l.Params("type") == binaryType {
		return l.readBinary()
	}
	typ, store, err := l.begin(authz.Read, "is a read")
	if err != nil {
		return err
	}
	res, err := store.Read(l.UserContext(), l.view(), typ, l.Params("id"))
	if err != nil {
		return err
	}
	return l.sendResource(fiber.StatusOK, res)
}

// vread is FHIR R4, http, vread.
func (l *call) vread() error {
	typ, store, err := l.beginType()
	if err == nil {
		err = l.require(typ, authz.Read, "is a vread")
	}
	if err == nil && typ != binaryType { // which is answered in its own type
		err = l.answersJSON()
	}
	if err != nil {
		return err
	}
	res, err := store.ReadVersion(l.UserContext(), l.view(), typ, l.Params("id"), l.Params("version"))
	if err != nil {
		return err
	}
	if typ == binaryType {
		return l.sendBinary(res)
	}
	return l.sendResource(fiber.StatusOK, res)
}

// sendResource answers with a version, or with 304 where the client has it
// already (FHIR R4, http, conditional read).
func (l *call) sendResource(status int, res *fhirstore.Resource) error {
	l.versionHeaders(res)
	if status == fiber.StatusOK && l.isRead() && l.unchanged(res) {
		return l.Status(fiber.StatusNotModified).Send(nil)
	}
	body, err := l.selected(res.Type, res.JSON)
	if err != nil {
		return err
	}
	return l.send(status, fhirJSON, body)
}

// selected is the part of a resource that _summary or _elements of a read ask
// for (FHIR R4, http, read).
func (l *call) selected(typ string, json []byte) ([]byte, error) {
	if !l.isRead() || l.query() == "" {
		return json, nil
	}
	var selection subset.Selection
	switch summary := l.Query("_summary"); summary {
	case "", "false":
	case "true", "text", "data":
		selection.Summary = summary
	default:
		return nil, badRequest("value", "_summary is "+strconv.Quote(summary)+"; for a read it has to be true, text, data or false")
	}
	if elements := l.Query("_elements"); elements != "" {
		var unknown []string
		selection.Elements, unknown = subset.ParseElements(r4.Definitions(), typ, elements)
		if len(unknown) > 0 {
			return nil, badRequest("value", "_elements names "+strconv.Quote(unknown[0])+", which "+typ+" does not have")
		}
	}
	return subset.Of(r4.Definitions(), json, selection)
}

func (l *call) versionHeaders(res *fhirstore.Resource) {
	l.version = res
	l.Set(fiber.HeaderETag, etag(res.Version))
	l.Set(fiber.HeaderLastModified, res.At.UTC().Format(httpDate))
}

// unchanged judges If-None-Match, or If-Modified-Since where that is absent
// (RFC 9110 section 13.2.2).
func (l *call) unchanged(res *fhirstore.Resource) bool {
	if none := l.Get(fiber.HeaderIfNoneMatch); none != "" {
		for _, tag := range strings.Split(none, ",") {
			if tag = strings.TrimSpace(tag); tag == "*" || strings.Trim(strings.TrimPrefix(tag, "W/"), `"`) == res.VersionID() {
				return true
			}
		}
		return false
	}
	since, err := time.Parse(httpDate, l.Get(fiber.HeaderIfModifiedSince))
	return err == nil && !res.At.Truncate(time.Second).After(since)
}

func etag(version int64) string { return `W/"` + itoa(version) + `"` }
