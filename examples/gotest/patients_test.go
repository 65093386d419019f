package gotest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/examples/gotest"
	"github.com/sandfhir/sandfhir/sandbox"
)

// The server's clock makes tokens old between two pages.
func TestCountPatientsWhileTokensExpire(t *testing.T) {
	t.Parallel()
	sb := sandbox.Start(t)
	client := sb.DefaultClient().HTTPClient("system/Patient.rs")
	client.Transport = afterEach{client.Transport, func() { sb.Clock().Advance(6 * time.Minute) }}
	got, err := gotest.CountPatients(client, sb.FHIRURL())
	if err != nil || got != sandbox.DefaultPatients {
		t.Errorf("CountPatients = %d, %v; want %d", got, err, sandbox.DefaultPatients)
	}
}

// A client may not see everything, and the program has to say so.
func TestCountPatientsWithoutTheScope(t *testing.T) {
	t.Parallel()
	sb := sandbox.Start(t)
	observer, err := sb.RegisterClient(t.Context(), sandbox.ClientConfig{Scopes: []string{"system/Observation.rs"}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = gotest.CountPatients(observer.HTTPClient(), sb.FHIRURL())
	if err == nil || !strings.Contains(err.Error(), "403") {
		t.Errorf("CountPatients = %v; want an error with 403", err)
	}
}

// afterEach does something after every request.
type afterEach struct {
	http.RoundTripper
	then func()
}

func (a afterEach) RoundTrip(req *http.Request) (*http.Response, error) {
	defer a.then()
	return a.RoundTripper.RoundTrip(req)
}
