package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

const bulkExtension = "http://hl7.org/fhir/uv/bulkdata/StructureDefinition/"

// cohort is a Group whose members are found by filters; more are further
// members of the JSON object.
func cohort(more string, filters ...string) string {
	var list []string
	for _, f := range filters {
		list = append(list, fmt.Sprintf(`{"url":%q,"valueExpression":{"language":"application/x-fhir-query","expression":%q}}`, bulkExtension+"member-filter", f))
	}
	return `{"resourceType":"Group","modifierExtension":[` + strings.Join(list, ",") + `],"type":"person","actual":false` + more + `}`
}

type cohortGroup struct {
	resource
	Actual    bool
	Name      string
	Extension []struct{ URL, ValueDateTime, ValueString string }
	Member    []struct{ Entity struct{ Reference string } }
}

func (g cohortGroup) members() (list []string) {
	for _, m := range g.Member {
		list = append(list, strings.TrimPrefix(m.Entity.Reference, "Patient/"))
	}
	return list
}

// TestCohort is about Groups that say by filters who their members are
// (BD-GR-08).
func TestCohort(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all
	for id, code := range map[string]string{"a": "x", "b": "x", "c": "y"} {
		p.put(t, "/Patient/"+id, `{"resourceType":"Patient","id":"`+id+`","gender":"`+map[string]string{"a": "male", "b": "female", "c": "male"}[id]+`"}`).want(t, 201)
		p.put(t, "/Condition/"+id, `{"resourceType":"Condition","id":"`+id+`","subject":{"reference":"Patient/`+id+`"},"code":{"coding":[{"system":"http://x.test","code":"`+code+`"}]}}`).want(t, 201)
	}
	p.put(t, "/Group/roster", group("roster", "Patient/b", "Patient/c")).want(t, 201)
	const named = `,"name":"x"`
	for _, c := range []struct {
		name, body string
		want       []string
	}{
		{"something in the compartment", cohort(named, "Condition?code=http://x.test|x"), []string{"a", "b"}},
		{"the Patient", cohort(named, "Patient?_id=a,c"), []string{"a", "c"}},
		{"two filters are AND", cohort(named, "Condition?code=http://x.test|x", "Patient?gender=male"), []string{"a"}},
		{"nobody", cohort(named, "Condition?code=http://x.test|z"), nil},
		{"within members", cohort(named+`,"member":[{"entity":{"reference":"Patient/b"}},{"entity":{"reference":"Patient/c"}}]`, "Condition?code=http://x.test|x"), []string{"b"}},
		{"within members of a Group", cohort(named+`,"member":[{"entity":{"reference":"Group/roster"}}]`, "Patient?_id=a,c"), []string{"c"}},
	} {
		t.Run("BD-GR-08 "+c.name, func(t *testing.T) {
			var g cohortGroup
			p.post(t, "/Group", c.body).want(t, 201).decode(t, &g)
			if !slices.Equal(g.members(), c.want) || g.Actual != (c.want != nil) || g.Name != "x" || len(g.Extension) != 1 || g.Extension[0].URL != bulkExtension+"members-refreshed" {
				t.Errorf("got %+v, want the members %v, and when they were found", g, c.want)
			}
			if at := instant(t, g.Extension[0].ValueDateTime); at.After(g.at(t)) {
				t.Errorf("they were found at %v, after the Group was stored", at)
			}
			m := p.export(t, "/Group/"+g.ID+"/$export?_type=Patient")
			got := idsOf(p.exported(t, m, "Patient"))
			if slices.Sort(got); !slices.Equal(got, c.want) {
				t.Errorf("the export has %v, want %v", got, c.want)
			}
		})
	}
	for _, c := range []struct{ name, body, code, expression string }{
		{"no name", cohort("", "Patient?gender=male"), "required", "Group.name"},
		{"a characteristic", cohort(named+`,"characteristic":[{"code":{"text":"x"},"valueBoolean":true,"exclude":false}]`, "Patient?gender=male"), "business-rule", "Group.characteristic"},
		{"practitioners", strings.Replace(cohort(named, "Patient?gender=male"), "person", "practitioner", 1), "not-supported", "Group.type"},
		{"another language", strings.Replace(cohort(named, "Patient?gender=male"), "application/x-fhir-query", "text/cql", 1), "not-supported", "Group.modifierExtension[0].value"},
		{"an unsupported parameter", cohort(named, "Patient?gender=male", "Patient?nothing=1"), "not-supported", "Group.modifierExtension[1].value"},
		{"a result parameter", cohort(named, "Patient?_sort=name"), "not-supported", "Group.modifierExtension[0].value"},
		{"all types", cohort(named, "?_lastUpdated=gt2020"), "invalid", "Group.modifierExtension[0].value"},
		{"a compartment", cohort(named, "Patient/a/Condition?code=x"), "invalid", "Group.modifierExtension[0].value"},
		{"a type outside of the compartment", cohort(named, "Practitioner?name=x"), "invalid", "Group.modifierExtension[0].value"},
		{"a member that is no patient", cohort(named+`,"member":[{"entity":{"reference":"Practitioner/x"}}]`, "Patient?gender=male"), "not-supported", "Group.member[0].entity"},
	} {
		t.Run("BD-GR-08 refused: "+c.name, func(t *testing.T) {
			i := p.post(t, "/Group", c.body).refused(t, 422, c.code)
			if len(i.Expression) != 1 || i.Expression[0] != c.expression {
				t.Errorf("got %+v, want expression %s", i, c.expression)
			}
		})
	}
	t.Run("BD-GR-08 asynchronous", func(t *testing.T) {
		a := p.post(t, "/Group", cohort(named, "Patient?_id=a"), "Prefer", "respond-async").want(t, 202).wantHeader(t, "Preference-Applied", "respond-async")
		status := a.header.Get("Content-Location")
		wantRunning(t, p.get(t, status))
		a = p.get(t, status).want(t, 200).wantHeader(t, "Content-Type", fhirJSON)
		var b struct {
			ResourceType, Type string
			Entry              []struct {
				Response struct{ Status, Location, Etag, LastModified string }
			}
		}
		a.decode(t, &b)
		if b.Type != "batch-response" || len(b.Entry) != 1 || b.Entry[0].Response.Status != "201 Created" {
			t.Fatalf("got %s, want the response in a Bundle", a.body)
		}
		var g cohortGroup
		p.get(t, b.Entry[0].Response.Location).want(t, 200).decode(t, &g)
		if !slices.Equal(g.members(), []string{"a"}) {
			t.Errorf("got %+v", g)
		}
		w.holder(t, w.client(t, "system/*.cruds")).get(t, status).refused(t, 404, "not-found")
		p.send(t, "DELETE", status, "").want(t, 202)
		p.get(t, status).refused(t, 404, "not-found")
		p.post(t, "/Group", cohort(named, "Patient?nothing=1"), "Prefer", "respond-async").refused(t, 422, "not-supported")
	})
	t.Run("BD-GR-08 an update finds the members anew", func(t *testing.T) {
		p.put(t, "/Group/mine", strings.Replace(cohort(named, "Condition?code=http://x.test|y"), `"resourceType"`, `"id":"mine","resourceType"`, 1)).want(t, 201)
		p.put(t, "/Condition/a", `{"resourceType":"Condition","id":"a","subject":{"reference":"Patient/a"},"code":{"coding":[{"system":"http://x.test","code":"y"}]}}`).want(t, 200)
		var g cohortGroup
		p.get(t, "/Group/mine").decode(t, &g)
		if !slices.Equal(g.members(), []string{"c"}) {
			t.Errorf("before: got %v", g.members())
		}
		p.put(t, "/Group/mine", strings.Replace(cohort(named, "Condition?code=http://x.test|y"), `"resourceType"`, `"id":"mine","extension":[{"url":"http://x.test/e","valueString":"kept"}],"resourceType"`, 1)).want(t, 200).decode(t, &g)
		if !slices.Equal(g.members(), []string{"a", "c"}) || len(g.Extension) != 2 || g.Extension[1].ValueString != "kept" {
			t.Errorf("after: got %+v", g)
		}
	})
	t.Run("BD-GR-08 by what the token may search for", func(t *testing.T) {
		narrow := w.grant(t, "system/Group.cr system/Patient.rs system/Condition.rs?code=http://x.test|x")
		var g cohortGroup
		narrow.post(t, "/Group", cohort(named, "Condition?_lastUpdated=gt2000")).want(t, 201).decode(t, &g)
		if !slices.Equal(g.members(), []string{"b"}) {
			t.Errorf("got %v, want whose Conditions the token shows", g.members())
		}
		narrow.post(t, "/Group", cohort(named, "Observation?status=final")).refused(t, 403, "forbidden")
		w.grant(t, "system/Patient.rs system/Condition.rs").post(t, "/Group", cohort(named, "Patient?gender=male")).refused(t, 403, "forbidden")
	})
	t.Run("BD-GR-08 in a transaction", func(t *testing.T) {
		body, err := json.Marshal(map[string]any{"resourceType": "Bundle", "type": "transaction", "entry": []any{map[string]any{
			"resource": json.RawMessage(cohort(`,"name":"in one go"`, "Patient?_id=b")), "request": map[string]any{"method": "POST", "url": "Group"}}}})
		if err != nil {
			t.Fatal(err)
		}
		p.post(t, "", string(body)).want(t, 200)
		ids := p.ids(t, "/Group?member="+url.QueryEscape("Patient/b")+"&actual=true")
		if len(ids) == 0 {
			t.Fatal("no Group of Patient/b is found")
		}
	})
}

// TestMembersOfCohorts: what a Group brings as members is judged before its
// filters are asked (BD-GR-05).
func TestMembersOfCohorts(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all
	for _, id := range []string{"a", "b", "c"} {
		p.put(t, "/Patient/"+id, `{"resourceType":"Patient","id":"`+id+`"}`).want(t, 201)
	}
	member := func(list string) string { return cohort(`,"name":"x","member":`+list, "Patient?_id=a,b,c") }
	var g cohortGroup
	p.post(t, "/Group", member(`[{"entity":{"reference":"Patient/a"},"inactive":true},{"entity":{"reference":"Patient/b"},"period":{"end":"2020-01-01"}},{"entity":{"reference":"Patient/c"},"inactive":false}]`)).want(t, 201).decode(t, &g)
	if got := strings.Join(g.members(), " "); got != "c" {
		t.Errorf("got the members %s, want c alone", got)
	}
	third := p.post(t, "/Group", member(`[{"entity":{"reference":"Patient/a"}},{"entity":{"reference":"Group/none"}}]`)).refused(t, 422, "not-found")
	if len(third.Expression) != 1 || third.Expression[0] != "Group.member[1].entity" {
		t.Errorf("got expression %v, want that of the member", third.Expression)
	}
	for list, code := range map[string]string{
		`"x"`: "structure", `{"entity":{"reference":"Patient/a"}}`: "structure", `[{"entity":{"reference":"Patient/a b"}}]`: "not-supported", `[{"entity":{"reference":"Group/none"}}]`: "not-found",
	} {
		a := p.post(t, "/Group", member(list))
		if a.status != 400 && a.status != 422 {
			t.Errorf("%s: got %d, want a refusal", list, a.status)
			continue
		}
		a.refused(t, a.status, code)
	}
	plain := `{"resourceType":"Group","type":"person","actual":true,"name":"` + bulkExtension + `member-filter"}`
	p.post(t, "/Group", plain, "Prefer", "respond-async").want(t, 201)
}
