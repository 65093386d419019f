package httpapi

import (
	"errors"
	"io"
	"testing"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/clock"
	"github.com/sandfhir/sandfhir/internal/exchange"
)

type sendFunc func(w io.Writer) error

func (f sendFunc) send(w io.Writer, _, _ int64) error { return f(w) }

// TestGzipStreamTellsOfFailures proves that a body that could not be read does
// not look like a short one.
func TestGzipStreamTellsOfFailures(t *testing.T) {
	t.Parallel()
	for name, send := range map[string]sendFunc{
		"error": func(io.Writer) error { return errors.New("no disk") },
		"panic": func(io.Writer) error { panic("no memory") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &recording{log: exchange.NewLog(nil), wall: clock.System{}}
			stream := &gzipBody{answerBody: answerBody{body: send, n: 10, recording: r}}
			if _, err := io.ReadAll(stream); err == nil {
				t.Error("the body ended as if it were whole")
			}
			if err := stream.Close(); err != nil || !r.Aborted {
				t.Errorf("got error %v and aborted %v, want an aborted exchange", err, r.Aborted)
			}
		})
	}
}

func TestLettersOfScopesAndViewsAgree(t *testing.T) {
	t.Parallel()
	for letters := range authz.Letters(32) {
		if got, want := lettersOf(letters).String(), letters.String(); got != want {
			t.Errorf("%d: got %q, want %q", letters, got, want)
		}
	}
	if lettersOf(31) != fhirstore.AllLetters {
		t.Error("all letters of a scope are not all of a view")
	}
}
