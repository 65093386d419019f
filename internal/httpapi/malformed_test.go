package httpapi_test

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/sandbox"
)

// exchanged sends bytes on a connection, and no more, and reads the answers.
func (p party) exchanged(t *testing.T, text string, answers int) *answer {
	t.Helper()
	conn := p.dial(t)
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		half.CloseWrite() // fails where the server has answered and is gone
	}
	r := bufio.NewReader(conn)
	var a *answer
	for range answers {
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		a = &answer{request: text[:min(len(text), 80)], status: resp.StatusCode, header: resp.Header}
		if a.body, err = io.ReadAll(resp.Body); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

// TestMalformedRequests is about bytes that are no HTTP, or less than they say.
// Who sent them gets a refusal of the kind that the path has, where there is
// one, and nothing of what was sent (FR-GE-01).
func TestMalformedRequests(t *testing.T) {
	t.Parallel()
	w := start(t)
	token := "Host: localhost\r\nAuthorization: Bearer " + w.all.token + "\r\n"
	for _, c := range []struct {
		name, request string
		status        int
		as            refusedAs
		says          string
	}{
		{"FHIR with a length that is none", "GET /fhir/Patient HTTP/1.1\r\n" + token + "Content-Length: 1x\r\n\r\n", 400, asFHIR, "Content-Length"},
		{"production with a negative length", "POST /production/fhir/Patient HTTP/1.1\r\n" + token + "Content-Length: -5\r\n\r\n", 400, asFHIR, "Content-Length"},
		{"OAuth with a length that is none", "POST /auth/token HTTP/1.1\r\n" + token + "Content-Length: x\r\n\r\n", 400, asOAuth, "Content-Length"},
		{"controls with a length that is none", "GET /_sandbox/clock HTTP/1.1\r\n" + token + "Content-Length: x\r\n\r\n", 400, asPlain, "Content-Length"},
		{"FHIR with a name that is none", "GET /fhir/Patient?a=b HTTP/1.1\r\n" + token + "bad name: y\r\n\r\n", 400, asFHIR, "header field"},
		{"FHIR with a field without a colon", "GET /fhir/Patient HTTP/1.1\r\n" + token + "nothing\r\n\r\n", 400, asFHIR, "header field"},
		{"FHIR with header fields that are too large", "GET /fhir/Patient HTTP/1.1\r\n" + token + "X-Large: " + strings.Repeat("x", 70<<10) + "\r\n\r\n", 431, asTooLong, "64 KiB"},
		{"workspace with header fields that are too large", "GET /w/none/fhir/Patient HTTP/1.1\r\n" + token + "X-Large: " + strings.Repeat("x", 70<<10) + "\r\n\r\n", 431, asTooLong, "64 KiB"},
		{"no request line", "rubbish\r\n" + token + "\r\n", 400, asPlain, "request line"},
		{"no path", "GET  HTTP/1.1\r\n" + token + "\r\n", 400, asPlain, "request line"},
		{"FHIR with a body cut short", "POST /fhir/Patient HTTP/1.1\r\n" + token + "Content-Type: application/fhir+json\r\nContent-Length: 100\r\n\r\n{", 400, asFHIR, "not complete"},
		{"FHIR with a long body cut short", "POST /fhir/Patient HTTP/1.1\r\n" + token + "Content-Type: application/fhir+json\r\nContent-Length: 100000\r\n\r\n{", 400, asFHIR, "not complete"},
		{"FHIR with a chunk cut short", "POST /fhir/Patient HTTP/1.1\r\n" + token + "Content-Type: application/fhir+json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{", 400, asFHIR, "not complete"},
		{"FHIR with chunks that are none", "POST /fhir/Patient HTTP/1.1\r\n" + token + "Content-Type: application/fhir+json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400, asFHIR, "not complete"},
		{"OAuth with a body cut short", "POST /auth/token HTTP/1.1\r\n" + token + "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\na=", 400, asOAuth, "not complete"},
		{"controls with a body cut short", "POST /_sandbox/clock HTTP/1.1\r\n" + token + "Content-Length: 100\r\n\r\n{", 400, asPlain, "not complete"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := w.at().exchanged(t, c.request, 1)
			c.as(t, a, c.status)
			body := string(a.body)
			if !strings.Contains(body, c.says) {
				t.Errorf("got %s, want %q in it", body, c.says)
			}
			for _, leak := range []string{w.all.token[:20], w.all.token[len(w.all.token)-20:], "Buffer", "EOF", "contents", "xxx"} {
				if strings.Contains(body, leak) {
					t.Errorf("got %q in %s", leak, body)
				}
			}
		})
	}
	t.Run("FHIR as the second request of a connection", func(t *testing.T) {
		first := "GET /auth/jwks HTTP/1.1\r\nHost: localhost\r\n\r\n"
		conn := w.at().dial(t)
		r := bufio.NewReader(conn)
		for _, text := range []string{first, first, "GET /fhir/Patient HTTP/1.1\r\nContent-Length: x\r\n\r\n"} {
			if _, err := io.WriteString(conn, text); err != nil {
				t.Fatal(err)
			}
			resp, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			a := &answer{request: text, status: resp.StatusCode, header: resp.Header}
			if a.body, err = io.ReadAll(resp.Body); err != nil {
				t.Fatal(err)
			}
			if text != first {
				asFHIR(t, a, 400)
			}
		}
	})
	t.Run("behind another request", func(t *testing.T) {
		asPlain(t, w.at().exchanged(t, "GET /auth/jwks HTTP/1.1\r\nHost: localhost\r\n\r\nGET /fhir/Patient HTTP/1.1\r\nContent-Length: x\r\n\r\n", 2), 400)
	})
}

func asTooLong(t *testing.T, a *answer, status int) {
	t.Helper()
	a.refused(t, status, "too-long")
}

// TestUnknownMethods proves that a method that nobody has heard of is refused
// like one that is not offered, and recorded by its name (FR-ER-05).
func TestUnknownMethods(t *testing.T) {
	t.Parallel()
	w := start(t)
	for _, method := range []string{"FOO", "get", "PROPFIND", "OTHER"} {
		t.Run(method, func(t *testing.T) {
			w.stranger().send(t, method, "/Patient", "").refused(t, 401, "login") // SB-RS-15
			a := w.all.send(t, method, "/Patient", "").wantHeader(t, "Allow", "GET, HEAD, POST, PUT, PATCH, DELETE")
			if i := a.refused(t, 405, "not-supported"); !strings.HasPrefix(i.Diagnostics, method+" is not offered here") {
				t.Errorf("got %q, want the method in it", i.Diagnostics)
			}
			w.all.send(t, method, "/$nothing", "").refused(t, 404, "not-supported")
			w.at().send(t, method, "/auth/token", "").wantHeader(t, "Allow", "POST").oauth(t, 405, "invalid_request")
			asPlain(t, w.at().send(t, method, "/_sandbox/clock", ""), 405)
			asPlain(t, w.at().send(t, method, "/nothing", ""), 404)
			recorded := w.Exchanges(func(e sandbox.Exchange) bool { return e.Method == method })
			if len(recorded) != 6 {
				t.Errorf("%d exchanges are recorded with the method, want 6", len(recorded))
			}
		})
	}
}
