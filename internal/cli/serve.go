package cli

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"os"
	"slices"
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
			r, err := p.resolve(table, cmd.Flags())
			if err != nil {
				return err
			}
			return p.serve(cmd.Context(), r)
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
func (p *program) serve(ctx context.Context, r resolved) (err error) {
	s := r.Settings
	if err := checkPaths(r.origins["load"].from+": ", s.Load); err != nil {
		return err
	}
	p.clearUp(ctx)
	ln, err := net.Listen("tcp", s.Addr)
	if err != nil {
		return p.cannotListen(s.Addr, err)
	}
	defer ln.Close()
	if s.AdminToken == "" && (!isLoopback(ln.Addr()) || s.ProductionAddr != "" && !isLocal(s.ProductionAddr)) {
		s.AdminToken = rand.Text()
	}
	opts, err := p.options(s)
	if err != nil {
		return err
	}
	root := cmp.Or(s.BaseURL, localURL(s, ln.Addr().String()))
	opts = append(opts, sandbox.WithTokenCommand(p.name+" token"+chosen(ln.Addr().String(), root+fhirPath)))
	server, err := p.open(ctx, r, opts)
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
	demo, found, remove, err := p.introduce(ctx, s, server, ln.Addr().String())
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

// cannotListen says why not, and what to do.
func (p *program) cannotListen(addr string, err error) error {
	if !errors.Is(err, syscall.EADDRINUSE) {
		return usagef("cannot listen on %s: %v", addr, reason(err))
	}
	what := "something else"
	_, port, _ := net.SplitHostPort(addr)
	if slices.ContainsFunc(allRunning(p.runningDirs()), func(r running) bool { return strings.HasSuffix(r.Address, ":"+port) }) {
		what = "another sandfhir"
	}
	return usagef("cannot listen on %s: %s listens there; --addr 127.0.0.1:0 takes a free port", addr, what)
}

// options turns settings into those of the Go package.
func (p *program) options(s Settings) ([]sandbox.Option, error) {
	opts := []sandbox.Option{
		sandbox.WithPatients(s.Patients),
		sandbox.WithSeed(s.Seed),
		sandbox.WithRichness(richnessOf(s.Richness)),
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
	secure, err := secureOptions(s)
	if err != nil {
		return nil, err
	}
	opts = append(opts, secure...)
	if s.ProductionAddr != "" {
		opts = append(opts, sandbox.WithProductionListener(s.ProductionAddr))
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
	for _, text := range s.Faults {
		opts = append(opts, sandbox.WithFault(text))
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

// secureOptions are those of HTTPS.
func secureOptions(s Settings) ([]sandbox.Option, error) {
	switch {
	case s.TLSCert == "" && s.TLSKey == "":
		if s.TLS {
			return []sandbox.Option{sandbox.WithTLS()}, nil
		}
		return nil, nil
	case s.TLSCert == "" || s.TLSKey == "":
		return nil, usagef("--tls-cert and --tls-key belong together")
	}
	cert, err := tls.LoadX509KeyPair(s.TLSCert, s.TLSKey)
	if err != nil {
		return nil, usagef("--tls-cert %s, --tls-key %s: %v", s.TLSCert, s.TLSKey, err)
	}
	return []sandbox.Option{sandbox.WithCertificate(cert)}, nil
}

// https reports whether the server speaks it.
func (s Settings) https() bool { return s.TLS || s.TLSCert != "" }

// trusted is the certificate, PEM, by which the server is known; nil of plain HTTP.
func trusted(s Settings, server *sandbox.Server) ([]byte, error) {
	if s.TLSCert == "" {
		return server.CACertificate(), nil
	}
	return os.ReadFile(s.TLSCert)
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

// isLocal reports whether an address to listen on is one that only this machine
// reaches.
func isLocal(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	return err == nil && (host == "localhost" || net.ParseIP(host).IsLoopback())
}

func isLoopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}
