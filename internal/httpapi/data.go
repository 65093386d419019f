package httpapi

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/r4"
	"github.com/sandfhir/sandfhir/seed"
)

// A dataView says how much there is of an environment's data.
type dataView struct {
	Environment string      `json:"environment"`
	Total       int64       `json:"total"`
	Types       []typeCount `json:"types"`
}

type typeCount struct {
	Type  string `json:"type"`
	Count int64  `json:"count"`
}

// dataCounts counts the resources of the environment by type.
func (l *call) dataCounts() (dataView, error) {
	v := dataView{Environment: l.env.Name, Types: []typeCount{}}
	counts, err := l.env.Counts(l.UserContext())
	if err != nil {
		return v, err
	}
	for _, typ := range slices.Sorted(maps.Keys(counts)) {
		v.Types = append(v.Types, typeCount{typ, counts[typ]})
		v.Total += counts[typ]
	}
	return v, nil
}

// wantsPage reports whether a browser asks, which gets a page.
func (l *call) wantsPage() bool {
	l.Vary(fiber.HeaderAccept)
	return l.Query("_format") != "json" && accepts(l.Get(fiber.HeaderAccept), fiber.MIMETextHTML)
}

// dataOverview says what there is; to a browser as a page.
func (l *call) dataOverview() error {
	if l.wantsPage() {
		return l.dataPage("", "")
	}
	v, err := l.dataCounts()
	if err != nil {
		return err
	}
	return l.json(fiber.StatusOK, v)
}

// A typeView is a page of the resources of a type.
type typeView struct {
	Type      string        `json:"type"`
	Total     int64         `json:"total"`
	Resources []resourceRow `json:"resources"`
	Next      string        `json:"next,omitempty" jsonschema:"query of the next page"`
}

type resourceRow struct {
	ID      string `json:"id"`
	Version string `json:"version"`
	At      string `json:"lastUpdated"`
	Display string `json:"display,omitempty" jsonschema:"a name or a code, for people"`
}

// dataType lists the resources of a type, whoever may read them by a token: its
// query is one of FHIR's search.
func (l *call) dataType() error {
	typ := l.Params("type")
	if !r4.Definitions().IsType(typ) {
		return notFound("FHIR R4 has no resource type %s", typ)
	}
	v, err := l.searchedType(typ)
	var refused *fhirstore.QueryError
	if errors.As(err, &refused) {
		if l.wantsPage() {
			l.Status(fiber.StatusBadRequest)
			return l.dataTypePage(typeView{Type: typ}, sentence(err.Error()))
		}
		return badRequest("value", err.Error())
	}
	if err != nil {
		return err
	}
	if l.wantsPage() {
		return l.dataTypePage(v, "")
	}
	return l.json(fiber.StatusOK, v)
}

// listedResources is how many resources are on a page.
const listedResources = 50

func (l *call) searchedType(typ string) (typeView, error) {
	params, err := l.queryParams()
	if err != nil {
		return typeView{}, err
	}
	params = slices.DeleteFunc(params, func(p fhirstore.Param) bool { return p.Name == "_format" || p.Name == "admin" || p.Value == "" })
	if !slices.ContainsFunc(params, func(p fhirstore.Param) bool { return p.Name == "_count" }) {
		params = append(params, fhirstore.Param{Name: "_count", Value: strconv.Itoa(listedResources)})
	}
	store, err := l.data()
	if err != nil {
		return typeView{}, err
	}
	q, err := store.Query(typ, params, fhirstore.QueryOptions{Strict: true, Base: l.addresses.FHIRBase})
	if err != nil {
		return typeView{}, err
	}
	page, err := store.Search(l.UserContext(), fhirstore.Everything(), q)
	if err != nil {
		return typeView{}, err
	}
	v := typeView{Type: typ, Total: page.Total, Resources: []resourceRow{}}
	for i := range page.Matches {
		v.Resources = append(v.Resources, rowOf(&page.Matches[i]))
	}
	if page.Next != "" {
		next := url.Values{}
		for _, p := range q.Used {
			next.Add(p.Name, p.Value)
		}
		next.Set(fhirstore.NextParam, page.Next)
		v.Next = next.Encode()
	}
	return v, nil
}

func rowOf(r *fhirstore.Resource) resourceRow {
	return resourceRow{ID: r.ID, Version: r.VersionID(), At: fhirstore.FormatInstant(r.At), Display: displayOf(r.JSON)}
}

// displayOf is what people know a resource by: a name, a title, or the text or the
// first display of its code; "" where it has none of them.
func displayOf(text []byte) string {
	type concept struct {
		Text   string
		Coding []struct{ Display, Code string }
	}
	var r struct {
		Name                                json.RawMessage
		Title, Description                  string
		Code, Type, VaccineCode             json.RawMessage
		MedicationCodeableConcept, Category json.RawMessage
	}
	if json.Unmarshal(text, &r) != nil {
		return ""
	}
	var name string
	if json.Unmarshal(r.Name, &name) == nil && name != "" {
		return name
	}
	var people []struct {
		Text, Family string
		Given        []string
	}
	if json.Unmarshal(r.Name, &people) == nil && len(people) > 0 {
		return cmp.Or(people[0].Text, strings.TrimSpace(strings.Join(people[0].Given, " ")+" "+people[0].Family))
	}
	for _, raw := range []json.RawMessage{r.Code, r.VaccineCode, r.MedicationCodeableConcept, r.Type, r.Category} {
		var list []concept
		var one concept
		if json.Unmarshal(raw, &list) == nil && len(list) > 0 {
			one = list[0]
		} else if json.Unmarshal(raw, &one) != nil {
			continue
		}
		if one.Text != "" {
			return one.Text
		}
		for _, c := range one.Coding {
			return cmp.Or(c.Display, c.Code)
		}
	}
	return cmp.Or(r.Title, r.Description)
}

// A resourceView is a resource with its versions and what it has to do with.
type resourceView struct {
	Type       string          `json:"type"`
	ID         string          `json:"id"`
	Resource   json.RawMessage `json:"resource,omitempty" jsonschema:"the version that was asked for; absent where it was deleted"`
	Version    string          `json:"version"`
	Versions   []versionRow    `json:"versions" jsonschema:"newest first"`
	References []string        `json:"references" jsonschema:"what it refers to, as Type/id"`
	Referrers  []referrer      `json:"referrers" jsonschema:"what refers to it"`
}

type versionRow struct {
	Version string `json:"version"`
	At      string `json:"lastUpdated"`
	Deleted bool   `json:"deleted,omitempty"`
}

// A referrer is how many resources of a type refer to one by a search parameter.
type referrer struct {
	Type      string `json:"type"`
	Parameter string `json:"parameter"`
	Count     int64  `json:"count"`
}

// dataResource shows a resource, or the version of it that ?version= names.
func (l *call) dataResource() error {
	v, err := l.resourceView(l.Params("type"), l.Params("id"), l.Query("version"))
	if err != nil {
		return err
	}
	if l.wantsPage() {
		return l.dataResourcePage(v)
	}
	return l.json(fiber.StatusOK, v)
}

func (l *call) resourceView(typ, id, version string) (resourceView, error) {
	v := resourceView{Type: typ, ID: id, Versions: []versionRow{}, References: []string{}, Referrers: []referrer{}}
	store, err := l.data()
	if err != nil {
		return v, err
	}
	if !store.KnowsType(typ) {
		return v, notFound("FHIR R4 has no resource type %s", typ)
	}
	versions, _, err := store.History(l.UserContext(), fhirstore.Everything(), typ, id, fhirstore.HistoryQuery{})
	if err != nil {
		var missing *fhirstore.NotFoundError
		if errors.As(err, &missing) {
			return v, notFound("there is no %s/%s in %s", typ, id, l.env.Name)
		}
		return v, err
	}
	version = cmp.Or(version, versions[0].VersionID())
	found := false
	for i := range versions {
		r := &versions[i]
		v.Versions = append(v.Versions, versionRow{r.VersionID(), fhirstore.FormatInstant(r.At), r.Op == fhirstore.OpDelete})
		if r.VersionID() == version {
			found, v.Version, v.Resource = true, version, r.JSON
		}
	}
	if !found {
		return v, notFound("%s/%s has no version %s", typ, id, version)
	}
	v.References = referencesIn(v.Resource, l.addresses.FHIRBase)
	v.Referrers, err = l.referrersOf(store, typ, id)
	return v, err
}

// referencesIn are the resources of this server that a resource refers to.
func referencesIn(text []byte, base string) []string {
	list := []string{}
	var value any
	if json.Unmarshal(text, &value) != nil {
		return list
	}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, name := range slices.Sorted(maps.Keys(v)) {
				if to, ok := v[name].(string); ok && name == "reference" {
					to = strings.TrimPrefix(to, base+"/")
					typ, id, ok := strings.Cut(to, "/")
					if ok && r4.Definitions().IsType(typ) && !strings.Contains(id, "/") && !slices.Contains(list, to) {
						list = append(list, to)
					}
				}
				walk(v[name])
			}
		case []any:
			for _, item := range v {
				walk(item)
			}
		}
	}
	walk(value)
	return list
}

// referrersOf counts what refers to a resource, by the search parameters that can.
func (l *call) referrersOf(store *fhirstore.Store, typ, id string) ([]referrer, error) {
	list := []referrer{}
	counts, err := l.env.Counts(l.UserContext())
	if err != nil {
		return nil, err
	}
	for _, from := range slices.Sorted(maps.Keys(counts)) {
		for _, p := range r4.Definitions().Params(from) {
			if p.Kind != r4.Reference || !slices.Contains(p.Targets, typ) {
				continue
			}
			n, err := countOf(l.UserContext(), store, from, fhirstore.Param{Name: p.Code, Value: typ + "/" + id})
			if err != nil {
				return nil, err
			}
			if n > 0 {
				list = append(list, referrer{from, p.Code, n})
			}
		}
	}
	return list, nil
}

func countOf(ctx context.Context, store *fhirstore.Store, typ string, param fhirstore.Param) (int64, error) {
	q, err := store.Query(typ, []fhirstore.Param{param, {Name: "_summary", Value: "count"}}, fhirstore.QueryOptions{})
	if err != nil {
		return 0, fmt.Errorf("count what refers to a resource: %w", err)
	}
	page, err := store.Search(ctx, fhirstore.Everything(), q)
	if err != nil {
		return 0, fmt.Errorf("count what refers to a resource: %w", err)
	}
	return page.Total, nil
}

// A loadedView is what came of a load.
type loadedView struct {
	Resources int64            `json:"resources"`
	Types     map[string]int64 `json:"types"`
	Warnings  []string         `json:"warnings,omitempty" jsonschema:"references that could not be resolved"`
}

// maxUpload is the largest load by HTTP, in bytes.
const maxUpload = 256 << 20

// loadData adds NDJSON, a Bundle or a resource to the environment's data, all or
// nothing.
func (l *call) loadData() error {
	text, err := l.uploaded()
	if err != nil {
		return err
	}
	v, err := l.load(text)
	if err != nil {
		return err
	}
	return l.json(fiber.StatusOK, v)
}

func (l *call) load(text []byte) (loadedView, error) {
	report, err := l.env.LoadText(l.UserContext(), text, seed.LoadOptions{})
	var problem seed.LoadProblem
	if errors.As(err, &problem) {
		return loadedView{}, badRequest("invalid", problem.Error())
	}
	if err != nil {
		return loadedView{}, err
	}
	v := loadedView{Resources: report.Resources, Types: report.ByType}
	for _, w := range report.Warnings {
		v.Warnings = append(v.Warnings, w.Error())
	}
	return v, nil
}

// uploaded is the body, or the first file of a form with files. The exchange does
// not keep it.
func (l *call) uploaded() ([]byte, error) {
	media, params, _ := mime.ParseMediaType(l.Get(fiber.HeaderContentType))
	text, err := l.readBytes(maxUpload)
	l.exchange.RequestBody = fmt.Sprintf("(%d bytes)", len(text))
	if err != nil || media != fiber.MIMEMultipartForm {
		return text, err
	}
	parts := multipart.NewReader(strings.NewReader(string(text)), params["boundary"])
	for {
		part, err := parts.NextPart()
		if err == io.EOF {
			return nil, badRequest("required", "the form has no file")
		}
		if err != nil {
			return nil, badRequest("structure", "the body is no form with files")
		}
		if part.FileName() != "" {
			return io.ReadAll(part)
		}
	}
}
