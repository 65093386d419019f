package fhirstore

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
)

// MemberFilter is the modifier extension that says by what the members of a
// Group were chosen (Bulk Data Access 3.0.0, Bulk Cohort Group). An export
// understands it; with any other modifier extension a Group does not mean what
// it seems to.
const MemberFilter = "http://hl7.org/fhir/uv/bulkdata/StructureDefinition/member-filter"

// A ModifiedGroupError says that an export names a Group that a modifier
// extension changes in a way that nobody here knows.
type ModifiedGroupError struct{ Group, Extension string }

func (e *ModifiedGroupError) Error() string {
	if e.Extension == "" {
		return fmt.Sprintf("Group/%s has a modifierExtension that is no array, so that nobody can say who its members are", e.Group)
	}
	return fmt.Sprintf("Group/%s has the modifier extension %s, which is not understood here, so that nobody can say who its members are", e.Group, e.Extension)
}

// ofGroup finds whose compartments a group export has: of the members that are
// neither inactive nor outside of their period, of Groups that are members too.
// Members that are no patients have none.
func (e *exporter) ofGroup() error {
	group, err := e.group()
	if err != nil {
		return err
	}
	if err := plainGroup(group); err != nil {
		return err
	}
	members, err := e.members()
	if err != nil {
		return fmt.Errorf("members of Group/%s: %w", e.sel.Group, err)
	}
	isMember, isAsked := map[string]bool{}, map[string]bool{}
	for _, id := range members {
		isMember[id] = true
	}
	for _, id := range e.sel.Patients {
		if isAsked[id] = true; !isMember[id] {
			return &NotMemberError{Group: e.sel.Group, Patient: id}
		}
	}
	if e.sel.Patients != nil {
		members = slices.DeleteFunc(members, func(id string) bool { return !isAsked[id] })
	}
	if e.everInScope, err = jsonList(members); err != nil {
		return err
	}
	living, err := e.living(members)
	if err != nil {
		return fmt.Errorf("members of Group/%s: %w", e.sel.Group, err)
	}
	if e.inScope, err = jsonList(living); err != nil {
		return err
	}
	if e.sel.Since.IsZero() || e.sel.OnlyChanges {
		return nil
	}
	before := map[string]bool{}
	if err := e.membersAt(e.sel.Since, e.sel.Group, map[string]bool{}, before); err != nil {
		return fmt.Errorf("members of Group/%s at %s: %w", e.sel.Group, FormatInstant(e.sel.Since), err)
	}
	joined := slices.DeleteFunc(living, func(id string) bool { return before[id] })
	if len(joined) > 0 {
		e.joined, err = jsonList(joined)
	}
	return err
}

// group returns the Group, or why the view may not read it.
func (e *exporter) group() (*Resource, error) {
	g, r, err := e.store.find(e.ctx, e.tx, e.groupView(), "Group", e.sel.Group)
	if err != nil {
		return nil, err
	}
	return g.current(e.ctx, e.tx, e.packs, r)
}

// groupView is what shows Groups: the view, and more than it where the selection
// takes any Group.
func (e *exporter) groupView() View {
	v := e.view
	if e.sel.AnyGroup {
		v.Permissions = append(slices.Clone(v.Permissions), Permission{Type: "Group", Letters: LetterRead})
	}
	return v
}

// plainGroup refuses a Group with a modifier extension that is not understood.
func plainGroup(group *Resource) error {
	root, err := fhirjson.Parse(group.JSON)
	if err != nil {
		return fmt.Errorf("parse stored Group/%s: %w", group.ID, err)
	}
	if list := root.Get("modifierExtension"); list != nil {
		if list.Kind != fhirjson.Array { // stored without validation
			return &ModifiedGroupError{group.ID, ""}
		}
		for i := range list.Items {
			if url := list.Items[i].Str("url"); url != MemberFilter {
				return &ModifiedGroupError{group.ID, url}
			}
		}
	}
	return nil
}

// members are the ids of the Group's members at the snapshot's instant that are
// patients.
func (e *exporter) members() (ids []string, err error) {
	g, err := e.store.gateIn(e.ctx, e.tx, e.groupView(), "Group", LetterRead)
	if err != nil {
		return nil, err
	}
	shown, args := g.where()
	seen := map[string]bool{"Group/" + e.sel.Group: true}
	for groups := []string{e.sel.Group}; len(groups) > 0; groups = groups[1:] {
		err := each(e.ctx, e.tx, func(rows *sql.Rows) error {
			var member string
			var group bool
			if err := rows.Scan(&member, &group); err != nil || seen[member] {
				return err
			}
			seen[member] = true
			if id, ok := strings.CutPrefix(member, "Patient/"); ok {
				ids = append(ids, id)
			} else if group {
				groups = append(groups, strings.TrimPrefix(member, "Group/"))
			}
			return nil
		}, `SELECT m.member, EXISTS (SELECT 1 FROM resource r WHERE r.type = 'Group' AND r.id = substr(m.member, 7) AND r.live = 1
				AND substr(m.member, 1, 6) = 'Group/' AND `+shown+`)
			FROM member m WHERE m.grp = ? AND m.inactive = 0 AND m.joined <= ? AND m.ended > ? ORDER BY m.member`,
			append(slices.Clone(args), groups[0], toMillis(e.snap.At), toMillis(e.snap.At))...)
		if err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// mostNotes is how many members are named that cannot be exported.
const mostNotes = 100

// living are those of the members whose Patient is there; the others are noted.
func (e *exporter) living(members []string) ([]string, error) {
	list, err := jsonList(members)
	if err != nil {
		return nil, err
	}
	live := map[string]bool{}
	err = each(e.ctx, e.tx, func(rows *sql.Rows) error {
		var id string
		if err := rows.Scan(&id); err != nil {
			return err
		}
		live[id] = true
		return nil
	}, "SELECT id FROM resource WHERE type = 'Patient' AND live = 1 AND id IN (SELECT value FROM json_each(?))", list)
	if err != nil {
		return nil, err
	}
	var living []string
	missing := 0
	for _, id := range members {
		if live[id] {
			living = append(living, id)
			continue
		}
		if missing++; missing <= mostNotes {
			e.snap.Notes = append(e.snap.Notes, fmt.Sprintf("Patient/%s is a member of Group/%s and is not exported: there is no such Patient, or it was deleted", id, e.sel.Group))
		}
	}
	if more := missing - mostNotes; more > 0 {
		e.snap.Notes = append(e.snap.Notes, fmt.Sprintf("%d more members of Group/%s are not exported: there are no such Patients", more, e.sel.Group))
	}
	return living, nil
}

// membersAt adds to ids the patients who were members of a group at an instant,
// by the version that it then had. seen are groups that have been looked at.
func (e *exporter) membersAt(at time.Time, group string, seen, ids map[string]bool) error {
	if seen[group] {
		return nil
	}
	seen[group] = true
	var b body
	var op string
	err := e.tx.QueryRowContext(e.ctx, `SELECT v.op, v.pack, v.off, v.len, v.seq FROM resource r JOIN version v ON v.rid = r.rid
		WHERE r.type = 'Group' AND r.id = ? AND v.at <= ? ORDER BY v.seq DESC LIMIT 1`, group, toMillis(at)).Scan(&op, &b.pack, &b.off, &b.len, &b.seq)
	if errors.Is(err, sql.ErrNoRows) || err == nil && op == string(rune(OpDelete)) {
		return nil
	}
	if err != nil {
		return err
	}
	text, err := e.packs.readBody(e.ctx, e.tx, b)
	if err != nil {
		return err
	}
	root, err := fhirjson.Parse(text)
	if err != nil {
		return fmt.Errorf("parse stored Group/%s: %w", group, err)
	}
	now := toMillis(at)
	for _, m := range groupMembers(root) {
		if !m.active(now) {
			continue
		}
		if id, ok := strings.CutPrefix(m.target, "Patient/"); ok {
			ids[id] = true
		} else if id, ok := strings.CutPrefix(m.target, "Group/"); ok {
			if err := e.membersAt(at, id, seen, ids); err != nil {
				return err
			}
		}
	}
	return nil
}
