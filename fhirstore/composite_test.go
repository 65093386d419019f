package fhirstore_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/clock"
	"github.com/sandfhir/sandfhir/internal/r4"
	"github.com/sandfhir/sandfhir/internal/sqlitedb"
)

// composites are resources with the values of every shape of composite.
var composites = []string{
	`{"resourceType":"Observation","id":"bp","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"85354-9"},{"code":"bp"}]},"component":[` +
		`{"code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},"valueQuantity":{"value":120,"unit":"mmHg","system":"http://unitsofmeasure.org","code":"mm[Hg]"}},` +
		`{"code":{"coding":[{"system":"http://loinc.org","code":"8462-4"}]},"valueQuantity":{"value":80,"unit":"mmHg","system":"http://unitsofmeasure.org","code":"mm[Hg]"}},` +
		`{"code":{"coding":[{"code":"posture"}]},"valueCodeableConcept":{"coding":[{"system":"urn:posture","code":"sitting"}]}}]}`,
	`{"resourceType":"Observation","id":"hr","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"8867-4"}]},"valueQuantity":{"value":72.0,"unit":"/min"}}`,
	`{"resourceType":"Observation","id":"type","status":"final","code":{"coding":[{"code":"abo"}]},"valueCodeableConcept":{"coding":[{"system":"urn:abo","code":"A"}]}}`,
	`{"resourceType":"Observation","id":"mood","status":"final","code":{"coding":[{"code":"mood"}]},"valueString":"Très bien"}`,
	`{"resourceType":"Observation","id":"when","status":"final","code":{"coding":[{"code":"lmp"}]},"valueDateTime":"2026-01-14"}`,
	`{"resourceType":"Observation","id":"during","status":"final","code":{"coding":[{"code":"lmp"}]},"valuePeriod":{"start":"2026-03-01"}}`,
	`{"resourceType":"DocumentReference","id":"new","status":"current","content":[{"attachment":{"url":"http://x"}}],"relatesTo":[{"code":"replaces","target":{"reference":"DocumentReference/old"}},{"code":"appends","target":{"reference":"DocumentReference/other"}}]}`,
	`{"resourceType":"Group","id":"g","type":"person","actual":false,"characteristic":[{"code":{"coding":[{"code":"gender"}]},"valueCodeableConcept":{"coding":[{"code":"female"}]}},{"code":{"coding":[{"code":"insured"}]},"valueBoolean":true}]}`,
	`{"resourceType":"MolecularSequence","id":"m","coordinateSystem":0,"referenceSeq":{"chromosome":{"coding":[{"code":"1"}]},"referenceSeqId":{"coding":[{"code":"NC_000001.11"}]},"windowStart":100,"windowEnd":200},"variant":[{"start":120,"end":130},{"start":150,"end":190}]}`,
	`{"resourceType":"Questionnaire","id":"q","status":"active","useContext":[{"code":{"code":"age"},"valueRange":{"low":{"value":18,"unit":"a"},"high":{"value":65,"unit":"a"}}},{"code":{"code":"focus"},"valueCodeableConcept":{"coding":[{"code":"asthma"}]}}]}`,
	`{"resourceType":"Patient","id":"typed","identifier":[{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR"}],"text":"Record number"},"system":"urn:mrn","value":"446053"},{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"SS"}]},"value":"9"}]}`,
	`{"resourceType":"Observation","id":"logical","status":"final","code":{"text":"Körper temperature","coding":[{"code":"8310-5","display":"Body temperature"}]},"subject":{"type":"Patient","identifier":{"system":"urn:mrn","value":"446053"}}}`,
	`{"resourceType":"ValueSet","id":"deep","status":"active","url":"http://acme.org/fhir/ValueSet/123"}`,
	`{"resourceType":"ValueSet","id":"deeper","status":"active","url":"http://acme.org/fhir/ValueSet/123/_history/5"}`,
	`{"resourceType":"ValueSet","id":"beside","status":"active","url":"http://acme.org/fhir/ValueSet/1234"}`,
}

// compositeCases are about composites and the modifiers that look things up
// where other parameters do.
var compositeCases = []struct{ id, query, want string }{
	{"FR-ST-08 FR-UC-16 code and quantity", "Observation?code-value-quantity=http://loinc.org|8867-4$72", "hr"},
	{"FR-ST-08 code without system", "Observation?code-value-quantity=8867-4$gt70", "hr"},
	{"FR-ST-08 prefix within a part", "Observation?code-value-quantity=8867-4$lt70", ""},
	{"FR-ST-08 unit within a part", "Observation?code-value-quantity=8867-4$72||/min", "hr"},
	{"FR-ST-08 other unit", "Observation?code-value-quantity=8867-4$72||mg", ""},
	{"FR-ST-08 comma is OR", "Observation?code-value-quantity=8867-4$gt100,8867-4$le72", "hr"},
	{"FR-ST-08 repeated is AND", "Observation?code-value-quantity=8867-4$gt70&code-value-quantity=8867-4$gt100", ""},
	{"FR-ST-08 both parts in one component", "Observation?component-code-value-quantity=8480-6$gt100", "bp"},
	{"FR-ST-08 parts of two components", "Observation?component-code-value-quantity=8462-4$gt100", ""},
	{"FR-ST-08 AND over two components", "Observation?component-code-value-quantity=8480-6$120&component-code-value-quantity=8462-4$80", "bp"},
	{"FR-ST-08 combination, component", "Observation?combo-code-value-quantity=8480-6$ge120", "bp"},
	{"FR-ST-08 combination, whole", "Observation?combo-code-value-quantity=8867-4$ge72", "hr"},
	{"FR-ST-08 combination does not mix", "Observation?combo-code-value-quantity=85354-9$ge1", ""},
	{"FR-ST-08 two tokens", "Observation?code-value-concept=abo$urn:abo|A", "type"},
	{"FR-ST-08 two tokens of a component", "Observation?component-code-value-concept=posture$sitting", "bp"},
	{"FR-ST-08 two tokens, other system", "Observation?component-code-value-concept=posture$urn:x|sitting", ""},
	{"FR-ST-08 any code of a system", "Observation?component-code-value-quantity=http://loinc.org|$gt100", "bp"},
	{"FR-ST-08 string", "Observation?code-value-string=mood$tres", "mood"},
	{"FR-ST-08 date", "Observation?code-value-date=lmp$2026-01", "when"},
	{"FR-ST-08 date with a prefix", "Observation?code-value-date=lmp$ge2026-02", "during"},
	{"FR-ST-08 date of another code", "Observation?code-value-date=abo$2026-01", ""},
	{"FR-ST-08 reference before the token", "DocumentReference?relationship=DocumentReference/old$replaces", "new"},
	{"FR-ST-08 reference by id", "DocumentReference?relationship=old$replaces", "new"},
	{"FR-ST-08 reference of another element", "DocumentReference?relationship=other$replaces", ""},
	{"FR-ST-08 reference minds case", "DocumentReference?relationship=DocumentReference/OLD$replaces", ""},
	{"FR-ST-08 characteristic", "Group?characteristic-value=gender$female", "g"},
	{"FR-ST-08 characteristic, boolean", "Group?characteristic-value=insured$true", "g"},
	{"FR-ST-08 characteristic, mixed", "Group?characteristic-value=insured$female", ""},
	{"FR-ST-08 three parts", "MolecularSequence?chromosome-variant-coordinate=1$ge120$le130", "m"},
	{"FR-ST-08 three parts, of two variants", "MolecularSequence?chromosome-variant-coordinate=1$ge150$lt135", ""},
	{"FR-ST-08 three parts, window", "MolecularSequence?referenceseqid-window-coordinate=NC_000001.11$100$200", "m"},
	{"FR-ST-08 range within a context", "Questionnaire?context-type-quantity=age$gt60", "q"},
	{"FR-ST-08 range below", "Questionnaire?context-type-quantity=age$lt18", ""},
	{"FR-ST-08 context and code", "Questionnaire?context-type-value=focus$asthma", "q"},
	{"FR-SE-04 escaped $", `Observation?code-value-string=mood$tr\$es`, ""},

	{"FR-MO-03 :text of a display", "Observation?code:text=body", "logical"},
	{"FR-MO-03 :text of a text, without accents", "Observation?code:text=korper", "logical"},
	{"FR-MO-03 :text starts with", "Observation?code:text=temperature", ""},
	{"FR-MO-03 :text of an identifier's type", "Patient?identifier:text=record", "typed"},
	{"FR-MO-03 :text, comma is OR", "Observation?code:text=nothing,BODY", "logical"},
	{"FR-MO-03 :of-type", "Patient?identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|MR|446053", "typed"},
	{"FR-MO-03 :of-type of another identifier", "Patient?identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|SS|446053", ""},
	{"FR-MO-03 :of-type without a system of its own", "Patient?identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|SS|9", "typed"},
	{"FR-MO-04 :identifier", "Observation?subject:identifier=urn:mrn|446053", "logical"},
	{"FR-MO-04 :identifier without system", "Observation?subject:identifier=446053", "logical"},
	{"FR-MO-04 :identifier of patients alone", "Observation?patient:identifier=urn:mrn|446053", "logical"},
	{"FR-MO-04 :identifier, other system", "Observation?subject:identifier=urn:x|446053", ""},
	{"FR-MO-04 uri :below", "ValueSet?url:below=http://acme.org/fhir/ValueSet/123", "deep deeper"},
	{"FR-MO-04 uri :below with a slash", "ValueSet?url:below=http://acme.org/fhir/", "deep deeper beside"},
	{"FR-MO-04 uri :below minds case", "ValueSet?url:below=http://acme.org/FHIR", ""},
	{"FR-MO-04 uri :above", "ValueSet?url:above=http://acme.org/fhir/ValueSet/123/_history/5", "deep deeper"},
	{"FR-MO-04 uri :above of one above", "ValueSet?url:above=http://acme.org/fhir/ValueSet", ""},
}

func TestComposites(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, s *fhirstore.Store, _ *clock.Adjustable) {
		put(t, s, composites...)
		checkComposites(t, s)
	})
}

func checkComposites(t *testing.T, s *fhirstore.Store) {
	t.Helper()
	for _, c := range compositeCases {
		typ, query, _ := strings.Cut(c.query, "?")
		if got := ids(search(t, s, all, typ, query)); got != c.want {
			t.Errorf("%s: %s found %q; want %q", c.id, c.query, got, c.want)
		}
		checkEvaluators(t, s, typ, query)
	}
}

// TestOlderIndex opens a database that an older program indexed.
func TestOlderIndex(t *testing.T) {
	t.Parallel()
	for name, statements := range map[string][]string{
		"older schema":     append(withoutComposites(), "PRAGMA user_version = 3", "UPDATE meta SET value = '"+r4.Definitions().Hash()+"' WHERE key = 'index'"),
		"between the two":  {"DROP TABLE spans", "PRAGMA user_version = 4", "UPDATE meta SET value = '" + r4.Definitions().Hash() + " 2' WHERE key = 'index'"},
		"older rules":      {"DELETE FROM ix_token_number", "DELETE FROM ix_string", "UPDATE meta SET value = '" + r4.Definitions().Hash() + " 1' WHERE key = 'index'"},
		"the present ones": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s := must(fhirstore.Open(t.Context(), dir, fhirstore.Options{}))
			put(t, s, composites...)
			must(0, s.Close())
			db := must(sqlitedb.Open(filepath.Join(dir, "fhir.db"), sqlitedb.ReadWrite, sqlitedb.Options{}))
			for _, statement := range statements {
				must(db.Write().ExecContext(t.Context(), statement))
			}
			must(0, db.Close())
			s = must(fhirstore.Open(t.Context(), dir, fhirstore.Options{}))
			defer s.Close()
			checkComposites(t, s)
		})
	}
}

// withoutComposites are the statements that take a database back to what it was
// before it had composites.
func withoutComposites() (statements []string) {
	for _, kind := range []string{"token", "string", "ref", "number", "date"} {
		statements = append(statements, "DROP TABLE ix_token_"+kind)
	}
	return append(statements, "DROP INDEX ix_number_wide", "DROP TABLE spans")
}

// TestAllCompositesAreOffered: every composite of R4 can be searched by.
func TestAllCompositesAreOffered(t *testing.T) {
	t.Parallel()
	s := must(fhirstore.Open(t.Context(), "", fhirstore.Options{}))
	defer s.Close()
	count := 0
	for _, typ := range s.Types() {
		for _, p := range r4.Definitions().Params(typ) {
			if p.Kind != r4.Composite {
				continue
			}
			count++
			value := ""
			for i := range p.Components {
				if i > 0 {
					value += "$"
				}
				if kind := p.Components[i].Param.Kind; kind == r4.Date {
					value += "2026"
				} else {
					value += "1"
				}
			}
			if !fhirstore.Searchable(p) {
				t.Errorf("FR-ST-08: %s of %s is not offered", p.Code, typ)
			}
			search(t, s, all, typ, p.Code+"="+value)
		}
	}
	if count < 70 {
		t.Errorf("%d composites were looked at", count)
	}
}

func TestRefusedComposites(t *testing.T) {
	t.Parallel()
	s := must(fhirstore.Open(t.Context(), "", fhirstore.Options{}))
	defer s.Close()
	for _, c := range []struct{ id, query, code string }{
		{"FR-SE-06 one part", "Observation?code-value-quantity=8480-6", "value"},
		{"FR-SE-06 an empty part", "Observation?code-value-quantity=8480-6$", "value"},
		{"FR-SE-06 three parts of two", "Observation?code-value-quantity=8480-6$1$2", "value"},
		{"FR-SE-06 a part that is no number", "Observation?code-value-quantity=8480-6$many", "value"},
		{"FR-SE-06 two parts of three", "MolecularSequence?chromosome-variant-coordinate=1$2", "value"},
		{"FR-MO-01 :missing of a composite", "Observation?code-value-quantity:missing=true", "not-supported"},
		{"FR-SE-05 modifier of a composite", "Observation?code-value-quantity:not=1$2", "not-supported"},
		{"FR-RC-07 sort by a composite", "Observation?_sort=code-value-quantity", "not-supported"},
		{"FR-MO-03 :of-type without a part", "Patient?identifier:of-type=|MR|1", "value"},
		{"FR-MO-03 :of-type of two parts", "Patient?identifier:of-type=MR|1", "value"},
		{"FR-MO-03 :in", "Observation?code:in=http://x", "not-supported"},
		{"FR-MO-03 :not-in", "Observation?code:not-in=http://x", "not-supported"},
		{"FR-MO-03 :above", "Observation?code:above=x", "not-supported"},
		{"FR-MO-03 :below", "Observation?code:below=x", "not-supported"},
		{"FR-MO-04 :identifier of a token", "Patient?gender:identifier=x", "not-supported"},
		{"FR-MO-04 :text of a reference", "Observation?subject:text=x", "not-supported"},
		{"FR-MO-05 a modifier of a date", "Observation?date:above=2020", "not-supported"},
	} {
		typ, query, _ := strings.Cut(c.query, "?")
		_, err := s.Query(typ, must(fhirstore.ParseParams(query)), fhirstore.QueryOptions{Strict: true})
		var refused *fhirstore.QueryError
		if !errors.As(err, &refused) || refused.Code != c.code {
			t.Errorf("%s: %s gives %v; want the code %s", c.id, c.query, err, c.code)
		}
	}
}

// TestManyPairs has an element whose values would multiply beyond all bounds.
func TestManyPairs(t *testing.T) {
	t.Parallel()
	s := must(fhirstore.Open(t.Context(), "", fhirstore.Options{}))
	defer s.Close()
	var codings []string
	for i := range 1000 {
		codings = append(codings, fmt.Sprintf(`{"code":"c%d"}`, i))
	}
	list := strings.Join(codings, ",")
	put(t, s, `{"resourceType":"Observation","id":"many","status":"final","code":{"coding":[`+list+`]},"valueCodeableConcept":{"coding":[`+list+`]}}`)
	if got := ids(search(t, s, all, "Observation", "code-value-concept=c0$c999")); got != "many" {
		t.Errorf("found %q", got)
	}
	checkEvaluators(t, s, "Observation", "code-value-concept=c999$c999")
}
