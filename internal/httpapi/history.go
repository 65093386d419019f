package httpapi

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/bulk"
)

// history is FHIR R4, http, history of an instance.
func (l *call) history() error {
	typ, store, err := l.begin(authz.Read, "is the history of a resource")
	if err != nil {
		return err
	}
	q, used, err := l.historyQuery()
	if err != nil {
		return err
	}
	count := q.Count
	if count > 0 {
		q.Count++ // one more tells whether there is a next page
	}
	versions, total, err := store.History(l.UserContext(), l.view(), typ, l.Params("id"), q)
	if err != nil {
		return err
	}
	at := l.addresses.FHIRBase + "/" + typ + "/" + l.Params("id") + "/_history"
	b := newBundle("history", total)
	b.link("self", withQuery(at, used))
	if count > 0 && len(versions) > count {
		versions = versions[:count]
		used.Set(fhirstore.NextParam, versions[count-1].VersionID())
		b.link("next", withQuery(at, used))
	}
	for i := range versions {
		b.version(l.addresses.FHIRBase, &versions[i])
	}
	return l.send(fiber.StatusOK, fhirJSON, b.bytes())
}

// historyOfType is FHIR R4, http, history of a type. It is a search by its
// letter.
func (l *call) historyOfType() error {
	typ, _, err := l.begin(authz.Search, "is the history of a type")
	if err != nil {
		return err
	}
	return l.historyOf([]string{typ}, "/"+typ+"/_history")
}

// historyOfAll is FHIR R4, http, history of everything: of the types that the
// token may search.
func (l *call) historyOfAll() error {
	if err := l.authenticate(); err != nil {
		return err
	}
	store, err := l.data()
	if err != nil {
		return err
	}
	var types []string
	for _, typ := range store.Types() {
		if l.access.Allows(typ, authz.Search).Granted {
			types = append(types, typ)
		}
	}
	if len(types) == 0 {
		return l.require(authz.AnyType, authz.Search, "is the history of everything")
	}
	if err := l.answersJSON(); err != nil {
		return err
	}
	return l.historyOf(types, "/_history")
}

// historyOf answers with a page of the history of types.
func (l *call) historyOf(types []string, path string) error {
	q, used, err := l.historyQuery()
	if err != nil {
		return err
	}
	if q.Count == 0 {
		q.Count = fhirstore.DefaultCount
	}
	store, err := l.data()
	if err != nil {
		return err
	}
	versions, next, total, err := store.HistoryOf(l.UserContext(), l.view(), types, q)
	if err != nil {
		return err
	}
	b := newBundle("history", total)
	b.link("self", withQuery(l.addresses.FHIRBase+path, used))
	if next > 0 {
		used.Set(fhirstore.NextParam, itoa(next))
		b.link("next", withQuery(l.addresses.FHIRBase+path, used))
	}
	for i := range versions {
		b.version(l.addresses.FHIRBase, &versions[i])
	}
	return l.send(fiber.StatusOK, fhirJSON, b.bytes())
}

// historyQuery reads the parameters of a history, each of which stands there at
// most once.
func (l *call) historyQuery() (q fhirstore.HistoryQuery, used url.Values, err error) {
	params, err := l.queryParams()
	if err != nil {
		return q, nil, err
	}
	used = url.Values{}
	for _, p := range params {
		switch p.Name {
		case "_count":
			if q.Count, err = strconv.Atoi(p.Value); err != nil || q.Count < 1 {
				return q, nil, badRequest("value", "_count has to be a whole number from 1")
			}
			q.Count = min(q.Count, fhirstore.MaxCount)
		case "_since":
			// A zone's raw + arrives as a space.
			if q.Since, err = bulk.ParseInstant(strings.ReplaceAll(p.Value, " ", "+")); err != nil {
				return q, nil, badRequest("value", "_since has to be an instant such as 2026-01-31T08:00:00Z")
			}
		case fhirstore.NextParam:
			if q.Before, err = strconv.ParseInt(p.Value, 10, 64); err != nil || q.Before < 1 {
				return q, nil, badRequest("value", fhirstore.NextParam+" is not the token of a page: follow the link that the page before gave")
			}
		case "_at", "_list":
			return q, nil, badRequest("not-supported", p.Name+" is not offered; leave it out, or ask with _since")
		default:
			continue
		}
		if used.Has(p.Name) {
			return q, nil, badRequest("invalid", p.Name+" is there more than once; a history takes it once")
		}
		used.Set(p.Name, p.Value)
	}
	return q, used, nil
}

func withQuery(at string, values url.Values) string {
	if len(values) == 0 {
		return at
	}
	return at + "?" + values.Encode()
}
