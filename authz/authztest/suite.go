package authztest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/authz"
)

// RunStore checks an authz.Store. open returns an empty one for each test and
// closes it by t.Cleanup.
func RunStore(t *testing.T, open func(t *testing.T) authz.Store) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, s authz.Store)
	}{
		{"client round trip", clientRoundTrip},
		{"clients of environments are apart", clientEnvironments},
		{"returned clients are the caller's", clientCopies},
		{"recent clients", recentClients},
		{"generations are never used twice", generations},
		{"rejection gives a new generation", rejection},
		{"no client", noClient},
		{"SB-JWT-19 a jti is used once per issuer and environment", jtiOnce},
		{"SB-JWT-20 a jti is used once under load", jtiParallel},
		{"a jti is forgotten after it expires", jtiExpires},
		{"SB-REV-04 revoked tokens", revokedTokens},
		{"signing keys", signingKeys},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, open(t))
		})
	}
}

// at is the instant of the suite, in the milliseconds that stores keep.
func at(offset time.Duration) time.Time {
	return time.Date(2026, 3, 4, 5, 6, 7, 89e6, time.UTC).Add(offset)
}

func fullClient(id string) *authz.Client {
	return &authz.Client{
		ID: id, Name: "Claims “importer”", Method: authz.PrivateKeyJWT,
		JWKS: []byte(`{"keys": []}`),
		Secrets: []authz.Secret{
			{Hash: authz.HashSecret("old"), CreatedAt: at(0), ExpiresAt: at(time.Hour)},
			{Hash: authz.HashSecret("new"), CreatedAt: at(time.Minute)},
		},
		Scopes: authz.Scopes{
			{Type: "Patient", Letters: authz.Read | authz.Search, V1: true},
			{Type: "Observation", Letters: authz.Read, Query: authz.Query{{Name: "category", Values: []string{"http://x|a", "b,c"}}}},
		},
		Grants: []string{authz.GrantClientCredentials}, Organization: "org-1", TokenLifetime: 90 * time.Second,
		Status: authz.StatusDraft, StatusReason: "new", StatusBy: "ann", StatusAt: at(0),
		CreatedAt: at(0), Source: authz.SourceRegistration, RegistrationToken: authz.HashSecret("r"),
		Metadata: authz.Metadata{RedirectURIs: []string{"https://x.test/cb"}, ClientURI: "https://x.test", LogoURI: "https://x.test/l",
			Contacts: []string{"a@x.test"}, TermsURI: "https://x.test/t", PolicyURI: "https://x.test/p", SoftwareID: "s", SoftwareVersion: "1"},
	}
}

// same compares clients by their JSON, instants in UTC.
func same(t *testing.T, got, want *authz.Client) {
	t.Helper()
	text := func(c *authz.Client) string {
		copied := *c
		copied.CreatedAt, copied.StatusAt = copied.CreatedAt.UTC(), copied.StatusAt.UTC()
		copied.Secrets = nil
		for _, s := range c.Secrets {
			s.CreatedAt = s.CreatedAt.UTC()
			if !s.ExpiresAt.IsZero() {
				s.ExpiresAt = s.ExpiresAt.UTC()
			}
			copied.Secrets = append(copied.Secrets, s)
		}
		data, err := json.Marshal(&copied)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	if text(got) != text(want) {
		t.Errorf("client differs\n got %s\nwant %s", text(got), text(want))
	}
}

func put(t *testing.T, s authz.Store, env string, c *authz.Client) *authz.Client {
	t.Helper()
	stored, err := s.PutClient(context.Background(), env, c)
	if err != nil {
		t.Fatalf("PutClient(%s, %s): %v", env, c.ID, err)
	}
	return stored
}

func get(t *testing.T, s authz.Store, env, id string) *authz.Client {
	t.Helper()
	c, err := s.Client(context.Background(), env, id)
	if err != nil {
		t.Fatalf("Client(%s, %s): %v", env, id, err)
	}
	return c
}

func clientRoundTrip(t *testing.T, s authz.Store) {
	want := fullClient("c1")
	want.Generation = 99 // ignored
	stored := put(t, s, authz.Sandbox, want)
	if stored.Generation == 99 || stored.Generation <= 0 {
		t.Errorf("generation of a new client is %d, want a number of the store's own, above 0", stored.Generation)
	}
	want.Generation = stored.Generation
	same(t, stored, want)
	same(t, get(t, s, authz.Sandbox, "c1"), want)

	other := fullClient("c1")
	other.Name, other.JWKS, other.JWKSURI, other.Secrets = "renamed", nil, "https://x.test/jwks", nil
	other.Organization, other.TokenLifetime, other.Metadata = "", 0, authz.Metadata{}
	again := put(t, s, authz.Sandbox, other)
	if again.Generation != stored.Generation {
		t.Errorf("a replaced client has generation %d, want it kept at %d", again.Generation, stored.Generation)
	}
	other.Generation = stored.Generation
	same(t, get(t, s, authz.Sandbox, "c1"), other)
}

func clientEnvironments(t *testing.T, s authz.Store) {
	put(t, s, authz.Sandbox, fullClient("c1"))
	if _, err := s.Client(context.Background(), authz.Production, "c1"); !errors.Is(err, authz.ErrNoClient) {
		t.Fatalf("a sandbox client in production: error %v, want ErrNoClient", err)
	}
	in := fullClient("c1")
	in.Name = "in production"
	put(t, s, authz.Production, in)
	if got := get(t, s, authz.Sandbox, "c1").Name; got == in.Name {
		t.Errorf("the sandbox client has the name of the production one")
	}
	if err := s.DeleteClient(context.Background(), authz.Production, "c1"); err != nil {
		t.Fatal(err)
	}
	get(t, s, authz.Sandbox, "c1")
}

// clientCopies changes everything that can be reached from what was given and
// returned.
func clientCopies(t *testing.T, s authz.Store) {
	given := fullClient("c1")
	stored := put(t, s, authz.Sandbox, given)
	recent, err := s.RecentClients(context.Background(), authz.Sandbox, 1)
	if err != nil || len(recent) != 1 {
		t.Fatalf("RecentClients: %v, %v", recent, err)
	}
	want := fullClient("c1")
	want.Generation = stored.Generation
	for _, c := range []struct {
		what   string
		client *authz.Client
	}{
		{"given to PutClient", given}, {"returned by PutClient", stored}, {"returned by RecentClients", recent[0]},
		{"returned by Client", get(t, s, authz.Sandbox, "c1")}, {"returned by Client again", get(t, s, authz.Sandbox, "c1")},
	} {
		change(reflect.ValueOf(c.client).Elem())
		t.Run("changed after it was "+c.what, func(t *testing.T) { same(t, get(t, s, authz.Sandbox, "c1"), want) })
	}
}

// change gives other values to v and all that it refers to. Instants have
// nothing in them that could be shared.
func change(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type() != reflect.TypeFor[time.Time]() {
				change(v.Field(i))
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			change(v.Index(i))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			change(v.Elem())
		}
	case reflect.String:
		v.SetString("changed")
	case reflect.Uint8:
		v.SetUint(v.Uint() + 1)
	case reflect.Int64:
		v.SetInt(v.Int() + 1)
	case reflect.Bool:
		v.SetBool(!v.Bool())
	default:
		panic("a client has a " + v.Kind().String() + " in it, which this suite cannot change")
	}
}

func recentClients(t *testing.T, s authz.Store) {
	for i, id := range []string{"b", "a", "d", "c"} {
		c := fullClient(id)
		c.CreatedAt = at(time.Duration(i) * time.Second)
		put(t, s, authz.Sandbox, c)
	}
	put(t, s, authz.Production, fullClient("p"))
	clients, err := s.RecentClients(context.Background(), authz.Sandbox, 3)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range clients {
		got = append(got, c.ID)
	}
	if fmt.Sprint(got) != "[c d a]" {
		t.Errorf("recent clients are %v, want [c d a]", got)
	}
	same(t, clients[0], get(t, s, authz.Sandbox, "c"))
}

func generations(t *testing.T, s authz.Store) {
	ctx := context.Background()
	seen := map[int64]string{}
	note := func(what string, generation int64) {
		t.Helper()
		if by, ok := seen[generation]; ok {
			t.Errorf("%s has generation %d, which %s had", what, generation, by)
		}
		seen[generation] = what
	}
	note("c1", put(t, s, authz.Sandbox, fullClient("c1")).Generation)
	note("c2", put(t, s, authz.Sandbox, fullClient("c2")).Generation)
	note("c1 in production", put(t, s, authz.Production, fullClient("c1")).Generation)
	revoked, err := s.RevokeClient(ctx, authz.Sandbox, "c1")
	if err != nil {
		t.Fatal(err)
	}
	note("c1 revoked", revoked)
	if got := get(t, s, authz.Sandbox, "c1").Generation; got != revoked {
		t.Errorf("after RevokeClient the client has generation %d, want %d", got, revoked)
	}
	if err := s.DeleteClient(ctx, authz.Sandbox, "c1"); err != nil {
		t.Fatal(err)
	}
	note("c1 made again", put(t, s, authz.Sandbox, fullClient("c1")).Generation)
}

func rejection(t *testing.T, s authz.Store) {
	c := fullClient("c1")
	first := put(t, s, authz.Sandbox, c).Generation
	c.Status = authz.StatusRejected
	rejected := put(t, s, authz.Sandbox, c).Generation
	if rejected == first {
		t.Errorf("a rejected client keeps generation %d: its tokens would come back with the next approval", first)
	}
	c.Status = authz.StatusDraft
	if again := put(t, s, authz.Sandbox, c).Generation; again == first {
		t.Errorf("a client that is a draft again has its first generation %d again", first)
	}
}

func noClient(t *testing.T, s authz.Store) {
	ctx := context.Background()
	_, errGet := s.Client(ctx, authz.Sandbox, "nobody")
	_, errRevoke := s.RevokeClient(ctx, authz.Sandbox, "nobody")
	errDelete := s.DeleteClient(ctx, authz.Sandbox, "nobody")
	for what, err := range map[string]error{"Client": errGet, "RevokeClient": errRevoke, "DeleteClient": errDelete} {
		if !errors.Is(err, authz.ErrNoClient) {
			t.Errorf("%s of an unknown id: error %v, want ErrNoClient", what, err)
		}
	}
	clients, err := s.RecentClients(ctx, authz.Sandbox, 10)
	if err != nil || len(clients) != 0 {
		t.Errorf("RecentClients of an empty store: %v, %v", clients, err)
	}
}

func use(jti string) authz.JTIUse {
	return authz.JTIUse{Env: authz.Sandbox, Issuer: "c1", JTI: jti, Exchange: "x1", At: at(0), Exp: at(5 * time.Minute)}
}

func useJTI(t *testing.T, s authz.Store, u authz.JTIUse) *authz.JTIUse {
	t.Helper()
	earlier, err := s.UseJTI(context.Background(), u)
	if err != nil {
		t.Fatalf("UseJTI: %v", err)
	}
	return earlier
}

func earlierJTI(t *testing.T, s authz.Store, u authz.JTIUse) *authz.JTIUse {
	t.Helper()
	earlier, err := s.EarlierJTI(context.Background(), u)
	if err != nil {
		t.Fatalf("EarlierJTI: %v", err)
	}
	return earlier
}

func jtiOnce(t *testing.T, s authz.Store) {
	if earlier := earlierJTI(t, s, use("j1")); earlier != nil {
		t.Fatalf("a new jti has the earlier use %+v", earlier)
	}
	if earlier := useJTI(t, s, use("j1")); earlier != nil {
		t.Fatalf("a new jti was used before: %+v", earlier)
	}
	again := use("j1")
	again.Exchange, again.At = "x2", at(time.Minute)
	for range 2 { // a refused use is not recorded
		earlier := useJTI(t, s, again)
		if earlier == nil {
			t.Fatal("a jti was taken twice")
		}
		if earlier.Exchange != "x1" || !earlier.At.Equal(at(0)) || earlier.Issuer != "c1" || earlier.JTI != "j1" || earlier.Env != authz.Sandbox {
			t.Errorf("the earlier use is %+v, want that of exchange x1", earlier)
		}
	}
	if earlier := earlierJTI(t, s, again); earlier == nil || earlier.Exchange != "x1" {
		t.Errorf("the earlier use is %+v, want that of exchange x1", earlier)
	}
	late := again
	late.At = at(6 * time.Minute)
	if earlier := earlierJTI(t, s, late); earlier != nil {
		t.Errorf("after its time the earlier use is %+v", earlier)
	}
	for name, change := range map[string]func(*authz.JTIUse){
		"another issuer":      func(u *authz.JTIUse) { u.Issuer = "c2" },
		"another jti":         func(u *authz.JTIUse) { u.JTI = "J1" },
		"another environment": func(u *authz.JTIUse) { u.Env = authz.Production },
	} {
		u := use("j1")
		change(&u)
		if useJTI(t, s, u) != nil {
			t.Errorf("%s is refused", name)
		}
	}
}

func jtiParallel(t *testing.T, s authz.Store) {
	const rounds, callers = 20, 8
	for round := range rounds {
		jti := fmt.Sprint("j", round)
		var wg sync.WaitGroup
		var mu sync.Mutex
		taken := 0
		for range callers {
			wg.Go(func() {
				earlier, err := s.UseJTI(context.Background(), use(jti))
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Errorf("UseJTI: %v", err)
				} else if earlier == nil {
					taken++
				}
			})
		}
		wg.Wait()
		if taken != 1 {
			t.Fatalf("%d of %d parallel uses of one jti were taken, want 1", taken, callers)
		}
	}
}

func jtiExpires(t *testing.T, s authz.Store) {
	useJTI(t, s, use("j1"))
	last := use("j1")
	last.At = at(5*time.Minute - time.Millisecond)
	if useJTI(t, s, last) == nil {
		t.Error("a jti was forgotten before it expired")
	}
	skewed := use("j1")
	skewed.At, skewed.Skew = at(5*time.Minute+29*time.Second), 30*time.Second
	if earlierJTI(t, s, skewed) == nil {
		t.Error("a jti does not count within a skew that was raised after its use")
	}
	later := use("j1")
	later.At, later.Exp = at(5*time.Minute), at(10*time.Minute)
	if earlier := useJTI(t, s, later); earlier != nil {
		t.Errorf("a jti counts after it expired: %+v", earlier)
	}
	if useJTI(t, s, later) == nil {
		t.Error("the use that replaced an expired one was not recorded")
	}
}

func revokedTokens(t *testing.T, s authz.Store) {
	ctx := context.Background()
	revoked := func(env, id string) bool {
		t.Helper()
		r, err := s.TokenRevoked(ctx, env, id)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if revoked(authz.Sandbox, "t1") {
		t.Error("a token is revoked before RevokeToken")
	}
	for range 2 {
		if err := s.RevokeToken(ctx, authz.Sandbox, "t1", at(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	if !revoked(authz.Sandbox, "t1") {
		t.Error("a token is not revoked after RevokeToken")
	}
	if revoked(authz.Sandbox, "t2") || revoked(authz.Production, "t1") {
		t.Error("a revocation touches another token or environment")
	}
}

func signingKeys(t *testing.T, s authz.Store) {
	ctx := context.Background()
	for i, id := range []string{"k2", "k1", "k2"} {
		key := authz.SigningKey{ID: id, PKCS8: []byte{byte(i), 0, 0xff}, CreatedAt: at(time.Duration(i) * time.Second)}
		if err := s.PutSigningKey(ctx, authz.Sandbox, key); err != nil {
			t.Fatal(err)
		}
	}
	keys, err := s.SigningKeys(ctx, authz.Sandbox)
	if err != nil {
		t.Fatal(err)
	}
	if len(keys) != 2 || keys[0].ID != "k2" || keys[1].ID != "k1" {
		t.Fatalf("signing keys are %+v, want k2 and k1, oldest first", keys)
	}
	if string(keys[0].PKCS8) != "\x00\x00\xff" || !keys[0].CreatedAt.Equal(at(0)) {
		t.Errorf("key k2 is %+v, want it as it was first put", keys[0])
	}
	if other, err := s.SigningKeys(ctx, authz.Production); err != nil || len(other) != 0 {
		t.Errorf("keys of another environment: %v, %v", other, err)
	}
}
