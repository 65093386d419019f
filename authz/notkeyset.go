package authz

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"regexp"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
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
		return nil, &KeySetError{Finding: "J04", Text: "The key set is a JSON array; a JWK Set is an object.", Fix: wrap + " The bare array is only what Aidbox's Client resource takes inline.",
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
		return nil, &KeySetError{Finding: "J04", Text: "The key set is a single JWK; a JWK Set is an object with an array of them.", Fix: wrap,
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

// noKeySet says what bytes are that are no JSON object. What may be a private
// key is never repeated.
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
		return &KeySetError{Finding: "J03", Text: "The key set is not valid JSON: " + clip(strings.TrimPrefix(err.Error(), "jsontext: ")) + ".", Fix: fix}
	}
	return &KeySetError{Finding: "J03", Text: "The key set is no JSON object; it begins with " + quote(beginning(text)) + ".", Fix: fix}
}

// pasted recognises a key or a certificate in another format than JWK, or
// returns nil.
func pasted(text string) *KeySetError {
	label, der := "", []byte(nil)
	if i := strings.Index(text, "-----BEGIN "); i >= 0 {
		label, _, _ = strings.Cut(text[i+len("-----BEGIN "):], "-----")
		if block, _ := pem.Decode([]byte(text[i:])); block != nil {
			der = block.Bytes
		}
	} else if der = derInBase64(text); der == nil {
		return nil
	} else if label = labelOf(der); label == "" {
		return nil
	}
	const fix = `Convert the public key to a JWK with a kid and put it into {"keys":[…]}.`
	e := &KeySetError{Finding: "A19", Text: "The key set is " + formatOf(label) + ", not a JWK Set.", Counterfactual: asJWK(der), Fix: fix}
	switch {
	case strings.Contains(label, "PRIVATE KEY"):
		e.private = true
		e.Text = "The key set is " + formatOf(label) + ": whoever saw it can sign as you."
		e.Counterfactual = ""
		e.Fix = `Revoke this key pair, make a new one and never send a private key anywhere. Of the new one put the public half, as a JWK, into {"keys":[…]}.`
	case strings.Contains(label, "CERTIFICATE"):
		e.Finding = "A23"
		e.Fix = fix + " No certificate is needed."
	}
	return e
}

// derInBase64 returns the inside of a PEM that somebody took out of it, or nil.
func derInBase64(text string) []byte {
	der, err := base64.StdEncoding.DecodeString(strings.NewReplacer("\n", "", "\r", "", " ", "").Replace(text))
	if err != nil || len(der) == 0 || der[0] != 0x30 {
		return nil
	}
	return der
}

// labelOf returns the label that PEM would give to DER, or "".
func labelOf(der []byte) string {
	for label, parse := range map[string]func([]byte) error{
		"CERTIFICATE":     func(b []byte) error { _, err := x509.ParseCertificate(b); return err },
		"PUBLIC KEY":      func(b []byte) error { _, err := x509.ParsePKIXPublicKey(b); return err },
		"PRIVATE KEY":     func(b []byte) error { _, err := x509.ParsePKCS8PrivateKey(b); return err },
		"RSA PRIVATE KEY": func(b []byte) error { _, err := x509.ParsePKCS1PrivateKey(b); return err },
		"EC PRIVATE KEY":  func(b []byte) error { _, err := x509.ParseECPrivateKey(b); return err },
	} {
		if parse(der) == nil {
			return label
		}
	}
	return ""
}

// asJWK says what the public key in DER, or in a certificate, would be good
// for; "" if there is none that can be read.
func asJWK(der []byte) string {
	pub, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return ""
		}
		pub = cert.PublicKey
	}
	switch pub := pub.(type) {
	case *rsa.PublicKey:
		if pub.N.BitLen() >= 2048 {
			return "The key in it, RSA of " + itoa(pub.N.BitLen()) + " bits, would do for RS384."
		}
		return "The key in it, RSA of " + itoa(pub.N.BitLen()) + " bits, is too short: RS384 needs 2048."
	case *ecdsa.PublicKey:
		if crv := pub.Params().Name; crv != "P-384" {
			return "The key in it is on curve " + crv + ", which would not do either: ES384 needs P-384."
		}
		return "The key in it, EC on P-384, would do for ES384."
	}
	return "The key in it is neither RSA nor EC, and would not do either."
}

// formatOf names the format of a PEM block by its label.
func formatOf(label string) string {
	switch label {
	case "PUBLIC KEY":
		return "a public key (SPKI)"
	case "RSA PUBLIC KEY":
		return "a public RSA key (PKCS #1)"
	case "PRIVATE KEY":
		return "a private key (PKCS #8)"
	case "RSA PRIVATE KEY":
		return "a private RSA key (PKCS #1)"
	case "EC PRIVATE KEY":
		return "a private EC key (SEC 1)"
	case "ENCRYPTED PRIVATE KEY":
		return "an encrypted private key (PKCS #8)"
	case "CERTIFICATE":
		return "an X.509 certificate"
	case "CERTIFICATE REQUEST":
		return "a certificate request"
	}
	return "PEM (" + clip(label) + ")"
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

// longRun finds what may be a piece of a key that was cut, or whose frame was
// changed: no word of a page is that long.
func longRun() *regexp.Regexp { return regexp.MustCompile(`[A-Za-z0-9+/=_-]{24,}`) }

// withoutValues leaves of a JSON text the names of members and what holds them
// together. The text may be cut, or be no JSON after all.
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
