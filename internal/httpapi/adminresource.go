package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/control"
	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/policy"
)

// The administration resources of Aidbox.
const (
	clientType = "Client"
	policyType = "AccessPolicy"
)

// readAdmin reads a resource that is put: a JSON object.
func (l *call) readAdmin() (map[string]json.RawMessage, []byte, error) {
	body, err := l.readBody(maxOAuthBody)
	if err != nil {
		return nil, nil, err
	}
	if _, err := fhirjson.Parse(body); err != nil { // no member twice, and nothing behind it
		return nil, nil, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return nil, nil, badRequest("structure", jsonProblem(err))
	}
	if members == nil { // the body is null
		return nil, nil, badRequest("structure", "the body has to be a JSON object")
	}
	if id := l.Params("id"); !adminID.MatchString(id) {
		return nil, nil, unprocessable("id", fmt.Sprintf("%q is no id of letters, digits, and ._~- in between, of at most 128 characters", id))
	}
	return members, body, nil
}

// adminID is what ids of administration resources look like: they stand in URLs.
var adminID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._~-]{0,127}$`)

// unprocessable refuses an administration resource for one of its elements.
func unprocessable(path, message string) error {
	return &httpError{status: fiber.StatusUnprocessableEntity, code: "invalid", message: path + ": " + message, fields: []fieldError{{Field: path, Message: message}}}
}

// stored answers with a version of an administration resource.
func (l *call) stored(status int, r *control.AdminResource) error {
	text, err := withMeta(r)
	if err != nil {
		return err
	}
	l.Set(fiber.HeaderETag, `W/"`+strconv.FormatInt(r.Version, 10)+`"`)
	return l.send(status, fiber.MIMEApplicationJSON, text)
}

// withMeta is the resource with its type, id and meta.
func withMeta(r *control.AdminResource) ([]byte, error) {
	members := map[string]any{}
	if err := json.Unmarshal(r.JSON, &members); err != nil {
		return nil, err
	}
	members["resourceType"], members["id"] = r.Type, r.ID
	members["meta"] = map[string]string{"versionId": strconv.FormatInt(r.Version, 10), "lastUpdated": fhirstore.FormatInstant(r.At)}
	return marshal(members)
}

// found answers with a Bundle of administration resources.
func (l *call) foundAdmins(kind string, list []json.RawMessage) error {
	b := adminBundle{Type: "Bundle", Kind: kind, Total: len(list), Entry: make([]adminEntry, len(list))}
	for i, r := range list {
		b.Entry[i].Resource = r
	}
	return l.json(fiber.StatusOK, b)
}

// An adminBundle is a Bundle of administration resources.
type adminBundle struct {
	Type  string       `json:"resourceType"`
	Kind  string       `json:"type"`
	Total int          `json:"total"`
	Entry []adminEntry `json:"entry"`
}

type adminEntry struct {
	Resource json.RawMessage `json:"resource"`
}

// adminHistory shows the versions of a Client or an AccessPolicy, the latest
// first; those of what was deleted too.
func adminHistory(typ string) func(*call) error {
	return func(l *call) error {
		versions, err := l.workspace.Control().AdminHistory(l.UserContext(), l.env.Name, typ, l.Params("id"))
		if err != nil {
			return err
		}
		if len(versions) == 0 {
			return notFound("nobody put %s/%s, so that it has no history", typ, l.Params("id"))
		}
		var list []json.RawMessage
		for i := range versions {
			r := versions[i]
			if r.JSON == nil {
				r.JSON = []byte(`{"status":"deleted"}`)
			}
			text, err := withMeta(&r)
			if err != nil {
				return err
			}
			list = append(list, text)
		}
		return l.foundAdmins("history", list)
	}
}

// putPolicy puts an AccessPolicy.
func (l *call) putPolicy() error {
	_, body, err := l.readAdmin()
	if err != nil {
		return err
	}
	id := l.Params("id")
	p, err := policy.Parse(id, body)
	var invalid *policy.InvalidError
	if errors.As(err, &invalid) {
		return unprocessable(invalid.Path, invalid.Message)
	}
	if err != nil {
		return err
	}
	if _, err := l.env.Auth.CheckScopes(p.Scopes); err != nil {
		return unprocessable("AccessPolicy.scopes", err.Error())
	}
	return l.putAdmin(policyType, id, body)
}

// putAdmin stores a version and answers with it.
func (l *call) putAdmin(typ, id string, body []byte) error {
	r, err := l.workspace.Control().PutAdmin(l.UserContext(), l.env.Name, typ, id, l.workspace.Clock.Now(), body)
	if err != nil {
		return err
	}
	status := fiber.StatusOK
	if r.Version == 1 {
		status = fiber.StatusCreated
	}
	return l.stored(status, r)
}

func (l *call) readPolicy() error {
	id := l.Params("id")
	r, err := l.workspace.Control().Admin(l.UserContext(), l.env.Name, policyType, id)
	if errors.Is(err, control.ErrNoResource) {
		derived, err := l.derivedPolicyOf(strings.TrimSuffix(id, "-scopes"))
		if err == nil && derived != nil && control.DerivedPolicy(strings.TrimSuffix(id, "-scopes")) == id {
			return l.send(fiber.StatusOK, fiber.MIMEApplicationJSON, derived)
		}
		if err != nil {
			return err
		}
		return notFound("there is no AccessPolicy/%s in %s", id, l.env.Name)
	}
	if err != nil {
		return err
	}
	return l.stored(fiber.StatusOK, r)
}

// derivedPolicyOf is the policy that a client's scopes make; nil where there is
// none: no such client, one that an administrator put, or it was withdrawn.
func (l *call) derivedPolicyOf(client string) ([]byte, error) {
	c, err := l.workspace.Control().Client(l.UserContext(), l.env.Name, client)
	if errors.Is(err, authz.ErrNoClient) || err == nil && c.Source == authz.SourceAdmin {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	policies, err := l.workspace.Control().Policies(l.UserContext(), l.env.Name)
	if err != nil || !policies.Derived(client) {
		return nil, err
	}
	return marshal(map[string]any{
		"resourceType": policyType, "id": control.DerivedPolicy(client), "engine": "scopes", "scopes": strings.Fields(c.Scopes.String()),
		"link":        []map[string]string{{"reference": clientType + "/" + client}},
		"description": "derived from the scopes of the client",
	})
}

// searchPolicies lists the policies; ?link=Client/x keeps those that link to a
// client.
func (l *call) searchPolicies() error {
	all, err := l.workspace.Control().Admins(l.UserContext(), l.env.Name, policyType)
	if err != nil {
		return err
	}
	client, linked := strings.CutPrefix(l.Query("link"), clientType+"/")
	if l.Query("link") != "" && !linked {
		return badRequest("value", "link has to be a client, such as link=Client/my-client")
	}
	list := []json.RawMessage{}
	for i := range all {
		if all[i].JSON == nil {
			continue
		}
		p, err := policy.Parse(all[i].ID, all[i].JSON)
		if err != nil || linked && !p.Names(client) {
			continue
		}
		text, err := withMeta(&all[i])
		if err != nil {
			return err
		}
		list = append(list, text)
	}
	derived := []string{client}
	if !linked {
		if derived, err = l.clientIDs(); err != nil {
			return err
		}
	}
	for _, id := range derived {
		text, err := l.derivedPolicyOf(id)
		if err != nil {
			return err
		}
		if text != nil {
			list = append(list, text)
		}
	}
	return l.foundAdmins("searchset", list)
}

// deletePolicy deletes an AccessPolicy, one that is derived as well: the client
// is refused then, until another one allows it.
func (l *call) deletePolicy() error {
	id := l.Params("id")
	_, err := l.workspace.Control().Admin(l.UserContext(), l.env.Name, policyType, id)
	if errors.Is(err, control.ErrNoResource) {
		client, isDerived := strings.CutSuffix(id, "-scopes")
		derived, err := l.derivedPolicyOf(client)
		if err != nil {
			return err
		}
		if !isDerived || derived == nil {
			return notFound("there is no AccessPolicy/%s in %s", id, l.env.Name)
		}
	} else if err != nil {
		return err
	}
	if _, err := l.workspace.Control().PutAdmin(l.UserContext(), l.env.Name, policyType, id, l.workspace.Clock.Now(), nil); err != nil {
		return err
	}
	return l.SendStatus(fiber.StatusNoContent)
}
