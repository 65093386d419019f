package exchange_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/internal/exchange"
)

func TestTextHidesCredentials(t *testing.T) {
	t.Parallel()
	const form, json = "application/x-www-form-urlencoded", "application/json"
	for name, c := range map[string]struct{ body, contentType, want string }{
		"assertion":              {"scope=a&client_assertion=h.c.SIGN&x=1", form, "scope=a&client_assertion=h.c.(hidden)&x=1"},
		"secret":                 {"client_secret=S%26S", form, "client_secret=(hidden)"},
		"opaque token":           {"token=SIGN", form, "token=(hidden)"},
		"access token":           {`{"access_token":"h.c.SIGN","scope":"x"}`, json, `{"access_token":"h.c.(hidden)","scope":"x"}`},
		"white space":            {"{\"client_secret\" :\n \"S\\\"IGN\"}", json, "{\"client_secret\" :\n \"(hidden)\"}"},
		"private key":            {`{"keys":[{"kty":"EC","d":"SIGN","x":"y"},{"d":"SIGN"}]}`, json, `{"keys":[{"kty":"EC","d":"(hidden)","x":"y"},{"d":"(hidden)"}]}`},
		"cut in the value":       {`{"client_secret":"SIG`, json, `{"client_secret":"(hidden)`},
		"cut behind a backslash": {`{"client_secret":"SIG\`, json, `{"client_secret":"(hidden)`},
		"a name elsewhere":       {`{"x":"client_secret","d":1}`, json, `{"x":"client_secret","d":1}`},
		"plain":                  {"d=1", "text/plain", "d=1"},
	} {
		if got := exchange.Text([]byte(c.body), c.contentType); got != c.want {
			t.Errorf("%s: %s; want %s", name, got, c.want)
		}
	}
}

func TestHeadersAndURLsHideCredentials(t *testing.T) {
	t.Parallel()
	for _, c := range [][3]string{
		{"Authorization", "Bearer h.c.SIGN", "Bearer h.c.(hidden)"},
		{"authorization", "Basic U0lHTg==", "Basic (hidden)"},
		{"Authorization", "SIGN", "(hidden)"},
		{"Cookie", "sandfhir-admin=SIGN", "(hidden)"},
		{"Set-Cookie", "sandfhir-admin=SIGN; Path=/", "(hidden)"},
		{"Referer", "http://x/?admin=SIGN", "http://x/?admin=(hidden)"},
		{"Accept", "application/json", "application/json"},
	} {
		if got := exchange.MaskHeader(c[0], c[1]); got != c[2] {
			t.Errorf("%s: %s gives %s; want %s", c[0], c[1], got, c[2])
		}
	}
	if got, want := exchange.MaskURL("http://x/fhir/Patient?access_token=h.c.SIGN&client_secret=SIGN&name=a"), "http://x/fhir/Patient?access_token=h.c.(hidden)&client_secret=(hidden)&name=a"; got != want {
		t.Errorf("%s; want %s", got, want)
	}
}

func FuzzText(f *testing.F) {
	f.Add([]byte(`{"access_token":"a.b.c"}`), "application/json")
	f.Add([]byte(`client_assertion=a.b.c`), "application/x-www-form-urlencoded")
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		exchange.Text(body, contentType) // must return
		const secret = "SECRETSECRET"
		if got := exchange.Text(fmt.Appendf(nil, `{"client_secret":"%s"}`, secret), "application/json"); strings.Contains(got, secret) {
			t.Errorf("%s", got)
		}
	})
}

func TestLogKeepsRefusalsLonger(t *testing.T) {
	t.Parallel()
	l := exchange.NewLog()
	l.Add(&exchange.Exchange{ID: "refused", Refusal: "because"})
	for i := range 5000 {
		l.Add(&exchange.Exchange{ID: fmt.Sprint(i)})
	}
	if l.Get("refused") == nil {
		t.Error("a refusal was pushed out by what was not refused")
	}
	if l.Get("0") != nil || l.Get("4999") == nil {
		t.Error("the oldest was kept, or the newest was not")
	}
	list := l.List(3, nil)
	if len(list) != 3 || list[0].ID != "4999" || list[2].ID != "4997" {
		t.Errorf("the latest three are %v", list)
	}
	all := l.List(0, nil)
	if len(all) != 1001 || all[1000].ID != "refused" {
		t.Errorf("%d are listed; want 1001 with the refusal last", len(all))
	}
}
