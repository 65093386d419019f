package web_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/web"
)

// exchangePage is a token request that was refused for its audience.
func exchangePage() web.ExchangePage {
	return web.ExchangePage{
		Site: site(), JSON: "?_format=json",
		ID: "9b1deb4d3b7d4bad9bdd2b0d7b3dcb6d", Environment: "sandbox", Client: "my-client",
		At: time.Date(2026, 1, 31, 18, 0, 7, 0, time.UTC), Took: 3400 * time.Microsecond,
		Method: "POST", Path: "/auth/token", URL: "http://127.0.0.1:8080/auth/token",
		Request: web.Message{
			Header: []web.Field{{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}},
			Body:   "grant_type=client_credentials&scope=system%2FPatient.rs+system%2FGroup.r&bad=%zz",
		},
		Status: 400,
		Response: web.Message{
			Header: []web.Field{{"Content-Type", "application/json"}},
			Body:   `{"error":"invalid_client","n":1.50}`, Bytes: 34,
		},
		Assertion: &web.Assertion{Header: []byte(`{"alg":"RS384"}`), Claims: []byte(`{"iss":"my-client","exp":1769882707,"iat":1769882407.5}`)},
		Checks: []web.Check{
			{ID: "SB-TOK-01", Requirement: "SB-TOK-01", Rule: "the request is a POST", Clause: "RFC 6749 section 3.2", Result: "pass", Got: "POST"},
			{ID: "A07", Requirement: "SB-JWT-02", Rule: "header typ is JWT", Clause: "clause of typ", Result: "warn", Got: "absent", Want: "JWT", Text: "The header has no typ."},
			{ID: "C04", Requirement: "SB-JWT-12", Rule: "aud is the token URL", Clause: "clause of aud", Result: "fail", Got: `"http://127.0.0.1:8080/auth/token/"`, Want: "http://127.0.0.1:8080/auth/token", Text: "It has a slash too many.", Counterfactual: "Without it, it would do.", Fix: "Drop the slash."},
			{ID: "SB-JWT-14", Requirement: "SB-JWT-14", Rule: "exp is present", Clause: "clause of exp", Result: "not-reached"},
		},
		Refusal: "C04: It has a slash too many. Without it, it would do. Drop the slash.",
		Does:    "Asks for a token.", Snippets: []web.Snippet{{"curl and openssl", "curl -sS 'http://127.0.0.1:8080/auth/token'\n"}, {"Go", "package main\n"}, {"Python", "import jwt\n"}, {"JavaScript", "fetch()\n"}},
		Registration: &web.Registration{
			Name: "Claims importer", Status: "rejected", StatusReason: "unused", StatusBy: "ann", StatusAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
			Method: "private_key_jwt", JWKSURI: "https://app.example/jwks.json", Keys: []web.Key{{"k1", "EC on P-384"}}, Scopes: "system/*.rs",
		},
		Fetches: []web.Link{{Page: "../exchanges/abc", Method: "GET", Path: "https://app.example/jwks.json", Status: 503, Check: "J03", At: time.Date(2026, 1, 31, 18, 0, 6, 0, time.UTC)}},
	}
}

func renderExchange(tb testing.TB, p web.ExchangePage) []byte {
	tb.Helper()
	body, err := p.Render()
	if err != nil {
		tb.Fatal(err)
	}
	return body
}

func TestExchangePage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*web.ExchangePage)
		want   []string
	}{
		{"C04 the refusal", func(*web.ExchangePage) {}, []string{
			"<title>C04: POST /auth/token refused · Sandfhir</title>",
			"<h1>Refused by check <code>C04</code></h1>",
			`<p class="diagnosis">It has a slash too many.</p>`,
			`<p class="found"><b>Found</b> Without it, it would do.</p>`, `<p class="fix"><b>Fix</b> Drop the slash.</p>`,
			`<dt>Got</dt><dd><code>&#34;http://127.0.0.1:8080/auth/token<mark>/</mark>&#34;</code>`,
			`<dt>Wanted</dt><dd><code>http://127.0.0.1:8080/auth/token</code>`,
			"<dt>From</dt><dd>clause of aud</dd>", "<code>SB-JWT-12</code>",
			`<code class="status status-4">400 Bad Request</code>`,
		}},
		{"the checklist", func(*web.ExchangePage) {}, []string{
			"until one failed: 1 passed, 1 passed with a warning, 1 failed, 1 not reached.",
			`<tr role="row" class="pass">`, `<tr role="row" class="warn">`, `<tr role="row" class="fail">`, `<tr role="row" class="not-reached">`,
			">✓<", ">!<", ">✗<", "Not reached", `<span class="warning">The header has no typ.</span>`, "clause of exp",
		}},
		{"the assertion", func(*web.ExchangePage) {}, []string{
			"{\n  &#34;alg&#34;: &#34;RS384&#34;\n}", "&#34;exp&#34;: 1769882707,\n",
			"<dt><code>exp</code></dt><dd>2026-01-31 18:05:07 UTC</dd>", "<dt><code>iat</code></dt><dd>2026-01-31 18:00:07 UTC</dd>",
		}},
		{"the code in four languages, one of them seen", func(*web.ExchangePage) {}, []string{
			`<h2 id="code">In code</h2>`, "Asks for a token.", `<input type="radio" name="language" id="language-0" checked><label for="language-0">curl and openssl</label>`,
			`id="language-3"><label for="language-3">JavaScript</label>`, `<code data-copy="the code">curl -sS &#39;http://127.0.0.1:8080/auth/token&#39;`, `href="#code"`,
		}},
		{"no code", func(p *web.ExchangePage) { p.Snippets = nil }, []string{`!id="code"`, `!href="#code"`}},
		{"the client", func(*web.ExchangePage) {}, []string{
			"<dt>Status</dt><dd>rejected</dd>", `rejected since <time datetime="2026-01-02T03:04:05Z">2026-01-02 03:04:05 UTC</time> by ann: unused`,
			"Claims importer", "<code>k1</code> EC on P-384", "<code>https://app.example/jwks.json</code>", "<code>system/*.rs</code>",
		}},
		{"no client", func(p *web.ExchangePage) { p.Registration = nil }, []string{`!id="client"`, "!<dt>Status</dt>"}},
		{"the fetches of the key set", func(*web.ExchangePage) {}, []string{
			`<a href="../exchanges/abc"><code><b>GET</b> https://app.example/jwks.json</code></a>`, `503, <code class="id">J03</code>`, `href="#fetches"`,
		}},
		{"a fetch that failed", func(p *web.ExchangePage) {
			p.Fetch = &web.Source{Reason: "no copy", Resolved: []string{"127.0.0.1"}, Redirects: []string{"https://app.example/login"}, UsedBy: []web.Link{{Page: "../exchanges/def", Method: "POST", Path: "/auth/token", Status: 400}}}
			p.Status, p.Path, p.Method = 0, "https://app.example/jwks.json", "GET"
		}, []string{
			"<title>C04: GET https://app.example/jwks.json failed · Sandfhir</title>", "<h1>The fetch of the key set failed: <code>C04</code></h1>", "was not answered",
			"<dt>Why</dt><dd>no copy</dd>", "<code>127.0.0.1</code>", "https://app.example/login", `<a href="../exchanges/def">`, "!Kept until",
		}},
		{"a fetch", func(p *web.ExchangePage) {
			p.Checks, p.Refusal, p.Snippets = p.Checks[:1], "", nil
			p.Fetch = &web.Source{Reason: "no copy", Address: "127.0.0.1:443", KeyIDs: []string{"k1"}, KeepUntil: time.Date(2026, 1, 31, 18, 1, 7, 0, time.UTC), KeptBy: "Cache-Control: max-age=60"}
		}, []string{"<h1>A fetch of a key set</h1>", "2026-01-31 18:01:07 UTC</time>, by Cache-Control: max-age=60", "<code>127.0.0.1:443</code>", "!Used by"}},
		{"a fault", func(p *web.ExchangePage) { p.Fault = "slow-token" }, []string{"<dt>Fault</dt><dd>slow-token</dd>"}},
		{"no assertion", func(p *web.ExchangePage) { p.Assertion = nil }, []string{"!The client assertion", `!href="#assertion"`}},
		{"claims that are no times", func(p *web.ExchangePage) {
			p.Assertion.Claims = []byte(`{"exp":"soon","iat":1e300,"nbf":-1}`)
		}, []string{`!class="instants"`}},
		{"a form is decoded and shown as sent", func(*web.ExchangePage) {}, []string{
			"<code>scope</code></th><td><div class=\"scroll\"><code>system/Patient.rs system/Group.r</code>", "<code>%zz</code>",
			"&amp;scope=system%2FPatient.rs&#43;system%2FGroup.r",
		}},
		{"JSON is indented and its numbers stay as they are", func(*web.ExchangePage) {}, []string{"{\n  &#34;error&#34;: &#34;invalid_client&#34;,\n  &#34;n&#34;: 1.50\n}", "34 bytes"}},
		{"a body that was cut", func(p *web.ExchangePage) { p.Response.Body = `{"error":…` }, []string{"{&#34;error&#34;:…</code>"}},
		{"a body that was streamed", func(p *web.ExchangePage) { p.Response.Body, p.Response.Bytes = "", 4_200_000 }, []string{"4.2 MB", "It was streamed and is not kept."}},
		{"no body", func(p *web.ExchangePage) { p.Request.Body = "" }, []string{"Empty."}},
		{"about the exchange", func(*web.ExchangePage) {}, []string{
			`<time datetime="2026-01-31T18:00:07.000Z">2026-01-31 18:00:07 UTC</time>`, "3.4 ms", "<dd>sandbox</dd>", "<dd><code>my-client</code></dd>",
			`<a href="?_format=json">`,
		}},
		{"a refusal without a failed check", func(p *web.ExchangePage) {
			p.Checks, p.Refusal, p.Status = p.Checks[:1], "there is no Patient/7", 404
		}, []string{"<h1>Refused</h1>", `<p class="diagnosis">there is no Patient/7</p>`, "!<dt>Got</dt>", "POST /auth/token refused", "Made in this order: 1 passed."}},
		{"nothing got", func(p *web.ExchangePage) { p.Checks[2].Got = "" }, []string{`<span class="none">nothing</span>`}},
		{"nothing in particular wanted", func(p *web.ExchangePage) { p.Checks[2].Want = "" }, []string{"<dt>Wanted</dt><dd>aud is the token URL</dd>"}},
		{"neither got nor wanted", func(p *web.ExchangePage) { p.Checks[2].Got, p.Checks[2].Want = "", "" }, []string{"!<dt>Got</dt>"}},
		{"not refused", func(p *web.ExchangePage) {
			p.Checks, p.Refusal, p.Status, p.Took = p.Checks[:1], "", 200, 1300*time.Millisecond
		}, []string{"<h1>Exchange</h1>", `!class="refusal"`, "POST /auth/token answered 200 · Sandfhir", "1.3 s", `class="status status-2">200 OK<`}},
		{"aborted", func(p *web.ExchangePage) { p.Aborted = true }, []string{"The client went away", "!The server failed"}},
		{"broken", func(p *web.ExchangePage) { p.Broken = true }, []string{"The server failed before the whole answer was sent", "!The client went away"}},
		{"a request that has nothing", func(p *web.ExchangePage) { *p = web.ExchangePage{Site: site()} }, []string{"<h1>Exchange</h1>", `!href="#checks"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := exchangePage()
			c.change(&p)
			page := renderExchange(t, p)
			checkDocument(t, page)
			wants(t, page, c.want...)
		})
	}
}

func TestLadderKeepsItsOrder(t *testing.T) {
	t.Parallel()
	page := string(renderExchange(t, exchangePage()))
	_, list, _ := strings.Cut(page, `class="checklist"`)
	last := -1
	for _, id := range []string{"SB-TOK-01", "A07", "C04", "SB-JWT-14"} {
		at := strings.Index(list, "<code>"+id+"</code>")
		if at <= last {
			t.Errorf("%s is at %d, the check before it at %d", id, at, last)
		}
		last = at
	}
}

func TestComparison(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, got, want, wantGot, wantWant string }{
		{"a letter of another case", "http://a.example/Token", "http://a.example/token", "http://a.example/<mark>T</mark>oken", "http://a.example/<mark>t</mark>oken"},
		{"another port", "http://a.example:8080/token", "http://a.example/token", "http://a.example<mark>:8080</mark>/token", "http://a.example/token"},
		{"a space at the end", "my-client ", "my-client", "my-client<mark> </mark>", "my-client"},
		{"little in common", "RS256", "RS384 and ES384", "RS256", "RS384 and ES384"},
		{"the same", "JWT", "JWT", "JWT", "JWT"},
		{"the same in quotation marks", `"JWT"`, "JWT", "&#34;JWT&#34;", "JWT"},
		{"a quotation mark alone", `"`, "JWT", "&#34;", "JWT"},
		{"half a character in common", "clés", "clès", "cl<mark>é</mark>s", "cl<mark>è</mark>s"},
		{"an overlap", "aaa", "aaaa", "aaa", "aaa<mark>a</mark>"},
		{"a zero-width space", "key\u200b-1", "key-1", `key<span class="invisible" title="a character that cannot be seen">U&#43;200B</span>-1`, "key-1"},
		{"a line end", "key\n", "key", `key<span class="invisible" title="a character that cannot be seen">U&#43;000A</span>`, "key"},
		{"a byte that is no character", "key\xff", "key", `key<span class="invisible" title="a character that cannot be seen">byte FF</span>`, "key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := exchangePage()
			p.Checks[2].Got, p.Checks[2].Want = c.got, c.want
			wants(t, renderExchange(t, p), "<dt>Got</dt><dd><code>"+c.wantGot+"</code>", "<dt>Wanted</dt><dd><code>"+c.wantWant+"</code>")
		})
	}
}

// JSON that is nested deeply would take white space by the square of its depth.
func TestDeepJSONIsNotIndented(t *testing.T) {
	t.Parallel()
	const levels = 9000
	for name, claims := range map[string]string{
		"arrays":                         strings.Repeat("[", levels) + strings.Repeat("]", levels),
		"arrays behind brackets in text": `["` + strings.Repeat("]", levels) + `",` + strings.Repeat("[", levels) + strings.Repeat("]", levels) + "]",
		"arrays behind an escape":        `["\"` + strings.Repeat("]", levels) + `",` + strings.Repeat("[", levels) + strings.Repeat("]", levels) + "]",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := exchangePage()
			p.Assertion.Claims = []byte(claims)
			page := renderExchange(t, p)
			if limit := len(claims) + 20_000; len(page) > limit {
				t.Errorf("the page has %d bytes, want at most %d", len(page), limit)
			}
			if !bytes.Contains(page, []byte(strings.Repeat("[", levels))) {
				t.Error("the claims are not on the page as they are")
			}
		})
	}
}
