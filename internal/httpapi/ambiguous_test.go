package httpapi_test

import (
	"io"
	"strings"
	"testing"
)

// TestAmbiguousRequests sends what a proxy in front could read differently
// (RFC 9112 sections 3.2 and 6.3).
func TestAmbiguousRequests(t *testing.T) {
	t.Parallel()
	w := start(t)
	for name, fields := range map[string]string{
		"two lengths":           "Host: x\r\nContent-Length: 0\r\nContent-Length: 3\r\n",
		"length and coding":     "Host: x\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n",
		"two hosts":             "Host: x\r\nHost: y\r\n",
		"lengths in two spells": "Host: x\r\ncontent-length: 0\r\nCONTENT-LENGTH: 0\r\n",
	} {
		conn := w.all.dial(t)
		if _, err := io.WriteString(conn, "GET /livez HTTP/1.1\r\n"+fields+"\r\n0\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(conn) // ends only where the server closes
		if err != nil && len(answer) == 0 {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(answer), "HTTP/1.1 400 ") || strings.Count(string(answer), "HTTP/1.1") != 1 {
			t.Errorf("%s: answered %q; want one 400", name, answer)
		}
	}
}
