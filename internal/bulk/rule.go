package bulk

// A Rule is what must hold for a kick-off, a status request or a file request.
type Rule struct {
	ID     string // of the requirement
	Rule   string // one line
	Clause string // where it comes from
	// Mistakes are the known mistakes that break it.
	Mistakes []string
}

// Rules returns the rules of exports. What refuses a request, or notes a
// mistake on it, names one of them or of their mistakes.
func Rules() []Rule {
	const query, headers = "Bulk Data Access 2.0.0, Bulk Data Kick-off Request, Query Parameters", "Bulk Data Access 2.0.0, Bulk Data Kick-off Request, Headers"
	return []Rule{
		{"BD-KO-01", "a kick-off names the operation in its path: $export", "Bulk Data Access 2.0.0, Bulk Data Kick-off Request, Endpoints", []string{"B03"}},
		{"BD-KO-12", "a kick-off has a method that its version of the guide has", "Bulk Data Access, Bulk Data Kick-off Request", nil},
		{"BD-RJ-03", "a kick-off has Prefer: respond-async", headers, []string{"B01"}},
		{"BD-RJ-04", "a kick-off takes application/fhir+json for an answer", headers, []string{"B02"}},
		{"BD-RJ-05", "_outputFormat is NDJSON", query, []string{"B06"}},
		{"BD-RJ-06", "_since and _until are FHIR instants that have passed, one before the other", query, []string{"B07"}},
		{"BD-RJ-07", "_type names FHIR resource types", query, []string{"B08"}},
		{"BD-RJ-08", "_type of a patient or group export names types that it can hold", query, nil},
		{"BD-RJ-09", "_typeFilter is a search for resources of one type", query, []string{"B10"}},
		{"BD-RJ-10", "patient stands in the body of a POST, for a patient or group export", query, []string{"B11"}},
		{"BD-RJ-11", "patient refers to Patients that are here, and in the group", query, nil},
		{"BD-RJ-12", "_elements names root elements, each alone or behind its type", query, nil},
		{"BD-RJ-13", "includeAssociatedData and organizeOutputBy have values that are offered", query, nil},
		{"BD-RJ-14", "every parameter is one that is offered, and there once if it takes one value", query, []string{"B05"}},
		{"BD-RJ-15", "a body is a Parameters resource whose values have the right types", "Bulk Data Access 2.0.0, OperationDefinition export", nil},
		{"BD-RJ-17", "a client has no more exports running than it may", "Bulk Data Access 2.0.0, Bulk Data Kick-off Request, Response - Error", []string{"B09"}},
		{"BD-RJ-18", "a list is one parameter for each value", "Bulk Data Access 4.0.0-ballot, Bulk Data Kick-off Request, Query Parameters", nil},
		{"BD-GR-09", "a Group has no modifier extension that the server does not understand", "FHIR R4, extensibility, modifier extensions", nil},
		{"BD-ST-13", "the job that a status, delete or file request names is one of the client's, and is there still", "Bulk Data Access 2.0.0, Bulk Data Delete Request; for the jobs of others this server's choice", []string{"P08"}},
		{"BD-ST-05", "a status request waits for the Retry-After of the one before", "Bulk Data Access 2.0.0, Bulk Data Status Request", []string{"P01"}},
		{"BD-ST-15", "a job whose files have been downloaded is deleted", "Bulk Data Access 2.0.0, Bulk Data Delete Request", []string{"M23"}},
		{"BD-DA-05", "_since is the transactionTime of the export before", "Bulk Data Access 2.0.0, Complete Status, transactionTime", []string{"M17"}},
		{"BD-MF-07", "the files of errors that the manifest lists are read", "Bulk Data Access 2.0.0, Complete Status, error", []string{"M02"}},
		{"BD-MF-08", "the files of deletions that the manifest lists are read", "Bulk Data Access 2.0.0, Complete Status, deleted", []string{"M16"}},
		{"BD-MF-10", "every page of a manifest is asked for", "Bulk Data Access 3.0.0, Complete Status, link", []string{"M19"}},
		{"BD-FI-08", "a file request names a file of the job's manifest", "Bulk Data Access 2.0.0, Bulk Data Output File Request", nil},
		{"BD-FI-06", "where requiresAccessToken is true, a file request carries the token", "Bulk Data Access 2.0.0, Bulk Data Output File Request", []string{"M05"}},
		{"BD-FI-07", "where requiresAccessToken is false, a file request carries no token, and comes before the URL expires", "Bulk Data Access 3.0.0, Bulk Data Output File Request", []string{"M04", "M07", "M08"}},
	}
}
