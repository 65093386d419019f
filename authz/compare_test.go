package authz_test

import (
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/authz/authztest"
)

// line writes a difference as the cases want it.
func line(d authz.Difference) string {
	mark := "-"
	if d.Matters {
		mark = "!"
	}
	return fmt.Sprintf("%s %s %s %s: %s", mark, d.Part, d.Name, d.Kind, d.How)
}

func TestCompareAssertions(t *testing.T) {
	t.Parallel()
	rs, ec := key(t, "rsa-a", "rsa-1"), key(t, "ec-a", "ec-1")
	std := func(text string) string { // base64url to base64 with padding
		raw, _ := base64.RawURLEncoding.DecodeString(text)
		return base64.StdEncoding.EncodeToString(raw)
	}
	part := func(i int, change func(string) string) func(string) string {
		return func(jwt string) string {
			parts := strings.Split(jwt, ".")
			parts[i] = change(parts[i])
			return strings.Join(parts, ".")
		}
	}
	text := func(change func(string) string) func(string) string {
		return func(encoded string) string {
			raw, _ := base64.RawURLEncoding.DecodeString(encoded)
			return authztest.Encode([]byte(change(string(raw))))
		}
	}
	tests := []struct {
		name   string
		edit   func(*authztest.Assertion)
		sealed func(string) string
		want   []string // the differences that are not Same, in order
	}{
		{"SB-JWT-18 another moment", func(a *authztest.Assertion) {
			a.Claims["iat"], a.Claims["exp"] = epoch.Add(time.Hour).Unix(), epoch.Add(time.Hour+4*time.Minute).Unix()
		}, nil, []string{"- claims iat changed: 1 h later", "- claims exp changed: 1 h later"}},
		{"A07 typ", func(a *authztest.Assertion) { a.Header["typ"] = "at+jwt" }, nil, []string{"! header typ changed: another value"}},
		{"A07 typ in lower case", func(a *authztest.Assertion) { a.Header["typ"] = "jwt" }, nil, []string{"- header typ changed: only in upper and lower case"}},
		{"A07 no typ", func(a *authztest.Assertion) { delete(a.Header, "typ") }, nil, []string{"! header typ missing: it is missing"}},
		{"A08 hash", func(a *authztest.Assertion) { a.Header["alg"] = "RS256" }, nil, []string{"! header alg changed: another hash: SHA-256 instead of SHA-384"}},
		{"A08 padding", func(a *authztest.Assertion) { a.Header["alg"] = "PS384" }, nil, []string{"! header alg changed: another padding of the signature"}},
		{"A10 none", func(a *authztest.Assertion) { a.Header["alg"] = "none" }, nil, []string{"! header alg changed: no signature by a private key", "! encoding signature extra: it is missing"}},
		{"A14 alg of another kind", func(a *authztest.Assertion) { a.Header["alg"] = "ES384" }, nil, []string{"! header alg changed: for a key of kty EC instead of RSA"}},
		{"A08 alg unknown", func(a *authztest.Assertion) { a.Header["alg"] = "EdDSA" }, nil, []string{"! header alg changed: unknown to SMART"}},
		{"A12 kid", func(a *authztest.Assertion) { a.Header["kid"] = "rsa-2" }, nil, []string{"! header kid changed: they differ from character 5 on"}},
		{"A12 kid is a number", func(a *authztest.Assertion) { a.Header["kid"] = 1 }, nil, []string{"! header kid changed: a number instead of a string"}},
		{"A24 jku", func(a *authztest.Assertion) { a.Header["jku"] = "https://h/j" }, nil, []string{"! header jku extra: it has to be the registered jwks_uri"}},
		{"SB-JWT-09 others in the header", func(a *authztest.Assertion) {
			a.Header["crit"], a.Header["x5c"], a.Header["cty"] = []string{"b64"}, []string{"x"}, "JWT"
		}, nil, []string{"! header crit extra: servers refuse an extension that they do not know", "- header cty extra: unknown to SMART; servers pass over it", "- header x5c extra: keys are never taken from it"}},
		{"C01 sub", func(a *authztest.Assertion) { a.Claims["sub"] = "app " }, nil, []string{"! claims sub changed: white space around it"}},
		{"C04 aud", func(a *authztest.Assertion) { a.Claims["aud"] = tokenURL + "/" }, nil, []string{"! claims aud changed: differs only by the slash at its end"}},
		{"C06 aud in an array", func(a *authztest.Assertion) { a.Claims["aud"] = []string{"x", tokenURL} }, nil, []string{"- claims aud changed: the same one within an array, which some servers do not take"}},
		{"C03 aud in an array of others", func(a *authztest.Assertion) { a.Claims["aud"] = []string{"x"} }, nil, []string{"! claims aud changed: an array instead of a string"}},
		{"C07 no exp", func(a *authztest.Assertion) { delete(a.Claims, "exp") }, nil, []string{"! claims exp missing: it is missing"}},
		{"C07 exp in a string", func(a *authztest.Assertion) { a.Claims["exp"] = fmt.Sprint(epoch.Unix()) }, nil, []string{"! claims exp changed: a string instead of a number"}},
		{"C09 long life", func(a *authztest.Assertion) { a.Claims["exp"] = epoch.Add(time.Hour).Unix() }, nil, []string{"! claims exp changed: a lifetime of 1 h instead of 240 s; at most 300 s are allowed"}},
		{"C08 no life", func(a *authztest.Assertion) { a.Claims["exp"] = epoch.Unix() }, nil, []string{"! claims exp changed: not after iat"}},
		{"C11 milliseconds", func(a *authztest.Assertion) { a.Claims["exp"] = epoch.Add(4 * time.Minute).UnixMilli() }, nil, []string{"! claims exp changed: too large to be seconds since 1970: milliseconds?"}},
		{"SB-JWT-14 a fraction", func(a *authztest.Assertion) {
			a.Claims["exp"] = json.RawMessage(fmt.Sprint(epoch.Add(4*time.Minute).Unix()) + ".0")
		}, nil, nil},
		{"C13 no iat", func(a *authztest.Assertion) { delete(a.Claims, "iat") }, nil, []string{"- claims iat missing: it is optional"}},
		{"SB-JWT-16 nbf", func(a *authztest.Assertion) { a.Claims["nbf"] = epoch.Unix() }, nil, []string{"- claims nbf extra: it is optional"}},
		{"SB-JWT-16 nbf in a string", func(a *authztest.Assertion) { a.Claims["nbf"] = "now" }, nil, []string{"! claims nbf extra: it is too much"}},
		{"C14 no jti", func(a *authztest.Assertion) { delete(a.Claims, "jti") }, nil, []string{"! claims jti missing: it is missing"}},
		{"C14 jti is a number", func(a *authztest.Assertion) { a.Claims["jti"] = 7 }, nil, []string{"! claims jti changed: a number instead of a string"}},
		{"C15 the same jti", func(a *authztest.Assertion) {
			a.Claims["jti"], a.Claims["iat"] = "jti-want", epoch.Add(time.Second).Unix()
		}, nil,
			[]string{"- claims iat changed: 1 s later", "! claims jti same: the same one: whichever assertion is sent second is a replay"}},
		{"SB-JWT-23 unknown claims", func(a *authztest.Assertion) { a.Claims["scope"], a.Claims["client_id"] = "system/*.rs", "app" }, nil,
			[]string{"- claims client_id extra: unknown to SMART; servers pass over it (RFC 7519 section 4)", "- claims scope extra: unknown to SMART; servers pass over it (RFC 7519 section 4)"}},
		{"A06 padding", nil, part(2, std), []string{`! encoding signature extra: `}},
		{"A06 line break", nil, func(j string) string { return j[:40] + "\n" + j[40:] + "\n" }, []string{`! encoding header extra: found a line break or tab at position 41`}},
		{"A06 Bearer", nil, func(j string) string { return "Bearer " + j }, []string{`! encoding whole extra: "Bearer " before it`}},
		{"A06 two parts", nil, func(j string) string { return j[:strings.LastIndex(j, ".")] }, []string{"! encoding signature extra: it is missing"}},
		{"SB-JWT-23 a member twice", nil, part(1, text(func(c string) string { return strings.Replace(c, "{", `{"iss":"x",`, 1) })), []string{`! encoding claims extra: "iss" twice`}},
		{"RFC 7159 white space", nil, part(0, text(func(c string) string { return strings.ReplaceAll(c, ":", ": ") })), []string{"- encoding header extra: JSON with white space"}},
		{"RFC 7159 escaped slashes", nil, part(1, text(func(c string) string { return strings.ReplaceAll(c, "/", `\/`) })), []string{`- encoding claims extra: slashes written as \/`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			good := rs.NewAssertion("app", tokenURL, epoch)
			good.Claims["jti"], good.Claims["iat"], good.Claims["exp"] = "jti-want", epoch.Unix(), epoch.Add(4*time.Minute).Unix()
			want := rs.Sign(good)
			bad := rs.NewAssertion("app", tokenURL, epoch)
			bad.Claims["jti"], bad.Claims["iat"], bad.Claims["exp"] = "jti-got", epoch.Unix(), epoch.Add(4*time.Minute).Unix()
			if test.edit != nil {
				test.edit(&bad)
			}
			alg, _ := bad.Header["alg"].(string)
			if alg == "ES384" || alg == "EdDSA" {
				alg = "RS384"
			}
			got := rs.SignAs(bad, alg)
			if test.sealed != nil {
				got = test.sealed(got)
			}
			differences, err := authz.CompareAssertions(got, want)
			if err != nil {
				t.Fatal(err)
			}
			var lines []string
			for _, d := range differences {
				if d.How == "a new one for every assertion, as it has to be" && !d.Matters || d.Kind == authz.Same && d.How == "" {
					continue
				}
				lines = append(lines, line(d))
				if strings.Contains(d.Got+d.Want, strings.Split(want, ".")[2][:12]) {
					t.Errorf("%+v holds a piece of the signature", d)
				}
			}
			if len(lines) != len(test.want) {
				t.Fatalf("differences\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(test.want, "\n"))
			}
			for i := range lines {
				if !strings.HasPrefix(lines[i], test.want[i]) {
					t.Errorf("got  %s\nwant %s", lines[i], test.want[i])
				}
			}
		})
	}

	t.Run("A16 ASN.1", func(t *testing.T) {
		t.Parallel()
		a := ec.NewAssertion("app", tokenURL, epoch)
		want := ec.Sign(a)
		parts := strings.Split(want, ".")
		raw, _ := base64.RawURLEncoding.DecodeString(parts[2])
		got := parts[0] + "." + parts[1] + "." + authztest.Encode(asn1Of(raw))
		differences, err := authz.CompareAssertions(got, want)
		if err != nil {
			t.Fatal(err)
		}
		last := differences[len(differences)-1]
		if last.Name != "signature" || !last.Matters || !strings.HasSuffix(last.Got, " bytes of ASN.1") || last.Want != "96 bytes" {
			t.Errorf("got %+v", last)
		}
	})
	t.Run("times in words", func(t *testing.T) {
		t.Parallel()
		a := rs.NewAssertion("app", tokenURL, epoch)
		a.Claims["iat"], a.Claims["exp"] = epoch.Unix(), epoch.Add(4*time.Minute).Unix()
		same, err := authz.CompareAssertions(rs.Sign(a), rs.Sign(a))
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range same {
			if d.Kind != authz.Same || d.Matters {
				t.Errorf("the same assertion differs: %+v", d)
			}
			if d.Name == "exp" && d.Got != fmt.Sprint(epoch.Add(4*time.Minute).Unix())+", 2026-03-04T12:04:00Z, 240 s after iat" {
				t.Errorf("exp is shown as %q", d.Got)
			}
		}
	})
	for name, text := range map[string]string{
		"five parts": "a.b.c.d.e", "nothing": "", "no base64": "*.e30.e30", "no JSON": "AAAA.e30.", "no object": authztest.Encode([]byte("[]")) + ".e30.",
	} {
		t.Run("unreadable: "+name, func(t *testing.T) {
			t.Parallel()
			if d, err := authz.CompareAssertions(text, "e30.e30."); err == nil || !strings.HasPrefix(err.Error(), "the first assertion: ") {
				t.Errorf("%v, %v", d, err)
			}
			if d, err := authz.CompareAssertions("e30.e30.", text); err == nil || !strings.HasPrefix(err.Error(), "the second assertion: ") {
				t.Errorf("%v, %v", d, err)
			}
		})
	}
}

func TestDescribeAssertion(t *testing.T) {
	t.Parallel()
	rs := key(t, "rsa-a", "rsa-1")
	a := rs.NewAssertion("app", tokenURL, epoch)
	a.Claims["iat"], a.Claims["exp"], a.Claims["nbf"], a.Claims["jti"] = epoch.Unix(), epoch.Add(4*time.Minute).Unix(), epoch.Add(-2*time.Hour).UnixMilli(), 5
	a.Claims["extra"] = map[string]any{"exp": 1}
	members, err := authz.DescribeAssertion(" Bearer "+rs.Sign(a)+"\n", epoch)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range members {
		got = append(got, fmt.Sprintf("%s %s %s %s", m.Part, m.Name, m.Value, m.Words))
	}
	want := []string{
		`header typ "JWT" `, `header alg "RS384" `, `header kid "rsa-1" `,
		`claims iss "app" `, `claims sub "app" `, `claims aud "` + tokenURL + `" `,
		`claims iat 1772625600 2026-03-04T12:00:00Z, now`, `claims nbf 1772618400000 `, `claims exp 1772625840 2026-03-04T12:04:00Z, in 240 s`,
		`claims jti 5 `, `claims extra {"exp":1} `,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if _, err := authz.DescribeAssertion("x", epoch); err == nil {
		t.Error("x is described")
	}
}

// FuzzCompareAssertions compares any texts without failing, and never repeats
// a signature.
func FuzzCompareAssertions(f *testing.F) {
	k := key(f, "rsa-a", "rsa-1")
	good := k.Sign(k.NewAssertion("app", tokenURL, epoch))
	for _, seed := range []string{good, "e30.e30.", good + "=", "Bearer " + good, "a.b", authztest.Encode([]byte(`{"alg":"ES384"}`)) + "." + authztest.Encode([]byte(`{"exp":1e400,"iat":-1e400,"aud":[]}`)) + ".MAA"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, pair := range [][2]string{{text, good}, {good, text}, {text, text}} {
			differences, err := authz.CompareAssertions(pair[0], pair[1])
			if err != nil {
				continue
			}
			if _, err := json.Marshal(differences); err != nil {
				t.Error(err)
			}
		}
	})
}

// asn1Of turns r and s side by side into ASN.1.
func asn1Of(raw []byte) []byte {
	half := len(raw) / 2
	der, _ := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(raw[:half]), new(big.Int).SetBytes(raw[half:])})
	return der
}
