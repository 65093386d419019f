package gotest_test

import (
	"testing"

	"github.com/sandfhir/sandfhir/examples/gotest"
	"github.com/sandfhir/sandfhir/sandbox"
)

func TestCountPatients(t *testing.T) {
	t.Parallel()
	sb := sandbox.Start(t)
	got, err := gotest.CountPatients(sb.DefaultClient().HTTPClient("system/Patient.rs"), sb.FHIRURL())
	if err != nil || got != sandbox.DefaultPatients {
		t.Errorf("CountPatients = %d, %v; want %d", got, err, sandbox.DefaultPatients)
	}
}
