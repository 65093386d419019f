package authz

import (
	"errors"
	"math"
	"time"
)

// Member is one member of an assertion's header or claims.
type Member struct {
	Part  DifferencePart `json:"part"`
	Name  string         `json:"name"`
	Value string         `json:"value"` // as JSON, a long one cut
	// Words says which instant a time is, by its distance from now.
	Words string `json:"words,omitempty"`
}

// DescribeAssertion lists what an assertion says, in the usual order and
// without the signature. It reads as leniently as CompareAssertions.
func DescribeAssertion(text string, now time.Time) ([]Member, error) {
	j, err := readLoosely(text)
	if err != nil {
		return nil, errors.New("the assertion: " + err.Error())
	}
	var all []Member
	for _, name := range names(j.header, nil, usualHeader()...) {
		all = append(all, Member{Part: InHeader, Name: name, Value: j.header.show(name)})
	}
	for _, name := range names(j.claims, nil, usualClaims()...) {
		m := Member{Part: InClaims, Name: name, Value: j.claims.show(name)}
		if at, ok := j.claims.numericDate(name); ok && isTime(name) && math.Abs(at) <= lastSecond {
			m.Words = stamp(instant(at)) + ", " + fromNow(gap(at-secondsOf(now)))
		}
		all = append(all, m)
	}
	return all, nil
}

// usualHeader and usualClaims are the members of an assertion in the order in
// which people read them.
func usualHeader() []string { return []string{"typ", "alg", "kid", "jku"} }

func usualClaims() []string { return []string{"iss", "sub", "aud", "iat", "nbf", "exp", "jti"} }

func isTime(claim string) bool { return claim == "iat" || claim == "nbf" || claim == "exp" }

func fromNow(d time.Duration) string {
	switch {
	case d.Abs() < time.Second:
		return "now"
	case d < 0:
		return seconds(d) + " ago"
	}
	return "in " + seconds(d)
}
