package httpapi

import (
	"bytes"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/bulk"
	"github.com/sandfhir/sandfhir/internal/fhirjson"
)

// everything is the operation Patient/$everything: the patient, the resources of
// the compartment and what they refer to (FHIR R4, Patient-everything).
func (l *call) everything() error {
	if err := l.authenticate(); err != nil {
		return err
	}
	if err := l.require("Patient", authz.Read, "reads a patient"); err != nil {
		return err
	}
	store, err := l.data()
	if err != nil {
		return err
	}
	if err := l.answersJSON(); err != nil {
		return err
	}
	params, err := l.operationParams()
	if err != nil {
		return err
	}
	if err := l.openPages(params); err != nil {
		return err
	}
	want, used, err := l.everythingQuery(store, params)
	if err != nil {
		return err
	}
	patient, err := store.Read(l.UserContext(), l.view(), "Patient", l.Params("id"))
	if err != nil {
		return err
	}
	view := l.view()
	view.Permissions = append(view.Permissions, fhirstore.Permission{Type: "Patient", Letters: fhirstore.LetterSearch, Query: "_id=" + patient.ID})
	page, err := store.PatientEverything(l.UserContext(), view, patient.ID, want)
	if err != nil {
		return err
	}
	at := l.addresses.FHIRBase + "/Patient/" + patient.ID + "/$everything"
	b := newBundle("searchset", page.Total)
	b.link("self", withQuery(at, used))
	if page.Next != "" {
		used.Set(fhirstore.NextParam, l.ownPage(page.Next))
		b.link("next", withQuery(at, used))
	}
	for i := range page.Matches {
		b.match(l.addresses.FHIRBase, &page.Matches[i], "match")
	}
	for i := range page.Included {
		b.match(l.addresses.FHIRBase, &page.Included[i], "include")
	}
	return l.send(fiber.StatusOK, fhirJSON, b.bytes())
}

// everythingQuery reads the operation's parameters. Without _type the types are
// those of the compartment that the token may search, with it those named,
// each of which the token has to allow.
func (l *call) everythingQuery(store *fhirstore.Store, params []fhirstore.Param) (want fhirstore.EverythingQuery, used url.Values, err error) {
	used = url.Values{}
	for _, p := range params {
		switch p.Name {
		case "start":
			want.Start, _, err = careDate(p)
		case "end":
			_, want.End, err = careDate(p)
		case "_since":
			if want.Since, err = bulk.ParseInstant(strings.ReplaceAll(p.Value, " ", "+")); err != nil {
				err = badRequest("value", "_since has to be an instant such as 2026-01-31T08:00:00Z")
			}
		case "_count":
			if want.Count, err = strconv.Atoi(p.Value); err != nil || want.Count < 1 {
				err = badRequest("value", "_count has to be a whole number from 1")
			}
			want.Count = min(want.Count, fhirstore.MaxCount)
		case "_type":
			want.Types = append(want.Types, strings.Split(p.Value, ",")...)
		case fhirstore.NextParam:
			want.Page = p.Value
		case "_format", "_pretty":
			continue
		default:
			err = badRequest("not-supported", p.Name+" is no parameter of $everything: start, end, _since, _type and _count are")
		}
		if err != nil {
			return want, nil, err
		}
		used.Add(p.Name, p.Value)
	}
	used.Del(fhirstore.NextParam)
	for _, typ := range want.Types {
		if !store.InPatientCompartment(typ) {
			return want, nil, badRequest("value", "_type names "+strconv.Quote(typ)+", which is no type of a patient's compartment")
		}
		if typ == "Patient" {
			continue // read already
		}
		if err := l.require(typ, authz.Search, "searches for "+typ); err != nil {
			return want, nil, err
		}
	}
	if want.Types == nil {
		for _, typ := range store.Types() {
			if store.InPatientCompartment(typ) && (typ == "Patient" || l.access.Allows(typ, authz.Search).Granted) {
				want.Types = append(want.Types, typ)
			}
		}
	}
	slices.Sort(want.Types)
	want.Types = slices.Compact(want.Types)
	return want, used, nil
}

// careDate reads a date and returns the beginning and the end of what it stands
// for.
func careDate(p fhirstore.Param) (from, to time.Time, err error) {
	if len(p.Value) <= len(time.DateOnly) {
		if from, to, err = fhirstore.DateBounds(p.Value); err == nil {
			return from, to, nil
		}
	}
	return from, to, badRequest("value", p.Name+" has to be a date such as 2026-01-31, 2026-01 or 2026")
}

// operationParams are the parameters of an operation's query and, for POST, of
// its Parameters body.
func (l *call) operationParams() ([]fhirstore.Param, error) {
	params, err := l.queryParams()
	if err != nil || l.Method() != fiber.MethodPost {
		return params, err
	}
	body, err := l.readBody(maxFHIRBody)
	if err != nil || len(bytes.TrimSpace(body)) == 0 {
		return params, err
	}
	if err := l.sendsJSON(); err != nil {
		return nil, err
	}
	root, err := fhirjson.Parse(body)
	if err != nil {
		return nil, err
	}
	if root.Str("resourceType") != "Parameters" {
		return nil, badRequest("invalid", "the body of an operation is a Parameters resource")
	}
	list := root.Get("parameter")
	switch {
	case list == nil:
		return params, nil
	case list.Kind != fhirjson.Array:
		return nil, notAList(list)
	}
	for i := range list.Items {
		name, value := list.Items[i].Str("name"), ""
		for _, m := range list.Items[i].Members {
			switch {
			case m.Name == "valueCoding":
				value = m.Value.Str("system") + "|" + m.Value.Str("code")
			case strings.HasPrefix(m.Name, "value"):
				value = m.Value.Text
			}
		}
		if name == "" || value == "" {
			return nil, badRequest("value", "parameter "+strconv.Itoa(i+1)+" of the body has no name, or no value of a simple type")
		}
		params = append(params, fhirstore.Param{Name: name, Value: value})
	}
	return params, nil
}
