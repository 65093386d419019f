// Package patch changes resources by lists of operations: JSON Patch (RFC 6902), whose places are
// JSON Pointers, and FHIRPath Patch (FHIR R4, FHIRPath Patch), a Parameters resource whose places
// are FHIRPath expressions.
//
// What no operation touches keeps its bytes: decimals their digits, strings their escapes, objects
// the order of their members. Values that an operation brings keep theirs as well. A patch is
// applied as a whole or not at all.
//
// It knows nothing of stores and requests: who may patch what, which version is meant, and that a
// resource's id is not to be changed is for others to judge; so is whether what comes out is
// valid.
//
// It imports r4, fhirpath and fhirjson and nothing else of ours.
package patch
