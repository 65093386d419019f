package population

import "time"

// What becomes of records as the days pass, besides what happens to people. Of every fifty
// patients one record is erased, one is found to be another's duplicate, one person leaves the
// roster of their payer and one is entered into it. Of the first fifty this happens in the first
// thirty days, of the second fifty in the thirty days after them, and so on for two years, after
// which later patients begin anew, so that documents and tests can say who it will be.
//
// The numbers are not multiples of five, whose records their clinics hold, and no persona's.
const (
	erasedOf50    = 14
	duplicateOf50 = 17 // of the patient before
	leavesOf50    = 18
	joinsOf50     = 19
)

// turn returns the day after AsOf on which it is the n-th patient's turn, which it is on a day of
// the first thirty, and of each later thirty for later patients.
func turn(n, day int) int { return day + 30*(n/50%(MaxDays/30)) }

// erased tells whether the record of the n-th patient has been removed.
func (b Blueprint) erased(n int) bool { return n%50 == erasedOf50 && b.Days >= turn(n, 9) }

// isDuplicate tells whether the n-th patient is the one before, registered a second time.
func isDuplicate(n int) bool { return n%50 == duplicateOf50 }

// mergedOn is when a duplicate and its original were found out and merged, or a zero time.
func (b Blueprint) mergedOn(duplicate int) time.Time { return b.on(turn(duplicate, 12)) }

// leftOn is when the n-th patient left the roster of their payer, or a zero time.
func (b Blueprint) leftOn(n int) time.Time {
	if n%50 != leavesOf50 {
		return time.Time{}
	}
	return b.on(turn(n, 15))
}

// on returns a day after AsOf, or a zero time if it has not come.
func (b Blueprint) on(days int) time.Time {
	if b.Days < days {
		return time.Time{}
	}
	return midnight(b.AsOf).Add(time.Duration(days) * day)
}

// onRoster tells whether the n-th patient, a member of a payer, is on the payer's roster.
func (b Blueprint) onRoster(n int) bool {
	switch n % 50 {
	case leavesOf50:
		return b.leftOn(n).IsZero()
	case joinsOf50:
		return b.Days >= turn(n, 20)
	}
	return true
}

// head returns the number of the last patient. One is registered for every three thousand patients
// and day, rounded up: the first one on the first day.
func (b Blueprint) head() int {
	const perDay = 3000
	return min(b.Patients+(b.Patients*b.Days+perDay-1)/perDay, 999_999)
}
