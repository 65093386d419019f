// Package r4 is what the rest of the program knows about FHIR R4 (4.0.1): resource and data types
// with their elements and constraints, search parameters, the patient compartment, and the codes
// of required bindings, as one table.
//
// The table, data/r4.txt, is derived by internal/r4/gen from the definitions that HL7 publishes
// under CC0; it adds the search parameters that US Core 6.1.0 defines and base R4 lacks, and
// Group's name. It is embedded as text and read piece by piece when a piece is first asked for:
// a server that only serves Patients never reads what the other types look like.
//
// It imports fhirpath, fhirjson and nearest and nothing else of ours.
package r4
