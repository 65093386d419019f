package cli_test

import (
	"bytes"
	"crypto/elliptic"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/internal/cli"
	"github.com/sandfhir/sandfhir/internal/doctor"
	"github.com/sandfhir/sandfhir/internal/jose"
	"github.com/sandfhir/sandfhir/sandbox"
)

var update = flag.Bool("update", false, "write the golden files anew")

// fixture is a key that authz's tests have as a file.
func fixture(name string) string { return filepath.Join("..", "..", "authz", "testdata", name) }

// readable copies a fixture to where its mode is known.
func readable(t *testing.T, dir, name string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(readText(t, fixture(name))), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func runIn(t *testing.T, stdin string, args ...string) ran {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := cli.Run(t.Context(), args, nil, strings.NewReader(stdin), &stdout, &stderr)
	return ran{code, stdout.String(), stderr.String()}
}

// make signs a right assertion by the command itself.
func makeAssertion(t *testing.T, key, client, tokenURL string, more ...string) string {
	t.Helper()
	got := run(t, nil, append([]string{"doctor", "--make", "--key", key, "--client", client, "--token-url", tokenURL}, more...)...)
	if got.code != 0 || strings.Count(got.stdout, "\n") != 1 || strings.Count(got.stdout, ".") != 2 {
		t.Fatalf("--make: %+v", got)
	}
	return strings.TrimSpace(got.stdout)
}

// What people see, as a whole: a golden file. -update writes it anew.
func TestDoctorScreens(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("modes and separators are others there")
	}
	dir := t.TempDir()
	ec, other := readable(t, dir, "ec-a.pem"), readable(t, dir, "ec-b.pem")
	readable(t, dir, "rsa-1024.pem")
	writeFile(t, dir, "one-line.pem", strings.ReplaceAll(readText(t, ec), "\n", `\n`))
	sets := filepath.Join(dir, "jwks.json")
	if got := run(t, nil, "doctor", "--key", ec, "--kid", "k1", "--convert", "jwks", "--out", sets); got.code != 0 {
		t.Fatalf("%+v", got)
	}
	sb := sandbox.Start(t)
	if _, err := sb.RegisterClient(t.Context(), sandbox.ClientConfig{ID: "my-client", JWKS: []byte(readText(t, sets)), Scopes: []string{"system/Patient.rs"}}); err != nil {
		t.Fatal(err)
	}
	writeFile(t, dir, "good.jwt", makeAssertion(t, ec, "my-client", sb.TokenURL(), "--kid", "k1"))
	writeFile(t, dir, "slash.jwt", makeAssertion(t, other, "my-client", sb.TokenURL()+"/", "--kid", "k1"))

	screens := []string{
		"doctor --key ec-a.pem",
		"doctor --key one-line.pem",
		"doctor --key rsa-1024.pem",
		"doctor --key ec-a.pem --jwks jwks.json",
		"doctor --key ec-b.pem --jwks jwks.json",
		"doctor --jwks ec-a.pem",
		"doctor --assertion good.jwt",
		"doctor --assertion slash.jwt --jwks jwks.json --key ec-b.pem --client my-client --token-url TOKEN",
		"doctor --client my-client --fhir FHIR",
		"doctor --client my-client --fhir FHIR --key ec-a.pem --kid k1 --verbose",
		"doctor --client mine --fhir FHIR --key ec-a.pem",
		"doctor --fhir FHIR/Patient",
		"diff slash.jwt good.jwt",
		"diff slash.jwt --client my-client --key ec-a.pem --kid k1 --token-url TOKEN",
		"diff slash.jwt --client my-client --fhir FHIR",
		"diff good.jwt good.jwt",
	}
	var b strings.Builder
	b.WriteString("# What doctor and diff print\n")
	for _, screen := range screens {
		args := strings.Fields(screen)
		for i, arg := range args {
			if strings.Contains(arg, ".") && !strings.Contains(arg, ":") {
				args[i] = filepath.Join(dir, arg)
			}
			args[i] = strings.NewReplacer("FHIR", sb.FHIRURL(), "TOKEN", sb.TokenURL()).Replace(args[i])
		}
		got := run(t, nil, args...)
		fmt.Fprintf(&b, "\n## %s\n\n```\n%s%s```\n\nexit code %d\n", screen, got.stdout, got.stderr, got.code)
		for line := range strings.Lines(got.stdout) {
			if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > 80 && !strings.HasPrefix(line, "  try ") && strings.Contains(strings.TrimSpace(line), "  ") {
				t.Errorf("%s: a line of %d characters: %s", screen, n, line)
			}
			if strings.Contains(line, "\x1b") {
				t.Errorf("%s: colour that nobody watches: %q", screen, line)
			}
		}
	}
	text := b.String()
	for _, change := range [][2]string{
		{regexp.QuoteMeta(dir + "/"), ""}, {regexp.QuoteMeta(sb.URL()), "http://SERVER"}, {`\b[0-9a-f]{64}\b`, "SHA256"}, {`\b1[78]\d{8}\b`, "SECONDS"}, {`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`, "TIME"},
		{`\b[A-Z2-7]{26}\b`, "JTI"}, {`\b(now|\d s (ago|earlier|later)|the same second, written otherwise)\b`, "NOW"}, {`in 2[34]\d s`, "in 240 s"}, {`(?m)(^  try   )(go run \.|\S*cli\.test) (doctor|keygen|token)`, "${1}sandfhir $3"},
		{`(?m)^  note  claims (iat|exp) .*\n.*\n.*\n`, ""}, {`same  typ, alg.*\n`, "same  …\n"},
	} {
		text = regexp.MustCompile(change[0]).ReplaceAllString(text, change[1])
	}
	path := filepath.Join("testdata", "screens.md")
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	gotLines, wantLines := strings.Split(text, "\n"), strings.Split(string(want), "\n")
	for i := range min(len(gotLines), len(wantLines)) {
		if gotLines[i] != wantLines[i] {
			t.Fatalf("line %d of %s (-update writes it anew)\n got %s\nwant %s", i+1, path, gotLines[i], wantLines[i])
		}
	}
	if len(gotLines) != len(wantLines) {
		t.Fatalf("%s has %d lines, got %d", path, len(wantLines), len(gotLines))
	}
}

func TestDoctorJSON(t *testing.T) {
	t.Parallel()
	key := readable(t, t.TempDir(), "rsa-1024.pem")
	got := run(t, nil, "doctor", "--key", key, "--json")
	var report struct {
		OK       bool
		Failed   int
		Sections []struct {
			Name   string
			Checks []struct{ ID, Requirement, Rule, Clause, Result, Text string }
		}
	}
	if err := json.Unmarshal([]byte(got.stdout), &report); err != nil || got.code != 1 || got.stderr != "" {
		t.Fatalf("%v, %+v", err, got)
	}
	if report.OK || report.Failed != 1 || len(report.Sections) != 1 || report.Sections[0].Checks[0].ID != "A22" || report.Sections[0].Checks[0].Result != "fail" {
		t.Errorf("%s", got.stdout)
	}
}

// The code for what is wrong names the case's own key file, key and client, and is printed as it
// can be copied.
func TestDoctorPrintsCode(t *testing.T) {
	t.Parallel()
	key := readable(t, t.TempDir(), "ec-a.pem")
	late := makeAssertion(t, key, "my-client", "https://payer.example/token", "--kid", "k1")
	args := []string{"doctor", "--assertion", late, "--key", key, "--kid", "k2", "--client", "my-client", "--token-url", "https://payer.example/token"}
	for language, want := range map[string][]string{
		"sh":         {"openssl dgst -sha384 -sign", "curl -sS"},
		"go":         {"\npackage main\n", "ecdsa.Sign(rand.Reader, key"},
		"python":     {"\nimport "},
		"javascript": {"\nimport ", "await fetch("},
	} {
		got := run(t, nil, append(args, "--code", language)...)
		if got.code != 1 || !strings.HasSuffix(got.stdout, "\n1 mistake: A12.\n") || strings.Contains(got.stdout, "--code") {
			t.Errorf("%s: %+v", language, got)
		}
		for _, part := range append(want, "my-client", "https://payer.example/token", key, "k2") {
			if !strings.Contains(got.stdout, part) {
				t.Errorf("%s: no %q in\n%s", language, part, got.stdout)
			}
		}
	}
	if got := run(t, nil, args...); !strings.Contains(got.stdout, "--code sh, go, python or javascript prints code") || strings.Contains(got.stdout, "package main") {
		t.Errorf("without --code: %s", got.stdout)
	}
	got := run(t, nil, append(args, "--json")...)
	var report doctor.Report
	if err := json.Unmarshal([]byte(got.stdout), &report); err != nil {
		t.Fatal(err)
	}
	code := 0
	for _, s := range report.Sections {
		code += len(s.Snippets)
	}
	if code != 4 {
		t.Errorf("the JSON has code in %d languages, want 4: %s", code, got.stdout)
	}
	if got := run(t, nil, "doctor", "--key", key, "--code", "go"); got.code != 0 || strings.Contains(got.stdout, "package main") {
		t.Errorf("where nothing is wrong: %+v", got)
	}
}

// What is read is where people have it: files, standard input, the command line itself.
func TestDoctorInputs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ec := readable(t, dir, "ec-a.pem")
	const tokenURL = "https://payer.example/token"
	assertion := makeAssertion(t, ec, "c", tokenURL)
	form := "grant_type=client_credentials&scope=system%2F*.rs&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=" + assertion
	for name, test := range map[string]struct {
		stdin string
		args  []string
		want  string
	}{
		"key from standard input":       {readText(t, ec), []string{"--key", "-"}, "Private key standard input"},
		"assertion as text":             {"", []string{"--assertion", assertion, "--key", ec}, "Nothing is wrong"},
		"assertion with Bearer":         {"", []string{"--assertion", "Bearer " + assertion}, "1 mistake: A06"},
		"assertion from standard input": {assertion + "\n", []string{"--assertion", "-", "--key", ec}, "Nothing is wrong"},
		"assertion from a file":         {"", []string{"--assertion", writeFile(t, dir, "a.jwt", "\n"+assertion+"\n"), "--key", ec}, "Nothing is wrong"},
		"form from a file":              {"", []string{"--assertion", writeFile(t, dir, "form", form), "--key", ec, "--client", "c", "--token-url", tokenURL}, "Nothing is wrong"},
		"key set from standard input":   {`{"keys":[]}`, []string{"--jwks", "-"}, "1 mistake: SB-KEY-08"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := runIn(t, test.stdin, append([]string{"doctor"}, test.args...)...)
			if got.stderr != "" || !strings.Contains(got.stdout, test.want) || (got.code == 0) != (test.want == "Nothing is wrong" || strings.HasPrefix(test.want, "Private")) {
				t.Errorf("want %q, got %+v", test.want, got)
			}
			if strings.Contains(got.stdout, strings.Split(assertion, ".")[2][:20]) {
				t.Error("the signature is printed")
			}
		})
	}
}

func TestDoctorMistakes(t *testing.T) {
	t.Parallel()
	key := ecFile(t).path
	for args, want := range map[string]string{
		"":                                `doctor has nothing to look at: name --key, --jwks, --assertion or --client`,
		"key.pem":                         `doctor takes no arguments, got "key.pem"; name a file with --key, --jwks or --assertion`,
		"--key /nowhere":                  `--key: /nowhere cannot be read: no such file or directory`,
		"--key /":                         `--key: / is a directory`,
		"--jwks /nowhere":                 `--jwks: /nowhere cannot be read: no such file or directory`,
		"--assertion a.jwt":               `--assertion: "a.jwt" is neither a file nor an assertion, which begins with eyJ`,
		"--key - --jwks -":                `standard input can be one thing only`,
		"--fhir h --key " + key:           `--fhir: "h" is not a URL such as https://sandbox.example.org`,
		"--key " + key + " --out x":       `--out goes with --convert`,
		"--key " + key + " --code golang": `--code: "golang" is none of sh, go, python, javascript`,
		"--convert pem --make":            `--convert and --make exclude each other`,
		"--convert pem":                   `--convert needs a key: name it with --key`,
		"--convert der --key " + key:      `--convert: "der" is none of pem, jwk, jwks, public-pem`,
		"--convert jwkset --key " + key:   `--convert: "jwkset" is none of pem, jwk, jwks, public-pem; did you mean jwks?`,
		"--make --client c":               `an assertion is made of --client and --key`,
		"--make --key " + key:             `an assertion is made of --client and --key`,
		"--make --client c --key " + key:  `the correct assertion is for a token endpoint: name it with --token-url, or a server with --fhir`,
		"--keys x":                        `there is no flag --keys; did you mean --key?`,
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			got := run(t, nil, append([]string{"doctor"}, strings.Fields(args)...)...)
			if got.code != 2 || got.stderr != "sandfhir: "+want+"\n" || got.stdout != "" {
				t.Errorf("%+v, want 2 and %q", got, want)
			}
		})
	}
	for args, want := range map[string]string{
		"":                   `diff takes one assertion or two, got 0`,
		"a b c":              `diff takes one assertion or two, got 3`,
		"- -":                `standard input can be one thing only`,
		"eyJ eyJ --client c": `diff compares with a second assertion or with the correct one of --client, not with both`,
		"eyJ":                `diff needs a second assertion, or --client for the correct one`,
		"eyJ --client c":     `the correct assertion is for a token endpoint: name it with --token-url, or a server with --fhir`,
		"/nowhere eyJ":       `diff: "/nowhere" is neither a file nor an assertion, which begins with eyJ`,
	} {
		t.Run("diff "+args, func(t *testing.T) {
			t.Parallel()
			got := run(t, nil, append([]string{"diff"}, strings.Fields(args)...)...)
			if got.code != 2 || got.stderr != "sandfhir: "+want+"\n" || got.stdout != "" {
				t.Errorf("%+v, want 2 and %q", got, want)
			}
		})
	}
}

// Where no server runs, what can be said without one is said, and that it is not all.
func TestDoctorWithoutAServer(t *testing.T) {
	t.Parallel()
	key := readable(t, t.TempDir(), "ec-a.pem")
	environ := []string{"XDG_RUNTIME_DIR=" + t.TempDir()}
	if got := run(t, environ, "doctor", "--client", "c"); got.code != 1 || got.stdout != "" || !strings.HasPrefix(got.stderr, "sandfhir: no server is running here; start one with ") {
		t.Errorf("%+v", got)
	}
	got := run(t, environ, "doctor", "--client", "c", "--key", key)
	if got.code != 0 || !strings.Contains(got.stdout, "Nothing is wrong") || !strings.HasPrefix(got.stderr, "no server is running here: ") {
		t.Errorf("%+v", got)
	}
}

// The client that a running server has for the commands comes with its key.
func TestDoctorOfTheDemoClient(t *testing.T) {
	t.Parallel()
	sb := sandbox.Start(t)
	demo, dir := sb.DefaultClient(), t.TempDir()
	key := keyFile{path: writeFile(t, dir, "demo.pem", string(demo.PrivateKeyPEM())), kid: demo.KeyID()}
	environ := announce(t, dir, "127.0.0.1:8080", sb.FHIRURL(), key)
	running := filepath.Join(dir, "sandfhir", "127.0.0.1-8080", "server.json")
	if err := os.WriteFile(running, []byte(strings.Replace(readText(t, running), `"c1"`, `"`+demo.ID()+`"`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	got := run(t, environ, "doctor", "--client", demo.ID())
	if got.code != 0 || !strings.Contains(got.stdout, "granted scope  system/*.rs") {
		t.Errorf("%+v", got)
	}
	assertion := makeAssertion(t, key.path, demo.ID(), sb.TokenURL())
	if got := run(t, environ, "diff", assertion, "--client", demo.ID()); got.code != 0 || !strings.Contains(got.stdout, "compared with the correct one for "+demo.ID()) || strings.Contains(got.stdout, "skip") {
		t.Errorf("%+v", got)
	}
}

// Every form of a key is made of every other, and stays the same key.
func TestConvert(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, source := range []string{"ec-a.pem", "rsa-a.pem"} {
		from := readable(t, dir, source)
		file, err := jose.Read([]byte(readText(t, from)))
		if err != nil {
			t.Fatal(err)
		}
		print, _ := file.Keys[0].Thumbprint()
		jwk := filepath.Join(dir, source+".jwk")
		if got := run(t, nil, "doctor", "--key", from, "--kid", "k1", "--convert", "jwk", "--out", jwk); got.code != 0 || got.stdout != "" || got.stderr != "wrote "+jwk+"\n" {
			t.Fatalf("%+v", got)
		}
		if info, err := os.Stat(jwk); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", jwk, info.Mode(), err)
		}
		for _, input := range []string{from, jwk} {
			for form, want := range map[string]jose.Form{"pem": jose.PKCS8PEM, "jwk": jose.JWK, "jwks": jose.JWKSet, "public-pem": jose.PublicKeyPEM} {
				got := run(t, nil, "doctor", "--key", input, "--convert", form)
				made, err := jose.Read([]byte(got.stdout))
				if err != nil || got.code != 0 || made.Form != want || len(made.Oddities) > 0 {
					t.Errorf("%s of %s: %+v, %v", form, input, got, err)
					continue
				}
				if again, _ := made.Keys[0].Thumbprint(); again != print {
					t.Errorf("%s of %s is another key", form, input)
				}
				if private := form == "pem" || form == "jwk"; made.IsPrivate() != private {
					t.Errorf("%s of %s: private is %t", form, input, !private)
				}
				if input == jwk && (form == "jwk" || form == "jwks") && made.Keys[0].ID != "k1" {
					t.Errorf("%s of %s has lost its kid: %q", form, input, made.Keys[0].ID)
				}
			}
		}
	}
	ec := filepath.Join(dir, "ec-a.pem")
	public := filepath.Join(dir, "public.pem")
	if got := run(t, nil, "doctor", "--key", ec, "--convert", "public-pem", "--out", public); got.code != 0 {
		t.Fatalf("%+v", got)
	}
	for args, want := range map[string]string{
		"--key " + public + " --convert pem":                        "this is a public key; signing needs the private one",
		"--key " + ec + " --convert pem --out " + public:            public + " is there already and is not overwritten",
		"--jwks " + public + " --convert jwks --kid x":              "",
		"--key " + public + " --convert jwk":                        "",
		"--key " + fixture("diagnoses-token.md") + " --convert pem": "neither a PEM private key nor a JWK",
	} {
		got := run(t, nil, append([]string{"doctor"}, strings.Fields(args)...)...)
		if want == "" && (got.code != 0 || strings.Contains(got.stdout, `"d"`)) || want != "" && (got.code != 1 || !strings.Contains(got.stderr, want)) {
			t.Errorf("%s: %+v, want %q", args, got, want)
		}
	}
}

// What the doctor makes, node verifies; what node makes, the doctor judges.
func TestDoctorAndNode(t *testing.T) {
	t.Parallel()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not here")
	}
	dir := t.TempDir()
	if got := run(t, nil, "keygen", "--alg", "ES384", "--alg", "RS384", "--out", dir); got.code != 0 {
		t.Fatalf("%+v", got)
	}
	const tokenURL = "https://payer.example/token"
	made := map[string]string{}
	for _, alg := range []string{"es384", "rs384"} {
		made[alg] = makeAssertion(t, filepath.Join(dir, alg+".private.jwk.json"), "c", tokenURL)
	}
	cmd := exec.CommandContext(t.Context(), node, "-e", nodeAssertions, dir, made["es384"], made["rs384"])
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var theirs map[string]string
	if err := json.Unmarshal(out, &theirs); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	for name, want := range map[string]string{"ES384": "Nothing is wrong.", "RS384": "Nothing is wrong.", "DER": "1 mistake: A16.", "RS256": "1 mistake: A08.", "hour": "1 mistake: C09.", "milliseconds": "1 mistake: C11.", "padded": "1 mistake: A06."} {
		got := run(t, nil, "doctor", "--assertion", theirs[name], "--jwks", filepath.Join(dir, "jwks.json"), "--client", "c", "--token-url", tokenURL)
		if !strings.HasSuffix(got.stdout, "\n"+want+"\n") {
			t.Errorf("%s: %+v, want %s", name, got, want)
		}
	}
}

const nodeAssertions = `
const [dir, es, rs] = process.argv.slice(1), crypto = require('node:crypto'), fs = require('node:fs');
const set = JSON.parse(fs.readFileSync(dir + '/jwks.json')).keys;
const b64 = v => Buffer.from(v).toString('base64url');
for (const jwt of [es, rs]) {
  const [h, c, s] = jwt.split('.'), header = JSON.parse(Buffer.from(h, 'base64url'));
  const jwk = set.find(k => k.kid === header.kid);
  const key = {key: crypto.createPublicKey({key: jwk, format: 'jwk'}), dsaEncoding: 'ieee-p1363'};
  if (!crypto.verify('sha384', Buffer.from(h + '.' + c), key, Buffer.from(s, 'base64url'))) throw new Error(header.alg + ' does not verify');
}
const now = Math.floor(Date.now() / 1000);
const sign = (alg, change = {}, header = {}, dsaEncoding = 'ieee-p1363') => {
  const kty = alg === 'ES384' ? 'EC' : 'RSA';
  const key = crypto.createPrivateKey(fs.readFileSync(dir + '/' + (kty === 'EC' ? 'es384' : 'rs384') + '.private.pem'));
  const input = b64(JSON.stringify({alg, typ: 'JWT', kid: set.find(k => k.kty === kty).kid, ...header})) + '.' +
    b64(JSON.stringify({iss: 'c', sub: 'c', aud: 'https://payer.example/token', iat: now, exp: now + 240, jti: crypto.randomUUID(), ...change}));
  return input + '.' + crypto.sign(alg === 'RS256' ? 'sha256' : 'sha384', Buffer.from(input), {key, dsaEncoding}).toString('base64url');
};
console.log(JSON.stringify({
  ES384: sign('ES384'), RS384: sign('RS384'), DER: sign('ES384', {}, {}, 'der'), RS256: sign('RS256'),
  hour: sign('RS384', {exp: now + 3600}), milliseconds: sign('ES384', {exp: Date.now() + 240000}), padded: sign('RS384') + '==',
}));
`

// The command that A19 advises: what it makes of a key on an old curve is not asked.
func TestDoctorOfAKeyForNothing(t *testing.T) {
	t.Parallel()
	small := ecKey(t, elliptic.P256())
	got := run(t, nil, "doctor", "--key", pemFile(t, "PRIVATE KEY", pkcs8(t, small), &small.PublicKey).path)
	if got.code != 1 || !strings.Contains(got.stdout, "FAIL  A17") || strings.Contains(got.stdout, "--convert") || !strings.Contains(got.stdout, "keygen") {
		t.Errorf("%+v", got)
	}
}
