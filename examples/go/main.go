// A backend service in Go with nothing but the standard library: it knows a FHIR base URL,
// registers itself, obtains a token with SMART Backend Services and runs a bulk export.
//
//	go run ./go http://127.0.0.1:8080/fhir
package main

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"
)

const keyID = "example-key"

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: go run ./go FHIR-BASE-URL")
	}
	fhir := os.Args[1]
	key := must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))

	// Everything else is found from the FHIR base URL.
	smart := decode(call("GET", fhir+"/.well-known/smart-configuration", nil, nil))
	clientID := register(smart.RegistrationEndpoint, key)
	export(fhir, obtainToken(smart.TokenEndpoint, clientID, key))
}

// register registers a client (RFC 7591) and returns its id. The server gets the public key only.
func register(endpoint string, key *ecdsa.PrivateKey) string {
	point := must(key.PublicKey.Bytes()) // the byte 4, then x and y of 48 bytes each
	jwk := map[string]string{
		"kty": "EC", "crv": "P-384", "alg": "ES384", "use": "sig", "kid": keyID,
		"x": b64(point[1:49]), "y": b64(point[49:]),
	}
	metadata := must(json.Marshal(map[string]any{
		"client_name":                "Go example",
		"token_endpoint_auth_method": "private_key_jwt",
		"grant_types":                []string{"client_credentials"},
		"scope":                      "system/*.rs",
		"jwks":                       map[string]any{"keys": []any{jwk}},
	}))
	header := http.Header{"Content-Type": {"application/json"}}
	return decode(call("POST", endpoint, header, metadata)).ClientID
}

// assertion returns a JWT of a few minutes. Every token request needs a new one.
func assertion(clientID, audience string, key *ecdsa.PrivateKey) string {
	header := must(json.Marshal(map[string]any{"alg": "ES384", "typ": "JWT", "kid": keyID}))
	claims := must(json.Marshal(map[string]any{
		"iss": clientID, "sub": clientID, "aud": audience,
		"exp": time.Now().Add(4 * time.Minute).Unix(), "jti": rand.Text(),
	}))
	signed := b64(header) + "." + b64(claims)
	digest := sha512.Sum384([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	check(err)
	return signed + "." + b64(append(r.FillBytes(make([]byte, 48)), s.FillBytes(make([]byte, 48))...))
}

func obtainToken(endpoint, clientID string, key *ecdsa.PrivateKey) string {
	form := url.Values{
		"grant_type":            {"client_credentials"},
		"scope":                 {"system/*.rs"},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		"client_assertion":      {assertion(clientID, endpoint, key)},
	}
	header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	return decode(call("POST", endpoint, header, []byte(form.Encode()))).AccessToken
}

// export kicks an export off, asks until it is done, and counts the lines of its files. One that
// outlives the token (expires_in, five minutes here) needs a new one on the way.
func export(fhir, token string) {
	header := http.Header{
		"Authorization": {"Bearer " + token},
		"Accept":        {"application/fhir+json"},
		"Prefer":        {"respond-async"},
	}
	kickOff := call("GET", fhir+"/Patient/$export", header, nil)
	check(kickOff.Body.Close())
	job := kickOff.Header.Get("Content-Location")
	status := call("GET", job, header, nil)
	for status.StatusCode == http.StatusAccepted {
		check(status.Body.Close())
		time.Sleep(time.Duration(must(strconv.Atoi(status.Header.Get("Retry-After")))) * time.Second)
		status = call("GET", job, header, nil)
	}
	for _, file := range decode(status).Output {
		resources, body := 0, call("GET", file.URL, header, nil).Body
		lines := bufio.NewScanner(body)
		lines.Buffer(nil, 64<<20) // a resource can be long
		for lines.Scan() {
			resources++
		}
		check(lines.Err())
		check(body.Close())
		fmt.Println(file.Type, resources)
	}
}

// call sends a request. Where the server refuses, its own words say why.
func call(method, url string, header http.Header, body []byte) *http.Response {
	req := must(http.NewRequest(method, url, bytes.NewReader(body)))
	req.Header = header
	resp := must(http.DefaultClient.Do(req))
	if resp.StatusCode >= 400 {
		log.Fatalf("%s: %s: %s", url, resp.Status, bytes.TrimSpace(must(io.ReadAll(resp.Body))))
	}
	return resp
}

// decode reads what this program needs of the server's JSON answers.
func decode(resp *http.Response) (answer struct {
	TokenEndpoint        string `json:"token_endpoint"`
	RegistrationEndpoint string `json:"registration_endpoint"`
	ClientID             string `json:"client_id"`
	AccessToken          string `json:"access_token"`
	Output               []struct{ Type, URL string }
}) {
	check(json.NewDecoder(resp.Body).Decode(&answer))
	check(resp.Body.Close())
	return answer
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func must[T any](v T, err error) T { check(err); return v }

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
