package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sandfhir/sandfhir/internal/doctor"
	"github.com/sandfhir/sandfhir/internal/jose"
)

// doctorFlags say what the doctor looks at and what it does.
type doctorFlags struct {
	caseFlags
	jwks, assertion, convert, out string
	code                          string
	scopes                        []string
	make, json, verbose           bool
}

// caseFlags say whose assertion is meant, what it is signed with and which server it is for.
type caseFlags struct {
	key, keyID, client, fhir, tokenURL string
}

func (f *caseFlags) add(flags *pflag.FlagSet) {
	flags.SortFlags = false
	flags.StringVar(&f.key, "key", "", "`FILE` with the private key: PEM in any form, DER, JWK or JWK Set; - is standard input")
	flags.StringVar(&f.client, "client", "", "client `ID`; with it the server is asked: --fhir, or the one running here")
	flags.StringVar(&f.fhir, "fhir", "", "FHIR base `URL` of the server that the client is for")
	flags.StringVar(&f.tokenURL, "token-url", "", "`URL` that aud has to be; by default what the server's discovery says")
	flags.StringVar(&f.keyID, "kid", "", "key `ID` in the assertion; by default the JWK's, the key set's or the key's thumbprint")
}

func (p *program) doctorCommand() *cobra.Command {
	var flags doctorFlags
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check a client's key, key set and assertion before they are used",
		Long: `Check a client's set-up: its private key, its public key set, an assertion it made, and what a
server says about it, in any combination. Every mistake is named with the id that the server has
for it, what was got and what was wanted, and how to put it right.

No server is asked unless --client, --fhir or a URL names one, and no token is issued: a Sandfhir
explains what it would do; of other servers the discovery is read.

  sandfhir doctor --key private.pem
  sandfhir doctor --key private.pem --jwks https://app.example/jwks.json
  sandfhir doctor --assertion a.jwt --jwks jwks.json --token-url https://…
  sandfhir doctor --client my-client --key private.pem
  sandfhir doctor --key private.pem --convert jwks --out jwks.json
  sandfhir doctor --make --key private.pem --client my-client --fhir https://…

Exit code 0: nothing is wrong; 1: something is; 2: a mistake in the command line.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("doctor takes no arguments, got %q; name a file with --key, --jwks or --assertion", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case flags.code != "" && !slices.Contains(languages(), flags.code):
				return usagef("--code: %q is none of %s%s", flags.code, strings.Join(languages(), ", "), didYouMean(flags.code, languages(), "%s", ""))
			case flags.convert != "" && flags.make:
				return usagef("--convert and --make exclude each other")
			case flags.convert != "":
				return p.convert(flags)
			case flags.out != "":
				return usagef("--out goes with --convert")
			case flags.make:
				return p.makeAssertion(cmd.Context(), flags)
			}
			return p.doctor(cmd.Context(), flags)
		},
	}
	f := cmd.Flags()
	flags.caseFlags.add(f)
	f.StringVar(&flags.jwks, "jwks", "", "public key set: a `FILE` or a URL, which is fetched as a server does")
	f.StringVar(&flags.assertion, "assertion", "", "client assertion, or the form of a token request: `FILE`, - or the text itself")
	f.StringArrayVar(&flags.scopes, "scope", nil, "`SCOPE` to look at as well; can be repeated")
	f.StringVar(&flags.convert, "convert", "", "print the key as `FORM`: pem (PKCS #8), jwk, jwks (the public set) or public-pem")
	f.StringVar(&flags.out, "out", "", "`FILE` for what --convert makes; one with a private key is for its owner alone")
	f.BoolVar(&flags.make, "make", false, "print a correct assertion, to compare with or to use once")
	f.StringVar(&flags.code, "code", "", "print the code that does right what is wrong, in `LANGUAGE`: sh, go, python or javascript")
	f.BoolVar(&flags.json, "json", false, "print the findings as JSON, with the code")
	f.BoolVarP(&flags.verbose, "verbose", "v", false, "list every check that passed")
	return cmd
}

// languages are those that code is printed in.
func languages() []string { return []string{"sh", "go", "python", "javascript"} }

// errFound ends a command with exit code 1 that has said all there is to say.
var errFound = errors.New("something is wrong")

// doctor looks at everything that the flags name and prints what it finds.
func (p *program) doctor(ctx context.Context, flags doctorFlags) error {
	c, err := p.caseOf(&flags)
	if err != nil {
		return err
	}
	report, err := doctor.Examine(ctx, c)
	if err != nil {
		return err
	}
	p.personal(report, flags)
	if flags.json {
		encoder := json.NewEncoder(p.stdout)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		err = encoder.Encode(report)
	} else {
		err = p.printReport(report, flags)
	}
	if err == nil && !report.OK {
		err = errFound
	}
	return err
}

// caseOf reads what the flags name.
func (p *program) caseOf(flags *doctorFlags) (c doctor.Case, err error) {
	if flags.key == "" && flags.jwks == "" && flags.assertion == "" && flags.client == "" && flags.fhir == "" {
		return c, usagef("doctor has nothing to look at: name --key, --jwks, --assertion or --client")
	}
	if fromStdin := slices.DeleteFunc([]string{flags.key, flags.jwks, flags.assertion}, func(s string) bool { return s != "-" }); len(fromStdin) > 1 {
		return c, usagef("standard input can be one thing only")
	}
	c = doctor.Case{Client: flags.client, KeyID: flags.keyID, TokenURL: flags.tokenURL, Scopes: flags.scopes, Clock: p.clock}
	if c.Server, err = p.serverOf(&flags.caseFlags); err != nil {
		return c, err
	}
	if flags.client != "" && c.Server == nil && flags.tokenURL == "" {
		if flags.key == "" && flags.jwks == "" && flags.assertion == "" {
			return c, fmt.Errorf("no server is running here; start one with %q, or name one with --fhir", p.name)
		}
		p.note("no server is running here: what only a server knows is left out; name one with --fhir")
	}
	if flags.key != "" {
		if c.Key, err = p.readInput("--key", flags.key); err != nil {
			return c, err
		}
	}
	switch {
	case strings.Contains(flags.jwks, "://"):
		c.KeySetURL = flags.jwks
	case flags.jwks != "":
		if c.KeySet, err = p.readInput("--jwks", flags.jwks); err != nil {
			return c, err
		}
	}
	if flags.assertion != "" {
		c.Assertion, err = p.readAssertion("--assertion", flags.assertion)
	}
	return c, err
}

// serverOf is the server that the flags ask for: none unless they name it or a client. The client
// that a server of this machine's has for the commands comes with its key.
func (p *program) serverOf(flags *caseFlags) (*doctor.Server, error) {
	if flags.client == "" && flags.fhir == "" {
		return nil, nil
	}
	if flags.fhir == "" && flags.tokenURL != "" { // it is for another server than the one running here
		return nil, nil
	}
	base, r, found, err := p.serverAt(flags.fhir)
	if err != nil {
		return nil, err
	}
	if found && flags.client == r.Client && flags.key == "" {
		flags.key = r.Key
		if flags.keyID == "" {
			flags.keyID = r.KeyID
		}
	}
	if base == "" {
		return nil, nil
	}
	return &doctor.Server{FHIR: base, HTTP: r.httpClient(), AdminToken: p.getenv(envPrefix + "ADMIN_TOKEN")}, nil
}

// readInput reads the file that a flag names, or standard input.
func (p *program) readInput(flag, path string) (*doctor.File, error) {
	if path == "-" {
		data, err := io.ReadAll(io.LimitReader(p.stdin, jose.MaxFile+1))
		return &doctor.File{Name: "standard input", Data: data}, err
	}
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		return nil, usagef("%s: %s is a directory", flag, path)
	}
	var data []byte
	if err == nil {
		data, err = readKeyFile(path)
	}
	if err != nil {
		return nil, usagef("%s: %s cannot be read: %v", flag, path, reason(err))
	}
	file := &doctor.File{Name: path, Data: data}
	if os.PathSeparator == '/' { // elsewhere the mode says nothing
		file.Mode = info.Mode()
	}
	return file, nil
}

// readAssertion reads an assertion from a file, from standard input, or from the command line
// itself.
func (p *program) readAssertion(flag, value string) (*doctor.Assertion, error) {
	_, err := os.Stat(value)
	switch {
	case value == "-" || err == nil:
	case strings.HasPrefix(value, "eyJ"), strings.HasPrefix(value, "Bearer "), strings.Contains(value, "client_assertion="), len(value) > 100:
		return doctor.ReadAssertion("", value), nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, usagef("%s: %q is neither a file nor an assertion, which begins with eyJ", flag, value)
	}
	file, err := p.readInput(flag, value)
	if err != nil {
		return nil, err
	}
	return doctor.ReadAssertion(file.Name, string(file.Data)), nil
}

// personal puts the names of this case into the commands that the findings advise.
func (p *program) personal(report *doctor.Report, flags doctorFlags) {
	for _, s := range report.Sections {
		path := flags.key
		if s.Name == "key-set" {
			path = flags.jwks
		}
		if path == "" || path == "-" {
			path = "FILE"
		}
		client := flags.client
		if client == "" {
			client = "ID"
		}
		words := strings.NewReplacer(" FILE", " "+shellWord(path), " ID", " "+shellWord(client))
		for i, command := range s.Commands {
			if rest, ok := strings.CutPrefix(command, "sandfhir "); ok {
				command = p.name + " " + rest
			}
			s.Commands[i] = words.Replace(command)
		}
	}
}

// makeAssertion prints a correct assertion, and nothing else on standard output.
func (p *program) makeAssertion(ctx context.Context, flags doctorFlags) error {
	server, err := p.serverOf(&flags.caseFlags)
	if err != nil {
		return err
	}
	if flags.client == "" || flags.key == "" {
		return usagef("an assertion is made of --client and --key")
	}
	audience, err := p.audienceOf(ctx, &flags.caseFlags, server)
	if err != nil {
		return err
	}
	assertion, err := p.correctAssertion(&flags.caseFlags, audience)
	if err != nil {
		return err
	}
	p.note("good for one token request at %s within %d minutes", audience, int(jose.AssertionLife.Minutes()))
	return p.printf("%s\n", assertion)
}

// audienceOf is the token endpoint that an assertion is for: the one that the flags name, or the
// one of the server's discovery.
func (p *program) audienceOf(ctx context.Context, flags *caseFlags, server *doctor.Server) (string, error) {
	switch {
	case flags.tokenURL != "":
		return flags.tokenURL, nil
	case server == nil:
		return "", usagef("the correct assertion is for a token endpoint: name it with --token-url, or a server with --fhir")
	}
	c := &client{program: p, http: server.HTTP, fhir: server.FHIR}
	return c.tokenURL(ctx)
}

// correctAssertion makes an assertion with the key and of the client of the flags, as the server
// wants it.
func (p *program) correctAssertion(flags *caseFlags, audience string) (string, error) {
	key, err := p.loadKeyInput(flags.key, flags.keyID)
	if err != nil {
		return "", err
	}
	return key.assertion(flags.client, audience, p.clock.Now())
}

// loadKeyInput is loadKey for a path that may be standard input.
func (p *program) loadKeyInput(path, id string) (*signingKey, error) {
	file, err := p.readInput("--key", path)
	if err != nil {
		return nil, err
	}
	return parseSigningKey(file.Name, file.Data, id)
}

// The forms of a key that can be asked for.
const (
	formPEM       = "pem"
	formJWK       = "jwk"
	formJWKS      = "jwks"
	formPublicPEM = "public-pem"
)

// convert prints the key of the case in another form.
func (p *program) convert(flags doctorFlags) error {
	forms := []string{formPEM, formJWK, formJWKS, formPublicPEM}
	if !slices.Contains(forms, flags.convert) {
		return usagef("--convert: %q is none of %s%s", flags.convert, strings.Join(forms, ", "), didYouMean(flags.convert, forms, "%s", ""))
	}
	path, flag := flags.key, "--key"
	if path == "" {
		path, flag = flags.jwks, "--jwks"
	}
	if path == "" {
		return usagef("--convert needs a key: name it with --key")
	}
	input, err := p.readInput(flag, path)
	if err != nil {
		return err
	}
	file, err := jose.Read(input.Data)
	if err != nil {
		return fmt.Errorf("%s: %w", input.Name, forPath(err, path))
	}
	data, private, err := converted(file, flags.convert, flags.keyID)
	if err != nil {
		return fmt.Errorf("%s: %w", input.Name, forPath(err, path))
	}
	if flags.out == "" {
		return p.printf("%s", data)
	}
	if err := createFile(flags.out, data, private); err != nil {
		return err
	}
	p.note("wrote %s", flags.out)
	return nil
}
