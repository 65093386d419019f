package web

import "strings"

// ServiceFormPage is the form in which a service is registered or edited.
type ServiceFormPage struct {
	Site
	Action  string // URL that the form is sent to
	Back    string // URL to leave by
	Editing bool
	Live    bool // an approved copy is in production while it is edited

	Name, Description, Contacts string
	Authentication              string // "jwks_uri", "jwks" or "secret"
	JWKSURI, JWKS               string
	Version                     int // of the scopes that the rows make: 1 or 2
	Rows                        []ScopeRow
	Scopes                      string // others, as they are
	Built                       string // what the rows make
	Organization                string
	Organizations               []Choice // none where there is nothing to choose
	Types                       []string // every resource type
	SecretsOffered              bool
	CheckKeys                   string // URL of the JSON check of keys, for the script

	Problems []FieldProblem
	Seen     *SeenKeys
}

// A Choice is a value to choose, with its name.
type Choice struct{ Value, Name string }

// A ScopeRow is a resource type with operations.
type ScopeRow struct {
	Number     int
	Type       string
	Operations string // of the letters c, r, u, d, s
}

// Has reports whether the row has the operation of a letter.
func (r ScopeRow) Has(letter string) bool { return strings.Contains(r.Operations, letter) }

// An Operation is a letter of SMART v2 with its name.
type Operation struct{ Letter, Name string }

// Choices are the operations of a row, in their order.
func (r ScopeRow) Choices() []Operation {
	return []Operation{{"c", "Create"}, {"r", "Read"}, {"u", "Update"}, {"d", "Delete"}, {"s", "Search"}}
}

// A FieldProblem is what is wrong with a field.
type FieldProblem struct{ Field, Text, Fix string }

// SeenKeys are the keys that the server sees.
type SeenKeys struct {
	Of       string // the field that they come from
	Keys     []SeenKey
	Problems []FieldProblem // Field is the kid there
	Exchange string         // URL of the page of the fetch, or ""
}

// A SeenKey is a public key.
type SeenKey struct{ ID, Description, Signs, Thumbprint string }

// Render returns the page as HTML.
func (p ServiceFormPage) Render() ([]byte, error) { return render("serviceform.html", p) }

// Title returns the document's title.
func (p ServiceFormPage) Title() string {
	title := "Register a backend service"
	if p.Editing {
		title = "Edit " + clip(strings.ToValidUTF8(p.Name, "\uFFFD"), 60)
	}
	if len(p.Problems) > 0 {
		title = "Not yet: " + title
	}
	return title + " · Sandfhir"
}

// Heading returns the page's heading.
func (p ServiceFormPage) Heading() string {
	if p.Editing {
		return "Edit the service"
	}
	return "Register a backend service"
}

// A trouble is what is wrong with a field.
type trouble struct {
	Field    string
	Problems []FieldProblem
}

func troubleOf(p ServiceFormPage, field string) trouble { return trouble{field, p.Of(field)} }

// Of returns what is wrong with a field.
func (p ServiceFormPage) Of(field string) []FieldProblem {
	var list []FieldProblem
	for _, problem := range p.Problems {
		if problem.Field == field {
			list = append(list, problem)
		}
	}
	return list
}

// SeenOf returns what the server sees of a field's keys, or nil.
func (p ServiceFormPage) SeenOf(field string) *SeenKeys {
	if p.Seen == nil || p.Seen.Of != field {
		return nil
	}
	return p.Seen
}
