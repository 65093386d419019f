package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/sandfhir/sandfhir/sandbox"
)

// stateFlags say whose state it is.
type stateFlags struct{ fhir, data string }

func (p *program) stateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "state",
		Short: "Write all that a server holds into one file, or take it from one",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return usagef("state needs a word more: %s state export FILE, or %s state import FILE", p.name, p.name)
		},
	}
	cmd.AddCommand(p.stateExportCommand(), p.stateImportCommand())
	return cmd
}

const stateIs = `A state is what a server holds at one instant, as a ZIP: the data of both environments, clients,
policies, export jobs, the server's signing keys and its clock. It holds keys: keep it as you would
keep a password.

`

const stateOf = `The server is the one running here, or the one that --fhir names; --data takes the directory of a
server that is not running. A server that listens on more than this machine asks for its admin
token, in ` + envPrefix + `ADMIN_TOKEN.`

func (p *program) stateExportCommand() *cobra.Command {
	var of stateFlags
	cmd := &cobra.Command{
		Use:   "export FILE",
		Short: "Write all that a server holds into one file",
		Long:  stateIs + "The file must not exist yet.\n\n" + stateOf,
		Args:  oneFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.exportState(cmd.Context(), of, args[0])
		},
	}
	of.add(cmd)
	return cmd
}

func (p *program) stateImportCommand() *cobra.Command {
	var of stateFlags
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Have a server hold what is in a file of state export",
		Long:  stateIs + "What the server held before is gone. A file that is damaged or of a newer version changes nothing.\n\n" + stateOf,
		Args:  oneFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.importState(cmd.Context(), of, args[0])
		},
	}
	of.add(cmd)
	return cmd
}

func (f *stateFlags) add(cmd *cobra.Command) {
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&f.fhir, "fhir", "", "FHIR base `URL` of the server; by default the one running here")
	cmd.Flags().StringVar(&f.data, "data", "", "data `DIR` of a server that is not running")
}

func oneFile(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usagef("%s takes the name of one file", cmd.CommandPath())
	}
	return nil
}

// exportState writes the file under another name until it is complete.
func (p *program) exportState(ctx context.Context, of stateFlags, path string) (err error) {
	if _, err := os.Lstat(path); err == nil {
		return usagef("%s exists already", path)
	}
	if of.data != "" {
		if _, err := os.Stat(of.data); err != nil {
			return usagef("--data: %s: %v", of.data, reason(err))
		}
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // in vain once it is renamed
	err = p.withState(ctx, of, func(sb *sandbox.Server) error { return sb.ExportState(ctx, f) }, func(at controls) error {
		return p.askState(ctx, http.MethodGet, at, http.NoBody, f)
	})
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return p.printf("%s, %s\n", path, byteCount(info.Size()))
}

func (p *program) importState(ctx context.Context, of stateFlags, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return usagef("%s: %v", path, reason(err))
	}
	defer f.Close()
	err = p.withState(ctx, of, func(sb *sandbox.Server) error { return sb.ImportState(ctx, f) }, func(at controls) error {
		return p.askState(ctx, http.MethodPut, at, f, io.Discard)
	})
	if err != nil {
		return fmt.Errorf("nothing was changed: %w", err)
	}
	return p.printf("imported %s\n", path)
}

// withState opens the directory that the flags name, or asks the server.
func (p *program) withState(ctx context.Context, of stateFlags, open func(*sandbox.Server) error, ask func(controls) error) (err error) {
	if of.data == "" {
		at, err := p.controlsOf(of.fhir)
		if err != nil {
			return err
		}
		return ask(at)
	}
	if of.fhir != "" {
		return usagef("--fhir and --data exclude each other")
	}
	sb, err := sandbox.New(ctx, sandbox.WithDataDir(of.data), sandbox.WithPatients(0))
	if errors.Is(err, sandbox.ErrDataInUse) {
		return usagef("a server has the data directory %s: leave --data out, or stop it", of.data)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sb.Close()) }()
	return open(sb)
}

// askState sends a request to a server's controls.
func (p *program) askState(ctx context.Context, method string, at controls, body io.Reader, to io.Writer) error {
	req, err := http.NewRequestWithContext(ctx, method, at.root+"/_sandbox/state", body)
	if err != nil {
		return usagef("--fhir: %v", err)
	}
	if f, ok := body.(*os.File); ok {
		info, err := f.Stat()
		if err != nil {
			return err
		}
		req.ContentLength = info.Size()
		req.Header.Set("Content-Type", "application/zip")
	}
	resp, err := at.ask(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(to, resp.Body); err != nil {
		return fmt.Errorf("the answer broke off: %w", err)
	}
	return nil
}
