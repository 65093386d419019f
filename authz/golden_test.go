package authz_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/authz"
)

// The diagnoses are the product: they are read as a whole, in golden files.
// -update rewrites them.

func golden(t *testing.T, file, got string) {
	t.Helper()
	path := filepath.Join("testdata", file)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got == string(want) {
		return
	}
	gotLines, wantLines := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range gotLines {
		if i >= len(wantLines) || gotLines[i] != wantLines[i] {
			t.Fatalf("%s differs from line %d on (-update rewrites it)\n got %s\nwant %s", path, i+1, gotLines[i], slices.Concat(wantLines, []string{""})[min(i, len(wantLines))])
		}
	}
	t.Fatalf("%s has lines that are no more (-update rewrites it)", path)
}

func entry(name string, err *authz.Error) string {
	if err == nil {
		return fmt.Sprintf("## %s\n\ngranted\n\n", name)
	}
	return fmt.Sprintf("## %s\n\n%d %s %s (%s)\ngot:  %s\nwant: %s\nwire: %s\n\n%s", name, err.Status, err.Code, err.Check.ID(), err.Check.RuleID, err.Check.Got, err.Check.Want, err.Description(), diagnosis(err.Check.Text, err.Check.Counterfactual, err.Check.Fix))
}

func diagnosis(text, counterfactual, fix string) string {
	if counterfactual != "" {
		counterfactual = "Found: " + counterfactual + "\n\n"
	}
	return text + "\n\n" + counterfactual + "Fix: " + fix + "\n\n"
}

func TestDiagnosesOfTokenRequests(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for _, c := range slices.Concat(formCases(), envelopeCases(), claimCases(), keyCases(), scopeCases()) {
		a := newWorld(t, c.options...).newAsk()
		c.edit(a)
		b.WriteString(entry(c.name, a.send().Err))
	}
	for _, c := range secretCases() {
		a := secretAsk(newWorld(t, c.options...))
		c.edit(a)
		b.WriteString(entry(c.name, a.send().Err))
	}
	der := regexp.MustCompile(`10\d bytes (of ASN|and starts)`) // r and s vary in length there
	golden(t, "diagnoses-token.md", der.ReplaceAllString(b.String(), "N bytes $1"))
}

func TestDiagnosesOfAccess(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for _, c := range accessCases() {
		w := newWorld(t)
		token := w.newAsk().granted().Response.AccessToken
		d := w.server.Authenticate(context.Background(), authz.BearerRequest{Authorization: c.send(w, token), Query: c.query, Addresses: addresses()})
		b.WriteString(entry(c.name, d.Err))
	}
	kid := regexp.MustCompile(`key [A-Za-z0-9_-]{43}`)
	golden(t, "diagnoses-access.md", kid.ReplaceAllString(b.String(), "key KID"))
}

func TestDiagnosesOfRegistration(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for _, c := range registerCases(t) {
		b.WriteString(entry(c.name, c.send(c.world(t)).Err))
	}
	golden(t, "diagnoses-registration.md", b.String())
}

func TestDiagnosesOfFetches(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for _, c := range fetchCases() {
		if strings.HasPrefix(c.name, "J01 a name") {
			continue // what a resolver says is the system's
		}
		_, err := authz.NewFetcher(c.cfg).Keys(t.Context(), c.prepare(t), "k")
		var failed *authz.FetchError
		if !errors.As(err, &failed) {
			t.Fatalf("%s: %v", c.name, err)
		}
		fmt.Fprintf(&b, "## %s\n\n%s\ngot: %s\n\n%s", c.name, failed.Finding, failed.Short, diagnosis(failed.Text, failed.Counterfactual, failed.Fix))
	}
	port := regexp.MustCompile(`127\.0\.0\.1:\d+`)
	took := regexp.MustCompile(`after \d+ ms|after 0 s`)
	text := port.ReplaceAllString(b.String(), "127.0.0.1:PORT")
	golden(t, "diagnoses-fetch.md", took.ReplaceAllString(text, "after TIME"))
}
