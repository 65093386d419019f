package httpapi_test

import (
	"bytes"
	"net/url"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/sandbox"
)

// wantHidden checks that an exchange's page, which whoever knows its id may
// read, shows none of the secrets.
func wantHidden(t *testing.T, w *world, id string, secrets ...string) {
	t.Helper()
	for _, accept := range []string{"application/json", "text/html"} {
		a := w.at().get(t, "/_sandbox/exchanges/"+id, "Accept", accept).want(t, 200)
		for _, s := range secrets {
			if s == "" {
				t.Fatal("a secret is empty")
			}
			if at := bytes.Index(a.body, []byte(s)); at >= 0 {
				t.Errorf("the page of an exchange (%s) shows the secret: …%s…", accept, a.body[max(0, at-80):min(len(a.body), at+len(s)+20)])
			}
		}
	}
}

// signatureOf is what of a JWT lets its holder use it.
func signatureOf(jwt string) string { return jwt[strings.LastIndexByte(jwt, '.')+1:] }

// TestExchangesKeepSecrets sends secrets the right way and the wrong ways, and
// looks for them in what the server keeps.
func TestExchangesKeepSecrets(t *testing.T) {
	t.Parallel()
	w := start(t)
	me := w.service(t, nil, "system/Patient.rs")
	aud := w.TokenURL()
	secret, private := "s3cr3t-value-of-a-client", base64url([]byte("a private exponent of a key"))
	token := w.grant(t, "system/Patient.rs").token
	assertion := me.assertion(t, me.id, aud)
	pair := form("client_assertion_type", assertionType, "client_assertion", assertion)
	whole := tokenForm(assertion, "system/Patient.rs")
	escaped := strings.ReplaceAll(assertion, ".", "%2E")
	for _, c := range []struct {
		name   string
		send   func() *answer
		secret string
	}{
		{"assertion", func() *answer {
			return w.at().search(t, aud, tokenForm(me.assertion(t, me.id, aud), "system/Patient.rs"))
		}, ""},
		{"assertion with an escaped dot", func() *answer { return w.at().search(t, aud, "client_assertion="+escaped) }, signatureOf(assertion)},
		{"assertion with an escaped name", func() *answer { return w.at().search(t, aud, "client%5Fassertion="+assertion) }, signatureOf(assertion)},
		{"assertion behind white space", func() *answer { return w.at().search(t, aud, "client_assertion=+"+assertion) }, signatureOf(assertion)},
		{"form as JSON", func() *answer { return w.at().search(t, aud, whole, "Content-Type", "application/json") }, signatureOf(assertion)},
		{"form as text", func() *answer { return w.at().search(t, aud, whole, "Content-Type", "text/plain") }, signatureOf(assertion)},
		{"form as nothing", func() *answer { return w.at().search(t, aud, whole, "Content-Type", "") }, signatureOf(assertion)},
		{"form as multipart", func() *answer {
			return w.at().search(t, aud, "--x\r\nContent-Disposition: form-data; name=\"client_assertion\"\r\n\r\n"+assertion+"\r\n--x--\r\n", "Content-Type", "multipart/form-data; boundary=x")
		}, signatureOf(assertion)},
		{"JSON", func() *answer {
			return w.at().search(t, aud, `{"client_assertion": "`+assertion+`"}`, "Content-Type", "application/json")
		}, signatureOf(assertion)},
		{"query of a POST", func() *answer { return w.at().search(t, aud+"?"+pair, "grant_type=client_credentials") }, signatureOf(assertion)},
		{"query of a GET", func() *answer { return w.at().get(t, aud+"?"+whole) }, signatureOf(assertion)},
		{"assertion for a token", func() *answer { return w.stranger().get(t, "/Patient", "Authorization", "Bearer "+assertion) }, signatureOf(assertion)},
		{"token", func() *answer { return w.stranger().get(t, "/Patient", "Authorization", "Bearer "+token) }, signatureOf(token)},
		{"token in lower case", func() *answer { return w.stranger().get(t, "/Patient", "authorization", "bearer "+token) }, signatureOf(token)},
		{"token without a scheme", func() *answer { return w.stranger().get(t, "/Patient", "Authorization", token) }, signatureOf(token)},
		{"token behind two spaces", func() *answer { return w.stranger().get(t, "/Patient", "Authorization", "Bearer  "+token) }, signatureOf(token)},
		{"quoted token", func() *answer { return w.stranger().get(t, "/Patient", "Authorization", `Bearer "`+token+`"`) }, signatureOf(token)},
		{"token in the query", func() *answer { return w.stranger().get(t, "/Patient?access_token="+token) }, signatureOf(token)},
		{"token in the query of an unknown path", func() *answer { return w.at().get(t, "/nothing?access_token="+token) }, signatureOf(token)},
		{"token in another header", func() *answer { return w.stranger().get(t, "/Patient", "Proxy-Authorization", "Bearer "+token) }, signatureOf(token)},
		{"token in the Referer", func() *answer { return w.stranger().get(t, "/Patient", "Referer", "http://x/?access_token="+token) }, signatureOf(token)},
		{"secret by Basic", func() *answer {
			return w.at().search(t, aud, "grant_type=client_credentials", "Authorization", "Basic "+basic("me", secret))
		}, basic("me", secret)},
		{"secret in the form", func() *answer {
			return w.at().search(t, aud, form("grant_type", "client_credentials", "client_id", "me", "client_secret", secret))
		}, secret},
		{"secret in the query", func() *answer { return w.at().search(t, aud+"?client_secret="+secret, "grant_type=client_credentials") }, secret},
		{"secret as JSON", func() *answer {
			return w.at().search(t, aud, `{"client_secret":"`+secret+`"}`, "Content-Type", "application/json")
		}, secret},
		{"private key in a registration", func() *answer {
			return w.register(t, metadata(func(m map[string]any) { m["jwks"] = keySet(me.jwk(t, func(jwk map[string]any) { jwk["d"] = private })) }))
		}, private},
		{"private key in a registration as a form", func() *answer {
			return w.at().search(t, "/auth/register", `{"jwks":{"keys":[{"kty":"EC","d":"`+private+`"}]}}`)
		}, private},
	} {
		t.Run(c.name, func(t *testing.T) {
			known := map[string]bool{}
			for _, e := range w.Exchanges() {
				known[e.ID] = true
			}
			a := c.send()
			secrets := []string{c.secret}
			if c.secret == "" {
				var got tokenAnswer
				a.want(t, 200).decode(t, &got)
				secrets = []string{signatureOf(got.AccessToken), got.AccessToken}
			}
			fresh := w.Exchanges(func(e sandbox.Exchange) bool { return !known[e.ID] })
			if len(fresh) != 1 {
				t.Fatalf("got %d exchanges, want one", len(fresh))
			}
			wantHidden(t, w, fresh[0].ID, secrets...)
			if e, err := url.QueryUnescape(string(a.body)); err == nil && c.secret != "" && strings.Contains(e, c.secret) {
				t.Errorf("the answer itself shows the secret: %s", a.excerpt())
			}
		})
	}
	a := w.register(t, metadata(func(m map[string]any) { m["token_endpoint_auth_method"] = "client_secret_post" })).want(t, 201)
	var issued struct {
		Secret string `json:"client_secret"`
		Token  string `json:"registration_access_token"`
	}
	a.decode(t, &issued)
	all := w.Exchanges()
	wantHidden(t, w, all[len(all)-1].ID, issued.Secret, issued.Token)
	for _, e := range w.Exchanges() {
		wantHidden(t, w, e.ID, signatureOf(w.all.token))
	}
}

// TestExchanges is about what is kept of a request.
func TestExchanges(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.client(t, "system/Patient.rs")
	p := w.holder(t, c)
	p.get(t, "/Patient?_count=1&name=x", "X-Request-Id", "abc").want(t, 200)
	p.get(t, "/Observation").want(t, 403)

	type record struct {
		ID, Environment, Method, URL, Client, Refusal, ResponseBody string
		Status                                                      int
		ResponseBytes                                               int64
		RequestHeader, ResponseHeader                               []struct{ Name, Value string }
		Checks                                                      []struct {
			ID     string
			Result any
		}
	}
	list := func(query string) (list []record) {
		t.Helper()
		w.at().get(t, "/_sandbox/exchanges"+query).want(t, 200).decode(t, &list)
		return list
	}
	got := list("?client=" + c.ID())
	if len(got) != 3 {
		t.Fatalf("got %d exchanges of the client, want its token, its search and its refusal", len(got))
	}
	refused, search, token := got[0], got[1], got[2] // newest first
	if refused.Status != 403 || refused.Refusal == "" || len(refused.Checks) == 0 {
		t.Errorf("got %+v, want the refusal with its checks", refused)
	}
	if search.URL != w.FHIRURL()+"/Patient?_count=1&name=x" || search.Method != "GET" || search.Status != 200 || search.Environment != "sandbox" || search.ResponseBytes == 0 || !strings.Contains(search.ResponseBody, "searchset") {
		t.Errorf("got %+v, want the search", search)
	}
	if token.URL != w.TokenURL() || len(token.Checks) < 10 {
		t.Errorf("got %+v, want the token request with its checks", token)
	}
	if got := list("?refused=true"); len(got) != 1 || got[0].ID != refused.ID {
		t.Errorf("got %d refused, want one", len(got))
	}
	if got := list("?limit=1"); len(got) != 1 {
		t.Errorf("got %d, want 1", len(got))
	}
	one := w.at().get(t, "/_sandbox/exchanges/"+refused.ID).want(t, 200).object(t)
	if one["id"] != refused.ID || len(refused.ID) != 32 {
		t.Errorf("got id %v, want %s of 128 bits", one["id"], refused.ID)
	}
	w.all.put(t, "/Binary/large", large("large", 1<<20)).want(t, 201)
	for _, e := range w.Exchanges() {
		if len(e.RequestBody) > 17<<10 || len(e.ResponseBody) > 17<<10 {
			t.Errorf("%s keeps bodies of %d and %d bytes, want 16 KiB at most", e.URL, len(e.RequestBody), len(e.ResponseBody))
		}
	}
	page := w.at().get(t, "/_sandbox/exchanges/"+refused.ID, "Accept", "text/html").want(t, 200)
	if csp := page.header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || page.header.Get("Cache-Control") != "no-store" {
		t.Errorf("got Content-Security-Policy %q and Cache-Control %q", csp, page.header.Get("Cache-Control"))
	}
	hostile := w.all.get(t, "/Patient/x?<script>alert(1)</script>=%22%3E%3Cscript%3E", "Accept", "<script>alert(2)</script>")
	link := strings.TrimPrefix(strings.SplitN(hostile.header.Get("Link"), ">", 2)[0], "<")
	if body := w.at().get(t, link, "Accept", "text/html").want(t, 200).body; bytes.Contains(body, []byte("<script>alert")) {
		t.Error("the page runs what a request brought")
	}
}
