// Package bulk is Bulk Data Access ($export) over a fhirstore: kick-off
// parameters, jobs with their life, and manifests, for version 2.0.0 of the
// guide.
//
// An export is fixed when it is kicked off; what takes time afterwards is only
// played, because a client that never met a 202 has never been tested. The
// package knows neither HTTP servers nor tokens: it is handed a view, and says
// what a request means and what a job is. It imports fhirstore and
// internal/clock.
package bulk
