package web

import (
	"strconv"
	"strings"
	"time"
)

// ExchangePage is the page of one exchange. It explains a refusal to the
// person whose request was refused, and shows any other exchange in the same
// way.
type ExchangePage struct {
	Site
	JSON string // URL of the exchange as JSON
	List string // URL of the list of exchanges

	ID          string
	Environment string
	Client      string // empty where the request names none
	At          time.Time
	Took        time.Duration

	Method   string
	Path     string // with its query, for headings
	URL      string
	Request  Message
	Status   int
	Response Message
	Aborted  bool // the client went away before the answer was sent
	Broken   bool // the server failed before the answer was sent whole

	Fault string // the fault that the request met, or ""
	// Access is what the access token reached; nil without a valid one.
	Access *Access
	// Curl is the request as a command; "" where there is none.
	Curl string

	Assertion *Assertion // nil where the request has none that can be read
	Checks    []Check    // in the order in which they are made
	Refusal   string     // why the request was refused, where no check failed

	// Does says what the Snippets do and need: the code that puts it right, one
	// in each language.
	Does     string
	Snippets []Snippet
	// Registration is what was registered about the client; nil where it is not
	// told.
	Registration *Registration
	// Fetches are the fetches of key sets that the request used.
	Fetches []Link
	// Fetch is set where the exchange is a fetch itself: the server asked.
	Fetch *Source
}

// Snippet is code in one language.
type Snippet struct{ Title, Code string }

// Registration is what was registered about a client.
type Registration struct {
	Name         string
	Status       string
	StatusReason string
	StatusBy     string
	StatusAt     time.Time // zero where it is not known
	Method       string
	JWKSURI      string // empty where the keys are registered by value
	Keys         []Key
	Scopes       string
}

// Access is what decided what a request reached.
type Access struct {
	Scopes       string
	Organization string // "" is all of them
	Policy       string // the id of the access policy that allowed it, "" where the scopes did
}

// Key is a public key of a client.
type Key struct{ ID, Type string }

// StatusClass returns the first digit of the status.
func (l Link) StatusClass() int { return l.Status / 100 }

// Link leads to another exchange.
type Link struct {
	Page   string // its URL
	Method string
	Path   string
	Status int // 0 where there was no answer
	Check  string
	At     time.Time
}

// Source is what a page tells of a fetch besides request and answer.
type Source struct {
	Reason    string
	Resolved  []string
	Address   string
	Redirects []string
	KeyIDs    []string
	KeepUntil time.Time // zero where nothing was kept
	KeptBy    string
	UsedBy    []Link // requests that waited for it or used its copy
}

// Message is a request or a response.
type Message struct {
	Header []Field
	// Body is what was kept of the body, without secrets.
	Body string
	// Bytes is the length of the whole body where it is known, else 0.
	Bytes int64
}

// Field is a header field or a parameter of a form.
type Field struct{ Name, Value string }

// Assertion is the readable part of a client assertion, two JSON texts.
type Assertion struct{ Header, Claims []byte }

// Check is a rule that was applied to the request.
type Check struct {
	ID          string
	Requirement string
	Rule        string
	Clause      string
	Result      string // "pass", "warn", "fail" or "not-reached"
	Got         string
	Want        string
	// Text is what is wrong, Counterfactual what was found by trying otherwise,
	// Fix what to do.
	Text, Counterfactual, Fix string
}

// Render returns the page as HTML.
func (p ExchangePage) Render() ([]byte, error) { return render("exchange.html", p) }

// Title returns the document's title.
func (p ExchangePage) Title() string {
	title := p.Method + " " + p.ShortPath()
	switch c := p.Failed(); {
	case c != nil && p.Fetch != nil:
		title = c.ID + ": " + title + " failed"
	case c != nil:
		title = c.ID + ": " + title + " refused"
	case p.Refusal != "":
		title += " refused"
	default:
		title += " answered " + strconv.Itoa(p.Status)
	}
	return strings.ToValidUTF8(title, "\uFFFD") + " · Sandfhir"
}

// ShortPath returns the path, shortened for a heading.
func (p ExchangePage) ShortPath() string { return clip(p.Path, 160) }

// Refused reports whether there is a refusal to explain.
func (p ExchangePage) Refused() bool { return p.Refusal != "" || p.Failed() != nil }

// StatusClass returns the first digit of the status.
func (p ExchangePage) StatusClass() int { return p.Status / 100 }

// Failed returns the check that failed, or nil.
func (p ExchangePage) Failed() *Check {
	for i := range p.Checks {
		if p.Checks[i].Result == "fail" {
			return &p.Checks[i]
		}
	}
	return nil
}

// Tally returns how the checks ended, in words: "18 passed, 1 failed, 3 not
// reached".
func (p ExchangePage) Tally() string {
	count := map[string]int{}
	for _, c := range p.Checks {
		count[c.Result]++
	}
	var parts []string
	for _, r := range []struct{ result, words string }{
		{"pass", "passed"}, {"warn", "passed with a warning"}, {"fail", "failed"}, {"not-reached", "not reached"},
	} {
		if n := count[r.result]; n > 0 {
			parts = append(parts, strconv.Itoa(n)+" "+r.words)
		}
	}
	return strings.Join(parts, ", ")
}

// Duration returns how long the answer took, in words.
func (p ExchangePage) Duration() string { return shortDuration(p.Took) }

func shortDuration(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return strconv.FormatFloat(d.Seconds()*1000, 'f', 1, 64) + " ms"
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	default:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	}
}

// Mark returns the sign that stands for the result.
func (c Check) Mark() string {
	return map[string]string{"pass": "✓", "warn": "!", "fail": "✗", "not-reached": "–"}[c.Result]
}

// Word returns the result in a word.
func (c Check) Word() string {
	switch c.Result {
	case "pass":
		return "Passed"
	case "warn":
		return "Warning"
	case "fail":
		return "Failed"
	}
	return "Not reached"
}

// Compared returns what was got and what was wanted, with the part marked in
// which two similar values differ.
func (c Check) Compared() Comparison { return compare(c.Got, c.Want) }

// contentType returns the media type in lower case, without parameters.
func (m Message) contentType() string {
	for _, f := range m.Header {
		if strings.EqualFold(f.Name, "Content-Type") {
			media, _, _ := strings.Cut(f.Value, ";")
			return strings.ToLower(strings.TrimSpace(media))
		}
	}
	return ""
}

// Text returns the body for reading: JSON is indented.
func (m Message) Text() string {
	if strings.HasSuffix(m.contentType(), "json") {
		return indent([]byte(m.Body))
	}
	return m.Body
}

// Form returns the decoded parameters of a body that is a form, else nil.
func (m Message) Form() []Field {
	if m.contentType() != "application/x-www-form-urlencoded" {
		return nil
	}
	return parameters(m.Body)
}

// Size returns the length of the whole body in words; empty where it is not
// known.
func (m Message) Size() string {
	switch n := float64(m.Bytes); {
	case n == 0:
		return ""
	case n == 1:
		return "1 byte"
	case n < 1e4:
		return strconv.FormatInt(m.Bytes, 10) + " bytes"
	case n < 1e6:
		return strconv.FormatFloat(n/1e3, 'f', 0, 64) + " kB"
	default:
		return strconv.FormatFloat(n/1e6, 'f', 1, 64) + " MB"
	}
}

// HeaderText returns the assertion's header, indented.
func (a Assertion) HeaderText() string { return indent(a.Header) }

// ClaimsText returns the assertion's claims, indented.
func (a Assertion) ClaimsText() string { return indent(a.Claims) }

// Instants returns the claims that are instants, as people write them.
func (a Assertion) Instants() []Field { return instants(a.Claims) }
