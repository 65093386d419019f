package authz

import (
	"errors"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

func wrongManageMethod(method string) outcome {
	return outcome{got: method, want: "GET, PUT or DELETE",
		text: "A client's configuration endpoint takes GET, PUT and DELETE; the request was a " + clip(method) + ".",
		fix:  "Read with GET, replace with PUT, remove with DELETE."}
}

func noManageToken() outcome {
	return outcome{got: "no bearer token", want: "the registration access token",
		text: "The request has no bearer token.",
		fix: "Send the registration_access_token of the registration's answer as Authorization: Bearer, then " +
			"the token."}
}

func wrongManageToken(clientID string) outcome {
	return outcome{got: "a token that does not manage client " + clip(clientID), want: "the registration access token",
		text: "The bearer token is not the registration access token of client " + quote(clientID) +
			", or that client was deleted.",
		fix: "Send the registration_access_token that its registration returned; an access token of the " +
			"token endpoint does not do."}
}

func noInitialToken() outcome {
	return outcome{got: "no bearer token", want: "an initial access token",
		text: "This server registers clients against an initial access token only.",
		fix:  "Send the one that you were given as Authorization: Bearer, then the token."}
}

func wrongInitialToken() outcome {
	return outcome{got: "another token", want: "an initial access token",
		text: "The bearer token is not the initial access token of this server.",
		fix:  "Ask who runs the server for it; an access token of the token endpoint does not do."}
}

func otherClientID(got, want string) outcome {
	return outcome{got: "client_id " + quote(got), want: want,
		text: "The body's client_id is " + quote(got) + "; an update carries the client's own, and all of " +
			"its metadata.",
		fix: "Set client_id to " + quote(want) + "."}
}

func setByServer(names []string) outcome {
	return outcome{got: list(names), want: "absent",
		text: "The body holds " + list(names) + ", which the server sets.",
		fix:  "Leave that out of an update (RFC 7592 section 2.2)."}
}

func chosenSecret() outcome {
	return outcome{got: "a client_secret that is not the client's", want: "the client's, or none",
		text: "The body's client_secret is not the client's. A client cannot choose its secret.",
		fix:  "Leave client_secret out."}
}

func noAuthMethod() outcome {
	return outcome{got: "no token_endpoint_auth_method", want: string(PrivateKeyJWT),
		text: "The registration has no token_endpoint_auth_method, which by RFC 7591 means " +
			"client_secret_basic: not SMART Backend Services.",
		fix: "Send \"token_endpoint_auth_method\":\"private_key_jwt\" with jwks_uri or jwks."}
}

func otherAuthMethod(got AuthMethod, want []string) outcome {
	return outcome{got: string(got), want: list(want),
		text: "token_endpoint_auth_method is " + quote(string(got)) + "; this server takes " + list(want) + ".",
		fix:  "For SMART Backend Services send private_key_jwt."}
}

func registeredSecret(got AuthMethod) outcome {
	return outcome{finding: "L05", got: string(got), want: string(PrivateKeyJWT),
		text: "The client gets a secret. That is not SMART Backend Services, and no client for ONC g10.",
		fix:  "Choose private_key_jwt for those."}
}

func noGrants() outcome {
	return outcome{got: "no grant_types", want: GrantClientCredentials,
		text: "The registration has no grant_types, which by RFC 7591 means authorization_code: this server " +
			"has no users.",
		fix: "Send \"grant_types\":[\"client_credentials\"]."}
}

func unknownGrants(got []string) outcome {
	return outcome{got: list(got), want: GrantClientCredentials,
		text: "grant_types are " + clip(list(got)) + "; this server has client_credentials only.",
		fix:  "Send \"grant_types\":[\"client_credentials\"]."}
}

func needlessResponseTypes(got []string) outcome {
	return outcome{got: "response_types " + clip(list(got)), want: "none",
		text: "response_types are " + clip(list(got)) + ", which do not go with client_credentials (RFC 7591 " +
			"section 2.1).",
		fix: "Leave response_types out, or send an empty array."}
}

func grantsLeftOut(got []string) outcome {
	return outcome{got: list(got), want: GrantClientCredentials,
		text: "Of the grant types " + clip(list(got)) + " only client_credentials was registered; this " +
			"server has no other.",
		fix: "Leave the others out."}
}

func defaultRegistered(scopes Scopes) outcome {
	return outcome{finding: "S01", got: "no scope", want: "the scopes to be registered",
		text: "The registration has no scope; " + scopes.String() + " was registered.",
		fix:  "Name the scopes that the client needs."}
}

func noneForServices(asked string, dropped []string) outcome {
	return outcome{got: asked, want: "system/ scopes",
		text: "None of the scopes is for a backend service: " + list(dropped) + ".",
		fix:  "Register system/ scopes, for instance system/*.rs."}
}

func scopesLeftOut(asked string, registered Scopes, dropped []string) outcome {
	return outcome{got: asked, want: registered.String(),
		text: "Registered " + clip(registered.String()) + ". Left out: " + list(dropped) + ".",
		fix:  "Register system/ scopes only."}
}

func wrongRegisterMethod(got, want string) outcome {
	return outcome{got: got, want: want,
		text: "The registration endpoint takes POST only; the request was a " + clip(got) + ".",
		fix:  "POST the client metadata as JSON."}
}

func noJSON(got string) outcome {
	return outcome{finding: "D04", got: got, want: "application/json",
		text: "A registration is a JSON object sent as application/json; got " + quote(got) + ".",
		fix:  "Send JSON with Content-Type: application/json. It is the token endpoint that takes forms."}
}

func longName(name string) outcome {
	return outcome{got: "a client_name of " + itoa(utf8.RuneCountInString(name)) + " characters",
		want: "at most " + itoa(maxName),
		text: "client_name is longer than " + itoa(maxName) + " characters.", fix: "Shorten it."}
}

func twoKeySources() outcome {
	return outcome{got: "jwks and jwks_uri", want: "one of them",
		text: "The registration has both jwks and jwks_uri; they exclude each other (RFC 7591 section 2).",
		fix:  "Send jwks_uri if you can publish the keys, else jwks."}
}

func noKeys() outcome {
	return outcome{got: "no keys", want: "jwks_uri or jwks",
		text:   "private_key_jwt needs the client's public keys.",
		fix:    "Send jwks_uri, the https URL of your key set, or the set itself as jwks.",
		remedy: Remedy{Kind: RemedyNewKey}}
}

func bothKeySources() outcome {
	return outcome{got: "jwks and jwks_uri", want: "one of them",
		text: "The registration has both jwks and jwks_uri, which this server's behaviour takes: the keys of " +
			"both count.",
		fix: "Send one of them: by RFC 7591 section 2 they exclude each other."}
}

func noWebAddress(name, uri string) outcome {
	return outcome{got: name + " " + uri, want: "an http or https URL",
		text: name + " is " + quote(uri) + "; it must be an absolute http or https URL.",
		fix:  "Correct it, or leave it out."}
}

func badRedirect(uri string) outcome {
	return outcome{got: uri, want: "none, or absolute URIs without fragment",
		text: "redirect_uris holds " + quote(uri) + ", which is no absolute URI without fragment.",
		fix:  "Leave redirect_uris out: a backend service needs none."}
}

func brokenMetadata(err error) outcome {
	o := outcome{got: "something else", want: "a JSON object of client metadata"}
	var semantic *json.SemanticError
	var syntactic *jsontext.SyntacticError
	switch {
	case errors.As(err, &semantic) && semantic.JSONPointer != "":
		o.got = string(semantic.JSONPointer) + " of the wrong type"
		o.text = "The member " + quote(string(semantic.JSONPointer)) + " has the wrong JSON type."
		o.fix = "Names, URLs and scope are strings, grant_types and contacts arrays of strings, jwks an object."
	case errors.Is(err, jsontext.ErrDuplicateName):
		o.text, o.fix = "The body has the same member twice.", "Write each once."
	case errors.As(err, &syntactic):
		o.text = "The body is not valid JSON, near byte " + itoa(int(syntactic.ByteOffset)) + "."
		o.fix = "Let a JSON encoder write it."
	default:
		o.text = "The body is no JSON object."
		o.fix = "Send client metadata as in RFC 7591 section 2: {\"client_name\":…,\"jwks_uri\":…}."
	}
	return o
}

// uriOutcome tells why a URL may not be a jwks_uri.
func uriOutcome(uri string, err error) outcome {
	o := outcome{finding: "J08", text: err.Error()}
	var bad *FetchError
	if errors.As(err, &bad) {
		o = bad.outcome()
	}
	o.got, o.want = uri, "an https URL"
	return o
}
