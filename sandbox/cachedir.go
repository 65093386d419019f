package sandbox

import (
	"os"
	"path/filepath"

	"github.com/sandfhir/sandfhir/internal/processdir"
)

// cacheDir returns where built populations are kept: chosen, or else the
// default of WithCacheDir; "" where there is no such place.
func cacheDir(chosen string) string {
	if chosen != "" {
		return chosen
	}
	if dir, err := os.UserCacheDir(); err == nil {
		dir = filepath.Join(dir, "sandfhir")
		if os.MkdirAll(dir, 0o700) == nil && writable(dir) {
			return dir
		}
	}
	if dir := temporaryCache(); dir != "" && writable(dir) {
		return dir
	}
	return ""
}

func writable(dir string) bool {
	f, err := os.CreateTemp(dir, "probe-*")
	if err != nil {
		return false
	}
	return f.Close() == nil && os.Remove(f.Name()) == nil
}

// private makes dir or finds it as a directory of this user that nobody else
// can write to: what lies in it will be believed.
func private(dir string) bool {
	if err := os.Mkdir(dir, 0o700); err != nil && !os.IsExist(err) {
		return false
	}
	info, err := os.Lstat(dir) // not Stat: a link may lead anywhere
	return err == nil && info.IsDir() && info.Mode().Perm()&0o022 == 0 && processdir.Own(info)
}
