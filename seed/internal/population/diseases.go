package population

// A diseaseKey names the conditions that vital signs, results and other conditions depend on.
type diseaseKey int

const (
	acute diseaseKey = iota // of no lasting effect
	hypertension
	prediabetes
	diabetes
	hyperlipidemia
	obesity
	asthma
	copd
	afib
	coronary
	osteoporosis
	arthritis
	anemia
	hypothyroidism
	depression
	rhinitis
	adhd
	pregnancy
	diseaseKeys // how many
)

// A sex restricts a condition to those who can have it.
type sex int

const (
	anySex sex = iota
	womenOnly
	menOnly
)

// A disease is a condition and what it brings with it.
type disease struct {
	key      diseaseKey
	snomed   coding
	icd10    coding
	sex      sex
	from, to int // years of age at onset
	outgrown int // years of age at which it has passed; 0: it stays
	permille int // of those who live through these years have it; of acute ones: the weight among them
	smokers  bool

	followUp int // months between visits; 0: none are needed
	regimens []regimen
	panels   []need
	exams    []examNeed

	// of acute diseases
	shortest, longest int // days
	visit             *visitKind
	fever, breath     bool
	stay              int // days in hospital
	operation         *procedureKind
}

// A regimen is one way to treat a disease, chosen in proportion to its weight.
type regimen struct {
	weight int
	steps  []step
}

// A step prescribes a medication from one year after the diagnosis until before another one.
type step struct {
	drug        *medication
	from, until int // until 0: for good
}

// A need is a panel that is due every so many months.
type need struct {
	panel *panel
	every int
}

// An examNeed is a procedure that is due every so many months.
type examNeed struct {
	exam  *procedureKind
	every int
}

func icd(code, display string) coding { return coding{System: sysICD10, Code: code, Display: display} }

// lifelong is a regimen of one medication for good.
func lifelong(weight int, m *medication) regimen {
	return regimen{weight, []step{{drug: m}}}
}

// chronic are the conditions that come and stay. Prediabetes ends where diabetes begins.
var chronic = []*disease{
	{key: hypertension, snomed: snomed("59621000", "Essential hypertension"), icd10: icd("I10", "Essential (primary) hypertension"),
		from: 30, to: 75, permille: 600, followUp: 10,
		regimens: []regimen{lifelong(55, lisinopril), lifelong(25, hctz), lifelong(20, amlodipine)},
		panels:   []need{{&basicMetabolic, 14}}},
	{key: prediabetes, snomed: snomed("15777000", "Prediabetes"), icd10: icd("R73.03", "Prediabetes"),
		from: 35, to: 60, permille: 250, followUp: 12, panels: []need{{&glycated, 12}}},
	{key: diabetes, snomed: snomed("44054006", "Diabetes mellitus type 2"), icd10: icd("E11.9", "Type 2 diabetes mellitus without complications"),
		from: 40, to: 78, permille: 220, followUp: 6,
		regimens: []regimen{{70, []step{{drug: metformin}}}, {30, []step{{drug: metformin}, {drug: insulin, from: 5}}}},
		panels:   []need{{&glycated, 4}, {&lipid, 12}, {&urineAlbumin, 12}, {&basicMetabolic, 12}}},
	{key: hyperlipidemia, snomed: snomed("55822004", "Hyperlipidemia"), icd10: icd("E78.5", "Hyperlipidemia, unspecified"),
		from: 35, to: 70, permille: 430, followUp: 12,
		regimens: []regimen{{50, []step{{drug: simvastatin}}}, {50, []step{{drug: simvastatin, until: 2}, {drug: simvastatin2, from: 2}}}},
		panels:   []need{{&lipid, 12}}},
	{key: asthma, snomed: snomed("195967001", "Asthma"), icd10: icd("J45.909", "Unspecified asthma, uncomplicated"),
		from: 2, to: 30, permille: 80, followUp: 12,
		regimens: []regimen{{60, []step{{drug: albuterol}}}, {40, []step{{drug: albuterol}, {drug: fluticasone}}}},
		exams:    []examNeed{{&spirometry, 24}}},
	{key: copd, snomed: snomed("13645005", "Chronic obstructive pulmonary disease"), icd10: icd("J44.9", "Chronic obstructive pulmonary disease, unspecified"),
		from: 50, to: 75, permille: 260, smokers: true, followUp: 6,
		regimens: []regimen{{100, []step{{drug: albuterol}, {drug: salmeterol, from: 1}}}},
		exams:    []examNeed{{&spirometry, 12}, {&pulmonaryRehab, 36}}},
	{key: afib, snomed: snomed("49436004", "Atrial fibrillation"), icd10: icd("I48.91", "Unspecified atrial fibrillation"),
		from: 60, to: 88, permille: 110, followUp: 5,
		regimens: []regimen{{60, []step{{drug: warfarin}}}, {40, []step{{drug: warfarin}, {drug: digoxin}}}},
		panels:   []need{{&clotting, 4}}, exams: []examNeed{{&cardioversion, 72}}},
	{key: coronary, snomed: snomed("53741008", "Coronary arteriosclerosis"), icd10: icd("I25.10", "Atherosclerotic heart disease of native coronary artery without angina pectoris"),
		from: 55, to: 80, permille: 110, followUp: 6,
		regimens: []regimen{{70, []step{{drug: clopidogrel}}}, {30, []step{{drug: clopidogrel}, {drug: nitroglyc}}}},
		panels:   []need{{&lipid, 12}}},
	{key: osteoporosis, snomed: snomed("64859006", "Osteoporosis"), icd10: icd("M81.0", "Age-related osteoporosis without current pathological fracture"),
		sex: womenOnly, from: 60, to: 82, permille: 220, followUp: 12, regimens: []regimen{lifelong(1, alendronic)},
		exams: []examNeed{{&boneDensity, 36}}},
	{key: arthritis, snomed: snomed("239873007", "Osteoarthritis of knee"), icd10: icd("M17.9", "Osteoarthritis of knee, unspecified"),
		from: 50, to: 80, permille: 180, followUp: 12, regimens: []regimen{lifelong(1, naproxen)}},
	{key: anemia, snomed: snomed("271737000", "Anemia"), icd10: icd("D64.9", "Anemia, unspecified"),
		sex: womenOnly, from: 15, to: 48, permille: 80, followUp: 12, regimens: []regimen{lifelong(1, ferrous)},
		panels: []need{{&bloodCount, 10}}},
	{key: hypothyroidism, snomed: snomed("40930008", "Hypothyroidism"), icd10: icd("E03.9", "Hypothyroidism, unspecified"),
		from: 30, to: 70, permille: 65, followUp: 12, regimens: []regimen{lifelong(1, levothyrox)},
		panels: []need{{&thyroid, 10}}},
	{key: depression, snomed: snomed("370143000", "Major depressive disorder"), icd10: icd("F32.9", "Major depressive disorder, single episode, unspecified"),
		from: 15, to: 60, permille: 130, followUp: 8, regimens: []regimen{lifelong(1, fluoxetine)},
		exams: []examNeed{{&behaviorTherapy, 18}}},
	{key: rhinitis, snomed: snomed("446096008", "Perennial allergic rhinitis"), icd10: icd("J30.89", "Other allergic rhinitis"),
		from: 5, to: 40, permille: 110, regimens: []regimen{lifelong(1, loratadine)}},
	{key: adhd, snomed: snomed("192127007", "Child attention deficit disorder"), icd10: icd("F90.9", "Attention-deficit hyperactivity disorder, unspecified type"),
		from: 6, to: 13, outgrown: 20, permille: 75, followUp: 9, regimens: []regimen{lifelong(1, stimulant)}},
}

// obese is drawn by nobody: it is found where the body mass index passes 30.
var obese = disease{key: obesity, snomed: snomed("162864005", "Body mass index 30+ - obesity"), icd10: icd("E66.9", "Obesity, unspecified"), from: 18, to: 120}

// expecting is the condition of a pregnant woman from the first visit to the delivery.
var expecting = disease{key: pregnancy, snomed: snomed("72892002", "Normal pregnancy"), icd10: icd("Z34.90", "Encounter for supervision of normal pregnancy, unspecified, unspecified trimester"),
	sex: womenOnly, from: 18, to: 42}

// episodes are the acute conditions, by weight among those that age and sex allow.
var episodes = []*disease{
	{snomed: snomed("444814009", "Viral sinusitis"), icd10: icd("J01.90", "Acute sinusitis, unspecified"),
		from: 3, to: 90, permille: 22, shortest: 14, longest: 21, visit: &symptomVisit, fever: true},
	{snomed: snomed("195662009", "Acute viral pharyngitis"), icd10: icd("J02.9", "Acute pharyngitis, unspecified"),
		from: 1, to: 90, permille: 20, shortest: 7, longest: 14, visit: &symptomVisit, fever: true, regimens: []regimen{lifelong(1, acetaminoph)}, operation: &throatCulture},
	{snomed: snomed("43878008", "Streptococcal sore throat"), icd10: icd("J02.0", "Streptococcal pharyngitis"),
		from: 4, to: 20, permille: 16, shortest: 8, longest: 14, visit: &urgentVisit, fever: true, regimens: []regimen{lifelong(1, penicillin)}, operation: &throatCulture},
	{snomed: snomed("10509002", "Acute bronchitis"), icd10: icd("J20.9", "Acute bronchitis, unspecified"),
		from: 2, to: 95, permille: 18, shortest: 10, longest: 25, visit: &symptomVisit, breath: true, regimens: []regimen{lifelong(1, acetaminoph)}},
	{snomed: snomed("65363002", "Otitis media"), icd10: icd("H66.90", "Otitis media, unspecified, unspecified ear"),
		from: 0, to: 6, permille: 45, shortest: 7, longest: 14, visit: &symptomVisit, fever: true, regimens: []regimen{lifelong(1, amoxicillin)}},
	{snomed: snomed("301011002", "Escherichia coli urinary tract infection"), icd10: icd("N39.0", "Urinary tract infection, site not specified"),
		sex: womenOnly, from: 16, to: 95, permille: 20, shortest: 5, longest: 12, visit: &urgentVisit, panels: []need{{&urinalysis, 0}},
		regimens: []regimen{{60, []step{{drug: nitrofurant}}}, {40, []step{{drug: nitrofurant}, {drug: phenazopyr}}}}},
	{snomed: snomed("44465007", "Sprain of ankle"), icd10: icd("S93.409A", "Sprain of unspecified ligament of unspecified ankle, initial encounter"),
		from: 10, to: 65, permille: 14, shortest: 14, longest: 28, visit: &emergencyVisit, regimens: []regimen{lifelong(1, ibuprofen)}, operation: &stretching},
	{snomed: snomed("283371005", "Laceration of forearm"), icd10: icd("S51.819A", "Laceration without foreign body of unspecified forearm, initial encounter"),
		from: 5, to: 80, permille: 8, shortest: 10, longest: 21, visit: &emergencyVisit, operation: &suture},
	{snomed: snomed("74400008", "Appendicitis"), icd10: icd("K37", "Unspecified appendicitis"),
		from: 10, to: 45, permille: 5, shortest: 14, longest: 28, visit: &inpatientStay, fever: true, stay: 3,
		panels: []need{{&bloodCount, 0}}, regimens: []regimen{lifelong(1, oxycodone)}, operation: &appendectomy},
	{snomed: snomed("233604007", "Pneumonia"), icd10: icd("J18.9", "Pneumonia, unspecified organism"),
		from: 1, to: 100, permille: 7, shortest: 14, longest: 35, visit: &inpatientStay, fever: true, breath: true, stay: 4,
		panels: []need{{&bloodCount, 0}, {&basicMetabolic, 0}}, regimens: []regimen{lifelong(1, amoxicillin)}},
}
