// Package sandbox runs Sandfhir inside a Go program: a FHIR server and a SMART
// Backend Services authorization server with sample data, for the tests of
// clients that obtain tokens and read, write or bulk-export.
//
// # In a test
//
// Start gives a server on a free port, with a hundred patients. It is closed
// when the test ends.
//
//	func TestExport(t *testing.T) {
//		sb := sandbox.Start(t)
//		client := sb.DefaultClient()
//		err := myexport.Run(t.Context(), myexport.Config{
//			FHIRURL:  sb.FHIRURL(),
//			ClientID: client.ID(),
//			Key:      client.PrivateJWK(),
//		})
//		…
//	}
//
// Where the test fails, it prints the requests that the server refused, each
// with the check that failed and what to do about it:
//
//	POST http://127.0.0.1:41231/auth/token -> 400
//	  C04: aud is "http://127.0.0.1:41231/auth/token/"; it differs from … only
//	  by the slash at its end. …
//
// # Clients
//
// RegisterClient registers clients with scopes, an algorithm, a status or an
// organization of your choice, and Production().RegisterClient does so in the
// other environment. A Client hands out its key in the forms that programs
// take (PrivateJWK, PrivateKeyPEM), publishes its public half (PublicJWKS), or
// does the work itself: Token obtains a token, and HTTPClient returns an
// http.Client that obtains and renews tokens as it needs them.
//
// Assertion signs client assertions, also wrong on purpose, to see what your
// authorization server or proxy makes of them:
//
//	assertion, err := client.Assertion(sandbox.WithoutClaim("jti"))
//	_, err = client.TokenFor(ctx, assertion, "system/Patient.rs")
//	// err is a *sandbox.TokenError: Check is C14
//
// # Requests
//
// Exchanges returns the requests that the server met, with the checks that it
// made on them; Exchanges(sandbox.Exchange.Refused) those that it refused.
//
// # Behaviours
//
// The server is as strict as the strictest payer. WithBehaviour("aidbox") plays
// another one, WithSwitch changes one thing, and SetBehaviour does either while
// the server runs; Behaviour returns every switch with its value, what it means
// and what it follows.
//
//	sb := sandbox.Start(t, sandbox.WithSwitch("exp.max", "60s")) // a payer that wants assertions of a minute
//
// # Time
//
// Clock moves the server's time: tokens expire, exports finish and their files
// go. A client that signs by real time is never refused for it.
//
//	sb.Clock().Advance(6 * time.Minute) // every token so far has expired
//
// Evolve moves the sample population on: new visits and results, corrected observations, merged
// and deleted records, members who leave a group or join it, the same for the same days.
//
//	sb.Evolve(ctx, 30) // what a client makes of _since
//
// # A server of your own
//
// New makes a server that does not listen. Its Handler works at once in any
// net/http server, with TLS or below a path prefix; Client.At tells a client
// where.
//
//	sb, err := sandbox.New(ctx)
//	ts := httptest.NewTLSServer(sb.Handler())
//	token, err := sb.DefaultClient().At(ts.URL, ts.Client()).Token(ctx)
//
// # Data
//
// The sample population is the same for the same WithSeed and WithPatients. It
// is built once for a user of a machine and cached; after that a server starts
// in milliseconds, so that every test can have its own. WithLoad adds files of
// yours. Servers in one process do not notice each other: what is written to
// one is in no other.
//
// The server keeps everything in memory and temporary files unless WithDataDir
// names a directory.
package sandbox
