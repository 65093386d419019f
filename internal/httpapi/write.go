package httpapi

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/fhirstore"
)

// create is FHIR R4, http, create.
func (l *call) create() error {
	typ, store, err := l.begin(authz.Create, "is a create")
	if err != nil {
		return err
	}
	if l.Get("If-None-Exist") != "" {
		return badRequest("not-supported", "If-None-Exist is not offered; the resource was not created")
	}
	body, err := l.resourceBody()
	if err != nil {
		return err
	}
	res, err := store.Create(l.UserContext(), l.view(), typ, body)
	if err != nil {
		return err
	}
	return l.written(fiber.StatusCreated, res)
}

// update is FHIR R4, http, update, and creates what is not there yet.
func (l *call) update() error {
	typ, store, err := l.begin(authz.Update, "is an update")
	if err != nil {
		return err
	}
	cond, err := l.condition()
	if err != nil {
		return err
	}
	body, err := l.resourceBody()
	if err != nil {
		return err
	}
	res, created, err := store.Update(l.UserContext(), l.view(), typ, l.Params("id"), body, cond)
	if err != nil {
		return err
	}
	if created {
		return l.written(fiber.StatusCreated, res)
	}
	return l.written(fiber.StatusOK, res)
}

// delete is FHIR R4, http, delete.
func (l *call) delete() error {
	typ, store, err := l.begin(authz.Delete, "is a delete")
	if err != nil {
		return err
	}
	cond, err := l.condition()
	if err != nil {
		return err
	}
	tombstone, err := store.Delete(l.UserContext(), l.view(), typ, l.Params("id"), cond)
	if err != nil {
		return err
	}
	if tombstone != nil {
		l.Set(fiber.HeaderETag, etag(tombstone.Version))
	}
	return l.Status(fiber.StatusNoContent).Send(nil)
}

func (l *call) resourceBody() ([]byte, error) {
	if err := l.sendsJSON(); err != nil {
		return nil, err
	}
	return l.readBody(maxFHIRBody)
}

// condition reads If-Match and If-None-Match. FHIR compares the weak tags that
// HTTP would not (FHIR R4, http, managing resource contention).
func (l *call) condition() (cond fhirstore.Condition, err error) {
	switch none := l.Get(fiber.HeaderIfNoneMatch); none {
	case "":
	case "*":
		cond.IfNoneMatch = true
	default:
		return cond, badRequest("not-supported", "of If-None-Match a write takes only *: the resource must not exist yet")
	}
	for _, name := range []string{fiber.HeaderIfUnmodifiedSince, fiber.HeaderIfModifiedSince} {
		if l.Get(name) != "" {
			return cond, badRequest("not-supported", name+" is no condition of a write here: say which version is meant with If-Match")
		}
	}
	if len(l.Request().Header.PeekAll(fiber.HeaderIfMatch)) > 1 {
		return cond, badRequest("invalid", "If-Match is there more than once; a write takes one version")
	}
	match := strings.TrimSpace(l.Get(fiber.HeaderIfMatch))
	if match == "" || match == "*" {
		cond.IfMatch = match
		return cond, nil
	}
	tag := strings.TrimPrefix(match, "W/")
	if len(tag) < 3 || tag[0] != '"' || tag[len(tag)-1] != '"' || strings.Count(tag, `"`) != 2 {
		return cond, badRequest("value", "If-Match is "+match+`; it has to be an entity tag such as W/"3", quotation marks included`)
	}
	cond.IfMatch = tag[1 : len(tag)-1]
	return cond, nil
}

// written answers a write as Prefer: return asks (FHIR R4, http, prefer).
// Whoever may not read gets no representation unless that is what was sent
// (FR-SC-30).
func (l *call) written(status int, res *fhirstore.Resource) error {
	l.versionHeaders(res)
	if status == fiber.StatusCreated {
		l.Set(fiber.HeaderLocation, l.addresses.FHIRBase+"/"+res.Type+"/"+res.ID+"/_history/"+res.VersionID())
	}
	asked := l.preferences()["return"]
	mayRead := l.access.Allows(res.Type, authz.Read).Granted
	if asked == "minimal" || asked == "OperationOutcome" || asked == "representation" && mayRead {
		l.Set("Preference-Applied", "return="+asked)
	}
	switch {
	case asked == "OperationOutcome":
		return l.send(status, fhirJSON, operationOutcome("information", "informational", "stored as version "+res.VersionID(), ""))
	case asked == "minimal" || !mayRead:
		return l.Status(status).Send(nil)
	}
	return l.send(status, fhirJSON, res.JSON)
}
