package fhirstore

import (
	"fmt"
	"time"
)

// A NotFoundError says that a resource, or that version of it, never existed.
type NotFoundError struct {
	Type, ID string
	Version  string // empty where the resource itself was asked for
}

func (e *NotFoundError) Error() string {
	if e.Version != "" {
		return fmt.Sprintf("%s/%s has no version %q", e.Type, e.ID, e.Version)
	}
	return fmt.Sprintf("there is no %s with id %q", e.Type, e.ID)
}

// A NotMemberError says that an export names a patient who is no member of its
// group.
type NotMemberError struct{ Group, Patient string }

func (e *NotMemberError) Error() string {
	return fmt.Sprintf("Patient/%s is no member of Group/%s", e.Patient, e.Group)
}

// A GoneError says that a resource was deleted, or that the version asked for
// is the one that records its deletion.
type GoneError struct {
	Type, ID string
	Version  int64 // the version that records the deletion
	At       time.Time
}

func (e *GoneError) Error() string {
	return fmt.Sprintf("%s/%s was deleted at %s (version %d)", e.Type, e.ID, FormatInstant(e.At), e.Version)
}

// Reason tells why a view does not allow something.
type Reason int

const (
	// NoLetter: no permission has the letter for the type.
	NoLetter Reason = iota
	// OutsideQuery: the letter is there, but the resource, as it is or as it
	// would become, is outside every query that narrows the permission.
	OutsideQuery
	// OtherOrganization: the resource belongs to an organization that the view
	// does not include.
	OtherOrganization
	// OfNobody: the resource belongs to no organization. A view that is bound to
	// some does not change it, and does not see it where it is a Group.
	OfNobody
)

// A ForbiddenError says that the view does not allow an interaction.
type ForbiddenError struct {
	Reason       Reason
	Type, ID     string // ID is empty where no single resource is meant
	Letter       Letters
	Queries      []string // with OutsideQuery: the queries that narrow the permission
	Organization string   // with OtherOrganization: whose resource it is
}

func (e *ForbiddenError) Error() string {
	name := e.Type
	if e.ID != "" {
		name += "/" + e.ID
	}
	switch e.Reason {
	case OutsideQuery:
		return fmt.Sprintf("%s does not match the constraint under which %s.%s was granted: %v", name, e.Type, e.Letter, e.Queries)
	case OtherOrganization:
		return fmt.Sprintf("%s belongs to Organization/%s", name, e.Organization)
	case OfNobody:
		return name + " belongs to no organization"
	default:
		return fmt.Sprintf("%s.%s is not granted", e.Type, e.Letter)
	}
}

// A ConflictError says that a write's condition does not hold: If-Match names
// another version, or If-None-Match: * met an existing resource.
type ConflictError struct {
	Type, ID string
	Want     string // the condition as it was given
	Current  int64  // the current version; 0 where there is none
}

func (e *ConflictError) Error() string {
	if e.Current == 0 {
		return fmt.Sprintf("%s/%s does not exist, but the write asks for %s", e.Type, e.ID, e.Want)
	}
	return fmt.Sprintf("%s/%s is at version %d, but the write asks for %s", e.Type, e.ID, e.Current, e.Want)
}

// A NoMatchError says that the criteria of a conditional write find nothing that
// it could be made of. Want is the condition that asks for something to be there,
// or "".
type NoMatchError struct{ Type, Want string }

func (e *NoMatchError) Error() string {
	text := fmt.Sprintf("no %s matches the criteria", e.Type)
	if e.Want != "" {
		text += ", but the write asks for " + e.Want
	}
	return text
}

// A MultipleMatchesError says that the criteria of a conditional write find more
// than one resource, so that none of them can be meant.
type MultipleMatchesError struct{ Type string }

func (e *MultipleMatchesError) Error() string {
	return fmt.Sprintf("the criteria match several resources of the type %s; a conditional write needs them to match one at most", e.Type)
}

// An IDTakenError says that a conditional write would create a resource under an
// id that a resource has which the criteria do not find.
type IDTakenError struct{ Type, ID string }

func (e *IDTakenError) Error() string {
	return fmt.Sprintf("no resource matches the criteria, and %s/%s cannot be created: there is one by that id", e.Type, e.ID)
}

// An ImmutableError says that a patch changes what only the store sets.
type ImmutableError struct{ Type, ID, Element string }

func (e *ImmutableError) Error() string {
	return fmt.Sprintf("a patch of %s/%s cannot change %s", e.Type, e.ID, e.Element)
}

// An InvalidError says that a resource cannot be stored as it is. Code is from
// the FHIR issue-type code system: structure, invalid, required, value.
type InvalidError struct {
	Code       string
	Expression string // FHIRPath of the element at fault, where there is one
	Message    string
}

func (e *InvalidError) Error() string { return e.Message }

// A QueryError says that a search cannot be done as it was asked. Code is from
// the FHIR issue-type code system: not-supported, value, invalid, required.
type QueryError struct {
	Code      string
	Parameter string
	Message   string
}

func (e *QueryError) Error() string { return e.Message }

// An OverlapError says that two changes of a transaction are about the same
// resource, so that what comes of them depends on their order.
type OverlapError struct {
	Other    int // index of the other change
	Type, ID string
	Matched  bool // the other change writes it, and the criteria of this one match it then
}

func (e *OverlapError) Error() string {
	if e.Matched {
		return fmt.Sprintf("its criteria match %s/%s, which another change of the transaction writes", e.Type, e.ID)
	}
	return fmt.Sprintf("%s/%s is what another change of the transaction is about", e.Type, e.ID)
}

// A ReferenceError says why a conditional reference leads nowhere: Err is a
// *NoMatchError, a *MultipleMatchesError, a *QueryError or a *ForbiddenError.
type ReferenceError struct {
	Reference  string
	Expression string // FHIRPath of the element
	Err        error
}

func (e *ReferenceError) Error() string {
	return "the conditional reference " + e.Reference + ": " + e.Err.Error()
}

// Unwrap returns the reason.
func (e *ReferenceError) Unwrap() error { return e.Err }

// A DuplicateError says that a load has the same resource twice.
type DuplicateError struct{ Type, ID string }

func (e *DuplicateError) Error() string {
	return fmt.Sprintf("%s/%s is in this load already", e.Type, e.ID)
}
