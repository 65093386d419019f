package exchange

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/sandfhir/sandfhir/authz"
)

// A Filter keeps some exchanges. The zero Filter keeps all.
type Filter struct {
	Client      string // client_id
	Environment string
	Method      string
	Check       string // id of a check that failed or warned: C08, SB-KEY-01
	Kind        Kind
	Refused     bool // refused ones only

	path               *regexp.Regexp // nil: any
	statusLo, statusHi int            // 0: any
}

// FilterNames returns the names of a filter's parameters in a query.
func FilterNames() []string {
	return []string{"client", "environment", "path", "method", "status", "check", "kind", "refused"}
}

// ParseFilter reads the parameters of a filter; others are passed over. path is
// a pattern in which * is any text; status is one, such as 404, or a class of
// them, such as 4xx. Its errors say what is wrong, beginning with the parameter.
func ParseFilter(query url.Values) (Filter, error) {
	f := Filter{
		Client: query.Get("client"), Environment: query.Get("environment"), Method: strings.ToUpper(query.Get("method")),
		Check: query.Get("check"), Kind: Kind(query.Get("kind")),
	}
	if f.Environment != "" && f.Environment != "sandbox" && f.Environment != "production" {
		return f, fmt.Errorf("environment is %q; it has to be sandbox or production", f.Environment)
	}
	if kinds := []Kind{"", Request, Entry, Fetch}; !slices.Contains(kinds, f.Kind) {
		return f, fmt.Errorf("kind is %q; it has to be request, entry or fetch", f.Kind)
	}
	if text := query.Get("refused"); text != "" {
		var err error
		if f.Refused, err = strconv.ParseBool(text); err != nil {
			return f, errors.New("refused has to be true or false")
		}
	}
	if text := query.Get("path"); text != "" {
		f.path = regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(text), `\*`, ".*") + "$")
	}
	return f, f.readStatus(query.Get("status"))
}

func (f *Filter) readStatus(text string) error {
	if text == "" {
		return nil
	}
	const wrong = "status has to be one such as 404, or a class such as 4xx"
	class, isClass := strings.CutSuffix(text, "xx")
	n, err := strconv.Atoi(class)
	switch {
	case err != nil:
		return errors.New(wrong)
	case isClass && n >= 1 && n <= 5:
		f.statusLo, f.statusHi = 100*n, 100*n+99
	case !isClass && n >= 100 && n <= 599:
		f.statusLo, f.statusHi = n, n
	default:
		return errors.New(wrong)
	}
	return nil
}

// Keeps reports whether the filter keeps an exchange.
func (f Filter) Keeps(e *Exchange) bool {
	path, _, _ := strings.Cut(e.Path(), "?")
	return (f.Client == "" || f.Client == e.Client) &&
		(f.Environment == "" || f.Environment == e.Environment) &&
		(f.Method == "" || f.Method == e.Method) &&
		(f.Kind == "" || f.Kind == e.Kind) &&
		(!f.Refused || e.Refused()) &&
		(f.statusHi == 0 || f.statusLo <= e.Status && e.Status <= f.statusHi) &&
		(f.path == nil || f.path.MatchString(path)) &&
		(f.Check == "" || e.found(f.Check))
}

// found reports whether a check with an id failed or warned.
func (e *Exchange) found(id string) bool {
	for _, c := range e.Checks {
		if c.ID() == id && (c.Result == authz.Fail || c.Result == authz.Warn) {
			return true
		}
	}
	return false
}
