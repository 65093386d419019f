package population

import (
	"time"

	"github.com/sandfhir/sandfhir/seed/internal/fhirwrite"
)

// A document is a DocumentReference and what it leads to.
type document struct {
	id       string
	kind     coding // LOINC
	title    string
	date     time.Time
	from, to time.Time // of the care that it tells of
	visit    *visit
	media    string // type
	data     []byte // within the DocumentReference; nil: in the Binary
	binary   string // id
	size     int    // bytes, of a Binary
}

var (
	progressNote     = loinc("11506-3", "Progress note")
	historyPhysical  = loinc("34117-2", "History and physical note")
	dischargeSummary = loinc("18842-5", "Discharge summary")
	emergencyNote    = loinc("34111-5", "Emergency department Note")
	careSummary      = loinc("34133-9", "Summary of episode note")

	clinicalNote = coding{System: "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category", Code: "clinical-note", Display: "Clinical Note"}
	mimeFormat   = coding{System: "urn:oid:1.3.6.1.4.1.19376.1.2.3", Code: "urn:ihe:iti:xds:2017:mimeTypeSufficient", Display: "mimeType Sufficient"}
	ccdaFormat   = coding{System: "urn:oid:1.3.6.1.4.1.19376.1.2.3", Code: "urn:hl7-org:sdwg:ccda-structuredBody:2.1", Display: "C-CDA R2.1 Structured Body"}
)

// noted writes the note of a visit, where there is one: inline, and of hospital stays as a Binary.
func (r *scribe) noted(v *visit) {
	written := r.details.chance(400)
	d := document{kind: progressNote, title: "Progress note", visit: v, date: v.end.Add(-time.Minute), from: v.start, to: v.end, media: "text/plain; charset=utf-8"}
	switch {
	case v.kind.class == inpatient:
		d.kind, d.title = dischargeSummary, "Discharge summary"
	case v.kind.class == emergency:
		d.kind, d.title = emergencyNote, "Emergency department note"
	case v.kind == &firstVisit:
		d.kind, d.title = historyPhysical, "History and physical"
	case !written || v.kind == &examVisit:
		return
	}
	d.id = r.next("doc", &r.written.documents)
	text := r.noteText(v, d.title)
	if v.kind.class == inpatient {
		d.binary, d.size = r.next("bin", &r.written.binaries), len(text)
		r.binary(d.binary, d.date, d.media, text)
	} else {
		d.data = text
	}
	r.documentReference(&d)
}

// summary writes the CCD about all that is known of the patient, as of the last visit.
func (r *scribe) summary() {
	last := r.visits[len(r.visits)-1]
	d := document{kind: careSummary, title: "Continuity of care document", visit: last, date: last.end.Add(10 * time.Minute),
		from: r.visits[0].start, to: last.end, media: "application/xml"}
	if last.last {
		d.date = last.end
	}
	d.id = r.person.id + "-ccd"
	xml := r.ccd(&d)
	d.binary, d.size = d.id, len(xml)
	r.binary(d.binary, d.date, d.media, xml)
	r.documentReference(&d)
	r.answered(r.person.id+"-prov-ccd", author{last.doctor, last.site}, d.date.Add(time.Minute))
}

// binary writes a Binary about the patient.
func (r *scribe) binary(id string, at time.Time, media string, content []byte) {
	r.begin("Binary", id)
	r.String("contentType", media)
	r.Reference("securityContext", "Patient", r.person.id, "")
	r.Base64("data", content)
	r.file(at)
}

// documentReference writes the DocumentReference (US Core DocumentReference).
func (r *scribe) documentReference(d *document) {
	r.begin("DocumentReference", d.id, usCore+"us-core-documentreference")
	r.Array("identifier")
	r.Identifier("", fhirwrite.Identifier{System: idOwner + "document", Value: d.id})
	r.EndArray()
	r.String("status", "current")
	r.String("docStatus", "final")
	r.Concept("type", meaning(d.kind))
	r.CodedList("category", clinicalNote)
	r.aboutPatient("subject")
	r.Instant("date", d.date)
	r.Array("author")
	r.Reference("", "Practitioner", d.visit.doctor.id, d.visit.doctor.name())
	r.EndArray()
	r.Reference("custodian", "Organization", d.visit.site.id, d.visit.site.name)
	r.Array("content")
	r.Object("")
	r.Object("attachment")
	r.String("contentType", d.media)
	format := mimeFormat
	if d.binary != "" {
		r.String("url", "Binary/"+d.binary)
		r.Int("size", d.size)
	} else {
		r.Base64("data", d.data)
	}
	r.String("title", d.title)
	r.Instant("creation", d.date)
	r.End()
	if d.media == "application/xml" {
		format = ccdaFormat
	}
	r.Coding("format", format)
	r.End()
	r.EndArray()
	r.Object("context")
	r.Array("encounter")
	r.Reference("", "Encounter", d.visit.id, "")
	r.EndArray()
	r.Period("period", d.from, d.to)
	r.End()
	r.put(later(d.date, d.to))
}
