package population

import (
	"time"

	"github.com/sandfhir/sandfhir/seed/internal/fhirwrite"
)

// patient writes the Patient (US Core Patient; CARIN BB Patient where the payer holds the record).
func (r *scribe) patient() {
	p := r.person
	profiles := []string{usCore + "us-core-patient"}
	if p.isMember() {
		profiles = append(profiles, c4+"Patient"+c4Level)
	}
	r.begin("Patient", p.id, profiles...)
	if p.persona != nil && p.persona.narrative > 0 {
		r.longNarrative(p.persona.narrative)
	}
	if !r.bare() {
		r.patientExtensions()
	}
	r.patientIdentifiers()
	merged := r.merged()
	r.Bool("active", p.death.IsZero() && (merged.IsZero() || !isDuplicate(p.n)))
	r.patientNames()
	if !r.bare() {
		r.Array("telecom")
		r.Contact("", "phone", p.phone, "home")
		if p.age(p.end(r.now)) >= 14 {
			r.Contact("", "phone", p.mobile, "mobile")
			r.Contact("", "email", "patient."+padded(p.n, 6)+"@example.org", "home")
		}
		r.EndArray()
	}
	r.String("gender", p.gender)
	if r.bare() {
		r.String("birthDate", p.birth.Format("2006"))
	} else {
		r.Date("birthDate", p.birth)
	}
	if !p.death.IsZero() {
		r.DateTime("deceasedDateTime", p.death)
	}
	if !r.bare() {
		r.patientAddresses()
		r.Coded("maritalStatus", p.marital)
		if p.persona != nil && p.persona.twin {
			r.Int("multipleBirthInteger", 2)
		}
		r.Array("communication")
		r.Object("")
		r.Coded("language", coding{System: sysLanguage, Code: p.tongue.code, Display: p.tongue.display})
		r.Bool("preferred", true)
		r.End()
		r.EndArray()
		r.Array("generalPractitioner")
		r.Reference("", "Practitioner", p.doctor.id, p.doctor.name())
		r.EndArray()
	}
	r.Reference("managingOrganization", "Organization", p.clinic.id, p.clinic.name)
	if !merged.IsZero() {
		r.link()
	}

	told := r.since
	if n := len(r.visits); n > 0 {
		told = r.visits[n-1].start // when the front desk asked last
	}
	if !p.death.IsZero() {
		told = p.death.Add(26 * time.Hour)
	}
	r.put(later(later(told, merged), later(p.moved, p.renamed)))
}

// merged is when it was found out that the patient is there twice, or a zero time.
func (r *scribe) merged() time.Time {
	switch duplicate := r.person.n; {
	case isDuplicate(duplicate):
		return r.b.mergedOn(duplicate)
	case isDuplicate(duplicate+1) && duplicate < r.b.head():
		return r.b.mergedOn(duplicate + 1)
	}
	return time.Time{}
}

// link writes which Patient goes on and which one does not (FHIR R4, patient, linking).
func (r *scribe) link() {
	other, kind := r.person.n+1, "replaces"
	if isDuplicate(r.person.n) {
		other, kind = r.person.n-1, "replaced-by"
	}
	r.Array("link")
	r.Object("")
	r.Reference("other", "Patient", patientID(other), "")
	r.String("type", kind)
	r.End()
	r.EndArray()
}

// longNarrative writes a text of so many bytes, which is near the 64 KiB at which careless readers
// of lines stop.
func (r *scribe) longNarrative(size int) {
	const sentence = "This sentence is here to make the record long, and says nothing of anybody. "
	words := make([]byte, 0, size+len(sentence))
	for len(words) < size {
		words = append(words, sentence...)
	}
	r.narrative(string(words[:len(words)-1]))
}

func (r *scribe) patientExtensions() {
	p := r.person
	r.Array("extension")
	r.ombExtension("us-core-race", p.origin.race, p.origin.text)
	ethnicity := coding{System: sysOMB, Code: "2186-5", Display: "Not Hispanic or Latino"}
	if p.origin.hispanic {
		ethnicity = coding{System: sysOMB, Code: "2135-2", Display: "Hispanic or Latino"}
	}
	r.ombExtension("us-core-ethnicity", []coding{ethnicity}, ethnicity.Display)
	if p.origin.race[0] == native {
		r.Object("")
		r.Array("extension")
		r.Object("")
		r.String("url", "tribalAffiliation")
		r.Coded("valueCodeableConcept", coding{System: sysTribe, Code: "187", Display: "Paiute-Shoshone Tribe of the Fallon Reservation and Colony, Nevada"})
		r.End()
		r.EndArray()
		r.String("url", usCore+"us-core-tribal-affiliation")
		r.End()
	}
	birthsex, sex := "M", "248153007"
	if p.female {
		birthsex, sex = "F", "248152002"
	}
	r.Object("")
	r.String("url", usCore+"us-core-birthsex")
	r.String("valueCode", birthsex)
	r.End()
	r.Object("")
	r.String("url", usCore+"us-core-sex")
	r.String("valueCode", sex)
	r.End()
	r.EndArray()
}

// ombExtension writes the race or the ethnicity in the categories of the Office of Management
// and Budget.
func (r *scribe) ombExtension(name string, categories []coding, text string) {
	r.Object("")
	r.Array("extension")
	for _, c := range categories {
		r.Object("")
		r.String("url", "ombCategory")
		r.Coding("valueCoding", c)
		r.End()
	}
	r.Object("")
	r.String("url", "text")
	r.String("valueString", text)
	r.End()
	r.EndArray()
	r.String("url", usCore+name)
	r.End()
}

func (r *scribe) patientIdentifiers() {
	p := r.person
	r.Array("identifier")
	r.Identifier("", fhirwrite.Identifier{Use: "usual",
		Type: coding{System: sysIdentifier, Code: "MR", Display: "Medical record number"}, System: idOwner + "mrn", Value: p.recordNumber()})
	if p.payer != nil && !r.bare() {
		r.Identifier("", fhirwrite.Identifier{
			Type: coding{System: sysIdentifier, Code: "MB", Display: "Member Number"}, System: p.payer.memberSystem(), Value: p.memberNumber()})
		r.Identifier("", fhirwrite.Identifier{
			Type: coding{System: sysC4Identifier, Code: "um", Display: "Unique Member ID"}, System: p.payer.memberSystem() + "-unique", Value: p.memberNumber() + "U"})
	}
	if p.hasSSN {
		r.Identifier("", fhirwrite.Identifier{Use: "official",
			Type: coding{System: sysIdentifier, Code: "SS", Display: "Social Security number"}, System: idSSN, Value: ssn(p.n)})
	}
	r.EndArray()
}

func (p *person) recordNumber() string { return "MRN-" + padded(p.n, 7) }

func (p *person) memberNumber() string { return p.payer.memberPrefix + padded(p.n, 7) + "-01" }

func (p *payer) memberSystem() string { return "https://" + p.domain + "/fhir/member" }

func (r *scribe) patientNames() {
	p := r.person
	r.Array("name")
	r.Object("")
	r.String("use", "official")
	r.String("family", p.family)
	if len(p.given) > 0 {
		r.Strings("given", p.given...)
	}
	if p.suffix != "" {
		r.Strings("suffix", p.suffix)
	}
	if p.maiden != "" {
		r.Days("period", p.renamed, time.Time{})
	}
	r.End()
	if p.maiden != "" {
		r.Object("")
		r.String("use", "old")
		r.String("family", p.maiden)
		r.Strings("given", p.given...)
		r.Days("period", p.birth, p.renamed)
		r.End()
	}
	if p.persona != nil && p.persona.abroad {
		r.Object("")
		r.Array("extension")
		r.Object("")
		r.String("url", "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation")
		r.String("valueCode", "IDE")
		r.End()
		r.EndArray()
		r.String("use", "official")
		r.String("family", "砂原")
		r.Strings("given", "晴人")
		r.End()
	}
	r.EndArray()
}

func (r *scribe) patientAddresses() {
	p := r.person
	r.Array("address")
	r.address("home", p.home.line, p.home.town, p.moved, time.Time{})
	if p.former.line != "" {
		r.address("old", p.former.line, p.former.town, time.Time{}, p.moved)
	}
	r.EndArray()
}

// address writes one Address into an array. Without start and end it has no period.
func (s *sink) address(use, line string, t town, start, end time.Time) {
	s.Object("")
	s.addressParts(use, line, t)
	if !start.IsZero() || !end.IsZero() {
		s.Days("period", start, end)
	}
	s.End()
}

func (s *sink) addressParts(use, line string, t town) {
	if use != "" {
		s.String("use", use)
	}
	s.Strings("line", line)
	s.String("city", t.name)
	s.String("state", t.state)
	s.String("postalCode", t.zip)
	s.String("country", t.land())
}
