package jose

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"
)

// A File is what a key file holds: at least one key.
type File struct {
	Form Form
	Keys []*Key
	// Oddities are what many libraries stumble over, as phrases that go on from "the file":
	// "has \n in two characters where a line break belongs".
	Oddities []string
}

// Form is how a key is written down.
type Form string

// The forms that hold keys.
const (
	PKCS8PEM     Form = "PKCS #8 PEM"
	PKCS1PEM     Form = "PKCS #1 PEM (RSA PRIVATE KEY)"
	SEC1PEM      Form = "SEC 1 PEM (EC PRIVATE KEY)"
	PublicKeyPEM Form = "public key PEM"
	Certificate  Form = "X.509 certificate"
	DER          Form = "DER"
	JWK          Form = "JWK"
	JWKSet       Form = "JWK Set"
)

// IsPrivate reports whether the file holds private keys, as some part of it.
func (f *File) IsPrivate() bool {
	return slices.ContainsFunc(f.Keys, func(k *Key) bool { return k.Private != nil })
}

// PrivateKey returns the private key of the file: the one with this kid where there are several.
func (f *File) PrivateKey(kid string) (*Key, error) {
	var keys []*Key
	for _, k := range f.Keys {
		if k.Private != nil {
			keys = append(keys, k)
		}
	}
	switch {
	case len(keys) == 1:
		return keys[0], nil
	case len(keys) == 0 && f.Form == Certificate:
		return nil, &FileError{Finding: "A23", Text: "this is an X.509 certificate, which holds a public key; signing needs the private one.",
			Fix: "Name the private key that the certificate was made with."}
	case len(keys) == 0:
		return nil, &FileError{Finding: "A19", Text: "this is a public key; signing needs the private one.",
			Fix: "Name the file with the private key; the public half is for the key set."}
	}
	var named []*Key
	var kids []string
	for _, k := range keys {
		if id, err := k.KeyID(); err == nil {
			kids = append(kids, id)
			if id == kid {
				named = append(named, k)
			}
		}
	}
	if len(named) == 1 {
		return named[0], nil
	}
	e := &FileError{Finding: "A19", Text: fmt.Sprintf("the %s holds %d keys; one is wanted.", f.Form, len(keys)), Fix: "Choose one by its kid (--kid): " + strings.Join(kids, ", ") + "."}
	if len(named) > 1 {
		e.Finding, e.Text = "A13", fmt.Sprintf("the %s holds %d keys with the kid %s.", f.Form, len(named), clip(kid))
		e.Fix = "Give every key a kid of its own."
	}
	return nil, e
}

// A FileError says why a file is not, or does not hold, the key that is wanted.
type FileError struct {
	Finding string // an id of authz.Findings
	Text    string // what is wrong, one sentence that begins in lower case
	Fix     string // what to do, full sentences; "" where Text says it
	Command string // that does it, FILE standing for the file; "" for none
}

// Error returns the text, what to do and the command.
func (e *FileError) Error() string {
	text := strings.TrimSpace(e.Text + " " + e.Fix)
	if e.Command != "" {
		text += " Try: " + e.Command
	}
	return text
}

// newPair is the command that makes another key pair, where that is the way out.
const newPair = "sandfhir keygen"

// MaxFile is the greatest size of a key file in bytes.
const MaxFile = 1 << 20

// Read reads a key file of any form: PEM with what people do to it, DER, a JWK, a JWK Set, or the
// base64 of a PEM without its frame. Its errors are *FileError.
func Read(data []byte) (*File, error) {
	if len(data) > MaxFile {
		return nil, &FileError{Finding: "A19", Text: "the file is larger than a mebibyte, which no key file is."}
	}
	f := &File{}
	text := f.decode(data)
	var err error
	switch trimmed := bytes.TrimSpace(text); {
	case len(trimmed) == 0:
		err = &FileError{Finding: "A19", Text: "the file is empty."}
	case trimmed[0] == '{' || trimmed[0] == '[':
		err = f.readJSON(trimmed)
	case hasFrame(trimmed):
		err = f.readPEM(string(trimmed))
	case text[0] == 0x30:
		f.Form = DER
		err = f.readDER("", data)
	default:
		err = f.readBare(trimmed)
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

// decode takes off what stands around the text: byte order marks, two-byte characters, quotation
// marks.
func (f *File) decode(data []byte) []byte {
	if rest, ok := bytes.CutPrefix(data, []byte{0xff, 0xfe}); ok && len(rest)%2 == 0 {
		f.odd("is UTF-16, as PowerShell writes with >")
		units := make([]uint16, len(rest)/2)
		for i := range units {
			units[i] = uint16(rest[2*i]) | uint16(rest[2*i+1])<<8
		}
		data = []byte(string(utf16.Decode(units)))
	}
	if rest, ok := bytes.CutPrefix(data, []byte("\ufeff")); ok {
		f.odd("begins with a byte order mark")
		data = rest
	}
	trimmed := bytes.TrimSpace(data)
	if n := len(trimmed); n > 1 && trimmed[0] == trimmed[n-1] && (trimmed[0] == '"' || trimmed[0] == '\'') {
		f.odd("has quotation marks around the key")
		data = trimmed[1 : n-1]
		if bytes.HasPrefix(bytes.TrimSpace(data), []byte(`{\"`)) { // JSON within a JSON string
			data = bytes.ReplaceAll(data, []byte(`\"`), []byte(`"`))
		}
	}
	return data
}

func (f *File) odd(what string) {
	if !slices.Contains(f.Oddities, what) {
		f.Oddities = append(f.Oddities, what)
	}
}

// readBare reads what has neither braces nor a frame: base64 of a key, or something that is no key.
func (f *File) readBare(text []byte) error {
	joined := strings.Join(strings.Fields(string(text)), "")
	if der, err := base64.StdEncoding.DecodeString(joined); err == nil && len(der) > 2 {
		if hasFrame(bytes.TrimSpace(der)) {
			f.odd("is base64 of a PEM file")
			return f.readPEM(string(bytes.TrimSpace(der)))
		}
		if der[0] == 0x30 {
			f.odd("is base64 without the lines -----BEGIN and -----END")
			f.Form = DER
			return f.readDER("", der)
		}
	}
	e := &FileError{Finding: "A19", Text: "this is neither a PEM private key nor a JWK."}
	switch {
	case bytes.HasPrefix(text, []byte("eyJ")) && bytes.Count(text, []byte(".")) == 2:
		e.Text = "this is a JWT, not a key."
	case bytes.HasPrefix(text, []byte("ssh-")), bytes.HasPrefix(text, []byte("ecdsa-sha2-")):
		e.Text = "this is an SSH public key; signing needs a private one."
		e.Fix, e.Command = "Make a key pair for the client.", newPair
	case bytes.HasPrefix(text, []byte{0xfe, 0xed, 0xfe, 0xed}):
		e.Text = "this is a Java key store."
		e.Fix = "Take the key out of it, as PKCS #12, and out of that with openssl pkcs12 -nocerts -nodes."
		e.Command = "keytool -importkeystore -srckeystore FILE -destkeystore key.p12 -deststoretype PKCS12"
	case bytes.HasPrefix(text, []byte("PuTTY-User-Key-File")):
		e.Text = "this is a key of PuTTY's."
		e.Fix, e.Command = "Make a key pair for the client.", newPair
	case bytes.Contains(text, []byte("BEGIN")):
		e.Text = "the line with BEGIN has no five hyphens on either side, as some editors and chats change them."
		e.Fix = "Copy the key again, from its file."
	}
	return e
}

// add keeps a key that was read.
func (f *File) add(private crypto.Signer, public crypto.PublicKey) {
	f.Keys = append(f.Keys, &Key{Private: private, Public: public})
}
