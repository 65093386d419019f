package workspace

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/portal"
)

// Organizations returns the environment's organizations, in the order in which
// they were created, portal.MaxOrganizations at most.
func (e *Environment) Organizations(ctx context.Context) ([]portal.Organization, error) {
	store, err := e.Data(ctx)
	if err != nil {
		return nil, err
	}
	query, err := store.Query("Organization", nil, fhirstore.QueryOptions{})
	if err != nil {
		return nil, fmt.Errorf("list organizations: %w", err)
	}
	query.Count, query.SkipTotal = portal.MaxOrganizations, true
	page, err := store.Search(ctx, fhirstore.Everything(), query)
	if err != nil {
		return nil, fmt.Errorf("list organizations: %w", err)
	}
	list := []portal.Organization{}
	for _, match := range page.Matches {
		var found struct {
			Name string
			Type []struct {
				Coding []struct{ Code string }
			}
			PartOf struct{ Reference string }
		}
		if err := json.Unmarshal(match.JSON, &found); err != nil {
			continue // stored without validation; it has an id all the same
		}
		o := portal.Organization{ID: match.ID, Name: found.Name, PartOf: strings.TrimPrefix(found.PartOf.Reference, "Organization/")}
		if len(found.Type) > 0 && len(found.Type[0].Coding) > 0 {
			o.Kind = found.Type[0].Coding[0].Code
		}
		list = append(list, o)
	}
	return list, nil
}
