// Package population makes the people of the sample population and everything
// that is known about them: lives first, as events in time, then the resources
// that tell of them. Codes, schedules and value ranges are tables.
//
// It imports seed/internal/fhirwrite and is imported by seed alone.
package population
