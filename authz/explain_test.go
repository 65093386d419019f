package authz_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/authz/authztest"
)

// An examination finds every mistake at once, the first of which is the one
// that a token request is refused with.
func TestExamine(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		edit func(*ask)
		want string // ids of failed checks
	}{
		{"nothing wrong", func(*ask) {}, ""},
		{"A07 C04 C09 C14 and the signature is right", func(a *ask) {
			delete(a.assertion.Header, "typ")
			a.assertion.Claims["aud"] = tokenURL + "/"
			a.assertion.Claims["exp"] = epoch.Add(time.Hour).Unix()
			delete(a.assertion.Claims, "jti")
		}, "A07 C04 C09 C14"},
		{"A08 keeps the signature out", func(a *ask) {
			a.assertion.Header["alg"] = "RS256"
			a.assertion.Claims["aud"] = "x"
		}, "A08 C03"},
		{"A11 keeps the signature out", func(a *ask) {
			delete(a.assertion.Header, "kid")
			a.assertion.Claims["exp"] = epoch.Add(-time.Hour).Unix()
		}, "A11 C08"},
		{"A02 keeps what is about the client out", func(a *ask) {
			a.assertion.Claims["iss"] = "other"
			a.assertion.Claims["exp"] = "soon"
		}, "A02 C07"},
		{"A06 ends it", func(a *ask) { a.sealed = func(j string) string { return j + "=" } }, "A06"},
		{"C15 a replay", func(a *ask) {
			a.assertion.Claims["jti"] = "used"
			a.granted()
			a.Body = nil
		}, "C15"},
		{"A12 C03 S07 to the end", func(a *ask) {
			a.assertion.Header["kid"] = "none"
			a.assertion.Claims["aud"] = addresses().Issuer
			a.form.Set("scope", "system/Patient.sr")
		}, "C03 A12 S07"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a := newWorld(t).newAsk()
			test.edit(a)
			d := a.server.Examine(context.Background(), a.request())
			var failed []string
			for _, c := range d.Checks {
				if c.Result == authz.Fail {
					failed = append(failed, c.ID())
				}
			}
			if got := strings.Join(failed, " "); got != test.want {
				t.Errorf("failed %s, want %s", got, test.want)
			}
			explained := a.server.Explain(context.Background(), a.request())
			switch {
			case (d.Err == nil) != (explained.Err == nil):
				t.Errorf("examined %v, explained %v", d.Err, explained.Err)
			case d.Err != nil && d.Err.Check != explained.Err.Check:
				t.Errorf("the first refusal is %v, of Explain %v", d.Err, explained.Err)
			case d.Err == nil && (d.Grant == nil || d.Grant.Response.AccessToken != ""):
				t.Errorf("grant %+v", d.Grant)
			}
			if test.want == "" {
				checkOrder(t, d.Checks, nil)
				a.granted() // it was not used up
			}
		})
	}
}

// SB-REG-05: all that is wrong with a set, by one list.
func TestKeySetChecks(t *testing.T) {
	t.Parallel()
	rs, weak, small := key(t, "rsa-a", "a"), key(t, "rsa-1024", "weak"), key(t, "ec-p256", "small")
	leaked := rs.WithID("leaked").JWK()
	leaked["d"] = "AAAA"
	encrypts := rs.WithID("enc").JWK()
	encrypts["use"] = "enc"
	set, err := authz.ParseKeySet(authztest.RawJWKS(rs.JWK(), weak.JWK(), small.JWK(), leaked, encrypts, rs.JWK(), map[string]any{"kty": "OKP", "kid": "o"}, map[string]any{}))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range set.Checks(authz.Strict().Algorithms) {
		if c.Result != authz.Fail || c.RuleID != "SB-REG-05" || c.Text == "" {
			t.Errorf("%+v", c)
		}
		got = append(got, c.ID())
	}
	slices.Sort(got)
	if want := []string{"A11", "A13", "A14", "A14", "A17", "A20", "A21", "A22"}; !slices.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
	keys := set.Keys()
	if len(keys) != 8 || keys[0].KeyID != "a" || keys[0].Description != "RSA of 2048 bits" || len(keys[0].Thumbprint()) != 43 ||
		keys[4].Use != "enc" || keys[0].Thumbprint() != keys[5].Thumbprint() || keys[6].Thumbprint() != "" {
		t.Errorf("keys %+v", keys)
	}
}
