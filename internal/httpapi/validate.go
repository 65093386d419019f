package httpapi

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/validation"
)

// validateType is $validate of a type (FHIR R4, Resource, operation validate).
// It judges what was sent, so that a valid token is enough.
func (l *call) validateType() error {
	typ, _, err := l.beginType()
	if err != nil {
		return err
	}
	asked, err := l.readValidation(typ)
	if err != nil {
		return err
	}
	switch {
	case asked.mode == "delete" || asked.mode == "profile":
		return badRequest("invalid", "the mode "+asked.mode+" is about a resource that exists; its $validate is at /"+typ+"/{id}/$validate")
	case asked.syntax == nil && asked.resource == nil:
		return badRequest("required", "there is no resource to validate: send it as the body, or as the parameter resource of a Parameters resource")
	}
	return l.judged(asked.judge(typ, ""))
}

// validateInstance is $validate of a resource: of what is to take its place,
// of whether it may be deleted, or of itself.
func (l *call) validateInstance() error {
	typ, store, err := l.begin(authz.Read, "validates a resource that exists")
	if err != nil {
		return err
	}
	id := l.Params("id")
	asked, err := l.readValidation(typ)
	if err != nil {
		return err
	}
	switch {
	case asked.mode == "create":
		return badRequest("invalid", "the mode create is about a resource that does not exist; $validate for it is at /"+typ+"/$validate")
	case asked.mode == "profile" && asked.resource != nil:
		return badRequest("invalid", "the mode profile judges the resource as it is stored; leave the one in the request out")
	case asked.mode == "update" && asked.syntax == nil && asked.resource == nil:
		return badRequest("required", "there is no resource to validate: the mode update is about one that is sent")
	case asked.syntax != nil || asked.resource != nil && asked.mode != "delete":
		return l.judged(asked.judge(typ, id))
	}
	res, err := store.Read(l.UserContext(), l.view(), typ, id)
	if err != nil {
		return err
	}
	if asked.mode == "delete" {
		if may, err := store.May(l.UserContext(), l.view(), fhirstore.LetterDelete, res); err != nil {
			return err
		} else if !may {
			return l.judged([]validation.Issue{{Severity: validation.Error, Code: "forbidden", Message: "the token's scopes do not allow to delete this " + typ}})
		}
		return l.judged(nil)
	}
	return l.judged(validation.R4().Validate(res.JSON, validation.Options{}))
}

// A validationRequest is what $validate is asked.
type validationRequest struct {
	body     []byte
	syntax   error          // where the body is no JSON
	resource *fhirjson.Node // in body; nil for none
	mode     string         // create, update, delete, profile or ""
}

// readValidation reads the body, which is a resource or the operation's
// Parameters, and the parameters of the query.
func (l *call) readValidation(typ string) (*validationRequest, error) {
	asked := &validationRequest{}
	query, err := l.queryParams()
	if err != nil {
		return nil, err
	}
	for _, p := range query {
		if p.Name == "_format" || p.Name == "_pretty" {
			continue
		}
		if err := asked.set(typ, p.Name, p.Value); err != nil {
			return nil, err
		}
	}
	if asked.body, err = l.readBody(maxFHIRBody); err != nil || len(bytes.TrimSpace(asked.body)) == 0 {
		return asked, err
	}
	if err := l.sendsJSON(); err != nil {
		return nil, err
	}
	root, err := fhirjson.Parse(asked.body)
	switch {
	case err != nil:
		asked.syntax = err
	case isValidateCall(typ, root):
		return asked, asked.setParameters(typ, root)
	default:
		asked.resource = root
	}
	return asked, nil
}

// isValidateCall reports whether a body is the operation's Parameters: one with
// any of its parameters, or one that is sent where a resource of another type is
// due.
func isValidateCall(typ string, root *fhirjson.Node) bool {
	if root.Str("resourceType") != "Parameters" {
		return false
	}
	list := root.Get("parameter")
	for i := 0; list != nil && i < len(list.Items); i++ {
		switch list.Items[i].Str("name") {
		case "resource", "mode", "profile":
			return true
		}
	}
	return typ != "Parameters"
}

func (r *validationRequest) setParameters(typ string, root *fhirjson.Node) error {
	list := root.Get("parameter")
	if list != nil && list.Kind != fhirjson.Array {
		return notAList(list)
	}
	for i := 0; list != nil && i < len(list.Items); i++ {
		p := &list.Items[i]
		name := p.Str("name")
		if name == "resource" {
			if r.resource = p.Get("resource"); r.resource == nil {
				return badRequest("required", "the parameter resource has no resource")
			}
			continue
		}
		value := ""
		for _, member := range [...]string{"valueCode", "valueUri", "valueCanonical", "valueString"} {
			if v := p.Str(member); v != "" {
				value = v
			}
		}
		if err := r.set(typ, name, value); err != nil {
			return err
		}
	}
	return nil
}

// set takes a parameter by its name.
func (r *validationRequest) set(typ, name, value string) error {
	switch name {
	case "mode":
		switch value {
		case "create", "update", "delete", "profile":
			r.mode = value
			return nil
		}
		return badRequest("value", fmt.Sprintf("the mode is %q; it is create, update, delete or profile", value))
	case "profile":
		if url, _, _ := strings.Cut(value, "|"); url != "http://hl7.org/fhir/StructureDefinition/"+typ {
			return badRequest("not-supported", fmt.Sprintf("the profile %q is not known here: resources are judged by FHIR R4 itself, without profiles", value))
		}
		return nil
	}
	return badRequest("not-supported", fmt.Sprintf("$validate has no parameter %q; it has resource, mode and profile", name))
}

// judge returns what is wrong with what was sent to take the place of typ/id,
// or of any typ where id is "".
func (r *validationRequest) judge(typ, id string) []validation.Issue {
	if r.syntax != nil {
		return []validation.Issue{validation.SyntaxIssue(r.syntax)}
	}
	writes := r.mode == "create" || r.mode == "update"
	issues := validation.R4().Check(r.resource, r.body, validation.Options{Incoming: writes})
	got := r.resource.Str("resourceType")
	wrong := func(code, format string, args ...any) {
		issues = append(issues, validation.Issue{Severity: validation.Error, Code: code, Expression: got, Message: fmt.Sprintf(format, args...)})
	}
	own := r.resource.Str("id")
	switch {
	case got == "": // reported
	case got != typ:
		wrong("invalid", "the resource is a %s, but the URL names the type %s", got, typ)
	case id != "" && own != id:
		wrong("invalid", "the resource's id is %q, the URL's is %q; an update needs them to be the same", own, id)
	case id == "" && r.mode == "update" && own == "":
		wrong("required", "the resource has no id, which an update needs")
	}
	return issues
}

// judged answers with what a validation found; that much went well whatever it
// is.
func (l *call) judged(issues []validation.Issue) error {
	if len(issues) == 0 {
		issues = []validation.Issue{{Severity: validation.Information, Code: "informational", Message: "nothing is wrong with it by FHIR R4, profiles apart"}}
	}
	return l.send(fiber.StatusOK, fhirJSON, issuesOutcome(issues))
}
