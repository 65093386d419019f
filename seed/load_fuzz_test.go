package seed_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sandfhir/sandfhir/seed"
)

// FuzzLoadNDJSON: whatever the bytes, every non-blank line is emitted, refused or (in a Bundle)
// skipped, and what is emitted is one line of sound JSON with the type and id it is said to have.
func FuzzLoadNDJSON(f *testing.F) {
	for _, file := range []string{"testdata/people.ndjson", "testdata/badline3.ndjson"} {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("\xef\xbb\xbf{}\r\n\n" + bundle("collection", `{"resource":{"resourceType":"Patient","id":"a"}}`)))
	f.Fuzz(func(t *testing.T, data []byte) {
		lines := int64(0)
		for line := range strings.SplitSeq(strings.TrimPrefix(string(data), "\xef\xbb\xbf"), "\n") {
			if strings.TrimSpace(line) != "" {
				lines++
			}
		}
		report := fuzzLoad(t, "-", data)
		if !bytes.Contains(data, []byte("Bundle")) && report.Resources+report.Bad != lines {
			t.Errorf("%d emitted and %d bad of %d lines", report.Resources, report.Bad, lines)
		}
	})
}

// FuzzLoadBundle: whatever a Bundle is, what comes out of it is sound.
func FuzzLoadBundle(f *testing.F) {
	data, err := os.ReadFile("testdata/transaction.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(bundle("history", `{"request":{"method":"DELETE","url":"Patient/a"}}`, `{"resource":{"resourceType":"Patient","id":"a"}}`)))
	f.Add([]byte(bundle("collection", `{"fullUrl":"urn:uuid:1","resource":{"id":"a","x":{"reference":"urn:uuid:1"},"resourceType":"Patient"}}`)))
	f.Fuzz(func(t *testing.T, data []byte) {
		data = bytes.ReplaceAll(data, []byte("\n"), nil)
		fuzzLoad(t, "-", data)
	})
}

// FuzzBundleReferences: of a resource only the strings change that are references to a fullUrl.
func FuzzBundleReferences(f *testing.F) {
	f.Add("reference", "urn:uuid:1", "urn:uuid:1")
	f.Add("reference", "http://h/Patient/1", "http://h/Patient/2")
	f.Add("valueUri", "urn:oid:1", "urn:oid:1")
	f.Add("url", "http://h/1", "http://h/1")
	f.Add("system", "urn:uuid:1", "urn:uuid:1")
	f.Fuzz(func(t *testing.T, name, text, fullURL string) {
		if name == "" || name == "resource" || fullURL == "" || !utf8.ValidString(name+text+fullURL) {
			return
		}
		resource := func(text string) string {
			member := quote(name) + ":" + quote(text)
			return `{"resourceType":"Basic","id":"b","x":[{"d":1.00,` + member + `},[{` + member + `}]],"contained":[{"a":{"b":{` + member + `}}}]}`
		}
		want := resource(text)
		urn := strings.HasPrefix(text, "urn:uuid:") || strings.HasPrefix(text, "urn:oid:")
		uri := name == "url" || name == "uri" || strings.HasSuffix(name, "Uri") || strings.HasSuffix(name, "Url") && name != "fullUrl"
		if text == fullURL && (name == "reference" || uri && urn) {
			want = resource("Patient/a")
		}
		b := bundle("collection", `{"resource":`+resource(text)+`}`,
			`{"fullUrl":`+quote(fullURL)+`,"resource":{"resourceType":"Patient","id":"a"}}`)
		got := ""
		_, err := seed.Load(t.Context(), []string{"-"}, seed.LoadOptions{Stdin: strings.NewReader(b)}, func(r seed.Resource) error {
			if r.Type == "Basic" {
				got = string(r.JSON)
			}
			return nil
		})
		if err == nil && got != want { // a name can be a duplicate
			t.Errorf("emitted\n%s, want\n%s", got, want)
		}
	})
}

func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func fuzzLoad(t *testing.T, path string, data []byte) seed.LoadReport {
	t.Helper()
	opts := seed.LoadOptions{KeepGoing: true, MaxLine: 1 << 20, Stdin: bytes.NewReader(data)}
	emitted := int64(0)
	report, err := seed.Load(t.Context(), []string{path}, opts, func(r seed.Resource) error {
		emitted++
		var head struct {
			ResourceType string `json:"resourceType"`
			ID           string `json:"id"`
		}
		decoder := json.NewDecoder(bytes.NewReader(r.JSON))
		if err := decoder.Decode(&head); err != nil || decoder.More() || bytes.ContainsAny(r.JSON, "\r\n") {
			t.Errorf("emitted %q: %v", r.JSON, err)
		}
		if want := `"id":"` + r.ID + `"`; !bytes.Contains(r.JSON, []byte(want)) && head.ID != r.ID || head.ResourceType != r.Type {
			t.Errorf("emitted %s/%s as %s", r.Type, r.ID, r.JSON)
		}
		return nil
	})
	if err != nil || report.Resources != emitted {
		t.Errorf("%v; %d of %d resources counted", err, report.Resources, emitted)
	}
	return report
}
