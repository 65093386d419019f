package seed_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/seed"
)

// TestCodes checks the form of every code and, where the system has one, its check digit: that is
// what a slip of the finger in a table breaks.
func TestCodes(t *testing.T) {
	t.Parallel()
	form := func(pattern string) func(string) bool { return regexp.MustCompile(`^` + pattern + `$`).MatchString }
	rules := map[string]func(string) bool{
		"http://snomed.info/sct":                                              validSNOMED,
		"http://loinc.org":                                                    validAnyLOINC,
		"http://www.nlm.nih.gov/research/umls/rxnorm":                         form(`\d{1,8}`),
		"http://hl7.org/fhir/sid/cvx":                                         form(`\d{2,3}`),
		"http://hl7.org/fhir/sid/ndc":                                         form(`99999\d{6}`), // no labeler has this number
		"http://hl7.org/fhir/sid/icd-10-cm":                                   form(`[A-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?`),
		"http://nucc.org/provider-taxonomy":                                   form(`[0-9A-Z]{9}X`),
		"https://nahdo.org/sopt":                                              form(`\d{1,5}`),
		"urn:oid:2.16.840.1.113883.6.238":                                     form(`\d{4}-\d`),
		"urn:ietf:bcp:47":                                                     form(`[a-z]{2}`),
		"http://unitsofmeasure.org":                                           form(`[!-~]+`),
		"https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets":            form(`[A-V]\d{4}|[A-Z]{2}`),
		"http://www.cms.gov/Medicare/Coding/ICD10":                            form(`[0-9A-HJ-NP-Z]{7}`),
		"urn:oid:1.3.6.1.4.1.19376.1.2.3":                                     form(`urn:[a-zA-Z0-9:.\-]+`),
		"urn:oid:2.16.840.1.114222.4.5.338":                                   form(`\d{2}-\d{4}`),
		"urn:oid:2.16.840.1.114222.4.5.337":                                   form(`\d{6}`),
		"https://x12.org/codes/claim-adjustment-reason-codes":                 form(`\d{1,3}`),
		"https://x12.org/codesystem.x12.org/ambulance-transport-reason-codes": form(`[A-F]`),
		"https://www.cms.gov/Medicare/Medicare-Fee-for-Service-Payment/AcuteInpatientPPS/MS-DRG-Classifications-and-Software": form(`\d{3}`),
		"https://www.cms.gov/Medicare/Coding/place-of-service-codes/Place_of_Service_Code_Set":                                form(`\d{2}`),
	}
	all, _ := decode(t, seed.Population{Seed: 13, Patients: 80})
	seen := make(map[string]map[string]string) // display by system and code
	for _, r := range all {
		codings(r.body, func(system, code, display string) {
			if code == "" || system == "" {
				t.Errorf("%s: a coding %q of %q", r.key(), code, system)
			}
			rule, ok := rules[system]
			if !ok {
				if !strings.HasPrefix(system, "http://terminology.hl7.org/CodeSystem/") && !strings.HasPrefix(system, "http://hl7.org/fhir/us/") && !strings.HasPrefix(system, "https://www.nubc.org/CodeSystem/") {
					t.Errorf("%s: %q is of the system %q, which nobody expects", r.key(), code, system)
				}
				rule = form(`[^\s]+`)
			}
			if !rule(code) {
				t.Errorf("%s: %q is not a code of %s", r.key(), code, system)
			}
			if seen[system] == nil {
				seen[system] = make(map[string]string)
			}
			if before, ok := seen[system][code]; ok && before != display && display != "" && before != "" && system != "http://unitsofmeasure.org" {
				t.Errorf("%s: %s of %s is called %q here and %q elsewhere", r.key(), code, system, display, before)
			}
			seen[system][code] = display
		})
	}
	for system, least := range map[string]int{"http://snomed.info/sct": 60, "http://loinc.org": 40, "http://hl7.org/fhir/sid/icd-10-cm": 20,
		"http://www.nlm.nih.gov/research/umls/rxnorm": 20, "http://hl7.org/fhir/sid/cvx": 15} {
		if len(seen[system]) < least {
			t.Errorf("got %d codes of %s, want %d or more", len(seen[system]), system, least)
		}
	}
}

// codings calls f for every Coding and Quantity of a value.
func codings(v any, f func(system, code, display string)) {
	switch v := v.(type) {
	case map[string]any:
		system, isSystem := v["system"].(string)
		code, isCode := v["code"].(string)
		if isSystem && isCode {
			display, _ := v["display"].(string)
			f(system, code, display)
		}
		for _, child := range v {
			codings(child, f)
		}
	case []any:
		for _, child := range v {
			codings(child, f)
		}
	}
}

// validSNOMED checks the partition and the Verhoeff digit (SNOMED CT Release File
// Specifications, SCTID).
func validSNOMED(code string) bool {
	if !regexp.MustCompile(`^[1-9]\d{2,14}[01]0\d$`).MatchString(code) {
		return false
	}
	multiply := [10]string{"0123456789", "1234067895", "2340178956", "3401289567", "4012395678", "5987604321", "6598710432", "7659821043", "8765932104", "9876543210"}
	permute := [8]string{"0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415", "7046913258"}
	c := byte('0')
	for i := range len(code) {
		digit := code[len(code)-1-i]
		c = multiply[c-'0'][permute[i%8][digit-'0']-'0']
	}
	return c == '0'
}

// validLOINC checks the Luhn digit behind the hyphen (LOINC Users' Guide, check digits).
func validLOINC(code string) bool {
	number, check, ok := strings.Cut(code, "-")
	if !ok || len(check) != 1 || !regexp.MustCompile(`^\d{1,7}$`).MatchString(number) {
		return false
	}
	sum := 0
	for i := range len(number) {
		d := int(number[len(number)-1-i] - '0')
		if i%2 == 0 {
			d = d*2/10 + d*2%10
		}
		sum += d
	}
	return (10-sum%10)%10 == int(check[0]-'0')
}

// validAnyLOINC takes parts and answers of LOINC, too, whose last digit checks something else.
func validAnyLOINC(code string) bool {
	return validLOINC(code) || regexp.MustCompile(`^(LA|LP)\d{4,5}-\d$`).MatchString(code)
}
