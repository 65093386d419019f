package bulk

import (
	"slices"

	"github.com/sandfhir/sandfhir/fhirstore"
)

// A Manifest is the answer of a completed job (Bulk Data Access, Bulk Data
// Output File Request, Response - Complete Status), or a page of it. Which
// members it has depends on the version.
type Manifest struct {
	ManifestType            string         `json:"manifestType,omitempty"` // 4.0.0-ballot
	TransactionTime         string         `json:"transactionTime"`
	Request                 string         `json:"request,omitempty"` // not 4.0.0-ballot
	RequiresAccessToken     bool           `json:"requiresAccessToken"`
	OutputFormat            string         `json:"outputFormat,omitempty"` // 4.0.0-ballot
	OutputOrganizedBy       string         `json:"outputOrganizedBy,omitempty"`
	OutputOrganizedByDetail string         `json:"outputOrganizedByDetail,omitempty"` // 4.0.0-ballot
	Output                  []ManifestItem `json:"output"`
	Deleted                 []ManifestItem `json:"deleted,omitzero"` // not 1.0.1
	Error                   []ManifestItem `json:"error,omitzero"`   // not 4.0.0-ballot
	Outcome                 []ManifestItem `json:"outcome,omitzero"` // 4.0.0-ballot
	Link                    []ManifestLink `json:"link,omitempty"`
}

// A ManifestItem is one file.
type ManifestItem struct {
	Type            string          `json:"type,omitempty"`
	URL             string          `json:"url"`
	ContinuesInFile string          `json:"continuesInFile,omitempty"`
	Count           int64           `json:"count"`
	FileSize        int64           `json:"fileSize,omitempty"`      // bytes; 4.0.0-ballot
	CountSeverity   []SeverityCount `json:"countSeverity,omitempty"` // 4.0.0-ballot
}

// A ManifestLink leads to the manifest's next page.
type ManifestLink struct {
	Relation string `json:"relation"`
	URL      string `json:"url"`
}

// manifestModel is the canonical URL of the manifest's logical model.
const manifestModel = "http://hl7.org/fhir/uv/bulkdata/StructureDefinition/BulkDataManifest"

// URLs are the absolute URLs that a manifest has.
type URLs struct {
	File func(File) string
	Page func(page int) string
}

// Manifest returns a page of the job's manifest, from 1. It leads on to the
// next one where that is among the pages available.
func (j *Job) Manifest(page, available int, urls URLs) Manifest {
	m := Manifest{
		TransactionTime:     fhirstore.FormatInstant(j.TransactionTime),
		Request:             j.Request,
		RequiresAccessToken: !j.OpenFiles,
		OutputOrganizedBy:   j.OrganizedBy,
		Output:              []ManifestItem{},
	}
	messages := &m.Error
	switch j.Version {
	case Version4:
		m.ManifestType, m.OutputFormat, m.Request = manifestModel, j.format(), ""
		if j.OrganizedBy != "" {
			m.OutputOrganizedByDetail = "Each block begins with a Parameters resource that names a " + j.OrganizedBy + ", and holds what is in its compartment and what that refers to."
		}
		messages = &m.Outcome
	}
	*messages = []ManifestItem{}
	if j.Version != Version1 {
		m.Deleted = []ManifestItem{}
	}
	for _, f := range j.Files {
		switch {
		case f.Kind == Errors: // on every page
			*messages = append(*messages, j.item(f, urls))
		case j.page(f) != page:
		case f.Kind == Output:
			m.Output = append(m.Output, j.item(f, urls))
		case f.Kind == Deleted:
			m.Deleted = append(m.Deleted, j.item(f, urls))
		}
	}
	if page < min(j.Pages(), available) {
		m.Link = []ManifestLink{{"next", urls.Page(page + 1)}}
	}
	return m
}

// format is the media type of the job's files.
func (j *Job) format() string {
	if j.Gzip {
		return gzipFormat
	}
	return formats[0]
}

func (j *Job) item(f File, urls URLs) ManifestItem {
	item := ManifestItem{Type: f.Type, URL: urls.File(f), Count: f.Rows}
	if next := j.File(f.Number + 1); f.Continues && next != nil {
		item.ContinuesInFile = urls.File(*next)
	}
	if j.Version != Version4 {
		return item
	}
	if _, known := j.size(&f); known {
		item.FileSize = f.Bytes
	}
	if f.Kind != Output {
		item.Type = ""
	}
	if f.Kind == Errors {
		item.CountSeverity = j.Severities
	}
	return item
}

// page is the page of the manifest that a file is on.
func (j *Job) page(f File) int {
	if j.PageSize == 0 {
		return 1
	}
	return (f.Number-1)/j.PageSize + 1
}

// Pages is how many pages the manifest has: at least one.
func (j *Job) Pages() int {
	pages := 1
	for _, f := range j.Files {
		if f.Kind != Errors {
			pages = max(pages, j.page(f))
		}
	}
	return pages
}

// Shown reports whether a file is on one of the pages available.
func (j *Job) Shown(f *File, available int) bool {
	if f.Kind == Errors {
		return available > 0
	}
	return j.page(*f) <= available
}

// isCut reports whether the job's resources of a type are cut down; of files of
// blocks whether any are.
func (j *Job) isCut(typ string) bool {
	if typ == "" {
		return slices.ContainsFunc(j.Types, func(typ string) bool { return j.Elements[typ] != nil })
	}
	return j.Elements[typ] != nil
}

// size is the length of a file as it is sent, and whether it is known.
func (j *Job) size(f *File) (bytes int64, known bool) {
	return f.Bytes, !j.Gzip && (f.Kind != Output || !j.isCut(f.Type))
}
