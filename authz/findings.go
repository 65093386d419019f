package authz

import "slices"

// Finding is one way to break a rule, or to come near it.
type Finding struct {
	ID    FindingID
	Title string // in a few words
	// Remedy is the code that puts it right, whichever rule finds it; "" leaves
	// that to the rule.
	Remedy RemedyKind
}

// Findings returns what the checks recognise, by id.
func Findings() []Finding { return slices.Clone(findings[:]) }

// findings is the one table of findings. It is never changed.
var findings = [...]Finding{
	{FindingIDUnknownClient, "the client is registered in another environment", ""},
	{"A03", "the new registration has not spread yet", RemedyNone},
	{"A04", "the assertion is in the Authorization header", ""},
	{"A05", "client_assertion_type is missing or mistyped", RemedyForm},
	{"A06", "the assertion is not three base64url parts", ""},
	{"A07", "typ is missing or something else", ""},
	{"A08", "another algorithm of the right family", ""},
	{"A09", "the server implements only one of RS384 and ES384", ""},
	{"A10", "alg is none or symmetric", ""},
	{"A11", "no kid", ""},
	{FindingIDUnknownKeyID, "kid is not in the key set", ""},
	{"A13", "several keys share the kid", RemedyKeySet},
	{"A14", "the key's type does not fit alg", ""},
	{"A15", "signed with another private key", ""},
	{"A16", "an ASN.1 signature instead of r and s", ""},
	{"A17", "the key's curve does not fit alg", RemedyNewKey},
	{FindingIDKeyEncoding, "the key's numbers are not minimal base64url", RemedyKeySet},
	{"A19", "a key in PEM or DER where a JWK Set is wanted", RemedyKeySet},
	{FindingIDPrivateMembers, "the key set publishes private members", RemedyNewKey},
	{"A21", "use or key_ops is not for signatures", RemedyKeySet},
	{"A22", "the RSA key is too short", RemedyNewKey},
	{"A23", "an X.509 certificate where a JWK Set is wanted", RemedyKeySet},
	{"A24", "jku is not the registered URL", ""},
	{"C01", "sub differs from iss", ""},
	{FindingIDIssuerNoClientID, "iss is no client_id", ""},
	{"C03", "aud is another URL of this server, or of another one", ""},
	{"C04", "aud differs by a slash, a letter's case or an escape", ""},
	{"C05", "aud has another name, port or scheme of this server", ""},
	{"C06", "aud is an array", ""},
	{"C07", "no exp", ""},
	{"C08", "expired on arrival: a slow clock or a kept assertion", RemedyClock},
	{"C09", "exp is too far ahead", ""},
	{"C10", "exp is five minutes ahead by a clock that leads", RemedyClock},
	{"C11", "milliseconds instead of seconds", ""},
	{"C12", "nbf or iat is in the future", RemedyClock},
	{"C13", "this payer requires iat", ""},
	{"C14", "no jti", ""},
	{"C15", "jti or the whole assertion was used before", ""},
	{"C16", "a replay that this server lets pass", ""},
	{"C17", "jti is too long", ""},
	{"D01", "discovery below another URL than the FHIR base", RemedyNone},
	{"D04", "a JSON body, or no content type", ""},
	{"D05", "a GET, or parameters in the query string", ""},
	{"D06", "dynamic registration where there is none", RemedyRegistration},
	{"J01", "the jwks_uri cannot be reached", RemedyFetch},
	{"J02", "TLS to the jwks_uri fails", RemedyFetch},
	{FindingIDNoKeySet, "the jwks_uri answers something else than a key set", RemedyKeySet},
	{"J04", "a bare array instead of an object with keys", RemedyKeySet},
	{"J05", "the key is newer than the copy of the key set", ""},
	{"J06", "the key changed and its kid did not", ""},
	{"J08", "the jwks_uri is not allowed here", RemedyRegistration},
	{"J09", "the key set is too slow or too large", RemedyFetch},
	{"K01", "the secret has expired", ""},
	{"K02", "the secret is encoded in another way", ""},
	{"K03", "credentials in the header and in the body", ""},
	{"K04", "a secret for a key client, or the reverse", ""},
	{"K05", "the secret is missing: it is shown once, when it is made", ""},
	{"L01", "the service is not approved yet", ""},
	{"L02", "the service is approved and still calls the sandbox", ""},
	{"L03", "the service was rejected or deactivated", RemedyNone},
	{"L04", "an old secret is used after a rotation", ""},
	{"L05", "a secret, which is no client for SMART Backend Services and ONC g10", RemedyNewKey},
	{"S01", "no scope", ""},
	{"S02", "a patient/ or user/ scope", ""},
	{"S03", "the other version of scopes", ""},
	{"S04", "scopes not separated by spaces", ""},
	{"S05", "less was granted than asked", ""},
	{"S06", "nothing of the request is registered", ""},
	{"S07", "letters out of order", ""},
	{"S08", "a search without the letter s", ""},
	{"S09", "no access policy allows the request", RemedyNone},
	{"S10", "a wildcard that stands for some types only", ""},
	{"S11", "a type the token has no scope for", ""},
	{"S12", "scopes of the first version only, at the files", ""},
	{"S13", "data of another organization", RemedyNone},
	{"T02", "the scheme is not Bearer", ""},
	{FindingIDTokenExpired, "the token has expired", ""},
	{"T04", "a refresh token is asked for", ""},
	{"T05", "a token of another environment", ""},
	{"T06", "the client's tokens were revoked", ""},
}
