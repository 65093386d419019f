// Package validation judges a resource by FHIR R4 (4.0.1) without profiles: its JSON, elements,
// cardinalities, types, formats of primitives, codes of required bindings, references, contained
// resources, extensions, narrative and invariants. It reports all issues that it finds, each with
// its place, and changes nothing.
//
// The definitions are those of package r4. What they ask in FHIRPath is evaluated as it stands but
// for a few constraints that are about the structure itself, which are quicker found on the way,
// and one that R4 has wrong (invariant.go).
//
// The work is bounded: by the size of the input, which the caller limits, by the depth that
// fhirjson takes, by a number of errors, and by a number of steps for all invariants together.
//
// It knows no store, no HTTP and no profiles, and imports r4, fhirpath, fhirjson and nearest.
package validation
