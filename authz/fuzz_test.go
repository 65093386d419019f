package authz_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/authz/authztest"
)

// FuzzAssertion posts any text as an assertion: it is refused as
// invalid_client with a check of the table, and never makes the server fail.
func FuzzAssertion(f *testing.F) {
	w := newWorld(f)
	good := w.newAsk()
	jwt := w.rsa.Sign(good.assertion)
	parts := strings.Split(jwt, ".")
	good.granted() // whatever verifies is a replay from here on
	for _, seed := range []string{"", "a.b.c", jwt, jwt + "=", parts[0] + "." + parts[1] + ".", "e30.e30.e30", "-----BEGIN",
		authztest.Encode([]byte(`{"alg":"RS384","typ":"JWT","kid":"rsa-1"}`)) + "." + authztest.Encode([]byte(`{"iss":"app","sub":"app","exp":1e400,"nbf":-1e400}`)) + ".AA",
		authztest.Encode([]byte(`{"alg":5,"typ":null,"kid":{},"jku":[]}`)) + "." + parts[1] + "." + parts[2]} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		req := good.FormRequest
		req.Body = []byte(url.Values{"grant_type": {"client_credentials"}, "scope": {"system/*.rs"},
			"client_assertion_type": {authz.AssertionType}, "client_assertion": {text}}.Encode())
		d := w.server.Token(t.Context(), req)
		if d.Err == nil {
			t.Fatalf("granted to %q", text)
		}
		checkOrder(t, d.Checks, d.Err)
		if d.Err.Status != 400 {
			t.Errorf("status %d: %v", d.Err.Status, d.Err)
		}
		if _, err := json.Marshal(d.Checks); err != nil {
			t.Error(err)
		}
		if len(d.Err.Check.Explanation()) > 8192 {
			t.Errorf("a diagnosis of %d bytes", len(d.Err.Check.Explanation()))
		}
	})
}

// FuzzParseScope reads any text: what is taken is written back to something
// that reads as the same scope, and what is refused says why.
func FuzzParseScope(f *testing.F) {
	for _, seed := range []string{"system/Patient.rs", "system/*.cruds", "system/Observation.rs?category=a|b,c&code=x%20y", "system/A.read?x=y",
		"patient/*.read", "system/Patient.sr", "a,b", "system/P.r?%zz", "system/P.r?a%3Db=%26%2C%5C%2C", "system/Patient.rs?a=+", "launch/patient"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := authz.ParseScope(text)
		if err != nil {
			if err.Error() == "" {
				t.Errorf("%q is refused without a reason", text)
			}
			return
		}
		if s.Letters == 0 || s.Type == "" {
			t.Fatalf("%q is taken as %+v", text, s)
		}
		again, err := authz.ParseScope(s.String())
		if err != nil || again.String() != s.String() {
			t.Fatalf("%q is written %q, which reads as %q, %v", text, s, again, err)
		}
		for i, p := range s.Query {
			if p.Name != again.Query[i].Name || p.Value() != again.Query[i].Value() {
				t.Fatalf("%q: parameter %+v reads back as %+v", text, p, again.Query[i])
			}
		}
	})
}

// FuzzParseKeySet reads any bytes without failing; keys that it has are listed
// or have a problem.
func FuzzParseKeySet(f *testing.F) {
	f.Add(authztest.JWKS(key(f, "rsa-a", "a"), key(f, "ec-a", "b")))
	for _, seed := range []string{`{"keys":[]}`, `[]`, `{"kty":"RSA"}`, `{"keys":[{"kty":"RSA","kid":"x","n":"","e":""}]}`, `{"keys":[null,1,"x",{"kty":"EC","crv":"P-384","x":"AA","y":"AA"}]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := authz.ParseKeySet(data)
		if err != nil {
			return
		}
		if set.Len() > len(set.KeyIDs()) && len(set.Problems()) == 0 {
			t.Errorf("a key without kid has no problem in %q", data)
		}
	})
}

// FuzzForm posts any body: the server answers with a decision and never fails.
func FuzzForm(f *testing.F) {
	w := newWorld(f)
	req := w.newAsk().FormRequest
	for _, seed := range []string{"grant_type=client_credentials", "a=b&a=c", "%zz", "=&&=", "grant_type=%ff", "client_secret=x&client_id=app&grant_type=client_credentials"} {
		f.Add(seed, "Basic YTpi", "application/x-www-form-urlencoded")
	}
	f.Fuzz(func(t *testing.T, body, authorization, contentType string) {
		req := req
		req.Body, req.Authorization, req.ContentType = []byte(body), []string{authorization}, contentType
		d := w.server.Token(t.Context(), req)
		if d.Err == nil {
			t.Fatalf("granted to %q", body)
		}
		checkOrder(t, d.Checks, d.Err)
		if d.Err.Status >= 500 {
			t.Errorf("status %d: %v", d.Err.Status, d.Err)
		}
		for _, r := range d.Err.Challenge.String() {
			if r < 0x20 || r > 0x7e {
				t.Errorf("challenge %q", d.Err.Challenge)
			}
		}
		if !utf8.ValidString(d.Err.Description()) {
			t.Error("the description is no UTF-8")
		}
	})
}
