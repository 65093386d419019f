package authz

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/sandfhir/sandfhir/internal/nearest"
)

// notPropagated explains a client that is too new: with some vendors a
// registration takes time to spread.
func (a *attempt) notPropagated(client *Client, wait time.Duration) outcome {
	delay := a.behaviour.PropagationDelay
	return outcome{finding: "A03", got: "a client created " + seconds(delay-wait) + " ago",
		want: "one created " + seconds(delay) + " ago or earlier",
		text: client.display() + " was created " + seconds(delay-wait) + " ago; this server's behaviour " +
			"knows a new client after " + seconds(delay) + " only, as vendors whose registrations take time " +
			"to spread.",
		fix: "Try again in " + seconds(wait) + " by this server's clock, or move that clock ahead " +
			"(/_sandbox/clock). With such a vendor wait, and do not register again: that begins anew.",
	}
}

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
		o.counterfactual = "The signature would verify with key " + key.name() + " of client " +
			quote(signer.ID) + nameOf(signer) + ": only the client_id is wrong."
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

// idIsURL says what is wrong with a URL in place of a client_id.
func (a *attempt) idIsURL(r ruleIndex, id string) string {
	own := addressKind(a.req.Addresses, id) != ""
	switch {
	case own && r == ruleSecretClient:
		return "client_id " + quote(id) + " is this server's own URL."
	case own:
		return "iss " + quote(id) + " is this server's own URL. iss and sub name you; the server's URL goes into aud."
	case r == ruleSecretClient:
		return "client_id " + quote(id) + " is no client_id here: a client is named by the id that it got at " +
			"registration, not by a URL."
	}
	return "iss " + quote(id) + " is no client_id here: iss and sub name the client by the id that it got at " +
		"registration, not by a URL."
}

// signer returns the client whose key made the signature, among those that
// have a key with its kid. It fetches nothing.
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

func nameOf(c *Client) string {
	if c.Name == "" {
		return ""
	}
	return " (" + clip(c.Name) + ")"
}

// maxNeighbours is how many clients are looked at for a similar id.
const maxNeighbours = 200

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

// phrase completes "the client is …".
func (s Status) phrase() string {
	switch s {
	case StatusDraft:
		return "a draft"
	case StatusUnderReview:
		return "under review"
	}
	return string(s)
}

// statusOutcome returns why a client of this status is refused here, or nil.
func (s *Server) statusOutcome(client *Client, addresses Addresses) *outcome {
	if s.env.Admits(client.Status) {
		return nil
	}
	name := client.display()
	o := &outcome{finding: "L01", got: string(client.Status), want: "status " + string(StatusActive)}
	if client.Status != StatusRejected {
		s.notApproved(o, client, addresses)
		return o
	}
	o.finding = "L03"
	o.text = name + " was rejected or deactivated"
	if client.StatusBy != "" {
		o.text += " by " + clip(client.StatusBy)
	}
	if !client.StatusAt.IsZero() {
		o.text += " at " + stamp(client.StatusAt)
	}
	if client.StatusReason != "" {
		o.text += ": " + clip(client.StatusReason)
	}
	o.text += ". A rejected service is refused everywhere and its tokens are revoked."
	o.fix = "Edit it in the portal, which makes it a draft again"
	if addresses.PortalURL != "" {
		o.fix += ": " + addresses.PortalURL
	} else {
		o.fix += "."
	}
	return o
}

// display is how a diagnosis names a client.
func (c *Client) display() string {
	if c.Name == "" {
		return "Client " + quote(c.ID)
	}
	return quote(c.Name) + " (client_id " + clip(c.ID) + ")"
}
