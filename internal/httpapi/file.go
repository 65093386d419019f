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

	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/bulk"
)

// exportFile is the Bulk Data Output File Request.
func (l *call) exportFile() error {
	exports, job, err := l.job()
	if err != nil {
		return err
	}
	if !exports.Progress(job).Done {
		return notFound("the export job %s is not done yet; ask for its status until the answer is its manifest, which has the URLs of the files", job.ID)
	}
	number, err := strconv.Atoi(l.Params("number"))
	file := job.File(number)
	if err != nil || file == nil || l.Params("name") != file.Type+".ndjson" {
		return notFound("the export job %s has no file %s/%s; its manifest has the URLs of those that it has", job.ID, l.Params("number"), l.Params("name"))
	}
	types := job.Types
	if file.Kind == bulk.Output {
		types = []string{file.Type}
	}
	if err := l.requireAll(job, types); err != nil {
		return err
	}
	if l.env.Auth.Behaviour().FilesV1Only {
		for _, typ := range types {
			if err := l.access.RequireV1(typ); err != nil {
				return err
			}
		}
	}
	if accept := l.accept(); accept != "" && !accepts(accept, "*/*", "application/*", fhirNDJSON, "application/ndjson", "application/x-ndjson", fhirJSON) {
		return &httpError{status: fiber.StatusNotAcceptable, code: "not-supported", message: "Accept: " + accept + " is not offered; the file is application/fhir+ndjson"}
	}
	data, err := l.data()
	if err != nil {
		return err
	}
	var extents []byte
	if l.Method() != fiber.MethodHead {
		if extents, err = exports.Extents(l.UserContext(), job, number); err != nil {
			return err
		}
	}
	return l.sendFile(job, file, data.OpenFile(extents))
}

// sendFile answers with an export file: the whole or a range of it as it is,
// or the whole as gzip where the client asks for that.
func (l *call) sendFile(job *bulk.Job, file *bulk.File, reader *fhirstore.FileReader) error {
	tag, zipped := fmt.Sprintf(`"%s-%d"`, job.ID, file.Number), fmt.Sprintf(`"%s-%d-gzip"`, job.ID, file.Number)
	asked := l.Get(fiber.HeaderRange)
	compress := asked == "" && acceptsGzip(l.Get(fiber.HeaderAcceptEncoding))
	offset, length, status := int64(0), file.Bytes, fiber.StatusOK
	unchanged := hasTag(l.Get(fiber.HeaderIfNoneMatch), tag, zipped) // goes before Range (RFC 9110 section 13.2.2)
	if asked != "" && !unchanged && l.rangeHolds(tag, job) {
		from, to, err := parseRange(asked, file.Bytes)
		switch {
		case errors.Is(err, errUnsatisfiable):
			return &httpError{status: fiber.StatusRequestedRangeNotSatisfiable, code: "value", message: "Range: " + asked + " lies outside of the file, which has " + itoa(file.Bytes) + " bytes",
				header: map[string]string{fiber.HeaderContentRange: "bytes */" + itoa(file.Bytes)}}
		case err == nil:
			l.Set(fiber.HeaderContentRange, fmt.Sprintf("bytes %d-%d/%d", from, to, file.Bytes))
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
	l.Set(fiber.HeaderContentDisposition, mime.FormatMediaType("attachment", map[string]string{"filename": file.Type + ".ndjson"}))
	if compress {
		l.Set(fiber.HeaderContentEncoding, "gzip")
		if l.Method() == fiber.MethodHead {
			return nil
		}
		return l.streamGzip(fileBody{reader}, file.Bytes)
	}
	l.Status(status).Set(fiber.HeaderAcceptRanges, "bytes")
	if l.Method() == fiber.MethodHead {
		l.Response().SkipBody = true
		l.Response().Header.SetContentLength(int(length))
		return nil
	}
	l.stream(fileBody{reader}, offset, length)
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

type fileBody struct{ reader *fhirstore.FileReader }

func (b fileBody) send(w io.Writer, offset, n int64) error {
	_, err := b.reader.WriteRange(context.Background(), w, offset, n) // the request's own context ends before the body is sent
	return err
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
