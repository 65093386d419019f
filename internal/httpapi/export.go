package httpapi

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/bulk"
)

func (l *call) exportSystem() error   { return l.kickOff(fhirstore.SystemLevel) }
func (l *call) exportPatients() error { return l.kickOff(fhirstore.PatientLevel) }
func (l *call) exportGroup() error    { return l.kickOff(fhirstore.GroupLevel) }

// kickOff is the Bulk Data Kick-off Request (Bulk Data Access 2.0.0).
func (l *call) kickOff(level fhirstore.Level) error {
	if err := l.authenticate(); err != nil {
		return err
	}
	if level == fhirstore.GroupLevel {
		if err := l.require("Group", authz.Read, "is the export of a group"); err != nil {
			return err
		}
	}
	prefs := l.preferences()
	if _, ok := prefs["respond-async"]; !ok {
		return badRequest("required", "an export has to be asked for with the header Prefer: respond-async")
	}
	if accept := l.accept(); !accepts(accept, fhirJSON) {
		return badRequest("required", fmt.Sprintf("an export has to be asked for with the header Accept: application/fhir+json; this request has %q", accept))
	}
	params, err := l.kickOffParams()
	if err != nil {
		return err
	}
	exports, err := l.env.Exports(l.UserContext())
	if err != nil {
		return err
	}
	request := bulk.Request{
		Level: level, Group: l.Params("id"), Params: params, Lenient: prefs["handling"] == "lenient",
		URL: l.requestURL(), Base: l.addresses.FHIRBase, Client: l.access.ClientID,
		Organization: l.access.Organization, Constraint: l.constraint,
	}
	withheld := l.withholding(&request)
	job, err := exports.KickOff(l.UserContext(), l.view(), request)
	var forbidden *fhirstore.ForbiddenError
	if errors.As(err, &forbidden) && forbidden.Reason == fhirstore.NoLetter {
		// The rules word the refusal, and name the scope that would do.
		if err := l.require(forbidden.Type, authz.Read|authz.Search, "exports "+strings.Replace(forbidden.Type, authz.AnyType, "everything", 1)); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	if len(*withheld) > 0 {
		l.exchange.Checks = append(l.exchange.Checks, l.access.Withheld(*withheld))
	}
	l.Set(fiber.HeaderContentLocation, l.jobURL(job))
	l.Set("Preference-Applied", "respond-async")
	return l.send(fiber.StatusAccepted, fhirJSON, operationOutcome("information", "informational", "the export has been accepted; its status is at "+l.jobURL(job), ""))
}

// withholding has the export go on without the types that the token does not
// cover, where the behaviour says so, and returns where they will be listed.
func (l *call) withholding(request *bulk.Request) *[]string {
	var withheld []string
	if way := l.env.Auth.Behaviour().ExportMissing; way != authz.ExportDeny {
		request.TellWithheld = way == authz.ExportErrorEntry
		request.Withheld = func(typ string) bool {
			if l.access.Allows(typ, authz.Read|authz.Search).Granted {
				return false
			}
			if !slices.Contains(withheld, typ) {
				withheld = append(withheld, typ)
			}
			return true
		}
	}
	return &withheld
}

func (l *call) jobURL(job *bulk.Job) string { return l.addresses.FHIRBase + "/_export/" + job.ID }

// job finds the job that the URL names, if it is the caller's. What the caller's
// scopes cover of it is for requireAll.
func (l *call) job() (*bulk.Service, *bulk.Job, error) {
	if err := l.authenticate(); err != nil {
		return nil, nil, err
	}
	exports, err := l.env.Exports(l.UserContext())
	if err != nil {
		return nil, nil, err
	}
	job, err := exports.Find(l.UserContext(), l.access.ClientID, l.access.Organization, l.Params("job"))
	return exports, job, err
}

// constraint is the constraint under which the token may export a type, as one
// text; empty where it may without.
func (l *call) constraint(typ string) string {
	var texts []string
	for _, q := range l.access.Allows(typ, authz.Read|authz.Search).Constraints {
		texts = append(texts, q.String())
	}
	return strings.Join(texts, " ")
}

// requireAll checks that the token covers what the job holds of some types: as
// much as the token of the kick-off did, or all of it.
func (l *call) requireAll(job *bulk.Job, types []string) error {
	for _, typ := range types {
		if err := l.require(typ, authz.Read|authz.Search, "is about an export that holds "+typ); err != nil {
			return err
		}
		if now := l.constraint(typ); now != "" && now != job.Constraints[typ] {
			return l.access.OutsideConstraint("The export was started with a token that reaches other resources of the type "+typ, typ, authz.Read|authz.Search)
		}
	}
	return nil
}

// exportStatus is the Bulk Data Status Request.
func (l *call) exportStatus() error {
	exports, job, err := l.job()
	if err != nil {
		return err
	}
	if err := l.requireAll(job, job.Types); err != nil {
		return err
	}
	progress := exports.Progress(job)
	if l.Method() != fiber.MethodHead { // which changes nothing
		if progress, err = exports.Poll(l.UserContext(), job); err != nil {
			return err
		}
	}
	if !progress.Done {
		l.Set(fiber.HeaderRetryAfter, itoa(int64(progress.RetryAfter.Seconds())))
		l.Set("X-Progress", strconv.Itoa(progress.Percent)+"%")
		return l.Status(fiber.StatusAccepted).Send(nil)
	}
	// Expires goes by the clock of the Date header, whatever the workspace's says.
	left := exports.Expires(job).Sub(l.workspace.Clock.Now())
	l.Set(fiber.HeaderExpires, l.workspace.Wall.Now().Add(left).UTC().Format(httpDate))
	return l.json(fiber.StatusOK, job.Manifest(func(f bulk.File) string {
		return fmt.Sprintf("%s/%d/%s.ndjson", l.jobURL(job), f.Number, f.Type)
	}))
}

// exportDelete is the Bulk Data Delete Request. It shows nothing of the job's
// data, so that it needs no scopes.
func (l *call) exportDelete() error {
	exports, job, err := l.job()
	if err != nil {
		return err
	}
	if err := exports.Delete(l.UserContext(), job); err != nil {
		return err
	}
	return l.send(fiber.StatusAccepted, fhirJSON, operationOutcome("information", "informational", "the export is cancelled and its files are gone", ""))
}
