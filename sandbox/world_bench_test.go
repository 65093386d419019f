package sandbox_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/sandbox"
)

// BenchmarkNewWorld is what a test pays for a world of its own on a server that
// it shares: making it, and with "token" the first token as well, as
// BenchmarkStart does for a server. KB/world is by how much the memory of the
// process grew, where the system tells, while all of them stay.
func BenchmarkNewWorld(b *testing.B) {
	for _, c := range []struct {
		name string
		use  func(*testing.B, *sandbox.World)
	}{
		{"made", func(*testing.B, *sandbox.World) {}},
		{"token", func(b *testing.B, w *sandbox.World) {
			if _, err := w.DefaultClient().Token(b.Context()); err != nil {
				b.Fatal(err)
			}
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			sb := sandbox.Start(b)
			before, made := resident(), []*sandbox.World(nil)
			b.ResetTimer()
			for b.Loop() {
				w, err := sb.NewWorld(b.Context(), sandbox.WorldConfig{})
				if err != nil {
					b.Fatal(err)
				}
				c.use(b, w)
				made = append(made, w)
			}
			b.StopTimer()
			b.ReportMetric(float64(resident()-before)/1024/float64(len(made)), "KB/world")
			for _, w := range made {
				if err := w.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// resident is the memory of this process in bytes, 0 where the system does not
// tell.
func resident() int {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.Atoi(fields[1])
	if err != nil {
		return 0
	}
	return pages * os.Getpagesize()
}
