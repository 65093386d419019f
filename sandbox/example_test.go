package sandbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/sandfhir/sandfhir/sandbox"
)

// A whole bulk export: kick-off, polling, and the download of every file. In a
// test, sb := sandbox.Start(t) is all that is needed of the first lines.
func Example() {
	sb, err := sandbox.New(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	defer sb.Close()
	if err := sb.Listen("127.0.0.1:0"); err != nil {
		log.Fatal(err)
	}

	client := sb.DefaultClient().HTTPClient("system/*.rs") // obtains and renews tokens
	get := func(url string) (*http.Response, []byte) {
		req, _ := http.NewRequest("GET", url, nil)
		req.Header.Set("Accept", "application/fhir+json")
		req.Header.Set("Prefer", "respond-async")
		resp, err := client.Do(req)
		if err != nil {
			log.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			log.Fatal(err)
		}
		return resp, body
	}

	started, _ := get(sb.FHIRURL() + "/Patient/$export?_type=Patient,Immunization,Condition")
	status, body := get(started.Header.Get("Content-Location"))
	for status.StatusCode == http.StatusAccepted {
		time.Sleep(time.Second) // as Retry-After says
		status, body = get(started.Header.Get("Content-Location"))
	}
	var manifest struct{ Output []struct{ Type, URL string } }
	if err := json.Unmarshal(body, &manifest); err != nil {
		log.Fatal(err)
	}
	for _, file := range manifest.Output {
		_, lines := get(file.URL)
		fmt.Println(file.Type, bytes.Count(lines, []byte("\n")))
	}
	// Output:
	// Condition 357
	// Immunization 807
	// Patient 100
}

// A client assertion that is wrong on purpose, and what the server says to it.
func ExampleClient_Assertion() {
	sb, err := sandbox.New(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	defer sb.Close()
	if err := sb.Listen("127.0.0.1:0"); err != nil {
		log.Fatal(err)
	}

	client := sb.DefaultClient()
	assertion, err := client.Assertion(sandbox.WithoutClaim("jti"))
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.TokenFor(context.Background(), assertion, "system/Patient.rs")
	var refused *sandbox.TokenError
	if errors.As(err, &refused) {
		fmt.Println(refused.Status, refused.Code, refused.Check)
		fmt.Println(refused.Description)
	}
	// Output:
	// 400 invalid_client C14
	// C14: The assertion has no jti; wanted: a fresh string for each assertion, such as a UUID.
}

// A sandbox in an HTTPS server of one's own.
func ExampleServer_Handler() {
	sb, err := sandbox.New(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	defer sb.Close()
	ts := httptest.NewTLSServer(sb.Handler())
	defer ts.Close()

	client := sb.DefaultClient().At(ts.URL, ts.Client())
	token, err := client.Token(context.Background(), "system/Patient.rs")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(token.Scope)
	// Output: system/Patient.rs
}

// A client is told to slow down, twice, and has to come again.
func ExampleWorld_Inject() {
	sb, err := sandbox.New(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	defer sb.Close()
	if err := sb.Listen("127.0.0.1:0"); err != nil {
		log.Fatal(err)
	}

	busy, err := sb.Inject("too_many:retry_after=1@type=Patient#times=2")
	if err != nil {
		log.Fatal(err)
	}
	client := sb.DefaultClient().HTTPClient("system/Patient.rs")
	for range 3 {
		resp, err := client.Get(sb.FHIRURL() + "/Patient?_count=1")
		if err != nil {
			log.Fatal(err)
		}
		resp.Body.Close()
		fmt.Println(resp.Status)
	}
	fmt.Println(busy.Hits(), "of", busy)
	// Output:
	// 429 Too Many Requests
	// 429 Too Many Requests
	// 200 OK
	// 2 of too_many:retry_after=1@type=Patient#times=2
}

// Tokens age by the server's clock, and an HTTPClient renews them.
func ExampleClock() {
	sb, err := sandbox.New(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	defer sb.Close()
	if err := sb.Listen("127.0.0.1:0"); err != nil {
		log.Fatal(err)
	}

	client := sb.DefaultClient().HTTPClient("system/Patient.rs")
	for range 2 {
		resp, err := client.Get(sb.FHIRURL() + "/Patient?_count=1")
		if err != nil {
			log.Fatal(err)
		}
		resp.Body.Close()
		fmt.Println(resp.StatusCode)
		sb.Clock().Advance(6 * time.Minute) // the token has expired
	}
	// Output:
	// 200
	// 200
}

func ExampleService() {
	ctx := context.Background()
	sb, err := sandbox.New(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer sb.Close()
	if err := sb.Listen("127.0.0.1:0"); err != nil {
		log.Fatal(err)
	}
	app, err := sb.RegisterClient(ctx, sandbox.ClientConfig{Name: "App", Scopes: []string{"system/Patient.rs"}, Status: sandbox.StatusDraft})
	if err != nil {
		log.Fatal(err)
	}
	_, err = app.InProduction().Token(ctx)
	fmt.Println("a draft is refused in production:", err != nil)
	if err := errors.Join(app.Service().Submit(ctx), app.Service().Approve(ctx)); err != nil {
		log.Fatal(err)
	}
	token, err := app.InProduction().Token(ctx)
	fmt.Println("approved:", token.Scope, err)
	// Output:
	// a draft is refused in production: true
	// approved: system/Patient.rs <nil>
}

// A world of its own for a test, below /w/suite-1 of a server that a suite shares.
func ExampleServer_NewWorld() {
	ctx := context.Background()
	sb, err := sandbox.New(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer sb.Close()
	if err := sb.Listen("127.0.0.1:0"); err != nil {
		log.Fatal(err)
	}
	world, err := sb.NewWorld(ctx, sandbox.WorldConfig{Name: "suite-1", TTL: time.Hour})
	if err != nil {
		log.Fatal(err)
	}
	defer world.Close()
	if _, err := world.TakeSnapshot(ctx, "begun"); err != nil {
		log.Fatal(err)
	}
	token, err := world.DefaultClient().Token(ctx, "system/Patient.rs")
	fmt.Println("granted:", token.Scope, err)
	world.Clock().Advance(time.Hour) // ages this world's tokens only
	fmt.Println("restored:", world.Restore(ctx, "begun"))
	fmt.Println("exchanges here and there:", len(world.Exchanges()), len(sb.Exchanges()))
	// Output:
	// granted: system/Patient.rs <nil>
	// restored: <nil>
	// exchanges here and there: 1 0
}
