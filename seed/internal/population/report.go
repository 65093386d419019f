package population

import (
	"time"

	"github.com/sandfhir/sandfhir/seed/internal/fhirwrite"
)

// A reportKind is what is reported of a procedure that is no laboratory's.
type reportKind struct {
	category coding // LOINC part
	code     coding
	finding  coding // LOINC, of an Observation; no code: words alone
	field    coding // of Observation.category
	quantity fhirwrite.Quantity
	spread   int // how far the quantity of others differs, in its last place
	words    string
}

var (
	radiology  = loinc("LP29684-5", "Radiology")
	cardiology = loinc("LP29708-2", "Cardiology")
	pathology  = loinc("LP7839-6", "Pathology")

	lungFunction = coding{System: sysDiagService, Code: "PF", Display: "Pulmonary Function"}

	imaging = coding{System: tho + "observation-category", Code: "imaging", Display: "Imaging"}
	test    = coding{System: tho + "observation-category", Code: "procedure", Display: "Procedure"}
)

var (
	lungReport = reportKind{lungFunction, loinc("18759-1", "Spirometry study"), loinc("19926-5", "FEV1/FVC"), test,
		measured(72, 0, "%", "%"), 6, "Spirometry before and after a bronchodilator. No acute changes."}
	heartReport = reportKind{category: cardiology, code: loinc("34896-1", "Cardiology Procedure note"),
		words: "Sinus rhythm after one synchronized shock. No complications."}
	boneReport = reportKind{radiology, loinc("38269-7", "DXA Skeletal system Views for bone density"), loinc("38265-5", "DXA Radius and Ulna [T-score] Bone density"), imaging,
		measured(-23, 1, "{T-score}", "{T-score}"), 6, "Bone density lower than in young adults; see the T-score."}
	fetalReport = reportKind{category: radiology, code: loinc("11525-3", "US Pelvis Fetus for pregnancy"),
		words: "Single live fetus, growth fits the dates. Placenta clear of the cervix."}
	tissueReport = reportKind{category: pathology, code: loinc("11526-1", "Pathology study"),
		words: "Mucosa without dysplasia. No polyps beyond those that were removed."}
	breastReport = reportKind{category: radiology, code: loinc("24606-6", "MG Breast Screening"),
		words: "BI-RADS category 1: negative. Routine screening in two years."}
)

// noteReport writes the report of a procedure (US Core DiagnosticReport for Report and Note
// Exchange), and what was measured (US Core Observation Clinical Result).
func (r *scribe) noteReport(v *visit, k *reportKind, at time.Time) {
	result := ""
	if k.field.Code != "" {
		q := k.quantity
		q.Value.Units += r.details.between(-k.spread, k.spread)
		result = r.observation(v, "us-core-observation-clinical-result", meaning(k.field), meaning(k.finding), at)
		r.issuedBy(at.Add(20*time.Minute), "Practitioner", v.doctor.id)
		r.Quantity("valueQuantity", q)
		r.put(at.Add(20 * time.Minute))
	}
	issued := at.Add(90 * time.Minute)
	r.begin("DiagnosticReport", r.next("rep", &r.written.reports), usCore+"us-core-diagnosticreport-note")
	r.String("status", "final")
	r.CodedList("category", k.category)
	r.Concept("code", meaning(k.code))
	r.aboutPatient("subject")
	r.inEncounter(v)
	r.DateTime("effectiveDateTime", at)
	r.issuedBy(issued, "Practitioner", v.doctor.id)
	if result != "" {
		r.Array("result")
		r.Reference("", "Observation", result, "")
		r.EndArray()
	}
	r.String("conclusion", k.words)
	r.Array("presentedForm")
	r.Object("")
	r.String("contentType", "text/plain")
	r.Base64("data", []byte(k.words+"\n\nThis is synthetic test data.\n"))
	r.String("title", k.code.Display)
	r.End()
	r.EndArray()
	r.put(issued)
}
