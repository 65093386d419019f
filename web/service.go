package web

import (
	"strings"
	"time"
)

// A Service is a backend service as lists and pages show it.
type Service struct {
	Page     string // URL of its page
	ClientID string
	Name     string
	Status   string // "draft", "under-review", "active" or "rejected"
	Reason   string // why it has the status, or ""
	By       string // who gave it, in words, or ""
	At       time.Time
	// Live is set where an approved copy is in production.
	Live           bool
	Authentication string // "jwks_uri", "jwks" or "secret"
	Organization   string // its name, or ""
	Description    string
	Contacts       []string
	JWKSURI        string
	PublicKeys     []Key
	Scopes         []Scope
	Created        time.Time
	Source         string // how it came: "portal", "registration", "go"
}

// KeyIDs returns the kids of the keys, separated by spaces.
func (s Service) KeyIDs() string {
	var ids []string
	for _, k := range s.PublicKeys {
		ids = append(ids, k.ID)
	}
	return strings.Join(ids, " ")
}

// A Scope is a scope with what it stands for.
type Scope struct{ Text, Meaning string }

// StatusWord returns the status as people write it.
func (s Service) StatusWord() string { return statusWord(s.Status) }

func statusWord(status string) string {
	switch status {
	case "draft":
		return "Draft"
	case "under-review":
		return "Under review"
	case "active":
		return "Active"
	case "rejected":
		return "Rejected"
	}
	return status
}

// AuthenticationWord returns how the service proves itself, in words.
func (s Service) AuthenticationWord() string {
	switch s.Authentication {
	case "jwks_uri":
		return "JWKS URI"
	case "jwks":
		return "Inline JWKS"
	case "secret":
		return "Client secret"
	}
	return s.Authentication
}

// Compliant reports whether the authentication is the one of SMART Backend
// Services.
func (s Service) Compliant() bool { return s.Authentication != "secret" }

// SourceWord says in words how the service came.
func (s Service) SourceWord() string {
	switch s.Source {
	case "portal":
		return "registered in the portal"
	case "registration":
		return "registered itself (RFC 7591)"
	case "go":
		return "registered by the program that runs this server"
	}
	return ""
}

// A StatusChange is a step in a service's history.
type StatusChange struct {
	Status, By, Reason string
	At                 time.Time
}

// Word returns the status as people write it.
func (c StatusChange) Word() string { return statusWord(c.Status) }

// ServicePage is the page of a service for its developer, or, with Admin, for
// whoever reviews it.
type ServicePage struct {
	Site
	Service
	// Here is the path of the page that forms are sent below: Here + "/submit".
	Here string
	Edit string // URL of the form
	// Allowed are the steps of the review that can be taken: "submit", "approve",
	// "reject", "deactivate".
	Allowed []string
	History []StatusChange
	// Sandbox and Production are the constants of the environments that the
	// service may use; nil where it may not.
	Sandbox, Production *Environment
	// Commands are the code that signs in as this very client and reads, a group
	// for each environment.
	Commands  []Commands
	Tried     []Tried // the exchanges of a trial; none where nothing was tried
	Revision  string  // of the service, which a step is about
	TryReads  string  // "GET /fhir/Patient?_count=1"
	Exchanges []ExchangeRow
	// Admin makes it the page of whoever reviews.
	Admin bool
	// Other is the page for the other of the two.
	Other string
	// Changes are what differs from the copy in production.
	Changes []Change
	Problem string // why what was asked for was not done, or ""
	Notice  string // what was done, or ""
}

// A Change is a difference between the approved copy and what is reviewed.
type Change struct{ Field, Approved, Asked string }

// Commands are code for one environment.
type Commands struct {
	Environment string
	Does        string
	Snippets    []Snippet
}

// Tried is one of the two exchanges of a trial.
type Tried struct {
	Title string // "Token request"
	ExchangeRow
	Took  string
	Tally string
	Body  string // the answer's beginning
}

// ExchangeRow is an exchange in a list, with its explanation.
type ExchangeRow struct {
	Link
	Kind        string // request, entry or fetch
	Environment string
	Client      string // empty where the request names none
	Refused     bool
	Fault       string // that it met, or ""
	Text, Fix   string // of the check that failed, or why it was refused
}

// Render returns the page as HTML.
func (p ServicePage) Render() ([]byte, error) { return render("service.html", p) }

// Title returns the document's title.
func (p ServicePage) Title() string {
	name := clip(strings.ToValidUTF8(p.Name, "\uFFFD"), 60)
	if name == "" {
		name = p.ClientID
	}
	if p.Admin {
		return "Review: " + name + " · Sandfhir"
	}
	return name + " · Sandfhir"
}

// Can reports whether a step can be taken.
func (p ServicePage) Can(step string) bool {
	for _, allowed := range p.Allowed {
		if allowed == step {
			return true
		}
	}
	return false
}

// Meaning says what the status means and what comes next, to the developer or
// to whoever reviews.
func (p ServicePage) Meaning() string {
	switch {
	case p.Admin && p.Status == "under-review" && p.Live:
		return "Approval puts this revision in the place of what is in production. Until then that goes on."
	case p.Admin && p.Status == "under-review":
		return "Approval copies the service to production, where it may do what its scopes say."
	case p.Status == "draft" && p.Live:
		return "This revision is a draft. What was approved before goes on in production until the revision is approved. Try the revision in the sandbox, then submit it."
	case p.Status == "draft":
		return "The service may use the sandbox. Try it there, then submit it for review."
	case p.Status == "under-review" && p.Live:
		return "An administrator decides about this revision. What was approved before goes on in production. An edit withdraws the revision."
	case p.Status == "under-review":
		return "An administrator decides. Meanwhile the service goes on in the sandbox. An edit withdraws it from review."
	case p.Status == "active" && p.Live:
		return "The service is approved and live: it may use production, and the sandbox as well."
	case p.Status == "active":
		return "The service may use the sandbox, as one that nobody had to review. To get to production, edit it: that makes it a draft, which can be submitted."
	case p.Status == "rejected" && p.Live:
		return "This revision was declined and the sandbox refuses it. What was approved before goes on in production. An edit makes the revision a draft again."
	case p.Status == "rejected":
		return "The service is refused everywhere and its tokens are revoked. An edit makes it a draft again, which opens the sandbox."
	}
	return ""
}

// NotLive says why the service has no constants of production.
func (p ServicePage) NotLive() string {
	switch p.Status {
	case "under-review":
		return "Its constants appear here once an administrator approves the service."
	case "rejected":
		return "The service is not approved. Edit it and submit it again to get here."
	}
	return "Its constants appear here once the service is approved. Submit it for review to get there."
}

// SecretPage shows a new client secret, once.
type SecretPage struct {
	Site
	Service string // URL of the service's page
	Name    string
	ID      string
	Secret  string
	Expires time.Time // zero: never
	// OldUntil is until when the secrets before it work; zero where there were
	// none or they have ended.
	OldUntil time.Time
}

// Render returns the page as HTML.
func (p SecretPage) Render() ([]byte, error) { return render("secret.html", p) }

// Title returns the document's title.
func (p SecretPage) Title() string { return "Client secret · Sandfhir" }

// AdminPage lists the services for whoever reviews them.
type AdminPage struct {
	Site
	Waiting, Active, Others []Service
}

// Render returns the page as HTML.
func (p AdminPage) Render() ([]byte, error) { return render("admin.html", p) }

// Title returns the document's title.
func (p AdminPage) Title() string { return "Admin · Sandfhir" }

// ProblemPage tells a person why a page or a step is not to be had.
type ProblemPage struct {
	Site
	Heading string
	Text    string
	Back    string // URL to go on from
}

// Render returns the page as HTML.
func (p ProblemPage) Render() ([]byte, error) { return render("problem.html", p) }

// Title returns the document's title.
func (p ProblemPage) Title() string { return p.Heading + " · Sandfhir" }

// The parts of pages that take more than one value:

// A reasonForm asks for the reason of a step.
type reasonForm struct{ ID, Action, Label, Question, Revision string }

func reasonFor(here, step, label, question, revision string) reasonForm {
	return reasonForm{"reason-" + step, here + "/" + step, label, question, revision}
}

// A serviceTable is a list of services below a heading.
type serviceTable struct {
	Services []Service
	Heading  string // the id of its element
}

func servicesOf(list []Service, heading string) serviceTable { return serviceTable{list, heading} }
