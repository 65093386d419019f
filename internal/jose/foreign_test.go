package jose_test

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/internal/jose"
)

var update = flag.Bool("update", false, "keep what openssl makes in testdata, for machines without it")

// made returns the file that openssl makes, or where there is no openssl one that it made before.
func made(t *testing.T, name, script string) []byte {
	t.Helper()
	kept := filepath.Join("testdata", name)
	if _, err := exec.LookPath("openssl"); err != nil {
		return must[[]byte](t)(os.ReadFile(kept))
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-ec", script)
	cmd.Dir = t.TempDir()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	data := must[[]byte](t)(os.ReadFile(filepath.Join(cmd.Dir, "key")))
	if *update {
		if err := os.WriteFile(kept, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return data
}

// A19: what openssl writes is read, or refused with what to do.
func TestA19OpenSSL(t *testing.T) {
	t.Parallel()
	const p384, rsa2048 = "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384", "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048"
	tests := []struct {
		name, script string
		form         jose.Form
		kind         string
		want         string // of the refusal; "" where the key is taken
	}{
		{"ec-pkcs8.pem", p384 + " -out key", jose.PKCS8PEM, "EC on P-384", ""},
		{"ec-sec1.pem", p384 + " -out k; openssl pkey -in k -traditional -out key", jose.SEC1PEM, "EC on P-384", ""},
		{"ec-ecparam.pem", "openssl ecparam -name secp384r1 -genkey -out key", jose.SEC1PEM, "EC on P-384", ""},
		{"ec.der", p384 + " -outform DER -out key", jose.DER, "EC on P-384", ""},
		{"ec-p256.pem", "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key", jose.PKCS8PEM, "EC on P-256", ""},
		{"rsa-pkcs8.pem", rsa2048 + " -out key", jose.PKCS8PEM, "RSA of 2048 bits", ""},
		{"rsa-pkcs1.pem", "openssl genrsa -traditional -out key 2048", jose.PKCS1PEM, "RSA of 2048 bits", ""},
		{"rsa-1024.pem", "openssl genrsa -out key 1024", jose.PKCS8PEM, "RSA of 1024 bits", ""},
		{"rsa-bag.pem", rsa2048 + " -out k; openssl req -new -x509 -key k -subj /CN=c -out c; openssl pkcs12 -export -inkey k -in c -passout pass:x -out p; openssl pkcs12 -in p -passin pass:x -nodes -out key", jose.PKCS8PEM, "RSA of 2048 bits", ""},
		{"ec-encrypted.pem", p384 + " -aes256 -pass pass:secret -out key", "", "", "A19: the private key is encrypted with a passphrase"},
		{"ec-encrypted-sec1.pem", p384 + " -out k; openssl ec -in k -aes256 -passout pass:secret -out key", "", "", "A19: the private key is encrypted with a passphrase"},
		{"ec-encrypted.der", p384 + " -out k; openssl pkcs8 -topk8 -in k -outform DER -passout pass:secret -out key", "", "", "A19: the private key is encrypted with a passphrase"},
		{"ec.p12", p384 + " -out k; openssl req -new -x509 -key k -subj /CN=c -out c; openssl pkcs12 -export -inkey k -in c -passout pass:x -out key", "", "", "A19: this is a PKCS #12 file"},
		{"ec-public.pem", p384 + " -out k; openssl pkey -in k -pubout -out key", "", "", "A19: this is a public key"},
		{"rsa-public-pkcs1.pem", rsa2048 + " -out k; openssl rsa -in k -RSAPublicKey_out -out key", "", "", "A19: this is a public key"},
		{"ec-certificate.pem", p384 + " -out k; openssl req -new -x509 -key k -subj /CN=c -out key", "", "", "A23: this is an X.509 certificate"},
		{"ec-request.pem", p384 + " -out k; openssl req -new -key k -subj /CN=c -out key", "", "", "A23: this is a certificate signing request"},
		{"ed25519.pem", "openssl genpkey -algorithm ED25519 -out key", "", "", "A14: this is an Ed25519 key"},
		{"ed448.pem", "openssl genpkey -algorithm ED448 -out key", "", "", "A14: this is an Ed448 key"},
		{"rsa-pss.pem", "openssl genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out key", "", "", "A14: this is an RSA key that is restricted to PSS"},
		{"secp256k1.pem", "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1 -out key", "", "", "A17: the key is on curve secp256k1"},
		{"brainpool.pem", "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:brainpoolP384r1 -out key", "", "", "A17: the key is on a curve that is none of"},
		{"ec-explicit.pem", p384 + " -pkeyopt ec_param_enc:explicit -out key", "", "", "A17: the key is on a curve that is none of"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			file, err := jose.Read(made(t, test.name, test.script))
			var key *jose.Key
			if err == nil {
				key, err = file.PrivateKey("")
			}
			if test.want != "" {
				var bad *jose.FileError
				if !errors.As(err, &bad) || !strings.HasPrefix(bad.Finding+": "+bad.Text, test.want) {
					t.Errorf("got %v, want %s", err, test.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if file.Form != test.form || key.Describe() != test.kind {
				t.Errorf("%s, %s; want %s, %s", file.Form, key.Describe(), test.form, test.kind)
			}
		})
	}
}

// Keys that others make are read, and others read the keys and verify the signatures made here:
// the program prints {"files":[…],"verified":[…],"thumbprints":[…]}.
func TestOtherLibraries(t *testing.T) {
	t.Parallel()
	for name, program := range map[string]struct{ interpreter, flag, code string }{
		"node:crypto":         {"node", "-e", nodeProgram},
		"python cryptography": {"python3", "-c", pythonProgram},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			type ours struct {
				PEM, Public, JWK, Alg, Input, Signature string
			}
			var sent []ours
			for _, alg := range []string{jose.ES384, jose.RS384} {
				k := generate(t, alg)
				sent = append(sent, ours{
					PEM: string(must[[]byte](t)(k.PEM())), Public: string(must[[]byte](t)(k.PublicPEM())), Alg: alg, Input: "a.b",
					JWK:       string(must[[]byte](t)(json.Marshal(must[map[string]string](t)(k.PrivateJWK())))),
					Signature: jose.Encode(must[[]byte](t)(k.Sign(alg, []byte("a.b")))),
				})
			}
			cmd := exec.CommandContext(t.Context(), program.interpreter, program.flag, program.code)
			cmd.Stdin = strings.NewReader(string(must[[]byte](t)(json.Marshal(sent))))
			out, err := cmd.Output()
			var exit *exec.ExitError
			if errors.Is(err, exec.ErrNotFound) || errors.As(err, &exit) && strings.Contains(string(exit.Stderr), "ModuleNotFoundError") {
				t.Skip(name + " is not here")
			}
			if err != nil {
				t.Fatalf("%v\n%s", err, exit.Stderr)
			}
			var got struct {
				Files []struct {
					Form, Text, Binary string
					Public             string // of the same key, as a PEM
				}
				Verified []bool
			}
			if err := json.Unmarshal(out, &got); err != nil {
				t.Fatalf("%v in %s", err, out)
			}
			if len(got.Verified) < 2 || len(got.Files) < 4 {
				t.Errorf("only %s", out)
			}
			for i, ok := range got.Verified {
				if !ok {
					t.Errorf("it takes signature %d for wrong", i)
				}
			}
			for _, f := range got.Files {
				data := []byte(f.Text)
				if f.Binary != "" {
					data = must[[]byte](t)(base64.StdEncoding.DecodeString(f.Binary))
				}
				file, err := jose.Read(data)
				if err != nil {
					t.Errorf("%s: %v", f.Form, err)
					continue
				}
				if string(file.Form) != f.Form {
					t.Errorf("%s is taken for %s", f.Form, file.Form)
				}
				k := must[*jose.Key](t)(file.PrivateKey(""))
				public := must[*jose.File](t)(jose.Read([]byte(f.Public))).Keys[0]
				if a, b := must[string](t)(k.Thumbprint()), must[string](t)(public.Thumbprint()); a != b {
					t.Errorf("%s: thumbprint %s, want %s", f.Form, a, b)
				}
				verify(t, k, public)
			}
		})
	}
}

func verify(t *testing.T, k, public *jose.Key) {
	t.Helper()
	alg := must[string](t)(k.Algorithm())
	signature, sum := must[[]byte](t)(k.Sign(alg, []byte("x"))), sha512.Sum384([]byte("x"))
	switch p := public.Public.(type) {
	case *rsa.PublicKey:
		if err := rsa.VerifyPKCS1v15(p, jose.HashOf(alg), sum[:], signature); err != nil {
			t.Error(err)
		}
	case *ecdsa.PublicKey:
		if !ecdsa.Verify(p, sum[:], half(signature, 0), half(signature, 1)) {
			t.Error("the signature does not verify")
		}
	}
}

const nodeProgram = `
const crypto = require('node:crypto');
const sent = JSON.parse(require('node:fs').readFileSync(0));
const verified = sent.map(s => {
  const opts = s.Alg === 'ES384' ? {dsaEncoding: 'ieee-p1363'} : {};
  const check = key => crypto.verify('sha384', Buffer.from(s.Input), {key, ...opts}, Buffer.from(s.Signature, 'base64url'));
  return check(crypto.createPublicKey(s.Public)) && check(crypto.createPublicKey(crypto.createPrivateKey(s.PEM)))
    && check(crypto.createPublicKey(crypto.createPrivateKey({key: JSON.parse(s.JWK), format: 'jwk'})));
});
const files = [];
for (const [type, opts, own, ownName] of [
  ['ec', {namedCurve: 'P-384'}, 'sec1', 'SEC 1 PEM (EC PRIVATE KEY)'],
  ['rsa', {modulusLength: 2048}, 'pkcs1', 'PKCS #1 PEM (RSA PRIVATE KEY)'],
]) {
  const {publicKey, privateKey} = crypto.generateKeyPairSync(type, opts);
  const Public = publicKey.export({type: 'spki', format: 'pem'});
  files.push(
    {Form: 'PKCS #8 PEM', Text: privateKey.export({type: 'pkcs8', format: 'pem'}), Public},
    {Form: ownName, Text: privateKey.export({type: own, format: 'pem'}), Public},
    {Form: 'DER', Binary: privateKey.export({type: 'pkcs8', format: 'der'}).toString('base64'), Public},
    {Form: 'JWK', Text: JSON.stringify(privateKey.export({format: 'jwk'})), Public});
}
console.log(JSON.stringify({files, verified}));
`

const pythonProgram = `
import base64, json, sys
from cryptography.hazmat.primitives import hashes, serialization as s
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
sent, verified, files = json.load(sys.stdin), [], []
for k in sent:
    sig = base64.urlsafe_b64decode(k["Signature"] + "==")
    for key in (s.load_pem_public_key(k["Public"].encode()), s.load_pem_private_key(k["PEM"].encode(), None).public_key()):
        if k["Alg"] == "ES384":
            der = utils.encode_dss_signature(int.from_bytes(sig[:48], "big"), int.from_bytes(sig[48:], "big"))
            key.verify(der, k["Input"].encode(), ec.ECDSA(hashes.SHA384()))
        else:
            key.verify(sig, k["Input"].encode(), padding.PKCS1v15(), hashes.SHA384())
        verified.append(True)
for key, own in ((ec.generate_private_key(ec.SECP384R1()), "SEC 1 PEM (EC PRIVATE KEY)"), (rsa.generate_private_key(65537, 2048), "PKCS #1 PEM (RSA PRIVATE KEY)")):
    public = key.public_key().public_bytes(s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo).decode()
    for form, encoding, format in (("PKCS #8 PEM", s.Encoding.PEM, s.PrivateFormat.PKCS8), (own, s.Encoding.PEM, s.PrivateFormat.TraditionalOpenSSL), ("DER", s.Encoding.DER, s.PrivateFormat.PKCS8)):
        data = key.private_bytes(encoding, format, s.NoEncryption())
        files.append({"Form": form, "Binary": base64.b64encode(data).decode(), "Public": public})
print(json.dumps({"files": files, "verified": verified}))
`

func half(signature []byte, i int) *big.Int {
	n := len(signature) / 2
	return new(big.Int).SetBytes(signature[i*n : (i+1)*n])
}
