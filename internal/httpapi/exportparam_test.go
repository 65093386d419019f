package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/sandbox"
)

// membersOf are the names of a JSON object's members.
func membersOf(t *testing.T, line string) (names []string) {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal([]byte(line), &object); err != nil {
		t.Fatalf("%q is no JSON: %v", line, err)
	}
	for name := range object {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

const subsetted = `{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}`

func TestExportElements(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all
	p.put(t, "/Patient/whole", `{"resourceType":"Patient","id":"whole","active":true,"name":[{"family":"Ä"}],"_birthDate":{"extension":[{"url":"http://x.test/e","valueCode":"x"}]},"birthDate":"2000-01-01"}`).want(t, 201)
	p.put(t, "/Basic/whole", `{"resourceType":"Basic","id":"whole","meta":{"tag":[{"code":"mine"}]},"code":{"text":"x"},"created":"2020-01-01"}`).want(t, 201)
	for _, c := range []struct{ name, elements, patient, basic string }{
		{"BD-PA-12 of one type", "Patient.birthDate", "_birthDate birthDate id meta resourceType", "code created id meta resourceType"},
		{"BD-PA-12 of two types", "Patient.active,Basic.created", "active id meta resourceType", "code created id meta resourceType"},
		{"BD-PA-12 BD-KO-08 repeated", "Patient.active&_elements=Patient.name", "active id meta name resourceType", "code created id meta resourceType"},
		{"BD-PA-12 a bare name, of the types that have it", "active", "active id meta resourceType", "code created id meta resourceType"},
		{"BD-PA-12 a bare name that all have; mandatory elements stay", "id", "id meta resourceType", "code id meta resourceType"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := p.export(t, "/$export?_type=Patient,Basic&_elements="+c.elements)
			for typ, want := range map[string]string{"Patient": c.patient, "Basic": c.basic} {
				item := m.of(typ)[0]
				lines := p.fileOf(t, m, typ)
				if len(lines) != item.Count {
					t.Errorf("BD-MF-05: %d lines of %s, count %d", len(lines), typ, item.Count)
				}
				line := lines[slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, `"id":"whole"`) })]
				if got := strings.Join(membersOf(t, line), " "); got != want {
					t.Errorf("got %s, want %s", got, want)
				}
				cut := typ == "Patient" || strings.Contains(c.name, "Basic") || strings.Contains(c.name, "all have") || strings.Contains(c.elements, "Basic")
				if strings.Contains(line, subsetted) != cut {
					t.Errorf("BD-PA-13: cut %v: %s", cut, line)
				}
			}
		})
	}
	t.Run("BD-FI-05 BD-FI-09 a file that is cut down", func(t *testing.T) {
		m := p.export(t, "/$export?_type=Observation&_elements=Observation.code")
		whole := p.get(t, m.Output[0].URL).want(t, 200).wantHeader(t, "Accept-Ranges", "")
		if whole.length != -1 || !strings.Contains(string(whole.body), "SUBSETTED") {
			t.Errorf("got Content-Length %d, want none: nobody knows it before", whole.length)
		}
		if a := p.get(t, m.Output[0].URL, "Range", "bytes=0-9").want(t, 200); string(a.body) != string(whole.body) {
			t.Error("a range of it is not the whole")
		}
		if a := p.get(t, m.Output[0].URL, "Accept-Encoding", "gzip").want(t, 200).wantHeader(t, "Content-Encoding", "gzip"); gunzip(t, a.body) != string(whole.body) {
			t.Error("the gzip form is another")
		}
		p.send(t, "HEAD", m.Output[0].URL, "").want(t, 200)
		p.get(t, m.Output[0].URL, "If-None-Match", whole.header.Get("ETag")).want(t, 304)
	})
	for _, c := range []struct{ name, elements string }{
		{"BD-RJ-12 an element that the type has not", "Patient.status"},
		{"BD-RJ-12 an element that no type has", "nothing"},
		{"BD-RJ-12 a nested element without type", "name.family"},
		{"BD-RJ-12 empty", ""},
		{"BD-RJ-12 one of two", "id,Patient.status"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p.get(t, "/$export?_elements="+c.elements, exportHeader()...).refused(t, 400, "invalid")
			m := p.export(t, "/$export?_type=Patient&_elements="+c.elements, "Prefer", "respond-async, handling=lenient")
			if len(m.Error) != 1 || strings.Contains(c.name, "one of two") != strings.Contains(p.fileOf(t, m, "Patient")[0], "SUBSETTED") {
				t.Errorf("BD-HD-04: got %+v, want a word on it, and the elements that there are", m)
			}
		})
	}
}

// TestIncludeAssociatedData is about Provenance (BD-PA-18, BD-PA-19).
func TestIncludeAssociatedData(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all
	provenance := func(id, recorded string, targets ...string) {
		p.put(t, "/Provenance/"+id, `{"resourceType":"Provenance","id":"`+id+`","recorded":"`+recorded+`","agent":[{"who":{"display":"x"}}],"target":[{"reference":"`+strings.Join(targets, `"},{"reference":"`)+`"}]}`).want(t, 201)
	}
	for _, id := range []string{"a", "b"} {
		p.put(t, "/Patient/"+id, patient(id)).want(t, 201)
		p.put(t, "/Condition/"+id, `{"resourceType":"Condition","id":"`+id+`","subject":{"reference":"Patient/`+id+`"}}`).want(t, 201)
	}
	provenance("old", "2020-01-01T00:00:00Z", "Patient/a")
	since := p.export(t, "/$export?_type=Basic").TransactionTime
	provenance("new", "2021-01-01T00:00:00Z", "Patient/a", "Patient/b")
	provenance("older-but-late", "2019-01-01T00:00:00Z", "Patient/b")
	provenance("condition", "2021-01-01T00:00:00Z", "Condition/a")
	ofMine := "&_typeFilter=" + url.QueryEscape("Patient?_id=a,b")
	for _, c := range []struct {
		name, query string
		want        []string
	}{
		{"BD-PA-18 RelevantProvenanceResources", "_type=Patient&includeAssociatedData=RelevantProvenanceResources" + ofMine, []string{"new", "old", "older-but-late"}},
		{"BD-PA-18 LatestProvenanceResources", "_type=Patient&includeAssociatedData=LatestProvenanceResources" + ofMine, []string{"new"}},
		{"BD-PA-18 the larger set of two", "_type=Patient&includeAssociatedData=LatestProvenanceResources,RelevantProvenanceResources" + ofMine, []string{"new", "old", "older-but-late"}},
		{"BD-PA-18 the larger set of two, repeated", "_type=Patient&includeAssociatedData=RelevantProvenanceResources&includeAssociatedData=LatestProvenanceResources" + ofMine, []string{"new", "old", "older-but-late"}},
		{"BD-PA-18 of another type", "_type=Condition&_typeFilter=" + url.QueryEscape("Condition?_id=a") + "&includeAssociatedData=RelevantProvenanceResources", []string{"condition"}},
		{"BD-DA-03 of nothing that changed since", "_type=Patient&includeAssociatedData=RelevantProvenanceResources&_since=" + since, nil},
		{"BD-PA-19 _type leaves it out", "_type=Patient" + ofMine, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, level := range []string{"/$export", "/Patient/$export"} {
				got := idsOf(p.exported(t, p.export(t, level+"?"+c.query), "Provenance"))
				if slices.Sort(got); !slices.Equal(got, c.want) {
					t.Errorf("%s: got %v, want %v", level, got, c.want)
				}
			}
		})
	}
	t.Run("BD-PA-18 what changed since has its Provenance of before", func(t *testing.T) {
		p.put(t, "/Patient/a", patient("a")).want(t, 200)
		got := idsOf(p.exported(t, p.export(t, "/$export?_type=Patient&includeAssociatedData=RelevantProvenanceResources&_since="+since), "Provenance"))
		if slices.Sort(got); !slices.Equal(got, []string{"new", "old"}) {
			t.Errorf("got %v", got)
		}
	})
	t.Run("BD-SEC-06 without scope for Provenance", func(t *testing.T) {
		w.grant(t, "system/Patient.rs").get(t, "/$export?_type=Patient&includeAssociatedData=LatestProvenanceResources", exportHeader()...).refused(t, 403, "forbidden")
	})
	t.Run("BD-RJ-13 _custom, passed over", func(t *testing.T) {
		p.get(t, "/$export?includeAssociatedData=_custom", exportHeader()...).refused(t, 400, "not-supported")
		if m := p.export(t, "/$export?_type=Patient&includeAssociatedData=_custom", "Prefer", "respond-async, handling=lenient"); len(m.Error) != 1 || len(m.of("Provenance")) != 0 {
			t.Errorf("BD-HD-04: got %+v", m)
		}
	})
}

// A block is what an organized file has of one patient.
type block struct {
	header string
	lines  []resource
	text   []string
}

// blocks reads the blocks of a file (BD-OR-01).
func (p party) blocks(t *testing.T, file string) (list []block) {
	t.Helper()
	for line := range strings.Lines(string(p.get(t, file).want(t, 200).body)) {
		var r struct {
			resource
			Parameter []struct {
				Name           string
				ValueReference struct{ Reference string }
			}
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%q is no JSON: %v", line, err)
		}
		switch {
		case r.ResourceType == "Parameters" && len(r.Parameter) == 1 && r.Parameter[0].Name == "header":
			list = append(list, block{header: r.Parameter[0].ValueReference.Reference})
		case len(list) == 0:
			t.Fatalf("BD-OR-01: the file begins with %s, not with a header", line)
		default:
			b := &list[len(list)-1]
			b.lines, b.text = append(b.lines, r.resource), append(b.text, line)
		}
	}
	return list
}

func TestOrganizedOutput(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all
	for _, level := range levels {
		t.Run(level.name, func(t *testing.T) {
			m := p.export(t, level.path+"?organizeOutputBy=Patient")
			if m.OutputOrganizedBy != "Patient" || len(m.Output) != 1 || m.Output[0].Type != "" {
				t.Fatalf("BD-MF-09: got %+v, want outputOrganizedBy, and items without type", m)
			}
			blocks, count, seen, context := p.blocks(t, m.Output[0].URL), 0, map[string]bool{}, 0
			for _, b := range blocks {
				count += 1 + len(b.lines)
				id := strings.TrimPrefix(b.header, "Patient/")
				if b.lines[0].ResourceType != "Patient" || b.lines[0].ID != id {
					t.Errorf("BD-OR-01: the block of %s begins with %+v", b.header, b.lines[0])
				}
				for i, r := range b.lines {
					switch name := r.ResourceType + "/" + r.ID; r.ResourceType {
					case "Practitioner", "Organization", "Location", "Medication", "PractitionerRole", "Group":
						context++ // BD-OR-04: repeated
					case "Provenance":
					default:
						if i > 0 && !strings.Contains(b.text[i], b.header+`"`) {
							t.Errorf("BD-OR-03: the block of %s has %s", b.header, b.text[i])
						}
						if seen[name] {
							t.Errorf("BD-DA-11: %s is there twice", name)
						}
						seen[name] = true
					}
				}
			}
			if len(blocks) != patients || count != m.Output[0].Count || context == 0 {
				t.Errorf("got %d blocks of %d lines with %d of their context, want %d of %d", len(blocks), count, context, patients, m.Output[0].Count)
			}
			for _, typ := range []string{"Observation", "Condition", "Encounter"} {
				for _, id := range p.ids(t, "/"+typ+"?_count=500") {
					if !seen[typ+"/"+id] {
						t.Errorf("%s/%s is in no block", typ, id)
					}
				}
			}
		})
	}
	t.Run("BD-DA-10 blocks of members alone", func(t *testing.T) {
		for _, id := range []string{"member", "stranger"} {
			p.put(t, "/Patient/"+id, patient(id)).want(t, 201)
		}
		p.put(t, "/Observation/shared", `{"resourceType":"Observation","id":"shared","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/stranger"},"performer":[{"reference":"Patient/member"}]}`).want(t, 201)
		p.put(t, "/Group/members", group("members", "Patient/member")).want(t, 201)
		m := p.export(t, "/Group/members/$export?organizeOutputBy=Patient&_type=Patient,Observation")
		blocks := p.blocks(t, m.Output[0].URL)
		if len(blocks) != 1 || blocks[0].header != "Patient/member" || !slices.Equal(idsOf(blocks[0].lines), []string{"member", "shared"}) {
			t.Errorf("got %+v, want the block of the member, with what is shared", blocks)
		}
		for _, id := range []string{"/Observation/shared", "/Group/members", "/Patient/member", "/Patient/stranger"} {
			p.send(t, "DELETE", id, "").want(t, 204)
		}
	})
	t.Run("BD-OR-04 what is left out is told", func(t *testing.T) {
		p.put(t, "/ValueSet/x", `{"resourceType":"ValueSet","id":"x","status":"draft"}`).want(t, 201)
		m := p.export(t, "/$export?organizeOutputBy=Patient&_type=Patient,ValueSet")
		if len(m.Error) != 1 || !strings.Contains(string(p.get(t, m.Error[0].URL).body), "ValueSet") {
			t.Errorf("got %+v, want a word on the ValueSet that is in no file", m.Error)
		}
	})
	t.Run("BD-SEC-12 a file of blocks needs the scopes of all types", func(t *testing.T) {
		m := p.export(t, "/Patient/$export?organizeOutputBy=Patient&_type=Patient,Condition")
		w.grant(t, "system/Patient.rs").get(t, m.Output[0].URL).refused(t, 403, "forbidden")
		w.grant(t, "system/Patient.rs system/Condition.rs").get(t, m.Output[0].URL).want(t, 200)
	})
	t.Run("BD-PA-12 with _elements", func(t *testing.T) {
		m := p.export(t, "/Patient/$export?organizeOutputBy=Patient&_type=Patient,Condition&_elements=Condition.code")
		for _, b := range p.blocks(t, m.Output[0].URL) {
			for i, r := range b.lines {
				if strings.Contains(b.text[i], "SUBSETTED") != (r.ResourceType == "Condition") {
					t.Errorf("got %s", b.text[i])
				}
			}
		}
	})
	t.Run("BD-OR-02 a block that is too large", func(t *testing.T) {
		w := start(t)
		p := w.all
		whole := p.blocks(t, p.export(t, "/Patient/$export?organizeOutputBy=Patient&_type=Patient,Observation").Output[0].URL)
		if err := w.SetBehaviour("", map[string]string{"files.max_rows": "20"}); err != nil {
			t.Fatal(err)
		}
		m := p.export(t, "/Patient/$export?organizeOutputBy=Patient&_type=Patient,Observation")
		var joined []block
		for i, item := range m.Output {
			blocks := p.blocks(t, item.URL)
			if item.Count > 20 {
				t.Errorf("file %d has %d lines", i+1, item.Count)
			}
			if i > 0 && m.Output[i-1].ContinuesInFile != "" {
				last := &joined[len(joined)-1]
				if m.Output[i-1].ContinuesInFile != item.URL || blocks[0].header != last.header {
					t.Errorf("file %d continues in %s, and the next, %s, begins with %s", i, m.Output[i-1].ContinuesInFile, item.URL, blocks[0].header)
				}
				last.lines = append(last.lines, blocks[0].lines...)
				blocks = blocks[1:]
			}
			joined = append(joined, blocks...)
		}
		lines := func(list []block) (text string) {
			for _, b := range list {
				text += fmt.Sprintln(b.header, b.lines)
			}
			return text
		}
		if lines(joined) != lines(whole) || len(m.Output) < 10 {
			t.Errorf("%d files do not make the %d blocks that one has", len(m.Output), len(whole))
		}
	})
}

// TestPartialManifests is about manifests of several pages, and of exports that
// are running.
func TestPartialManifests(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.WithExportDuration(100*time.Second), sandbox.WithSwitch("manifest.page", "2"))
	w.Clock().Freeze()
	p := w.all
	const types = "Condition,Encounter,Immunization,Observation,Patient"
	status := p.kickOff(t, "/$export?_type="+types+"&allowPartialManifests=true&nothing=1", "Prefer", "respond-async, handling=lenient")
	other := p.kickOff(t, "/$export?_type="+types)
	if a := p.get(t, status).want(t, 202); len(a.body) > 0 {
		t.Errorf("BD-MF-12: got %s before there is a file", a.body)
	}
	w.Clock().Advance(50 * time.Second)
	a := p.get(t, status).want(t, 202).wantHeader(t, "Content-Type", "application/json")
	var early manifest
	a.decode(t, &early)
	if got := early.types(); !slices.Equal(got, []string{"Condition", "Encounter"}) || len(early.Link) != 0 || len(early.Error) != 1 {
		t.Fatalf("BD-MF-12: got %s, want the files that are there", a.body)
	}
	p.get(t, early.Output[1].URL).want(t, 200)
	if a := p.get(t, other).want(t, 202); len(a.body) > 0 {
		t.Errorf("BD-MF-10: got %s though the client did not allow partial manifests", a.body)
	}
	p.get(t, status+"/manifest/2").refused(t, 404, "not-found")                                                       // BD-MF-13
	p.get(t, strings.Replace(early.Output[1].URL, "/2/Encounter", "/3/Immunization", 1)).refused(t, 404, "not-found") // not yet
	w.Clock().Advance(50 * time.Second)
	p = w.grant(t, "system/*.rs")
	var pages []manifest
	for next := status; next != ""; {
		a := p.get(t, next).want(t, 200).wantHeader(t, "Content-Type", "application/json")
		var m manifest
		a.decode(t, &m)
		pages = append(pages, m)
		if next = ""; len(m.Link) > 0 {
			if len(m.Link) != 1 || m.Link[0].Relation != "next" {
				t.Errorf("BD-MF-10: got link %v", m.Link)
			}
			next = m.Link[0].URL
		}
	}
	var got []string
	for _, m := range pages {
		for _, i := range m.Output {
			got = append(got, i.Type)
			p.get(t, i.URL).want(t, 200)
		}
		if m.TransactionTime != pages[0].TransactionTime || m.Request != pages[0].Request || fmt.Sprint(m.Error) != fmt.Sprint(pages[0].Error) {
			t.Errorf("BD-MF-11: got %+v, want it to repeat %+v", m, pages[0])
		}
	}
	if strings.Join(got, ",") != types || len(pages) != 3 || fmt.Sprint(pages[0].Output) != fmt.Sprint(early.Output) {
		t.Errorf("BD-MF-12: got %v on %d pages, and first %v after %v", got, len(pages), pages[0].Output, early.Output)
	}
	for _, page := range []string{"0", "4", "x"} {
		p.get(t, status+"/manifest/"+page).refused(t, 404, "not-found")
	}
	w.grant(t, "system/Patient.rs").get(t, status+"/manifest/2").refused(t, 403, "forbidden") // BD-SEC-03
	p.get(t, "/$export?allowPartialManifests=yes", exportHeader()...).refused(t, 400, "value")
	if m := p.finish(t, other); len(m.Output) != 5 || len(m.Link) != 0 {
		t.Errorf("BD-MF-10: got %+v, want all in one", m)
	}
}

// TestSeparateExportStatus is about BD-HD-06 and BD-ST-10.
func TestSeparateExportStatus(t *testing.T) {
	t.Parallel()
	w := start(t)
	a := w.all.get(t, "/$export?_type=Patient", exportHeader("Prefer", "separate-export-status")...).want(t, 202)
	if got := a.header.Get("Preference-Applied"); got != "respond-async, separate-export-status" {
		t.Errorf("BD-HD-06: got Preference-Applied %q", got)
	}
	status := a.header.Get("Content-Location")
	a = w.all.get(t, status).want(t, 200).wantHeader(t, "X-Export-Status", "202 Accepted")
	if len(a.body) > 0 || a.header.Get("Retry-After") != "1" || a.header.Get("X-Progress") == "" {
		t.Errorf("BD-ST-10: got %q, Retry-After %q", a.body, a.header.Get("Retry-After"))
	}
	a = w.all.get(t, status).wantHeader(t, "X-Export-Status", "200 OK")
	wantManifest(t, a)
	w.all.get(t, w.all.kickOff(t, "/$export?_type=Patient")).want(t, 202).wantHeader(t, "X-Export-Status", "")
}

// TestLenientExportsTellTheTruth: the error file says what became of each
// parameter (BD-HD-04), and a parameter has one value (BD-RJ-15).
func TestLenientExportsTellTheTruth(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all
	lenient := []string{"Content-Type", fhirJSON, "Accept", fhirJSON, "Prefer", "respond-async, handling=lenient"}
	kickOff := func(query, parameters string) *answer {
		return p.send(t, "POST", "/$export"+query, `{"resourceType":"Parameters"`+parameters+`}`, lenient...)
	}
	for _, c := range []struct{ query, parameters, want string }{
		{"", `,"parameter":[{"name":"_type","valueCode":"Patient"}]`, "_type was taken all the same"},
		{"", `,"parameter":[{"name":"_type","valueString":"Patient,Foo"}]`, "_type was ignored in part"},
		{"", `,"parameter":[{"name":"_type","valueString":"Patient"},{"name":"_elements","valueInteger":5}]`, "_elements was ignored: "},
		{"", `,"parameter":[{"name":"_type","valueString":"Patient"},{"name":"colour","valueString":"red"}]`, "colour was ignored: "},
	} {
		m := p.finish(t, kickOff(c.query, c.parameters).want(t, 202).header.Get("Content-Location"))
		if got := string(p.get(t, m.Error[0].URL).want(t, 200).body); !strings.Contains(got, c.want) {
			t.Errorf("%s: got %s, want %q in it", c.parameters, got, c.want)
		}
	}
	kickOff("", `,"parameter":[{"name":"_since","valueInteger":5}]`).refused(t, 400, "value")
	strict := []string{"Content-Type", fhirJSON, "Accept", fhirJSON, "Prefer", "respond-async"}
	for parameters, code := range map[string]string{
		`"parameter":[{"name":"_type","valueString":"Patient","valueCode":"Observation"}]`: "structure",
		`"parameter":[{"name":"patient","valueReference":{"code":"Patient/pt-000001"}}]`:   "value",
	} {
		p.send(t, "POST", "/Patient/$export", `{"resourceType":"Parameters",`+parameters+`}`, strict...).refused(t, 400, code)
	}
	p.send(t, "POST", "/$export?_type=Patient", `{"resourceType":"Parameters"}`, strict...).want(t, 202)
}
