package authz

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// keepFor returns how long an answer may be kept (RFC 9111 sections 4.2 and
// 5.2.2, for a private cache), 0 if not at all, and the header that says so.
// Without any word from the server it is byDefault.
func keepFor(header http.Header, byDefault time.Duration) (kept time.Duration, by string) {
	directives := strings.Join(header.Values("Cache-Control"), ",")
	maxAge, found := time.Duration(0), false
	for _, directive := range strings.Split(directives, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		switch strings.ToLower(name) {
		case "no-store", "no-cache":
			return 0, "Cache-Control: " + strings.ToLower(name)
		case "max-age":
			maxAge, found = freshSeconds(value), true
			by = "Cache-Control: max-age=" + clip(value)
		}
	}
	if !found && header.Get("Expires") != "" {
		maxAge, found = untilExpires(header), true
		by = "Expires: " + clip(header.Get("Expires"))
	}
	switch {
	case found:
		if age := header.Get("Age"); age != "" {
			by += ", less Age: " + clip(age)
		}
		return max(0, maxAge-freshSeconds(header.Get("Age"))), by
	case directives == "" && strings.Contains(strings.ToLower(header.Get("Pragma")), "no-cache"):
		return 0, "Pragma: no-cache"
	}
	return max(0, byDefault), "no header: " + seconds(max(0, byDefault)) + " by this server's default"
}

// freshSeconds reads delta-seconds. Malformed ones are stale; more than ten
// years are cut, so that nothing overflows.
func freshSeconds(text string) time.Duration {
	n, err := strconv.ParseInt(strings.Trim(text, `" `), 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return time.Duration(min(n, 315360000)) * time.Second
}

// untilExpires is Expires less Date; an Expires that is no date counts as
// past.
func untilExpires(header http.Header) time.Duration {
	expires, err := http.ParseTime(header.Get("Expires"))
	if err != nil {
		return 0
	}
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return 0
	}
	return expires.Sub(date)
}
