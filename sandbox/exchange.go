package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/exchange"
)

// An Exchange is one request that the server met and its answer, or a fetch of
// a client's key set that it made itself, as recorded. It holds no secrets,
// signatures, whole tokens or private keys, and bodies up to 16 KiB.
type Exchange struct {
	ID   string
	Kind Kind
	// Parent is the id of the exchange that caused a fetch. Fetches are the ids
	// of the fetches that an exchange caused or waited for, or whose copy it
	// used.
	Parent      string
	Fetches     []string
	Environment string        // "sandbox" or "production"
	At          time.Time     // by the server's clock
	Duration    time.Duration // in real time

	Method        string
	URL           string
	RequestHeader http.Header
	RequestBody   string

	Status         int
	ResponseHeader http.Header
	ResponseBody   string
	ResponseBytes  int64 // of the whole body
	Aborted        bool  // the client went away before the answer was sent
	Broken         bool  // the server failed before the answer was sent whole; its log has the reason

	ClientID string // that the request claims to come from
	// Scopes, Organization and Policy decided what a request with a valid access
	// token reached: the token's scopes, the organization that the client is bound
	// to or the URL names, "" for all, and the AccessPolicy that allowed it, ""
	// where it was the one that is derived from scopes.
	Scopes, Organization, Policy string
	// Assertion is what the client's assertion says; nil if there was none that
	// could be read.
	Assertion *Assertion
	// Fault is the name of the fault that the request met, or "".
	Fault string
	// Checks are the rules that were applied to the request, in order.
	Checks []Check
	// Refusal is why the request was refused, in full sentences; empty where
	// it was not.
	Refusal string

	remedy *exchange.Remedy
}

// Kind says who asked.
type Kind string

// The kinds of exchanges.
const (
	KindRequest Kind = "request" // somebody asked the server
	KindFetch   Kind = "fetch"   // the server asked for a client's key set
)

// An Assertion is the readable part of a client assertion, two JSON objects:
// its signature is left out.
type Assertion struct{ Header, Claims json.RawMessage }

// A Check is one rule applied to one request.
type Check struct {
	ID          string // what was found: the finding (A12) where it has an id, else Requirement
	Requirement string // the rule's own id: SB-KEY-01
	Rule        string // what must hold
	Clause      string // document, section, step
	Result      Result
	Got, Want   string
	// Text, Counterfactual and Fix are the diagnosis, where the check failed or
	// warns, in full sentences: what is wrong; what the server found by trying
	// otherwise ("The signature would verify with key k2: only the kid is
	// wrong."), "" where there was nothing to try; and what to do.
	Text, Counterfactual, Fix string
}

// Explanation returns Text, Counterfactual and Fix in running sentences.
func (c Check) Explanation() string {
	return authz.Check{Text: c.Text, Counterfactual: c.Counterfactual, Fix: c.Fix}.Explanation()
}

// Result says how a check ended.
type Result string

// The results.
const (
	Pass       Result = "pass"
	Warn       Result = "warn" // passed, but other servers may refuse it
	Fail       Result = "fail"
	NotReached Result = "not-reached" // an earlier check failed
)

// Refused reports whether a request was refused. As a filter of Exchanges it
// is written sandbox.Exchange.Refused. A fetch is not refused: it can fail.
func (e Exchange) Refused() bool {
	_, failed := e.Failed()
	return e.Kind != KindFetch && (failed || e.Refusal != "")
}

// Counterfactual is what the server found by trying otherwise, of the check
// that failed; "" if nothing was found.
func (e Exchange) Counterfactual() string {
	check, _ := e.Failed()
	return check.Counterfactual
}

// Fix is what to do, of the check that failed; "" if none did.
func (e Exchange) Fix() string {
	check, _ := e.Failed()
	return check.Fix
}

// Failed returns the check that failed, if one did.
func (e Exchange) Failed() (Check, bool) {
	i := slices.IndexFunc(e.Checks, func(c Check) bool { return c.Result == Fail })
	if i < 0 {
		return Check{}, false
	}
	return e.Checks[i], true
}

// String tells of the exchange in a line, and of its refusal in another.
func (e Exchange) String() string {
	line := fmt.Sprintf("%s %s -> %d", e.Method, e.URL, e.Status)
	if e.Status == 0 && e.Kind == KindFetch {
		line = fmt.Sprintf("%s %s -> no answer", e.Method, e.URL)
	}
	if e.Aborted {
		line += " (aborted)"
	}
	if e.Broken {
		line += " (broken)"
	}
	if check, failed := e.Failed(); failed {
		return line + "\n  " + check.ID + ": " + check.Explanation()
	}
	if e.Refusal != "" {
		return line + "\n  " + e.Refusal
	}
	return line
}

// Exchanges returns the exchanges that every filter keeps, oldest first. The
// server remembers the last thousand that it refused, and the last thousand
// others.
func (w *World) Exchanges(keep ...func(Exchange) bool) []Exchange {
	var list []Exchange
	for _, inner := range w.workspace.Exchanges.List(0, nil) {
		e := newExchange(inner)
		if !slices.ContainsFunc(keep, func(k func(Exchange) bool) bool { return !k(e) }) {
			list = append(list, e)
		}
	}
	slices.Reverse(list)
	return list
}

// AwaitExchange returns the first exchange that all filters keep: the oldest that
// there is, else the next one to come. An exchange is there once its answer has
// been sent, which a client can see a moment before. The error is ctx's, or
// ErrClosed where the world ends.
func (w *World) AwaitExchange(ctx context.Context, keep ...func(Exchange) bool) (Exchange, error) {
	list, err := w.workspace.Exchanges.Await(ctx, "", func(inner *exchange.Exchange) bool {
		e := newExchange(inner)
		return !slices.ContainsFunc(keep, func(k func(Exchange) bool) bool { return !k(e) })
	})
	switch {
	case errors.Is(err, exchange.ErrEnded):
		return Exchange{}, ErrClosed
	case err != nil:
		return Exchange{}, fmt.Errorf("sandbox: no such exchange: %w", err)
	}
	return newExchange(list[0]), nil
}

func newExchange(e *exchange.Exchange) Exchange {
	out := Exchange{
		ID: e.ID, Kind: Kind(e.Kind), Parent: e.Parent, Fetches: slices.Clone(e.Fetches), Environment: e.Environment, At: e.At,
		Duration: time.Duration(e.Seconds * float64(time.Second)),
		Method:   e.Method, URL: e.URL, RequestHeader: newHeader(e.RequestHeader), RequestBody: e.RequestBody,
		Status: e.Status, ResponseHeader: newHeader(e.ResponseHeader), ResponseBody: e.ResponseBody,
		ResponseBytes: e.ResponseBytes, Aborted: e.Aborted, Broken: e.Broken,
		ClientID: e.Client, Fault: e.Fault, Refusal: strings.TrimSpace(e.Refusal), remedy: e.Remedy,
	}
	if a := e.Access; a != nil {
		out.Scopes, out.Organization, out.Policy = a.Scopes, a.Organization, a.Policy
	}
	if e.Assertion != nil {
		out.Assertion = &Assertion{Header: slices.Clone(e.Assertion.Header), Claims: slices.Clone(e.Assertion.Claims)}
	}
	for _, c := range e.Checks {
		out.Checks = append(out.Checks, newCheck(c))
	}
	return out
}

// logExchanges returns what writes a line about an exchange to the logger.
func logExchanges(logger *slog.Logger) func(*exchange.Exchange) {
	return func(e *exchange.Exchange) {
		if !logger.Enabled(context.Background(), slog.LevelDebug) {
			return
		}
		line := []slog.Attr{
			slog.String("method", e.Method), slog.String("path", e.Path()), slog.Int("status", e.Status),
			slog.Duration("took", time.Duration(e.Seconds*float64(time.Second)).Round(time.Microsecond)),
		}
		if failed := e.Failed(); failed != nil {
			line = append(line, slog.String("check", failed.ID()))
		}
		if e.Aborted {
			line = append(line, slog.Bool("aborted", true))
		}
		logger.LogAttrs(context.Background(), slog.LevelDebug, "exchange", append(line, slog.String("page", e.Page))...)
	}
}

func newHeader(list []exchange.Header) http.Header {
	h := http.Header{}
	for _, f := range list {
		h.Add(f.Name, f.Value)
	}
	return h
}

func newCheck(c authz.Check) Check {
	return Check{ID: c.ID(), Requirement: string(c.RuleID), Rule: c.Rule, Clause: c.Clause,
		Result: Result(c.Result.String()), Got: c.Got, Want: c.Want,
		Text: c.Text, Counterfactual: c.Counterfactual, Fix: c.Fix}
}
