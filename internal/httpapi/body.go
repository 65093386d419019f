package httpapi

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
)

// The largest bodies that are read, in bytes after decompression.
const (
	maxFHIRBody  = 32 << 20
	maxOAuthBody = 64 << 10
)

// maxDrain is how much of a body that is refused is still read, so that the
// client gets to see the refusal instead of a broken connection.
const maxDrain = 64 << 20

// readBody returns the request's body, which has to be UTF-8, as readBytes does.
func (l *call) readBody(limit int64) ([]byte, error) {
	if l.bodyStream() == nil {
		return nil, nil
	}
	if err := l.sendsUTF8(); err != nil {
		return nil, err
	}
	return l.readBytes(limit)
}

// readControl reads a control's body, a JSON object with the members of into
// and no others; form says what it takes, as the beginning of a sentence.
func (l *call) readControl(form string, into any) error {
	body, err := l.readBody(maxOAuthBody)
	if err != nil {
		return err
	}
	return decodeControl(body, form, into)
}

// readOptionalControl is readControl where the body may be empty, which leaves
// into as it is.
func (l *call) readOptionalControl(form string, into any) error {
	body, err := l.readBody(maxOAuthBody)
	if err != nil || len(body) == 0 {
		return err
	}
	return decodeControl(body, form, into)
}

func decodeControl(body []byte, form string, into any) error {
	if _, err := fhirjson.Parse(body); err != nil { // no member twice, and nothing behind it
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return badRequest("value", form+": "+jsonProblem(err))
	}
	return nil
}

// jsonProblem says what is wrong with the members of a control's body, without
// the words of the program.
func jsonProblem(err error) string {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		kind, _, _ := strings.Cut(wrong.Value, " ") // a number's value follows
		article := "a "
		if kind == "array" || kind == "object" {
			article = "an "
		}
		if wrong.Field == "" {
			return "the body is " + article + kind + " and has to be an object"
		}
		return wrong.Field + " cannot be " + article + kind
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

// readBytes returns the request's body, inflated where it is gzip. A body of
// more than limit bytes is a 413.
func (l *call) readBytes(limit int64) ([]byte, error) {
	stream := l.bodyStream()
	if stream == nil {
		return nil, nil
	}
	var reader io.Reader = stream
	switch encoding := strings.ToLower(l.Get(fiber.HeaderContentEncoding)); encoding {
	case "", "identity":
	case "gzip":
		zip, err := gzip.NewReader(stream)
		if err != nil {
			return nil, badRequest("structure", "the body is not gzip, as its Content-Encoding says")
		}
		reader = zip
	default:
		return nil, &httpError{status: fiber.StatusUnsupportedMediaType, code: "not-supported", message: "Content-Encoding " + encoding + " is not supported; send the body as it is, or as gzip"}
	}
	var buf bytes.Buffer
	if told := int64(l.Request().Header.ContentLength()); told > 0 && told <= maxOAuthBody {
		buf.Grow(int(told) + bytes.MinRead) // larger ones come before they are believed
	}
	n, err := io.Copy(&buf, io.LimitReader(reader, limit+1))
	body := buf.Bytes()
	l.exchange.RequestBody = l.bodyText(l.Get(fiber.HeaderContentType), body[:min(n, limit)])
	if n > limit {
		return nil, &httpError{status: fiber.StatusRequestEntityTooLarge, code: "too-long", message: "the body is larger than " + bytesText(limit) + ", the most that is taken here"}
	}
	switch sent := l.body.err; {
	case sent != nil && sent != io.EOF, sent == io.EOF && l.body.n < int64(l.Request().Header.ContentLength()): // the client went away
		l.Context().SetConnectionClose()
		return nil, badRequest("structure", bodyEndsEarly)
	case err != nil:
		return nil, badRequest("structure", "the body is not gzip to its end, as its Content-Encoding says: "+err.Error())
	}
	return body, nil
}

// sendsUTF8 refuses a body whose Content-Type names another charset (FHIR R4, http,
// Content Types). OAuth's forms are ASCII, whatever they say (SB-TOK-02).
func (l *call) sendsUTF8() error {
	if l.surface == oauthSurface {
		return nil
	}
	_, params, _ := mime.ParseMediaType(l.Get(fiber.HeaderContentType)) // what is none has no charset
	switch charset := strings.ToLower(params["charset"]); charset {
	case "", "utf-8", "utf8", "us-ascii":
		return nil
	default:
		return &httpError{status: fiber.StatusUnsupportedMediaType, code: "not-supported", message: "charset=" + charset + " is not taken; a body is UTF-8"}
	}
}

const bodyEndsEarly = "the body is not complete: it ends before its Content-Length, or its chunks are damaged (RFC 9112 section 6.3)"

// bodyStream is the request's body, or nil where it has none.
func (l *call) bodyStream() io.Reader {
	if l.body == nil {
		if stream := l.Context().RequestBodyStream(); stream != nil {
			l.body = &onceReader{r: stream}
		}
	}
	if l.body == nil {
		return nil
	}
	return l.body
}

// A onceReader does not read on behind the end: the server's reader of a
// chunked body would wait there for another chunk.
type onceReader struct {
	r   io.Reader
	n   int64 // bytes read
	err error
}

func (o *onceReader) Read(p []byte) (n int, err error) {
	if o.err != nil {
		return 0, o.err
	}
	n, o.err = o.r.Read(p)
	o.n += int64(n)
	return n, o.err
}

// drain reads what no handler read of the body, so that a client that is still
// sending gets to see the answer. Where that is too much, or fails, the
// connection ends with the answer, as it does where nobody can tell how long
// the body is.
func (l *call) drain() {
	stream := l.bodyStream()
	if stream == nil || l.Response().ConnectionClose() {
		return
	}
	n, err := io.Copy(io.Discard, io.LimitReader(stream, maxDrain+1))
	if err != nil || n > maxDrain {
		l.Context().SetConnectionClose()
	}
}

func bytesText(n int64) string {
	if n >= 1<<20 {
		return itoa(n>>20) + " MiB"
	}
	return itoa(n>>10) + " KiB"
}
