//go:build !race

package fhirstore_test

const raceDetector = false
