package authz

import "strings"

func (b Behaviour) wildcardExpanded(asked string, granted Scopes) outcome {
	return outcome{finding: "S10", got: asked, want: granted.String(),
		text: "Here system/*.read expands to " + plural(len(b.WildcardRead), "type") + ": " +
			list(b.WildcardRead) + ".",
		fix: "Ask for any other type by its name, such as system/ExplanationOfBenefit.read."}
}

// badScope explains a scope that cannot be taken; the remedy is the same list
// with that scope mended.
func (a *attempt) badScope(bad *ScopeError, words []string) outcome {
	o := bad.outcome()
	switch {
	case bad.Meant == "":
		o.remedy.Scope = a.client.Scopes.String()
	case bad.Finding == "S04":
		o.remedy.Scope = bad.Meant
	default:
		var mended []string
		for _, word := range words {
			if word == bad.Scope {
				word = bad.Meant
			}
			mended = append(mended, word)
		}
		o.remedy.Scope = strings.Join(mended, " ")
	}
	return o
}

func (a *attempt) nothingGranted(text string, dropped []string) outcome {
	o := outcome{finding: "S06", got: text, want: a.client.Scopes.String(),
		remedy: Remedy{Scope: a.client.Scopes.String()}}
	o.text = "Nothing of " + quote(text) + " is registered for client " + quote(a.client.ID) + ", which has " +
		orNothing(a.client.Scopes) + "."
	o.fix = "Ask for scopes that it has, or have its registration changed."
	if len(dropped) > 0 {
		o.text += " Not for backend services: " + list(dropped) + "."
	}
	return o
}

func orNothing(ss Scopes) string {
	if len(ss) == 0 {
		return "no scopes"
	}
	return clip(ss.String())
}

func (a *attempt) otherGrants() outcome {
	got := list(a.client.Grants)
	return outcome{got: got, want: GrantClientCredentials,
		text: "Client " + quote(a.client.ID) + " is registered for the grant types " + got +
			", not for client_credentials.",
		fix:    "Add client_credentials to grant_types of its registration.",
		remedy: Remedy{Kind: RemedyRegistration}}
}

func (a *attempt) supersetRefused(missing []string, granted Scopes) outcome {
	text, registered := a.form["scope"], a.client.Scopes
	return outcome{got: text, want: registered.String(),
		text: "Asked " + clip(text) + ", of which " + list(missing) + " is not registered. This server's " +
			"behaviour refuses a request for more than the registration holds, as some payers do; others " +
			"grant the part that is registered. Registered for client " + quote(a.client.ID) + ": " +
			clip(registered.String()) + ".",
		fix:    "Ask for what is registered, or have the client's registration changed.",
		remedy: Remedy{Scope: granted.String()}}
}

func (a *attempt) partGranted(missing []string, granted Scopes) outcome {
	text, registered := a.form["scope"], a.client.Scopes
	return outcome{finding: "S05", got: text, want: granted.String(),
		text: "Asked " + clip(text) + ", granted " + clip(granted.String()) + ". Missing: " + list(missing) +
			". Registered are " + clip(registered.String()) + ".",
		fix: "Read the scope of the answer: a server may narrow what is asked. To get more, have the " +
			"client's registration changed.",
		remedy: Remedy{Scope: granted.String()}}
}

func (a *attempt) noScope() outcome {
	registered := a.client.Scopes
	return outcome{finding: "S01", got: "no scope", want: registered.String(),
		text: "The request has no scope.",
		fix: "Name the scopes that you want, separated by spaces. Registered for client " +
			quote(a.client.ID) + ": " + orNothing(registered) + ".",
		remedy: Remedy{Scope: registered.String()}}
}

func (a *attempt) allScopes() outcome {
	o := a.noScope()
	o.text = "The request has no scope; this server's behaviour grants all that is registered. SMART requires scope."
	o.fix = "Name the scopes that you want, separated by spaces."
	return o
}
