package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/klauspost/compress/gzip"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/bulk"
	"github.com/sandfhir/sandfhir/internal/clock"
	"github.com/sandfhir/sandfhir/internal/fhirjson"
)

func (l *call) exportSystem() error   { return l.kickOff(fhirstore.SystemLevel) }
func (l *call) exportPatients() error { return l.kickOff(fhirstore.PatientLevel) }
func (l *call) exportGroup() error    { return l.kickOff(fhirstore.GroupLevel) }

// kickOff is the Bulk Data Kick-off Request (Bulk Data Access 2.0.0).
func (l *call) kickOff(level fhirstore.Level) error {
	if err := l.authenticate(); err != nil {
		return err
	}
	if l.Method() == fiber.MethodHead { // whoever only looks starts nothing
		return &httpError{status: fiber.StatusMethodNotAllowed, code: "not-supported", message: "an export is started by GET or POST",
			header: map[string]string{fiber.HeaderAllow: "GET, POST"}}
	}
	if level == fhirstore.GroupLevel {
		if err := l.require("Group", authz.Read, "the export of a group"); err != nil {
			return err
		}
	}
	prefs := l.preferences()
	if _, ok := prefs["respond-async"]; !ok {
		return badRequest("required", "an export has to be asked for with the header Prefer: respond-async")
	}
	if accept := l.accept(); !accepts(accept, fhirJSON) {
		return badRequest("required", fmt.Sprintf("an export has to be asked for with the header Accept: application/fhir+json; this request has %q", accept))
	}
	params, err := l.kickOffParams()
	if err != nil {
		return err
	}
	exports, err := l.env.Exports(l.UserContext())
	if err != nil {
		return err
	}
	job, err := exports.KickOff(l.UserContext(), l.view(), bulk.Request{
		Level: level, Group: l.Params("id"), Params: params, Lenient: prefs["handling"] == "lenient",
		URL: l.requestURL(), Base: l.addresses.FHIRBase, Client: l.access.ClientID,
	})
	var forbidden *fhirstore.ForbiddenError
	if errors.As(err, &forbidden) && forbidden.Reason == fhirstore.NoLetter {
		// The rules word the refusal, and name the scope that would do.
		if err := l.require(forbidden.Type, authz.Read|authz.Search, "the export of "+forbidden.Type); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	l.Set(fiber.HeaderContentLocation, l.jobURL(job))
	l.Set("Preference-Applied", "respond-async")
	return l.send(fiber.StatusAccepted, fhirJSON, operationOutcome("information", "informational", "the export has been accepted; its status is at "+l.jobURL(job), ""))
}

func (l *call) jobURL(job *bulk.Job) string { return l.addresses.FHIRBase + "/_export/" + job.ID }

// kickOffParams are the parameters of the query or of the Parameters body; a
// POST without a body may have them in its query.
func (l *call) kickOffParams() ([]bulk.Param, error) {
	query, err := fhirstore.ParseParams(l.query())
	if err != nil {
		return nil, err
	}
	var params []bulk.Param
	for _, p := range query {
		if p.Name != "_format" {
			params = append(params, bulk.Param{Name: p.Name, Value: p.Value})
		}
	}
	if l.Method() != fiber.MethodPost {
		return params, nil
	}
	body, err := l.readBody(maxFHIRBody)
	if err != nil || len(bytes.TrimSpace(body)) == 0 {
		return params, err
	}
	if len(params) > 0 {
		return nil, badRequest("invalid", "parameters are either in the body or in the query, not in both")
	}
	if err := l.sendsJSON(); err != nil {
		return nil, err
	}
	return parametersOf(body)
}

// valueTypes are the types of the parameters of $export in a Parameters
// resource (Bulk Data Access 2.0.0, OperationDefinition export).
func valueType(name string) string {
	switch name {
	case "_since", "_until":
		return "valueInstant"
	case "patient":
		return "valueReference"
	case "includeAssociatedData":
		return "valueCode"
	case "allowPartialManifests":
		return "valueBoolean"
	}
	return "valueString"
}

// parametersOf reads a Parameters resource.
func parametersOf(body []byte) ([]bulk.Param, error) {
	if _, err := fhirjson.Parse(body); err != nil { // which is stricter: no name twice, and says where
		return nil, err
	}
	var resource struct {
		ResourceType string `json:"resourceType"`
		Parameter    []map[string]json.RawMessage
	}
	if err := json.Unmarshal(body, &resource); err != nil {
		return nil, badRequest("structure", "the body is no Parameters resource: "+err.Error())
	}
	if resource.ResourceType != "Parameters" {
		return nil, badRequest("structure", fmt.Sprintf("the body of a kick-off is a Parameters resource; this is %q", resource.ResourceType))
	}
	params := make([]bulk.Param, 0, len(resource.Parameter))
	for i, p := range resource.Parameter {
		var name string
		if err := json.Unmarshal(p["name"], &name); err != nil || name == "" {
			return nil, badRequest("structure", fmt.Sprintf("Parameters.parameter[%d] has no name", i))
		}
		want := valueType(name)
		value, ok := p[want]
		if !ok {
			return nil, badRequest("value", fmt.Sprintf("the parameter %s has to be a %s", name, want))
		}
		text, err := parameterText(value)
		if err != nil {
			return nil, badRequest("value", fmt.Sprintf("the parameter %s: %v", name, err))
		}
		params = append(params, bulk.Param{Name: name, Value: text, Posted: true})
	}
	return params, nil
}

// parameterText is the text of a string, boolean or Reference.
func parameterText(value json.RawMessage) (string, error) {
	var reference struct{ Reference string }
	var text string
	switch {
	case json.Unmarshal(value, &text) == nil:
		return text, nil
	case string(value) == "true" || string(value) == "false":
		return string(value), nil
	case json.Unmarshal(value, &reference) == nil && reference.Reference != "":
		return reference.Reference, nil
	}
	return "", errors.New("its value cannot be read")
}

// job finds the job that the URL names, if it is the caller's and its scopes
// still cover everything in it.
func (l *call) job() (*bulk.Service, *bulk.Job, error) {
	if err := l.authenticate(); err != nil {
		return nil, nil, err
	}
	exports, err := l.env.Exports(l.UserContext())
	if err != nil {
		return nil, nil, err
	}
	job, err := exports.Find(l.UserContext(), l.access.ClientID, l.Params("job"))
	return exports, job, err
}

func (l *call) requireAll(types []string) error {
	for _, typ := range types {
		if err := l.require(typ, authz.Read|authz.Search, "an export that holds "+typ); err != nil {
			return err
		}
	}
	return nil
}

// exportStatus is the Bulk Data Status Request.
func (l *call) exportStatus() error {
	exports, job, err := l.job()
	if err != nil {
		return err
	}
	if err := l.requireAll(job.Types); err != nil {
		return err
	}
	done, percent, retryAfter, err := exports.Poll(l.UserContext(), job)
	if err != nil {
		return err
	}
	if !done {
		l.Set(fiber.HeaderRetryAfter, strconv.Itoa(retryAfter))
		l.Set("X-Progress", strconv.Itoa(percent)+"%")
		return l.Status(fiber.StatusAccepted).Send(nil)
	}
	// Expires goes by the clock of the Date header, whatever the workspace's says.
	left := exports.Expires(job).Sub(l.workspace.Clock.Now())
	l.Set(fiber.HeaderExpires, clock.System{}.Now().Add(left).UTC().Format(httpDate))
	return l.json(fiber.StatusOK, job.Manifest(func(f bulk.File) string {
		return fmt.Sprintf("%s/%d/%s.ndjson", l.jobURL(job), f.Number, f.Type)
	}))
}

// exportDelete is the Bulk Data Delete Request.
func (l *call) exportDelete() error {
	exports, job, err := l.job()
	if err != nil {
		return err
	}
	if err := exports.Delete(l.UserContext(), job); err != nil {
		return err
	}
	return l.send(fiber.StatusAccepted, fhirJSON, operationOutcome("information", "informational", "the export is cancelled and its files are gone", ""))
}

// exportFile is the Bulk Data Output File Request.
func (l *call) exportFile() error {
	_, job, err := l.job()
	if err != nil {
		return err
	}
	number, err := strconv.Atoi(l.Params("number"))
	if err != nil {
		return bulk.ErrNoJob
	}
	file, err := job.File(number)
	if err != nil || l.Params("name") != file.Type+".ndjson" {
		return bulk.ErrNoJob
	}
	types := job.Types
	if file.Kind == bulk.Output {
		types = []string{file.Type}
	}
	if err := l.requireAll(types); err != nil {
		return err
	}
	if accept := l.accept(); accept != "" && !accepts(accept, "*/*", "application/*", fhirNDJSON, "application/ndjson", "application/x-ndjson", fhirJSON) {
		return &httpError{status: fiber.StatusNotAcceptable, code: "not-supported", message: "Accept: " + accept + " is not offered; the file is application/fhir+ndjson"}
	}
	data, err := l.env.Data(l.UserContext())
	if err != nil {
		return err
	}
	return l.sendFile(job, file, data.OpenFile(file.Extents))
}

// sendFile answers with an export file: the whole or a range of it as it is,
// or the whole as gzip where the client asks for that.
func (l *call) sendFile(job *bulk.Job, file *bulk.File, reader *fhirstore.FileReader) error {
	tag := fmt.Sprintf(`"%s-%d"`, job.ID, file.Number)
	l.Set(fiber.HeaderContentType, fhirNDJSON)
	l.Set(fiber.HeaderContentDisposition, mime.FormatMediaType("attachment", map[string]string{"filename": file.Type + ".ndjson"}))
	l.Set(fiber.HeaderVary, fiber.HeaderAcceptEncoding)
	l.Set(fiber.HeaderLastModified, job.TransactionTime.UTC().Format(httpDate))
	body := fileBody{reader}
	asked := l.Get(fiber.HeaderRange)
	if asked == "" && acceptsGzip(l.Get(fiber.HeaderAcceptEncoding)) {
		l.Set(fiber.HeaderContentEncoding, "gzip")
		l.Set(fiber.HeaderETag, tag[:len(tag)-1]+`-gzip"`)
		if l.Method() == fiber.MethodHead {
			return nil
		}
		return l.streamGzip(body, file.Bytes)
	}
	l.Set(fiber.HeaderETag, tag)
	l.Set(fiber.HeaderAcceptRanges, "bytes")
	offset, length := int64(0), file.Bytes
	if asked != "" && l.rangeHolds(tag, job) {
		from, to, err := parseRange(asked, file.Bytes)
		switch {
		case errors.Is(err, errUnsatisfiable):
			l.Set(fiber.HeaderContentRange, "bytes */"+itoa(file.Bytes))
			return &httpError{status: fiber.StatusRequestedRangeNotSatisfiable, code: "value", message: "Range: " + asked + " lies outside of the file, which has " + itoa(file.Bytes) + " bytes"}
		case err == nil:
			l.Status(fiber.StatusPartialContent)
			l.Set(fiber.HeaderContentRange, fmt.Sprintf("bytes %d-%d/%d", from, to, file.Bytes))
			offset, length = from, to-from+1
		}
	}
	if l.Method() == fiber.MethodHead {
		l.Response().SkipBody = true
		l.Response().Header.SetContentLength(int(length))
		return nil
	}
	l.stream(body, offset, length)
	return nil
}

// rangeHolds judges If-Range (RFC 9110 section 13.1.5): a range is only for
// whoever has the beginning of this very file.
func (l *call) rangeHolds(tag string, job *bulk.Job) bool {
	condition := l.Get(fiber.HeaderIfRange)
	return condition == "" || condition == tag || condition == job.TransactionTime.UTC().Format(httpDate)
}

type fileBody struct{ reader *fhirstore.FileReader }

func (b fileBody) send(w io.Writer, offset, n int64) error {
	_, err := b.reader.WriteRange(context.Background(), w, offset, n) // the request's own context ends before the body is sent
	return err
}

// streamGzip sends a body compressed, of a length that nobody knows before.
func (l *call) streamGzip(body sendable, n int64) error {
	l.exchange.later = true
	l.Context().SetBodyStream(&gzipStream{bodyStream: bodyStream{body: body, n: n, recording: l.exchange}}, -1)
	return nil
}

// A gzipStream is a bodyStream that is compressed on its way.
type gzipStream struct {
	bodyStream
	pipe *io.PipeReader
}

func (g *gzipStream) Read(p []byte) (int, error) {
	if g.pipe == nil {
		r, w := io.Pipe()
		g.pipe = r
		go g.compress(w)
	}
	n, err := g.pipe.Read(p)
	g.recording.ResponseBytes += int64(n)
	g.done = err == io.EOF
	return n, err
}

// compress writes the compressed body into the pipe. A failure or a panic
// reaches the reader as an error, so that the answer ends without its last
// chunk and is seen to be cut.
func (g *gzipStream) compress(w *io.PipeWriter) {
	err := errors.New("the body could not be compressed")
	defer func() {
		_ = recover() // err says it
		w.CloseWithError(err)
	}()
	var zip *gzip.Writer
	if zip, err = gzip.NewWriterLevel(w, gzip.BestSpeed); err == nil {
		if err = g.body.send(zip, 0, g.n); err == nil {
			err = zip.Close()
		}
	}
}

// WriteTo hides the one of bodyStream, which would send the body as it is.
func (g *gzipStream) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, struct{ io.Reader }{g})
}

func (g *gzipStream) Close() error {
	if g.pipe != nil {
		g.pipe.Close()
	}
	return g.bodyStream.Close()
}

// acceptsGzip reports whether an Accept-Encoding header takes gzip (RFC 9110
// section 12.5.3).
func acceptsGzip(header string) bool {
	return slices.ContainsFunc(strings.Split(header, ","), func(part string) bool {
		coding, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		q := strings.TrimPrefix(strings.TrimSpace(params), "q=")
		weight, err := strconv.ParseFloat(q, 64)
		return strings.EqualFold(strings.TrimSpace(coding), "gzip") && (err != nil || weight > 0)
	})
}

var (
	errUnsatisfiable = errors.New("the range lies outside of the file")
	errIgnoreRange   = errors.New("the range cannot be used")
)

// parseRange reads a Range header of one range (RFC 9110 section 14.1.2). A
// header of another form is ignored, as the section allows.
func parseRange(header string, size int64) (from, to int64, err error) {
	spec, ok := strings.CutPrefix(header, "bytes=")
	first, last, dash := strings.Cut(strings.TrimSpace(spec), "-")
	if !ok || !dash || strings.Contains(spec, ",") {
		return 0, 0, errIgnoreRange
	}
	to = size - 1
	if first == "" {
		n, err := strconv.ParseInt(last, 10, 64)
		if err != nil || n < 0 {
			return 0, 0, errIgnoreRange
		}
		if n == 0 || size == 0 {
			return 0, 0, errUnsatisfiable
		}
		return max(0, size-n), to, nil
	}
	if from, err = strconv.ParseInt(first, 10, 64); err != nil || from < 0 {
		return 0, 0, errIgnoreRange
	}
	if last != "" {
		n, err := strconv.ParseInt(last, 10, 64)
		if err != nil || n < from {
			return 0, 0, errIgnoreRange
		}
		to = min(to, n)
	}
	if from >= size {
		return 0, 0, errUnsatisfiable
	}
	return from, to, nil
}
