package population

import "github.com/sandfhir/sandfhir/seed/internal/fhirwrite"

// A medication is one product, how it is taken and what a fill of it costs.
type medication struct {
	code     coding // RxNorm; no code: the text alone
	text     string
	sig      string // the dosage in words
	dose     int    // units each time
	unit     string // of a dose, in UCUM
	unitName string
	times    int // each period
	period   int
	each     string // unit of the period (UCUM, unitsOfTime)
	supply   int    // days that a fill lasts
	quantity int    // units of a fill
	refills  int
	brand    bool
	compound bool // mixed by the pharmacy
	product  int  // of our own National Drug Codes
	cents    int  // price of a fill
}

// drug is a row of the table: a tablet or the like, taken so many times a day for so many days.
func drug(product int, rxnorm, text, sig string, dose int, unit, unitName string, times, supply, refills, cents int) *medication {
	m := &medication{text: text, sig: sig, dose: dose, unit: unit, unitName: unitName, times: times, period: 1, each: "d",
		supply: supply, quantity: dose * times * supply, refills: refills, product: product, cents: cents}
	if rxnorm != "" {
		m.code = coding{System: sysRxNorm, Code: rxnorm, Display: text}
	}
	return m
}

const tablet, capsule, puff = "{tbl}", "{capsule}", "{puff}"

var (
	lisinopril   = drug(101, "314076", "lisinopril 10 MG Oral Tablet", "Take 1 tablet by mouth once daily", 1, tablet, "tablet", 1, 90, 3, 1450)
	hctz         = drug(102, "310798", "hydrochlorothiazide 25 MG Oral Tablet", "Take 1 tablet by mouth every morning", 1, tablet, "tablet", 1, 90, 3, 1180)
	amlodipine   = drug(103, "197361", "amlodipine 5 MG Oral Tablet", "Take 1 tablet by mouth once daily", 1, tablet, "tablet", 1, 90, 3, 1320)
	metformin    = drug(104, "860975", "24 HR metformin hydrochloride 500 MG Extended Release Oral Tablet", "Take 2 tablets by mouth with the evening meal", 2, tablet, "tablet", 1, 90, 3, 2240)
	insulin      = branded(drug(105, "106892", "insulin isophane, human 70 UNT/ML / insulin, regular, human 30 UNT/ML Injectable Suspension", "Inject 20 units under the skin twice daily before meals", 20, "[iU]", "units", 2, 50, 5, 14990))
	simvastatin  = drug(106, "314231", "simvastatin 10 MG Oral Tablet", "Take 1 tablet by mouth at bedtime", 1, tablet, "tablet", 1, 90, 3, 1390)
	simvastatin2 = drug(107, "312961", "simvastatin 20 MG Oral Tablet", "Take 1 tablet by mouth at bedtime", 1, tablet, "tablet", 1, 90, 3, 1610)
	albuterol    = drug(108, "2123111", "albuterol 0.09 MG/ACTUAT Metered Dose Inhaler", "Inhale 2 puffs every 4 to 6 hours as needed for wheezing", 2, puff, "puffs", 4, 25, 2, 5890)
	fluticasone  = drug(109, "895994", "120 ACTUAT fluticasone propionate 0.044 MG/ACTUAT Metered Dose Inhaler", "Inhale 2 puffs twice daily", 2, puff, "puffs", 2, 30, 5, 21340)
	salmeterol   = branded(drug(110, "896209", "60 ACTUAT fluticasone propionate 0.25 MG/ACTUAT / salmeterol 0.05 MG/ACTUAT Dry Powder Inhaler", "Inhale 1 puff twice daily", 1, puff, "puff", 2, 30, 5, 31275))
	warfarin     = drug(111, "855332", "warfarin sodium 5 MG Oral Tablet", "Take 1 tablet by mouth once daily as directed by the clinic", 1, tablet, "tablet", 1, 30, 5, 1275)
	digoxin      = drug(112, "197604", "digoxin 0.125 MG Oral Tablet", "Take 1 tablet by mouth once daily", 1, tablet, "tablet", 1, 90, 3, 3320)
	clopidogrel  = drug(113, "309362", "clopidogrel 75 MG Oral Tablet", "Take 1 tablet by mouth once daily", 1, tablet, "tablet", 1, 90, 3, 2015)
	nitroglyc    = branded(drug(114, "705129", "nitroglycerin 0.4 MG/ACTUAT Mucosal Spray", "Spray 1 puff under the tongue at chest pain; call 911 if it lasts", 1, puff, "spray", 1, 60, 1, 18750))
	alendronic   = drug(115, "904419", "alendronic acid 10 MG Oral Tablet", "Take 1 tablet by mouth every morning with a full glass of water", 1, tablet, "tablet", 1, 90, 3, 2480)
	naproxen     = drug(116, "849574", "naproxen sodium 220 MG Oral Tablet", "Take 1 tablet by mouth twice daily with food", 1, tablet, "tablet", 2, 30, 2, 1190)
	ferrous      = drug(117, "310325", "ferrous sulfate 325 MG Oral Tablet", "Take 1 tablet by mouth once daily between meals", 1, tablet, "tablet", 1, 90, 1, 890)
	levothyrox   = drug(118, "966222", "levothyroxine sodium 0.075 MG Oral Tablet", "Take 1 tablet by mouth every morning before breakfast", 1, tablet, "tablet", 1, 90, 3, 1960)
	fluoxetine   = drug(119, "310385", "fluoxetine 20 MG Oral Capsule", "Take 1 capsule by mouth every morning", 1, capsule, "capsule", 1, 90, 3, 1540)
	loratadine   = drug(120, "665078", "loratadine 5 MG Chewable Tablet", "Chew 2 tablets once daily in the pollen season", 2, tablet, "tablet", 1, 30, 3, 1310)
	stimulant    = drug(121, "", "methylphenidate extended release", "Take 1 capsule by mouth every morning on school days", 1, capsule, "capsule", 1, 30, 0, 9870)
	acetaminoph  = drug(130, "313782", "acetaminophen 325 MG Oral Tablet", "Take 1 tablet by mouth every 6 hours as needed", 1, tablet, "tablet", 4, 10, 0, 640)
	penicillin   = drug(131, "834102", "penicillin V potassium 500 MG Oral Tablet", "Take 1 tablet by mouth twice daily for 10 days", 1, tablet, "tablet", 2, 10, 0, 1420)
	amoxicillin  = drug(132, "308182", "amoxicillin 250 MG Oral Capsule", "Take 1 capsule by mouth three times daily for 10 days", 1, capsule, "capsule", 3, 10, 0, 1130)
	nitrofurant  = compounded(drug(133, "311989", "nitrofurantoin 5 MG/ML Oral Suspension", "Take 20 mL by mouth twice daily for 7 days", 20, "mL", "mL", 2, 7, 0, 5210))
	phenazopyr   = drug(134, "1094107", "phenazopyridine hydrochloride 100 MG Oral Tablet", "Take 1 tablet by mouth three times daily after meals for 2 days", 1, tablet, "tablet", 3, 2, 0, 1730)
	ibuprofen    = drug(135, "310965", "ibuprofen 200 MG Oral Tablet", "Take 2 tablets by mouth three times daily with food as needed", 2, tablet, "tablet", 3, 7, 0, 780)
	oxycodone    = drug(136, "1049221", "acetaminophen 325 MG / oxycodone hydrochloride 5 MG Oral Tablet", "Take 1 tablet by mouth every 6 hours as needed for severe pain", 1, tablet, "tablet", 4, 5, 0, 2260)
	prenatal     = drug(140, "", "prenatal multivitamin with folic acid", "Take 1 tablet by mouth once daily", 1, tablet, "tablet", 1, 90, 2, 1890)
)

// brands are the medications that are sold under a brand only.
var brands = []*medication{insulin, salmeterol, nitroglyc}

// branded marks a medication that is sold under a brand only.
func branded(m *medication) *medication {
	m.brand = true
	return m
}

// compounded marks a medication that the pharmacy mixes.
func compounded(m *medication) *medication {
	m.compound = true
	return m
}

// claimedAs is what the pharmacy claims.
func (m *medication) claimedAs() coding {
	if m.compound {
		return coding{System: carin + "C4BBCompoundLiteral", Code: "compound", Display: "compound"}
	}
	return coding{System: sysNDC, Code: m.ndc(), Display: m.text}
}

// ndc returns a National Drug Code of eleven digits. No labeler has the number 99999.
func (m *medication) ndc() string { return "99999" + padded(m.product, 4) + "01" }

func (m *medication) concept() concept {
	if m.code.Code == "" {
		return concept{Text: m.text}
	}
	return meaning(m.code)
}

// amount is a quantity of the medication's units.
func (m *medication) amount(n int) fhirwrite.Quantity {
	return fhirwrite.Quantity{Value: fhirwrite.Decimal{Units: n}, Unit: m.unitName, Code: m.unit}
}
