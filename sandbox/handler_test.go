package sandbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/sandbox"
)

func TestHandlerInAServerOfOnesOwn(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		prefix string
		serve  func(http.Handler) *httptest.Server
	}{
		{"plain", "", httptest.NewServer},
		{"TLS", "", httptest.NewTLSServer},
		{"below a path", "/sandboxes/one", httptest.NewServer},
		{"TLS below a path", "/sandboxes/one", httptest.NewTLSServer},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			sb, err := sandbox.New(t.Context(), sandbox.WithPatients(2), sandbox.WithExportDuration(0))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := sb.Close(); err != nil {
					t.Error(err)
				}
			})
			ts := tt.serve(http.StripPrefix(tt.prefix, sb.Handler()))
			t.Cleanup(ts.Close)
			base := ts.URL + tt.prefix
			client := sb.DefaultClient().At(base+"/", ts.Client())
			if client.FHIRURL() != base+"/fhir" || client.TokenURL() != base+"/auth/token" {
				t.Errorf("got %s and %s, want them below %s", client.FHIRURL(), client.TokenURL(), base)
			}
			hc := client.HTTPClient()

			_, text := expect(t, http.StatusOK, ts.Client(), http.MethodGet, base+"/.well-known/smart-configuration", "")
			var discovered struct {
				Token string `json:"token_endpoint"`
			}
			if err := json.Unmarshal([]byte(text), &discovered); err != nil || discovered.Token != client.TokenURL() {
				t.Errorf("discovery: got token endpoint %q (%v), want %q", discovered.Token, err, client.TokenURL())
			}
			resp, _ := expect(t, http.StatusAccepted, hc, http.MethodGet, client.FHIRURL()+"/$export", "", "Accept", "application/fhir+json", "Prefer", "respond-async")
			status := resp.Header.Get("Content-Location")
			if !strings.HasPrefix(status, base+"/fhir/") {
				t.Fatalf("got Content-Location %q, want it below %s", status, base)
			}
			_, text = expect(t, http.StatusOK, hc, http.MethodGet, status, "")
			var manifest struct{ Output []struct{ Type, URL string } }
			if err := json.Unmarshal([]byte(text), &manifest); err != nil || len(manifest.Output) == 0 {
				t.Fatalf("got manifest %s (%v), want files", text, err)
			}
			for _, f := range manifest.Output {
				if !strings.HasPrefix(f.URL, base+"/fhir/") {
					t.Errorf("got file %q, want it below %s", f.URL, base)
				}
				expect(t, http.StatusOK, hc, http.MethodGet, f.URL, "")
			}

			resp, _ = expect(t, http.StatusCreated, hc, http.MethodPost, client.FHIRURL()+"/Patient", `{"resourceType":"Patient"}`, "Content-Type", "application/fhir+json")
			if at := resp.Header.Get("Location"); !strings.HasPrefix(at, base+"/fhir/Patient/") {
				t.Errorf("got Location %q, want it below %s", at, base)
			}
		})
	}
}

// A handler and a listener show one server.
func TestHandlerBesideListen(t *testing.T) {
	t.Parallel()
	sb := start(t)
	ts := httptest.NewServer(sb.Handler())
	defer ts.Close()
	put(t, http.StatusCreated, sb.DefaultClient().At(ts.URL, nil).HTTPClient(), ts.URL+"/fhir", "mine")
	token, err := sb.DefaultClient().Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{sb.URL(), ts.URL} {
		expect(t, http.StatusOK, http.DefaultClient, http.MethodGet, at+"/fhir/Patient/mine", "", "Authorization", "Bearer "+token.AccessToken)
	}
}

func TestListenOn(t *testing.T) {
	t.Parallel()
	sb, err := sandbox.New(t.Context(), sandbox.WithPatients(1))
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := sb.ListenOn(ln); err != nil {
		t.Fatal(err)
	}
	if want := "http://" + ln.Addr().String(); sb.URL() != want {
		t.Errorf("got URL %q, want %q", sb.URL(), want)
	}
	expect(t, http.StatusOK, http.DefaultClient, http.MethodGet, sb.URL()+"/livez", "")
	impatient, cancel := context.WithCancel(t.Context())
	cancel()
	if err := sb.Wait(impatient); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait returned %v while the server serves, want that its context has ended", err)
	}
	waited := make(chan error, 1)
	go func() { waited <- sb.Wait(t.Context()) }()
	if err := sb.Close(); err != nil {
		t.Error(err)
	}
	if err := <-waited; err != nil {
		t.Errorf("Wait returned %v, want nil after Close", err)
	}
	again, err := net.Listen("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if err := sb.ListenOn(again); !errors.Is(err, sandbox.ErrClosed) {
		t.Errorf("a closed server listens: %v", err)
	}
	if err := again.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a listener that was refused stayed open: %v", err)
	}
}

// A brokenListener fails instead of accepting.
type brokenListener struct{ net.Listener }

func (brokenListener) Accept() (net.Conn, error) { return nil, errors.New("no more files") }

func TestWaitTellsOfAListenerThatFails(t *testing.T) {
	t.Parallel()
	sb := start(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := sb.ListenOn(brokenListener{ln}); err != nil {
		t.Fatal(err)
	}
	if err := sb.Wait(t.Context()); err == nil || !strings.Contains(err.Error(), "no more files") {
		t.Errorf("got %v, want the listener's error", err)
	}
	expect(t, http.StatusOK, http.DefaultClient, http.MethodGet, sb.URL()+"/livez", "") // the other one goes on
	if err := sb.Close(); err == nil || !strings.Contains(err.Error(), "no more files") {
		t.Errorf("Close returned %v, want the listener's error", err)
	}
}

func TestURLs(t *testing.T) {
	t.Parallel()
	sb := start(t)
	fixed := start(t, sandbox.WithBaseURL("https://sandbox.example.org/fhir-sandbox/"))
	for _, tt := range []struct{ name, got, want string }{
		{"FHIR", sb.FHIRURL(), sb.URL() + "/fhir"},
		{"token", sb.TokenURL(), sb.URL() + "/auth/token"},
		{"discovery", sb.SMARTConfigurationURL(), sb.URL() + "/fhir/.well-known/smart-configuration"},
		{"registration", sb.RegistrationURL(), sb.URL() + "/auth/register"},
		{"portal", sb.PortalURL(), sb.URL() + "/"},
		{"production's FHIR", sb.Production().FHIRURL(), sb.URL() + "/production/fhir"},
		{"production's token", sb.Production().TokenURL(), sb.URL() + "/production/auth/token"},
		{"production's discovery", sb.Production().SMARTConfigurationURL(), sb.URL() + "/production/fhir/.well-known/smart-configuration"},
		{"fixed", fixed.TokenURL(), "https://sandbox.example.org/fhir-sandbox/auth/token"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, tt.got, tt.want)
		}
	}
	for _, at := range []string{sb.SMARTConfigurationURL(), sb.Production().SMARTConfigurationURL()} {
		_, text := expect(t, http.StatusOK, http.DefaultClient, http.MethodGet, at, "")
		if !strings.Contains(text, strings.TrimSuffix(at, "/fhir/.well-known/smart-configuration")+"/auth/token") {
			t.Errorf("%s does not name its token endpoint: %s", at, text)
		}
	}
}
