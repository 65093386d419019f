// Package fault makes requests fail on purpose. It has the table of what can go
// wrong and decides which request meets it; what answers requests carries it out,
// in one place that every request passes.
//
// A fault is written as the catalogue of faults has it:
//
//	id[=value][:param=value,…][@client=…][@path=…][@type=…][#nth=…|#times=…|#rate=…,seed=…]
//
// such as status:code=503@path=/fhir/Patient*#times=1. It imports authz, for scopes,
// internal/behaviour, whose switches are faults too, internal/nearest and internal/r4,
// for types.
package fault

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/r4"
)

// A Fault is something that can go wrong.
type Fault struct {
	ID     string
	Does   string  // what the client meets, as a phrase
	Rows   string  // of the catalogue that it plays, separated by spaces; "" for none
	On     []Kind  // the requests that meet it
	Also   []Kind  // those that meet it too where it has no counts
	At     Stage   // where it acts
	Plain  bool    // it takes neither selectors nor counts
	Params []Param // what can be said about it; the first may stand behind the id: id=value

	// set are the switches of the behaviour that are another way for whoever meets it.
	set func(value string) []setting
	// when says of a request that fits whether it meets it; nil: always.
	when func(*counted, Request) bool
}

// OfBehaviour reports whether the fault is a switch of the behaviour, for some
// requests.
func (f Fault) OfBehaviour() bool { return f.set != nil }

// Kind is a kind of request.
type Kind string

// The kinds. A request can be of several: that of a file is one of FHIR too.
const (
	Any       Kind = "any"
	Token     Kind = "token"     // POST to the token endpoint
	Discovery Kind = "discovery" // of the SMART configuration
	FHIR      Kind = "fhir"      // everything below the FHIR base but discovery
	Bearer    Kind = "bearer"    // the same, with an access token that is good
	KickOff   Kind = "kick-off"  // of an export
	Group     Kind = "group"     // the same, of a Group
	Status    Kind = "status"    // of a job
	Manifest  Kind = "manifest"  // a status request whose answer is the manifest, or a page of it
	File      Kind = "file"      // of a job
	Signed    Kind = "signed"    // the same by a URL that needs no token, with a token
	Job       Kind = "job"       // status, deletion, manifest page or file
	Dump      Kind = "dump"      // of all resources of a type
	Keys      Kind = "keys"      // of a key set that the server hosts for a client
	Fetch     Kind = "fetch"     // by the server, of a client's key set, wherever that is
	Handshake Kind = "handshake" // of TLS

	ServerKeys   Kind = "server-keys"  // of the server's own key set
	Registration Kind = "registration" // of a client, or a change of one, dynamic or in the portal
)

// hasType reports whether requests of a kind can be about one resource type.
func (k Kind) hasType() bool {
	return slices.Contains([]Kind{Any, FHIR, Bearer, KickOff, Group, File, Signed, Job, Dump}, k)
}

// Stage is where a fault acts.
type Stage int

// The stages.
const (
	Before  Stage = iota // the answer takes the place of the real one, or comes late or never
	After                // the real answer is changed
	Body                 // a file is changed while it is sent
	Refusal              // a refusal is changed
	Rules                // the server goes by other switches of its behaviour
)

// A Param is a parameter of a fault.
type Param struct {
	Name, Default, Does string
	check               func(string) error
}

// Table returns all faults, by what they are about: those of the behaviour's
// switches last.
func Table() []Fault { return slices.Concat(table[:], rules()) }

func lookUp(id string) (Fault, bool) {
	all := Table()
	i := slices.IndexFunc(all, func(f Fault) bool { return f.ID == id })
	if i < 0 {
		return Fault{}, false
	}
	return all[i], true
}

func (f Fault) param(name string) (Param, bool) {
	i := slices.IndexFunc(f.Params, func(p Param) bool { return p.Name == name })
	if i < 0 {
		return Param{}, false
	}
	return f.Params[i], true
}

func (f Fault) paramNames() string {
	var names []string
	for _, p := range f.Params {
		names = append(names, p.Name)
	}
	return strings.Join(names, ", ")
}

func code(text string) error {
	var n int
	if _, err := fmt.Sscanf(text, "%d", &n); err != nil || len(text) != 3 || n < 200 || n > 599 {
		return fmt.Errorf("%q is no status of a final answer, 200 to 599", text)
	}
	return nil
}

func number(text string) error {
	for _, c := range text {
		if c < '0' || c > '9' {
			return fmt.Errorf("%q is no whole number", text)
		}
	}
	if text == "" || len(text) > 15 {
		return fmt.Errorf("%q is no whole number", text)
	}
	return nil
}

// size takes what is made in memory, in bytes.
func size(text string) error { return atMost(64_000_000, text) }

// seconds takes what a date can be ahead.
func seconds(text string) error { return atMost(1_000_000_000, text) }

func atMost(most int64, text string) error {
	if err := number(text); err != nil {
		return err
	}
	if n, err := strconv.ParseInt(text, 10, 64); err != nil || n > most {
		return fmt.Errorf("%s is more than %d, the most that there is here", text, most)
	}
	return nil
}

func duration(text string) error {
	const most = 10 * time.Minute // a client that is gone is waited for as well
	d, err := time.ParseDuration(text)
	switch {
	case err != nil || d < 0:
		return fmt.Errorf("%q is no duration such as 2s or 150ms", text)
	case d > most:
		return fmt.Errorf("%s is more than %d minutes, the most that there is here", text, int(most.Minutes()))
	}
	return nil
}

// retryAfter takes seconds, or date or epoch.
func retryAfter(text string) error {
	if text == "date" || text == "epoch" || text == "epoch_ms" || text == "" {
		return nil
	}
	return number(text)
}

// rate takes how many in how long, such as 10/1s.
func rate(text string) error {
	_, _, err := readRate(text)
	return err
}

func readRate(text string) (most int, per time.Duration, err error) {
	before, after, ok := strings.Cut(text, "/")
	most, notNumber := strconv.Atoi(before)
	per, notDuration := time.ParseDuration(after)
	if !ok || notNumber != nil || notDuration != nil || most < 1 || most > 100_000 || per <= 0 {
		return 0, 0, fmt.Errorf("%q is not how many in how long, such as 10/1s", text)
	}
	return most, per, nil
}

// networks takes addresses and networks, separated by spaces.
func networks(text string) error {
	_, err := readNetworks(text)
	return err
}

func readNetworks(text string) (list []netip.Prefix, err error) {
	for _, item := range strings.Fields(text) {
		network, err := netip.ParsePrefix(item)
		if err != nil {
			address, notAddress := netip.ParseAddr(item)
			if notAddress != nil {
				return nil, fmt.Errorf("%q is neither an address nor a network such as 10.0.0.0/8", item)
			}
			network = netip.PrefixFrom(address, address.BitLen())
		}
		list = append(list, network)
	}
	if len(list) == 0 {
		return nil, errors.New("it is empty")
	}
	return list, nil
}

// percent takes a whole number from 0 to 100.
func percent(text string) error { return atMost(100, text) }

// from1 takes a whole number from 1 to 1000.
func from1(text string) error {
	if n, err := strconv.Atoi(text); err != nil || n < 1 || n > 1000 {
		return fmt.Errorf("%q is no whole number from 1 to 1000", text)
	}
	return nil
}

// oneOf takes one of some words.
func oneOf(words ...string) func(string) error {
	return func(text string) error {
		if !slices.Contains(words, text) {
			return fmt.Errorf("%q is none of %s", text, strings.Join(words, ", "))
		}
		return nil
	}
}

func anyText(string) error { return nil }

func something(text string) error {
	if text == "" {
		return errors.New("it is empty")
	}
	return nil
}

// resourceTypes takes names of types, separated by commas or spaces.
func resourceTypes(text string) error {
	types := Words(text)
	if len(types) == 0 {
		return errors.New("it is empty")
	}
	for _, typ := range types {
		if !r4.Definitions().IsType(typ) {
			return fmt.Errorf("%q is no resource type of FHIR R4", typ)
		}
	}
	return nil
}

// Words splits a value that is a list, at commas and spaces.
func Words(value string) []string {
	return strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' })
}

// scopes takes a list of scopes.
func scopes(text string) error {
	_, err := authz.ParseScopes(text)
	return err
}
