package population

import (
	"bytes"
	"context"
	"time"
)

// A Change is what has become of one resource.
type Change struct {
	Type, ID, Organization string
	At                     time.Time
	JSON                   []byte // nil: it is gone
	New                    bool   // it was not there before
}

// Evolve emits how a population differs from the same one so many days later, patient after
// patient: what is new, what has changed, what is gone. The groups come last. It makes both and
// compares them, one patient at a time.
//
// It returns the error of emit as it is, or that of ctx.
func Evolve(ctx context.Context, before Blueprint, days int, emit func(Change) error) error {
	after := before
	after.Days += days
	w := newWorld(before.Seed)
	d := &difference{emit: emit}
	past := &sink{latest: before.now(), emit: d.was}
	present := &sink{latest: after.now(), emit: d.is}
	old, young := newRolls(), newRolls()
	for n := 1; n <= after.head(); n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if n <= before.head() {
			write(past, before, n, w, old)
		}
		write(present, after, n, w, young)
		if err := d.settle(past, present); err != nil {
			return err
		}
	}
	writeGroups(past, old)
	writeGroups(present, young)
	return d.settle(past, present)
}

// A difference compares resources of two states of the same thing.
type difference struct {
	emit  func(Change) error
	old   []Change
	place map[string]int // in old, by type and id
}

// was takes a resource as it was. It is an EmitFunc.
func (d *difference) was(resourceType, id, organization string, at time.Time, json []byte) error {
	if d.place == nil {
		d.place = make(map[string]int)
	}
	d.place[resourceType+"/"+id] = len(d.old)
	d.old = append(d.old, Change{Type: resourceType, ID: id, Organization: organization, At: at, JSON: json})
	return nil
}

// is takes a resource as it is. It is an EmitFunc.
func (d *difference) is(resourceType, id, organization string, at time.Time, json []byte) error {
	i, known := d.place[resourceType+"/"+id]
	if known {
		same := bytes.Equal(d.old[i].JSON, json)
		d.old[i].Type = "" // accounted for
		if same {
			return nil
		}
	}
	return d.emit(Change{Type: resourceType, ID: id, Organization: organization, At: at, JSON: json, New: !known})
}

// settle emits what is gone, the last things first, so that nothing is left that refers to what is
// gone already.
func (d *difference) settle(past, present *sink) error {
	for _, err := range []error{past.err, present.err} {
		if err != nil {
			return err
		}
	}
	for i := len(d.old) - 1; i >= 0; i-- {
		gone := d.old[i]
		if gone.Type == "" {
			continue
		}
		gone.At, gone.JSON = present.latest, nil
		if err := d.emit(gone); err != nil {
			return err
		}
	}
	d.old = d.old[:0]
	clear(d.place)
	return nil
}
