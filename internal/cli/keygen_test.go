package cli_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/jose"
)

// names are the files of a directory.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func readText(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// keySet reads a key set that has to be right.
func keySet(t *testing.T, path string) *authz.KeySet {
	t.Helper()
	set, err := authz.ParseKeySet([]byte(readText(t, path)))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range set.Problems() {
		t.Errorf("%s: %s %s", path, p.Finding, p.Text)
	}
	return set
}

func TestKeygen(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		args  string // DIR stands for a directory
		files []string
		kids  []string // "" is the thumbprint
		kinds []string
	}{
		{"RS384 by default", "--out DIR", []string{"jwks.json", "rs384.private.jwk.json", "rs384.private.pem"}, []string{""}, []string{"RSA of 2048 bits"}},
		{"ES384", "--alg es384 --out DIR/", []string{"es384.private.jwk.json", "es384.private.pem", "jwks.json"}, []string{""}, []string{"EC on P-384"}},
		{"both, with kids and a prefix", "--alg ES384 --alg RS384 --kid a --kid b --out DIR/mine --bits 3072",
			[]string{"mine-es384.private.jwk.json", "mine-es384.private.pem", "mine-jwks.json", "mine-rs384.private.jwk.json", "mine-rs384.private.pem"},
			[]string{"a", "b"}, []string{"EC on P-384", "RSA of 3072 bits"}},
		{"a directory that is not there yet", "--alg ES384 --out DIR/a/b/", []string{"a"}, nil, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			got := run(t, nil, append([]string{"keygen"}, strings.Fields(strings.ReplaceAll(test.args, "DIR", dir))...)...)
			if got.code != 0 || got.stderr != "" || !strings.Contains(got.stdout, "1. Register") {
				t.Fatalf("%+v", got)
			}
			if files := names(t, dir); !slices.Equal(files, test.files) {
				t.Errorf("files %q, want %q", files, test.files)
			}
			if test.kids == nil {
				return
			}
			jwks := filepath.Join(dir, test.files[slices.IndexFunc(test.files, func(n string) bool { return strings.HasSuffix(n, "jwks.json") })])
			keys := keySet(t, jwks).Keys()
			if len(keys) != len(test.kids) {
				t.Fatalf("keys %+v", keys)
			}
			for i, k := range keys {
				want := test.kids[i]
				if want == "" {
					want = k.Thumbprint()
				}
				if k.KeyID != want || k.Description != test.kinds[i] || k.Use != "sig" || k.Algorithm == "" {
					t.Errorf("key %+v, want kid %s, %s", k, want, test.kinds[i])
				}
			}
			for _, name := range test.files {
				path := filepath.Join(dir, name)
				text := readText(t, path)
				if strings.Contains(name, ".private.") {
					file, err := jose.Read([]byte(text))
					if err != nil || !file.IsPrivate() || len(file.Oddities) > 0 || strings.HasSuffix(name, ".pem") != (file.Form == jose.PKCS8PEM) {
						t.Errorf("%s: %+v, %v", name, file, err)
						continue
					}
					print, _ := file.Keys[0].Thumbprint()
					if !slices.ContainsFunc(keys, func(k authz.PublicKey) bool { return k.Thumbprint() == print }) {
						t.Errorf("%s is no key of the set", name)
					}
					if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
						t.Errorf("%s: mode %v, %v", name, info.Mode(), err)
					}
				} else if strings.Contains(text, `"d"`) {
					t.Errorf("A20: %s holds private members", name)
				}
				for _, line := range strings.Split(text, "\n") {
					if len(line) > 60 && strings.Contains(name, ".private.pem") && strings.Contains(got.stdout, line) {
						t.Error("the private key is printed")
					}
				}
			}
		})
	}
}

func TestKeygenOverwritesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := writeFile(t, dir, "jwks.json", "mine")
	got := run(t, nil, "keygen", "--alg", "ES384", "--out", dir)
	if want := "sandfhir: " + path + " is there already and is not overwritten\n"; got.code != 1 || got.stderr != want || got.stdout != "" {
		t.Errorf("%+v, want %q", got, want)
	}
	if files := names(t, dir); !slices.Equal(files, []string{"jwks.json"}) || readText(t, path) != "mine" {
		t.Errorf("it leaves %q", files)
	}
}

// J05, A12: a successor's public half is in the set before it signs, and its predecessor's still.
func TestKeygenAdd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if got := run(t, nil, "keygen", "--alg", "ES384", "--kid", "first", "--out", dir); got.code != 0 {
		t.Fatalf("%+v", got)
	}
	path := filepath.Join(dir, "jwks.json")
	var set map[string]any
	if err := json.Unmarshal([]byte(readText(t, path)), &set); err != nil {
		t.Fatal(err)
	}
	set["note"], set["keys"].([]any)[0].(map[string]any)["x-mine"] = "kept", "kept"
	text, _ := json.Marshal(set)
	if err := errors.Join(os.WriteFile(path, text, 0o640), os.Chmod(path, 0o640)); err != nil {
		t.Fatal(err)
	}
	got := run(t, nil, "keygen", "--alg", "ES384", "--add", path)
	if got.code != 0 || got.stderr != "" || !strings.Contains(got.stdout, "4. When the last assertion of the old key has expired") {
		t.Fatalf("%+v", got)
	}
	keys := keySet(t, path).Keys()
	if len(keys) != 2 || keys[0].KeyID != "first" || keys[1].KeyID != keys[1].Thumbprint() {
		t.Errorf("keys %+v", keys)
	}
	after := readText(t, path)
	if strings.Count(after, "kept") != 2 {
		t.Errorf("what it does not know is gone:\n%s", after)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	files := names(t, dir)
	if len(files) != 5 || !slices.ContainsFunc(files, func(n string) bool { return strings.HasPrefix(n, "es384-") && strings.HasSuffix(n, ".private.pem") }) {
		t.Errorf("files %q", files)
	}

	private := filepath.Join(dir, "es384.private.jwk.json")
	for name, test := range map[string]struct {
		args, want string
		code       int
	}{
		"a kid that is there": {"--kid first --add " + path, `has a key "first" already`, 2},
		"no set":              {"--add " + private, "is no key set to add to: ", 1},
		"no file":             {"--add " + dir + "/none", "cannot be read: no such file", 2},
		"A20 a private set":   {"--add " + writeFile(t, t.TempDir(), "p.json", `{"keys":[`+readText(t, private)+`]}`), "whoever read it can sign as you", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := run(t, nil, append([]string{"keygen", "--alg", "ES384"}, strings.Fields(test.args)...)...)
			if got.code != test.code || !strings.Contains(got.stderr, test.want) || got.stdout != "" {
				t.Errorf("%+v, want %d %q", got, test.code, test.want)
			}
		})
	}
}

func TestKeygenMistakes(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"--alg RS256":             `--alg: "RS256" is neither RS384 nor ES384, the two algorithms of SMART`,
		"--alg RS384 --alg rs384": `--alg: RS384 is there twice`,
		"--kid a --kid b":         `--kid names one key: 2 kids and 1 key do not go together`,
		"--kid=":                  `--kid: a kid is not empty and names one key`,
		"--bits 1024":             `--bits: 1024 is not from 2048 to 8192`,
		"--bits many":             `invalid argument "many" for "--bits" flag: strconv.ParseInt: parsing "many": invalid syntax`,
		"--alg ES384 --bits 2048": `--bits is the size of an RSA key, and none is made; the curve of ES384 has 384`,
		"now":                     `keygen takes no arguments, got "now"`,
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			got := run(t, nil, append([]string{"keygen"}, strings.Fields(args)...)...)
			if got.code != 2 || got.stderr != "sandfhir: "+want+"\n" || got.stdout != "" {
				t.Errorf("%+v, want 2 and %q", got, want)
			}
		})
	}
}
