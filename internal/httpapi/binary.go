package httpapi

import (
	"encoding/base64"
	"mime"
	"slices"
	"strconv"
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
// that leads to it.
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
// to a Binary. Whoever could write one could have it lead anywhere.
func (l *call) ownsBinary(store *fhirstore.Store, id string) (bool, error) {
	may := func(letter authz.Letters) bool { return l.access.Allows("DocumentReference", letter).Granted }
	if !may(authz.Read) || may(authz.Create) || may(authz.Update) || !fhirstore.ValidID(id) {
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
	l.Vary(fiber.HeaderAccept)
	root, err := fhirjson.Parse(res.JSON)
	if err != nil {
		return err
	}
	content, undecodable := decodeBase64(root.Str("data")) // only where what is written is not judged
	if undecodable != nil || l.asksForFHIR(root.Str("contentType")) {
		if err := l.answersJSON(); err != nil {
			return err
		}
		return l.sendResource(fiber.StatusOK, res)
	}
	if err := l.oneVersion(); err != nil {
		return err
	}
	l.versionHeaders(res)
	if l.unchanged(res) {
		return l.Status(fiber.StatusNotModified).Send(nil)
	}
	if context := root.Get("securityContext").Str("reference"); context != "" {
		l.Set(securityContext, context)
	}
	// It is on the portal's origin, and whatever was written.
	l.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	l.Set(fiber.HeaderContentSecurityPolicy, "sandbox")
	l.Set(fiber.HeaderContentType, root.Str("contentType"))
	return l.Status(fiber.StatusOK).Send(content)
}

// decodeBase64 reads a base64Binary, which may have white space in it.
func decodeBase64(text string) ([]byte, error) {
	return base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
}

// asksForFHIR reports whether a request for a Binary wants the resource: it has
// _format, or names a type of FHIR and does not like that of the content better.
func (l *call) asksForFHIR(contentType string) bool {
	if l.Query("_format") != "" {
		return true
	}
	media, _, _ := mime.ParseMediaType(contentType) // "" for what is none
	ofFHIR, ofContent := 0.0, 0.0
	for _, part := range strings.Split(l.accept(), ",") {
		accepted, params, err := mime.ParseMediaType(strings.TrimSpace(part))
		if err != nil {
			continue
		}
		q, err := strconv.ParseFloat(params["q"], 64)
		if err != nil {
			q = 1
		}
		switch {
		case accepted == media:
			ofContent = max(ofContent, q)
		case isFHIRType(accepted):
			ofFHIR = max(ofFHIR, q)
		}
	}
	return ofFHIR > 0 && ofFHIR >= ofContent
}

// isFHIRType reports whether a media type is one of FHIR's, which is taken here
// or not.
func isFHIRType(media string) bool {
	return slices.Contains(jsonTypes(), media) || strings.HasPrefix(media, "application/fhir+")
}

// maxContent is the largest content that still fits into a Binary that can be
// written again as a resource, in bytes.
const maxContent = maxFHIRBody/4*3 - 64<<10

// binaryBody reads the content of a Binary that is sent as it is, and makes the
// resource of it; id is that of the URL, or "". Where the resource is sent it
// returns nil.
func (l *call) binaryBody(id string) ([]byte, error) {
	contentType := l.Get(fiber.HeaderContentType)
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil || isFHIRType(media) {
		return nil, nil
	}
	content, err := l.readBytes(maxContent)
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
