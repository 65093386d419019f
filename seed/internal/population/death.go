package population

// A cause is what people die of.
type cause struct {
	snomed, icd10 coding
	key           diseaseKey // with which it is the cause of half of the deaths; acute: none
	young, old    int        // weights below and from the age of 65
}

// causes are the leading ones of the United States, with roughly their shares (CDC, National
// Vital Statistics System).
var causes = []cause{
	{snomed("53741008", "Coronary arteriosclerosis"), icd("I25.10", "Atherosclerotic heart disease of native coronary artery without angina pectoris"), coronary, 150, 250},
	{snomed("363346000", "Malignant neoplastic disease"), icd("C80.1", "Malignant (primary) neoplasm, unspecified"), acute, 200, 210},
	{snomed("230690007", "Cerebrovascular accident"), icd("I63.9", "Cerebral infarction, unspecified"), afib, 50, 80},
	{snomed("13645005", "Chronic obstructive pulmonary disease"), icd("J44.9", "Chronic obstructive pulmonary disease, unspecified"), copd, 40, 70},
	{snomed("26929004", "Alzheimer's disease"), icd("G30.9", "Alzheimer's disease, unspecified"), acute, 0, 80},
	{snomed("44054006", "Diabetes mellitus type 2"), icd("E11.9", "Type 2 diabetes mellitus without complications"), diabetes, 40, 40},
	{snomed("233604007", "Pneumonia"), icd("J18.9", "Pneumonia, unspecified organism"), acute, 30, 50},
	{snomed("217082002", "Accidental fall"), icd("W19.XXXA", "Unspecified fall, initial encounter"), acute, 250, 60},
}

// causeOfDeath draws what the person died of.
func (l *life) causeOfDeath() *cause {
	s := newStream(l.seed, "cause of death", l.n)
	for i := range causes {
		if c := &causes[i]; c.key != acute && l.suffers(c.key, l.death) && s.chance(500) {
			return c
		}
	}
	weights := make([]int, len(causes))
	for i, c := range causes {
		weights[i] = c.old
		if l.age(l.death) < 65 {
			weights[i] = c.young
		}
		if c.key != acute && !l.suffers(c.key, l.death) {
			weights[i] /= 4 // it would have been known
		}
	}
	return &causes[s.weighted(weights)]
}

// died writes the cause of death (US Core Observation Clinical Result).
func (r *scribe) died() {
	c, last := r.causeOfDeath(), r.visits[len(r.visits)-1]
	r.begin("Observation", r.person.id+"-death", usCore+"us-core-observation-clinical-result")
	r.String("status", "final")
	r.CodedList("category", coding{System: tho + "observation-category", Code: "exam", Display: "Exam"})
	r.Concept("code", meaning(loinc("69453-9", "Cause of death [US Standard Certificate of Death]")))
	r.aboutPatient("subject")
	if last.last {
		r.inEncounter(last)
	}
	r.DateTime("effectiveDateTime", r.death)
	r.references("performer", "Practitioner", last.doctor.id)
	r.Concept("valueCodeableConcept", concept{Codings: []coding{c.snomed, c.icd10}, Text: c.snomed.Display})
	r.put(r.death)
}
