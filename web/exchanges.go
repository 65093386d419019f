package web

// ExchangesPage lists exchanges, and is kept up to date by its script.
type ExchangesPage struct {
	Site
	Exchanges []ExchangeRow // newest first
	Filter    ExchangeFilter
	Problem   string // what is wrong with the filter, or ""
	Events    string // URL of the exchanges as they come, with the filter
	HAR       string // URL of the same list as a HAR
	JSON      string // URL of the same list as JSON
	More      bool   // there are more than are listed
}

// ExchangeFilter is what the list is narrowed to, as it was written.
type ExchangeFilter struct {
	Path, Client, Status, Check string
	Refused                     bool
}

// Render returns the page as HTML.
func (p ExchangesPage) Render() ([]byte, error) { return render("exchanges.html", p) }

// Title returns the document's title.
func (p ExchangesPage) Title() string { return "Exchanges · Sandfhir" }

// Narrowed reports whether the list is narrowed.
func (f ExchangeFilter) Narrowed() bool { return f != ExchangeFilter{} }
