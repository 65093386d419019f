// Package docs holds the tests that keep the documentation true: that Go code in it is code that
// is tested, that every setting and library has its line, that links lead somewhere, and that
// checks.md is the table of checks. It has no code of its own.
//
//	go test ./docs -update
//
// writes checks.md anew.
package docs

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/behaviour"
	"github.com/sandfhir/sandfhir/internal/cli"
)

var update = flag.Bool("update", false, "write checks.md, behaviours.md and the tables of faults.md")

// root is the module's directory.
const root = ".."

// pages returns every page of documentation by its path below the module.
func pages(t *testing.T) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	pages := map[string]string{}
	for _, path := range append(paths, filepath.Join(root, "README.md"), filepath.Join(root, "examples", "README.md")) {
		name, err := filepath.Rel(root, path)
		if err != nil {
			t.Fatal(err)
		}
		pages[filepath.ToSlash(name)] = read(t, name)
	}
	return pages
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Go code stands in the file that the comment before it names, and is tested there.
func TestGoCodeIsTestedCode(t *testing.T) {
	t.Parallel()
	const fence = "```go\n"
	source := regexp.MustCompile(`<!-- from (\S+) -->\n$`)
	for name, page := range pages(t) {
		for {
			before, rest, found := strings.Cut(page, fence)
			if !found {
				break
			}
			code, after, closed := strings.Cut(rest, "\n```\n")
			page = after
			from := source.FindStringSubmatch(before)
			if !closed || from == nil {
				t.Errorf("%s: Go code that does not say where it is from:\n%.200s", name, code)
				continue
			}
			if !strings.Contains(read(t, from[1]), "\n"+code+"\n") {
				t.Errorf("%s: this is not in %s:\n%s", name, from[1], code)
			}
		}
	}
}

func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)#:]+)\)`)
	for name, page := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(page, -1) {
			if _, err := os.Stat(filepath.Join(root, filepath.Dir(name), m[1])); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// Every setting has a row with its flag, variable, key and default as the program has them.
func TestSettingsAreDocumented(t *testing.T) {
	t.Parallel()
	page := read(t, "docs/configuration.md")
	settings, flags := run(t, "config"), run(t, "serve", "--help")
	for _, line := range strings.Split(strings.TrimSpace(settings), "\n") {
		fields := strings.Fields(line)
		if len(fields) != 3 || fields[2] != "default" {
			t.Fatalf("config prints %q", line)
		}
		name, value := fields[0], fields[1]
		flag, variable := "", "`SANDFHIR_"+strings.ToUpper(strings.ReplaceAll(name, "-", "_"))+"`"
		if strings.Contains(flags, " --"+name+" ") {
			flag = "`--" + name + "`"
		}
		if value == "-" {
			value = ""
		} else {
			value = "`" + value + "`"
		}
		row := regexp.MustCompile(`(?m)^\| *` + flag + ` *\| *` + variable + " *\\| *(`" + name + "`)? *\\| *" + value + ` *\| .+ \|$`)
		if !row.MatchString(page) {
			t.Errorf("configuration.md has no row for %s with flag %q, variable %s and default %q", name, flag, variable, value)
		}
	}
}

// run runs the program without environment and returns what it prints.
func run(t *testing.T, args ...string) string {
	t.Helper()
	var out, complaints bytes.Buffer
	if code := cli.Run(t.Context(), args, nil, strings.NewReader(""), &out, &complaints); code != 0 {
		t.Fatalf("%v: exit code %d: %s", args, code, &complaints)
	}
	return out.String()
}

// Every library that a package of ours imports has a line, with the version that is used.
func TestDependenciesAreDocumented(t *testing.T) {
	t.Parallel()
	page, n := read(t, "docs/dependencies.md"), 0
	for _, m := range libraries(t) {
		n++
		row := regexp.MustCompile("(?m)^\\| `" + regexp.QuoteMeta(m.path) + "` .*$").FindString(page)
		released := !strings.HasPrefix(m.version, "v0.0.0-")
		if row == "" || released && !strings.Contains(row, m.version+",") && !strings.Contains(row, m.version+" is used") {
			t.Errorf("dependencies.md has no row for %s %s", m.path, m.version)
		}
	}
	if n == 0 {
		t.Error("no library was found")
	}
}

type library struct{ path, version string }

// libraries returns the modules that go.mod requires for packages of ours, as opposed to those
// that they require themselves.
func libraries(t *testing.T) []library {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-f", `{{range .Imports}}{{println .}}{{end}}`, "./...")
	cmd.Dir = root
	imported, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var list []library
	for _, m := range regexp.MustCompile(`(?m)^\t(\S+) (v\S+)$`).FindAllStringSubmatch(read(t, "go.mod"), -1) {
		if regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(m[1]) + `(/|$)`).Match(imported) {
			list = append(list, library{m[1], m[2]})
		}
	}
	return list
}

// checks.md is made of the table of checks.
func TestChecks(t *testing.T) {
	t.Parallel()
	var page strings.Builder
	page.WriteString(checksHead)
	part := authz.Part("")
	for _, r := range authz.Rules() {
		if r.Part != part {
			part = r.Part
			page.WriteString("\n## " + strings.ReplaceAll(string(part), "-", " ") + "\n\n| check | what must hold | from | findings |\n|---|---|---|---|\n")
		}
		page.WriteString("| " + strings.Join([]string{"`" + string(r.ID) + "`", cell(r.Rule), cell(r.Clause), joined(r.Findings)}, " | ") + " |\n")
	}
	page.WriteString("\n## Findings\n\n| finding | what it is |\n|---|---|\n")
	for _, f := range authz.Findings() {
		page.WriteString("| " + string(f.ID) + " | " + cell(f.Title) + " |\n")
	}
	made(t, "checks.md", page.String())
}

// joined writes the ids of a row.
func joined(findings []authz.FindingID) string {
	words := make([]string, len(findings))
	for i, id := range findings {
		words[i] = string(id)
	}
	return strings.Join(words, " ")
}

// made checks that a page is the one that the program's tables make.
func made(t *testing.T, name, page string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if read(t, "docs/"+name) != page {
		t.Errorf("%s is not what the program says; go test ./docs -update writes it anew", name)
	}
}

// behaviours.md is made of the table of switches and the files that come with the program.
func TestBehaviours(t *testing.T) {
	t.Parallel()
	var page strings.Builder
	page.WriteString(behavioursHead)
	page.WriteString("\n## The switches\n\n| switch | takes | strict | what it is | about |\n|---|---|---|---|---|\n")
	list := behaviour.Builtin()
	for _, s := range list[0].Settings() {
		takes := string(s.Kind)
		if len(s.Values) > 0 && s.Kind != behaviour.Flag {
			takes += ": " + strings.Join(s.Values, ", ")
		}
		page.WriteString("| " + strings.Join([]string{"`" + s.Name + "`", cell(takes), code(s.Value), cell(s.Meaning), strings.Join(s.IDs, " ")}, " | ") + " |\n")
	}
	for i, b := range list {
		page.WriteString("\n## " + b.Name + "\n\n" + strings.ToUpper(b.Description[:1]) + b.Description[1:] + ".\n\n")
		if i > 0 {
			page.WriteString("What differs from " + b.Extends + ":\n\n")
		}
		page.WriteString("| switch | value | is | follows |\n|---|---|---|---|\n")
		for _, s := range b.Settings() {
			if i == 0 || s.Effect != behaviour.Same {
				effect := string(s.Effect)
				if i == 0 {
					effect = "the default"
				}
				page.WriteString("| " + strings.Join([]string{"`" + s.Name + "`", code(s.Value), effect, cell(s.Source)}, " | ") + " |\n")
			}
		}
	}
	made(t, "behaviours.md", page.String())
	_, example, _ := strings.Cut(behavioursHead, "```json\n")
	example, _, _ = strings.Cut(example, "```")
	if _, err := behaviour.Read("the example", []byte(example)); err != nil {
		t.Error(err)
	}
}

func code(text string) string {
	if text == "" {
		return ""
	}
	return "`" + text + "`"
}

const behavioursHead = `# Behaviours

A behaviour is the set of switches that a workspace's authorization servers and exports run under:
what they take, refuse and say. ` + "`strict`" + ` is the default, and nothing milder turns itself on: a start
under another one says so, the start page does, and the page *SMART configuration*
(` + "`/_sandbox/smart-configuration`" + `) lists every switch with what it follows. This page is made from the
table that the program runs.

` + "```sh" + `
go run . --behaviour aidbox
curl http://127.0.0.1:8080/_sandbox/behaviour
` + "```" + `

It can be changed while the server runs, in both environments at once and from the next request on.
A name takes that behaviour afresh; switches are set on top of what is then in force. With ` + "`--data`" + `
too, a server begins under what it is started with.

` + "```sh" + `
curl -X PUT -d '{"name":"strict","switches":{"exp.max":"600s"}}' http://127.0.0.1:8080/_sandbox/behaviour
` + "```" + `

In Go the same are ` + "`sandbox.WithBehaviour`, `sandbox.WithSwitch`, `Server.Behaviour` and `Server.SetBehaviour`" + `.

## A behaviour of your own

A JSON file whose name ends in ` + "`.json`" + ` extends one that is there, or another file, and says what differs.
A value stands alone or with the source that it follows. A mistake is told with its place in the
file and what was probably meant.

` + "```json" + `
{
  "name": "payer",
  "description": "what the payer's manual says",
  "extends": "strict",
  "switches": {
    "exp.max": {"value": "120s", "source": "manual, page 12"},
    "alg.allow": ["RS384"],
    "hide_reasons": true
  }
}
` + "```" + `

` + "```sh" + `
go run . --behaviour ./payer.json
` + "```" + `

Under ` + "`hide_reasons`" + ` the wire carries the OAuth error code and no reason; the exchange's page, which the
start page links to, still explains the refusal.
`

const checksHead = `# The checks

Every request to the authorization server, and every token at the FHIR server, walks these rules
from the top; which parts, depends on the request. The first one that does not hold ends the walk
and stands in the answer by its id, or by the id of the finding where what is wrong has one of its own. The page
of the exchange shows all of them. This page is made from the table that the program runs.
`

// cell keeps a text within its cell of a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
