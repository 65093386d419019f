package browsertest

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// The data are looked through: by type, by a search, a resource, and what refers
// to it.
func TestData(t *testing.T) {
	t.Parallel()
	sb := start(t)
	b := open(t)
	b.do("open the start page", chromedp.Navigate(sb.PortalURL()))
	b.press("Data")
	b.wants("the types", "main", "Data of sandbox", "Patient", "Move the population on")
	b.look("data")
	b.press("Patient")
	b.wants("the patients", "main", "12 found")
	b.do("search", chromedp.SendKeys(chromedp.CSS("#query"), "name=Lindqvist"))
	b.press("Search")
	b.wants("one", "main", "1 found", "Lindqvist")
	b.press("pt-000003")
	b.wants("the patient", "main", "Patient/pt-000003", "Version 1", "Referred to from", `"resourceType": "Patient"`)
	b.look("resource")
}
