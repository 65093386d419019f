package authz_test

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/authz"
)

func basic(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
}

// tricky is a secret with everything that encodings change.
const tricky = "p+q r%2Fs:t&u"

// secretAsk is a request of a client that has three secrets: one that ended,
// one that ends in an hour, and tricky.
func secretAsk(w *world) *ask {
	now := w.clock.Now()
	w.put(&authz.Client{
		ID: "web:1", Name: "Web", Method: authz.ClientSecretBasic, Scopes: scopes(w.t, "system/*.rs"),
		Secrets: []authz.Secret{
			{Hash: authz.HashSecret("s3cr3t-past"), CreatedAt: now.Add(-3 * time.Hour), ExpiresAt: now.Add(-time.Hour)},
			{Hash: authz.HashSecret("s3cr3t-next"), CreatedAt: now.Add(-2 * time.Hour), ExpiresAt: now.Add(time.Hour)},
			{Hash: authz.HashSecret(tricky), CreatedAt: now.Add(-time.Hour)},
		},
	})
	a := w.newAsk()
	a.form = url.Values{"grant_type": {"client_credentials"}, "scope": {"system/Patient.rs"}}
	return a
}

func usingBasic(id, secret string) func(*ask) {
	return func(a *ask) { a.Authorization = []string{basic(id, secret)} }
}

func usingPost(id, secret string) func(*ask) {
	return func(a *ask) { a.form.Set("client_id", id); a.form.Set("client_secret", secret) }
}

// basicError is the refusal where Basic was used: 401.
func basicError(id string, says ...string) refusal {
	return refusal{id: id, code: "invalid_client", status: 401, says: says}
}

func secretCases() []assertionCase {
	off := []option{withBehaviour(func(b *authz.Behaviour) { b.SecretsOffered = false })}
	raw := []option{withBehaviour(func(b *authz.Behaviour) { b.BasicDecode = authz.BasicRaw })}
	return []assertionCase{
		{name: "SB-ERR-17 wrong Basic secret", edit: usingBasic("web%3A1", "wrong"), want: basicError("SB-REG-17", "not that of client", "rotate")},
		{name: "SB-ERR-18 wrong form secret", edit: usingPost("web:1", "wrong"), want: clientError("SB-REG-17")},
		{name: "K05 SB-REG-17 empty secret", edit: usingBasic("web%3A1", ""), want: basicError("K05", "shown once", "rotate it")},
		{name: "L04 rotated secret", edit: func(a *ask) { usingBasic("web%3A1", "s3cr3t-past")(a); a.Remote = "192.0.2.7" },
			want: basicError("L04", "The old secret 1 of client", "by 192.0.2.7 2 h after its rotation", "ended at", "1 h ago", "every instance")},
		{name: "K01 expired secret", edit: func(a *ask) {
			a.change(func(c *authz.Client) {
				c.Method, c.Secrets = authz.ClientSecretBasic, []authz.Secret{{Hash: authz.HashSecret("old"), ExpiresAt: a.clock.Now().Add(-time.Hour)}}
			})
			usingBasic("app", "old")(a)
		}, want: basicError("K01", "Secret 1", "has expired", "1 h ago", "Make a new one")},
		{name: "K01 expired secret beside a newer one", edit: func(a *ask) {
			now := a.clock.Now()
			a.change(func(c *authz.Client) {
				c.Method = authz.ClientSecretBasic
				c.Secrets = []authz.Secret{{Hash: authz.HashSecret("old"), ExpiresAt: now.Add(-time.Hour)}, {Hash: authz.HashSecret("new"), CreatedAt: now}}
			})
			usingBasic("app", "old")(a)
		}, want: basicError("K01", "has expired", "The current one was made", "every instance")},
		{name: "SB-REG-17 a secret that is wrong in every encoding", edit: usingBasic("web%3A1", "p+q r%252Fs:t&u"), want: basicError("SB-REG-17")},
		{name: "K02 plain secret in Basic", edit: usingBasic("web%3A1", tricky), want: basicError("K02", "without form decoding", "%2B")},
		{name: "K02 encoded secret where raw is wanted", options: raw, edit: func(a *ask) {
			a.change(func(c *authz.Client) {
				c.Method, c.Secrets = authz.ClientSecretBasic, []authz.Secret{{Hash: authz.HashSecret(tricky)}}
			})
			usingBasic("app", url.QueryEscape(tricky))(a)
		}, want: basicError("K02", "after form decoding")},
		{name: "K02 plus in the form", edit: func(a *ask) {
			a.change(func(c *authz.Client) {
				c.Method, c.Secrets = authz.ClientSecretPost, []authz.Secret{{Hash: authz.HashSecret("a+b")}}
			})
			a.Body = []byte("grant_type=client_credentials&scope=system/*.rs&client_id=app&client_secret=a+b")
			a.form.Set("client_secret", "a b")
		}, want: clientError("K02", "%2B")},
		{name: "SB-SYM-01 Basic is no base64", edit: func(a *ask) { a.Authorization = []string{"Basic web:1:x"} }, want: basicError("SB-SYM-01", "not base64")},
		{name: "SB-SYM-01 Basic without colon", edit: func(a *ask) { a.Authorization = []string{"Basic " + base64.StdEncoding.EncodeToString([]byte("web"))} }, want: basicError("SB-SYM-01", "colon")},
		{name: "SB-SYM-01 client_secret without client_id", edit: usingPost("", tricky), want: clientError("SB-SYM-01", "client_id is missing")},
		{name: "SB-SYM-01 another client_id in the form", edit: func(a *ask) {
			usingBasic("web%3A1", url.QueryEscape(tricky))(a)
			a.form.Set("client_id", "app")
		}, want: basicError("SB-SYM-01", `"app"`)},
		{name: "A02 unknown client", edit: usingBasic("wob", "x"), want: basicError("A02", "No client")},
		{name: "C02 client_id is a URL", edit: usingPost("https://app.example", "x"), want: clientError("C02", "client_id \"https://app.example\" is no client_id here")},
		{name: "K04 SB-ERR-21 secret for a key client", edit: usingBasic("app", "x"), want: basicError("K04", "private_key_jwt", "a client secret (client_secret_basic)")},
		{name: "K04 empty secret for a key client", edit: usingBasic("app", ""), want: basicError("K04")},
		{name: "SB-SYM-03 secrets are off, Basic", options: off, edit: usingBasic("web%3A1", url.QueryEscape(tricky)), want: basicError("SB-SYM-03", "no client secrets")},
		{name: "SB-SYM-03 secrets are off, form", options: off, edit: usingPost("web:1", tricky), want: clientError("SB-SYM-03")},
	}
}

// K02: either habit of Basic is taken where the behaviour says so; the one that
// RFC 6749 does not have is a warning.
func TestBasicOfEitherHabit(t *testing.T) {
	t.Parallel()
	both := withBehaviour(func(b *authz.Behaviour) { b.BasicDecode = authz.BasicBoth })
	for _, c := range []struct {
		name       string
		id, secret string // as sent
		registered string // the client's id
		finding    string
	}{
		{"encoded", "web%3A1", url.QueryEscape(tricky), "web:1", "SB-REG-17"},
		{"as it is", "web%3A1", tricky, "web:1", "K02"},
		{"a percent sign that is no escape", "app", "100%", "app", "K02"},
		{"an id as it is", "app+1", url.QueryEscape(tricky), "app+1", "SB-REG-17"},
		{"an id encoded", "app%2B1", url.QueryEscape(tricky), "app+1", "SB-REG-17"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, both)
			a := secretAsk(w)
			w.put(&authz.Client{ID: c.registered, Method: authz.ClientSecretBasic, Scopes: scopes(t, "system/Patient.rs"),
				Secrets: []authz.Secret{{Hash: authz.HashSecret(tricky)}, {Hash: authz.HashSecret("100%")}}})
			usingBasic(c.id, c.secret)(a)
			d := a.send()
			if d.Err != nil {
				t.Fatal(d.Err)
			}
			for _, check := range d.Checks {
				if check.RuleID == "SB-REG-17" && check.ID() != c.finding {
					t.Errorf("got %+v, want %s", check, c.finding)
				}
			}
			wrong := secretAsk(w)
			usingBasic(c.id, "wrong")(wrong)
			basicError("SB-REG-17").check(t, wrong.send().Checks, wrong.send().Err)
		})
	}
}

func TestRefusedSecrets(t *testing.T) {
	t.Parallel()
	for _, c := range secretCases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := secretAsk(newWorld(t, c.options...))
			c.edit(a)
			d := a.send()
			c.want.check(t, d.Checks, d.Err)
			if want := d.Err.Status == 401; want != strings.HasPrefix(d.Err.Challenge.String(), "Basic realm=") {
				t.Errorf("SB-ERR-31: status %d with challenge %q", d.Err.Status, d.Err.Challenge)
			}
			for _, secret := range []string{tricky, "s3cr3t-past", "s3cr3t-next", "wrong"} {
				for _, check := range d.Checks {
					if strings.Contains(check.Got+check.Want, secret) || strings.Contains(check.Text, `"`+secret) {
						t.Errorf("check %s shows a secret: %+v", check.ID(), check)
					}
				}
			}
		})
	}
}

func TestGrantedSecrets(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		edit func(*ask)
		warn string
	}{
		{"SB-SYM-01 Basic, form-encoded", usingBasic("web%3A1", url.QueryEscape(tricky)), ""},
		{"SB-SYM-02 form", usingPost("web:1", tricky), ""},
		{"same client_id in the form", func(a *ask) {
			usingBasic("web%3A1", url.QueryEscape(tricky))(a)
			a.form.Set("client_id", "web:1")
		}, ""},
		{"scheme in lower case", func(a *ask) {
			usingBasic("web%3A1", url.QueryEscape(tricky))(a)
			a.Authorization[0] = "basic" + strings.TrimPrefix(a.Authorization[0], "Basic")
		}, ""},
		{"L04 SB-SYM-04 rotated secret within its overlap", usingBasic("web%3A1", "s3cr3t-next"), "L04"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := secretAsk(newWorld(t))
			c.edit(a)
			d := a.send()
			if d.Err != nil {
				t.Fatalf("refused: %v", d.Err)
			}
			checkOrder(t, d.Checks, nil)
			for _, check := range d.Checks {
				if check.Result == authz.Warn && check.ID() != c.warn && check.ID() != "L05" { // every secret is L05
					t.Errorf("warning %s: %s", check.ID(), check.Text)
				}
				if strings.HasPrefix(string(check.RuleID), "SB-JWT") {
					t.Errorf("the checklist of a secret has the assertion's check %s", check.RuleID)
				}
			}
		})
	}
}

func TestSecretEndsByTheWorkspaceClock(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := secretAsk(w)
	usingBasic("web%3A1", "s3cr3t-next")(a)
	a.granted()
	w.clock.Advance(time.Hour)
	d := a.send()
	basicError("L04").check(t, d.Checks, d.Err)
}

func TestNewSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain, kept, err := w.server.NewSecret(time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if len(plain) != 43 || url.QueryEscape(plain) != plain {
		t.Errorf("secret %q: want 256 bits in characters that no encoding changes", plain)
	}
	if string(kept.Hash) != string(authz.HashSecret(plain)) || !kept.CreatedAt.Equal(w.clock.Now()) || !kept.ExpiresAt.Equal(w.clock.Now().Add(time.Hour)) {
		t.Errorf("kept %+v", kept)
	}
	if other, _, _ := w.server.NewSecret(0); other == plain {
		t.Error("the same secret twice")
	}
}
