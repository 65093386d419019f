package web_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/web"
)

// Text on its ground has a contrast of 4.5 to 1 or more (WCAG 2.2, 1.4.3), in
// light and in dark.
func TestContrast(t *testing.T) {
	t.Parallel()
	light, dark, found := strings.Cut(string(web.Style()), "prefers-color-scheme: dark")
	if !found {
		t.Fatal("the style sheet has no dark colours")
	}
	for _, scheme := range []struct{ name, css string }{{"light", light}, {"dark", dark}} {
		for _, pair := range [][2]string{
			{"text", "ground"}, {"text", "panel"}, {"text", "fail-ground"}, {"text", "mark"}, {"text", "warn-ground"},
			{"soft", "ground"}, {"soft", "panel"}, {"soft", "fail-ground"},
			{"link", "ground"}, {"pass", "ground"}, {"warn", "ground"}, {"warn", "panel"}, {"warn", "fail-ground"}, {"ground", "warn"},
			{"fail", "ground"}, {"fail", "panel"}, {"fail", "fail-ground"},
			{"pass", "panel"}, {"soft", "warn-ground"}, {"link", "panel"}, {"link", "warn-ground"}, {"link", "fail-ground"}, {"ground", "link"},
		} {
			t.Run(scheme.name+" "+pair[0]+" on "+pair[1], func(t *testing.T) {
				t.Parallel()
				a, b := luminance(t, scheme.css, pair[0]), luminance(t, scheme.css, pair[1])
				if ratio := (max(a, b) + 0.05) / (min(a, b) + 0.05); ratio < 4.5 {
					t.Errorf("got a contrast of %.2f, want 4.5", ratio)
				}
			})
		}
	}
}

// luminance is the relative luminance of a colour of the style sheet (WCAG 2.2).
func luminance(t *testing.T, css, name string) float64 {
	t.Helper()
	m := regexp.MustCompile(`--` + name + `: #([0-9a-f]{3,6});`).FindStringSubmatch(css)
	if m == nil {
		t.Fatalf("the style sheet has no colour %s", name)
	}
	hex := m[1]
	if len(hex) == 3 {
		hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
	}
	var sum float64
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

// The policy that pages are served under, and a sandbox that never phones
// home, leave nothing to be fetched from elsewhere.
func TestFilesFetchNothing(t *testing.T) {
	t.Parallel()
	for name, file := range map[string][]byte{"style sheet": web.Style(), "script": web.Script(), "script for keys": web.Keys()} {
		if len(file) == 0 {
			t.Errorf("the %s is empty", name)
		}
		for _, fetching := range []string{"://", "@import", "url(", "eval("} {
			if bytes.Contains(file, []byte(fetching)) {
				t.Errorf("the %s has %q", name, fetching)
			}
		}
	}
}

func TestIconIsXML(t *testing.T) {
	t.Parallel()
	d := xml.NewDecoder(bytes.NewReader(web.Icon()))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func TestVersionIsShortAndStable(t *testing.T) {
	t.Parallel()
	if got := web.Version(); !regexp.MustCompile(`^[0-9a-f]{12}$`).MatchString(got) || got != web.Version() {
		t.Errorf("got version %q, want the same twelve digits at every call", got)
	}
}
