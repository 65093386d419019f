package exchange

import (
	"encoding/json"
	"strings"
	"testing"
)

// FuzzMask: whatever a text is wrapped in, and wherever it is cut off, the secret
// in it is hidden, and JSON stays JSON.
func FuzzMask(f *testing.F) {
	f.Add("a", 0, 0)
	f.Add(`{"x":[`, 2, 5)
	f.Add(`\`, 1, 9)
	f.Add("é\"", 3, 1)
	f.Fuzz(func(t *testing.T, before string, depth, cut int) {
		const secret = "S3CRETvalueS3CRETvalue"
		if strings.Contains(before, "S3CRET") {
			return
		}
		value := any(map[string]any{"note": before, "client_secret": secret, "keys": []any{map[string]any{"kty": "EC", "d": secret}}})
		var text []byte
		for range 1 + depth&3 {
			var err error
			if text, err = json.Marshal(value); err != nil {
				return
			}
			value = string(text)
		}
		masked := mask(string(text))
		if strings.Contains(masked, secret) {
			t.Errorf("%s is in %s", secret, masked)
		}
		if !json.Valid([]byte(masked)) {
			t.Errorf("no JSON any longer: %s", masked)
		}
		part := string(text[:len(text)-min(max(cut, 0), len(text)-1)])
		if strings.Contains(mask(part), secret) {
			t.Errorf("cut off, %s is in %s", secret, mask(part))
		}
	})
}
