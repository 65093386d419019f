package authz

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Fetch is one fetch of a key set, for the record.
type Fetch struct {
	URI    string
	Reason FetchReason
	// Exchange, Environment and ClientID are those of the request that caused
	// it; "" where it was not traced.
	Exchange, Environment, ClientID string
	At                              time.Time // by FetchConfig.Clock
	Duration                        time.Duration

	// Resolved are the addresses that names stood for, Address is the one that
	// answered, with its port.
	Resolved []string
	Address  string
	// Redirects are the URLs that the answers led on to, in order.
	Redirects     []string
	RequestHeader http.Header

	Status         int // 0 if there was no answer
	ResponseHeader http.Header
	// Body is what was read of the answer, private members of JWKs included.
	// It is nil if the body holds a private key in another form.
	Body  []byte
	Bytes int

	KeyIDs   []string
	Problems []KeyProblem // of the keys that were read
	// KeepUntil is until when the copy may be used, and KeptBy the header that
	// says so.
	KeepUntil time.Time
	KeptBy    string
	Err       *FetchError // nil if a key set was read
}

// FetchReason says why a fetch was made.
type FetchReason string

// The reasons.
const (
	FetchFirst   FetchReason = "there was no copy"
	FetchExpired FetchReason = "the copy's cache headers had run out"
	FetchForced  FetchReason = "the copy lacked the key, or its key did not verify"
)

// Checks returns the fetch as two checks: that there is a key set, and that
// its keys are fit.
func (f *Fetch) Checks() []Check {
	l := new(checklist)
	if f.Err != nil {
		return []Check{l.fail(ruleKeySet, f.Err.outcome())}
	}
	l.pass(ruleKeySet, plural(len(f.KeyIDs), "key")+": "+list(quoted(f.KeyIDs)))
	checks := []Check{l.check(ruleKeySet)}
	if len(f.Problems) == 0 {
		l.pass(ruleRegisterKeySet, list(quoted(f.KeyIDs)))
	} else {
		l.warn(ruleRegisterKeySet, problemsOutcome(f.Problems))
	}
	return append(checks, l.check(ruleRegisterKeySet))
}

// problemsOutcome tells of the defects of a key set's keys.
func problemsOutcome(problems []KeyProblem) outcome {
	o := outcome{finding: problems[0].Finding, got: "a key set with " + plural(len(problems), "problem"),
		want:   "public RSA or EC P-384 signature keys",
		remedy: Remedy{Kind: problems[0].remedy}}
	var texts, fixes []string
	for _, p := range problems {
		texts = append(texts, p.Text)
		if !slices.Contains(fixes, p.Fix) {
			fixes = append(fixes, p.Fix)
		}
	}
	o.text, o.fix = sentences(texts...), sentences(fixes...)
	return o
}

// FetchError says why a key set could not be had.
type FetchError struct {
	URI     string
	Finding FindingID // J01 to J04, J08, J09, A19, A23
	Short   string    // what was got, in a few words
	// Text, Counterfactual and Fix are full sentences: see Check.
	Text, Counterfactual, Fix string
	Err                       error // the fault of the network, or nil
}

// Error returns the diagnosis.
func (e *FetchError) Error() string { return sentences(e.Text, e.Counterfactual, e.Fix) }

// Unwrap returns the fault of the network, or nil.
func (e *FetchError) Unwrap() error { return e.Err }

func (e *FetchError) outcome() outcome {
	return outcome{finding: e.Finding, got: e.Short, want: "a JWK Set",
		text:           e.Text,
		counterfactual: e.Counterfactual,
		fix:            e.Fix}
}

// A FetchTrace notes which fetches a request caused or waited for, and whose
// copies it used.
type FetchTrace struct {
	exchange string

	mu          sync.Mutex
	env, client string // whose keys were wanted last
	records     []string
}

type fetchTraceKey struct{}

// TraceFetches returns a context in which the fetches for the request with
// this id are traced.
func TraceFetches(ctx context.Context, exchange string) (context.Context, *FetchTrace) {
	t := &FetchTrace{exchange: exchange}
	return context.WithValue(ctx, fetchTraceKey{}, t), t
}

// Records returns the ids that FetchConfig.OnFetch gave to the fetches, in
// order. A fetch that ends after the request gave up is not among them.
func (t *FetchTrace) Records() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.records)
}

// traceOf returns the trace of a context, or nil.
func traceOf(ctx context.Context) *FetchTrace {
	t, _ := ctx.Value(fetchTraceKey{}).(*FetchTrace)
	return t
}

func (t *FetchTrace) add(record string) {
	if t == nil || record == "" {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !slices.Contains(t.records, record) {
		t.records = append(t.records, record)
	}
}

func (t *FetchTrace) forClient(env, id string) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.env, t.client = env, id
}

// origin puts the request that caused a fetch into its record.
func (t *FetchTrace) origin(record *Fetch) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	record.Exchange, record.Environment, record.ClientID = t.exchange, t.env, t.client
}
