// Package fhirstore keeps versioned FHIR R4 resources in SQLite: read, write,
// history, search, patient compartments and the selections of bulk exports.
//
// It knows neither HTTP nor tokens. Whoever calls it says what may be seen and
// done by a [View]; no method reads or writes without one but [Store.OpenFile],
// whose extents an export made under its view.
//
// The stored bytes are the truth: a resource is kept as the JSON that came in,
// without insignificant white space and with id and meta set by the store, and
// is never marshalled again. Current states and search values are rows of a
// database; bodies are loose rows (single writes) or lie in packs, immutable
// NDJSON files beside the database (populations and loads), of which an export
// names byte ranges. Every version is kept.
//
// It imports internal/sqlitedb, internal/r4, internal/reference,
// internal/subset, internal/fhirpath, internal/fhirjson and internal/clock, and
// nothing above them.
package fhirstore
