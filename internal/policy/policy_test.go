package policy_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/internal/policy"
)

func request() policy.Request {
	return policy.Request{
		Method: "GET", URI: "/fhir/Patient", Params: map[string][]string{"name": {"x"}, "_include": {"a", "b"}},
		Headers: map[string]string{"accept": "application/fhir+json"}, Client: "c", Scopes: "system/Patient.rs", ResourceType: "Patient",
	}
}

// AX-08: the patterns of matcho, each with a request that it is about.
func TestMatcho(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]bool{
		`{}`:                       true,
		`{"uri":"/fhir/Patient"}`:  true,
		`{"uri":"/fhir/Pat"}`:      false,
		`{"uri":"#/fhir/Pat"}`:     true,
		`{"uri":"#^/fhir/Pat$"}`:   false,
		`{"request-method":"get"}`: true,
		`{"request-method":{"$enum":["post","get"]}}`:   true,
		`{"request-method":{"$enum":["post"]}}`:         false,
		`{"params":{"name":"x"}}`:                       true,
		`{"params":{"name":"present?"}}`:                true,
		`{"params":{"name":"nil?"}}`:                    false,
		`{"params":{"other":"nil?"}}`:                   true,
		`{"params":{"other":null}}`:                     true,
		`{"params":{"name":"not-blank?"}}`:              true,
		`{"params":{"resource/type":"Patient"}}`:        true,
		`{"params":{"_include":["a"]}}`:                 true,
		`{"params":{"_include":["b"]}}`:                 false,
		`{"params":{"_include":["a","b","c"]}}`:         false,
		`{"params":{"_include":{"$contains":"b"}}}`:     true,
		`{"params":{"_include":{"$contains":"c"}}}`:     false,
		`{"params":{"_include":{"$every":"#^[ab]$"}}}`:  true,
		`{"params":{"_include":{"$every":"a"}}}`:        false,
		`{"uri":{"$not":"#Observation"}}`:               true,
		`{"uri":{"$one-of":["x","#Patient"]}}`:          true,
		`{"uri":{"$one-of":["x","y"]}}`:                 false,
		`{"client":{"id":"c","resourceType":"Client"}}`: true,
		`{"client":{"id":".client.id"}}`:                true,
		`{"uri":".client.id"}`:                          false,
		`{"headers":{"accept":"#json"}}`:                true,
		`{"headers":{"authorization":"present?"}}`:      false,
		`{"nowhere":{"at":{"all":"present?"}}}`:         false,
		`["a"]`:                                         false,
		`true`:                                          false,
	} {
		p, err := policy.Parse("p", []byte(`{"engine":"matcho","matcho":`+pattern+`}`))
		if err != nil {
			t.Errorf("%s: %v", pattern, err)
			continue
		}
		if got := p.Allows(request()); got != want {
			t.Errorf("%s: got %t, want %t", pattern, got, want)
		}
	}
}

// AX-08: what is no policy is refused with the place of what is wrong.
func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for text, path := range map[string]string{
		`{}`:                              ".engine",
		`{"engine":"sql"}`:                ".engine",
		`{"engine":"allow","id":"other"}`: ".id",
		`{"engine":"allow","resourceType":"Patient"}`:                     ".resourceType",
		`{"engine":"allow","link":[{}]}`:                                  ".link[0]",
		`{"engine":"allow","link":[{"reference":"Client"}]}`:              ".link[0]",
		`{"engine":"matcho"}`:                                             ".matcho",
		`{"engine":"matcho","matcho":{"a":["b","#("]}}`:                   ".matcho.a[1]",
		`{"engine":"matcho","matcho":{"a":{"$enum":"b"}}}`:                ".matcho.a.$enum",
		`{"engine":"matcho","matcho":{"a":{"$other":"b"}}}`:               ".matcho.a.$other",
		`{"engine":"json-schema"}`:                                        ".schema",
		`{"engine":"json-schema","schema":{"type":"nothing"}}`:            ".schema",
		`{"engine":"json-schema","schema":{"$ref":"file:///etc/passwd"}}`: ".schema",
		`{"engine":"scopes"}`:                                             ".scopes",
		`{"engine":["allow"]}`:                                            ".engine",
		`[]`:                                                              "",
	} {
		_, err := policy.Parse("p", []byte(text))
		var invalid *policy.InvalidError
		if !errors.As(err, &invalid) || invalid.Path != "AccessPolicy"+path || invalid.Message == "" {
			t.Errorf("%s: got %v, want something about AccessPolicy%s", text, err, path)
		}
	}
}

// Whatever a policy is, it is refused or it judges.
func FuzzPolicy(f *testing.F) {
	for _, seed := range []string{`{"uri":"#x"}`, `{"params":{"_include":{"$every":{"$not":"nil?"}}}}`, `[null,1,".a.b"]`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, pattern string) {
		if !json.Valid([]byte(pattern)) || strings.Count(pattern, "{")+strings.Count(pattern, "[") > 1000 {
			return
		}
		p, err := policy.Parse("p", []byte(`{"engine":"matcho","matcho":`+pattern+`}`))
		if err == nil {
			p.Allows(request())
		}
	})
}
