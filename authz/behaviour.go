package authz

import (
	"fmt"
	"slices"
	"time"
)

// Behaviour is the set of switches that the rules run under. Strict returns
// the default; a lenient switch is never on unless somebody turned it on.
type Behaviour struct {
	// Skew is the tolerated difference between the client's clock and ours, on
	// both ends of exp and for nbf and iat.
	Skew time.Duration
	// ClockOffset is how far the clock that judges exp, nbf and iat is ahead of
	// real time, or behind where it is negative: the rehearsal of a client whose
	// clock is wrong.
	ClockOffset time.Duration
	// MaxAssertion is how far ahead exp may be, before Skew.
	MaxAssertion time.Duration
	// IgnoreNBF and IgnoreIAT accept any nbf and iat.
	IgnoreNBF, IgnoreIAT bool
	// RequireIAT refuses an assertion without iat, as some payers do.
	RequireIAT bool
	// MaxIssuedAge is how old iat may be, before Skew; 0 does not check it.
	MaxIssuedAge time.Duration
	// MaxIssuedAhead is how far ahead iat and nbf may be, FollowSkew as far as
	// Skew.
	MaxIssuedAhead time.Duration
	// MaxJTI is the longest jti in bytes.
	MaxJTI int
	// AllowReplay takes a jti again, as some payers do.
	AllowReplay bool
	// OptionalTyp takes an assertion whose header has no typ.
	OptionalTyp bool
	// Algorithms are the signature algorithms taken for assertions, a subset
	// of SupportedAlgorithms.
	Algorithms []string
	// Audiences are the values taken for aud.
	Audiences []Audience
	// DenyAudienceArray takes aud as one string only, as some payers do.
	DenyAudienceArray bool

	// RequireUse refuses keys without "use":"sig", as some payers do.
	RequireUse bool
	// InlineKeys is the form in which a key set is registered by value.
	InlineKeys InlineKeys
	// BothKeySources takes jwks and jwks_uri in one registration and the union
	// of their keys.
	BothKeySources bool
	// RequireKeyHTTPS takes no jwks_uri by plain http, not even one on this
	// machine.
	RequireKeyHTTPS bool

	// StaleKeySets keeps a fetched key set for that long by the workspace's
	// clock, whatever its headers say, and does not fetch it again for an
	// unknown kid, as some servers do; 0 goes by the headers.
	StaleKeySets time.Duration

	// PropagationDelay is how long a new client is unknown by the workspace's
	// clock, as with vendors whose registrations take time to spread.
	PropagationDelay time.Duration
	// RegistrationDefaults completes a registration that lacks
	// token_endpoint_auth_method or grant_types with those of backend services
	// instead of refusing it.
	RegistrationDefaults bool

	// SecretsOffered allows client secrets; they are not SMART Backend
	// Services, and discovery lists them only when on.
	SecretsOffered bool
	// SecretLifetime is the life of secrets issued from now on; 0 has no end.
	SecretLifetime time.Duration
	// SecretGrace is how long the old secret works after a rotation.
	SecretGrace time.Duration
	// BasicDecode is how the two halves of a Basic credential are read.
	BasicDecode BasicDecode
	// BasicStatus is the HTTP status of a wrong Basic credential: 401 with a
	// challenge, or 400.
	BasicStatus int

	// JSONRequests takes token requests in JSON as well.
	JSONRequests bool
	// FailureLimit is how often a client may fail to authenticate within a
	// minute from one address before it is refused with 429; 0 is without limit.
	FailureLimit int

	// TokenLifetime is the life of access tokens where the client has none of
	// its own; MaxTokenLifetime caps both.
	TokenLifetime    time.Duration
	MaxTokenLifetime time.Duration
	// TokenType is the token_type of the answer: "bearer" or "Bearer".
	TokenType string
	// OmitScope leaves scope out of the answer.
	OmitScope bool

	// ScopeVersions are the scope syntaxes taken: 1, 2 or both.
	ScopeVersions []int
	// DefaultScopes grants everything registered to a request without scope.
	DefaultScopes bool
	// DropBadScopes passes over malformed scopes instead of refusing the
	// request.
	DropBadScopes bool
	// RefuseSuperset refuses a request for more than is registered instead of
	// granting the part that is.
	RefuseSuperset bool
	// WildcardRead are the resource types that system/*.read stands for in a
	// request; empty means all.
	WildcardRead []string

	// ExportMissing is what becomes of a type that an export's _type names and
	// that no scope covers.
	ExportMissing ExportMissing
	// FilesV1Only gives export files to v1 scopes only, as a server does that
	// does not take system/Patient.rs for system/Patient.read there.
	FilesV1Only bool

	// CaseSensitiveBearer takes only the spelling "Bearer" of the scheme.
	CaseSensitiveBearer bool

	// HideReasons keeps the reason of a refusal off the wire: neither
	// description nor link, only the OAuth error code. The decision still has
	// it. HiddenDescription then is the fixed error_description; "" sends none,
	// NullDescription a JSON null.
	HideReasons       bool
	HiddenDescription string
}

// FollowSkew as Behaviour.MaxIssuedAhead stands for Behaviour.Skew.
const FollowSkew time.Duration = -1

// NullDescription stands for an error_description of null.
const NullDescription = "null"

// Audience is a kind of value for an assertion's aud.
type Audience string

// The kinds.
const (
	AudienceToken    Audience = "token"     // Addresses.TokenURL
	AudienceIssuer   Audience = "issuer"    // Addresses.Issuer
	AudienceFHIRBase Audience = "fhir-base" // Addresses.FHIRBase
	AudienceSlash    Audience = "slash"     // the token URL with or without a slash at its end
	AudienceScheme   Audience = "scheme"    // the token URL with http for https or the reverse
	AudienceAny      Audience = "any"       // aud is not looked at, not even for presence
)

// InlineKeys is a form of a key set that is registered by value.
type InlineKeys string

// The forms.
const (
	InlineObject InlineKeys = "object" // a JWK Set, {"keys":[…]} (RFC 7517 section 5)
	InlineArray  InlineKeys = "array"  // a bare array of keys, as Aidbox's Client has it
	InlineBoth   InlineKeys = "both"
)

// ExportMissing is a way to deal with types of an export that no scope covers.
type ExportMissing string

// The ways.
const (
	// ExportDeny refuses the kick-off (SMART App Launch 2.2, backend-services,
	// Enforce Authorization).
	ExportDeny       ExportMissing = "deny"
	ExportOmit       ExportMissing = "omit"        // the export has the other types, and says nothing
	ExportErrorEntry ExportMissing = "error_entry" // the export has the other types, and an OperationOutcome
)

// BasicDecode is a way to read a Basic credential.
type BasicDecode string

// The ways.
const (
	BasicForm BasicDecode = "form" // form-decoded (RFC 6749 section 2.3.1)
	BasicRaw  BasicDecode = "raw"  // as sent
	BasicBoth BasicDecode = "both" // the first of the two that matches
)

// Strict returns the default behaviour: what the strictest payer checks.
func Strict() Behaviour {
	return Behaviour{
		Skew:             30 * time.Second,
		MaxAssertion:     300 * time.Second,
		MaxIssuedAge:     10 * time.Minute,
		MaxIssuedAhead:   FollowSkew,
		MaxJTI:           255,
		Algorithms:       []string{"RS384", "ES384"},
		Audiences:        []Audience{AudienceToken},
		InlineKeys:       InlineObject,
		SecretsOffered:   true,
		BasicDecode:      BasicForm,
		BasicStatus:      401,
		TokenLifetime:    300 * time.Second,
		MaxTokenLifetime: 300 * time.Second,
		TokenType:        "bearer",
		ScopeVersions:    []int{1, 2},
		ExportMissing:    ExportDeny,
	}
}

// SupportedAlgorithms returns the algorithms that Behaviour.Algorithms may
// name.
func SupportedAlgorithms() []string {
	return []string{"RS384", "ES384", "RS256", "RS512", "PS256", "PS384", "PS512", "ES256", "ES512"}
}

// Validate returns an error that names the first switch that makes no sense.
func (b Behaviour) Validate() error {
	switch {
	case b.Skew < 0:
		return fmt.Errorf("authz: Skew is negative: %v", b.Skew)
	case b.FailureLimit < 0:
		return fmt.Errorf("authz: FailureLimit is negative: %d", b.FailureLimit)
	case b.MaxAssertion <= 0:
		return fmt.Errorf("authz: MaxAssertion must be positive, is %v", b.MaxAssertion)
	case b.MaxIssuedAge < 0:
		return fmt.Errorf("authz: MaxIssuedAge is negative: %v", b.MaxIssuedAge)
	case b.MaxIssuedAhead < 0 && b.MaxIssuedAhead != FollowSkew:
		return fmt.Errorf("authz: MaxIssuedAhead is negative: %v", b.MaxIssuedAhead)
	case b.StaleKeySets < 0:
		return fmt.Errorf("authz: StaleKeySets is negative: %v", b.StaleKeySets)
	case b.PropagationDelay < 0:
		return fmt.Errorf("authz: PropagationDelay is negative: %v", b.PropagationDelay)
	case b.MaxJTI <= 0:
		return fmt.Errorf("authz: MaxJTI must be positive, is %d", b.MaxJTI)
	case b.InlineKeys != InlineObject && b.InlineKeys != InlineArray && b.InlineKeys != InlineBoth:
		return fmt.Errorf("authz: InlineKeys must be object, array or both, is %q", b.InlineKeys)
	case b.SecretLifetime < 0:
		return fmt.Errorf("authz: SecretLifetime is negative: %v", b.SecretLifetime)
	case b.SecretGrace < 0:
		return fmt.Errorf("authz: SecretGrace is negative: %v", b.SecretGrace)
	case b.BasicDecode != BasicForm && b.BasicDecode != BasicRaw && b.BasicDecode != BasicBoth:
		return fmt.Errorf("authz: BasicDecode must be form, raw or both, is %q", b.BasicDecode)
	case b.BasicStatus != 400 && b.BasicStatus != 401:
		return fmt.Errorf("authz: BasicStatus must be 400 or 401, is %d", b.BasicStatus)
	case b.TokenLifetime < time.Second:
		return fmt.Errorf("authz: TokenLifetime must be at least a second, is %v", b.TokenLifetime)
	case b.MaxTokenLifetime < time.Second:
		return fmt.Errorf("authz: MaxTokenLifetime must be at least a second, is %v", b.MaxTokenLifetime)
	case b.TokenType != "bearer" && b.TokenType != "Bearer":
		return fmt.Errorf("authz: TokenType must be bearer or Bearer, is %q", b.TokenType)
	case b.ExportMissing != ExportDeny && b.ExportMissing != ExportOmit && b.ExportMissing != ExportErrorEntry:
		return fmt.Errorf("authz: ExportMissing must be deny, omit or error_entry, is %q", b.ExportMissing)
	case b.HiddenDescription != asciiDescription(b.HiddenDescription):
		return fmt.Errorf("authz: HiddenDescription holds what no error_description may (RFC 6749 section "+
			"5.2): %q", b.HiddenDescription)
	}
	return b.validateLists()
}

func (b Behaviour) validateLists() error {
	switch {
	case len(b.Algorithms) == 0:
		return fmt.Errorf("authz: Algorithms is empty")
	case len(b.Audiences) == 0:
		return fmt.Errorf("authz: Audiences is empty")
	case len(b.ScopeVersions) == 0:
		return fmt.Errorf("authz: ScopeVersions is empty")
	}
	for _, alg := range b.Algorithms {
		if !slices.Contains(SupportedAlgorithms(), alg) {
			return fmt.Errorf("authz: Algorithms names %q, which is none of %v", alg, SupportedAlgorithms())
		}
	}
	for _, v := range b.ScopeVersions {
		if v != 1 && v != 2 {
			return fmt.Errorf("authz: ScopeVersions names %d, which is neither 1 nor 2", v)
		}
	}
	for _, a := range b.Audiences {
		switch a {
		case AudienceToken, AudienceIssuer, AudienceFHIRBase, AudienceSlash, AudienceScheme, AudienceAny:
		default:
			return fmt.Errorf("authz: Audiences names %q, which is no kind of audience", a)
		}
	}
	for _, typ := range b.WildcardRead {
		if typ == AnyType || scopeTypeSyntax(typ, typ) != nil || typ == "" {
			return fmt.Errorf("authz: WildcardRead names %q, which is no resource type", typ)
		}
	}
	return nil
}

// clone returns a copy that shares no slice with b.
func (b Behaviour) clone() Behaviour {
	b.Algorithms = slices.Clone(b.Algorithms)
	b.Audiences = slices.Clone(b.Audiences)
	b.ScopeVersions = slices.Clone(b.ScopeVersions)
	b.WildcardRead = slices.Clone(b.WildcardRead)
	return b
}

// issuedAhead is how far ahead iat and nbf may be.
func (b Behaviour) issuedAhead() time.Duration {
	if b.MaxIssuedAhead == FollowSkew {
		return b.Skew
	}
	return b.MaxIssuedAhead
}

func (b Behaviour) takesAudience(a Audience) bool { return slices.Contains(b.Audiences, a) }

func (b Behaviour) takesScopeVersion(v int) bool { return slices.Contains(b.ScopeVersions, v) }

// takesBareArrays reports whether a set that was registered as a bare array
// can be used. One that was registered as an object always can.
func (b Behaviour) takesBareArrays() bool { return b.InlineKeys != InlineObject }
