package browsertest

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// A fault is added by hand, one that is misspelt is mended, its hits are seen,
// and it is removed.
func TestFaults(t *testing.T) {
	t.Parallel()
	sb := start(t)
	b := open(t)
	b.do("open the start page", chromedp.Navigate(sb.PortalURL()))
	b.press("Faults")
	b.wants("no faults", "main", "Every request gets a true answer.")
	b.do("misspell", chromedp.SendKeys(chromedp.CSS("#fault"), "poll.5x#times=2"))
	b.press("Add")
	b.wants("what is wrong", ".trouble", "did you mean poll.5xx?")
	b.do("mend", chromedp.Clear(chromedp.CSS("#fault")), chromedp.SendKeys(chromedp.CSS("#fault"), "status:code=503@path=/fhir/Patient*#times=1"))
	b.press("Add")
	resp, err := sb.DefaultClient().HTTPClient("system/Patient.rs").Get(sb.FHIRURL() + "/Patient/1")
	if err != nil {
		t.Fatal(err)
	}
	if resp.Body.Close(); resp.StatusCode != 503 {
		t.Errorf("got %d", resp.StatusCode)
	}
	b.do("look again", chromedp.Reload())
	b.wants("the hit", "main table", "status:code=503@path=/fhir/Patient*#times=1", "1 spent")
	b.look("faults")
	b.do("open the rules", chromedp.Click(chromedp.CSS("main details summary")))
	b.wants("the rules", "main details", "scope.version=v1")
	b.look("faults with rules")
	b.press("Remove all")
	b.wants("none again", "main", "Every request gets a true answer.")
}
