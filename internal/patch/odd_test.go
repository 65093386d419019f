package patch_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestOddResources applies FHIRPath Patches to resources of which hardly anything has the shape
// that FHIR gives it: what was loaded was not always validated.
func TestOddResources(t *testing.T) {
	t.Parallel()
	from := *seed
	if from == 0 {
		from = rand.Uint64()
	}
	t.Logf("-seed=%d", from)
	r := generator{Rand: rand.New(rand.NewPCG(from, 1))}
	applied := 0
	for range 10_000 {
		resource := `{"resourceType":"Patient",` + strings.TrimPrefix(r.odd(4, "{"), "{")
		resource = strings.Replace(resource, ",}", "}", 1)
		var operations []string
		for range 1 + r.IntN(4) {
			operations = append(operations, r.pathOperation())
		}
		text := parameters(operations...)
		p, err := parseParameters([]byte(text))
		if err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		func() {
			defer func() {
				if e := recover(); e != nil {
					t.Fatalf("%v\nresource %s\npatch %s", e, resource, text)
				}
			}()
			fuzzed(t, []byte(resource), p, nil)
			if _, err := p.Apply([]byte(resource)); err == nil {
				applied++
			}
		}()
	}
	if applied < 100 {
		t.Errorf("%d of 10000 patches were applied, which proves little", applied)
	}
}

// odd is a random object or array, as the bracket says.
func (r generator) odd(depth int, bracket string) string {
	var list []string
	seen := map[string]bool{}
	for range r.IntN(6) {
		value := r.of(scalars()...)
		if kind := r.IntN(4); depth > 0 && kind > 0 {
			value = r.odd(depth-1, r.of("{", "["))
		}
		if bracket == "{" {
			name := r.of("name", "_name", "given", "_given", "birthDate", "_birthDate", "deceasedBoolean", "_deceasedDateTime", "contained", "_contained", "extension", "contact", "id", "resourceType", "value", "text")
			if seen[name] || depth == 4 && name == "resourceType" {
				continue
			}
			seen[name] = true
			value = quoted(name) + ":" + value
		}
		list = append(list, value)
	}
	if bracket == "{" {
		return "{" + strings.Join(list, ",") + "}"
	}
	return "[" + strings.Join(list, ",") + "]"
}

func (r generator) pathOperation() string {
	path := r.of("Patient", "Patient.name", "Patient.name[0]", "Patient.name.given", "Patient.name.given[0]", "Patient.birthDate", "Patient.birthDate.extension", "Patient.deceased",
		"Patient.contained", "Patient.contained[0]", "Patient.contact", "Patient.contact.name", "Patient.extension[0]", "Patient.id", "children()[1]", fmt.Sprintf("descendants()[%d]", r.IntN(20)), "descendants().where($this is Extension)[0]")
	value := r.of(`"valueString":"x"`, `"valueBoolean":true,"_valueBoolean":{"id":"y"}`, `"_valueDate":{"id":"z"}`, `"valueHumanName":{"family":"f"}`, `"resource":{"resourceType":"Patient"}`,
		`"part":[{"name":"given","valueString":"g"},{"name":"given","_valueString":{"id":"h"}}]`, `"part":[{"name":"url","valueUri":"u"}]`, `"part":[{"name":"id","valueString":"i"}]`)
	switch r.IntN(5) {
	case 0:
		return add(path, r.of("name", "given", "birthDate", "deceased", "deceasedDateTime", "contained", "extension", "id", "value", "contact"), value)
	case 1:
		return insert(path, r.IntN(3), value)
	case 2:
		return remove(path)
	case 3:
		return replace(path, value)
	}
	return move(path, r.IntN(3), r.IntN(3))
}
