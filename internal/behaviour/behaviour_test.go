package behaviour_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/behaviour"
	"github.com/sandfhir/sandfhir/internal/bulk"
)

// strict is a file like any other, and says what authz defaults to.
func TestStrictIsTheDefault(t *testing.T) {
	t.Parallel()
	strict := behaviour.Strict()
	if !reflect.DeepEqual(strict.Authz(), authz.Strict()) {
		t.Errorf("strict.json gives %+v, authz.Strict %+v", strict.Authz(), authz.Strict())
	}
	if !reflect.DeepEqual(strict.Exports(), bulk.Strict()) {
		t.Errorf("strict.json gives %+v, bulk.Strict %+v", strict.Exports(), bulk.Strict())
	}
	for _, s := range strict.Settings() {
		if s.Source == "" {
			t.Errorf("strict.json does not say where %s is from", s.Name)
		}
		if s.Effect != behaviour.Same || s.Value != s.Strict {
			t.Errorf("%s: %q differs from itself, %q", s.Name, s.Value, s.Strict)
		}
	}
	if got := strict.String(); got != "strict" {
		t.Errorf("got %q", got)
	}
}

// others are a value of each switch that strict has not, what it is compared
// with strict, and the texts that mean the same.
func others() map[string]struct {
	value  string
	effect behaviour.Effect
	also   []string
	wrong  []string
} {
	type other = struct {
		value  string
		effect behaviour.Effect
		also   []string
		wrong  []string
	}
	return map[string]other{
		"aud.accept":                     {"any", behaviour.Milder, nil, []string{"", "tokens", "token token", "token,,tokn"}},
		"aud.array":                      {"deny", behaviour.Stricter, nil, []string{"", "Deny", "true"}},
		"exp.max":                        {"600s", behaviour.Milder, []string{"10m", "10m0s"}, []string{"", "600", "0s", "-5m", "ten minutes", "9000000h"}},
		"clock.skew":                     {"0s", behaviour.Stricter, []string{"0"}, []string{"-1s", "30"}},
		"clock.offset":                   {"-2s", behaviour.Different, []string{"-2000ms"}, []string{"2", "slow", "9000h"}},
		"nbf.check":                      {"false", behaviour.Milder, nil, []string{"", "no", "False"}},
		"iat.check":                      {"false", behaviour.Milder, nil, []string{"0"}},
		"iat.require":                    {"true", behaviour.Stricter, nil, []string{"yes"}},
		"iat.max_age":                    {"0s", behaviour.Milder, nil, []string{"-1s"}},
		"iat.max_future":                 {"0s", behaviour.Stricter, []string{"0"}, []string{"-1s", "skew", "10"}},
		"jwks.stale":                     {"1h", behaviour.Stricter, []string{"60m"}, []string{"-1h", "an hour"}},
		"registration.propagation_delay": {"48h", behaviour.Stricter, []string{"48h0m0s"}, []string{"-1h", "2d"}},
		"export.missing_scope":           {"omit", behaviour.Milder, nil, []string{"allow", "error-entry"}},
		"files.scope_v1_only":            {"true", behaviour.Stricter, nil, []string{"v1"}},
		"jti.max_len":                    {"64", behaviour.Stricter, nil, []string{"0", "-1", "1.5", "many", "99999999999999999999"}},
		"jti.replay":                     {"allow", behaviour.Milder, nil, []string{"allowed"}},
		"typ.require":                    {"false", behaviour.Milder, nil, []string{"maybe"}},
		"alg.allow":                      {"RS384", behaviour.Stricter, []string{" RS384 ", "RS384,"}, []string{"", "none", "HS384", "rs384"}},
		"jwks.require_use":               {"true", behaviour.Stricter, nil, []string{"sig"}},
		"jwks.inline":                    {"array", behaviour.Different, nil, []string{"list"}},
		"jwks.sources":                   {"both", behaviour.Milder, nil, []string{"two"}},
		"jwks.require_https":             {"true", behaviour.Stricter, nil, []string{""}},
		"registration.defaults":          {"true", behaviour.Milder, nil, []string{""}},
		"secret.offered":                 {"false", behaviour.Stricter, nil, []string{""}},
		"secret.expire_after":            {"2160h", behaviour.Stricter, []string{"2160h0m0s", "129600m"}, []string{"90d", "-1h"}},
		"secret.grace":                   {"1h30m", behaviour.Milder, []string{"5400s"}, []string{"-1h"}},
		"basic.decode":                   {"raw", behaviour.Different, nil, []string{"plain"}},
		"basic.status":                   {"400", behaviour.Different, nil, []string{"403", "200"}},
		"failures.max":                   {"5", behaviour.Stricter, nil, []string{"-1", "many"}},
		"token.accept_json":              {"true", behaviour.Milder, nil, []string{""}},
		"token.ttl":                      {"1200s", behaviour.Milder, []string{"20m"}, []string{"0s", "500ms"}},
		"token.max_ttl":                  {"120s", behaviour.Stricter, []string{"2m"}, []string{"0s"}},
		"token.type":                     {"Bearer", behaviour.Different, nil, []string{"mac", "BEARER"}},
		"token.omit_scope":               {"true", behaviour.Different, nil, []string{""}},
		"scope.version":                  {"v1", behaviour.Stricter, nil, []string{"1", "v3"}},
		"scope.missing":                  {"registered", behaviour.Milder, nil, []string{"default"}},
		"scope.malformed":                {"drop", behaviour.Milder, nil, []string{"ignore"}},
		"scope.superset":                 {"refuse", behaviour.Stricter, nil, []string{"deny"}},
		"scope.wildcard":                 {"Observation Patient", behaviour.Stricter, []string{"Patient,Observation", "Patient Observation"}, []string{"", "*", "Patients", "patient", "all Patient"}},
		"bearer.case_sensitive":          {"true", behaviour.Stricter, nil, []string{""}},
		"hide_reasons":                   {"true", behaviour.Different, nil, []string{""}},
		"hide_reasons.description":       {"authentication failed", behaviour.Different, nil, []string{"say \"no\"", "back\\slash", "Zürich", "two  spaces", strings.Repeat("x", 501)}},
		"export.version":                 {"4.0.0-ballot", behaviour.Different, nil, []string{"", "4", "2.0"}},
		"export.strict_prefer":           {"false", behaviour.Milder, nil, []string{""}},
		"export.strict_accept":           {"false", behaviour.Milder, nil, []string{""}},
		"export.unsupported":             {"_elements patient", behaviour.Stricter, []string{"patient,_elements"}, []string{"", "elements", "none patient"}},
		"export.outputformat_strict":     {"true", behaviour.Stricter, nil, []string{""}},
		"export.gzip":                    {"true", behaviour.Milder, nil, []string{""}},
		"export.group_scope":             {"false", behaviour.Milder, nil, []string{""}},
		"export.separate_status":         {"false", behaviour.Stricter, nil, []string{""}},
		"export.group_since":             {"delta", behaviour.Different, nil, []string{"changes"}},
		"export.max_concurrent":          {"1", behaviour.Stricter, nil, []string{"", "-1", "one"}},
		"export.dump":                    {"true", behaviour.Milder, nil, []string{""}},
		"poll.early":                     {"refuse", behaviour.Stricter, nil, []string{"429"}},
		"poll.ban_after":                 {"3", behaviour.Stricter, nil, []string{"-1"}},
		"job.ttl":                        {"1h", behaviour.Stricter, []string{"3600s"}, []string{"0s", "500ms"}},
		"manifest.page":                  {"0", behaviour.Different, nil, []string{"-1"}},
		"files.token":                    {"false", behaviour.Different, nil, []string{""}},
		"files.redirect":                 {"true", behaviour.Different, nil, []string{""}},
		"files.ttl":                      {"60s", behaviour.Stricter, []string{"1m"}, []string{"0s"}},
		"files.max_rows":                 {"10", behaviour.Different, nil, []string{"-1", "ten"}},
		"files.max_bytes":                {"1000000", behaviour.Different, nil, []string{"1MB"}},
	}
}

// Every switch is read and written, refuses what it cannot take, and changes
// authz; every field of authz.Behaviour is reached by a switch.
func TestEverySwitch(t *testing.T) {
	t.Parallel()
	others, reached := others(), map[string]bool{}
	for _, s := range behaviour.Table() {
		other, known := others[s.Name]
		if !known {
			t.Errorf("%s has no case here", s.Name)
			continue
		}
		delete(others, s.Name)
		if s.Meaning == "" || len(s.IDs) == 0 || s.Kind == "" {
			t.Errorf("%s: the row is incomplete: %+v", s.Name, s)
		}
		b, err := behaviour.Strict().With(s.Name, other.value, "this test")
		if err != nil {
			t.Errorf("%s: %v", s.Name, err)
			continue
		}
		setting := settingOf(t, b, s.Name)
		if setting.Value != other.value || setting.Effect != other.effect || setting.Source != "this test" {
			t.Errorf("%s: got %q, %s, from %s; want %q, %s", s.Name, setting.Value, setting.Effect, setting.Source, other.value, other.effect)
		}
		for _, text := range append(other.also, setting.Value) {
			again, err := behaviour.Strict().With(s.Name, text, "this test")
			if err != nil || !reflect.DeepEqual(again.Authz(), b.Authz()) || !reflect.DeepEqual(again.Exports(), b.Exports()) {
				t.Errorf("%s: %q is not the same as %q (%v)", s.Name, text, other.value, err)
			}
		}
		for _, text := range other.wrong {
			if _, err := behaviour.Strict().With(s.Name, text, ""); err == nil || !strings.HasPrefix(err.Error(), s.Name+": ") {
				t.Errorf("%s: %q gives error %v, want one that names the switch", s.Name, text, err)
			}
		}
		for _, name := range append(differing(authz.Strict(), b.Authz()), differing(bulk.Strict(), b.Exports())...) {
			reached[name] = true
		}
	}
	for name := range others {
		t.Errorf("there is no switch %s", name)
	}
	for _, field := range slices.Concat(fields[authz.Behaviour](), fields[bulk.Behaviour]()) {
		if !reached[field] {
			t.Errorf("no switch reaches Behaviour.%s", field)
		}
	}
}

func settingOf(t *testing.T, b behaviour.Behaviour, name string) behaviour.Setting {
	t.Helper()
	list := b.Settings()
	i := slices.IndexFunc(list, func(s behaviour.Setting) bool { return s.Name == name })
	if i < 0 {
		t.Fatalf("no setting %s", name)
	}
	return list[i]
}

func fields[B any]() (names []string) {
	for _, f := range reflect.VisibleFields(reflect.TypeFor[B]()) {
		names = append(names, f.Name)
	}
	return names
}

// differing returns the fields in which two sets of switches differ.
func differing[B any](a, b B) []string {
	return slices.DeleteFunc(fields[B](), func(name string) bool {
		return reflect.DeepEqual(reflect.ValueOf(a).FieldByName(name).Interface(), reflect.ValueOf(b).FieldByName(name).Interface())
	})
}

// The effects that one value of a switch does not show.
func TestEffects(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, value string
		want        behaviour.Effect
	}{
		{"aud.accept", "issuer token", behaviour.Milder},
		{"aud.accept", "issuer", behaviour.Different},
		{"alg.allow", "ES384 RS384", behaviour.Same},
		{"alg.allow", "RS384 ES384 RS256", behaviour.Milder},
		{"alg.allow", "RS384 RS256", behaviour.Different},
		{"exp.max", "60s", behaviour.Stricter},
		{"exp.max", "5m", behaviour.Same},
		{"iat.max_age", "60s", behaviour.Stricter},
		{"iat.max_age", "20m", behaviour.Milder},
		{"jti.max_len", "1000", behaviour.Milder},
		{"jwks.inline", "both", behaviour.Milder},
		{"basic.decode", "both", behaviour.Milder},
		{"scope.version", "v2", behaviour.Stricter},
		{"scope.wildcard", "uscore18", behaviour.Stricter},
		{"scope.wildcard", "all", behaviour.Same},
	} {
		b, err := behaviour.Strict().With(c.name, c.value, "")
		if err != nil {
			t.Errorf("%s=%s: %v", c.name, c.value, err)
			continue
		}
		if got := settingOf(t, b, c.name).Effect; got != c.want {
			t.Errorf("%s=%s is %q, want %q", c.name, c.value, got, c.want)
		}
	}
}

func TestWithLeavesTheBehaviourAsItWas(t *testing.T) {
	t.Parallel()
	strict := behaviour.Strict()
	changed, err := strict.With("alg.allow", "RS384", "this test")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := changed.With("alg.allow", "ES384", "another"); err != nil {
		t.Fatal(err)
	}
	if s := settingOf(t, changed, "alg.allow"); s.Value != "RS384" || s.Source != "this test" {
		t.Errorf("got %+v", s)
	}
	if s := settingOf(t, strict, "alg.allow"); s.Value != "RS384 ES384" || strings.Contains(s.Source, "test") {
		t.Errorf("got %+v", s)
	}
	if got := changed.String(); got != "strict (1 switch differs from strict)" {
		t.Errorf("got %q", got)
	}
}

func TestSwitchThatDoesNotExist(t *testing.T) {
	t.Parallel()
	_, err := behaviour.Strict().With("aud.acept", "any", "")
	if want := `there is no switch "aud.acept"; did you mean "aud.accept"?`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// aidbox has what is known of Aidbox, each with its source.
func TestAidbox(t *testing.T) {
	t.Parallel()
	b, err := behaviour.Load("aidbox")
	if err != nil {
		t.Fatal(err)
	}
	if b.Extends != "strict" || b.Name != "aidbox" || b.Description == "" {
		t.Errorf("got %+v", b)
	}
	want := map[string]string{
		"aud.accept": "any", "exp.max": "600s", "nbf.check": "false", "iat.check": "false", "alg.allow": "RS384",
		"jwks.require_use": "true", "jwks.inline": "array", "basic.status": "400", "token.accept_json": "true",
		"token.type": "Bearer", "token.omit_scope": "true", "scope.missing": "registered", "scope.superset": "refuse",
		"scope.wildcard": "AllergyIntolerance CarePlan CareTeam Condition Device DiagnosticReport DocumentReference Encounter Goal Immunization Location MedicationRequest Observation Organization Patient Practitioner Procedure Provenance",
		"export.gzip":    "true", "export.max_concurrent": "1", "export.dump": "true", "files.token": "false",
	}
	got := map[string]string{}
	for _, s := range b.Settings() {
		if s.Effect == behaviour.Same {
			continue
		}
		got[s.Name] = s.Value
		if !strings.Contains(s.Source, ": ") {
			t.Errorf("%s: the source is %q, which names no id", s.Name, s.Source)
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}

func TestSettingsAsJSON(t *testing.T) {
	t.Parallel()
	b, err := behaviour.Load("aidbox")
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(b.Settings())
	if err != nil {
		t.Fatal(err)
	}
	var got []struct {
		Name, Kind, Effect, Meaning, Source string
		Value, Default                      any
		Differs                             bool
		IDs                                 []string
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if len(got) != len(behaviour.Table()) {
		t.Errorf("got %s", text)
	}
	want := map[string]any{
		"aud.accept": []any{"any"}, "exp.max": "600s", "nbf.check": false, "jti.max_len": 255.0, "basic.status": "400", "scope.missing": "registered",
	}
	for _, s := range got {
		if value, ok := want[s.Name]; ok && !reflect.DeepEqual(s.Value, value) {
			t.Errorf("%s: got %v, want %v", s.Name, s.Value, value)
		}
		if s.Differs != (s.Effect != "") || s.Differs == reflect.DeepEqual(s.Value, s.Default) {
			t.Errorf("%s: got %+v", s.Name, s)
		}
	}
}
