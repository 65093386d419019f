package web

// FaultsPage lists the faults that requests meet, and adds and removes them.
type FaultsPage struct {
	Site
	Here    string // URL of the page, which forms are sent to
	Faults  []Fault
	Known   []KnownFault
	Rules   []KnownFault // those that change a rule of the server
	Written string       // what was asked for and is wrong, to be mended
	Problem string       // what is wrong with it, or ""
}

// A Fault is one that stands.
type Fault struct {
	ID    string
	Text  string // as it was written
	Does  string
	Hits  int
	Spent bool // it meets no more requests
}

// A KnownFault is one that can be asked for.
type KnownFault struct{ ID, Does, Params, Rows string }

// Render returns the page as HTML.
func (p FaultsPage) Render() ([]byte, error) { return render("faults.html", p) }

// Title returns the document's title.
func (p FaultsPage) Title() string { return "Faults · Sandfhir" }
