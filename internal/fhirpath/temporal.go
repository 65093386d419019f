package fhirpath

import (
	"cmp"
	"strings"
	"time"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
)

// A moment is a date, dateTime, instant or time, as precise as it was written.
type moment struct {
	parts [6]int // year, month, day, hour, minute, second
	nanos string // digits of the fraction of the second, without trailing zeros
	from  int    // first part that is given: 3 for a time
	to    int    // behind the last part that is given
	zoned bool   // the parts are in UTC
}

// compareTemporals orders two dates or times part by part. known is false where they agree as
// far as the less precise one goes, where only one has a time zone and hours decide, or where
// one cannot be read.
func compareTemporals(a, b string) (order int, known bool) {
	x, okx := parseMoment(a)
	y, oky := parseMoment(b)
	if !okx || !oky || x.from != y.from {
		return 0, false
	}
	for i := x.from; i < min(x.to, y.to); i++ {
		if i == 3 && x.from == 0 && x.zoned != y.zoned {
			return 0, false
		}
		if order := cmp.Compare(x.parts[i], y.parts[i]); order != 0 {
			return order, true
		}
	}
	if x.to != y.to {
		return 0, false
	}
	return strings.Compare(x.nanos, y.nanos), true
}

// temporalLiteral reads a literal such as 2015-02, 2015-02-04T14:00:00Z or T14:00.
func temporalLiteral(s string) (Value, bool) {
	m, ok := parseMoment(strings.TrimPrefix(strings.TrimSuffix(s, "T"), "T"))
	typ := "dateTime"
	switch {
	case !ok || strings.HasPrefix(s, "T") != (m.from == 3):
		return Value{}, false
	case m.from == 3:
		typ = "time"
	case m.to <= 3 && !strings.HasSuffix(s, "T"):
		typ = "date"
	}
	return Value{Node: made(fhirjson.String, strings.Trim(s, "T")), Type: typ}, true
}

// parseMoment reads a date, dateTime, instant or time.
func parseMoment(s string) (moment, bool) {
	date, clock, hasClock := strings.Cut(s, "T")
	if len(s) > 2 && s[2] == ':' {
		date, clock, hasClock = "", s, true
	}
	var m moment
	if date == "" {
		m.from, m.to = 3, 3
	} else if !m.read(date, "-", 4, 3) {
		return m, false
	}
	if !hasClock {
		return m, true
	}
	clock, offset, ok := cutZone(clock)
	clock, m.nanos, _ = strings.Cut(clock, ".")
	m.nanos = strings.TrimRight(m.nanos, "0")
	if !ok || m.to != 3 || !m.read(clock, ":", 2, 6) {
		return m, false
	}
	if offset != nil && m.from == 0 {
		m.toUTC(*offset)
	}
	return m, true
}

// read reads parts up to the given one, joined by the separator; the first has width digits and
// the others two.
func (m *moment) read(s, separator string, width, until int) bool {
	for _, part := range strings.Split(s, separator) {
		if m.to == until || len(part) != width {
			return false
		}
		n := 0
		for i := range len(part) {
			if !isDigit(part[i]) {
				return false
			}
			n = 10*n + int(part[i]-'0')
		}
		m.parts[m.to] = n
		m.to++
		width = 2
	}
	return true
}

// cutZone splits a time into what is before its zone and the zone's offset from UTC, nil where
// there is none.
func cutZone(clock string) (rest string, offset *time.Duration, ok bool) {
	if rest, found := strings.CutSuffix(clock, "Z"); found {
		return rest, new(time.Duration), true
	}
	i := strings.LastIndexAny(clock, "+-")
	if i < 0 {
		return clock, nil, true
	}
	var zone moment
	if !zone.read(clock[i+1:], ":", 2, 2) || zone.to != 2 {
		return "", nil, false
	}
	d := time.Duration(zone.parts[0])*time.Hour + time.Duration(zone.parts[1])*time.Minute
	if clock[i] == '-' {
		d = -d
	}
	return clock[:i], &d, true
}

func (m *moment) toUTC(offset time.Duration) {
	p := &m.parts
	t := time.Date(p[0], time.Month(p[1]), p[2], p[3], p[4], p[5], 0, time.UTC).Add(-offset)
	p[0], p[1], p[2] = t.Year(), int(t.Month()), t.Day()
	p[3], p[4], p[5] = t.Hour(), t.Minute(), t.Second()
	m.zoned = true
}
