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

// maxSecrets is how many secrets of a client are kept, ended ones included:
// who still sends one of those is told so.
const maxSecrets = 5

// RotateSecret gives a secret client a new secret, to be shown once, beside
// the ones it has: those go on for the overlap, or end at once where that is
// 0. Its tokens stay valid. The error is ErrNoClient where there is no such
// client, and ErrNoSecret where it has none because it signs assertions.
func (s *Server) RotateSecret(ctx context.Context, clientID string, overlap time.Duration) (plain string, c *Client, err error) {
	s.managing.Lock()
	defer s.managing.Unlock()
	if c, err = s.store.Client(ctx, s.env.Name, clientID); err != nil {
		return "", nil, err
	}
	if !c.Method.usesSecret() {
		return "", nil, ErrNoSecret
	}
	plain, kept, err := s.NewSecret(s.behaviour.SecretLifetime)
	if err != nil {
		return "", nil, err
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
	c, err = s.store.PutClient(ctx, s.env.Name, c)
	return plain, c, err
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
		return nil, a.refuseClient(ruleSecretsOffered, outcome{got: string(used), want: string(PrivateKeyJWT),
			text: "This server takes no client secrets (see token_endpoint_auth_methods_supported in discovery).", fix: "Register a key set and sign an assertion, which is what SMART Backend Services is.",
			remedy: Remedy{Kind: RemedyNewKey}})
	}
	a.checks.warn(ruleSecretsOffered, outcome{finding: "L05", got: string(used), want: string(PrivateKeyJWT),
		text: "The client authenticates by a secret. This server takes that; it is not SMART Backend Services, and no client for ONC g10.", fix: "Register a key set and sign assertions where that counts."})
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

// credential is an id and a secret as they were sent, and the same under the
// other habit of encoding, for diagnosis.
type credential struct {
	id, secret  string
	otherSecret string
	habit       string // what the other habit is
	advice      string // how to send it instead
}

// sentSecret reads id and secret. In Basic both are form-encoded before they
// are joined (RFC 6749 section 2.3.1).
func (a *attempt) sentSecret(ctx context.Context, used AuthMethod) (credential, *Error) {
	if used == ClientSecretPost {
		c := credential{id: a.form["client_id"], secret: a.form["client_secret"]}
		if c.id == "" {
			return c, a.refuseClient(ruleSecretForm, outcome{got: "no client_id", want: "client_id and client_secret",
				text: "client_secret is in the form and client_id is missing.", fix: "Send both."})
		}
		c.otherSecret = strings.ReplaceAll(c.secret, " ", "+")
		c.habit, c.advice = "with + in place of the spaces that it arrived with", "Encode the form: a + in it means a space, so send %2B for one."
		a.checks.pass(ruleSecretForm, "client_id and client_secret in the form")
		return c, nil
	}
	id, secret, why := a.basicCredential()
	if why != "" {
		return credential{}, a.refuseClient(ruleSecretForm, outcome{got: why, want: "Basic base64(client_id:client_secret)",
			text: "The Authorization header cannot be read: " + why + ".", fix: "Send Basic followed by the base64 of client_id:client_secret, in the standard alphabet with padding."})
	}
	c := credential{id: id, secret: secret, otherSecret: secret}
	decodedID, idErr := url.QueryUnescape(id)
	decodedSecret, secretErr := url.QueryUnescape(secret)
	decodable := idErr == nil && secretErr == nil
	switch {
	case a.behaviour.BasicDecode == BasicRaw:
		c.habit, c.advice = "after form decoding", "Send id and secret as they are: this server's behaviour compares what is sent, as some payers do."
		if decodable {
			c.otherSecret = decodedSecret
		}
	case decodable:
		c.id, c.secret = decodedID, decodedSecret
		if a.behaviour.BasicDecode == BasicBoth && !a.exists(ctx, decodedID) && a.exists(ctx, id) {
			c.id = id
		}
		c.habit, c.advice = "without form decoding", "Form-encode id and secret before you join them (RFC 6749 section 2.3.1): a % or a + in them is sent as %25 or %2B."
	default:
		c.habit, c.advice = "without form decoding; it holds a percent sign that is no escape", "Form-encode id and secret before you join them (RFC 6749 section 2.3.1): send %25 for a percent sign."
		c.secret = ""
	}
	if c.id == "" {
		return c, a.refuseClient(ruleSecretForm, outcome{got: "an empty client_id", want: "Basic base64(client_id:client_secret)",
			text: "The Authorization header has no client_id before the colon.", fix: "Send Basic followed by the base64 of client_id:client_secret."})
	}
	if other := a.form["client_id"]; other != "" && other != c.id {
		return c, a.refuseClient(ruleSecretForm, outcome{got: "client_id " + other + " in the form", want: c.id,
			text: "The Authorization header is that of client " + quote(c.id) + ", the form's client_id is " + quote(other) + ".", fix: "Leave client_id out of the form, or send the same one."})
	}
	a.checks.pass(ruleSecretForm, "Basic")
	return c, nil
}

func (a *attempt) exists(ctx context.Context, id string) bool {
	_, err := a.server.store.Client(ctx, a.server.env.Name, id)
	return err == nil // a fault shows when the client is looked up
}

// compareSecret checks the secret and its life by the workspace's clock.
func (a *attempt) compareSecret(sent credential) *Error {
	now := a.server.workspaceClock.Now()
	c := a.client
	match := c.matchSecret(sent.secret)
	otherHabit := match < 0 && a.scheme == "basic" && a.behaviour.BasicDecode == BasicBoth && c.matchSecret(sent.otherSecret) >= 0
	if otherHabit {
		sent.secret = sent.otherSecret
		match = c.matchSecret(sent.secret)
	}
	o := outcome{got: "a secret that does not match", want: "the client's secret"}
	if sent.secret == "" {
		match = -1
		o.got = "an empty secret"
	}
	switch {
	case match < 0 && len(c.Secrets) == 0:
		o.text = "Client " + quote(c.ID) + " has no secret."
		o.fix = "Make one in the portal."
	case match < 0 && sent.otherSecret != sent.secret && c.matchSecret(sent.otherSecret) >= 0:
		o.finding = "K02"
		o.text = "The secret, as this server reads it, is not that of client " + quote(c.ID) + "."
		o.counterfactual = "It matches " + sent.habit + "."
		o.fix = sent.advice
	case match < 0:
		o.text = "The secret is not that of client " + quote(c.ID) + "."
		o.fix = "Compare what your client sends (white space, quotation marks, an old value in the environment). A secret is shown once, when it is made; if it is lost, rotate it in the portal"
		if sent.secret == "" {
			o.finding = "K05"
			o.text = "The secret is empty."
			o.fix = "Give the client its secret: is the variable that holds it empty? A secret is shown once, when it is made, and cannot be shown again; if it is lost, rotate it in the portal"
		}
		if a.req.Addresses.PortalURL != "" {
			o.fix += ": " + a.req.Addresses.PortalURL
		} else {
			o.fix += "."
		}
	case expired(c.Secrets[match].ExpiresAt, now):
		o = a.endedSecret(match, now)
	default:
		a.checks.pass(ruleSecretMatch, "secret "+itoa(match+1)+" of "+itoa(len(c.Secrets)))
		if otherHabit {
			a.checks.warn(ruleSecretMatch, outcome{finding: "K02", got: "secret " + itoa(match+1) + " of " + itoa(len(c.Secrets)), want: "form-encoded halves",
				text: "The secret matches " + sent.habit + ". This server's behaviour takes either; others take one.", fix: sent.advice})
		}
		if rotated, was := c.rotatedAt(match); was {
			a.checks.warn(ruleSecretMatch, outcome{finding: "L04", got: "secret " + itoa(match+1) + " of " + itoa(len(c.Secrets)), want: "the current secret",
				text: a.oldSecretUsed(match, now.Sub(rotated)) + ". It works until " + stamp(c.Secrets[match].ExpiresAt) + ".", fix: "Deploy the new one to every instance of the client before that."})
		}
		return nil
	}
	return a.refuseClient(ruleSecretMatch, o)
}

// rotatedAt returns when a secret was rotated; false for one that was not,
// before it expired by itself.
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
