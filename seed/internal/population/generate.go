package population

import (
	"context"
	"time"

	"github.com/sandfhir/sandfhir/seed/internal/fhirjson"
)

// An EmitFunc takes one resource. It owns json, one compact line. An error ends the generation.
type EmitFunc func(resourceType, id, organization string, at time.Time, json []byte) error

// Generate makes a population and emits it resource after resource: the context that patients
// share, then patient after patient with everything about them, then the groups. What it keeps
// from patient to patient is no more than who is a member of which group.
//
// It returns the error of emit as it is, or that of ctx.
func Generate(ctx context.Context, seed uint64, patients int, asOf time.Time, emit EmitFunc) error {
	w := newWorld(seed)
	out := &sink{emit: emit, latest: asOf}
	writeWorld(out, w)
	rolls := newRolls()
	for n := 1; n <= patients && out.err == nil; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		l := newLife(seed, n, asOf, w)
		(&scribe{life: l, sink: out, instants: newStream(seed, "instants", n)}).write()
		rolls.enter(l)
	}
	writeGroups(out, rolls)
	return out.err
}

// A sink takes resources as they are written and passes them on. After an error it takes no more.
type sink struct {
	fhirjson.Writer
	emit   EmitFunc
	latest time.Time // no resource is later
	err    error

	openType, openID string // of the resource that is being written
}

// begin opens a resource that claims the profiles and says that it is test data.
func (s *sink) begin(resourceType, id string, profiles ...string) {
	s.openType, s.openID = resourceType, id
	s.Reset()
	s.Object("")
	s.String("resourceType", resourceType)
	s.String("id", id)
	s.Object("meta")
	if len(profiles) > 0 {
		s.Strings("profile", profiles...)
	}
	s.Array("security")
	s.Coding("", testData)
	s.EndArray()
	s.End()
}

// finish closes the resource and emits it as last updated at an instant, or at the population's
// own where that comes first.
func (s *sink) finish(organization string, at time.Time) {
	s.End()
	if s.err != nil {
		return
	}
	at = earlier(at, s.latest).Truncate(time.Millisecond)
	s.err = s.emit(s.openType, s.openID, organization, at, append([]byte(nil), s.Bytes()...))
}
