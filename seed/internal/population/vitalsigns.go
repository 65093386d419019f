package population

import (
	"time"

	"github.com/sandfhir/sandfhir/seed/internal/fhirwrite"
)

var (
	bloodPressure     = meaning(loinc("85354-9", "Blood pressure panel with all children optional"))
	systolicPressure  = meaning(loinc("8480-6", "Systolic blood pressure"))
	diastolicPressure = meaning(loinc("8462-4", "Diastolic blood pressure"))
	heartRate         = meaning(loinc("8867-4", "Heart rate"))
	breathRate        = meaning(loinc("9279-1", "Respiratory rate"))
	temperature       = meaning(loinc("8310-5", "Body temperature"))
	bodyHeight        = meaning(loinc("8302-2", "Body height"))
	bodyWeight        = meaning(loinc("29463-7", "Body weight"))
	massIndex         = meaning(loinc("39156-5", "Body mass index (BMI) [Ratio]"))
	massPercentile    = meaning(loinc("59576-9", "Body mass index (BMI) [Percentile] Per age and sex"))
	lengthPercentile  = meaning(loinc("77606-2", "Weight-for-length Per age and sex"))
	headSize          = meaning(loinc("9843-4", "Head Occipital-frontal circumference"))
	headPercentile    = meaning(loinc("8289-1", "Head Occipital-frontal circumference Percentile"))
	oxygenSaturation  = concept{Text: "Oxygen saturation by pulse oximetry", Codings: []coding{
		loinc("59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry"), loinc("2708-6", "Oxygen saturation in Arterial blood")}}
	oxygenFlow  = meaning(loinc("3151-8", "Inhaled oxygen flow rate"))
	oxygenShare = meaning(loinc("3150-0", "Inhaled oxygen concentration"))
)

// vitalSigns writes the vital signs of a visit, each after the profile that its code calls for.
func (r *scribe) vitalSigns(v *visit) {
	g := &v.signs
	at := v.start.Add(4 * time.Minute)
	one := func(take vitals, profile string, code concept, q fhirwrite.Quantity) {
		if g.taken&take == 0 {
			return
		}
		r.observation(v, profile, vitalSigns, code, at)
		r.Quantity("valueQuantity", q)
		r.put(at)
	}
	months := monthsAt(r.birth, v.start)
	r.pressure(v, at)
	r.pulse(v, at)
	one(takeBreaths, "us-core-respiratory-rate", breathRate, measured(g.breaths, 0, "breaths/minute", "/min"))
	one(takeTemperature, "us-core-body-temperature", temperature, measured(g.celsius, 1, "Cel", "Cel"))
	one(takeHeight, "us-core-body-height", bodyHeight, measured(g.height, 1, "cm", "cm"))
	one(takeWeight, "us-core-body-weight", bodyWeight, measured(g.weight, 1, "kg", "kg"))
	both := g.taken&takeWeight != 0 && g.taken&takeHeight != 0
	if both && months >= 24 {
		one(takeWeight, "us-core-bmi", massIndex, measured(g.mass, 1, "kg/m2", "kg/m2"))
	}
	if both && months >= 24 && months < 240 {
		one(takeWeight, "pediatric-bmi-for-age", massPercentile, measured(percentile(g.massZ), 0, "%", "%"))
	}
	if both && months < 24 {
		one(takeWeight, "pediatric-weight-for-height", lengthPercentile, measured(percentile(g.massZ), 0, "%", "%"))
	}
	if g.head > 0 {
		one(takeHeight, "us-core-head-circumference", headSize, measured(g.head, 1, "cm", "cm"))
		one(takeHeight, "head-occipital-frontal-circumference-percentile", headPercentile, measured(percentile(g.headZ), 0, "%", "%"))
	}
	r.saturation(v, at)
}

// pulse writes the heart rate. One in ten is mistyped, which is found out and corrected after some
// weeks.
func (r *scribe) pulse(v *visit, at time.Time) {
	g := &v.signs
	mistyped, after := r.details.chance(100), r.details.between(8, 40)
	if g.taken&takePulse == 0 {
		return
	}
	status, value, told := "final", g.pulse, at
	found := at.Add(time.Duration(after) * day)
	if v == r.typo {
		mistyped, found = true, midnight(r.asOf).Add(11*day+10*time.Hour)
	}
	if mistyped && !v.last {
		if found.Before(r.end(r.now)) {
			status, told = "corrected", found
		} else {
			value += 40
		}
	}
	r.observed(v, status, "us-core-heart-rate", vitalSigns, heartRate, at)
	r.Quantity("valueQuantity", measured(value, 0, "beats/minute", "/min"))
	r.put(told)
}

// pressure writes the blood pressure, whose values are its two components.
func (r *scribe) pressure(v *visit, at time.Time) {
	g := &v.signs
	if g.taken&takePressure == 0 {
		return
	}
	r.observation(v, "us-core-blood-pressure", vitalSigns, bloodPressure, at)
	r.Array("component")
	r.Object("")
	r.Concept("code", systolicPressure)
	r.millimetres(g.systolic)
	r.End()
	r.Object("")
	r.Concept("code", diastolicPressure)
	r.millimetres(g.diastolic)
	r.End()
	r.EndArray()
	r.put(at)
}

// millimetres writes a pressure, or that it is not known.
func (r *scribe) millimetres(pressure int) {
	if pressure == 0 {
		r.Coded("dataAbsentReason", unknownNow)
		return
	}
	r.Quantity("valueQuantity", measured(pressure, 0, "mmHg", "mm[Hg]"))
}

// saturation writes the pulse oximetry, with what oxygen was given.
func (r *scribe) saturation(v *visit, at time.Time) {
	g := &v.signs
	if g.taken&takeSaturation == 0 {
		return
	}
	r.observation(v, "us-core-pulse-oximetry", vitalSigns, oxygenSaturation, at)
	r.Quantity("valueQuantity", measured(g.saturation, 0, "%", "%"))
	if g.oxygen > 0 {
		r.Array("component")
		r.Object("")
		r.Concept("code", oxygenFlow)
		r.Quantity("valueQuantity", measured(g.oxygen, 0, "L/min", "L/min"))
		r.End()
		r.Object("")
		r.Concept("code", oxygenShare)
		r.Quantity("valueQuantity", measured(20+4*g.oxygen, 0, "%", "%"))
		r.End()
		r.EndArray()
	}
	r.put(at)
}
