// Package authz holds the rules of SMART Backend Services: which clients
// there are, whether an assertion or a secret proves a client, which scopes
// it gets, what its access token says and what that token opens.
//
// A rule never only refuses. Every entry point (Token, Authenticate, Register,
// Manage, Introspect, Revoke; Explain and Examine, which decide a token request
// without issuing anything, the latter past its first refusal) applies rules in order and returns a decision
// that lists them all as checks: passed, failed or not reached. The failed one
// carries a diagnosis: what was got, what was wanted and what to do about it.
// Rules describes the rules, in one table from which explanation pages and
// documentation are made; the code applies them in the order of that table.
//
// A rule says what must hold: SB-KEY-01, exactly one key of the set has the
// assertion's kid. A finding is one way to break a rule, or to come near it,
// that is worth a name of its own: A12, kid is not in the key set. A rule has
// any number of findings, and a finding may belong to several rules. A check
// has the id of its rule, the id of what was found if that is a finding, and
// shows people the more telling of the two (Check.ID).
//
// A token request is best read in the order in which it is decided: token.go,
// form.go, throttle.go, authenticate.go, assertion.go with its table of steps
// (which are there, in jws.go, assertion_time.go, audience.go and signature.go), or
// secret.go, and negotiate.go. These files hold the rules; the sentences for what
// breaks them are in diagnose_*.go, but for those of a JWS, a scope or a key set
// that cannot be read, which stand where these are read. Access tokens at the
// resource server are in access*.go, registration in register*.go and manage.go,
// key sets in keyset*.go, fetching them in fetch*.go. What compares and describes
// assertions for the doctor and its command line is in compare*.go.
//
// Two clocks are handed in. Real time judges what clients made (an
// assertion's exp, nbf, iat and the memory of its jti); the workspace's clock
// ages what this server issued (access tokens, secrets).
//
// The package declares the Store and the KeySource it needs; its only network
// access is as a client, in Fetcher, to a registered jwks_uri. It knows no
// HTTP framework, no SQL and no FHIR data, and imports nothing of ours but
// internal/clock, internal/jose and internal/nearest.
package authz
