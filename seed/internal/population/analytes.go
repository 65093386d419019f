package population

import "github.com/sandfhir/sandfhir/seed/internal/fhirwrite"

// An analyte is something that the laboratory measures.
type analyte int

const (
	glucose analyte = iota
	ureaNitrogen
	creatinine
	filtration
	calcium
	sodium
	potassium
	chloride
	carbonDioxide
	cholesterol
	triglycerides
	ldl
	hdl
	leukocytes
	erythrocytes
	hemoglobin
	hematocrit
	mcv
	mch
	mchc
	platelets
	hba1c
	thyrotropin
	inr
	albuminRatio
	urineColor
	urineLook
	urineNitrite
	urineCulture
	analytes // how many
)

// An assay says how an analyte is coded and what is usual. All values are whole numbers of the
// unit's tenth, hundredth and so on, as places says.
type assay struct {
	code     coding
	unit     string // for people
	ucum     string
	places   int
	low      int // of the reference range; high 0: no range
	high     int
	lowMen   int // where men's range is another one
	highMen  int
	mean     int // of healthy people
	between  int // deviation from person to person
	within   int // deviation from sample to sample
	specimen specimenKind
}

type specimenKind int

const (
	blood specimenKind = iota
	urine
)

var specimens = [...]coding{
	blood: snomed("122555007", "Venous blood specimen"),
	urine: snomed("122575003", "Urine specimen"),
}

// assays are by analyte. Those without a mean are computed from others or are words.
var assays = [analytes]assay{
	glucose:       {loinc("2345-7", "Glucose [Mass/volume] in Serum or Plasma"), "mg/dL", "mg/dL", 0, 70, 99, 0, 0, 87, 5, 4, blood},
	ureaNitrogen:  {loinc("3094-0", "Urea nitrogen [Mass/volume] in Serum or Plasma"), "mg/dL", "mg/dL", 0, 7, 20, 0, 0, 13, 2, 2, blood},
	creatinine:    {loinc("2160-0", "Creatinine [Mass/volume] in Serum or Plasma"), "mg/dL", "mg/dL", 2, 60, 110, 70, 130, 88, 10, 5, blood},
	filtration:    {loinc("33914-3", "Glomerular filtration rate/1.73 sq M.predicted [Volume Rate/Area] in Serum or Plasma by Creatinine-based formula (MDRD)"), "mL/min/1.73m2", "mL/min/{1.73_m2}", 0, 60, 150, 0, 0, 0, 0, 0, blood},
	calcium:       {loinc("17861-6", "Calcium [Mass/volume] in Serum or Plasma"), "mg/dL", "mg/dL", 1, 86, 102, 0, 0, 94, 2, 2, blood},
	sodium:        {loinc("2951-2", "Sodium [Moles/volume] in Serum or Plasma"), "mmol/L", "mmol/L", 0, 135, 145, 0, 0, 140, 1, 1, blood},
	potassium:     {loinc("2823-3", "Potassium [Moles/volume] in Serum or Plasma"), "mmol/L", "mmol/L", 1, 35, 51, 0, 0, 43, 2, 2, blood},
	chloride:      {loinc("2075-0", "Chloride [Moles/volume] in Serum or Plasma"), "mmol/L", "mmol/L", 0, 98, 107, 0, 0, 103, 1, 1, blood},
	carbonDioxide: {loinc("2028-9", "Carbon dioxide, total [Moles/volume] in Serum or Plasma"), "mmol/L", "mmol/L", 0, 22, 29, 0, 0, 25, 1, 1, blood},
	cholesterol:   {loinc("2093-3", "Cholesterol [Mass/volume] in Serum or Plasma"), "mg/dL", "mg/dL", 0, 100, 199, 0, 0, 0, 0, 0, blood},
	triglycerides: {loinc("2571-8", "Triglyceride [Mass/volume] in Serum or Plasma"), "mg/dL", "mg/dL", 0, 30, 149, 0, 0, 112, 26, 14, blood},
	ldl:           {loinc("18262-6", "Cholesterol in LDL [Mass/volume] in Serum or Plasma by Direct assay"), "mg/dL", "mg/dL", 0, 40, 99, 0, 0, 98, 18, 8, blood},
	hdl:           {loinc("2085-9", "Cholesterol in HDL [Mass/volume] in Serum or Plasma"), "mg/dL", "mg/dL", 0, 50, 90, 40, 80, 55, 8, 3, blood},
	leukocytes:    {loinc("6690-2", "Leukocytes [#/volume] in Blood by Automated count"), "10*3/uL", "10*3/uL", 1, 45, 110, 0, 0, 70, 12, 7, blood},
	erythrocytes:  {loinc("789-8", "Erythrocytes [#/volume] in Blood by Automated count"), "10*6/uL", "10*6/uL", 2, 390, 520, 430, 590, 0, 0, 0, blood},
	hemoglobin:    {loinc("718-7", "Hemoglobin [Mass/volume] in Blood"), "g/dL", "g/dL", 1, 120, 155, 135, 175, 137, 6, 2, blood},
	hematocrit:    {loinc("4544-3", "Hematocrit [Volume Fraction] of Blood by Automated count"), "%", "%", 1, 360, 440, 410, 500, 0, 0, 0, blood},
	mcv:           {loinc("787-2", "MCV [Entitic volume] by Automated count"), "fL", "fL", 0, 80, 100, 0, 0, 89, 3, 1, blood},
	mch:           {loinc("785-6", "MCH [Entitic mass] by Automated count"), "pg", "pg", 1, 270, 330, 0, 0, 0, 0, 0, blood},
	mchc:          {loinc("786-4", "MCHC [Mass/volume] by Automated count"), "g/dL", "g/dL", 1, 320, 360, 0, 0, 338, 4, 2, blood},
	platelets:     {loinc("777-3", "Platelets [#/volume] in Blood by Automated count"), "10*3/uL", "10*3/uL", 0, 150, 400, 0, 0, 262, 40, 16, blood},
	hba1c:         {loinc("4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood"), "%", "%", 1, 40, 56, 0, 0, 52, 1, 1, blood},
	thyrotropin:   {loinc("3016-3", "Thyrotropin [Units/volume] in Serum or Plasma"), "m[IU]/L", "m[IU]/L", 2, 40, 400, 0, 0, 190, 50, 25, blood},
	inr:           {loinc("6301-6", "INR in Platelet poor plasma by Coagulation assay"), "{INR}", "{INR}", 1, 9, 11, 0, 0, 10, 0, 1, blood},
	albuminRatio:  {loinc("14959-1", "Microalbumin/Creatinine [Mass Ratio] in Urine"), "mg/g", "mg/g", 0, 0, 29, 0, 0, 12, 4, 3, urine},
	urineColor:    {code: loinc("5778-6", "Color of Urine"), specimen: urine},
	urineLook:     {code: loinc("5767-9", "Appearance of Urine"), specimen: urine},
	urineNitrite:  {code: loinc("5802-4", "Nitrite [Presence] in Urine by Test strip"), specimen: urine},
	urineCulture:  {code: loinc("630-4", "Bacteria identified in Urine by Culture"), specimen: urine},
}

// bounds returns the reference range of the analyte for a woman or a man.
func (a analyte) bounds(female bool) (low, high int) {
	row := &assays[a]
	if !female && row.highMen > 0 {
		return row.lowMen, row.highMen
	}
	return row.low, row.high
}

// quantity is a value of the analyte.
func (a analyte) quantity(v int) fhirwrite.Quantity {
	row := &assays[a]
	return fhirwrite.Quantity{Value: fhirwrite.Decimal{Units: v, Places: row.places}, Unit: row.unit, Code: row.ucum}
}

// A panel is a set of analytes that are measured and reported together. A panel without a code
// is a single result without a report.
type panel struct {
	code    coding
	members []analyte
	claim   coding // HCPCS; no code: no line of a claim
	cents   int
}

var (
	basicMetabolic = panel{loinc("51990-0", "Basic metabolic panel - Blood"),
		[]analyte{glucose, ureaNitrogen, creatinine, filtration, calcium, sodium, potassium, chloride, carbonDioxide}, coding{}, 0}
	lipid      = panel{loinc("57698-3", "Lipid panel with direct LDL - Serum or Plasma"), []analyte{cholesterol, triglycerides, ldl, hdl}, coding{}, 0}
	bloodCount = panel{loinc("58410-2", "CBC panel - Blood by Automated count"),
		[]analyte{leukocytes, erythrocytes, hemoglobin, hematocrit, mcv, mch, mchc, platelets},
		hcpcs("G0307", "Complete (CBC), automated (HgB, Hct, RBC, WBC; without platelet count)"), 3200}
	urinalysis = panel{loinc("24357-6", "Urinalysis macro (dipstick) panel - Urine"), []analyte{urineColor, urineLook, urineNitrite, urineCulture},
		hcpcs("P7001", "Culture, bacterial, urine; quantitative, sensitivity study"), 4100}
	glycated     = panel{members: []analyte{hba1c}}
	thyroid      = panel{members: []analyte{thyrotropin}}
	clotting     = panel{members: []analyte{inr}}
	urineAlbumin = panel{members: []analyte{albuminRatio}}
)
