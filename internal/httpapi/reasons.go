package httpapi

import (
	"encoding/json"

	"github.com/sandfhir/sandfhir/authz"
)

// hidesReasons reports whether refusals keep their reasons to themselves, as
// some vendors do: on the wire, not on the pages and in the controls.
func (l *call) hidesReasons() bool {
	return l.env != nil && l.surface != plainSurface && l.env.Auth.Behaviour().HideReasons
}

// opaque is a refusal without its reason: of one by the authorization rules the
// code is left, in the challenge too.
func (e *httpError) opaque() *httpError {
	if e.rules == nil {
		return e
	}
	opaque := ofRules(e.rules.Opaque())
	opaque.code, opaque.message = e.code, e.rules.Code
	return opaque
}

// hiddenDescription is what stands in place of every error_description while
// reasons are hidden; nil is nothing.
func (l *call) hiddenDescription() any {
	switch text := l.env.Auth.Behaviour().HiddenDescription; text {
	case "":
		return nil
	case authz.NullDescription:
		return json.RawMessage("null")
	default:
		return text
	}
}
