// Package web is what people see: server-rendered pages, their style sheet and
// icons, embedded in the binary. It imports nothing of ours: a page gets all
// that it shows from whoever renders it.
package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"sync"
)

//go:embed templates/*.html
var templates embed.FS

//go:embed static/style.css
var style []byte

// pages are the parsed templates, parsed when the first page is asked for.
var pages = sync.OnceValues(func() (*template.Template, error) {
	return template.ParseFS(templates, "templates/*.html")
})

// Render returns the page with this name, "home" or "exchange", filled with
// data.
func Render(name string, data any) ([]byte, error) {
	t, err := pages()
	if err != nil {
		return nil, fmt.Errorf("parse pages: %w", err)
	}
	var buf bytes.Buffer
	if err := t.ExecuteTemplate(&buf, name+".html", data); err != nil {
		return nil, fmt.Errorf("render %s: %w", name, err)
	}
	return buf.Bytes(), nil
}

// Style returns the style sheet.
func Style() []byte { return style }
