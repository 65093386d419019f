package population

import "github.com/sandfhir/sandfhir/seed/internal/fhirjson"

// laboratory writes a specimen, the results of it and, of a panel, the report.
func (r *scribe) laboratory(v *visit, res *result) {
	specimen := r.specimen(res)
	ids := make([]string, len(res.values))
	for i, f := range res.values {
		ids[i] = r.labResult(v, res, f, specimen)
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
	r.Identifier("", fhirjson.Identifier{System: idOwner + "specimen", Value: id})
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
func (r *scribe) labResult(v *visit, res *result, f finding, specimen string) string {
	row := &assays[f.analyte]
	id := r.observation(v, "us-core-observation-lab", laboratory, meaning(row.code), res.taken)
	r.issuedBy(res.issued, "Organization", silica.id)
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
	r.put(res.issued)
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
	r.begin("DiagnosticReport", r.next("rep", &r.written.reports), usCore+"us-core-diagnosticreport-lab")
	r.String("status", "final")
	r.CodedList("category", coding{System: sysDiagService, Code: "LAB", Display: "Laboratory"})
	r.Concept("code", meaning(res.panel.code))
	r.aboutPatient("subject")
	r.inEncounter(v)
	r.DateTime("effectiveDateTime", res.taken)
	r.issuedBy(res.issued, "Organization", silica.id)
	r.Array("specimen")
	r.Reference("", "Specimen", specimen, "")
	r.EndArray()
	r.Array("result")
	for _, id := range results {
		r.Reference("", "Observation", id, "")
	}
	r.EndArray()
	r.put(res.issued)
}
