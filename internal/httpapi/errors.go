package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/bulk"
	"github.com/sandfhir/sandfhir/internal/fhirjson"
)

// httpDate is the layout of HTTP dates (RFC 9110 section 5.6.7).
const httpDate = "Mon, 02 Jan 2006 15:04:05 GMT"

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// An httpError is a refusal that is decided here. code is from the FHIR
// issue-type code system.
type httpError struct {
	status     int
	code       string
	message    string
	expression string
	header     map[string]string
}

func (e *httpError) Error() string { return e.message }

func badRequest(code, message string) *httpError {
	return &httpError{status: fiber.StatusBadRequest, code: code, message: message}
}

func notFound(format string, args ...any) *httpError {
	return &httpError{status: fiber.StatusNotFound, code: "not-found", message: fmt.Sprintf(format, args...)}
}

// fail renders an error as the call's surface wants it. It is the only place
// that does.
func (l *call) fail(err error) error {
	var oauth *authz.Error
	if errors.As(err, &oauth) {
		l.noteCheck(oauth.Check)
		if oauth.Challenge != "" {
			l.Set(fiber.HeaderWWWAuthenticate, oauth.Challenge)
		}
		if oauth.Allow != "" {
			l.Set(fiber.HeaderAllow, oauth.Allow)
		}
		if oauth.Status >= 500 {
			l.server.cfg.Logger.Error("a request failed", "method", l.Method(), "path", l.path, "error", err)
		}
		if l.surface == oauthSurface {
			return l.oauthError(oauth)
		}
		return l.outcome(&httpError{status: oauth.Status, code: issueCode(oauth), message: oauth.Check.ID + ": " + oauth.Check.Text})
	}
	return l.outcome(l.asHTTP(err))
}

// asHTTP turns what the packages below refuse into a status and a code.
func (l *call) asHTTP(err error) *httpError {
	var (
		own       *httpError
		fiberErr  *fiber.Error
		syntax    *fhirjson.SyntaxError
		missing   *fhirstore.NotFoundError
		gone      *fhirstore.GoneError
		forbidden *fhirstore.ForbiddenError
		conflict  *fhirstore.ConflictError
		invalid   *fhirstore.InvalidError
		query     *fhirstore.QueryError
		export    *bulk.Error
	)
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &syntax):
		return badRequest("structure", "the body is no JSON: "+syntax.Error())
	case errors.As(err, &missing):
		return &httpError{status: fiber.StatusNotFound, code: "not-found", message: missing.Error()}
	case errors.As(err, &gone):
		return &httpError{status: fiber.StatusGone, code: "deleted", message: gone.Error(), header: map[string]string{fiber.HeaderETag: etag(gone.Version)}}
	case errors.As(err, &forbidden):
		return &httpError{status: fiber.StatusForbidden, code: "forbidden", message: forbidden.Error()}
	case errors.As(err, &conflict):
		return &httpError{status: fiber.StatusPreconditionFailed, code: "conflict", message: conflict.Error()}
	case errors.As(err, &invalid):
		return &httpError{status: fiber.StatusBadRequest, code: invalid.Code, message: invalid.Error(), expression: invalid.Expression}
	case errors.As(err, &query):
		return badRequest(query.Code, query.Error())
	case errors.As(err, &export):
		return badRequest(export.Code, export.Error())
	case errors.Is(err, bulk.ErrNoJob):
		return notFound("there is no such export job of yours: it never was, was deleted, or has expired")
	case errors.As(err, &fiberErr):
		code := "not-found"
		if fiberErr.Code != fiber.StatusNotFound {
			code = "not-supported"
		}
		return &httpError{status: fiberErr.Code, code: code, message: fiberErr.Message}
	}
	l.server.cfg.Logger.Error("a request failed", "method", l.Method(), "path", l.path, "error", err)
	return &httpError{status: fiber.StatusInternalServerError, code: "exception", message: "the server failed; its log has the reason"}
}

// issueCode is the issue type of a refusal by the authorization rules.
func issueCode(e *authz.Error) string {
	switch {
	case e.Status == fiber.StatusForbidden:
		return "forbidden"
	case e.Status == fiber.StatusUnauthorized && e.Check.ID == "T03":
		return "expired"
	case e.Status == fiber.StatusUnauthorized:
		return "login"
	case e.Status >= 500:
		return "exception"
	}
	return "invalid"
}

// noteCheck puts a failed check into the exchange where its ladder does not
// have it already.
func (l *call) noteCheck(check authz.Check) {
	if l.exchange == nil {
		return
	}
	if l.exchange.Failed() == nil {
		l.exchange.Checks = append(l.exchange.Checks, check)
	}
	l.exchange.Refusal = check.ID + ": " + check.Text
}

// oauthError renders a refusal at an OAuth endpoint (RFC 6749 section 5.2).
func (l *call) oauthError(e *authz.Error) error {
	l.noStore()
	return l.json(e.Status, map[string]string{
		"error":             e.Code,
		"error_description": e.Description(),
		"error_uri":         l.explanation(),
	})
}

// noStore keeps an answer with credentials out of caches (RFC 6749 section
// 5.1).
func (l *call) noStore() {
	l.Set(fiber.HeaderCacheControl, "no-store")
	l.Set(fiber.HeaderPragma, "no-cache")
}

// outcome renders an error: as an OperationOutcome to FHIR clients, as an
// OAuth error to OAuth clients, as plain JSON to everyone else.
func (l *call) outcome(e *httpError) error {
	if l.exchange != nil && l.exchange.Refusal == "" && e.status < 500 {
		l.exchange.Refusal = e.message
	}
	for name, value := range e.header {
		l.Set(name, value)
	}
	if l.exchange != nil && e.status < 500 {
		l.Set(fiber.HeaderLink, "<"+l.explanation()+`>; rel="help"`)
	}
	switch l.surface {
	case fhirSurface:
		contentType := fhirJSON
		if accept := l.Get(fiber.HeaderAccept); strings.Contains(accept, fiber.MIMEApplicationJSON) && !strings.Contains(accept, fhirJSON) {
			contentType = fiber.MIMEApplicationJSON
		}
		return l.send(e.status, contentType, operationOutcome(severityOf(e.status), e.code, e.message, e.expression))
	case oauthSurface:
		l.noStore()
		answer := map[string]string{"error": oauthCode(e.status), "error_description": description(e.message)}
		if l.exchange != nil && e.status < 500 {
			answer["error_uri"] = l.explanation()
		}
		return l.json(e.status, answer)
	}
	return l.json(e.status, map[string]string{"error": e.message})
}

func oauthCode(status int) string {
	if status >= 500 {
		return authz.CodeServerError
	}
	return authz.CodeInvalidRequest
}

// description is a text in the characters that authz allows in a description.
func description(text string) string {
	e := authz.Error{Check: authz.Check{Text: text}}
	return strings.TrimPrefix(e.Description(), ": ") // there is no check to name
}

func severityOf(status int) string {
	if status >= 500 {
		return "fatal"
	}
	return "error"
}

// send answers with a body that is ready.
func (l *call) send(status int, contentType string, body []byte) error {
	l.Set(fiber.HeaderContentType, contentType)
	return l.Status(status).Send(body)
}

// json answers with v as plain JSON.
func (l *call) json(status int, v any) error {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return fmt.Errorf("write answer: %w", err)
	}
	return l.send(status, fiber.MIMEApplicationJSON, bytes.TrimSuffix(body.Bytes(), []byte("\n")))
}

// unrouted renders what went wrong outside of every handler.
func (s *Server) unrouted(c *fiber.Ctx, err error) error {
	l := callOf(c)
	if l == nil {
		l = &call{Ctx: c, server: s, path: c.Path()}
	}
	return l.fail(err)
}
