package authz

import (
	"errors"
	"net/url"
	"strings"
)

// diagnoseAlg explains an algorithm that is not taken. Whether the signature
// is right otherwise is found out first, so that the answer can say so.
func (a *attempt) diagnoseAlg(got string) outcome {
	allowed := either(a.behaviour.Algorithms)
	o := outcome{finding: "A08", got: a.jws.header.show("alg"), want: allowed}
	switch {
	case got == "":
		o.text = "The header's alg is " + o.got + ". Sign with " + allowed + " and name it in alg."
	case isSymmetric(got):
		o.finding = "A10"
		o.text = "alg is " + quote(got) + ", an HMAC with a shared secret. A public key must never be used as an HMAC secret: sign with your private key, alg " + allowed + "."
		if strings.EqualFold(got, "none") {
			o.text = "alg is " + quote(got) + ": the assertion is not signed. Sign it with your private key, alg " + allowed + "."
		}
	case got == "RS384" || got == "ES384":
		o.finding = "A09"
		o.text = "This server supports " + allowed + " only at the moment (see token_endpoint_auth_signing_alg_values_supported in discovery); the assertion has " + got + ". SMART obliges a server to one of RS384 and ES384: register a key of the other kind as well."
	case isTaken(a.behaviour.Algorithms, got):
		o.text = "alg is " + quote(got) + "; algorithms are case-sensitive: write " + strings.ToUpper(got) + "."
	default:
		o.text = a.otherAlg(got, allowed)
	}
	return o
}

func isTaken(algorithms []string, got string) bool {
	for _, alg := range algorithms {
		if strings.EqualFold(alg, got) {
			return true
		}
	}
	return false
}

// otherAlg is the text for an algorithm that is neither of SMART's two.
func (a *attempt) otherAlg(got, allowed string) string {
	text := "alg is " + quote(got) + "; this server takes " + allowed + "."
	kty, _ := keyType(got)
	right := a.signatureWouldVerify()
	if right {
		text = "The signature checks out, but alg is " + quote(got) + "; this server takes " + allowed + "."
	}
	switch {
	case strings.HasPrefix(got, "RS"):
		text += " Sign with RS384: change alg in the header and the hash to SHA-384; the key can stay."
	case kty == "RSA":
		text += " Sign with RS384 (PKCS #1 v1.5 padding and SHA-384); the key can stay."
	case kty == "EC":
		text += " ES384 needs a key on curve P-384 (secp384r1): make one, register it and sign with it."
	case got == "EdDSA":
		text += " Ed25519 keys are not part of SMART: make an EC P-384 or an RSA key."
	default:
		text += " Sign with one of them."
	}
	return text
}

// signatureWouldVerify tries the signature with the keys of the client that
// the assertion names, whatever its algorithm.
func (a *attempt) signatureWouldVerify() bool {
	set := a.claimedKeys()
	if set == nil {
		return false
	}
	match, _ := a.anyKey(set, nil)
	return match != nil
}

// claimedKeys returns the key set of the client that an assertion names before
// anything about it was checked; nil if there is none.
func (a *attempt) claimedKeys() *KeySet {
	client, err := a.store.Client(a.ctx, a.env.Name, a.clientID)
	if err != nil {
		return nil
	}
	set, _, err := a.keysOf(a.ctx, client, "", a.behaviour.takesBareArrays())
	if err != nil {
		return nil
	}
	return set
}

func (a *attempt) diagnoseNoKid() outcome {
	o := outcome{finding: "A11", got: a.jws.header.show("kid"), want: "the kid of one of your keys"}
	o.text = "The header has no kid that is a string; the server needs it to select one key of your set."
	set := a.claimedKeys()
	if set == nil || set.Len() == 0 {
		o.text += ` Give the key a kid in your JWKS and name it in the header: "kid":"…".`
		return o
	}
	o.text += " Your JWKS has " + plural(set.Len(), "key") + ": " + list(quoted(set.KeyIDs())) + "."
	if match, _ := a.anyKey(set, nil); match != nil && match.hasKid {
		o.text += " The signature would verify with key " + match.name() + `: add "kid":` + match.name() + " to the header."
	}
	return o
}

// maxNeighbours is how many clients are looked at for a similar id.
const maxNeighbours = 200

// diagnoseUnknownClient explains an id that the environment does not hold: it
// may be known in another one, be a URL of the app, or be mistyped.
func (a *attempt) diagnoseUnknownClient(r ruleIndex, id string) (outcome, error) {
	o := outcome{finding: "A02", got: id, want: "a client_id registered in " + a.env.Name}
	for _, other := range a.others {
		client, err := a.store.Client(a.ctx, other, id)
		if errors.Is(err, ErrNoClient) {
			continue
		}
		if err != nil {
			return o, err
		}
		a.elsewhere(&o, client, other)
		return o, nil
	}
	neighbours, err := a.store.RecentClients(a.ctx, a.env.Name, maxNeighbours)
	if err != nil {
		return o, err
	}
	o.text = "No client " + quote(id) + " is registered in " + a.env.String() + "."
	if strings.Contains(id, "://") {
		o.finding = "C02"
		o.text = "iss " + quote(id) + " is no client_id here: iss and sub name the client, by the id it got at registration, not by a URL."
		switch {
		case r == ruleSecretClient:
			o.text = "client_id " + quote(id) + " is none of " + a.env.String() + ": a client's id is the one it got at registration, not a URL."
		case addressKind(a.req.Addresses, id) != "":
			o.text = "iss " + quote(id) + " is this server's own URL. iss and sub name you: set both to the client_id you got at registration; the server's URL goes into aud."
		}
	}
	if near := nearest(id, neighbours); near != nil {
		o.text += " Did you mean " + quote(near.ID) + nameOf(near) + "?"
		return o, nil
	}
	switch {
	case strings.TrimSpace(id) != id:
		o.text += " It has white space around it."
	case len(neighbours) == 0:
		o.text += " No client is registered there at all yet."
	}
	o.text += " Take the client_id from your registration"
	if a.req.Addresses.PortalURL != "" {
		o.text += " in the portal: " + a.req.Addresses.PortalURL
	} else {
		o.text += "."
	}
	return o, nil
}

// elsewhere explains a client that another environment holds.
func (a *attempt) elsewhere(o *outcome, client *Client, other string) {
	here := a.env.Name
	if here == Production && !a.env.Admits(client.Status) {
		o.finding, o.got = "L01", string(client.Status)
		o.text = notApproved(client, here, a.req.Addresses)
		return
	}
	o.text = "No client " + quote(client.ID) + " is registered in " + here + ". It is registered in " + other + " with status " + string(client.Status) + "."
	if url := a.req.Addresses.Other[other].TokenURL; url != "" {
		o.text += " Its token URL there is " + url + ": use it, and the same value as aud."
	} else {
		o.text += " Use the token URL of " + other + ", and the same value as aud."
	}
}

// notApproved explains a service that has not been approved for production.
func notApproved(client *Client, here string, addresses Addresses) string {
	text := client.display() + " is " + string(client.Status) + "; " + here + " opens when it is approved."
	if sandbox := addresses.Other[Sandbox].TokenURL; sandbox != "" {
		text += " Until then use the sandbox: token URL and aud " + sandbox + "."
	}
	if addresses.PortalURL != "" {
		text += " Its status is in the portal: " + addresses.PortalURL
	}
	return text
}

func nameOf(c *Client) string {
	if c.Name == "" {
		return ""
	}
	return " (" + clip(c.Name) + ")"
}

// nearest returns the client that was probably meant: by a similar id, by its
// name, or by a URL of the same host.
func nearest(id string, clients []*Client) *Client {
	host := hostOf(id)
	for _, c := range clients {
		if strings.EqualFold(strings.TrimSpace(id), c.ID) || c.Name != "" && strings.EqualFold(id, c.Name) {
			return c
		}
		for _, uri := range []string{c.JWKSURI, c.Metadata.ClientURI} {
			if host != "" && hostOf(uri) == host {
				return c
			}
		}
	}
	var best *Client
	limit := max(2, len(id)/5)
	for _, c := range clients {
		if d := distance(id, c.ID, limit); d <= limit {
			best, limit = c, d-1
		}
	}
	return best
}

func hostOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// distance is the number of single-byte edits between two ids, or more than
// limit as soon as that is certain.
func distance(a, b string, limit int) int {
	const longest = 128
	if len(a) > longest || len(b) > longest || max(len(a)-len(b), len(b)-len(a)) > limit {
		return limit + 1
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next := min(row[j+1]+1, row[j]+1, diagonal+cost)
			diagonal, row[j+1] = row[j+1], next
		}
	}
	return row[len(b)]
}
