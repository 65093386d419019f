package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestApplicable(t *testing.T) {
	t.Parallel()
	shared := searchParameter{
		Base: []string{"Condition", "DeviceRequest", "Medication"},
		Expression: "Condition.code | (DeviceRequest.code as CodeableConcept) | " +
			"Medication.code.where(system='a|b') | Medication.batch[0] | Medicationx.code",
	}
	for typ, want := range map[string]string{
		"Condition":     "Condition.code",
		"DeviceRequest": "(DeviceRequest.code as CodeableConcept)",
		"Medication":    "Medication.code.where(system='a|b') | Medication.batch[0]",
	} {
		if got, err := applicable(shared, typ); err != nil || got != want {
			t.Errorf("for %s: %q, %v; want %q", typ, got, err, want)
		}
	}
	if got, err := applicable(shared, "Patient"); err == nil {
		t.Errorf("for a type that is not in the expression: %q", got)
	}
	single := searchParameter{Base: []string{"InsurancePlan"}, Expression: "name | alias"}
	if got, err := applicable(single, "InsurancePlan"); err != nil || got != "name | alias" {
		t.Errorf("of one base: %q, %v", got, err)
	}
}

func TestNumbersStay(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "r4.txt")
	const before = "type\tBasic\t7\tDomainResource\n" +
		"param\t20\tcode\ttoken\n" +
		"retired\t21\told\n" +
		"param\t30\tauthor\treference\n" +
		"type\tResource\t0\n" +
		"param\t3\t_id\ttoken\n"
	if err := os.WriteFile(path, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := readRegistry(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		typ, code string
		want      int
	}{
		{"Basic", "author", 30}, {"Basic", "code", 20}, {"Basic", "old", 21},
		{"Basic", "new", 31}, {"Basic", "newer", 32}, {"Basic", "new", 31},
		{"Resource", "_id", 3}, {"DomainResource", "_text", 4}, {"Resource", "_tag", 5},
		{"Account", "first", 20},
	} {
		if got, err := r.paramNumber(c.typ, c.code); err != nil || got != c.want {
			t.Errorf("number of %s %s = %d, %v; want %d", c.typ, c.code, got, err, c.want)
		}
	}
	for typ, want := range map[string]int{"Resource": 0, "Basic": 7} {
		if got, err := r.typeNumber(typ); err != nil || got != want {
			t.Errorf("number of %s = %d, %v; want %d", typ, got, err, want)
		}
	}
	if got, err := r.typeNumber("Account"); err != nil || got != 8 {
		t.Errorf("number of a new type = %d, %v; want 8", got, err)
	}
}

func TestNumbersRunOut(t *testing.T) {
	t.Parallel()
	r, err := readRegistry(filepath.Join(t.TempDir(), "none"))
	if err != nil {
		t.Fatal(err)
	}
	r.of("Basic")["last"] = perType - 1
	r.of("Resource")["_last"] = firstOwn - 1
	for _, typ := range []string{"Basic", "DomainResource"} {
		if n, err := r.paramNumber(typ, "more"); err == nil {
			t.Errorf("%s has got the number %d", typ, n)
		}
	}
}

func TestExpand(t *testing.T) {
	t.Parallel()
	var sets []valueSet
	var systems []codeSystem
	unmarshal(t, `[{"URL":"s","Content":"complete","Concept":[{"Code":"b","Concept":[{"Code":"a"}]},{"Code":"c"}]},
		{"URL":"part","Content":"fragment","Concept":[{"Code":"x"}]}]`, &systems)
	unmarshal(t, `[{"URL":"all","Compose":{"Include":[{"System":"s"}]}},
		{"URL":"some","Compose":{"Include":[{"System":"z","Concept":[{"Code":"1"}]},{"System":"s","Concept":[{"Code":"c"}]}]}},
		{"URL":"elsewhere","Compose":{"Include":[{"System":"urn:iso:std:iso:4217"}]}},
		{"URL":"fragment","Compose":{"Include":[{"System":"part"}]}},
		{"URL":"filtered","Compose":{"Include":[{"System":"s","Filter":[{"op":"is-a"}]}]}},
		{"URL":"imported","Compose":{"Include":[{"ValueSet":["all"]}]}},
		{"URL":"less","Compose":{"Include":[{"System":"s"}],"Exclude":[{"System":"s"}]}},
		{"URL":"empty"}]`, &sets)
	d := definitions{valueSets: map[string]valueSet{}, codeSystems: map[string]codeSystem{}}
	for _, s := range sets {
		d.valueSets[s.URL] = s
	}
	for _, s := range systems {
		d.codeSystems[s.URL] = s
	}
	for url, want := range map[string]string{"all": "s:a,b,c", "some": "s:c z:1"} {
		lists, ok := d.expand(url)
		var got []string
		for _, l := range lists {
			got = append(got, l.system+":"+strings.Join(l.codes, ","))
		}
		if !ok || strings.Join(got, " ") != want {
			t.Errorf("expand(%s) = %v, %v; want %s", url, got, ok, want)
		}
	}
	for _, url := range []string{"elsewhere", "fragment", "filtered", "imported", "less", "empty", "unknown"} {
		if lists, ok := d.expand(url); ok {
			t.Errorf("expand(%s) = %v", url, lists)
		}
	}
}

func TestElementsFollowTheListOfDataElements(t *testing.T) {
	t.Parallel()
	d := definitions{dataElements: map[string]element{
		"Basic.code":      {Path: "Basic.code", Type: []elementType{{Code: "code"}}},
		"Basic.part.id":   {Path: "Basic.part.id"},
		"Basic.left":      {Path: "Basic.left", Type: []elementType{{Code: "string"}}},
		"Basic.id":        {Path: "Basic.id"},
		"Basicer.another": {Path: "Basicer.another"},
	}}
	s := structure{Name: "Basic", Kind: "resource"}
	long := "Basic.part." + strings.Repeat("x", 60)
	for path, base := range map[string]string{
		"Basic": "Basic", "Basic.id": "Resource.id", "Basic.code": "Basic.code", "Basic.part": "Basic.part",
		"Basic.part.id": "Element.id", "Basic.added": "Basic.added", "Basic.added.inner": "Basic.added.inner", long: long,
	} {
		e := element{Path: path, Type: []elementType{{Code: "markdown"}}}
		e.Base.Path = base
		s.Snapshot.Element = append(s.Snapshot.Element, e)
	}
	var got []string
	for _, e := range d.ownElements(s) {
		got = append(got, e.Path+" "+strings.Join(typeNames(e), ","))
	}
	slices.Sort(got)
	want := []string{"Basic.code code", "Basic.left string", "Basic.part markdown", long + " markdown"}
	if !slices.Equal(got, want) {
		t.Errorf("elements are %q, want %q", got, want)
	}
}

func TestLinesHaveNoTabsOfTheirOwn(t *testing.T) {
	t.Parallel()
	w := writer{out: new(bytes.Buffer)}
	w.line("el", "a", "", "")
	if got := w.out.String(); got != "el\ta\n" || w.err != nil {
		t.Errorf("wrote %q, %v", got, w.err)
	}
	if w.line("el", "a\tb"); w.err == nil {
		t.Error("a field with a tab was written")
	}
}

func unmarshal(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatal(err)
	}
}
