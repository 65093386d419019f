package httpapi_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// An interaction is a request that needs letters on Patient.
type interaction struct {
	name    string
	letters string // of cruds
	v1      string // the v1 scope that has them
	do      func(t *testing.T, p party, id string) *answer
	status  int // where it is allowed
}

// interactions are those of the REST API (FR-SC-02 to FR-SC-16). id is a
// patient of the request's own.
func interactions() []interaction {
	body := func(id string) string { return `{"resourceType":"Patient","id":"` + id + `","active":true}` }
	return []interaction{
		{"FR-SC-02 read", "r", "read", func(t *testing.T, p party, id string) *answer { return p.get(t, "/Patient/"+id) }, 200},
		{"FR-SC-02 HEAD", "r", "read", func(t *testing.T, p party, id string) *answer { return p.send(t, "HEAD", "/Patient/"+id, "") }, 200},
		{"FR-SC-02 vread", "r", "read", func(t *testing.T, p party, id string) *answer { return p.get(t, "/Patient/"+id+"/_history/1") }, 200},
		{"FR-SC-03 history", "r", "read", func(t *testing.T, p party, id string) *answer { return p.get(t, "/Patient/"+id+"/_history") }, 200},
		{"FR-SC-04 search", "s", "read", func(t *testing.T, p party, _ string) *answer { return p.get(t, "/Patient?_count=1") }, 200},
		{"FR-SC-31 search by _id", "s", "read", func(t *testing.T, p party, id string) *answer { return p.get(t, "/Patient?_id="+id) }, 200},
		{"FR-SC-04 search by POST", "s", "read", func(t *testing.T, p party, _ string) *answer { return p.search(t, "/Patient/_search", "_count=1") }, 200},
		{"FR-SC-09 create", "c", "write", func(t *testing.T, p party, id string) *answer { return p.post(t, "/Patient", body(id)) }, 201},
		{"FR-SC-11 update", "u", "write", func(t *testing.T, p party, id string) *answer { return p.put(t, "/Patient/"+id, body(id)) }, 200},
		{"FR-SC-11 update as create", "u", "write", func(t *testing.T, p party, id string) *answer { return p.put(t, "/Patient/new-"+id, body("new-"+id)) }, 201},
		{"FR-SC-13 patch", "u", "write", func(t *testing.T, p party, id string) *answer {
			return p.patch(t, "/Patient/"+id, `[{"op":"add","path":"/active","value":true}]`)
		}, 200},
		{"FR-SC-10 conditional create", "cs", "*", func(t *testing.T, p party, id string) *answer {
			return p.post(t, "/Patient", body(id), "If-None-Exist", "_id="+id)
		}, 200},
		{"FR-SC-12 conditional update", "us", "*", func(t *testing.T, p party, id string) *answer { return p.put(t, "/Patient?_id="+id, body(id)) }, 200},
		{"FR-SC-14 conditional patch", "us", "*", func(t *testing.T, p party, id string) *answer {
			return p.patch(t, "/Patient?_id="+id, `[{"op":"add","path":"/active","value":true}]`)
		}, 200},
		{"FR-SC-16 conditional delete", "ds", "*", func(t *testing.T, p party, id string) *answer {
			return p.send(t, "DELETE", "/Patient?_id="+id, "")
		}, 204},
		{"FR-SC-15 delete", "d", "write", func(t *testing.T, p party, id string) *answer { return p.send(t, "DELETE", "/Patient/"+id, "") }, 204},
	}
}

// TestScopeLetters tries every interaction with every letter, each of v1's
// words, and scopes of other types.
func TestScopeLetters(t *testing.T) {
	t.Parallel()
	w := start(t)
	words := map[string]string{"read": "rs", "write": "cud", "*": "cruds"}
	for n, scope := range []string{
		"system/Patient.c", "system/Patient.r", "system/Patient.u", "system/Patient.d", "system/Patient.s", "system/Patient.cruds",
		"system/*.c", "system/*.r", "system/*.u", "system/*.d", "system/*.s", "system/*.rs",
		"system/Patient.read", "system/Patient.write", "system/Patient.*", "system/*.read",
		"system/Observation.cruds", "system/Observation.*", "system/Patient.r system/Patient.u", "system/Patient.s system/Observation.cruds",
	} {
		holder := w.grant(t, scope)
		letters, v1 := "", true // on Patient
		for _, s := range strings.Fields(scope) {
			typ, perms, _ := strings.Cut(strings.TrimPrefix(s, "system/"), ".")
			expanded, isWord := words[perms]
			if !isWord {
				expanded, v1 = perms, false
			}
			if typ != "Observation" {
				letters += expanded
			}
		}
		for m, i := range interactions() {
			t.Run(fmt.Sprintf("SB-RS-04 SB-RS-10 %s with %s", i.name, scope), func(t *testing.T) {
				id := fmt.Sprintf("p-%d-%d", n, m)
				w.all.put(t, "/Patient/"+id, `{"resourceType":"Patient","id":"`+id+`"}`).want(t, 201)
				a := i.do(t, holder, id)
				if !strings.ContainsFunc(i.letters, func(l rune) bool { return !strings.ContainsRune(letters, l) }) {
					a.want(t, i.status)
					return
				}
				wanted := "system/Patient." + i.letters
				if v1 {
					wanted = "system/Patient." + i.v1
				}
				if strings.HasPrefix(a.request, "HEAD") {
					a.want(t, 403)
				} else if issue := a.refused(t, 403, "forbidden"); !strings.Contains(issue.Diagnostics, wanted) {
					t.Errorf("got %q, want %s in it", issue.Diagnostics, wanted)
				}
				if c := a.challenge(t, "insufficient_scope"); !strings.Contains(c, `scope="`+wanted+`"`) {
					t.Errorf("FR-SC-35: got WWW-Authenticate %q, want scope %s", c, wanted)
				}
				if got := w.all.get(t, "/Patient/"+id+"/_history").object(t)["total"]; got != 1.0 {
					t.Errorf("a request that was refused left %v versions, want 1", got)
				}
			})
		}
	}
}

func TestWritersSeeNothing(t *testing.T) {
	t.Parallel()
	w := start(t)
	body := `{"resourceType":"Patient","id":"mine","active":true}`
	writer := w.grant(t, "system/Patient.cud")
	for _, prefer := range []string{"", "return=representation"} {
		header := []string{"Prefer", prefer}
		for name, a := range map[string]*answer{
			"create":           writer.post(t, "/Patient", body, header...).want(t, 201),
			"update":           writer.put(t, "/Patient/mine", body, header...),
			"update as create": writer.put(t, "/Patient/new"+prefer[:min(len(prefer), 1)], strings.Replace(body, "mine", "new"+prefer[:min(len(prefer), 1)], 1), header...).want(t, 201),
		} {
			if len(a.body) != 0 || a.header.Get("ETag") == "" {
				t.Errorf("FR-SC-30: %s, Prefer %q: got %q, want no body and an ETag", name, prefer, a.body)
			}
		}
	}
}

// doors are one request for every kind of FHIR path, right or wrong.
func doors(job string) map[string][3]string {
	return map[string][3]string{
		"read":                 {"GET", "/Patient/x", ""},
		"vread":                {"GET", "/Patient/x/_history/1", ""},
		"history":              {"GET", "/Patient/x/_history", ""},
		"search":               {"GET", "/Patient?name=x", ""},
		"search by POST":       {"POST", "/Patient/_search", "name=x"},
		"create":               {"POST", "/Patient", "{}"},
		"update":               {"PUT", "/Patient/x", "{}"},
		"delete":               {"DELETE", "/Patient/x", ""},
		"system export":        {"GET", "/$export", ""},
		"system export, POST":  {"POST", "/$export", ""},
		"patient export":       {"GET", "/Patient/$export", ""},
		"patient export, POST": {"POST", "/Patient/$export", ""},
		"group export":         {"GET", "/Group/all/$export", ""},
		"group export, POST":   {"POST", "/Group/all/$export", ""},
		"export status":        {"GET", job, ""},
		"export delete":        {"DELETE", job, ""},
		"export file":          {"GET", job + "/1/Patient.ndjson", ""},
		"unknown job":          {"GET", "/_export/0123", ""},
		"unknown type":         {"GET", "/Nothing", ""},
		"unknown path":         {"GET", "/Patient/x/y/z", ""},
		"unknown operation":    {"GET", "/Patient/$nothing", ""},
		"patch":                {"PATCH", "/Patient/x", "[]"},
		"conditional update":   {"PUT", "/Patient?name=x", "{}"},
		"conditional patch":    {"PATCH", "/Patient?name=x", "[]"},
		"conditional delete":   {"DELETE", "/Patient?name=x", ""},
		"method not offered":   {"POST", "/Patient/x", "{}"},
		"the base":             {"GET", "", ""},
		"the base, POST":       {"POST", "", "{}"},
	}
}

// TestCredentials sends wrong credentials, or none, to every kind of path.
func TestCredentials(t *testing.T) {
	t.Parallel()
	w := start(t)
	job := w.all.kickOff(t, "/$export")
	old := w.grant(t, "system/*.cruds")
	w.Clock().Advance(6 * time.Minute)
	fresh := w.grant(t, "system/*.cruds")
	bearer := func(token string) []string { return []string{"Authorization", "Bearer " + token} }
	for _, c := range []struct {
		name   string
		header []string
		status int
		code   string
		error  string // of the challenge
	}{
		{"SB-RS-02 no credentials", nil, 401, "login", ""},
		{"SB-RS-02 Basic", []string{"Authorization", "Basic " + basic("a", "b")}, 401, "login", ""},
		{"SB-RS-03 rubbish", bearer("rubbish"), 401, "login", "invalid_token"},
		{"SB-RS-03 another signature", bearer(spoiled(t, fresh.token)), 401, "login", "invalid_token"},
		{"SB-RS-03 cut off", bearer(fresh.token[:len(fresh.token)-4]), 401, "login", "invalid_token"},
		{"SB-RS-03 expired", bearer(old.token), 401, "expired", "invalid_token"},
		{"SB-RS-06 Bearer and nothing", []string{"Authorization", "Bearer "}, 400, "invalid", "invalid_request"},
		{"SB-RS-06 quoted token", bearer(`"` + fresh.token + `"`), 400, "invalid", "invalid_request"},
		{"SB-RS-06 a tab instead of a space", []string{"Authorization", "Bearer \t" + fresh.token}, 400, "invalid", "invalid_request"},
		{"SB-RS-01 two headers", []string{"Authorization", "Bearer " + fresh.token, "Authorization", "Bearer " + fresh.token}, 400, "invalid", "invalid_request"},
	} {
		for door, request := range doors(job[len(w.FHIRURL()):]) {
			t.Run(c.name+", "+door, func(t *testing.T) {
				a := w.stranger().send(t, request[0], request[1], request[2], c.header...)
				a.refused(t, c.status, c.code) // SB-RS-14, SB-RS-15
				a.challenge(t, c.error)
			})
		}
	}
	t.Run("SB-RS-01 token in the query", func(t *testing.T) {
		w.stranger().get(t, "/Patient?access_token="+fresh.token).refused(t, 401, "login")
		fresh.get(t, "/Patient?access_token="+fresh.token).refused(t, 400, "invalid")
	})
	t.Run("SB-RS-06 one space or more", func(t *testing.T) {
		for _, spaces := range []string{" ", "  ", "     "} {
			w.stranger().get(t, "/Patient", "Authorization", "Bearer"+spaces+fresh.token).want(t, 200)
		}
	})
	t.Run("SB-RS-01 scheme in any case", func(t *testing.T) {
		for _, scheme := range []string{"bearer", "BEARER", "Bearer"} {
			w.stranger().get(t, "/Patient", "Authorization", scheme+" "+fresh.token).want(t, 200)
		}
	})
	t.Run("SB-RS-03 the refusals have changed nothing", func(t *testing.T) {
		fresh.get(t, job[len(w.FHIRURL()):]).want(t, http.StatusAccepted)
	})
}

func TestScopesOfInclusions(t *testing.T) {
	t.Parallel()
	w := start(t)
	types := func(p party) (list []string) {
		for _, e := range p.get(t, "/Observation?_count=5&_include=Observation:subject&_include=Observation:encounter").want(t, 200).bundle(t).Entry {
			if e.Search.Mode == "include" && !slices.Contains(list, e.Resource.ResourceType) {
				list = append(list, e.Resource.ResourceType)
			}
		}
		slices.Sort(list)
		return list
	}
	for _, c := range []struct {
		scope string
		want  []string
	}{
		{"system/*.rs", []string{"Encounter", "Patient"}},
		{"system/Observation.rs", nil},
		{"system/Observation.rs system/Patient.r", []string{"Patient"}},
		{"system/Observation.rs system/Patient.s", nil},
		{"system/Observation.read system/Encounter.read", []string{"Encounter"}},
	} {
		if got := types(w.grant(t, c.scope)); !slices.Equal(got, c.want) {
			t.Errorf("SB-RS-13 FR-SC-19 %s: got %v included, want %v", c.scope, got, c.want)
		}
	}
}

func TestRevokedAndRejectedClients(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.client(t, "system/Patient.rs")
	p := w.holder(t, c)
	p.get(t, "/Patient").want(t, 200)
	if err := c.Revoke(t.Context()); err != nil {
		t.Fatal(err)
	}
	a := p.get(t, "/Patient")
	a.refused(t, 401, "login", "unknown") // SB-ISS-06: at once
	a.challenge(t, "invalid_token")
	w.holder(t, c).get(t, "/Patient").want(t, 200)
}
