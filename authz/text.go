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

func quoted(words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = quote(w)
	}
	if len(out) > 12 {
		out = append(out[:12], "and "+itoa(len(words)-12)+" more")
	}
	return out
}

// differ says in a few words how two strings differ that should be equal.
func differ(got, want string) string {
	switch {
	case got == want:
		return "no difference"
	case got == "":
		return "it is empty"
	case strings.TrimSpace(got) == want:
		return "white space around it"
	case strings.EqualFold(got, want):
		return "only in upper and lower case"
	case strings.TrimRight(got, "/") == strings.TrimRight(want, "/"):
		if len(got) > len(want) {
			return "a slash too many at its end"
		}
		return "a slash is missing at its end"
	case strings.HasPrefix(want, got):
		return quote(want[len(got):]) + " is missing at its end"
	case strings.HasPrefix(got, want):
		return quote(got[len(want):]) + " is too much at its end"
	}
	i := 0
	for i < len(got) && i < len(want) && got[i] == want[i] {
		i++
	}
	return "they differ from character " + itoa(i+1) + " on: " + quote(got[i:]) + " instead of " + quote(want[i:])
}
