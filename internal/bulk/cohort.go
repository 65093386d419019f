package bulk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/fhirjson"
)

// membersRefreshed is the extension that tells when a Group's members were
// found.
const membersRefreshed = "http://hl7.org/fhir/uv/bulkdata/StructureDefinition/members-refreshed"

// A CohortError says why a Group with a member-filter cannot be stored.
type CohortError struct{ Code, Expression, Message string }

func (e *CohortError) Error() string { return e.Message }

// IsCohort reports whether a Group says by a member-filter who its members are.
func IsCohort(body []byte) bool {
	if !strings.Contains(string(body), fhirstore.MemberFilter) {
		return false
	}
	group, err := fhirjson.Parse(body)
	if err != nil {
		return false
	}
	list := group.Get("modifierExtension")
	return list != nil && slices.ContainsFunc(list.Items, func(e fhirjson.Node) bool { return e.Str("url") == fhirstore.MemberFilter })
}

// Cohort returns the Group in body with the members that its member-filters
// find, by now and as far as the view may search (Bulk Data Access 3.0.0, Bulk
// Cohort Group). base is the FHIR base of absolute references. Its errors are
// *fhirjson.SyntaxError, *CohortError, and those of fhirstore's Cohort.
func (s *Service) Cohort(ctx context.Context, data *fhirstore.Store, v fhirstore.View, body []byte, base string) ([]byte, error) {
	group, err := fhirjson.Parse(body)
	if err != nil {
		return nil, err
	}
	queries, err := memberFilters(data, group, base)
	if err != nil || len(queries) == 0 {
		return body, err
	}
	among, err := givenMembers(group, base, s.cfg.Clock.Now())
	if err != nil {
		return nil, err
	}
	ids, err := data.Cohort(ctx, v, queries, among)
	var missing *fhirstore.NotFoundError
	var gone *fhirstore.GoneError
	switch {
	case errors.As(err, &missing):
		return nil, &CohortError{"not-found", memberOf(group, base, missing.Type, missing.ID), "a Group among the members: " + err.Error()}
	case errors.As(err, &gone):
		return nil, &CohortError{"not-found", memberOf(group, base, gone.Type, gone.ID), "a Group among the members: " + err.Error()}
	case err != nil:
		return nil, err
	}
	return withMembers(body, group, ids, fhirstore.FormatInstant(s.cfg.Clock.Now())), nil
}

// memberFilters reads the searches by which the members of a Group are found,
// and judges what the profile says of such a Group.
func memberFilters(data *fhirstore.Store, group *fhirjson.Node, base string) ([]*fhirstore.Query, error) {
	list := group.Get("modifierExtension")
	if list == nil {
		return nil, nil
	}
	var queries []*fhirstore.Query
	for i := range list.Items {
		if list.Items[i].Str("url") != fhirstore.MemberFilter {
			continue
		}
		q, err := memberFilter(data, &list.Items[i], fmt.Sprintf("Group.modifierExtension[%d]", i), base)
		if err != nil {
			return nil, err
		}
		queries = append(queries, q)
	}
	if len(queries) == 0 {
		return nil, nil
	}
	switch typ := group.Str("type"); {
	case group.Str("name") == "":
		return nil, &CohortError{"required", "Group.name", "a Group with a member-filter needs a name"}
	case group.Get("characteristic") != nil:
		return nil, &CohortError{"business-rule", "Group.characteristic", "a Group with a member-filter has no characteristic"}
	case typ != "person":
		return nil, &CohortError{"not-supported", "Group.type", fmt.Sprintf("a Group with a member-filter is of persons here; this one's type is %q", typ)}
	}
	return queries, nil
}

func memberFilter(data *fhirstore.Store, extension *fhirjson.Node, expression, base string) (*fhirstore.Query, error) {
	wrong := func(code, format string, args ...any) (*fhirstore.Query, error) {
		return nil, &CohortError{code, expression + ".value", fmt.Sprintf("member-filter: "+format, args...)}
	}
	value := extension.Get("valueExpression")
	language, filter := value.Str("language"), value.Str("expression")
	if value == nil || language != "application/x-fhir-query" {
		return wrong("not-supported", "its value is an Expression in application/x-fhir-query; this one's language is %q", language)
	}
	typ, query, ok := strings.Cut(filter, "?")
	if !ok || !data.InPatientCompartment(typ) {
		return wrong("invalid", "%q is no search for resources of one type that can be in a patient's compartment, such as Condition?code=http://snomed.info/sct|44054006", filter)
	}
	params, err := fhirstore.ParseParams(query)
	if err == nil {
		var q *fhirstore.Query
		if q, err = data.Query(typ, params, fhirstore.QueryOptions{Strict: true, FilterOnly: true, Base: base}); err == nil {
			return q, nil
		}
	}
	return wrong("not-supported", "%s: %v", filter, err)
}

// givenMembers are the references to members that a Group brings, to which its
// filters keep; nil where it brings none. Those that are inactive or outside of
// their period at an instant are none.
func givenMembers(group *fhirjson.Node, base string, at time.Time) ([]string, error) {
	list := group.Get("member")
	switch {
	case list == nil:
		return nil, nil
	case list.Kind != fhirjson.Array:
		return nil, &CohortError{"structure", "Group.member", "member has to be an array; it is a JSON " + list.Kind.String()}
	}
	references := []string{}
	for i := range list.Items {
		member := &list.Items[i]
		reference := strings.TrimPrefix(member.Get("entity").Str("reference"), base+"/")
		typ, id, _ := strings.Cut(reference, "/")
		if typ != "Patient" && typ != "Group" || !fhirstore.ValidID(id) {
			return nil, &CohortError{"not-supported", fmt.Sprintf("Group.member[%d].entity", i), fmt.Sprintf("members to which a member-filter keeps are Patients and Groups; this one is %q", reference)}
		}
		if fhirstore.ActiveMember(member, at) {
			references = append(references, reference)
		}
	}
	return references, nil
}

// memberOf names the member of a Group that refers to a resource, or all of them
// where it is a member of one of its members.
func memberOf(group *fhirjson.Node, base, typ, id string) string {
	list := group.Get("member")
	i := slices.IndexFunc(list.Items, func(member fhirjson.Node) bool {
		return strings.TrimPrefix(member.Get("entity").Str("reference"), base+"/") == typ+"/"+id
	})
	if i < 0 {
		return "Group.member"
	}
	return fmt.Sprintf("Group.member[%d].entity", i)
}

// withMembers writes a Group with other members, and leaves everything else in
// it as it is.
func withMembers(body []byte, group *fhirjson.Node, ids []string, at string) []byte {
	out := []byte{'{'}
	add := func(text string) {
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(out, text...)
	}
	extensions := []string{fmt.Sprintf(`{"url":%q,"valueDateTime":%q}`, membersRefreshed, at)}
	for i := range group.Members {
		m := &group.Members[i]
		switch m.Name {
		case "member", "actual":
		case "extension":
			for j := range m.Value.Items {
				if item := &m.Value.Items[j]; item.Str("url") != membersRefreshed {
					extensions = append(extensions, string(body[item.Start:item.End]))
				}
			}
		default:
			add(string(body[m.NameStart:m.Value.End]))
		}
	}
	add(`"extension":[` + strings.Join(extensions, ",") + `]`)
	add(fmt.Sprintf(`"actual":%t`, len(ids) > 0))
	if len(ids) > 0 {
		members := make([]string, len(ids))
		for i, id := range slices.Sorted(slices.Values(ids)) {
			members[i] = `{"entity":{"reference":"Patient/` + id + `"}}`
		}
		add(`"member":[` + strings.Join(members, ",") + `]`)
	}
	return append(out, '}')
}
