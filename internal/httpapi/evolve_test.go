package httpapi_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/sandbox"
)

// TestEvolve is about POST /_sandbox/data/evolve and what clients see of it.
func TestEvolve(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.WithPatients(30))
	control := func(body string) *answer {
		return w.at().send(t, "POST", "/_sandbox/data/evolve", body, "Content-Type", "application/json")
	}
	for name, body := range map[string]string{
		"no days": `{}`, "days below one": `{"days":-3}`, "too far": `{"days":731}`, "days in words": `{"days":"30"}`, "a member unknown": `{"day":30}`,
		"an environment unknown": `{"days":30,"environment":"staging"}`, "nothing": ``, "a member twice": `{"days":30,"days":31}`,
	} {
		t.Run(name, func(t *testing.T) { control(body).want(t, 400) })
	}
	before := w.all.export(t, "/$export")
	roster := func(id string) (on []string) {
		for _, payer := range []string{"payer-sandpiper", "payer-tern", "payer-dunegrass", "payer-saltmarsh"} {
			if strings.Contains(string(w.all.get(t, "/Group/"+payer).want(t, 200).body), "Patient/"+id+`"`) {
				on = append(on, payer)
			}
		}
		return on
	}
	joinsBefore, leavesBefore := roster("pt-000019"), roster("pt-000018")

	var done struct {
		Environment               string
		Day                       int
		Created, Updated, Deleted map[string]int
		Skipped                   int
	}
	control(`{"days":30}`).want(t, 200).decode(t, &done)
	if done.Environment != "sandbox" || done.Day != 30 || done.Created["Encounter"] == 0 || done.Updated["Group"] == 0 || done.Deleted["Patient"] != 1 || done.Skipped != 0 {
		t.Errorf("got %+v", done)
	}
	after := w.all.export(t, "/$export?_since="+before.TransactionTime)
	if got := len(w.all.exported(t, after, "Encounter")); got != done.Created["Encounter"]+done.Updated["Encounter"] {
		t.Errorf("_since finds %d encounters, %d were made", got, done.Created["Encounter"])
	}
	gone := 0
	for _, n := range done.Deleted {
		gone += n
	}
	if list := w.all.deletions(t, after); len(list) != gone || !slices.Contains(list, "Patient/pt-000014") {
		t.Errorf("got %d deletions, want %d with Patient/pt-000014: %v", len(list), gone, list)
	}
	w.all.get(t, "/Patient/pt-000014").want(t, 410)
	if got := w.all.get(t, "/Patient?link=Patient/pt-000016").bundle(t).ids("match"); !slices.Equal(got, []string{"pt-000017"}) {
		t.Errorf("pt-000016 replaces %v, want pt-000017", got)
	}
	if joins, leaves := roster("pt-000019"), roster("pt-000018"); len(joinsBefore) != 0 || len(joins) != 1 || len(leavesBefore) != 1 || len(leaves) != 0 {
		t.Errorf("pt-000019 was on the rosters %v and is on %v, pt-000018 was on %v and is on %v", joinsBefore, joins, leavesBefore, leaves)
	}
	t.Run("a late joiner", func(t *testing.T) {
		joined := roster("pt-000019")[0]
		m := w.all.export(t, "/Group/"+joined+"/$export?_type=Patient&_since="+before.TransactionTime)
		t.Logf("%d patients of Group/%s since then", len(w.all.exported(t, m, "Patient")), joined)
	})
	t.Run("what was deleted stays deleted", func(t *testing.T) {
		w.all.send(t, "DELETE", "/Patient/pt-000003", "")
		control(`{"days":200}`).want(t, 200).decode(t, &done)
		if done.Day != 230 || done.Skipped == 0 {
			t.Errorf("got day %d and %d skipped, want day 230 and some", done.Day, done.Skipped)
		}
		w.all.get(t, "/Patient/pt-000003").want(t, 410)
	})
	t.Run("production", func(t *testing.T) {
		control(`{"days":1,"environment":"production"}`).want(t, 200).decode(t, &done)
		if done.Environment != "production" || done.Day != 1 {
			t.Errorf("got day %d of %s", done.Day, done.Environment)
		}
	})
}

// TestEvolveWithoutPopulation: where there is nobody, nothing moves on.
func TestEvolveWithoutPopulation(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.WithPatients(0))
	w.at().send(t, "POST", "/_sandbox/data/evolve", `{"days":1}`, "Content-Type", "application/json").want(t, 409)
}
