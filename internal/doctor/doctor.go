package doctor

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/clock"
	"github.com/sandfhir/sandfhir/internal/jose"
)

// Case is what there is to be looked at: any combination of a key, a key set, an assertion, and a
// client at a server.
type Case struct {
	Key       *File  // the private key
	KeySet    *File  // the public key set by value
	KeySetURL string // or where it is published
	Assertion *Assertion
	Client    string   // client id; "" is the assertion's iss
	KeyID     string   // kid that the client names; "" is the key's own
	TokenURL  string   // "" is what discovery says
	Scopes    []string // asked for; nil looks at none, and asks a server for DefaultScope
	Server    *Server  // nil looks at no server
	Clock     clock.Clock
}

// DefaultScope is what a server is asked for where the case names no scope.
const DefaultScope = "system/*.rs"

// A File is a file that was read.
type File struct {
	Name string
	Data []byte
	Mode fs.FileMode // 0 where it is not known
}

// Examine looks at everything that the case holds. Its error is for what kept the doctor from its
// work; what is wrong with the case is in the report.
func Examine(ctx context.Context, c Case) (_ *Report, err error) {
	d := &diagnosis{Case: c, report: &Report{}}
	discovery := d.discover(ctx)
	d.place()
	if d.bench, err = newBench(ctx, c.Clock, d.tokenURL, d.algorithms); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.bench.close()) }()
	for _, look := range []func(context.Context) error{d.lookAtKey, d.lookAtKeySet, d.lookAtBoth, d.lookAtAssertion, d.lookAtSigner} {
		if err := look(ctx); err != nil {
			return nil, err
		}
	}
	if discovery != nil {
		d.report.Sections = append(d.report.Sections, discovery)
		if err := d.askServer(ctx); err != nil {
			return nil, err
		}
	}
	if err := d.prescribe(); err != nil {
		return nil, err
	}
	d.report.close()
	return d.report, nil
}

// diagnosis is a case that is being looked at.
type diagnosis struct {
	Case
	report *Report
	bench  *bench

	client     string   // whose assertions are judged
	tokenURL   string   // that aud is compared with
	algorithms []string // that the server takes; nil where no server said
	sandboxURL string   // where a Sandfhir has its controls; "" is no Sandfhir

	key     *jose.Key     // nil where there is none that can sign
	keyForm jose.Form     // how its file writes it
	keySet  *authz.KeySet // nil where there is none that can be read
}

// place settles whose assertion it is and for which token endpoint. What nobody said is taken from
// the assertion, so that the rest of it can be judged.
func (d *diagnosis) place() {
	claimed := d.Assertion.claims()
	if d.client = d.Client; d.client == "" {
		if d.client = claimed.iss; d.client == "" {
			d.client = "your client_id"
		}
	}
	if d.TokenURL != "" {
		d.tokenURL = d.TokenURL
	}
	if d.tokenURL == "" {
		if d.tokenURL = claimed.aud; d.tokenURL == "" {
			d.tokenURL = "https://server.example/token"
		}
	}
}

// audienceKnown reports whether somebody said which token endpoint the assertion is for.
func (d *diagnosis) audienceKnown() bool {
	return d.TokenURL != "" || d.Server != nil && d.Server.tokenURL != ""
}

// takes returns the algorithms that assertions are judged by. Keys are judged by SMART's own.
func (d *diagnosis) takes() []string {
	if len(d.algorithms) > 0 {
		return d.algorithms
	}
	return authz.Strict().Algorithms
}

// kid is the name under which a server will look for the key: as told, as the key itself says, as
// the key set has it, or the thumbprint.
func (d *diagnosis) kid() string {
	if d.KeyID != "" || d.key == nil {
		return d.KeyID
	}
	if d.key.ID != "" {
		return d.key.ID
	}
	print, err := d.key.Thumbprint()
	if err != nil {
		return ""
	}
	if d.keySet != nil {
		keys := d.keySet.Keys()
		if i := slices.IndexFunc(keys, func(k authz.PublicKey) bool { return k.Thumbprint() == print && k.KeyID != "" }); i >= 0 {
			return keys[i].KeyID
		}
	}
	return print
}
