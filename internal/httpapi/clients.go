package httpapi

import (
	"errors"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/workspace"
)

// rotateSecret gives a secret client a new secret, shown this once:
// {"overlap":"10m"} lets the old one work for that long, no body for as long as
// the behaviour says (secret.grace), which is not at all unless somebody set it.
func (l *call) rotateSecret() error {
	overlap, err := l.overlap()
	if err != nil {
		return err
	}
	id := l.Params("client")
	plain, client, err := workspace.RotateSecret(l.UserContext(), l.portal(), l.env.Name, id, overlap)
	switch {
	case errors.Is(err, authz.ErrNoClient):
		return notFound("there is no client %s in %s", id, l.env.Name)
	case errors.Is(err, authz.ErrNoSecret):
		return &httpError{status: fiber.StatusConflict, code: "conflict", message: "client " + id + " signs assertions and has no secret to rotate"}
	case err != nil:
		return err
	}
	l.exchange.Client = client.ID
	ends := int64(0) // never
	if at := client.Secrets[len(client.Secrets)-1].ExpiresAt; !at.IsZero() {
		ends = at.Unix()
	}
	l.noStore()
	return l.json(fiber.StatusOK, rotatedSecret{client.ID, plain, ends, l.workspace.Clock.Now().Add(overlap).UTC().Format(time.RFC3339)})
}

type rotatedSecret struct {
	ClientID  string `json:"client_id"`
	Secret    string `json:"client_secret" jsonschema:"shown this once"`
	SecretEnd int64  `json:"client_secret_expires_at" jsonschema:"seconds since 1970; 0 is never"`
	OldEnd    string `json:"old_secrets_end_at"`
}

// A tokensView says what became of tokens.
type tokensView struct {
	ClientID    string `json:"client_id,omitempty"`
	Environment string `json:"environment,omitempty"`
	Tokens      string `json:"tokens"`
}

type overlapAsked struct {
	Overlap string `json:"overlap,omitempty" jsonschema:"how long the old secret works, such as 10m or 24h"`
}

func (l *call) overlap() (time.Duration, error) {
	grace := l.env.Auth.Behaviour().SecretGrace
	var asked overlapAsked
	if err := l.readOptionalControl(`the body is {"overlap":"10m"} or nothing`, &asked); err != nil {
		return 0, err
	}
	if asked.Overlap == "" {
		return grace, nil
	}
	overlap, err := time.ParseDuration(asked.Overlap)
	if err != nil || overlap < 0 {
		return 0, badRequest("value", "overlap has to be a duration such as 10m or 24h")
	}
	return overlap, nil
}

// revokeClient ends all access tokens of a client of the environment. It can get
// new ones.
func (l *call) revokeClient() error {
	id := l.Params("client")
	_, err := l.workspace.Control().RevokeClient(l.UserContext(), l.env.Name, id)
	switch {
	case errors.Is(err, authz.ErrNoClient):
		return notFound("there is no client %s in %s", id, l.env.Name)
	case err != nil:
		return err
	}
	l.exchange.Client = id
	return l.json(fiber.StatusOK, tokensView{ClientID: id, Environment: l.env.Name, Tokens: "revoked"})
}

// expireTokens has all access tokens of the workspace expire, in both
// environments, without moving the clock.
func (l *call) expireTokens() error {
	if err := l.workspace.Control().ExpireTokens(l.UserContext()); err != nil {
		return err
	}
	return l.json(fiber.StatusOK, tokensView{Tokens: "expired"})
}
