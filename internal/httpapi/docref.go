package httpapi

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/fhirstore"
)

// careSummary is the type of a C-CDA CCD, which is meant where no type is asked
// for.
const careSummary = "http://loinc.org|34133-9"

// A docrefRequest is what DocumentReference/$docref is asked (US Core 6.1.0,
// OperationDefinition docref).
type docrefRequest struct {
	patient    string
	start, end string
	types      []string
	profiles   []string
	onDemand   bool
}

// docref is the operation DocumentReference/$docref: the documents that there
// are about a patient. None is made on demand.
func (l *call) docref() error {
	if err := l.authenticate(); err != nil {
		return err
	}
	if err := l.require("DocumentReference", authz.Read|authz.Search, "searches for documents"); err != nil {
		return err
	}
	if err := l.answersJSON(); err != nil {
		return err
	}
	params, err := l.operationParams()
	if err != nil {
		return err
	}
	asked, used, err := docrefParams(params)
	if err != nil {
		return err
	}
	found, err := l.documents(asked)
	if err != nil {
		return err
	}
	b := newBundle("searchset", int64(len(found)))
	b.link("self", l.searchURL("/DocumentReference/$docref", used, ""))
	for i := range found {
		b.match(l.addresses.FHIRBase, &found[i], "match")
	}
	return l.send(fiber.StatusOK, fhirJSON, b.bytes())
}

func docrefParams(params []fhirstore.Param) (asked docrefRequest, used []fhirstore.Param, err error) {
	once := map[string]*string{"patient": &asked.patient, "start": &asked.start, "end": &asked.end}
	for _, p := range params {
		value := strings.ReplaceAll(p.Value, " ", "+") // a zone's raw + arrives as a space
		switch {
		case p.Value == "":
			return asked, nil, badRequest("value", p.Name+" is empty")
		case strings.Contains(p.Value, ",") && (p.Name == "start" || p.Name == "end"):
			return asked, nil, badRequest("value", p.Name+" has to be one date")
		}
		switch p.Name {
		case "patient", "start", "end":
			if *once[p.Name] != "" {
				return asked, nil, badRequest("invalid", p.Name+" is there more than once")
			}
			*once[p.Name] = value
		case "type":
			asked.types = append(asked.types, p.Value)
		case "profile":
			asked.profiles = append(asked.profiles, p.Value)
		case "on-demand":
			if slices.ContainsFunc(used, func(before fhirstore.Param) bool { return before.Name == p.Name }) {
				return asked, nil, badRequest("invalid", p.Name+" is there more than once")
			}
			if p.Value != "true" && p.Value != "false" {
				return asked, nil, badRequest("value", "on-demand has to be true or false")
			}
			asked.onDemand = p.Value == "true"
		case "_format", "_pretty":
			continue
		default:
			return asked, nil, badRequest("not-supported", p.Name+" is no parameter of $docref: patient, start, end, type, on-demand and profile are")
		}
		used = append(used, p)
	}
	switch {
	case asked.patient == "":
		return asked, nil, badRequest("required", "$docref needs the parameter patient, the id of a Patient")
	case !fhirstore.ValidID(asked.patient):
		return asked, nil, badRequest("value", "patient is "+asked.patient+"; it has to be the id of a Patient alone, such as 17")
	}
	return asked, used, nil
}

// documents returns what a request finds. With dates these are the documents
// about care between them: by context.period, or by date where they have none.
// Without, it is the current one alone.
func (l *call) documents(asked docrefRequest) ([]fhirstore.Resource, error) {
	if asked.onDemand {
		return nil, nil
	}
	filter := []fhirstore.Param{{Name: "patient", Value: "Patient/" + asked.patient}}
	if len(asked.profiles) > 0 {
		filter = append(filter, fhirstore.Param{Name: "_profile", Value: strings.Join(asked.profiles, ",")})
	}
	if asked.start == "" && asked.end == "" {
		return l.currentDocument(filter, asked.types)
	}
	if len(asked.types) > 0 {
		filter = append(filter, fhirstore.Param{Name: "type", Value: strings.Join(asked.types, ",")})
	}
	var found []fhirstore.Resource
	for _, dated := range [][]fhirstore.Param{
		between("period", asked),
		append(between("date", asked), fhirstore.Param{Name: "period:missing", Value: "true"}),
	} {
		more, err := l.findDocuments(append(dated, filter...), math.MaxInt)
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	return found, nil
}

func between(param string, asked docrefRequest) (bounds []fhirstore.Param) {
	if asked.start != "" {
		bounds = append(bounds, fhirstore.Param{Name: param, Value: "ge" + asked.start})
	}
	if asked.end != "" {
		bounds = append(bounds, fhirstore.Param{Name: param, Value: "le" + asked.end})
	}
	return bounds
}

// currentDocument returns the newest document that is current: of the types
// asked for, else a CCD, else of any type.
func (l *call) currentDocument(filter []fhirstore.Param, types []string) ([]fhirstore.Resource, error) {
	filter = append(filter, fhirstore.Param{Name: "status", Value: "current"}, fhirstore.Param{Name: "_sort", Value: "-date"})
	ofTypes := func(types string) []fhirstore.Param {
		return append(filter[:len(filter):len(filter)], fhirstore.Param{Name: "type", Value: types})
	}
	tries := [][]fhirstore.Param{ofTypes(careSummary), filter}
	if len(types) > 0 {
		tries = [][]fhirstore.Param{ofTypes(strings.Join(types, ","))}
	}
	for _, params := range tries {
		found, err := l.findDocuments(params, 1)
		if err != nil || len(found) > 0 {
			return found, err
		}
	}
	return nil, nil
}

// findDocuments returns the documents that a search finds and the token may
// read, up to a number.
func (l *call) findDocuments(params []fhirstore.Param, most int) (found []fhirstore.Resource, err error) {
	store, err := l.data()
	if err != nil {
		return nil, err
	}
	options := fhirstore.QueryOptions{Strict: true, Base: l.addresses.FHIRBase}
	params = append(params, fhirstore.Param{Name: "_count", Value: strconv.Itoa(min(most, fhirstore.MaxCount))}, fhirstore.Param{Name: "_total", Value: "none"})
	q, err := store.Query("DocumentReference", params, options)
	if err != nil {
		return nil, ofDocref(err)
	}
	for {
		page, err := store.Search(l.UserContext(), l.view(), q)
		if err != nil {
			return nil, err
		}
		for i := range page.Matches {
			may, err := store.May(l.UserContext(), l.view(), fhirstore.LetterRead, &page.Matches[i])
			if err != nil {
				return nil, err
			}
			if may {
				found = append(found, page.Matches[i])
			}
		}
		if page.Next == "" || len(found) >= most {
			return found, nil
		}
		if q, err = store.Query("DocumentReference", append(params, fhirstore.Param{Name: fhirstore.NextParam, Value: page.Next}), options); err != nil {
			return nil, err
		}
	}
}

// ofDocref words what is wrong with a parameter by its name in the operation.
func ofDocref(err error) error {
	var wrong *fhirstore.QueryError
	if !errors.As(err, &wrong) {
		return err
	}
	name := wrong.Parameter
	switch name {
	case "period", "date":
		name = "start and end"
	case "_profile":
		name = "profile"
	}
	return badRequest(wrong.Code, name+": "+wrong.Message)
}
