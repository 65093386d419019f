package authz_test

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"fmt"
	"strings"
	"testing"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/authz/authztest"
)

// BenchmarkToken measures a granted token request beside the bare pair of
// signature operations in it: one verification of the assertion, one ES256
// signature. Assertions are made outside the measured time.
func BenchmarkToken(b *testing.B) {
	for _, file := range []string{"rsa-a", "ec-a"} {
		k := key(b, file, "k")
		b.Run(k.Alg()+"/request", func(b *testing.B) { benchRequest(b, k) })
		b.Run(k.Alg()+"/bare", func(b *testing.B) { benchBare(b, k) })
	}
}

func benchRequest(b *testing.B, k *authztest.Key) {
	w := newWorld(b)
	w.change(func(c *authz.Client) { c.JWKS = authztest.JWKS(k) })
	requests := make([]authz.FormRequest, b.N)
	for i := range requests {
		a := w.newAsk()
		a.signWith(k)
		requests[i] = a.request()
	}
	b.ReportAllocs()
	b.ResetTimer()
	for _, req := range requests {
		if d := w.server.Token(b.Context(), req); d.Err != nil {
			b.Fatal(d.Err)
		}
	}
}

func benchBare(b *testing.B, k *authztest.Key) {
	w := newWorld(b)
	a := w.newAsk()
	a.signWith(k)
	jwt := k.Sign(a.assertion)
	input := []byte(jwt[:strings.LastIndex(jwt, ".")])
	signature := k.Signature(string(input), k.Alg())
	verifier, err := jws.NewVerifier(jwa.SignatureAlgorithm(k.Alg()))
	if err != nil {
		b.Fatal(err)
	}
	signer, err := jws.NewSigner(jwa.ES256)
	if err != nil {
		b.Fatal(err)
	}
	own := key(b, "ec-p256", "").Private.(*ecdsa.PrivateKey)
	var public any
	switch private := k.Private.(type) {
	case *rsa.PrivateKey:
		public = &private.PublicKey
	case *ecdsa.PrivateKey:
		public = &private.PublicKey
	}
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		if err := verifier.Verify(input, signature, public); err != nil {
			b.Fatal(err)
		}
		if _, err := signer.Sign(input, own); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAuthenticate measures what a resource request pays.
func BenchmarkAuthenticate(b *testing.B) {
	w := newWorld(b)
	token := "Bearer " + w.newAsk().granted().Response.AccessToken
	b.ReportAllocs()
	for b.Loop() {
		if d := w.call(w.server, token); d.Err != nil {
			b.Fatal(d.Err)
		}
	}
}

// BenchmarkRefusal measures the dearest diagnosis: a signature of no key.
func BenchmarkRefusal(b *testing.B) {
	w := newWorld(b)
	a := w.newAsk()
	a.key = key(b, "rsa-b", "rsa-1")
	req := a.request()
	for b.Loop() {
		if d := w.server.Token(b.Context(), req); d.Err == nil || fmt.Sprint(d.Err.Check.ID()) != "A15" {
			b.Fatal(d.Err)
		}
	}
}
