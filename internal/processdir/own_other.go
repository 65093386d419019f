//go:build !unix

package processdir

import "os"

// Own reports whether a file belongs to the user of this process. Here that is
// left to the directory that it is in.
func Own(os.FileInfo) bool { return true }
