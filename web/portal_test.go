package web_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/web"
)

// samples is a directory to write every page of the portals to, with the files
// that they refer to, for looking at them in a browser.
var samples = flag.String("samples", "", "write sample pages to this directory")

// long is a name of 200 characters without a place to break it.
var long = strings.Repeat("Langwort", 25)

// reversed is a name that runs from right to left and tries to turn round what
// comes after it.
const reversed = "\u202eخدمة التصدير"

var noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

func services() []web.Service {
	scopes := []web.Scope{{"system/Patient.rs", "read, search Patient"}, {"system/Observation.rs?category=laboratory", "read, search Observation where category=laboratory"}}
	return []web.Service{
		{Page: "services/a1", ClientID: "a1b2c3d4e5f6", Name: "Claims importer", Status: "draft", At: noon, Created: noon, Source: "portal", Authentication: "jwks_uri", JWKSURI: "https://app.example/jwks.json", Scopes: scopes, Description: "Imports claims every night.", Contacts: []string{"ann@app.example"}},
		{Page: "services/a2", ClientID: "a2", Name: "Quality measures", Status: "under-review", At: noon, Created: noon, Live: true, Authentication: "jwks", PublicKeys: []web.Key{{"k1", "EC on P-384"}}, Scopes: scopes, Organization: "Dune Health Plan", Contacts: []string{"bob@app.example", "+1 555 0100"}, Description: "Computes measures."},
		{Page: "services/a3", ClientID: "a3", Name: "Reports", Status: "active", At: noon, Created: noon, Live: true, Authentication: "secret", Scopes: scopes},
		{Page: "services/a4", ClientID: "a4", Name: "Old export", Status: "rejected", Reason: "It is not used any more.", By: "an administrator", At: noon, Authentication: "jwks", Scopes: scopes},
		{Page: "services/a5", ClientID: long, Name: long, Status: "under-review", At: noon, Created: noon, Authentication: "secret", Organization: long, Contacts: []string{long}, Description: long, Scopes: []web.Scope{{"system/Patient.rs?name=" + long, "read, search Patient where name=" + long}}},
		{Page: "services/a6", ClientID: "a6", Name: reversed, Status: "draft", At: noon, Authentication: "jwks_uri"},
		{Page: "services/a7", ClientID: "a7", Status: "draft", At: noon, Authentication: "jwks"},
	}
}

func dashboardPage() web.HomePage {
	p := homePage()
	p.Behaviour, p.Register, p.Services, p.Waiting, p.Refused = "strict", "services/new", services(), 2, refusals()
	return p
}

func formPage() web.ServiceFormPage {
	return web.ServiceFormPage{
		Site: site(), Action: "../services", Back: "../", Authentication: "jwks_uri", Version: 2, SecretsOffered: true,
		Rows:  []web.ScopeRow{{1, "Patient", "rs"}, {2, "*", "cruds"}},
		Built: "system/Patient.rs system/*.cruds", Types: []string{"Account", "Observation", "Patient"},
		Organizations: []web.Choice{{"org-1", "Dune Health Plan"}, {"org-2", long}},
	}
}

// faultyForm is the form with something wrong in every field.
func faultyForm() web.ServiceFormPage {
	p := formPage()
	p.Name, p.Authentication, p.JWKS, p.Scopes = long, "jwks", `{"keys":[]}`, "patient/*.rs"
	for _, field := range []string{"name", "description", "contacts", "authentication", "jwks_uri", "jwks", "scope", "organization"} {
		p.Problems = append(p.Problems, web.FieldProblem{Field: field, Text: "Wrong is " + field + ".", Fix: "Do it right."})
	}
	return p
}

// checkedForm is the form after one of its check buttons.
func checkedForm() web.ServiceFormPage {
	p := formPage()
	p.Editing, p.Live, p.Action, p.Back, p.Name, p.JWKSURI = true, true, "edit", "../a1", "Claims importer", "https://app.example/jwks.json"
	p.Seen = &web.SeenKeys{
		Of: "jwks_uri", Exchange: "../../_sandbox/exchanges/1f",
		Keys:     []web.SeenKey{{"k1", "EC on P-384", "ES384", "q1"}, {"", "RSA of 1024 bits", "", "q2"}},
		Problems: []web.FieldProblem{{"k2", "The key has 1024 bits.", "Make one of 3072 bits."}},
	}
	return p
}

func servicePage() web.ServicePage {
	home, refused := homePage(), exchangeRow(400)
	home.Sandbox.Registered = true
	refused.Check, refused.Text, refused.Fix = "C04", "The audience has a slash too many.", "Drop the slash."
	snippets := exchangePage().Snippets
	return web.ServicePage{
		Site: site(), Service: services()[0], Here: "a1", Edit: "a1/edit", Other: "../admin/services/a1", Allowed: []string{"submit"},
		History: []web.StatusChange{{"draft", "the developer", "", noon}}, Sandbox: &home.Sandbox, TryReads: "GET /fhir/Patient?_count=1",
		Commands: []web.Commands{{"Sandbox", "Asks for a token.", snippets}}, Exchanges: []web.ExchangeRow{refused, exchangeRow(200)},
	}
}

func exchangeRow(status int) web.ExchangeRow {
	return web.ExchangeRow{Link: web.Link{Page: "../_sandbox/exchanges/1f", Method: "POST", Path: "/auth/token", Status: status, At: noon}, Environment: "sandbox"}
}

// livePage is the page of a service that is live and was tried.
func livePage() web.ServicePage {
	p := servicePage()
	p.Service, p.Service.Name = services()[2], long
	production := homePage().Production
	production.Registered = true
	p.Production, p.Allowed = &production, []string{"deactivate"}
	p.Commands = append(p.Commands, web.Commands{"Production", "Asks for a token.", exchangePage().Snippets})
	p.History = append(p.History, web.StatusChange{"active", "an administrator", "Looks good.", noon})
	refused := exchangeRow(404)
	refused.Method, refused.Path, refused.Check, refused.Text, refused.Fix = "GET", "/fhir/Patient/"+long, "S01", "There is no such patient.", "Take another one."
	p.Tried = []web.Tried{
		{Title: "Token request", ExchangeRow: exchangeRow(200), Took: "3.4 ms", Tally: "18 passed"},
		{Title: "Request for data", ExchangeRow: refused, Took: "1.2 ms", Tally: "3 passed, 1 failed", Body: `{"resourceType":"OperationOutcome"}`},
	}
	return p
}

// reviewPage is the page of a revision for whoever reviews it.
func reviewPage() web.ServicePage {
	p := servicePage()
	p.Service, p.Admin, p.Allowed, p.Other = services()[1], true, []string{"approve", "reject", "deactivate"}, "../../services/a2"
	p.Changes = []web.Change{{"Scopes", "system/Patient.rs", "system/*.cruds"}, {"Name", long, "Quality measures"}}
	p.Problem = "The service is already under review."
	return p
}

func adminPage() web.AdminPage {
	list := services()
	return web.AdminPage{Site: site(), Waiting: []web.Service{list[1], list[4]}, Active: list[2:3], Others: []web.Service{list[0], list[3], list[5], list[6]}}
}

func secretPage() web.SecretPage {
	return web.SecretPage{Site: site(), Service: "services/a3", Name: "Reports", ID: "a3", Secret: "s3cr3t-" + long[:40], Expires: noon, OldUntil: noon.Add(time.Hour)}
}

// A page renders itself.
type page interface{ Render() ([]byte, error) }

// portalPages are all pages of the portals, filled.
func portalPages() map[string]page {
	return map[string]page{
		"dashboard": dashboardPage(), "register": formPage(), "register-problems": faultyForm(), "edit-checked": checkedForm(),
		"secret": secretPage(), "service": servicePage(), "service-live": livePage(), "review": reviewPage(), "admin": adminPage(),
		"problem": web.ProblemPage{Site: site(), Heading: "There is no such service", Text: "It may have been deleted.", Back: "services/new"},
	}
}

func renderPage(tb testing.TB, p page) []byte {
	tb.Helper()
	body, err := p.Render()
	if err != nil {
		tb.Fatal(err)
	}
	return body
}

func TestPortalPagesAreDocuments(t *testing.T) {
	t.Parallel()
	for name, p := range portalPages() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := renderPage(t, p)
			checkDocument(t, body)
			if *samples != "" {
				writeSample(t, name+".html", body)
			}
		})
	}
	if *samples != "" {
		writeSample(t, "_sandbox/style.css", web.Style())
		writeSample(t, "_sandbox/script.js", web.Script())
		writeSample(t, "_sandbox/keys.js", web.Keys())
	}
}

func writeSample(t *testing.T, name string, body []byte) {
	t.Helper()
	file := filepath.Join(*samples, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, body, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestDashboard(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*web.HomePage)
		want   []string
	}{
		{"PB-01 backend services with Register New", func(*web.HomePage) {}, []string{
			`<h2 id="services">Backend Services</h2>`, `<a class="button primary" href="services/new">Register New</a>`,
			`<a href="services/a1"><bdi>Claims importer</bdi></a>`, "Dune Health Plan", "<code>a1b2c3d4e5f6</code>",
		}},
		{"PB-22 PB-23 the statuses", func(*web.HomePage) {}, []string{
			`<span class="badge badge-draft">Draft</span>`, `<span class="badge badge-under-review">Under review</span>`,
			`<span class="badge badge-active">Active</span>`, `<span class="badge badge-rejected">Rejected</span>`, `<span class="badge badge-live">Live</span>`,
		}},
		{"PB-03 the authentications", func(*web.HomePage) {}, []string{"JWKS URI", "Inline JWKS", "Client secret"}},
		{"PB-16 how many wait", func(*web.HomePage) {}, []string{`<a href="admin">2 services wait for review.</a>`, `<span class="count">2<span class="hidden"> waiting</span></span>`}},
		{"one waits", func(p *web.HomePage) { p.Waiting = 1 }, []string{"One service waits for review."}},
		{"none waits", func(p *web.HomePage) { p.Waiting = 0 }, []string{"!for review.", `!class="count"`}},
		{"a service without a name", func(*web.HomePage) {}, []string{`<a href="services/a7"><code>a7</code></a>`}},
		{"a name from right to left", func(*web.HomePage) {}, []string{`<bdi><span class="invisible" title="a character that cannot be seen">U&#43;202E</span>`}},
		{"no services", func(p *web.HomePage) { p.Services = nil }, []string{"No service is registered yet.", "!<bdi>"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := dashboardPage()
			c.change(&p)
			body := renderPage(t, p)
			checkDocument(t, body)
			wants(t, body, c.want...)
		})
	}
}

func TestServiceForm(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		page web.ServiceFormPage
		want []string
	}{
		{"PB-02 the details", formPage(), []string{`<input id="f-name" name="name" value="" maxlength="200" required`, `name="description"`, `name="contacts"`}},
		{"PB-03 three ways to authenticate", formPage(), []string{`value="jwks_uri" checked>`, `value="jwks">`, `value="secret">`}},
		{"PB-03 no secrets where none are offered", func() web.ServiceFormPage { p := formPage(); p.SecretsOffered = false; return p }(), []string{`!value="secret"`}},
		{"PB-05 what they are", formPage(), []string{"Required for ONC (g)(10) and certified bulk data.", "Not SMART Backend Services, and not ONC (g)(10) compliant."}},
		{"PB-08 the subject", formPage(), []string{"The subject is always <b>System</b>", "!user/", "!patient/"}},
		{"PB-09 the versions", formPage(), []string{`value="2" id="v2" checked>`, `value="1" id="v1">`}},
		{"PB-10 the types", formPage(), []string{`<option value="*" selected>* (all types)</option>`, "<option selected>Patient</option>", "<option>Account</option>"}},
		{"PB-11 the operations", formPage(), []string{
			`<input type="checkbox" name="op-1" value="c" id="op-1-c"><label for="op-1-c">Create</label>`,
			`<input type="checkbox" name="op-1" value="r" id="op-1-r" checked>`, `value="s" id="op-1-s" checked>`, `value="d" id="op-2-d" checked>`,
		}},
		{"PB-12 the scopes that arise", formPage(), []string{`<code id="built">system/Patient.rs system/*.cruds</code>`}},
		{"PB-13 the organizations", formPage(), []string{`<select id="f-organization" name="organization">`, `<option value="org-1">Dune Health Plan</option>`}},
		{"PB-13 no organizations", func() web.ServiceFormPage { p := formPage(); p.Organizations = nil; return p }(), []string{`!name="organization"`}},
		{"PB-25 no redirect and no user", formPage(), []string{"!redirect"}},
		{"buttons that come back to where they were pressed", formPage(), []string{
			`name="add" value="1" formaction="../services#scope-rows" formnovalidate`, `name="remove" value="2" formaction="../services#f-scope"`,
			`name="check" value="jwks_uri" formaction="../services#f-authentication"`, `name="check" value="jwks" formaction="../services#f-authentication"`,
		}},
		{"what the server sees", checkedForm(), []string{
			"The server sees 2 keys:", "<code>k1</code> EC on P-384, signs ES384", "<code>no kid</code> RSA of 1024 bits</li>",
			"<code>k2</code> The key has 1024 bits. Make one of 3072 bits.", `<a href="../../_sandbox/exchanges/1f">The fetch in full</a>`, "!as they are.",
		}},
		{"PB-27 an edit", checkedForm(), []string{
			"<title>Edit Claims importer · Sandfhir</title>", "what is approved goes on in production", "Save as draft", `action="edit"`,
		}},
		{"what is wrong", faultyForm(), []string{
			"<title>Not yet: Register a backend service · Sandfhir</title>", "8 things are wrong:", `<a href="#f-jwks">Wrong is jwks.</a>`,
			`aria-invalid="true" aria-describedby="e-name"`, `<div class="trouble" id="e-name"><p>Wrong is name. Do it right.</p></div>`,
			`<fieldset id="f-scope" aria-describedby="e-scope">`, `value="patient/*.rs"`,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			body := renderPage(t, c.page)
			checkDocument(t, body)
			wants(t, body, c.want...)
		})
	}
}

func TestServicePage(t *testing.T) {
	t.Parallel()
	with := func(p web.ServicePage, change func(*web.ServicePage)) web.ServicePage { change(&p); return p }
	for _, c := range []struct {
		name string
		page web.ServicePage
		want []string
	}{
		{"PB-15 a draft", servicePage(), []string{
			`<span class="badge badge-draft">Draft</span>`, `<form method="post" action="a1/submit"><button class="primary">Submit for Review</button>`,
			"Try it there, then submit it for review.", `<a class="button" href="a1/edit">Edit</a>`, `action="a1/delete"`, "!Rotate secret", "!Approve", "!Live in production",
		}},
		{"PB-05 keys", servicePage(), []string{"required for ONC (g)(10) and certified bulk data", "<code>https://app.example/jwks.json</code>"}},
		{"PB-05 a secret", livePage(), []string{"Not SMART Backend Services, and not ONC (g)(10) compliant."}},
		{"PB-24 a service that is active is not submitted", livePage(), []string{"!Submit for Review", `<a class="button" href="a1/edit">Edit</a>`}},
		{"PB-07 the secret is rotated", livePage(), []string{`action="a1/rotate-secret"`, `<option value="24h">`}},
		{"PB-20 the constants of the sandbox", servicePage(), []string{
			`data-copy="sandbox FHIR base">http://127.0.0.1:8080/fhir</code>`, `href="http://127.0.0.1:8080/fhir/.well-known/smart-configuration"`,
			`data-copy="sandbox token URL">http://127.0.0.1:8080/auth/token`, `href="http://127.0.0.1:8080/fhir/metadata"`, "!Registration</dt>",
		}},
		{"PB-21 none of production before approval", servicePage(), []string{"!/production/", "Its constants appear here once the service is approved. Submit it for review"}},
		{"PB-21 none of production under review", with(servicePage(), func(p *web.ServicePage) { p.Status = "under-review" }), []string{"once an administrator approves the service."}},
		{"PB-23 none of production when rejected", with(servicePage(), func(p *web.ServicePage) { p.Status, p.Sandbox = "rejected", nil }), []string{
			"The service is not approved.", "The sandbox refuses the service.", `!id="try"`, "refused everywhere",
		}},
		{"PB-21 those of production", livePage(), []string{"Live in production", `data-copy="production token URL">http://127.0.0.1:8080/production/auth/token`}},
		{"commands for this client", livePage(), []string{"<h3>Sandbox</h3>", "<h3>Production</h3>", `name="language-1" id="language-1-3"`, `<label for="language-0-2">Python</label>`}},
		{"commands for the sandbox alone", servicePage(), []string{"!language-1-", `id="language-0-3"`}},
		{"try it with an assertion", servicePage(), []string{
			`action="a1/try"`, `data-client="a1b2c3d4e5f6"`, `data-sandbox="http://127.0.0.1:8080/auth/token"`, `name="client_assertion"`, "!data-production", `!name="environment"`, `!name="client_secret"`,
		}},
		{"try it with a secret in either environment", livePage(), []string{`type="password" id="try-secret" name="client_secret"`, `<select id="try-environment" name="environment">`, `!name="client_assertion"`}},
		{"what was tried", livePage(), []string{"Token request <span class=\"note\">3.4 ms</span>", "Checks: 3 passed, 1 failed.", "There is no such patient.", "<b>Fix</b> Take another one.", `<code class="status status-4">404 Not Found</code>`}},
		{"the latest exchanges explained", servicePage(), []string{`<code class="id">C04</code>`, "The audience has a slash too many.", "<b>Fix</b> Drop the slash."}},
		{"no exchanges", with(servicePage(), func(p *web.ServicePage) { p.Exchanges = nil }), []string{"The service has asked for nothing yet."}},
		{"the history", livePage(), []string{"by an administrator", "Looks good."}},
		{"why it was rejected", with(servicePage(), func(p *web.ServicePage) { p.Service = services()[3] }), []string{"<b>Rejected by an administrator:</b> It is not used any more."}},
		{"PB-16 the review", reviewPage(), []string{
			"<title>Review: Quality measures · Sandfhir</title>", `action="a1/approve"`, `<textarea id="reason-reject" name="reason" rows="3" required`,
			`<textarea id="reason-deactivate" name="reason" rows="3" required`, "read, search Patient", "<code>k1</code> EC on P-384", "bob@app.example", "!Submit for Review", "!Delete the service", `!id="try"`,
		}},
		{"PB-27 what has changed since approval", reviewPage(), []string{"<dt>Scopes</dt><dd><del><code>system/Patient.rs</code></del> <ins><code>system/*.cruds</code></ins>"}},
		{"PB-18 what approval does", with(reviewPage(), func(p *web.ServicePage) { p.Live = false }), []string{"Approval copies the service to production", "!An administrator decides"}},
		{"PB-27 what the approval of a revision does", reviewPage(), []string{"in the place of what is in production"}},
		{"PB-24 a step that cannot be taken", reviewPage(), []string{`<p class="notice" role="alert">The service is already under review.</p>`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			body := renderPage(t, c.page)
			checkDocument(t, body)
			wants(t, body, c.want...)
		})
	}
}

// Every status has a sentence that says what it means, live or not.
func TestEveryStatusIsExplained(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, status := range []string{"draft", "under-review", "active", "rejected"} {
		for _, live := range []bool{false, true} {
			p := web.ServicePage{Service: web.Service{Status: status, Live: live}}
			if text := p.Meaning(); text == "" || seen[text] {
				t.Errorf("%s, live %v: got %q, want a sentence of its own", status, live, text)
			} else {
				seen[text] = true
			}
		}
	}
}

func TestSecretPage(t *testing.T) {
	t.Parallel()
	body := renderPage(t, secretPage())
	wants(t, body, `id="client-secret">s3cr3t-`, `data-copy="client secret"`, "It is shown this once", "2026-01-31 12:00:00 UTC", "Works until", `<a class="button primary" href="services/a3">I have copied it</a>`)
	body = renderPage(t, web.SecretPage{Site: site()})
	checkDocument(t, body)
	wants(t, body, "Never, unless it is rotated.", "!Works until")
}

func TestAdminPage(t *testing.T) {
	t.Parallel()
	body := renderPage(t, adminPage())
	wants(t, body, `<h3><a href="services/a2"><bdi>Quality measures</bdi></a></h3>`, "Revision of a live service", "system/Observation.rs?category=laboratory", "read, search Patient", "Inline JWKS", "<bdi>Dune Health Plan</bdi>", "bob@app.example",
		"submitted <time", "not SMART Backend Services", "Drafts and rejected")
	body = renderPage(t, web.AdminPage{Site: site()})
	checkDocument(t, body)
	wants(t, body, "Nothing waits for a decision.", "No service is active.", "!Drafts and rejected")
}

func TestProblemPage(t *testing.T) {
	t.Parallel()
	wants(t, renderPage(t, portalPages()["problem"]), "<title>There is no such service · Sandfhir</title>", "<h1>There is no such service</h1>", "It may have been deleted.", `<a class="button" href="services/new">Go on</a>`)
}
