package httpapi

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/internal/workspace"
	"github.com/sandfhir/sandfhir/web"
)

// clockPage shows the clock to a person. written is what was asked for and cannot
// be, because of problem.
func (l *call) clockPage(done, written, problem string) error {
	c := l.workspace.Clock
	return l.page(web.ClockPage{
		Site: l.site(), Here: "clock", Now: c.Now(), Real: l.workspace.Wall.Now(), Frozen: c.Frozen(), Written: written, Done: done, Problem: problem,
	})
}

// setClockByForm moves the clock, or has tokens expire, as the page's forms say.
func (l *call) setClockByForm() error {
	form, err := l.readPageForm()
	if err != nil {
		return err
	}
	if form.Get("expire") != "" {
		if err := l.workspace.Control().ExpireTokens(l.UserContext()); err != nil {
			return err
		}
		return l.clockPage("All access tokens have expired.", "", "")
	}
	change := clockChange{Advance: form.Get("advance"), Set: form.Get("set")}
	if freeze := form.Get("freeze"); freeze != "" {
		yes := freeze == "yes"
		change.Freeze = &yes
	}
	if form.Get("real") != "" {
		no := false
		change.Freeze, change.Set = &no, l.workspace.Wall.Now().Format(time.RFC3339Nano)
	}
	if err := l.changeClock(change); err != nil {
		l.Status(fiber.StatusBadRequest)
		return l.clockPage("", change.Advance, problemText(err))
	}
	return l.Redirect("clock", fiber.StatusSeeOther)
}

// problemText is a refusal as pages show it.
func problemText(err error) string {
	if refused := (*httpError)(nil); errors.As(err, &refused) {
		return sentence(refused.message)
	}
	return sentence(err.Error())
}

func (l *call) snapshotsPage(done, problem string) error {
	list, err := l.workspace.Snapshots()
	if err != nil {
		return err
	}
	page := web.SnapshotsPage{Site: l.site(), Here: "snapshots", State: "state", StateURL: l.root + l.prefix + "/_sandbox/state", Done: done, Problem: problem}
	for _, s := range list {
		page.Snapshots = append(page.Snapshots, web.Snapshot{Name: s.Name, At: s.Created})
	}
	return l.page(page)
}

// snapshotForm takes, restores or removes a snapshot, or has the workspace begin
// anew, as the page's forms say.
func (l *call) snapshotForm() error {
	form, err := l.readPageForm()
	if err != nil {
		return err
	}
	var done string
	switch {
	case form.Get("restore") != "":
		done = form.Get("restore") + " is restored."
		err = l.workspace.Restore(l.UserContext(), form.Get("restore"))
	case form.Get("remove") != "":
		done = form.Get("remove") + " is removed."
		err = l.workspace.DeleteSnapshot(form.Get("remove"))
	case form.Get("reset") != "":
		done = "This world is as at its start."
		err = l.workspace.Reset(l.UserContext())
	default:
		done = form.Get("take") + " is taken."
		_, err = l.workspace.TakeSnapshot(l.UserContext(), form.Get("take"))
	}
	if refused := (*httpError)(nil); errors.As(snapshotRefusal(err), &refused) {
		l.Status(refused.status)
		return l.snapshotsPage("", sentence(err.Error()))
	}
	if err != nil {
		return err
	}
	return l.snapshotsPage(done, "")
}

func (l *call) worldsPage(worlds *workspace.Worlds, problem string) error {
	page := web.WorldsPage{Site: l.site(), Here: "workspaces", Endpoint: l.root + "/_sandbox/workspaces", Problem: problem}
	for _, known := range l.workspace.Behaviours() {
		page.Behaviours = append(page.Behaviours, known.Name)
	}
	for _, w := range worlds.List() {
		v := l.worldView(w)
		page.Worlds = append(page.Worlds, web.World{
			Name: w.Name, Page: l.workspacePath() + "w/" + url.PathEscape(w.Name) + "/", FHIR: v.FHIR, Behaviour: v.Behaviour, Made: w.Created, Ends: w.Ends,
		})
	}
	return l.page(page)
}

// worldForm makes or ends a workspace, as the page's forms say.
func (l *call) worldForm(worlds *workspace.Worlds) error {
	form, err := l.readPageForm()
	if err != nil {
		return err
	}
	if name := form.Get("end"); name != "" {
		if w := worlds.World(name); w != nil { // one that is gone already is gone
			ctx, cancel := context.WithTimeout(l.UserContext(), worldGrace)
			defer cancel()
			if err := worlds.End(ctx, w); err != nil && !errors.Is(err, context.DeadlineExceeded) {
				return err
			}
		}
		return l.Redirect("workspaces", fiber.StatusSeeOther)
	}
	asked := worldAsked{Name: form.Get("name"), TTL: form.Get("ttl"), Behaviour: form.Get("behaviour"), Empty: form.Get("data") == "empty"}
	if _, err = l.newWorld(worlds, asked); err != nil {
		refused := (*httpError)(nil)
		if !errors.As(err, &refused) {
			return err
		}
		l.Status(refused.status)
		return l.worldsPage(worlds, sentence(refused.message))
	}
	return l.Redirect("workspaces", fiber.StatusSeeOther)
}
