package httpapi

import (
	"encoding/base64"
	"mime"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/fhirjson"
)

const (
	binaryType      = "Binary"
	securityContext = "X-Security-Context"
)

// readBinary reads a Binary, for whoever may read it or a DocumentReference
// that leads to it (FR-SC-25).
func (l *call) readBinary() error {
	typ, store, err := l.beginType()
	if err != nil {
		return err
	}
	id, view := l.Params("id"), l.view()
	if !l.access.Allows(typ, authz.Read).Granted {
		owned, err := l.ownsBinary(store, id)
		if err != nil {
			return err
		}
		if owned {
			view.Permissions = append(view.Permissions, fhirstore.Permission{Type: binaryType, Letters: fhirstore.LetterRead})
		} else if err := l.require(typ, authz.Read, "is a read"); err != nil {
			return err
		}
	}
	res, err := store.Read(l.UserContext(), view, typ, id)
	if err != nil {
		return err
	}
	return l.sendBinary(res)
}

// ownsBinary reports whether the token may read a DocumentReference that leads
// to a Binary.
func (l *call) ownsBinary(store *fhirstore.Store, id string) (bool, error) {
	if !l.access.Allows("DocumentReference", authz.Read).Granted || !fhirstore.ValidID(id) {
		return false, nil
	}
	place := binaryType + "/" + id
	q, err := store.Query("DocumentReference", []fhirstore.Param{{Name: "location", Value: place + "," + l.addresses.FHIRBase + "/" + place}, {Name: "_total", Value: "none"}},
		fhirstore.QueryOptions{Strict: true, Base: l.addresses.FHIRBase})
	if err != nil {
		return false, err
	}
	readable := l.view() // finds what it may read
	for i := range readable.Permissions {
		p := &readable.Permissions[i]
		if p.Letters &= fhirstore.LetterRead; p.Letters != 0 {
			p.Letters = fhirstore.LetterSearch
		}
	}
	page, err := store.Search(l.UserContext(), readable, q)
	if err != nil {
		return false, err
	}
	return len(page.Matches) > 0, nil
}

// sendBinary answers with the content of a Binary as it is, or with the
// resource where FHIR is asked for (FHIR R4, binary).
func (l *call) sendBinary(res *fhirstore.Resource) error {
	if l.asksForJSON() {
		return l.sendResource(fiber.StatusOK, res)
	}
	root, err := fhirjson.Parse(res.JSON)
	if err != nil {
		return err
	}
	content, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(root.Str("data")), ""))
	if err != nil { // only where what is written is not judged
		return l.sendResource(fiber.StatusOK, res)
	}
	l.versionHeaders(res)
	if l.unchanged(res) {
		return l.Status(fiber.StatusNotModified).Send(nil)
	}
	if context := root.Get("securityContext").Str("reference"); context != "" {
		l.Set(securityContext, context)
	}
	l.Vary(fiber.HeaderAccept)
	// It is on the portal's origin, and whatever was written.
	l.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	l.Set(fiber.HeaderContentSecurityPolicy, "sandbox")
	return l.send(fiber.StatusOK, root.Str("contentType"), content)
}

// asksForJSON reports whether a request names FHIR's JSON as what it takes.
func (l *call) asksForJSON() bool {
	return l.Query("_format") != "" || accepts(l.accept(), jsonTypes()...)
}

// binaryBody reads the content of a Binary that is sent as it is, and makes the
// resource of it; id is that of the URL, or "". Where the resource is sent it
// returns nil.
func (l *call) binaryBody(id string) ([]byte, error) {
	contentType := l.Get(fiber.HeaderContentType)
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil || l.sendsJSON() == nil || media == "application/fhir+xml" {
		return nil, nil
	}
	content, err := l.readBytes(maxFHIRBody)
	if err != nil {
		return nil, err
	}
	if len(content) == 0 {
		return nil, badRequest("required", "the body is empty; it has to be the content of the Binary")
	}
	body := []byte(`{"resourceType":"Binary"`)
	if id != "" {
		body = appendString(append(body, `,"id":`...), id)
	}
	body = appendString(append(body, `,"contentType":`...), contentType)
	if context := l.Get(securityContext); context != "" {
		body = append(appendString(append(body, `,"securityContext":{"reference":`...), context), '}')
	}
	body = append(body, `,"data":"`...)
	body = base64.StdEncoding.AppendEncode(body, content)
	return append(body, `"}`...), nil
}
