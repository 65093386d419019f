package authz

import (
	"regexp"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sandfhir/sandfhir/internal/jose"
)

// keySetEntries finds the array of keys.
func keySetEntries(data []byte) ([]jsontext.Value, *KeySetError) {
	const wrap = `Write {"keys":[…]} with the keys in the array (RFC 7517 section 5).`
	var entries []jsontext.Value
	switch jsontext.Value(data).Kind() {
	case '{':
	case '[':
		if err := json.Unmarshal(data, &entries); err != nil {
			return nil, noKeySet(data, err)
		}
		return nil, &KeySetError{Finding: "J04",
			Text:           "The key set is a JSON array; a JWK Set is an object.",
			Fix:            wrap + " The bare array is only what Aidbox's Client resource takes inline.",
			Counterfactual: wouldBe(`{"keys":` + string(data) + `}`)}
	default:
		return nil, noKeySet(data, nil)
	}
	var object members
	if err := json.Unmarshal(data, &object); err != nil {
		return nil, noKeySet(data, err)
	}
	list, ok := object["keys"]
	switch {
	case !ok && object.kind("kty") != 0:
		return nil, &KeySetError{Finding: "J04",
			Text:           "The key set is a single JWK; a JWK Set is an object with an array of them.",
			Fix:            wrap,
			Counterfactual: wouldBe(`{"keys":[` + string(data) + `]}`)}
	case !ok:
		return nil, &KeySetError{Finding: "J04", Text: `The key set is a JSON object without "keys".`, Fix: wrap}
	case list.Kind() != '[':
		return nil, &KeySetError{Finding: "J04", Text: `The key set's "keys" is no array.`, Fix: wrap}
	}
	if err := json.Unmarshal(list, &entries); err != nil {
		return nil, noKeySet(data, err)
	}
	return entries, nil
}

// wouldBe says what a key set in the right form would be.
func wouldBe(wrapped string) string {
	set, err := ParseKeySet([]byte(wrapped))
	if err != nil {
		return ""
	}
	text := `In {"keys":[…]} it would be a set of ` + plural(set.Len(), "key")
	if len(set.Problems()) > 0 {
		return text + ", with more to mend: " + set.Problems()[0].Text
	}
	return text + "."
}

// noKeySet explains bytes that are no JSON object. It never repeats what may
// be a private key.
func noKeySet(data []byte, err error) *KeySetError {
	const fix = `Publish a JWK Set, which is JSON: {"keys":[…]} (RFC 7517 section 5).`
	text := strings.TrimSpace(string(data))
	if jsontext.Value(text).Kind() == '"' { // a text where JSON was wanted
		var inner string
		if json.Unmarshal([]byte(text), &inner) == nil {
			text = strings.TrimSpace(inner)
		}
	}
	if e := pasted(text); e != nil {
		return e
	}
	switch {
	case text == "":
		return &KeySetError{Finding: "J03", Text: "The key set is empty.", Fix: fix}
	case strings.HasPrefix(text, "<"):
		return &KeySetError{Finding: "J03", Text: "The key set is HTML or XML.", Fix: fix}
	case err != nil:
		return &KeySetError{Finding: "J03",
			Text: "The key set is not valid JSON: " + clip(strings.TrimPrefix(err.Error(), "jsontext: ")) + ".",
			Fix:  fix}
	}
	return &KeySetError{Finding: "J03",
		Text: "The key set is no JSON object; it begins with " + quote(beginning(text)) + ".",
		Fix:  fix}
}

// pasted recognises a key or a certificate in another format than JWK, or
// returns nil.
func pasted(text string) *KeySetError {
	found, ok := jose.Recognise(text)
	if !ok {
		return nil
	}
	const fix = `Convert the public key to a JWK with a kid and put it into {"keys":[…]}.`
	e := &KeySetError{Finding: "A19",
		Text:           "The key set is " + found.Name + ", not a JWK Set.",
		Counterfactual: asJWK(found.Key),
		Fix:            fix}
	switch {
	case found.IsPrivate:
		e.private = true
		e.Text = "The key set is " + found.Name + ": whoever saw it can sign as you."
		e.Counterfactual = ""
		e.Fix = `Revoke this key pair, make a new one and never send a private key anywhere. ` +
			`Of the new one put the public half, as a JWK, into {"keys":[…]}.`
	case found.Certificate:
		e.Finding = "A23"
		e.Fix = fix + " No certificate is needed."
	}
	return e
}

// asJWK says what a public key could sign; "" if it cannot be read.
func asJWK(k *jose.Key) string {
	switch {
	case k == nil:
		return ""
	case k.Bits() == 0:
		return "The key in it is neither RSA nor EC, and would not do either."
	}
	text := "The key in it, " + k.Describe() + ", "
	switch alg, err := k.Algorithm(); {
	case err != nil:
		return text + "would not do either: ES384 needs P-384."
	case alg == jose.RS384 && k.Bits() < jose.MinBits:
		return text + "is too short: RS384 needs 2048."
	default:
		return text + "would do for " + alg + "."
	}
}

// beginning returns the first characters of an answer for a diagnosis. The
// values of JSON are left out: there may be a private key in them.
func beginning(text string) string {
	const most = 60
	text = strings.TrimSpace(text)
	if i := strings.Index(text, "-----BEGIN "); i >= 0 {
		label, _, _ := strings.Cut(text[i+len("-----BEGIN "):], "-----")
		return clip(text[:min(i, most)] + "-----BEGIN " + label + "-----")
	}
	if kind := jsontext.Value(text).Kind(); kind == '{' || kind == '[' || kind == '"' {
		text = withoutValues(text[:min(len(text), 400)])
	}
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "")
	}
	return longRun().ReplaceAllString(text, "…")
}

// longRun finds what may be a piece of a key without its frame: no word of a
// page is that long.
func longRun() *regexp.Regexp { return regexp.MustCompile(`[A-Za-z0-9+/=_-]{24,}`) }

// withoutValues keeps the member names and the punctuation of a JSON text,
// which may be cut or not be JSON after all.
func withoutValues(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		if text[i] != '"' {
			switch {
			case strings.IndexByte("{}[]:, ", text[i]) >= 0:
				b.WriteByte(text[i])
			case !strings.HasSuffix(b.String(), "…"):
				b.WriteString("…")
			}
			i++
			continue
		}
		end := i + 1
		for end < len(text) && text[end] != '"' {
			if text[end] == '\\' {
				end++
			}
			end++
		}
		end = min(end+1, len(text))
		if strings.HasPrefix(strings.TrimLeft(text[end:], " \t\r\n"), ":") {
			b.WriteString(text[i:end])
		} else {
			b.WriteString(`"…"`)
		}
		i = end
	}
	return b.String()
}
