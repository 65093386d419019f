package authz

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// The two environments of a workspace.
const (
	Sandbox    = "sandbox"
	Production = "production"
)

// Environment names an environment of a workspace, which has one
// authorization server. Tokens are bound to both names, never to a host.
type Environment struct {
	Name      string // Sandbox or Production
	Workspace string // "" is the default workspace
}

// Admits reports whether clients of this status may get and use tokens here:
// production takes approved clients only, the sandbox all but rejected ones.
func (e Environment) Admits(s Status) bool {
	if e.Name == Production {
		return s == StatusActive
	}
	return s != StatusRejected
}

// String returns the name as a diagnosis shows it.
func (e Environment) String() string {
	if e.Workspace == "" {
		return e.Name
	}
	return e.Name + " of workspace " + e.Workspace
}

// Addresses are the URLs of an environment as the request at hand addressed
// the server; all are absolute. An assertion's aud is compared with TokenURL.
// An endpoint that is not offered has an empty address.
type Addresses struct {
	Issuer           string
	FHIRBase         string
	TokenURL         string
	RevocationURL    string
	IntrospectionURL string
	RegistrationURL  string
	JWKSURL          string
	PortalURL        string // where people manage registrations; management_endpoint
	// Other holds the addresses of the workspace's other environments by
	// name. They serve diagnosis only: an aud that names production's token
	// URL at the sandbox's.
	Other map[string]Addresses
}

// AuthMethod is a token_endpoint_auth_method of RFC 7591.
type AuthMethod string

// The methods.
const (
	PrivateKeyJWT     AuthMethod = "private_key_jwt"
	ClientSecretBasic AuthMethod = "client_secret_basic"
	ClientSecretPost  AuthMethod = "client_secret_post"
)

// usesSecret reports whether the method is one of the two secret methods. A
// client registered for either may use both: Basic and post differ in
// transport only.
func (m AuthMethod) usesSecret() bool { return m == ClientSecretBasic || m == ClientSecretPost }

// Status is a client's place in the review life cycle.
type Status string

// The statuses.
const (
	StatusDraft       Status = "draft"
	StatusUnderReview Status = "under-review"
	StatusActive      Status = "active"
	StatusRejected    Status = "rejected" // declined at review or deactivated later
)

// GrantClientCredentials is the grant type of backend services.
const GrantClientCredentials = "client_credentials"

// Client is a client as an environment holds it.
type Client struct {
	ID          string     `json:"client_id"`
	Name        string     `json:"name,omitempty"`
	Description string     `json:"description,omitempty"` // for whoever reviews it
	Method      AuthMethod `json:"method"`
	// JWKS is a key set by value: the object {"keys":[…]}, or the bare array
	// where the behaviour takes that. JWKSURI may be set besides only where
	// the behaviour takes both.
	JWKS    []byte   `json:"jwks,omitempty"`
	JWKSURI string   `json:"jwks_uri,omitempty"`
	Secrets []Secret `json:"secrets,omitempty"`
	// Scopes bound every grant.
	Scopes Scopes   `json:"scopes,omitempty"`
	Grants []string `json:"grants"`
	// Organization is the id of the one organization whose data the client may
	// reach; "" means all.
	Organization string `json:"organization,omitempty"`
	// Audience is the aud of the client's access tokens; "" is the FHIR base.
	Audience string `json:"audience,omitempty"`
	// TokenLifetime is the life of this client's access tokens; 0 means the
	// server's. The server's maximum caps it.
	TokenLifetime time.Duration `json:"token_lifetime,omitempty"`

	Status Status `json:"status"`
	// StatusReason, StatusBy and StatusAt say why, by whom and when the status
	// was last changed; they appear in diagnoses.
	StatusReason string    `json:"status_reason,omitempty"`
	StatusBy     string    `json:"status_by,omitempty"`
	StatusAt     time.Time `json:"status_at,omitzero"`

	// Generation is carried in the client's tokens. A token of another
	// generation is revoked. The Store assigns it: see Store.PutClient.
	Generation int64     `json:"generation"`
	CreatedAt  time.Time `json:"created_at"`
	// Source says how the client came to be: one of the sources, or a word of
	// the caller's.
	Source string `json:"source,omitempty"`
	// RegistrationToken is the hash of the token that manages the client by RFC
	// 7592; empty means that nobody can.
	RegistrationToken []byte `json:"registration_token,omitempty"`
	// Metadata is what RFC 7591 section 2 knows about a client beyond the
	// fields above; kept to be echoed.
	Metadata Metadata `json:"metadata,omitzero"`
}

// The sources of clients that have a meaning.
const (
	SourceRegistration = "registration" // the client registered itself (RFC 7591)
	SourcePortal       = "portal"       // somebody registered it in the portal
	SourceAdmin        = "admin"        // an administrator put it; it is reviewed by nobody
)

// Metadata is client metadata of RFC 7591 section 2 that no rule depends on.
type Metadata struct {
	RedirectURIs    []string `json:"redirect_uris,omitempty"`
	ClientURI       string   `json:"client_uri,omitempty"`
	LogoURI         string   `json:"logo_uri,omitempty"`
	Contacts        []string `json:"contacts,omitempty"`
	TermsURI        string   `json:"tos_uri,omitempty"`
	PolicyURI       string   `json:"policy_uri,omitempty"`
	SoftwareID      string   `json:"software_id,omitempty"`
	SoftwareVersion string   `json:"software_version,omitempty"`
}

// Secret is a client secret as it is kept: hashed, with its life.
type Secret struct {
	// Hash is the SHA-256 of the secret. Secrets are 256 random bits, so that
	// no slow hash is needed.
	Hash      []byte    `json:"hash"`
	CreatedAt time.Time `json:"created_at"`
	// ExpiresAt is when the secret stops to work; zero means never. Rotation
	// with an overlap sets it on the old secret.
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

// Standing names how a client stands: the text changes when its tokens are
// revoked or it is bound to another organization. It is "" where the environment
// admits no such client.
func (s *Server) Standing(ctx context.Context, clientID string) (string, error) {
	client, err := s.store.Client(ctx, s.env.Name, clientID)
	switch {
	case errors.Is(err, ErrNoClient):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("look up the client: %w", err)
	case !s.env.Admits(client.Status):
		return "", nil
	}
	return fmt.Sprintf("%d %s", client.Generation, client.Organization), nil
}
