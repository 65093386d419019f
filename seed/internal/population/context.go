package population

import (
	"time"

	"github.com/sandfhir/sandfhir/seed/internal/fhirwrite"
)

// writeWorld writes the context that all patients share. It belongs to no organization, so that
// whatever view of a patient's data is taken, its references resolve.
func writeWorld(s *sink, w *world, asOf time.Time) {
	known := midnight(asOf).AddDate(-12, 0, 0) // before anything that patients' histories tell
	step := 0
	next := func() time.Time {
		step++
		return known.Add(time.Duration(step) * 47 * time.Minute)
	}
	for _, p := range payers {
		payerOrganization(s, p, next())
	}
	for i, p := range providers {
		providerOrganization(s, p, i, next())
	}
	for i, p := range providers {
		if p.site.Code != "" {
			location(s, p, i, next())
		}
	}
	for _, p := range w.practitioners {
		writePractitioner(s, p, next())
	}
	for _, p := range providers {
		writeEndpoint(s, p, next())
	}
	for _, p := range w.practitioners {
		writePractitionerRole(s, p, next())
	}
	for _, m := range brands {
		writeMedication(s, m, next())
	}
}

// payerOrganization writes a payer's Organization (US Core and CARIN BB Organization).
func payerOrganization(s *sink, p *payer, at time.Time) {
	s.begin("Organization", p.id, usCore+"us-core-organization", c4+"Organization"+c4Level)
	s.Array("identifier")
	s.Identifier("", fhirwrite.Identifier{Type: coding{System: sysC4Identifier, Code: "naiccode", Display: "NAIC Code"}, System: idNAIC, Value: p.naic})
	s.Identifier("", fhirwrite.Identifier{Type: coding{System: sysC4Identifier, Code: "payerid", Display: "Payer ID"}, System: idOwner + "payer", Value: p.memberPrefix})
	s.taxNumber(p.naic[2:])
	s.EndArray()
	s.organizationParts(p.name, p.domain, coding{System: tho + "organization-type", Code: "pay", Display: "Payer"}, p.home, "1 Hourglass Place", len(p.name))
	if p.partOf != nil {
		s.Reference("partOf", "Organization", p.partOf.id, "")
	}
	s.finish("", at)
}

// providerOrganization writes a provider's Organization (US Core and CARIN BB Organization).
func providerOrganization(s *sink, p *provider, n int, at time.Time) {
	s.begin("Organization", p.id, usCore+"us-core-organization", c4+"Organization"+c4Level)
	s.Array("identifier")
	s.Identifier("", fhirwrite.Identifier{Type: coding{System: sysIdentifier, Code: "NPI", Display: "National provider identifier"}, System: idNPI, Value: npi(99000000 + n)})
	s.taxNumber(padded(100+n, 3))
	if p.clia != "" {
		s.Identifier("", fhirwrite.Identifier{System: idCLIA, Value: p.clia})
	}
	s.EndArray()
	s.organizationParts(p.name, p.domain, coding{System: tho + "organization-type", Code: "prov", Display: "Healthcare Provider"}, p.home, p.street, 40+n)
	if p.partOf != "" {
		s.Reference("partOf", "Organization", p.partOf, "")
	}
	s.finish("", at)
}

// taxNumber writes, as an item of an open array, a number in the form of an Employer Identification
// Number. None begins with 00.
func (s *sink) taxNumber(serial string) {
	s.Identifier("", fhirwrite.Identifier{Type: coding{System: sysIdentifier, Code: "TAX", Display: "Tax ID number"}, System: "urn:oid:2.16.840.1.113883.4.4", Value: "00-0000" + serial})
}

func (s *sink) organizationParts(name, domain string, kind coding, home town, street string, n int) {
	s.Bool("active", true)
	s.CodedList("type", kind)
	s.String("name", name)
	s.Array("telecom")
	s.Contact("", "phone", phone(home.area, n), "work")
	s.Contact("", "email", "desk@"+domain, "work")
	s.EndArray()
	s.Array("address")
	s.address("work", street, home, time.Time{}, time.Time{})
	s.EndArray()
}

// location writes the one site of a provider (US Core Location).
func location(s *sink, p *provider, n int, at time.Time) {
	s.begin("Location", p.siteID(), usCore+"us-core-location")
	s.String("status", "active")
	s.String("name", p.name)
	s.String("mode", "instance")
	s.CodedList("type", p.site)
	s.Array("telecom")
	s.Contact("", "phone", phone(p.home.area, 60+n), "work")
	s.EndArray()
	s.Object("address")
	s.addressParts("work", p.street, p.home)
	s.End()
	s.Object("position")
	s.Decimal("longitude", fhirwrite.Decimal{Units: p.longitude, Places: 4})
	s.Decimal("latitude", fhirwrite.Decimal{Units: p.latitude, Places: 4})
	s.End()
	s.Reference("managingOrganization", "Organization", p.id, p.name)
	s.finish("", at)
}

// writePractitioner writes a Practitioner (US Core and CARIN BB Practitioner).
func writePractitioner(s *sink, p *practitioner, at time.Time) {
	s.begin("Practitioner", p.id, usCore+"us-core-practitioner", c4+"Practitioner"+c4Level)
	s.Array("identifier")
	s.Identifier("", fhirwrite.Identifier{Type: coding{System: sysIdentifier, Code: "NPI", Display: "National provider identifier"}, System: idNPI, Value: npi(p.n)})
	s.taxNumber(padded(200+p.n, 3))
	s.EndArray()
	s.Bool("active", true)
	s.Array("name")
	s.Object("")
	s.String("use", "official")
	s.String("family", p.family)
	s.Strings("given", p.given)
	s.Strings("prefix", "Dr.")
	s.End()
	s.EndArray()
	s.Array("telecom")
	s.Contact("", "phone", phone(p.employer.home.area, p.n), "work")
	s.Contact("", "email", p.id+"@"+p.employer.domain, "work")
	s.EndArray()
	s.Array("address")
	s.address("work", p.employer.street, p.employer.home, time.Time{}, time.Time{})
	s.EndArray()
	gender := "male"
	if p.female {
		gender = "female"
	}
	s.String("gender", gender)
	s.Array("qualification")
	s.Object("")
	s.Coded("code", p.specialty)
	s.End()
	s.EndArray()
	s.finish("", at)
}
