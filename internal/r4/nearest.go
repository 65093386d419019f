package r4

import "strings"

// NearestType returns the resource type whose name is most like name, for messages that ask "did
// you mean …?", or "" where none is like it.
func (t *Table) NearestType(name string) string { return nearest(name, t.names) }

// NearestParam returns the code of the resource type's search parameter that is most like code,
// or "" where none is like it.
func (t *Table) NearestParam(resourceType, code string) string {
	var codes []string
	for _, p := range t.Params(resourceType) {
		codes = append(codes, p.Code)
	}
	return nearest(code, codes)
}

// nearest returns the first of the candidates at the smallest distance from name, case apart, if
// that is at most a third of the name's length.
func nearest(name string, candidates []string) string {
	const longest = 64 // names are shorter; the rest would only cost time
	best, least := "", len(name)/3+1
	if len(name) > longest {
		return ""
	}
	for _, c := range candidates {
		if d := distance(strings.ToLower(name), strings.ToLower(c)); d < least {
			best, least = c, d
		}
	}
	return best
}

// distance counts the bytes to insert, delete or replace to turn a into b (Levenshtein).
func distance(a, b string) int {
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
	return row[len(b)]
}
