package docs

import (
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/internal/bulk"
)

// exports.md has a row for every rule of exports, as the program has it, and for every parameter
// (BD-CAP-06).
func TestExportRules(t *testing.T) {
	t.Parallel()
	page := read(t, "docs/exports.md")
	for _, r := range bulk.Rules() {
		row := "| " + strings.Join([]string{"`" + r.ID + "`", cell(r.Rule), cell(r.Clause), strings.Join(r.Mistakes, " ")}, " | ") + " |\n"
		if !strings.Contains(page, row) {
			t.Errorf("exports.md has no row\n%s", row)
		}
	}
	for _, name := range bulk.ParameterNames() {
		if !strings.Contains(page, "| `"+name+"` |") {
			t.Errorf("exports.md has no row for the parameter %s", name)
		}
	}
}
