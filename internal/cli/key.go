package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/sandfhir/sandfhir/internal/jose"
)

// A signingKey signs client assertions (SMART App Launch 2.2, client-confidential-asymmetric).
type signingKey struct {
	*jose.Key
	alg string
	id  string // the kid
}

// loadKey reads a private key from a file of any form. id names the key to the server, and chooses
// one where the file holds several; where it is empty the JWK's kid names the key, and without one
// its thumbprint (RFC 7638).
func loadKey(path, id string) (*signingKey, error) {
	data, err := readKeyFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the private key: %w", err)
	}
	return parseSigningKey(path, data, id)
}

// parseSigningKey is loadKey for the content of a file.
func parseSigningKey(path string, data []byte, id string) (*signingKey, error) {
	file, err := jose.Read(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, forPath(err, path))
	}
	key, err := file.PrivateKey(id)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, forPath(err, path))
	}
	k, err := newSigningKey(key, id)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return k, nil
}

// newSigningKey checks that a key is for SMART and strong enough to be worth a request.
func newSigningKey(key *jose.Key, id string) (*signingKey, error) {
	k := &signingKey{Key: key, id: id}
	var err error
	if k.alg, err = key.Algorithm(); err != nil {
		return nil, err
	}
	if bits := key.Bits(); k.alg == jose.RS384 && bits < jose.MinBits {
		return nil, fmt.Errorf("the RSA key has %d bits; RS384 needs %d", bits, jose.MinBits)
	}
	if key.Alg != "" && key.Alg != k.alg {
		return nil, fmt.Errorf("the key says alg %s, but SMART signs with %s", key.Alg, k.alg)
	}
	if k.id == "" {
		k.id, err = key.KeyID()
	}
	return k, err
}

// readKeyFile reads a file that can only be too large by mistake.
func readKeyFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, jose.MaxFile+1))
}

// forPath puts the path into the commands that a message about a key file advises.
func forPath(err error, path string) error {
	var bad *jose.FileError
	if !errors.As(err, &bad) {
		return err
	}
	named := *bad
	named.Command = strings.ReplaceAll(bad.Command, "FILE", shellWord(path))
	return &named
}

// shellWord writes a word so that a shell takes it for one.
func shellWord(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=@%+,", r)
	}
	if word != "" && strings.TrimLeftFunc(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// assertion returns a signed client assertion for the token endpoint audience.
func (k *signingKey) assertion(client, audience string, now time.Time) (string, error) {
	signed, err := k.ClientAssertion(k.id, client, audience, now)
	if err != nil {
		return "", fmt.Errorf("sign the assertion: %w", err)
	}
	return signed, nil
}
