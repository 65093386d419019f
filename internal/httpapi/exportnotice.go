package httpapi

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/bulk"
)

// exportCheck is what an exchange keeps of a rule of exports that was broken;
// id is the rule's or that of a finding.
func exportCheck(id string, result authz.Result) authz.Check {
	check := authz.Check{RuleID: authz.RuleID(id), Result: result}
	for _, rule := range bulk.Rules() {
		if rule.ID == id || slices.Contains(rule.Mistakes, id) {
			check.RuleID, check.Rule, check.Clause = authz.RuleID(rule.ID), rule.Rule, rule.Clause
		}
	}
	if string(check.RuleID) != id {
		check.Finding = authz.FindingID(id)
	}
	return check
}

// notice puts on the exchange what may be a mistake although the request is met.
func (l *call) notice(notices ...bulk.Notice) {
	for _, n := range notices {
		check := exportCheck(n.ID, authz.Warn)
		check.Got, check.Want, check.Text, check.Fix = n.Got, n.Want, n.Text, n.Fix
		l.exchange.Checks = append(l.exchange.Checks, check)
	}
}

// noteExportRefusal puts a refusal by the rules of exports on the exchange.
func (l *call) noteExportRefusal(id, text, fix string) {
	if l.exchange == nil || l.exchange.Failed() != nil {
		return
	}
	check := exportCheck(id, authz.Fail)
	check.Text, check.Fix = text, fix
	l.exchange.Checks = append(l.exchange.Checks, check)
}

// ofExport turns a refusal by the rules of exports into HTTP; nil for another
// error.
func (l *call) ofExport(err error) *httpError {
	var expired *bulk.ExpiredError
	if errors.As(err, &expired) {
		fix := "Start another export"
		if !expired.TransactionTime.IsZero() {
			fix += "; to have what changed since this one, with _since=" + fhirstore.FormatInstant(expired.TransactionTime)
		}
		l.noteExportRefusal("P08", expired.Error()+".", fix+".")
		return notFound("%s. %s", expired.Error(), fix)
	}
	if errors.Is(err, bulk.ErrNoJob) {
		const text = "there is no such export job of yours: it never was, was deleted, or has expired"
		l.noteExportRefusal("BD-ST-13", text, "Start another export; to have what changed since the last one, with its transactionTime as _since.")
		return notFound(text)
	}
	switch e := err.(type) {
	case *bulk.Error:
		l.noteExportRefusal(e.ID, e.Message, "")
		return badRequest(e.Code, e.Message)
	case *bulk.LimitError:
		l.noteExportRefusal("B09", e.Error(), "")
		return throttled(e.Error(), int64(e.RetryAfter.Seconds()))
	case *bulk.LinkExpiredError:
		l.noteExportRefusal("M08", e.Error(), "")
		return notFound("%s", e.Error())
	}
	return nil
}

// noFile is the 404 of a file that is not there, or not yet.
func (l *call) noFile(format string, args ...any) *httpError {
	e := notFound(format, args...)
	l.noteExportRefusal("BD-FI-08", e.message, "")
	return e
}

// throttled is a 429 with Retry-After in seconds.
func throttled(message string, retryAfter int64) *httpError {
	return &httpError{status: fiber.StatusTooManyRequests, code: "throttled", message: message, header: map[string]string{fiber.HeaderRetryAfter: itoa(retryAfter)}}
}

// methodNotAllowed is a 405 that says which methods a kick-off has.
func (l *call) methodNotAllowed(methods []string, message string) *httpError {
	l.noteExportRefusal("BD-KO-12", message, "")
	return &httpError{status: fiber.StatusMethodNotAllowed, code: "not-supported", message: message, header: map[string]string{fiber.HeaderAllow: strings.Join(methods, ", ")}}
}

// polledEarly notices a status request that came too early, and refuses it where
// the behaviour says so.
func (l *call) polledEarly(p bulk.Progress) error {
	e := p.Early
	if e == nil {
		return nil
	}
	text := fmt.Sprintf("this status request came %.1f s after the last one, whose Retry-After said %d s; %d came too early so far", e.After.Seconds(), int64(e.Told.Seconds()), e.Times)
	if e.Limit > 0 {
		text += fmt.Sprintf(", and after %d the job ends", e.Limit)
	}
	const fix = "Wait as long as Retry-After says (RFC 9110 section 10.2.3), and longer each time if it says nothing."
	switch {
	case e.Ended:
		text += "; it has ended"
	case !e.Refused:
		l.notice(bulk.Notice{ID: "P01", Got: fmt.Sprintf("%.1f s", e.After.Seconds()), Want: fmt.Sprintf("%d s", int64(e.Told.Seconds())), Text: text + ".", Fix: fix})
		return nil
	}
	l.noteExportRefusal("P01", text+".", fix)
	return throttled(text, max(1, int64(p.RetryAfter.Seconds())))
}

// noticeLostOperation notices a request that looks like a kick-off whose
// operation got lost: a shell takes $export for a variable.
func (l *call) noticeLostOperation() {
	if l.surface != fhirSurface || l.Method() != fiber.MethodGet || l.access == nil {
		return
	}
	if _, async := l.preferences()["respond-async"]; !async {
		return
	}
	path := strings.TrimSuffix(l.routed, "/")
	parts := strings.Split(strings.TrimPrefix(path, fhir), "/")
	isGroup := len(parts) == 3 && parts[1] == "Group"
	if path != fhir && path != fhir+"/Patient" && !isGroup {
		return
	}
	l.notice(bulk.Notice{ID: "B03", Got: l.path, Want: strings.TrimSuffix(l.path, "/") + "/$export",
		Text: "The request has Prefer: respond-async, and its path ends in " + l.path + ", where a kick-off has $export. Did the shell take $export for a variable, which is empty?",
		Fix:  "Quote the URL in single quotes, or write \\$export."})
}
