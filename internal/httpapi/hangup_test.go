package httpapi_test

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/internal/clock"
	"github.com/sandfhir/sandfhir/sandbox"
)

// dial opens a connection to the server.
func (p party) dial(t *testing.T) net.Conn {
	t.Helper()
	u, err := url.Parse(p.base)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(clock.System{}.Now().Add(40 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// ask sends a request for a URL of the server on a connection.
func (p party) ask(t *testing.T, conn net.Conn, target string, header ...string) *bufio.Reader {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	lines := []string{"GET " + u.RequestURI() + " HTTP/1.1", "Host: " + u.Host, "Authorization: Bearer " + p.token}
	if _, err := io.WriteString(conn, strings.Join(append(lines, header...), "\r\n")+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	return bufio.NewReader(conn)
}

// noise is a Binary of about n bytes that do not compress.
func noise(t *testing.T, id string, n int) string {
	t.Helper()
	data := make([]byte, n/4*3)
	rand.NewChaCha8([32]byte([]byte(strings.Repeat(id[:1], 32)))).Read(data) // never fails
	return fmt.Sprintf(`{"resourceType":"Binary","id":%q,"contentType":"text/plain","data":"%s"}`, id, base64.StdEncoding.EncodeToString(data))
}

// exportOfLarge has a file too large for the buffers of a connection, which
// take 10 MB on Linux.
func exportOfLarge(t *testing.T, w *world) item {
	t.Helper()
	for _, id := range []string{"one", "two"} {
		w.all.put(t, "/Binary/"+id, noise(t, id, 12<<20), "Prefer", "return=minimal").want(t, 201)
	}
	return w.all.export(t, "/$export?_type=Binary").Output[0]
}

// TestHangUp is about clients that go away in the middle of a download.
func TestHangUp(t *testing.T) {
	t.Parallel()
	w := start(t)
	file := exportOfLarge(t, w)
	downloads := func() []sandbox.Exchange {
		return w.Exchanges(func(e sandbox.Exchange) bool { return e.URL == file.URL })
	}
	for n, header := range []string{"Accept-Encoding: identity", "Accept-Encoding: gzip", "Range: bytes=100-"} {
		conn := w.all.dial(t)
		r := w.all.ask(t, conn, file.URL, header)
		if _, err := io.CopyN(io.Discard, r, 1000); err != nil {
			t.Fatal(err)
		}
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
		await(t, header+": the exchange is recorded", func() bool { return len(downloads()) > n })
		e := downloads()[n]
		if !e.Aborted || e.ResponseBytes >= 20<<20 || e.Refused() {
			t.Errorf("%s: got %v with %d bytes, want it aborted in the middle", header, e, e.ResponseBytes)
		}
	}
	a := w.all.get(t, file.URL).want(t, 200) // the server goes on, and so does the job
	if int64(len(a.body)) != a.length || strings.Count(string(a.body), "\n") != file.Count {
		t.Errorf("got %d bytes of %d", len(a.body), a.length)
	}
	await(t, "the whole download is recorded", func() bool { return len(downloads()) == 4 })
	if e := downloads()[3]; e.Aborted || e.ResponseBytes != a.length || e.Status != 200 {
		t.Errorf("got %v with %d bytes, want a whole download of %d", e, e.ResponseBytes, a.length)
	}
}

// TestHangUpWhileSending is about a client that goes away before its body is
// complete: nothing of it is stored.
func TestHangUpWhileSending(t *testing.T) {
	t.Parallel()
	w := start(t)
	half := w.all.dial(t)
	if _, err := io.WriteString(half, "PUT /fhir/Patient/half HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+w.all.token+"\r\nContent-Type: application/json\r\nContent-Length: 200000\r\n\r\n"+patient("half")); err != nil {
		t.Fatal(err)
	}
	if err := half.Close(); err != nil {
		t.Fatal(err)
	}
	await(t, "the exchange is recorded", func() bool {
		return len(w.Exchanges(func(e sandbox.Exchange) bool { return e.Method == "PUT" })) > 0
	})
	w.all.get(t, "/Patient/half").refused(t, 404, "not-found")
}

// TestSlowReader proves that a client that does not read keeps nobody waiting,
// and gets its file in the end.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	w := start(t)
	file := exportOfLarge(t, w)
	var slow []*bufio.Reader
	for range 4 {
		conn := w.all.dial(t)
		r := w.all.ask(t, conn, file.URL)
		if _, err := r.Peek(100); err != nil { // the answer is under way
			t.Fatal(err)
		}
		slow = append(slow, r)
	}
	var wg sync.WaitGroup
	for n := range 4 {
		wg.Go(func() {
			id := fmt.Sprintf("busy-%d", n)
			for _, request := range []struct{ method, path, body string }{
				{"PUT", "/Patient/" + id, patient(id)}, {"GET", "/Patient/" + id, ""}, {"GET", "/Patient?_count=5", ""}, {"DELETE", "/Patient/" + id, ""},
			} {
				a, err := w.all.try(t.Context(), request.method, request.path, strings.NewReader(request.body), "Content-Type", fhirJSON)
				if err != nil || a.status >= 300 {
					t.Errorf("%s %s: %v, %+v", request.method, request.path, err, a)
				}
			}
		})
	}
	wg.Wait()
	w.all.export(t, "/Patient/$export?_type=Patient")
	w.all.send(t, http.MethodHead, file.URL, "").want(t, 200)
	resp, err := http.ReadResponse(slow[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if n, err := io.Copy(io.Discard, resp.Body); err != nil || n != resp.ContentLength {
		t.Errorf("the slow reader got %d bytes of %d: %v", n, resp.ContentLength, err)
	}
}

// TestEndsWhileDownloaded is about what ends under a download: the transfer goes
// on, and the next one does not begin.
func TestEndsWhileDownloaded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		end  func(t *testing.T, w *world, job string)
		next func(t *testing.T, w *world, file string)
	}{
		{"BD-ST-19 the job is deleted", func(t *testing.T, w *world, job string) { w.all.send(t, "DELETE", job, "").want(t, 202) },
			func(t *testing.T, w *world, file string) { w.all.get(t, file).refused(t, 404, "not-found") }},
		{"SB-ISS-07 the token expires", func(_ *testing.T, w *world, _ string) { w.Clock().Advance(time.Hour) },
			func(t *testing.T, w *world, file string) {
				w.all.get(t, file).refused(t, 401, "expired")
				w.grant(t, "system/*.rs").get(t, file).want(t, 200)
			}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			file := exportOfLarge(t, w)
			conn := w.all.dial(t)
			r := w.all.ask(t, conn, file.URL)
			if _, err := r.Peek(100); err != nil {
				t.Fatal(err)
			}
			c.end(t, w, file.URL[:strings.Index(file.URL, "/_export/")+len("/_export/")+32])
			resp, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if n, err := io.Copy(io.Discard, resp.Body); err != nil || n != resp.ContentLength {
				t.Errorf("got %d bytes of %d: %v", n, resp.ContentLength, err)
			}
			c.next(t, w, file.URL)
		})
	}
}

// TestBodiesAreNoRequests proves that what is left of a body that nobody read
// is not taken for the next request.
func TestBodiesAreNoRequests(t *testing.T) {
	t.Parallel()
	w := start(t)
	hidden := "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
	for _, request := range []string{"PUT /fhir/Patient/x", "POST /auth/token", "GET /fhir/Patient", "POST /nothing", "GET /livez", "POST /_sandbox/clock"} {
		for _, size := range []int{100, 64 << 10, 70 << 10, 200 << 10} {
			t.Run(fmt.Sprintf("%s with %d bytes", request, size), func(t *testing.T) {
				body := strings.Repeat(hidden, size/len(hidden)+1)
				conn := w.at().dial(t)
				go io.WriteString(conn, request+" HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: "+fmt.Sprint(len(body))+"\r\n\r\n"+body+"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
				r := bufio.NewReader(conn)
				answers := 0
				for {
					resp, err := http.ReadResponse(r, nil)
					if err != nil {
						break // closed after one answer, which is right as well
					}
					_, err = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
					if answers++; err != nil || answers > 2 {
						break
					}
				}
				if answers < 1 || answers > 2 {
					t.Errorf("got %d answers to two requests", answers)
				}
			})
		}
	}
	if got := w.Exchanges(func(e sandbox.Exchange) bool { return strings.HasSuffix(e.URL, "/livez") }); len(got) > 4 {
		t.Errorf("GET /livez was answered %d times, and sent 4 times", len(got))
	}
}
