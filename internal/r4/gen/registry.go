package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
)

// A registry gives types and search parameters their numbers. A parameter's id is its type's
// number times 128 plus its own, so both take part in every row of a search index. Numbers are
// never changed and never given twice: they are read back from the table that is being replaced,
// what is new gets the next number, and what has gone leaves a line "retired" behind.
//
// Parameters of Resource and DomainResource have the numbers 1 to 19 for every type; a type's own
// begin at 20.
type registry struct {
	types  map[string]int            // Resource is 0
	params map[string]map[string]int // type, code
}

const (
	perType  = 128
	firstOwn = 20
)

// readRegistry reads the numbers from an earlier table; a missing file is an empty registry.
func readRegistry(path string) (*registry, error) {
	r := &registry{map[string]int{"Resource": 0}, map[string]map[string]int{}}
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return nil, err
	}
	typ := ""
	for line := range strings.Lines(string(raw)) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		switch fields[0] {
		case "type":
			typ = fields[1]
			if fields[2] != "" {
				if r.types[typ], err = strconv.Atoi(fields[2]); err != nil {
					return nil, fmt.Errorf("the number of %s in %s: %w", typ, path, err)
				}
			}
		case "param", "retired":
			number, err := strconv.Atoi(fields[1])
			if err != nil {
				return nil, fmt.Errorf("the number of %s %s in %s: %w", typ, fields[2], path, err)
			}
			r.of(typ)[fields[2]] = number
		}
	}
	return r, nil
}

func (r *registry) of(typ string) map[string]int {
	if r.params[typ] == nil {
		r.params[typ] = map[string]int{}
	}
	return r.params[typ]
}

// typeNumber returns the number of a resource type.
func (r *registry) typeNumber(typ string) (int, error) {
	if n, ok := r.types[typ]; ok {
		return n, nil
	}
	n := 1 + slices.Max(slices.Collect(maps.Values(r.types)))
	if n*perType > 1<<15-perType {
		return 0, errors.New("there are too many types")
	}
	r.types[typ] = n
	return n, nil
}

// paramNumber returns the number of a search parameter. Those of Resource and DomainResource
// share one range.
func (r *registry) paramNumber(typ, code string) (int, error) {
	numbers := r.of(typ)
	if n, ok := numbers[code]; ok {
		return n, nil
	}
	next, limit := firstOwn, perType
	taken := slices.Collect(maps.Values(numbers))
	if isCommon(typ) {
		next, limit = 1, firstOwn
		taken = slices.Concat(slices.Collect(maps.Values(r.of("Resource"))),
			slices.Collect(maps.Values(r.of("DomainResource"))))
	}
	for _, n := range taken {
		next = max(next, n+1)
	}
	if next >= limit {
		return 0, fmt.Errorf("%s has too many search parameters", typ)
	}
	numbers[code] = next
	return next, nil
}

func isCommon(typ string) bool { return typ == "Resource" || typ == "DomainResource" }
