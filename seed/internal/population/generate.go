package population

import (
	"context"
	"time"

	"github.com/sandfhir/sandfhir/seed/internal/fhirwrite"
)

// A Blueprint is all that a population depends on.
type Blueprint struct {
	Seed     uint64
	Patients int       // there are at first
	AsOf     time.Time // ages and histories count back from it
	Days     int       // that have passed since, at most MaxDays
	Richness Richness
}

// MaxDays is for how many days after AsOf lives are planned.
const MaxDays = 730

// A Richness is how much is known of people.
type Richness int

// The degrees of richness: typical histories of less than a year, of two to three years, and of ten.
const (
	Usual Richness = iota
	Small
	Full
)

// now is the instant at which the population is seen.
func (b Blueprint) now() time.Time { return b.AsOf.Add(time.Duration(b.Days) * day) }

// An EmitFunc takes one resource. It owns json, one compact line. An error ends the generation.
type EmitFunc func(resourceType, id, organization string, at time.Time, json []byte) error

// Generate makes a population and emits it resource after resource: the context that patients
// share, then patient after patient with everything about them, then the groups. What it keeps
// from patient to patient is no more than who is a member of which group.
//
// It returns the error of emit as it is, or that of ctx.
func Generate(ctx context.Context, b Blueprint, emit EmitFunc) error {
	w := newWorld(b.Seed)
	out := &sink{emit: emit, latest: b.now()}
	writeWorld(out, w, b.AsOf)
	rolls := newRolls()
	for n := 1; n <= b.head() && out.err == nil; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		write(out, b, n, w, rolls)
	}
	writeGroups(out, rolls)
	return out.err
}

// write writes everything about the n-th patient, if there is anything, and enters them into the
// rolls.
func write(out *sink, b Blueprint, n int, w *world, rolls *rolls) {
	if b.erased(n) {
		return
	}
	l := newLife(b, n, w)
	newScribe(l, b, out).write()
	rolls.enter(l, b)
}

// A sink takes resources as they are written and passes them on. After an error it takes no more.
type sink struct {
	fhirwrite.Writer
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
