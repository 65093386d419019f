package fhirstore

import (
	"context"
	"errors"
	"fmt"
)

// An Interaction is a kind of change (FHIR R4, http).
type Interaction uint8

// The interactions.
const (
	Create Interaction = iota + 1
	Update
	Patch
	Delete
)

// A Change is what a store is asked to write.
type Change struct {
	Interaction Interaction
	Type        string
	// ID is the id of the resource that is meant; empty for a create, and where
	// Criteria say which one it is.
	ID string
	// Criteria find the resource that an update, patch or delete is about, or the
	// one that makes a create superfluous; nil for none. See Store.Criteria.
	Criteria *Query
	// Condition is what the current state has to be for anything to change.
	Condition Condition
	// Body is the resource of a create or an update, in JSON.
	Body []byte
	// Patch makes the next version of the JSON of the current one, which it must
	// not change. While it runs nobody else writes.
	Patch func(json []byte) ([]byte, error)
	// FullURL is the name by which the bodies of other changes of a transaction
	// refer to the resource; empty for none.
	FullURL string
}

// A Condition is what a write asks of the current state (FHIR R4, http,
// managing resource contention).
type Condition struct {
	IfMatch     string // a version id without quotes and W/, or "*"; empty for none
	IfNoneMatch bool   // If-None-Match: *: only where there is no live resource
}

func (c Condition) check(typ, id string, r *row) error {
	live := r != nil && r.live
	if c.IfNoneMatch && live {
		return &ConflictError{Type: typ, ID: id, Want: "If-None-Match: *", Current: r.vid}
	}
	if c.IfMatch == "" {
		return nil
	}
	if !live {
		return &ConflictError{Type: typ, ID: id, Want: "If-Match: " + c.IfMatch}
	}
	if c.IfMatch != "*" && c.IfMatch != fmt.Sprint(r.vid) {
		return &ConflictError{Type: typ, ID: id, Want: "version " + c.IfMatch, Current: r.vid}
	}
	return nil
}

// A Changed is what became of a Change.
type Changed struct {
	// Resource is the version that was written, a tombstone for a deletion. It is
	// nil where a delete found nothing to delete.
	Resource *Resource
	// Matched is set where a create found what it would have been superfluous to
	// create: Resource is that, and nothing was written.
	Matched bool
}

// Created reports whether the change made a resource, or revived a deleted one.
func (c Changed) Created() bool {
	return c.Resource != nil && c.Resource.Op == OpCreate && !c.Matched
}

// Change makes one change (FHIR R4, http, create, update, patch, delete and
// their conditional forms):
//
//   - A create stores a new resource under an id that the store chooses; id,
//     versionId and lastUpdated of the body are ignored. With Criteria it stores
//     nothing where a resource matches.
//   - An update stores the next version of a resource, or its first where there
//     is none. The body's id is that of the resource. With Criteria it may be
//     absent, and where nothing matches the resource gets the body's id, or one
//     that the store chooses; for that a view needs the letter c, too.
//   - A patch stores what Patch makes of a resource as its next version, also
//     where that is what it was. resourceType, id, meta.versionId and
//     meta.lastUpdated have to stay as they are.
//   - A delete stores a tombstone. Where there is nothing it does nothing.
//
// Only what the view may search for matches Criteria. The errors are
// *fhirjson.SyntaxError, *InvalidError and those of Options.Check for what
// cannot be stored; *ForbiddenError; *ConflictError; *NotFoundError,
// *GoneError and *ImmutableError of a patch and whatever Patch returns; and
// with Criteria *NoMatchError, *MultipleMatchesError, and *IDTakenError where
// the body's id belongs to a resource that does not match.
func (s *Store) Change(ctx context.Context, v View, c Change) (Changed, error) {
	p, err := s.prepare(ctx, v, c)
	if err != nil {
		return Changed{}, err
	}
	if c.Interaction == Delete { // where there is nothing, a store that stands on a base need not copy it
		d := s.cur.Load()
		if err := p.locate(ctx, d); err != nil {
			return Changed{}, err
		}
		if !p.live() {
			return Changed{}, p.allowed(ctx, d)
		}
	}
	err = s.write(ctx, func(tx *writeTx) error {
		if err := p.locate(ctx, tx.data()); err != nil {
			return err
		}
		return p.write(ctx, tx)
	})
	if errors.Is(err, errNothingToDo) {
		err = nil
	}
	return p.changed, err
}

// errNothingToDo ends a write that turned out to change nothing.
var errNothingToDo = errors.New("nothing to do")

// Create makes a create without Criteria: see Change.
func (s *Store) Create(ctx context.Context, v View, typ string, body []byte) (*Resource, error) {
	done, err := s.Change(ctx, v, Change{Interaction: Create, Type: typ, Body: body})
	return done.Resource, err
}

// Update makes an update by id: see Change. created is true also where it
// revives a deleted resource.
func (s *Store) Update(ctx context.Context, v View, typ, id string, body []byte, cond Condition) (res *Resource, created bool, err error) {
	done, err := s.Change(ctx, v, Change{Interaction: Update, Type: typ, ID: id, Body: body, Condition: cond})
	return done.Resource, done.Created(), err
}

// Patch makes a patch by id: see Change. apply makes the next version of the
// JSON of the current one, which it must not change.
func (s *Store) Patch(ctx context.Context, v View, typ, id string, cond Condition, apply func(json []byte) ([]byte, error)) (*Resource, error) {
	done, err := s.Change(ctx, v, Change{Interaction: Patch, Type: typ, ID: id, Condition: cond, Patch: apply})
	return done.Resource, err
}

// Delete makes a delete by id: see Change. It returns the tombstone, or nil
// where there was nothing.
func (s *Store) Delete(ctx context.Context, v View, typ, id string, cond Condition) (*Resource, error) {
	done, err := s.Change(ctx, v, Change{Interaction: Delete, Type: typ, ID: id, Condition: cond})
	return done.Resource, err
}
