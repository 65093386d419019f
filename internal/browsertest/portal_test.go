package browsertest

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/sandfhir/sandfhir/sandbox"
)

func start(t *testing.T) *sandbox.Server {
	t.Helper()
	return sandbox.Start(t, sandbox.WithPatients(12))
}

// PB-01 to PB-05, PB-08 to PB-24: the payer's process by hand, with keys that
// are made in the browser.
func TestPortalWithKeys(t *testing.T) {
	t.Parallel()
	b := open(t)
	sb := start(t)
	b.do("open the portal", chromedp.Navigate(sb.PortalURL()))
	b.wants("PB-01", "main", "Backend Services", "Register New")
	b.press("Register New")
	b.wants("PB-05", "#f-authentication", "Required for ONC (g)(10) and certified bulk data.", "Not SMART Backend Services")
	b.look("register")
	b.do("fill in", chromedp.SendKeys(chromedp.CSS("#f-name"), "Claims fetcher"),
		chromedp.SendKeys(chromedp.CSS("#f-description"), "Fetches claims every night."),
		chromedp.Click(chromedp.CSS("#a-jwks")),
		chromedp.Click(chromedp.CSS(`[data-make="ES384"]`)), chromedp.WaitVisible(chromedp.CSS("#made a")))
	b.wants("a key pair", "#made", "Private key as PEM", "in this tab alone")
	b.press("Check keys")
	b.wants("what the server sees", ".seen", "The server sees one key", "signs ES384", "They can be used as they are.")

	// PB-09, PB-11, PB-12: the scopes as they arise.
	b.wants("PB-12", "#built", "system/Patient.rs")
	b.do("v1", chromedp.Click(chromedp.CSS("#v1")))
	b.wants("PB-09", "#built", "system/Patient.read")
	b.do("v1 with update", chromedp.Click(chromedp.CSS("#op-1-u")))
	b.wants("PB-12", "#built", "system/Patient.*")
	b.do("v2", chromedp.Click(chromedp.CSS("#v2")), chromedp.Click(chromedp.CSS("#op-1-u")))
	b.do("PB-10", chromedp.Click(chromedp.CSS("#add-row")), chromedp.SetValue(chromedp.CSS(`[name="type-2"]`), "ExplanationOfBenefit"),
		chromedp.Click(chromedp.CSS("#op-2-r")), chromedp.Click(chromedp.CSS("#op-2-s")))
	b.wants("PB-11", "#built", "system/Patient.rs system/ExplanationOfBenefit.rs")
	b.press("Create")

	b.wants("PB-14", ".badges", "Draft")
	b.wants("PB-20", "#constants ~ .cards", sb.FHIRURL(), sb.TokenURL(), "Its constants appear here once the service is approved.")
	b.press("Try it")
	b.wants("PB-17", ".tries", "Token request", "200 OK", "Request for data", `"resourceType": "Bundle"`)
	b.look("service")
	b.press("Submit for Review")
	b.wants("PB-15", ".badges", "Under review")

	b.press("As an administrator sees it")
	b.look("review")
	b.press("Admin")
	b.wants("PB-16", ".queue", "Claims fetcher", "system/ExplanationOfBenefit.rs", "read, search Patient")
	b.look("admin")
	b.press("Review Claims fetcher")
	b.press("Approve")
	b.wants("PB-22", ".badges", "Active", "Live in production")
	b.press("As its developer sees it")
	b.wants("PB-21", "#constants ~ .cards", sb.Production().FHIRURL(), sb.Production().TokenURL())
	b.do("choose production", chromedp.SetValue(chromedp.CSS("#try-environment"), "production"))
	b.press("Try it")
	b.wants("PB-18", ".tries", "/production/auth/token", "/production/fhir/Patient", "200 OK")
	b.look("active")

	// PB-23: taken out of production while its developer looks at it.
	services, err := sb.Services(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := services[0].Deactivate(t.Context(), "The contract has ended."); err != nil {
		t.Fatal(err)
	}
	b.do("choose production", chromedp.SetValue(chromedp.CSS("#try-environment"), "production"))
	b.press("Try it")
	b.wants("PB-23", ".badges", "Rejected")
	b.wants("PB-23 the refusal explained", ".tries", "L03", "The contract has ended.", "Edit it in the portal")
	b.look("rejected")
	b.do("home", chromedp.Navigate(sb.PortalURL()))
	b.look("home")
}

// PB-06, PB-07: a secret is shown once, tried, and rotated.
func TestPortalWithSecret(t *testing.T) {
	t.Parallel()
	b := open(t)
	sb := start(t)
	b.do("open the form", chromedp.Navigate(sb.URL()+"/services/new"), chromedp.SendKeys(chromedp.CSS("#f-name"), "Legacy service"), chromedp.Click(chromedp.CSS("#a-secret")))
	b.press("Create")
	first := b.text("#client-secret")
	b.look("secret")
	b.press("I have copied it")
	if strings.Contains(b.text("body"), first) {
		t.Error("PB-06: the secret is shown again")
	}
	try := func(secret string) {
		t.Helper()
		b.do("enter the secret", chromedp.SetValue(chromedp.CSS("#try-secret"), secret))
		b.press("Try it")
	}
	try(first)
	b.wants("PB-06", ".tries", "Token request", "Request for data", "200 OK")
	b.unfold("Rotate secret …")
	b.press("Make a new secret")
	second := b.text("#client-secret")
	b.press("I have copied it")
	try(first)
	b.wants("PB-07 the old secret", ".tries", "401 Unauthorized", "L04", "The old secret")
	try(second)
	b.wants("PB-07 the new secret", ".tries", "Request for data", "200 OK")

	b.press("Submit for Review")
	b.press("As an administrator sees it")
	b.unfold("Reject …")
	b.do("say why", chromedp.SendKeys(chromedp.CSS(`[name="reason"]`), "Use signed assertions."))
	b.press("Reject")
	b.wants("PB-23", ".opening", "Rejected", "Use signed assertions.")
	b.press("As its developer sees it")
	b.press("Edit")
	b.press("Save as draft")
	b.wants("PB-27", ".badges", "Draft")
}

// A form that is not complete comes back with what was filled in and everything
// that is wrong with it; hostile names are text.
func TestPortalForm(t *testing.T) {
	t.Parallel()
	b := open(t)
	sb := start(t)
	b.do("send half a form", chromedp.Navigate(sb.URL()+"/services/new"),
		chromedp.SendKeys(chromedp.CSS("#f-name"), `<script>document.title="owned"</script>`))
	b.press("Create")
	b.wants("what is wrong", "#problems", "There is no URL of a key set.")
	b.wants("beside the field", "#e-jwks_uri", "There is no URL of a key set.")
	b.look("problems")
	b.do("a secret instead", chromedp.Click(chromedp.CSS("#a-secret")))
	b.press("Create")
	b.press("I have copied it")
	b.wants("the name as text", "h1", `<script>document.title="owned"</script>`)
	b.unfold("Delete …")
	b.press("Delete the service")
	b.wants("the list", "main", "Backend Services")
	if strings.Contains(b.text("main"), "owned") {
		t.Error("the service is still listed")
	}
}

// A private key that is pasted where the public one belongs does not leave the
// browser, and signs where it is chosen.
func TestPrivateKeysStay(t *testing.T) {
	t.Parallel()
	b := open(t)
	sb := start(t)
	key := sb.DefaultClient().PrivateKeyPEM()
	b.do("paste a private key", chromedp.Navigate(sb.URL()+"/services/new"), chromedp.SendKeys(chromedp.CSS("#f-name"), "Pasted"), chromedp.Click(chromedp.CSS("#a-jwks")),
		chromedp.SetValue(chromedp.CSS("#f-jwks"), string(key)),
		chromedp.Evaluate[chromedp.Void](`document.getElementById('f-jwks').dispatchEvent(new Event('change'))`),
		chromedp.WaitVisible(`//*[@id="pasted" and contains(., "private key")]`))
	left := run(b, "read what is left", chromedp.Value(chromedp.CSS("#f-jwks")))
	if strings.Contains(left, "PRIVATE") || strings.Contains(left, `"d"`) || !strings.Contains(left, `"kid": "`+sb.DefaultClient().KeyID()+`"`) {
		t.Errorf("what is left in the field is %s", left)
	}
	b.press("Create")
	b.wants("the key is taken", ".opening", "Pasted", "Draft")
	file := t.TempDir() + "/private.pem"
	write(t, file, key)
	b.do("choose the private key", chromedp.SetUploadFiles(chromedp.CSS("#try-file"), []string{file}))
	b.press("Try it")
	b.wants("it signs", ".tries", "Request for data", "200 OK")
	for _, e := range sb.Exchanges() {
		if strings.Contains(e.RequestBody, "PRIVATE KEY") {
			t.Errorf("the private key was sent to %s", e.URL)
		}
	}
}
