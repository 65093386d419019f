package web_test

import (
	"net/url"
	"reflect"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/sandfhir/sandfhir/web"
)

// fill puts text into every string and every byte slice below v, and makes
// every list one long.
func fill(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i), text)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), text)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes([]byte(text))
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), text)
	}
}

// filledPages are the pages of the portals with text in every field.
func filledPages(text string) []page {
	var form web.ServiceFormPage
	var service, review web.ServicePage
	var secret web.SecretPage
	var admin web.AdminPage
	var problem web.ProblemPage
	var faults web.FaultsPage
	var exchanges web.ExchangesPage
	var keys web.KeysPage
	var data web.DataPage
	var typ web.DataTypePage
	var resource web.DataResourcePage
	var clock web.ClockPage
	var snapshots web.SnapshotsPage
	var worlds web.WorldsPage
	for _, p := range []any{&form, &service, &review, &secret, &admin, &problem, &faults, &exchanges, &keys, &data, &typ, &resource, &clock, &snapshots, &worlds} {
		fill(reflect.ValueOf(p).Elem(), text)
	}
	form.Authentication, form.Rows[0].Operations = "jwks_uri", "" // they say which boxes are ticked
	form.Seen.Of, form.Problems[0].Field = "jwks_uri", "jwks_uri"
	review.Admin, review.Allowed = true, []string{"approve", "reject", "deactivate"}
	service.Allowed = []string{"submit"}
	return []page{form, service, review, secret, admin, problem, faults, exchanges, keys, data, typ, resource, clock, snapshots, worlds}
}

// Whatever strangers send into whatever field, a page has the tags and
// attributes that it has with harmless text.
func TestHostileInputIsInert(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text string }{
		{"script", `<script>alert(1)</script>`},
		{"image", `"><img src=x onerror=alert(1)>`},
		{"attribute", `" onmouseover="alert(1)`},
		{"attribute in single quotes", `' onmouseover='alert(1)`},
		{"attribute without quotes", `x onmouseover=alert(1)`},
		{"end of title", `</title></head><body onload=alert(1)>`},
		{"end of block", `</code></pre><iframe src=//evil.example></iframe>`},
		{"comment", `--><!--`},
		{"entity", `&lt;script&gt;&#60;script&#62;`},
		{"script URL", `javascript:alert(1)`},
		{"script URL in mixed case", `JaVaScRiPt:alert(1)`},
		{"data URL", `data:text/html,<script>alert(1)</script>`},
		{"template", `{{.Site}}`},
	} {
		for _, result := range []string{"fail", "warn", "pass"} {
			t.Run(c.name+" "+result, func(t *testing.T) {
				t.Parallel()
				render := func(text string) [][]byte {
					var home web.HomePage
					fill(reflect.ValueOf(&home).Elem(), text)
					var exchange web.ExchangePage
					fill(reflect.ValueOf(&exchange).Elem(), text)
					exchange.Checks[0].Result = result
					exchange.Checks[0].ID += "1"
					exchange.Request.Header[0].Name = "Content-Type"
					exchange.Request.Header[0].Value = "application/x-www-form-urlencoded"
					exchange.Request.Body = url.QueryEscape(text)
					var configuration web.ConfigurationPage
					fill(reflect.ValueOf(&configuration).Elem(), text)
					configuration.Switches = append(configuration.Switches, configuration.Switches[0])
					configuration.Switches[1].Effect = ""
					list := [][]byte{renderHome(t, home), renderExchange(t, exchange), renderConfiguration(t, configuration)}
					for _, p := range filledPages(text) {
						list = append(list, renderPage(t, p))
					}
					return list
				}
				hostile, harmless := render(c.text), render("harmless")
				for i, page := range hostile {
					checkDocument(t, page)
					got, want := shapes(t, page), shapes(t, harmless[i])
					for j := range min(len(got), len(want)) {
						if got[j] != want[j] {
							t.Fatalf("tag %d is %q, want %q", j, got[j], want[j])
						}
					}
					if len(got) != len(want) {
						t.Fatalf("got %d tags, want %d", len(got), len(want))
					}
				}
			})
		}
	}
}

// A page of anything that a stranger can send is well-formed UTF-8.
func FuzzExchangePage(f *testing.F) {
	f.Add("POST", "/auth/token", "application/json", `{"a":[1,"\""]}`, `"a"`, "a")
	f.Add("<b>", "/\x00\xff", "application/x-www-form-urlencoded", "a=%zz&b&=c&&", "", "\u202e")
	f.Add("GET", "/", "text/plain", "", "\xcd", "\xcd\xff")
	f.Fuzz(func(t *testing.T, method, path, contentType, body, got, want string) {
		p := exchangePage()
		p.Method, p.Path, p.URL, p.Client = method, path, path, path
		p.Request = web.Message{Header: []web.Field{{"content-type", contentType}, {path, body}}, Body: body}
		p.Response = p.Request
		p.Assertion = &web.Assertion{Header: []byte(body), Claims: []byte(body)}
		p.Checks[2].Got, p.Checks[2].Want, p.Checks[2].Text = got, want, body
		p.Checks[2].Counterfactual, p.Checks[2].Fix, p.Does = got, want, got
		p.Snippets = []web.Snippet{{Title: got, Code: body}}
		p.Registration = &web.Registration{Name: got, Status: want, Keys: []web.Key{{ID: got, Type: want}}}
		p.Fetches = []web.Link{{Page: path, Method: method, Path: got}}
		p.Fetch = &web.Source{Reason: got, Redirects: []string{want}, UsedBy: p.Fetches}
		page := renderExchange(t, p)
		checkDocument(t, page)
		if !utf8.Valid(page) {
			t.Error("the page is no UTF-8")
		}
	})
}
