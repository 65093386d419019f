package sandbox

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/sandfhir/sandfhir/seed"
)

// loadedName is the file in the data directory of an environment that says what
// it was loaded with.
const loadedName = "loaded.json"

// loadedFiles are the files that a data directory was loaded with, each as it
// was last.
type loadedFiles struct {
	path  string
	Files []loadedFile `json:"files"`
}

type loadedFile struct {
	Path   string    `json:"path"` // absolute
	Size   int64     `json:"size"`
	SHA256 string    `json:"sha256"` // of the content, in hexadecimal
	At     time.Time `json:"at"`     // in real time
}

// readLoadedFiles reads what the data directory dir of an environment was
// loaded with.
func readLoadedFiles(dir string) (*loadedFiles, error) {
	l := &loadedFiles{path: filepath.Join(dir, loadedName)}
	data, err := os.ReadFile(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err == nil {
		err = json.Unmarshal(data, l)
	}
	if err != nil {
		return nil, fmt.Errorf("read what was loaded before: %w", err)
	}
	return l, nil
}

// have reports whether a file was loaded as it is. What counts of a path is the
// content that it had last; a path that was never loaded may be another name
// of a file that was.
func (l *loadedFiles) have(f seed.File) bool {
	path, sum := absolute(f.Path), hex.EncodeToString(f.SHA256[:])
	same := func(had loadedFile) bool { return had.Size == f.Size && had.SHA256 == sum }
	if i := l.index(path); i >= 0 {
		return same(l.Files[i])
	}
	return slices.ContainsFunc(l.Files, same)
}

func (l *loadedFiles) index(path string) int {
	return slices.IndexFunc(l.Files, func(f loadedFile) bool { return f.Path == path })
}

// add notes that files were loaded.
func (l *loadedFiles) add(files []seed.File, at time.Time) error {
	for _, f := range files {
		now := loadedFile{Path: absolute(f.Path), Size: f.Size, SHA256: hex.EncodeToString(f.SHA256[:]), At: at.UTC()}
		if i := l.index(now.Path); i >= 0 {
			l.Files[i] = now
		} else {
			l.Files = append(l.Files, now)
		}
	}
	data, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return fmt.Errorf("encode what was loaded: %w", err)
	}
	if err := replaceFile(l.path, append(data, '\n')); err != nil {
		return fmt.Errorf("write down what was loaded: %w", err)
	}
	return nil
}

// replaceFile writes a file whole, or leaves the one that there was.
func replaceFile(path string, data []byte) error {
	part := path + ".part"
	f, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync() // or a loss of power could leave the new name with nothing in it
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(part, path)
}

// absolute is a path as it is remembered; the next start may be elsewhere.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}
