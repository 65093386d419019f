package httpapi_test

import (
	"net/url"
	"strings"
	"testing"
)

// TestFilesForNarrowedTokens downloads with tokens that show less than the one
// of the kick-off did: files hold no more than their reader may see.
func TestFilesForNarrowedTokens(t *testing.T) {
	t.Parallel()
	w := start(t)
	const laboratory = "system/Observation.rs?category=laboratory"
	client := w.client(t, "system/Observation.rs")
	whole := w.holder(t, client, "system/Observation.rs")
	narrow := w.holder(t, client, laboratory)

	m := whole.finish(t, whole.kickOff(t, "/$export?_type=Observation"))
	file := m.Output[0].URL
	whole.get(t, file).want(t, 200)
	narrow.get(t, file).refused(t, 403, "forbidden")

	m = narrow.finish(t, narrow.kickOff(t, "/$export?_type=Observation"))
	narrow.get(t, m.Output[0].URL).want(t, 200)
	whole.get(t, m.Output[0].URL).want(t, 200)
	a := w.holder(t, client, "system/Observation.rs?category=vital-signs").get(t, m.Output[0].URL)
	if i := a.refused(t, 403, "forbidden"); !strings.HasPrefix(i.Diagnostics, "SB-RS-11: The export was started with a token that reaches other resources of the type Observation: ") {
		t.Errorf("SB-RS-11: got %q, want the constraints told apart", i.Diagnostics)
	}
	w.deniedBy(t, a, "SB-RS-11", "SB-RS-11")

	// Whoever sees more by now may have it, in whatever words; whoever lacks one of
	// two constraints may not.
	more := w.holder(t, client, laboratory, "system/Observation.rs?category=vital-signs")
	more.get(t, m.Output[0].URL).want(t, 200)
	both := more.finish(t, more.kickOff(t, "/$export?_type=Observation"))
	more.get(t, both.Output[0].URL).want(t, 200)
	narrow.get(t, both.Output[0].URL).refused(t, 403, "forbidden")
	w.holder(t, client, "system/Observation.r", "system/Observation.s?category=laboratory").get(t, both.Output[0].URL).refused(t, 403, "forbidden")

	since := url.QueryEscape(m.TransactionTime)
	w.all.send(t, "DELETE", "/Observation/"+w.all.ids(t, "/Observation?category=vital-signs&_count=1")[0], "").want(t, 204)
	m = whole.finish(t, whole.kickOff(t, "/$export?_type=Observation&_since="+since))
	if len(m.Output) != 0 || len(m.Deleted) != 1 {
		t.Fatalf("got %+v, want deletions alone", m)
	}
	whole.get(t, m.Deleted[0].URL).want(t, 200)
	narrow.get(t, m.Deleted[0].URL).refused(t, 403, "forbidden")

	w.all.send(t, "DELETE", "/Observation/"+w.all.ids(t, "/Observation?category=laboratory&_count=1")[0], "").want(t, 204)
	m = narrow.finish(t, narrow.kickOff(t, "/$export?_type=Observation&_since="+since))
	narrow.get(t, m.Deleted[0].URL).want(t, 200) // what it shows now is what it showed at the kick-off
}
