package validation

import (
	"fmt"
	"time"
)

// What a message says of the forms of dates and times (FHIR R4, datatypes).
const (
	dateForm     = "a date is YYYY, YYYY-MM or YYYY-MM-DD"
	dateTimeForm = "a dateTime is YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with a time zone, Z or ±hh:mm"
	instantForm  = "an instant is YYYY-MM-DDThh:mm:ss with a time zone, Z or ±hh:mm"
	timeForm     = "a time is hh:mm:ss, without a time zone"
)

func wrongDate(s string) string {
	rest, wrong := afterDate(s, 4, dateForm)
	if wrong == "" && rest != "" {
		return dateForm
	}
	return wrong
}

func wrongDateTime(s string) string {
	rest, wrong := afterDate(s, 4, dateTimeForm)
	if wrong != "" || rest == "" {
		return wrong
	}
	return wrongClock(rest, len(s)-len(rest) == len("YYYY-MM-DD"), dateTimeForm)
}

func wrongInstant(s string) string {
	rest, wrong := afterDate(s, len("YYYY-MM-DD"), instantForm)
	if wrong != "" {
		return wrong
	}
	return wrongClock(rest, true, instantForm)
}

// wrongClock judges what stands behind a date: T, a time and a zone.
func wrongClock(s string, hasDay bool, form string) string {
	if s == "" || s[0] != 'T' || !hasDay {
		return form
	}
	rest, wrong := afterTime(s[1:], form)
	if wrong != "" {
		return wrong
	}
	if rest == "" {
		return "the time zone is missing; " + form
	}
	return wrongZone(rest, form)
}

func wrongTime(s string) string {
	rest, wrong := afterTime(s, timeForm)
	if wrong == "" && rest != "" {
		return timeForm
	}
	return wrong
}

// afterDate reads a date of at least so many characters, and returns what stands behind it.
func afterDate(s string, least int, form string) (rest, wrong string) {
	year, ok := number(s, 0, 4)
	if !ok {
		return "", form
	}
	if year == 0 {
		return "", "there is no year 0000"
	}
	size := 4
	month, day := 1, 1
	if size < len(s) && s[size] == '-' {
		if month, ok = number(s, 5, 2); !ok {
			return "", form
		}
		if month < 1 || month > 12 {
			return "", fmt.Sprintf("there is no month %02d", month)
		}
		size = 7
		if size < len(s) && s[size] == '-' {
			if day, ok = number(s, 8, 2); !ok {
				return "", form
			}
			if last := daysIn(year, month); day < 1 || day > last {
				return "", fmt.Sprintf("%s %04d has the days 01 to %d", time.Month(month), year, last)
			}
			size = 10
		}
	}
	if size < least {
		return "", form
	}
	return s[size:], ""
}

// afterTime reads hh:mm:ss with a fraction of the second, and returns what stands behind it. A
// minute may have a second 60, which is a leap second.
func afterTime(s, form string) (rest, wrong string) {
	hour, ok := number(s, 0, 2)
	minute, okMinute := number(s, 3, 2)
	if !ok || !okMinute || s[2] != ':' {
		return "", form
	}
	if len(s) == 5 || s[5] != ':' {
		return "", "the seconds are missing; " + form
	}
	second, ok := number(s, 6, 2)
	switch {
	case !ok:
		return "", form
	case hour > 23:
		return "", "hours are 00 to 23"
	case minute > 59:
		return "", "minutes are 00 to 59"
	case second > 60:
		return "", "seconds are 00 to 59"
	}
	rest = s[8:]
	if rest == "" || rest[0] != '.' {
		return rest, ""
	}
	i := 1
	for i < len(rest) && isDigit(rest[i]) {
		i++
	}
	if i == 1 {
		return "", "there is no digit behind the dot; " + form
	}
	return rest[i:], ""
}

// wrongZone judges Z or an offset of at most 14 hours.
func wrongZone(s, form string) string {
	if s == "Z" {
		return ""
	}
	hour, okHour := number(s, 1, 2)
	minute, okMinute := number(s, 4, 2)
	if len(s) != len("+hh:mm") || s[0] != '+' && s[0] != '-' || s[3] != ':' || !okHour || !okMinute {
		return form
	}
	if minute > 59 || hour > 14 || hour == 14 && minute > 0 {
		return "a time zone is at most 14:00 from UTC"
	}
	return ""
}

// number reads so many digits from a place on.
func number(s string, from, digits int) (n int, ok bool) {
	if len(s) < from+digits {
		return 0, false
	}
	for i := from; i < from+digits; i++ {
		if !isDigit(s[i]) {
			return 0, false
		}
		n = 10*n + int(s[i]-'0')
	}
	return n, true
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func daysIn(year, month int) int {
	switch {
	case month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0):
		return 29
	case month == 2:
		return 28
	case month == 4 || month == 6 || month == 9 || month == 11:
		return 30
	}
	return 31
}
