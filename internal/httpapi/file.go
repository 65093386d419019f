package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/internal/bulk"
	"github.com/sandfhir/sandfhir/internal/fault"
)

// exportFile is the Bulk Data Output File Request.
func (l *call) exportFile() error {
	number, _ := strconv.Atoi(l.Params("number")) // 0, which no file has, for what is none
	exports, job, linked, err := l.fileJob(number)
	if err != nil {
		return err
	}
	if lines := exports.Promised(job, number, l.Params("name")); lines != nil {
		exports.Fetched(job, number, l.Params("name"))
		return l.send(fiber.StatusOK, fhirNDJSON, lines)
	}
	file, err := exports.File(l.UserContext(), job, number)
	if err != nil && !errors.Is(err, bulk.ErrNoJob) {
		return err
	}
	available := exports.Progress(job).Available
	switch {
	case file == nil && available == 0, file != nil && !job.Shown(file, available):
		return l.noFile("the export job %s is not done yet; ask for its status until the answer is its manifest, which has the URLs of the files", job.ID)
	case file == nil || l.Params("name") != job.Name(file):
		return l.noFile("the export job %s has no file %s/%s; its manifest has the URLs of those that it has", job.ID, l.Params("number"), l.Params("name"))
	}
	if !linked {
		if err := l.requireAll(job, job.Reads(file)); err != nil {
			return err
		}
		if err := l.requireV1(job.Reads(file)); err != nil {
			return err
		}
		if job.Redirects {
			return l.Redirect(l.elsewhere(l.fileURL(job, *file))+exports.Link(job, *file), fiber.StatusTemporaryRedirect)
		}
	}
	if accept := l.accept(); accept != "" && !accepts(accept, "*/*", "application/*", fhirNDJSON, "application/ndjson", "application/x-ndjson", fhirJSON, gzipType) {
		return &httpError{status: fiber.StatusNotAcceptable, code: "not-supported", message: "Accept: " + accept + " is not offered; the file is application/fhir+ndjson"}
	}
	content, err := exports.Open(l.UserContext(), job, file, l.Method() != fiber.MethodHead)
	if err != nil {
		return err
	}
	if l.Method() == fiber.MethodGet {
		exports.Fetched(job, number, l.Params("name"))
		if rule := l.meet(fault.Body); rule != nil && l.sendFaulty(rule, content) {
			return nil
		}
	}
	return l.sendFile(job, file, content)
}

// requireV1 asks for scopes of SMART v1 where the behaviour takes no others at
// files.
func (l *call) requireV1(types []string) error {
	if !l.env.Auth.Behaviour().FilesV1Only {
		return nil
	}
	for _, typ := range types {
		if err := l.access.RequireV1(typ); err != nil {
			return err
		}
	}
	return nil
}

// gzipType is the media type of files that are gzip themselves.
const gzipType = "application/gzip"

// fileJob finds the job of a file that the caller may fetch: by the signature in
// its URL, which linked says, or by token.
func (l *call) fileJob(number int) (exports *bulk.Service, job *bulk.Job, linked bool, err error) {
	signature := l.Query("signature")
	if signature == "" {
		exports, job, err = l.job()
		if err != nil && l.access == nil && len(l.authorizations()) == 0 {
			l.notice(bulk.Notice{ID: "M05", Got: "no Authorization header", Want: "Authorization: Bearer …", Text: "The request for a file has no access token.",
				Fix: "Where the manifest says requiresAccessToken: true, send the token with every file; where it says false, use the URLs of the manifest as they are."})
		}
		return exports, job, false, err
	}
	if exports, err = l.env.Exports(l.UserContext()); err != nil {
		return nil, nil, false, err
	}
	if job, err = exports.Linked(l.UserContext(), l.Params("job"), number, l.Query("expires"), signature); err != nil {
		return exports, nil, true, err
	}
	l.exchange.Client = job.Client
	standing, err := l.env.Auth.Standing(l.UserContext(), job.Client)
	if err != nil {
		return nil, nil, true, err
	}
	if standing != job.Standing {
		return exports, nil, true, bulk.ErrNoJob
	}
	if len(l.authorizations()) > 0 {
		l.noticeNeedlessToken(job)
	}
	return exports, job, true, nil
}

// noticeNeedlessToken notices a token that is sent with a signed URL.
func (l *call) noticeNeedlessToken(job *bulk.Job) {
	const so = " It was not looked at; storage services refuse such a request, and the token is with somebody who has no need of it."
	n := bulk.Notice{ID: "M04", Got: "an Authorization header", Want: "none", Text: "The manifest says requiresAccessToken: false, and the request carries an Authorization header all the same." + so,
		Fix: "Send no Authorization header to the URLs of a manifest with requiresAccessToken: false."}
	if job.Redirects {
		n.ID, n.Text = "M07", "The redirect to "+l.Hostname()+" was followed with the Authorization header that was for another origin."+so
		n.Fix = "Follow redirects to another origin without the Authorization header."
	}
	l.notice(n)
}

// elsewhere is one of our URLs as one of another origin, where this machine has
// two names: localhost and 127.0.0.1.
func (l *call) elsewhere(url string) string {
	for name, other := range map[string]string{"://127.0.0.1:": "://localhost:", "://localhost:": "://127.0.0.1:"} {
		if before, after, found := strings.Cut(url, name); found {
			return before + other + after
		}
	}
	return url
}

// sendFile answers with an export file: the whole or a range of it as it is,
// or the whole as gzip where the client asks for that.
func (l *call) sendFile(job *bulk.Job, file *bulk.File, content *bulk.Content) error {
	tag, zipped := fmt.Sprintf(`"%s-%d"`, job.ID, file.Number), fmt.Sprintf(`"%s-%d-gzip"`, job.ID, file.Number)
	asked := l.Get(fiber.HeaderRange)
	size, known := content.Size()
	if !known || l.Method() != fiber.MethodGet {
		asked = "" // nobody knows where a range would begin; and it is for GET alone (RFC 9110 section 14.2)
	}
	compress := asked == "" && !content.Gzip && acceptsGzip(l.Get(fiber.HeaderAcceptEncoding))
	offset, length, status := int64(0), size, fiber.StatusOK
	unchanged := hasTag(l.Get(fiber.HeaderIfNoneMatch), tag, zipped) // goes before Range (RFC 9110 section 13.2.2)
	if asked != "" && !unchanged && l.rangeHolds(tag, job) {
		from, to, err := parseRange(asked, size)
		switch {
		case errors.Is(err, errUnsatisfiable):
			return &httpError{status: fiber.StatusRequestedRangeNotSatisfiable, code: "value", message: "Range: " + asked + " lies outside of the file, which has " + itoa(size) + " bytes",
				header: map[string]string{fiber.HeaderContentRange: "bytes */" + itoa(size)}}
		case err == nil:
			l.Set(fiber.HeaderContentRange, fmt.Sprintf("bytes %d-%d/%d", from, to, size))
			offset, length, status = from, to-from+1, fiber.StatusPartialContent
		}
	}
	l.Vary(fiber.HeaderAcceptEncoding)
	l.Set(fiber.HeaderLastModified, job.TransactionTime.UTC().Format(httpDate))
	l.Set(fiber.HeaderETag, tag)
	if compress {
		l.Set(fiber.HeaderETag, zipped)
	}
	if unchanged {
		return l.Status(fiber.StatusNotModified).Send(nil)
	}
	l.Set(fiber.HeaderContentType, fhirNDJSON)
	l.Set(fiber.HeaderContentDisposition, mime.FormatMediaType("attachment", map[string]string{"filename": job.Name(file)}))
	switch {
	case compress:
		l.Set(fiber.HeaderContentEncoding, "gzip")
	case content.Gzip:
		l.Set(fiber.HeaderContentType, gzipType)
	}
	if compress || !known {
		if l.Method() != fiber.MethodHead {
			l.streamPiped(contentBody{content}, size, compress || content.Gzip)
		}
		return nil
	}
	l.Status(status).Set(fiber.HeaderAcceptRanges, "bytes")
	if l.Method() == fiber.MethodHead {
		l.Response().SkipBody = true
		l.Response().Header.SetContentLength(int(length))
		return nil
	}
	l.stream(contentBody{content}, offset, length)
	return nil
}

// hasTag reports whether an If-None-Match header names one of the tags, by the
// weak comparison (RFC 9110 section 13.1.2).
func hasTag(header string, tags ...string) bool {
	return slices.ContainsFunc(strings.Split(header, ","), func(listed string) bool {
		listed = strings.TrimPrefix(strings.TrimSpace(listed), "W/")
		return listed == "*" || slices.Contains(tags, listed)
	})
}

// rangeHolds judges If-Range (RFC 9110 section 13.1.5): a range is only for
// whoever has the beginning of this very file.
func (l *call) rangeHolds(tag string, job *bulk.Job) bool {
	condition := l.Get(fiber.HeaderIfRange)
	return condition == "" || condition == tag || condition == job.TransactionTime.UTC().Format(httpDate)
}

type contentBody struct{ content *bulk.Content }

func (b contentBody) send(w io.Writer, offset, n int64) error {
	return b.content.WriteRange(context.Background(), w, offset, n) // the request's own context ends before the body is sent
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
