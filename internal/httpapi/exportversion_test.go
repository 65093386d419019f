package httpapi_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/sandbox"
)

// manifest4 is a manifest of 4.0.0-ballot.
type manifest4 struct {
	ManifestType, OutputFormat, OutputOrganizedByDetail string
	Output, Deleted, Outcome                            []struct {
		item
		FileSize      int64
		CountSeverity []struct {
			Code  string
			Count int
		}
	}
}

// finish4 is finish for 4.0.0-ballot, with the members that the manifest has.
func (p party) finish4(t *testing.T, a *answer) (m manifest4, members []string) {
	t.Helper()
	status := a.want(t, 202).header.Get("Content-Location")
	p.get(t, status).want(t, 202)
	a = p.get(t, status).want(t, 200)
	a.decode(t, &m)
	return m, membersOf(t, string(a.body))
}

// TestVersion4 is about 4.0.0-ballot, at the name that leaves $export to the
// version before and by switch.
func TestVersion4(t *testing.T) {
	t.Parallel()
	both := start(t)
	only := start(t, sandbox.WithSwitch("export.version", "4.0.0-ballot"))
	for name, c := range map[string]struct {
		w         *world
		operation string
	}{"BD-CAP-07 beside 2.0.0": {both, "/$export-v4"}, "by switch": {only, "/$export"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := c.w.all
			post := func(t *testing.T, level string, params string, header ...string) *answer {
				t.Helper()
				return p.send(t, "POST", level+c.operation, params, exportHeader(append([]string{"Content-Type", fhirJSON}, header...)...)...)
			}
			t.Run("BD-KO-04 BD-RJ-18 GET", func(t *testing.T) {
				for _, level := range []string{"", "/Patient", "/Group/all"} {
					a := p.get(t, level+c.operation, exportHeader()...)
					a.refused(t, 405, "not-supported")
					a.wantHeader(t, "Allow", "POST")
				}
			})
			for _, level := range []string{"", "/Patient", "/Group/all"} {
				t.Run("BD-MF-15 manifest of "+level, func(t *testing.T) {
					a := post(t, level, parameters("_type", `"valueString":"Patient"`, "_type", `"valueString":"Observation"`, "nothing", `"valueString":"x"`), "Prefer", "handling=lenient")
					m, members := p.finish4(t, a)
					if want := []string{"deleted", "manifestType", "outcome", "output", "outputFormat", "requiresAccessToken", "transactionTime"}; !slices.Equal(members, want) {
						t.Errorf("BD-MF-02 BD-MF-07: got members %v, want %v", members, want)
					}
					if m.ManifestType != "http://hl7.org/fhir/uv/bulkdata/StructureDefinition/BulkDataManifest" || m.OutputFormat != "application/fhir+ndjson" {
						t.Errorf("got %+v", m)
					}
					if len(m.Output) != 2 || len(m.Outcome) != 1 {
						t.Fatalf("got %+v, want two types and a word on a parameter", m)
					}
					for _, i := range m.Output {
						if size := len(p.get(t, i.URL).want(t, 200).body); i.Type == "" || i.FileSize != int64(size) {
							t.Errorf("got %+v of %d bytes", i, size)
						}
					}
					if o := m.Outcome[0]; o.Type != "" || len(o.CountSeverity) != 1 || o.CountSeverity[0].Code != "warning" || o.CountSeverity[0].Count != 1 {
						t.Errorf("BD-MF-07: got %+v, want no type and a count by severity", o)
					}
				})
			}
			for name, body := range map[string]string{
				"_type":                 parameters("_type", `"valueString":"Patient,Observation"`),
				"_elements":             parameters("_elements", `"valueString":"id,meta"`),
				"includeAssociatedData": parameters("includeAssociatedData", `"valueCoding":{"code":"LatestProvenanceResources,RelevantProvenanceResources"}`),
			} {
				t.Run("BD-KO-08 BD-RJ-18 a list in "+name, func(t *testing.T) { post(t, "", body).refused(t, 400, "invalid") })
			}
			t.Run("BD-KO-07 Coding", func(t *testing.T) {
				m, _ := p.finish4(t, post(t, "/Patient", parameters("_type", `"valueString":"Patient"`, "includeAssociatedData", `"valueCoding":{"code":"RelevantProvenanceResources"}`)))
				if len(m.Output) != 2 || m.Output[1].Type != "Provenance" {
					t.Errorf("got %+v, want Patient and Provenance", m.Output)
				}
			})
			t.Run("BD-PA-29 file sizes", func(t *testing.T) {
				size := func(name string, n int) []string { return []string{name, `"valueInteger":` + strconv.Itoa(n)} }
				m, _ := p.finish4(t, post(t, "/Patient", parameters(append([]string{"_type", `"valueString":"Observation"`}, size("_maximumFileSize", 20000)...)...)))
				if len(m.Output) < 5 {
					t.Errorf("got %d files", len(m.Output))
				}
				for _, i := range m.Output {
					if i.FileSize > 20000 {
						t.Errorf("got %+v, want at most 20000 bytes", i)
					}
				}
				for _, wrong := range [][]string{size("_maximumFileSize", 0), size("_maximumFileSize", -1), append(size("_maximumFileSize", 10), size("_minimumFileSize", 10)...), {"_minimumFileSize", `"valueString":"5"`}} {
					post(t, "", parameters(wrong...)).refused(t, 400, "value")
				}
				post(t, "", parameters(append(size("_maximumFileSize", 1000000), size("_minimumFileSize", 10)...)...)).want(t, 202)
			})
			t.Run("BD-MF-09 BD-MF-15 organized, and cut down", func(t *testing.T) {
				m, members := p.finish4(t, post(t, "", parameters("organizeOutputBy", `"valueString":"Patient"`, "_elements", `"valueString":"Patient.id"`)))
				if !slices.Contains(members, "outputOrganizedBy") || m.OutputOrganizedByDetail == "" || m.Output[0].FileSize != 0 {
					t.Errorf("got %v, %+v; want no size, which nobody knows", members, m.Output)
				}
			})
		})
	}
	t.Run("BD-CAP-01 BD-CAP-07 capability statement", func(t *testing.T) {
		for w, want := range map[*world]string{both: "export=export export-v4=export|4.0.0-ballot", only: "export=export|4.0.0-ballot export-v4=export|4.0.0-ballot"} {
			var s struct {
				Rest []struct {
					Operation []struct{ Name, Definition string }
					Resource  []struct {
						Type             string
						SupportedProfile []string
						Operation        []struct{ Name, Definition string }
					}
				}
			}
			w.all.get(t, "/metadata").want(t, 200).decode(t, &s)
			var got []string
			for _, o := range s.Rest[0].Operation {
				if strings.Contains(o.Name, "export") {
					got = append(got, o.Name+"="+strings.TrimPrefix(o.Definition, "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/"))
				}
			}
			if strings.Join(got, " ") != want {
				t.Errorf("got %v, want %s", got, want)
			}
			for _, r := range s.Rest[0].Resource {
				var names []string
				for _, o := range r.Operation {
					if strings.Contains(o.Name, "export") {
						names = append(names, o.Name)
					}
				}
				if want := map[string]string{"Patient": "patient-export patient-export-v4", "Group": "group-export group-export-v4"}[r.Type]; strings.Join(names, " ") != want {
					t.Errorf("%s has operations %v, want %s", r.Type, names, want)
				}
				if r.Type == "Group" && !slices.Contains(r.SupportedProfile, "http://hl7.org/fhir/uv/bulkdata/StructureDefinition/bulk-cohort-group") {
					t.Errorf("BD-GR-08: Group has the profiles %v", r.SupportedProfile)
				}
			}
		}
	})
}

// TestVersion1 is about 1.0.1.
func TestVersion1(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.WithSwitch("export.version", "1.0.1"))
	p := w.all
	p.put(t, "/Basic/x", `{"resourceType":"Basic","id":"x","code":{"text":"x"}}`).want(t, 201)
	since := p.export(t, "/$export?_type=Basic").TransactionTime
	p.send(t, "DELETE", "/Basic/x", "").want(t, 204)
	status := p.kickOff(t, "/$export?_type=Basic,Patient&_since="+since)
	p.finish(t, status)
	a := p.get(t, status).want(t, 200)
	if got, want := membersOf(t, string(a.body)), []string{"error", "output", "request", "requiresAccessToken", "transactionTime"}; !slices.Equal(got, want) {
		t.Errorf("BD-MF-08: got members %v, want %v", got, want)
	}
	for _, param := range []string{"patient=Patient/x", "includeAssociatedData=LatestProvenanceResources", "_until=2020-01-01T00:00:00Z", "organizeOutputBy=Patient", "allowPartialManifests=true"} {
		p.get(t, "/Patient/$export?"+param, exportHeader("Prefer", "handling=lenient")...).refused(t, 400, "not-supported")
	}
	p.get(t, "/$export?_type=Patient", exportHeader("Prefer", "separate-export-status")...).want(t, 202).wantHeader(t, "Preference-Applied", "respond-async")
	a = p.send(t, "POST", "/$export", "", exportHeader()...)
	a.refused(t, 405, "not-supported")
	a.wantHeader(t, "Allow", "GET")
}
