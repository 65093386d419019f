package httpapi_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// exporter is a party that may export everything of a lab.
func (x *lab) exporter() party { x.t.Helper(); return x.token(x.rs, "system/*.*") }

// kicks kicks an export off and tells of the answer.
func (x *lab) kicks(p party, path string, header ...string) string {
	x.t.Helper()
	return x.says(p.get(x.t, path, exportHeader(header...)...))
}

// files tells how many lines the files of a type have.
func files(m manifest, typ string) string {
	var counts []int
	for _, i := range m.of(typ) {
		counts = append(counts, i.Count)
	}
	return fmt.Sprint(counts)
}

func exportCases() []switchCase {
	kickOff := func(path string, header ...string) func(x *lab) string {
		return func(x *lab) string { return x.says(x.exporter().get(x.t, path, header...)) }
	}
	return []switchCase{
		{name: "BD-RJ-18 BD-KO-04 GET under 4.0.0-ballot", switches: "export.version=4.0.0-ballot",
			do: func(x *lab) string { return x.kicks(x.exporter(), "/$export") }, strict: "202", switched: "405 BD-KO-12"},
		{name: "BD-KO-05 POST under 1.0.1", switches: "export.version=1.0.1",
			do: func(x *lab) string {
				p := x.exporter()
				return both(x.says(p.send(x.t, http.MethodPost, "/$export", "", exportHeader()...)), x.kicks(p, "/$export?_elements=id"), x.kicks(p, "/$export?_type=Patient"))
			}, strict: "202; 202; 202", switched: "405 BD-KO-12; 400 B05; 202"},
		{name: "BD-PA-22 a comma between filters under 3.0.0", switches: "export.version=3.0.0",
			do: func(x *lab) string { // a filter for Observations, or one more gender that nobody has
				m := x.exporter().export(x.t, "/$export?_type=Patient,Observation&_typeFilter=Patient%3Fgender%3Dx,Observation%3Fstatus%3Dx")
				return fmt.Sprint(len(m.of("Observation")))
			}, strict: "0", switched: "1"},
		{name: "BD-HD-02 BD-RJ-03 B01 no Prefer", switches: "export.strict_prefer=false", do: kickOff("/$export", "Accept", fhirJSON), strict: "400 B01", switched: "202"},
		{name: "BD-HD-01 BD-RJ-04 B02 no Accept", switches: "export.strict_accept=false", do: kickOff("/$export", "Prefer", "respond-async"), strict: "400 B02", switched: "202"},
		{name: "BD-HD-05 BD-RJ-14 B05 a parameter that is not supported", switches: "export.unsupported=_elements includeAssociatedData",
			do: func(x *lab) string {
				p := x.exporter()
				return both(x.kicks(p, "/$export?_elements=id"), x.kicks(p, "/$export?_elements=id", "Prefer", "respond-async, handling=lenient"), x.kicks(p, "/$export?_type=Patient"))
			}, strict: "202; 202; 202", switched: "400 B05; 202; 202"},
		{name: "BD-PA-01 B06 ndjson", switches: "export.outputformat_strict=true",
			do: func(x *lab) string {
				p := x.exporter()
				return both(x.kicks(p, "/$export?_outputFormat=ndjson"), x.kicks(p, "/$export?_outputFormat=application/fhir%2Bndjson"))
			}, strict: "202; 202", switched: "400 B06; 202"},
		{name: "BD-PA-02 M13 files that are gzip", switches: "export.gzip=true",
			do: func(x *lab) string {
				p := x.exporter()
				a := p.get(x.t, "/$export?_type=Patient&_outputFormat=application/fhir%2Bndjson%2Bgzip", exportHeader()...)
				if a.status != 202 {
					return x.says(a)
				}
				file := p.finish(x.t, a.header.Get("Content-Location")).Output[0]
				a = p.get(x.t, file.URL, "Range", "bytes=0-9").want(x.t, 200).wantHeader(x.t, "Content-Encoding", "")
				return both(file.URL[strings.LastIndex(file.URL, "/"):], a.header.Get("Content-Type"), fmt.Sprint(strings.Count(gunzip(x.t, a.body), "\n")))
			}, strict: "400 B06", switched: "/Patient.ndjson.gz; application/gzip; 5"},
		{name: "BD-HD-06 BD-ST-10 separate-export-status", switches: "export.separate_status=false",
			do: func(x *lab) string {
				p := x.exporter()
				a := p.get(x.t, "/$export?_type=Patient", exportHeader("Prefer", "separate-export-status")...).want(x.t, 202)
				words := []string{a.header.Get("Preference-Applied")}
				for range 2 {
					s := p.get(x.t, a.header.Get("Content-Location"))
					words = append(words, fmt.Sprint(s.status, " ", s.header.Get("X-Export-Status")))
				}
				return both(words...)
			}, strict: "respond-async, separate-export-status; 200 202 Accepted; 200 200 OK", switched: "respond-async; 202 ; 200 "},
		{name: "BD-SEC-09 S11 the export of a group by who may not read groups", switches: "export.group_scope=false",
			do: func(x *lab) string {
				all := x.exporter()
				ids := all.ids(x.t, "/Patient")
				all.put(x.t, "/Group/inner", `{"resourceType":"Group","id":"inner","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/`+ids[0]+`"}}]}`).want(x.t, 201)
				all.put(x.t, "/Group/g", `{"resourceType":"Group","id":"g","type":"person","actual":true,"member":[{"entity":{"reference":"Group/inner"}}]}`).want(x.t, 201)
				p := x.token(x.rs, "system/Patient.rs")
				got := []string{x.says(p.get(x.t, "/Group/g")), x.kicks(p, "/Group/g/$export?_type=Patient")}
				if got[1] == "202" {
					got = append(got, files(p.export(x.t, "/Group/g/$export?_type=Patient"), "Patient"))
				}
				return both(got...)
			}, strict: "403 S11; 403 S11", switched: "403 S11; 202; [1]"},
		{name: "BD-GR-02 BD-GR-03 who joined the group later", switches: "export.group_since=delta",
			do: func(x *lab) string {
				p := x.exporter()
				ids := p.ids(x.t, "/Patient")
				group := func(members ...string) string {
					return `{"resourceType":"Group","id":"g","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/` + strings.Join(members, `"}},{"entity":{"reference":"Patient/`) + `"}}]}`
				}
				p.put(x.t, "/Group/g", group(ids[0])).want(x.t, 201)
				since := p.export(x.t, "/Group/g/$export?_type=Patient").TransactionTime
				p.put(x.t, "/Group/g", group(ids[0], ids[1])).want(x.t, 200)
				got := idsOf(p.exported(x.t, p.export(x.t, "/Group/g/$export?_type=Patient&_since="+since), "Patient"))
				return fmt.Sprint(len(got), slices.Equal(got, ids[1:2]))
			}, strict: "1 true", switched: "0 false"},
		{name: "BD-SEC-13 BD-KR-04 BD-RJ-17 B09 one export at a time", switches: "export.max_concurrent=1",
			do: func(x *lab) string {
				p := x.exporter()
				first := p.get(x.t, "/$export", exportHeader()...).want(x.t, 202).header.Get("Content-Location")
				second := p.get(x.t, "/$export", exportHeader()...)
				words := []string{x.says(second), fmt.Sprint(second.header.Get("Retry-After") != "")}
				words = append(words, x.kicks(x.token(x.es, "system/*.*"), "/$export")) // another client
				p.finish(x.t, first)
				third := p.get(x.t, "/$export", exportHeader()...)
				words = append(words, x.says(third))
				p.send(x.t, http.MethodDelete, third.header.Get("Content-Location"), "").want(x.t, 202)
				return both(append(words, x.kicks(p, "/$export"))...)
			}, strict: "202; false; 202; 202; 202", switched: "429 B09; true; 202; 202; 202"},
		{name: "BD-KO-01 Aidbox's $dump", switches: "export.dump=true",
			do: func(x *lab) string {
				p := x.exporter()
				p.base = x.URL()
				a := p.get(x.t, "/Patient/$dump")
				if a.status != 200 {
					return fmt.Sprint(a.status)
				}
				narrow := x.token(x.rs, "system/Observation.read")
				narrow.base = x.URL()
				zipped := p.get(x.t, "/Patient/$dump?gzip=true&fhir=true").want(x.t, 200).wantHeader(x.t, "Content-Encoding", "gzip")
				return both(a.header.Get("Content-Type"), fmt.Sprint(a.length, strings.Count(string(a.body), "\n"), gunzip(x.t, zipped.body) == string(a.body)),
					fmt.Sprint(narrow.get(x.t, "/Patient/$dump").status), fmt.Sprint(p.get(x.t, "/Patient/$dump?_since=2100-01-01").want(x.t, 200).body),
					fmt.Sprint(p.as("").get(x.t, "/Patient/$dump").status), fmt.Sprint(p.get(x.t, "/fhir/Patient/$dump").status), fmt.Sprint(p.get(x.t, "/Patients/$dump").status))
			}, strict: "404", switched: "application/ndjson; -1 5 true; 403; []; 401; 404; 404"},
		{name: "BD-ST-05 P01 a status request too early", switches: "poll.early=refuse",
			do: func(x *lab) string {
				p := x.exporter()
				status := p.kickOff(x.t, "/$export?_type=Patient")
				words := []string{x.says(p.get(x.t, status))}
				a := p.get(x.t, status)
				words = append(words, x.says(a), a.header.Get("Retry-After"))
				x.ages(time.Second)
				return both(append(words, x.says(p.get(x.t, status)))...)
			}, strict: "202; 200; ; 200", switched: "202; 429 P01; 1; 200"},
		{name: "BD-ST-05 P01 a job that ends for too many", switches: "poll.early=refuse;poll.ban_after=2",
			do: func(x *lab) string {
				p := x.exporter()
				status := p.kickOff(x.t, "/$export?_type=Patient")
				var words []string
				for range 5 {
					words = append(words, x.says(p.get(x.t, status)))
				}
				return both(words...)
			}, strict: "202; 200; 200; 200; 200", switched: "202; 429 P01; 429 P01; 429 P01; 404 BD-ST-13"},
		{name: "BD-ST-08 BD-ST-13 P08 how long a job stays", switches: "job.ttl=1h",
			do: func(x *lab) string {
				p := x.exporter()
				status := p.kickOff(x.t, "/$export?_type=Patient")
				p.finish(x.t, status)
				x.ages(59 * time.Minute)
				words := []string{x.says(x.exporter().get(x.t, status))}
				x.ages(2 * time.Minute)
				return both(append(words, x.says(x.exporter().get(x.t, status)))...)
			}, strict: "200; 200", switched: "200; 404 P08"},
		{name: "BD-PA-28 BD-MF-10 M19 pages of a manifest", switches: "manifest.page=2",
			do: func(x *lab) string {
				p := x.exporter()
				var words []string
				for _, path := range []string{"/$export?_type=Patient,Observation,Condition", "/$export?_type=Patient,Observation,Condition&allowPartialManifests=true"} {
					m := p.export(x.t, path)
					words = append(words, fmt.Sprint(len(m.Output), " ", len(m.Link)))
				}
				return both(words...)
			}, strict: "3 0; 3 0", switched: "3 0; 2 1"},
		{name: "BD-MF-03 BD-FI-07 M04 files without token", switches: "files.token=false",
			do: func(x *lab) string {
				p := x.exporter()
				m := p.export(x.t, "/$export?_type=Patient")
				return both(fmt.Sprint(m.RequiresAccessToken), fmt.Sprint(p.as("").get(x.t, m.Output[0].URL).status))
			}, strict: "true; 401", switched: "false; 200"},
		{name: "BD-MF-16 M07 files at another origin", switches: "files.redirect=true",
			do: func(x *lab) string {
				p := x.exporter()
				file := p.export(x.t, "/$export?_type=Patient").Output[0].URL
				a := p.get(x.t, file)
				target := a.header.Get("Location")
				if target == "" {
					return x.says(a)
				}
				words := []string{x.says(a), fmt.Sprint(strings.Contains(target, "://localhost:")), x.says(p.as("").get(x.t, file))}
				for _, q := range []party{p.as(""), p} { // with the token, too: it leaked
					q.get(x.t, target).want(x.t, 200)
					leaked := x.noticed(x.t, "M07")
					words = append(words, fmt.Sprint(leaked != nil))
				}
				return both(words...)
			}, strict: "200", switched: "307; true; 401 SB-RS-02; false; true"},
		{name: "BD-FI-07 BD-FI-11 M08 the life of a file's URL", switches: "files.token=false;files.ttl=60s",
			do: func(x *lab) string {
				p := x.exporter()
				status := p.kickOff(x.t, "/$export?_type=Patient")
				m := p.finish(x.t, status)
				if m.RequiresAccessToken {
					return "a token"
				}
				x.ages(59 * time.Second)
				words := []string{x.says(p.as("").get(x.t, m.Output[0].URL))}
				x.ages(2 * time.Second)
				words = append(words, x.says(p.as("").get(x.t, m.Output[0].URL)))
				fresh := p.finish(x.t, status).Output[0].URL
				return both(append(words, x.says(p.as("").get(x.t, fresh)))...)
			}, strict: "a token", switched: "200; 404 M08; 200"},
		{name: "BD-FI-13 M15 files of so many lines", switches: "files.max_rows=2",
			do:     func(x *lab) string { return files(x.exporter().export(x.t, "/$export?_type=Patient"), "Patient") },
			strict: "[5]", switched: "[2 2 1]"},
		{name: "BD-FI-13 M15 files of so many bytes", switches: "files.max_bytes=1",
			do:     func(x *lab) string { return files(x.exporter().export(x.t, "/$export?_type=Patient"), "Patient") },
			strict: "[5]", switched: "[1 1 1 1 1]"},
	}
}
