package sandbox

import (
	"context"
	"net/url"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/workspace"
)

// An Environment is an authorization server with a FHIR server and its data.
// A world has two: the sandbox, open to every registered client that was not
// rejected, and production, with other patients and open to approved clients
// only. A token of one is refused by the other.
type Environment struct {
	world *World
	name  string
	path  string // below the world's URL
}

func newEnvironment(w *World, name string) *Environment {
	e := &Environment{world: w, name: name}
	if name != authz.Sandbox {
		e.path = "/" + name
	}
	return e
}

// inner is the environment under the behaviour in force.
func (e *Environment) inner() *workspace.Environment { return e.world.workspace.Environment(e.name) }

// Production returns the environment of approved clients. Its data are opened
// when they are first used.
func (w *World) Production() *Environment { return w.production }

// Name returns "sandbox" or "production".
func (e *Environment) Name() string { return e.name }

// FHIRURL is the base URL of the FHIR server, without a slash at its end.
func (e *Environment) FHIRURL() string { return e.addresses().fhir() }

// TokenURL is the token endpoint, and the audience of client assertions.
func (e *Environment) TokenURL() string { return e.addresses().token() }

// SMARTConfigurationURL is the discovery document (SMART App Launch 2.2,
// conformance, Using .well-known).
func (e *Environment) SMARTConfigurationURL() string { return e.addresses().configuration() }

// FHIRURL is the base URL of the FHIR server, without a slash at its end.
func (w *World) FHIRURL() string { return w.sandbox.FHIRURL() }

// TokenURL is the token endpoint, and the audience of client assertions.
func (w *World) TokenURL() string { return w.sandbox.TokenURL() }

// SMARTConfigurationURL is the discovery document (SMART App Launch 2.2,
// conformance, Using .well-known).
func (w *World) SMARTConfigurationURL() string { return w.sandbox.SMARTConfigurationURL() }

// RegistrationURL is the endpoint of dynamic client registration (RFC 7591).
// Only the sandbox environment has one.
func (w *World) RegistrationURL() string { return w.URL() + "/auth/register" }

// PortalURL is the portal for people. With WithAdminToken it carries the token,
// so show it to no one else.
func (w *World) PortalURL() string {
	u := w.URL() + "/"
	if w.server.cfg.adminToken != "" {
		u += "?admin=" + url.QueryEscape(w.server.cfg.adminToken)
	}
	return u
}

// RegisterClient registers a client with the sandbox environment; see
// Environment.RegisterClient.
func (w *World) RegisterClient(ctx context.Context, cfg ClientConfig) (*Client, error) {
	return w.sandbox.RegisterClient(ctx, cfg)
}

// addresses are an environment's URLs under one URL of its world.
type addresses struct{ base string }

// addresses are the environment's URLs as the server knows them.
func (e *Environment) addresses() addresses {
	if e.name == authz.Production {
		if own := e.world.server.productionRoot(); own != "" {
			return addresses{own + e.world.path}
		}
	}
	return e.at(e.world.URL())
}

func (e *Environment) at(worldURL string) addresses { return addresses{worldURL + e.path} }

func (a addresses) fhir() string          { return a.base + "/fhir" }
func (a addresses) token() string         { return a.base + "/auth/token" }
func (a addresses) configuration() string { return a.fhir() + "/.well-known/smart-configuration" }
