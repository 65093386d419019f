//go:build unix

package sandbox

import (
	"os"
	"path/filepath"
	"strconv"
)

// temporaryCache returns the user's own cache in the directory for temporary
// files, which all users share here; "" where it cannot be had.
func temporaryCache() string {
	dir := filepath.Join(os.TempDir(), "sandfhir-cache-"+strconv.Itoa(os.Getuid()))
	if !private(dir) {
		return ""
	}
	return dir
}
