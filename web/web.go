// Package web is what people see: server-rendered pages, their style sheet,
// script and icon, embedded in the binary. It imports nothing of ours: a page
// gets all that it shows from whoever renders it.
//
// Pages work without the script, but for keys that are made in the browser: it
// adds copy buttons, shows scopes as they arise, and signs with a key that stays. They show what
// strangers sent, so every value is escaped by html/template and nothing that
// a stranger sent becomes a link.
package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"net/http"
	"sync"
	"time"
)

//go:embed templates/*.html
var templates embed.FS

//go:embed static/style.css
var style []byte

//go:embed static/script.js
var script []byte

//go:embed static/keys.js
var keys []byte

//go:embed static/icon.svg
var icon []byte

// Style returns the style sheet, text/css.
func Style() []byte { return style }

// Script returns the script, text/javascript.
func Script() []byte { return script }

// Keys returns the script of the pages that make keys or sign, text/javascript.
func Keys() []byte { return keys }

// Icon returns the icon, image/svg+xml.
func Icon() []byte { return icon }

// Version returns a short text that is another one whenever style sheet,
// script or icon are others: with it in their URLs they can be cached for as
// long as a browser likes.
func Version() string { return version() }

var version = sync.OnceValue(func() string {
	h := sha256.New()
	for _, file := range [][]byte{style, script, keys, icon} {
		h.Write(file) // never fails
	}
	return hex.EncodeToString(h.Sum(nil)[:6])
})

// Site says where the files lie that every page refers to: URLs, absolute or
// relative to the page.
type Site struct {
	Home      string // the start page
	AdminHome string // the page of those who review services
	Style     string
	Script    string
	Keys      string // the script for keys
	Icon      string
}

// pages are the parsed templates, parsed when the first page is asked for.
var pages = sync.OnceValues(func() (*template.Template, error) {
	return template.New("").Funcs(template.FuncMap{
		"instant":    instant,
		"line":       line,
		"lines":      lines,
		"reasonFor":  reasonFor,
		"servicesOf": servicesOf,
		"statusText": http.StatusText,
		"troubleOf":  troubleOf,
	}).ParseFS(templates, "templates/*.html")
})

// render returns the page with this name, filled with data.
func render(name string, data any) ([]byte, error) {
	t, err := pages()
	if err != nil {
		return nil, fmt.Errorf("parse pages: %w", err)
	}
	var buf bytes.Buffer
	if err := t.ExecuteTemplate(&buf, name, data); err != nil {
		return nil, fmt.Errorf("render %s: %w", name, err)
	}
	return bytes.ToValidUTF8(buf.Bytes(), []byte("\ufffd")), nil // what clients sent need not be text
}

// instant writes a time as pages show it.
func instant(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }
