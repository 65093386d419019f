package browsertest

import (
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/sandfhir/sandfhir/sandbox"
)

// A key set is hosted by hand, a client's fetch of it is seen, and it is rotated
// and removed.
func TestHostedKeys(t *testing.T) {
	t.Parallel()
	sb := start(t)
	b := open(t)
	b.do("open the start page", chromedp.Navigate(sb.PortalURL()))
	b.press("Hosted keys")
	b.wants("none", "main", "None yet.", "The server has fetched none yet")
	b.do("name it", chromedp.SendKeys(chromedp.CSS("#name"), "app"))
	b.press("Make a key and host it")
	b.wants("the key", "main", "The private key of app", "BEGIN PRIVATE KEY", "/_sandbox/keys/app/jwks.json")
	host, err := sb.HostKeys(sandbox.KeyHostConfig{Name: "other"})
	if err != nil {
		t.Fatal(err)
	}
	c, err := sb.RegisterClient(t.Context(), sandbox.ClientConfig{JWKSURI: host.URL(), Key: host.Key(), KeyID: host.KeyID()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Token(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.do("look again", chromedp.Navigate(sb.URL()+"/_sandbox/keys"))
	b.wants("the fetch", "main", "/_sandbox/keys/other/jwks.json", "fetch", "200")
	b.look("keys")
	b.press("Rotate")
	b.wants("another key", "main", "The private key of app")
	b.press("Remove")
	b.press("Remove")
	b.wants("none again", "main", "None yet.")
}
