package httpapi

import (
	"slices"
	"strings"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/fhirstore"
)

// ifNoneExist is the header with the criteria of a conditional create.
const ifNoneExist = "If-None-Exist"

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
func (l *call) beginWhere(c *fhirstore.Change, letters authz.Letters, doing string) error {
	typ, store, err := l.begin(letters, doing)
	if err != nil {
		return err
	}
	params, err := l.queryParams()
	if err != nil {
		return err
	}
	params = slices.DeleteFunc(params, func(p fhirstore.Param) bool { return p.Name == "_format" || p.Name == "_pretty" })
	if len(params) == 0 {
		return badRequest("required", l.Method()+" "+l.path+" names no resource: put its id into the path, or search parameters that only it matches behind a ?")
	}
	c.Type = typ
	c.Criteria, err = store.Criteria(typ, params, l.addresses.FHIRBase)
	return err
}

const doingUpdateWhere = "is a conditional update"

// updateWhere reads FHIR R4, http, conditional update.
func (l *call) updateWhere() (fhirstore.Change, error) {
	c := fhirstore.Change{Interaction: fhirstore.Update}
	if err := l.beginWhere(&c, authz.Update|authz.Search, doingUpdateWhere); err != nil {
		return c, err
	}
	return l.updateBody(c)
}

// patchWhere reads FHIR R4, http, patch, of what matches criteria.
func (l *call) patchWhere() (fhirstore.Change, error) {
	c := fhirstore.Change{Interaction: fhirstore.Patch}
	if err := l.beginWhere(&c, authz.Update|authz.Search, "is a conditional patch"); err != nil {
		return c, err
	}
	return l.patchBody(c)
}

// deleteWhere reads FHIR R4, http, conditional delete, of a single resource.
func (l *call) deleteWhere() (c fhirstore.Change, err error) {
	c.Interaction = fhirstore.Delete
	if err = l.beginWhere(&c, authz.Delete|authz.Search, "is a conditional delete"); err != nil {
		return c, err
	}
	c.Condition, err = l.condition()
	return c, err
}
