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
