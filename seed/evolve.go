package seed

import (
	"context"

	"github.com/sandfhir/sandfhir/seed/internal/population"
)

// A Change is what has become of one resource while a population moved on.
type Change struct {
	// Resource is the resource as it is now. Of one that is gone JSON is nil.
	Resource

	// New is set where there was no such resource before.
	New bool
}

// Deleted tells that the resource is gone.
func (c Change) Deleted() bool { return c.JSON == nil }

// Patient returns the id of the patient whom a resource of a population is about, or who it is;
// empty of what patients share.
func (r Resource) Patient() string {
	const form = "pt-000000"
	if len(r.ID) < len(form) || r.ID[:3] != form[:3] {
		return ""
	}
	return r.ID[:len(form)]
}

// Evolve moves the population on by so many days and calls emit for each resource that is new,
// has changed or is gone, patient after patient, the Groups last: visits and what they leave
// behind, results that turn out to have been wrong (status corrected), conditions that pass,
// prescriptions that end, claims that are paid, deaths; records that are merged (Patient.link) or
// erased, members who leave their payer's Group or join it, and people who are registered.
//
// Afterwards the population is what it is with Days raised by days: evolving by ten days and by
// twenty comes to the same as evolving by thirty, and so does generating it then. Nothing is
// emitted twice. At is the instant of the population at which something happened; a store that
// is to tell its clients what is new uses its own.
//
// Evolve stops at the first error of emit and returns it as it is; it returns the error of ctx
// when that ends between two patients, and an error of Validate, for the population before or
// after, before anything is emitted.
func (p Population) Evolve(ctx context.Context, days int, emit func(Change) error) error {
	after := p
	after.Days += max(days, 0)
	for _, q := range []Population{p, after} {
		if err := q.Validate(); err != nil {
			return err
		}
	}
	if p.Patients == 0 || days <= 0 {
		return ctx.Err()
	}
	return population.Evolve(ctx, p.blueprint(), days, func(c population.Change) error {
		return emit(Change{New: c.New, Resource: Resource{Type: c.Type, ID: c.ID, Organization: c.Organization, At: c.At, JSON: c.JSON}})
	})
}
