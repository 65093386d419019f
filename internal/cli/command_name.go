package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// CommandName returns how the person at the keyboard calls this program, for messages that name
// a command to type: "go run ." under go run, the bare name where the shell finds it by the
// path, else the path as it was typed. It is quoted where a shell needs that.
func CommandName() string {
	executable, err := os.Executable()
	if err != nil {
		executable = os.Args[0]
	}
	return commandName(os.Args[0], executable, os.TempDir())
}

// commandName is CommandName for a given first argument and executable.
func commandName(typed, executable, tempDir string) string {
	if builtByGoRun(executable, tempDir) {
		return "go run ."
	}
	base := strings.TrimSuffix(filepath.Base(typed), ".exe")
	found, err := exec.LookPath(filepath.Base(typed))
	if err == nil && sameFile(found, executable) {
		return shellWord(base)
	}
	if filepath.IsAbs(typed) || strings.ContainsRune(typed, filepath.Separator) {
		return shellWord(typed)
	}
	return shellWord(base)
}

// cachedBuild is the folder of an executable that go run keeps in the build cache: the output's
// hash.
const cachedBuild = `^[0-9a-f]{64}-d$`

// builtByGoRun tells whether go run made the executable: it lies in a go-build folder of the
// directory for temporary files or, since Go 1.24, in the build cache.
func builtByGoRun(executable, tempDir string) bool {
	dir := filepath.Dir(executable)
	if cached, err := regexp.MatchString(cachedBuild, filepath.Base(dir)); err == nil && cached {
		return true
	}
	below, err := filepath.Rel(tempDir, dir)
	return err == nil && strings.HasPrefix(below, "go-build")
}

func sameFile(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}
