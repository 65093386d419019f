package authz

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxQuoted is the longest value that a diagnosis repeats, in bytes.
const maxQuoted = 160

// clip shortens a value of the caller's to what a diagnosis can repeat.
func clip(text string) string {
	if len(text) <= maxQuoted {
		return text
	}
	end := maxQuoted
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}

// quote returns a clipped value in quotation marks, control characters made
// visible.
func quote(text string) string {
	text = clip(text)
	plain := true
	for _, r := range text {
		if r < 0x20 || r == 0x7f || r == utf8.RuneError {
			plain = false
		}
	}
	if plain {
		return `"` + text + `"`
	}
	return strconv.Quote(text)
}

func itoa(n int) string { return strconv.Itoa(n) }

// list joins words as prose does: "a, b and c".
func list(words []string) string {
	switch len(words) {
	case 0:
		return "none"
	case 1:
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// either joins words as a choice: "a, b or c".
func either(words []string) string {
	if len(words) < 2 {
		return list(words)
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// plural returns "1 key" or "3 keys".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return itoa(n) + " " + noun + "s"
}

// seconds writes a duration as people say it: "300 s", "12 min", "3 h 20 min".
func seconds(d time.Duration) string {
	if d < 0 {
		d = -d
	}
	switch {
	case d < time.Second && d > 0:
		return itoa(int(d.Milliseconds())) + " ms"
	case d < 10*time.Minute:
		return itoa(int(d.Round(time.Second)/time.Second)) + " s"
	case d < time.Hour-30*time.Second:
		return itoa(int(d.Round(time.Minute)/time.Minute)) + " min"
	case d < 48*time.Hour:
		d = d.Round(time.Minute)
		text := itoa(int(d/time.Hour)) + " h"
		if m := d % time.Hour / time.Minute; m > 0 {
			text += " " + itoa(int(m)) + " min"
		}
		return text
	}
	return itoa(int(d/(24*time.Hour))) + " days"
}

// stamp writes an instant as diagnoses show it.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }
