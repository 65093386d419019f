package bulk

import "github.com/sandfhir/sandfhir/fhirstore"

// An Error is a refused kick-off.
type Error struct {
	ID        string // of a Rule, or of a known mistake
	Code      string // from the FHIR issue-type code system
	Parameter string // the parameter at fault; empty for none
	Message   string
}

func (e *Error) Error() string { return e.Message }

// A Param is a kick-off parameter as it was sent.
type Param struct {
	Name  string
	Value string
	// Posted is set for a parameter of a Parameters body.
	Posted bool
	// Wrong is what is wrong with how it was sent, or nil. A lenient export goes by
	// the Value, where there is one. Without Name it is about all parameters.
	Wrong *Error
}

// A Request is a kick-off as it came in.
type Request struct {
	Version Version
	Level   fhirstore.Level
	Group   string // id, with fhirstore.GroupLevel
	Params  []Param
	// Lenient lets the export go on without what it does not support (Prefer:
	// handling=lenient); the job then has an error file that names it.
	Lenient bool
	// SeparateStatus has the status in X-Export-Status (Prefer:
	// separate-export-status).
	SeparateStatus bool
	// URL is the kick-off's URL, for the manifest.
	URL string
	// Base is the FHIR base under which absolute references are our own.
	Base string
	// Client is who asks, and Standing how it stands: see Job.
	Client, Standing string
	// Withheld reports whether a type is left out although _type names it,
	// because the client may not have it; nil leaves out none. An export of
	// which nothing is left is a *fhirstore.ForbiddenError. Where TellWithheld is
	// set, an error file names what was left out.
	Withheld     func(typ string) bool
	TellWithheld bool
	// Pages is into how many pages the manifest is split though the client did not
	// allow that; 0 does not split it.
	Pages int
}
