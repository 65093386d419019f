package population

import (
	"time"

	"github.com/sandfhir/sandfhir/seed/internal/fhirwrite"
)

func (p *practitioner) roleID() string { return "role-" + padded(p.n, 3) }

func (p *provider) endpointID() string { return "endpoint-" + p.id[len("provider-"):] }

// writePractitionerRole writes the PractitionerRole of a practitioner at their employer (US Core
// PractitionerRole).
func writePractitionerRole(s *sink, p *practitioner, at time.Time) {
	s.begin("PractitionerRole", p.roleID(), usCore+"us-core-practitionerrole")
	s.Bool("active", true)
	s.Reference("practitioner", "Practitioner", p.id, p.name())
	s.Reference("organization", "Organization", p.employer.id, p.employer.name)
	s.CodedList("code", p.specialty)
	s.CodedList("specialty", p.specialty)
	if p.employer.site.Code != "" {
		s.Array("location")
		s.Reference("", "Location", p.employer.siteID(), "")
		s.EndArray()
	}
	s.Array("telecom")
	s.Contact("", "phone", phone(p.employer.home.area, p.n), "work")
	s.Contact("", "email", p.id+"@"+p.employer.domain, "work")
	s.EndArray()
	s.Array("endpoint")
	s.Reference("", "Endpoint", p.employer.endpointID(), "")
	s.EndArray()
	s.finish("", at)
}

// writeEndpoint writes the Endpoint of a provider, at an address that nobody can have.
func writeEndpoint(s *sink, p *provider, at time.Time) {
	s.begin("Endpoint", p.endpointID())
	s.String("status", "active")
	s.Coding("connectionType", coding{System: tho + "endpoint-connection-type", Code: "hl7-fhir-rest", Display: "HL7 FHIR"})
	s.String("name", "FHIR server of "+p.name)
	s.Reference("managingOrganization", "Organization", p.id, p.name)
	s.CodedList("payloadType", coding{System: tho + "endpoint-payload-type", Code: "any", Display: "Any"})
	s.Strings("payloadMimeType", "application/fhir+json")
	s.String("address", "https://"+p.domain+"/fhir")
	s.finish("", at)
}

// writeMedication writes the Medication that is sold under a brand (US Core Medication). All
// others are named by code where they are prescribed.
func writeMedication(s *sink, m *medication, at time.Time) {
	s.begin("Medication", m.id(), usCore+"us-core-medication")
	s.Array("identifier")
	s.Identifier("", fhirwrite.Identifier{System: sysNDC, Value: m.ndc()})
	s.EndArray()
	s.Concept("code", m.concept())
	s.String("status", "active")
	s.finish("", at)
}

func (m *medication) id() string { return "medication-" + padded(m.product, 3) }

// medication writes what was prescribed or handed out: a reference to a Medication, or its code.
func (r *scribe) medication(m *medication) {
	if m.brand {
		r.Reference("medicationReference", "Medication", m.id(), m.text)
		return
	}
	r.Concept("medicationCodeableConcept", m.concept())
}
