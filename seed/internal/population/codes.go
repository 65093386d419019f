package population

import "github.com/sandfhir/sandfhir/seed/internal/fhirwrite"

// Short names for the data types that the tables are written in.
type (
	coding  = fhirwrite.Coding
	concept = fhirwrite.Concept
)

// Code systems.
const (
	sysSNOMED   = "http://snomed.info/sct"
	sysLOINC    = "http://loinc.org"
	sysRxNorm   = "http://www.nlm.nih.gov/research/umls/rxnorm"
	sysCVX      = "http://hl7.org/fhir/sid/cvx"
	sysNDC      = "http://hl7.org/fhir/sid/ndc"
	sysICD10    = "http://hl7.org/fhir/sid/icd-10-cm"
	sysHCPCS    = "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
	sysNUCC     = "http://nucc.org/provider-taxonomy"
	sysPlace    = "https://www.cms.gov/Medicare/Coding/place-of-service-codes/Place_of_Service_Code_Set"
	sysPayment  = "https://nahdo.org/sopt"
	sysOMB      = "urn:oid:2.16.840.1.113883.6.238"
	sysTribe    = "http://terminology.hl7.org/CodeSystem/v3-TribalEntityUS"
	sysLanguage = "urn:ietf:bcp:47"

	tho            = "http://terminology.hl7.org/CodeSystem/"
	sysActCode     = tho + "v3-ActCode"
	sysActReason   = tho + "v3-ActReason"
	sysPartType    = tho + "v3-ParticipationType"
	sysMarital     = tho + "v3-MaritalStatus"
	sysIdentifier  = tho + "v2-0203"
	sysDiagService = tho + "v2-0074"
	sysAbsent      = tho + "data-absent-reason"
	sysDischarge   = tho + "discharge-disposition"

	carin              = "http://hl7.org/fhir/us/carin-bb/CodeSystem/"
	sysC4Identifier    = carin + "C4BBIdentifierType"
	sysC4Info          = carin + "C4BBSupportingInfoType"
	sysC4CareTeam      = carin + "C4BBClaimCareTeamRole"
	sysC4Diagnosis     = carin + "C4BBClaimDiagnosisType"
	sysC4Amount        = carin + "C4BBAdjudication"
	sysC4Discriminator = carin + "C4BBAdjudicationDiscriminator"
	sysC4Status        = carin + "C4BBPayerAdjudicationStatus"
)

// Identifier systems. Those of people and payers are under example.org, which nobody can own
// (RFC 2606), so that no identifier can be taken for a real one.
const (
	idNPI   = "http://hl7.org/fhir/sid/us-npi"
	idSSN   = "http://hl7.org/fhir/sid/us-ssn"
	idNAIC  = "urn:oid:2.16.840.1.113883.6.300"
	idCLIA  = "urn:oid:2.16.840.1.113883.4.7"
	idOwner = "https://example.org/fhir/"
)

// Profiles that resources claim. US Core's have no version, so that one set serves 6.1.0 and
// 3.1.1; CARIN Blue Button's invariants demand one.
const (
	usCore  = "http://hl7.org/fhir/us/core/StructureDefinition/"
	c4      = "http://hl7.org/fhir/us/carin-bb/StructureDefinition/C4BB-"
	c4Level = "|2.0.0"
)

func snomed(code, display string) coding {
	return coding{System: sysSNOMED, Code: code, Display: display}
}
func loinc(code, display string) coding {
	return coding{System: sysLOINC, Code: code, Display: display}
}
func hcpcs(code, display string) coding {
	return coding{System: sysHCPCS, Code: code, Display: display}
}

// meaning is a concept of one coding, with the coding's display as text.
func meaning(c coding) concept { return concept{Codings: []coding{c}, Text: c.Display} }

// Codings that several kinds of resources share.
var (
	testData = coding{System: sysActReason, Code: "HTEST", Display: "test health data"}

	vitalSigns    = meaning(coding{System: tho + "observation-category", Code: "vital-signs", Display: "Vital Signs"})
	laboratory    = meaning(coding{System: tho + "observation-category", Code: "laboratory", Display: "Laboratory"})
	socialHistory = meaning(coding{System: tho + "observation-category", Code: "social-history", Display: "Social History"})

	attender   = coding{System: sysPartType, Code: "ATND", Display: "attender"}
	unknownNow = coding{System: sysAbsent, Code: "unknown", Display: "Unknown"}
)
