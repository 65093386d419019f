package fhirstore_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

func anyPrefix(r *rand.Rand) string {
	return pick(r, "", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")
}

func anyToken(r *rand.Rand) string {
	return pick(r, "x", "urn:a|x", "|y", "urn:b|", "z", "urn:a|Y")
}

func (w *world) organizationTry(r *rand.Rand) try[organization] {
	switch r.IntN(4) {
	case 0:
		name := pick(r, "a", "bo", "CLI")
		return try[organization]{"name", name, func(o organization) bool { return starts(o.name, name) }}
	case 1:
		id := pick(r, "o0", "o1")
		return try[organization]{"partof", id, func(o organization) bool { return o.partOf == id }}
	case 2:
		inner := w.personTry(r)
		return try[organization]{"_has:Patient:organization:" + inner.name, inner.value, func(o organization) bool {
			return slices.ContainsFunc(w.people, func(p person) bool { return p.org == o.id && inner.holds(p) })
		}}
	}
	inner := w.organizationTry(r)
	if strings.Count(inner.name, ":") > 3 || strings.Count(inner.name, ".") > 1 { // as deep as the store goes
		return inner
	}
	return try[organization]{"partof." + inner.name, inner.value, func(o organization) bool {
		above, ok := w.org(o.partOf)
		return ok && inner.holds(above)
	}}
}

func (w *world) personTry(r *rand.Rand) try[person] {
	prefix, date, name, token := anyPrefix(r), randomDate(r), pick(r, "a", "an", "ana", "b", "bo", "BO", "x"), anyToken(r)
	switch r.IntN(15) {
	case 0, 1:
		return try[person]{"birthdate", prefix + date, func(p person) bool {
			if p.birth == "" {
				return false
			}
			lo, hi := span(p.birth)
			return compareDate(prefix, date, lo, hi, w.now)
		}}
	case 2:
		return try[person]{"family", name, func(p person) bool {
			return slices.ContainsFunc(p.familyWords(), func(f string) bool { return starts(f, name) })
		}}
	case 3:
		return try[person]{"family:exact", name, func(p person) bool { return slices.Contains(p.familyWords(), name) }}
	case 4:
		return try[person]{"name:contains", name, func(p person) bool {
			return slices.ContainsFunc(p.families, func(f string) bool { return strings.Contains(strings.ToLower(f), strings.ToLower(name)) })
		}}
	case 5:
		return try[person]{"identifier", token, func(p person) bool {
			return slices.ContainsFunc(p.identifiers, func(i identifier) bool { return hasCode([]coding{i.coding}, token) })
		}}
	case 6:
		system, code, value := pick(r, "urn:a", "urn:b"), pick(r, "x", "Y"), pick(r, "x", "y", "z")
		return try[person]{"identifier:of-type", system + "|" + code + "|" + value, func(p person) bool {
			return slices.ContainsFunc(p.identifiers, func(i identifier) bool {
				return hasCode(i.types, system+"|"+code) && strings.EqualFold(i.code, value)
			})
		}}
	case 7:
		text := pick(r, "a", "bet", "x")
		return try[person]{"identifier:text", text, func(p person) bool {
			return slices.ContainsFunc(p.identifiers, func(i identifier) bool { return starts(i.text, text) })
		}}
	case 8:
		missing := pick(r, "true", "false")
		switch r.IntN(3) {
		case 0:
			return try[person]{"gender:missing", missing, func(p person) bool { return (p.gender == "") == (missing == "true") }}
		case 1:
			return try[person]{"birthdate:missing", missing, func(p person) bool { return (p.birth == "") == (missing == "true") }}
		}
		return try[person]{"organization:missing", missing, func(p person) bool { return (p.org == "") == (missing == "true") }}
	case 9:
		gender := pick(r, "male", "female", "male,female")
		return try[person]{"gender:not", gender, func(p person) bool {
			return p.gender == "" || !slices.Contains(strings.Split(gender, ","), p.gender)
		}}
	case 10:
		return try[person]{"gender", "male,female", func(p person) bool { return p.gender != "" }}
	case 11:
		id := pick(r, "o1", "o2")
		return try[person]{pick(r, "organization", "organization:Organization"), pick(r, "", "Organization/") + id, func(p person) bool { return p.org == id }}
	case 12:
		inner := w.organizationTry(r)
		if strings.Contains(inner.name, ":") || strings.Contains(inner.name, ".") {
			break
		}
		return try[person]{"organization." + inner.name, inner.value, func(p person) bool {
			o, ok := w.org(p.org)
			return ok && inner.holds(o)
		}}
	case 13:
		inner := w.measuredTry(r)
		if strings.Contains(inner.name, ".") {
			break
		}
		return try[person]{"_has:Observation:patient:" + inner.name, inner.value, func(p person) bool {
			return slices.ContainsFunc(w.measures, func(o measured) bool { return o.subject == p.id && inner.holds(o) })
		}}
	}
	id := fmt.Sprintf("p%d", r.IntN(20))
	return try[person]{"_id", id + ",p1", func(p person) bool { return p.id == id || p.id == "p1" }}
}

// familyWords are a person's family names and the words in them but the first.
func (p person) familyWords() (words []string) {
	for _, f := range p.families {
		words = append(words, f)
		words = append(words, strings.Split(f, "-")[1:]...)
	}
	return words
}

func (w *world) personOrder(r *rand.Rand) order[person] {
	descending := r.IntN(2) == 0
	rule := func(code string) string {
		if descending {
			return "-" + code
		}
		return code
	}
	switch r.IntN(4) {
	case 0:
		return order[person]{rule("birthdate"), func(a, b person) int {
			return lastWithout(a.birthKey(descending), b.birthKey(descending), descending)
		}}
	case 1:
		return order[person]{rule("gender"), func(a, b person) int { return lastWithout(texts(a.gender), texts(b.gender), descending) }}
	case 2:
		return order[person]{rule("family"), func(a, b person) int {
			return lastWithout(texts(a.familyWords()...), texts(b.familyWords()...), descending)
		}}
	}
	return order[person]{rule("_id"), func(a, b person) int { return lastWithout([]string{a.id}, []string{b.id}, descending) }}
}

// birthKey is the earliest instant of a birth date or, descending, the latest.
func (p person) birthKey(descending bool) []int64 {
	if p.birth == "" {
		return nil
	}
	lo, hi := span(p.birth)
	if descending {
		return []int64{hi.UnixMilli()}
	}
	return []int64{lo.UnixMilli()}
}

// texts are sort keys without case; "" is none.
func texts(list ...string) (keys []string) {
	for _, text := range list {
		if text != "" {
			keys = append(keys, strings.ToLower(text))
		}
	}
	return keys
}

func (w *world) measuredTry(r *rand.Rand) try[measured] {
	prefix, date, token, number := anyPrefix(r), randomDate(r), anyToken(r), randomDecimal(r)
	unit, text := pick(r, "", "", "||mg", "|urn:ucum|mg"), pick(r, "alpha", "BET", "gam", "x")
	switch r.IntN(20) {
	case 0, 1:
		return try[measured]{"date", prefix + date, func(o measured) bool {
			lo, hi, ok := o.span()
			return ok && compareDate(prefix, date, lo, hi, w.now)
		}}
	case 2:
		return try[measured]{"code", token, func(o measured) bool { return hasCode(o.code.codings, token) }}
	case 3:
		return try[measured]{"code:not", token, func(o measured) bool { return !hasCode(o.code.codings, token) }}
	case 4:
		return try[measured]{"code:text", text, func(o measured) bool { return o.code.says(text) }}
	case 5, 6:
		return try[measured]{"value-quantity", prefix + number + unit, func(o measured) bool { return o.value.has(prefix, number, unit) }}
	case 7:
		status := pick(r, "final", "amended")
		return try[measured]{"status", status, func(o measured) bool { return o.status == status }}
	case 8:
		return try[measured]{"subject:identifier", token, func(o measured) bool {
			return o.logical.code != "" && hasCode([]coding{o.logical}, token)
		}}
	case 9, 10:
		return try[measured]{"code-value-quantity", token + "$" + prefix + number + unit, func(o measured) bool {
			return component{o.code, o.value}.quantity(token, prefix, number, unit)
		}}
	case 11:
		return try[measured]{"component-code-value-quantity", token + "$" + prefix + number + unit, func(o measured) bool {
			return slices.ContainsFunc(o.component, func(c component) bool { return c.quantity(token, prefix, number, unit) })
		}}
	case 12:
		return try[measured]{"combo-code-value-quantity", token + "$" + prefix + number + unit, func(o measured) bool {
			return slices.ContainsFunc(append(o.component[:len(o.component):len(o.component)], component{o.code, o.value}), func(c component) bool { return c.quantity(token, prefix, number, unit) })
		}}
	case 13:
		second := anyToken(r)
		return try[measured]{"component-code-value-concept", token + "$" + second, func(o measured) bool {
			return slices.ContainsFunc(o.component, func(c component) bool {
				return hasCode(c.code.codings, token) && hasCode(c.value.concept, second)
			})
		}}
	case 14:
		return try[measured]{"code-value-string", token + "$" + text, func(o measured) bool {
			return hasCode(o.code.codings, token) && starts(o.value.text, text)
		}}
	case 15:
		return try[measured]{"code-value-date", token + "$" + prefix + date, func(o measured) bool {
			if o.value.date == "" || !hasCode(o.code.codings, token) {
				return false
			}
			lo, hi := span(o.value.date)
			return compareDate(prefix, date, lo, hi, w.now)
		}}
	case 16:
		return try[measured]{"combo-code", token, func(o measured) bool {
			return hasCode(o.code.codings, token) || slices.ContainsFunc(o.component, func(c component) bool { return hasCode(c.code.codings, token) })
		}}
	case 17:
		id := fmt.Sprintf("p%d", r.IntN(28))
		return try[measured]{pick(r, "patient", "subject"), "Patient/" + id, func(o measured) bool { return o.subject == id }}
	}
	inner := w.personTry(r)
	if strings.HasPrefix(inner.name, "_has") {
		return w.measuredTry(r)
	}
	return try[measured]{pick(r, "patient.", "subject:Patient.") + inner.name, inner.value, func(o measured) bool {
		p, ok := w.person(o.subject)
		return ok && inner.holds(p)
	}}
}

// quantity is a composite of code and quantity over one element.
func (c component) quantity(token, prefix, number, unit string) bool {
	return hasCode(c.code.codings, token) && c.value.has(prefix, number, unit)
}

func (w *world) measuredOrder(r *rand.Rand) order[measured] {
	descending := r.IntN(2) == 0
	rule := func(code string) string {
		if descending {
			return "-" + code
		}
		return code
	}
	key := func(o measured) []int64 {
		lo, hi, ok := o.span()
		switch {
		case !ok:
			return nil
		case descending:
			return []int64{hi.UnixMilli()}
		}
		return []int64{lo.UnixMilli()}
	}
	if r.IntN(2) == 0 {
		return order[measured]{rule("date"), func(a, b measured) int { return lastWithout(key(a), key(b), descending) }}
	}
	return order[measured]{rule("status"), func(a, b measured) int { return lastWithout(texts(a.status), texts(b.status), descending) }}
}

func (w *world) formTry(r *rand.Rand) try[form] {
	prefix, number, token := anyPrefix(r), randomDecimal(r), pick(r, "x", "y", "|x", "urn:a|y")
	code := pick(r, "x", "y")
	switch r.IntN(7) {
	case 0, 1:
		return try[form]{"context-quantity", prefix + number, func(f form) bool {
			return slices.ContainsFunc(f.use, func(u use) bool { return u.has(prefix, number) })
		}}
	case 2, 3:
		return try[form]{"context-type-quantity", code + "$" + prefix + number, func(f form) bool {
			return slices.ContainsFunc(f.use, func(u use) bool { return u.code == code && u.has(prefix, number) })
		}}
	case 4:
		return try[form]{"context-type-value", code + "$" + token, func(f form) bool {
			return slices.ContainsFunc(f.use, func(u use) bool { return u.code == code && hasCode(u.concept, token) })
		}}
	case 5:
		url := pick(r, "http://a", "http://a/x", "http://a/x/", "http://a/x/y", "urn:x", "http://b/x")
		return try[form]{"url:below", url, func(f form) bool {
			return f.url == url || strings.HasPrefix(f.url, strings.TrimSuffix(url, "/")+"/")
		}}
	}
	url := pick(r, "http://a/x/y/z", "http://a/xy/z", "http://b/x/y", "urn:x")
	return try[form]{"url:above", url, func(f form) bool {
		return f.url == url || strings.HasPrefix(url, strings.TrimSuffix(f.url, "/")+"/")
	}}
}

func (w *world) goalTry(r *rand.Rand) try[goal] {
	prefix, date := anyPrefix(r), randomDate(r)
	return try[goal]{"target-date", prefix + date, func(g goal) bool {
		return slices.ContainsFunc(g.due, func(due string) bool {
			lo, hi := span(due)
			return compareDate(prefix, date, lo, hi, w.now)
		})
	}}
}
