package authz

import "slices"

// Part groups the rules that one kind of request walks.
type Part string

// The parts of the checklists, in order of appearance.
const (
	PartDiscovery      Part = "discovery"      // where documents and endpoints are
	PartForm           Part = "form"           // the shape of a POST with a form
	PartGrantType      Part = "grant-type"     // token endpoint only
	PartAuthentication Part = "authentication" // which proof the client offers
	PartAssertion      Part = "assertion"      // private_key_jwt: envelope and client
	PartSecret         Part = "secret"         // client secrets: envelope and client
	PartClient         Part = "client"         // what is registered about the client
	PartClaims         Part = "claims"         // private_key_jwt: audience, time, jti
	PartKey            Part = "key"            // private_key_jwt: key and signature
	PartSecretMatch    Part = "secret-match"   // client secrets: the comparison
	PartScope          Part = "scope"          // what is granted
	PartBearer         Part = "bearer"         // access tokens at the resource server
	PartAccess         Part = "access"         // what an access token opens there
	PartInitialToken   Part = "initial-token"  // RFC 7591: who may register
	PartManagement     Part = "management"     // RFC 7592: who may manage
	PartManagementBody Part = "update"         // RFC 7592: what an update carries
	PartRegistration   Part = "registration"   // RFC 7591: the metadata
	PartCaller         Part = "caller"         // introspection by an access token
	PartToken          Part = "token"          // the token to introspect or revoke
	PartTokenOwner     Part = "token-owner"    // whose token is to be revoked
)

// Rule is a row of the table of checks.
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

// Rules returns the table of checks in the order in which they are made.
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

// AssertionParts returns the parts of a token request that is authenticated
// by an assertion.
func AssertionParts() []Part {
	return []Part{PartForm, PartGrantType, PartAuthentication, PartAssertion, PartClient, PartClaims, PartKey, PartScope}
}

// SecretParts returns the parts of a token request that is authenticated by
// a client secret.
func SecretParts() []Part {
	return []Part{PartForm, PartGrantType, PartAuthentication, PartSecret, PartClient, PartSecretMatch, PartScope}
}

// IntrospectionParts returns the parts of an introspection request whose
// caller authenticates by an assertion.
func IntrospectionParts() []Part {
	return []Part{PartForm, PartAuthentication, PartAssertion, PartClient, PartClaims, PartKey, PartToken}
}

// RevocationParts returns the parts of a revocation request that is
// authenticated by an assertion.
func RevocationParts() []Part { return append(IntrospectionParts(), PartTokenOwner) }

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
