package authz_test

import (
	"encoding/base64"
	"maps"
	"strings"
	"time"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/authz/authztest"
)

func keyCases() []assertionCase {
	// keys replaces the client's set.
	keys := func(a *ask, set ...map[string]any) {
		a.change(func(c *authz.Client) { c.JWKS = authztest.RawJWKS(set...) })
	}
	with := func(k *authztest.Key, name string, value any) map[string]any {
		j := maps.Clone(k.JWK())
		j[name] = value
		return j
	}
	return []assertionCase{
		{name: "A24 SB-JWT-08 jku beside a set by value", edit: header("jku", "https://app.example.org/jwks.json"), want: clientError("A24", "key set by value")},
		{name: "SB-KEY-08 no keys registered", edit: func(a *ask) { a.change(func(c *authz.Client) { c.JWKS = nil }) }, want: clientError("SB-KEY-08", "no key set registered")},
		{name: "SB-KEY-08 empty set", edit: func(a *ask) { keys(a) }, want: clientError("SB-KEY-08", "no key in it")},
		{name: "J04 bare array", edit: func(a *ask) {
			a.change(func(c *authz.Client) { c.JWKS = []byte(`[]`) })
		}, want: clientError("J04", `{"keys":[…]}`, "Aidbox")},
		{name: "J04 bare array of good keys", edit: func(a *ask) {
			a.change(func(c *authz.Client) { c.JWKS = []byte("[" + mustJSON(a.t, a.rsa.JWK()) + "]") })
		}, want: clientError("J04", `In {"keys":[…]} it would be a set of 1 key.`)},
		{name: "A19 a public key in PEM", edit: func(a *ask) {
			a.change(func(c *authz.Client) { c.JWKS = pemOf(a.t, "PUBLIC KEY", a.rsa) })
		}, want: clientError("A19", "The key set is a public key (SPKI), not a JWK Set", "RSA of 2048 bits, would do for RS384")},
		{name: "J04 single JWK", edit: func(a *ask) {
			a.change(func(c *authz.Client) { c.JWKS = []byte(`{"kty":"RSA"}`) })
		}, want: clientError("J04", "single JWK")},
		{name: "A12 SB-KEY-01 unknown kid, right key", edit: header("kid", "thumbprint"), want: clientError("A12", `kid "thumbprint" is not`, `would verify with key "rsa-1": only the kid is wrong`)},
		{name: "A12 SB-REG-11 unknown kid, unknown key", edit: func(a *ask) {
			a.signWith(key(a.t, "rsa-b", "new"))
		}, want: clientError("A12", `"rsa-1" and "ec-1"`, "None of its keys verifies", "A set that is registered by value", "register the new key beside the old one before you sign with it")},
		{name: "A12 kid of another key of the set", edit: func(a *ask) {
			b := key(a.t, "rsa-b", "rsa-2")
			keys(a, a.rsa.JWK(), b.JWK())
			a.key = b
		}, want: clientError("A12", `header names key "rsa-1", and the signature does not match`, `would verify with key "rsa-2": only the kid is wrong`)},
		{name: "A13 two keys with one kid", edit: func(a *ask) {
			keys(a, a.rsa.JWK(), key(a.t, "rsa-b", "rsa-1").JWK())
		}, want: clientError("A13", `2 keys`, "exactly one match")},
		{name: "A14 EC key, RSA algorithm", edit: header("kid", "ec-1"), want: clientError("A14", "alg RS384 needs a key of kty RSA", `has kty "EC"`, `would verify with key "rsa-1": only the kid is wrong`)},
		{name: "A14 EC key, RSA algorithm, key unknown", edit: func(a *ask) {
			a.assertion.Header["kid"] = "ec-1"
			a.key = stranger(a)
		}, want: clientError("A14", "Sign with the private key that belongs to it and set alg to ES384")},
		{name: "A14 RSA key, EC algorithm", edit: func(a *ask) { a.assertion.Header["alg"] = "ES384"; a.signAs = "RS384" }, want: clientError("A14", "alg ES384 needs a key of kty EC", "RS384")},
		{name: "A12 unknown kid, right key, other algorithm", edit: func(a *ask) {
			a.assertion.Header["kid"] = "x"
			a.signAs = "PS256"
		}, want: clientError("A12", `that of key "rsa-1" under PS256: kid and alg are wrong`)},
		{name: "A15 ES384 cut short", edit: func(a *ask) {
			a.signWith(a.ec)
			a.sealed = func(j string) string { return j[:len(j)-8] }
		}, want: clientError("A15", "90 bytes; ES384 has exactly 96 bytes")},
		{name: "A17 P-256 key for ES384", edit: func(a *ask) {
			k := key(a.t, "ec-p256", "p256")
			keys(a, k.JWK())
			a.signWith(k)
			a.assertion.Header["alg"] = "ES384"
		}, want: clientError("A17", "P-256", "P-384 (secp384r1)", "openssl genpkey")},
		{name: "A18 leading zero in n", edit: func(a *ask) {
			n, _ := base64.RawURLEncoding.DecodeString(a.rsa.JWK()["n"].(string))
			keys(a, with(a.rsa, "n", authztest.Encode(append([]byte{0}, n...))))
		}, want: clientError("A18", "1 leading zero octet")},
		{name: "A18 standard base64 in x", edit: func(a *ask) {
			x, _ := base64.RawURLEncoding.DecodeString(a.ec.JWK()["x"].(string))
			keys(a, with(a.ec, "x", base64.StdEncoding.EncodeToString(x)+"="))
			a.signWith(a.ec)
		}, want: clientError("A18", "member x that is not base64url")},
		{name: "A18 coordinate without its leading zeros", edit: func(a *ask) {
			keys(a, with(a.ec, "y", authztest.Encode([]byte{1, 2, 3})))
			a.signWith(a.ec)
		}, want: clientError("A18", "3 octets", "exactly 48")},
		{name: "A18 point off the curve", edit: func(a *ask) {
			keys(a, with(a.ec, "y", authztest.Encode(make([]byte, 48))))
			a.signWith(a.ec)
		}, want: clientError("A18", "not on curve P-384")},
		{name: "A20 SB-REG-07 private members", edit: func(a *ask) {
			j := with(a.rsa, "d", "AQAB")
			j["p"] = "AQAB"
			keys(a, j)
		}, want: clientError("A20", "private members (d and p)", "Revoke this key pair now")},
		{name: "A21 use enc", edit: func(a *ask) { keys(a, with(a.rsa, "use", "enc")) }, want: clientError("A21", `"use":"enc"`)},
		{name: "A21 key_ops without verify", edit: func(a *ask) { keys(a, with(a.rsa, "key_ops", []string{"sign"})) }, want: clientError("A21", "key_ops sign without verify")},
		{name: "A21 use required", options: []option{withBehaviour(func(b *authz.Behaviour) { b.RequireUse = true })},
			edit: func(*ask) {}, want: clientError("A21", `has no "use":"sig"`)},
		{name: "A22 1024 bits", edit: func(a *ask) {
			k := key(a.t, "rsa-1024", "short")
			keys(a, k.JWK())
			a.signWith(k)
		}, want: clientError("A22", "1024 bits", "2048")},
		{name: "SB-REG-08 alg of the key", edit: func(a *ask) { keys(a, with(a.rsa, "alg", "RS256")) }, want: clientError("SB-REG-08", `says "alg":"RS256"`)},
		{name: "A15 SB-JWT-04 another private key", edit: func(a *ask) { a.key = key(a.t, "rsa-b", "rsa-1") },
			want: clientError("A15", "claims are fine", "thumbprint", "openssl pkey -in private.pem -pubout")},
		{name: "A15 another size", edit: func(a *ask) { a.key = key(a.t, "rsa-4096", "rsa-1") }, want: clientError("A15", "512 bytes", "4096 bits", "2048 bits")},
		{name: "A15 hash of RS256 under RS384", edit: func(a *ask) { a.signAs = "RS256" }, want: clientError("A15", "header says alg RS384", `under RS256`)},
		{name: "A15 changed after signing", edit: sealed(func(j string) string {
			p := strings.Split(j, ".")
			claims, _ := base64.RawURLEncoding.DecodeString(p[1])
			return p[0] + "." + authztest.Encode([]byte(strings.Replace(string(claims), "{", "{ ", 1))) + "." + p[2]
		}), want: clientError("A15", "SHA-256")},
		{name: "A12 kid and alg of another key of the set", edit: func(a *ask) {
			b := key(a.t, "rsa-b", "rsa-2")
			keys(a, a.rsa.JWK(), b.JWK())
			a.key, a.signAs = b, "RS256"
		}, want: clientError("A12", `that of key "rsa-2" under RS256: kid and alg are wrong`)},
		{name: "A15 not signed", edit: sealed(func(j string) string { return j[:strings.LastIndex(j, ".")+1] }), want: clientError("A15", "was not signed")},
		{name: "A15 other EC key", edit: func(a *ask) { a.signWith(key(a.t, "ec-b", "ec-1")) }, want: clientError("A15", "EC on P-384")},
		{name: "A16 SB-JWT-06 DER", edit: func(a *ask) { a.signWith(a.ec); a.signAs = "DER" }, want: clientError("A16", "0x30", "exactly 96 bytes", "it would verify")},
		{name: "A16 DER of another key of the set", edit: func(a *ask) {
			b := key(a.t, "ec-b", "ec-2")
			keys(a, a.ec.JWK(), b.JWK())
			a.signWith(a.ec)
			a.key, a.signAs = b, "DER"
		}, want: clientError("A16", `would verify with key "ec-2": the kid is wrong as well`)},
		{name: "A16 DER of another key", edit: func(a *ask) { a.signWith(key(a.t, "ec-b", "ec-1")); a.signAs = "DER" }, want: clientError("A16", "does not verify")},
		{name: "C15 SB-JWT-19 replay", edit: func(a *ask) {
			first := a.newAsk()
			first.assertion = a.assertion
			first.granted()
			a.wall.Advance(7 * time.Second)
			a.Exchange = "x2"
		}, want: clientError("C15", "used 7 s ago by request x1", "new assertion")},
	}
}
