package workspace

import (
	"context"
	"fmt"

	"github.com/sandfhir/sandfhir/fhirstore"
)

// Counts returns how many resources of each type the environment has; types of
// which there are none are left out.
func (e *resources) Counts(ctx context.Context) (map[string]int64, error) {
	store, err := e.Data(ctx)
	if err != nil {
		return nil, err
	}
	counts := map[string]int64{}
	for _, typ := range store.Types() {
		q, err := store.Query(typ, []fhirstore.Param{{Name: "_summary", Value: "count"}}, fhirstore.QueryOptions{})
		if err != nil {
			return nil, fmt.Errorf("count %s: %w", typ, err)
		}
		page, err := store.Search(ctx, fhirstore.Everything(), q)
		if err != nil {
			return nil, fmt.Errorf("count %s: %w", typ, err)
		}
		if page.Total > 0 {
			counts[typ] = page.Total
		}
	}
	return counts, nil
}
