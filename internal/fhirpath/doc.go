// Package fhirpath is the part of FHIRPath (N1) that the expressions of FHIR R4's search
// parameters and constraints use, evaluated over fhirjson trees that a Schema gives FHIR types.
//
// Nothing is fetched: resolve() finds a contained resource, or tells the type of a reference's
// target from the reference's own text. Where R4 uses an operator more freely than FHIRPath
// defines it, the expressions of R4 decide: as filters a collection, and a type's name may be
// written in another case ("DateTime").
//
// It imports fhirjson and nothing else of ours.
package fhirpath
