package seed_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/seed"
)

// Progress only grows, never past the total, and reaches it, whatever a file is.
func TestProgressEndsAtTheTotal(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	var many []packed
	for i := range 300 {
		text := make([]byte, 6000)
		for j := range text {
			text[j] = 'a' + byte(random.IntN(26)) // that does not shrink much
		}
		many = append(many, packed{"p" + strings.Repeat("x", i) + ".json", `{"resourceType":"Basic","id":"b` + strings.Repeat("x", i%50) + string(text[:8]) + `","language":"` + string(text) + `"}`})
	}
	for name, files := range map[string][]packed{
		"zip":       {{"a.zip", zipOf(t, many...)}},
		"small zip": {{"a.zip", zipOf(t, many[0])}},
		"tar":       {{"a.tar", tarOf(t, many[0]) + strings.Repeat("\x00", 20_000)}},
		"directory": {{"a.zip", zipOf(t, many[:9]...)}, {"b.tar", tarOf(t, many[9:11]...)}, {"c.xml", "<x/>"}, {"d.ndjson", many[20].content}},
		"bad gzip":  {{"a.ndjson.gz", strings.Repeat("x", 5000)}, {"b.json", many[1].content}},
		"skipped":   {{"a.json", `{"name":"package"}`}, {"b.xml", "<x/>"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for _, f := range files {
				write(t, dir, f.name, f.content)
			}
			var told []seed.Progress
			got := load(t, seed.LoadOptions{KeepGoing: true, Progress: func(p seed.Progress) { told = append(told, p) }}, dir)
			if got.err != nil {
				t.Fatal(got.err)
			}
			last := seed.Progress{}
			for _, p := range told {
				if p.BytesRead < last.BytesRead || p.BytesRead > p.BytesTotal {
					t.Errorf("told %d of %d after %d", p.BytesRead, p.BytesTotal, last.BytesRead)
				}
				last = p
			}
			if name == "zip" && told[0].Resources == 0 {
				t.Errorf("told %+v first: the table of contents is no progress", told[0])
			}
			if least := int(last.BytesTotal / (256 << 10)); len(told) < least {
				t.Errorf("told %d times of %d bytes, want at least %d", len(told), last.BytesTotal, least)
			}
			if last.BytesRead != last.BytesTotal || last.BytesTotal <= 0 {
				t.Errorf("told %d of %d in the end", last.BytesRead, last.BytesTotal)
			}
		})
	}
}
