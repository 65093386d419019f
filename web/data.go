package web

// DataSite is what the pages of data have in common.
type DataSite struct {
	Site
	Environment string // whose data they are
	Data        string // URL of the page of all of it
}

// DataPage says how much there is of an environment's data, and changes it.
type DataPage struct {
	DataSite
	Other     string // the other environment, "" where it is an origin of its own
	OtherData string // URL of the page of its data
	Types     []TypeCount
	Total     int64
	Evolves   bool   // whether there is a sample population that can move on
	Done      string // what was done, or ""
	Problem   string // what could not be, or ""
}

// A TypeCount is how many resources there are of a type.
type TypeCount struct {
	Page  string // URL of the list of them
	Type  string
	Count int64
}

// DataTypePage lists resources of a type.
type DataTypePage struct {
	DataSite
	Here      string // URL of the page, which the form is sent to
	Type      string
	Total     int64
	Query     string // of FHIR's search, as it was written
	Problem   string // what is wrong with it, or ""
	Resources []ResourceRow
	Next      string // URL of the next page, or ""
}

// A ResourceRow is a resource in a list.
type ResourceRow struct{ Page, ID, Version, At, Display string }

// DataResourcePage shows a resource, its versions, and what it has to do with.
type DataResourcePage struct {
	DataSite
	OfType     string // URL of the list of the type's
	Type, ID   string
	Version    string // that is shown
	JSON       []byte // nil where that version is a deletion
	Versions   []VersionRow
	References []DataLink // what it refers to
	Referrers  []DataLink // what refers to it
}

// A VersionRow is a version in a list.
type VersionRow struct {
	Page, Version, At string
	Deleted           bool
}

// A DataLink leads to a resource or to several.
type DataLink struct {
	Page, Text, Note string
	Count            int64 // of several; 0 is one
}

// Render returns the page as HTML.
func (p DataPage) Render() ([]byte, error) { return render("data.html", p) }

// Title returns the document's title.
func (p DataPage) Title() string { return "Data · Sandfhir" }

// Render returns the page as HTML.
func (p DataTypePage) Render() ([]byte, error) { return render("datatype.html", p) }

// Title returns the document's title.
func (p DataTypePage) Title() string { return p.Type + " · Sandfhir" }

// Render returns the page as HTML.
func (p DataResourcePage) Render() ([]byte, error) { return render("dataresource.html", p) }

// Title returns the document's title.
func (p DataResourcePage) Title() string { return p.Type + "/" + p.ID + " · Sandfhir" }

// Text is the resource in lines.
func (p DataResourcePage) Text() string { return indent(p.JSON) }
