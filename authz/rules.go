package authz

import "slices"

// Rule is a row of the table of rules: see the package comment.
type Rule struct {
	ID     RuleID
	Part   Part
	Rule   string // what must hold, in one line
	Clause string // document, section, step
	// Findings are the ways to break the rule, or to come near it, that have an
	// id of their own; the function Findings tells what they are.
	Findings []FindingID

	// remedy is what code helps where it is not that of the part.
	remedy RemedyKind
}

// Rules returns the table of rules in the order in which they are applied.
func Rules() []Rule {
	rows := make([]Rule, len(rules))
	for i, r := range rules {
		r.Findings = slices.Clone(r.Findings) // the table stays ours
		rows[i] = r
	}
	return rows
}

// RulesOf returns the rules that a kind of request walks, in order.
func RulesOf(parts ...Part) []Rule {
	var checklist []Rule
	for _, r := range Rules() {
		if slices.Contains(parts, r.Part) {
			checklist = append(checklist, r)
		}
	}
	return checklist
}

// ruleIndex is an index into rules.
type ruleIndex int

const (
	ruleDiscovery ruleIndex = iota
	ruleRegistrationOffered
	ruleMethod
	ruleContentType
	ruleParameters
	ruleQueryString
	ruleGrantTypePresent
	ruleGrantType
	ruleOneMechanism
	ruleCredential
	ruleThrottle
	ruleAssertionType
	ruleCompact
	ruleMembers
	ruleTyp
	ruleAlg
	ruleCrit
	ruleKid
	ruleIssuer
	ruleSubject
	ruleFormClient
	ruleSecretsOffered
	ruleSecretForm
	ruleSecretClient
	ruleStatus
	ruleClientMethod
	ruleAudience
	ruleExpiry
	ruleLifetime
	ruleNotBefore
	ruleIssuedAt
	ruleIssuedAhead
	ruleJTI
	ruleJKU
	ruleKeySet
	ruleKeyMatch
	ruleKeyUsable
	ruleSignature
	ruleReplay
	ruleSecretMatch
	ruleClientGrant
	ruleScopePresent
	ruleScopeSyntax
	ruleScopeGranted
	ruleBearerTransport
	ruleBearerPresent
	ruleBearerForm
	ruleTokenForm
	ruleTokenEnvironment
	ruleTokenSignature
	ruleTokenExpiry
	ruleTokenRevoked
	ruleTokenClient
	ruleTokenScope
	rulePolicy
	ruleOrganization
	ruleConstraint
	ruleCaller
	ruleTokenParameter
	ruleTokenOwner
	ruleInitialToken
	ruleManageToken
	ruleManageMethod
	ruleRegisterForm
	ruleRegisterJSON
	ruleManageBody
	ruleRegisterMethod
	ruleRegisterGrants
	ruleRegisterKeys
	ruleRegisterKeyURI
	ruleRegisterKeySet
	ruleRegisterScopes
	ruleRegisterLinks
	numRules
)
