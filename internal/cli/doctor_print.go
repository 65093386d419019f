package cli

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/doctor"
)

// printReport prints a report for people.
func (p *program) printReport(r *doctor.Report, flags doctorFlags) error {
	s := p.screen()
	for _, section := range r.Sections {
		s.line(s.style(bold, sectionTitle(section)))
		s.facts(section.Facts)
		s.checks(section.Checks, flags.verbose)
		for _, sentence := range section.NotChecked {
			s.paragraph("  skip  ", checkIndent, sentence)
		}
		for _, command := range section.Commands {
			s.line("  " + s.style(bold, "try") + "   " + oneLine(command)) // in one piece, to be copied
		}
		s.code(section, flags.code)
		s.line("")
	}
	if hasCode := func(s *doctor.Section) bool { return s.Snippets != nil }; flags.code == "" && slices.ContainsFunc(r.Sections, hasCode) {
		s.paragraph("", 0, "--code sh, go, python or javascript prints code that does it right.")
	}
	s.paragraph("", 0, verdict(r))
	return s.err
}

// code prints what puts the section's mistake right, at the left edge, to be copied.
func (s *screen) code(section *doctor.Section, language string) {
	for _, snippet := range section.Snippets {
		if snippet.Language != language {
			continue
		}
		s.line("  " + s.style(bold, "code") + "  " + oneLine(snippet.Title))
		s.line("")
		for _, line := range strings.Split(strings.TrimRight(snippet.Code, "\n"), "\n") {
			s.line(visible(line))
		}
	}
}

// sectionTitle says what a section is about.
func sectionTitle(s *doctor.Section) string {
	subject := oneLine(s.Subject)
	switch s.Name {
	case "key":
		return "Private key " + subject
	case "key-set":
		return "Key set " + subject
	case "key-in-set":
		return "The private key and the key set"
	case "assertion":
		return strings.TrimSpace("Assertion " + subject)
	case "signed-by":
		return "The assertion and the private key"
	case "server":
		return "Server " + subject
	}
	return "Client " + subject + " at the server"
}

// facts prints names, values and what they mean.
func (s *screen) facts(facts []doctor.Fact) {
	width := 0
	for _, f := range facts {
		width = max(width, utf8.RuneCountInString(f.Name))
	}
	for _, f := range facts {
		lead := "  " + f.Name + strings.Repeat(" ", width-utf8.RuneCountInString(f.Name)) + "  "
		text := f.Value
		if f.Words != "" {
			text += " (" + f.Words + ")"
		}
		s.paragraph(lead, width+4, text)
	}
}

// checkIndent is where what a check says begins.
const checkIndent = 8

// fewPassed is how many checks that passed are listed without being asked for.
const fewPassed = 6

// checks prints what failed and what others may refuse in full, and of what passed no more than is
// worth reading.
func (s *screen) checks(checks []authz.Check, verbose bool) {
	isPass := func(c authz.Check) bool { return c.Result == authz.Pass }
	n := 0
	for _, c := range checks {
		if isPass(c) {
			n++
		}
	}
	fold := n > fewPassed && !verbose
	for _, c := range checks {
		if !isPass(c) || !fold {
			s.check(c, verbose)
		}
	}
	if fold {
		s.paragraph("  "+s.mark(authz.Pass)+"  ", checkIndent, fmt.Sprintf("%d checks (--verbose lists them)", n))
	}
}

func (s *screen) mark(r authz.Result) string {
	switch r {
	case authz.Pass:
		return s.style(green, "pass")
	case authz.Warn:
		return s.style(yellow, "warn")
	case authz.Fail:
		return s.style(red, "FAIL")
	}
	return "skip"
}

// check prints one check: a line where it passed, all that is known where it did not.
func (s *screen) check(c authz.Check, verbose bool) {
	lead, width := "  "+s.mark(c.Result)+"  ", checkIndent+len(c.ID())+2
	if c.Result == authz.Pass {
		s.paragraph(lead+c.ID()+"  ", width, c.Rule)
		if verbose && c.Got != "" {
			s.paragraph(strings.Repeat(" ", width), width, c.Got)
		}
		return
	}
	s.paragraph(lead+s.style(bold, c.ID())+"  ", width, c.Rule)
	indent := strings.Repeat(" ", checkIndent)
	s.paragraph(indent, checkIndent, c.Text)
	for _, part := range [][2]string{{"got    ", c.Got}, {"want   ", c.Want}, {"found  ", c.Counterfactual}, {"fix    ", c.Fix}} {
		if part[1] != "" {
			s.paragraph(indent+part[0], checkIndent+len(part[0]), part[1])
		}
	}
}

// verdict sums up.
func verdict(r *doctor.Report) string {
	warned := idsOf(r, authz.Warn)
	text := "Nothing is wrong"
	if !r.OK {
		text = plural(r.Failed, "mistake") + ": " + strings.Join(idsOf(r, authz.Fail), ", ")
	}
	if len(warned) > 0 {
		text += "; " + plural(r.Warned, "warning") + ": " + strings.Join(warned, ", ")
	}
	return text + "."
}

// idsOf are the ids of the checks that ended so, each once.
func idsOf(r *doctor.Report, result authz.Result) []string {
	var ids []string
	for _, s := range r.Sections {
		for _, c := range s.Checks {
			if c.Result == result && !slices.Contains(ids, c.ID()) {
				ids = append(ids, c.ID())
			}
		}
	}
	return ids
}

func plural(n int, what string) string { return countOf(int64(n), what) }
