package docs

import (
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/internal/fault"
)

// faults.md has a row for every fault, as the program has it.
func TestFaults(t *testing.T) {
	t.Parallel()
	page := read(t, "docs/faults.md")
	for _, f := range fault.Table() {
		var params []string
		for _, p := range f.Params {
			params = append(params, "`"+p.Name+"="+p.Default+"`: "+p.Does)
		}
		row := "| " + strings.Join([]string{"`" + f.ID + "`", f.Does, strings.Join(params, "; "), f.Rows}, " | ") + " |\n"
		if !strings.Contains(page, row) {
			t.Errorf("faults.md has no row\n%s", row)
		}
	}
}
