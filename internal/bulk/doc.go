// Package bulk is Bulk Data Access ($export) over a fhirstore: kick-off
// parameters, jobs with their life, and manifests, in the versions 1.0.1, 2.0.0
// with the additions of 3.0.0, 3.0.0, and 4.0.0-ballot of the guide; and what
// goes with them: cohorts by member-filter, and $dump.
//
// An export is fixed when it is kicked off; what takes time afterwards is only
// played, because a client that never met a 202 has never been tested. The
// package knows neither HTTP servers nor tokens: it is handed a view, and says
// what a request means and what a job is. It imports fhirstore, and below it
// the clock, the FHIR definitions and the packages that read and cut resources.
package bulk
