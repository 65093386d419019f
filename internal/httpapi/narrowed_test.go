package httpapi_test

import "testing"

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
	w.holder(t, client, "system/Observation.rs?category=vital-signs").get(t, m.Output[0].URL).refused(t, 403, "forbidden")
}
