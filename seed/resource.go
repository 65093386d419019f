package seed

import "time"

// A Resource is one resource of a population or of a load, ready for the store.
type Resource struct {
	// Type is the resource type and ID the logical id (FHIR R4, Resource.id).
	Type, ID string

	// Organization is the id of the organization whose data the resource is: a payer or a
	// provider organization. It is empty for shared context such as Practitioner and Location.
	Organization string

	// At is the resource's lastUpdated: UTC, whole milliseconds. It is never before the events
	// that the resource tells of and, in a Population, never after AsOf. A load may leave it zero:
	// then it is the instant at which the store takes the resource.
	At time.Time

	// JSON is the resource as one compact line without a line end: resourceType first, then id,
	// then meta with profile and security. It holds neither meta.versionId nor
	// meta.lastUpdated; the store sets them from the version it makes and from At.
	JSON []byte
}
