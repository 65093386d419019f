package authz

import (
	"context"
	"errors"
	"time"
)

// jku checks that a key URL in the header is the registered one, byte for
// byte. Another one is never fetched (SB-JWT-08).
func (a *attempt) jku(context.Context) *Error {
	if a.jws.header.kind("jku") == 0 {
		a.checks.pass(ruleJKU, "absent")
		return nil
	}
	got, _ := a.jws.header.text("jku")
	want := a.client.JWKSURI
	if got == want && want != "" {
		a.checks.pass(ruleJKU, got)
		return nil
	}
	o := outcome{finding: "A24", got: a.jws.header.show("jku"), want: want}
	if want == "" {
		o.want = "absent"
		o.text = "The header has a jku, " + o.got + ", but client " + quote(a.client.ID) + " is registered with a key set by value."
		o.fix = "Drop jku from the header, or register that URL as jwks_uri."
	} else {
		o.text = "The header's jku is " + quote(got) + "; the registered jwks_uri is " + quote(want) + " (" + differ(got, want) + "). It was not fetched."
		o.fix = "Drop jku from the header, or register this URL as jwks_uri."
	}
	return a.refuseClient(ruleJKU, o)
}

// signature finds the one key that the header names and verifies with it
// (Signature Verification steps 1 to 4). Other keys are tried only to explain
// a refusal.
func (a *attempt) signature(ctx context.Context) *Error {
	kid, _ := a.jws.header.text("kid")
	set, story, err := a.keySet(ctx, kid)
	if err != nil {
		return err
	}
	key, err := a.matchKey(set, story, kid)
	if err != nil {
		return err
	}
	if err := a.usableKey(key); err != nil {
		return err
	}
	alg, _ := a.jws.header.text("alg")
	if !verifies(alg, key, a.jws.signingInput, a.jws.signature) {
		return a.refuseClient(ruleSignature, a.diagnoseSignature(ctx, alg, key, set, story))
	}
	a.checks.pass(ruleSignature, alg+" with key "+key.name())
	return nil
}

// keyStory is where a key set came from; nil for a set by value.
type keyStory struct {
	uri string
	*PublishedKeys
	stale time.Duration // how long the behaviour keeps the copy, whatever its headers say; 0 goes by them
}

// isOlder reports whether the set was read before the request came, so that a
// key which was published since is not in it.
func (k *keyStory) isOlder(asked time.Time) bool { return k != nil && k.FetchedAt.Before(asked) }

// tell says how old the copy is, as a sentence.
func (k *keyStory) tell(now time.Time) string {
	if k == nil {
		return ""
	}
	text := " The set was read from " + clip(k.uri) + " " + seconds(now.Sub(k.FetchedAt)) + " ago"
	if k.CacheControl != "" {
		text += " (Cache-Control: " + clip(k.CacheControl) + ")"
	}
	text += "."
	switch failed := k.Failed; {
	case k.stale > 0:
		text += " This server's behaviour keeps a set for " + seconds(k.stale) + " by its own clock and reads it for no new kid before, as some servers do."
	case failed != nil:
		text += " The server tried to read it again " + seconds(now.Sub(failed.At)) + " ago and failed (" + failed.Err.Short + "), so this older copy was used."
	case now.Before(k.RefetchAfter):
		text += " It is read again before its time at most once every " + seconds(k.RefetchEvery) + "."
	}
	return text
}

// keySet returns the client's keys: the set by value, or the published one.
func (a *attempt) keySet(ctx context.Context, kid string) (*KeySet, *keyStory, *Error) {
	set, story, err := a.server.keysOf(ctx, a.client, kid)
	var bad *KeySetError
	var fetch *FetchError
	switch {
	case errors.As(err, &fetch):
		return nil, nil, a.refuseClient(ruleKeySet, fetch.outcome())
	case errors.As(err, &bad):
		return nil, nil, a.refuseClient(ruleKeySet, outcome{finding: bad.Finding, got: "a key set that cannot be read", want: "a JWK Set",
			text: bad.Text, counterfactual: bad.Counterfactual, fix: bad.Fix})
	case err != nil:
		return nil, nil, a.checks.serverError(ruleKeySet, "get the client's key set", err)
	case set == nil:
		return nil, nil, a.refuseClient(ruleKeySet, outcome{got: "no key set", want: "jwks or jwks_uri",
			text: "Client " + quote(a.client.ID) + " has no key set registered.", fix: "Register its public keys, by URL or by value."})
	case set.Len() == 0:
		return nil, nil, a.refuseClient(ruleKeySet, outcome{got: "an empty set", want: "at least one key",
			text: "The client's key set has no key in it." + story.tell(a.realTime), fix: "Publish the public half of the key that you sign with."})
	}
	got := plural(set.Len(), "key") + " by value"
	if story != nil {
		got = plural(set.Len(), "key") + " from " + story.uri
	}
	a.checks.pass(ruleKeySet, got)
	return set, story, nil
}

// matchKey selects the single key with the kid and the type that alg needs;
// none or several fail (Signature Verification step 3).
func (a *attempt) matchKey(set *KeySet, story *keyStory, kid string) (*publicKey, *Error) {
	alg, _ := a.jws.header.text("alg")
	kty, crv := keyType(alg)
	named := set.withID(kid)
	if len(named) == 0 {
		return nil, a.refuseClient(ruleKeyMatch, a.diagnoseKid(kid, set, story))
	}
	var fitting []*publicKey
	for _, k := range named {
		if k.kty == kty {
			fitting = append(fitting, k)
		}
	}
	switch {
	case len(fitting) == 0:
		return nil, a.refuseClient(ruleKeyMatch, a.diagnoseType(named[0], alg, set, story))
	case len(fitting) > 1:
		return nil, a.refuseClient(ruleKeyMatch, outcome{finding: "A13", got: plural(len(fitting), "key") + " with kid " + kid, want: "exactly one",
			text: plural(len(fitting), "key") + " of the client's set have kid " + quote(kid) + "; SMART requires exactly one match." + story.tell(a.realTime),
			fix:  "Give every key a kid of its own."})
	case crv != "" && fitting[0].crv != crv:
		k := fitting[0]
		return nil, a.refuseClient(ruleKeyMatch, outcome{finding: "A17", got: "curve " + k.crv, want: "curve " + crv,
			text:   "Key " + k.name() + " is on curve " + quote(k.crv) + ", which cannot sign " + alg + "; it needs " + crv + curveAlias(crv) + ".",
			fix:    "Make a key pair on that curve (openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:" + crv + ") and register its public half.",
			remedy: Remedy{Algorithm: alg}})
	}
	a.checks.pass(ruleKeyMatch, "kid "+kid+", "+fitting[0].describe())
	return fitting[0], nil
}

// smartAlgorithm returns the algorithm of SMART that the key can sign.
func smartAlgorithm(k *publicKey) string {
	switch {
	case k.kty == "RSA":
		return "RS384"
	case k.kty == "EC" && k.crv == "P-384":
		return "ES384"
	}
	return ""
}

// usableKey checks the key itself: public, for signatures, strong enough, its
// numbers well encoded.
func (a *attempt) usableKey(key *publicKey) *Error {
	for _, finding := range []FindingID{"A20", "A22", "A18", "A21"} {
		for _, p := range key.problems {
			if p.Finding == finding {
				return a.refuseClient(ruleKeyUsable, outcome{finding: finding, got: "key " + key.name(), want: "a public signature key", text: p.Text, fix: p.Fix})
			}
		}
	}
	if a.behaviour.RequireUse && key.use != "sig" {
		return a.refuseClient(ruleKeyUsable, outcome{finding: "A21", got: "no use", want: `"use":"sig"`,
			text: "Key " + key.name() + ` has no "use":"sig", which this server's behaviour requires, as some payers do.`, fix: `Add "use":"sig" to the JWK.`})
	}
	if alg, _ := a.jws.header.text("alg"); key.alg != "" && key.alg != alg {
		return a.refuseClient(ruleKeyUsable, outcome{got: `the key's "alg":` + quote(key.alg), want: alg,
			text: "Key " + key.name() + ` says "alg":` + quote(key.alg) + ", the assertion's header says " + quote(alg) + ". A key with an alg serves that one only (RFC 7517 section 4.4).",
			fix:  "Drop alg from the JWK, or set it to " + alg + "."})
	}
	if key.raw == nil {
		return a.refuseClient(ruleKeyUsable, outcome{finding: "A18", got: "key " + key.name(), want: "a public signature key",
			text: "Key " + key.name() + " cannot be read.", fix: "Publish kty, kid and the public numbers: n and e, or crv, x and y."})
	}
	a.checks.pass(ruleKeyUsable, key.describe())
	return nil
}
