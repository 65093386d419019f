package behaviour

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/sandfhir/sandfhir/authz"
)

// Words that stand for lists of resource types in scope.wildcard.
const (
	allTypes = "all"
	usCore18 = "uscore18"
)

// usCore18Types are the types that Aidbox expands system/*.read to (its
// documentation, Considerations for testing with Inferno ONC, Expanding scope).
func usCore18Types() []string {
	return []string{
		"AllergyIntolerance", "CarePlan", "CareTeam", "Condition", "Device", "DiagnosticReport",
		"DocumentReference", "Encounter", "Goal", "Immunization", "Location", "MedicationRequest",
		"Observation", "Organization", "Patient", "Practitioner", "Procedure", "Provenance",
	}
}

// Table returns every switch, in the order of a request's way: assertion, keys,
// registration, secrets, token, scopes, use, exports.
func Table() []Switch {
	return slices.Concat(assertionSwitches(), keySwitches(), secretSwitches(), tokenSwitches(), scopeSwitches(), wireSwitches(), exportSwitches())
}

func assertionSwitches() []Switch {
	return []Switch{
		list("aud.accept", "what an assertion's aud may be: the token URL, the issuer, the FHIR base, the token URL but for a slash at its end or for http and https, or anything", ids("SB-JWT-12", "SB-JWT-13", "SB-DIF-01", "C03", "C04"),
			func(b *authz.Behaviour) *[]authz.Audience { return &b.Audiences },
			authz.AudienceToken, authz.AudienceIssuer, authz.AudienceFHIRBase, authz.AudienceSlash, authz.AudienceScheme, authz.AudienceAny),
		either("aud.array", "whether aud may be an array", ids("SB-JWT-12", "C06"), "allow", "deny", Stricter,
			func(b *authz.Behaviour) *bool { return &b.DenyAudienceArray }),
		duration("exp.max", "how far ahead exp may be, before clock.skew", ids("SB-JWT-15", "SB-DIF-02", "C09"), time.Second, false,
			func(b *authz.Behaviour) *time.Duration { return &b.MaxAssertion }),
		duration("clock.skew", "the tolerated difference between the client's clock and the server's, for exp, nbf and iat", ids("SB-JWT-22", "C08", "C10", "C12"), 0, false,
			func(b *authz.Behaviour) *time.Duration { return &b.Skew }),
		clockOffset(),
		not(flag("nbf.check", "whether nbf is looked at", ids("SB-JWT-16", "SB-ERR-13", "C12"), Milder,
			func(b *authz.Behaviour) *bool { return &b.IgnoreNBF })),
		not(flag("iat.check", "whether iat, where it is there, is looked at", ids("SB-JWT-17", "SB-ERR-13", "C12"), Milder,
			func(b *authz.Behaviour) *bool { return &b.IgnoreIAT })),
		flag("iat.require", "whether iat has to be there", ids("SB-JWT-17", "C13"), Stricter,
			func(b *authz.Behaviour) *bool { return &b.RequireIAT }),
		duration("iat.max_age", "how old iat may be, before clock.skew; 0s is any age", ids("SB-JWT-17"), 0, true,
			func(b *authz.Behaviour) *time.Duration { return &b.MaxIssuedAge }),
		issuedAhead(),
		number("jti.max_len", "the longest jti, in bytes", ids("SB-JWT-18", "C17"),
			func(b *authz.Behaviour) *int { return &b.MaxJTI }),
		either("jti.replay", "what happens to a jti that was used before", ids("SB-JWT-19", "C15", "C16"), "refuse", "allow", Milder,
			func(b *authz.Behaviour) *bool { return &b.AllowReplay }),
		not(flag("typ.require", "whether the header has to have a typ", ids("SB-JWT-02", "A07"), Milder,
			func(b *authz.Behaviour) *bool { return &b.OptionalTyp })),
		list("alg.allow", "the signature algorithms that are taken and advertised", ids("SB-JWT-04", "SB-JWT-05", "SB-DIF-04", "A08", "A09"),
			func(b *authz.Behaviour) *[]string { return &b.Algorithms }, authz.SupportedAlgorithms()...),
	}
}

// clockOffset is a duration that may be negative.
func clockOffset() Switch {
	return Switch{Name: "clock.offset", Kind: Duration, IDs: ids("C08", "C09", "C10", "C12"),
		Meaning: "how far the clock that judges exp, nbf and iat is ahead of real time, or behind with a minus: what a client meets whose own clock is behind, or ahead",
		get:     func(b switches) string { return writeDuration(b.ClockOffset) },
		set: func(b *switches, text string) error {
			d, err := time.ParseDuration(text)
			if err != nil || d.Abs() > maxOffset {
				return fmt.Errorf("%q is not a duration from -8760h to 8760h such as -2s or 90s", text)
			}
			b.ClockOffset = d
			return nil
		},
		effect: func(string, string) Effect { return Different },
	}
}

// maxOffset is a year.
const maxOffset = 365 * 24 * time.Hour

// issuedAhead is a duration that another one stands in for.
func issuedAhead() Switch {
	const follow = "clock.skew"
	s := duration("iat.max_future", "how far ahead iat and nbf may be: a duration, or as much as clock.skew says", ids("SB-JWT-16", "SB-JWT-17", "SB-ERR-13", "C12"), 0, false,
		func(b *authz.Behaviour) *time.Duration { return &b.MaxIssuedAhead })
	s.Values = []string{follow, "a duration"}
	get, set := s.get, s.set
	s.get = func(b switches) string {
		if b.MaxIssuedAhead == authz.FollowSkew {
			return follow
		}
		return get(b)
	}
	s.set = func(b *switches, text string) error {
		if text == follow {
			b.MaxIssuedAhead = authz.FollowSkew
			return nil
		}
		return set(b, text)
	}
	s.effect = func(value, _ string) Effect {
		d, _ := time.ParseDuration(value)
		return moreIsMilder(d > authz.Strict().Skew)
	}
	return s
}

// stricter is a duration that refuses the more the longer it is.
func stricter(s Switch) Switch {
	s.effect = func(string, string) Effect { return Stricter }
	return s
}

func keySwitches() []Switch {
	return []Switch{
		flag("jwks.require_use", `whether a key has to say "use":"sig"`, ids("SB-REG-09", "SB-DIF-07", "A21"), Stricter,
			func(b *authz.Behaviour) *bool { return &b.RequireUse }),
		choice("jwks.inline", `the form of a key set that is registered by value: the object {"keys":[…]}, a bare array, or both`, ids("SB-REG-04", "SB-DIF-06", "J04"),
			func(b *authz.Behaviour) *authz.InlineKeys { return &b.InlineKeys },
			map[authz.InlineKeys]Effect{authz.InlineArray: Different, authz.InlineBoth: Milder},
			authz.InlineObject, authz.InlineArray, authz.InlineBoth),
		either("jwks.sources", "whether a registration has one of jwks and jwks_uri, or may have both, whose keys then all count", ids("SB-REG-03"), "one", "both", Milder,
			func(b *authz.Behaviour) *bool { return &b.BothKeySources }),
		flag("jwks.require_https", "whether jwks_uri has to be https on this machine too", ids("SB-REG-10", "SB-DIF-15", "J08"), Stricter,
			func(b *authz.Behaviour) *bool { return &b.RequireKeyHTTPS }),
		stricter(duration("jwks.stale", "how long a fetched key set is kept by the server's clock, whatever its headers say and without a look for an unknown kid; 0s goes by the headers", ids("SB-KEY-03", "SB-KEY-06", "J05"), 0, false,
			func(b *authz.Behaviour) *time.Duration { return &b.StaleKeySets })),
		stricter(duration("registration.propagation_delay", "how long a new client is unknown, by the server's clock", ids("A03"), 0, false,
			func(b *authz.Behaviour) *time.Duration { return &b.PropagationDelay })),
		flag("registration.defaults", "whether a registration without token_endpoint_auth_method and grant_types gets those of backend services", ids("SB-DCR-04"), Milder,
			func(b *authz.Behaviour) *bool { return &b.RegistrationDefaults }),
	}
}

func secretSwitches() []Switch {
	return []Switch{
		flag("secret.offered", "whether client secrets are taken and advertised", ids("SB-SYM-03", "SB-DIF-08"), Stricter,
			func(b *authz.Behaviour) *bool { return &b.SecretsOffered }),
		duration("secret.expire_after", "how long a secret lives that is issued from now on; 0s is for ever", ids("K01"), 0, true,
			func(b *authz.Behaviour) *time.Duration { return &b.SecretLifetime }),
		duration("secret.grace", "how long the old secret works after a rotation", ids("SB-SYM-04", "L04"), 0, false,
			func(b *authz.Behaviour) *time.Duration { return &b.SecretGrace }),
		choice("basic.decode", "how a Basic credential is read: its halves form-decoded, as sent, or either", ids("SB-SYM-01", "K02"),
			func(b *authz.Behaviour) *authz.BasicDecode { return &b.BasicDecode },
			map[authz.BasicDecode]Effect{authz.BasicRaw: Different, authz.BasicBoth: Milder},
			authz.BasicForm, authz.BasicRaw, authz.BasicBoth),
		basicStatus(),
		failureLimit(),
	}
}

// failureLimit is a number of which 0 means none.
func failureLimit() Switch {
	s := number("failures.max", "how often a client may fail to authenticate within a minute from one address before it gets 429 with Retry-After; 0 is without limit", ids("SB-TOK-11"),
		func(b *authz.Behaviour) *int { return &b.FailureLimit })
	set := s.set
	s.set = func(b *switches, text string) error {
		if text == "0" {
			b.FailureLimit = 0
			return nil
		}
		return set(b, text)
	}
	s.effect = func(string, string) Effect { return Stricter }
	return s
}

// basicStatus is a choice over a number.
func basicStatus() Switch {
	words := []string{"401", "400"}
	return Switch{Name: "basic.status", Kind: Choice, Values: words, IDs: ids("SB-ERR-17", "SB-ERR-32", "SB-DIF-03"),
		Meaning: "the status of a wrong Basic credential: 401 with a challenge, or 400",
		get:     func(b switches) string { return strconv.Itoa(b.BasicStatus) },
		set: func(b *switches, text string) error {
			if err := oneOf(text, words); err != nil {
				return err
			}
			b.BasicStatus, _ = strconv.Atoi(text)
			return nil
		},
		effect: func(string, string) Effect { return Different },
	}
}

func tokenSwitches() []Switch {
	return []Switch{
		flag("token.accept_json", "whether token requests may be JSON", ids("SB-TOK-02", "SB-ERR-02", "D04"), Milder,
			func(b *authz.Behaviour) *bool { return &b.JSONRequests }),
		duration("token.ttl", "how long access tokens live where the client has no lifetime of its own, at most token.max_ttl", ids("SB-ISS-02", "T03"), time.Second, false,
			func(b *authz.Behaviour) *time.Duration { return &b.TokenLifetime }),
		duration("token.max_ttl", "the longest life of any access token", ids("SB-ISS-02", "SB-REG-19"), time.Second, false,
			func(b *authz.Behaviour) *time.Duration { return &b.MaxTokenLifetime }),
		choice("token.type", "the spelling of token_type in the answer", ids("SB-ISS-01", "SB-DIF-05"),
			func(b *authz.Behaviour) *string { return &b.TokenType }, map[string]Effect{"Bearer": Different}, "bearer", "Bearer"),
		flag("token.omit_scope", "whether the answer leaves scope out", ids("SB-NEG-02", "SB-DIF-05", "T09"), Different,
			func(b *authz.Behaviour) *bool { return &b.OmitScope }),
	}
}

func scopeSwitches() []Switch {
	return []Switch{
		scopeVersion(),
		either("scope.missing", "what a request without scope gets: refused, or all that is registered", ids("SB-ERR-22", "SB-DIF-12", "S01"), "refuse", "registered", Milder,
			func(b *authz.Behaviour) *bool { return &b.DefaultScopes }),
		either("scope.malformed", "what happens to a malformed scope: the request is refused, or the scope passed over", ids("SB-SCO-04", "SB-ERR-23", "S07"), "refuse", "drop", Milder,
			func(b *authz.Behaviour) *bool { return &b.DropBadScopes }),
		either("scope.superset", "what a request for more than is registered gets: the part that is, or a refusal", ids("SB-NEG-01", "S05"), "narrow", "refuse", Stricter,
			func(b *authz.Behaviour) *bool { return &b.RefuseSuperset }),
		scopeWildcard(),
	}
}

// scopeVersion is a choice over a list of numbers.
func scopeVersion() Switch {
	versions := map[string][]int{"v1": {1}, "v2": {2}, "both": {1, 2}}
	words := []string{"v1", "v2", "both"}
	return Switch{Name: "scope.version", Kind: Choice, Values: words, IDs: ids("SB-SCO-01", "SB-SCO-02", "SB-DIF-09", "S03"),
		Meaning: "the syntaxes of scopes that are taken and advertised: system/Patient.read (v1), system/Patient.rs (v2)",
		get: func(b switches) string {
			one, two := slices.Contains(b.ScopeVersions, 1), slices.Contains(b.ScopeVersions, 2)
			switch {
			case !two:
				return "v1"
			case !one:
				return "v2"
			}
			return "both"
		},
		set: func(b *switches, text string) error {
			if err := oneOf(text, words); err != nil {
				return err
			}
			b.ScopeVersions = versions[text]
			return nil
		},
		effect: func(string, string) Effect { return Stricter },
	}
}

func scopeWildcard() Switch {
	return Switch{Name: "scope.wildcard", Kind: List, Values: []string{allTypes, usCore18, "resource types"}, IDs: ids("S10"),
		Meaning: "what system/*.read in a request stands for: all types, the 18 types that Aidbox expands it to (uscore18), or the types listed",
		get: func(b switches) string {
			if len(b.WildcardRead) == 0 {
				return allTypes
			}
			return join(b.WildcardRead)
		},
		set: func(b *switches, text string) error {
			switch text {
			case allTypes:
				b.WildcardRead = nil
				return nil
			case usCore18:
				b.WildcardRead = usCore18Types()
				return nil
			}
			types, err := split[string](text, checkType)
			if err != nil {
				return err
			}
			slices.Sort(types)
			b.WildcardRead = types
			return nil
		},
		effect: func(string, string) Effect { return Stricter },
	}
}

func wireSwitches() []Switch {
	return []Switch{
		choice("export.missing_scope", "what an export does with a type that _type names and no scope covers: it is refused, it leaves the type out, or it leaves it out and says so in an error file", ids("SB-RS-07", "SB-RS-09", "S11"),
			func(b *authz.Behaviour) *authz.ExportMissing { return &b.ExportMissing },
			map[authz.ExportMissing]Effect{authz.ExportOmit: Milder, authz.ExportErrorEntry: Milder},
			authz.ExportDeny, authz.ExportOmit, authz.ExportErrorEntry),
		flag("files.scope_v1_only", "whether export files are given to scopes of the first version only (system/Patient.read)", ids("S12"), Stricter,
			func(b *authz.Behaviour) *bool { return &b.FilesV1Only }),
		flag("bearer.case_sensitive", "whether the scheme of Authorization has to be spelt Bearer", ids("SB-RS-01", "T02"), Stricter,
			func(b *authz.Behaviour) *bool { return &b.CaseSensitiveBearer }),
		flag("hide_reasons", "whether refusals say their code only, without description, link or challenge text; the exchange's page and the log keep the reason", ids("SB-TOK-10", "A01"), Different,
			func(b *authz.Behaviour) *bool { return &b.HideReasons }),
		hiddenDescription(),
	}
}

func hiddenDescription() Switch {
	return Switch{Name: "hide_reasons.description", Kind: Text, IDs: ids("SB-TOK-10", "A01"),
		Meaning: "the error_description that stands in all refusals while reasons are hidden; empty is none, null a JSON null",
		get:     func(b switches) string { return b.HiddenDescription },
		set: func(b *switches, text string) error {
			changed := *b
			changed.HiddenDescription = text
			if len(text) > 500 {
				return errors.New("the text is longer than 500 characters")
			}
			if changed.Validate() != nil {
				return fmt.Errorf("%q holds what no error_description may: anything but printable ASCII, quotation marks, backslashes, double spaces (RFC 6749 section 5.2)", text)
			}
			b.HiddenDescription = text
			return nil
		},
		effect: func(string, string) Effect { return Different },
	}
}

func ids(list ...string) []string { return list }
