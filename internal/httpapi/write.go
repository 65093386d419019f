package httpapi

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/fhirstore"
)

// create is FHIR R4, http, create; with If-None-Exist it is conditional.
func (l *call) create() error {
	if len(l.Request().Header.PeekAll(ifNoneExist)) > 0 {
		return l.createUnless()
	}
	typ, store, err := l.begin(authz.Create, "is a create")
	if err != nil {
		return err
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
	return l.updated(created, res)
}

func (l *call) updated(created bool, res *fhirstore.Resource) error {
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
	return l.deleted(tombstone)
}

// deleted answers a delete; where there was nothing to delete, tombstone is nil.
func (l *call) deleted(tombstone *fhirstore.Resource) error {
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
	if status == fiber.StatusCreated {
		l.setLocation(res)
	}
	return l.answer(status, res, l.access.Allows(res.Type, authz.Read).Granted, "stored as version "+res.VersionID())
}

func (l *call) setLocation(res *fhirstore.Resource) {
	l.Set(fiber.HeaderLocation, l.addresses.FHIRBase+"/"+res.Type+"/"+res.ID+"/_history/"+res.VersionID())
}

// answer answers with a version as Prefer: return asks, and says what happened
// where an OperationOutcome is asked for.
func (l *call) answer(status int, res *fhirstore.Resource, mayRead bool, happened string) error {
	l.versionHeaders(res)
	asked := l.preferences()["return"]
	if asked == "minimal" || asked == "OperationOutcome" || asked == "representation" && mayRead {
		l.Set("Preference-Applied", "return="+asked)
	}
	switch {
	case asked == "OperationOutcome":
		return l.send(status, fhirJSON, operationOutcome("information", "informational", happened, ""))
	case asked == "minimal" || !mayRead:
		return l.Status(status).Send(nil)
	}
	return l.send(status, fhirJSON, res.JSON)
}
