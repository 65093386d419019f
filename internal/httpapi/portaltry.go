package httpapi

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/exchange"
	"github.com/sandfhir/sandfhir/internal/portal"
	"github.com/sandfhir/sandfhir/web"
)

// trialPath is what a trial reads: one patient, or one resource of the first
// type that the scopes let it search or read.
func trialPath(scopes authz.Scopes) string {
	const patient = "/Patient?_count=1"
	if scopes.Allows("Patient", authz.Search).Granted {
		return patient
	}
	for _, s := range scopes {
		if s.Letters.Has(authz.Search) && s.Type != authz.AnyType {
			return "/" + s.Type + "?_count=1"
		}
	}
	if scopes.Allows("Patient", authz.Read).Granted {
		return "/Patient/pt-000001"
	}
	return patient
}

// tryService asks for a token as the service does and reads with it, over the
// server's own door, and shows both exchanges.
func (l *call) tryService() error {
	form, err := l.readPageForm()
	if err != nil {
		return err
	}
	s, err := l.portal().Service(l.UserContext(), l.Params("service"))
	if err != nil {
		return portalError(err)
	}
	env := authz.Sandbox
	if form.Get("environment") == authz.Production {
		env = authz.Production
	}
	tried, err := l.trial(s, env, form)
	if err != nil {
		return err
	}
	return l.showService(func(p *web.ServicePage) { p.Tried = tried })
}

func (l *call) trial(s *portal.Service, env string, form url.Values) ([]web.Tried, error) {
	a := l.addressesOf(env)
	ask := url.Values{"grant_type": {authz.GrantClientCredentials}, "scope": {s.Scopes.String()}}
	header := http.Header{"Content-Type": {fiber.MIMEApplicationForm}, "Accept": {fiber.MIMEApplicationJSON}}
	if s.Method == authz.PrivateKeyJWT {
		ask.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		ask.Set("client_assertion", strings.TrimSpace(form.Get("client_assertion")))
	} else {
		half := url.QueryEscape
		if l.workspace.Environment(env).Auth.Behaviour().BasicDecode == authz.BasicRaw {
			half = func(text string) string { return text }
		}
		request := http.Request{Header: header}
		request.SetBasicAuth(half(s.ID), half(form.Get("client_secret")))
	}
	token, e, err := l.askOurselves(http.MethodPost, a.TokenURL, header, strings.NewReader(ask.Encode()))
	if err != nil {
		return nil, err
	}
	tried := []web.Tried{l.tried("Token request", e, "")} // its answer holds the token
	var granted struct {
		AccessToken string `json:"access_token"`
	}
	if token.status != http.StatusOK || json.Unmarshal(token.body.Bytes(), &granted) != nil {
		return tried, nil
	}
	header = http.Header{"Authorization": {"Bearer " + granted.AccessToken}, "Accept": {fhirJSON}}
	read, e, err := l.askOurselves(http.MethodGet, a.FHIRBase+trialPath(s.Scopes), header, nil)
	if err != nil {
		return nil, err
	}
	return append(tried, l.tried("Request for data", e, read.body.String())), nil
}

// shownOfTrial is how much of an answer a trial shows, in bytes.
const shownOfTrial = 4 << 10

func (l *call) tried(title string, e *exchange.Exchange, body string) web.Tried {
	page := l.exchangePageOf(exchangeView{Exchange: e})
	t := web.Tried{Title: title, ExchangeRow: l.exchangeRow(e), Took: page.Duration(), Tally: page.Tally()}
	if e.Status == http.StatusOK && body != "" {
		var indented bytes.Buffer
		if json.Indent(&indented, []byte(body), "", "  ") == nil {
			body = indented.String()
		}
		if len(body) > shownOfTrial {
			body = strings.ToValidUTF8(body[:shownOfTrial], "") + "\n…"
		}
		t.Body = body
	}
	return t
}

// askOurselves sends a request to one of this server's own URLs as a client
// does, past all that meets clients, and returns the answer with its record.
func (l *call) askOurselves(method, to string, header http.Header, body io.Reader) (*ownAnswer, *exchange.Exchange, error) {
	u, err := url.Parse(to)
	if err != nil {
		return nil, nil, fmt.Errorf("ask ourselves: %w", err)
	}
	root, err := url.Parse(l.root)
	if err != nil {
		return nil, nil, fmt.Errorf("ask ourselves: %w", err)
	}
	mark := rand.Text()
	header.Set(fiber.HeaderXRequestID, mark)
	inner := *u
	inner.Path, inner.RawPath = strings.TrimPrefix(u.Path, root.Path), ""
	req, err := http.NewRequestWithContext(l.UserContext(), method, inner.String(), body)
	if err != nil {
		return nil, nil, fmt.Errorf("ask ourselves: %w", err)
	}
	req.Header, req.Host, req.RequestURI = header, u.Host, u.RequestURI()
	if u.Scheme == "https" {
		req.TLS = &tls.ConnectionState{}
	}
	answer := &ownAnswer{header: http.Header{}}
	l.server.Handler().ServeHTTP(answer, req)
	found := l.workspace.Exchanges.List(1, func(e *exchange.Exchange) bool {
		for _, h := range e.RequestHeader {
			if strings.EqualFold(h.Name, fiber.HeaderXRequestID) && h.Value == mark {
				return true
			}
		}
		return false
	})
	if len(found) == 0 {
		return nil, nil, fmt.Errorf("ask ourselves: %s %s was not recorded", method, to)
	}
	return answer, found[0], nil
}

// An ownAnswer is an answer that the server gave itself.
type ownAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *ownAnswer) Header() http.Header { return a.header }

func (a *ownAnswer) WriteHeader(status int) { a.status = status }

func (a *ownAnswer) Write(p []byte) (int, error) { return a.body.Write(p) }

// Flush is for the proxy in front of the server, which flushes at once.
func (a *ownAnswer) Flush() {}
