package httpapi_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/sandbox"
)

// listen starts a server and returns it with a party at its listener, whatever
// URL the server was told that it has.
func listen(t *testing.T, opts ...sandbox.Option) (*sandbox.Server, party) {
	t.Helper()
	sb, err := sandbox.New(t.Context(), append([]sandbox.Option{sandbox.WithPatients(patients)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sb.Close(); err != nil {
			t.Error(err)
		}
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := sb.ListenOn(ln); err != nil {
		t.Fatal(err)
	}
	return sb, party{web: newWeb(t), base: "http://" + ln.Addr().String()}
}

// A refusedAs is what a refusal looks like to the client that a path is for.
type refusedAs func(t *testing.T, a *answer, status int)

func asFHIR(t *testing.T, a *answer, status int) {
	t.Helper()
	a.refused(t, status, "not-found", "not-supported", "structure", "invalid")
}

func asOAuth(t *testing.T, a *answer, status int) {
	t.Helper()
	a.oauth(t, status, "invalid_request")
}

func asPlain(t *testing.T, a *answer, status int) {
	t.Helper()
	a.want(t, status).wantHeader(t, "Content-Type", "application/json")
	if text, ok := a.object(t)["error"].(string); !ok || !strings.Contains(text, " ") {
		t.Errorf("%s: got %s, want an error in words", a.request, a.excerpt())
	}
}

// wantExplained checks that the refusal's help is the page of an exchange that
// was recorded, and that says the same.
func wantExplained(t *testing.T, p party, a *answer) {
	t.Helper()
	page, _, ok := strings.Cut(strings.TrimPrefix(a.header.Get("Link"), "<"), `>; rel="help"`)
	if !ok {
		t.Fatalf("%s: got Link %q, want one that helps", a.request, a.header.Get("Link"))
	}
	var e struct {
		Status  int
		Refusal string
	}
	if i := strings.Index(page, "/_sandbox/"); i >= 0 { // whatever the host
		p.get(t, page[i:]).want(t, 200).decode(t, &e)
	}
	if e.Status != a.status || e.Refusal == "" {
		t.Errorf("%s: %s shows %+v, want the refusal", a.request, page, e)
	}
}

// TestUnknownWorkspaces proves that a client that asks in a workspace that is
// not there gets a refusal that it can read, and that it is recorded.
func TestUnknownWorkspaces(t *testing.T) {
	t.Parallel()
	w := start(t)
	for _, c := range []struct {
		path string
		as   refusedAs
	}{
		{"/w/none/fhir/Patient", asFHIR},
		{"/w/none/production/fhir/Patient/x", asFHIR},
		{"/w/none/fhir/metadata", asFHIR},
		{"/w/none/auth/token", asOAuth},
		{"/w/none/production/auth/token", asOAuth},
		{"/w/none/fhir/.well-known/smart-configuration", asOAuth},
		{"/.well-known/oauth-authorization-server/w/none/auth", asOAuth},
		{"/w/none/_sandbox/clock", asPlain},
		{"/w/none", asPlain},
		{"/w/none/", asPlain},
		{"/w/", asPlain},
		{"/w//fhir/Patient", asFHIR},
	} {
		t.Run("FR-GE-01 "+c.path, func(t *testing.T) {
			a := w.at().get(t, c.path)
			c.as(t, a, 404)
			wantExplained(t, w.at(), a)
		})
	}
}

// TestRequestsThatCannotBeRead is about requests that are refused before it is
// looked what they ask for.
func TestRequestsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	w := start(t)
	for _, c := range []struct {
		name, path, fields string
		as                 refusedAs
	}{
		{"FHIR without a Host", "/fhir/Patient", "", asFHIR},
		{"OAuth without a Host", "/auth/token", "", asOAuth},
		{"controls without a Host", "/_sandbox/clock", "", asPlain},
		{"FHIR with two lengths", "/production/fhir/Patient", "Host: x\r\nContent-Length: 0\r\nContent-Length: 0\r\n", asFHIR},
		{"OAuth with two hosts", "/auth/token", "Host: x\r\nHost: y\r\n", asOAuth},
		{"Host with a space", "/fhir/Patient", "Host: a b\r\n", asFHIR},
		{"Host with a path", "/fhir/Patient", "Host: a/b\r\n", asFHIR},
		{"Host with a user", "/fhir/Patient", "Host: a@localhost\r\n", asFHIR},
		{"Host with a port that is none", "/auth/token", "Host: localhost:port\r\n", asOAuth},
		{"Host of half an address", "/fhir/Patient", "Host: [::1\r\n", asFHIR},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := w.at().raw(t, "GET "+c.path+" HTTP/1.1\r\n"+c.fields+"\r\n")
			c.as(t, a, 400)
			wantExplained(t, w.at(), a)
		})
	}
}

// TestEscapedPaths proves that a path is unescaped once, with and without the
// prefix of an environment.
func TestEscapedPaths(t *testing.T) {
	t.Parallel()
	w := start(t)
	c, err := w.Production().RegisterClient(t.Context(), sandbox.ClientConfig{Scopes: []string{"system/*.cruds"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []party{w.all, w.holder(t, c, "system/*.cruds")} {
		for sent, want := range map[string]string{"a%2D1": "a-1", "a%252D1": "a%2D1", "a%2B1": "a+1", "a+1": "a+1", "a%201": "a 1"} {
			if i := p.get(t, "/Patient/"+sent).refused(t, 404, "not-found"); !strings.Contains(i.Diagnostics, `"`+want+`"`) {
				t.Errorf("%s/Patient/%s: got %q, want the id %q in it", p.base, sent, i.Diagnostics, want)
			}
		}
		p.get(t, "/%50atient?_count=1").want(t, 200)
		p.as("").get(t, "/Patient/%2Dx").refused(t, 401, "login")
	}
}

// TestTargetsThatCannotBeDecoded is about paths, queries and forms whose
// percent-encoding is broken or hides no UTF-8: nothing of them is taken for
// what it stands for.
func TestTargetsThatCannotBeDecoded(t *testing.T) {
	t.Parallel()
	w := start(t)
	for _, c := range []struct {
		path  string
		as    refusedAs
		place string
	}{
		{"/fhir/Patient/50%", asFHIR, `"%"`},
		{"/fhir/Patient/%zz", asFHIR, `"%zz"`},
		{"/production/fhir/Patient/%zz", asFHIR, `"%zz"`},
		{"/fhir/Patient/%ff", asFHIR, `its segment "\xff"`},
		{"/fhir/Patient/a/_history/%c3%28", asFHIR, `its segment "\xc3("`},
		{"/fhir/Patient/\xff", asFHIR, `its segment "\xff"`},
		{"/fhir/Patient?name=%ff", asFHIR, `the value of the parameter "name" is not UTF-8 once it is decoded: its byte 1 is FF`},
		{"/fhir/Patient?name=\xff", asFHIR, `the parameter "name"`},
		{"/fhir/Patient?na%zzme=a", asFHIR, `the name of the parameter "na%zzme" has "%zz"`},
		{"/fhir/Patient/x?_format=%zz", asFHIR, `the parameter "_format"`},
		{"/fhir/metadata?_format=json&x=%f", asFHIR, `the parameter "x"`},
		{"/fhir/Patient/$export?_type=%zz", asFHIR, `the parameter "_type" has "%zz"`},
		{"/fhir/Patient/$export?_type=%ff", asFHIR, `the parameter "_type"`},
		{"/fhir/Patient/x/_history?_since=%zz", asFHIR, `the parameter "_since"`},
		{"/auth/token?x=%zz", asOAuth, `the parameter 'x'`},
		{"/.well-known/%ff", asOAuth, "UTF-8"},
		{"/_sandbox/exchanges?limit=%zz", asPlain, `the parameter "limit"`},
		{"/_sandbox/exchanges/%ff", asPlain, "UTF-8"},
	} {
		t.Run(c.path, func(t *testing.T) {
			a := w.at().raw(t, "GET "+c.path+" HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "+w.all.token+"\r\n\r\n")
			c.as(t, a, 400)
			if got := a.reason(t); !strings.Contains(got, c.place) {
				t.Errorf("got %q, want the place, %s", got, c.place)
			}
			wantExplained(t, w.at(), a)
		})
	}
	t.Run("form of a search", func(t *testing.T) {
		for sent, place := range map[string]string{"name=%ff": `the parameter "name"`, "_id=a&name=%zz": `the parameter "name" has "%zz"`} {
			if i := w.all.search(t, "/Patient/_search", sent).refused(t, 400, "invalid"); !strings.Contains(i.Diagnostics, place) {
				t.Errorf("got %q, want the place, %s", i.Diagnostics, place)
			}
		}
	})
	t.Run("form of a token request", func(t *testing.T) {
		for _, sent := range []string{"scope=%ff", "%ff=a", "scope=%zz"} {
			if e := w.at().search(t, "/auth/token", "grant_type=client_credentials&"+sent).oauth(t, 400, "invalid_request"); !strings.HasPrefix(e.Description, "SB-TOK-04: ") {
				t.Errorf("got %q, want SB-TOK-04", e.Description)
			}
		}
	})
}

// reason is what a refusal says, whatever its kind.
func (a *answer) reason(t *testing.T) string {
	t.Helper()
	var e struct {
		Issue       []issue
		Error       string
		Description string `json:"error_description"`
	}
	a.decode(t, &e)
	switch {
	case len(e.Issue) > 0:
		return e.Issue[0].Diagnostics
	case e.Description != "":
		return e.Description
	}
	return e.Error
}

// TestForwardedPrefix is about the path below which a trusted proxy offers the
// server.
func TestForwardedPrefix(t *testing.T) {
	t.Parallel()
	_, proxy := listen(t, sandbox.WithTrustedProxies("127.0.0.1"))
	for _, c := range []struct{ name, prefix, below string }{
		{"path", "/smart", "/smart"},
		{"path with a slash at its end", "/smart/", "/smart"},
		{"path without a slash", "smart/two", "/smart/two"},
		{"root", "/", ""},
		{"nothing", " ", ""},
		{"list", "/a, /b", "/a"},
		{"list whose first is the root", "/,/b", ""},
		{"escaped", "/a%20b", "/a%20b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var doc smartConfiguration
			proxy.get(t, "/fhir/.well-known/smart-configuration", "Host", "payer.example", "X-Forwarded-Prefix", c.prefix).want(t, 200).decode(t, &doc)
			if want := "http://payer.example" + c.below + "/auth/token"; doc.TokenEndpoint != want {
				t.Errorf("got token_endpoint %q, want %q", doc.TokenEndpoint, want)
			}
		})
	}
	for name, header := range map[string][]string{
		"URL":           {"X-Forwarded-Prefix", "https://evil.example"},
		"query":         {"X-Forwarded-Prefix", "/a?b"},
		"fragment":      {"X-Forwarded-Prefix", "/a#b"},
		"space":         {"X-Forwarded-Prefix", "/a b"},
		"quotes":        {"X-Forwarded-Prefix", `/"><script>`},
		"dots":          {"X-Forwarded-Prefix", "/a/../b"},
		"half escaped":  {"X-Forwarded-Prefix", "/a%2"},
		"empty segment": {"X-Forwarded-Prefix", "/a//b"},
		"no scheme":     {"X-Forwarded-Proto", "javascript"},
		"no host":       {"X-Forwarded-Host", "a b"},
		"host and path": {"X-Forwarded-Host", "payer.example/a"},
	} {
		t.Run("no path: "+name, func(t *testing.T) {
			a := proxy.get(t, "/fhir/metadata", header...)
			a.refused(t, 400, "invalid")
			if !strings.Contains(string(a.body), header[0]) {
				t.Errorf("got %s, want the header named", a.excerpt())
			}
			wantExplained(t, proxy, a)
		})
	}
	t.Run("list of hosts and schemes", func(t *testing.T) {
		var doc smartConfiguration
		proxy.get(t, "/fhir/.well-known/smart-configuration", "X-Forwarded-Host", "payer.example , inner", "X-Forwarded-Proto", "HTTPS , http").want(t, 200).decode(t, &doc)
		if want := "https://payer.example/auth/token"; doc.TokenEndpoint != want {
			t.Errorf("got token_endpoint %q, want %q", doc.TokenEndpoint, want)
		}
	})
}

// TestHandlerBelowAPath proves that any path will do for http.StripPrefix.
func TestHandlerBelowAPath(t *testing.T) {
	t.Parallel()
	sb, _ := listen(t)
	for _, prefix := range []string{"/a b", "/ä", "/50%"} {
		t.Run(prefix, func(t *testing.T) {
			server := httptest.NewServer(http.StripPrefix(prefix, sb.Handler()))
			t.Cleanup(server.Close)
			base := sb.DefaultClient().At(server.URL+strings.NewReplacer("%", "%25", " ", "%20").Replace(prefix), nil)
			var doc smartConfiguration
			(party{web: newWeb(t)}).get(t, base.FHIRURL()+"/.well-known/smart-configuration").want(t, 200).decode(t, &doc)
			(party{web: newWeb(t)}).send(t, "POST", doc.TokenEndpoint, "").oauth(t, 400, "invalid_request")
		})
	}
}
