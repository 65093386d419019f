package httpapi

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/bulk"
	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/validation"
	"github.com/sandfhir/sandfhir/internal/workspace"
	"github.com/sandfhir/sandfhir/web"
)

// An httpError is a refusal or a failure as HTTP tells of it.
type httpError struct {
	status     int
	code       string // of FHIR's issue types
	message    string
	expression string // FHIRPath of what is wrong, or ""
	header     map[string]string
	rules      *authz.Error       // where the authorization rules refused, or nil
	issues     []validation.Issue // what a resource was refused for, in place of code, message and expression
	fields     []fieldError       // what is wrong with a form, field by field
}

// A fieldError is what is wrong with a field of a form, in full sentences.
type fieldError struct {
	Field   string `json:"field"`
	Message string `json:"message"`
	Fix     string `json:"fix,omitempty"`
}

func (e *httpError) Error() string { return e.message }

func badRequest(code, message string) *httpError {
	return &httpError{status: fiber.StatusBadRequest, code: code, message: message}
}

func notFound(format string, args ...any) *httpError {
	return &httpError{status: fiber.StatusNotFound, code: "not-found", message: fmt.Sprintf(format, args...)}
}

// fail renders an error: as an OperationOutcome to FHIR clients, as an OAuth
// error to OAuth clients, as plain JSON to everyone else. It is the only place
// that does.
func (l *call) fail(err error) error {
	e := l.asHTTP(err)
	l.note(e)
	hides := l.hidesReasons()
	if hides {
		e = e.opaque()
	}
	for name, value := range e.header {
		l.Set(name, value)
	}
	help := ""
	if l.exchange != nil && (e.status < 500 || e.rules != nil) && !hides {
		help = l.explanation()
		l.Set(fiber.HeaderLink, "<"+help+`>; rel="help"`)
	}
	switch l.surface {
	case fhirSurface:
		contentType := fhirJSON
		if accept := l.accept(); accepts(accept, fiber.MIMEApplicationJSON) && !accepts(accept, fhirJSON) {
			contentType = fiber.MIMEApplicationJSON
		}
		if e.issues != nil {
			return l.send(e.status, contentType, issuesOutcome(e.issues))
		}
		return l.send(e.status, contentType, operationOutcome(severityOf(e.status), e.code, e.message, e.expression))
	case oauthSurface:
		l.noStore()
		answer := e.oauth(help)
		if hides {
			answer.Description = l.hiddenDescription()
		}
		return l.json(e.status, answer)
	}
	if accepts(l.Get(fiber.HeaderAccept), fiber.MIMETextHTML) && l.workspace != nil {
		l.Status(e.status)
		return l.page(web.ProblemPage{Site: l.site(), Heading: http.StatusText(e.status), Text: sentence(e.message), Back: l.workspacePath()})
	}
	return l.json(e.status, plainError{e.message, e.fields})
}

// sentence makes a sentence of a message.
func sentence(message string) string {
	if message == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(message)
	return strings.TrimRight(string(unicode.ToUpper(first))+message[size:], ".") + "."
}

// A plainError is an error as tools of people get it.
type plainError struct {
	Message string       `json:"error"`
	Fields  []fieldError `json:"fields,omitempty"`
}

// An oauthAnswer is an error response of RFC 6749 section 5.2.
type oauthAnswer struct {
	Code        string `json:"error"`
	Description any    `json:"error_description,omitempty"`
	URI         string `json:"error_uri,omitempty"`
}

func (e *httpError) oauth(help string) oauthAnswer {
	if e.rules != nil {
		// Without credentials the challenge names no error (RFC 6750 section 3), but
		// the body has to.
		return oauthAnswer{cmp.Or(e.rules.Code, authz.CodeInvalidToken), e.rules.Description(), help}
	}
	answer := oauthAnswer{authz.CodeInvalidRequest, description(e.message), help}
	if e.status >= 500 {
		answer.Code = authz.CodeServerError
	}
	return answer
}

// description is a text in the characters that authz allows in a description.
func description(text string) string {
	e := authz.Error{Status: fiber.StatusInternalServerError, Check: authz.Check{Text: text}} // with such a status it is not shortened
	return strings.TrimPrefix(e.Description(), ": ")                                          // there is no check to name
}

// note puts a refusal into the exchange, and its check where the checklist does
// not have it already.
func (l *call) note(e *httpError) {
	switch {
	case l.exchange == nil:
	case e.rules != nil:
		if l.exchange.Failed() == nil {
			l.exchange.Checks = append(l.exchange.Checks, e.rules.Check)
		}
		l.exchange.Refusal = e.message
	case e.status < 500 && l.exchange.Refusal == "":
		l.exchange.Refusal = e.message
	}
}

// asHTTP turns what the packages below refuse into a status and codes, and
// logs what failed.
func (l *call) asHTTP(err error) *httpError {
	var (
		own       *httpError
		oauth     *authz.Error
		fiberErr  *fiber.Error
		syntax    *fhirjson.SyntaxError
		missing   *fhirstore.NotFoundError
		gone      *fhirstore.GoneError
		forbidden *fhirstore.ForbiddenError
		conflict  *fhirstore.ConflictError
		invalid   *fhirstore.InvalidError
		wrong     *validation.InvalidError
		query     *fhirstore.QueryError
		modified  *fhirstore.ModifiedGroupError
		cohort    *bulk.CohortError
	)
	var failed *entryError
	if errors.As(err, &failed) {
		return failed.asHTTP(l)
	}
	if errors.Is(err, workspace.ErrEnded) {
		return notFound("this workspace has ended")
	}
	if e := refusedWrite(err); e != nil {
		return e
	}
	if e := l.ofExport(err); e != nil {
		return e
	}
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &oauth):
		if oauth.Status >= 500 {
			l.logFailure(err)
		}
		return ofRules(oauth)
	case errors.As(err, &syntax):
		return badRequest("structure", "the body's JSON cannot be read: "+syntax.Error())
	case errors.As(err, &missing):
		return &httpError{status: fiber.StatusNotFound, code: "not-found", message: missing.Error()}
	case errors.As(err, &gone):
		return &httpError{status: fiber.StatusGone, code: "deleted", message: gone.Error(), header: map[string]string{fiber.HeaderETag: etag(gone.Version)}}
	case errors.As(err, &forbidden):
		return ofRules(l.ofView(forbidden))
	case errors.As(err, &conflict):
		return &httpError{status: fiber.StatusPreconditionFailed, code: "conflict", message: conflict.Error()}
	case errors.As(err, &wrong):
		return ofValidation(wrong)
	case errors.As(err, &invalid):
		return &httpError{status: fiber.StatusBadRequest, code: invalid.Code, message: invalid.Error(), expression: invalid.Expression}
	case errors.As(err, &query):
		return badRequest(query.Code, query.Error())
	case errors.As(err, &cohort):
		return &httpError{status: fiber.StatusUnprocessableEntity, code: cohort.Code, message: cohort.Error(), expression: cohort.Expression}
	case errors.As(err, &modified):
		l.noteExportRefusal("BD-GR-09", modified.Error(), "")
		return &httpError{status: fiber.StatusUnprocessableEntity, code: "extension", message: modified.Error()}
	case errors.As(err, &fiberErr):
		return unreadable(fiberErr)
	}
	l.logFailure(err)
	return &httpError{status: fiber.StatusInternalServerError, code: "exception", message: "the server failed; its log has the reason"}
}

func (l *call) logFailure(err error) {
	l.server.cfg.Logger.Error("a request failed", "method", l.Method(), "path", l.path, "error", err)
}

// ofRules is a refusal by the authorization rules.
func ofRules(e *authz.Error) *httpError {
	of := &httpError{status: e.Status, code: issueCode(e), message: e.Check.ID() + ": " + e.Check.Explanation(), rules: e, header: map[string]string{}}
	if challenge := e.Challenge.String(); challenge != "" {
		of.header[fiber.HeaderWWWAuthenticate] = challenge
	}
	if e.RetryAfter > 0 {
		of.header[fiber.HeaderRetryAfter] = itoa(int64(math.Ceil(e.RetryAfter.Seconds())))
	}
	if e.Allow != "" {
		of.header[fiber.HeaderAllow] = e.Allow
	}
	return of
}

// ofValidation is the refusal of a resource: 400 where anything in it cannot be
// read as FHIR, 422 where all of it can and breaks a rule.
func ofValidation(e *validation.InvalidError) *httpError {
	status := fiber.StatusUnprocessableEntity
	for _, issue := range e.Issues {
		switch issue.Code {
		case "structure", "required", "value":
			status = fiber.StatusBadRequest
		}
	}
	return &httpError{status: status, message: e.Error(), issues: e.Issues}
}

// issueCode is the issue type of a refusal by the authorization rules.
func issueCode(e *authz.Error) string {
	switch {
	case e.Status == fiber.StatusForbidden:
		return "forbidden"
	case e.Status == fiber.StatusNotFound:
		return "not-found"
	case e.Status == fiber.StatusUnauthorized && e.Check.Finding == authz.FindingIDTokenExpired:
		return "expired"
	case e.Status == fiber.StatusUnauthorized:
		return "login"
	case e.Status >= 500:
		return "exception"
	}
	return "invalid"
}

func severityOf(status int) string {
	if status >= 500 {
		return "fatal"
	}
	return "error"
}
