package httpapi_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/sandbox"
)

// A tree of organizations as the Aidbox documentation has it: b and c are below
// a, d is below b, e stands alone. Each owns a patient with something in every
// place that could tell of it, and all share a practitioner.
type orgTree struct {
	*world
	t *testing.T
}

func newOrgTree(t *testing.T) *orgTree {
	t.Helper()
	w := &orgTree{start(t), t}
	for _, o := range []struct{ id, above string }{{"org-a", ""}, {"org-b", "org-a"}, {"org-c", "org-a"}, {"org-d", "org-b"}, {"org-e", ""}} {
		partOf := ""
		if o.above != "" {
			partOf = fmt.Sprintf(`,"partOf":{"reference":"Organization/%s"}`, o.above)
		}
		w.all.put(t, "/Organization/"+o.id, fmt.Sprintf(`{"resourceType":"Organization","id":%q,"name":%q%s}`, o.id, o.id, partOf)).want(t, 201)
		p := w.through(w.all, o.id)
		p.put(t, "/Patient/pat-"+o.id, fmt.Sprintf(`{"resourceType":"Patient","id":"pat-%s","name":[{"family":"Orgtree"}],"generalPractitioner":[{"reference":"Practitioner/shared"}]}`, o.id)).want(t, 201)
		p.put(t, "/Observation/obs-"+o.id, fmt.Sprintf(`{"resourceType":"Observation","id":"obs-%s","status":"final","code":{"text":"orgtree"},"subject":{"reference":"Patient/pat-%s"}}`, o.id, o.id)).want(t, 201)
	}
	w.all.put(t, "/Practitioner/shared", `{"resourceType":"Practitioner","id":"shared","name":[{"family":"Orgtree"}]}`).want(t, 201)
	w.all.put(t, "/Group/of-all", `{"resourceType":"Group","id":"of-all","type":"person","actual":true,"member":[`+
		`{"entity":{"reference":"Patient/pat-org-a"}},{"entity":{"reference":"Patient/pat-org-b"}},{"entity":{"reference":"Patient/pat-org-c"}},{"entity":{"reference":"Patient/pat-org-d"}},{"entity":{"reference":"Patient/pat-org-e"}}]}`).want(t, 201)
	return w
}

// through is the party at the URL of an organization.
func (w *world) through(p party, id string) party {
	p.base = strings.Replace(p.base, "/fhir", "/Organization/"+id+"/fhir", 1)
	return p
}

// of is a party of a client that is bound to an organization.
func (w *orgTree) of(id string) party {
	w.t.Helper()
	c, err := w.RegisterClient(w.t.Context(), sandbox.ClientConfig{Organization: id})
	if err != nil {
		w.t.Fatal(err)
	}
	return w.holder(w.t, c)
}

// AX-48, PB-13: who sees whom, bound by registration and by URL alike: a parent
// its children's, nobody a sibling's or the parent's.
func TestOrganizationViews(t *testing.T) {
	t.Parallel()
	w := newOrgTree(t)
	for id, sees := range map[string][]string{"org-a": {"org-a", "org-b", "org-c", "org-d"}, "org-b": {"org-b", "org-d"}, "org-c": {"org-c"}, "org-d": {"org-d"}, "org-e": {"org-e"}} {
		bound := w.of(id)
		for how, p := range map[string]party{"bound": bound, "by URL": w.through(w.all, id), "both": w.through(bound, id)} {
			t.Run(id+" "+how, func(t *testing.T) { // not in parallel: tokens live five minutes
				w.sees(t, p, sees)
			})
		}
	}
}

// sees checks every way to find out about a resource.
func (w *orgTree) sees(t *testing.T, p party, orgs []string) {
	t.Helper()
	var patients, observations []string
	for _, id := range orgs {
		patients, observations = append(patients, "pat-"+id), append(observations, "obs-"+id)
	}
	same := func(what string, got, want []string) {
		t.Helper()
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	for _, id := range []string{"org-a", "org-b", "org-c", "org-d", "org-e"} {
		visible := slices.Contains(orgs, id)
		for what, path := range map[string]string{
			"read": "/Patient/pat-" + id, "vread": "/Patient/pat-" + id + "/_history/1", "history": "/Patient/pat-" + id + "/_history",
			"$everything": "/Patient/pat-" + id + "/$everything",
		} {
			status := 200
			if !visible {
				status = 403
			}
			if a := p.get(t, path); a.status != status {
				t.Errorf("%s of %s: got %d, want %d: %s", what, id, a.status, status, a.excerpt())
			}
		}
		if got := p.ids(t, "/Patient/pat-"+id+"/Observation?code:text=orgtree"); (len(got) == 1) != visible {
			t.Errorf("the compartment of %s: got %v", id, got)
		}
		for what, send := range map[string]func() *answer{
			"update": func() *answer { return p.put(t, "/Patient/pat-"+id, patient("pat-"+id), "If-Match", `W/"99"`) },
			"patch": func() *answer {
				return p.patch(t, "/Patient/pat-"+id, `[{"op":"add","path":"/active","value":true}]`, "If-Match", `W/"99"`)
			},
			"delete": func() *answer { return p.send(t, http.MethodDelete, "/Patient/pat-"+id, "", "If-Match", `W/"99"`) },
		} {
			want := 403
			if visible {
				want = 412 // as far as the condition
			}
			if a := send(); a.status != want {
				t.Errorf("%s of %s: got %d, want %d", what, id, a.status, want)
			}
		}
	}
	for _, id := range []string{"org-a", "org-e"} { // a search: what is hidden is left out
		if got := p.ids(t, "/DocumentReference/$docref?patient=pat-"+id); len(got) != 0 {
			t.Errorf("$docref: got %v", got)
		}
	}
	same("search", p.ids(t, "/Patient?name=Orgtree"), patients)
	same("chain", p.ids(t, "/Observation?subject:Patient.name=Orgtree"), observations)
	same("_has", p.ids(t, "/Patient?_has:Observation:subject:code:text=orgtree&name=Orgtree"), patients)
	for path, want := range map[string]int{
		"/Patient?name=Orgtree&_summary=count":                              len(patients),
		"/Practitioner?_id=shared&_revinclude=Patient:general-practitioner": 1 + len(patients),
		"/Observation?code:text=orgtree&_include=Observation:subject":       2 * len(patients),
		"/Group?_id=of-all&_include=Group:member":                           0, // it lists the patients of others
		"/Group?member=Patient/pat-org-a":                                   0,
	} {
		b := p.get(t, path).want(t, 200).bundle(t)
		got := len(b.Entry)
		if strings.Contains(path, "count") {
			got = *b.Total
		}
		if got != want {
			t.Errorf("%s: got %d, want %d", path, got, want)
		}
	}
	for _, path := range []string{"/$export?_type=Patient&_typeFilter=Patient%3Fname%3DOrgtree", "/Patient/$export?_type=Patient&_typeFilter=Patient%3Fname%3DOrgtree"} {
		m := p.export(t, path)
		same(path, idsOf(p.exported(t, m, "Patient")), patients)
		for _, f := range m.Output {
			if !strings.HasPrefix(f.URL, p.base+"/") {
				t.Errorf("%s: the file is at %s, not below %s", path, f.URL, p.base)
			}
		}
	}
	p.get(t, "/Group/of-all").refused(t, 403, "forbidden")
	p.get(t, "/Group/of-all/$export?_type=Patient", exportHeader()...).refused(t, 403, "forbidden")
	p.put(t, "/Practitioner/shared", `{"resourceType":"Practitioner","id":"shared","active":false}`).refused(t, 403, "forbidden")
	p.send(t, "DELETE", "/Practitioner/shared", "").refused(t, 403, "forbidden")
	batch := p.transact(t, `{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"Patient?name=Orgtree&_summary=count"}},{"request":{"method":"GET","url":"Patient/pat-org-e"}}]}`)
	if e := slices.Contains(orgs, "org-e"); strings.HasPrefix(batch[1].Response.Status, "200") != e {
		t.Errorf("an entry of a batch: got %s for org-e", batch[1].Response.Status)
	}
	p.get(t, "/Practitioner/shared").want(t, 200)
	if self := p.get(t, "/Patient?name=Orgtree").bundle(t).Entry; len(self) > 0 && !strings.HasPrefix(self[0].FullURL, p.base+"/Patient/") {
		t.Errorf("fullUrl is %s, not below %s", self[0].FullURL, p.base)
	}
}

// AX-48: a client does not get out by the URL, and a URL of nobody is none.
func TestOrganizationURL(t *testing.T) {
	t.Parallel()
	w := newOrgTree(t)
	b := w.of("org-b")
	w.through(b, "org-d").get(t, "/Patient/pat-org-d").want(t, 200)
	w.through(b, "org-d").get(t, "/Patient/pat-org-b").refused(t, 403, "forbidden")
	for _, id := range []string{"org-a", "org-c", "org-e"} {
		a := w.through(b, id).get(t, "/Patient?name=Orgtree")
		if i := a.refused(t, 403, "forbidden"); !strings.Contains(i.Diagnostics, "S13: The URL belongs to Organization/"+id+"; client is bound to Organization/org-b") {
			t.Errorf("%s: got %q", id, i.Diagnostics)
		}
	}
	i := w.through(w.all, "org-b").get(t, "/Patient/pat-org-c").refused(t, 403, "forbidden")
	if !strings.Contains(i.Diagnostics, "the URL is that of Organization/org-b") {
		t.Errorf("got %q, want it to name the URL", i.Diagnostics)
	}
	w.through(w.all, "nobody").get(t, "/Patient").refused(t, 404, "not-found")
	w.through(w.all, "nobody").get(t, "/metadata").refused(t, 404, "not-found")
	w.through(w.stranger(), "org-b").get(t, "/Patient").want(t, 401)
	base := w.through(w.stranger(), "org-b").base
	if got := w.through(w.stranger(), "org-b").get(t, "/metadata").want(t, 200).object(t)["implementation"].(map[string]any)["url"]; got != base {
		t.Errorf("the CapabilityStatement says %v, want %s", got, base)
	}
	if got := w.through(w.stranger(), "org-b").get(t, "/.well-known/smart-configuration").want(t, 200).object(t)["token_endpoint"]; got != w.TokenURL() {
		t.Errorf("the token endpoint is %v, want %s", got, w.TokenURL())
	}
	// What is written through the URL belongs to the organization.
	made := w.through(w.all, "org-c").post(t, "/Patient", `{"resourceType":"Patient","name":[{"family":"Written"}]}`).want(t, 201)
	if at := made.header.Get("Location"); !strings.HasPrefix(at, w.through(w.all, "org-c").base+"/Patient/") {
		t.Errorf("Location is %s", at)
	}
	if got := w.of("org-c").ids(t, "/Patient?name=Written"); len(got) != 1 {
		t.Errorf("its organization finds %v", got)
	}
	if got := b.ids(t, "/Patient?name=Written"); len(got) != 0 {
		t.Errorf("a sibling finds %v", got)
	}
}

// Whoever is bound to an organization does not come to see others by changing
// who is above whom.
func TestOrganizationHierarchyHolds(t *testing.T) {
	t.Parallel()
	w := newOrgTree(t)
	b := w.of("org-b")
	below := func(id, above string) string {
		return fmt.Sprintf(`{"resourceType":"Organization","id":%q,"name":"x","partOf":{"reference":"Organization/%s"}}`, id, above)
	}
	for name, send := range map[string]func() *answer{
		"put a sibling below":  func() *answer { return b.put(t, "/Organization/org-e", below("org-e", "org-b")) },
		"put the parent below": func() *answer { return b.put(t, "/Organization/org-a", below("org-a", "org-b")) },
		"patch a sibling": func() *answer {
			return b.patch(t, "/Organization/org-e", `[{"op":"add","path":"/partOf","value":{"reference":"Organization/org-b"}}]`)
		},
		"delete a sibling":        func() *answer { return b.send(t, http.MethodDelete, "/Organization/org-e", "") },
		"take an id of nobody":    func() *answer { return b.put(t, "/Organization/ghost", below("ghost", "org-b")) },
		"put oneself elsewhere":   func() *answer { return b.put(t, "/Organization/org-b", below("org-b", "org-e")) },
		"a new one below another": func() *answer { return b.post(t, "/Organization", below("", "org-e")) },
		"conditionally a sibling": func() *answer { return b.put(t, "/Organization?name=org-e", below("org-e", "org-b")) },
		"in a transaction": func() *answer {
			return b.post(t, "", `{"resourceType":"Bundle","type":"transaction","entry":[{"resource":`+below("org-e", "org-b")+`,"request":{"method":"PUT","url":"Organization/org-e"}}]}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			if a := send(); a.status < 400 || a.status >= 500 {
				t.Errorf("got %d: %s", a.status, a.excerpt())
			}
		})
	}
	if got := b.ids(t, "/Patient?name=Orgtree"); len(got) != 2 {
		t.Errorf("it sees %v now, want its own and its child's", got)
	}
	b.post(t, "/Organization", `{"resourceType":"Organization","name":"a clinic","partOf":{"reference":"Organization/org-b"}}`).want(t, 201)
	b.put(t, "/Organization/org-d", below("org-d", "org-b")).want(t, 200)
	w.all.put(t, "/Organization/org-e", below("org-e", "org-b")).want(t, 200)
	if got := b.ids(t, "/Patient?name=Orgtree"); len(got) != 3 {
		t.Errorf("after a change by somebody who may: it sees %v", got)
	}
}
