package fhirstore

import (
	"strconv"
	"time"
)

// A Resource is one version of a resource.
type Resource struct {
	Type, ID     string
	Version      int64
	At           time.Time // meta.lastUpdated: UTC, milliseconds
	Op           Op
	Organization string // id of the organization it belongs to; empty for none
	JSON         []byte // one line without a line end; nil for a deletion
}

// Op is the kind of write that made a version.
type Op byte

// The kinds of writes.
const (
	OpCreate Op = 'C'
	OpUpdate Op = 'U'
	OpDelete Op = 'D'
)

// VersionID is meta.versionId: the version in decimal.
func (r *Resource) VersionID() string { return strconv.FormatInt(r.Version, 10) }

// instantLayout has milliseconds and a fixed width, so that instants sort as text.
const instantLayout = "2006-01-02T15:04:05.000Z"

// FormatInstant writes t as a FHIR instant in UTC with milliseconds, the one
// resolution of the store.
func FormatInstant(t time.Time) string { return t.UTC().Format(instantLayout) }

func toMillis(t time.Time) int64    { return t.UnixMilli() }
func fromMillis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
