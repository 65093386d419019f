package population

// immunization writes the Immunization (US Core Immunization).
func (r *scribe) immunization(v *visit, s *shot) {
	r.begin("Immunization", r.next("imm", &r.written.immunizations), usCore+"us-core-immunization")
	if s.refused {
		r.String("status", "not-done")
		r.Coded("statusReason", coding{System: sysActReason, Code: "PATOBJ", Display: "patient objection"})
	} else {
		r.String("status", "completed")
	}
	r.Concept("vaccineCode", concept{Text: s.vaccine.text, Codings: []coding{
		{System: sysCVX, Code: s.vaccine.cvx, Display: s.vaccine.text}, {System: sysNDC, Code: s.vaccine.ndc()}}})
	r.aboutPatient("patient")
	if s.reported {
		r.Date("occurrenceDateTime", s.at)
		r.DateTime("recorded", v.start)
		r.Bool("primarySource", false)
		r.Coded("reportOrigin", coding{System: tho + "immunization-origin", Code: "record", Display: "Written Record"})
	} else {
		r.inEncounter(v)
		r.DateTime("occurrenceDateTime", s.at)
		r.Bool("primarySource", true)
		r.Reference("location", "Location", v.site.siteID(), "")
		r.Array("performer")
		r.Object("")
		r.Reference("actor", "Practitioner", v.doctor.id, "")
		r.End()
		r.EndArray()
	}
	if s.number > 0 && !s.refused {
		r.Array("protocolApplied")
		r.Object("")
		r.Int("doseNumberPositiveInt", s.number)
		r.End()
		r.EndArray()
	}
	r.put(later(s.at, v.start))
}
