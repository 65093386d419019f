package sandbox_test

import (
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/sandbox"
)

func TestExchanges(t *testing.T) {
	t.Parallel()
	sb := start(t)
	client := register(t, sb, sandbox.ClientConfig{Scopes: []string{"system/Patient.rs"}})
	expect(t, http.StatusOK, client.HTTPClient(), http.MethodGet, sb.FHIRURL()+"/Patient?name=x", "")
	expect(t, http.StatusForbidden, client.HTTPClient(), http.MethodGet, sb.FHIRURL()+"/Encounter", "")
	_, err := client.Token(t.Context(), "system/Encounter.rs")
	wantRefusal(t, err, "S06")

	all := sb.Exchanges()
	var got []string
	for _, e := range all {
		got = append(got, e.Method+" "+strings.TrimPrefix(e.URL, sb.URL())+" "+http.StatusText(e.Status))
	}
	want := "POST /auth/token OK, GET /fhir/Patient?name=x OK, POST /auth/token OK, GET /fhir/Encounter Forbidden, POST /auth/token Bad Request"
	if strings.Join(got, ", ") != want {
		t.Errorf("got %s\nwant %s", strings.Join(got, ", "), want)
	}
	for _, e := range all {
		if e.ID == "" || e.Environment != "sandbox" || e.At.IsZero() || e.ClientID != client.ID() || len(e.Checks) == 0 {
			t.Errorf("%s: incomplete: %+v", e, e)
		}
	}
	token := all[0]
	if token.RequestHeader.Get("Content-Type") != "application/x-www-form-urlencoded" || !strings.Contains(token.RequestBody, "grant_type=client_credentials") {
		t.Errorf("the request was not recorded: %+v", token)
	}
	if token.ResponseHeader.Get("Cache-Control") != "no-store" || !strings.Contains(token.ResponseBody, "expires_in") || token.ResponseBytes == 0 {
		t.Errorf("the answer was not recorded: %+v", token)
	}
	if _, failed := token.Failed(); failed || token.Refused() {
		t.Errorf("got a failed check in %+v", token)
	}

	refused := sb.Exchanges(sandbox.Exchange.Refused)
	if len(refused) != 2 || refused[0].Status != http.StatusForbidden {
		t.Fatalf("got refusals %v, want those of Encounter and of the scope", refused)
	}
	check, failed := refused[1].Failed()
	if !failed || check.ID != "S06" || check.Result != sandbox.Fail || check.Clause == "" || check.Text == "" {
		t.Errorf("got check %+v, want S06 in full", check)
	}
	if text := refused[1].String(); !strings.Contains(text, "-> 400\n  S06: ") {
		t.Errorf("got %q, want the refusal in it", text)
	}
	both := sb.Exchanges(sandbox.Exchange.Refused, func(e sandbox.Exchange) bool { return e.Method == http.MethodPost })
	if len(both) != 1 || both[0].ID != refused[1].ID {
		t.Errorf("got %v, want what both filters keep", both)
	}
}

func TestClock(t *testing.T) {
	t.Parallel()
	clock := start(t).Clock()
	at := time.Date(2031, time.May, 4, 3, 2, 1, 0, time.UTC)
	clock.Freeze()
	clock.Set(at)
	if got := clock.Now(); !got.Equal(at) {
		t.Errorf("after Set: got %v, want %v", got, at)
	}
	clock.Advance(time.Hour)
	if got := clock.Now(); !got.Equal(at.Add(time.Hour)) {
		t.Errorf("after Advance: got %v, want an hour later", got)
	}
	clock.Follow()
	if got := clock.Now(); got.Before(at.Add(time.Hour)) {
		t.Errorf("after Follow: got %v, want it to go on", got)
	}
}

func TestClockAgesExports(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.WithExportDuration(time.Hour))
	client := sb.DefaultClient().HTTPClient()
	resp, _ := expect(t, http.StatusAccepted, client, http.MethodGet, sb.FHIRURL()+"/$export", "", "Accept", "application/fhir+json", "Prefer", "respond-async")
	status := resp.Header.Get("Content-Location")
	for _, step := range []struct {
		advance time.Duration
		want    int
	}{
		{0, http.StatusAccepted}, {0, http.StatusAccepted}, {59 * time.Minute, http.StatusAccepted},
		{time.Minute, http.StatusOK}, {48 * time.Hour, http.StatusNotFound},
	} {
		sb.Clock().Advance(step.advance)
		expect(t, step.want, client, http.MethodGet, status, "")
	}
}

// At the level Debug each exchange is a line of the log; above it none is.
func TestExchangesAreLogged(t *testing.T) {
	t.Parallel()
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo} {
		t.Run(level.String(), func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			var log strings.Builder
			sb := start(t, sandbox.WithLogger(slog.New(slog.NewTextHandler(writerFunc(func(p []byte) (int, error) {
				mu.Lock()
				defer mu.Unlock()
				return log.Write(p)
			}), &slog.HandlerOptions{Level: level}))))
			expect(t, 200, http.DefaultClient, "GET", sb.FHIRURL()+"/metadata?_summary=true", "")
			expect(t, 400, http.DefaultClient, "POST", sb.TokenURL(), "grant_type=client_credentials&scope=system/Patient.rs", "Content-Type", "application/x-www-form-urlencoded")
			sb.Close()
			mu.Lock()
			defer mu.Unlock()
			if level > slog.LevelDebug {
				if log.Len() > 0 {
					t.Errorf("got %s, want nothing", &log)
				}
				return
			}
			page := regexp.QuoteMeta(sb.URL()) + `/_sandbox/exchanges/[0-9a-f]{32}\n`
			for _, want := range []string{
				`level=DEBUG msg=exchange method=GET path="/fhir/metadata\?_summary=true" status=200 took=\S+s page=` + page,
				`level=DEBUG msg=exchange method=POST path=/auth/token status=400 took=\S+s check=SB-TOK-03 page=` + page,
			} {
				if !regexp.MustCompile(want).MatchString(log.String()) {
					t.Errorf("no line %s in\n%s", want, &log)
				}
			}
		})
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
