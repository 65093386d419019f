package population

import (
	"time"

	"github.com/sandfhir/sandfhir/seed/internal/fhirwrite"
)

// laboratory writes a specimen, the results of it and, of a panel, the report.
func (r *scribe) laboratory(v *visit, res *result) {
	r.correct(v, res)
	specimen := r.specimen(res)
	ids := make([]string, len(res.values))
	for i := range res.values {
		ids[i] = r.labResult(v, res, i, specimen)
	}
	if res.panel.code.Code != "" {
		r.diagnosticReport(v, res, specimen, ids)
	}
}

// specimen writes the Specimen (US Core Specimen).
func (r *scribe) specimen(res *result) string {
	id := r.next("spec", &r.written.specimens)
	r.begin("Specimen", id, usCore+"us-core-specimen")
	r.Array("identifier")
	r.Identifier("", fhirwrite.Identifier{System: idOwner + "specimen", Value: id})
	r.EndArray()
	r.String("status", "available")
	r.Concept("type", meaning(specimens[assays[res.panel.members[0]].specimen]))
	r.aboutPatient("subject")
	r.Object("collection")
	r.DateTime("collectedDateTime", res.taken)
	r.End()
	r.put(res.taken)
	return id
}

// labResult writes one result (US Core Laboratory Result Observation).
func (r *scribe) labResult(v *visit, res *result, n int, specimen string) string {
	f, status, issued := res.values[n], "final", res.issued
	if !res.corrected.IsZero() && n == res.wrong {
		if res.correctedBy(r.now) {
			status, issued = "corrected", res.corrected
		} else {
			f.value = res.before
		}
	}
	row := &assays[f.analyte]
	id := r.observed(v, status, "us-core-observation-lab", laboratory, meaning(row.code), res.taken)
	r.issuedBy(issued, "Organization", silica.id)
	switch {
	case f.code.Code != "":
		r.Concept("valueCodeableConcept", meaning(f.code))
	case f.words != "":
		r.String("valueString", f.words)
	default:
		r.Quantity("valueQuantity", f.analyte.quantity(f.value))
	}
	low, high := f.analyte.bounds(r.female)
	if high > 0 {
		r.CodedList("interpretation", interpret(f.value, low, high))
	}
	r.Reference("specimen", "Specimen", specimen, "")
	if high > 0 {
		r.Array("referenceRange")
		r.Object("")
		if low > 0 {
			r.Quantity("low", f.analyte.quantity(low))
		}
		r.Quantity("high", f.analyte.quantity(high))
		r.End()
		r.EndArray()
	}
	r.put(issued)
	return id
}

// interpret compares a value with its reference range.
func interpret(value, low, high int) coding {
	c := coding{System: tho + "v3-ObservationInterpretation", Code: "N", Display: "Normal"}
	switch {
	case value < low:
		c.Code, c.Display = "L", "Low"
	case value > high:
		c.Code, c.Display = "H", "High"
	}
	return c
}

// diagnosticReport writes the report of a panel (US Core DiagnosticReport for Laboratory Results).
func (r *scribe) diagnosticReport(v *visit, res *result, specimen string, results []string) {
	status, issued := "final", res.issued
	if res.correctedBy(r.now) {
		status, issued = "corrected", res.corrected
	}
	r.begin("DiagnosticReport", r.next("rep", &r.written.reports), usCore+"us-core-diagnosticreport-lab")
	r.String("status", status)
	r.CodedList("category", coding{System: sysDiagService, Code: "LAB", Display: "Laboratory"})
	r.Concept("code", meaning(res.panel.code))
	r.aboutPatient("subject")
	r.inEncounter(v)
	r.DateTime("effectiveDateTime", res.taken)
	r.issuedBy(issued, "Organization", silica.id)
	r.Array("specimen")
	r.Reference("", "Specimen", specimen, "")
	r.EndArray()
	r.Array("result")
	for _, id := range results {
		r.Reference("", "Observation", id, "")
	}
	r.EndArray()
	r.put(issued)
}

// correct draws whether a value of a visit's panel is wrong at first, which is found out
// after some days. Only a value that no other is computed from can be.
func (r *scribe) correct(v *visit, res *result) {
	wrong, after, off := r.details.chance(150), r.details.between(2, 25), r.details.between(112, 138)
	if !wrong || v.last {
		return
	}
	for i, f := range res.values {
		switch f.analyte {
		case glucose, thyrotropin, platelets, leukocytes, albuminRatio:
			res.corrected, res.wrong, res.before = res.issued.Add(time.Duration(after)*day), i, f.value*off/100
			return
		}
	}
}

// correctedBy tells whether a value has been corrected by an instant.
func (res *result) correctedBy(t time.Time) bool {
	return !res.corrected.IsZero() && res.corrected.Before(t)
}
