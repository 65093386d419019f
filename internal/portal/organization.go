package portal

import (
	"context"
	"fmt"
	"slices"
)

// An Organization is a payer or provider whose data a service may be bound to.
type Organization struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Kind is its Organization.type as FHIR R4's organization-type has it, such
	// as pay or prov; "" where it has none.
	Kind string `json:"kind,omitempty"`
	// PartOf is the id of the organization above it, or "". That one sees its
	// data too.
	PartOf string `json:"part_of,omitempty"`
}

// MaxOrganizations is how many organizations a portal offers.
const MaxOrganizations = 500

// checkOrganization refuses an organization that there is not. An environment
// with more than a portal offers has it looked up by nobody: any id will do.
func (p *Portal) checkOrganization(ctx context.Context, id string, wrong func(Field, string, string)) error {
	if id == "" {
		return nil
	}
	list, err := p.Organizations(ctx)
	if err != nil {
		return fmt.Errorf("list organizations: %w", err)
	}
	known := slices.ContainsFunc(list, func(o Organization) bool { return o.ID == id })
	if !known && len(list) < MaxOrganizations {
		wrong(FieldOrganization, "There is no Organization "+quoted(id)+" in the sandbox.", "Take the id of one that /portal/api/organizations lists, or none for all data.")
	}
	return nil
}
