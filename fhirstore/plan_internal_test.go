package fhirstore

import (
	"context"
	"database/sql"
	"strings"
	"sync"
	"testing"
	"time"
)

// A recorder keeps the queries that pass through it.
type recorder struct {
	querier

	mu      sync.Mutex
	queries []recorded
}

type recorded struct {
	text string
	args []any
}

func (r *recorder) add(text string, args []any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.queries = append(r.queries, recorded{text, args})
}

func (r *recorder) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	r.add(query, args)
	return r.querier.QueryContext(ctx, query, args...)
}

func (r *recorder) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	r.add(query, args)
	return r.querier.QueryRowContext(ctx, query, args...)
}

// take returns what was recorded since it was last called.
func (r *recorder) take() []recorded {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.queries
	r.queries = nil
	return taken
}

// record puts a recorder before the store's readers.
func record(s *Store) *recorder {
	d := s.cur.Load()
	r := &recorder{querier: d.read}
	s.cur.Store(&data{db: d.db, read: r, packs: d.packs})
	return r
}

// exportRecorded is Export with a recorder before its transaction.
func exportRecorded(t *testing.T, s *Store, v View, sel Selection) ([]recorded, *Snapshot) {
	t.Helper()
	tx, err := s.beginRead(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.end()
	r := &recorder{querier: tx.Tx}
	e := exporter{store: s, ctx: t.Context(), tx: r, packs: tx.data.packs, view: v, sel: sel, snap: &Snapshot{At: tx.at}}
	if err := e.run(); err != nil {
		t.Fatal(err)
	}
	return r.take(), e.snap
}

// plan returns the lines of a statement's plan.
func plan(t *testing.T, s *Store, q recorded) []string {
	t.Helper()
	var lines []string
	err := each(t.Context(), s.cur.Load().db.Read(), func(rows *sql.Rows) error {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			return err
		}
		lines = append(lines, detail)
		return nil
	}, "EXPLAIN QUERY PLAN "+q.text, q.args...)
	if err != nil {
		t.Errorf("%v\nof %s", err, q.text)
	}
	return lines
}

// wantSeeks checks that no statement reads a table from end to end that grows
// with the data.
func wantSeeks(t *testing.T, s *Store, queries []recorded) {
	t.Helper()
	if len(queries) == 0 {
		t.Error("nothing was recorded")
	}
	for _, q := range queries {
		for _, line := range plan(t, s, q) {
			if readsAll(line) {
				t.Errorf("%s\nof %s", line, q.text)
			}
		}
	}
}

// readsAll judges one line of a query plan.
func readsAll(detail string) bool {
	for _, all := range []string{
		"AUTOMATIC",                            // an index made for the occasion
		"USING INTEGER PRIMARY KEY (rowid>?)",  // everything behind a row
		"sqlite_autoindex_resource_1 (type=?)", // a type, dead or alive, in the order of ids
	} {
		if strings.Contains(detail, all) {
			return true
		}
	}
	scanned, ok := strings.CutPrefix(detail, "SCAN ")
	if !ok {
		return false
	}
	name, _, _ := strings.Cut(scanned, " ")
	isHandedIn := name == "json_each" || name == "CONSTANT" || strings.HasSuffix(scanned, "VALUES CLAUSE")
	isPart := name[0] == '(' // what another part of the query gave
	isSmall := name == "meta" || name == "pack" || name == "spans"
	return !isHandedIn && !isPart && !isSmall
}

// TestPlans asks SQLite for the plan of every statement of reads, histories,
// searches, exports and a write, under a view that nothing narrows and one that
// constraints and organizations do.
func TestPlans(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s, err := Open(ctx, t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	whole := Everything()
	for _, body := range []string{
		`{"resourceType":"Organization","id":"payer"}`,
		`{"resourceType":"Patient","id":"a","name":[{"family":"Abe"}],"gender":"female","birthDate":"1970-01-01"}`,
		`{"resourceType":"Group","id":"g","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/a"}}]}`,
		`{"resourceType":"Observation","id":"o","status":"final","subject":{"reference":"Patient/a"},"effectiveDateTime":"2025-01-01T08:00:00Z"}`,
		`{"resourceType":"Provenance","id":"v","target":[{"reference":"Observation/o"}]}`,
	} {
		typ := strings.Split(body, `"`)[3]
		id := strings.Split(body, `"`)[7]
		for range 2 {
			owned := whole // what is written belongs to the organization that is looked as
			if typ != "Organization" {
				owned.Owner = "payer"
			}
			if _, _, err := s.Update(ctx, owned, typ, id, []byte(body), Condition{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	narrow := View{Organizations: []string{"payer"}, Permissions: []Permission{
		{Type: "Patient", Letters: AllLetters, Query: "gender=female"}, {Type: "Observation", Letters: AllLetters, Query: "status=final&patient=Patient/a"}, {Type: "StructureDefinition", Letters: AllLetters}}}
	page, err := cursor{RID: 1}.token()
	if err != nil {
		t.Fatal(err)
	}
	r := record(s)
	views := map[string]View{"whole": whole, "narrow": narrow}
	for name, v := range views {
		t.Run(name+" view, reads", func(t *testing.T) {
			for what, err := range map[string]error{
				"read": second(s.Read(ctx, v, "Patient", "a")), "version": second(s.ReadVersion(ctx, v, "Patient", "a", "1")), "history": func() error {
					_, _, err := s.History(ctx, v, "Patient", "a", HistoryQuery{Since: time.UnixMilli(1), Count: 1})
					return err
				}(),
			} {
				if err != nil {
					t.Errorf("%s: %v", what, err)
				}
			}
			wantSeeks(t, s, r.take())
		})
		for _, search := range []string{
			"Patient?", "Patient?gender=female", "Patient?gender=female,male,http://x|y", "Patient?gender:not=male", "Patient?gender=female&_count=1&_page=" + page,
			"Patient?name=a", "Patient?name:exact=Abe", "Patient?name:contains=b", "Patient?name=a&gender=female&birthdate=lt2000",
			"Patient?birthdate=1970", "Patient?birthdate=ge1970&birthdate=lt1971", "Observation?date=gt2025", "Observation?date=ge2025-01-01,sa2025", "Observation?date=le2025&date=eb2025", "Observation?date=ap2025", "Observation?date=ne2025",
			"Observation?patient=a", "Observation?subject=Patient/a,Patient/b", "Observation?subject:missing=false", "Observation?subject:missing=true",
			"Observation?value-quantity=gt5", "Observation?value-quantity=5|http://x|y", "StructureDefinition?url=http://x", "Patient?_id=a,b", "Patient?_lastUpdated=gt2020", "Observation?patient=a&_lastUpdated=gt2020",
			"Observation?patient=a&status=final&date=ge2024&_include=Observation:subject", "Patient?_id=a&_revinclude=Observation:patient", "Patient?_id=a&_revinclude=Observation:patient&_include:iterate=Observation:subject",
			"Observation?value-quantity=ge5,ap6", "Observation?code-value-quantity=a$gt5,b$5", "Observation?code-value-quantity=a$ap5||mg&status=final", "Observation?code-value-concept=a$b,c$d", "Observation?code-value-string=a$b", "Observation?code-value-date=a$ge2025,b$ap2025",
			"Observation?code:text=a", "Observation?subject:identifier=a|b", "Patient?identifier:of-type=a|b|c", "StructureDefinition?url:below=http://x", "StructureDefinition?url:above=http://x/y",
			"Observation?patient.name=abe", "Observation?subject:Patient.gender=female&status=final", "Patient?_has:Observation:patient:status=final", "Patient?gender=female&_sort=-birthdate,name", "Patient?_sort=_lastUpdated",
		} {
			t.Run(name+" view, "+search, func(t *testing.T) {
				typ, query, _ := strings.Cut(search, "?")
				params, err := ParseParams(query)
				if err != nil {
					t.Fatal(err)
				}
				q, err := s.Query(typ, params, QueryOptions{Strict: true})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := s.Search(ctx, v, q); err != nil {
					t.Fatal(err)
				}
				wantSeeks(t, s, r.take())
			})
		}
		t.Run(name+" view, across types", func(t *testing.T) {
			types := []string{"Observation", "Patient"}
			inCompartment, err := s.QueryAll(types, nil, QueryOptions{Patient: "a"})
			if err != nil {
				t.Fatal(err)
			}
			byID, err := s.QueryAll(types, []Param{{"_id", "a"}}, QueryOptions{})
			if err != nil {
				t.Fatal(err)
			}
			ofType, err := s.Query("Observation", []Param{{"status", "final"}}, QueryOptions{Patient: "a"})
			if err != nil {
				t.Fatal(err)
			}
			for _, q := range []*Query{inCompartment, byID, ofType} {
				if _, err := s.Search(ctx, v, q); err != nil {
					t.Error(err)
				}
			}
			wantSeeks(t, s, r.take())
		})
		t.Run(name+" view, history of a type", func(t *testing.T) {
			if _, _, _, err := s.HistoryOf(ctx, v, []string{"Patient"}, HistoryQuery{Since: time.UnixMilli(1), Count: 1, Before: 1 << 40}); err != nil {
				t.Fatal(err)
			}
			wantSeeks(t, s, r.take())
		})
		filter, err := s.filter("Observation", "status=final&date=ge2020")
		if err != nil {
			t.Fatal(err)
		}
		for what, sel := range map[string]Selection{
			"system":                             {},
			"patients":                           {Level: PatientLevel},
			"patients since":                     {Level: PatientLevel, Since: time.UnixMilli(1), Until: time.UnixMilli(1 << 50)},
			"system since":                       {Since: time.UnixMilli(1)},
			"some patients":                      {Level: PatientLevel, Patients: []string{"a"}},
			"some patients since":                {Level: PatientLevel, Patients: []string{"a"}, Since: time.UnixMilli(1)},
			"by filter":                          {Types: []string{"Observation"}, Filters: []*Query{filter}},
			"by filter of patients":              {Level: PatientLevel, Types: []string{"Observation"}, Filters: []*Query{filter}},
			"all Provenance of what is exported": {Types: []string{"Observation", "Patient"}, Associated: RelevantProvenance},
			"the newest Provenance of patients":  {Level: PatientLevel, Types: []string{"Patient"}, Associated: LatestProvenance},
			"the newest Provenance of some":      {Level: PatientLevel, Patients: []string{"a"}, Types: []string{"Patient", "Observation"}, Associated: LatestProvenance},
			"blocks of all":                      {OrganizeBy: "Patient"},
			"blocks of patients":                 {Level: PatientLevel, OrganizeBy: "Patient"},
			"blocks of some patients":            {Level: PatientLevel, Patients: []string{"a"}, OrganizeBy: "Patient"},
			"small files":                        {MaxRows: 1, MaxBytes: 1},
			"group":                              {Level: GroupLevel, Group: "g"},
			"group, changes alone":               {Level: GroupLevel, Group: "g", Since: time.UnixMilli(1), OnlyChanges: true},
			"group since":                        {Level: GroupLevel, Group: "g", Since: time.UnixMilli(1)},
		} {
			if name == "narrow" && (sel.Level == GroupLevel || sel.Associated != "") {
				continue // which shows neither Group nor Provenance
			}
			t.Run(name+" view, export of "+what, func(t *testing.T) {
				queries, _ := exportRecorded(t, s, v, sel)
				wantSeeks(t, s, queries)
			})
		}
	}
	t.Run("writes", func(t *testing.T) {
		var statements []recorded
		err := s.write(ctx, func(tx *writeTx) error {
			g, err := s.gateIn(ctx, tx, narrow, "Patient", LetterUpdate)
			if err != nil {
				return err
			}
			old, err := lookUp(ctx, tx, "Patient", "a")
			if err != nil {
				return err
			}
			if err := g.touches(ctx, tx.data(), old); err != nil {
				return err
			}
			d, err := newDraft("Patient", []byte(`{"resourceType":"Patient","id":"a","gender":"female"}`))
			if err != nil {
				return err
			}
			if _, err := tx.put(ctx, &newVersion{typ: "Patient", id: "a", old: old, draft: d, gates: []*gate{g}, op: OpUpdate}); err != nil {
				return err
			}
			if old, err = lookUp(ctx, tx, "Patient", "a"); err != nil {
				return err
			}
			if _, err := tx.appendTombstone(ctx, old); err != nil {
				return err
			}
			for statement := range tx.Statements() {
				statements = append(statements, recorded{statement, make([]any, strings.Count(statement, "?"))})
			}
			return nil
		})
		if err != nil || len(statements) < 10 {
			t.Fatalf("%d statements, error %v", len(statements), err)
		}
		wantSeeks(t, s, statements)
	})
}

func second[T any](_ T, err error) error { return err }

// TestPlansAreBounded looks for the bounds that keep the cost of a statement
// from following the number of resources of a type.
func TestPlansAreBounded(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Create(t.Context(), Everything(), "Patient", []byte(`{"resourceType":"Patient"}`)); err != nil {
		t.Fatal(err)
	}
	page, err := cursor{RID: 1}.token()
	if err != nil {
		t.Fatal(err)
	}
	r := record(s)
	ofType := func(typ, query string) []recorded {
		params, err := ParseParams(query)
		if err != nil {
			t.Fatal(err)
		}
		q, err := s.Query(typ, params, QueryOptions{Strict: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Search(t.Context(), Everything(), q); err != nil {
			t.Fatal(err)
		}
		return r.take()
	}
	ofSearch := func(query string) []recorded { return ofType("Patient", query) }
	ofExport := func(sel Selection) []recorded {
		queries, _ := exportRecorded(t, s, Everything(), sel)
		return queries
	}
	for _, c := range []struct {
		name    string
		queries []recorded
		bound   string
	}{
		{"a page begins where the one before ended, in order", ofSearch("_count=10&_page=" + page), "resource_type (type=? AND live=? AND rowid>?)"},
		{"a date has both ends", ofSearch("birthdate=1970"), "ix_date_value (param=? AND span=? AND lo>? AND lo<?)"},
		{"a date about another has both ends", ofSearch("birthdate=ap1970"), "ix_date_value (param=? AND span=? AND lo>? AND lo<?)"},
		{"a number begins at its bound", ofType("Observation", "value-quantity=gt5"), "ix_number_value (param=? AND lo>?)"},
		{"a range of numbers, too", ofType("Observation", "value-quantity=gt5"), "ix_number_wide (param=? AND hi>?)"},
		{"a composite has its token and the bounds of what is beside it", ofType("Observation", "code-value-quantity=a$5"), "ix_token_number_value (param=? AND head_code=? AND lo>? AND lo<?)"},
		{"a composite with a prefix", ofType("Observation", "code-value-quantity=a$ge5"), "ix_token_number_wide (param=? AND head_code=? AND hi>?)"},
		{"a composite of two tokens", ofType("Observation", "code-value-concept=a$b"), "ix_token_token_value (param=? AND head_code=? AND code=?)"},
		{"a composite with a text", ofType("Observation", "code-value-string=a$b"), "ix_token_string_value (param=? AND head_code=? AND norm>? AND norm<?)"},
		{"a composite with a date", ofType("Observation", "code-value-date=a$2025"), "ix_token_date_value (param=? AND head_code=? AND span=? AND lo>? AND lo<?)"},
		{"a composite with a reference", ofType("DocumentReference", "relationship=a$b"), "ix_token_ref_value (param=? AND head_code=? AND target=?)"},
		{"the type of an identifier", ofSearch("identifier:of-type=a|b|c"), "ix_token_token_value (param=? AND head_code=? AND code=?)"},
		{"a URL below another", ofType("StructureDefinition", "url:below=http://x"), "ix_uri_value (param=? AND value>? AND value<?)"},
		{"a name has both ends", ofSearch("name=abe"), "ix_string_value (param=? AND norm>? AND norm<?)"},
		{"an increment begins at its instant", ofExport(Selection{Types: []string{"Patient"}, Since: time.UnixMilli(1)}), "resource_at (type=? AND at>?)"},
		{"an increment of patients, too", ofExport(Selection{Level: PatientLevel, Types: []string{"Patient"}, Since: time.UnixMilli(1)}), "resource_at (type=? AND at>?)"},
		{"loose rows are found without the others", ofExport(Selection{Types: []string{"Patient"}}), "resource_extent (type=? AND live=? AND pack=?)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var lines []string
			for _, q := range c.queries {
				lines = append(lines, plan(t, s, q)...)
			}
			if all := strings.Join(lines, "\n"); !strings.Contains(all, c.bound) {
				t.Errorf("the plans do not have %s:\n%s", c.bound, all)
			}
		})
	}
}
