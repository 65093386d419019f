// Package nearest finds the name that was probably meant by a misspelt one.
//
// It imports nothing of ours.
package nearest

import "strings"

// longest is the length in bytes beyond which a text is no misspelt name; to
// compare it would only cost time.
const longest = 128

// Name returns the first of the names at the smallest distance from word, case
// apart, or "" where none is near: where more than about a third of the letters
// would have to change.
func Name(word string, names []string) string {
	best, limit := "", (len(word)+1)/3
	for _, name := range names {
		if d := Distance(strings.ToLower(word), strings.ToLower(name), limit); d <= limit {
			if best, limit = name, d-1; d == 0 {
				return name
			}
		}
	}
	return best
}

// Distance is the number of bytes to insert, delete or replace to turn a into b
// (Levenshtein), or limit+1 where it is more than limit.
func Distance(a, b string, limit int) int {
	if len(a) > longest || len(b) > longest || max(len(a)-len(b), len(b)-len(a)) > limit {
		return limit + 1
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return min(row[len(b)], limit+1)
}
