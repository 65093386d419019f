// Package archtest holds the tests of the house's own rules: which package may import which, who
// speaks to which library, and what no source file may do. It has no code of its own.
package archtest

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/sandfhir/sandfhir"

// layers returns the packages from the top of the house to its ground. A package imports packages
// of the layers below its own and no others of ours.
func layers() [][]string {
	return [][]string{
		{"."},
		{"internal/cli"},
		{"sandbox"},
		{"internal/httpapi"},
		{"internal/doctor", "internal/workspace"},
		{"internal/control", "internal/exchange", "internal/fault"},
		{"internal/behaviour"},
		{"internal/bulk", "internal/portal"},
		{"authz", "fhirstore", "internal/patch", "internal/processdir", "internal/validation", "seed", "web"},
		{"internal/reference", "internal/subset"},
		{"internal/r4", "internal/sqlitedb", "seed/internal/population"},
		{"internal/fhirpath", "internal/keyhost", "internal/localca", "seed/internal/fhirwrite"},
		{"internal/clock", "internal/fhirjson", "internal/jose", "internal/nearest", "internal/policy", "internal/snippet"},
	}
}

// tools returns the packages that nothing of the program imports: suites for tests, and what is
// run by go generate.
func tools() []string { return []string{"authz/authztest", "internal/browsertest", "internal/r4/gen"} }

// narrower returns, for packages that could be modules of their own, everything of ours that they
// may import.
func narrower() map[string][]string {
	return map[string][]string{
		"authz":               {"internal/clock", "internal/jose", "internal/nearest"},
		"fhirstore":           {"internal/clock", "internal/fhirjson", "internal/fhirpath", "internal/r4", "internal/reference", "internal/sqlitedb", "internal/subset"},
		"internal/bulk":       {"fhirstore", "internal/clock", "internal/fhirjson", "internal/nearest", "internal/r4", "internal/subset"},
		"internal/validation": {"internal/fhirjson", "internal/fhirpath", "internal/nearest", "internal/r4"},
		"internal/patch":      {"internal/fhirjson", "internal/fhirpath", "internal/r4"},
		"seed":                {"internal/clock", "internal/fhirjson", "internal/reference", "seed/internal/population"},
		"web":                 {},
	}
}

// libraries returns who may import which library, by the path that its packages begin with.
func libraries() map[string][]string {
	return map[string][]string{
		"github.com/BurntSushi/toml":               {"internal/cli"},
		"github.com/brianvoe/gofakeit/v6":          {"seed/internal/population"},
		"github.com/go-json-experiment/json":       {"authz", "internal/httpapi"},
		"github.com/gofiber/fiber/v2":              {"internal/httpapi"},
		"github.com/google/jsonschema-go":          {"internal/httpapi"},
		"github.com/google/uuid":                   {"fhirstore"},
		"github.com/klauspost/compress":            {"internal/httpapi", "seed"},
		"github.com/lestrrat-go/jwx/v2":            {"authz"},
		"github.com/samply/golang-fhir-models":     {"internal/httpapi"},
		"github.com/santhosh-tekuri/jsonschema/v6": {"internal/policy"},
		"github.com/schollz/progressbar/v3":        {"internal/cli"},
		"github.com/spf13/cobra":                   {"internal/cli"},
		"github.com/spf13/pflag":                   {"internal/cli"},
		"golang.org/x/sync":                        {"authz"},
		"golang.org/x/term":                        {"internal/cli"},
		"golang.org/x/text":                        {"fhirstore"},
		"modernc.org/sqlite":                       {"internal/sqlitedb"},
	}
}

func TestImportsPointDownward(t *testing.T) {
	t.Parallel()
	layerOf := map[string]int{}
	for i, layer := range layers() {
		for _, name := range layer {
			layerOf[name] = i
		}
	}
	narrower, seen := narrower(), map[string]bool{}
	for _, p := range packages(t) {
		seen[p.name] = true
		from, known := layerOf[p.name]
		if slices.Contains(tools(), p.name) {
			continue
		}
		if !known {
			t.Errorf("%s stands in no layer: add it to layers, where it belongs", p.name)
			continue
		}
		allowed, isNarrower := narrower[p.name]
		for _, imported := range p.ours {
			to, known := layerOf[imported]
			switch {
			case !known || to <= from:
				t.Errorf("%s imports %s, which does not stand below it", p.name, imported)
			case isNarrower && !slices.Contains(allowed, imported):
				t.Errorf("%s imports %s; of ours it may import %q only", p.name, imported, allowed)
			}
		}
	}
	for name := range layerOf {
		if !seen[name] {
			t.Errorf("%s stands in a layer and does not exist", name)
		}
	}
}

func TestLibrariesHaveOneDoor(t *testing.T) {
	t.Parallel()
	libraries, used := libraries(), map[string]bool{}
	for _, p := range packages(t) {
		for _, imported := range p.foreign {
			library, ok := libraryOf(libraries, imported)
			if !ok {
				t.Errorf("%s imports %s, a library that nobody may import: add it to libraries", p.name, imported)
				continue
			}
			used[library] = true
			if !slices.Contains(libraries[library], p.name) {
				t.Errorf("%s imports %s; only %q may", p.name, imported, libraries[library])
			}
		}
	}
	for library := range libraries {
		if !used[library] {
			t.Errorf("nobody imports %s any more", library)
		}
	}
}

// What is for tests declares the part of testing.TB that it needs: a program may use it too.
func TestOnlyToolsImportTesting(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		if p.testing && !slices.Contains(tools(), p.name) {
			t.Errorf("%s imports package testing", p.name)
		}
	}
}

func libraryOf(libraries map[string][]string, imported string) (string, bool) {
	for library := range libraries {
		if imported == library || strings.HasPrefix(imported, library+"/") {
			return library, true
		}
	}
	return "", false
}

// A pkg is a package of ours without its tests. Names of our packages are relative to the module.
type pkg struct {
	name    string
	ours    []string
	foreign []string
	testing bool // imports package testing
}

// packages asks go list for every package of the module that has code.
func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,GoFiles,Imports", module+"/...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var listed struct {
			ImportPath       string
			GoFiles, Imports []string
		}
		if err := decoder.Decode(&listed); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatalf("go list: %v", err)
		}
		if len(listed.GoFiles) == 0 {
			continue
		}
		p := pkg{name: relative(listed.ImportPath), testing: slices.Contains(listed.Imports, "testing")}
		for _, imported := range listed.Imports {
			switch {
			case relative(imported) != imported:
				p.ours = append(p.ours, relative(imported))
			case isForeign(imported):
				p.foreign = append(p.foreign, imported)
			}
		}
		all = append(all, p)
	}
}

// relative returns the name of a package of ours below the module, and other paths as they are.
func relative(path string) string {
	if path == module {
		return "."
	}
	return strings.TrimPrefix(path, module+"/")
}

// isForeign reports whether an import path is neither ours nor the standard library's, whose first
// element has no dot.
func isForeign(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return strings.Contains(first, ".") && relative(path) == path
}
