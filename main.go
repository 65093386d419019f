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

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	ctx, end := context.WithCancel(ctx)
	defer end()
	if !signal.Ignored(syscall.SIGHUP) { // as under nohup
		// A terminal that is closed may say so several times: it is listened to for good.
		closed := make(chan os.Signal, 1)
		signal.Notify(closed, syscall.SIGHUP)
		go func() { <-closed; end() }()
	}
	return cli.Run(ctx, os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr)
}
