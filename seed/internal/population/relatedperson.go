package population

import "time"

// A relative is somebody whom the patient names: a child's mother, or whom to call.
type relative struct {
	relationship coding // v3-RoleCode
	family       string
	given        string
	female       bool
}

// relativeOf returns whom the patient names, or nil.
func (l *life) relativeOf() *relative {
	s := newStream(l.seed, "relative", l.n)
	adult := l.age(l.end(l.asOf)) >= 18
	if named := s.chance(250); adult && !named || l.persona != nil && l.persona.bare {
		return nil
	}
	k := &relative{relationship: role("MTH", "mother"), family: l.family, female: true}
	if adult {
		k.relationship, k.female = role("SIB", "sibling"), s.chance(500)
		if l.marital.Code == "M" {
			k.relationship, k.female = role("SPS", "spouse"), !l.female
		}
	}
	names := l.origin.adults.given(k.female)
	k.given = names[s.early(len(names))]
	return k
}

func (p *person) relativeID() string { return partID(p.id, "rel", 1) }

// relatedPerson writes the RelatedPerson (US Core and CARIN BB RelatedPerson).
func (r *scribe) relatedPerson(k *relative) {
	profiles := []string{usCore + "us-core-relatedperson"}
	if r.isMember() {
		profiles = append(profiles, c4+"RelatedPerson"+c4Level)
	}
	r.begin("RelatedPerson", r.relativeID(), profiles...)
	r.Bool("active", true)
	r.aboutPatient("patient")
	r.Concepts("relationship", meaning(k.relationship))
	r.Array("name")
	r.Object("")
	r.String("use", "official")
	r.String("family", k.family)
	r.Strings("given", k.given)
	r.End()
	r.EndArray()
	r.Array("telecom")
	r.Contact("", "phone", r.phone, "home")
	r.EndArray()
	gender := "male"
	if k.female {
		gender = "female"
	}
	r.String("gender", gender)
	r.Array("address")
	r.address("home", r.home.line, r.home.town, time.Time{}, time.Time{})
	r.EndArray()
	r.put(later(r.since, r.birth.Add(day)))
}
