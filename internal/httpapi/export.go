package httpapi

import (
	"encoding/json"
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

func (l *call) exportSystem() error { return l.kickOff(fhirstore.SystemLevel, l.env.Export().Version) }
func (l *call) exportPatients() error {
	return l.kickOff(fhirstore.PatientLevel, l.env.Export().Version)
}
func (l *call) exportGroup() error { return l.kickOff(fhirstore.GroupLevel, l.env.Export().Version) }

// The same by the name that leaves $export to an earlier version (Bulk Data
// Access 4.0.0-ballot, Server Capability Documentation).
func (l *call) exportSystem4() error   { return l.kickOff(fhirstore.SystemLevel, bulk.Version4) }
func (l *call) exportPatients4() error { return l.kickOff(fhirstore.PatientLevel, bulk.Version4) }
func (l *call) exportGroup4() error    { return l.kickOff(fhirstore.GroupLevel, bulk.Version4) }

const separateStatus = "separate-export-status"

// kickOff is the Bulk Data Kick-off Request.
func (l *call) kickOff(level fhirstore.Level, version bulk.Version) error {
	if err := l.authenticate(); err != nil {
		return err
	}
	if methods := version.Methods(); !slices.Contains(methods, l.Method()) {
		return l.methodNotAllowed(methods, fmt.Sprintf("a kick-off of Bulk Data Access %s is a %s", version, strings.Join(methods, " or a ")))
	}
	if level == fhirstore.GroupLevel && l.env.Export().GroupScope {
		if err := l.require("Group", authz.Read, "is the export of a group"); err != nil {
			return err
		}
	}
	prefs := l.preferences()
	if err := l.kickOffHeaders(prefs); err != nil {
		return err
	}
	lenient := prefs["handling"] == "lenient" && version != bulk.Version1
	params, err := l.kickOffParams()
	if err != nil {
		return err
	}
	exports, err := l.env.Exports(l.UserContext())
	if err != nil {
		return err
	}
	_, separate := prefs[separateStatus]
	separate = separate && l.env.Export().SeparateStatus && version >= bulk.Version2
	standing, err := l.env.Auth.Standing(l.UserContext(), l.access.ClientID)
	if err != nil {
		return err
	}
	if l.everybody && level == fhirstore.GroupLevel {
		if level, err = l.levelOfEmptyGroup(); err != nil {
			return err
		}
	}
	request := bulk.Request{
		Version: version, Level: level, Group: l.Params("id"), Params: params, Lenient: lenient, SeparateStatus: separate,
		URL: l.requestURL(), Base: l.addresses.FHIRBase, Client: l.access.ClientID, Standing: standing, Pages: l.pages,
	}
	l.withhold(&request)
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
	if len(job.Withheld) > 0 {
		l.exchange.Checks = append(l.exchange.Checks, l.access.Withheld(job.Withheld))
	}
	l.notice(job.Notices...)
	applied := "respond-async"
	if separate {
		applied += ", " + separateStatus
	}
	return l.accepted(job, applied, "the export has been accepted; its status is at "+l.jobURL(job))
}

// levelOfEmptyGroup is the level at which a server exports a group that takes one
// without members for all patients.
func (l *call) levelOfEmptyGroup() (fhirstore.Level, error) {
	store, err := l.data()
	if err != nil {
		return 0, err
	}
	group, err := store.Read(l.UserContext(), l.view(), "Group", l.Params("id"))
	if err != nil {
		return 0, err
	}
	var members struct {
		Member []json.RawMessage `json:"member"`
	}
	if err := json.Unmarshal(group.JSON, &members); err != nil {
		return 0, fmt.Errorf("read Group/%s: %w", l.Params("id"), err)
	}
	if len(members.Member) > 0 {
		return fhirstore.GroupLevel, nil
	}
	return fhirstore.PatientLevel, nil
}

// withhold has the export go on without the types that the token does not cover,
// where the behaviour says so.
func (l *call) withhold(request *bulk.Request) {
	way := l.env.Auth.Behaviour().ExportMissing
	if way == authz.ExportDeny {
		return
	}
	request.TellWithheld = way == authz.ExportErrorEntry
	request.Withheld = func(typ string) bool { return !l.access.Allows(typ, authz.Read|authz.Search).Granted }
}

// accepted answers that a job has begun.
func (l *call) accepted(job *bulk.Job, applied, text string) error {
	l.Set(fiber.HeaderContentLocation, l.jobURL(job))
	l.Set("Preference-Applied", applied)
	return l.send(fiber.StatusAccepted, fhirJSON, operationOutcome("information", "informational", text, ""))
}

// kickOffHeaders judges Prefer and Accept. What the behaviour lets pass is
// noticed.
func (l *call) kickOffHeaders(prefs map[string]string) error {
	behaviour := l.env.Export()
	wrong := func(strict bool, id, message string) error {
		if strict {
			return &bulk.Error{ID: id, Code: "required", Message: message}
		}
		l.notice(bulk.Notice{ID: id, Text: message + ", by servers stricter than this one"})
		return nil
	}
	if _, ok := prefs["respond-async"]; !ok {
		if err := wrong(behaviour.StrictPrefer, "B01", "an export has to be asked for with the header Prefer: respond-async"); err != nil {
			return err
		}
	}
	if accept := l.accept(); !accepts(accept, fhirJSON) {
		return wrong(behaviour.StrictAccept, "B02", fmt.Sprintf("an export has to be asked for with the header Accept: application/fhir+json; this request has %q", accept))
	}
	return nil
}

func (l *call) jobURL(job *bulk.Job) string { return l.addresses.FHIRBase + "/_export/" + job.ID }

func (l *call) fileURL(job *bulk.Job, f bulk.File) string {
	return fmt.Sprintf("%s/%d/%s", l.jobURL(job), f.Number, job.Name(&f))
}

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
	job, err := exports.Find(l.UserContext(), l.view(), l.access.ClientID, l.Params("job"))
	return exports, job, err
}

// requireAll checks that the token covers what the job holds of some types: as
// much as the token of the kick-off did, or all of it.
func (l *call) requireAll(job *bulk.Job, types []string) error {
	for _, typ := range types {
		if err := l.require(typ, authz.Read|authz.Search, "is about an export that holds "+typ); err != nil {
			return err
		}
		if !job.Covers(l.view(), typ) {
			return l.access.OutsideConstraint("The export was started with a token that reaches other resources of the type "+typ, typ, authz.Read|authz.Search)
		}
	}
	return nil
}

// exportStatus is the Bulk Data Status Request. A failure of ours is one of the
// request alone: the export goes on.
func (l *call) exportStatus() error {
	err := l.statusOfJob()
	if err == nil {
		return nil
	}
	e := l.asHTTP(err)
	if e.status == fiber.StatusInternalServerError {
		return &httpError{status: fiber.StatusServiceUnavailable, code: "transient", message: "the status cannot be told just now, and the export goes on; the server's log has the reason",
			header: map[string]string{fiber.HeaderRetryAfter: "1"}}
	}
	return e
}

func (l *call) statusOfJob() error {
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
		if err := l.polledEarly(progress); err != nil {
			return err
		}
	}
	status := fiber.StatusOK
	if !progress.Done {
		status = fiber.StatusAccepted
		l.Set(fiber.HeaderRetryAfter, itoa(int64(progress.RetryAfter.Seconds())))
		l.Set("X-Progress", strconv.Itoa(progress.Percent)+"%")
	}
	if job.SeparateStatus {
		l.Set("X-Export-Status", strconv.Itoa(status)+" "+map[int]string{fiber.StatusOK: "OK", fiber.StatusAccepted: "Accepted"}[status])
		status = fiber.StatusOK
	}
	switch {
	case progress.Done && job.Answer != nil:
		return l.send(status, fhirJSON, job.Answer)
	case progress.Available == 0:
		return l.Status(status).Send(nil)
	}
	return l.manifest(status, exports, job, 1, progress.Available)
}

// manifest answers with a page of a job's manifest.
func (l *call) manifest(status int, exports *bulk.Service, job *bulk.Job, page, available int) error {
	manifest, err := exports.Manifest(l.UserContext(), job, page, available, bulk.URLs{
		File: func(f bulk.File) string {
			if job.OpenFiles {
				return l.fileURL(job, f) + exports.Link(job, f)
			}
			return l.fileURL(job, f)
		},
		Page: func(page int) string { return fmt.Sprintf("%s/manifest/%d", l.jobURL(job), page) },
	})
	if err != nil {
		return err
	}
	l.shown = job
	// Expires goes by the clock of the Date header, whatever the workspace's says.
	left := job.ExpiresAt.Sub(l.workspace.Clock.Now())
	l.Set(fiber.HeaderExpires, l.workspace.Wall.Now().Add(left).UTC().Format(httpDate))
	return l.json(status, manifest)
}

// exportManifest is the request for a further page of a manifest (Bulk Data
// Access 3.0.0, manifest, link).
func (l *call) exportManifest() error {
	exports, job, err := l.job()
	if err != nil {
		return err
	}
	if err := l.requireAll(job, job.Types); err != nil {
		return err
	}
	page, err := strconv.Atoi(l.Params("page"))
	if available := exports.Progress(job).Available; err == nil && page >= 1 && page <= available && job.Answer == nil {
		return l.manifest(fiber.StatusOK, exports, job, page, available)
	}
	return l.noFile("the manifest of the export job %s has no page %s by now; links of the pages before lead to those that it has", job.ID, l.Params("page"))
}

// exportDelete is the Bulk Data Delete Request. It shows nothing of the job's
// data, so that it needs no scopes.
func (l *call) exportDelete() error {
	exports, job, err := l.job()
	if err != nil {
		return err
	}
	l.notice(exports.Unread(job)...)
	if err := exports.Delete(l.UserContext(), job); err != nil {
		return err
	}
	return l.send(fiber.StatusAccepted, fhirJSON, operationOutcome("information", "informational", "the export is cancelled and its files are gone", ""))
}
