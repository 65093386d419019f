package fhirpath

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// textFunctionNamed returns the function on texts of that name (FHIRPath N1, sections 5.5 and
// 5.6). An input that is no text, or several, gives nothing or an error.
func textFunctionNamed(name string) (function, bool) {
	switch name {
	case "startsWith":
		return function{1, 1, nil, textTest(strings.HasPrefix)}, true
	case "endsWith":
		return function{1, 1, nil, textTest(strings.HasSuffix)}, true
	case "contains":
		return function{1, 1, nil, textTest(strings.Contains)}, true
	case "matches":
		return function{1, 1, nil, matches}, true
	case "replaceMatches":
		return function{2, 2, replaceMatches, nil}, true
	case "substring":
		return function{1, 2, substring, nil}, true
	case "length":
		return function{0, 0, length, nil}, true
	case "lower":
		return function{0, 0, mapped(strings.ToLower), nil}, true
	case "upper":
		return function{0, 0, mapped(strings.ToUpper), nil}, true
	case "toString":
		return function{0, 0, mapped(strings.Clone), nil}, true
	case "toInteger":
		return function{0, 0, toInteger, nil}, true
	}
	return function{}, false
}

// textTest returns the test of a text by its argument.
func textTest(holds func(s, arg string) bool) test {
	return func(c *evaluation, in []Value, args arguments) (truth, error) {
		s, ok, err := oneText(in)
		if err != nil || !ok {
			return undecided, err
		}
		arg, ok, err := args.text(c, 0)
		if err != nil || !ok {
			return undecided, err
		}
		return truthIf(holds(s, arg)), nil
	}
}

func mapped(change func(string) string) selection {
	return func(_ *evaluation, in []Value, _ arguments) ([]Value, error) {
		s, ok, err := oneText(in)
		if err != nil || !ok {
			return nil, err
		}
		return []Value{textValue(change(s))}, nil
	}
}

// regexp returns the first argument's regular expression, nil where the argument is empty.
func (a arguments) regexp(c *evaluation) (*regexp.Regexp, error) {
	if a.pattern != nil {
		return a.pattern, nil
	}
	s, ok, err := a.text(c, 0)
	if err != nil || !ok {
		return nil, err
	}
	if err := c.spend(100 + len(s)); err != nil {
		return nil, err
	}
	return compilePattern(s)
}

// stepsPerByte is what a regular expression costs on a byte of its input: some of R4's go through
// dozens of states.
const stepsPerByte = 8

func matches(c *evaluation, in []Value, args arguments) (truth, error) {
	s, ok, err := oneText(in)
	if err != nil || !ok {
		return undecided, err
	}
	re, err := args.regexp(c)
	if err != nil || re == nil {
		return undecided, err
	}
	if err := c.spend(stepsPerByte * len(s)); err != nil {
		return undecided, err
	}
	return truthIf(re.MatchString(s)), nil
}

func replaceMatches(c *evaluation, in []Value, args arguments) ([]Value, error) {
	s, ok, err := oneText(in)
	if err != nil || !ok {
		return nil, err
	}
	re, err := args.regexp(c)
	if err != nil || re == nil {
		return nil, err
	}
	if err := c.spend(stepsPerByte * len(s)); err != nil {
		return nil, err
	}
	by, ok, err := args.text(c, 1)
	if err != nil || !ok {
		return nil, err
	}
	replaced := re.ReplaceAllString(s, by)
	return []Value{textValue(replaced)}, c.spend(len(replaced) / 16)
}

// substring counts characters from 0. A start outside of the text gives nothing.
func substring(c *evaluation, in []Value, args arguments) ([]Value, error) {
	s, ok, err := oneText(in)
	if err != nil || !ok {
		return nil, err
	}
	runes := []rune(s)
	start, ok, err := args.integer(c, 0)
	if err != nil || !ok || start < 0 || start >= len(runes) {
		return nil, err
	}
	runes = runes[start:]
	if len(args.nodes) == 2 {
		size, ok, err := args.integer(c, 1)
		if err != nil {
			return nil, err
		}
		if ok {
			runes = runes[:min(max(size, 0), len(runes))]
		}
	}
	return []Value{textValue(string(runes))}, nil
}

func (a arguments) integer(c *evaluation, i int) (n int, ok bool, err error) {
	s, ok, err := a.text(c, i)
	if err != nil || !ok {
		return 0, false, err
	}
	n, err = strconv.Atoi(s)
	return n, err == nil, err
}

func length(_ *evaluation, in []Value, _ arguments) ([]Value, error) {
	s, ok, err := oneText(in)
	if err != nil || !ok {
		return nil, err
	}
	return []Value{integerValue(utf8.RuneCountInString(s))}, nil
}

func toInteger(_ *evaluation, in []Value, _ arguments) ([]Value, error) {
	s, ok, err := oneText(in)
	if err != nil || !ok || !isInteger(s) {
		return nil, err
	}
	return []Value{numberValue(s)}, nil
}
