// Package reference finds the places where a resource names another one, for a server that gives
// what a Bundle calls by a fullUrl an id of its own (FHIR R4, http, transaction: replacing
// references and links).
//
// It knows the places and how to write what comes in their stead, and nothing about what a name
// means. It imports internal/fhirjson and internal/r4.
package reference
