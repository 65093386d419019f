package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/sandfhir/sandfhir/internal/processdir"
)

// A running is what a server tells the client commands of this machine's user: where it is and
// how to be a client of it. It lies in a directory of the server's process, with the key unless a
// data directory has that.
type running struct {
	Address string    `json:"address"` // that it listens on, as host:port
	Local   string    `json:"local"`   // its URL on this machine
	FHIR    string    `json:"fhir"`    // its FHIR base URL as it says itself
	Client  string    `json:"client"`  // id of a client that it has registered for the commands
	Key     string    `json:"key"`     // file with that client's private key
	KeyID   string    `json:"kid,omitempty"`
	CA      string    `json:"ca,omitempty"` // PEM of the certificates by which it is known
	PID     int       `json:"pid"`
	Started time.Time `json:"started"`
}

// root is the server's URL as it says itself, below which everything is.
func (r running) root() string { return strings.TrimSuffix(r.FHIR, fhirPath) }

const fhirPath = "/fhir"

// The files in a server's directory.
const (
	runningFile = "server.json"
	keyFile     = "key.pem"
)

// runningDirs are where servers have their directories: the user's runtime directory, which ends
// with the session, and the cache directory. A server takes the first that it can have; the
// commands look in both, because a server may have been started where there is no runtime
// directory.
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

// writeRunning leaves r for the commands in a directory of this process below parent, with a key
// where r names none yet, and returns r as it was written.
func writeRunning(ctx context.Context, parent string, r running, key []byte) (running, *processdir.Dir, error) {
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return r, nil, err
	}
	dir, err := processdir.Make(ctx, parent, placeName(r.Address))
	if err != nil {
		return r, nil, err
	}
	if r.Key == "" {
		r.Key = filepath.Join(dir.Path(), keyFile)
		err = os.WriteFile(r.Key, key, 0o600)
	}
	data, notJSON := json.MarshalIndent(r, "", "  ")
	err = errors.Join(err, notJSON)
	if err == nil {
		err = replaceFile(filepath.Join(dir.Path(), runningFile), append(data, '\n'))
	}
	if err != nil {
		return r, nil, errors.Join(err, dir.Remove())
	}
	return r, dir, nil
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

// placeName is what the directory of a server at an address is called: 127.0.0.1-8080, all-8080.
func placeName(address string) string {
	host, port, _ := strings.Cut(address, ":")
	if at, err := netip.ParseAddrPort(address); err == nil {
		host, port = at.Addr().String(), fmt.Sprint(at.Port())
		switch {
		case at.Addr().IsUnspecified():
			host = "all"
		case at.Addr().Is6():
			host = "ipv6-" + strings.Trim(host, ":")
		}
	}
	return strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-' {
			return c
		}
		return '-'
	}, host+"-"+port)
}

// findRunning returns the server that a command without further word means: the one at
// fhirBase, or where that is empty the one at the default address, or else the only one. ok is
// false where there is none.
func findRunning(dirs []string, fhirBase string) (r running, ok bool, err error) {
	all := allRunning(dirs)
	if fhirBase != "" {
		i := slices.IndexFunc(all, func(r running) bool { return r.isAt(fhirBase) })
		if i < 0 {
			return r, false, nil
		}
		return all[i], true, nil
	}
	if i := slices.IndexFunc(all, func(r running) bool { return r.Address == defaultAddr() }); i >= 0 {
		return all[i], true, nil
	}
	switch len(all) {
	case 0:
		return r, false, nil
	case 1:
		return all[0], true, nil
	}
	return r, false, usagef("several servers are running; choose one:%s", list(all))
}

// list is the servers, a line for each.
func list(all []running) string {
	var b strings.Builder
	for _, r := range all {
		b.WriteString("\n  --fhir " + r.FHIR)
	}
	return b.String()
}

// isAt tells whether the server is the one that a URL means: its FHIR base as it says itself or
// on this machine, or its root, where people leave the end out.
func (r running) isAt(url string) bool {
	url = strings.TrimSuffix(loopback(url), fhirPath)
	return url == loopback(r.root()) || url == loopback(r.Local)
}

// loopback writes the URL of a server on this machine in the one of its ways that does not ask a
// resolver.
func loopback(address string) string {
	u, err := url.Parse(address)
	if err == nil && (u.Hostname() == "localhost" || u.Hostname() == "0.0.0.0") {
		u.Host = strings.Replace(u.Host, u.Hostname(), "127.0.0.1", 1)
		return u.String()
	}
	return address
}

// allRunning returns the servers that are alive, the latest first, and clears away what the others
// left. What cannot be read is passed over: it is another version's.
func allRunning(dirs []string) []running {
	var all []running
	for _, parent := range dirs {
		for _, dir := range processdir.Living(context.Background(), parent, "") {
			var r running
			data, err := os.ReadFile(filepath.Join(dir, runningFile))
			if err == nil && json.Unmarshal(data, &r) == nil && r.FHIR != "" {
				all = append(all, r)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b running) int {
		return cmp.Or(b.Started.Compare(a.Started), strings.Compare(a.Address, b.Address))
	})
	return all
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
