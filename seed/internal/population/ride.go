package population

// A ride is what an ambulance did.
type ride struct {
	miles, pounds int
	reason        coding // X12
}

// rideClaim claims the ambulance that brought somebody to the emergency room, where one did.
func (r *scribe) rideClaim(s *stream, v *visit) {
	came, miles := s.chance(400), s.between(2, 24)
	c := &claim{visit: v, served: v.start, ended: v.start, provider: &micaHospital, doctor: v.doctor}
	c.ride = &ride{miles: miles, pounds: v.signs.weight * 22046 / 100000,
		reason: coding{System: "https://x12.org/codesystem.x12.org/ambulance-transport-reason-codes", Code: "A", Display: "Patient was transported to nearest facility for care of symptoms, complaints, or both"}}
	c.lines = []line{
		{service: hcpcs("A0429", "Ambulance service, basic life support, emergency transport (BLS-emergency)"), units: 1, submitted: 61000},
		{service: hcpcs("A0425", "Ground mileage, per statute mile"), units: miles, submitted: 1450 * miles},
	}
	if came {
		r.settle(s, c)
	}
}

// rideInfo writes the supportingInfo of an ambulance's claim.
func (r *scribe) rideInfo(sequence *int, k *ride) {
	r.info(sequence, "patientweight", "Patient Weight")
	r.Quantity("valueQuantity", measured(k.pounds, 0, "[lb_av]", "[lb_av]"))
	r.End()
	r.info(sequence, "ambulancetransportreason", "Ambulance Transport Reason")
	r.Coding("reason", k.reason)
	r.End()
	r.info(sequence, "transportationdistance", "Transportation Distance")
	r.Quantity("valueQuantity", measured(k.miles, 0, "[mi_i]", "[mi_i]"))
	r.End()
	for _, words := range [...][3]string{
		{"roudtrippurpose", "Round Trip Purpose", "One way only"},
		{"stretcherpurpose", "Stretcher Purpose", "Could not sit up"},
		{"pickuplocation", "Pickup Location", "At home"},
		{"dropofflocation", "Dropoff Location", "Emergency room of Mica Valley Hospital"},
	} {
		r.info(sequence, words[0], words[1])
		r.String("valueString", words[2])
		r.End()
	}
}

// rideItems is how many items rideInfo writes.
const rideItems = 7
