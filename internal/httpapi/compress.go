package httpapi

import (
	"bytes"
	"io"
	"sync"

	"github.com/gofiber/fiber/v2"
	"github.com/klauspost/compress/gzip"
)

// minCompressed is the size from which a body is compressed, in bytes: what is
// smaller fits a packet or two as it is.
const minCompressed = 1 << 10

var compressors = sync.Pool{New: func() any {
	zip, err := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
	if err != nil {
		panic(err) // there is no such level
	}
	return zip
}}

// compress compresses an answer to a FHIR client that takes gzip (RFC 9110
// section 12.5.3). Export files choose for themselves.
func (l *call) compress() {
	response := l.Response()
	if l.surface != fhirSurface || len(response.Header.ContentEncoding()) > 0 {
		return
	}
	l.Vary(fiber.HeaderAcceptEncoding)
	body := response.Body()
	if len(body) < minCompressed || l.Method() == fiber.MethodHead || !acceptsGzip(l.Get(fiber.HeaderAcceptEncoding)) {
		return
	}
	var zipped bytes.Buffer
	zip := compressors.Get().(*gzip.Writer)
	defer compressors.Put(zip)
	zip.Reset(&zipped)
	if _, err := zip.Write(body); err != nil || zip.Close() != nil {
		return // a buffer takes everything
	}
	l.Set(fiber.HeaderContentEncoding, "gzip")
	response.SetBodyRaw(zipped.Bytes())
}
