package httpapi_test

import (
	archive "archive/zip"
	"bytes"
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/sandfhir/sandfhir/sandbox"
)

// exportedState returns a state of a server with a change in both environments, with a
// party of it.
func exportedState(t *testing.T) (*world, party, []byte) {
	t.Helper()
	w := start(t)
	me := w.holder(t, w.client(t, "system/*.cruds"))
	me.put(t, "/Patient/carried", patient("carried")).want(t, 201)
	a := w.at().get(t, "/_sandbox/state").want(t, 200).wantHeader(t, "Content-Type", "application/zip").wantHeader(t, "Cache-Control", "no-store")
	return w, me, a.body
}

// TestStateGoesToAnotherServer imports a state over HTTP and from Go, in memory and
// into a data directory: its clients, keys and data are there, even for a token
// that the first server issued.
func TestStateGoesToAnotherServer(t *testing.T) {
	t.Parallel()
	from, me, file := exportedState(t)
	var fromGo bytes.Buffer
	if err := from.ExportState(t.Context(), &fromGo); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, opts := range map[string][]sandbox.Option{"memory": nil, "data directory": {sandbox.WithDataDir(dir)}} {
		for way, importIn := range map[string]func(*world){
			"HTTP": func(w *world) {
				w.at().send(t, "PUT", "/_sandbox/state", string(file), "Content-Type", "application/zip").want(t, 200)
			},
			"Go": func(w *world) {
				if err := w.ImportState(t.Context(), bytes.NewReader(fromGo.Bytes())); err != nil {
					t.Fatal(err)
				}
			},
		} {
			t.Run(name+" by "+way, func(t *testing.T) {
				w := start(t, append([]sandbox.Option{sandbox.WithPatients(0)}, opts...)...)
				w.all.put(t, "/Patient/before", patient("before"))
				importIn(w)
				there := party{web: w.web, base: w.FHIRURL(), token: me.token}
				there.get(t, "/Patient/carried").want(t, 200)
				there.get(t, "/Patient/before").want(t, 404)
				if got := total(t, there.get(t, "/Patient?_summary=count")); got != patients+1 {
					t.Errorf("got %d patients, want %d", got, patients+1)
				}
				there.put(t, "/Patient/more", patient("more")).want(t, 201)
				w.grant(t, "system/*.rs").get(t, "/Patient/carried").want(t, 200) // its own default client stays
				if err := w.Close(); err != nil {
					t.Fatal(err)
				}
				if opts == nil {
					return
				}
				w = start(t, opts...)
				there = party{web: w.web, base: w.FHIRURL(), token: me.token}
				there.get(t, "/Patient/more").want(t, 200)
				if err := w.Close(); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}

// rezip writes a ZIP anew, each file as change has it; nil leaves one out.
func rezip(t *testing.T, file []byte, change func(name string, data []byte) []byte) []byte {
	t.Helper()
	in, err := archive.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := archive.NewWriter(&out)
	add := func(name string, data []byte) {
		f, err := w.Create(name)
		if err == nil {
			_, err = f.Write(data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range in.File {
		if f.FileInfo().IsDir() {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if data = change(f.Name, data); data != nil {
			add(f.Name, data)
		}
	}
	if extra := change("", nil); extra != nil {
		add(string(extra), []byte("x"))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestABrokenStateChangesNothing imports what is no state, or none that is whole.
func TestABrokenStateChangesNothing(t *testing.T) {
	t.Parallel()
	_, _, file := exportedState(t)
	only := func(name string, change func([]byte) []byte) []byte {
		return rezip(t, file, func(n string, data []byte) []byte {
			if n == name {
				return change(data)
			}
			return data
		})
	}
	gone := func([]byte) []byte { return nil }
	extra := func(name string) []byte {
		return rezip(t, file, func(n string, data []byte) []byte {
			if n == "" {
				return []byte(name)
			}
			return data
		})
	}
	flipped := bytes.Clone(file)
	flipped[len(flipped)/2] ^= 0xff
	w := start(t)
	w.all.put(t, "/Patient/mine", patient("mine")).want(t, 201)
	for name, broken := range map[string][]byte{
		"nothing":               {},
		"no ZIP":                []byte("state"),
		"cut":                   file[:len(file)-100],
		"a byte flipped":        flipped,
		"a newer format":        only("snapshot.json", func(b []byte) []byte { return bytes.Replace(b, []byte(`"format": 1`), []byte(`"format": 2`), 1) }),
		"no notes":              only("snapshot.json", gone),
		"no control database":   only("control.db", gone),
		"damaged control":       only("control.db", func(b []byte) []byte { return append([]byte("no database"), b...) }),
		"no production":         only("production/fhir.db", gone),
		"damaged data":          only("sandbox/fhir.db", func(b []byte) []byte { return b[:len(b)/2] }),
		"a pack is missing":     only("sandbox/1.ndjson", gone),
		"a pack is cut":         only("sandbox/1.ndjson", func(b []byte) []byte { return b[:len(b)-5] }),
		"a path that leads out": extra("../../evil"),
		"another file":          extra("sandbox/evil.sh"),
	} {
		t.Run(name, func(t *testing.T) {
			a := w.at().send(t, http.MethodPut, "/_sandbox/state", string(broken), "Content-Type", "application/zip")
			asPlain(t, a, 400)
			if err := w.ImportState(t.Context(), bytes.NewReader(broken)); !errors.Is(err, sandbox.ErrState) {
				t.Errorf("got %v, want an ErrState", err)
			}
			w.all.get(t, "/Patient/mine").want(t, 200)
		})
	}
}
