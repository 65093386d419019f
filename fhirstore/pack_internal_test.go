package fhirstore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A watchedDisk notes what is synced, and calls look at each sync.
type watchedDisk struct {
	osDisk
	events []string
	look   func(event string) error
}

func (d *watchedDisk) syncFile(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return d.note(fmt.Sprintf("%s of %d bytes", filepath.Base(f.Name()), info.Size()), d.osDisk.syncFile(f))
}

func (d *watchedDisk) syncDir(dir string) error {
	names, err := filepath.Glob(filepath.Join(dir, "*ndjson*"))
	for i := range names {
		names[i] = filepath.Base(names[i])
	}
	slices.Sort(names)
	return d.note("names "+strings.Join(names, " "), errors.Join(err, d.osDisk.syncDir(dir)))
}

func (d *watchedDisk) note(event string, err error) error {
	d.events = append(d.events, event)
	return errors.Join(err, d.look(event))
}

// load loads a Patient and a Group. It returns what Commit does; what failed is
// rolled back.
func load(t *testing.T, s *Store, id string) error {
	t.Helper()
	l, err := s.Load(t.Context(), Everything())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Rollback()
	for _, typ := range []string{"Patient", "Group"} {
		if err := l.Add(t.Context(), Input{Type: typ, ID: id, JSON: []byte(`{"resourceType":"` + typ + `","id":"` + id + `"}`)}); err != nil {
			t.Fatal(err)
		}
	}
	return l.Commit(t.Context())
}

// TestPacksAreOnTheDiskBeforeTheyAreNamed looks at the database whenever
// something is synced: a commit that names a pack comes after the pack's bytes
// and after its name.
func TestPacksAreOnTheDiskBeforeTheyAreNamed(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	d := s.cur.Load()
	packs := func() map[int64]bool {
		known, err := d.packNumbers(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return known
	}
	disk := &watchedDisk{look: func(event string) error {
		if n := len(packs()); n != 0 {
			t.Errorf("%s is synced after a commit that names %d packs", event, n)
		}
		return nil
	}}
	d.packs.disk = disk
	if err := load(t, s, "a"); err != nil {
		t.Fatal(err)
	}
	if n := len(packs()); n != 2 {
		t.Errorf("the load named %d packs, want 2", n)
	}
	var want []string
	for _, number := range []int64{1, 2} {
		info, err := os.Stat(d.packs.path(number))
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, fmt.Sprintf("%d.ndjson.part of %d bytes", number, info.Size()))
	}
	want = append(want, "names 1.ndjson 2.ndjson")
	if !slices.Equal(disk.events, want) {
		t.Errorf("synced were\n%q, want\n%q", disk.events, want)
	}

	for _, failing := range []string{"3.ndjson.part", "4.ndjson.part", "names"} {
		disk.look = func(event string) error {
			if strings.HasPrefix(event, failing) {
				return errors.New("no room")
			}
			return nil
		}
		if err := load(t, s, "b"); err == nil || !strings.Contains(err.Error(), "no room") {
			t.Errorf("where %s could not be synced the load ended with %v", failing, err)
		}
		left, err := filepath.Glob(filepath.Join(d.packs.dir, "[34].ndjson*"))
		if err != nil || len(left) > 0 || len(packs()) != 2 {
			t.Errorf("where %s could not be synced there are files %v and packs %v, error %v", failing, left, packs(), err)
		}
	}
	disk.look = func(string) error { return nil }
	if err := load(t, s, "b"); err != nil || len(packs()) != 4 {
		t.Errorf("a load after those that failed: %v, packs %v", err, packs())
	}
}
