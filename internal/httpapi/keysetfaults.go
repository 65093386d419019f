package httpapi

import (
	"bytes"
	"encoding/json"
	"maps"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/internal/fault"
)

// changeKeySet carries out a fault that changes a hosted key set.
func (l *call) changeKeySet(r *fault.Rule) error {
	switch r.Fault.ID {
	case "jwks.cache":
		l.Set(fiber.HeaderCacheControl, "max-age="+r.Value("max_age"))
		return nil
	case "jwks.truncated":
		body := l.Response().Body()
		l.Response().SetBody(bytes.Clone(body[:len(body)/2]))
		return nil
	case "jwks.array":
		return l.editKeys(func(keys []map[string]any) any { return keys })
	case "jwks.empty":
		return l.editKeys(func([]map[string]any) any { return keySet{Keys: []map[string]any{}} })
	case "jwks.large":
		return l.editKeys(func(keys []map[string]any) any {
			return keySet{Keys: keys, Padding: strings.Repeat("-", int(r.Number("bytes")))}
		})
	case "jwks.duplicate_kid":
		return l.editKeys(func(keys []map[string]any) any { return keySet{Keys: append(keys, maps.Clone(keys[0]))} })
	}
	return l.editKeys(func(keys []map[string]any) any {
		for _, k := range keys {
			switch r.Fault.ID {
			case "jwks.omit":
				delete(k, r.Value("field"))
			case "jwks.use_enc":
				k["use"] = "enc"
			case "jwks.private":
				k["d"] = "bm8gcHJpdmF0ZSBrZXksIGJ1dCBhIG1lbWJlciBvZiBvbmU"
			}
		}
		return keySet{Keys: keys}
	})
}

// A keySet is a JWK Set (RFC 7517 section 5), with what makes it large.
type keySet struct {
	Keys    []map[string]any `json:"keys"`
	Padding string           `json:"padding,omitempty"`
}

// editKeys puts what change makes of the keys in the place of a key set.
func (l *call) editKeys(change func([]map[string]any) any) error {
	var set keySet
	if err := json.Unmarshal(l.Response().Body(), &set); err != nil || len(set.Keys) == 0 {
		return nil // there is nothing to change
	}
	text, err := marshal(change(set.Keys))
	if err != nil {
		return err
	}
	l.Response().SetBody(text)
	return nil
}
