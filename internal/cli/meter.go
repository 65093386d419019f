package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

const (
	barInterval   = 100 * time.Millisecond // between two drawings of a bar
	longestDetail = 16                     // characters, so that a bar fits into 80 columns: one that does not cannot be drawn over
	firstDoubling = 1 << 20                // bytes, at which the first line of an unknown total is printed
)

// A meter shows how far something long is: as a bar on a terminal, elsewhere as a line at every
// tenth of the way.
type meter struct {
	w      io.Writer
	label  string
	total  int64 // -1 when unknown
	bar    *progressbar.ProgressBar
	detail string // that the bar shows
	shown  int64  // tenths, or where the total is unknown doublings, that a line was printed for
}

// newMeter returns a meter for total bytes, -1 when unknown.
func newMeter(w io.Writer, label string, total int64) *meter {
	m := &meter{w: w, label: label, total: total}
	if onTerminal(w) {
		m.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(w),
			progressbar.OptionSetDescription(label),
			progressbar.OptionShowBytes(true),
			progressbar.OptionUseIECUnits(true),
			progressbar.OptionSetWidth(16),
			progressbar.OptionThrottle(barInterval),
			progressbar.OptionSetSpinnerChangeInterval(0), // no goroutine of its own
			progressbar.OptionClearOnFinish(),
		)
	}
	return m
}

// newCountMeter returns a meter for total things that are counted and not measured in bytes, with
// their rate and the time that is left.
func newCountMeter(w io.Writer, label string, total int64) *meter {
	m := &meter{w: w, label: label, total: total}
	if onTerminal(w) {
		m.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(w),
			progressbar.OptionSetDescription(label),
			progressbar.OptionShowCount(),
			progressbar.OptionShowIts(),
			progressbar.OptionSetItsString("patients"),
			progressbar.OptionSetWidth(16),
			progressbar.OptionThrottle(barInterval),
			progressbar.OptionSetSpinnerChangeInterval(0),
			progressbar.OptionClearOnFinish(),
		)
	}
	return m
}

// onTerminal tells whether a person watches w.
func onTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// set says that done bytes of the total are done; detail is what goes on now.
func (m *meter) set(done int64, detail string) {
	if m.bar != nil {
		if detail != m.detail {
			m.detail = detail
			m.bar.Describe(m.label + " " + shorten(detail, longestDetail))
		}
		_ = m.bar.Set64(done) // a bar that cannot be drawn is no reason to stop
		return
	}
	if m.total > 0 {
		if tenth := done * 10 / m.total; tenth > m.shown {
			m.shown = tenth
			fmt.Fprintf(m.w, "%s: %d %%\n", strings.TrimSpace(m.label+" "+detail), tenth*10)
		}
		return
	}
	if done >= firstDoubling<<m.shown {
		for done >= firstDoubling<<m.shown {
			m.shown++
		}
		fmt.Fprintf(m.w, "%s %s: %s\n", m.label, detail, byteCount(done))
	}
}

// finish removes the bar.
func (m *meter) finish() {
	if m.bar != nil {
		_ = m.bar.Finish()
	}
}

// A statusLine is a line on a terminal that is written over.
type statusLine struct {
	w     io.Writer
	width int // of what stands there
}

// set writes text, without what could not be written over, in the place of what stood there.
func (l *statusLine) set(text string) {
	text = shorten(text, usualWidth-1)
	width := utf8.RuneCountInString(text)
	fmt.Fprintf(l.w, "\r%s%s", text, strings.Repeat(" ", max(0, l.width-width)))
	l.width = width
}

// clear leaves an empty line.
func (l *statusLine) clear() {
	if l.width > 0 {
		l.set("")
		fmt.Fprint(l.w, "\r")
	}
}

// shorten takes the middle out of a text that is longer than limit characters: names of files
// differ at both ends.
func shorten(text string, limit int) string {
	runes := []rune(text)
	if len(runes) <= limit {
		return text
	}
	end := limit / 2
	return string(runes[:limit-1-end]) + "…" + string(runes[len(runes)-end:])
}

// byteCount writes n for people: 999 B, 1.5 MiB.
func byteCount(n int64) string {
	if n < 1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	value, unit := float64(n), -1
	for value >= 1024 && unit < 4 {
		value /= 1024
		unit++
	}
	return fmt.Sprintf("%.1f %ciB", value, "KMGTP"[unit])
}
