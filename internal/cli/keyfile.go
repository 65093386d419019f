package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/sandfhir/sandfhir/internal/jose"
)

// converted writes a key of the file, the one with the kid where it is named, in another form.
// private says that the result is secret.
func converted(file *jose.File, form, kid string) (data []byte, private bool, err error) {
	if form == formJWKS && kid == "" {
		data, err = jose.PublicSet(file.Keys...)
		return pretty(data), false, err
	}
	key, err := chosenKey(file, form, kid)
	if err != nil {
		return nil, false, err
	}
	if kid != "" {
		named := *key
		named.ID = kid
		key = &named
	}
	switch form {
	case formPEM:
		data, err = key.PEM()
		return data, true, err
	case formPublicPEM:
		data, err = key.PublicPEM()
		return data, false, err
	case formJWKS:
		data, err = jose.PublicSet(key)
		return pretty(data), false, err
	}
	members, private := key.PublicJWK, key.Private != nil
	if private {
		members = key.PrivateJWK
	}
	jwk, err := members()
	if err != nil {
		return nil, private, err
	}
	data, err = json.Marshal(jwk)
	return pretty(data), private, err
}

// chosenKey is the key to convert: where the form allows a public one, it need not be private.
func chosenKey(file *jose.File, form, kid string) (*jose.Key, error) {
	if form == formPEM || file.IsPrivate() {
		return file.PrivateKey(kid)
	}
	if len(file.Keys) == 1 {
		return file.Keys[0], nil
	}
	for _, k := range file.Keys {
		if id, err := k.KeyID(); err == nil && id == kid {
			return k, nil
		}
	}
	return nil, fmt.Errorf("the %s holds %d keys; choose one with --kid", file.Form, len(file.Keys))
}

// pretty indents JSON that has just been made.
func pretty(data []byte) []byte {
	var value any
	if json.Unmarshal(data, &value) != nil {
		return data
	}
	indented, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return data
	}
	return append(indented, '\n')
}

// createFile writes a new file, for its owner alone where it is private. One that is there already
// is left as it is, and refused.
func createFile(path string, data []byte, private bool) error {
	mode := fs.FileMode(0o644)
	if private {
		mode = 0o600
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already and is not overwritten", path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, reason(err))
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(path))
	}
	return nil
}
