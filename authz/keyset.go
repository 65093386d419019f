package authz

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/lestrrat-go/jwx/v2/jwk"

	"github.com/sandfhir/sandfhir/internal/jose"
)

// KeySet is a client's public key set (RFC 7517 section 5), parsed. It is
// never changed, so that it may be shared.
type KeySet struct {
	keys []*publicKey
	bare bool // written as a bare array
}

// KeySetError says why bytes are no key set.
type KeySetError struct {
	Finding FindingID
	// Text, Counterfactual and Fix are full sentences: see Check.
	Text, Counterfactual, Fix string

	private bool // the bytes hold a private key and are not to be shown
}

// Error returns the diagnosis.
func (e *KeySetError) Error() string { return sentences(e.Text, e.Counterfactual, e.Fix) }

// KeyProblem is a defect of one key of a set.
type KeyProblem struct {
	KeyID   string // "" where the key has none
	Finding FindingID
	// Text and Fix are full sentences: see Check.
	Text, Fix string

	remedy RemedyKind // "" is what the finding says
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
func ParseKeySet(data []byte) (*KeySet, error) {
	entries, err := keySetEntries(data)
	if err != nil {
		return nil, err
	}
	return newKeySet(entries), nil
}

// parseInline reads a key set by value in the forms that the behaviour can
// use: a JWK Set always, a bare array where it takes those.
func (b Behaviour) parseInline(data []byte) (*KeySet, error) {
	var entries []jsontext.Value
	if !b.takesBareArrays() || jsontext.Value(data).Kind() != '[' || json.Unmarshal(data, &entries) != nil {
		return ParseKeySet(data)
	}
	set := newKeySet(entries)
	set.bare = true
	return set, nil
}

func newKeySet(entries []jsontext.Value) *KeySet {
	set := &KeySet{keys: make([]*publicKey, 0, len(entries))}
	for i, entry := range entries {
		set.keys = append(set.keys, parseJWK(i, entry))
	}
	return set
}

// parseJWK reads one key and notes what is wrong with it.
func parseJWK(index int, entry jsontext.Value) *publicKey {
	k := &publicKey{index: index}
	var m members
	if entry.Kind() != '{' || json.Unmarshal(entry, &m) != nil {
		k.problem("",
			"is no JSON object with distinct members",
			"Write each key as {\"kty\":…,\"kid\":…} with every member once")
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
		k.problem("A11", "has no kid", "Give every key a kid, and name it in the header of each assertion")
	}
	k.checkPublic(m)
	k.checkUse()
	switch k.kty {
	case "RSA":
		if n, e := k.checkMember(m, "n", true), k.checkMember(m, "e", true); !n || !e {
			return k
		}
	case "EC":
		if x, y := k.checkMember(m, "x", false), k.checkMember(m, "y", false); !x || !y {
			return k
		}
	case "":
		k.problem("A14", "has no kty", "Add kty: RSA for a key that signs RS384, EC for one that signs ES384")
		return k
	default:
		if k.kty == "oct" && len(k.problems) > 0 {
			return k // checkPublic said it
		}
		k.problem("A14",
			"has kty "+quote(k.kty),
			"Make an RSA key (RS384) or an EC key on P-384 (ES384): backend services sign with these")
		k.problems[len(k.problems)-1].remedy = RemedyNewKey
		return k
	}
	k.setMaterial(m)
	return k
}

// problem notes a defect: what is wrong with the key, and what to do, both
// without full stops.
func (k *publicKey) problem(finding FindingID, text, fix string) {
	k.problems = append(k.problems, KeyProblem{KeyID: k.kid, Finding: finding,
		Text: "Key " + k.name() + " " + text + ".",
		Fix:  fix + "."})
}

// name is the kid, or the position in the set of a key without one.
func (k *publicKey) name() string {
	if k.hasKid {
		return quote(k.kid)
	}
	return "number " + itoa(k.index+1) + " of the set"
}

func (k *publicKey) checkPublic(m members) {
	var found []string
	for _, name := range jose.PrivateMembers() {
		if m.kind(name) != 0 {
			found = append(found, name)
			delete(m, name)
		}
	}
	if len(found) == 0 {
		return
	}
	if k.kty == "oct" {
		k.problem("A20",
			"is a symmetric key (kty oct) with its secret published",
			"Remove it and never use it again: a client's key set holds public RSA or EC keys only")
		return
	}
	k.problem("A20",
		"is published with private members ("+list(found)+"): whoever read it can sign as you",
		"Revoke this key pair now, make a new one, and publish of it only kty, kid and the public numbers")
}

func (k *publicKey) checkUse() {
	if k.use != "" && k.use != "sig" {
		k.problem("A21",
			`has "use":`+quote(k.use)+", which is not for signatures",
			`Set "use":"sig" or leave use out, and keep a key for encryption apart`)
	}
	if k.hasOps && !slices.Contains(k.keyOps, "verify") {
		k.problem("A21", "has key_ops "+clip(list(k.keyOps))+" without verify", `Drop key_ops, or add "verify"`)
	}
}

// checkMember checks the encoding of a number: base64url, and the fewest
// octets where minimal (RFC 7518 section 6.3.1.1; coordinates of a curve keep
// their full length instead, section 6.2.1.2). It reports whether there is a
// number to read.
func (k *publicKey) checkMember(m members, name string, minimal bool) bool {
	value, ok := m.text(name)
	if !ok {
		k.problem("A18", "has no "+name, "Export the public key again, as a JWK")
		return false
	}
	raw, why := decodeBase64URL(value)
	switch {
	case why != "":
		k.problem("A18",
			"has a member "+name+" that is not base64url: "+why,
			"Encode the octets as base64url without padding (RFC 7518 section 6)")
		return false
	case minimal && raw[0] == 0:
		zeros := 0
		for zeros < len(raw) && raw[zeros] == 0 {
			zeros++
		}
		k.problem("A18",
			"has a member "+name+" with "+plural(zeros, "leading zero octet")+
				", a sign byte that the encoder left in; many servers refuse it",
			"Drop the zeros before you encode: RFC 7518 section 6.3.1 wants the fewest octets")
	case !minimal && coordinateLength(k.crv) > 0 && len(raw) != coordinateLength(k.crv):
		k.problem("A18",
			"has a member "+name+" of "+itoa(len(raw))+" octets; curve "+k.crv+
				" needs exactly "+itoa(coordinateLength(k.crv)),
			"Pad it with leading zeros to that length (RFC 7518 section 6.2.1.2)")
	}
	return true
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
		k.problem("A18", "cannot be read: "+clip(err.Error()), "Export the public key again, as a JWK")
		return
	}
	if k.kty == "EC" && coordinateLength(k.crv) == 0 {
		k.problem("A17", "is on curve "+quote(k.crv)+"; ES384 needs P-384 (secp384r1)", "Make a key pair on P-384")
		return
	}
	var raw any
	if key, err := jwk.ParseKey(public); err != nil || key.Raw(&raw) != nil {
		k.problem("A18", "has numbers that make no "+k.kty+" key", "Export the public key again, as a JWK")
		return
	}
	switch pub := raw.(type) {
	case *rsa.PublicKey:
		bits := pub.N.BitLen()
		switch {
		case bits < 2048:
			k.problem("A22",
				"has an RSA modulus of "+itoa(bits)+" bits; the minimum is 2048 (RFC 7518 section 3.3)",
				"Make a new key pair of 2048 bits or more")
		case bits > maxModulus:
			k.problem("A22",
				"has an RSA modulus of "+itoa(bits)+" bits; this server computes with at most "+itoa(maxModulus),
				"Make a new key pair of 2048 to 4096 bits")
			return
		}
		k.raw = pub
	case *ecdsa.PublicKey:
		if _, err := pub.ECDH(); err != nil {
			k.problem("A18", "has a point (x, y) that is not on curve "+k.crv, "Export the public key again, as a JWK")
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
		return []KeyProblem{{Text: "The key set holds no key.",
			Fix: "Put the public half of the key that you sign with into keys."}}
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
				Text: "Several keys of the set have the kid " + quote(k.kid) + "; SMART requires exactly one match.",
				Fix:  "Give every key a kid of its own."})
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
			Text: "Key " + k.name() + " is " + k.describe() + ", which none of " + list(algorithms) + " can use.",
			Fix:  "Make an RSA key of 2048 bits or more for RS384, or an EC key on P-384 (secp384r1) for ES384."})
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
	print, err := (&jose.Key{Public: k.raw}).Thumbprint()
	if err != nil {
		return ""
	}
	return print
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
	if k.raw == nil {
		return "of kty " + quote(k.kty)
	}
	return (&jose.Key{Public: k.raw}).Describe()
}
