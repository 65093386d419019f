package web

// KeysPage lists the key sets that the server hosts for clients, and makes,
// rotates and removes them.
type KeysPage struct {
	Site
	Here         string // URL of the page, which forms are sent to
	Faults       string // URL of the page of faults
	Exchanges    string // URL of the fetches of key sets
	Hosted       []HostedKeys
	Certificates []string // with which a set can be published by https
	Fetches      []ExchangeRow
	Problem      string   // what is wrong with what was asked, or ""
	Made         *MadeKey // the key that was made now; nil where none was
}

// HostedKeys is a hosted key set.
type HostedKeys struct {
	Name        string
	URI         string // absolute
	Certificate string // "" is the server's own
	Keys        []Key  // that are published now
}

// A MadeKey is a private key, which is shown this once.
type MadeKey struct{ Name, ID, PEM string }

// Render returns the page as HTML.
func (p KeysPage) Render() ([]byte, error) { return render("keys.html", p) }

// Title returns the document's title.
func (p KeysPage) Title() string { return "Hosted keys · Sandfhir" }
