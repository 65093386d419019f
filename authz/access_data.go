package authz

// OfOrganization is the 403 of a resource that belongs to an organization which
// the client may not reach. It names no scope: none would help (SB-RS-05).
func (a *Access) OfOrganization(resource, owner string) *Error {
	l := new(checklist)
	owner, own := "Organization/"+clip(owner), "Organization/"+clip(a.Organization)
	if a.ByURL {
		return l.refusal(403, "", ruleOrganization, outcome{finding: "S13", got: owner, want: own + " or one below it",
			text: clip(resource) + " belongs to " + owner + "; the URL is that of " + own + " (not a parent).",
			fix:  "Ask below the URL of " + owner + ", or of one above it."})
	}
	return l.refusal(403, "", ruleOrganization, outcome{finding: "S13", got: owner, want: own + " or one below it",
		text: clip(resource) + " belongs to " + owner + "; client is bound to " + own + " (not a parent).",
		fix: "Ask for data of " + own + ", or have the client registered for " + owner +
			": another scope does not help."})
}

// OfNobody is the 403 of a change of a resource that all organizations share, and
// of a Group that is nobody's, which names the patients of others.
func (a *Access) OfNobody(resource string) *Error {
	l := new(checklist)
	own := "Organization/" + clip(a.Organization)
	bound := "the client is bound to " + own
	if a.ByURL {
		bound = "the URL is that of " + own
	}
	return l.refusal(403, "", ruleOrganization, outcome{finding: "S13", got: "no organization", want: own + " or one below it",
		text: clip(resource) + " belongs to no organization; " + bound + ", which does not change what all share, nor see Groups that list the patients of others.",
		fix:  "Use what belongs to " + own + ", or a client that is bound to none."})
}

// OutsideConstraint is the 403 of an interaction with something that no
// constraint of the token's scopes admits. what says so, as the beginning of
// a sentence; letters are what the interaction needs on the type.
func (a *Access) OutsideConstraint(what, typ string, letters Letters) *Error {
	l := new(checklist)
	var constraints []string
	for _, q := range a.Allows(typ, letters).Constraints {
		constraints = append(constraints, q.String())
	}
	wanted := a.wouldDo(Need{Type: typ, Letters: letters})
	o := outcome{got: what, want: typ + "?" + either(constraints),
		text: what + ": the token's scopes allow " + letters.String() + " on " + typ + " only where " +
			clip(either(constraints)) + ".",
		fix: "Ask for " + wanted.String() + ", which the client's registration must hold as well, if the " +
			"client is to reach more."}
	o.remedy.Scope = wanted.String()
	return l.refusal(403, "", ruleConstraint, o)
}

// NoPolicy is the 403 of a request that no AccessPolicy allows the client.
// request is its method and path, evaluated lists the policies that were asked,
// each with its answer, and administration is the URL below which they stand.
func (a *Access) NoPolicy(request, evaluated, administration string) *Error {
	l := new(checklist)
	o := outcome{finding: "S09", got: evaluated, want: "a policy that says true",
		text: "Token valid, scope ok; no AccessPolicy allows client " + quote(a.ClientID) + " " + clip(request) +
			". Evaluated: " + clip(evaluated) + ".",
		fix: "Put a policy that links to the client, for instance one with the engine allow: PUT " + administration +
			"/AccessPolicy/{id}. A token alone opens nothing."}
	return l.refusal(403, "", rulePolicy, o)
}

// ByPolicy is the check of a request that the AccessPolicy with this id allows.
func (a *Access) ByPolicy(id string) Check {
	l := new(checklist)
	l.pass(rulePolicy, "AccessPolicy/"+id)
	return l.check(rulePolicy)
}

// Within returns what is left of the access within some scopes.
func (a *Access) Within(scopes Scopes) *Access {
	narrowed := *a
	narrowed.Scopes = negotiate(a.Scopes, scopes)
	return &narrowed
}
