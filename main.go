// Sandfhir is a sandbox for people who write backend-service clients: programs that obtain a
// token with SMART Backend Services and then read, write or bulk-export FHIR data.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/sandfhir/sandfhir/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	code := cli.Run(ctx, os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
