package population

import "time"

// procedure writes the Procedure (US Core Procedure).
func (r *scribe) procedure(v *visit, k *procedureKind) {
	order := ""
	if k.order.Code != "" {
		order = r.orderOf(v, k)
	}
	r.begin("Procedure", r.next("proc", &r.written.procedures), usCore+"us-core-procedure")
	if order != "" {
		r.Array("basedOn")
		r.Reference("", "ServiceRequest", order, "")
		r.EndArray()
	}
	r.String("status", "completed")
	r.Concept("code", meaning(k.code))
	r.aboutPatient("subject")
	r.inEncounter(v)
	start := v.start.Add(procedureDelay)
	end := start.Add(time.Duration(k.minutes) * time.Minute)
	if k.surgical {
		r.Period("performedPeriod", start, end)
	} else {
		r.DateTime("performedDateTime", start)
	}
	r.Array("performer")
	r.Object("")
	r.Reference("actor", "Practitioner", v.doctor.id, "")
	r.End()
	r.EndArray()
	if v.site.site.Code != "" {
		r.Reference("location", "Location", v.site.siteID(), "")
	}
	if v.problem != nil && !v.kind.prevents {
		r.Array("reasonReference")
		r.Reference("", "Condition", v.problem.id, "")
		r.EndArray()
	}
	r.put(end)
	if k.report != nil {
		r.noteReport(v, k.report, end)
	}
	if k.implant != nil {
		r.device(v, k.implant)
	}
}
