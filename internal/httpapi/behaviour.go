package httpapi

import (
	"encoding/json"
	"fmt"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/behaviour"
	"github.com/sandfhir/sandfhir/web"
)

// A behaviourState is the behaviour in force, and what can be asked for.
type behaviourState struct {
	Name        string              `json:"name"`
	Description string              `json:"description"`
	Extends     string              `json:"extends,omitempty"`
	Behaviours  []behaviourName     `json:"behaviours"`
	Switches    []behaviour.Setting `json:"switches"`
}

type behaviourName struct {
	Name        string `json:"name"`
	Description string `json:"description"`
}

// behaviour tells what the workspace is strict about: every switch with its
// value, default, meaning and source.
func (l *call) behaviour() error {
	b := l.workspace.Behaviour()
	state := behaviourState{Name: b.Name, Description: b.Description, Extends: b.Extends, Switches: b.Settings()}
	for _, known := range l.workspace.Behaviours() {
		state.Behaviours = append(state.Behaviours, behaviourName{known.Name, known.Description})
	}
	return l.json(fiber.StatusOK, state)
}

// setBehaviour changes it from the next request on: {"name":"aidbox"} takes a
// behaviour afresh, {"switches":{"exp.max":"120s"}} changes switches of the one
// in force, and both together do both.
func (l *call) setBehaviour() error {
	body, err := l.readBody(maxOAuthBody)
	if err != nil {
		return err
	}
	err = l.workspace.ChangeBehaviour(func(b behaviour.Behaviour) (behaviour.Behaviour, error) {
		return b.Change(l.workspace.Behaviours(), body, "PUT /_sandbox/behaviour")
	})
	if err != nil {
		return badRequest("value", err.Error())
	}
	return l.behaviour()
}

// chooseBehaviour is setBehaviour by the page's form.
func (l *call) chooseBehaviour() error {
	body, err := l.readBody(maxOAuthBody)
	if err != nil {
		return err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return badRequest("structure", "the body is no form")
	}
	err = l.workspace.ChangeBehaviour(func(behaviour.Behaviour) (behaviour.Behaviour, error) {
		return behaviour.Named(l.workspace.Behaviours(), form.Get("behaviour"))
	})
	if err != nil {
		return badRequest("value", err.Error())
	}
	return l.Redirect("smart-configuration", fiber.StatusSeeOther)
}

// configurationPage shows people how clients are met: the discovery documents
// of both environments, and every switch.
func (l *call) configurationPage() error {
	b := l.workspace.Behaviour()
	page := web.ConfigurationPage{Site: l.site(), Behaviour: b.Name, Description: b.Description, JSON: "behaviour", Choose: "smart-configuration"}
	for _, known := range l.workspace.Behaviours() {
		page.Behaviours = append(page.Behaviours, web.Behaviour{Name: known.Name, Description: known.Description})
	}
	for _, s := range b.Settings() {
		page.Switches = append(page.Switches, web.Switch{
			Name: s.Name, Value: s.Value, Strict: s.Strict, Effect: string(s.Effect),
			Meaning: s.Meaning, Source: s.Source,
		})
	}
	for _, name := range []string{authz.Sandbox, authz.Production} {
		document, err := json.Marshal(l.workspace.Environment(name).Auth.SMARTConfiguration(l.addressesOf(name)))
		if err != nil {
			return fmt.Errorf("write the discovery document of %s: %w", name, err)
		}
		page.Documents = append(page.Documents, web.Document{Environment: l.environmentView(name), JSON: document})
	}
	return l.page(page)
}
