package population

var (
	generalPhysician = snomed("59058001", "General physician")
	aPatient         = snomed("116154003", "Patient")
)

func (p *person) teamID() string { return partID(p.id, "team", 1) }

// careTeamOf writes the CareTeam (US Core CareTeam), as the first visit put it together. Its members
// are of the types that 3.1.1 allows, which knows neither PractitionerRole nor RelatedPerson there.
func (r *scribe) careTeamOf() {
	first := r.visits[0]
	r.begin("CareTeam", r.teamID(), usCore+"us-core-careteam")
	status := "active"
	if !r.death.IsZero() {
		status = "inactive"
	}
	r.String("status", status)
	r.String("name", "Care team of "+r.fullName())
	r.aboutPatient("subject")
	r.Days("period", first.start, r.death)
	r.Array("participant")
	r.participant(generalPhysician, "Practitioner", r.doctor.id, r.doctor.name())
	r.participant(aPatient, "Patient", r.person.id, r.fullName())
	r.participant(nucc("261QP2300X", "Primary Care Clinic/Center"), "Organization", r.clinic.id, r.clinic.name)
	r.EndArray()
	r.Array("managingOrganization")
	r.Reference("", "Organization", r.clinic.id, r.clinic.name)
	r.EndArray()
	r.put(later(first.end, r.death))
}

// participant writes one item of an open array.
func (r *scribe) participant(role coding, resourceType, id, display string) {
	r.Object("")
	r.Concepts("role", meaning(role))
	r.Reference("member", resourceType, id, display)
	r.End()
}
