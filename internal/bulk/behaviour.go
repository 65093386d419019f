package bulk

import "time"

// A Version is one of the guide's.
type Version string

// The versions, which sort by age. Version2 has the additions of 3.0.0 that do not conflict with
// it: _until, organizeOutputBy, allowPartialManifests, separate-export-status.
const (
	Version1 Version = "1.0.1"
	Version2 Version = "2.0.0"
	Version3 Version = "3.0.0"
	Version4 Version = "4.0.0-ballot"
)

// Kinds of requests that start an export.
const (
	byGet  = "GET"
	byPost = "POST"
)

// Methods returns the HTTP methods of a kick-off: 1.0.1 has no POST, and
// 4.0.0-ballot nothing else.
func (v Version) Methods() []string {
	switch v {
	case Version1:
		return []string{byGet}
	case Version4:
		return []string{byPost}
	}
	return []string{byGet, byPost}
}

// A Behaviour is what a server may do otherwise: switches, which package
// behaviour reads and writes.
type Behaviour struct {
	// Version is the guide's that $export follows.
	Version Version
	// StrictPrefer and StrictAccept refuse a kick-off without Prefer:
	// respond-async, and without Accept: application/fhir+json.
	StrictPrefer, StrictAccept bool
	// Unsupported are parameters that are refused as unknown.
	Unsupported []string
	// StrictFormat takes application/fhir+ndjson alone for _outputFormat;
	// GzipFormat takes application/fhir+ndjson+gzip besides.
	StrictFormat, GzipFormat bool
	// SeparateStatus honours Prefer: separate-export-status.
	SeparateStatus bool
	// GroupScope has the export of a group need read of Group.
	GroupScope bool
	// OnlyChanges leaves what is older than _since out of group exports, also of
	// patients who joined the group after it.
	OnlyChanges bool
	// MaxConcurrent is how many exports of a client may run at once; 0 is any
	// number.
	MaxConcurrent int
	// RefuseEarlyPolls answers 429 to a status request before Retry-After is over;
	// MaxEarlyPolls ends the job after so many, 0 never.
	RefuseEarlyPolls bool
	MaxEarlyPolls    int
	// JobLifetime is how long a job and its files stay after the kick-off.
	JobLifetime time.Duration
	// OpenFiles makes the URLs of files work without a token, each for FileLifetime
	// after the manifest was asked for.
	OpenFiles    bool
	FileLifetime time.Duration
	// RedirectFiles answers a request for a file, once its token was looked at, with
	// a redirect to such a URL at another origin.
	RedirectFiles bool
	// MaxRows and MaxBytes bound the files of exports; 0 is no bound.
	MaxRows, MaxBytes int
	// PageSize is how many files a manifest has where the client allows partial
	// ones; 0 is all of them.
	PageSize int
	// Dump offers Aidbox's $dump.
	Dump bool
}

// Strict returns the default behaviour.
func Strict() Behaviour {
	return Behaviour{
		Version: Version2, StrictPrefer: true, StrictAccept: true, SeparateStatus: true, GroupScope: true,
		JobLifetime: 24 * time.Hour, FileLifetime: 5 * time.Minute, MaxRows: 100_000, PageSize: 10,
	}
}
