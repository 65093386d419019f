//go:build unix

package processdir

import (
	"os"
	"syscall"
)

// Own reports whether a file belongs to the user of this process.
func Own(info os.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Getuid()
}
