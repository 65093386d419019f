package population

import "time"

const day = 24 * time.Hour

// midnight returns the start of the day of t in UTC.
func midnight(t time.Time) time.Time { return t.Truncate(day) }

// yearsBefore returns the day that lies so many years and days before t.
func yearsBefore(t time.Time, years, days int) time.Time {
	return midnight(t).AddDate(-years, 0, -days)
}

// daysFrom returns the number of whole days from a to b.
func daysFrom(a, b time.Time) int { return int(b.Sub(a) / day) }

// yearsAt returns the age at t of somebody born on birth.
func yearsAt(birth, t time.Time) int {
	years := t.Year() - birth.Year()
	if t.Month() < birth.Month() || t.Month() == birth.Month() && t.Day() < birth.Day() {
		years--
	}
	return years
}

// monthsAt returns the age at t in average months.
func monthsAt(birth, t time.Time) int { return daysFrom(birth, t) * 12 * 100 / 36525 }

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
