package authz

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

// An Endpoint is where a form is posted.
type Endpoint uint8

// The endpoints.
const (
	TokenEndpoint Endpoint = iota
	IntrospectionEndpoint
	RevocationEndpoint
)

// A Mechanism is how the sender of a form proves who it is.
type Mechanism uint8

// The mechanisms.
const (
	ByAssertion   Mechanism = iota // a signed JWT: SMART Backend Services
	BySecret                       // client_secret, in the header or in the form
	ByAccessToken                  // a bearer token; at the introspection endpoint
)

// PartsOf returns the parts of the rules that a form walks, in order.
func PartsOf(endpoint Endpoint, mechanism Mechanism) []Part {
	parts := make([]Part, 0, 8)
	parts = append(parts, PartForm)
	if endpoint == TokenEndpoint {
		parts = append(parts, PartGrantType)
	}
	switch mechanism {
	case ByAssertion:
		parts = append(parts, PartAuthentication, PartAssertion, PartClient, PartClaims, PartKey)
	case BySecret:
		parts = append(parts, PartAuthentication, PartSecret, PartClient, PartSecretMatch)
	case ByAccessToken:
		parts = append(parts, PartCaller)
	}
	switch endpoint {
	case TokenEndpoint:
		parts = append(parts, PartScope)
	case IntrospectionEndpoint:
		parts = append(parts, PartToken)
	case RevocationEndpoint:
		parts = append(parts, PartToken, PartTokenOwner)
	}
	return parts
}
