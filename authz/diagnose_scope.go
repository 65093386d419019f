package authz

import "strings"

func (b Behaviour) wildcardExpanded(asked string, granted Scopes) outcome {
	return outcome{finding: "S10", got: asked, want: granted.String(),
		text: "Here system/*.read expands to " + plural(len(b.WildcardRead), "type") + ": " + list(b.WildcardRead) + ".",
		fix:  "Ask for any other type by its name, such as system/ExplanationOfBenefit.read."}
}

// badScope is the outcome for a scope that cannot be taken; its remedy asks for
// the list with that scope mended.
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
	o := outcome{finding: "S06", got: text, want: a.client.Scopes.String(), remedy: Remedy{Scope: a.client.Scopes.String()}}
	o.text = "Nothing of " + quote(text) + " is registered for client " + quote(a.client.ID) + ", which has " + orNothing(a.client.Scopes) + "."
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
