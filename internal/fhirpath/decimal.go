package fhirpath

import (
	"strconv"
	"strings"
)

// A decimal is 0.digits × 10^exponent. Digits neither begin nor end with 0; zero has none.
type decimal struct {
	negative bool
	digits   string
	exponent int
}

// parseDecimal reads a JSON number of any length without losing a digit.
func parseDecimal(s string) decimal {
	var d decimal
	s, d.negative = strings.CutPrefix(s, "-")
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		d.exponent = parseExponent(s[i+1:])
		s = s[:i]
	}
	whole, fraction, _ := strings.Cut(s, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	d.exponent += len(whole) - (len(whole) + len(fraction) - len(digits))
	d.digits = strings.TrimRight(digits, "0")
	if d.digits == "" {
		return decimal{}
	}
	return d
}

// parseExponent reads an exponent; those beyond any use become ±2^30.
func parseExponent(s string) int {
	const limit = 1 << 30
	e, err := strconv.Atoi(s)
	switch {
	case err != nil && strings.HasPrefix(s, "-"):
		return -limit
	case err != nil:
		return limit
	}
	return min(max(e, -limit), limit)
}

func (d decimal) String() string {
	sign := ""
	if d.negative {
		sign = "-"
	}
	return sign + d.digits + "e" + strconv.Itoa(d.exponent)
}

// compareDecimals orders two JSON numbers by their value.
func compareDecimals(a, b string) int {
	x, y := parseDecimal(a), parseDecimal(b)
	if x.sign() != y.sign() {
		return x.sign() - y.sign()
	}
	if x.negative {
		x, y = y, x
	}
	switch {
	case x.sign() == 0:
		return 0
	case x.exponent < y.exponent:
		return -1
	case x.exponent > y.exponent:
		return 1
	}
	return strings.Compare(x.digits, y.digits) // both are fractions without trailing zeros
}

func (d decimal) sign() int {
	switch {
	case d.digits == "":
		return 0
	case d.negative:
		return -1
	}
	return 1
}
