package httpapi

import (
	"errors"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/workspace"
)

// reset has the workspace begin anew.
func (l *call) reset() error {
	if err := l.workspace.Reset(l.UserContext()); err != nil {
		return err
	}
	return l.json(fiber.StatusOK, doneView{"reset"})
}

// A snapshotView is a snapshot as the control surface shows it.
type snapshotView struct {
	Name    string `json:"name"`
	Created string `json:"created" jsonschema:"in real time"`
}

type snapshotList struct {
	Snapshots []snapshotView `json:"snapshots"`
}

type restoredView struct {
	Restored string `json:"restored"`
}

func viewOfSnapshot(s *workspace.Snapshot) snapshotView {
	return snapshotView{s.Name, fhirstore.FormatInstant(s.Created)}
}

// listSnapshots lists the snapshots; to a browser as a page.
func (l *call) listSnapshots() error {
	if l.wantsPage() {
		return l.snapshotsPage("", "")
	}
	list, err := l.workspace.Snapshots()
	if err != nil {
		return err
	}
	views := make([]snapshotView, len(list))
	for i, s := range list {
		views[i] = viewOfSnapshot(s)
	}
	return l.json(fiber.StatusOK, snapshotList{views})
}

// takeSnapshot keeps what the workspace holds under a name, in the place of what
// has it.
func (l *call) takeSnapshot() error {
	s, err := l.workspace.TakeSnapshot(l.UserContext(), l.Params("name"))
	if err != nil {
		return snapshotRefusal(err)
	}
	return l.json(fiber.StatusCreated, viewOfSnapshot(s))
}

func (l *call) restoreSnapshot() error {
	name := l.Params("name")
	if err := l.workspace.Restore(l.UserContext(), name); err != nil {
		return snapshotRefusal(err)
	}
	return l.json(fiber.StatusOK, restoredView{name})
}

func (l *call) deleteSnapshot() error {
	if err := l.workspace.DeleteSnapshot(l.Params("name")); err != nil {
		return snapshotRefusal(err)
	}
	return l.SendStatus(fiber.StatusNoContent)
}

func snapshotRefusal(err error) error {
	switch {
	case errors.Is(err, workspace.ErrSnapshotName):
		return badRequest("value", err.Error())
	case errors.Is(err, workspace.ErrNoSnapshot):
		return notFound("there is no snapshot of this name; GET /_sandbox/snapshots lists what there is")
	}
	return err
}
