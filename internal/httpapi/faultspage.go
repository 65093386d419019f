package httpapi

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/internal/fault"
	"github.com/sandfhir/sandfhir/web"
)

// faultsPage shows the faults to a person; written is what was asked for and
// cannot be, because of problem.
func (l *call) faultsPage(written, problem string) error {
	page := web.FaultsPage{Site: l.site(), Here: "faults", Written: written, Problem: problem}
	for _, s := range l.workspace.Faults.List() {
		page.Faults = append(page.Faults, web.Fault{ID: s.ID, Text: s.Rule.Text, Does: s.Rule.Fault.Does, Hits: s.Hits, Spent: s.Spent})
	}
	for _, f := range fault.Table() {
		known := web.KnownFault{ID: f.ID, Does: f.Does, Rows: f.Rows}
		var params []string
		for _, p := range f.Params {
			params = append(params, p.Name+"="+p.Default)
		}
		known.Params = strings.Join(params, ",")
		if f.OfBehaviour() {
			known.Params = f.ID + "=" + f.Params[0].Default
			page.Rules = append(page.Rules, known)
			continue
		}
		page.Known = append(page.Known, known)
	}
	return l.page(page)
}

// addFaultByForm adds or removes a fault as the page's form says.
func (l *call) addFaultByForm() error {
	form, err := l.readPageForm()
	if err != nil {
		return err
	}
	switch id := form.Get("remove"); id {
	case "":
		rule, err := fault.Parse(form.Get("fault"))
		if err != nil {
			l.Status(fiber.StatusBadRequest)
			return l.faultsPage(form.Get("fault"), sentence(err.Error()))
		}
		l.workspace.Faults.Add(rule)
	case "all":
		l.workspace.Faults.Clear()
	default:
		l.workspace.Faults.Remove(id) // one that is gone already is gone
	}
	return l.Redirect("faults", fiber.StatusSeeOther)
}
