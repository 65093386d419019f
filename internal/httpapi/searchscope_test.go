package httpapi_test

import (
	"slices"
	"strings"
	"testing"
)

// TestSearchScopes is about what scopes let a search find, row by row.
func TestSearchScopes(t *testing.T) {
	t.Parallel()
	w := start(t)
	tag := `"meta":{"tag":[{"system":"urn:t","code":"scoped"}]}`
	for _, r := range []struct{ path, body string }{
		{"/Patient/sc-ana", `{"resourceType":"Patient","id":"sc-ana",` + tag + `,"gender":"female","name":[{"family":"Ana"}]}`},
		{"/Patient/sc-bob", `{"resourceType":"Patient","id":"sc-bob",` + tag + `,"gender":"male","name":[{"family":"Bob"}]}`},
		{"/Observation/sc-high", `{"resourceType":"Observation","id":"sc-high",` + tag + `,"status":"final","code":{"coding":[{"system":"urn:c","code":"rate"}]},"subject":{"reference":"Patient/sc-ana"},"valueQuantity":{"value":120}}`},
		{"/Observation/sc-low", `{"resourceType":"Observation","id":"sc-low",` + tag + `,"status":"final","code":{"coding":[{"system":"urn:c","code":"rate"}]},"subject":{"reference":"Patient/sc-bob"},"valueQuantity":{"value":60}}`},
		{"/Group/sc-group", `{"resourceType":"Group","id":"sc-group",` + tag + `,"type":"person","actual":true,"member":[{"entity":{"reference":"Patient/sc-ana"}}]}`},
		{"/Binary/sc-binary", `{"resourceType":"Binary","id":"sc-binary",` + tag + `,"contentType":"text/plain","data":"eA=="}`},
		{"/List/sc-list", `{"resourceType":"List","id":"sc-list",` + tag + `,"status":"current","mode":"working","entry":[{"item":{"reference":"Patient/sc-ana"}},{"item":{"reference":"Patient/sc-bob"}}]}`},
	} {
		w.all.put(t, r.path, r.body).want(t, 201)
	}
	const mine = "_tag=urn:t|scoped"
	for _, c := range []struct{ name, scopes, path, want string }{ // want: matches, +included, or the status of a refusal
		{"FR-SC-04 FR-SC-31 r is not s", "system/Patient.r", "/Patient?" + mine, "403"},
		{"FR-SC-31 nor with _id", "system/Patient.r", "/Patient?_id=sc-ana", "403"},
		{"FR-SC-32 s without r finds whole resources", "system/Patient.s", "/Patient?name=ana&" + mine, "sc-ana"},
		{"FR-SC-04 v1 read", "system/Patient.read", "/Patient?name=ana&" + mine, "sc-ana"},
		{"FR-SC-04 v1 write", "system/Patient.write", "/Patient?name=ana&" + mine, "403"},
		{"FR-SC-34 every type, Group", "system/*.s", "/Group?" + mine, "sc-group"},
		{"FR-SC-34 every type, Binary", "system/*.s", "/Binary?" + mine, "sc-binary"},
		{"FR-SC-34 every type, across types", "system/*.s", "?_type=Binary,Group&" + mine, "sc-binary sc-group"},
		{"FR-SC-05 compartment", "system/Observation.s", "/Patient/sc-ana/Observation", "sc-high"},
		{"FR-SC-05 compartment, all types", "system/Observation.s", "/Patient/sc-ana/*", "sc-high"},
		{"FR-SC-05 compartment without scope", "system/Patient.s", "/Patient/sc-ana/Observation", "403"},
		{"FR-SC-07 a type without s", "system/Patient.s", "?_type=Patient,Group&" + mine, "403"},
		{"FR-SC-07 those with s", "system/Patient.s system/Group.r", "?" + mine, "sc-ana sc-bob"},
		{"FR-SC-19 _include needs r", "system/Observation.s system/Patient.s", "/Observation?_id=sc-high&_include=Observation:subject", "sc-high"},
		{"FR-SC-19 _include", "system/Observation.s system/Patient.r", "/Observation?_id=sc-high&_include=*", "sc-high +sc-ana"},
		{"FR-SC-19 _revinclude needs r", "system/Patient.s system/Observation.s", "/Patient?_id=sc-ana&_revinclude=Observation:subject", "sc-ana"},
		{"FR-SC-19 _revinclude", "system/Patient.s system/Observation.r", "/Patient?_id=sc-ana&_revinclude=Observation:subject", "sc-ana +sc-high"},
		{"FR-SC-20 chain needs s", "system/Observation.s system/Patient.r", "/Observation?patient.name=ana", "403"},
		{"FR-SC-20 chain", "system/Observation.s system/Patient.s", "/Observation?patient.name=ana&" + mine, "sc-high"},
		{"FR-SC-20 _has needs s", "system/Patient.s system/Observation.r", "/Patient?_has:Observation:patient:code=rate", "403"},
		{"FR-SC-20 _has", "system/Patient.s system/Observation.s", "/Patient?_has:Observation:patient:code-value-quantity=rate$gt100&" + mine, "sc-ana"},
		{"FR-SC-20 _list needs s", "system/Patient.s system/List.r", "/Patient?_list=sc-list", "403"},
		{"FR-SC-33 constrained search", "system/Patient.s?gender=female", "/Patient?" + mine, "sc-ana"},
		{"FR-SC-33 two constraints are OR", "system/Patient.s?gender=female system/Patient.s?name=bob", "/Patient?" + mine, "sc-ana sc-bob"},
		{"FR-SC-33 constrained to a composite", "system/Observation.s?code-value-quantity=urn:c|rate$gt100", "/Observation?" + mine, "sc-high"},
		{"FR-SC-33 constrained across types", "system/Patient.s?gender=male system/Group.s", "?" + mine, "sc-bob sc-group"},
		{"FR-SC-33 constrained compartment", "system/Observation.s?value-quantity=lt100", "/Patient/sc-ana/Observation", ""},
		{"FR-SC-33 constrained _include", "system/Observation.s system/Patient.r?gender=male", "/Observation?_include=Observation:subject&" + mine, "sc-high sc-low +sc-bob"},
		{"FR-SC-33 constrained _revinclude", "system/Patient.s system/Observation.r?value-quantity=gt100", "/Patient?_revinclude=Observation:subject&" + mine, "sc-ana sc-bob +sc-high"},
		{"FR-SC-33 constrained chain", "system/Observation.s system/Patient.s?gender=male", "/Observation?patient:missing=false&patient.active:missing=true&" + mine, "sc-low"},
		{"FR-SC-33 constrained _has", "system/Patient.s system/Observation.s?value-quantity=gt100", "/Patient?_has:Observation:patient:code=rate&" + mine, "sc-ana"},
		{"FR-SC-33 constrained _list", "system/Patient.s system/List.s?status=retired", "/Patient?_list=sc-list", ""},
		{"FR-SC-33 constrained total", "system/Patient.s?gender=female", "/Patient?_summary=count&" + mine, "total 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := w.grant(t, strings.Fields(c.scopes)...).get(t, c.path)
			if c.want == "403" {
				a.refused(t, 403, "forbidden")
				return
			}
			b := a.want(t, 200).bundle(t)
			if strings.Contains(c.path, "_summary=count") {
				if *b.Total != 1 {
					t.Errorf("got total %d, want 1", *b.Total)
				}
				return
			}
			got := b.ids("match")
			slices.Sort(got)
			for _, id := range b.ids("include") {
				got = append(got, "+"+id)
			}
			if strings.Join(got, " ") != c.want || *b.Total != len(b.ids("match")) {
				t.Errorf("got %v of %d, want %s", got, *b.Total, c.want)
			}
			if c.name[:8] == "FR-SC-32" && !strings.Contains(string(a.body), `"gender":"female"`) {
				t.Errorf("got %s, want the whole resource", a.body)
			}
		})
	}
}
