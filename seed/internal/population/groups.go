package population

// rolls keep who is a member of which group while the patients pass.
type rolls struct {
	patients  []int
	members   map[*payer][]int // by payer, whose record they are in; looked up only
	diabetic  []int
	asthmatic []int
	pregnant  []int
}

func newRolls() *rolls { return &rolls{members: make(map[*payer][]int)} }

// enter takes down the groups of a patient.
func (r *rolls) enter(l *life, b Blueprint) {
	r.patients = append(r.patients, l.n)
	if l.isMember() && b.onRoster(l.n) {
		r.members[l.payer] = append(r.members[l.payer], l.n)
	}
	if l.suffers(diabetes, l.now) {
		r.diabetic = append(r.diabetic, l.n)
	}
	if l.suffers(asthma, l.now) {
		r.asthmatic = append(r.asthmatic, l.n)
	}
	if l.suffers(pregnancy, l.now) && l.death.IsZero() {
		r.pregnant = append(r.pregnant, l.n)
	}
}

// A group is a Group of patients.
type group struct {
	id, name string
	owner    *payer
	code     coding // what the members have in common; no code: nothing in particular
	members  []int
}

// writeGroups writes the Groups. They were last updated at the population's own instant.
func writeGroups(s *sink, r *rolls) {
	all := r.patients
	writeGroup(s, group{id: "all", name: "All patients", members: all})
	for _, p := range payers {
		writeGroup(s, group{id: p.id, name: "Members of " + p.name, owner: p, members: r.members[p]})
	}
	writeGroup(s, group{id: "diabetes", name: "Patients with type 2 diabetes", members: r.diabetic,
		code: snomed("44054006", "Diabetes mellitus type 2")})
	writeGroup(s, group{id: "asthma", name: "Patients with asthma", members: r.asthmatic, code: snomed("195967001", "Asthma")})
	writeGroup(s, group{id: "pregnancy", name: "Patients who are pregnant", members: r.pregnant, code: snomed("72892002", "Normal pregnancy")})
	writeGroup(s, group{id: "one", name: "One patient", members: all[:min(1, len(all))]})
	writeGroup(s, group{id: "empty", name: "Nobody"})
}

func writeGroup(s *sink, g group) {
	s.begin("Group", g.id)
	s.Bool("active", true)
	s.String("type", "person")
	s.Bool("actual", true)
	s.String("name", g.name)
	s.Int("quantity", len(g.members))
	organization := ""
	if g.owner != nil {
		organization = g.owner.id
		s.Reference("managingEntity", "Organization", g.owner.id, g.owner.name)
	}
	if g.code.Code != "" {
		s.Array("characteristic")
		s.Object("")
		s.Concept("code", concept{Text: "Condition"})
		s.Coded("valueCodeableConcept", g.code)
		s.Bool("exclude", false)
		s.End()
		s.EndArray()
	}
	if len(g.members) > 0 {
		s.Array("member")
		for _, n := range g.members {
			s.Object("")
			s.Reference("entity", "Patient", patientID(n), "")
			s.End()
		}
		s.EndArray()
	}
	s.finish(organization, s.latest)
}
