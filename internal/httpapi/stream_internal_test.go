package httpapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/clock"
	"github.com/sandfhir/sandfhir/internal/exchange"
)

type sendFunc func(w io.Writer) error

func (f sendFunc) send(w io.Writer, _, _ int64) error { return f(w) }

// A hungUp is the connection of a client that went away.
type hungUp struct{}

func (hungUp) Write([]byte) (int, error) { return 0, errors.New("connection reset by peer") }

// TestAnswersThatEndEarly tells whose failure it is when a body is not sent
// whole, and that it does not look like a short one.
func TestAnswersThatEndEarly(t *testing.T) {
	t.Parallel()
	const n = 1 << 20 // more than what compression holds back
	noise := make([]byte, n)
	rand.NewChaCha8([32]byte{}).Read(noise) // never fails
	for _, c := range []struct {
		name string
		send sendFunc
		to   io.Writer
		logs []string // nil: the client went away
	}{
		{"error", func(io.Writer) error { return errors.New("no disk") }, io.Discard, []string{"no disk"}},
		{"error in the middle", func(w io.Writer) error { w.Write(noise[:n/2]); return errors.New("no disk") }, io.Discard, []string{"no disk"}},
		{"panic", func(io.Writer) error { panic("no memory") }, io.Discard, []string{"no memory", "stream_internal_test.go"}},
		{"client gone", func(w io.Writer) error { _, err := w.Write(noise); return err }, hungUp{}, nil},
	} {
		for _, zipped := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, gzip %v", c.name, zipped), func(t *testing.T) {
				t.Parallel()
				var log bytes.Buffer
				r := &recording{log: exchange.NewLog(nil), wall: clock.System{}}
				b := answerBody{body: c.send, n: n, recording: r, log: slog.New(slog.NewTextHandler(&log, nil))}
				var stream interface {
					io.WriterTo
					io.Closer
				} = &b
				if zipped {
					stream = &pipedBody{zip: true, answerBody: b}
				}
				if _, err := stream.WriteTo(c.to); err == nil {
					t.Error("the body ended as if it were whole")
				}
				if err := stream.Close(); err != nil {
					t.Error(err)
				}
				if r.Aborted != (c.logs == nil) || r.Broken != (c.logs != nil) {
					t.Errorf("got aborted %v and broken %v", r.Aborted, r.Broken)
				}
				if c.logs == nil && log.Len() > 0 {
					t.Errorf("the log says %s of a client that went away", &log)
				}
				for _, want := range c.logs {
					if !strings.Contains(log.String(), want) {
						t.Errorf("the log says %q, not %s", &log, want)
					}
				}
			})
		}
	}
	t.Run("short", func(t *testing.T) {
		t.Parallel()
		r := &recording{log: exchange.NewLog(nil), wall: clock.System{}}
		b := answerBody{body: sendFunc(func(w io.Writer) error { _, err := w.Write(noise[:5]); return err }), n: n, recording: r, log: slog.New(slog.DiscardHandler)}
		if _, err := b.WriteTo(io.Discard); err == nil || !r.Broken {
			t.Errorf("a body of 5 bytes of %d: error %v, broken %v", n, err, r.Broken)
		}
	})
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
