package fault_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/internal/fault"
)

func parse(t *testing.T, text string) *fault.Rule {
	t.Helper()
	r, err := fault.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func patient() fault.Request {
	return fault.Request{Kinds: []fault.Kind{fault.Any, fault.FHIR}, Path: "/fhir/Patient/1", Client: "c", Type: "Patient"}
}

// The first rule that is for a request, and has a count left, meets it.
func TestMeet(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{ // which of six requests meet it
		"status":                       "111111",
		"status#times=2":               "110000",
		"status#nth=3":                 "001000",
		"status@path=/fhir/Patient/*":  "111111",
		"status@path=/fhir/Patient":    "000000",
		"status@path=/fhir/Pat*":       "111111",
		"status@path=/fhir/P.*":        "000000",
		"status@client=c@type=Patient": "111111",
		"status@client=other":          "000000",
		"status@type=Observation":      "000000",
		"token.503":                    "000000",
		"poll.5xx":                     "000000",
		"files.truncate":               "000000",
		"too_many:retry_after=date":    "111111",
		" status:code=418 ":            "111111",
	} {
		var s fault.Set
		s.Add(parse(t, text))
		got := ""
		for range len(want) {
			if s.Meet(fault.Before, patient()) != nil {
				got += "1"
			} else {
				got += "0"
			}
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
	var s fault.Set
	s.Add(parse(t, "status:code=500#times=1"))
	second := s.Add(parse(t, "status:code=501"))
	var codes []string
	for range 3 {
		codes = append(codes, s.Meet(fault.Before, patient()).Value("code"))
	}
	if got := strings.Join(codes, " "); got != "500 501 501" {
		t.Errorf("got %s, want the second once the first is spent", got)
	}
	if list := s.List(); !list[0].Spent || list[0].Hits != 1 || list[1].Hits != 2 {
		t.Errorf("got %+v", list)
	}
	if err := s.Remove(second); err != nil || s.Meet(fault.Before, patient()) != nil || s.Remove(second) == nil {
		t.Errorf("after its removal it is met: %v", err)
	}
}

// The same seed makes the same run, another one another.
func TestRate(t *testing.T) {
	t.Parallel()
	run := func(seed int) (hits string) {
		var s fault.Set
		s.Add(parse(t, fmt.Sprintf("status#rate=0.5,seed=%d", seed)))
		for range 64 {
			hits += fmt.Sprint(s.Meet(fault.Before, patient()) != nil)[:1]
		}
		return hits
	}
	if one, again, other := run(7), run(7), run(8); one != again || one == other || !strings.Contains(one, "t") || !strings.Contains(one, "f") {
		t.Errorf("got %s, %s and %s", one, again, other)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                         `there is no fault ""`,
		"poll.5x":                  "did you mean poll.5xx?",
		"status:code=99":           "no status of a final answer",
		"status:code":              "needs a value",
		"status:colour=red":        "it has code, retry_after",
		"drop:by=1s":               "takes no parameters",
		"slow:by=soon":             "no duration",
		"status@host=x":            "@client=, @path= and @type=",
		"status@client=":           "says not whom",
		"status#nth=0":             "a number from 1",
		"status#rate=2":            "at most 1",
		"status#every=2":           "#nth=, #times= and #rate=",
		"status#nth=1,times=2":     "exclude each other",
		"retryafter:seconds=later": "no whole number",
		"status#rate=NaN":          "at most 1",
		"status#times=1,times=2":   "#times= is there twice",
		"status#times=1,seed=2":    "a seed is for a rate",
		"status:code=500,code=501": "code= is there twice",

		"status@client=a@client=b":             "@client= is there twice",
		"status@path=fhir/Patient":             "begins with /",
		"status@type=Observaton":               "did you mean Observation?",
		"token.503@type=Patient":               "would never be met",
		"poll.5xx@type=Patient":                "would never be met",
		"ndjson.long_line:bytes=9999999999999": "more than 64000000",
		"jwks.large:bytes=9999999999999":       "more than 64000000",
		"scope.narrow:to=everything":           "everything",
	} {
		if _, err := fault.Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}

// In a variable semicolons separate faults, and may stand in a value.
func TestSplit(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"":     {""},
		"drop": {"drop"},
		"drop#times=1; poll.5xx@client=a;status:code=503":        {"drop#times=1", "poll.5xx@client=a", "status:code=503"},
		"files.content_type:value=text/html; charset=utf-8;drop": {"files.content_type:value=text/html; charset=utf-8", "drop"},
		"drop;nonsense": {"drop", "nonsense"}, // to be told of
	} {
		if got := fault.Split(text); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	if r := parse(t, "jwks.redirect:to=http://u%40h/%23x%2Cy"); r.Value("to") != "http://u@h/#x,y" {
		t.Errorf("got %q", r.Value("to"))
	}
}

// Every fault of the table can be written with its defaults.
func TestTable(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, f := range fault.Table() {
		if seen[f.ID] || f.Does == "" || len(f.On) == 0 {
			t.Errorf("%s is there twice, or says nothing", f.ID)
		}
		seen[f.ID] = true
		text, separator := f.ID, ":"
		for _, p := range f.Params {
			text += separator + p.Name + "=" + p.Default
			separator = ","
		}
		r := parse(t, text)
		for _, p := range f.Params {
			if got := r.Value(p.Name); got != p.Default {
				t.Errorf("%s: %s is %q, want %q", text, p.Name, got, p.Default)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, fault := range fault.Table() {
		f.Add(fault.ID + ":a=b,c@path=/x#times=1")
	}
	f.Fuzz(func(t *testing.T, text string) {
		if r, err := fault.Parse(text); err == nil && r.Fault.ID == "" {
			t.Error("a rule without a fault")
		}
	})
}
