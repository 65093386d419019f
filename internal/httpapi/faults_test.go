package httpapi_test

import (
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/internal/bulk"
	"github.com/sandfhir/sandfhir/internal/exchange"
	"github.com/sandfhir/sandfhir/internal/fault"
	"github.com/sandfhir/sandfhir/internal/httpapi"
	"github.com/sandfhir/sandfhir/internal/workspace"
)

func TestFaultsActInFrontOfEveryHandler(t *testing.T) {
	t.Parallel()
	w, err := workspace.New(t.Context(), workspace.Config{Populations: workspace.NewPopulations(""), ExportLength: bulk.OnePoll})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	server := httpapi.New(httpapi.Config{Workspace: func(string) *workspace.Workspace { return w }})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go server.Serve(ln)
	defer server.Shutdown(t.Context())
	for _, r := range []fault.Rule{
		{Name: "busy once", Path: "/livez", Times: 1, Effect: fault.Effect{Status: 503, Header: map[string]string{"Retry-After": "7"}, Body: "busy"}},
		{Name: "dropped", Path: "/readyz", Effect: fault.Effect{Drop: true}},
		{Name: "late", Path: "/fhir/metadata", Effect: fault.Effect{Delay: time.Millisecond}},
	} {
		if err := w.Faults.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	get := func(path string) (*http.Response, error) {
		resp, err := http.Get("http://" + ln.Addr().String() + path)
		if err == nil {
			resp.Body.Close()
		}
		return resp, err
	}
	if resp, err := get("/livez"); err != nil || resp.StatusCode != 503 || resp.Header.Get("Retry-After") != "7" {
		t.Errorf("first request: %v, %v; want 503 with Retry-After", resp, err)
	}
	if resp, err := get("/livez"); err != nil || resp.StatusCode != 200 {
		t.Errorf("second request: %v, %v; want 200", resp, err)
	}
	if resp, err := get("/readyz"); err == nil {
		t.Errorf("a dropped request was answered with %s", resp.Status)
	}
	if resp, err := get("/fhir/metadata"); err != nil || resp.StatusCode != 200 {
		t.Errorf("a late answer: %v, %v; want 200", resp, err)
	}
	met := map[string]bool{}
	for _, e := range w.Exchanges.List(0, func(e *exchange.Exchange) bool { return e.Fault != "" }) {
		met[e.Fault] = true
	}
	if len(met) != 3 {
		t.Errorf("the exchanges tell of %v; want all three faults", met)
	}
}
