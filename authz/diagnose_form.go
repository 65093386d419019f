package authz

import "github.com/sandfhir/sandfhir/internal/nearest"

func wrongContentType(got string) outcome {
	o := outcome{finding: "D04", got: got, want: formType}
	if got == "" {
		o.got = "none"
		o.text = "The request has no Content-Type."
		o.fix = "Send the parameters as a form, with Content-Type: " + formType + "."
		return o
	}
	o.text = "The body must be " + formType + "; Content-Type is " + quote(got) + "."
	o.fix = "Encode the parameters as a form (in curl: -d or --data-urlencode) and set that content type."
	return o
}

func noGrantType() outcome {
	return outcome{got: "no grant_type", want: GrantClientCredentials,
		text: "The form has no grant_type.", fix: "Send grant_type=client_credentials."}
}

// otherGrantType explains a grant type that this server does not have.
func otherGrantType(got string) outcome {
	o := outcome{got: got, want: GrantClientCredentials}
	switch got {
	case "refresh_token":
		o.finding = "T04"
		o.text = "grant_type is \"refresh_token\", and backend services have no refresh token."
		o.fix = "Ask again with grant_type=client_credentials and a new assertion."
	case "urn:ietf:params:oauth:grant-type:jwt-bearer":
		o.text = "grant_type is that of RFC 7523 section 2.1, where a JWT is the grant itself. In SMART " +
			"Backend Services the JWT authenticates the client."
		o.fix = "Send grant_type=client_credentials with client_assertion_type=" + AssertionType +
			" and the JWT as client_assertion."
	case "authorization_code":
		o.text = "grant_type is \"authorization_code\", and this server has no users."
		o.fix = "Send grant_type=client_credentials."
	default:
		o.text = "grant_type is " + quote(got) + ", which this server does not have."
		o.fix = "Send grant_type=client_credentials."
		if nearest.Distance(got, GrantClientCredentials, 4) <= 4 {
			o.text = "grant_type is " + quote(got) + "; it must be exactly client_credentials (" +
				differ(got, GrantClientCredentials) + ")."
		}
	}
	return o
}

func jsonForm(got string) outcome {
	return outcome{finding: "D04", got: got, want: formType,
		text: "The request is JSON, which this server's behaviour takes; SMART and every strict server want " +
			formType + ".",
		fix: "Encode the parameters as a form."}
}

func notPOST(method string) outcome {
	return outcome{finding: "D05", got: method, want: "POST",
		text: "This endpoint takes POST only; the request was a " + clip(method) + ".",
		fix:  "Send the parameters as a form in the body of a POST: URLs end up in logs."}
}

// onlyInQuery explains parameters in the query string, one of which is not in
// the body.
func onlyInQuery(found []string, missing string) outcome {
	return outcome{finding: "D05", got: list(found) + " in the query string", want: "in the body",
		text: list(found) + " came in the query string and " + missing + " is missing from the body. " +
			"Parameters are read from the body only.",
		fix: "Send them in the body of the POST: URLs end up in logs."}
}

func alsoInQuery(found []string) outcome {
	return outcome{finding: "D05", got: list(found) + " in the query string", want: "in the body",
		text: list(found) + " came in the query string as well and was ignored there.",
		fix:  "Send it in the body of the POST only: URLs end up in logs."}
}

func notUTF8(rawName string) *outcome {
	return &outcome{got: clip(rawName), want: "UTF-8",
		text: "The body is not a well-formed form: the parameter " + quote(rawName) + " is not UTF-8 once it " +
			"is decoded.",
		fix: "Let your HTTP library encode the form, and encode text as UTF-8 before."}
}

func repeatedParameter(name string) *outcome {
	return &outcome{got: name + " more than once", want: "each parameter once",
		text: "The parameter " + quote(name) + " is in the form more than once.",
		fix: "Send each parameter once (RFC 6749 section 3.2); several scopes go into one scope parameter, " +
			"separated by spaces."}
}

func brokenJSONForm() *outcome {
	return &outcome{got: "JSON that is no object of strings", want: "a JSON object of strings",
		text: "The JSON body is not an object whose members are all strings, each once.",
		fix:  "Send a form, or {\"grant_type\":\"client_credentials\",…}."}
}

func brokenEscape(name, where string) *outcome {
	return &outcome{got: clip(name), want: "form encoding",
		text: "The body is not a well-formed form: a percent sign in " + where + " is not followed by two " +
			"hex digits.",
		fix: "Let your HTTP library encode the form, and write a literal percent sign as %25."}
}
