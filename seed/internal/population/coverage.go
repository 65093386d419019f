package population

import (
	"time"

	"github.com/sandfhir/sandfhir/seed/internal/fhirwrite"
)

// coverage writes the Coverage (US Core Coverage and CARIN BB Coverage).
func (r *scribe) coverage() {
	p := r.person
	start := r.coveredSince()
	r.begin("Coverage", p.coverageID(), usCore+"us-core-coverage", c4+"Coverage"+c4Level)
	r.Array("identifier")
	r.Identifier("", fhirwrite.Identifier{
		Type: coding{System: sysIdentifier, Code: "MB", Display: "Member Number"}, System: p.payer.memberSystem(), Value: p.memberNumber()})
	r.EndArray()
	status, told := "active", later(start, time.Date(r.asOf.Year()-1, time.January, 2, 15, 0, 0, 0, time.UTC))
	if !p.death.IsZero() {
		status, told = "cancelled", p.death.Add(50*time.Hour)
	}
	ended := midnight(p.death)
	if left := r.b.leftOn(p.n); !left.IsZero() && (p.death.IsZero() || left.Before(p.death)) {
		status, told, ended = "cancelled", left, left
	}
	r.String("status", status)
	r.Coded("type", p.payer.kind)
	r.String("subscriberId", p.payer.memberPrefix+padded(p.n, 7))
	r.aboutPatient("beneficiary")
	relationship := coding{System: tho + "subscriber-relationship", Code: "self", Display: "Self"}
	if p.payer.private() && p.age(p.end(r.now)) < 18 {
		relationship = coding{System: tho + "subscriber-relationship", Code: "child", Display: "Child"}
	}
	r.Coded("relationship", relationship)
	r.Days("period", start, ended)
	r.Array("payor")
	r.Reference("", "Organization", p.payer.id, p.payer.name)
	r.EndArray()
	r.Array("class")
	r.coverageClass("group", "Group", p.payer.memberPrefix+"-"+padded(p.n%7+1, 3), "Employer and community group "+padded(p.n%7+1, 1))
	r.coverageClass("plan", "Plan", p.payer.plan, p.payer.planName)
	r.EndArray()
	r.put(told)
}

func (r *scribe) coverageClass(code, display, value, name string) {
	r.Object("")
	r.Coded("type", coding{System: tho + "coverage-class", Code: code, Display: display})
	r.String("value", value)
	r.String("name", name)
	r.End()
}

// coveredSince is the beginning of the year in which the known history begins, or the birth.
func (r *scribe) coveredSince() time.Time {
	return later(r.birth, time.Date(r.since.Year(), time.January, 1, 0, 0, 0, 0, time.UTC))
}

func (p *person) coverageID() string { return partID(p.id, "cov", 1) }
