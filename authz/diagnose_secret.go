package authz

import "time"

// endedSecret tells a secret that a rotation ended from one that expired.
func (a *attempt) endedSecret(match int, now time.Time) outcome {
	c := a.client
	ended := c.Secrets[match].ExpiresAt
	o := outcome{finding: "K01", got: "a secret that ended at " + stamp(ended), want: "the client's secret"}
	if rotated, was := c.rotatedAt(match); was {
		o.finding = "L04"
		o.text = a.oldSecretUsed(match, now.Sub(rotated)) + ". It ended at " + stamp(ended) + ", " + seconds(now.Sub(ended)) + " ago."
		o.fix = "Deploy the current secret to every instance of the client."
		return o
	}
	o.text = "Secret " + itoa(match+1) + " of client " + quote(c.ID) + " has expired: it ended at " + stamp(ended) + ", " + seconds(now.Sub(ended)) + " ago."
	o.fix = "Make a new one in the portal."
	if latest := latestSecret(c.Secrets); latest != match {
		o.text += " The current one was made at " + stamp(c.Secrets[latest].CreatedAt) + "."
		o.fix = "Deploy the current secret to every instance of the client."
	}
	return o
}

// oldSecretUsed says who still uses a secret that was rotated, without a full
// stop.
func (a *attempt) oldSecretUsed(match int, since time.Duration) string {
	by := ""
	if a.req.Remote != "" {
		by = " by " + a.req.Remote
	}
	return "The old secret " + itoa(match+1) + " of client " + quote(a.client.ID) + " was used" + by + " " + seconds(since) + " after its rotation"
}
