package authz

import (
	"bytes"
	"mime"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
)

// form holds the parameters of a request body, empty ones left out: a
// parameter without a value counts as absent (RFC 6749 section 3.2).
type form map[string]string

const formType = "application/x-www-form-urlencoded"

// readForm checks method, content type, encoding and where the parameters are.
func (a *attempt) readForm(wanted ...string) *Error {
	if err := a.checkMethod(); err != nil {
		return err
	}
	parse := parseForm
	switch {
	case isForm(a.req.ContentType):
		a.checks.pass(ruleContentType, formType)
	case a.behaviour.JSONRequests && isJSON(a.req.ContentType):
		parse = parseJSONForm
		a.checks.warn(ruleContentType, outcome{finding: "D04", got: a.req.ContentType, want: formType,
			text: "The request is JSON, which this server's behaviour takes; SMART and every strict server want " + formType + ".", fix: "Encode the parameters as a form."})
	default:
		return a.refuse(ruleContentType, CodeInvalidRequest, wrongContentType(a.req.ContentType))
	}
	f, broken := parse(a.req.Body)
	if broken != nil {
		return a.refuse(ruleParameters, CodeInvalidRequest, *broken)
	}
	a.form = f
	a.checks.pass(ruleParameters, plural(len(f), "parameter"))
	return a.checkQueryString(wanted)
}

func (a *attempt) checkMethod() *Error {
	if a.req.Method == "POST" {
		a.checks.pass(ruleMethod, "POST")
		return nil
	}
	e := a.refuse(ruleMethod, CodeInvalidRequest, outcome{finding: "D05", got: a.req.Method, want: "POST",
		text: "This endpoint takes POST only; the request was a " + clip(a.req.Method) + ".", fix: "Send the parameters as a form in the body of a POST: URLs end up in logs."})
	e.Status, e.Allow = 405, "POST"
	return e
}

// checkQueryString tells of parameters that were put into the URL. They are
// not read (RFC 6749 section 2.3.1).
func (a *attempt) checkQueryString(wanted []string) *Error {
	if a.req.Query == "" {
		a.checks.pass(ruleQueryString, "")
		return nil
	}
	found := queryNames(a.req.Query, wanted...)
	if len(found) == 0 {
		a.checks.pass(ruleQueryString, "")
		return nil
	}
	o := outcome{finding: "D05", got: list(found) + " in the query string", want: "in the body"}
	for _, name := range found {
		if a.form[name] == "" {
			o.text = list(found) + " came in the query string and " + name + " is missing from the body. Parameters are read from the body only."
			o.fix = "Send them in the body of the POST: URLs end up in logs."
			return a.refuse(ruleQueryString, CodeInvalidRequest, o)
		}
	}
	o.text = list(found) + " came in the query string as well and was ignored there."
	o.fix = "Send it in the body of the POST only: URLs end up in logs."
	a.checks.warn(ruleQueryString, o)
	return nil
}

// isForm reports whether a Content-Type header means a form.
func isForm(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		// A broken parameter does not make it another type.
		media, _, _ = strings.Cut(contentType, ";")
		media = strings.ToLower(strings.TrimSpace(media))
	}
	return media == formType
}

func isJSON(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	return strings.EqualFold(strings.TrimSpace(media), "application/json")
}

// parseForm decodes a form. A repeated parameter is refused, as RFC 6749
// section 3.2 has it, except resource, which RFC 8707 lets a client repeat.
func parseForm(body []byte) (form, *outcome) {
	f := form{}
	for len(body) > 0 {
		var pair []byte
		pair, body, _ = bytes.Cut(body, []byte("&"))
		if len(pair) == 0 {
			continue
		}
		rawName, rawValue, _ := strings.Cut(string(pair), "=")
		name, err := url.QueryUnescape(rawName)
		if err != nil {
			return nil, brokenEscape(rawName, "a parameter's name")
		}
		value, err := url.QueryUnescape(rawValue)
		if err != nil {
			return nil, brokenEscape(name, "the value of "+quote(name))
		}
		if !utf8.ValidString(name) || !utf8.ValidString(value) {
			return nil, &outcome{got: clip(rawName), want: "UTF-8",
				text: "The body is not a well-formed form: the parameter " + quote(rawName) + " is not UTF-8 once it is decoded.",
				fix:  "Let your HTTP library encode the form, and encode text as UTF-8 before."}
		}
		if value == "" {
			continue
		}
		if _, repeated := f[name]; repeated && name != "resource" {
			return nil, &outcome{got: name + " more than once", want: "each parameter once",
				text: "The parameter " + quote(name) + " is in the form more than once.", fix: "Send each parameter once (RFC 6749 section 3.2); several scopes go into one scope parameter, separated by spaces."}
		}
		f[name] = value
	}
	return f, nil
}

func brokenEscape(name, where string) *outcome {
	return &outcome{got: clip(name), want: "form encoding",
		text: "The body is not a well-formed form: a percent sign in " + where + " is not followed by two hex digits.", fix: "Let your HTTP library encode the form, and write a literal percent sign as %25."}
}

// parseJSONForm reads the same parameters from a JSON object of strings.
func parseJSONForm(body []byte) (form, *outcome) {
	var f form
	if err := json.Unmarshal(body, &f); err != nil || f == nil {
		return nil, &outcome{got: "JSON that is no object of strings", want: "a JSON object of strings",
			text: "The JSON body is not an object whose members are all strings, each once.", fix: "Send a form, or {\"grant_type\":\"client_credentials\",…}."}
	}
	for name, value := range f {
		if value == "" {
			delete(f, name)
		}
	}
	return f, nil
}

// scopeIn finds the scope in a body whose type was not looked at.
func scopeIn(body []byte) string {
	if bytes.HasPrefix(body, []byte("{")) {
		var object struct {
			Scope string `json:"scope"`
		}
		if json.Unmarshal(body, &object) == nil {
			return object.Scope
		}
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return ""
	}
	return form.Get("scope")
}

// queryNames returns which of the wanted parameters a raw query string holds.
func queryNames(query string, wanted ...string) []string {
	var found []string
	for _, name := range wanted {
		for _, pair := range strings.Split(query, "&") {
			raw, value, _ := strings.Cut(pair, "=")
			if decoded, err := url.QueryUnescape(raw); err == nil && decoded == name && value != "" {
				found = append(found, name)
				break
			}
		}
	}
	return found
}
