// Package fhirjson reads FHIR JSON: strict RFC 8259 syntax with the position of every mistake,
// duplicate member names and invalid UTF-8 refused, into a light tree that knows the byte
// offsets of each value. Numbers keep their literal, since FHIR decimals are significant to the
// last digit (FHIR R4, JSON Representation of Resources).
//
// It knows JSON only. What FHIR adds (no null outside of primitive arrays, no empty arrays, one
// of each choice) is for validation to judge.
//
// It imports nothing of ours.
package fhirjson
