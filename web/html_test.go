package web_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A tag is an opening tag of a page, with what its attributes say.
type tag struct {
	name       string
	attributes map[string]string
}

func (t tag) has(attribute string) bool { _, ok := t.attributes[attribute]; return ok }

// shape returns the name and the names of the attributes.
func (t tag) shape() string {
	var names []string
	for name := range t.attributes {
		names = append(names, name)
	}
	slices.Sort(names)
	return t.name + " " + strings.Join(names, " ")
}

var (
	// markup is a tag as the templates write them. Whatever else has a "<" in
	// it is no markup of ours.
	markup    = regexp.MustCompile(`^<(/?)([a-z][a-z0-9]*)((?: [a-zA-Z:-]+(?:="[^"<>]*")?)*)(/?)>`)
	attribute = regexp.MustCompile(` ([a-zA-Z:-]+)(?:="([^"]*)")?`)
	voidTags  = []string{"col", "input", "link", "meta"}
)

// parse takes a page apart and reports what is not well-formed: a tag that the
// templates do not write so, one that is not closed, or closed out of turn.
func parse(tb testing.TB, page []byte) []tag {
	tb.Helper()
	rest, found := strings.CutPrefix(string(page), "<!doctype html>\n")
	if !found {
		tb.Fatalf("the page begins with %.40q; want a doctype", page)
	}
	var tags []tag
	var open []string
	for {
		i := strings.IndexAny(rest, "<>")
		if i < 0 {
			break
		}
		rest = rest[i:]
		m := markup.FindStringSubmatch(rest)
		if m == nil {
			tb.Fatalf("got markup %.120q; no template writes that", rest)
		}
		rest = rest[len(m[0]):]
		name := m[2]
		if m[1] == "/" {
			if len(open) == 0 || open[len(open)-1] != name {
				tb.Fatalf("got </%s> where these are open: %v", name, open)
			}
			open = open[:len(open)-1]
			continue
		}
		t := tag{name, map[string]string{}}
		for _, a := range attribute.FindAllStringSubmatch(m[3], -1) {
			if t.has(a[1]) {
				tb.Errorf("<%s> has %s twice", name, a[1])
			}
			t.attributes[a[1]] = a[2]
		}
		tags = append(tags, t)
		if m[4] == "" && !slices.Contains(voidTags, name) {
			open = append(open, name)
		}
	}
	if len(open) > 0 {
		tb.Fatalf("not closed: %v", open)
	}
	return tags
}

// unsafeURL is what html/template writes for a URL that it does not trust.
const unsafeURL = "ZgotmplZ"

// checkDocument reports what assistive technology or the content security
// policy would stumble over.
func checkDocument(tb testing.TB, page []byte) {
	tb.Helper()
	tags := parse(tb, page)
	ids, count := map[string]bool{}, map[string]int{}
	for _, t := range tags {
		count[t.name]++
		if id := t.attributes["id"]; id != "" {
			if ids[id] {
				tb.Errorf("the id %q is there twice", id)
			}
			ids[id] = true
		}
	}
	for name, want := range map[string]int{"h1": 1, "main": 1, "title": 1, "header": 1, "footer": 1} {
		if count[name] != want {
			tb.Errorf("got %d <%s>, want %d", count[name], name, want)
		}
	}
	labelled := map[string]bool{}
	for _, t := range tags {
		if t.name == "label" {
			labelled[t.attributes["for"]] = true
			if !ids[t.attributes["for"]] {
				tb.Errorf("a label is for %q, which is not there", t.attributes["for"])
			}
		}
	}
	for _, t := range tags {
		for name, value := range t.attributes {
			if strings.HasPrefix(name, "on") || name == "style" {
				tb.Errorf("<%s> has the attribute %s, which the content security policy forbids", t.name, name)
			}
			if name == "aria-labelledby" && !ids[value] {
				tb.Errorf("<%s> is labelled by %q, which is not there", t.name, value)
			}
			if name == "aria-describedby" && !ids[value] {
				tb.Errorf("<%s> is described by %q, which is not there", t.name, value)
			}
			if target, ok := strings.CutPrefix(value, "#"); name == "href" && ok && !ids[target] && target != unsafeURL {
				tb.Errorf("a link leads to %q, which is not there", target)
			}
			if (name == "href" || name == "src") && strings.Contains(strings.ToLower(value), "javascript:") {
				tb.Errorf("<%s> has %s=%q", t.name, name, value)
			}
		}
		switch {
		case t.name == "script" && t.attributes["src"] == "":
			tb.Error("a script stands in the page, which the content security policy forbids")
		case slices.Contains([]string{"input", "select", "textarea"}, t.name) && !labelled[t.attributes["id"]] && !t.has("aria-label"):
			tb.Errorf("the %s %q has no label", t.name, t.attributes["name"])
		case t.name == "form" && t.attributes["method"] != "post" && t.attributes["role"] != "search":
			tb.Errorf("the form to %q is sent by GET", t.attributes["action"])
		case t.name == "th" && t.attributes["scope"] == "":
			tb.Error("a <th> has no scope")
		}
	}
}

// shapes returns the page's tags without what their attributes say.
func shapes(tb testing.TB, page []byte) []string {
	tb.Helper()
	var list []string
	for _, t := range parse(tb, page) {
		list = append(list, t.shape())
	}
	return list
}

// wants reports the texts that a page does not have, and those that it has and
// should not, which begin with "!".
func wants(tb testing.TB, page []byte, texts ...string) {
	tb.Helper()
	for _, text := range texts {
		if text, unwanted := strings.CutPrefix(text, "!"); unwanted == strings.Contains(string(page), text) {
			if unwanted {
				tb.Errorf("the page has %q and should not", text)
			} else {
				tb.Errorf("the page does not have %q", text)
			}
		}
	}
}
