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
	// MaxAssertion is how far ahead exp may be, before Skew.
	MaxAssertion time.Duration
	// MaxIssuedAge is how old iat may be, before Skew; 0 does not check it.
	MaxIssuedAge time.Duration
	// MaxJTI is the longest jti in bytes.
	MaxJTI int
	// Algorithms are the signature algorithms taken for assertions, a subset
	// of SupportedAlgorithms.
	Algorithms []string
	// Audiences are the values taken for aud besides the token URL.
	Audiences []Audience
	// OptionalTyp takes an assertion whose header has no typ.
	OptionalTyp bool
	// RequireIAT refuses an assertion without iat, as some payers do.
	RequireIAT bool
	// RequireUse refuses keys without "use":"sig", as some payers do.
	RequireUse bool
	// AllowReplay takes a jti again, as some payers do.
	AllowReplay bool

	// TokenLifetime is the life of access tokens where the client has none of
	// its own; MaxTokenLifetime caps both.
	TokenLifetime    time.Duration
	MaxTokenLifetime time.Duration
	// TokenType is the token_type of the answer: "bearer" or "Bearer".
	TokenType string
	// OmitScope leaves scope out of the answer.
	OmitScope bool
	// CaseSensitiveBearer takes only the spelling "Bearer" of the scheme.
	CaseSensitiveBearer bool

	// SecretsOffered allows client secrets; they are not SMART Backend
	// Services, and discovery lists them only when on.
	SecretsOffered bool
	// RawBasic compares the two halves of a Basic credential as sent, without
	// the form decoding of RFC 6749 section 2.3.1.
	RawBasic bool
	// JSONRequests takes token requests in JSON as well.
	JSONRequests bool

	// ScopeVersions are the scope syntaxes taken: 1, 2 or both.
	ScopeVersions []int
	// DefaultScopes grants everything registered to a request without scope.
	DefaultScopes bool
	// DropBadScopes passes over malformed scopes instead of refusing the
	// request.
	DropBadScopes bool

	// BareKeyArray takes an inline jwks that is a bare array of keys.
	BareKeyArray bool
	// RegistrationDefaults completes a registration that lacks
	// token_endpoint_auth_method or grant_types with those of backend services
	// instead of refusing it.
	RegistrationDefaults bool
}

// Audience is a kind of value for an assertion's aud.
type Audience string

// The kinds besides the token URL.
const (
	AudienceIssuer   Audience = "issuer"    // Addresses.Issuer
	AudienceFHIRBase Audience = "fhir-base" // Addresses.FHIRBase
	AudienceSlash    Audience = "slash"     // the token URL with or without a slash at its end
	AudienceScheme   Audience = "scheme"    // the token URL with http for https or the reverse
	AudienceAny      Audience = "any"       // aud is not looked at, not even for presence
)

// Strict returns the default behaviour: what the strictest payer checks.
func Strict() Behaviour {
	return Behaviour{
		Skew:             30 * time.Second,
		MaxAssertion:     300 * time.Second,
		MaxIssuedAge:     10 * time.Minute,
		MaxJTI:           255,
		Algorithms:       []string{"RS384", "ES384"},
		TokenLifetime:    300 * time.Second,
		MaxTokenLifetime: 300 * time.Second,
		TokenType:        "bearer",
		SecretsOffered:   true,
		ScopeVersions:    []int{1, 2},
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
	case b.MaxAssertion <= 0:
		return fmt.Errorf("authz: MaxAssertion must be positive, is %v", b.MaxAssertion)
	case b.MaxIssuedAge < 0:
		return fmt.Errorf("authz: MaxIssuedAge is negative: %v", b.MaxIssuedAge)
	case b.MaxJTI <= 0:
		return fmt.Errorf("authz: MaxJTI must be positive, is %d", b.MaxJTI)
	case b.TokenLifetime < time.Second:
		return fmt.Errorf("authz: TokenLifetime must be at least a second, is %v", b.TokenLifetime)
	case b.MaxTokenLifetime < time.Second:
		return fmt.Errorf("authz: MaxTokenLifetime must be at least a second, is %v", b.MaxTokenLifetime)
	case b.TokenType != "bearer" && b.TokenType != "Bearer":
		return fmt.Errorf("authz: TokenType must be bearer or Bearer, is %q", b.TokenType)
	case len(b.Algorithms) == 0:
		return fmt.Errorf("authz: Algorithms is empty")
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
		case AudienceIssuer, AudienceFHIRBase, AudienceSlash, AudienceScheme, AudienceAny:
		default:
			return fmt.Errorf("authz: Audiences names %q, which is no kind of audience", a)
		}
	}
	return nil
}

// clone returns a copy that shares no slice with b.
func (b Behaviour) clone() Behaviour {
	b.Algorithms = slices.Clone(b.Algorithms)
	b.Audiences = slices.Clone(b.Audiences)
	b.ScopeVersions = slices.Clone(b.ScopeVersions)
	return b
}

func (b Behaviour) takesAudience(a Audience) bool { return slices.Contains(b.Audiences, a) }

func (b Behaviour) takesScopeVersion(v int) bool { return slices.Contains(b.ScopeVersions, v) }
