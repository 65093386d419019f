package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/clock"
	"github.com/sandfhir/sandfhir/internal/control"
	"github.com/sandfhir/sandfhir/internal/r4"
)

// A bench is an authorization server in memory with one client at a time, to try assertions on.
type bench struct {
	store    *control.DB
	server   *authz.Server
	keys     *authz.Fetcher
	tokenURL string
}

// newBench opens one that takes these algorithms, of those that it knows.
func newBench(ctx context.Context, real clock.Clock, tokenURL string, algorithms []string) (*bench, error) {
	store, err := control.Open(ctx, "", control.Options{})
	if err != nil {
		return nil, fmt.Errorf("open the doctor's server: %w", err)
	}
	behaviour := authz.Strict()
	algorithms = slices.DeleteFunc(slices.Clone(algorithms), func(alg string) bool { return !slices.Contains(authz.SupportedAlgorithms(), alg) })
	if len(algorithms) > 0 {
		behaviour.Algorithms = algorithms
	}
	b := &bench{store: store, tokenURL: tokenURL, keys: authz.NewFetcher(authz.FetchConfig{Reach: authz.ReachPrivate, Clock: real})}
	defs := r4.Definitions()
	b.server, err = authz.New(ctx, authz.Config{
		Environment: authz.Environment{Name: authz.Sandbox},
		Store:       store, Keys: b.keys, Clock: real, Wall: real, Behaviour: &behaviour,
		IsResourceType: defs.IsType,
		SearchParameter: func(typ, name string) bool {
			if typ == authz.AnyType {
				typ = "Resource"
			}
			p, ok := defs.Param(typ, name)
			return ok && fhirstore.Searchable(p)
		},
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the doctor's server: %w", err), store.Close())
	}
	return b, nil
}

func (b *bench) close() error { return b.store.Close() }

// keySource is where a client's keys are: by value, by URL, or nowhere.
type keySource struct {
	jwks []byte
	uri  string
}

// anyScope is what the client of the bench is registered for: what a real one is registered for
// is known to its server only.
const anyScope = "system/*.cruds"

// register makes the bench's client.
func (b *bench) register(ctx context.Context, id string, keys keySource) error {
	scopes, err := authz.ParseScopes(anyScope)
	if err != nil {
		return err
	}
	_, err = b.store.PutClient(ctx, authz.Sandbox, &authz.Client{
		ID: id, Method: authz.PrivateKeyJWT, JWKS: keys.jwks, JWKSURI: keys.uri,
		Scopes: scopes, Grants: []string{authz.GrantClientCredentials}, Status: authz.StatusActive,
	})
	if err != nil {
		return fmt.Errorf("register the client on the doctor's server: %w", err)
	}
	return nil
}

// formType is the media type of a token request.
const formType = "application/x-www-form-urlencoded"

// form is a token request with the assertion.
func form(assertion, scope string) []byte { return []byte(authz.TokenForm(assertion, scope).Encode()) }

// examine applies every rule to a token request.
func (b *bench) examine(ctx context.Context, body []byte) *authz.TokenDecision {
	return b.server.Examine(ctx, authz.FormRequest{
		Method: "POST", ContentType: formType, Body: body, Addresses: authz.Addresses{TokenURL: b.tokenURL},
	})
}

// try registers a client with the keys and examines an assertion of its.
func (b *bench) try(ctx context.Context, client string, keys keySource, body []byte) ([]authz.Check, error) {
	if err := b.register(ctx, client, keys); err != nil {
		return nil, err
	}
	defer b.store.DeleteClient(ctx, authz.Sandbox, client)
	d := b.examine(ctx, body)
	if d.Err != nil && d.Err.Status >= 500 {
		return nil, d.Err
	}
	return d.Checks, nil
}
