package httpapi_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// group is a Group of members: Patient/x, or Group/x, with what follows a
// comma as more of the member.
func group(id string, members ...string) string {
	var list []string
	for _, m := range members {
		reference, more, _ := strings.Cut(m, ",")
		if more != "" {
			more = "," + more
		}
		list = append(list, `{"entity":{"reference":"`+reference+`"}`+more+`}`)
	}
	member := ""
	if len(list) > 0 {
		member = `,"member":[` + strings.Join(list, ",") + `]`
	}
	return fmt.Sprintf(`{"resourceType":"Group","id":%q,"type":"person","actual":true%s}`, id, member)
}

// TestGroupMembership is about who counts as a member (BD-GR-01 to BD-GR-09).
func TestGroupMembership(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all
	for _, id := range []string{"a", "b", "c", "d", "gone", "ended", "to-come"} {
		p.put(t, "/Patient/"+id, patient(id)).want(t, 201)
		p.put(t, "/Condition/of-"+id, `{"resourceType":"Condition","id":"of-`+id+`","subject":{"reference":"Patient/`+id+`"}}`).want(t, 201)
	}
	p.put(t, "/Group/inner", group("inner", "Patient/c", "Group/outer", "Group/nobody")).want(t, 201)
	p.put(t, "/Group/deleted", group("deleted", "Patient/d")).want(t, 201)
	p.put(t, "/Group/outer", group("outer", "Patient/a", "Patient/b,\"inactive\":true", "Group/inner", "Group/deleted", "Group/outer",
		`Patient/gone`, `Patient/never-there`, `Patient/ended,"period":{"end":"2020-01-01"}`, `Patient/to-come,"period":{"start":"2999-01-01"}`)).want(t, 201)
	p.send(t, "DELETE", "/Group/deleted", "").want(t, 204)
	before := p.export(t, "/Group/outer/$export?_type=Patient").TransactionTime
	p.send(t, "DELETE", "/Patient/gone", "").want(t, 204)

	m := p.export(t, "/Group/outer/$export?_type=Patient,Condition")
	got := idsOf(append(p.exported(t, m, "Patient"), p.exported(t, m, "Condition")...))
	if want := []string{"a", "c", "of-a", "of-c"}; !slices.Equal(got, want) {
		t.Errorf("BD-GR-05 BD-GR-07 BD-ST-12: got %v, want the active members, nested ones included, who are there: %v", got, want)
	}
	if len(m.Error) != 1 || m.Error[0].Count != 2 {
		t.Fatalf("BD-GR-07: got %+v, want a word on each of two members who are not there", m.Error)
	}
	notes := string(p.get(t, m.Error[0].URL).want(t, 200).body)
	for _, id := range []string{"gone", "never-there"} {
		if !strings.Contains(notes, "Patient/"+id+" is a member") || !strings.Contains(notes, `"information"`) {
			t.Errorf("BD-GR-07: got %s, want a word on Patient/%s", notes, id)
		}
	}
	m = p.export(t, "/Group/outer/$export?_type=Patient,Condition&_since="+before)
	if got := p.deletions(t, m); !slices.Equal(got, []string{"Patient/gone"}) {
		t.Errorf("BD-DL-02: got %v deleted, want the Patient of the member", got)
	}

	t.Run("BD-GR-02 BD-GR-03 late joiners", func(t *testing.T) {
		since := p.export(t, "/Group/outer/$export?_type=Patient").TransactionTime
		p.put(t, "/Group/inner", group("inner", "Patient/c", "Patient/d")).want(t, 200)
		m := p.export(t, "/Group/outer/$export?_type=Patient,Condition&_since="+since)
		if got := idsOf(append(p.exported(t, m, "Patient"), p.exported(t, m, "Condition")...)); !slices.Equal(got, []string{"d", "of-d"}) {
			t.Errorf("got %v, want all of the patient who came to a nested group", got)
		}
		m = p.export(t, "/Group/outer/$export?_type=Patient,Condition&_since="+m.TransactionTime)
		if len(m.Output) != 0 {
			t.Errorf("got %v again", m.types())
		}
	})
	t.Run("BD-GR-04 the pattern of three steps", func(t *testing.T) {
		if err := w.SetBehaviour("", map[string]string{"export.group_since": "delta"}); err != nil {
			t.Fatal(err)
		}
		since := p.export(t, "/Group/outer/$export?_type=Patient,Condition").TransactionTime
		p.put(t, "/Group/outer", group("outer", "Patient/a", "Patient/b", "Group/inner")).want(t, 200)
		p.put(t, "/Condition/of-a", `{"resourceType":"Condition","id":"of-a","subject":{"reference":"Patient/a"},"code":{"text":"new"}}`).want(t, 200)
		if got := idsOf(p.exported(t, p.export(t, "/Group/outer/$export?_type=Patient&_elements=id"), "Patient")); !slices.Equal(got, []string{"a", "b", "c", "d"}) {
			t.Fatalf("step 1: got %v", got)
		}
		a := p.post(t, "/Group/outer/$export", parameters("patient", `"valueReference":{"reference":"Patient/b"}`, "_type", `"valueString":"Condition"`), exportHeader()...).want(t, 202)
		if got := idsOf(p.exported(t, p.finish(t, a.header.Get("Content-Location")), "Condition")); !slices.Equal(got, []string{"of-b"}) {
			t.Errorf("step 2: got %v", got)
		}
		if got := idsOf(p.exported(t, p.export(t, "/Group/outer/$export?_type=Condition&_since="+since), "Condition")); !slices.Equal(got, []string{"of-a"}) {
			t.Errorf("step 3: got %v", got)
		}
	})
	t.Run("BD-GR-09 a modifier extension that nobody knows", func(t *testing.T) {
		p.put(t, "/Group/modified", strings.Replace(group("modified", "Patient/a"), `"type"`, `"modifierExtension":[{"url":"http://x.test/not-these","valueBoolean":true}],"type"`, 1)).want(t, 201)
		i := p.get(t, "/Group/modified/$export", exportHeader()...).refused(t, 422, "extension")
		if !strings.Contains(i.Diagnostics, "http://x.test/not-these") {
			t.Errorf("got %q", i.Diagnostics)
		}
	})
	t.Run("BD-SEC-10 a nested group that the token does not reach", func(t *testing.T) {
		narrow := w.grant(t, "system/Patient.rs system/Group.r?_id=outer")
		if got := idsOf(narrow.exported(t, narrow.export(t, "/Group/outer/$export"), "Patient")); !slices.Equal(got, []string{"a", "b"}) {
			t.Errorf("got %v, want the members of the outer group alone", got)
		}
		narrow.get(t, "/Group/inner/$export", exportHeader()...).refused(t, 403, "forbidden")
	})
}
