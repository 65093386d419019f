package httpapi

import (
	"fmt"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/clock"
)

// clockState is the workspace clock as the control surface shows it.
type clockState struct {
	Now    string `json:"now" jsonschema:"an instant, in UTC"`
	Frozen bool   `json:"frozen"`
}

// A clockChange is what the clock takes.
type clockChange struct {
	Advance string `json:"advance,omitempty" jsonschema:"a duration such as 10m, 1h30m or -5s"`
	Set     string `json:"set,omitempty" jsonschema:"an instant such as 2026-01-31T08:00:00Z"`
	Freeze  *bool  `json:"freeze,omitempty" jsonschema:"true stops the clock, false lets it go on"`
}

// clock shows the clock; to a browser as a page.
func (l *call) clock() error {
	if l.wantsPage() {
		return l.clockPage("", "", "")
	}
	return l.clockState()
}

func (l *call) clockState() error {
	c := l.workspace.Clock
	return l.json(fiber.StatusOK, clockState{fhirstore.FormatInstant(c.Now()), c.Frozen()})
}

// setClock moves the workspace clock: {"advance":"10m"}, {"set":"2026-01-31T08:00:00Z"},
// {"freeze":true} or {"freeze":false}.
func (l *call) setClock() error {
	if l.hasForm() {
		return l.setClockByForm()
	}
	var change clockChange
	err := l.readControl(`the clock takes {"advance":"10m"}, {"set":"2026-01-31T08:00:00Z"}, {"freeze":true} or {"freeze":false}, which lets it go on`, &change)
	if err != nil {
		return err
	}
	if err := l.changeClock(change); err != nil {
		return err
	}
	return l.clockState()
}

func (l *call) changeClock(change clockChange) (err error) {
	var to time.Time
	if change.Set != "" {
		if to, err = time.Parse(time.RFC3339Nano, change.Set); err != nil {
			return badRequest("value", "set has to be an instant such as 2026-01-31T08:00:00Z")
		}
	}
	var by time.Duration
	if change.Advance != "" {
		if by, err = time.ParseDuration(change.Advance); err != nil {
			return badRequest("value", "advance has to be a duration such as 10m, 1h30m or -5s")
		}
	}
	c := l.workspace.Clock
	target := c.Now()
	if change.Set != "" {
		target = to
	}
	if target = target.Add(by); target.Before(clock.Earliest()) || target.After(clock.Latest()) {
		return badRequest("value", fmt.Sprintf("the clock would show %s; it goes from %s to %s", target.UTC().Format(time.RFC3339), clock.Earliest().Format(time.RFC3339), clock.Latest().Format(time.RFC3339)))
	}
	switch {
	case change.Set != "":
		c.Set(target)
	case by != 0:
		c.Advance(by)
	}
	if change.Freeze != nil {
		if *change.Freeze {
			c.Freeze()
		} else {
			c.Follow()
		}
	}
	return nil
}
