package httpapi_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestDocref is about DocumentReference/$docref.
func TestDocref(t *testing.T) {
	t.Parallel()
	w := start(t)
	const ccd, note = `"code":"34133-9"`, `"code":"11506-3"`
	document := func(id, patient, status, typ, date, period string) {
		if period != "" {
			from, to, _ := strings.Cut(period, "/")
			period = fmt.Sprintf(`,"context":{"period":{"start":%q,"end":%q}}`, from, to)
		}
		w.all.put(t, "/DocumentReference/"+id, `{"resourceType":"DocumentReference","id":"`+id+`","meta":{"profile":["http://example.org/`+typ[8:13]+`"]},"status":"`+status+`","type":{"coding":[{"system":"http://loinc.org",`+typ+`}]},`+
			`"subject":{"reference":"Patient/`+patient+`"},"date":"`+date+`","content":[{"attachment":{"contentType":"text/plain","url":"Binary/`+id+`"}}]`+period+`}`).want(t, 201)
	}
	document("old-ccd", "p", "superseded", ccd, "2025-06-01T00:00:00Z", "")
	document("ccd-1", "p", "current", ccd, "2024-01-01T00:00:00Z", "")
	document("ccd-2", "p", "current", ccd, "2024-06-01T00:00:00Z", "2020-01-01/2024-05-31")
	document("note-1", "p", "current", note, "2024-12-01T00:00:00Z", "2023-02-01/2023-02-03")
	document("note-2", "p", "current", note, "2024-11-01T00:00:00Z", "")
	document("others", "q", "current", note, "2024-11-01T00:00:00Z", "")
	for _, c := range []struct{ name, query, want string }{
		{"the current CCD", "patient=p", "ccd-2"},
		{"the current one of a type", "patient=p&type=http://loinc.org|11506-3", "note-1"},
		{"the current one of several types", "patient=p&type=34133-9&type=11506-3", "note-1"},
		{"any type where there is no CCD", "patient=q", "others"},
		{"by care, and by date where that is unknown", "patient=p&start=2024-01-01T00:00:00Z", "ccd-1 ccd-2 note-2 old-ccd"},
		{"until", "patient=p&end=2023-02-02", "ccd-2 note-1"},
		{"between", "patient=p&start=2023-02-02T00:00:00%2B01:00&end=2023-03-01", "ccd-2 note-1"},
		{"between, of a type", "patient=p&start=2023-02-02&end=2023-03-01&type=11506-3", "note-1"},
		{"profile", "patient=p&start=1990&profile=http://example.org/11506", "note-1 note-2"},
		{"on demand only", "patient=p&on-demand=true", ""},
		{"not on demand only", "patient=p&on-demand=false", "ccd-2"},
		{"a patient who is not there", "patient=nobody&start=1990", ""},
	} {
		t.Run("FR-OP-05 "+c.name, func(t *testing.T) {
			b := w.all.get(t, "/DocumentReference/$docref?"+c.query).bundle(t)
			ids := b.ids("match")
			slices.Sort(ids)
			if got := strings.Join(ids, " "); got != c.want || *b.Total != len(ids) {
				t.Errorf("got %q of %d, want %q", got, *b.Total, c.want)
			}
		})
	}
	t.Run("FR-OP-05 by POST", func(t *testing.T) {
		b := w.all.post(t, "/DocumentReference/$docref", `{"resourceType":"Parameters","parameter":[{"name":"patient","valueId":"p"},{"name":"type","valueCoding":{"system":"http://loinc.org","code":"11506-3"}},{"name":"on-demand","valueBoolean":false}]}`).bundle(t)
		if got := b.ids("match"); !slices.Equal(got, []string{"note-1"}) {
			t.Errorf("got %v", got)
		}
	})
	for query, code := range map[string]string{
		"": "required", "patient=Patient/p": "value", "patient=p&patient=q": "invalid", "patient=p&start=yesterday": "value", "patient=p&start=2030,2020-01-01": "value", "patient=p&type=": "value", "patient=p&on-demand=true&on-demand=true": "invalid", "patient=p&on-demand=maybe": "value", "patient=p&colour=red": "not-supported",
	} {
		t.Run("FR-OP-05 refused "+query, func(t *testing.T) {
			w.all.get(t, "/DocumentReference/$docref?"+query).refused(t, 400, code)
		})
	}
	t.Run("FR-SC-23 scopes", func(t *testing.T) {
		for _, scope := range []string{"system/DocumentReference.r", "system/DocumentReference.s", "system/Patient.rs"} {
			w.grant(t, scope).get(t, "/DocumentReference/$docref?patient=p").refused(t, 403, "forbidden")
		}
		w.grant(t, "system/DocumentReference.read").get(t, "/DocumentReference/$docref?patient=p").want(t, 200)
		scopes := []string{"system/DocumentReference.s", "system/DocumentReference.r?type=11506-3"}
		b := w.holder(t, w.client(t, scopes...), scopes...).get(t, "/DocumentReference/$docref?patient=p&start=1990").bundle(t)
		if got := b.ids("match"); len(got) != 2 {
			t.Errorf("got %v, want the two that the constraint lets through", got)
		}
	})
}

// TestDocrefOfThePopulation: the sample data have documents to find, and their content.
func TestDocrefOfThePopulation(t *testing.T) {
	t.Parallel()
	w := start(t)
	b := w.all.get(t, "/DocumentReference/$docref?patient=pt-000003").bundle(t)
	if got := b.ids("match"); !slices.Equal(got, []string{"pt-000003-ccd"}) {
		t.Fatalf("got %v, want the CCD", got)
	}
	ccd := w.all.get(t, "/Binary/pt-000003-ccd", "Accept", "application/xml").want(t, 200)
	if got := ccd.header.Get("Content-Type"); got != "application/xml" || !strings.Contains(string(ccd.body), "<family>Lindqvist</family>") {
		t.Errorf("got %s: %.300s", got, ccd.body)
	}
	if got := w.all.get(t, "/DocumentReference/$docref?patient=pt-000003&start=2020-01-01").bundle(t).ids("match"); len(got) < 3 {
		t.Errorf("got %v, want notes too", got)
	}
}
