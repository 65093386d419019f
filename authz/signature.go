package authz

import (
	"context"
	"errors"
)

// jku checks that a key URL in the header is the registered one, byte for
// byte. Another one is never fetched (SB-JWT-08).
func (a *attempt) jku(context.Context) *Error {
	got, _ := a.jws.header.text("jku")
	switch want := a.client.JWKSURI; {
	case a.jws.header.kind("jku") == 0:
		a.checks.pass(ruleJKU, "absent")
		return nil
	case want == "":
		return a.refuseClient(ruleJKU, a.needlessJKU())
	case got != want:
		return a.refuseClient(ruleJKU, a.otherJKU(got))
	}
	a.checks.pass(ruleJKU, got)
	return nil
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

// keySet returns the client's keys: the set by value, or the published one.
func (a *attempt) keySet(ctx context.Context, kid string) (*KeySet, *keyStory, *Error) {
	set, story, err := a.server.keysOf(ctx, a.client, kid)
	var bad *KeySetError
	var fetch *FetchError
	switch {
	case errors.As(err, &fetch):
		return nil, nil, a.refuseClient(ruleKeySet, fetch.outcome())
	case errors.As(err, &bad):
		return nil, nil, a.refuseClient(ruleKeySet, bad.outcome())
	case err != nil:
		return nil, nil, a.checks.serverError(ruleKeySet, "get the client's key set", err)
	case set == nil:
		return nil, nil, a.refuseClient(ruleKeySet, a.noKeySet())
	case set.Len() == 0:
		return nil, nil, a.refuseClient(ruleKeySet, a.emptyKeySet(story))
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
		return nil, a.refuseClient(ruleKeyMatch, a.ambiguousKey(kid, len(fitting), story))
	case crv != "" && fitting[0].crv != crv:
		return nil, a.refuseClient(ruleKeyMatch, wrongCurve(fitting[0], alg, crv))
	}
	a.checks.pass(ruleKeyMatch, "kid "+kid+", "+fitting[0].describe())
	return fitting[0], nil
}

// usableKey checks the key itself: public, for signatures, strong enough, its
// numbers well encoded.
func (a *attempt) usableKey(key *publicKey) *Error {
	for _, finding := range []FindingID{"A20", "A22", "A18", "A21"} {
		for _, p := range key.problems {
			if p.Finding == finding {
				return a.refuseClient(ruleKeyUsable, p.outcome(key))
			}
		}
	}
	if a.behaviour.RequireUse && key.use != "sig" {
		return a.refuseClient(ruleKeyUsable, withoutUse(key))
	}
	if alg, _ := a.jws.header.text("alg"); key.alg != "" && key.alg != alg {
		return a.refuseClient(ruleKeyUsable, ofOtherAlgorithm(key, alg))
	}
	if key.raw == nil {
		return a.refuseClient(ruleKeyUsable, unreadable(key))
	}
	a.checks.pass(ruleKeyUsable, key.describe())
	return nil
}
