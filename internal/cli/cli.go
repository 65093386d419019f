package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/sandfhir/sandfhir/internal/clock"
)

// The exit codes of the program.
const (
	exitOK          = 0
	exitFailure     = 1   // it could not be done, or the server refused
	exitUsage       = 2   // the command line or the configuration is wrong
	exitInterrupted = 130 // ended by the person who ran it
)

// Run runs one command line, args without the program's name, and returns the exit code: 0, 1
// for a failure, 2 for a mistake in the command line or the configuration, 130 for a client
// command that the end of ctx cut short. environ is of the form of os.Environ. What was asked
// for goes to stdout and all else to stderr.
func Run(ctx context.Context, args, environ []string, stdin io.Reader, stdout, stderr io.Writer) int {
	p := &program{
		environ: environ,
		stdin:   stdin,
		stdout:  stdout,
		stderr:  stderr,
		clock:   clock.System{},
		name:    CommandName(),
	}
	root := p.rootCommand()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var usage *usageError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errFound):
		return exitFailure
	case errors.As(err, &usage):
		p.complain(err)
		return exitUsage
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		p.interrupted()
		return exitInterrupted
	default:
		p.complain(err)
		return exitFailure
	}
}

// A program is what the commands share.
type program struct {
	environ        []string
	stdin          io.Reader
	stdout, stderr io.Writer
	clock          clock.Clock
	name           string // how the person at the keyboard calls it
	endLine        sync.Once
}

func (p *program) complain(err error) { fmt.Fprintf(p.stderr, "sandfhir: %v\n", err) }

// getenv returns the value of an environment variable, "" where it is not set.
func (p *program) getenv(name string) string {
	value := ""
	for _, e := range p.environ {
		if v, ok := strings.CutPrefix(e, name+"="); ok {
			value = v // the last one counts, as for exec
		}
	}
	return value
}

// A usageError is a mistake in the command line or the configuration.
type usageError struct{ reason string }

func (e *usageError) Error() string { return e.reason }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...)}
}

func (p *program) rootCommand() *cobra.Command {
	root := p.serveCommand()
	root.Use = "sandfhir"
	root.Short = "A sandbox for SMART Backend Services clients"
	root.Long = `Sandfhir is a sandbox for people who write backend-service clients: programs that obtain a
token with SMART Backend Services and then read, write or bulk-export FHIR data.

Without a command it serves. Every setting can be given by flag, by environment variable
(--log-level is SANDFHIR_LOG_LEVEL), in a TOML file (log-level = "debug") or left at its
default; the first of these that names it counts. Tokens are given by environment only, because
others on the machine can read a command line:
` + envOnly(settingsTable())
	root.Annotations = map[string]string{cobra.CommandDisplayNameAnnotation: p.name}
	root.SilenceErrors = true
	root.SilenceUsage = true
	root.PersistentFlags().BoolP("help", "h", false, "print this help")
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	root.SetFlagErrorFunc(p.flagError)
	root.SetHelpFunc(p.help)
	root.SetUsageFunc(func(cmd *cobra.Command) error { return p.printf("%s", usageText(cmd)) })
	info, _ := debug.ReadBuildInfo()
	root.Version = versionLine(info)
	root.SetVersionTemplate("{{.Version}}\n")
	root.Flags().Bool("version", false, "print the version")
	root.AddCommand(
		p.serveCommand(), p.loadCommand(), p.configCommand(),
		p.tokenCommand(), p.getCommand(), p.exportCommand(),
		p.doctorCommand(),
	)
	for _, cmd := range append(root.Commands(), root) { // those that read settings
		cmd.PreRunE = func(*cobra.Command, []string) error { return p.checkEnvironment(settingsTable()) }
	}
	root.AddCommand(p.seedCommand(), p.evolveCommand(), p.stateCommand(), p.tailCommand(), p.keygenCommand(), p.diffCommand(), p.healthcheckCommand(), p.versionCommand())
	root.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		var names []string
		for _, c := range cmd.Commands() {
			names = append(names, c.Name())
		}
		return usagef("there is no command %q%s", args[0], didYouMean(args[0], names, "%s", p.name))
	}
	return root
}

// envOnly lists the settings that have no flag.
func envOnly(table []setting) string {
	var b strings.Builder
	for i := range table {
		if s := &table[i]; s.places == byEnv {
			fmt.Fprintf(&b, "\n  %s\n      %s", s.env(), strings.ReplaceAll(wrap(s.help, helpWidth-6), "\n", "\n      "))
		}
	}
	return b.String()
}

// noArguments refuses arguments of a command that takes none.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%s takes no arguments, got %q", cmd.Name(), args[0])
	}
	return nil
}

// interrupted ends the line on which a terminal shows the ^C of the person at the keyboard.
func (p *program) interrupted() {
	p.endLine.Do(func() {
		if onTerminal(p.stderr) {
			fmt.Fprintln(p.stderr)
		}
	})
}

// printf prints what was asked for.
func (p *program) printf(format string, args ...any) error {
	_, err := fmt.Fprintf(p.stdout, format, args...)
	return err
}

// note prints what is going on.
func (p *program) note(format string, args ...any) {
	fmt.Fprintf(p.stderr, format+"\n", args...)
}
