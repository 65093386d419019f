package httpapi_test

import (
	"testing"

	"github.com/sandfhir/sandfhir/internal/validation"
)

// TestOwnResourcesAreValid judges the resources that the server itself makes.
func TestOwnResourcesAreValid(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all
	p.put(t, "/Patient/mine", patient("mine")).want(t, 201)
	p.put(t, "/Patient/mine", patient("mine")).want(t, 200)
	p.send(t, "DELETE", "/Patient/mine", "").want(t, 204)
	for _, a := range []*answer{
		w.at().get(t, "/fhir/metadata"),
		w.at().get(t, "/production/fhir/metadata"),
		p.get(t, "/Patient?_count=2"),
		p.get(t, "/Patient?_summary=count"),
		p.get(t, "/Patient?nonsense=1"),
		p.get(t, "/Observation?_count=5&_include=Observation:subject"),
		p.get(t, "/Patient/mine/_history"),
		p.get(t, "/Patient/mine"),
		p.get(t, "/Nothing/x"),
		p.post(t, "/Patient", `{"foo":1,"resourceType":"Patient","gender":"x"}`),
		p.post(t, "/Patient/$validate", patient("x")),
		w.stranger().get(t, "/Patient/x"),
	} {
		for _, i := range validation.R4().Validate(a.body, validation.Options{ErrorsOnly: true}) {
			t.Errorf("%s: %s (%s)", a.request, i.Message, i.Code)
		}
	}
}
