package fhirstore

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
)

// writerProcess names the directory that TestWriterProcess writes to.
const writerProcess = "TEST_WRITER_PROCESS"

// TestWriterProcess is the process that TestKilledWhileWriting kills; on its
// own it has nothing to do. It prints what was acknowledged: a type, an id and
// a version a line.
func TestWriterProcess(t *testing.T) {
	dir, ok := os.LookupEnv(writerProcess)
	if !ok {
		return
	}
	ctx := context.Background()
	s, err := Open(ctx, dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var printing sync.Mutex
	acknowledge := func(res *Resource, err error) {
		if err != nil {
			t.Error(err)
			os.Exit(1)
		}
		printing.Lock()
		defer printing.Unlock()
		fmt.Println(res.Type, res.ID, res.Version)
	}
	for writer := range 4 {
		go func() {
			for n := 0; ; n++ {
				id := fmt.Sprintf("w%d-%d", writer, n)
				patient := func(gender string) []byte {
					return fmt.Appendf(nil, `{"resourceType":"Patient","id":%q,"gender":%q,"identifier":[{"value":%q}],"name":[{"family":"F%d"}]}`, id, gender, id, n%7)
				}
				res, _, err := s.Update(ctx, Everything(), "Patient", id, patient("male"), Condition{})
				acknowledge(res, err)
				switch n % 3 {
				case 0:
					res, _, err := s.Update(ctx, Everything(), "Patient", id, patient("female"), Condition{})
					acknowledge(res, err)
				case 1:
					res, err := s.Delete(ctx, Everything(), "Patient", id, Condition{})
					acknowledge(res, err)
				case 2:
					done, err := s.Transact(ctx, Everything(), Transaction{Changes: []Change{
						{Interaction: Create, Type: "Observation", FullURL: "urn:uuid:1", Body: []byte(`{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient?identifier=` + id + `"}}`)},
						{Interaction: Create, Type: "Observation", Body: []byte(`{"resourceType":"Observation","status":"final","code":{"text":"y"},"hasMember":[{"reference":"urn:uuid:1"}]}`)},
					}}, nil)
					if err != nil {
						acknowledge(nil, err)
					}
					acknowledge(done[0].Resource, nil)
					acknowledge(done[1].Resource, nil)
				}
			}
		}()
	}
	select {}
}

// TestKilledWhileWriting kills a process in the middle of its writes, several
// times over the same store: nothing that was acknowledged is lost, transactions
// are whole, and the search rows are those that the log of versions gives.
func TestKilledWhileWriting(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	acknowledged := map[string]int64{}
	for range 3 {
		writeAndKill(t, dir, 100+rand.IntN(300), acknowledged)
		s, err := Open(t.Context(), dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for key, version := range acknowledged {
			typ, id, _ := strings.Cut(key, "/")
			var latest int64
			if err := s.cur.Load().read.QueryRowContext(t.Context(), "SELECT r.vid FROM resource r WHERE r.type = ? AND r.id = ?", typ, id).Scan(&latest); err != nil || latest < version {
				t.Errorf("%s is at version %d, error %v; acknowledged was %d", key, latest, err, version)
			}
		}
		wantSound(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// writeAndKill starts a writer, reads so many acknowledgements, and kills it.
func writeAndKill(t *testing.T, dir string, n int, acknowledged map[string]int64) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestWriterProcess$")
	cmd.Env = append(os.Environ(), writerProcess+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	read := 0
	for lines.Scan() {
		var typ, id string
		var version int64
		if _, err := fmt.Sscan(lines.Text(), &typ, &id, &version); err != nil {
			t.Errorf("the writer says %q", lines.Text())
		}
		acknowledged[typ+"/"+id] = max(version, acknowledged[typ+"/"+id])
		if read++; read == n {
			if err := cmd.Process.Kill(); err != nil { // it writes on until it is dead
				t.Fatal(err)
			}
		}
	}
	cmd.Wait()
	if read < n {
		t.Fatalf("the writer ended after %d lines", read)
	}
}

// wantSound checks that a store agrees with itself: versions without holes, the
// current state is the last version, pairs of a transaction are both there, and
// indexing everything again changes no search row.
func wantSound(t *testing.T, s *Store) {
	t.Helper()
	d := s.cur.Load()
	for what, query := range map[string]string{
		"resources whose versions have holes":              "SELECT count(*) FROM resource r WHERE r.vid <> (SELECT count(*) FROM version v WHERE v.rid = r.rid)",
		"resources whose state is not their last version":  "SELECT count(*) FROM resource r JOIN version v ON v.rid = r.rid AND v.vid = r.vid WHERE v.seq <> r.seq OR v.at <> r.at OR (v.op <> 'D') <> r.live",
		"versions without a resource":                      "SELECT count(*) FROM version v LEFT JOIN resource r ON r.rid = v.rid WHERE r.rid IS NULL",
		"loose versions without a body":                    "SELECT count(*) FROM version v LEFT JOIN loose l ON l.seq = v.seq WHERE v.pack = 0 AND v.op <> 'D' AND (l.seq IS NULL OR length(l.json) <> v.len)",
		"bodies without a version":                         "SELECT count(*) FROM loose l LEFT JOIN version v ON v.seq = l.seq WHERE v.seq IS NULL",
		"transactions of which one half is there":          "SELECT count(*) FROM (SELECT count(*) n FROM version v JOIN resource r ON r.rid = v.rid WHERE r.type = 'Observation' GROUP BY v.at) WHERE n <> 2",
		"conditional references that were left unresolved": "SELECT count(*) FROM loose WHERE CAST(json AS TEXT) LIKE '%Patient?identifier%'",
	} {
		var n int
		if err := d.read.QueryRowContext(t.Context(), query).Scan(&n); err != nil || n > 0 {
			t.Errorf("there are %d %s, error %v", n, what, err)
		}
	}
	before := searchRows(t, d.read)
	if err := s.amend(t.Context(), d, func(tx *writeTx) error { return tx.reindex(t.Context()) }); err != nil {
		t.Fatal(err)
	}
	if after := searchRows(t, d.read); !slices.Equal(before, after) {
		t.Errorf("indexing again makes %d search rows of %d, or others", len(after), len(before))
	}
}

func searchRows(t *testing.T, db querier) (all []string) {
	t.Helper()
	for _, table := range indexTables {
		err := each(t.Context(), db, func(rows *sql.Rows) error {
			columns, err := rows.Columns()
			if err != nil {
				return err
			}
			values := make([]any, len(columns))
			for i := range values {
				values[i] = new(any)
			}
			if err := rows.Scan(values...); err != nil {
				return err
			}
			text := table
			for _, v := range values {
				text += fmt.Sprintf("\t%v", *v.(*any))
			}
			all = append(all, text)
			return nil
		}, "SELECT * FROM "+table)
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(all)
	return all
}
