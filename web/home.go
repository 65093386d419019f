package web

// HomePage is the start page: the dashboard with the developer's services, the
// addresses of a workspace's two environments, commands to begin with, and what
// was refused of late.
type HomePage struct {
	Site
	Configuration string // URL of the page that shows the SMART configuration
	Behaviour     string // what the workspace is strict about, in a line
	Faults        string // URL of the page of faults
	Exchanges     string // URL of the page of exchanges
	KeyHosts      string // URL of the page of hosted key sets
	Data          string // URL of the page of data
	Clock         string // URL of the page of the clock
	Snapshots     string // URL of the page of snapshots
	Worlds        string // URL of the page of worlds, or "" where there are none beside this one
	Sandbox       Environment
	Production    Environment
	TokenCommand  string        // that prints an access token on the server's machine
	Services      []Service     // newest first
	Register      string        // URL of the form in which a service is registered
	Waiting       int           // how many services wait for review
	Refused       []ExchangeRow // newest first
}

// Environment holds the constants of an environment, absolute URLs.
type Environment struct {
	Name            string // "sandbox" or "production"
	FHIRBase        string
	TokenURL        string
	Audience        string // what the aud of assertions is; only where one is to be signed
	RegistrationURL string // empty where clients cannot register themselves
	Registered      bool   // the constants are those of one client that is registered
}

// Render returns the page as HTML.
func (p HomePage) Render() ([]byte, error) { return render("home.html", p) }

// Title returns the document's title.
func (p HomePage) Title() string { return "Sandfhir" }

// SMARTConfiguration returns the URL of the environment's discovery document
// (SMART App Launch 2.2, conformance).
func (e Environment) SMARTConfiguration() string {
	return e.FHIRBase + "/.well-known/smart-configuration"
}

// CapabilityStatement returns the URL of the environment's CapabilityStatement
// (FHIR R4, http, capabilities).
func (e Environment) CapabilityStatement() string { return e.FHIRBase + "/metadata" }
