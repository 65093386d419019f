package validation

import (
	"slices"
	"strings"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/r4"
)

// A valueSet is the codes that a required binding allows: a list, or a form where the systems are
// published elsewhere.
type valueSet struct {
	url     string
	codings map[r4.Coding]bool
	codes   map[string]bool
	list    []string // the codes, in order
	systems []string
	wrong   func(code string) string
}

// valueSet returns the value set of an element's required binding, nil where it has none or one
// that cannot be told.
func (v *Validator) valueSet(def r4.ElementDef) *valueSet {
	switch def.Path {
	case "Attachment.contentType", "Binary.contentType": // other elements with the set take shorthands such as json
		return &valueSet{url: def.Binding, wrong: wrongMIME}
	case "Money.currency":
		return &valueSet{url: def.Binding, wrong: wrongCurrency}
	case "Resource.language", "Attachment.language": // the binding is preferred, but its maximum is all languages
		return &valueSet{wrong: wrongLanguage}
	}
	codes, ok := v.defs.Codes(def.Binding)
	if !ok {
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.codes(def.Binding, codes)
}

func (v *Validator) codes(url string, codes []r4.Coding) *valueSet {
	if set, ok := v.sets[url]; ok {
		return set
	}
	set := &valueSet{url: url, codings: make(map[r4.Coding]bool, len(codes)), codes: make(map[string]bool, len(codes))}
	for _, c := range codes {
		set.codings[c] = true
		set.codes[c.Code] = true
		set.list = append(set.list, c.Code)
		if !slices.Contains(set.systems, c.System) {
			set.systems = append(set.systems, c.System)
		}
	}
	v.sets[url] = set
	return set
}

// wrongMIME judges a media type by its form (RFC 6838): type/subtype with parameters.
func wrongMIME(code string) string {
	media, _, _ := strings.Cut(code, ";")
	typ, subtype, ok := strings.Cut(strings.TrimSpace(media), "/")
	if !ok || typ == "" || subtype == "" || strings.ContainsAny(typ, " ,") || strings.ContainsAny(subtype, " ,/") {
		return "a MIME type is type/subtype, such as application/pdf"
	}
	return ""
}

// wrongCurrency judges a currency by its form (ISO 4217).
func wrongCurrency(code string) string {
	if len(code) != 3 || strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return "a currency is a code of ISO 4217: three capital letters, such as USD"
	}
	return ""
}

// wrongLanguage judges a language by its form (BCP 47): subtags of letters and digits with hyphens.
func wrongLanguage(code string) string {
	const wanted = "a language is a tag of BCP 47, such as en or en-US"
	for i, tag := range strings.Split(code, "-") {
		if tag == "" || len(tag) > 8 {
			return wanted
		}
		for _, c := range []byte(tag) {
			if !isLetter(c) && (i == 0 || !isDigit(c)) {
				return wanted
			}
		}
	}
	return ""
}

// boundCode judges a code by a required binding.
func (r *run) boundCode(n *fhirjson.Node, sl *slot) {
	set := sl.binding
	switch {
	case set.wrong != nil:
		if wrong := set.wrong(n.Text); wrong != "" {
			r.fault("code-invalid", n.Start, "is %s: %s", quote(n.Text), wrong)
		}
	case !set.codes[n.Text]:
		r.fault("code-invalid", n.Start, "is %s, which is not in the value set that it is bound to%s", quote(n.Text), set.choices(n.Text))
	}
}

// codeableConcept judges a concept by a required binding: one of its codings has to be in the set.
func (r *run) codeableConcept(sl *slot, n *fhirjson.Node) {
	set := sl.binding
	if set == nil {
		return
	}
	codings := n.Get("coding")
	if codings == nil {
		if !isAbsent(n) {
			r.fault("code-invalid", n.Start, "has no coding, and needs one of the value set that it is bound to%s of %s", set.choices(""), listed(set.systems))
		}
		return
	}
	if codings.Kind != fhirjson.Array {
		return // reported
	}
	got := ""
	for i := range codings.Items {
		c := r4.Coding{System: codings.Items[i].Str("system"), Code: codings.Items[i].Str("code")}
		if set.codings[c] || c.Code == "" && isAbsent(&codings.Items[i]) {
			return
		}
		if got == "" {
			got = c.System + "|" + c.Code
		}
	}
	_, tried, _ := strings.Cut(got, "|")
	r.fault("code-invalid", codings.Start, "has no coding of the value set that it is bound to, but %s%s of %s", quote(got), set.choices(tried), listed(set.systems))
}

// isAbsent reports whether an element says by an extension why there is no value.
func isAbsent(n *fhirjson.Node) bool {
	extensions := n.Get("extension")
	return extensions != nil && slices.ContainsFunc(extensions.Items, func(e fhirjson.Node) bool {
		return e.Str("url") == "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
	})
}

// choices says what a binding allows: the codes where they are few, otherwise the set, and the one
// that was probably meant.
func (set *valueSet) choices(got string) string {
	const few = 12
	if len(set.list) <= few {
		return ": " + listed(set.list)
	}
	return ", " + set.url + didYouMean(got, set.list)
}
