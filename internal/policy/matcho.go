package policy

import (
	"fmt"
	"regexp"
	"strings"
)

// The patterns of matcho (Aidbox documentation, matcho engine). An object
// matches an object whose members match its own; others do not matter. A list
// matches a list whose first elements match its own. A text that begins with #
// is a regular expression, one that begins with a dot the value at another place
// of the request, and the words below are conditions. Everything else is equal
// or does not match.
const (
	isPresent  = "present?"
	isNil      = "nil?"
	isNotBlank = "not-blank?"
)

// Objects with one of these members are conditions of their own.
const (
	enum     = "$enum"
	oneOf    = "$one-of"
	not      = "$not"
	contains = "$contains"
	every    = "$every"
)

// checkPattern returns what is wrong with a pattern at a path.
func checkPattern(path string, pattern any) error {
	switch p := pattern.(type) {
	case string:
		if text, ok := strings.CutPrefix(p, "#"); ok {
			if _, err := regexp.Compile(text); err != nil {
				return invalid(path, "%q is no regular expression here (RE2): %v", p, err)
			}
		}
	case []any:
		for i, item := range p {
			if err := checkPattern(fmt.Sprintf("%s[%d]", path, i), item); err != nil {
				return err
			}
		}
	case map[string]any:
		for name, value := range p {
			if strings.HasPrefix(name, "$") {
				switch name {
				case enum, oneOf:
					if _, ok := value.([]any); !ok {
						return invalid(path+"."+name, "it takes a list")
					}
				case not, contains, every:
				default:
					return invalid(path+"."+name, "there is no such condition; %s are", strings.Join([]string{enum, oneOf, not, contains, every}, ", "))
				}
			}
			if err := checkPattern(path+"."+name, value); err != nil {
				return err
			}
		}
	}
	return nil
}

// matches reports whether a value of the request matches a pattern.
func matches(pattern, value any, request map[string]any) bool {
	switch p := pattern.(type) {
	case string:
		return matchesText(p, value, request)
	case []any:
		list, ok := value.([]any)
		if !ok || len(list) < len(p) {
			return false
		}
		for i := range p {
			if !matches(p[i], list[i], request) {
				return false
			}
		}
		return true
	case map[string]any:
		return matchesObject(p, value, request)
	}
	return pattern == value // null, a boolean or a number
}

func matchesText(pattern string, value any, request map[string]any) bool {
	switch {
	case pattern == isPresent:
		return value != nil
	case pattern == isNil:
		return value == nil
	case pattern == isNotBlank:
		text, ok := value.(string)
		return ok && strings.TrimSpace(text) != ""
	case strings.HasPrefix(pattern, "#"):
		text, ok := value.(string)
		return ok && regexp.MustCompile(pattern[1:]).MatchString(text) // it was compiled by checkPattern
	case strings.HasPrefix(pattern, "."):
		other := at(request, strings.Split(pattern[1:], "."))
		return other != nil && equal(other, value)
	}
	return value == any(pattern)
}

// equal reports whether two values are the same text, boolean or number.
func equal(a, b any) bool {
	switch a.(type) {
	case string, bool, float64:
		return a == b
	}
	return false
}

// at is the value at a path, or nil.
func at(value any, path []string) any {
	for _, name := range path {
		object, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = object[name]
	}
	return value
}

func matchesObject(pattern map[string]any, value any, request map[string]any) bool {
	object, isObject := value.(map[string]any)
	for name, p := range pattern {
		if strings.HasPrefix(name, "$") {
			if !holds(name, p, value, request) {
				return false
			}
			continue
		}
		var member any
		if isObject {
			member = object[name]
		}
		if !matches(p, member, request) {
			return false
		}
	}
	return len(pattern) > 0 || isObject
}

// holds reports whether a condition holds for a value.
func holds(condition string, p, value any, request map[string]any) bool {
	switch condition {
	case not:
		return !matches(p, value, request)
	case enum:
		options, _ := p.([]any)
		for _, option := range options {
			if equal(option, value) {
				return true
			}
		}
		return false
	case oneOf:
		options, _ := p.([]any)
		for _, option := range options {
			if matches(option, value, request) {
				return true
			}
		}
		return false
	}
	list, ok := value.([]any)
	if !ok {
		return false
	}
	for _, item := range list {
		if matches(p, item, request) == (condition == contains) {
			return condition == contains
		}
	}
	return condition == every
}
