package sandbox

import "github.com/sandfhir/sandfhir/internal/snippet"

// A Snippet is code that does right what a request did wrong, in one language,
// filled with the values of the client whose request it was.
type Snippet struct {
	Language string // "sh" (curl and openssl), "go", "python" or "javascript"
	Title    string // for people: "curl and openssl"
	Code     string
}

// Snippets returns the code that puts the refusal right, in four languages; nil
// where the request was not refused, or where what is wrong is not in the code.
func (e Exchange) Snippets() []Snippet {
	if e.remedy == nil {
		return nil
	}
	code, err := snippet.For(e.remedy.Kind, e.remedy.Facts)
	if err != nil { // a template that is wrong: the tests of package snippet run every one
		return nil
	}
	list := make([]Snippet, len(code))
	for i, s := range code {
		list[i] = Snippet(s)
	}
	return list
}
