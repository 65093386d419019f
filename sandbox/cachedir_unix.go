//go:build unix

package sandbox

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// temporaryCache returns the user's own cache in the directory for temporary
// files, which all users share here; "" where it cannot be had.
func temporaryCache() string {
	uid := os.Getuid()
	dir := filepath.Join(os.TempDir(), "sandfhir-cache-"+strconv.Itoa(uid))
	owned := func(info os.FileInfo) bool {
		stat, ok := info.Sys().(*syscall.Stat_t)
		return ok && int(stat.Uid) == uid
	}
	if !private(dir, owned) {
		return ""
	}
	return dir
}
