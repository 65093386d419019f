package authz

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"
)

// NewSecret returns a client secret of 256 random bits, to be shown once, and
// the form in which it is kept. A lifetime of 0 never ends.
func (s *Server) NewSecret(lifetime time.Duration) (plain string, kept Secret, err error) {
	plain, err = s.random(32)
	if err != nil {
		return "", Secret{}, err
	}
	now := s.workspaceClock.Now()
	kept = Secret{Hash: HashSecret(plain), CreatedAt: now}
	if lifetime > 0 {
		kept.ExpiresAt = now.Add(lifetime)
	}
	return plain, kept, nil
}

// maxSecrets is how many secrets of a client are kept. Ended ones are among
// them, so that a client that still sends one can be told.
const maxSecrets = 5

// RotateSecret gives a secret client another secret, to be shown once. The
// ones it has work on for the overlap, or end at once if that is 0; its
// tokens stay valid. The error is ErrNoClient if there is no such client, and
// ErrNoSecret if it signs assertions.
func (s *Server) RotateSecret(ctx context.Context, clientID string, overlap time.Duration) (plain string,
	c *Client, err error) {
	plain, kept, err := s.NewSecret(s.behaviour.SecretLifetime)
	if err != nil {
		return "", nil, err
	}
	c, err = s.Change(ctx, clientID, func(c *Client) error { return c.ReplaceSecret(kept, overlap) })
	return plain, c, err
}

// ReplaceSecret adds a secret to those of a secret client, which end when the
// overlap is over. It returns ErrNoSecret if the client signs assertions.
func (c *Client) ReplaceSecret(kept Secret, overlap time.Duration) error {
	if !c.Method.usesSecret() {
		return ErrNoSecret
	}
	ends := kept.CreatedAt.Add(max(0, overlap))
	for i := range c.Secrets {
		if old := &c.Secrets[i]; old.ExpiresAt.IsZero() || old.ExpiresAt.After(ends) {
			old.ExpiresAt = ends
		}
	}
	c.Secrets = append(c.Secrets, kept)
	if extra := len(c.Secrets) - maxSecrets; extra > 0 {
		c.Secrets = slices.Delete(c.Secrets, 0, extra)
	}
	return nil
}

// ErrNoSecret says that a client authenticates by assertions and has no secret
// to rotate.
var ErrNoSecret = errors.New("authz: the client signs assertions and has no secret")

// HashSecret returns the hash under which a secret is kept.
func HashSecret(plain string) []byte {
	sum := sha256.Sum256([]byte(plain))
	return sum[:]
}

// matchSecret returns which of the client's secrets plain is, or -1. Every
// hash is compared, in constant time.
func (c *Client) matchSecret(plain string) int {
	hash := HashSecret(plain)
	match := -1
	for i, s := range c.Secrets {
		if subtle.ConstantTimeCompare(hash, s.Hash) == 1 {
			match = i
		}
	}
	return match
}

// bySecret proves the client by client_secret_basic or client_secret_post
// (SMART App Launch 2.2, client-confidential-symmetric): not SMART Backend
// Services, but offered.
func (a *attempt) bySecret(ctx context.Context) (*Client, *Error) {
	used := ClientSecretPost
	if a.scheme == "basic" {
		used = ClientSecretBasic
	}
	if !a.behaviour.SecretsOffered {
		return nil, a.refuseClient(ruleSecretsOffered, noSecretsHere(used))
	}
	a.checks.warn(ruleSecretsOffered, secretTaken(used))
	sent, err := a.sentSecret(ctx, used)
	if err != nil {
		return nil, err
	}
	client, err := a.lookUp(ctx, ruleSecretClient, sent.id)
	if err != nil {
		return nil, err
	}
	a.checks.pass(ruleSecretClient, client.ID)
	if err := a.checkClient("a client secret ("+string(used)+")", client.Method.usesSecret()); err != nil {
		return nil, err
	}
	return client, a.compareSecret(sent)
}

// credential is an id and a secret as they were sent, and what the secret is
// if the client encodes it in the other usual way.
type credential struct {
	id, secret  string
	otherSecret string
	habit       string // the other way, as the end of a sentence
	advice      string // how to send it instead
}

// sentSecret reads id and secret.
func (a *attempt) sentSecret(ctx context.Context, used AuthMethod) (credential, *Error) {
	if used == ClientSecretPost {
		return a.postedSecret()
	}
	return a.basicSecret(ctx)
}

func (a *attempt) postedSecret() (credential, *Error) {
	c := credential{id: a.form["client_id"], secret: a.form["client_secret"]}
	if c.id == "" {
		return c, a.refuseClient(ruleSecretForm, noClientID())
	}
	c.otherSecret = strings.ReplaceAll(c.secret, " ", "+")
	c.habit = "with + in place of the spaces that it arrived with"
	c.advice = "Encode the form: a + in it means a space, so send %2B for one."
	a.checks.pass(ruleSecretForm, "client_id and client_secret in the form")
	return c, nil
}

// basicSecret reads the Authorization header. Id and secret are form-encoded
// before they are joined (RFC 6749 section 2.3.1).
func (a *attempt) basicSecret(ctx context.Context) (credential, *Error) {
	id, secret, why := a.basicCredential()
	if why != "" {
		return credential{}, a.refuseClient(ruleSecretForm, brokenBasic(why))
	}
	c := a.decoded(ctx, id, secret)
	if c.id == "" {
		return c, a.refuseClient(ruleSecretForm, emptyBasicID())
	}
	if other := a.form["client_id"]; other != "" && other != c.id {
		return c, a.refuseClient(ruleSecretForm, otherBasicID(c.id, other))
	}
	a.checks.pass(ruleSecretForm, "Basic")
	return c, nil
}

// decoded decodes both halves of a Basic credential in the way that the
// behaviour wants.
func (a *attempt) decoded(ctx context.Context, id, secret string) credential {
	const encode = "Form-encode id and secret before you join them (RFC 6749 section 2.3.1): "
	c := credential{id: id, secret: secret, otherSecret: secret}
	decodedID, idErr := url.QueryUnescape(id)
	decodedSecret, secretErr := url.QueryUnescape(secret)
	decodable := idErr == nil && secretErr == nil
	switch {
	case a.behaviour.BasicDecode == BasicRaw:
		c.habit = "after form decoding"
		c.advice = "Send id and secret as they are: this server's behaviour compares what is sent, as some payers do."
		if decodable {
			c.otherSecret = decodedSecret
		}
	case decodable:
		c.id, c.secret = decodedID, decodedSecret
		if a.behaviour.BasicDecode == BasicBoth && !a.exists(ctx, decodedID) && a.exists(ctx, id) {
			c.id = id
		}
		c.habit = "without form decoding"
		c.advice = encode + "a % or a + in them is sent as %25 or %2B."
	default:
		c.secret = ""
		c.habit = "without form decoding; it holds a percent sign that is no escape"
		c.advice = encode + "send %25 for a percent sign."
	}
	return c
}

func (a *attempt) exists(ctx context.Context, id string) bool {
	_, err := a.server.store.Client(ctx, a.server.env.Name, id)
	return err == nil // a failing store shows when the client is looked up
}

// compareSecret checks the secret and its life by the workspace's clock.
func (a *attempt) compareSecret(sent credential) *Error {
	now := a.server.workspaceClock.Now()
	c := a.client
	match := c.matchSecret(sent.secret)
	otherHabit := match < 0 && a.scheme == "basic" && a.behaviour.BasicDecode == BasicBoth &&
		c.matchSecret(sent.otherSecret) >= 0
	if otherHabit {
		sent.secret = sent.otherSecret
		match = c.matchSecret(sent.secret)
	}
	switch {
	case match < 0 || sent.secret == "":
		return a.refuseClient(ruleSecretMatch, a.diagnoseSecret(sent))
	case expired(c.Secrets[match].ExpiresAt, now):
		return a.refuseClient(ruleSecretMatch, a.endedSecret(match, now))
	}
	a.checks.pass(ruleSecretMatch, "secret "+c.secretNumber(match))
	if otherHabit {
		a.checks.warn(ruleSecretMatch, otherHabitTaken(sent, c.secretNumber(match)))
	}
	if rotated, was := c.rotatedAt(match); was {
		a.checks.warn(ruleSecretMatch, a.endingSecret(match, now.Sub(rotated)))
	}
	return nil
}

// rotatedAt returns when a rotation ended a secret; false if none did before
// it expired by itself.
func (c *Client) rotatedAt(match int) (time.Time, bool) {
	ends := c.Secrets[match].ExpiresAt
	for _, later := range c.Secrets[match+1:] {
		if !ends.IsZero() && !later.CreatedAt.After(ends) {
			return later.CreatedAt, true
		}
	}
	return time.Time{}, false
}

func expired(at, now time.Time) bool { return !at.IsZero() && !now.Before(at) }

func latestSecret(secrets []Secret) int {
	latest := 0
	for i, s := range secrets {
		if s.CreatedAt.After(secrets[latest].CreatedAt) {
			latest = i
		}
	}
	return latest
}

// basicCredential splits the Authorization header's value.
func (a *attempt) basicCredential() (id, secret string, why string) {
	raw, err := base64.StdEncoding.DecodeString(a.credential)
	if err != nil {
		return "", "", "what follows Basic is not base64"
	}
	id, secret, found := strings.Cut(string(raw), ":")
	if !found {
		return "", "", "what follows Basic decodes to something without a colon"
	}
	return id, secret, ""
}
