package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/doctor"
	"github.com/sandfhir/sandfhir/internal/jose"
)

func (p *program) diffCommand() *cobra.Command {
	var flags caseFlags
	var asJSON, verbose bool
	cmd := &cobra.Command{
		Use:   "diff A [B]",
		Short: "Compare two client assertions, or one with the correct one",
		Long: `Compare assertion A member by member with assertion B, or with the correct one for a client:
signed with --key, or for a client at a server, where the key is not known, right in all but kid
and signature. A and B are files, - for standard input, or the text itself.

  sandfhir diff mine.jwt theirs.jwt
  sandfhir diff mine.jwt --key private.pem --client my-client --fhir https://…
  sandfhir diff mine.jwt --client my-client

Exit code 0: nothing differs that matters; 1: something does; 2: a mistake in the command line.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 || len(args) > 2 {
				return usagef("diff takes one assertion or two, got %d", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			a, b, err := p.toCompare(cmd.Context(), args, &flags)
			if err != nil {
				return err
			}
			differences, err := authz.CompareAssertions(a.jwt, b.jwt)
			if err != nil {
				return err
			}
			if b.keyUnknown {
				differences = slices.DeleteFunc(differences, ofUnknownKey)
			}
			if asJSON {
				err = p.diffJSON(differences)
			} else {
				err = p.printDiff(a, b, differences, verbose)
			}
			if err == nil && slices.ContainsFunc(differences, func(d authz.Difference) bool { return d.Matters }) {
				err = errFound
			}
			return err
		},
	}
	f := cmd.Flags()
	flags.add(f)
	f.BoolVar(&asJSON, "json", false, "print the differences as JSON")
	f.BoolVarP(&verbose, "verbose", "v", false, "list what is the same too")
	return cmd
}

// compared is an assertion that is compared.
type compared struct {
	jwt, name  string
	keyUnknown bool // its kid and signature are made up
}

// toCompare reads the assertions, and makes the second one where it is not given.
func (p *program) toCompare(ctx context.Context, args []string, flags *caseFlags) (a, b compared, err error) {
	if len(args) == 2 && args[0] == "-" && args[1] == "-" {
		return a, b, usagef("standard input can be one thing only")
	}
	first, err := p.readAssertion("diff", args[0])
	if err != nil {
		return a, b, err
	}
	a = compared{jwt: first.JWT, name: named(first, "A")}
	if len(args) == 2 {
		if flags.key != "" || flags.client != "" || flags.fhir != "" || flags.tokenURL != "" {
			return a, b, usagef("diff compares with a second assertion or with the correct one of --client, not with both")
		}
		second, err := p.readAssertion("diff", args[1])
		if err != nil {
			return a, b, err
		}
		return a, compared{jwt: second.JWT, name: named(second, "B")}, nil
	}
	if flags.client == "" {
		return a, b, usagef("diff needs a second assertion, or --client for the correct one")
	}
	b.name = "the correct one for " + flags.client
	server, err := p.serverOf(flags) // it knows the key of its own client
	if err != nil {
		return a, b, err
	}
	audience, err := p.audienceOf(ctx, flags, server)
	if err != nil {
		return a, b, err
	}
	if b.keyUnknown = flags.key == ""; b.keyUnknown {
		b.jwt, err = p.strangers(flags.client, audience, first)
	} else {
		b.jwt, err = p.correctAssertion(flags, audience)
	}
	return a, b, err
}

func named(a *doctor.Assertion, fallback string) string {
	if a.Name == "" {
		return fallback
	}
	return a.Name
}

// strangers makes an assertion that is right for the client in all but the key, which is of the
// kind that the first assertion was signed with.
func (p *program) strangers(client, audience string, like *doctor.Assertion) (string, error) {
	alg := jose.RS384
	members, err := authz.DescribeAssertion(like.JWT, p.clock.Now())
	if err != nil {
		return "", err
	}
	for _, m := range members {
		if m.Part == authz.InHeader && m.Name == "alg" && strings.HasPrefix(m.Value, `"ES`) {
			alg = jose.ES384
		}
	}
	key, err := jose.Generate(alg, jose.MinBits)
	if err != nil {
		return "", err
	}
	return key.ClientAssertion("unknown", client, audience, p.clock.Now())
}

// ofUnknownKey reports whether a difference says nothing where the key is not known. That there is
// no kid at all is one whoever the key is.
func ofUnknownKey(d authz.Difference) bool {
	kid := d.Part == authz.InHeader && d.Name == "kid" && d.Kind == authz.Changed && strings.HasPrefix(d.Got, `"`)
	return kid || d.Part == authz.InEncoding && d.Name == "signature" && d.Want != "" && !strings.HasSuffix(d.Got, "ASN.1")
}

func (p *program) diffJSON(differences []authz.Difference) error {
	encoder := json.NewEncoder(p.stdout)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(differences)
}

// printDiff prints what differs, what differs and does not matter, and what is the same.
func (p *program) printDiff(a, b compared, differences []authz.Difference, verbose bool) error {
	s := p.screen()
	s.line(s.style(bold, oneLine(a.name)+" compared with "+oneLine(b.name)))
	width, same, matters := 0, []string{}, 0
	for _, d := range differences {
		width = max(width, utf8.RuneCountInString(diffName(d)))
	}
	for _, d := range differences {
		if d.Kind == authz.Same && !d.Matters && !verbose {
			same = append(same, d.Name)
			continue
		}
		if d.Matters {
			matters++
		}
		s.difference(d, width)
	}
	if len(same) > 0 {
		s.paragraph("  "+s.style(green, "same")+"  ", checkIndent, strings.Join(same, ", "))
	}
	if b.keyUnknown {
		s.paragraph("  skip  ", checkIndent, "Which key signs, and kid: name the key with --key.")
	}
	s.line("")
	if matters == 0 {
		s.line("Nothing differs that matters.")
	} else {
		s.line(plural(matters, "difference") + fmt.Sprintf(" that matter%s.", map[bool]string{true: "s"}[matters == 1]))
	}
	return s.err
}

func diffName(d authz.Difference) string { return string(d.Part) + " " + d.Name }

// difference prints one difference: the mark, how they differ, and the two values.
func (s *screen) difference(d authz.Difference, width int) {
	mark := s.style(yellow, "note")
	switch {
	case d.Matters:
		mark = s.style(red, "DIFF")
	case d.Kind == authz.Same:
		mark = s.style(green, "same")
	}
	name := diffName(d)
	lead := "  " + mark + "  " + name + strings.Repeat(" ", width-utf8.RuneCountInString(name)) + "  "
	how := d.How
	if d.Kind == authz.Same && how == "" {
		s.paragraph(lead, checkIndent+width+2, d.Got)
		return
	}
	if d.Part == authz.InEncoding && d.Kind == authz.Missing {
		how = "of the second one: " + how
	}
	s.paragraph(lead, checkIndent+width+2, how)
	indent := strings.Repeat(" ", checkIndent)
	if d.Got != "" {
		s.paragraph(indent+"got   ", checkIndent+6, d.Got)
	}
	if d.Want != "" && d.Want != d.Got {
		s.paragraph(indent+"want  ", checkIndent+6, d.Want)
	}
}
