package authz_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/authz"
)

var errDisk = errors.New("the disk burns")

// failing is a store whose named method fails.
type failing struct {
	authz.Store
	method string
}

func (f *failing) err(method string) error {
	if f.method == method {
		return errDisk
	}
	return nil
}

func (f *failing) Client(ctx context.Context, env, id string) (*authz.Client, error) {
	if err := f.err("Client"); err != nil {
		return nil, err
	}
	if f.method == "Client elsewhere" && env != authz.Sandbox {
		return nil, errDisk
	}
	return f.Store.Client(ctx, env, id)
}

func (f *failing) RecentClients(ctx context.Context, env string, limit int) ([]*authz.Client, error) {
	if err := f.err("RecentClients"); err != nil {
		return nil, err
	}
	return f.Store.RecentClients(ctx, env, limit)
}

func (f *failing) PutClient(ctx context.Context, env string, c *authz.Client) (*authz.Client, error) {
	if err := f.err("PutClient"); err != nil {
		return nil, err
	}
	return f.Store.PutClient(ctx, env, c)
}

func (f *failing) DeleteClient(ctx context.Context, env, id string) error {
	if err := f.err("DeleteClient"); err != nil {
		return err
	}
	return f.Store.DeleteClient(ctx, env, id)
}

func (f *failing) UseJTI(ctx context.Context, use authz.JTIUse) (*authz.JTIUse, error) {
	if err := f.err("UseJTI"); err != nil {
		return nil, err
	}
	return f.Store.UseJTI(ctx, use)
}

func (f *failing) RevokeToken(ctx context.Context, env, id string, expires time.Time) error {
	if err := f.err("RevokeToken"); err != nil {
		return err
	}
	return f.Store.RevokeToken(ctx, env, id, expires)
}

func (f *failing) TokenRevoked(ctx context.Context, env, id string) (bool, error) {
	if err := f.err("TokenRevoked"); err != nil {
		return false, err
	}
	return f.Store.TokenRevoked(ctx, env, id)
}

func (f *failing) SigningKeys(ctx context.Context, env string) ([]authz.SigningKey, error) {
	if err := f.err("SigningKeys"); err != nil {
		return nil, err
	}
	return f.Store.SigningKeys(ctx, env)
}

func (f *failing) PutSigningKey(ctx context.Context, env string, key authz.SigningKey) error {
	if err := f.err("PutSigningKey"); err != nil {
		return err
	}
	return f.Store.PutSigningKey(ctx, env, key)
}

// SB-ERR-26: a fault of the store is the server's, and is said so without
// telling what it is.
func TestStoreFaults(t *testing.T) {
	t.Parallel()
	unknown := func(a *ask) { a.assertion.Claims["iss"] = "nobody" }
	for _, c := range []struct {
		name, method string
		send         func(w *world, token string) ([]authz.Check, *authz.Error)
	}{
		{"token", "Client", func(w *world, token string) ([]authz.Check, *authz.Error) {
			d := w.newAsk().send()
			return d.Checks, d.Err
		}},
		{"token of an unknown client", "RecentClients", func(w *world, token string) ([]authz.Check, *authz.Error) {
			a := w.newAsk()
			unknown(a)
			d := a.send()
			return d.Checks, d.Err
		}},
		{"token of a client elsewhere", "Client elsewhere", func(w *world, token string) ([]authz.Check, *authz.Error) {
			a := w.newAsk()
			unknown(a)
			d := a.send()
			return d.Checks, d.Err
		}},
		{"token", "UseJTI", func(w *world, token string) ([]authz.Check, *authz.Error) {
			d := w.newAsk().send()
			return d.Checks, d.Err
		}},
		{"access", "Client", func(w *world, token string) ([]authz.Check, *authz.Error) {
			d := w.call(w.server, "Bearer "+token)
			return d.Checks, d.Err
		}},
		{"access", "TokenRevoked", func(w *world, token string) ([]authz.Check, *authz.Error) {
			d := w.call(w.server, "Bearer "+token)
			return d.Checks, d.Err
		}},
		{"access by an unknown key", "SigningKeys", func(w *world, token string) ([]authz.Check, *authz.Error) {
			d := w.call(w.server, "Bearer "+newWorld(w.t).newAsk().granted().Response.AccessToken)
			return d.Checks, d.Err
		}},
		{"introspection", "TokenRevoked", func(w *world, token string) ([]authz.Check, *authz.Error) {
			d := w.about(token).introspect()
			return d.Checks, d.Err
		}},
		{"introspection by a bearer", "TokenRevoked", func(w *world, token string) ([]authz.Check, *authz.Error) {
			d := w.about(token).byBearer(token).introspect()
			return d.Checks, d.Err
		}},
		{"revocation", "RevokeToken", func(w *world, token string) ([]authz.Check, *authz.Error) {
			d := w.about(token).revoke()
			return d.Checks, d.Err
		}},
		{"revocation", "TokenRevoked", func(w *world, token string) ([]authz.Check, *authz.Error) {
			d := w.about(token).revoke()
			return d.Checks, d.Err
		}},
		{"registration", "PutClient", func(w *world, token string) ([]authz.Check, *authz.Error) {
			d := w.register(metadata(w, nil))
			return d.Checks, d.Err
		}},
		{"management", "Client", func(w *world, token string) ([]authz.Check, *authz.Error) {
			d := w.manage("app", "GET", "x", nil)
			return d.Checks, d.Err
		}},
		{"management", "DeleteClient", func(w *world, token string) ([]authz.Check, *authz.Error) {
			d := w.manage("app", "DELETE", "x", nil)
			return d.Checks, d.Err
		}},
	} {
		t.Run(c.name+" without "+c.method, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.change(func(c *authz.Client) { c.RegistrationToken = authz.HashSecret("x") })
			token := w.newAsk().granted().Response.AccessToken
			store := &failing{Store: w.store}
			w.server = w.open(func(cfg *authz.Config) { cfg.Store = store })
			store.method = c.method
			checks, err := c.send(w, token)
			if err == nil {
				t.Fatal("no error")
			}
			checkOrder(t, checks, err)
			if err.Status != 500 || err.Code != "server_error" || !errors.Is(err, errDisk) {
				t.Errorf("got %d %s, cause %v", err.Status, err.Code, err.Unwrap())
			}
			if text := err.Check.Explanation() + err.Description(); strings.Contains(text, "burns") || strings.Count(text, "not your client's fault") != 2 {
				t.Errorf("the diagnosis: %s", text)
			}
			if log := err.Error(); !strings.Contains(log, "burns") {
				t.Errorf("the cause is not in %q", log)
			}
		})
	}
	for _, method := range []string{"SigningKeys", "PutSigningKey"} {
		w := newWorld(t)
		_, err := authz.New(t.Context(), authz.Config{Environment: authz.Environment{Name: "other"}, Store: &failing{w.store, method}, IsResourceType: resourceType})
		if !errors.Is(err, errDisk) {
			t.Errorf("New without %s: %v", method, err)
		}
	}
}

// noRandomness fails to read.
type noRandomness struct{}

func (noRandomness) Read([]byte) (int, error) { return 0, errDisk }

func TestNoRandomness(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.server = w.open(func(c *authz.Config) { c.Rand = noRandomness{} })
	token := w.newAsk().send()
	registration := w.register(metadata(w, nil))
	for name, err := range map[string]*authz.Error{"token": token.Err, "registration": registration.Err} {
		if err == nil || err.Status != 500 || !errors.Is(err, errDisk) {
			t.Errorf("%s: %v", name, err)
		}
	}
	checkOrder(t, registration.Checks, registration.Err)
	if _, _, err := w.server.NewSecret(0); !errors.Is(err, errDisk) {
		t.Errorf("NewSecret: %v", err)
	}
}
