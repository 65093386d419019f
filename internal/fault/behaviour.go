package fault

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/sandfhir/sandfhir/internal/behaviour"
)

// A setting is a switch of the behaviour at a value.
type setting struct{ name, value string }

// A switched fault puts a switch of the behaviour, by whose name it goes, at
// another value for the requests that meet it.
type switched struct {
	name  string
	value string // where none is written
	on    []Kind // the requests that the switch is about
	also  []Kind // those that show it; see Fault.Also
}

var (
	ofToken        = []Kind{Token}
	ofRegistration = []Kind{Registration}
	ofKickOff      = []Kind{KickOff}
	ofDiscovery    = []Kind{Discovery}
)

// switchedFaults has a row for every switch. It is never changed.
var switchedFaults = []switched{
	{"aud.accept", "issuer", ofToken, nil},
	{"aud.array", "deny", ofToken, nil},
	{"exp.max", "60s", ofToken, nil},
	{"clock.skew", "0s", ofToken, nil},
	{"clock.offset", "-2m", ofToken, nil},
	{"nbf.check", "false", ofToken, nil},
	{"iat.check", "false", ofToken, nil},
	{"iat.require", "true", ofToken, nil},
	{"iat.max_age", "60s", ofToken, nil},
	{"iat.max_future", "0s", ofToken, nil},
	{"jti.max_len", "36", ofToken, nil},
	{"jti.replay", "allow", ofToken, nil},
	{"typ.require", "false", ofToken, nil},
	{"alg.allow", "RS384", []Kind{Token, Registration}, ofDiscovery},
	{"jwks.require_use", "true", ofToken, nil},
	{"jwks.inline", "array", []Kind{Token, Registration}, nil},
	{"jwks.sources", "both", []Kind{Token, Registration}, nil},
	{"jwks.require_https", "true", []Kind{Token, Registration}, nil},
	{"jwks.stale", "1h", ofToken, nil},
	{"registration.propagation_delay", "48h", ofToken, nil},
	{"registration.defaults", "true", ofRegistration, nil},
	{"secret.offered", "false", []Kind{Token, Registration}, ofDiscovery},
	{"secret.expire_after", "2160h", ofRegistration, nil},
	{"secret.grace", "1h", ofRegistration, nil},
	{"basic.decode", "raw", ofToken, nil},
	{"basic.status", "400", ofToken, nil},
	{"failures.max", "5", ofToken, nil},
	{"token.accept_json", "true", ofToken, nil},
	{"token.ttl", "60s", ofToken, nil},
	{"token.max_ttl", "60s", ofToken, nil},
	{"token.type", "Bearer", ofToken, nil},
	{"token.omit_scope", "true", ofToken, nil},
	{"scope.version", "v1", ofToken, ofDiscovery},
	{"scope.missing", "registered", ofToken, nil},
	{"scope.malformed", "drop", ofToken, nil},
	{"scope.superset", "refuse", ofToken, nil},
	{"scope.wildcard", "uscore18", ofToken, nil},
	{"export.missing_scope", "omit", ofKickOff, nil},
	{"files.scope_v1_only", "true", []Kind{File}, nil},
	{"bearer.case_sensitive", "true", []Kind{FHIR}, nil},
	{"hide_reasons", "true", []Kind{Token, FHIR}, nil},
	{"hide_reasons.description", "authentication failed", []Kind{Token, FHIR}, nil},
	{"export.version", "4.0.0-ballot", ofKickOff, nil},
	{"export.strict_prefer", "true", ofKickOff, nil},
	{"export.strict_accept", "true", ofKickOff, nil},
	{"export.unsupported", "_typeFilter", ofKickOff, nil},
	{"export.outputformat_strict", "true", ofKickOff, nil},
	{"export.gzip", "true", ofKickOff, nil},
	{"export.separate_status", "false", ofKickOff, nil},
	{"export.group_scope", "false", []Kind{Group}, nil},
	{"export.group_since", "delta", []Kind{Group}, nil},
	{"export.max_concurrent", "1", ofKickOff, nil},
	{"export.dump", "true", []Kind{Dump}, nil},
	{"poll.early", "refuse", []Kind{Status}, nil},
	{"poll.ban_after", "3", []Kind{Status}, nil},
	{"job.ttl", "1h", ofKickOff, nil},
	{"manifest.page", "1", ofKickOff, nil},
	{"files.token", "false", ofKickOff, nil},
	{"files.redirect", "true", ofKickOff, nil},
	{"files.ttl", "60s", ofKickOff, nil},
	{"files.max_rows", "10", ofKickOff, nil},
	{"files.max_bytes", "100000", ofKickOff, nil},
}

// otherNames are further names of faults, with the value that one stands for; ""
// is the fault's default.
var otherNames = map[string]struct{ id, value string }{
	"aud.policy":             {"aud.accept", ""},
	"aud.strict_slash":       {"aud.accept", "token"},
	"require":                {"iat.require", ""},
	"ig":                     {"export.version", ""},
	"files.max_lines":        {"files.max_rows", ""},
	"files.gzip_mislabelled": {"files.gzip", "mislabelled"},
}

// otherValues are further words for values, by fault.
var otherValues = map[string]map[string]string{
	"aud.accept":     {"fhirbase": "fhir-base"},
	"iat.require":    {"iat": "true"},
	"scope.missing":  {"deny": "refuse", "default": "registered"},
	"files.redirect": {"307": "true"},
}

// rules are the faults of the behaviour's switches.
var rules = sync.OnceValue(func() (list []Fault) {
	for _, s := range behaviour.Table() {
		i := slices.IndexFunc(switchedFaults, func(f switched) bool { return f.name == s.Name })
		if i < 0 {
			panic("fault: there is no row for the switch " + s.Name) // a test reads them
		}
		f := switchedFaults[i]
		list = append(list, Fault{
			ID: s.Name, Does: s.Meaning, Rows: rowsOf(s.IDs), On: f.on, Also: f.also, At: Rules,
			Params: []Param{{"value", f.value, takes(&s), func(text string) error { return takesAll(settingsOf(s.Name, text)) }}},
			set:    func(value string) []setting { return settingsOf(s.Name, value) },
		})
	}
	return append(list, Fault{
		ID: "opaque", Does: "refusals say their code and nothing else", Rows: "A01", On: []Kind{Token, FHIR}, At: Rules,
		Params: []Param{{"like", "plain", "plain: without error_description; epic: error_description is null", oneOf("plain", "epic")}},
		set: func(value string) []setting {
			return []setting{{"hide_reasons", "true"}, {"hide_reasons.description", map[string]string{"epic": "null"}[value]}}
		},
	})
})

// settingsOf are the switches that a value of a fault stands for: the one by whose
// name the fault goes. A tolerance below zero is none, and a clock that is behind.
func settingsOf(name, value string) []setting {
	if name == "clock.skew" && strings.HasPrefix(value, "-") {
		return []setting{{name, "0s"}, {"clock.offset", value}}
	}
	return []setting{{name, value}}
}

// takesAll returns what is wrong with one of some settings.
func takesAll(settings []setting) error {
	for _, s := range settings {
		if _, err := behaviour.Strict().With(s.name, s.value, ""); err != nil {
			return errors.New(strings.TrimPrefix(err.Error(), s.name+": "))
		}
	}
	return nil
}

// takes says what a switch takes.
func takes(s *behaviour.Switch) string {
	if len(s.Values) > 0 && len(s.Values) < 10 {
		return string(s.Kind) + ": " + strings.Join(s.Values, ", ")
	}
	return string(s.Kind)
}

var row = regexp.MustCompile(`^[A-Z][0-9]{2}$`)

// rowsOf are the rows of the catalogue among ids.
func rowsOf(ids []string) string {
	return strings.Join(slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !row.MatchString(id) }), " ")
}
