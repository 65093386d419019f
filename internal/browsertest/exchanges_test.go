package browsertest

import (
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"
)

// The list of exchanges follows what happens while it is looked at, and leads to
// what explains a refusal.
func TestExchanges(t *testing.T) {
	t.Parallel()
	sb := start(t)
	b := open(t)
	ask := func(path string) {
		resp, err := http.Get(sb.URL() + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	b.do("open the start page", chromedp.Navigate(sb.PortalURL()))
	b.press("Exchanges")
	b.wants("nothing yet", "#exchange-list", "Nobody has asked for anything yet.")
	run(b, "it follows", chromedp.Poll[bool](`document.getElementById("live").textContent === "live"`))
	ask("/fhir/metadata")
	run(b, "it comes by itself", chromedp.Poll[bool](`document.getElementById("exchange-list").textContent.includes("/fhir/metadata")`))
	ask("/fhir/Patient?name=x")
	if _, err := sb.DefaultClient().Token(t.Context(), "system/Patient.rs"); err != nil {
		t.Fatal(err)
	}
	run(b, "so do others", chromedp.Poll[bool](`document.getElementById("exchange-list").textContent.includes("/auth/token")`))
	b.look("exchanges")
	b.do("narrow it", chromedp.SendKeys(chromedp.CSS("#status"), "4xx"))
	b.press("Narrow")
	b.wants("one is left", "#exchange-list", "/fhir/Patient?name=x", "SB-RS-02")
	b.press("GET /fhir/Patient?name=x")
	b.wants("it is explained", "main", "Refused by check SB-RS-02")
	b.unfold("As a curl command")
	b.wants("the command", "main", "curl")
	b.look("exchange")
}
