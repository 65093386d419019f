package r4_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/fhirpath"
	"github.com/sandfhir/sandfhir/internal/r4"
)

func TestEval(t *testing.T) {
	t.Parallel()
	none := []string(nil)
	type wants map[string][]string
	for file, params := range map[string]wants{
		"patient": {
			"_id":                  {`id "pat-1"`},
			"_lastUpdated":         {`instant "2024-03-05T10:20:30.123Z"`},
			"_profile":             {`canonical "http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient|6.1.0"`},
			"_security":            {`Coding {"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"R"}`},
			"_source":              {`uri "https://ehr.example/feed#7"`},
			"_tag":                 {`Coding {"system":"urn:x:tag","code":"t1"}`},
			"_text":                none,
			"_content":             none,
			"active":               {`boolean true`},
			"address-city":         {`string "Tulsa"`},
			"address-postalcode":   {`string "74101"`},
			"address-use":          {`code "home"`},
			"birthdate":            {`date "1987-02-20"`},
			"death-date":           {`dateTime "2023-05-01"`},
			"deceased":             {`boolean true`},
			"email":                {`ContactPoint {"system":"email","value":"amy@example.com"}`},
			"phone":                {`ContactPoint {"system":"phone","value":"555-0100"}`},
			"family":               {`string "Shaw"`, `string "Baxter"`},
			"given":                {`string "Amy"`, `string "V."`},
			"gender":               {`code "female"`},
			"identifier":           {`Identifier {"system":"urn:mrn","value":"m-17"}`},
			"language":             {`CodeableConcept {"coding":[{"system":"urn:ietf:bcp:47","code":"en"}]}`},
			"general-practitioner": {`Reference {"reference":"Practitioner/1"}`, `Reference {"reference":"#org"}`},
			"organization":         {`Reference {"reference":"Organization/9"}`},
			"link":                 {`Reference {"reference":"Patient/pat-0"}`},
			"race":                 {`code "2106-3"`},
			"ethnicity":            {`code "2135-2"`},
			"gender-identity":      {`code "446141000124107"`},
		},
		"patient-sparse": {"gender": none, "deceased": {`boolean false`}, "death-date": none, "name": none, "birthdate": none},
		"observation": {
			"category":                 {`CodeableConcept {"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}]}`},
			"code":                     {`CodeableConcept {"coding":[{"system":"http://loinc.org","code":"85354-9"}]}`},
			"date":                     {`dateTime "2024-03-05T10:20:30-05:00"`},
			"patient":                  {`Reference {"reference":"Patient/pat-1"}`},
			"subject":                  {`Reference {"reference":"Patient/pat-1"}`},
			"performer":                {`Reference {"reference":"Practitioner/1"}`},
			"status":                   {`code "final"`},
			"value-quantity":           {`Quantity {"value":93.0,"unit":"mmHg","system":"http://unitsofmeasure.org","code":"mm[Hg]"}`},
			"value-concept":            none,
			"value-string":             none,
			"component-value-quantity": {`Quantity {"value":120}`},
			"component-value-concept":  {`CodeableConcept {"text":"sitting"}`},
			"combo-code": {`CodeableConcept {"coding":[{"system":"http://loinc.org","code":"85354-9"}]}`,
				`CodeableConcept {"text":"systolic"}`, `CodeableConcept {"text":"posture"}`},
		},
		"observation-group": {
			"patient": none, "subject": {`Reference {"reference":"Group/cohort"}`},
			"date":         {`Period {"start":"2024-01-01","end":"2024-01-31"}`},
			"value-string": {`string "good"`}, "value-quantity": none, "value-date": none,
		},
		"medicationrequest": {
			"medication": {`Reference {"reference":"#med"}`}, "code": none,
			"patient": {`Reference {"reference":"Patient/pat-1"}`}, "intent": {`code "order"`}, "status": {`code "active"`},
			"encounter": {`Reference {"reference":"Encounter/enc-1"}`}, "authoredon": {`dateTime "2024-02-01"`},
			"date": {`dateTime "2024-02-02"`, `dateTime "2024-02-03"`},
		},
		"encounter": {
			"class":                 {`Coding {"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB"}`},
			"patient":               {`Reference {"reference":"https://ehr.example/fhir/Patient/pat-1"}`},
			"practitioner":          {`Reference {"reference":"Practitioner/1"}`},
			"participant":           {`Reference {"reference":"Practitioner/1"}`, `Reference {"reference":"RelatedPerson/2"}`},
			"date":                  {`Period {"start":"2024-03-05T10:00:00Z"}`},
			"length":                {`Duration {"value":30,"system":"http://unitsofmeasure.org","code":"min"}`},
			"location":              {`Reference {"reference":"Location/ward"}`},
			"location-period":       {`Period {"start":"2024-03-05"}`},
			"discharge-disposition": {`CodeableConcept {"text":"home"}`},
		},
		"condition-datetime": {
			"onset-date": {`dateTime "2020-05"`}, "onset-age": none, "onset-info": none,
			"abatement-date":  {`Period {"start":"2021-01-01"}`},
			"asserted-date":   {`dateTime "2020-05-06"`},
			"recorded-date":   {`dateTime "2020-05-07"`},
			"evidence-detail": {`Reference {"reference":"Observation/bp"}`},
		},
		"condition-age":    {"onset-age": {`Age {"value":40,"code":"a"}`}, "onset-date": none, "asserted-date": none},
		"condition-string": {"onset-info": {`string "in youth"`}, "abatement-age": {`Range {"low":{"value":20}}`}, "abatement-date": none},
		"explanationofbenefit": {
			"patient": {`Reference {"reference":"Patient/pat-1"}`}, "payee": {`Reference {"reference":"Patient/pat-1"}`},
			"coverage": {`Reference {"reference":"#cov"}`}, "care-team": {`Reference {"reference":"Practitioner/2"}`},
			"encounter": {`Reference {"reference":"Encounter/enc-1"}`}, "detail-udi": {`Reference {"reference":"Device/d"}`},
			"created": {`dateTime "2024-04-01"`}, "disposition": {`string "paid"`},
			"identifier": {`Identifier {"system":"urn:claim","value":"77"}`}, "status": {`code "active"`},
		},
		"group": {
			"name": {`string "Diabetes cohort"`}, "type": {`code "person"`}, "actual": {`boolean true`},
			"member":     {`Reference {"reference":"Patient/pat-1"}`, `Reference {"reference":"Patient/pat-2"}`},
			"identifier": {`Identifier {"value":"diabetes-2024"}`}, "code": {`CodeableConcept {"text":"cohort"}`},
			"value": {`CodeableConcept {"text":"female"}`, `boolean true`},
		},
		"provenance": {
			"patient": {`Reference {"reference":"Patient/pat-1"}`},
			"target":  {`Reference {"reference":"Patient/pat-1"}`, `Reference {"reference":"Observation/bp"}`},
			"agent":   {`Reference {"reference":"Practitioner/1"}`}, "when": {`dateTime "2024-03-05"`},
			"recorded": {`instant "2024-03-05T10:20:30.000Z"`},
		},
		"bundle": {
			"composition": {`Composition {"resourceType":"Composition","id":"comp"}`}, "type": {`code "document"`},
			"timestamp": {`instant "2024-03-05T10:20:30Z"`}, "identifier": {`Identifier {"value":"d-1"}`},
		},
		"location": {
			"near": {`Location.position {"longitude":-95.99,"latitude":36.15}`},
			"name": {`string "Ward 7"`, `string "Seventh"`}, "address": {`Address {"city":"Tulsa"}`}, "address-city": {`string "Tulsa"`},
		},
		"molecularsequence": {"variant-start": {`integer 3`}, "window-end": {`integer 9`}, "chromosome": {`CodeableConcept {"text":"7"}`}},
		"questionnaire": {
			"url": {`uri "http://example.org/Questionnaire/q"`}, "code": {`Coding {"code":"a"}`},
			"context-quantity": {`Range {"low":{"value":18}}`}, "context": none, "version": {`string "1.0"`},
		},
		"riskassessment": {"probability": {`decimal 0.020`, `Range {"low":{"value":1}}`}, "date": {`dateTime "2024-01-01"`}},
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			data, root := load(t, file)
			for code, want := range params {
				values, err := param(t, root.Str("resourceType"), code).Eval(root)
				if err != nil {
					t.Error(err)
				}
				if got := show(data, values); !slices.Equal(got, want) {
					t.Errorf("%s =\n got %s\nwant %s", code, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
				}
			}
		})
	}
}

func TestEvalOfComposites(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file, code string
		want       []string // of each value of the composite: the parts' values, joined by $
	}{
		"FR-ST-08 code and value": {"observation", "code-value-quantity", []string{
			`CodeableConcept {"coding":[{"system":"http://loinc.org","code":"85354-9"}]}$Quantity {"value":93.0,"unit":"mmHg","system":"http://unitsofmeasure.org","code":"mm[Hg]"}`}},
		"FR-ST-08 only within one component": {"observation", "component-code-value-quantity", []string{
			`CodeableConcept {"text":"systolic"}$Quantity {"value":120}`, `CodeableConcept {"text":"posture"}$`}},
		"resource and components": {"observation", "combo-code-value-concept", []string{
			`CodeableConcept {"coding":[{"system":"http://loinc.org","code":"85354-9"}]}$`,
			`CodeableConcept {"text":"systolic"}$`, `CodeableConcept {"text":"posture"}$CodeableConcept {"text":"sitting"}`}},
		"text":            {"observation-group", "code-value-string", []string{`CodeableConcept {"text":"mood"}$string "good"`}},
		"characteristics": {"group", "characteristic-value", []string{`CodeableConcept {"text":"gender"}$CodeableConcept {"text":"female"}`, `CodeableConcept {"text":"insured"}$boolean true`}},
		"%resource":       {"molecularsequence", "chromosome-variant-coordinate", []string{`CodeableConcept {"text":"7"}$integer 3$integer 4`}},
		"use context": {"questionnaire", "context-type-quantity", []string{
			`Coding {"system":"http://terminology.hl7.org/CodeSystem/usage-context-type","code":"age"}$Range {"low":{"value":18}}`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data, root := load(t, c.file)
			p := param(t, root.Str("resourceType"), c.code)
			bases, err := p.Eval(root)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, base := range bases {
				var parts []string
				for i := range p.Components {
					values, err := p.Components[i].Eval(root, base)
					if err != nil {
						t.Fatal(err)
					}
					parts = append(parts, strings.Join(show(data, values), " "))
				}
				got = append(got, strings.Join(parts, "$"))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%s\n got %q\nwant %q", c.code, got, c.want)
			}
		})
	}
}

// TestEverythingEvaluates evaluates every parameter of each type on every file, right type or
// not: nothing may fail, and every value has a type.
func TestEverythingEvaluates(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		_, root := load(t, strings.TrimSuffix(filepath.Base(file), ".json"))
		for _, typ := range r4.Definitions().Types() {
			for _, p := range r4.Definitions().Params(typ) {
				values, err := p.Eval(root)
				if err != nil {
					t.Errorf("%s: %v", file, err)
				}
				for _, v := range values {
					if v.Type == "" || v.Node == nil {
						t.Errorf("%s: %s of %s has a value %+v", file, p.Code, typ, v)
					}
					for i := range p.Components {
						if _, err := p.Components[i].Eval(root, v); err != nil {
							t.Errorf("%s: %v", file, err)
						}
					}
				}
			}
		}
	}
}

func BenchmarkEval(b *testing.B) {
	_, root := load(b, "observation")
	params := r4.Definitions().Params("Observation")
	b.ReportAllocs()
	for b.Loop() {
		for _, p := range params {
			if _, err := p.Eval(root); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func load(tb testing.TB, file string) (data []byte, root *fhirjson.Node) {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", file+".json"))
	if err != nil {
		tb.Fatal(err)
	}
	root, err = fhirjson.Parse(data)
	if err != nil {
		tb.Fatal(err)
	}
	return data, root
}

func param(tb testing.TB, resourceType, code string) *r4.SearchParam {
	tb.Helper()
	p, ok := r4.Definitions().Param(resourceType, code)
	if !ok {
		tb.Fatalf("%s has no parameter %s", resourceType, code)
	}
	return p
}

// show prints each value as its type and compact JSON.
func show(data []byte, values []fhirpath.Value) []string {
	var shown []string
	for _, v := range values {
		text := v.Node.Text
		if v.Node.Start >= 0 {
			text = string(fhirjson.Compact(nil, data[v.Node.Start:v.Node.End]))
		}
		shown = append(shown, v.Type+" "+text)
	}
	return shown
}
