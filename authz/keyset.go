package authz

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/lestrrat-go/jwx/v2/jwk"
)

// KeySet is a client's public key set (RFC 7517 section 5), parsed. It is
// never changed, so that it may be shared.
type KeySet struct {
	keys []*publicKey
	bare bool // written as a bare array
}

// KeySetError says why bytes are no key set.
type KeySetError struct {
	Finding string // catalogue id, or ""
	Text    string // full sentences
}

// Error returns the text.
func (e *KeySetError) Error() string { return e.Text }

// KeyProblem is a defect of one key of a set.
type KeyProblem struct {
	KeyID   string // "" where the key has none
	Finding string // catalogue id, or ""
	Text    string // full sentences
}

// publicKey is one key of a set.
type publicKey struct {
	index  int
	kid    string
	hasKid bool
	kty    string
	crv    string
	use    string
	alg    string
	keyOps []string
	hasOps bool
	// raw is *rsa.PublicKey or *ecdsa.PublicKey; nil if the material is broken
	// or of another kind.
	raw      any
	problems []KeyProblem
}

// ParseKeySet reads a JWK Set. Keys that cannot be used do not make it fail;
// Problems lists them. Its errors are *KeySetError.
func ParseKeySet(data []byte) (*KeySet, error) { return parseKeySet(data, false) }

func parseKeySet(data []byte, bareArray bool) (*KeySet, error) {
	entries, err := keySetEntries(data, bareArray)
	if err != nil {
		return nil, err
	}
	set := &KeySet{keys: make([]*publicKey, 0, len(entries)), bare: jsontext.Value(data).Kind() == '['}
	for i, entry := range entries {
		set.keys = append(set.keys, parseJWK(i, entry))
	}
	return set, nil
}

// keySetEntries finds the array of keys.
func keySetEntries(data []byte, bareArray bool) ([]jsontext.Value, *KeySetError) {
	var entries []jsontext.Value
	switch jsontext.Value(data).Kind() {
	case '{':
	case '[':
		if !bareArray {
			return nil, &KeySetError{Finding: "J04", Text: `Got a JSON array. A JWK Set is an object: {"keys":[…]} (RFC 7517 section 5); the bare array is only what Aidbox's Client resource takes inline. Wrap it.`}
		}
		if err := json.Unmarshal(data, &entries); err != nil {
			return nil, notJSON(data, err)
		}
		return entries, nil
	default:
		return nil, notJSON(data, nil)
	}
	var object members
	if err := json.Unmarshal(data, &object); err != nil {
		return nil, notJSON(data, err)
	}
	list, ok := object["keys"]
	switch {
	case !ok && object.kind("kty") != 0:
		return nil, &KeySetError{Finding: "J04", Text: `Got a single JWK. A JWK Set is an object with an array of them: {"keys":[…]} (RFC 7517 section 5).`}
	case !ok:
		return nil, &KeySetError{Finding: "J04", Text: `Got a JSON object without "keys". A JWK Set is {"keys":[…]} (RFC 7517 section 5).`}
	case list.Kind() != '[':
		return nil, &KeySetError{Finding: "J04", Text: `"keys" is no array. A JWK Set is {"keys":[…]} (RFC 7517 section 5).`}
	}
	if err := json.Unmarshal(list, &entries); err != nil {
		return nil, notJSON(data, err)
	}
	return entries, nil
}

func notJSON(data []byte, err error) *KeySetError {
	text := strings.TrimSpace(string(data[:min(len(data), 64)]))
	switch {
	case text == "":
		return &KeySetError{Finding: "J03", Text: "The key set is empty. A JWK Set is {\"keys\":[…]}."}
	case strings.HasPrefix(text, "-----BEGIN"):
		return &KeySetError{Finding: "J03", Text: "That is PEM. A JWK Set is JSON: {\"keys\":[…]}; convert the public key to a JWK."}
	case strings.HasPrefix(text, "<"):
		return &KeySetError{Finding: "J03", Text: "That is HTML or XML. A JWK Set is JSON: {\"keys\":[…]}."}
	case err != nil:
		return &KeySetError{Finding: "J03", Text: "That is not valid JSON: " + clip(err.Error()) + "."}
	}
	return &KeySetError{Finding: "J03", Text: "That is no JSON object. A JWK Set is {\"keys\":[…]}; this begins with " + quote(text) + "."}
}

// parseJWK reads one key and notes what is wrong with it.
func parseJWK(index int, entry jsontext.Value) *publicKey {
	k := &publicKey{index: index}
	var m members
	if entry.Kind() != '{' || json.Unmarshal(entry, &m) != nil {
		k.problem("", "is no JSON object with distinct members")
		return k
	}
	k.kid, k.hasKid = m.text("kid")
	k.hasKid = k.hasKid && k.kid != ""
	k.kty, _ = m.text("kty")
	k.crv, _ = m.text("crv")
	k.use, _ = m.text("use")
	k.alg, _ = m.text("alg")
	k.keyOps, k.hasOps = m.texts("key_ops")
	if !k.hasKid {
		k.problem("A11", `has no kid. Give every key a kid, and name it in the header of each assertion`)
	}
	k.checkPublic(m)
	k.checkUse()
	switch k.kty {
	case "RSA":
		k.checkMember(m, "n", true)
		k.checkMember(m, "e", true)
	case "EC":
		k.checkMember(m, "x", false)
		k.checkMember(m, "y", false)
	case "":
		k.problem("A14", `has no kty. It is RSA for RS384, EC for ES384`)
		return k
	default:
		k.problem("A14", "has kty "+quote(k.kty)+"; backend services sign with RSA (RS384) or EC P-384 (ES384) keys")
		return k
	}
	k.setMaterial(m)
	return k
}

func (k *publicKey) problem(finding, text string) {
	k.problems = append(k.problems, KeyProblem{KeyID: k.kid, Finding: finding, Text: "Key " + k.name() + " " + text + "."})
}

// name is the kid, or the place in the set of a key without one.
func (k *publicKey) name() string {
	if k.hasKid {
		return quote(k.kid)
	}
	return "number " + itoa(k.index+1) + " of the set"
}

// privateMembers are the members that no published key may have (RFC 7518
// sections 6.2.2, 6.3.2 and 6.4).
func privateMembers() []string { return []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} }

func (k *publicKey) checkPublic(m members) {
	var found []string
	for _, name := range privateMembers() {
		if m.kind(name) != 0 {
			found = append(found, name)
			delete(m, name)
		}
	}
	if len(found) == 0 {
		return
	}
	if k.kty == "oct" {
		k.problem("A20", "is a symmetric key (kty oct) with its secret published. Remove it; a client's key set holds public RSA or EC keys only")
		return
	}
	k.problem("A20", "is published with private members ("+list(found)+"). Whoever read it can sign as you: revoke this key pair now, make a new one and publish only kty, kid and the public numbers")
}

func (k *publicKey) checkUse() {
	if k.use != "" && k.use != "sig" {
		k.problem("A21", `has "use":`+quote(k.use)+`; set "use":"sig" or leave use out, and keep a key for encryption apart`)
	}
	if k.hasOps && !slices.Contains(k.keyOps, "verify") {
		k.problem("A21", `has key_ops `+list(k.keyOps)+` without verify; drop key_ops or add "verify"`)
	}
}

// checkMember checks the encoding of a number: base64url, and the fewest
// octets where minimal (RFC 7518 section 6.3.1.1; coordinates of a curve keep
// their full length instead, section 6.2.1.2).
func (k *publicKey) checkMember(m members, name string, minimal bool) {
	value, ok := m.text(name)
	if !ok {
		k.problem("A18", "has no "+name)
		return
	}
	raw, why := decodeBase64URL(value)
	switch {
	case why != "":
		k.problem("A18", "has a member "+name+" that is not base64url: "+why+". Encode the octets as base64url without padding (RFC 7518 section 6)")
	case minimal && raw[0] == 0:
		zeros := 0
		for zeros < len(raw) && raw[zeros] == 0 {
			zeros++
		}
		k.problem("A18", "has a member "+name+" with "+itoa(zeros)+" leading zero octet(s), a sign byte that the encoder left in; many servers refuse it. Drop the zeros before encoding: RFC 7518 section 6.3.1 wants the fewest octets")
	case !minimal && coordinateLength(k.crv) > 0 && len(raw) != coordinateLength(k.crv):
		k.problem("A18", "has a member "+name+" of "+itoa(len(raw))+" octets; curve "+k.crv+" needs exactly "+itoa(coordinateLength(k.crv))+". Pad it with leading zeros (RFC 7518 section 6.2.1.2)")
	}
}

func coordinateLength(crv string) int {
	switch crv {
	case "P-256":
		return 32
	case "P-384":
		return 48
	case "P-521":
		return 66
	}
	return 0
}

// maxModulus bounds the work that one verification can cost.
const maxModulus = 16384

// setMaterial makes the key usable. Only the bare public numbers are handed
// on: x5c and the like are not trusted as key sources.
func (k *publicKey) setMaterial(m members) {
	bare := members{}
	for _, name := range []string{"kty", "n", "e", "crv", "x", "y"} {
		if v, ok := m[name]; ok {
			bare[name] = v
		}
	}
	public, err := json.Marshal(bare)
	if err != nil {
		k.problem("A18", "cannot be read: "+clip(err.Error()))
		return
	}
	if k.kty == "EC" && coordinateLength(k.crv) == 0 {
		k.problem("A17", "is on curve "+quote(k.crv)+"; ES384 needs P-384 (secp384r1)")
		return
	}
	var raw any
	if key, err := jwk.ParseKey(public); err != nil || key.Raw(&raw) != nil {
		k.problem("A18", "has numbers that make no "+k.kty+" key")
		return
	}
	switch pub := raw.(type) {
	case *rsa.PublicKey:
		bits := pub.N.BitLen()
		switch {
		case bits < 2048:
			k.problem("A22", "has an RSA modulus of "+itoa(bits)+" bits; the minimum is 2048 (RFC 7518 section 3.3). Make a new key pair")
		case bits > maxModulus:
			k.problem("A22", "has an RSA modulus of "+itoa(bits)+" bits; this server computes with at most "+itoa(maxModulus))
			return
		}
		k.raw = pub
	case *ecdsa.PublicKey:
		if _, err := pub.ECDH(); err != nil {
			k.problem("A18", "has a point (x, y) that is not on curve "+k.crv+". Export the public key again")
			return
		}
		k.raw = pub
	}
}

// Len returns the number of keys.
func (s *KeySet) Len() int { return len(s.keys) }

// KeyIDs returns the kids in order; keys without one are passed over.
func (s *KeySet) KeyIDs() []string {
	var kids []string
	for _, k := range s.keys {
		if k.hasKid {
			kids = append(kids, k.kid)
		}
	}
	return kids
}

// Problems returns what is wrong with the keys, and with the set as a whole:
// a kid that several keys share, no key at all. Registration refuses them;
// while a token is asked for, only the problems of the key in use count.
func (s *KeySet) Problems() []KeyProblem {
	if len(s.keys) == 0 {
		return []KeyProblem{{Text: "The key set holds no key."}}
	}
	var problems []KeyProblem
	seen := map[string]int{}
	for _, k := range s.keys {
		problems = append(problems, k.problems...)
		if !k.hasKid {
			continue
		}
		if seen[k.kid]++; seen[k.kid] == 2 {
			problems = append(problems, KeyProblem{KeyID: k.kid, Finding: "A13",
				Text: "Several keys of the set have the kid " + quote(k.kid) + "; SMART requires exactly one match. Give every key its own kid."})
		}
	}
	return problems
}

// unfit returns the keys that none of the algorithms can use: a curve that the
// server does not take.
func (s *KeySet) unfit(algorithms []string) []KeyProblem {
	var problems []KeyProblem
	for _, k := range s.keys {
		fits := slices.ContainsFunc(algorithms, func(alg string) bool {
			kty, crv := keyType(alg)
			return kty == k.kty && (crv == "" || crv == k.crv)
		})
		if fits || k.raw == nil {
			continue
		}
		problems = append(problems, KeyProblem{KeyID: k.kid, Finding: "A17",
			Text: "Key " + k.name() + " is " + k.describe() + ", which none of " + list(algorithms) + " can use; ES384 needs P-384 (secp384r1)."})
	}
	return problems
}

// withID returns the keys that have the kid.
func (s *KeySet) withID(kid string) []*publicKey {
	var found []*publicKey
	for _, k := range s.keys {
		if k.hasKid && k.kid == kid {
			found = append(found, k)
		}
	}
	return found
}

// jkt returns the key's thumbprint (RFC 7638, SHA-256, base64url).
func (k *publicKey) jkt() string {
	key, err := jwk.FromRaw(k.raw)
	if err != nil {
		return ""
	}
	sum, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(sum)
}

// fingerprint returns the SHA-256 of the key's DER, which openssl computes
// from a private key in one line.
func (k *publicKey) fingerprint() string {
	der, err := x509.MarshalPKIXPublicKey(k.raw)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

// describe says what kind of key it is: "RSA of 2048 bits", "EC on P-384".
func (k *publicKey) describe() string {
	switch pub := k.raw.(type) {
	case *rsa.PublicKey:
		return "RSA of " + itoa(pub.N.BitLen()) + " bits"
	case *ecdsa.PublicKey:
		return "EC on " + k.crv
	}
	return "of kty " + quote(k.kty)
}
