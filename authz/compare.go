package authz

import (
	"errors"
	"slices"
	"sort"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Difference is what a comparison of two assertions says about one thing.
type Difference struct {
	Part DifferencePart `json:"part"`
	Name string         `json:"name"` // the member; of the encoding, what is encoded
	Kind DifferenceKind `json:"kind"`
	// Got and Want are the values as JSON, times with what they mean; "" where
	// there is none. They hold no part of a signature.
	Got  string `json:"got,omitempty"`
	Want string `json:"want,omitempty"`
	// How says in a few words how they differ: "a slash too many at its end".
	How string `json:"how,omitempty"`
	// Matters is false for what has to differ, such as jti, and for what no
	// server looks at.
	Matters bool `json:"matters"`
}

// DifferencePart is where in an assertion something differs.
type DifferencePart string

// The parts.
const (
	InHeader   DifferencePart = "header"
	InClaims   DifferencePart = "claims"
	InEncoding DifferencePart = "encoding" // of the same values, or of the signature
)

// DifferenceKind says what a difference consists in.
type DifferenceKind string

// The kinds.
const (
	Same    DifferenceKind = "same"
	Changed DifferenceKind = "changed"
	Missing DifferenceKind = "missing" // of what was got
	Extra   DifferenceKind = "extra"   // in what was got
)

// CompareAssertions tells member by member how an assertion differs from the
// one it should be like: first the header, then the claims, then differences
// of encoding alone. It lists equal members too. It reads some things that a
// server refuses, such as padded base64, as long as they can mean only one
// thing; its error says why an assertion cannot be read even so.
func CompareAssertions(got, want string) ([]Difference, error) {
	g, err := readLoosely(got)
	if err != nil {
		return nil, errors.New("the first assertion: " + err.Error())
	}
	w, err := readLoosely(want)
	if err != nil {
		return nil, errors.New("the second assertion: " + err.Error())
	}
	if strings.TrimSpace(got) == strings.TrimSpace(want) {
		g.identical = true
	}
	differences := append(compareHeaders(g, w), compareClaims(g, w)...)
	return append(differences, compareEncodings(g, w)...), nil
}

// looseJWS is an assertion read leniently.
type looseJWS struct {
	header, claims members
	signature      []byte
	identical      bool     // to the one it is compared with
	oddities       []oddity // of its encoding
}

// oddity is how an encoding differs from the usual one.
type oddity struct {
	name, how string
	matters   bool
}

func (j *looseJWS) odd(name, how string, matters bool) {
	j.oddities = append(j.oddities, oddity{name, how, matters})
}

// readLoosely reads an assertion and notes what a server would refuse.
func readLoosely(text string) (*looseJWS, error) {
	j := &looseJWS{}
	text = strings.TrimSpace(text)
	if rest, found := strings.CutPrefix(text, "Bearer "); found {
		j.odd("whole", `"Bearer " before it`, true)
		text = strings.TrimSpace(rest)
	}
	parts := strings.Split(text, ".")
	if len(parts) == 2 {
		parts = append(parts, "")
	}
	if len(parts) != 3 {
		return nil, errors.New(wrongParts(text, len(parts)).whole())
	}
	raw := make([][]byte, 3)
	for i, name := range []string{"header", "claims", "signature"} {
		if i == 2 && parts[i] == "" {
			j.odd(name, "it is missing", true)
			continue
		}
		decoded, why := decodeBase64URL(parts[i])
		if why == "" {
			raw[i] = decoded
			continue
		}
		decoded, again := decodeBase64URL(strings.NewReplacer("+", "-", "/", "_", "=", "", " ", "", "\n", "",
			"\r", "", "\t", "").Replace(parts[i]))
		if again != "" {
			return nil, errors.New("part " + itoa(i+1) + " (the " + name + ") is not base64url: " + why)
		}
		j.odd(name, why, true)
		raw[i] = decoded
	}
	j.signature = raw[2]
	var err error
	if j.header, err = j.readMembers("header", raw[0]); err != nil {
		return nil, err
	}
	j.claims, err = j.readMembers("claims", raw[1])
	return j, err
}

// readMembers reads a part; if a member is there twice the last one counts.
func (j *looseJWS) readMembers(part string, data []byte) (members, error) {
	m, broken := parseMembers(part, data)
	if broken != nil {
		if err := json.Unmarshal(data, &m, jsontext.AllowDuplicateNames(true)); err != nil || m == nil {
			return nil, errors.New(broken.whole())
		}
		j.odd(part, strings.TrimPrefix(broken.got, part+": "), true)
	}
	if strings.ContainsAny(string(data), "\n\t") || strings.Contains(string(data), `": `) {
		j.odd(part, "JSON with white space", false)
	}
	if strings.Contains(string(data), `\/`) {
		j.odd(part, `slashes written as \/`, false)
	}
	return m, nil
}

// names returns the members of both: the known ones in their usual order, then
// the others by name.
func names(g, w members, usual ...string) []string {
	var known, others []string
	for _, name := range usual {
		if g.kind(name) != 0 || w.kind(name) != 0 {
			known = append(known, name)
		}
	}
	for _, m := range []members{g, w} {
		for name := range m {
			if !slices.Contains(usual, name) && !slices.Contains(others, name) {
				others = append(others, name)
			}
		}
	}
	sort.Strings(others)
	return append(known, others...)
}

// compareMember finds the kind of a difference and its values.
func compareMember(part DifferencePart, g, w members, name string) Difference {
	d := Difference{Part: part, Name: name, Kind: Changed, Matters: true}
	if g.kind(name) != 0 {
		d.Got = g.show(name)
	}
	if w.kind(name) != 0 {
		d.Want = w.show(name)
	}
	switch {
	case d.Got == "":
		d.Kind, d.How = Missing, "it is missing"
	case d.Want == "":
		d.Kind, d.How = Extra, "it is too much"
	case equalMembers(g, w, name):
		d.Kind, d.Matters = Same, false
	case g.kind(name) != w.kind(name):
		d.How = kindWord(g.kind(name)) + " instead of " + kindWord(w.kind(name))
	default:
		got, _ := g.text(name)
		want, isText := w.text(name)
		if d.How = "another value"; isText {
			d.How, _, _ = strings.Cut(differ(got, want), ": ") // the values are shown anyway
		}
		if d.How == "they differ from character 1 on" {
			d.How = "another value"
		}
	}
	return d
}

// equalMembers compares values, not how they are written: white space, the
// order of members and escapes do not count.
func equalMembers(g, w members, name string) bool {
	a, b := g[name].Clone(), w[name].Clone()
	if a.Canonicalize() != nil || b.Canonicalize() != nil {
		return string(g[name]) == string(w[name])
	}
	return string(a) == string(b)
}

func kindWord(k jsontext.Kind) string {
	switch k {
	case 'n':
		return "null"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case '[':
		return "an array"
	case '{':
		return "an object"
	}
	return "a boolean"
}

func compareHeaders(g, w *looseJWS) []Difference {
	var differences []Difference
	for _, name := range names(g.header, w.header, usualHeader()...) {
		d := compareMember(InHeader, g.header, w.header, name)
		got, _ := g.header.text(name)
		want, _ := w.header.text(name)
		switch {
		case name == "typ" && d.Kind == Changed && strings.EqualFold(got, want):
			d.Matters = false
		case name == "alg" && d.Kind == Changed && got != "" && want != "":
			d.How = differentAlgorithms(got, want)
		case d.Kind == Extra && slices.Contains([]string{"jwk", "x5u", "x5c", "x5t", "x5t#S256"}, name):
			d.How, d.Matters = "keys are never taken from it", false
		case d.Kind == Extra && name == "jku":
			d.How = "it has to be the registered jwks_uri"
		case d.Kind == Extra && name == "crit":
			d.How = "servers refuse an extension that they do not know"
		case d.Kind == Extra && !slices.Contains([]string{"typ", "alg", "kid"}, name):
			d.How, d.Matters = "unknown to SMART; servers pass over it", false
		}
		differences = append(differences, d)
	}
	return differences
}

// differentAlgorithms says how one algorithm differs from another.
func differentAlgorithms(got, want string) string {
	gotType, gotCurve := keyType(got)
	wantType, wantCurve := keyType(want)
	switch {
	case isSymmetric(got):
		return "no signature by a private key"
	case gotType == "":
		return "unknown to SMART"
	case gotType != wantType:
		return "for a key of kty " + gotType + " instead of " + wantType
	case gotCurve != wantCurve:
		return "for a key on " + gotCurve + " instead of " + wantCurve
	case got[:2] != want[:2]:
		return "another padding of the signature"
	}
	return "another hash: SHA-" + got[2:] + " instead of SHA-" + want[2:]
}
