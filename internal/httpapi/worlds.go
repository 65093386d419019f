package httpapi

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/workspace"
)

// A worldView is a workspace beside the default one as the control surface shows
// it, with where everything in it is.
type worldView struct {
	Name       string          `json:"name"`
	Created    string          `json:"created" jsonschema:"in real time"`
	Ends       string          `json:"ends,omitempty" jsonschema:"in real time; never without it"`
	Behaviour  string          `json:"behaviour"`
	URL        string          `json:"url"`
	FHIR       string          `json:"fhir"`
	Token      string          `json:"token"`
	Register   string          `json:"registration"`
	Portal     string          `json:"portal"`
	Control    string          `json:"control"`
	Production environmentURLs `json:"production"`
}

type worldList struct {
	Workspaces []worldView `json:"workspaces"`
}

// A worldAsked is a workspace that is to be made.
type worldAsked struct {
	Name      string `json:"name,omitempty" jsonschema:"1 to 64 letters, digits, dots, underscores and hyphens; by default one that nobody guesses"`
	TTL       string `json:"ttl,omitempty" jsonschema:"after what real time it ends, such as 10m; by default it stays"`
	Behaviour string `json:"behaviour,omitempty" jsonschema:"what it is strict about; by default what the server is"`
	Patients  *int   `json:"patients,omitempty" jsonschema:"size of the sample population"`
	Empty     bool   `json:"empty,omitempty" jsonschema:"true is no sample data"`
}

// A doneView says what was done.
type doneView struct {
	Status string `json:"status"`
}

type environmentURLs struct {
	FHIR  string `json:"fhir"`
	Token string `json:"token"`
}

func (l *call) worldView(w *workspace.World) worldView {
	root, prefix := l.rootOf(authz.Sandbox), "/w/"+url.PathEscape(w.Name)
	sandbox, production := l.addressesBelow(prefix, authz.Sandbox), l.addressesBelow(prefix, authz.Production)
	v := worldView{
		Name: w.Name, Created: fhirstore.FormatInstant(w.Created), Behaviour: w.Behaviour().Name,
		URL: root + prefix, FHIR: sandbox.FHIRBase, Token: sandbox.TokenURL, Register: sandbox.RegistrationURL,
		Portal: sandbox.PortalURL, Control: root + prefix + "/_sandbox",
		Production: environmentURLs{production.FHIRBase, production.TokenURL},
	}
	if !w.Ends.IsZero() {
		v.Ends = fhirstore.FormatInstant(w.Ends)
	}
	return v
}

// makeWorld makes a workspace: {"name":"a","ttl":"10m","behaviour":"aidbox",
// "patients":20} or {"empty":true}, every member of which may be left out, and
// the body too.
func (l *call) makeWorld() error {
	worlds, err := l.worlds()
	if err != nil {
		return err
	}
	if l.hasForm() {
		return l.worldForm(worlds)
	}
	var asked worldAsked
	err = l.readOptionalControl(`a workspace takes {"name":"a","ttl":"10m","behaviour":"strict","patients":20} or {"empty":true}, or nothing`, &asked)
	if err != nil {
		return err
	}
	w, err := l.newWorld(worlds, asked)
	if err != nil {
		return err
	}
	l.Set(fiber.HeaderLocation, l.root+"/_sandbox/workspaces/"+url.PathEscape(w.Name))
	return l.json(fiber.StatusCreated, l.worldView(w))
}

// newWorld makes the workspace that is asked for. Its refusals are *httpError.
func (l *call) newWorld(worlds *workspace.Worlds, asked worldAsked) (*workspace.World, error) {
	opts := workspace.WorldOptions{Name: asked.Name, Behaviour: asked.Behaviour, Patients: asked.Patients}
	if asked.TTL != "" {
		ttl, err := time.ParseDuration(asked.TTL)
		if err != nil || ttl <= 0 {
			return nil, badRequest("value", "ttl has to be a duration such as 10m or 1h30m")
		}
		opts.TTL = ttl
	}
	if asked.Empty {
		if asked.Patients != nil {
			return nil, badRequest("value", "patients and empty exclude each other")
		}
		opts.Patients = new(int)
	}
	w, err := worlds.Make(l.UserContext(), opts)
	if err != nil {
		return nil, worldRefusal(err)
	}
	return w, nil
}

// worldRefusal is what is said where no workspace can be made.
func worldRefusal(err error) error {
	switch {
	case errors.Is(err, workspace.ErrWorld):
		return badRequest("value", err.Error())
	case errors.Is(err, workspace.ErrTaken):
		return &httpError{status: fiber.StatusConflict, code: "conflict", message: err.Error()}
	case errors.Is(err, workspace.ErrTooMany):
		return &httpError{status: fiber.StatusServiceUnavailable, code: "too-costly", message: err.Error()}
	}
	return err
}

// listWorlds lists the workspaces beside the default one, the oldest first; to a
// browser as a page.
func (l *call) listWorlds() error {
	worlds, err := l.worlds()
	if err != nil {
		return err
	}
	if l.wantsPage() {
		return l.worldsPage(worlds, "")
	}
	views := []worldView{}
	for _, w := range worlds.List() {
		views = append(views, l.worldView(w))
	}
	return l.json(fiber.StatusOK, worldList{views})
}

func (l *call) world() error {
	w, err := l.namedWorld()
	if err != nil {
		return err
	}
	return l.json(fiber.StatusOK, l.worldView(w))
}

// worldGrace is how long a DELETE waits for the requests under way.
const worldGrace = 2 * time.Second

// endWorld ends a workspace: 204 when its data are gone, 202 where requests under
// way in it keep them a while longer.
func (l *call) endWorld() error {
	w, err := l.namedWorld()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(l.UserContext(), worldGrace)
	defer cancel()
	switch err := l.server.cfg.Worlds.End(ctx, w); {
	case errors.Is(err, context.DeadlineExceeded):
		return l.json(fiber.StatusAccepted, doneView{"it has ended; its data go when the requests under way in it are answered"})
	case err != nil:
		return err
	}
	return l.SendStatus(fiber.StatusNoContent)
}

// worlds are the server's workspaces; a workspace beside the default one does not
// show its neighbours.
func (l *call) worlds() (*workspace.Worlds, error) {
	if l.server.cfg.Worlds == nil || l.workspace.Name != "" {
		return nil, notFound("workspaces are made and ended at the server's root, not below /w")
	}
	return l.server.cfg.Worlds, nil
}

func (l *call) namedWorld() (*workspace.World, error) {
	worlds, err := l.worlds()
	if err != nil {
		return nil, err
	}
	if w := worlds.World(l.Params("name")); w != nil {
		return w, nil
	}
	return nil, notFound("there is no workspace %q; it may have ended", l.Params("name"))
}
