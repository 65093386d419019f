package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/control"
	"github.com/sandfhir/sandfhir/internal/portal"
)

// jwtBearer is the client_assertion_type of RFC 7523 section 2.2.
const jwtBearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// An aidboxClient is a Client as Aidbox has it, as far as a rule depends on it.
type aidboxClient struct {
	Type   string          `json:"resourceType"`
	ID     string          `json:"id"`
	Name   string          `json:"name"`
	Grants []string        `json:"grant_types"`
	Scope  json.RawMessage `json:"scope"` // a list, or a text with spaces
	Secret string          `json:"secret"`
	JWKS   json.RawMessage `json:"jwks"`
	URI    string          `json:"jwks_uri"`
	Auth   struct {
		ClientCredentials struct {
			AssertionTypes []string        `json:"client_assertion_types"`
			Expiration     json.RawMessage `json:"access_token_expiration"`
			Format         string          `json:"token_format"`
			Audience       json.RawMessage `json:"audience"` // a text, or a list of one
			RefreshToken   bool            `json:"refresh_token"`
		} `json:"client_credentials"`
	} `json:"auth"`
}

// putClient puts a Client (Aidbox documentation, Client; its tutorial on SMART
// Backend Services, step 2). A new one is active in the environment at once, and
// needs an AccessPolicy for every request; one that is there already keeps its
// status, and what came to it by registration.
func (l *call) putClient() error {
	members, body, err := l.readAdmin()
	if err != nil {
		return err
	}
	if err := spelt(members); err != nil {
		return err
	}
	var a aidboxClient
	if err := json.Unmarshal(body, &a); err != nil {
		return badRequest("value", "a Client: "+jsonProblem(err))
	}
	id := l.Params("id")
	switch {
	case a.Type != "" && a.Type != clientType:
		return unprocessable("Client.resourceType", fmt.Sprintf("it is %q", a.Type))
	case a.ID != "" && a.ID != id:
		return unprocessable("Client.id", fmt.Sprintf("it is %q; the URL says %q", a.ID, id))
	}
	_, err = l.env.Auth.Change(l.UserContext(), id, func(c *authz.Client) error { return l.fillClient(c, a) })
	if errors.Is(err, authz.ErrNoClient) {
		err = l.newAdminClient(id, a)
	}
	if err != nil {
		return err
	}
	delete(members, "secret") // its hash is kept
	kept, err := marshal(members)
	if err != nil {
		return err
	}
	return l.putAdmin(clientType, id, kept)
}

// newAdminClient adds a client that is active at once.
func (l *call) newAdminClient(id string, a aidboxClient) error {
	now := l.workspace.Clock.Now()
	c := &authz.Client{ID: id, Source: authz.SourceAdmin, Status: authz.StatusActive, StatusAt: now, CreatedAt: now}
	if err := l.fillClient(c, a); err != nil {
		return err
	}
	_, err := l.workspace.Control().PutClient(l.UserContext(), l.env.Name, c)
	return err
}

// spelt refuses a member of a Client that differs in its case only from one that
// has a meaning: Secret would be kept as it is.
func spelt(members map[string]json.RawMessage) error {
	for name := range members {
		for _, known := range []string{"resourceType", "id", "name", "grant_types", "scope", "secret", "jwks", "jwks_uri", "auth"} {
			if strings.EqualFold(name, known) && name != known {
				return unprocessable("Client."+name, "it is spelt "+known)
			}
		}
	}
	return nil
}

// fillClient fills a client from the resource.
func (l *call) fillClient(c *authz.Client, a aidboxClient) error {
	credentials := a.Auth.ClientCredentials
	c.Name, c.Grants = a.Name, a.Grants
	switch {
	case credentials.RefreshToken:
		return unprocessable("Client.auth.client_credentials.refresh_token", "this sandbox issues no refresh tokens for client_credentials: SMART Backend Services has none, a client signs another assertion")
	case credentials.Format != "" && credentials.Format != "jwt":
		return unprocessable("Client.auth.client_credentials.token_format", fmt.Sprintf("%q is not offered; tokens are jwt", credentials.Format))
	}
	for _, fill := range []func(*authz.Client, aidboxClient) error{l.fillLifetime, l.fillAudience, l.fillScopes, l.fillKeys, l.fillMethod} {
		if err := fill(c, a); err != nil {
			return err
		}
	}
	return nil
}

func (l *call) fillLifetime(c *authz.Client, a aidboxClient) error {
	const path = "Client.auth.client_credentials.access_token_expiration"
	text := a.Auth.ClientCredentials.Expiration
	c.TokenLifetime = 0
	if len(text) == 0 || string(text) == "null" {
		return nil
	}
	var seconds int64
	if err := json.Unmarshal(text, &seconds); err != nil || seconds < 1 {
		return unprocessable(path, "it is a number of seconds from 1")
	}
	life, most := time.Duration(seconds)*time.Second, l.env.Auth.Behaviour().MaxTokenLifetime
	if seconds > math.MaxInt32 || life > most {
		return unprocessable(path, fmt.Sprintf("it is %d; the behaviour in force allows %d seconds", seconds, int(most.Seconds())))
	}
	c.TokenLifetime = life
	return nil
}

func (l *call) fillAudience(c *authz.Client, a aidboxClient) error {
	text := a.Auth.ClientCredentials.Audience
	c.Audience = ""
	if len(text) == 0 || string(text) == "null" {
		return nil
	}
	var list []string
	if text[0] == '[' && json.Unmarshal(text, &list) == nil && len(list) == 1 {
		c.Audience = list[0]
		return nil
	}
	if err := json.Unmarshal(text, &c.Audience); err != nil {
		return unprocessable("Client.auth.client_credentials.audience", "it is a text, or a list with one")
	}
	return nil
}

func (l *call) fillScopes(c *authz.Client, a aidboxClient) error {
	c.Scopes = nil
	if len(a.Scope) == 0 || string(a.Scope) == "null" {
		return nil
	}
	var words []string
	var text string
	if err := json.Unmarshal(a.Scope, &words); err != nil {
		if json.Unmarshal(a.Scope, &text) != nil {
			return unprocessable("Client.scope", `it is a list such as ["system/*.read"]`)
		}
		words = strings.Fields(text)
	}
	for i, word := range words {
		scopes, err := l.env.Auth.CheckScopes(word)
		if err != nil {
			return unprocessable(fmt.Sprintf("Client.scope[%d]", i), err.Error())
		}
		c.Scopes = append(c.Scopes, scopes...)
	}
	return nil
}

// fillKeys takes jwks, a bare array of keys, and jwks_uri.
func (l *call) fillKeys(c *authz.Client, a aidboxClient) error {
	c.JWKS, c.JWKSURI = nil, a.URI
	if c.JWKSURI != "" {
		if err := l.env.Auth.CheckKeyURI(c.JWKSURI); err != nil {
			return unprocessable("Client.jwks_uri", err.Error())
		}
	}
	keys := bytes.TrimSpace(a.JWKS)
	if len(keys) == 0 || string(keys) == "null" {
		return nil
	}
	if keys[0] != '[' {
		return unprocessable("Client.jwks", `it is a bare array of keys; the object {"keys":[…]} is for a jwks_uri`)
	}
	if l.env.Auth.Behaviour().InlineKeys == authz.InlineObject {
		keys = append(append([]byte(`{"keys":`), keys...), '}')
	}
	if _, problems := l.env.Auth.CheckKeySet(keys); len(problems) > 0 {
		return unprocessable("Client.jwks", problems[0].Text+" "+problems[0].Fix)
	}
	c.JWKS = keys
	return nil
}

// fillMethod settles how the client authenticates: by assertion, where it has
// keys and client_assertion_types lists the one there is, else by its secret.
func (l *call) fillMethod(c *authz.Client, a aidboxClient) error {
	hasKeys := c.JWKS != nil || c.JWKSURI != ""
	c.Method = "none"
	switch {
	case hasKeys && a.Secret != "":
		return unprocessable("Client.secret", "the client has keys as well; this sandbox takes one of them")
	case hasKeys:
		c.Secrets = nil // an earlier one does not come back
		if slices.Contains(a.Auth.ClientCredentials.AssertionTypes, jwtBearer) {
			c.Method = authz.PrivateKeyJWT
		}
	case a.Secret != "":
		c.Method = authz.ClientSecretBasic
		c.Secrets = []authz.Secret{{Hash: authz.HashSecret(a.Secret), CreatedAt: l.workspace.Clock.Now()}}
	case !hasKeys && len(c.Secrets) > 0:
		c.Method = authz.ClientSecretBasic // it keeps the secret that it has
	}
	return nil
}

// readClient shows a Client: as it was put, or what there is of one that was
// registered.
func (l *call) readClient() error {
	id := l.Params("id")
	c, err := l.workspace.Control().Client(l.UserContext(), l.env.Name, id)
	if errors.Is(err, authz.ErrNoClient) {
		return notFound("there is no Client/%s in %s", id, l.env.Name)
	}
	if err != nil {
		return err
	}
	text, err := l.clientResource(c)
	if err != nil {
		return err
	}
	return l.send(fiber.StatusOK, fiber.MIMEApplicationJSON, text)
}

func (l *call) clientResource(c *authz.Client) ([]byte, error) {
	r, err := l.workspace.Control().Admin(l.UserContext(), l.env.Name, clientType, c.ID)
	if err == nil {
		return withMeta(r)
	}
	if !errors.Is(err, control.ErrNoResource) {
		return nil, err
	}
	credentials := map[string]any{"access_token_expiration": int(l.lifetimeOf(c).Seconds()), "token_format": "jwt"}
	v := map[string]any{
		"resourceType": clientType, "id": c.ID, "grant_types": c.Grants, "scope": strings.Fields(c.Scopes.String()),
		"auth": map[string]any{"client_credentials": credentials},
	}
	if c.Method == authz.PrivateKeyJWT {
		credentials["client_assertion_types"] = []string{jwtBearer}
	}
	for name, value := range map[string]string{"name": c.Name, "jwks_uri": c.JWKSURI, "description": c.Description} {
		if value != "" {
			v[name] = value
		}
	}
	var set struct{ Keys json.RawMessage }
	if json.Unmarshal(c.JWKS, &set) == nil && set.Keys != nil {
		v["jwks"] = set.Keys
	} else if json.Valid(c.JWKS) {
		v["jwks"] = json.RawMessage(c.JWKS)
	}
	return marshal(v)
}

func (l *call) lifetimeOf(c *authz.Client) time.Duration {
	if c.TokenLifetime > 0 {
		return c.TokenLifetime
	}
	return l.env.Auth.Behaviour().TokenLifetime
}

// clientIDs are the ids of all clients of the environment, the latest first.
func (l *call) clientIDs() ([]string, error) {
	clients, err := l.workspace.Control().RecentClients(l.UserContext(), l.env.Name, math.MaxInt32)
	var ids []string
	for _, c := range clients {
		ids = append(ids, c.ID)
	}
	return ids, err
}

// searchClients lists the Clients.
func (l *call) searchClients() error {
	clients, err := l.workspace.Control().RecentClients(l.UserContext(), l.env.Name, math.MaxInt32)
	if err != nil {
		return err
	}
	list := []json.RawMessage{}
	for _, c := range clients {
		text, err := l.clientResource(c)
		if err != nil {
			return err
		}
		list = append(list, text)
	}
	return l.foundAdmins("searchset", list)
}

// deleteClient deletes a Client, and with it its tokens.
func (l *call) deleteClient() error {
	id := l.Params("id")
	err := portal.ErrNoService
	if l.env.Name == authz.Sandbox { // a service ends in both environments
		err = l.portal().Delete(l.UserContext(), id)
	}
	if errors.Is(err, portal.ErrNoService) {
		err = l.env.Auth.Remove(l.UserContext(), id, func(*authz.Client) error { return nil })
	}
	if errors.Is(err, authz.ErrNoClient) {
		return notFound("there is no Client/%s in %s", id, l.env.Name)
	}
	if err != nil {
		return err
	}
	_, err = l.workspace.Control().Admin(l.UserContext(), l.env.Name, clientType, id)
	if err == nil {
		_, err = l.workspace.Control().PutAdmin(l.UserContext(), l.env.Name, clientType, id, l.workspace.Clock.Now(), nil)
	}
	if err != nil && !errors.Is(err, control.ErrNoResource) {
		return err
	}
	return l.SendStatus(fiber.StatusNoContent)
}
