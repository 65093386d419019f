package population

import "time"

// A body answers what is measured of a person. Its values move from visit to visit: each drifts
// towards what age, conditions and treatment make of it.
type body struct {
	*life
	s        *stream
	pressure int // of the person when young and well, systolic
	pulse    int // off the usual, per minute
	own      [analytes]int
	last     [analytes]int // 0: never measured
}

// signs are the vital signs taken at a visit.
type signs struct {
	taken      vitals
	systolic   int // 0: it could not be measured
	diastolic  int // 0: it could not be heard
	pulse      int
	breaths    int
	celsius    int // tenths of a degree
	height     int // millimetres
	weight     int // tenths of a kilogram
	mass       int // tenths of kg/m2
	head       int // millimetres; 0: not measured
	saturation int // per cent
	oxygen     int // litres a minute through the nose; 0: room air
	massZ      int // hundredths of a deviation
	headZ      int
	smoking    smoking
}

func newBody(l *life, s *stream) *body {
	b := &body{life: l, s: s, pressure: s.around(114, 6), pulse: s.around(0, 6)}
	for a := range b.own {
		b.own[a] = s.around(assays[a].mean, assays[a].between)
	}
	return b
}

// examine takes the vital signs of a visit.
func (b *body) examine(v *visit) {
	g := &v.signs
	g.taken = v.kind.vitals
	b.measure(v, g)
	b.circulation(v, g)
	b.breathing(v, g)
	g.smoking = b.smokes
	if g.smoking == smokedOnce && daysFrom(v.start, b.end(b.asOf)) > 1500 {
		g.smoking = smokesDaily // given up since
	}
	short := b.suffers(copd, v.start) || b.suffers(asthma, v.start) || v.problem != nil && v.problem.breath
	if short && g.taken != 0 {
		g.taken |= takeSaturation
	}
}

// measure settles height, weight and body mass index, which fit each other.
func (b *body) measure(v *visit, g *signs) {
	row := build(daysFrom(b.birth, v.start))
	sex := man
	if b.female {
		sex = woman
	}
	g.height = row.height[sex] + roundDiv(b.heightZ*row.spread, 100)
	g.massZ = b.massZ + b.s.around(0, 4)
	mass := row.mass[sex] + roundDiv(g.massZ*row.massRange, 100)
	if b.age(v.start) >= 18 {
		mass = max(mass, 1750)
	}
	g.weight = int(int64(mass) * int64(g.height) * int64(g.height) / 10_000_000)
	if p := b.problem(pregnancy); p != nil && p.activeAt(v.start) {
		g.weight += max(daysFrom(p.onset, v.start)-70, 0) * 65 / 100 // 125 grams or so every other day
	}
	g.mass = massIndexOf(g.weight, g.height)
	if monthsAt(b.birth, v.start) < 36 && g.taken&takeHeight != 0 {
		g.headZ = clamp(b.heightZ/2+b.massZ/3+b.s.around(0, 6), -200, 200)
		g.head = row.head[sex] + roundDiv(g.headZ*13, 100)
	}
}

// massIndexOf returns the body mass index in tenths of kg/m2 of a weight in tenths of a kilogram
// and a height in millimetres.
func massIndexOf(weight, height int) int {
	square := int64(height) * int64(height)
	return int((int64(weight)*1_000_000 + square/2) / square)
}

// tooHeavy tells whether a visit finds obesity that nobody had found before.
func (b *body) tooHeavy(v *visit) bool {
	expects := b.suffers(pregnancy, v.start)
	return v.signs.taken&takeWeight != 0 && v.signs.mass >= 300 && !expects && b.age(v.start) >= obese.from && b.problem(obesity) == nil
}

// circulation settles blood pressure and pulse.
func (b *body) circulation(v *visit, g *signs) {
	years := b.age(v.start)
	target := b.pressure + max(years-45, 0)/4
	if years < 18 {
		target = min(b.pressure, 84+2*years)
	}
	if p := b.problem(hypertension); p != nil && p.activeAt(v.start) {
		target += 22
		if p.at != v {
			target -= 13 // treated
		}
	}
	g.systolic = b.s.around(target, 4)
	g.diastolic = b.s.around(g.systolic*63/100, 3)
	frail := b.persona != nil && b.persona.frail && v == b.visits[0]
	switch u := b.s.below(1000); {
	case u < 3, frail:
		g.systolic, g.diastolic = 0, 0
	case u < 9:
		g.diastolic = 0
	}

	byAge := [...]int{128, 112, 104, 98, 95, 92, 90, 88, 86, 84, 82, 81, 80, 79, 78, 77, 76, 75}
	target = 71
	if years < len(byAge) {
		target = byAge[years]
	}
	if b.suffers(afib, v.start) {
		target += 14
	}
	if v.problem != nil && v.problem.fever {
		target += 13
	}
	g.pulse = b.s.around(target+b.pulse, 4)
	if years < 3 {
		g.taken &^= takePressure // of no use so young
	}
}

// breathing settles breaths, temperature and oxygen saturation.
func (b *body) breathing(v *visit, g *signs) {
	years := b.age(v.start)
	byAge := [...]int{38, 30, 26, 24, 22, 21, 20, 20, 19, 19, 18, 18, 17, 17, 16, 16, 16, 15}
	target := 14
	if years < len(byAge) {
		target = byAge[years]
	}
	ill := v.problem
	g.celsius = b.s.around(368, 2)
	if ill != nil && ill.fever {
		g.celsius = b.s.around(383, 4)
	}
	usual, spread := 980, 6 // tenths of a per cent
	switch {
	case v.last:
		target, usual, spread, g.oxygen = target+8, 880, 10, 4
	case ill != nil && ill.breath:
		target, usual = target+4, 952
		g.taken |= takeBreaths
	case b.suffers(copd, v.start):
		usual, spread = 915, 10
		if ill != nil && ill.key == copd && b.s.chance(500) {
			g.oxygen = 2
		}
	case b.suffers(asthma, v.start):
		usual = 970
	}
	g.breaths = b.s.around(target, 1)
	g.saturation = min(roundDiv(b.s.around(usual, spread), 10), 100)
}

// level returns what the laboratory finds at t of an analyte that moves by itself.
func (b *body) level(a analyte, t time.Time) int {
	row := &assays[a]
	target := b.own[a] + b.shift(a, t)
	value := b.s.around(target, row.within)
	if before := b.last[a]; before > 0 {
		value = before + roundDiv((target-before)*45, 100) + b.s.around(0, row.within)
	}
	value = max(value, 1)
	b.last[a] = value
	return value
}

// shift is how far age, sex, conditions and their treatment move an analyte at t.
func (b *body) shift(a analyte, t time.Time) int {
	years := b.age(t)
	shift := 0
	// moves adds one value while a condition is new and another once it is treated.
	moves := func(key diseaseKey, fresh, treated int) {
		if p := b.problem(key); p != nil && p.activeAt(t) {
			if t.Sub(p.at.start) > 60*day || p.onset.Before(b.since) {
				shift += treated
			} else {
				shift += fresh
			}
		}
	}
	switch a {
	case hba1c:
		moves(prediabetes, 8, 8)
		moves(diabetes, 31, 19)
	case glucose:
		moves(prediabetes, 20, 19)
		moves(diabetes, 78, 45)
	case creatinine:
		shift += max(years-50, 0) / 3
		if b.female {
			shift -= 10
		} else {
			shift += 8
		}
		if years < 16 {
			shift -= (16 - years) * 3
		}
		moves(hypertension, 6, 10)
		moves(pregnancy, -12, -15)
	case ldl:
		shift += clamp(years-20, 0, 40) / 4
		moves(hyperlipidemia, 62, 8)
	case triglycerides:
		moves(obesity, 25, 25)
		moves(diabetes, 45, 30)
	case hdl:
		if !b.female {
			shift -= 9
		}
		moves(obesity, -4, -4)
	case hemoglobin:
		if !b.female && years >= 14 {
			shift += 13
		}
		moves(anemia, -34, -19)
		moves(pregnancy, -12, -19)
	case thyrotropin:
		moves(hypothyroidism, 690, 60)
	case inr:
		moves(afib, 2, 14)
	case albuminRatio:
		moves(diabetes, 22, 30)
	case ureaNitrogen:
		shift += max(years-60, 0) / 8
	}
	return shift
}
