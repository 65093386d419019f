package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/sandfhir/sandfhir/sandbox"
)

func (p *program) serveCommand() *cobra.Command {
	table := settingsTable()
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve; what is done without a command",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := p.checkEnvironment(table); err != nil {
				return err
			}
			r, err := p.resolve(table, cmd.Flags())
			if err != nil {
				return err
			}
			return p.serve(cmd.Context(), r.Settings)
		},
	}
	cmd.Flags().SortFlags = false
	addFlags(cmd.Flags(), table)
	return cmd
}

// stopGrace is how long open requests may go on once the server is told to
// stop.
const stopGrace = 5 * time.Second

// serve runs a server until ctx ends.
func (p *program) serve(ctx context.Context, s Settings) (err error) {
	ln, err := net.Listen("tcp", s.Addr)
	if err != nil {
		if errors.Is(err, syscall.EADDRINUSE) {
			return usagef("cannot listen on %s: something else listens there; choose another address with --addr", s.Addr)
		}
		return usagef("cannot listen on %s: %v", s.Addr, reason(err))
	}
	defer ln.Close()
	if s.AdminToken == "" && !isLoopback(ln.Addr()) {
		s.AdminToken = rand.Text()
	}
	opts, err := p.options(s)
	if err != nil {
		return err
	}
	server, err := p.open(ctx, s, opts)
	if err != nil {
		return err
	}
	defer func() {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopGrace)
		defer cancel()
		err = errors.Join(err, server.Shutdown(grace))
	}()

	if err := server.ListenOn(ln); err != nil {
		return err
	}
	demo, found, remove, err := p.introduce(s, server, ln.Addr().String())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	if err := p.greet(s, server, demo, found); err != nil {
		return err
	}
	if err := server.Wait(ctx); ctx.Err() == nil {
		return err
	}
	p.interrupted()
	return nil
}

// options turns settings into those of the Go package.
func (p *program) options(s Settings) ([]sandbox.Option, error) {
	opts := []sandbox.Option{
		sandbox.WithPatients(s.Patients),
		sandbox.WithSeed(s.Seed),
		sandbox.WithLogger(slog.New(slog.NewTextHandler(p.stderr, &slog.HandlerOptions{Level: s.LogLevel}))),
	}
	if s.Data != "" {
		if err := checkWritable(s.Data); err != nil {
			return nil, usagef("the data directory %s cannot be written: %v", s.Data, reason(err))
		}
		opts = append(opts, sandbox.WithDataDir(s.Data))
	}
	if s.Behaviour != "" {
		opts = append(opts, sandbox.WithBehaviour(s.Behaviour))
	}
	if s.CacheDir != "" {
		// It may be read-only: an image brings its population with it.
		if err := os.MkdirAll(s.CacheDir, 0o700); err != nil {
			return nil, usagef("the cache directory %s cannot be used: %v", s.CacheDir, reason(err))
		}
		opts = append(opts, sandbox.WithCacheDir(s.CacheDir))
	}
	if s.BaseURL != "" {
		opts = append(opts, sandbox.WithBaseURL(s.BaseURL))
	}
	if s.AdminToken != "" {
		opts = append(opts, sandbox.WithAdminToken(s.AdminToken))
	}
	if s.RegistrationToken != "" {
		opts = append(opts, sandbox.WithRegistrationToken(s.RegistrationToken))
	}
	if len(s.TrustedProxies) > 0 {
		opts = append(opts, sandbox.WithTrustedProxies(s.TrustedProxies...))
	}
	if s.ExportDuration != nil {
		opts = append(opts, sandbox.WithExportDuration(*s.ExportDuration))
	}
	for _, o := range []struct {
		on     bool
		option func() sandbox.Option
	}{
		{s.FullSync, sandbox.WithFullSync},
		{s.KeepGoing, sandbox.WithKeepGoing},
		{s.Validate, sandbox.WithLoadValidation},
		{!s.ValidateWrites, sandbox.WithoutValidation},
		{s.PrivateKeySets, sandbox.WithPrivateKeySets},
		{s.InsecureKeySets, sandbox.WithInsecureKeySets},
	} {
		if o.on {
			opts = append(opts, o.option())
		}
	}
	return opts, nil
}

// buildNotice is after how long a start says what it is waiting for.
const buildNotice = 800 * time.Millisecond

// open makes the server, and loads what it is to hold beside the population.
func (p *program) open(ctx context.Context, s Settings, opts []sandbox.Option) (*sandbox.Server, error) {
	slow := time.AfterFunc(buildNotice, func() {
		p.note("preparing the data: the first time on this machine this takes a while")
	})
	defer slow.Stop()
	var m *meter
	if len(s.Load) > 0 {
		opts = append(opts, sandbox.WithLoad(s.Load...), sandbox.WithStdin(p.stdin), sandbox.WithLoadProgress(func(l sandbox.LoadProgress) {
			slow.Stop()
			if m == nil {
				m = newMeter(p.stderr, "loading", l.BytesTotal)
			}
			m.set(l.BytesRead, filepath.Base(l.File))
		}))
	}
	server, err := sandbox.New(ctx, opts...)
	if m != nil {
		m.finish()
	}
	var problem sandbox.LoadProblem
	switch {
	case err == nil:
		p.reportLoad(server.Loaded())
		return server, nil
	case errors.As(err, &problem):
		return nil, fmt.Errorf("nothing was loaded: %w", problem)
	case errors.Is(err, sandbox.ErrDataInUse):
		return nil, usagef("another process has the data directory %s", s.Data)
	}
	return nil, err
}

// reportLoad tells what was loaded and what was wrong with the rest.
func (p *program) reportLoad(r sandbox.LoadReport) {
	if r.Resources+r.Bad+r.Skipped == 0 {
		return
	}
	p.note("loaded %s; bad: %d; skipped: %d", countOf(r.Resources, "resource"), r.Bad, r.Skipped)
	for _, problem := range r.Problems {
		p.note("  %v", problem)
	}
	if more := r.Bad - int64(len(r.Problems)); more > 0 {
		p.note("  and %d more", more)
	}
	for _, warning := range r.Warnings {
		p.note("  warning: %v", warning)
	}
	for why, n := range r.SkippedBy {
		p.note("  skipped %d: %s", n, why)
	}
}

func countOf(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// introduce leaves the demo client's key and the server's addresses where the
// commands token, get and export find them. found is false where these need to
// be told; demo.Key is empty where there is no place at all for a key. remove
// takes away what is not to outlive the server.
func (p *program) introduce(s Settings, server *sandbox.Server, addr string) (demo running, found bool, remove func() error, err error) {
	client := server.DefaultClient()
	demo = running{Address: addr, FHIR: client.FHIRURL(), Client: client.ID(), KeyID: client.KeyID(), PID: os.Getpid(), Started: p.clock.Now()}
	dirs := p.runningDirs()
	remove = func() error { return nil }
	if s.Data != "" { // where the server itself keeps it
		if demo.Key, err = filepath.Abs(filepath.Join(s.Data, sandbox.DefaultKeyFile)); err != nil {
			return demo, false, remove, fmt.Errorf("place of the demo client's key: %w", err)
		}
	} else {
		demo.Key = writeKey(append(dirs, os.TempDir()), addr, client.PrivateKeyPEM())
		if demo.Key == "" {
			return demo, false, remove, nil
		}
		remove = func() error { return os.Remove(demo.Key) }
	}
	if len(dirs) == 0 {
		return demo, false, remove, nil
	}
	removeRunning, err := writeRunning(dirs[0], demo)
	if err != nil {
		p.note("the commands have to be told where the server is: %v", err)
		return demo, false, remove, nil // a home that cannot be written is no reason not to serve
	}
	removeKey := remove
	return demo, true, func() error { return errors.Join(removeKey(), removeRunning()) }, nil
}

// writeKey writes a private key into the first of the directories that takes
// it, and returns its path, or "" where none does.
func writeKey(dirs []string, addr string, key []byte) string {
	name := strings.TrimSuffix(runningName(addr), runningSuffix) + ".pem"
	for _, dir := range dirs {
		path, err := filepath.Abs(filepath.Join(dir, name))
		if err != nil || os.MkdirAll(dir, 0o700) != nil {
			continue
		}
		if replaceFile(path, key) == nil {
			return path
		}
	}
	return ""
}

// greet prints where everything is and what to try first.
func (p *program) greet(s Settings, server *sandbox.Server, demo running, found bool) error {
	kept := "gone at exit"
	if s.Data != "" {
		kept = "kept with the data"
	}
	client := fmt.Sprintf("%s, signs %s with a key that is %s\n  Its key      %s", demo.Client, server.DefaultClient().Algorithm(), kept, demo.Key)
	if demo.Key == "" {
		client = "none: no directory takes its private key; register your own"
	}
	behaviour := "" // strict needs no line
	if b := server.Behaviour(); b.Differs() {
		behaviour = "  Behaviour    " + b.String() + "\n"
	}
	err := p.printf(`Sandfhir is ready.

  Portal       %s
  FHIR base    %s
  Discovery    %s
  Token URL    %s
  Demo client  %s
%s
`, server.PortalURL(), server.FHIRURL(), server.SMARTConfigurationURL(), server.TokenURL(), client, behaviour)
	if err != nil || demo.Key == "" {
		return err
	}
	told := ""
	if !found {
		told = fmt.Sprintf(" --fhir %s --client %s --key %s --kid %s", demo.FHIR, demo.Client, demo.Key, demo.KeyID)
	}
	return p.printf(`Try in another terminal:

  %[1]s token%[2]s
  %[1]s get%[2]s 'Patient?_count=3'
  %[1]s export%[2]s

`, p.name, told)
}

// checkWritable makes the directory where it is missing and tries to write.
func checkWritable(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".try-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// reason is the innermost reason of an error, without the operation and the
// path or address that the message around it names already.
func reason(err error) error {
	var lookup *net.DNSError
	if errors.As(err, &lookup) {
		return errors.New(lookup.Err) // without the resolver's address
	}
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

func isLoopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}
