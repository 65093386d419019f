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
	if conditional {
		if c.Criteria, err = l.noneExist(store, c.Type); err != nil {
			return c, err
		}
	}
	c.Body, err = l.resourceBody()
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
	c.Body, err = l.resourceBody()
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
// representation unless that is what was sent (FR-SC-30).
func (l *call) changed(store *fhirstore.Store, c fhirstore.Change, done fhirstore.Changed) error {
	res := done.Resource
	if c.Interaction == fhirstore.Delete {
		if res != nil {
			l.Set(fiber.HeaderETag, etag(res.Version))
			l.version = res
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
