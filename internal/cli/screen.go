package cli

import (
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// A screen lays text out for people: in colour where they watch, in lines that fit, and without
// anything in them that a terminal obeys.
type screen struct {
	w      io.Writer
	width  int
	colour bool
	err    error
}

const (
	usualWidth = 80
	maxWidth   = 100 // lines that are longer are hard to read
)

// screen is standard output. NO_COLOR, and a terminal that says it is dumb, are respected.
func (p *program) screen() *screen {
	s := &screen{w: p.stdout, width: usualWidth}
	if f, ok := p.stdout.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 20 {
			s.width = min(width, maxWidth)
		}
		s.colour = p.getenv("NO_COLOR") == "" && p.getenv("TERM") != "dumb"
	}
	return s
}

// The styles of a word, as terminals have them.
const (
	bold   = "1"
	red    = "1;31"
	green  = "32"
	yellow = "33"
)

func (s *screen) style(style, text string) string {
	if !s.colour || text == "" {
		return text
	}
	return "\x1b[" + style + "m" + text + "\x1b[0m"
}

// line prints a line as it is; styled text in it is of the program's own making.
func (s *screen) line(text string) {
	if s.err == nil {
		_, s.err = io.WriteString(s.w, strings.TrimRight(text, " ")+"\n")
	}
}

// paragraph prints text in lines that fit, behind a lead on the first line and below it on the
// others. The lead, of this width when printed, may be styled; the text may not.
func (s *screen) paragraph(lead string, width int, text string) {
	for i, line := range strings.Split(wrap(oneLine(text), max(s.width-width, 20)), "\n") {
		if i > 0 {
			lead = strings.Repeat(" ", width)
		}
		s.line(lead + line)
	}
}
