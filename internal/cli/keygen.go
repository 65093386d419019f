package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/jose"
)

// keygenFlags say which keys are made and where they go.
type keygenFlags struct {
	algorithms, kids []string
	out, add         string
	bits             int
}

const maxKeyBits = 8192 // beyond it every signature takes seconds

func (p *program) keygenCommand() *cobra.Command {
	var flags keygenFlags
	cmd := &cobra.Command{
		Use:   "keygen",
		Short: "Make a key pair and the public key set to register",
		Long: `Make a key pair for a client: the private key as PEM and as JWK, which only the client's owner
may read, and the public key set (JWKS) to register.

  sandfhir keygen
  sandfhir keygen --alg RS384 --alg ES384 --out keys/
  sandfhir keygen --alg ES384 --out my-client
  sandfhir keygen --add jwks.json

--out is a directory, with a slash at its end where it is not there yet, or what the names of the
files begin with. Files that are there already are never overwritten. --add makes the successor of
a key: its public half joins the key set.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := flags.check(cmd.Flags().Changed("bits")); err != nil {
				return err
			}
			return p.keygen(flags)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringArrayVar(&flags.algorithms, "alg", nil, "`ALG`: RS384 or ES384; repeated for both (default RS384)")
	f.StringArrayVar(&flags.kids, "kid", nil, "key `ID`, one for each --alg; by default the key's thumbprint (RFC 7638)")
	f.StringVar(&flags.out, "out", "", "`DIR|PREFIX` of the files; by default the current directory, with --add that of the key set")
	f.StringVar(&flags.add, "add", "", "key set to add the public key to, for rotation: a `FILE`")
	f.IntVar(&flags.bits, "bits", jose.MinBits, "size of an RSA key: `N` bits")
	return cmd
}

func (f *keygenFlags) check(bitsGiven bool) error {
	if len(f.algorithms) == 0 {
		f.algorithms = []string{jose.RS384}
	}
	seen := map[string]bool{}
	for i, alg := range f.algorithms {
		alg = strings.ToUpper(alg)
		if alg != jose.RS384 && alg != jose.ES384 {
			return usagef("--alg: %q is neither RS384 nor ES384, the two algorithms of SMART", f.algorithms[i])
		}
		if seen[alg] {
			return usagef("--alg: %s is there twice", alg)
		}
		seen[alg] = true
		f.algorithms[i] = alg
	}
	seen = map[string]bool{}
	for _, kid := range f.kids {
		if kid == "" || seen[kid] {
			return usagef("--kid: a kid is not empty and names one key")
		}
		seen[kid] = true
	}
	switch {
	case len(f.kids) > 0 && len(f.kids) != len(f.algorithms):
		return usagef("--kid names one key: %s and %s do not go together", plural(len(f.kids), "kid"), plural(len(f.algorithms), "key"))
	case bitsGiven && !slices.Contains(f.algorithms, jose.RS384):
		return usagef("--bits is the size of an RSA key, and none is made; the curve of ES384 has 384")
	case f.bits < jose.MinBits || f.bits > maxKeyBits:
		return usagef("--bits: %d is not from %d to %d", f.bits, jose.MinBits, maxKeyBits)
	}
	return nil
}

// madeKey is a key that was made, with the files that it goes to.
type madeKey struct {
	*jose.Key
	pem, jwk string
}

// keygen makes the keys and writes them; nothing is written unless everything can be.
func (p *program) keygen(flags keygenFlags) error {
	present, err := readKeySet(flags.add)
	if err != nil {
		return err
	}
	var keys []madeKey
	for i, alg := range flags.algorithms {
		key, err := jose.Generate(alg, flags.bits)
		if err != nil {
			return err
		}
		if len(flags.kids) > 0 {
			key.ID = flags.kids[i]
		}
		if key.ID, err = key.KeyID(); err != nil {
			return err
		}
		if slices.Contains(present.kids, key.ID) {
			return usagef("--kid: %s has a key %q already; a successor has a kid of its own", flags.add, key.ID)
		}
		keys = append(keys, madeKey{Key: key})
	}
	jwks, err := flags.place(keys)
	if err != nil {
		return err
	}
	if err := writeKeys(keys, jwks, flags.add, present); err != nil {
		return err
	}
	return p.reportKeys(keys, jwks, flags.add != "")
}

// place names the files and makes the directory that they go to.
func (f *keygenFlags) place(keys []madeKey) (jwks string, err error) {
	out := f.out
	if out == "" && f.add != "" {
		out = filepath.Dir(f.add)
	}
	dir, prefix := out, ""
	if info, err := os.Stat(out); out == "" {
		dir = "."
	} else if !strings.HasSuffix(out, "/") && !strings.HasSuffix(out, string(os.PathSeparator)) && (err != nil || !info.IsDir()) {
		dir, prefix = filepath.Dir(out), filepath.Base(out)+"-"
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make the directory %s: %w", dir, reason(err))
	}
	for i, alg := range f.algorithms {
		base := prefix + strings.ToLower(alg)
		if f.add != "" && f.out == "" { // its predecessor has the plain name
			base += "-" + fileName(keys[i].ID)
		}
		keys[i].pem = filepath.Join(dir, base+".private.pem")
		keys[i].jwk = filepath.Join(dir, base+".private.jwk.json")
	}
	if f.add != "" {
		return f.add, nil
	}
	return filepath.Join(dir, prefix+"jwks.json"), nil
}

// fileName is the beginning of a kid, as part of a file's name.
func fileName(kid string) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' {
			return r
		}
		return '_'
	}, kid)
	return name[:min(8, len(name))]
}

// writeKeys writes the private keys and the key set, or nothing.
func writeKeys(keys []madeKey, jwks, add string, present keySetFile) (err error) {
	var written []string
	defer func() {
		if err != nil {
			for _, path := range written {
				err = errors.Join(err, os.Remove(path))
			}
		}
	}()
	create := func(path string, data []byte, private bool) error {
		if err := createFile(path, data, private); err != nil {
			return err
		}
		written = append(written, path)
		return nil
	}
	var public []*jose.Key
	for _, k := range keys {
		public = append(public, k.Key)
		pem, err := k.PEM()
		if err != nil {
			return err
		}
		members, err := k.PrivateJWK()
		if err != nil {
			return err
		}
		jwk, err := json.Marshal(members)
		if err != nil {
			return fmt.Errorf("encode the key: %w", err)
		}
		if err := create(k.pem, pem, true); err != nil {
			return err
		}
		if err := create(k.jwk, pretty(jwk), true); err != nil {
			return err
		}
	}
	set, err := jose.PublicSet(public...)
	if err != nil {
		return err
	}
	if add == "" {
		return create(jwks, pretty(set), false)
	}
	return present.add(add, set)
}

// reportKeys says where everything is and what comes next.
func (p *program) reportKeys(keys []madeKey, jwks string, successor bool) error {
	s := p.screen()
	for _, k := range keys {
		alg, _ := k.Algorithm()
		s.line(s.style(bold, alg+" key "+k.ID))
		s.line("  private, PEM  " + k.pem)
		s.line("  private, JWK  " + k.jwk)
	}
	verb := "Public key set"
	if successor {
		verb = "Added to"
	}
	s.line(s.style(bold, verb) + " " + jwks)
	s.line("")
	check := fmt.Sprintf("%s doctor --key %s --jwks %s", p.name, shellWord(keys[0].pem), shellWord(jwks))
	if successor {
		s.paragraph("1. ", 3, "Publish "+jwks+", or register it again where it was registered by value. The old key goes on signing.")
		s.paragraph("2. ", 3, "Wait for as long as servers may keep the old set: what Cache-Control says at its URL.")
		s.paragraph("3. ", 3, "Sign with the new private key, and name its kid in the header.")
		s.paragraph("4. ", 3, "When the last assertion of the old key has expired, take the old key out of the set.")
	} else {
		s.paragraph("1. ", 3, "Register "+jwks+": publish it at an https URL and register that as jwks_uri, or register its content by value as jwks. It holds no secret; the private files are for your client alone.")
		s.paragraph("2. ", 3, "Sign assertions with the private key, and name its kid in the header.")
	}
	s.line("")
	s.line("Check it:  " + check)
	return s.err
}

// keySetFile is a key set that a key is to be added to.
type keySetFile struct {
	members map[string]json.RawMessage
	keys    []json.RawMessage
	kids    []string
	mode    fs.FileMode
}

// readKeySet reads the set; what may not be published, or is no set, is not added to.
func readKeySet(path string) (keySetFile, error) {
	var f keySetFile
	if path == "" {
		return f, nil
	}
	data, err := readKeyFile(path)
	if err != nil {
		return f, usagef("--add: %s cannot be read: %v", path, reason(err))
	}
	set, err := authz.ParseKeySet(data)
	if err != nil {
		return f, fmt.Errorf("%s is no key set to add to: %w", path, err)
	}
	for _, problem := range set.Problems() {
		if problem.Finding == authz.FindingIDPrivateMembers {
			return f, fmt.Errorf("%s is not added to: %s", path, problem.Text+" "+problem.Fix)
		}
	}
	f.kids = set.KeyIDs()
	info, err := os.Stat(path)
	if err != nil {
		return f, err
	}
	f.mode = info.Mode().Perm()
	if err := json.Unmarshal(data, &f.members); err != nil {
		return f, fmt.Errorf("%s is no key set to add to: %w", path, err)
	}
	return f, json.Unmarshal(f.members["keys"], &f.keys)
}

// add writes the set with the keys of another one behind its own, which stay as they are.
func (f keySetFile) add(path string, set []byte) error {
	var more struct{ Keys []json.RawMessage }
	if err := json.Unmarshal(set, &more); err != nil {
		return fmt.Errorf("read the new key set: %w", err)
	}
	keys, err := json.Marshal(append(f.keys, more.Keys...))
	if err != nil {
		return fmt.Errorf("encode the key set: %w", err)
	}
	f.members["keys"] = keys
	data, err := json.Marshal(f.members)
	if err != nil {
		return fmt.Errorf("encode the key set: %w", err)
	}
	if err := replaceFile(path, pretty(data)); err != nil {
		return fmt.Errorf("write %s: %w", path, reason(err))
	}
	return os.Chmod(path, f.mode)
}
