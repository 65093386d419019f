package seed_test

import (
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/seed"
)

// TestDocuments checks that every document leads to something, and that a CCD is XML about the
// patient.
func TestDocuments(t *testing.T) {
	t.Parallel()
	all, index := decode(t, seed.Population{Seed: 16, Patients: 40})
	summaries, inline, led := 0, 0, make(map[string]bool)
	for _, r := range all {
		if r.Type != "DocumentReference" {
			continue
		}
		attachment := at(r.body, "content", 0, "attachment")
		data := text(attachment, "data")
		if url := text(attachment, "url"); url != "" {
			binary, ok := index[url]
			if !ok || data != "" || text(binary.body, "contentType") != text(attachment, "contentType") {
				t.Fatalf("%s leads to %s", r.key(), url)
			}
			led[url] = true
			data = text(binary.body, "data")
			content, err := base64.StdEncoding.DecodeString(data)
			if size, _ := at(attachment, "size").(float64); err != nil || int(size) != len(content) {
				t.Errorf("%s: %s has %d bytes, not %v: %v", r.key(), url, len(content), size, err)
			}
		} else {
			inline++
		}
		content, err := base64.StdEncoding.DecodeString(data)
		if err != nil || len(content) < 100 {
			t.Errorf("%s: got %d bytes: %v", r.key(), len(content), err)
		}
		if text(r.body, "context", "period", "start") == "" || text(r.body, "context", "encounter", 0, "reference") == "" {
			t.Errorf("%s does not tell of which care it is", r.key())
		}
		if text(r.body, "type", "coding", 0, "code") != "34133-9" {
			continue
		}
		summaries++
		decoder := xml.NewDecoder(strings.NewReader(string(content)))
		for {
			if _, err := decoder.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", r.key(), err)
			}
		}
		family := text(index["Patient/"+r.patient()].body, "name", 0, "family")
		if !strings.Contains(strings.ReplaceAll(string(content), "&apos;", "'"), "<family>"+family+"</family>") {
			t.Errorf("%s is not about %s", r.key(), family)
		}
	}
	for _, r := range all {
		if r.Type == "Binary" && !led[r.key()] {
			t.Errorf("nothing leads to %s", r.key())
		}
	}
	if summaries < 30 || inline < 30 {
		t.Errorf("got %d CCDs and %d inline notes, want more", summaries, inline)
	}
}

// TestQuestionnaireExtensions checks what US Core's QuestionnaireResponse wants to be seen beside a
// primitive, where validators that walk profiles may not look.
func TestQuestionnaireExtensions(t *testing.T) {
	t.Parallel()
	all, _ := decode(t, seed.Population{Seed: 1, Patients: 30})
	seen := 0
	for _, r := range all {
		if r.Type != "QuestionnaireResponse" {
			continue
		}
		var urls []string
		for _, e := range list(at(r.body, "_questionnaire", "extension")) {
			urls = append(urls, text(e, "url"))
		}
		if !slices.Contains(urls, "http://hl7.org/fhir/StructureDefinition/display") ||
			!slices.Contains(urls, "http://hl7.org/fhir/us/core/StructureDefinition/us-core-extension-questionnaire-uri") {
			t.Errorf("%s: got the extensions %v", r.key(), urls)
		}
		seen++
	}
	if seen < 5 {
		t.Errorf("got %d, want more", seen)
	}
}
