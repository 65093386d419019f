package httpapi

import (
	"errors"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/fhirstore"
)

// create reads FHIR R4, http, create; with If-None-Exist it is conditional.
func (l *call) create() (c fhirstore.Change, err error) {
	c.Interaction = fhirstore.Create
	conditional := len(l.Request().Header.PeekAll(ifNoneExist)) > 0
	letters, doing := authz.Create, "is a create"
	if conditional {
		letters, doing = authz.Create|authz.Search, "is a conditional create"
	}
	var store *fhirstore.Store
	if c.Type, store, err = l.begin(letters, doing); err != nil {
		return c, err
	}
	if err := l.refuseConditions("a create", "there is no version of it yet", conditionFields()[1:]...); err != nil {
		return c, err
	}
	if conditional {
		if c.Criteria, err = l.noneExist(store, c.Type); err != nil {
			return c, err
		}
	}
	c.Body, err = l.resourceBody(c)
	if err == nil && c.Type == "Group" {
		c.Body, err = l.groupBody(c.Body)
	}
	return c, err
}

// update reads FHIR R4, http, update, which creates what is not there yet.
func (l *call) update() (c fhirstore.Change, err error) {
	c.Interaction, c.ID = fhirstore.Update, l.Params("id")
	if c.Type, _, err = l.begin(authz.Update, "is an update"); err != nil {
		return c, err
	}
	return l.updateBody(c)
}

// updateBody reads the rest of an update.
func (l *call) updateBody(c fhirstore.Change) (_ fhirstore.Change, err error) {
	if c.Condition, err = l.condition(); err != nil {
		return c, err
	}
	c.Body, err = l.resourceBody(c)
	if err == nil && c.Type == "Group" {
		c.Body, err = l.groupBody(c.Body)
	}
	return c, err
}

// delete reads FHIR R4, http, delete.
func (l *call) delete() (c fhirstore.Change, err error) {
	c.Interaction, c.ID = fhirstore.Delete, l.Params("id")
	if c.Type, _, err = l.begin(authz.Delete, "is a delete"); err != nil {
		return c, err
	}
	c.Condition, err = l.condition()
	return c, err
}

// makeChange makes a change and answers what became of it.
func (l *call) makeChange(c fhirstore.Change) error {
	store, err := l.data()
	if err != nil {
		return err
	}
	done, err := store.Change(l.UserContext(), l.view(), c)
	if err != nil {
		return l.refusedChange(c, err)
	}
	return l.changed(store, c, done)
}

// refusedChange words why a change was refused.
func (l *call) refusedChange(c fhirstore.Change, err error) error {
	var forbidden *fhirstore.ForbiddenError
	if c.Interaction == fhirstore.Update && c.Criteria != nil && errors.As(err, &forbidden) && forbidden.Reason == fhirstore.NoLetter { // it would create
		if refused := l.require(c.Type, authz.Create|authz.Update|authz.Search, doingUpdateWhere+" that no resource matches"); refused != nil {
			return refused
		}
	}
	if c.Interaction == fhirstore.Patch {
		return ofPatch(err)
	}
	return err
}

// changed answers what became of a change. Whoever may not read gets no
// representation unless that is what was sent.
func (l *call) changed(store *fhirstore.Store, c fhirstore.Change, done fhirstore.Changed) error {
	res := done.Resource
	if c.Interaction == fhirstore.Delete {
		if res != nil {
			l.Set(fiber.HeaderETag, etag(res.Version))
			l.version = res
		}
		if asked := l.preferences()["return"]; asked == "OperationOutcome" {
			l.applyPreference(asked)
			happened := "there was nothing to delete"
			if res != nil {
				happened = "deleted as version " + res.VersionID()
			}
			return l.send(fiber.StatusOK, fhirJSON, operationOutcome("information", "informational", happened, ""))
		}
		return l.Status(fiber.StatusNoContent).Send(nil)
	}
	status, happened := fiber.StatusOK, "stored as version "+res.VersionID()
	if done.Created() {
		status = fiber.StatusCreated
	}
	if done.Created() || done.Matched {
		l.Set(fiber.HeaderLocation, l.addresses.FHIRBase+"/"+res.Type+"/"+res.ID+"/_history/"+res.VersionID())
	}
	if done.Matched {
		happened = "nothing was stored: " + res.Type + "/" + res.ID + " matches the criteria"
	}
	mayRead := l.access.Allows(res.Type, authz.Read).Granted
	if c.Interaction == fhirstore.Patch || done.Matched { // what it holds was not sent
		var err error
		if mayRead, err = store.May(l.UserContext(), l.view(), fhirstore.LetterRead, res); err != nil {
			return err
		}
	}
	return l.answer(status, res, mayRead, happened)
}

// resourceBody reads the resource that a change stores.
func (l *call) resourceBody(c fhirstore.Change) ([]byte, error) {
	if c.Type == binaryType {
		if body, err := l.binaryBody(c.ID); body != nil || err != nil {
			return body, err
		}
	}
	return l.jsonBody()
}

// jsonBody reads a body that has to be FHIR JSON.
func (l *call) jsonBody() ([]byte, error) {
	if err := l.sendsJSON(); err != nil {
		return nil, err
	}
	return l.readBody(maxFHIRBody)
}

// condition reads If-Match and If-None-Match. FHIR compares the weak tags that
// HTTP would not (FHIR R4, http, managing resource contention).
func (l *call) condition() (cond fhirstore.Condition, err error) {
	if err := l.refuseConditions("an update, patch or delete", "it is for a create; here criteria stand behind a ? in the URL", ifNoneExist); err != nil {
		return cond, err
	}
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

// applyPreference tells that a value of Prefer: return was heeded (RFC 7240
// section 3).
func (l *call) applyPreference(asked string) {
	switch asked {
	case "minimal", "representation", "OperationOutcome":
		l.Set("Preference-Applied", "return="+asked)
	}
}

// conditionFields are the header fields that make a write conditional.
func conditionFields() []string {
	return []string{ifNoneExist, fiber.HeaderIfMatch, fiber.HeaderIfNoneMatch, fiber.HeaderIfModifiedSince, fiber.HeaderIfUnmodifiedSince}
}

// refuseConditions refuses a write with conditions that are none of it: to
// ignore one would write what was not to be written.
func (l *call) refuseConditions(of, why string, fields ...string) error {
	for _, name := range fields {
		if len(l.Request().Header.PeekAll(name)) > 0 {
			return badRequest("not-supported", name+" is no condition of "+of+": "+why)
		}
	}
	return nil
}

// answer answers with a version as Prefer: return asks, and says what happened
// where an OperationOutcome is asked for.
func (l *call) answer(status int, res *fhirstore.Resource, mayRead bool, happened string) error {
	l.versionHeaders(res)
	asked := l.preferences()["return"]
	if asked != "representation" || mayRead {
		l.applyPreference(asked)
	}
	switch {
	case asked == "OperationOutcome":
		return l.send(status, fhirJSON, operationOutcome("information", "informational", happened, ""))
	case asked == "minimal" || !mayRead:
		return l.Status(status).Send(nil)
	}
	return l.send(status, fhirJSON, res.JSON)
}
