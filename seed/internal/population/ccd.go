package population

import "time"

// ccd returns a document in the form of a C-CDA Continuity of Care Document (HL7 C-CDA R2.1): its
// header, and sections of words and tables without entries. It is made to be fetched and shown,
// and is no test of a C-CDA parser.
func (r *scribe) ccd(d *document) []byte {
	x := &xmlWriter{buf: make([]byte, 0, 6000)}
	x.raw(`<?xml version="1.0" encoding="UTF-8"?><ClinicalDocument xmlns="urn:hl7-org:v3">` +
		`<realmCode code="US"/><typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>` +
		`<templateId root="2.16.840.1.113883.10.20.22.1.1" extension="2015-08-01"/>` +
		`<templateId root="2.16.840.1.113883.10.20.22.1.2" extension="2015-08-01"/>`)
	x.raw(`<id root="2.999.1" extension="`).text(d.id).raw(`"/>`)
	x.raw(`<code code="34133-9" codeSystem="2.16.840.1.113883.6.1" displayName="Summarization of Episode Note"/>` +
		`<title>Continuity of care document (synthetic test data)</title>`)
	x.raw(`<effectiveTime value="`).moment(d.date).raw(`"/><confidentialityCode code="N" codeSystem="2.16.840.1.113883.5.25"/><languageCode code="en-US"/>`)
	r.ccdHeader(x, d)
	x.raw(`<component><structuredBody>`)
	r.ccdAllergies(x)
	r.ccdMedications(x)
	r.ccdProblems(x)
	r.ccdResults(x)
	r.ccdVitals(x)
	x.raw(`</structuredBody></component></ClinicalDocument>`)
	return x.buf
}

func (r *scribe) ccdHeader(x *xmlWriter, d *document) {
	p, code := r.person, "M"
	if p.female {
		code = "F"
	}
	x.raw(`<recordTarget><patientRole><id root="2.999.2" extension="`).text(p.recordNumber()).raw(`"/><addr use="HP"><streetAddressLine>`).
		text(p.home.line).raw(`</streetAddressLine><city>`).text(p.home.town.name).raw(`</city><state>`).text(p.home.town.state).
		raw(`</state><postalCode>`).text(p.home.town.zip).raw(`</postalCode><country>`).text(p.home.town.land()).raw(`</country></addr><telecom use="HP" value="tel:`).text(p.phone).raw(`"/><patient><name>`)
	for _, g := range p.given {
		x.raw(`<given>`).text(g).raw(`</given>`)
	}
	x.raw(`<family>`).text(p.family).raw(`</family></name><administrativeGenderCode code="` + code + `" codeSystem="2.16.840.1.113883.5.1"/><birthTime value="` + p.birth.Format("20060102") + `"/></patient></patientRole></recordTarget>`)
	x.raw(`<author><time value="`).moment(d.date).raw(`"/><assignedAuthor><id root="2.16.840.1.113883.4.6" extension="` + npi(d.visit.doctor.n) + `"/><assignedPerson><name><given>`).
		text(d.visit.doctor.given).raw(`</given><family>`).text(d.visit.doctor.family).raw(`</family></name></assignedPerson></assignedAuthor></author>`)
	x.raw(`<custodian><assignedCustodian><representedCustodianOrganization><id root="2.999.3" extension="`).text(d.visit.site.id).raw(`"/><name>`).
		text(d.visit.site.name).raw(`</name></representedCustodianOrganization></assignedCustodian></custodian>`)
	x.raw(`<documentationOf><serviceEvent classCode="PCPR"><effectiveTime><low value="`).moment(d.from).raw(`"/><high value="`).moment(d.to).raw(`"/></effectiveTime></serviceEvent></documentationOf>`)
}

func (r *scribe) ccdAllergies(x *xmlWriter) {
	x.section("2.16.840.1.113883.10.20.22.2.6.1", "48765-2", "Allergies", "Substance", "Reaction")
	for _, a := range r.allergies {
		reaction := ""
		if len(a.reaction) > 0 {
			reaction = a.reaction[0].Display
		}
		x.row(a.code.Display, reaction)
	}
	x.endSection()
}

func (r *scribe) ccdMedications(x *xmlWriter) {
	x.section("2.16.840.1.113883.10.20.22.2.1.1", "10160-0", "Medications", "Medication", "Directions", "Since")
	for _, p := range r.prescriptions {
		if p.status == "active" {
			x.row(p.drug.text, p.drug.sig, p.visit.start.Format(time.DateOnly))
		}
	}
	x.endSection()
}

func (r *scribe) ccdProblems(x *xmlWriter) {
	x.section("2.16.840.1.113883.10.20.22.2.5.1", "11450-4", "Problems", "Problem", "ICD-10-CM", "Onset", "Status")
	for _, b := range r.problems {
		if b.at == nil {
			continue
		}
		status := "active"
		if !b.abated.IsZero() {
			status = "resolved " + b.abated.Format(time.DateOnly)
		}
		x.row(b.snomed.Display, b.icd10.Code, b.onset.Format(time.DateOnly), status)
	}
	x.endSection()
}

// ccdResults shows the latest panel that gave numbers.
func (r *scribe) ccdResults(x *xmlWriter) {
	x.section("2.16.840.1.113883.10.20.22.2.3.1", "30954-2", "Results", "Test", "Value", "Unit", "Date")
	for i := len(r.visits) - 1; i >= 0; i-- {
		if len(r.visits[i].results) == 0 {
			continue
		}
		res := r.visits[i].results[0]
		for _, f := range res.values {
			if f.code.Code == "" && f.words == "" {
				x.row(assays[f.analyte].code.Display, f.analyte.quantity(f.value).Value.String(), assays[f.analyte].unit, res.taken.Format(time.DateOnly))
			}
		}
		break
	}
	x.endSection()
}

func (r *scribe) ccdVitals(x *xmlWriter) {
	x.section("2.16.840.1.113883.10.20.22.2.4.1", "8716-3", "Vital signs", "Date", "Heart rate", "Weight")
	for i := len(r.visits) - 1; i >= max(0, len(r.visits)-4); i-- {
		if g := &r.visits[i].signs; g.taken&takePulse != 0 && g.taken&takeWeight != 0 {
			x.row(r.visits[i].start.Format(time.DateOnly), measured(g.pulse, 0, "", "").Value.String(), measured(g.weight, 1, "", "").Value.String()+" kg")
		}
	}
	x.endSection()
}

// An xmlWriter appends XML.
type xmlWriter struct {
	buf  []byte
	rows int // of the open table
}

// raw appends markup.
func (x *xmlWriter) raw(s string) *xmlWriter {
	x.buf = append(x.buf, s...)
	return x
}

// text appends character data or what stands in an attribute.
func (x *xmlWriter) text(s string) *xmlWriter {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '&':
			x.raw("&amp;")
		case '<':
			x.raw("&lt;")
		case '"':
			x.raw("&quot;")
		default:
			x.buf = append(x.buf, c)
		}
	}
	return x
}

// moment appends a time in the form of HL7 version 3.
func (x *xmlWriter) moment(t time.Time) *xmlWriter {
	x.buf = t.AppendFormat(x.buf, "20060102150405-0700")
	return x
}

// section opens a section with a table of these columns.
func (x *xmlWriter) section(template, code, title string, columns ...string) {
	x.rows = 0
	x.raw(`<component><section><templateId root="` + template + `"/><code code="` + code + `" codeSystem="2.16.840.1.113883.6.1"/><title>` + title + `</title><text><table><thead><tr>`)
	for _, c := range columns {
		x.raw(`<th>` + c + `</th>`)
	}
	x.raw(`</tr></thead><tbody>`)
}

func (x *xmlWriter) row(cells ...string) {
	x.rows++
	x.raw(`<tr>`)
	for _, c := range cells {
		x.raw(`<td>`).text(c).raw(`</td>`)
	}
	x.raw(`</tr>`)
}

// endSection closes a section, whose table must have a row.
func (x *xmlWriter) endSection() {
	if x.rows == 0 {
		x.row("None known")
	}
	x.raw(`</tbody></table></text></section></component>`)
}
