// Package gotest shows how a Go program tests its own client against a Sandfhir server in the
// same process: see patients_test.go. This file stands for the program.
package gotest

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// CountPatients reads all patients of a FHIR server, page by page, and returns how many there
// are. It is handed an HTTP client that brings access tokens along.
func CountPatients(client *http.Client, fhir string) (int, error) {
	count := 0
	for next := fhir + "/Patient?_count=40"; next != ""; {
		page, err := readPage(client, next)
		if err != nil {
			return count, err
		}
		count += len(page.Entry)
		next = ""
		for _, link := range page.Link {
			if link.Relation == "next" {
				next = link.URL
			}
		}
	}
	return count, nil
}

type bundle struct {
	Link  []struct{ Relation, URL string }
	Entry []json.RawMessage
}

func readPage(client *http.Client, url string) (page bundle, err error) {
	resp, err := client.Get(url)
	if err != nil {
		return page, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return page, fmt.Errorf("%s: %s", url, resp.Status)
	}
	return page, json.NewDecoder(resp.Body).Decode(&page)
}
