package population

import (
	"time"

	"github.com/sandfhir/sandfhir/seed/internal/fhirwrite"
)

var (
	survey     = coding{System: tho + "observation-category", Code: "survey", Display: "Survey"}
	socialNeed = coding{System: "http://hl7.org/fhir/us/core/CodeSystem/us-core-category", Code: "sdoh", Display: "SDOH"}
	cognition  = coding{System: "http://hl7.org/fhir/us/core/CodeSystem/us-core-category", Code: "cognitive-status", Display: "Cognitive Status"}
)

// screened opens an Observation of a screening (US Core Observation Screening Assessment) and
// writes all but its value.
func (r *scribe) screened(v *visit, field, code coding, at time.Time) string {
	id := r.next("obs", &r.written.observations)
	r.begin("Observation", id, usCore+"us-core-observation-screening-assessment")
	r.String("status", "final")
	r.Array("category")
	r.Coded("", survey)
	r.Coded("", field)
	r.EndArray()
	r.Concept("code", meaning(code))
	r.aboutPatient("subject")
	r.inEncounter(v)
	r.DateTime("effectiveDateTime", at)
	r.Array("performer")
	r.Reference("", "Practitioner", v.doctor.id, "")
	r.EndArray()
	return id
}

// references writes an array of references to resources of one type.
func (r *scribe) references(name, resourceType string, ids ...string) {
	r.Array(name)
	for _, id := range ids {
		r.Reference("", resourceType, id, "")
	}
	r.EndArray()
}

// moodSurvey writes the PHQ-2: the answers as they were given, the score, and the panel.
func (r *scribe) moodSurvey(v *visit) {
	at := v.start.Add(8 * time.Minute)
	form := r.questionnaireResponse(v, at)
	score := r.screened(v, cognition, loinc("55758-7", "Patient Health Questionnaire 2 item (PHQ-2) total score [Reported]"), at)
	r.Quantity("valueQuantity", measured(r.situation.mood[0]+r.situation.mood[1], 0, "{score}", "{score}"))
	r.references("derivedFrom", "QuestionnaireResponse", form)
	r.put(at)
	r.screened(v, cognition, loinc("55757-9", "Patient Health Questionnaire 2 item (PHQ-2) [Reported]"), at)
	r.references("hasMember", "Observation", score)
	r.references("derivedFrom", "QuestionnaireResponse", form)
	r.put(at)
}

// socialSurvey writes some answers of PRAPARE, and the panel.
func (r *scribe) socialSurvey(v *visit) {
	at := v.start.Add(7 * time.Minute)
	members := make([]string, 0, 4)
	members = append(members, r.screened(v, socialNeed, loinc("71802-3", "Housing status"), at))
	r.Concept("valueCodeableConcept", meaning(r.situation.housing.coding()))
	r.put(at)
	members = append(members, r.screened(v, socialNeed, loinc("93038-8", "Stress level"), at))
	r.Concept("valueCodeableConcept", meaning(r.situation.stress.coding()))
	r.put(at)
	members = append(members, r.screened(v, socialNeed, loinc("63512-8", "How many people are living or staying at this address"), at))
	r.Quantity("valueQuantity", measured(r.situation.household, 0, "people", "{#}"))
	r.put(at)
	members = append(members, r.screened(v, socialNeed, loinc("56799-0", "Address"), at))
	r.String("valueString", r.home.line+", "+r.home.town.name)
	r.put(at)
	r.screened(v, socialNeed, loinc("93025-5", "Protocol for Responding to and Assessing Patients' Assets, Risks, and Experiences [PRAPARE]"), at)
	r.references("hasMember", "Observation", members...)
	r.put(at)
}

// questionnaireResponse writes the PHQ-2 as it was filled in (US Core QuestionnaireResponse) and
// returns its id.
func (r *scribe) questionnaireResponse(v *visit, at time.Time) string {
	id := r.next("form", &r.written.forms)
	r.begin("QuestionnaireResponse", id, usCore+"us-core-questionnaireresponse")
	r.Object("identifier")
	r.String("system", idOwner+"form")
	r.String("value", id)
	r.End()
	r.String("questionnaire", idOwner+"Questionnaire/phq-2")
	r.Object("_questionnaire")
	r.Array("extension")
	r.Object("")
	r.String("url", "http://hl7.org/fhir/StructureDefinition/display")
	r.String("valueString", "Patient Health Questionnaire 2 item")
	r.End()
	r.Object("")
	r.String("url", usCore+"us-core-extension-questionnaire-uri")
	r.String("valueUri", "https://loinc.org/55757-9")
	r.End()
	r.EndArray()
	r.End()
	r.String("status", "completed")
	r.aboutPatient("subject")
	r.inEncounter(v)
	r.DateTime("authored", at)
	r.Reference("author", "Patient", r.person.id, "")
	r.Array("item")
	r.formItem("44250-9", "Little interest or pleasure in doing things")
	r.moodAnswer(r.situation.mood[0])
	r.End()
	r.formItem("44255-8", "Feeling down, depressed, or hopeless")
	r.moodAnswer(r.situation.mood[1])
	r.End()
	r.formItem("remark", "Anything else")
	r.Array("answer")
	r.Object("")
	r.String("valueString", "No.")
	r.End()
	r.EndArray()
	r.End()
	r.formItem("result", "Result")
	r.Array("item")
	r.formItem("55758-7", "Total score")
	r.Array("answer")
	r.Object("")
	r.Decimal("valueDecimal", fhirwrite.Decimal{Units: r.situation.mood[0] + r.situation.mood[1]})
	r.End()
	r.EndArray()
	r.End()
	r.EndArray()
	r.End()
	r.formItem("help", "How much help do you want, from 0 to 3")
	r.Array("answer")
	r.Object("")
	r.Decimal("valueDecimal", fhirwrite.Decimal{Units: r.situation.mood[0]})
	r.Array("item")
	r.formItem("help-from", "From whom")
	r.Array("answer")
	r.Object("")
	r.String("valueString", "From nobody in particular.")
	r.End()
	r.EndArray()
	r.End()
	r.EndArray()
	r.End()
	r.EndArray()
	r.End()
	r.EndArray()
	r.put(at)
	return id
}

// formItem opens an item of an open array.
func (r *scribe) formItem(link, text string) {
	r.Object("")
	r.String("linkId", link)
	r.String("text", text)
}

func (r *scribe) moodAnswer(n int) {
	r.Array("answer")
	r.Object("")
	r.Coding("valueCoding", frequency[n].coding())
	r.End()
	r.EndArray()
}
