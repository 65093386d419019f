package r4_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/internal/fhirpath"
	"github.com/sandfhir/sandfhir/internal/r4"
)

func TestEveryExpressionCompiles(t *testing.T) {
	t.Parallel()
	compiled := 0
	compile := func(p *r4.SearchParam, expression string) {
		compiled++
		if _, err := fhirpath.Compile(expression); err != nil {
			t.Errorf("%s of %s: %v", p.Code, p.Type, err)
		}
	}
	for _, typ := range r4.Definitions().Types() {
		for _, p := range r4.Definitions().Params(typ) {
			if p.Expression != "" {
				compile(p, p.Expression)
			} else if !slices.Contains([]string{"_content", "_query", "_text"}, p.Code) {
				t.Errorf("%s of %s has no expression", p.Code, p.Type)
			}
			for _, part := range p.Components {
				compile(p, part.Expression)
			}
		}
	}
	if compiled < 2500 {
		t.Errorf("only %d expressions", compiled)
	}
}

// TestExpressionsApplyToTheirType proves that of a parameter of several types each has its part.
func TestExpressionsApplyToTheirType(t *testing.T) {
	t.Parallel()
	for _, typ := range r4.Definitions().Types() {
		for _, p := range r4.Definitions().Params(typ) {
			for alternative := range strings.SplitSeq(p.Expression, "|") {
				alternative = strings.TrimLeft(alternative, "( ")
				head := alternative[:max(0, strings.IndexAny(alternative+".", ". )"))]
				relative := head == strings.ToLower(head) // InsurancePlan's name | alias
				if !relative && head != typ && head != "Resource" {
					t.Errorf("%s of %s: %s", p.Code, typ, p.Expression)
				}
			}
		}
	}
	for typ, want := range map[string]string{
		"Observation": "Observation.code", "AllergyIntolerance": "AllergyIntolerance.code | AllergyIntolerance.reaction.substance",
		"MedicationRequest": "(MedicationRequest.medication as CodeableConcept)",
	} {
		if got := param(t, typ, "code").Expression; got != want {
			t.Errorf("code of %s is %s, want %s", typ, got, want)
		}
	}
}

func TestIDs(t *testing.T) {
	t.Parallel()
	table := r4.Definitions()
	seen := map[int32]string{}
	for _, typ := range append([]string{"Resource"}, table.Types()...) {
		params := table.Params(typ)
		if !slices.IsSortedFunc(params, func(a, b *r4.SearchParam) int { return strings.Compare(a.Code, b.Code) }) {
			t.Errorf("the parameters of %s are not sorted", typ)
		}
		for _, p := range params {
			if other, taken := seen[p.ID]; taken || p.ID <= 0 || p.ID >= 1<<15 {
				t.Errorf("%s of %s has the id %d, %q too", p.Code, typ, p.ID, other)
			}
			seen[p.ID] = typ + " " + p.Code
			if again, ok := table.ParamByID(p.ID); !ok || again != p || p.Type != typ {
				t.Errorf("ParamByID(%d) = %+v, want %s of %s", p.ID, again, p.Code, typ)
			}
		}
	}
	for _, id := range []int32{-1, 0, 127, 32767} {
		if p, ok := table.ParamByID(id); ok {
			t.Errorf("ParamByID(%d) = %s of %s", id, p.Code, p.Type)
		}
	}
}

// TestIDsAreForGood pins some ids: stores on people's disks refer to them.
func TestIDsAreForGood(t *testing.T) {
	t.Parallel()
	for want, c := range map[int32][2]string{
		3:     {"Resource", "_id"},
		131:   {"Account", "_id"},
		13224: {"Patient", "name"},
		13187: {"Patient", "_id"},
		12310: {"Observation", "code"},
		18713: {"VisionPrescription", "status"},
	} {
		if got := param(t, c[0], c[1]).ID; got != want {
			t.Errorf("%s of %s has the id %d, want %d", c[1], c[0], got, want)
		}
	}
}

func TestParams(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		typ, code, url string
		kind           r4.ParamKind
		targets        string
	}{
		"of Resource":               {"Patient", "_lastUpdated", "http://hl7.org/fhir/SearchParameter/Resource-lastUpdated", r4.Date, ""},
		"of DomainResource":         {"Patient", "_text", "http://hl7.org/fhir/SearchParameter/DomainResource-text", r4.String, ""},
		"R4: _profile is a uri":     {"Patient", "_profile", "http://hl7.org/fhir/SearchParameter/Resource-profile", r4.URI, ""},
		"number":                    {"RiskAssessment", "probability", "http://hl7.org/fhir/SearchParameter/RiskAssessment-probability", r4.Number, ""},
		"quantity":                  {"Observation", "value-quantity", "http://hl7.org/fhir/SearchParameter/Observation-value-quantity", r4.Quantity, ""},
		"special":                   {"Location", "near", "http://hl7.org/fhir/SearchParameter/Location-near", r4.Special, ""},
		"reference":                 {"Encounter", "subject", "http://hl7.org/fhir/SearchParameter/Encounter-subject", r4.Reference, "Group Patient"},
		"FR-UC-31 asserted-date":    {"Condition", "asserted-date", "http://hl7.org/fhir/us/core/SearchParameter/us-core-condition-asserted-date", r4.Date, ""},
		"FR-UC-31 discharge":        {"Encounter", "discharge-disposition", "http://hl7.org/fhir/us/core/SearchParameter/us-core-encounter-discharge-disposition", r4.Token, ""},
		"FR-UC-31 description":      {"Goal", "description", "http://hl7.org/fhir/us/core/SearchParameter/us-core-goal-description", r4.Token, ""},
		"FR-UC-32 the group's name": {"Group", "name", "http://hl7.org/fhir/SearchParameter/Group-name", r4.String, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := param(t, c.typ, c.code)
			if p.URL != c.url || p.Kind != c.kind || strings.Join(p.Targets, " ") != c.targets {
				t.Errorf("got %s %v %v, want %s %v [%s]", p.URL, p.Kind, p.Targets, c.url, c.kind, c.targets)
			}
		})
	}
	table := r4.Definitions()
	if got := param(t, "Provenance", "target").Targets; len(got) != len(table.Types()) {
		t.Errorf("Provenance.target may refer to %d types, want all", len(got))
	}
	if _, ok := table.Param("Bundle", "_text"); ok {
		t.Error("Bundle has _text, which is DomainResource's")
	}
	for _, typ := range []string{"", "Nothing", "HumanName", "DomainResource"} {
		if got := table.Params(typ); got != nil {
			t.Errorf("Params(%q) = %v", typ, got)
		}
		if _, ok := table.Param(typ, "_id"); ok {
			t.Errorf("%q has a parameter", typ)
		}
	}
}

func TestKindsHaveTheirCodes(t *testing.T) {
	t.Parallel()
	got := ""
	for k := r4.Number; k <= r4.Special; k++ {
		got += k.String() + " "
	}
	if want := "number date string token reference composite quantity uri special "; got != want {
		t.Errorf("kinds are %s, want %s", got, want)
	}
	if got := r4.ParamKind(0).String(); got != "ParamKind(0)" {
		t.Errorf("the zero kind is %s", got)
	}
}

func TestCompositesKnowTheirParts(t *testing.T) {
	t.Parallel()
	for _, typ := range r4.Definitions().Types() {
		for _, p := range r4.Definitions().Params(typ) {
			if (p.Kind == r4.Composite) != (len(p.Components) > 1) {
				t.Errorf("%s of %s is %v and has %d components", p.Code, typ, p.Kind, len(p.Components))
			}
			for _, c := range p.Components {
				if c.Param == nil || c.Param.Type != typ || c.Param.Kind == 0 || c.Param.Kind == r4.Composite {
					t.Errorf("a component of %s of %s is a value of %+v", p.Code, typ, c.Param)
				}
			}
		}
	}
}

// TestUSCoreSearches lists the parameters of US Core 6.1.0.
func TestUSCoreSearches(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"FR-UC-01": "AllergyIntolerance patient clinical-status",
		"FR-UC-02": "CarePlan patient category status date",
		"FR-UC-03": "CareTeam patient status role participant",
		"FR-UC-04": "Condition patient category clinical-status code onset-date abatement-date recorded-date asserted-date encounter",
		"FR-UC-05": "Coverage patient",
		"FR-UC-06": "Device patient type status",
		"FR-UC-07": "DiagnosticReport patient category code date status",
		"FR-UC-08": "DocumentReference _id patient category date type status period",
		"FR-UC-09": "Encounter _id patient date identifier type class status location discharge-disposition",
		"FR-UC-10": "Goal patient lifecycle-status target-date description",
		"FR-UC-11": "Immunization patient date status",
		"FR-UC-12": "Location name address address-city address-state address-postalcode",
		"FR-UC-14": "MedicationDispense patient status type medication",
		"FR-UC-15": "MedicationRequest patient intent status encounter authoredon medication",
		"FR-UC-16": "Observation patient category code date status",
		"FR-UC-17": "Organization name address",
		"FR-UC-18": "Patient _id identifier name birthdate gender family death-date given",
		"FR-UC-19": "Practitioner name identifier _id",
		"FR-UC-20": "PractitionerRole specialty practitioner endpoint",
		"FR-UC-21": "Procedure patient date status code",
		"FR-UC-22": "Provenance target",
		"FR-UC-23": "QuestionnaireResponse _id patient status authored questionnaire",
		"FR-UC-24": "RelatedPerson _id patient name",
		"FR-UC-25": "ServiceRequest _id patient category code authored status",
		"FR-UC-26": "Specimen _id patient",
		"FR-UC-32": "Group _id identifier name member type actual code",
		"FR-UC-33": "Bundle _lastUpdated",
	} {
		names := strings.Fields(want)
		for _, code := range names[1:] {
			if _, ok := r4.Definitions().Param(names[0], code); !ok {
				t.Errorf("%s: %s has no parameter %s", id, names[0], code)
			}
		}
	}
}

func TestPatientCompartment(t *testing.T) {
	t.Parallel()
	table := r4.Definitions()
	members := 0
	for _, typ := range table.Types() {
		params := table.PatientCompartment(typ)
		if table.InPatientCompartment(typ) != (len(params) > 0) {
			t.Errorf("%s is in the compartment: %v, by %d parameters", typ, table.InPatientCompartment(typ), len(params))
		}
		if len(params) > 0 {
			members++
		}
		for _, p := range params {
			if p == nil || p.Kind != r4.Reference || p.Type != typ {
				t.Errorf("FR-PC-02: %s is in the compartment by %+v", typ, p)
			} else if !slices.Contains(p.Targets, "Patient") {
				t.Errorf("FR-PC-02: %s of %s cannot refer to a Patient", p.Code, typ)
			}
		}
	}
	if members != 67 {
		t.Errorf("FR-PC-01: %d types are in the compartment, want the 67 of R4, Patient included", members)
	}
	for typ, want := range map[string]string{
		"Patient": "link", "Observation": "performer subject", "Appointment": "actor", "Group": "member",
		"Provenance": "patient", "Condition": "asserter patient", "Coverage": "beneficiary payor policy-holder subscriber",
		// FR-PC-03: context
		"Practitioner": "", "Organization": "", "Location": "", "Medication": "", "Device": "", "ValueSet": "", "Nothing": "", "HumanName": "",
	} {
		var codes []string
		for _, p := range table.PatientCompartment(typ) {
			codes = append(codes, p.Code)
		}
		if got := strings.Join(codes, " "); got != want {
			t.Errorf("FR-PC-02: %s is in the compartment by %q, want %q", typ, got, want)
		}
	}
}

func TestImplies(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		typ, code, system string
		want              bool
	}{
		{"Patient", "gender", "http://hl7.org/fhir/administrative-gender", true},
		{"Patient", "gender", "http://example.org", false},
		{"CapabilityStatement", "mode", "http://hl7.org/fhir/restful-capability-mode", true}, // below a backbone element
		{"CapabilityStatement", "mode", "http://example.org", false},
		{"DocumentReference", "contenttype", "urn:ietf:bcp:13", true}, // codes that nobody can list
		{"CodeSystem", "code", "http://example.org", true},            // no binding
		{"Patient", "deceased", "http://example.org", true},           // no plain path
	} {
		p, ok := r4.Definitions().Param(c.typ, c.code)
		if !ok {
			t.Fatalf("%s has no parameter %s", c.typ, c.code)
		}
		if got := p.Implies(c.system); got != c.want {
			t.Errorf("%s %s (%s): implies %s: got %t, want %t", c.typ, c.code, p.Expression, c.system, got, c.want)
		}
	}
}
