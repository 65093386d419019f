package population

import "time"

// A fill is a supply that the pharmacy hands out for a prescription.
type fill struct {
	number int // 0: the first; above: refills
	at     time.Time
	drawn  bool // somebody came for it
}

// settleFills draws when people come to the pharmacy for what was prescribed to them, for each
// prescription once and perhaps for one refill.
func (l *life) settleFills() {
	s := newStream(l.seed, "fills", l.n)
	for _, p := range l.prescriptions {
		first := p.visit.end.Add(time.Duration(s.between(40, 26*60)) * time.Minute)
		again := s.chance(450) && p.drug.refills > 0
		p.fills[0] = fill{0, first, true}
		p.fills[1] = fill{1, first.Add(time.Duration(p.drug.supply) * day), again}
	}
}

// happened tells whether a fill was handed out by the instant at which the life is seen.
func (l *life) happened(p *prescription, f *fill) bool {
	if !f.drawn || !f.at.Before(l.now.Add(-time.Hour)) || !l.death.IsZero() && f.at.After(l.death) {
		return false
	}
	return f.number == 0 || p.ended.IsZero() || !f.at.After(p.ended)
}

// dispenseID returns the id of the MedicationDispense of a fill.
func (p *prescription) dispenseID(f *fill) string { return partID(p.id, "fill", f.number) }

// medicationDispense writes the MedicationDispense of a fill (US Core MedicationDispense).
func (r *scribe) medicationDispense(p *prescription, f *fill) {
	m := p.drug
	r.begin("MedicationDispense", p.dispenseID(f), usCore+"us-core-medicationdispense")
	r.String("status", "completed")
	r.medication(m)
	r.aboutPatient("subject")
	r.Reference("context", "Encounter", p.visit.id, "")
	r.Array("performer")
	r.Object("")
	r.Reference("actor", "Organization", driftwood.id, driftwood.name)
	r.End()
	r.EndArray()
	r.Array("authorizingPrescription")
	r.Reference("", "MedicationRequest", p.id, "")
	r.EndArray()
	kind := coding{System: sysActCode, Code: "FF", Display: "First Fill"}
	if f.number > 0 {
		kind.Code, kind.Display = "RF", "Refill"
	}
	r.Coded("type", kind)
	r.Quantity("quantity", m.amount(m.quantity))
	r.Quantity("daysSupply", measured(m.supply, 0, "days", "d"))
	r.DateTime("whenHandedOver", f.at)
	r.dosage(m)
	r.put(f.at)
}
