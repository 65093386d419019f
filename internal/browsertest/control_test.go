package browsertest

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/sandfhir/sandfhir/sandbox"
)

// The clock is frozen and moved, and tokens expire with it.
func TestClock(t *testing.T) {
	t.Parallel()
	b := open(t)
	sb := start(t)
	client := sb.DefaultClient().HTTPClient("system/Patient.rs")
	read := func() {
		t.Helper()
		resp, err := client.Get(sb.FHIRURL() + "/Patient?_count=1")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	read()
	b.do("open the start page", chromedp.Navigate(sb.URL()))
	b.press("Clock")
	b.wants("as it begins", "main", "It follows real time.")
	b.press("Freeze")
	b.wants("frozen", "main", "frozen", "Real time is")
	at := sb.Clock().Now()
	b.press("1 day on")
	if got := sb.Clock().Now(); !got.Equal(at.Add(24 * time.Hour)) {
		t.Errorf("the clock shows %v, want a day after %v", got, at)
	}
	b.look("clock")
	b.do("write nonsense", chromedp.SendKeys(chromedp.CSS("#advance"), "a week"))
	b.press("Move on")
	b.wants("nonsense is refused", "[role=alert]", "Advance has to be a duration such as 10m")
	b.do("write an instant", chromedp.SendKeys(chromedp.CSS("#set"), "2031-01-31T08:00:00Z"))
	b.press("Set")
	b.wants("set", "main", "2031-01-31 08:00:00 UTC")
	b.press("Back to real time")
	b.wants("back", "main", "It follows real time.")
	b.press("Expire all access tokens")
	b.wants("told", "[role=status]", "All access tokens have expired.")
	read() // the client gets another token
	if refused := sb.Exchanges(func(e sandbox.Exchange) bool { return e.Status == 401 }); len(refused) != 1 {
		t.Errorf("%d requests met an expired token, want 1", len(refused))
	}
}

// A world is made and ended.
func TestWorlds(t *testing.T) {
	t.Parallel()
	b := open(t)
	sb := start(t)
	b.do("open the start page", chromedp.Navigate(sb.URL()))
	b.press("Worlds")
	b.wants("as it begins", "main", "None yet.")
	b.do("name one", chromedp.SendKeys(chromedp.CSS("#name"), "workshop-1"))
	b.press("Make a world")
	b.wants("made", "main", "workshop-1", "/w/workshop-1/fhir", "never")
	b.look("worlds")
	b.do("name it again", chromedp.SendKeys(chromedp.CSS("#name"), "workshop-1"))
	b.press("Make a world")
	b.wants("no second of this name", "[role=alert]", "There is a workspace of this name already.")
	b.press("workshop-1")
	b.wants("its own start page", "main", "/w/workshop-1/fhir")
	b.do("back", chromedp.Navigate(sb.URL()+"/_sandbox/workspaces"))
	b.press("End workshop-1")
	b.wants("ended", "main", "None yet.")
}

// What is there comes back with a snapshot.
func TestSnapshots(t *testing.T) {
	t.Parallel()
	b := open(t)
	sb := start(t)
	b.do("open the start page", chromedp.Navigate(sb.URL()))
	b.press("Snapshots")
	b.do("name one", chromedp.SendKeys(chromedp.CSS("#take"), "no good/name"))
	b.press("Take a snapshot")
	b.wants("what names are", "[role=alert]", "name")
	b.do("name one", chromedp.SendKeys(chromedp.CSS("#take"), "before"))
	b.press("Take a snapshot")
	b.wants("taken", "main", "before is taken.")
	b.look("snapshots")
	if _, err := sb.RegisterClient(t.Context(), sandbox.ClientConfig{ID: "between"}); err != nil {
		t.Fatal(err)
	}
	b.press("Restore before")
	b.wants("restored", "[role=status]", "before is restored.")
	if _, err := sb.RegisterClient(t.Context(), sandbox.ClientConfig{ID: "between"}); err != nil {
		t.Errorf("the client is still there: %v", err)
	}
	b.press("Remove before")
	b.wants("removed", "main", "None yet.")
	b.press("Reset this world")
	b.wants("anew", "[role=status]", "This world is as at its start.")
}
