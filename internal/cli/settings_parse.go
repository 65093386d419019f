package cli

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/sandfhir/sandfhir/internal/behaviour"
	"github.com/sandfhir/sandfhir/seed"
)

// The functions below turn the text of a value into a setting. Their errors quote the text and
// say what it should have been; where it came from is for the caller to add.

func parseText(to *string, v string) error {
	if v == "" {
		return errors.New("the value is empty")
	}
	*to = v
	return nil
}

func parseItem(to *[]string, v string) error {
	var item string
	if err := parseText(&item, v); err != nil {
		return err
	}
	*to = append(*to, item)
	return nil
}

func parseAddr(to *string, v string) error {
	host, port, err := net.SplitHostPort(v)
	if err != nil {
		return fmt.Errorf("%q is not an address such as 127.0.0.1:8080", v)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || port != strconv.FormatUint(n, 10) {
		return fmt.Errorf("%q does not end in a port from 0 to 65535", v)
	}
	if strings.ContainsAny(host, "/ ") {
		return fmt.Errorf("%q is not an address such as 127.0.0.1:8080", v)
	}
	*to = v
	return nil
}

func parseCount(to *int, v string) error {
	n, err := strconv.Atoi(v)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return fmt.Errorf("%q is not a whole number", v)
	}
	if err != nil || n < 0 || n > seed.MaxPatients {
		return fmt.Errorf("%s is not from 0 to %d", v, seed.MaxPatients)
	}
	*to = n
	return nil
}

func parseSeed(to *uint64, v string) error {
	n, err := strconv.ParseUint(v, 10, 64)
	if err != nil {
		return fmt.Errorf("%q is not a whole number from 0 to 18446744073709551615", v)
	}
	*to = n
	return nil
}

func parseBool(to *bool, v string) error {
	b, err := strconv.ParseBool(v)
	if err != nil {
		return fmt.Errorf("%q is neither true nor false", v)
	}
	*to = b
	return nil
}

// parseBehaviour reads the file too, so that a mistake in it shows where it is named.
func parseBehaviour(to *string, v string) error {
	if _, err := behaviour.Load(v); err != nil {
		return err
	}
	*to = v
	return nil
}

func parseBaseURL(to *string, v string) error {
	u, err := url.Parse(v)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return fmt.Errorf("%q is not a URL such as https://sandbox.example.org", v)
	}
	if u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(v, "#") {
		return fmt.Errorf("%q has a user, a query or a fragment, which a base URL cannot have", v)
	}
	*to = strings.TrimRight(v, "/")
	return nil
}

func parseNetwork(to *[]string, v string) error {
	_, notAddress := netip.ParseAddr(v)
	_, notNetwork := netip.ParsePrefix(v)
	if notAddress != nil && notNetwork != nil {
		return fmt.Errorf("%q is neither an IP address nor a network such as 10.0.0.0/8", v)
	}
	*to = append(*to, v)
	return nil
}

func parseLevel(to *slog.Level, v string) error {
	switch strings.ToLower(v) {
	case "debug":
		*to = slog.LevelDebug
	case "info":
		*to = slog.LevelInfo
	case "warn":
		*to = slog.LevelWarn
	case "error":
		*to = slog.LevelError
	default:
		return fmt.Errorf("%q is not debug, info, warn or error", v)
	}
	return nil
}

func parseDuration(to **time.Duration, v string) error {
	d, err := time.ParseDuration(v)
	if err != nil {
		return fmt.Errorf("%q is not a duration such as 0s, 30s or 2m", v)
	}
	if d < 0 {
		return fmt.Errorf("%s is less than nothing", v)
	}
	*to = &d
	return nil
}

// parseToken does not quote the value: it is a secret.
func parseToken(to *string, v string) error {
	for _, c := range []byte(v) {
		if c <= ' ' || c > '~' {
			return errors.New("the token has characters that cannot stand in a header; use printable ASCII without spaces")
		}
	}
	if len(v) < 16 {
		return errors.New("the token is shorter than 16 characters")
	}
	*to = v
	return nil
}
