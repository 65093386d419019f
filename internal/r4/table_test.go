package r4_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sandfhir/sandfhir/internal/r4"
)

func TestTypes(t *testing.T) {
	t.Parallel()
	table := r4.Definitions()
	types := table.Types()
	if got, want := len(types), 146; got != want { // the resource-types of 4.0.1 without the two abstract ones
		t.Errorf("%d types, want %d", got, want)
	}
	if !slices.IsSorted(types) {
		t.Errorf("types are not sorted: %v", types)
	}
	codes, ok := table.Codes("http://hl7.org/fhir/ValueSet/resource-types")
	if !ok {
		t.Fatal("the value set of resource types is missing")
	}
	for _, c := range codes {
		if abstract := c.Code == "Resource" || c.Code == "DomainResource"; table.IsType(c.Code) == abstract {
			t.Errorf("IsType(%s) = %v", c.Code, !abstract)
		}
	}
	for _, name := range []string{"", "patient", "HumanName", "Patient.contact", "SubscriptionStatus", "Element"} {
		if table.IsType(name) {
			t.Errorf("IsType(%q) = true", name)
		}
	}
}

func TestHashIdentifiesTheTable(t *testing.T) {
	t.Parallel()
	hash := r4.Definitions().Hash()
	if len(hash) != 64 || strings.Trim(hash, "0123456789abcdef") != "" {
		t.Errorf("Hash() = %q, want 64 hexadecimal digits", hash)
	}
	if again := r4.Definitions().Hash(); again != hash {
		t.Errorf("Hash() = %s and then %s", hash, again)
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	table := r4.Definitions()
	for name, want := range map[string]string{
		"patient": "Patient", "Pateint": "Patient", "Observations": "Observation", "MedicationOrder": "Medication",
		"Xyz": "", "": "", "explanation-of-benefit": "ExplanationOfBenefit", strings.Repeat("Patient", 50): "",
	} {
		if got := table.NearestType(name); got != want {
			t.Errorf("NearestType(%q) = %q, want %q", name, got, want)
		}
	}
	for code, want := range map[string]string{"birthDate": "birthdate", "_lastupdate": "_lastUpdated", "colour": ""} {
		if got := table.NearestParam("Patient", code); got != want {
			t.Errorf("NearestParam(%q) = %q, want %q", code, got, want)
		}
	}
}

func TestElements(t *testing.T) {
	t.Parallel()
	for _, want := range []r4.ElementDef{
		{Path: "Resource.id", Max: 1, Types: []string{"id"}, Summary: true},
		{Path: "Patient.name", Max: -1, Types: []string{"HumanName"}, Summary: true},
		{Path: "Patient.active", Max: 1, Types: []string{"boolean"}, Summary: true, Modifier: true},
		{Path: "Patient.gender", Max: 1, Types: []string{"code"}, Summary: true, Binding: "http://hl7.org/fhir/ValueSet/administrative-gender"},
		{Path: "Patient.deceased[x]", Choice: true, Max: 1, Types: []string{"boolean", "dateTime"}, Summary: true, Modifier: true},
		{Path: "Patient.link", Max: -1, Types: []string{"Patient.link"}, Summary: true, Modifier: true},
		{Path: "Patient.link.other", Min: 1, Max: 1, Types: []string{"Reference"}, Targets: []string{"Patient", "RelatedPerson"}, Summary: true},
		{Path: "Observation.code", Min: 1, Max: 1, Types: []string{"CodeableConcept"}, Summary: true},
		{Path: "Bundle.entry.link", Max: -1, Types: []string{"Bundle.link"}, Summary: true},
		{Path: "Questionnaire.item.item", Max: -1, Types: []string{"Questionnaire.item"}},
		{Path: "Timing.repeat", Max: 1, Types: []string{"Timing.repeat"}, Summary: true},
		{Path: "Meta.profile", Max: -1, Types: []string{"canonical"}, Targets: []string{"StructureDefinition"}, Summary: true},
		{Path: "Basic.subject", Max: 1, Types: []string{"Reference"}, Summary: true},
		{Path: "Narrative.div", Min: 1, Max: 1, Types: []string{"xhtml"}},
	} {
		t.Run(want.Path, func(t *testing.T) {
			t.Parallel()
			i := strings.LastIndexByte(want.Path, '.')
			want.Name = strings.TrimSuffix(want.Path[i+1:], "[x]")
			got, ok := element(want.Path[:i], want.Name)
			if !ok {
				t.Fatalf("%s has no element %s", want.Path[:i], want.Name)
			}
			want.Constraints = got.Constraints
			if !slices.Equal(got.Types, want.Types) || !slices.Equal(got.Targets, want.Targets) || got.Path != want.Path ||
				got.Min != want.Min || got.Max != want.Max || got.Choice != want.Choice ||
				got.Summary != want.Summary || got.Modifier != want.Modifier || got.Binding != want.Binding {
				t.Errorf("\n got %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestElementsAreInherited(t *testing.T) {
	t.Parallel()
	for typ, want := range map[string]string{
		"Patient":         "id meta implicitRules language text contained extension modifierExtension identifier",
		"Binary":          "id meta implicitRules language contentType securityContext data",
		"Patient.contact": "id extension modifierExtension relationship",
		"Timing.repeat":   "id extension bounds",
		"Age":             "id extension value comparator unit system code",
		"Dosage":          "id extension modifierExtension sequence",
		"code":            "id extension",
	} {
		var names []string
		for _, e := range r4.Definitions().Elements(typ) {
			names = append(names, e.Name)
		}
		if got := strings.Join(names, " ") + " "; !strings.HasPrefix(got, want+" ") {
			t.Errorf("elements of %s are %s, want %s first", typ, got, want)
		}
	}
	if got := r4.Definitions().Elements("Nothing"); got != nil {
		t.Errorf("elements of Nothing are %v", got)
	}
}

// TestElementsOf401 names elements that other releases have and members that vendors add.
func TestElementsOf401(t *testing.T) {
	t.Parallel()
	for _, path := range []string{
		"Meta.author", "Meta.project", "Binary.url", "ResearchStudy.label", "DeviceDefinition.classification",
		"EvidenceVariable.characteristic.definitionByCombination", "ObservationDefinition.publisher",
	} {
		i := strings.LastIndexByte(path, '.')
		if _, ok := r4.Definitions().Element(path[:i], path[i+1:]); ok {
			t.Errorf("%s is in the table", path)
		}
	}
	for _, path := range []string{
		"EvidenceVariable.characteristic.definitionDataRequirement", "EvidenceVariable.characteristic.timeFromStart",
		"MedicinalProductIngredient.specifiedSubstance.strength.presentation", "ExampleScenario.instance.resourceType",
	} {
		i := strings.LastIndexByte(path, '.')
		if _, ok := r4.Definitions().Element(path[:i], path[i+1:]); !ok {
			t.Errorf("%s is not in the table", path)
		}
	}
}

func TestElementGivesTypes(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"Observation.value":         "Quantity CodeableConcept string boolean integer Range Ratio SampledData time dateTime Period",
		"Observation.valueQuantity": "Quantity",
		"Observation.valueAddress":  "",
		"Observation.status":        "code",
		"Patient.contact.name":      "HumanName",
		"Patient.contact":           "Patient.contact",
		"Bundle.entry.resource":     "Resource",
		"Patient.contained":         "Resource",
		"Bundle.contained":          "",
		"Observation.id":            "id",
		"Observation.component.id":  "string",
		"Extension.url":             "uri",
		"Nothing.id":                "",
		"Patient.nothing.id":        "",
	} {
		i := strings.LastIndexByte(path, '.')
		types, ok := r4.Definitions().Element(path[:i], path[i+1:])
		if got := strings.Join(types, " "); got != want || ok != (want != "") {
			t.Errorf("Element(%s) = %q, %v; want %q", path, got, ok, want)
		}
	}
}

// TestTypesOfElementsExist follows every element of every type.
func TestTypesOfElementsExist(t *testing.T) {
	t.Parallel()
	table := r4.Definitions()
	seen := map[string]bool{"Resource": true}
	queue := slices.Clone(table.Types())
	for len(queue) > 0 {
		typ := queue[0]
		queue = queue[1:]
		if seen[typ] {
			continue
		}
		seen[typ] = true
		elements := table.Elements(typ)
		if len(elements) == 0 {
			t.Errorf("%s has no elements", typ)
		}
		for _, e := range elements {
			if len(e.Types) == 0 || e.Choice != (len(e.Types) > 1) {
				t.Errorf("%s: choice %v with the types %v", e.Path, e.Choice, e.Types)
			}
			for _, target := range e.Targets {
				if !table.IsType(target) {
					t.Errorf("%s may refer to %s", e.Path, target)
				}
			}
			queue = append(queue, e.Types...)
		}
	}
	if len(seen) < 650 {
		t.Errorf("only %d types and backbone elements", len(seen))
	}
}

func TestBase(t *testing.T) {
	t.Parallel()
	for typ, want := range map[string]string{
		"Patient": "DomainResource", "Bundle": "Resource", "DomainResource": "Resource", "Resource": "",
		"Age": "Quantity", "code": "string", "Patient.contact": "BackboneElement", "Timing.repeat": "Element", "Nothing": "",
	} {
		if got := r4.Definitions().Base(typ); got != want {
			t.Errorf("Base(%s) = %q, want %q", typ, got, want)
		}
	}
}

func TestCodes(t *testing.T) {
	t.Parallel()
	table := r4.Definitions()
	codes, ok := table.Codes("http://hl7.org/fhir/ValueSet/administrative-gender")
	want := []r4.Coding{
		{System: "http://hl7.org/fhir/administrative-gender", Code: "female"},
		{System: "http://hl7.org/fhir/administrative-gender", Code: "male"},
		{System: "http://hl7.org/fhir/administrative-gender", Code: "other"},
		{System: "http://hl7.org/fhir/administrative-gender", Code: "unknown"},
	}
	if !ok || !slices.Equal(codes, want) {
		t.Errorf("codes of administrative-gender: %v, %v", codes, ok)
	}
	clinical, _ := table.Codes("http://hl7.org/fhir/ValueSet/condition-clinical")
	if !slices.Contains(clinical, r4.Coding{System: "http://terminology.hl7.org/CodeSystem/condition-clinical", Code: "remission"}) {
		t.Errorf("a code below another is missing: %v", clinical)
	}
	for _, url := range []string{"http://hl7.org/fhir/ValueSet/mimetypes", "http://hl7.org/fhir/ValueSet/currencies", "http://example.org"} {
		if codes, ok := table.Codes(url); ok {
			t.Errorf("%s is listed: %v", url, codes)
		}
	}
}

// TestDefinitionsFromManyGoroutines is for the race detector: every part is read when first asked
// for.
func TestDefinitionsFromManyGoroutines(t *testing.T) {
	t.Parallel()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			table := r4.Definitions()
			for _, typ := range table.Types() {
				table.Elements(typ)
				table.Params(typ)
				table.PatientCompartment(typ)
			}
			_, root := load(t, "observation")
			for _, p := range table.Params("Observation") {
				if _, err := p.Eval(root); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func element(typ, name string) (r4.ElementDef, bool) {
	for _, e := range r4.Definitions().Elements(typ) {
		if e.Name == name {
			return e, true
		}
	}
	return r4.ElementDef{}, false
}
