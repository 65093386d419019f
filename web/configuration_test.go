package web_test

import (
	"testing"

	"github.com/sandfhir/sandfhir/web"
)

func configurationPage() web.ConfigurationPage {
	home := homePage()
	return web.ConfigurationPage{
		Site: site(), JSON: "behaviour", Choose: "smart-configuration",
		Behaviour: "aidbox", Description: "what a tutorial says",
		Behaviours: []web.Behaviour{{"strict", "the default"}, {"aidbox", "what a tutorial says"}},
		Switches: []web.Switch{
			{Name: "aud.accept", Value: "any", Strict: "token", Effect: "milder", Meaning: "what aud may be", Source: "SB-DIF-01: a tutorial"},
			{Name: "jwks.require_use", Value: "true", Strict: "false", Effect: "stricter", Meaning: "whether use is needed", Source: "SB-DIF-07: a tutorial"},
			{Name: "hide_reasons.description", Value: "", Strict: "", Meaning: "what stands in its place", Source: "RFC 6749"},
			{Name: "token.type", Value: "Bearer", Strict: "bearer", Effect: "different", Meaning: "the spelling"},
		},
		Documents: []web.Document{
			{Environment: home.Sandbox, JSON: []byte(`{"token_endpoint":"http://127.0.0.1:8080/auth/token"}`)},
			{Environment: home.Production, JSON: []byte(`{"token_endpoint":"http://127.0.0.1:8080/production/auth/token"}`)},
		},
	}
}

func renderConfiguration(tb testing.TB, p web.ConfigurationPage) []byte {
	tb.Helper()
	body, err := p.Render()
	if err != nil {
		tb.Fatal(err)
	}
	return body
}

func TestConfigurationPage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*web.ConfigurationPage)
		want   []string
	}{
		{"how far it is from strict", func(*web.ConfigurationPage) {}, []string{
			"<title>SMART configuration · Sandfhir</title>",
			"<b>aidbox</b> differs from strict: 1 milder, 1 stricter, 1 different.",
			`<span class="effect">Milder</span>`, `<span class="effect">Stricter</span>`, `<span class="effect">Different</span>`,
			`<tr role="row" class="milder">`, "SB-DIF-01: a tutorial", "<code>any</code>", "strict: <code>token</code>",
		}},
		{"what is as strict has it", func(*web.ConfigurationPage) {}, []string{
			"As strict", "What stands in its place.", "<code class=\"id\">hide_reasons.description</code></th>", "<code>empty</code></td>",
		}},
		{"the behaviours to choose from", func(*web.ConfigurationPage) {}, []string{
			`<form method="post" action="smart-configuration"><button name="behaviour" value="strict">Switch to it`,
			`<button name="behaviour" value="aidbox">Set all of it again`, "in force",
		}},
		{"both documents", func(*web.ConfigurationPage) {}, []string{
			"{\n  &#34;token_endpoint&#34;: &#34;http://127.0.0.1:8080/auth/token&#34;\n}",
			"&#34;http://127.0.0.1:8080/production/auth/token&#34;",
			`href="http://127.0.0.1:8080/production/fhir/.well-known/smart-configuration"`,
		}},
		{"strict itself", func(p *web.ConfigurationPage) {
			p.Behaviour = "strict"
			for i := range p.Switches {
				p.Switches[i].Effect = ""
			}
		}, []string{"Under <b>strict</b>, every switch is as in strict.", "!differs from strict", "!Not as strict"}},
		{"nothing as strict", func(p *web.ConfigurationPage) { p.Switches = p.Switches[:2] }, []string{"!As strict"}},
		{"nothing at all", func(p *web.ConfigurationPage) { *p = web.ConfigurationPage{Site: site()} }, []string{"<h1>SMART configuration</h1>"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := configurationPage()
			c.change(&p)
			page := renderConfiguration(t, p)
			checkDocument(t, page)
			wants(t, page, c.want...)
		})
	}
}
