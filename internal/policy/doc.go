// Package policy judges requests by AccessPolicy resources as Aidbox has them:
// a request is let through by the first policy that says true, of those that
// link to its client or to nobody in particular. Whether the token's scopes
// allow it is another matter, decided besides.
//
// The engines are allow, matcho and json-schema, and scopes, which is this
// program's own: it says what a policy derived from a client's scopes says.
//
// The package is pure: it imports nothing of ours.
package policy
