package cli

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/sandfhir/sandfhir/internal/processdir"
	"github.com/sandfhir/sandfhir/sandbox"
)

// clearUp removes what servers and loads left that did not come to their end: keys, and data that
// were not to be kept.
func (p *program) clearUp(ctx context.Context) {
	allRunning(p.runningDirs())
	processdir.Living(ctx, os.TempDir(), processdir.TempName)
}

// introduce leaves the demo client's key and the server's addresses where the client commands
// find them. found is false where these need to be told; demo.Key is empty where there is no
// place at all for a key. remove takes away what is not to outlive the server.
func (p *program) introduce(ctx context.Context, s Settings, server *sandbox.Server, addr string) (demo running, found bool, remove func() error, err error) {
	client := server.DefaultClient()
	demo = running{Address: addr, Local: localURL(s, addr), FHIR: client.FHIRURL(), Client: client.ID(), KeyID: client.KeyID(), PID: os.Getpid(), Started: p.clock.Now()}
	remove = func() error { return nil }
	ca, err := trusted(s, server)
	if err != nil {
		return demo, false, remove, err
	}
	if demo.CA = string(ca); s.TLSCert != "" && s.BaseURL != "" {
		demo.Local = s.BaseURL // the certificate is for its name
	}
	if s.Data != "" { // where the server itself keeps it
		if demo.Key, err = filepath.Abs(filepath.Join(s.Data, sandbox.DefaultKeyFile)); err != nil {
			return demo, false, remove, fmt.Errorf("place of the demo client's key: %w", err)
		}
	}
	dirs := p.runningDirs()
	why := errors.New("there is neither XDG_RUNTIME_DIR nor a home")
	for _, parent := range dirs {
		written, dir, err := writeRunning(ctx, parent, demo, client.PrivateKeyPEM())
		if err == nil {
			return written, true, dir.Remove, nil
		}
		why = fmt.Errorf("%s: %w", parent, reason(err))
	}
	p.note("the commands below say where the server is, because no directory can be written for that (%v)", why)
	if demo.Key == "" {
		if demo.Key, remove, err = temporaryKey(ctx, client.PrivateKeyPEM()); err != nil {
			demo.Key, remove = "", func() error { return nil } // the server serves without it
		}
	}
	return demo, false, remove, nil
}

// temporaryKey writes a private key into a directory for temporary files.
func temporaryKey(ctx context.Context, key []byte) (path string, remove func() error, err error) {
	dir, err := processdir.Make(ctx, os.TempDir(), processdir.TempName+"*")
	if err != nil {
		return "", nil, err
	}
	path = filepath.Join(dir.Path(), keyFile)
	if err := os.WriteFile(path, key, 0o600); err != nil {
		return "", nil, errors.Join(err, dir.Remove())
	}
	return path, dir.Remove, nil
}

// localURL is the URL on this machine of a server that listens on an address.
func localURL(s Settings, addr string) string {
	if s.https() {
		return "https://" + dialable(addr)
	}
	return "http://" + dialable(addr)
}

// chosen is how a command line names a server, with a space before it: not at all where it is the
// one that the commands mean by themselves, however many others there are.
func chosen(addr, fhir string) string {
	if addr == defaultAddr() {
		return ""
	}
	return " --fhir " + shellWord(fhir)
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
	more := reach(s, demo.Address)
	if ca := server.CACertificate(); ca != nil {
		more = "  To trust     " + server.URL() + "/_sandbox/ca.pem\n" + more
	}
	if s.ProductionAddr != "" {
		more = "  Production   " + server.Production().FHIRURL() + "\n" + more
	}
	if b := server.Behaviour(); b.Differs() { // strict needs no line
		more = "  Behaviour    " + b.String() + "\n" + more
	}
	if len(s.Faults) > 0 {
		more = "  Faults       " + strings.Join(s.Faults, "\n               ") + "\n" + more
	}
	err := p.printf(`Sandfhir is ready.

  Portal       %s
  FHIR base    %s
  Discovery    %s
  Token URL    %s
  Demo client  %s
%s
`, server.PortalURL(), server.FHIRURL(), server.SMARTConfigurationURL(), server.TokenURL(), client, more)
	if err != nil || demo.Key == "" {
		return err
	}
	told := chosen(demo.Address, demo.FHIR)
	if !found {
		told = fmt.Sprintf(" --fhir %s --client %s --key %s --kid %s", shellWord(demo.FHIR), shellWord(demo.Client), shellWord(demo.Key), shellWord(demo.KeyID))
	}
	return p.printf(`Try in another terminal:

  %[1]s token%[2]s
  %[1]s get%[2]s 'Patient?_count=3'
  %[1]s export%[2]s

`, p.name, told)
}

// reach says where a server listens, where its URLs do not, and who can reach it and what they
// can do there, where that is not this machine's alone.
func reach(s Settings, addr string) string {
	const margin = "  Listens on   "
	switch here := onlyHere(addr); {
	case here && s.BaseURL == "":
		return ""
	case here:
		return margin + addr + ", for this machine only\n"
	}
	where := "an address that other machines can reach"
	if strings.HasPrefix(placeName(addr), "all-") {
		where = "every address of this machine"
	}
	who := "Whoever reaches it can register a client, and with it read and write the data."
	if s.RegistrationToken != "" {
		who = "Whoever has the registration token can register a client, and with it read and write the data."
	}
	text := wrap(addr+", "+where+". "+who, helpWidth-len(margin))
	return margin + strings.ReplaceAll(text, "\n", "\n"+strings.Repeat(" ", len(margin))) + "\n"
}

// onlyHere tells whether an address is reached from this machine alone.
func onlyHere(addr string) bool {
	at, err := netip.ParseAddrPort(addr)
	return err == nil && at.Addr().IsLoopback()
}
