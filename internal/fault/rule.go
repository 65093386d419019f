package fault

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sandfhir/sandfhir/internal/behaviour"
	"github.com/sandfhir/sandfhir/internal/nearest"
	"github.com/sandfhir/sandfhir/internal/r4"
)

// A Rule is a fault with whom it meets and how often.
type Rule struct {
	Text  string // as it was written
	Fault Fault

	values map[string]string

	client, typ string         // "": any
	path        *regexp.Regexp // nil: any

	nth, times int     // 0: any
	rate       float64 // 0: always
	seed       uint64
}

// Parse reads a rule. Its errors are sentences that say what is wrong and what
// there is.
func Parse(text string) (*Rule, error) {
	r := &Rule{Text: strings.TrimSpace(text), values: map[string]string{}}
	rest, counts, counted := strings.Cut(r.Text, "#")
	parts := strings.Split(rest, "@")
	id, params := idOf(parts[0])
	other, isOther := otherNames[id]
	if isOther {
		id = other.id
	}
	known, ok := lookUp(id)
	if !ok {
		return nil, unknown(id)
	}
	r.Fault = known
	if strings.HasPrefix(params, "=") {
		if len(known.Params) == 0 {
			return nil, fmt.Errorf("the fault %s takes no value; %q is one", id, params[1:])
		}
		params = known.Params[0].Name + params
	}
	if isOther && params == "" && other.value != "" {
		params = known.Params[0].Name + "=" + other.value
	}
	if err := r.readParams(params); err != nil {
		return nil, err
	}
	if known.Plain && (counted || len(parts) > 1) {
		return nil, fmt.Errorf("the fault %s is there for everybody or not at all: @ and # mean nothing for it", id)
	}
	if err := once("@", parts[1:]); err != nil {
		return nil, err
	}
	for _, selector := range parts[1:] {
		if err := r.readSelector(selector); err != nil {
			return nil, err
		}
	}
	if counted {
		if err := r.readCounts(counts); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// idOf splits what stands before the first @ or # into the fault's id and its
// parameters. The first one may stand without its name, and begins with = then.
func idOf(text string) (id, params string) {
	i := strings.IndexAny(text, ":=")
	switch {
	case i < 0:
		return text, ""
	case text[i] == ':':
		return text[:i], text[i+1:]
	}
	return text[:i], text[i:]
}

func unknown(id string) error {
	var ids []string
	for _, f := range Table() {
		ids = append(ids, f.ID)
	}
	if near := nearest.Name(id, ids); near != "" {
		return fmt.Errorf("there is no fault %q; did you mean %s?", id, near)
	}
	family, _, _ := strings.Cut(id, ".")
	ids = slices.DeleteFunc(ids, func(other string) bool { return !strings.HasPrefix(other, family+".") })
	if len(ids) > 0 {
		return fmt.Errorf("there is no fault %q; beginning with %s. there are %s", id, family, strings.Join(ids, ", "))
	}
	return fmt.Errorf("there is no fault %q; the page /_sandbox/faults has all that there are, and docs/faults.md", id)
}

func (r *Rule) readParams(text string) error {
	for _, p := range r.Fault.Params {
		r.values[p.Name] = p.Default
	}
	if text == "" {
		return nil
	}
	pairs := splitPairs(text)
	if err := once("", pairs); err != nil {
		return err
	}
	for _, pair := range pairs {
		name, value, ok := strings.Cut(pair, "=")
		p, known := r.Fault.param(name)
		switch {
		case !known && len(r.Fault.Params) == 0:
			return fmt.Errorf("the fault %s takes no parameters; %q is one", r.Fault.ID, pair)
		case !known:
			return fmt.Errorf("the fault %s has no parameter %q; it has %s", r.Fault.ID, name, r.Fault.paramNames())
		case !ok:
			return fmt.Errorf("%s of the fault %s needs a value: %s=%s", name, r.Fault.ID, name, p.Default)
		}
		value = unescape(value)
		if other, ok := otherValues[r.Fault.ID][value]; ok {
			value = other
		}
		if err := p.check(value); err != nil {
			return fmt.Errorf("%s of the fault %s: %w", name, r.Fault.ID, err)
		}
		r.values[name] = value
	}
	return nil
}

// unescape turns %40, %23 and %2C, which stand for @, # and the comma, into these.
func unescape(value string) string {
	return strings.NewReplacer("%40", "@", "%23", "#", "%2C", ",", "%2c", ",").Replace(value)
}

// Split returns the faults of a text in which semicolons separate them. A semicolon
// that no fault follows is part of a value.
func Split(text string) (list []string) {
	for _, part := range strings.Split(text, ";") {
		id, _, _ := strings.Cut(strings.TrimSpace(part), "@")
		id, _, _ = strings.Cut(id, "#")
		id, _ = idOf(id)
		_, known := lookUp(id)
		_, isOther := otherNames[id]
		if !known && !isOther && len(list) > 0 && strings.Contains(part, "=") {
			list[len(list)-1] += ";" + part
			continue
		}
		list = append(list, strings.TrimSpace(part))
	}
	return list
}

// splitPairs splits at commas that a name and = follow: a value may hold commas.
func splitPairs(text string) []string {
	var pairs []string
	for _, part := range strings.Split(text, ",") {
		name, _, ok := strings.Cut(part, "=")
		if len(pairs) > 0 && (!ok || strings.ContainsAny(name, " /.")) {
			pairs[len(pairs)-1] += "," + part
			continue
		}
		pairs = append(pairs, part)
	}
	return pairs
}

// once refuses a name that is there twice.
func once(sign string, pairs []string) error {
	seen := map[string]bool{}
	for _, pair := range pairs {
		name, _, _ := strings.Cut(pair, "=")
		if seen[name] {
			return fmt.Errorf("%s%s= is there twice", sign, name)
		}
		seen[name] = true
	}
	return nil
}

func (r *Rule) readSelector(text string) error {
	name, value, ok := strings.Cut(text, "=")
	value = unescape(value)
	if !ok || value == "" {
		return fmt.Errorf("@%s says not whom it means; there are @client=, @path= and @type=", text)
	}
	switch name {
	case "client":
		r.client = value
	case "path":
		switch {
		case !strings.HasPrefix(value, "/") && !strings.HasPrefix(value, "*"):
			return fmt.Errorf("@path=%s is no path: it begins with /, or with *", value)
		case strings.HasPrefix(value, "/w/"), strings.HasPrefix(value, "/production/"):
			return fmt.Errorf("@path=%s: a path is counted from the environment's root on, such as /fhir/Patient", value)
		case strings.Contains(value, "?"):
			return fmt.Errorf("@path=%s: a path has no query", value)
		}
		r.path = regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(value), `\*`, ".*") + "$")
	case "type":
		if !r4.Definitions().IsType(value) {
			if near := nearest.Name(value, r4.Definitions().Types()); near != "" {
				return fmt.Errorf("@type=%s: FHIR R4 has no such resource type; did you mean %s?", value, near)
			}
			return fmt.Errorf("@type=%s: FHIR R4 has no such resource type", value)
		}
		if !slices.ContainsFunc(r.Fault.On, Kind.hasType) {
			return fmt.Errorf("the fault %s is about no resource type: @type= would never be met", r.Fault.ID)
		}
		r.typ = value
	default:
		return fmt.Errorf("there is no @%s; there are @client=, @path= and @type=", name)
	}
	return nil
}

func (r *Rule) readCounts(text string) error {
	pairs := strings.Split(text, ",")
	if err := once("#", pairs); err != nil {
		return err
	}
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		n, err := strconv.Atoi(value)
		switch name {
		case "nth":
			r.nth = n
		case "times":
			r.times = n
		case "seed":
			if r.seed, err = strconv.ParseUint(value, 10, 64); err == nil {
				n = 1
			}
		case "rate":
			if r.rate, err = strconv.ParseFloat(value, 64); err == nil && !(r.rate > 0 && r.rate <= 1) { // not a number, too
				return fmt.Errorf("#rate=%s has to lie above 0 and be at most 1", value)
			}
			n = 1
		default:
			return fmt.Errorf("there is no #%s; there are #nth=, #times= and #rate= with seed=", name)
		}
		if err != nil || n < 1 {
			return fmt.Errorf("#%s=%s has to be a number from 1", name, value)
		}
	}
	if strings.Contains(text, "seed=") && r.rate == 0 {
		return fmt.Errorf("#%s: a seed is for a rate", text)
	}
	if r.nth > 0 && r.times > 0 || r.rate > 0 && r.nth > 0 {
		return fmt.Errorf("#%s: nth, times and rate exclude each other, but for times with rate", text)
	}
	return nil
}

// Counted reports whether the rule is for some of its requests only.
func (r *Rule) Counted() bool { return r.nth > 0 || r.times > 0 || r.rate > 0 }

// Value is a parameter's value.
func (r *Rule) Value(name string) string { return r.values[name] }

// Number is a parameter's value as a number.
func (r *Rule) Number(name string) int64 {
	n, _ := strconv.ParseInt(r.values[name], 10, 64) // Parse looked at it
	return n
}

// Duration is a parameter's value as a duration.
func (r *Rule) Duration(name string) time.Duration {
	d, _ := time.ParseDuration(r.values[name]) // Parse looked at it
	return d
}

// Change returns a behaviour as those are under who meet the rule of a fault of
// the behaviour.
func (r *Rule) Change(b behaviour.Behaviour) (behaviour.Behaviour, error) {
	for _, s := range r.Fault.set(r.Value(r.Fault.Params[0].Name)) {
		var err error
		if b, err = b.With(s.name, s.value, "the fault "+r.Text); err != nil {
			return b, err
		}
	}
	return b, nil
}

// A Request is what rules see of a request.
type Request struct {
	Kinds  []Kind
	Path   string // below workspace and environment
	Client string // that it claims to come from
	Type   string // of FHIR, that the path is about, or ""
	Token  string // the id of the access token, where that is a good one
	At     time.Time
	From   netip.Addr // whose request it is
	// Repeats reports whether an export of the client that is running was asked for
	// in the same way; nil of what is no kick-off.
	Repeats func() bool
}

// Matches reports whether a rule is for a request at a stage.
func (r *Rule) Matches(at Stage, q Request) bool {
	if r.Fault.At != at || r.client != "" && r.client != q.Client || r.typ != "" && r.typ != q.Type {
		return false
	}
	if r.path != nil && !r.path.MatchString(q.Path) {
		return false
	}
	isOf := func(k Kind) bool {
		return slices.Contains(r.Fault.On, k) || !r.Counted() && slices.Contains(r.Fault.Also, k)
	}
	return slices.ContainsFunc(q.Kinds, isOf)
}
