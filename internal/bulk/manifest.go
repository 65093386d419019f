package bulk

import (
	"context"
	"math"
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

// Manifest returns a page of a job's manifest, from 1. It leads on to the next
// one where that is among the pages available. Its error is ErrNoJob where the
// job has been deleted.
func (s *Service) Manifest(ctx context.Context, job *Job, page, available int, urls URLs) (Manifest, error) {
	files, err := s.filesOf(ctx, job, page)
	if err != nil {
		return Manifest{}, err
	}
	s.unread.change(job.ID, func(j *unreadJob) { j.page = max(j.page, page) })
	return job.manifest(files, page, available, urls), nil
}

// filesOf returns the files on a page of the manifest.
func (s *Service) filesOf(ctx context.Context, job *Job, page int) ([]File, error) {
	first, last := 1, job.Paged
	if job.PageSize > 0 {
		first, last = (page-1)*job.PageSize+1, min(page*job.PageSize, job.Paged)
	}
	files, err := s.cfg.Jobs.Files(ctx, s.cfg.Env, job.ID, first, last)
	if err != nil {
		return nil, err
	}
	if len(files) < last-first+1 {
		return nil, ErrNoJob
	}
	messages, err := s.cfg.Jobs.Files(ctx, s.cfg.Env, job.ID, job.Paged+1, math.MaxInt32)
	return append(files, messages...), err
}

// File returns the file of a job with this number, or ErrNoJob.
func (s *Service) File(ctx context.Context, job *Job, number int) (*File, error) {
	files, err := s.cfg.Jobs.Files(ctx, s.cfg.Env, job.ID, number, number)
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, ErrNoJob
	}
	return &files[0], nil
}

func (j *Job) manifest(files []File, page, available int, urls URLs) Manifest {
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
	for _, f := range files {
		switch f.Kind {
		case Errors:
			*messages = append(*messages, j.item(f, urls))
		case Output:
			m.Output = append(m.Output, j.item(f, urls))
		case Deleted:
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
	if f.Continues {
		item.ContinuesInFile = urls.File(File{Number: f.Number + 1, Kind: f.Kind, Type: f.Type})
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
	if j.PageSize == 0 {
		return 1
	}
	return max(1, (j.Paged+j.PageSize-1)/j.PageSize)
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
