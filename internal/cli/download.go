package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
)

// A download is one file of an export.
type download struct {
	manifestFile
	name        string // of the file on disk
	rows, bytes int64
}

// download fetches the files of an export into dir, beside the manifest, and prints a table of
// them. An empty dir is named after the export's instant. Without files there is no dir either.
func (c *client) download(ctx context.Context, m *manifest, dir string) error {
	files := m.files()
	if len(files) == 0 {
		c.program.note("the export has no files: there was nothing to export, as of %s", oneLine(m.TransactionTime))
		return nil
	}
	if dir == "" {
		dir = "export-" + letters(m.TransactionTime, "0123456789TZ")
		if err := emptyOrNew(dir); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the folder for the files: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "manifest.json"), m.raw, 0o644); err != nil {
		return fmt.Errorf("write the manifest: %w", err)
	}
	shown := newMeter(c.program.stderr, "downloading", -1)
	var done int64
	for i := range files {
		f := &files[i]
		err := c.downloadFile(ctx, f, dir, m.RequiresAccessToken, func(n int) {
			done += int64(n)
			shown.set(done, f.name)
		})
		if err != nil {
			shown.finish()
			return err
		}
	}
	shown.finish()
	c.program.note("%s in %s, as of %s", countOf(int64(len(files)), "file"), dir, oneLine(m.TransactionTime))
	return c.program.printDownloads(files)
}

// files names the files of a manifest: Patient.ndjson, Patient.2.ndjson and so on, those of
// deleted resources and of errors after them.
func (m *manifest) files() []download {
	var files []download
	used := map[string]int{}
	add := func(list []manifestFile, prefix string) {
		for _, f := range list {
			base := prefix
			if base == "" {
				base = letters(f.Type, letterSet)
			}
			if base == "" {
				base = "resources" // organized by another type, a file has none of its own
			}
			used[base]++
			name := base + ".ndjson"
			if n := used[base]; n > 1 {
				name = fmt.Sprintf("%s.%d.ndjson", base, n)
			}
			files = append(files, download{manifestFile: f, name: name})
		}
	}
	add(m.Output, "")
	add(m.Deleted, "deleted")
	add(append(m.Errors, m.Outcome...), "errors")
	return files
}

const letterSet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// letters keeps of s what may stand in a file name that a server decides on.
func letters(s, set string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(set, r) {
			return r
		}
		return -1
	}, s)
}

// downloadFile fetches one file. It bears its name only once it is whole.
func (c *client) downloadFile(ctx context.Context, f *download, dir string, withToken bool, read func(int)) (err error) {
	header := http.Header{"Accept": {"application/fhir+ndjson"}}
	get := c.fetch
	if !withToken {
		get = func(ctx context.Context, method, url string, header http.Header, _ []byte) (*http.Response, error) {
			return c.send(ctx, method, url, header, nil)
		}
	}
	resp, err := get(ctx, http.MethodGet, f.URL, header, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return refusalOf("the file "+f.name, resp)
	}
	part, err := os.CreateTemp(dir, ".part-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", f.name, err)
	}
	defer os.Remove(part.Name()) // in vain once it is renamed
	_, err = io.Copy(io.MultiWriter(part, &rowCounter{f: f, read: read}), resp.Body)
	if err = errors.Join(err, part.Chmod(0o644), part.Close()); err != nil {
		return fmt.Errorf("the file %s broke off: %w", f.name, err)
	}
	if f.Count != nil && *f.Count != f.rows {
		return fmt.Errorf("the file %s has %d resources, the manifest says %d", f.name, f.rows, *f.Count)
	}
	return os.Rename(part.Name(), filepath.Join(dir, f.name))
}

// A rowCounter counts the bytes and the non-blank lines of NDJSON.
type rowCounter struct {
	f    *download
	read func(int)
	open bool // the current line has something on it
}

func (c *rowCounter) Write(p []byte) (int, error) {
	c.f.bytes += int64(len(p))
	c.read(len(p))
	for rest := p; len(rest) > 0; {
		line, after, ended := bytes.Cut(rest, []byte{'\n'})
		if !c.open && len(bytes.TrimSpace(line)) > 0 {
			c.open = true
			c.f.rows++
		}
		if ended {
			c.open = false
		}
		rest = after
	}
	return len(p), nil
}

func (p *program) printDownloads(files []download) error {
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "resources\tsize\t  file")
	var rows, size int64
	for _, f := range files {
		fmt.Fprintf(w, "%d\t%s\t  %s\n", f.rows, byteCount(f.bytes), f.name)
		rows += f.rows
		size += f.bytes
	}
	fmt.Fprintf(w, "%d\t%s\t  total\n", rows, byteCount(size))
	return w.Flush()
}
