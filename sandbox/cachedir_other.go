//go:build !unix

package sandbox

import (
	"os"
	"path/filepath"
)

// temporaryCache returns the user's own cache in the directory for temporary
// files, which every user has one of here; "" where it cannot be had.
func temporaryCache() string {
	dir := filepath.Join(os.TempDir(), "sandfhir-cache")
	if !private(dir) {
		return ""
	}
	return dir
}
