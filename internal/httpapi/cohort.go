package httpapi

import (
	"fmt"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/bulk"
)

// groupBody is the body of a write of a Group: one with a member-filter gets the
// members that it finds (Bulk Data Access 3.0.0, Bulk Cohort API).
func (l *call) groupBody(body []byte) ([]byte, error) {
	if !bulk.IsCohort(body) {
		return body, nil
	}
	exports, err := l.env.Exports(l.UserContext())
	if err != nil {
		return nil, err
	}
	data, err := l.data()
	if err != nil {
		return nil, err
	}
	return exports.Cohort(l.UserContext(), data, l.view(), body, l.addresses.FHIRBase)
}

// wantsLater reports whether a change is one that is answered asynchronously
// where the client asks for it: of a Group with a member-filter.
func (l *call) wantsLater(c fhirstore.Change) bool {
	_, async := l.preferences()["respond-async"]
	return async && c.Type == "Group" && (c.Interaction == fhirstore.Create || c.Interaction == fhirstore.Update) && bulk.IsCohort(c.Body)
}

// changeLater makes a change and keeps the answer, a batch-response Bundle, for
// a status request (FHIR R5, async-bundle).
func (l *call) changeLater(c fhirstore.Change) error {
	store, err := l.data()
	if err != nil {
		return err
	}
	done, err := store.Change(l.UserContext(), l.view(), c)
	if err != nil {
		return l.refusedChange(c, err)
	}
	status, res := fiber.StatusOK, done.Resource
	if done.Created() {
		status = fiber.StatusCreated
	}
	answer, err := marshal(map[string]any{"resourceType": "Bundle", "type": "batch-response", "entry": []any{map[string]any{"response": map[string]any{
		"status":       fmt.Sprintf("%d %s", status, http.StatusText(status)),
		"location":     l.addresses.FHIRBase + "/Group/" + res.ID + "/_history/" + res.VersionID(),
		"etag":         etag(res.Version),
		"lastModified": fhirstore.FormatInstant(res.At),
	}}}})
	if err != nil {
		return fmt.Errorf("write the answer for later: %w", err)
	}
	exports, err := l.env.Exports(l.UserContext())
	if err != nil {
		return err
	}
	job, err := exports.Later(l.UserContext(), l.view(), l.access.ClientID, answer)
	if err != nil {
		return err
	}
	return l.accepted(job, "respond-async", "the request has been accepted; its status is at "+l.jobURL(job))
}
