package sandbox_test

import (
	"testing"

	"github.com/sandfhir/sandfhir/sandbox"
)

// BenchmarkStart is what a test pays for a server of its own: from Start to the
// first token, and Close.
func BenchmarkStart(b *testing.B) {
	sandbox.Start(b) // builds the population
	b.ResetTimer()
	for b.Loop() {
		sb, err := sandbox.New(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		if err := sb.Listen("127.0.0.1:0"); err != nil {
			b.Fatal(err)
		}
		if _, err := sb.DefaultClient().Token(b.Context()); err != nil {
			b.Fatal(err)
		}
		if err := sb.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
