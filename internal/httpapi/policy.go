package httpapi

import (
	"fmt"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/control"
	"github.com/sandfhir/sandfhir/internal/exchange"
	"github.com/sandfhir/sandfhir/internal/policy"
)

// checkPolicies refuses a request that no AccessPolicy allows the client, and
// narrows the access to what the policies say that do. A client whose derived
// policy stands is allowed what its scopes allow, so that nothing else has to be
// asked.
func (l *call) checkPolicies() error {
	policies, err := l.workspace.Control().Policies(l.UserContext(), l.env.Name)
	if err != nil {
		return err
	}
	if l.noPolicy {
		return l.access.NoPolicy(l.Method()+" "+l.path, verdict{}.String(), l.administration())
	}
	if !l.access.ByAdmin && policies.Derived(l.access.ClientID) {
		return nil
	}
	v := l.judge(policies.For(l.access.ClientID))
	switch {
	case v.by == "":
		return l.access.NoPolicy(l.Method()+" "+l.path, v.String(), l.administration())
	case v.scopes != nil:
		if l.access = l.access.Within(v.scopes); len(l.access.Scopes) == 0 {
			return l.access.NoPolicy(l.Method()+" "+l.path, v.String(), l.administration())
		}
	}
	l.exchange.Access = &exchange.Access{Scopes: l.access.Scopes.String(), Organization: l.access.Organization, Policy: v.by}
	l.exchange.Checks = append(l.exchange.Checks, l.access.ByPolicy(v.by))
	return nil
}

// administration is the URL below which the environment's policies stand.
func (l *call) administration() string {
	return strings.TrimSuffix(l.addressesOf(l.env.Name).FHIRBase, fhir)
}

// A verdict is what policies say to a request.
type verdict struct {
	by     string       // the id of the policy that allows it, or ""
	scopes authz.Scopes // to which the policies narrow it; nil: they do not
	asked  []judgement
}

// A judgement is what one policy says.
type judgement struct {
	ID     string `json:"id"`
	Engine string `json:"engine"`
	Result bool   `json:"result"`
}

// String lists the policies with their answers.
func (v verdict) String() string {
	if len(v.asked) == 0 {
		return "none, since there is none for the client"
	}
	var texts []string
	for _, j := range v.asked {
		texts = append(texts, fmt.Sprintf("%s (%s): %t", j.ID, j.Engine, j.Result))
	}
	return strings.Join(texts, ", ")
}

// judge asks policies in their order, until one allows the request whole. Those
// of the engine scopes allow it within their scopes, all together.
func (l *call) judge(policies []*policy.Policy) (v verdict) {
	request := l.policyRequest()
	for _, p := range policies {
		allows := p.Allows(request)
		v.asked = append(v.asked, judgement{p.ID, p.Engine, allows})
		if !allows {
			continue
		}
		if p.Engine != "scopes" {
			v.by, v.scopes = p.ID, nil
			return v
		}
		if scopes, err := authz.ParseScopes(p.Scopes); err == nil { // they were read when the policy was put
			v.scopes = append(v.scopes, scopes...)
		}
		if v.by == "" {
			v.by = p.ID
		}
	}
	return v
}

// policyRequest is the request as policies see it.
func (l *call) policyRequest() policy.Request {
	r := policy.Request{
		Method: l.Method(), URI: l.routed, Headers: map[string]string{}, Client: l.access.ClientID, Scopes: l.access.Scopes.String(),
		ResourceType: l.Params("type"), ResourceID: l.Params("id"), Params: map[string][]string{},
	}
	if l.organization != "" { // as the client has asked
		r.URI = "/Organization/" + l.organization + r.URI
	}
	params, _ := l.params() // as searches read them; what cannot be read is refused there
	for _, p := range params {
		r.Params[p.Name] = append(r.Params[p.Name], p.Value)
	}
	if l.bound == nil {
		l.Request().Header.VisitAll(func(name, value []byte) {
			if key := strings.ToLower(string(name)); key != "authorization" && key != "cookie" {
				r.Headers[key] = string(value)
			}
		})
	}
	return r
}

// A policyTrace answers whoever asks which policies would let the request
// through.
type policyTrace struct {
	Result   bool        `json:"result"`
	By       string      `json:"policy,omitempty"`
	Policies []judgement `json:"policies"`
	Scopes   string      `json:"scopes,omitempty"`
}

// wantsPolicyTrace reports whether the request asks for the policies instead of
// an answer, as Aidbox has it: x-debug: policy, or __debug=policy.
func (l *call) wantsPolicyTrace() bool {
	asks := l.Get("X-Debug") == "policy" || strings.Contains(l.query(), "__debug") && l.Query("__debug") == "policy"
	return asks && l.workspace.Behaviour().Name == "aidbox"
}

// tracePolicies answers with what each policy says, the derived one included.
func (l *call) tracePolicies() error {
	if err := l.holder(); err != nil {
		return err
	}
	policies, err := l.workspace.Control().Policies(l.UserContext(), l.env.Name)
	if err != nil {
		return err
	}
	v := l.judge(policies.For(l.access.ClientID))
	if !l.access.ByAdmin && policies.Derived(l.access.ClientID) {
		id := control.DerivedPolicy(l.access.ClientID)
		v.asked = append(v.asked, judgement{id, "scopes", true})
		if v.by == "" {
			v.by = id
		}
	}
	trace := policyTrace{Result: v.by != "", By: v.by, Policies: v.asked, Scopes: l.access.Scopes.String()}
	return l.json(fiber.StatusOK, trace)
}

// session tells of the access token that is presented, as Aidbox's Session does.
func (l *call) session() error {
	if err := l.holder(); err != nil {
		return err
	}
	return l.json(fiber.StatusOK, sessionView{
		Type: "Session", ID: l.access.TokenID, Active: true, Grant: "client_credentials",
		Client: sessionClient{clientType, l.access.ClientID}, Scope: strings.Fields(l.access.Scopes.String()),
		Expires: l.access.Expires.Unix(),
	})
}

// A sessionView is a Session as Aidbox has it.
type sessionView struct {
	Type    string        `json:"resourceType"`
	ID      string        `json:"id"`
	Active  bool          `json:"active"`
	Grant   string        `json:"type"`
	Client  sessionClient `json:"client"`
	Scope   []string      `json:"scope"`
	Expires int64         `json:"exp" jsonschema:"seconds since 1970"`
}

// A sessionClient refers to a Client as Aidbox does.
type sessionClient struct {
	Type string `json:"resourceType"`
	ID   string `json:"id"`
}

// closeSession ends the access token that is presented.
func (l *call) closeSession() error {
	if err := l.holder(); err != nil {
		return err
	}
	if err := l.workspace.Control().RevokeToken(l.UserContext(), l.env.Name, l.access.TokenID, l.access.Expires); err != nil {
		return err
	}
	return l.SendStatus(fiber.StatusNoContent)
}

// holder finds out whose token is presented, whatever policies say.
func (l *call) holder() error {
	decision := l.env.Auth.Authenticate(l.UserContext(), authz.BearerRequest{Authorization: l.authorizations(), Query: l.query(), Addresses: l.addresses})
	l.exchange.Checks, l.exchange.Client = decision.Checks, decision.ClientID
	if decision.Err != nil {
		return decision.Err
	}
	l.access = decision.Access
	return nil
}
