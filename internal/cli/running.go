package cli

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// A running is what a server tells the commands token, get and export of this machine's user:
// where it is and how to be a client of it. It lies in a private file, one for each address.
type running struct {
	Address string    `json:"address"` // that it listens on, as host:port
	FHIR    string    `json:"fhir"`    // FHIR base URL
	Client  string    `json:"client"`  // id of a client that it has registered for the commands
	Key     string    `json:"key"`     // file with that client's private key
	KeyID   string    `json:"kid,omitempty"`
	PID     int       `json:"pid"`
	Started time.Time `json:"started"`
}

const runningSuffix = ".json"

// runningDirs are where the files are: the user's runtime directory, which ends with the
// session, and the cache directory. A server writes to the first; the commands look in both,
// because a server may have been started where there is no runtime directory.
func (p *program) runningDirs() []string {
	var dirs []string
	if dir := p.getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			dirs = append(dirs, filepath.Join(dir, "sandfhir"))
		}
	}
	if dir := p.userCacheDir(); filepath.IsAbs(dir) {
		dirs = append(dirs, filepath.Join(dir, "sandfhir", "running"))
	}
	return dirs
}

// userCacheDir is os.UserCacheDir by the environment that the program was given.
func (p *program) userCacheDir() string {
	switch runtime.GOOS {
	case "windows":
		return p.getenv("LocalAppData")
	case "darwin":
		return filepath.Join(p.getenv("HOME"), "Library", "Caches")
	}
	if dir := p.getenv("XDG_CACHE_HOME"); dir != "" {
		return dir
	}
	return filepath.Join(p.getenv("HOME"), ".cache")
}

// writeRunning writes r for the commands and returns a function that takes it back. An earlier
// file of the same address is replaced: only one server at a time can listen there.
func writeRunning(dir string, r running) (remove func() error, err error) {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode the running file: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of running files: %w", err)
	}
	path := filepath.Join(dir, runningName(r.Address))
	if err := replaceFile(path, append(data, '\n')); err != nil {
		return nil, fmt.Errorf("write the running file: %w", err)
	}
	return func() error {
		now, err := readRunning(path)
		if errors.Is(err, fs.ErrNotExist) || err == nil && (now.PID != r.PID || !now.Started.Equal(r.Started)) {
			return nil // another server has taken over
		}
		return os.Remove(path)
	}, nil
}

// replaceFile writes a file that only its owner can read, at once or not at all.
func replaceFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // in vain once it is renamed
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// runningName is the file name for an address. Every character but letters, digits, dots and
// hyphens becomes its code, so that no two addresses share a file.
func runningName(address string) string {
	var b strings.Builder
	for _, c := range []byte(address) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '-':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "_%02x", c)
		}
	}
	return b.String() + runningSuffix
}

func readRunning(path string) (running, error) {
	var r running
	data, err := os.ReadFile(path)
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return r, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// findRunning returns the server that a command without further word means: the one at
// fhirBase, or where that is empty the one at the default address, or else the only one. ok is
// false where there is none.
func findRunning(dirs []string, fhirBase string) (r running, ok bool, err error) {
	all, err := allRunning(dirs)
	if err != nil {
		return r, false, err
	}
	if fhirBase != "" {
		i := slices.IndexFunc(all, func(r running) bool { return loopback(r.FHIR) == loopback(fhirBase) })
		if i < 0 {
			return r, false, nil
		}
		return all[i], true, nil
	}
	for _, r := range all {
		if r.Address == defaultAddr() {
			return r, true, nil
		}
	}
	switch len(all) {
	case 0:
		return r, false, nil
	case 1:
		return all[0], true, nil
	}
	var bases []string
	for _, r := range all {
		bases = append(bases, "--fhir "+r.FHIR)
	}
	return r, false, usagef("several servers are running; choose one: %s", strings.Join(bases, ", "))
}

// loopback writes the URL of a server on this machine in the one of its two ways that does not
// ask a resolver.
func loopback(url string) string {
	return strings.Replace(url, "://localhost", "://127.0.0.1", 1)
}

// allRunning reads the files, the latest server first, one for each address. What cannot be read
// is passed over: it is another version's, or half gone.
func allRunning(dirs []string) ([]running, error) {
	var all []running
	for _, dir := range dirs {
		paths, err := filepath.Glob(filepath.Join(dir, "*"+runningSuffix))
		if err != nil {
			return nil, fmt.Errorf("list the running files: %w", err)
		}
		for _, path := range paths {
			if r, err := readRunning(path); err == nil && r.FHIR != "" {
				all = append(all, r)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b running) int {
		return cmp.Or(b.Started.Compare(a.Started), strings.Compare(a.Address, b.Address))
	})
	seen := map[string]bool{}
	return slices.DeleteFunc(all, func(r running) bool {
		again := seen[r.Address]
		seen[r.Address] = true
		return again
	}), nil
}

// defaultAddr is the address that a server listens on unless it is told otherwise.
func defaultAddr() string {
	for _, s := range settingsTable() {
		if s.name == "addr" {
			return s.def
		}
	}
	return ""
}
