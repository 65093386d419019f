package httpapi

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/bulk"
	"github.com/sandfhir/sandfhir/internal/fault"
	"github.com/sandfhir/sandfhir/internal/portal"
)

// movedToken is where the token endpoint is while the fault stands that moves it.
const movedToken = "/auth/v2/token"

// moveTokenEndpoint is the fault that moves it.
const moveTokenEndpoint = "discovery.move_token_endpoint"

// internalHost stands in URLs that nobody outside can use.
const internalHost = "http://fhir-7c9f.internal:8080"

// instead carries out a fault that acts in front of the handler. It returns
// false where the request goes on to it.
func (l *call) instead(r *fault.Rule) (done bool, err error) {
	switch r.Fault.ID {
	case "slow":
		l.hold(r)
		return false, nil
	case "drop":
		l.exchange.dropped = true
		return true, l.Context().Conn().Close()
	case "status":
		l.retryAfter(r.Value("retry_after"))
		return true, l.Status(int(r.Number("code"))).SendString("")
	case "too_many":
		l.retryAfter(r.Value("retry_after"))
		return true, l.failedOnPurpose(fiber.StatusTooManyRequests, "throttled", "too many requests, by the fault "+r.Text)
	case "poll.rate", "files.rate":
		wait := l.workspace.Faults.Wait(r, l.faultRequest(fault.Before))
		l.Set(fiber.HeaderRetryAfter, itoa(int64((wait+time.Second-1)/time.Second)))
		return true, l.failedOnPurpose(fiber.StatusTooManyRequests, "throttled", "more than "+r.Value("limit")+" requests, which is the limit by the fault "+r.Text)
	case "export.dup":
		l.Set(fiber.HeaderRetryAfter, "1")
		return true, l.failedOnPurpose(int(r.Number("code")), "duplicate", "the same export of this client is running, by the fault "+r.Text+": wait until it is done, or DELETE it")
	case "ip.allow":
		return true, l.failedOnPurpose(fiber.StatusForbidden, "forbidden", "the source "+l.IP()+" is not on the allow list, by the fault "+r.Text)
	case "policy.none":
		l.noPolicy = true
		return false, nil
	case "token.revoke":
		return false, l.revokeByFault()
	case "portal.deactivate":
		return false, l.deactivateByFault(r.Value("reason"))
	case "manifest.pages":
		l.pages = int(r.Number("pages"))
		return false, nil
	case "jwks.403":
		return true, l.send(int(r.Number("code")), fiber.MIMETextHTMLCharsetUTF8, []byte("<!doctype html><title>Request blocked</title>"))
	case "jwks.slow":
		l.hold(r)
		return false, nil
	case "jwks.redirect":
		l.Set(fiber.HeaderLocation, r.Value("to"))
		return true, l.SendStatus(fiber.StatusFound)
	case "discovery.html", "jwks.html":
		return true, l.send(fiber.StatusOK, fiber.MIMETextHTMLCharsetUTF8, []byte("<!doctype html><title>Sign in</title><form>Sign in to go on</form>"))
	case "discovery.array":
		return true, l.send(fiber.StatusOK, fiber.MIMEApplicationJSON, []byte("[]"))
	case moveTokenEndpoint:
		if l.routed == movedToken {
			return false, nil
		}
		return true, notFound("the token endpoint has moved; discovery has its URL: %s", l.addresses.TokenURL)
	case "token.503":
		return true, l.send(fiber.StatusServiceUnavailable, fiber.MIMETextPlainCharsetUTF8, []byte("upstream unavailable"))
	case "token.error_with_200":
		l.noStore()
		return true, l.json(fiber.StatusOK, map[string]string{"error": r.Value("error"), "error_description": "by the fault " + r.Fault.ID})
	case "scope.narrow":
		l.grantedWithin, err = authz.ParseScopes(r.Value("to")) // read already when the fault was
		return false, err
	case "group.empty_exports_all":
		l.everybody = true
		return false, nil
	case "token.401", "token.die_after_requests":
		return true, l.deadToken(r)
	case "redirect.to_http":
		l.Set(fiber.HeaderLocation, "http://"+strings.TrimPrefix(strings.TrimPrefix(l.requestURL(), "https://"), "http://"))
		return true, l.SendStatus(fiber.StatusFound)
	case "group.missing_500":
		return true, l.failedOnPurpose(fiber.StatusInternalServerError, "exception", "NullPointerException, by the fault "+r.Fault.ID)
	case "poll.5xx":
		return true, l.failedOnPurpose(int(r.Number("code")), "transient", "a passing failure, by the fault "+r.Fault.ID+"; the job goes on: ask again later")
	case "job.fail":
		return true, l.failedOnPurpose(fiber.StatusInternalServerError, "processing", "the export has failed, by the fault "+r.Fault.ID+"; start another one")
	case "files.presigned":
		return true, l.send(fiber.StatusBadRequest, "application/xml", []byte(`<?xml version="1.0" encoding="UTF-8"?><Error><Code>InvalidArgument</Code><Message>Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified</Message><ArgumentName>Authorization</ArgumentName></Error>`))
	case "files.expired":
		return true, l.send(fiber.StatusForbidden, "application/xml", []byte(`<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>`))
	}
	return false, nil
}

// revokeByFault revokes all tokens of the client whose token the request has.
func (l *call) revokeByFault() error {
	bearer := authz.BearerRequest{Authorization: l.authorizations(), Query: l.query(), Addresses: l.addresses}
	d := l.env.Auth.Authenticate(l.UserContext(), bearer)
	if d.Err != nil { // revoked meanwhile
		return nil
	}
	_, err := l.workspace.Control().RevokeClient(l.UserContext(), l.env.Name, d.Access.ClientID)
	return err
}

// deactivateByFault takes the service that asks for a token out of production, as
// an administrator does. Clients that are no services, or not active, stay as they
// are.
func (l *call) deactivateByFault(reason string) error {
	_, err := l.portal().Take(l.UserContext(), l.claimedClient(), portal.Deactivate, reason, "")
	var conflict *portal.ConflictError
	if errors.Is(err, portal.ErrNoService) || errors.As(err, &conflict) {
		return nil
	}
	return err
}

// failedOnPurpose answers as the FHIR server does, and is no refusal by a rule.
func (l *call) failedOnPurpose(status int, code, text string) error {
	if l.surface == oauthSurface {
		word := "temporarily_unavailable"
		if status == fiber.StatusForbidden {
			word = "unauthorized_client"
		}
		return l.json(status, oauthAnswer{Code: word, Description: text})
	}
	return l.send(status, fhirJSON, operationOutcome("error", code, text, ""))
}

// deadToken answers as to a token that has expired.
func (l *call) deadToken(r *fault.Rule) error {
	l.Set(fiber.HeaderWWWAuthenticate, `Bearer realm="fhir", error="invalid_token", error_description="The access token expired"`)
	return l.failedOnPurpose(fiber.StatusUnauthorized, "expired", "the access token expired, by the fault "+r.Fault.ID+"; get a new one and repeat this request: a job goes on meanwhile")
}

// retryAfter sets Retry-After as a fault has it.
func (l *call) retryAfter(value string) {
	now := l.workspace.Wall.Now()
	switch value {
	case "":
		return
	case "date":
		value = now.Add(2 * time.Second).UTC().Format(httpDate)
	case "epoch":
		value = strconv.FormatInt(now.Unix(), 10)
	case "epoch_ms":
		value = strconv.FormatInt(now.UnixMilli(), 10)
	}
	l.Set(fiber.HeaderRetryAfter, value)
}

// changeRefusal carries out a fault that changes a refusal.
func (l *call) changeRefusal(err error) error {
	if l.workspace.Faults.Empty() && l.ownFault == nil {
		return err
	}
	refused := l.asHTTP(err)
	if refused.status != fiber.StatusNotFound {
		return err
	}
	if rule := l.meet(fault.Refusal); rule != nil {
		refused.status = int(rule.Number("code"))
	}
	return refused
}

// changeAnswer carries out a fault that changes an answer.
func (l *call) changeAnswer(r *fault.Rule) error {
	if strings.HasPrefix(r.Fault.ID, "jwks.") {
		return l.changeKeySet(r)
	}
	header := &l.Response().Header
	pending := l.Response().StatusCode() == fiber.StatusAccepted
	switch r.Fault.ID {
	case "discovery.text_plain":
		l.Set(fiber.HeaderContentType, fiber.MIMETextPlainCharsetUTF8)
	case "discovery.omit", "token.omit", "manifest.omit":
		return l.edit(func(m map[string]any) { delete(m, r.Value("field")) })
	case "serverjwks.late_publish":
		return l.edit(func(m map[string]any) { m["keys"] = []any{} })
	case "manifest.checksum":
		return l.addChecksums()
	case "token.expires_in_string":
		return l.edit(func(m map[string]any) { m["expires_in"] = fmt.Sprint(m["expires_in"]) })
	case "contentlocation.relative", "contentlocation.internal_host":
		if pending {
			at := strings.TrimPrefix(string(header.Peek(fiber.HeaderContentLocation)), l.root)
			if r.Fault.ID == "contentlocation.internal_host" {
				at = internalHost + at
			}
			l.Set(fiber.HeaderContentLocation, at)
		}
	case "retryafter":
		l.whilePending(fiber.HeaderRetryAfter, r.Value("seconds"))
	case "retryafter.httpdate":
		at := l.workspace.Wall.Now().Add(time.Duration(r.Number("seconds")) * time.Second)
		l.whilePending(fiber.HeaderRetryAfter, at.UTC().Format(httpDate))
	case "retryafter.epoch":
		l.whilePending(fiber.HeaderRetryAfter, strconv.FormatInt(l.workspace.Wall.Now().Unix(), 10))
	case "progress.text":
		l.whilePending("X-Progress", r.Value("text"))
	case "progress.none":
		header.Del("X-Progress")
	case "status.303":
		if !strings.Contains(l.routed, "/manifest/") {
			l.Set(fiber.HeaderLocation, l.requestURL()+"/manifest/1")
			return l.Status(fiber.StatusSeeOther).Send(nil)
		}
	case "status.bundle":
		manifest := bytes.Clone(l.Response().Body())
		l.Set(fiber.HeaderContentType, fhirJSON)
		return l.edit(func(m map[string]any) {
			clear(m)
			m["resourceType"], m["type"] = "Bundle", "batch-response"
			m["entry"] = []any{map[string]any{"response": map[string]any{"status": "200"},
				"resource": map[string]any{"resourceType": "Binary", "contentType": fiber.MIMEApplicationJSON, "data": manifest}}}
		})
	case "manifest.internal_request":
		return l.edit(func(m map[string]any) {
			asked, _ := m["request"].(string)
			m["request"] = internalHost + strings.TrimPrefix(asked, l.root)
		})
	case "manifest.lie_requires_token":
		return l.edit(func(m map[string]any) { m["requiresAccessToken"] = m["requiresAccessToken"] != true })
	case "manifest.count_wrong":
		return l.edit(func(m map[string]any) {
			for _, item := range itemsOf(m, "output") {
				if n, ok := item["count"].(float64); ok {
					item["count"] = n + float64(r.Number("by"))
				}
			}
		})
	case "export.partial":
		return l.edit(func(m map[string]any) {
			for _, typ := range fault.Words(r.Value("type")) {
				l.withholdFiles(m, typ)
			}
		})
	case "export.organize":
		return l.edit(func(m map[string]any) {
			for _, item := range itemsOf(m, "output") {
				delete(item, "type")
			}
		})
	case "export.deleted":
		return l.edit(func(m map[string]any) { l.addDeletions(m, r.Number("percent")) })
	case "export.info_outcomes":
		return l.edit(func(m map[string]any) {
			l.addErrorFile(m, "info", "information", "informational", "the export took the index of last night")
		})
	}
	return nil
}

// whilePending sets a header of a status request whose job is not done.
func (l *call) whilePending(name, value string) {
	if l.Response().StatusCode() == fiber.StatusAccepted {
		l.Set(name, value)
	}
}

// addChecksums adds to each file of a manifest its checksum and its length, in the
// extensions of the Data at the Point of Care API (DPC documentation, Export Data).
func (l *call) addChecksums() error {
	exports, err := l.env.Exports(l.UserContext())
	if err != nil {
		return err
	}
	return l.edit(func(m map[string]any) {
		for _, list := range []string{"output", "deleted", "error", "outcome"} {
			for _, item := range itemsOf(m, list) {
				if sum, size, ok := l.checksum(exports, item); ok {
					item["extension"] = []any{
						map[string]any{"url": "https://dpc.cms.gov/checksum", "valueString": "sha256:" + sum},
						map[string]any{"url": "https://dpc.cms.gov/file_length", "valueDecimal": size},
					}
				}
			}
		}
	})
}

// checksum reads a file of the job whose manifest the answer is, and returns its
// SHA-256 in hexadecimal digits and its length in bytes.
func (l *call) checksum(exports *bulk.Service, item map[string]any) (sum string, size int64, ok bool) {
	at, _ := item["url"].(string)
	rest, isOurs := strings.CutPrefix(at, l.jobURL(l.shown)+"/")
	first, _, _ := strings.Cut(rest, "/")
	number, err := strconv.Atoi(first)
	if !isOurs || err != nil {
		return "", 0, false
	}
	file, err := exports.File(l.UserContext(), l.shown, number)
	if err != nil {
		return "", 0, false
	}
	content, err := exports.Open(l.UserContext(), l.shown, file, true)
	if err != nil {
		return "", 0, false
	}
	h := sha256.New()
	length, _ := content.Size()
	counted := &counter{w: h}
	if err := content.WriteRange(l.UserContext(), counted, 0, length); err != nil {
		return "", 0, false
	}
	return hex.EncodeToString(h.Sum(nil)), counted.n, true
}

// A counter counts what is written.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

func itemsOf(m map[string]any, list string) (items []map[string]any) {
	values, _ := m[list].([]any)
	for _, value := range values {
		if item, ok := value.(map[string]any); ok {
			items = append(items, item)
		}
	}
	return items
}

// withholdFiles takes the files of a type out of a manifest, and names an error file
// that says so.
func (l *call) withholdFiles(m map[string]any, typ string) {
	output, _ := m["output"].([]any)
	left := slices.DeleteFunc(slices.Clone(output), func(item any) bool {
		entry, _ := item.(map[string]any)
		return entry["type"] == typ
	})
	if len(left) < len(output) {
		m["output"] = left
		l.addErrorFile(m, "partial-"+typ, "error", "incomplete", "the resources of the type "+typ+" could not be exported")
	}
}

// addErrorFile names another error file in a manifest, with one OperationOutcome.
func (l *call) addErrorFile(m map[string]any, name, severity, code, text string) {
	list := "error"
	if m["outcome"] != nil {
		list = "outcome"
	}
	l.addFile(m, list, bulk.Errors, "OperationOutcome", name, append(operationOutcome(severity, code, text, ""), '\n'))
}

// addFile names another file in a list of a manifest, and has it be there.
func (l *call) addFile(m map[string]any, list string, kind bulk.Kind, typ, name string, lines []byte) {
	exports, err := l.env.Exports(l.UserContext())
	if err != nil || l.shown == nil {
		return
	}
	exports.Promise(l.shown, kind, 0, name+".ndjson", lines)
	files, _ := m[list].([]any)
	m[list] = append(files, map[string]any{"type": typ, "url": l.jobURL(l.shown) + "/0/" + name + ".ndjson", "count": bytes.Count(lines, []byte{'\n'})})
}

// addDeletions names a file in a manifest that has so many percent of the patients
// as deleted, at least one where there is one.
func (l *call) addDeletions(m map[string]any, percent int64) {
	exports, err := l.env.Exports(l.UserContext())
	if err != nil {
		return
	}
	all, err := exports.Dump(l.UserContext(), l.view(), "Patient", time.Time{})
	if err != nil { // the token does not cover patients
		return
	}
	var text bytes.Buffer
	size, _ := all.Size()
	if err := all.WriteRange(l.UserContext(), &text, 0, size); err != nil {
		return
	}
	patients := bytes.Split(bytes.TrimSpace(text.Bytes()), []byte{'\n'})
	var lines []byte
	for _, line := range patients[:min(len(patients), max(1, len(patients)*int(percent)/100))] {
		var patient struct {
			ID string `json:"id"`
		}
		if json.Unmarshal(line, &patient) == nil {
			lines = append(lines, `{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"DELETE","url":"Patient/`+patient.ID+"\"}}]}\n"...)
		}
	}
	if len(lines) > 0 {
		l.addFile(m, "deleted", bulk.Deleted, "Bundle", "deleted-"+itoa(percent), lines)
	}
}

// edit changes the members of an answer that is a JSON object. Whole numbers
// stay whole.
func (l *call) edit(change func(map[string]any)) error {
	var members map[string]any
	if err := json.Unmarshal(l.Response().Body(), &members); err != nil {
		return nil // it is none: there is nothing to change
	}
	change(members)
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(members); err != nil {
		return fmt.Errorf("change an answer: %w", err)
	}
	l.Response().SetBody(bytes.TrimSpace(text.Bytes()))
	return nil
}
