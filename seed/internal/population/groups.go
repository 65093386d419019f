package population

// rolls keep who is a member of which group while the patients pass.
type rolls struct {
	patients int
	members  map[*payer][]int // by payer, whose record they are in; looked up only
	diabetic []int
}

func newRolls() *rolls { return &rolls{members: make(map[*payer][]int)} }

// enter takes down the groups of a patient.
func (r *rolls) enter(l *life) {
	r.patients++
	if l.isMember() {
		r.members[l.payer] = append(r.members[l.payer], l.n)
	}
	if b := l.problem(diabetes); b != nil && b.at != nil {
		r.diabetic = append(r.diabetic, l.n)
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
	all := make([]int, r.patients)
	for i := range all {
		all[i] = i + 1
	}
	writeGroup(s, group{id: "all", name: "All patients", members: all})
	for _, p := range payers {
		writeGroup(s, group{id: p.id, name: "Members of " + p.name, owner: p, members: r.members[p]})
	}
	writeGroup(s, group{id: "diabetes", name: "Patients with type 2 diabetes", members: r.diabetic,
		code: snomed("44054006", "Diabetes mellitus type 2")})
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
