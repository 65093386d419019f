package sandbox

import (
	"context"
	"net/url"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/workspace"
)

// An Environment is an authorization server with a FHIR server and its data.
// A server has two: the sandbox, open to every registered client that was not
// rejected, and production, with other patients and open to approved clients
// only. A token of one is refused by the other.
type Environment struct {
	server *Server
	name   string
	path   string // below the server's URL
}

func newEnvironment(s *Server, name string) *Environment {
	e := &Environment{server: s, name: name}
	if name != authz.Sandbox {
		e.path = "/" + name
	}
	return e
}

// inner is the environment under the behaviour in force.
func (e *Environment) inner() *workspace.Environment { return e.server.workspace.Environment(e.name) }

// Production returns the environment of approved clients. Its data are opened
// when they are first used.
func (s *Server) Production() *Environment { return s.production }

// Name returns "sandbox" or "production".
func (e *Environment) Name() string { return e.name }

// FHIRURL is the base URL of the FHIR server, without a slash at its end.
func (e *Environment) FHIRURL() string { return e.at(e.server.URL()).fhir() }

// TokenURL is the token endpoint, and the audience of client assertions.
func (e *Environment) TokenURL() string { return e.at(e.server.URL()).token() }

// SMARTConfigurationURL is the discovery document (SMART App Launch 2.2,
// conformance, Using .well-known).
func (e *Environment) SMARTConfigurationURL() string { return e.at(e.server.URL()).configuration() }

// FHIRURL is the base URL of the FHIR server, without a slash at its end.
func (s *Server) FHIRURL() string { return s.sandbox.FHIRURL() }

// TokenURL is the token endpoint, and the audience of client assertions.
func (s *Server) TokenURL() string { return s.sandbox.TokenURL() }

// SMARTConfigurationURL is the discovery document (SMART App Launch 2.2,
// conformance, Using .well-known).
func (s *Server) SMARTConfigurationURL() string { return s.sandbox.SMARTConfigurationURL() }

// RegistrationURL is the endpoint of dynamic client registration (RFC 7591).
// Only the sandbox environment has one.
func (s *Server) RegistrationURL() string { return s.URL() + "/auth/register" }

// PortalURL is the portal for people. With WithAdminToken it carries the token,
// so show it to no one else.
func (s *Server) PortalURL() string {
	u := s.URL() + "/"
	if s.cfg.adminToken != "" {
		u += "?admin=" + url.QueryEscape(s.cfg.adminToken)
	}
	return u
}

// RegisterClient registers a client with the sandbox environment; see
// Environment.RegisterClient.
func (s *Server) RegisterClient(ctx context.Context, cfg ClientConfig) (*Client, error) {
	return s.sandbox.RegisterClient(ctx, cfg)
}

// addresses are an environment's URLs under one URL of the server.
type addresses struct{ base string }

func (e *Environment) at(serverURL string) addresses { return addresses{serverURL + e.path} }

func (a addresses) fhir() string          { return a.base + "/fhir" }
func (a addresses) token() string         { return a.base + "/auth/token" }
func (a addresses) configuration() string { return a.fhir() + "/.well-known/smart-configuration" }
