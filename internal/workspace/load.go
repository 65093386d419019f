package workspace

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/seed"
)

// Load adds people's own data to those of the environment: see seed.Load. All of
// it is there at once, with the instant of the workspace's clock; what is there
// already under the same ids gets another version.
func (e *resources) Load(ctx context.Context, paths []string, opts seed.LoadOptions) (seed.LoadReport, error) {
	store, err := e.Data(ctx)
	if err != nil {
		return seed.LoadReport{}, err
	}
	opts.IsResourceType = store.KnowsType
	load, err := store.Load(ctx, fhirstore.Everything())
	if err != nil {
		return seed.LoadReport{}, err
	}
	defer load.Rollback()
	report, err := seed.Load(ctx, paths, opts, func(r seed.Resource) error {
		return resourceRefusal(load.Add(ctx, fhirstore.Input{Type: r.Type, ID: r.ID, Organization: r.Organization, At: r.At, JSON: r.JSON}))
	})
	if err == nil && report.Resources > 0 {
		err = load.Commit(ctx)
	}
	return report, err
}

// LoadText is Load of NDJSON, or of a Bundle or a single resource as JSON, that is
// in memory. Places in its errors are of a file called upload.
func (e *resources) LoadText(ctx context.Context, text []byte, opts seed.LoadOptions) (_ seed.LoadReport, err error) {
	dir, err := e.workspace.TempDir()
	if err != nil {
		return seed.LoadReport{}, fmt.Errorf("place for what is loaded: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	name := "upload.ndjson"
	if lines := bytes.TrimSpace(text); bytes.IndexByte(lines, '\n') >= 0 && json.Valid(lines) {
		name = "upload.json" // one document of many lines
	} else if isBundle(lines) {
		name = "upload.json"
	}
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return seed.LoadReport{}, fmt.Errorf("place for what is loaded: %w", err)
	}
	report, err := e.Load(ctx, []string{path}, opts)
	var problem seed.LoadProblem
	if errors.As(err, &problem) {
		problem.File = name
		err = problem
	}
	for i := range report.Problems {
		report.Problems[i].File = name
	}
	return report, err
}

// isBundle reports whether a line is a Bundle: its entries have places in it.
func isBundle(line []byte) bool {
	var read struct {
		Type string `json:"resourceType"`
	}
	return json.Unmarshal(line, &read) == nil && read.Type == "Bundle"
}

// resourceRefusal marks the errors of the store that are about one resource,
// after which a load may go on.
func resourceRefusal(err error) error {
	var (
		syntax    *fhirjson.SyntaxError
		invalid   *fhirstore.InvalidError
		duplicate *fhirstore.DuplicateError
		forbidden *fhirstore.ForbiddenError
	)
	if errors.As(err, &syntax) || errors.As(err, &invalid) || errors.As(err, &duplicate) || errors.As(err, &forbidden) {
		return &seed.ResourceError{Err: err}
	}
	return err
}
