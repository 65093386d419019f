// Package snippet writes the code that does right what a request did wrong, in
// shell, Go, Python and JavaScript, filled with the values of the client whose
// request it was. The code is short, runs as it stands, and needs no more than
// curl and openssl, Go's and Node's own libraries, and for Python PyJWT or
// cryptography.
//
// Whoever copies it runs it, and some of the values are what strangers sent:
// each is written as a literal of the language, and what is not plain printable
// ASCII is replaced by a placeholder. The package imports nothing of ours.
package snippet

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"text/template"
)

// Kind says what the code does.
type Kind string

// The kinds.
const (
	Assertion    Kind = "assertion"    // sign an assertion and ask for a token
	Read         Kind = "read"         // prove the client, ask for a token and read with it
	Form         Kind = "form"         // post the form as it has to be
	Scope        Kind = "scope"        // the same; the scopes are the point
	Secret       Kind = "secret"       // the same; the secret is the point
	NewKey       Kind = "new-key"      // make a key pair and its public key set
	KeySet       Kind = "key-set"      // write the public key set of the key that there is
	Fetch        Kind = "fetch"        // fetch the key set as the server does
	Clock        Kind = "clock"        // compare the clocks
	Bearer       Kind = "bearer"       // use an access token at the FHIR server
	Registration Kind = "registration" // register the client
	Management   Kind = "management"   // read the registration with its own token
)

// Facts are the values in the code. What is empty gets a placeholder.
type Facts struct {
	ClientID string
	TokenURL string
	Audience string // the aud of assertions; "" is TokenURL
	// Endpoint is where the form goes; "" is TokenURL. At another endpoint the
	// form carries a token, and asks for none.
	Endpoint        string
	FHIRURL         string // what to read with the access token
	RegistrationURL string
	JWKSURI         string
	KeyID           string
	Algorithm       string // RS384 or ES384; everything else counts as RS384
	Scope           string
	KeyFile         string // the private key in PEM
	// Credential says how the client proves itself; "" is PrivateKeyJWT.
	Credential Credential
	// RawBasic leaves out the form encoding of RFC 6749 section 2.3.1, for a
	// server that compares what is sent.
	RawBasic bool
	// InitialToken says that registration asks for an initial access token.
	InitialToken bool
}

// Credential is a token_endpoint_auth_method.
type Credential string

// The credentials.
const (
	PrivateKeyJWT     Credential = "private_key_jwt"
	ClientSecretBasic Credential = "client_secret_basic"
	ClientSecretPost  Credential = "client_secret_post"
)

// A Snippet is the code in one language.
type Snippet struct {
	Language string `json:"language"` // sh, go, python or javascript
	Title    string `json:"title"`    // for people: "curl and openssl"
	Code     string `json:"code"`
}

// languages are the four languages, in the order in which pages show them.
func languages() []language {
	return []language{
		{name: "sh", title: "curl and openssl", quote: quoteSh},
		{name: "go", title: "Go", quote: quoteGo},
		{name: "python", title: "Python", quote: quotePython},
		{name: "javascript", title: "JavaScript", quote: quoteJavaScript},
	}
}

type language struct {
	name, title string
	quote       func(string) string
}

//go:embed templates/*.tmpl
var files embed.FS

// templates are parsed when the first snippet is asked for.
var templates = sync.OnceValues(func() (map[string]*template.Template, error) {
	parsed := map[string]*template.Template{}
	for _, l := range languages() {
		t, err := template.ParseFS(files, "templates/"+l.name+".tmpl")
		if err != nil {
			return nil, err
		}
		parsed[l.name] = t
	}
	return parsed, nil
})

// For returns the code for a kind in every language; nil for a kind that there
// is none for.
func For(kind Kind, facts Facts) ([]Snippet, error) {
	name := ""
	switch kind {
	case Assertion:
		name = "assertion"
		if facts.secret() {
			name = "form"
		}
	case Read:
		name = "assertion"
		if facts.secret() {
			name = "bearer"
		}
	case Form, Scope:
		name = "form"
	case Secret:
		name = "form"
		if !facts.secret() {
			facts.Credential = ClientSecretBasic
		}
	case NewKey, KeySet:
		name = "keys"
	case Fetch, Clock, Bearer, Registration, Management:
		name = string(kind)
	default:
		return nil, nil
	}
	parsed, err := templates()
	if err != nil {
		return nil, fmt.Errorf("parse snippets: %w", err)
	}
	facts = facts.complete()
	var list []Snippet
	for _, l := range languages() {
		var code bytes.Buffer
		if err := parsed[l.name].ExecuteTemplate(&code, name, newValues(facts, kind, l.quote)); err != nil {
			return nil, fmt.Errorf("write snippet %s in %s: %w", kind, l.name, err)
		}
		list = append(list, Snippet{Language: l.name, Title: l.title, Code: strings.TrimSpace(code.String()) + "\n"})
	}
	return list, nil
}

// Does says in a sentence or two what the code of a kind does and what it needs.
func Does(kind Kind, facts Facts) string {
	facts = facts.complete()
	proof := "The signed assertion comes in the environment variable ASSERTION."
	if facts.secret() || kind == Secret {
		proof = "The secret comes in the environment variable CLIENT_SECRET."
	}
	switch kind {
	case Assertion:
		if facts.secret() {
			return "Asks for a token with the client's secret. " + proof
		}
		return "Signs an assertion and asks for a token. The private key is in " + facts.KeyFile + ", as PKCS #8; openssl pkcs8 -topk8 -nocrypt converts other PEM."
	case Read:
		if facts.secret() {
			return "Asks for a token with the client's secret and reads with it. " + proof
		}
		return "Signs an assertion, asks for a token and reads with it. The private key is in " + facts.KeyFile + ", as PKCS #8."
	case Form:
		return "Posts the form as it has to be. " + proof
	case Scope:
		return "Asks for scopes that would be granted. " + proof
	case Secret:
		return "Sends the client's id and secret as they have to be encoded. " + proof
	case NewKey:
		return "Makes a key pair and prints the key set with its public half. The private key goes to new-private.pem."
	case KeySet:
		return "Prints the key set with the public half of the private key in " + facts.KeyFile + "."
	case Fetch:
		return "Fetches the key set as the server does. Run it from outside your network."
	case Clock:
		return "Shows the time here and the time of the server."
	case Bearer:
		return "Asks for a token and uses it. " + proof
	case Registration:
		if facts.InitialToken {
			return "Registers a client with the key set in jwks.json. The initial access token comes in the environment variable INITIAL_ACCESS_TOKEN."
		}
		return "Registers a client with the key set in jwks.json."
	case Management:
		return "Reads the registration. Its own token comes in the environment variable REGISTRATION_ACCESS_TOKEN."
	}
	return ""
}

func (f Facts) secret() bool {
	return f.Credential == ClientSecretBasic || f.Credential == ClientSecretPost
}

// complete replaces what is missing or not to be trusted by placeholders.
func (f Facts) complete() Facts {
	for _, v := range []struct {
		value       *string
		placeholder string
	}{
		{&f.ClientID, "your-client-id"},
		{&f.TokenURL, "http://127.0.0.1:8080/auth/token"},
		{&f.FHIRURL, "http://127.0.0.1:8080/fhir/Patient?_count=1"},
		{&f.RegistrationURL, "http://127.0.0.1:8080/auth/register"},
		{&f.JWKSURI, "https://your-host.example/jwks.json"},
		{&f.KeyID, "key-1"},
		{&f.Scope, "system/Patient.rs"},
		{&f.KeyFile, "private.pem"},
	} {
		if !plain(*v.value) {
			*v.value = v.placeholder
		}
	}
	if !plain(f.Endpoint) {
		f.Endpoint = f.TokenURL
	}
	if !plain(f.Audience) {
		f.Audience = f.TokenURL
	}
	return f
}

// longest is the longest value that code shows, in bytes.
const longest = 1000

// plain reports whether a value can stand in code that people copy: printable
// ASCII, so that nothing in it is hidden, reordered, or acts on a terminal that
// it is pasted into.
func plain(value string) bool {
	for i := range len(value) {
		if value[i] < 0x20 || value[i] > 0x7e {
			return false
		}
	}
	return value != "" && len(value) <= longest
}

// values are the facts for a template, each already a literal of the language,
// so that no template can write one that is not.
type values struct {
	ClientID, TokenURL, Audience, Endpoint, FHIRURL, ClientURL, RegistrationURL, JWKSURI, KeyID, Algorithm, Scope, KeyFile string
	// Header is the JSON of the assertion's header; the claims come in three
	// parts, with exp and jti between them.
	Header, ClaimsToExp, ClaimsToJTI, ClaimsEnd string
	// KeySetBegin is the JSON of a key set up to the public numbers.
	KeySetBegin string
	// MetadataBegin is the JSON of a registration up to the key set.
	MetadataBegin string

	EC, New, Read, Token, Basic, Post, Raw, InitialToken bool
}

func newValues(f Facts, kind Kind, quote func(string) string) values {
	ec := f.Algorithm == "ES384"
	alg, key := "RS384", `{"kty":"RSA"`
	if ec {
		alg, key = "ES384", `{"kty":"EC","crv":"P-384"`
	}
	file := f.KeyFile
	if kind == NewKey {
		file = "new-private.pem"
	}
	return values{
		ClientID: quote(f.ClientID), TokenURL: quote(f.TokenURL), Audience: quote(f.Audience), Endpoint: quote(f.Endpoint), FHIRURL: quote(f.FHIRURL),
		RegistrationURL: quote(f.RegistrationURL), ClientURL: quote(f.RegistrationURL + "/" + f.ClientID), JWKSURI: quote(f.JWKSURI),
		KeyID: quote(f.KeyID), Algorithm: quote(alg), Scope: quote(f.Scope), KeyFile: quote(file),
		Header:      quote(`{"alg":"` + alg + `","typ":"JWT","kid":` + inJSON(f.KeyID) + `}`),
		ClaimsToExp: quote(`{"iss":` + inJSON(f.ClientID) + `,"sub":` + inJSON(f.ClientID) + `,"aud":` + inJSON(f.Audience) + `,"exp":`),
		ClaimsToJTI: quote(`,"jti":"`), ClaimsEnd: quote(`"}`),
		KeySetBegin:   quote(`{"keys":[` + key + `,"use":"sig","alg":"` + alg + `","kid":` + inJSON(f.KeyID)),
		MetadataBegin: quote(`{"client_name":"My service","token_endpoint_auth_method":"private_key_jwt","grant_types":["client_credentials"],"scope":` + inJSON(f.Scope) + `,"jwks":`),
		EC:            ec, New: kind == NewKey, Read: kind == Read, Token: f.Endpoint != f.TokenURL,
		Basic: f.Credential == ClientSecretBasic, Post: f.Credential == ClientSecretPost, Raw: f.RawBasic,
		InitialToken: f.InitialToken,
	}
}

// inJSON returns a plain value as a JSON string.
func inJSON(value string) string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return `""` // a string that is valid UTF-8 can be encoded
	}
	return strings.TrimSuffix(b.String(), "\n")
}
