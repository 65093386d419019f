package authz

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/sandfhir/sandfhir/internal/nearest"
)

// diagnoseAlg explains an algorithm that is not taken. Whether the signature
// is right otherwise is found out, so that the answer can say so.
func (a *attempt) diagnoseAlg(ctx context.Context, got string) outcome {
	allowed := either(a.behaviour.Algorithms)
	o := outcome{finding: "A08", got: a.jws.header.show("alg"), want: allowed}
	switch {
	case got == "":
		o.text = "The header's alg is " + o.got + "."
		o.fix = "Sign with " + allowed + " and name it in alg."
	case strings.EqualFold(got, "none"):
		o.finding = "A10"
		o.text = "alg is " + quote(got) + ": the assertion is not signed."
		o.fix = "Sign it with your private key, alg " + allowed + "."
		return o
	case isSymmetric(got):
		o.finding = "A10"
		o.text = "alg is " + quote(got) + ", an HMAC with a shared secret. A public key must never serve as an HMAC secret."
		o.fix = "Sign with your private key, alg " + allowed + "."
		return o
	case got == "RS384" || got == "ES384":
		o.finding = "A09"
		o.text = "alg is " + quote(got) + "; this server takes " + allowed + " only (see token_endpoint_auth_signing_alg_values_supported in discovery)."
		o.fix = "Register a key for " + allowed + " as well and sign with it here. SMART obliges a server to take one of RS384 and ES384, not both."
		o.remedy = Remedy{Kind: RemedyNewKey, Algorithm: a.behaviour.Algorithms[0]}
	case isTaken(a.behaviour.Algorithms, got):
		o.text = "alg is " + quote(got) + "; algorithm names are case-sensitive."
		o.fix = "Write " + strings.ToUpper(got) + "."
	default:
		o.text = "alg is " + quote(got) + "; this server takes " + allowed + "."
		o.fix = otherAlg(got)
		if kty, _ := keyType(got); kty == "EC" || got == "EdDSA" {
			o.remedy.Kind = RemedyNewKey
		}
	}
	a.tryAlgorithms(ctx, &o, got)
	return o
}

// tryAlgorithms adds which key and algorithm the signature is of.
func (a *attempt) tryAlgorithms(ctx context.Context, o *outcome, got string) {
	set := a.claimedKeys(ctx)
	if set == nil {
		return
	}
	switch match, alg := a.anyKey(set, nil); {
	case match == nil:
	case alg == got:
		o.counterfactual = "The signature checks out with key " + match.name() + "; it was signed with " + alg + "."
		if o.remedy.Kind == "" {
			o.remedy.KeyID = match.kid
		}
	case slices.Contains(a.behaviour.Algorithms, alg):
		o.counterfactual = "The signature would verify with key " + match.name() + " as " + alg + ": only the alg in the header is wrong."
		o.fix = "Set alg to " + alg + "."
		o.remedy = Remedy{KeyID: match.kid, Algorithm: alg}
	default:
		o.counterfactual = "The signature is that of key " + match.name() + " under " + alg + "."
		o.remedy.KeyID = match.kid
	}
}

func isTaken(algorithms []string, got string) bool {
	for _, alg := range algorithms {
		if strings.EqualFold(alg, got) {
			return true
		}
	}
	return false
}

// otherAlg says what to do about an algorithm that is none of SMART's two.
func otherAlg(got string) string {
	kty, _ := keyType(got)
	switch {
	case strings.HasPrefix(got, "RS"):
		return "Sign with RS384: change alg in the header, and the hash to SHA-384. The key can stay."
	case kty == "RSA":
		return "Sign with RS384 (PKCS #1 v1.5 padding and SHA-384). The key can stay."
	case kty == "EC":
		return "Make a key on curve P-384 (secp384r1), register it and sign with ES384."
	case got == "EdDSA":
		return "Make an EC key on P-384 or an RSA key: SMART has no Ed25519."
	}
	return "Sign with one of them."
}

// claimedKeys returns the key set of the client that an assertion names before
// anything about it was checked; nil if there is none.
func (a *attempt) claimedKeys(ctx context.Context) *KeySet {
	client, err := a.server.store.Client(ctx, a.server.env.Name, a.clientID)
	if err != nil {
		return nil
	}
	set, _, err := a.server.keysOf(ctx, client, "")
	if err != nil {
		return nil
	}
	return set
}

func (a *attempt) diagnoseNoKid(ctx context.Context) outcome {
	o := outcome{finding: "A11", got: a.jws.header.show("kid"), want: "the kid of one of your keys"}
	o.text = "The header has no kid that is a string; the server needs it to select one key of your set."
	set := a.claimedKeys(ctx)
	if set == nil || set.Len() == 0 {
		o.fix = `Give the key a kid in your JWKS and name it in the header: "kid":"…".`
		return o
	}
	o.text += " Your JWKS has " + plural(set.Len(), "key") + ": " + list(quoted(set.KeyIDs())) + "."
	o.fix = "Add the kid of the key that you sign with to the header."
	if match, alg := a.anyKey(set, nil); match != nil && match.hasKid {
		o.counterfactual = "The signature would verify with key " + match.name() + signedAs(alg, a.jws) + "."
		o.fix = `Add "kid":` + match.name() + " to the header."
		o.remedy.KeyID = match.kid
	}
	return o
}

// maxNeighbours is how many clients are looked at for a similar id.
const maxNeighbours = 200

// diagnoseUnknownClient explains an id that the environment does not hold: it
// may be known in another one, be a URL of the app, or be mistyped.
func (a *attempt) diagnoseUnknownClient(ctx context.Context, r ruleIndex, id string) (outcome, error) {
	o := outcome{finding: "A02", got: id, want: "a client_id registered in " + a.server.env.Name}
	for _, other := range a.server.others {
		client, err := a.server.store.Client(ctx, other, id)
		if errors.Is(err, ErrNoClient) {
			continue
		}
		if err != nil {
			return o, err
		}
		a.elsewhere(&o, client, other)
		return o, nil
	}
	neighbours, err := a.server.store.RecentClients(ctx, a.server.env.Name, maxNeighbours)
	if err != nil {
		return o, err
	}
	a.notRegistered(&o, r, id, neighbours)
	return o, nil
}

// notRegistered explains an id that no environment holds.
func (a *attempt) notRegistered(o *outcome, r ruleIndex, id string, neighbours []*Client) {
	where := "iss and sub"
	if r == ruleSecretClient {
		where = "client_id"
	}
	o.text = "No client " + quote(id) + " is registered in " + a.server.env.String() + "."
	o.fix = "Set " + where + " to the client_id of your registration"
	switch {
	case strings.Contains(id, "://"):
		o.finding, o.text = "C02", a.idIsURL(r, id)
	case strings.TrimSpace(id) != id:
		o.text += " It has white space around it."
	case len(neighbours) == 0:
		o.text += " No client is registered there at all yet."
		o.fix = "Register the client first, then set " + where + " to the client_id that it gets"
	}
	if signer, key := a.signer(neighbours); signer != nil {
		o.counterfactual = "The signature would verify with key " + key.name() + " of client " + quote(signer.ID) + nameOf(signer) + ": only the client_id is wrong."
		o.fix = "Set " + where + " to " + quote(signer.ID) + "."
		o.remedy = Remedy{ClientID: signer.ID, KeyID: key.kid}
		return
	}
	if near := nearestClient(id, neighbours); near != nil {
		o.fix = "Did you mean " + quote(near.ID) + nameOf(near) + "? Then set " + where + " to that."
		o.remedy.ClientID = near.ID
		return
	}
	if a.req.Addresses.PortalURL != "" {
		o.fix += ", which the portal shows: " + a.req.Addresses.PortalURL
	} else {
		o.fix += "."
	}
}

// idIsURL is what is wrong with a URL where a client_id belongs.
func (a *attempt) idIsURL(r ruleIndex, id string) string {
	own := addressKind(a.req.Addresses, id) != ""
	switch {
	case own && r == ruleSecretClient:
		return "client_id " + quote(id) + " is this server's own URL."
	case own:
		return "iss " + quote(id) + " is this server's own URL. iss and sub name you; the server's URL goes into aud."
	case r == ruleSecretClient:
		return "client_id " + quote(id) + " is no client_id here: a client is named by the id that it got at registration, not by a URL."
	}
	return "iss " + quote(id) + " is no client_id here: iss and sub name the client by the id that it got at registration, not by a URL."
}

// signer returns the client whose key verifies the assertion, of those that
// have a key with its kid. Nothing is fetched.
func (a *attempt) signer(clients []*Client) (*Client, *publicKey) {
	if a.jws == nil {
		return nil, nil
	}
	kid, _ := a.jws.header.text("kid")
	alg, _ := a.jws.header.text("alg")
	trials := 0
	for _, c := range clients {
		set := a.server.KnownKeys(c)
		if set == nil {
			continue
		}
		for _, k := range set.withID(kid) {
			if trials++; trials > maxTrials {
				return nil, nil
			}
			if verifies(alg, k, a.jws.signingInput, a.jws.signature) {
				return c, k
			}
		}
	}
	return nil, nil
}

// elsewhere explains a client that another environment holds.
func (a *attempt) elsewhere(o *outcome, client *Client, other string) {
	here := a.server.env.Name
	if here == Production && !a.server.env.Admits(client.Status) {
		a.server.notApproved(o, client, a.req.Addresses)
		return
	}
	o.text = "No client " + quote(client.ID) + " is registered in " + here + "."
	o.counterfactual = "This client exists in " + other + ", with status " + string(client.Status) + "."
	o.fix = "Use the token URL of " + other
	if url := a.req.Addresses.Other[other].TokenURL; url != "" {
		o.fix += ", " + url
	}
	o.fix += ", and the same value as aud."
	o.remedy.Environment = other
}

// notApproved explains a service that has not been approved for this
// environment.
func (s *Server) notApproved(o *outcome, client *Client, addresses Addresses) {
	o.finding, o.got, o.want = "L01", string(client.Status), "status "+string(StatusActive)
	o.text = client.display() + " is " + client.Status.phrase() + "; " + s.env.Name + " opens when it is approved."
	if sandbox := addresses.Other[Sandbox].TokenURL; sandbox != "" {
		o.fix = "Until then use the sandbox: token URL and aud " + sandbox + "."
		o.remedy.Environment = Sandbox
	} else {
		o.fix = "Until then use the sandbox."
	}
	if addresses.PortalURL != "" {
		o.fix += " The portal shows its status: " + addresses.PortalURL
	}
}

// phrase says the status behind "is".
func (s Status) phrase() string {
	switch s {
	case StatusDraft:
		return "a draft"
	case StatusUnderReview:
		return "under review"
	}
	return string(s)
}

func nameOf(c *Client) string {
	if c.Name == "" {
		return ""
	}
	return " (" + clip(c.Name) + ")"
}

// nearestClient returns the client that was probably meant: by a similar id, by its
// name, or by a URL of the same host.
func nearestClient(id string, clients []*Client) *Client {
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
		if d := nearest.Distance(id, c.ID, limit); d <= limit {
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
