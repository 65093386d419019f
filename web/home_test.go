package web_test

import (
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/web"
)

func site() web.Site {
	return web.Site{Home: "./", AdminHome: "admin", Style: "_sandbox/style.css?v=1", Script: "_sandbox/script.js?v=1", Keys: "_sandbox/keys.js?v=1", Icon: "_sandbox/icon.svg?v=1"}
}

func homePage() web.HomePage {
	return web.HomePage{
		Site: site(),
		Sandbox: web.Environment{
			Name: "sandbox", FHIRBase: "http://127.0.0.1:8080/fhir", TokenURL: "http://127.0.0.1:8080/auth/token", Audience: "http://127.0.0.1:8080/auth/token", RegistrationURL: "http://127.0.0.1:8080/auth/register",
		},
		Production: web.Environment{
			Name: "production", FHIRBase: "http://127.0.0.1:8080/production/fhir", TokenURL: "http://127.0.0.1:8080/production/auth/token", Audience: "http://127.0.0.1:8080/production/auth",
		},
		TokenCommand: "go run . token",
	}
}

func refusals() []web.ExchangeRow {
	at := time.Date(2026, 1, 31, 18, 0, 7, 0, time.UTC)
	return []web.ExchangeRow{
		{Link: web.Link{Page: "_sandbox/exchanges/1f", At: at, Method: "POST", Path: "/auth/token", Status: 400, Check: "A12"}, Kind: "request", Client: "my-client", Refused: true},
		{Link: web.Link{Page: "_sandbox/exchanges/2f", At: at, Method: "GET", Path: "/fhir/Patient?name=x&_count=2", Status: 404}, Kind: "request", Refused: true},
	}
}

func renderHome(tb testing.TB, p web.HomePage) []byte {
	tb.Helper()
	body, err := p.Render()
	if err != nil {
		tb.Fatal(err)
	}
	return body
}

func TestHomePage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*web.HomePage)
		want   []string
	}{
		{"SB-DISC-22 PB-20 the constants of the sandbox", func(*web.HomePage) {}, []string{
			`>http://127.0.0.1:8080/fhir</code>`,
			`href="http://127.0.0.1:8080/fhir/.well-known/smart-configuration"`,
			`>http://127.0.0.1:8080/auth/token</code>`,
			`href="http://127.0.0.1:8080/fhir/metadata"`,
			`>http://127.0.0.1:8080/auth/register</code>`,
		}},
		{"SB-DISC-22 PB-20 the constants of production", func(*web.HomePage) {}, []string{
			`>http://127.0.0.1:8080/production/fhir</code>`,
			`href="http://127.0.0.1:8080/production/fhir/.well-known/smart-configuration"`,
			`>http://127.0.0.1:8080/production/auth/token</code>`,
			`href="http://127.0.0.1:8080/production/fhir/metadata"`,
			`None: clients come in by approval.`,
		}},
		{"the commands", func(*web.HomePage) {}, []string{
			"curl http://127.0.0.1:8080/fhir/metadata</code>",
			"curl http://127.0.0.1:8080/auth/register \\\n  -H 'Content-Type: application/json'",
			"<code>go run . token</code> signs in", "curl http://127.0.0.1:8080/fhir/Patient \\\n  -H \"Authorization: Bearer $(go run . token)\"</code>",
		}},
		{"nothing refused", func(*web.HomePage) {}, []string{"Nothing has been refused yet.", "!<table"}},
		{"something refused", func(p *web.HomePage) { p.Refused = refusals() }, []string{
			`href="_sandbox/exchanges/1f"`, `<b>POST</b> /auth/token</code>`, `>400<`, `>A12<`, `>my-client<`,
			`<time datetime="2026-01-31T18:00:07Z">2026-01-31 18:00:07 UTC</time>`,
			`<b>GET</b> /fhir/Patient?name=x&amp;_count=2</code>`, "!Nothing has been refused yet.",
		}},
		{"its own files", func(*web.HomePage) {}, []string{
			`href="_sandbox/style.css?v=1"`, `src="_sandbox/script.js?v=1"`, `href="_sandbox/icon.svg?v=1"`,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := homePage()
			c.change(&p)
			page := renderHome(t, p)
			checkDocument(t, page)
			wants(t, page, c.want...)
		})
	}
}
