package jose

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
)

// hasFrame reports whether the text has a line that begins a PEM block.
func hasFrame(text []byte) bool { return bytes.Contains(text, []byte("-----BEGIN ")) }

// A frame is a PEM block as it was found (RFC 7468), its body not decoded.
type frame struct{ label, body string }

// readPEM reads every block. One that only accompanies a key is passed over; where no block is a
// key, the first reason counts.
func (f *File) readPEM(text string) error {
	text = f.lines(text)
	frames, err := f.frames(text)
	if err != nil {
		return err
	}
	var failed error
	for _, block := range frames {
		if strings.HasSuffix(block.label, "PARAMETERS") {
			continue // openssl ecparam writes the curve before the key
		}
		before := len(f.Keys)
		err := f.readFrame(block)
		if err != nil && failed == nil {
			failed = err
		}
		if form := formOf(block.label); len(f.Keys) > before && (f.Form == "" || f.Keys[before].Private != nil) {
			f.Form = form
		}
	}
	switch {
	case failed != nil && !f.IsPrivate():
		return failed
	case len(f.Keys) == 0:
		return &FileError{Finding: "A19", Text: "the file holds the parameters of a curve and no key.", Fix: "Make a key pair for the client.", Command: newPair}
	}
	return nil
}

// lines makes line breaks of what stands for them.
func (f *File) lines(text string) string {
	if strings.Contains(text, `\n`) {
		f.odd(`has \n in two characters where a line break belongs`)
		text = strings.NewReplacer(`\r\n`, "\n", `\\n`, "\n", `\n`, "\n", `\r`, "").Replace(text)
	}
	if strings.Contains(text, "\r") {
		f.odd("has line breaks of Windows (CRLF)")
		text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	}
	return text
}

// frames finds the blocks.
func (f *File) frames(text string) ([]frame, error) {
	begin := regexp.MustCompile(`-----BEGIN ([A-Z0-9 ]+)-----`)
	var found []frame
	for text != "" {
		at := begin.FindStringSubmatchIndex(text)
		if at == nil {
			break
		}
		if strings.TrimSpace(text[:at[0]]) != "" {
			f.odd("has text before the key")
		} else if strings.HasSuffix(strings.TrimRight(text[:at[0]], "\n"), " ") {
			f.odd("has its lines indented")
		}
		label := text[at[2]:at[3]]
		body, rest, ended := strings.Cut(text[at[1]:], "-----END "+label+"-----")
		if !ended {
			return nil, &FileError{Finding: "A19", Text: "the line -----END " + label + "----- is missing: the key is cut short, or its last line was changed.", Fix: "Copy the whole file again."}
		}
		switch trimmed := strings.TrimSpace(body); {
		case !strings.Contains(trimmed, "\n") && len(trimmed) > 76:
			f.odd("has the whole key in one line")
		case strings.Contains(trimmed, "\n ") || strings.Contains(trimmed, "\n\t"):
			f.odd("has its lines indented")
		}
		found = append(found, frame{label, body})
		text = rest
	}
	if len(found) == 0 {
		return nil, &FileError{Finding: "A19", Text: "the line with BEGIN is not one of PEM: it is written -----BEGIN PRIVATE KEY-----, in capital letters.", Fix: "Copy the key again, from its file."}
	}
	return found, nil
}

// readFrame reads the key of one block.
func (f *File) readFrame(block frame) error {
	body := block.body
	switch {
	case block.label == "ENCRYPTED PRIVATE KEY", strings.Contains(body, "Proc-Type: 4,ENCRYPTED"):
		return &FileError{Finding: "A19", Text: "the private key is encrypted with a passphrase, and a client that runs by itself has nobody to type it.",
			Fix: "Decrypt it, and keep the new file as secret as the passphrase.", Command: "openssl pkey -in FILE -out key.pem"}
	case block.label == "OPENSSH PRIVATE KEY":
		return &FileError{Finding: "A19", Text: "this is a private key in OpenSSH's own form, which no JWT library reads.",
			Fix: "Make a key pair for the client: one key for two purposes is not a good idea. A copy of this one is converted with ssh-keygen -p -m PKCS8.", Command: newPair}
	case strings.Contains(block.label, "CERTIFICATE REQUEST"):
		return &FileError{Finding: "A23", Text: "this is a certificate signing request, which holds a public key; signing needs the private one.",
			Fix: "Name the private key that the request was made with."}
	case formOf(block.label) == "":
		return &FileError{Finding: "A19", Text: fmt.Sprintf("the PEM block is a %q, which is no key of a client's.", block.label), Fix: "Make a key pair for the client.", Command: newPair}
	}
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(body), ""))
	if err != nil {
		return &FileError{Finding: "A19", Text: "what stands between BEGIN and END is not base64: it was cut or changed (" + err.Error() + ").", Fix: "Copy the whole file again."}
	}
	return f.readDER(block.label, der)
}
