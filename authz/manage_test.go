package authz_test

import (
	"context"
	"errors"
	"testing"

	"github.com/sandfhir/sandfhir/authz"
)

// manage sends a request to the configuration endpoint of a client.
func (w *world) manage(id, method, token string, body []byte) *authz.RegistrationDecision {
	req := authz.RegistrationRequest{Method: method, Body: body, Addresses: addresses()}
	if token != "" {
		req.Authorization = []string{"Bearer " + token}
	}
	if body != nil {
		req.ContentType = "application/json"
	}
	return w.server.Manage(context.Background(), id, req)
}

// registered is a world with a client that registered itself.
func registered(t *testing.T, change map[string]any) (*world, authz.RegistrationResponse) {
	t.Helper()
	w := newWorld(t, withKeys(authz.NewFetcher(authz.FetchConfig{})))
	d := w.register(metadata(w, change))
	if d.Err != nil {
		t.Fatal(d.Err)
	}
	return w, d.Registration.Response
}

func TestManagement(t *testing.T) {
	t.Parallel()
	w, r := registered(t, map[string]any{"client_uri": "https://app.example"})
	id, token := r.ClientID, r.RegistrationAccessToken

	d := w.manage(id, "GET", token, nil)
	if d.Err != nil || mustJSON(t, d.Registration.Response) != mustJSON(t, r) {
		t.Fatalf("SB-DCR-11 GET: %+v", d)
	}
	checkOrder(t, d.Checks, nil)

	client, err := w.store.Client(t.Context(), authz.Sandbox, id)
	if err != nil {
		t.Fatal(err)
	}
	client.Status = authz.StatusActive
	w.put(client)
	d = w.manage(id, "PUT", token, metadata(w, map[string]any{"client_id": id, "client_name": "Renamed", "scope": "system/Patient.rs", "jwks": nil, "jwks_uri": "https://app.example/jwks.json"}))
	if d.Err != nil {
		t.Fatalf("SB-DCR-11 PUT: %v", d.Err)
	}
	checkOrder(t, d.Checks, nil)
	got := d.Registration
	if got.Response.ClientName != "Renamed" || got.Response.Scope != "system/Patient.rs" || got.Response.JWKS != nil || got.Response.ClientURI != "" ||
		got.Response.JWKSURI != "https://app.example/jwks.json" || got.Response.RegistrationAccessToken != token || got.Client.Status != authz.StatusDraft {
		t.Errorf("SB-DCR-11 PUT: %+v", got)
	}
	if stored, _ := w.store.Client(t.Context(), authz.Sandbox, id); stored.Name != "Renamed" || stored.Generation != client.Generation {
		t.Errorf("stored %+v", stored)
	}

	if d := w.manage(id, "DELETE", token, nil); d.Err != nil || d.Registration != nil {
		t.Fatalf("SB-DCR-11 DELETE: %+v", d)
	}
	if _, err := w.store.Client(t.Context(), authz.Sandbox, id); !errors.Is(err, authz.ErrNoClient) {
		t.Errorf("after DELETE: %v", err)
	}
	d = w.manage(id, "GET", token, nil)
	invalidToken("SB-DCR-12", "was deleted").check(t, d.Checks, d.Err)
}

func TestManagementOfSecrets(t *testing.T) {
	t.Parallel()
	w, r := registered(t, map[string]any{"jwks": nil, "token_endpoint_auth_method": "client_secret_basic"})
	update := func(change map[string]any) *authz.RegistrationDecision {
		change["client_id"] = r.ClientID
		return w.manage(r.ClientID, "PUT", r.RegistrationAccessToken, metadata(w, change))
	}
	kept := update(map[string]any{"jwks": nil, "token_endpoint_auth_method": "client_secret_post", "client_secret": r.ClientSecret})
	if kept.Err != nil || kept.Registration.Response.ClientSecret != "" || len(kept.Registration.Client.Secrets) != 1 {
		t.Errorf("the secret is kept and not shown again: %+v", kept)
	}
	d := update(map[string]any{"jwks": nil, "token_endpoint_auth_method": "client_secret_post", "client_secret": "mine"})
	badMetadata("SB-DCR-11-BODY", "cannot choose its secret").check(t, d.Checks, d.Err)
	toKeys := update(map[string]any{})
	if toKeys.Err != nil || len(toKeys.Registration.Client.Secrets) != 0 {
		t.Errorf("SB-ERR-21: a key client keeps a secret: %+v", toKeys)
	}
	back := update(map[string]any{"jwks": nil, "token_endpoint_auth_method": "client_secret_post"})
	if back.Err != nil || back.Registration.Response.ClientSecret == "" {
		t.Errorf("a new secret client gets a secret: %+v", back)
	}
}

func TestRefusedManagement(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, method, token string
		change              map[string]any
		want                refusal
	}{
		{name: "SB-DCR-12 no token", method: "GET", token: "-", want: refusal{id: "SB-DCR-12", status: 401}},
		{name: "SB-DCR-12 wrong token", method: "DELETE", token: "x", want: invalidToken("SB-DCR-12")},
		{name: "SB-DCR-12 method", method: "PATCH", want: refusal{id: "SB-DCR-11", code: "invalid_request", status: 405}},
		{name: "SB-DCR-11 another client_id", method: "PUT", change: map[string]any{"client_id": "app"}, want: badMetadata("SB-DCR-11-BODY", `"app"`)},
		{name: "SB-DCR-11 members of the server", method: "PUT", change: map[string]any{"registration_access_token": "x", "client_id_issued_at": 1}, want: badMetadata("SB-DCR-11-BODY", "client_id_issued_at and registration_access_token")},
		{name: "SB-REG-12 the same rules as at registration", method: "PUT", change: map[string]any{"scope": "system/Nothing.rs"}, want: badMetadata("SB-REG-12")},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w, r := registered(t, nil)
			token := c.token
			switch token {
			case "":
				token = r.RegistrationAccessToken
			case "-":
				token = ""
			}
			var body []byte
			if c.method == "PUT" {
				change := map[string]any{"client_id": r.ClientID}
				for name, value := range c.change {
					change[name] = value
				}
				body = metadata(w, change)
			}
			d := w.manage(r.ClientID, c.method, token, body)
			c.want.check(t, d.Checks, d.Err)
			if (d.Err.Status == 401) != (d.Err.Challenge.Scheme != "") || (d.Err.Status == 405) != (d.Err.Allow != "") {
				t.Errorf("status %d, challenge %q, allow %q", d.Err.Status, d.Err.Challenge, d.Err.Allow)
			}
			if stored, err := w.store.Client(t.Context(), authz.Sandbox, r.ClientID); err != nil || stored.Scopes.String() != "system/*.rs" {
				t.Errorf("the refused request changed the client: %+v, %v", stored, err)
			}
		})
	}
	w, _ := registered(t, nil) // a client that did not register itself
	d := w.manage("app", "GET", "x", nil)
	invalidToken("SB-DCR-12").check(t, d.Checks, d.Err)
}

func TestInitialAccessToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.server = w.open(func(c *authz.Config) { c.InitialAccessToken = "invite" })
	for _, c := range []struct {
		name          string
		authorization []string
		want          refusal
	}{
		{"SB-DCR-09 none", nil, refusal{id: "SB-DCR-09", status: 401}},
		{"SB-DCR-09 wrong", []string{"Bearer other"}, invalidToken("SB-DCR-09")},
		{"SB-DCR-09 right", []string{"bearer invite"}, refusal{}},
	} {
		d := w.server.Register(t.Context(), authz.RegistrationRequest{Method: "POST", ContentType: "application/json",
			Body: metadata(w, nil), Authorization: c.authorization, Addresses: addresses()})
		if c.want.id == "" {
			if d.Err != nil {
				t.Errorf("%s: %v", c.name, d.Err)
			}
			continue
		}
		c.want.check(t, d.Checks, d.Err)
	}
}
