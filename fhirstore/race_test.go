//go:build race

package fhirstore_test

// raceDetector reports whether the race detector is on, under which measuring
// says nothing.
const raceDetector = true
