package httpapi

import (
	"errors"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
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
	plain, client, err := l.workspace.RotateSecret(l.UserContext(), l.env.Name, id, overlap)
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
	return l.json(fiber.StatusOK, map[string]any{
		"client_id": client.ID, "client_secret": plain, "client_secret_expires_at": ends,
		"old_secrets_end_at": l.workspace.Clock.Now().Add(overlap).UTC().Format(time.RFC3339),
	})
}

func (l *call) overlap() (time.Duration, error) {
	grace := l.env.Auth.Behaviour().SecretGrace
	var asked struct {
		Overlap string `json:"overlap"`
	}
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
	return l.json(fiber.StatusOK, map[string]string{"client_id": id, "environment": l.env.Name, "tokens": "revoked"})
}

// expireTokens has all access tokens of the workspace expire, in both
// environments, without moving the clock.
func (l *call) expireTokens() error {
	if err := l.workspace.Control().ExpireTokens(l.UserContext()); err != nil {
		return err
	}
	return l.json(fiber.StatusOK, map[string]string{"tokens": "expired"})
}
