package sandbox_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/sandbox"
)

func TestAssertionIsRight(t *testing.T) {
	t.Parallel()
	sb := start(t)
	for _, alg := range []sandbox.Algorithm{sandbox.ES384, sandbox.RS384} {
		t.Run("SB-JWT-03 "+string(alg), func(t *testing.T) {
			t.Parallel()
			client := register(t, sb, sandbox.ClientConfig{Algorithm: alg})
			assertion, err := client.Assertion()
			if err != nil {
				t.Fatal(err)
			}
			header, claims := decode(t, assertion)
			for _, tt := range []struct {
				member    string
				got, want any
			}{
				{"typ", header["typ"], "JWT"}, {"alg", header["alg"], string(alg)}, {"kid", header["kid"], client.KeyID()},
				{"iss", claims["iss"], client.ID()}, {"sub", claims["sub"], client.ID()}, {"aud", claims["aud"], sb.TokenURL()},
			} {
				if tt.got != tt.want {
					t.Errorf("%s: got %v, want %v", tt.member, tt.got, tt.want)
				}
			}
			if _, err := client.TokenFor(t.Context(), assertion); err != nil {
				t.Error(err)
			}
			_, err = client.TokenFor(t.Context(), assertion)
			wantRefusal(t, err, "C15")
		})
	}
}

func decode(tb testing.TB, assertion string) (header, claims map[string]any) {
	tb.Helper()
	parts := strings.Split(assertion, ".")
	for i, to := range []*map[string]any{&header, &claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err == nil {
			err = json.Unmarshal(text, to)
		}
		if err != nil {
			tb.Fatalf("part %d of %q: %v", i, assertion, err)
		}
	}
	return header, claims
}

func TestAssertionWrongOnPurpose(t *testing.T) {
	t.Parallel()
	sb := start(t)
	ec, rsa := sb.DefaultClient(), register(t, sb, sandbox.ClientConfig{Algorithm: sandbox.RS384})
	other := register(t, sb, sandbox.ClientConfig{})
	used, err := ec.Assertion(sandbox.WithJTI("used"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ec.TokenFor(t.Context(), used); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name    string
		client  *sandbox.Client
		options []sandbox.AssertionOption
		want    string
	}{
		{"A07 without typ", ec, []sandbox.AssertionOption{sandbox.WithoutHeader("typ")}, "A07"},
		{"A07 another typ", ec, []sandbox.AssertionOption{sandbox.WithHeader("typ", "at+jwt")}, "A07"},
		{"A08 RS256", rsa, []sandbox.AssertionOption{sandbox.WithAlgorithm("RS256")}, "A08"},
		{"A08 PS384", rsa, []sandbox.AssertionOption{sandbox.WithAlgorithm("PS384")}, "A08"},
		{"A08 ES512", ec, []sandbox.AssertionOption{sandbox.WithAlgorithm("ES512")}, "A08"},
		{"A10 none", ec, []sandbox.AssertionOption{sandbox.WithAlgorithm("none")}, "A10"},
		{"A10 HS384", rsa, []sandbox.AssertionOption{sandbox.WithAlgorithm("HS384")}, "A10"},
		{"A08 without alg", ec, []sandbox.AssertionOption{sandbox.WithoutHeader("alg")}, "A08"},
		{"SB-JWT-09 crit", ec, []sandbox.AssertionOption{sandbox.WithHeader("crit", []string{"b64"})}, "SB-JWT-09"},
		{"A11 without kid", ec, []sandbox.AssertionOption{sandbox.WithoutKeyID()}, "A11"},
		{"A12 another kid", ec, []sandbox.AssertionOption{sandbox.WithKeyID("another")}, "A12"},
		{"A14 RS384 with an EC key", ec, []sandbox.AssertionOption{sandbox.WithAlgorithm("RS384")}, "A14"},
		{"A15 signed by another key", ec, []sandbox.AssertionOption{sandbox.SignedBy(other)}, "A15"},
		{"A15 signed by a key of another kind", rsa, []sandbox.AssertionOption{sandbox.SignedBy(other)}, "A15"},
		{"A15 broken ES384 signature", ec, []sandbox.AssertionOption{sandbox.WithBrokenSignature()}, "A15"},
		{"A15 broken RS384 signature", rsa, []sandbox.AssertionOption{sandbox.WithBrokenSignature()}, "A15"},
		{"A16 ASN.1", ec, []sandbox.AssertionOption{sandbox.WithASN1Signature()}, "A16"},
		{"A24 jku", ec, []sandbox.AssertionOption{sandbox.WithHeader("jku", "https://example.org/keys")}, "A24"},
		{"C01 another sub", ec, []sandbox.AssertionOption{sandbox.WithSubject("me")}, "C01"},
		{"C01 without sub", ec, []sandbox.AssertionOption{sandbox.WithoutClaim("sub")}, "C01"},
		{"C02 iss is no client", ec, []sandbox.AssertionOption{sandbox.WithIssuer("https://example.org")}, "C02"},
		{"SB-JWT-10 without iss", ec, []sandbox.AssertionOption{sandbox.WithoutClaim("iss")}, "SB-JWT-10"},
		{"C03 FHIR base for aud", ec, []sandbox.AssertionOption{sandbox.WithAudience(sb.FHIRURL())}, "C03"},
		{"C03 production's aud", ec, []sandbox.AssertionOption{sandbox.WithAudience(sb.Production().TokenURL())}, "C03"},
		{"C03 without aud", ec, []sandbox.AssertionOption{sandbox.WithoutClaim("aud")}, "C03"},
		{"C03 several wrong ones", ec, []sandbox.AssertionOption{sandbox.WithAudience("https://a.example", "https://b.example")}, "C03"},
		{"C04 slash", ec, []sandbox.AssertionOption{sandbox.WithAudience(sb.TokenURL() + "/")}, "C04"},
		{"C05 another name", ec, []sandbox.AssertionOption{sandbox.WithAudience(strings.Replace(sb.TokenURL(), "127.0.0.1", "localhost", 1))}, "C05"},
		{"C07 without exp", ec, []sandbox.AssertionOption{sandbox.WithoutClaim("exp")}, "C07"},
		{"C07 exp as text", ec, []sandbox.AssertionOption{sandbox.WithClaim("exp", "soon")}, "C07"},
		{"C08 expired", ec, []sandbox.AssertionOption{sandbox.WithExpiry(-time.Minute)}, "C08"},
		{"C08 clock behind", ec, []sandbox.AssertionOption{sandbox.WithClockError(-10 * time.Minute)}, "C08"},
		{"C09 an hour", ec, []sandbox.AssertionOption{sandbox.WithExpiry(time.Hour)}, "C09"},
		{"C10 clock ahead", ec, []sandbox.AssertionOption{sandbox.WithClockError(10 * time.Minute)}, "C10"},
		{"C11 milliseconds", ec, []sandbox.AssertionOption{sandbox.WithClaim("exp", time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli())}, "C11"},
		{"C12 nbf ahead", ec, []sandbox.AssertionOption{sandbox.WithClaim("nbf", time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC).Unix())}, "C12"},
		{"C12 clock a minute ahead", ec, []sandbox.AssertionOption{sandbox.WithClockError(time.Minute)}, "C12"},
		{"C14 without jti", ec, []sandbox.AssertionOption{sandbox.WithoutClaim("jti")}, "C14"},
		{"C15 replay", ec, []sandbox.AssertionOption{sandbox.WithJTI("used")}, "C15"},
		{"C17 long jti", ec, []sandbox.AssertionOption{sandbox.WithJTI(strings.Repeat("j", 256))}, "C17"},
		{"the last option counts", ec, []sandbox.AssertionOption{sandbox.WithSubject("me"), sandbox.WithSubject(ec.ID()), sandbox.WithoutKeyID()}, "A11"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assertion, err := tt.client.Assertion(tt.options...)
			if err != nil {
				t.Fatal(err)
			}
			_, err = tt.client.TokenFor(t.Context(), assertion)
			wantRefusal(t, err, tt.want)
		})
	}
}

func TestAssertionThatIsNoJSON(t *testing.T) {
	t.Parallel()
	client := start(t).DefaultClient()
	if got, err := client.Assertion(sandbox.WithClaim("aud", make(chan int))); err == nil {
		t.Errorf("got %q, want an error", got)
	}
	if got, err := client.Assertion(sandbox.WithHeader("kid", func() {})); err == nil {
		t.Errorf("got %q, want an error", got)
	}
}

// Advance never refuses a client that signs by real time.
func TestAssertionsAreJudgedByRealTime(t *testing.T) {
	t.Parallel()
	sb := start(t)
	client := sb.DefaultClient()
	for _, d := range []time.Duration{time.Hour, 24 * 365 * time.Hour, -48 * 365 * time.Hour} {
		sb.Clock().Advance(d)
		if _, err := client.Token(t.Context()); err != nil {
			t.Errorf("after %v: %v", d, err)
		}
	}
	sb.Clock().Freeze()
	if _, err := client.Token(t.Context()); err != nil {
		t.Errorf("with a frozen clock: %v", err)
	}
}

func TestTokenError(t *testing.T) {
	t.Parallel()
	sb := start(t)
	client := sb.DefaultClient()
	assertion, err := client.Assertion(sandbox.WithoutClaim("jti"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.TokenFor(t.Context(), assertion)
	var refused *sandbox.TokenError
	if !errors.As(err, &refused) {
		t.Fatalf("got %v, want a *TokenError", err)
	}
	if refused.Status != 400 || refused.Code != "invalid_client" || !strings.HasPrefix(refused.Description, "C14: The assertion has no jti; wanted: ") {
		t.Errorf("got %+v, want 400 invalid_client with a diagnosis", refused)
	}
	if !strings.Contains(err.Error(), "400 invalid_client: C14: ") || !strings.Contains(err.Error(), refused.URL) {
		t.Errorf("got %q, want all of it", err)
	}
	if resp, text := do(t, noRedirects(), "GET", refused.URL, ""); resp.StatusCode != 200 || !strings.Contains(text, "C14") {
		t.Errorf("the page of the refusal: got %d, %s", resp.StatusCode, text)
	}
	_, err = client.Token(t.Context(), "patient/*.read")
	wantRefusal(t, err, "S02")
}
