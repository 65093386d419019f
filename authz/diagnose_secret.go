package authz

import "time"

// endedSecret explains a secret that ended, by rotation or because it
// expired.
func (a *attempt) endedSecret(match int, now time.Time) outcome {
	c := a.client
	ended := c.Secrets[match].ExpiresAt
	o := outcome{finding: "K01", got: "a secret that ended at " + stamp(ended), want: "the client's secret"}
	if rotated, was := c.rotatedAt(match); was {
		o.finding = "L04"
		o.text = a.oldSecretUsed(match, now.Sub(rotated)) + ". It ended at " + stamp(ended) + ", " +
			seconds(now.Sub(ended)) + " ago."
		o.fix = "Deploy the current secret to every instance of the client."
		return o
	}
	o.text = "Secret " + itoa(match+1) + " of client " + quote(c.ID) + " has expired: it ended at " +
		stamp(ended) + ", " + seconds(now.Sub(ended)) + " ago."
	o.fix = "Make a new one in the portal."
	if latest := latestSecret(c.Secrets); latest != match {
		o.text += " The current one was made at " + stamp(c.Secrets[latest].CreatedAt) + "."
		o.fix = "Deploy the current secret to every instance of the client."
	}
	return o
}

// oldSecretUsed says who still uses a rotated secret, as a sentence without
// its full stop.
func (a *attempt) oldSecretUsed(match int, since time.Duration) string {
	by := ""
	if a.req.Remote != "" {
		by = " by " + a.req.Remote
	}
	return "The old secret " + itoa(match+1) + " of client " + quote(a.client.ID) + " was used" + by + " " +
		seconds(since) + " after its rotation"
}

func noSecretsHere(used AuthMethod) outcome {
	return outcome{got: string(used), want: string(PrivateKeyJWT),
		text:   "This server takes no client secrets (see token_endpoint_auth_methods_supported in discovery).",
		fix:    "Register a key set and sign an assertion, which is what SMART Backend Services is.",
		remedy: Remedy{Kind: RemedyNewKey}}
}

func secretTaken(used AuthMethod) outcome {
	return outcome{finding: "L05", got: string(used), want: string(PrivateKeyJWT),
		text: "The client authenticates by a secret. This server takes that; it is not SMART Backend " +
			"Services, and no client for ONC g10.",
		fix: "Register a key set and sign assertions where that counts."}
}

func noClientID() outcome {
	return outcome{got: "no client_id", want: "client_id and client_secret",
		text: "client_secret is in the form and client_id is missing.", fix: "Send both."}
}

func brokenBasic(why string) outcome {
	return outcome{got: why, want: "Basic base64(client_id:client_secret)",
		text: "The Authorization header cannot be read: " + why + ".",
		fix:  "Send Basic followed by the base64 of client_id:client_secret, in the standard alphabet with padding."}
}

func emptyBasicID() outcome {
	return outcome{got: "an empty client_id", want: "Basic base64(client_id:client_secret)",
		text: "The Authorization header has no client_id before the colon.",
		fix:  "Send Basic followed by the base64 of client_id:client_secret."}
}

func otherBasicID(basic, posted string) outcome {
	return outcome{got: "client_id " + posted + " in the form", want: basic,
		text: "The Authorization header is that of client " + quote(basic) + ", the form's client_id is " +
			quote(posted) + ".",
		fix: "Leave client_id out of the form, or send the same one."}
}

// diagnoseSecret explains a secret that is not the client's.
func (a *attempt) diagnoseSecret(sent credential) outcome {
	c := a.client
	o := outcome{got: "a secret that does not match", want: "the client's secret"}
	if sent.secret == "" {
		o.got = "an empty secret"
	}
	switch {
	case len(c.Secrets) == 0:
		o.text = "Client " + quote(c.ID) + " has no secret."
		o.fix = "Make one in the portal."
		return o
	case sent.otherSecret != sent.secret && c.matchSecret(sent.otherSecret) >= 0:
		o.finding = "K02"
		o.text = "The secret, as this server reads it, is not that of client " + quote(c.ID) + "."
		o.counterfactual = "It matches " + sent.habit + "."
		o.fix = sent.advice
		return o
	case sent.secret == "":
		o.finding = "K05"
		o.text = "The secret is empty."
		o.fix = "Give the client its secret: is the variable that holds it empty? A secret is shown once, " +
			"when it is made, and cannot be shown again; if it is lost, rotate it in the portal"
	default:
		o.text = "The secret is not that of client " + quote(c.ID) + "."
		o.fix = "Compare what your client sends (white space, quotation marks, an old value in the " +
			"environment). A secret is shown once, when it is made; if it is lost, rotate it in the portal"
	}
	if a.req.Addresses.PortalURL != "" {
		o.fix += ": " + a.req.Addresses.PortalURL
	} else {
		o.fix += "."
	}
	return o
}

func otherHabitTaken(sent credential, number string) outcome {
	return outcome{finding: "K02", got: "secret " + number, want: "form-encoded halves",
		text: "The secret matches " + sent.habit + ". This server's behaviour takes either; others take one.",
		fix:  sent.advice}
}

// endingSecret tells of a secret that was rotated and still works.
func (a *attempt) endingSecret(match int, since time.Duration) outcome {
	c := a.client
	return outcome{finding: "L04", got: "secret " + c.secretNumber(match), want: "the current secret",
		text: a.oldSecretUsed(match, since) + ". It works until " + stamp(c.Secrets[match].ExpiresAt) + ".",
		fix:  "Deploy the new one to every instance of the client before that."}
}

// secretNumber says which of the client's secrets it is.
func (c *Client) secretNumber(match int) string { return itoa(match+1) + " of " + itoa(len(c.Secrets)) }
