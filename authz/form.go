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
		a.checks.warn(ruleContentType, jsonForm(a.req.ContentType))
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
	e := a.refuse(ruleMethod, CodeInvalidRequest, notPOST(a.req.Method))
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
	for _, name := range found {
		if a.form[name] == "" {
			return a.refuse(ruleQueryString, CodeInvalidRequest, onlyInQuery(found, name))
		}
	}
	a.checks.warn(ruleQueryString, alsoInQuery(found))
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
			return nil, notUTF8(rawName)
		}
		if value == "" {
			continue
		}
		if _, repeated := f[name]; repeated && name != "resource" {
			return nil, repeatedParameter(name)
		}
		f[name] = value
	}
	return f, nil
}

// parseJSONForm reads the same parameters from a JSON object of strings.
func parseJSONForm(body []byte) (form, *outcome) {
	var f form
	if err := json.Unmarshal(body, &f); err != nil || f == nil {
		return nil, brokenJSONForm()
	}
	for name, value := range f {
		if value == "" {
			delete(f, name)
		}
	}
	return f, nil
}

// scopeIn finds the scope in a body that was refused before it was read, form
// or JSON.
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
