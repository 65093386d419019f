//go:build unix

package sandbox_test

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"

	"github.com/sandfhir/sandfhir/sandbox"
)

// resources is the size of BenchmarkExportMany.
var resources = flag.Int("resources", 20_000, "how many small resources BenchmarkExportMany exports")

// cpu is the processor time that this process has used.
func cpu(b *testing.B) time.Duration {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		b.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

// A conn is a client that costs next to nothing: it writes requests that are
// ready and reads answers of known length.
type conn struct {
	net.Conn
	r    *bufio.Reader
	host string
}

func dial(b *testing.B, serverURL string) *conn {
	u, err := url.Parse(serverURL)
	if err != nil {
		b.Fatal(err)
	}
	c, err := net.Dial("tcp", u.Host)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close() })
	return &conn{c, bufio.NewReaderSize(c, 64<<10), u.Host}
}

// do sends a request and passes over the answer, whose status has to be want.
func (c *conn) do(b *testing.B, request []byte, want string) {
	if _, err := c.Write(request); err != nil {
		b.Fatal(err)
	}
	status, err := c.r.ReadString('\n')
	if err != nil || !strings.Contains(status, " "+want+" ") {
		b.Fatalf("answer %q, error %v; want status %s", status, err, want)
	}
	length := 0
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			b.Fatal(err)
		}
		if len(line) <= 2 {
			break
		}
		if name, value, _ := bytes.Cut(line, []byte(": ")); bytes.EqualFold(name, []byte("Content-Length")) {
			fmt.Sscan(string(value), &length)
		}
	}
	if _, err := c.r.Discard(length); err != nil {
		b.Fatal(err)
	}
}

func (c *conn) get(path, token string) []byte {
	return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n", path, c.host, token)
}

// BenchmarkTokens measures token requests over HTTP, assertions made
// beforehand, beside the bare pair of operations in each: one verification with
// jwx against a parsed key set, one ES256 signature. Processor time counts; it
// holds the client's share as well.
func BenchmarkTokens(b *testing.B) {
	for _, alg := range []sandbox.Algorithm{sandbox.RS384, sandbox.ES384} {
		b.Run(string(alg), func(b *testing.B) {
			sb := start(b)
			client, err := sb.RegisterClient(b.Context(), sandbox.ClientConfig{Algorithm: alg})
			if err != nil {
				b.Fatal(err)
			}
			c := dial(b, sb.URL())
			requests, assertions := make([][]byte, b.N), make([]string, b.N)
			for i := range requests {
				if assertions[i], err = client.Assertion(); err != nil {
					b.Fatal(err)
				}
				form := url.Values{"grant_type": {"client_credentials"}, "scope": {"system/*.rs"},
					"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {assertions[i]}}.Encode()
				requests[i] = fmt.Appendf(nil, "POST /auth/token HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", c.host, len(form), form)
			}
			bare := barePair(b, client, assertions)
			b.ResetTimer()
			before := cpu(b)
			for _, request := range requests {
				c.do(b, request, "200")
			}
			served := cpu(b) - before
			b.ReportMetric(float64(served.Microseconds())/float64(b.N), "cpu-us/op")
			b.ReportMetric(float64(bare.Microseconds())/float64(b.N), "bare-cpu-us/op")
			b.ReportMetric(bare.Seconds()/served.Seconds(), "of-bare-rate")
		})
	}
}

// barePair is the processor time of verifying the assertions and signing as
// many tokens.
func barePair(b *testing.B, client *sandbox.Client, assertions []string) time.Duration {
	set, err := jwk.Parse(client.PublicJWKS())
	if err != nil {
		b.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	claims := []byte(`{"iss":"http://127.0.0.1:8080/auth","sub":"client","aud":"http://127.0.0.1:8080/fhir","exp":1800000000,"iat":1799999700,"jti":"0123456789abcdef","scope":"system/*.rs"}`)
	before := cpu(b)
	for _, a := range assertions {
		if _, err := jws.Verify([]byte(a), jws.WithKeySet(set, jws.WithInferAlgorithmFromKey(true))); err != nil {
			b.Fatal(err)
		}
		if _, err := jws.Sign(claims, jws.WithKey(jwa.ES256, key)); err != nil {
			b.Fatal(err)
		}
	}
	return cpu(b) - before
}

// BenchmarkReads measures reads and searches over HTTP.
func BenchmarkReads(b *testing.B) {
	sb := sandbox.Start(b)
	token, err := sb.DefaultClient().Token(b.Context(), "system/*.rs")
	if err != nil {
		b.Fatal(err)
	}
	for name, path := range map[string]string{
		"read":               "/fhir/Patient/pt-000017",
		"search by token":    "/fhir/Patient?gender=female&_count=10",
		"search two clauses": "/fhir/Observation?patient=pt-000017&code=http://loinc.org|85354-9",
		"search by name":     "/fhir/Patient?name=a&_count=10",
	} {
		b.Run(name, func(b *testing.B) {
			c := dial(b, sb.URL())
			request := c.get(path, token.AccessToken)
			before := cpu(b)
			for b.Loop() {
				c.do(b, request, "200")
			}
			b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-us/op")
		})
	}
}

// BenchmarkExport measures the download of a whole export of the default
// population beside the same bytes from plain files by net/http.
func BenchmarkExport(b *testing.B) { benchExport(b, sandbox.Start(b)) }

// BenchmarkExportMany is BenchmarkExport over many small resources:
//
//	go test ./sandbox -run '^$' -bench ExportMany -benchtime 5x -resources 1000000 -timeout 30m
func BenchmarkExportMany(b *testing.B) {
	path := filepath.Join(b.TempDir(), "many.ndjson")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriter(f)
	for i := range *resources {
		fmt.Fprintf(w, `{"resourceType":"Observation","id":"o-%07d","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"8867-4","display":"Heart rate"}]},"subject":{"reference":"Patient/p-%05d"},"effectiveDateTime":"2025-06-15T08:%02d:00Z","valueQuantity":{"value":%d,"unit":"beats/minute","system":"http://unitsofmeasure.org","code":"/min"},"note":[{"text":"%s"}]}`+"\n",
			i, i/100, i%60, 60+i%40, strings.Repeat("x", 300))
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	begun := time.Now()
	sb := sandbox.Start(b, sandbox.WithPatients(0), sandbox.WithLoad(path))
	b.Logf("%d resources loaded and indexed in %v", *resources, time.Since(begun))
	benchExport(b, sb)
}

func benchExport(b *testing.B, sb *sandbox.Server) {
	client := sb.DefaultClient().HTTPClient("system/*.rs")
	urls := export(b, sb, client, "")
	dir := b.TempDir()
	total := int64(0)
	for i, u := range urls {
		total += download(b, client, u, filepath.Join(dir, fmt.Sprint(i)))
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	plain := &http.Server{Handler: http.FileServer(http.Dir(dir))}
	go plain.Serve(ln)
	b.Cleanup(func() { plain.Close() })

	var ours, theirs, oursCPU, theirsCPU time.Duration
	resident := residentBytes(b)
	for b.Loop() { // in turn, so that a drift of the machine's speed meets both
		begun, before := time.Now(), cpu(b)
		for _, u := range urls {
			download(b, client, u, "")
		}
		ours, oursCPU = ours+time.Since(begun), oursCPU+cpu(b)-before
		begun, before = time.Now(), cpu(b)
		for i := range urls {
			download(b, http.DefaultClient, fmt.Sprintf("http://%s/%d", ln.Addr(), i), "")
		}
		theirs, theirsCPU = theirs+time.Since(begun), theirsCPU+cpu(b)-before
	}
	n := float64(b.N)
	b.SetBytes(total)
	b.ReportMetric(float64(total)*n/1e6/ours.Seconds(), "MB/s-ours")
	b.ReportMetric(float64(total)*n/1e6/theirs.Seconds(), "MB/s-plain")
	b.ReportMetric(theirs.Seconds()/ours.Seconds(), "of-plain-rate")
	b.ReportMetric(theirsCPU.Seconds()/oursCPU.Seconds(), "of-plain-rate-cpu")
	b.ReportMetric(float64(residentBytes(b)-resident)/1e6, "MB-resident-more")
	b.ReportMetric(float64(residentBytes(b))/1e6, "MB-resident")
	b.ReportMetric(float64(total)/1e6, "MB")
}

// BenchmarkExportElements measures the download of an export whose resources are
// cut down on their way, beside the same export as it is. MB/s count what is
// read, not what is sent.
func BenchmarkExportElements(b *testing.B) {
	sb := sandbox.Start(b)
	client := sb.DefaultClient().HTTPClient("system/*.rs")
	whole, cut := export(b, sb, client, ""), export(b, sb, client, "?_elements=id,subject")
	var total int64
	var asIs, cutDown time.Duration
	for b.Loop() {
		begun := time.Now()
		total = 0
		for _, u := range whole {
			total += download(b, client, u, "")
		}
		asIs += time.Since(begun)
		begun = time.Now()
		for _, u := range cut {
			download(b, client, u, "")
		}
		cutDown += time.Since(begun)
	}
	b.ReportMetric(float64(total)*float64(b.N)/1e6/cutDown.Seconds(), "MB/s-read")
	b.ReportMetric(asIs.Seconds()/cutDown.Seconds(), "of-whole-rate")
}

// export runs an export with a query to its end and returns the URLs of its
// files.
func export(b *testing.B, sb *sandbox.Server, client *http.Client, query string) []string {
	begun := time.Now()
	resp, _ := do(b, client, "GET", sb.FHIRURL()+"/$export"+query, "", "Accept", "application/fhir+json", "Prefer", "respond-async")
	b.Logf("the kick-off took %v", time.Since(begun))
	status := resp.Header.Get("Content-Location")
	for {
		resp, body := do(b, client, "GET", status, "")
		switch resp.StatusCode {
		case http.StatusAccepted:
			continue
		case http.StatusOK:
			var manifest struct{ Output []struct{ URL string } }
			if err := json.Unmarshal([]byte(body), &manifest); err != nil {
				b.Fatal(err)
			}
			urls := make([]string, len(manifest.Output))
			for i, f := range manifest.Output {
				urls[i] = f.URL
			}
			return urls
		}
		b.Fatalf("status %d: %s", resp.StatusCode, body)
	}
}

// download reads a file to its end, into path unless that is empty.
func download(b *testing.B, client *http.Client, from, path string) int64 {
	req, err := http.NewRequestWithContext(b.Context(), "GET", from, nil)
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Accept-Encoding", "identity")
	resp, err := client.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		b.Fatalf("%s: %s", from, resp.Status)
	}
	var to io.Writer = struct{ io.Writer }{io.Discard} // without ReadFrom, which reads in small pieces
	if path != "" {
		f, err := os.Create(path)
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		to = f
	}
	n, err := io.CopyBuffer(to, resp.Body, make([]byte, 256<<10))
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// residentBytes is how much memory this process holds, after a collection.
func residentBytes(b *testing.B) int64 {
	runtime.GC()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0 // no such file on this system
	}
	var size, pages int64
	fmt.Sscan(string(text), &size, &pages)
	return pages * int64(os.Getpagesize())
}
