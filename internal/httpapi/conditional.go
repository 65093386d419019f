package httpapi

import (
	"errors"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/fhirstore"
)

// ifNoneExist is the header with the criteria of a conditional create.
const ifNoneExist = "If-None-Exist"

// createUnless is FHIR R4, http, conditional create.
func (l *call) createUnless() error {
	typ, store, err := l.begin(authz.Create|authz.Search, "is a conditional create")
	if err != nil {
		return err
	}
	criteria, err := l.noneExist(store, typ)
	if err != nil {
		return err
	}
	body, err := l.resourceBody()
	if err != nil {
		return err
	}
	res, created, err := store.CreateUnless(l.UserContext(), l.view(), criteria, body)
	switch {
	case err != nil:
		return err
	case created:
		return l.written(fiber.StatusCreated, res)
	}
	mayRead, err := store.May(l.UserContext(), l.view(), fhirstore.LetterRead, res)
	if err != nil {
		return err
	}
	l.setLocation(res)
	return l.answer(fiber.StatusOK, res, mayRead, "nothing was stored: "+res.Type+"/"+res.ID+" matches the criteria")
}

// noneExist reads If-None-Exist: the parameters of a search, and nothing else of
// its URL.
func (l *call) noneExist(store *fhirstore.Store, typ string) (*fhirstore.Query, error) {
	values := l.Request().Header.PeekAll(ifNoneExist)
	if len(values) > 1 {
		return nil, badRequest("invalid", ifNoneExist+" is there more than once")
	}
	text := string(values[0])
	if name, _, _ := strings.Cut(text, "="); strings.Contains(name, "?") {
		return nil, badRequest("value", ifNoneExist+" is "+text+"; it has only the parameters of the search, without type and ?, such as identifier=http://example.org|1")
	}
	params, err := fhirstore.ParseParams(text)
	if err != nil {
		return nil, err
	}
	return store.Criteria(typ, params, l.addresses.FHIRBase)
}

// beginWhere is begin, and reads the criteria of a conditional write from the
// URL.
func (l *call) beginWhere(letters authz.Letters, doing string) (*fhirstore.Store, *fhirstore.Query, error) {
	typ, store, err := l.begin(letters, doing)
	if err != nil {
		return nil, nil, err
	}
	params, err := fhirstore.ParseParams(l.query())
	if err != nil {
		return nil, nil, err
	}
	params = slices.DeleteFunc(params, func(p fhirstore.Param) bool { return p.Name == "_format" || p.Name == "_pretty" })
	if len(params) == 0 {
		return nil, nil, badRequest("required", l.Method()+" "+l.path+" names no resource: put its id into the path, or search parameters that only it matches behind a ?")
	}
	criteria, err := store.Criteria(typ, params, l.addresses.FHIRBase)
	return store, criteria, err
}

// updateWhere is FHIR R4, http, conditional update.
func (l *call) updateWhere() error {
	const doing = "is a conditional update"
	store, criteria, err := l.beginWhere(authz.Update|authz.Search, doing)
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
	res, created, err := store.UpdateWhere(l.UserContext(), l.view(), criteria, body, cond)
	var forbidden *fhirstore.ForbiddenError
	if errors.As(err, &forbidden) && forbidden.Reason == fhirstore.NoLetter { // it would create
		if refused := l.require(criteria.Type, authz.Create|authz.Update|authz.Search, doing+" that no resource matches"); refused != nil {
			return refused
		}
	}
	if err != nil {
		return err
	}
	return l.updated(created, res)
}

// patchWhere is FHIR R4, http, patch, of what matches criteria.
func (l *call) patchWhere() error {
	store, criteria, err := l.beginWhere(authz.Update|authz.Search, "is a conditional patch")
	if err != nil {
		return err
	}
	cond, p, err := l.readPatch()
	if err != nil {
		return err
	}
	res, err := store.PatchWhere(l.UserContext(), l.view(), criteria, cond, p.Apply)
	return l.patched(store, res, err)
}

// deleteWhere is FHIR R4, http, conditional delete, of a single resource.
func (l *call) deleteWhere() error {
	store, criteria, err := l.beginWhere(authz.Delete|authz.Search, "is a conditional delete")
	if err != nil {
		return err
	}
	cond, err := l.condition()
	if err != nil {
		return err
	}
	tombstone, err := store.DeleteWhere(l.UserContext(), l.view(), criteria, cond)
	if err != nil {
		return err
	}
	return l.deleted(tombstone)
}
