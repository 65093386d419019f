package exchange

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/snippet"
)

// Source is what is known of a fetch of a key set besides request and answer.
type Source struct {
	// Reason is why it was fetched and no kept copy used.
	Reason string `json:"reason"`
	// Resolved are the addresses that host names resolved to; Address is the
	// one that answered, with its port.
	Resolved []string `json:"resolved,omitempty"`
	Address  string   `json:"address,omitempty"`
	// Redirects are the URLs that the answers led on to, in order.
	Redirects []string `json:"redirects,omitempty"`
	KeyIDs    []string `json:"keyIds,omitempty"`
	// KeepUntil is until when the copy may be used, in real time, and KeptBy the
	// header that says so.
	KeepUntil time.Time `json:"keepUntil,omitzero"`
	KeptBy    string    `json:"keptBy,omitempty"`
}

// OfFetch returns the record of a fetch; ended is workspace time.
func OfFetch(id string, f *authz.Fetch, ended time.Time) *Exchange {
	e := &Exchange{
		ID: id, Kind: Fetch, Parent: f.Exchange, Environment: f.Environment, Client: f.ClientID,
		At: ended.Add(-f.Duration), Seconds: f.Duration.Seconds(),
		Method: http.MethodGet, URL: MaskURL(f.URI), RequestHeader: headers(f.RequestHeader),
		Status: f.Status, ResponseHeader: headers(f.ResponseHeader),
		ResponseBody: Text(f.Body, true), ResponseBytes: int64(f.Bytes),
		Checks: f.Checks(),
		Source: &Source{
			Reason: string(f.Reason), Resolved: f.Resolved, Address: f.Address,
			KeyIDs: f.KeyIDs, KeepUntil: f.KeepUntil, KeptBy: f.KeptBy,
		},
	}
	if f.Body == nil && f.Bytes > 0 {
		e.ResponseBody = hidden
	}
	if failed := e.Failed(); failed != nil {
		e.Remedy = &Remedy{Kind: snippet.Kind(failed.Remedy.Kind), Facts: snippet.Facts{JWKSURI: e.URL}}
	}
	for _, uri := range f.Redirects {
		e.Source.Redirects = append(e.Source.Redirects, MaskURL(uri))
	}
	return e
}

// headers returns header fields in the order of their names, masked.
func headers(h http.Header) []Header {
	var list []Header
	for name, values := range h {
		for _, value := range values {
			list = append(list, Header{Name: name, Value: MaskHeader(name, value)})
		}
	}
	slices.SortStableFunc(list, func(a, b Header) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// Registration is what was registered about a client when its request was
// refused.
type Registration struct {
	Name         string    `json:"name,omitempty"`
	Status       string    `json:"status"`
	StatusReason string    `json:"statusReason,omitempty"`
	StatusBy     string    `json:"statusBy,omitempty"`
	StatusAt     time.Time `json:"statusAt,omitzero"`
	Method       string    `json:"method"` // token_endpoint_auth_method
	JWKSURI      string    `json:"jwksUri,omitempty"`
	// Keys are the client's keys that the server knows: those by value, or
	// its copy of the published set.
	Keys   []Key  `json:"keys,omitempty"`
	Scopes string `json:"scopes,omitempty"`
}

// Key is a public key of a client.
type Key struct {
	ID        string `json:"id"`                  // kid
	Type      string `json:"type"`                // in words: "EC on P-384"
	Algorithm string `json:"algorithm,omitempty"` // that SMART has for it
}

// RegistrationOf returns what is registered about a client, with the keys
// that are known of it.
func RegistrationOf(c *authz.Client, keys *authz.KeySet) *Registration {
	r := &Registration{
		Name: c.Name, Status: string(c.Status), StatusReason: c.StatusReason, StatusBy: c.StatusBy, StatusAt: c.StatusAt,
		Method: string(c.Method), JWKSURI: c.JWKSURI, Scopes: c.Scopes.String(),
	}
	if keys != nil {
		for _, k := range keys.Keys() {
			r.Keys = append(r.Keys, Key{ID: k.KeyID, Type: k.Description, Algorithm: k.Signs})
		}
	}
	return r
}
