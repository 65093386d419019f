package httpapi

import (
	"cmp"
	"errors"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/workspace"
	"github.com/sandfhir/sandfhir/seed"
)

// evolved is what an evolution has done, as the control surface shows it.
type evolved struct {
	Environment string         `json:"environment"`
	Day         int            `json:"day" jsonschema:"that the population has come to"`
	Created     map[string]int `json:"created"`
	Updated     map[string]int `json:"updated"`
	Deleted     map[string]int `json:"deleted"`
	Skipped     int            `json:"skipped"`
}

// An evolution is what is asked for.
type evolution struct {
	Days        int    `json:"days"`
	Environment string `json:"environment,omitempty" jsonschema:"sandbox, which it is by default, or production"`
}

// evolve moves a sample population on: {"days":30}, of the sandbox environment
// unless {"environment":"production"} is there as well.
func (l *call) evolve() error {
	var asked evolution
	if err := l.readControl(`an evolution takes {"days":30}, and may name the environment`, &asked); err != nil {
		return err
	}
	name := cmp.Or(asked.Environment, authz.Sandbox)
	env := l.workspace.Environment(name)
	if env == nil {
		return badRequest("value", "environment is "+name+"; it has to be "+authz.Sandbox+" or "+authz.Production)
	}
	done, err := env.Evolve(l.UserContext(), asked.Days)
	switch {
	case errors.Is(err, seed.ErrPopulation):
		return badRequest("value", "days: "+err.Error())
	case errors.Is(err, workspace.ErrNoPopulation):
		return &httpError{status: fiber.StatusConflict, code: "conflict", message: "nothing can move on: " + err.Error()}
	case err != nil:
		return err
	}
	return l.json(fiber.StatusOK, evolved{name, done.Day, done.Created, done.Updated, done.Deleted, done.Skipped})
}
