package httpapi

import (
	"errors"
	"mime"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/patch"
	"github.com/sandfhir/sandfhir/internal/r4"
	"github.com/sandfhir/sandfhir/internal/validation"
)

// jsonPatch is the media type of RFC 6902.
const jsonPatch = "application/json-patch+json"

// patchFormats are the media types of the patches that are taken: JSON Patch,
// and FHIRPath Patch in a Parameters resource.
func patchFormats() []string { return []string{jsonPatch, fhirJSON} }

// patch reads FHIR R4, http, patch.
func (l *call) patch() (c fhirstore.Change, err error) {
	c.Interaction, c.ID = fhirstore.Patch, l.Params("id")
	if c.Type, _, err = l.begin(authz.Update, "is a patch"); err != nil {
		return c, err
	}
	return l.patchBody(c)
}

// patchBody reads the rest of a patch.
func (l *call) patchBody(c fhirstore.Change) (_ fhirstore.Change, err error) {
	media, err := l.patchType()
	if err != nil {
		return c, err
	}
	if c.Condition, err = l.condition(); err != nil {
		return c, err
	}
	body, err := l.readBody(maxFHIRBody)
	if err != nil {
		return c, err
	}
	var p *patch.Patch
	if media == jsonPatch {
		p, err = patch.ParseJSON(body)
	} else {
		p, err = patch.ParseParameters(body, r4.Definitions())
	}
	if err == nil {
		c.Patch = p.Apply
	}
	return c, err
}

// patchType is the media type of the body, which has to be one of those that are
// taken (RFC 5789 section 2.2). application/json is none: it does not tell which
// of the two it is.
func (l *call) patchType() (string, error) {
	contentType := l.Get(fiber.HeaderContentType)
	media, params, err := mime.ParseMediaType(contentType)
	if version := params["fhirversion"]; err == nil && (media == jsonPatch || media == fhirJSON && (version == "" || version == "4.0")) {
		return media, nil
	}
	return "", &httpError{status: fiber.StatusUnsupportedMediaType, code: "not-supported",
		message: "Content-Type is " + strconv.Quote(contentType) + "; a patch is " + jsonPatch + ", or " + fhirJSON + " where it is a FHIRPath Patch",
		header:  map[string]string{"Accept-Patch": strings.Join(patchFormats(), ", ")}}
}

// ofPatch words what a patch is refused for, where what it leaves is at fault.
func ofPatch(err error) error {
	var invalid *fhirstore.InvalidError
	var wrong *validation.InvalidError
	switch {
	case errors.As(err, &invalid): // the request is in order, and its outcome is not (RFC 5789 section 2.2)
		return &httpError{status: fiber.StatusUnprocessableEntity, code: invalid.Code, message: "what the patch leaves is no valid resource: " + invalid.Error(), expression: invalid.Expression}
	case errors.As(err, &wrong):
		of := ofValidation(&validation.InvalidError{Issues: placeless(wrong.Issues)})
		of.status, of.message = fiber.StatusUnprocessableEntity, "what the patch leaves is no valid resource: "+of.message
		return of
	}
	return err
}

// refusedWrite turns what a patch or a conditional write is refused for into a
// status and a code; nil for any other error.
func refusedWrite(err error) *httpError {
	var (
		unpatched *patch.Error
		immutable *fhirstore.ImmutableError
		none      *fhirstore.NoMatchError
		several   *fhirstore.MultipleMatchesError
		taken     *fhirstore.IDTakenError
		untied    *fhirstore.ReferenceError
	)
	switch {
	case errors.As(err, &untied):
		return ofReference(untied)
	case errors.As(err, &unpatched):
		status := fiber.StatusUnprocessableEntity
		if unpatched.Malformed {
			status = fiber.StatusBadRequest
		}
		return &httpError{status: status, code: unpatched.Code, message: unpatched.Error(), expression: unpatched.Expression}
	case errors.As(err, &immutable):
		return &httpError{status: fiber.StatusUnprocessableEntity, code: "business-rule", message: immutable.Error(), expression: immutable.Element}
	case errors.As(err, &none) && none.Want != "":
		return &httpError{status: fiber.StatusPreconditionFailed, code: "conflict", message: none.Error()}
	case errors.As(err, &none):
		return &httpError{status: fiber.StatusNotFound, code: "not-found", message: none.Error()}
	case errors.As(err, &several):
		return &httpError{status: fiber.StatusPreconditionFailed, code: "multiple-matches", message: err.Error()}
	case errors.As(err, &taken):
		return &httpError{status: fiber.StatusConflict, code: "conflict", message: taken.Error()}
	}
	return nil
}

// ofReference is the refusal of a conditional reference; nil where the rules
// word it.
func ofReference(e *fhirstore.ReferenceError) *httpError {
	var (
		none    *fhirstore.NoMatchError
		several *fhirstore.MultipleMatchesError
		query   *fhirstore.QueryError
	)
	switch {
	case errors.As(e.Err, &none):
		return &httpError{status: fiber.StatusBadRequest, code: "not-found", message: "the conditional reference " + e.Reference + ": nothing matches it", expression: e.Expression}
	case errors.As(e.Err, &several):
		return &httpError{status: fiber.StatusPreconditionFailed, code: "multiple-matches", message: "the conditional reference " + e.Reference + " matches several resources", expression: e.Expression}
	case errors.As(e.Err, &query):
		return &httpError{status: fiber.StatusBadRequest, code: query.Code, message: e.Error(), expression: e.Expression}
	}
	return nil
}

// placeless returns issues without the line and column, which are of a text
// that the client neither sent nor sees.
func placeless(issues []validation.Issue) []validation.Issue {
	issues = slices.Clone(issues)
	for i := range issues {
		issues[i].Line, issues[i].Column = 0, 0
	}
	return issues
}
