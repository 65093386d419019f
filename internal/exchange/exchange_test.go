package exchange_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/exchange"
	"github.com/sandfhir/sandfhir/internal/snippet"
)

func TestTextHidesCredentials(t *testing.T) {
	t.Parallel()
	der := func(der []byte, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		return base64.StdEncoding.EncodeToString(der)
	}
	ec, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	long, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, sec1, spki := der(x509.MarshalPKCS8PrivateKey(ec)), der(x509.MarshalECPrivateKey(ec)), der(x509.MarshalPKIXPublicKey(&ec.PublicKey))
	pkcs1 := der(x509.MarshalPKCS1PrivateKey(long), nil)
	for name, c := range map[string][2]string{
		"assertion":               {"scope=a&client_assertion=h.c.SIGN&x=1", "scope=a&client_assertion=h.c.(hidden)&x=1"},
		"escaped name":            {"client%5Fassertion=eyJh.eyJc.SIGN&client%5fsecret=SIGN", "client%5Fassertion=eyJh.eyJc.(hidden)&client%5fsecret=(hidden)"},
		"secret":                  {"client_secret=S%26S", "client_secret=(hidden)"},
		"a form in quotes":        {`"client_id=a&client_secret=SIGN"`, `"client_id=a&client_secret=(hidden)`},
		"a form after a quote":    {` "&client%5Fsecret=SIGN`, ` "&client%5Fsecret=(hidden)`},
		"a form in a string":      {`{"data":"client_id=a&client_secret=SIGN&x=1"}`, `{"data":"client_id=a&client_secret=(hidden)&x=1"}`},
		"a URL in a string":       {`{"url":"https://x/?access_token=SIGN"}`, `{"url":"https://x/?access_token=(hidden)"}`},
		"opaque token":            {"token=SIGN", "token=(hidden)"},
		"access token":            {`{"access_token":"h.c.SIGN","scope":"x"}`, `{"access_token":"h.c.(hidden)","scope":"x"}`},
		"white space":             {"{\"client_secret\" :\n \"S\\\"IGN\"}", "{\"client_secret\" :\n \"(hidden)\"}"},
		"private key":             {`{"keys":[{"kty":"EC","d":"SIGN","x":"y"},{"d":"SIGN"}]}`, `{"keys":[{"kty":"EC","d":"(hidden)","x":"y"},{"d":"(hidden)"}]}`},
		"cut in the value":        {`{"client_secret":"SIG`, `{"client_secret":"(hidden)`},
		"cut behind a backslash":  {`{"client_secret":"SIG\`, `{"client_secret":"(hidden)`},
		"a name elsewhere":        {`{"x":"client_secret","d":1}`, `{"x":"client_secret","d":1}`},
		"an escaped name":         {`{"keys":[{"\u0064":"SIGN"}]}`, `{"keys":[{"\u0064":"(hidden)"}]}`},
		"other primes":            {`{"oth":[{"r":"SIGN","d":"SIGN","t":"]SIGN"}],"kty":"RSA"}`, `{"oth":"(hidden)","kty":"RSA"}`},
		"other primes, cut":       {`{"oth":[{"r":"SIGN","d":"SI`, `{"oth":"(hidden)"`},
		"a private key with dots": {`{"d":"a.b.SIGN"}`, `{"d":"(hidden)"}`},
		"single quotes":           {`{'kty':'EC','d':'SIGN','x':'y'}`, `{'kty':'EC','d':'(hidden)','x':'y'}`},
		"no quotes":               {`{kty:EC,d:SIGN}`, `{kty:EC,d:(hidden)}`},
		"PEM":                     {"-----BEGIN PRIVATE KEY-----\nSIGN\n-----END PRIVATE KEY-----\nrest", "-----BEGIN PRIVATE KEY-----(hidden)-----END PRIVATE KEY-----\nrest"},
		"PEM twice, cut":          {"-----BEGIN EC PRIVATE KEY-----SIGN-----END EC PRIVATE KEY----- -----BEGIN RSA PRIVATE KEY-----SIGN", "-----BEGIN EC PRIVATE KEY-----(hidden)-----END EC PRIVATE KEY----- -----BEGIN RSA PRIVATE KEY-----(hidden)"},
		"PEM in JSON":             {`{"x":"-----BEGIN PRIVATE KEY-----\nSIGN\n-----END PRIVATE KEY-----"}`, `{"x":"-----BEGIN PRIVATE KEY-----(hidden)-----END PRIVATE KEY-----"}`},
		"a public key in PEM":     {"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"},
		"jwks in another format":  {`{"jwks":"SIGN","client_name":"x"}`, `{"jwks":"(hidden)","client_name":"x"}`},
		"a secret with dots":      {`{"client_secret":"se.cr.SIGN","registration_access_token":"a.b.SIGN"}`, `{"client_secret":"(hidden)","registration_access_token":"(hidden)"}`},
		"PKCS #8 without PEM":     {pkcs8, "(hidden)"},
		"PKCS #8, cut":            {"x: " + pkcs8[:40], "x: (hidden)"},
		"PKCS #8 in lines":        {pkcs8[:64] + "\r\n" + pkcs8[64:] + "\r\n", "(hidden)"},
		"SEC 1 in JSON":           {`{"keys":["` + sec1[:64] + `\n` + sec1[64:] + `"],"x":1}`, `{"keys":["(hidden)"],"x":1}`},
		"PKCS #1 in a form":       {"key=" + url.QueryEscape(pkcs1) + "&x=1", "key=(hidden)&x=1"},
		"a public key in base64":  {spki, spki},
		"a token anywhere":        {"I sent eyJh.eyJc.SIGN, and eyJh.eyJc.SIGN", "I sent eyJh.eyJc.(hidden), and eyJh.eyJc.(hidden)"},
		"no token":                {"eyJh.eyJc. eyJh eyJ", "eyJh.eyJc. eyJh eyJ"},
	} {
		if got := exchange.Text([]byte(c[0]), true); got != c[1] {
			t.Errorf("%s: %s; want %s", name, got, c[1])
		}
		if got := exchange.Text([]byte(c[0]), false); got != c[0] {
			t.Errorf("%s, not looked at: %s", name, got)
		}
	}
}

func TestHeadersAndURLsHideCredentials(t *testing.T) {
	t.Parallel()
	for _, c := range [][3]string{
		{"Authorization", "Bearer e30.e30.SIGN", "Bearer e30.e30.(hidden)"},
		{"Authorization", "Bearer my-admin.SIGN-with.dots", "Bearer (hidden)"},
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

func TestIDsComeFromTheReader(t *testing.T) {
	t.Parallel()
	l := exchange.NewLog(strings.NewReader("0123456789abcdef" + "short"))
	if id, err := l.NewID(); err != nil || id != "30313233343536373839616263646566" {
		t.Errorf("got %q, %v; want the reader's bytes in hexadecimal", id, err)
	}
	if id, err := l.NewID(); err == nil {
		t.Errorf("got %q from a reader that has ended, want an error", id)
	}
	random := exchange.NewLog(nil)
	a, _ := random.NewID()
	if b, err := random.NewID(); err != nil || len(a) != 32 || a == b {
		t.Errorf("got %q and %q, %v; want different ids of 128 bits", a, b, err)
	}
}

func FuzzText(f *testing.F) {
	f.Add([]byte(`{"access_token":"a.b.c"}`))
	f.Add([]byte(`client_assertion=a.b.c`))
	f.Add([]byte(`eyJ.a.eyJ.b.`))
	f.Fuzz(func(t *testing.T, before []byte) {
		const secret = "SECRETSECRET"
		if got := exchange.Text(append(before[:len(before):len(before)], "&client_secret="+secret...), true); len(before) < 1000 && strings.Contains(got, secret) && !strings.HasPrefix(strings.TrimSpace(got), "{") && !strings.HasPrefix(strings.TrimSpace(got), "[") {
			t.Errorf("%s", got)
		}
	})
}

func TestLogKeepsRefusalsLonger(t *testing.T) {
	t.Parallel()
	l := exchange.NewLog(nil)
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

// Every remedy of the rules has its code, but for the one that says there is
// none.
func TestRemediesHaveCode(t *testing.T) {
	t.Parallel()
	for _, kind := range []authz.RemedyKind{
		authz.RemedyAssertion, authz.RemedyForm, authz.RemedyScope, authz.RemedySecret, authz.RemedyNewKey, authz.RemedyKeySet,
		authz.RemedyFetch, authz.RemedyClock, authz.RemedyBearer, authz.RemedyRegistration, authz.RemedyManagement,
	} {
		if list, err := snippet.For(snippet.Kind(kind), snippet.Facts{}); err != nil || len(list) != 4 {
			t.Errorf("%s has the code %v, %v", kind, list, err)
		}
	}
	if list, err := snippet.For(snippet.Kind(authz.RemedyNone), snippet.Facts{}); err != nil || list != nil {
		t.Errorf("none has the code %v, %v", list, err)
	}
}

// A fetch that failed is kept as long as refusals are, and is none.
func TestFailedFetches(t *testing.T) {
	t.Parallel()
	f := &authz.Fetch{
		URI: "https://app.example/jwks.json", Exchange: "parent", ClientID: "app", Duration: time.Second,
		Redirects: []string{"https://app.example/login?access_token=h.c.SIGN"}, ResponseHeader: http.Header{"Set-Cookie": {"s=SIGN"}},
		Bytes: 7, Err: &authz.FetchError{Finding: "J01", Short: "refused", Text: "It was refused.", Fix: "Listen."},
	}
	e := exchange.OfFetch("fetch", f, time.Unix(100, 0))
	if e.Kind != exchange.Fetch || e.Parent != "parent" || !e.At.Equal(time.Unix(99, 0)) || e.Refused() || e.Failed() == nil || e.Failed().ID() != "J01" || e.ResponseBody != "(hidden)" {
		t.Errorf("got %+v", e)
	}
	if text := fmt.Sprint(e.ResponseHeader, e.Source.Redirects); strings.Contains(text, "SIGN") {
		t.Errorf("shows a secret: %s", text)
	}
	if want := "GET https://app.example/jwks.json -> no answer\n  J01: It was refused. Listen."; e.String() != want {
		t.Errorf("got %q, want %q", e, want)
	}
	l := exchange.NewLog(nil)
	l.Add(e)
	for i := range 2000 {
		l.Add(&exchange.Exchange{ID: fmt.Sprint(i)})
	}
	if l.Get("fetch") == nil {
		t.Error("the fetch was pushed out by what did not fail")
	}
	if got := l.List(0, (*exchange.Exchange).Refused); len(got) != 0 {
		t.Errorf("got refused %v", got)
	}
}
