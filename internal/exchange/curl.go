package exchange

import (
	"mime"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
)

// Curl returns the request as a curl command for a POSIX shell, "" where it is
// none that somebody sent by itself, or where not all of it was kept. What
// records hide stands as a variable: $ACCESS_TOKEN, $CLIENT_ASSERTION.
func (e *Exchange) Curl() string {
	if e.Kind == Entry || strings.HasSuffix(e.RequestBody, "…") {
		return ""
	}
	words := []string{"curl"}
	if method := e.Method; method == "HEAD" {
		words = append(words, "--head")
	} else if method != "GET" {
		words = append(words, "-X "+method)
	}
	words = append(words, quoted(e.URL))
	for _, h := range e.RequestHeader {
		if !slices.Contains(ownHeaders(), textproto.CanonicalMIMEHeaderKey(h.Name)) {
			words = append(words, "-H "+quoted(h.Name+": "+h.Value))
		}
	}
	if e.RequestBody != "" {
		words = append(words, e.curlBody()...)
	}
	return strings.Join(words, " \\\n  ")
}

// ownHeaders are those that curl makes itself.
func ownHeaders() []string {
	return []string{"Host", "User-Agent", "Content-Length", "Accept-Encoding", "Connection", "Transfer-Encoding"}
}

func (e *Exchange) curlBody() (words []string) {
	media, _, _ := mime.ParseMediaType(value(e.RequestHeader, "Content-Type"))
	fields := pairs(e.RequestBody)
	if media != formType || len(fields) == 0 {
		return []string{"--data-binary " + quoted(e.RequestBody)}
	}
	for _, f := range fields {
		words = append(words, "--data-urlencode "+quotedAs(f.Name+"=", f.Value, f.Name))
	}
	return words
}

// quoted is a text as one word of a shell. Where something is hidden in it a
// variable stands for the word that holds it.
func quoted(text string) string {
	name, rest, isHeader := strings.Cut(text, ": ")
	if !isHeader || !strings.Contains(text, hidden) || strings.Contains(name, "/") {
		return quotedAs("", text, "secret")
	}
	scheme, credentials, found := strings.Cut(rest, " ")
	switch {
	case found && strings.EqualFold(scheme, "Bearer"):
		return quotedAs(name+": "+scheme+" ", credentials, "access_token")
	case found:
		return quotedAs(name+": "+scheme+" ", credentials, "credentials")
	}
	return quotedAs(name+": ", rest, name)
}

// quotedAs quotes what begins with plain and goes on with text; a variable by
// name stands for text where something is hidden in it.
func quotedAs(plain, text, name string) string {
	if !strings.Contains(text, hidden) {
		return "'" + strings.ReplaceAll(plain+text, "'", `'\''`) + "'"
	}
	variable := strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToUpper(name))
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`").Replace(plain) + "$" + variable + `"`
}

// value is that of a header, "" without it.
func value(list []Header, name string) string {
	for _, h := range list {
		if strings.EqualFold(h.Name, name) {
			return h.Value
		}
	}
	return ""
}

// pairs are the names and values of a form, in their order; none of what is no
// form.
func pairs(text string) []Header {
	list := []Header{}
	for _, pair := range strings.Split(text, "&") {
		name, value, _ := strings.Cut(pair, "=")
		decodedName, err := url.QueryUnescape(name)
		decodedValue, err2 := url.QueryUnescape(value)
		if err != nil || err2 != nil {
			return []Header{}
		}
		if pair != "" {
			list = append(list, Header{decodedName, decodedValue})
		}
	}
	return list
}
