// Package exchange keeps what was asked and what was answered: one record for
// each HTTP request that a workspace met, with the checks that were made on it,
// and one for each fetch of a client's key set.
//
// Records hold neither secrets nor signatures nor whole access tokens nor
// private keys: they are cut out when the record is made. The package imports
// authz for the checks and internal/snippet for the code that puts a refusal
// right.
package exchange

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/snippet"
)

// MaxBody is how much of a body a record keeps, in bytes.
const MaxBody = 16 << 10

// Kind says who asked.
type Kind string

// The kinds.
const (
	Request Kind = "request" // somebody asked the server
	Entry   Kind = "entry"   // an entry of a batch, which somebody asked the server
	Fetch   Kind = "fetch"   // the server asked for a client's key set
)

// An Exchange is one HTTP request and its answer, or an entry of a batch and
// its. The request that it belongs to fills it; after Log.Add it does not
// change.
type Exchange struct {
	ID   string `json:"id"`
	Kind Kind   `json:"kind"`
	// Parent is the exchange that caused a fetch, or whose batch holds an
	// entry. Fetches are the fetches that an exchange caused or waited for,
	// or whose copies it used.
	Parent  string   `json:"parent,omitempty"`
	Fetches []string `json:"fetches,omitempty"`

	Environment string    `json:"environment,omitempty"`
	At          time.Time `json:"at"` // workspace time
	Seconds     float64   `json:"seconds"`

	Method        string   `json:"method"`
	URL           string   `json:"url"`
	RequestHeader []Header `json:"requestHeader,omitempty"`
	RequestBody   string   `json:"requestBody,omitempty"`

	Status         int      `json:"status"`
	ResponseHeader []Header `json:"responseHeader,omitempty"`
	ResponseBody   string   `json:"responseBody,omitempty"`
	ResponseBytes  int64    `json:"responseBytes"`
	// Aborted is set if the client went away before the answer was sent.
	Aborted bool `json:"aborted,omitempty"`
	// Broken is set if the server failed before the answer was sent whole;
	// its log has the reason.
	Broken bool `json:"broken,omitempty"`

	// Client is the client that the request claims to come from.
	Client string `json:"client,omitempty"`
	// Registration is what was registered about the client when a request was
	// refused; nil if there is no such client.
	Registration *Registration `json:"registration,omitempty"`
	// Assertion is what the client's assertion says, if there was one.
	Assertion *authz.Assertion `json:"assertion,omitempty"`
	// Access is what the request's access token reached; nil where it had none
	// that is valid.
	Access *Access `json:"access,omitempty"`
	// Checks are the rules applied, in order.
	Checks []authz.Check `json:"checks,omitempty"`
	// Fault is the name of the fault that the request met, if any.
	Fault string `json:"fault,omitempty"`
	// Refusal tells why the request was refused; empty where it was not.
	Refusal string `json:"refusal,omitempty"`
	// Source is what is known of a fetch besides its request and answer.
	Source *Source `json:"source,omitempty"`
	// Remedy is the code that puts a refusal right; nil where there is none.
	Remedy *Remedy `json:"-"`
	// Page is the URL of the page that explains the exchange.
	Page string `json:"page,omitempty"`

	sequence int64
}

// Access is what decided what a request reached: the token's scopes, the
// organization that the client is bound to or the URL names, and the access
// policy that allowed it, where it was not the one that is derived from scopes.
type Access struct {
	Scopes       string `json:"scopes"`
	Organization string `json:"organization,omitempty"`
	Policy       string `json:"policy,omitempty"`
}

// Remedy names the code that puts a refusal right: see snippet.For.
type Remedy struct {
	Kind  snippet.Kind
	Facts snippet.Facts
}

// A Header is a header field.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Failed returns the check that failed, or nil.
func (e *Exchange) Failed() *authz.Check {
	for i := range e.Checks {
		if e.Checks[i].Result == authz.Fail {
			return &e.Checks[i]
		}
	}
	return nil
}

// Refused reports whether a request was refused: it has a reason, or a failed
// check. A fetch is not: it can fail.
func (e *Exchange) Refused() bool {
	return e.Kind != Fetch && (e.Refusal != "" || e.Failed() != nil)
}

// Path is the path and query. The host is left out because the page may be
// asked for under another one: localhost is 127.0.0.1 too.
func (e *Exchange) Path() string {
	_, rest, _ := strings.Cut(e.URL, "://")
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		return rest[i:]
	}
	return e.URL
}

// String describes the exchange in a line, a refused one in a few.
func (e *Exchange) String() string {
	line := fmt.Sprintf("%s %s -> %d", e.Method, e.URL, e.Status)
	if e.Status == 0 && e.Kind == Fetch {
		line = fmt.Sprintf("%s %s -> no answer", e.Method, e.URL)
	}
	if c := e.Failed(); c != nil {
		return line + "\n  " + c.ID() + ": " + c.Explanation()
	}
	if e.Refusal != "" {
		return line + "\n  " + e.Refusal
	}
	return line
}

// A Log is a workspace's exchanges: the latest ones, refused ones kept longer
// than others. It is safe for concurrent use.
type Log struct {
	rand io.Reader

	mu        sync.Mutex // guards what follows
	watch     func(*Exchange)
	followers map[chan *Exchange]bool
	ended     bool
	next      int64
	refused   ring
	others    ring
	byID      map[string]*Exchange
}

// capacity is how many of each a Log keeps.
const capacity = 1000

// NewLog returns an empty log that takes the ids of exchanges from random, which
// is safe for concurrent use; nil is crypto/rand.
func NewLog(random io.Reader) *Log {
	if random == nil {
		random = rand.Reader
	}
	return &Log{rand: random, byID: map[string]*Exchange{}, followers: map[chan *Exchange]bool{}}
}

// NewID returns the id for an exchange: 128 random bits in hexadecimal, because
// whoever knows it can read the exchange's page.
func (l *Log) NewID() (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(l.rand, b[:]); err != nil {
		return "", fmt.Errorf("make the id of an exchange: %w", err)
	}
	return hex.EncodeToString(b[:]), nil
}

type ring struct {
	list []*Exchange
	at   int // where the oldest is once the ring is full
}

// add puts e in and returns what fell out, or nil.
func (r *ring) add(e *Exchange) *Exchange {
	if len(r.list) < capacity {
		r.list = append(r.list, e)
		return nil
	}
	old := r.list[r.at]
	r.list[r.at] = e
	r.at = (r.at + 1) % capacity
	return old
}

// latest calls f from the newest to the oldest until it returns false.
func (r *ring) latest(f func(*Exchange) bool) {
	for i := range r.list {
		if !f(r.list[(r.at+len(r.list)-1-i+len(r.list))%len(r.list)]) {
			return
		}
	}
}

// Watch has f called for every exchange from now on, by the goroutine that
// adds it.
func (l *Log) Watch(f func(*Exchange)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.watch = f
}

// Add records an exchange.
func (l *Log) Add(e *Exchange) {
	if watch := l.add(e); watch != nil {
		watch(e)
	}
}

func (l *Log) add(e *Exchange) (watch func(*Exchange)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next++
	e.sequence = l.next
	r := &l.others
	if e.Refused() || e.Failed() != nil {
		r = &l.refused
	}
	if old := r.add(e); old != nil {
		delete(l.byID, old.ID)
	}
	l.byID[e.ID] = e
	l.tell(e)
	return l.watch
}

// Get returns the exchange with this id, or nil.
func (l *Log) Get(id string) *Exchange {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.byID[id]
}

// List returns at most n exchanges for which keep is true, newest first. A
// nil keep means all, n = 0 no limit.
func (l *Log) List(n int, keep func(*Exchange) bool) []*Exchange {
	l.mu.Lock()
	defer l.mu.Unlock()
	var refused, others []*Exchange
	collect := func(to *[]*Exchange) func(*Exchange) bool {
		return func(e *Exchange) bool {
			if keep == nil || keep(e) {
				*to = append(*to, e)
			}
			return n == 0 || len(*to) < n
		}
	}
	l.refused.latest(collect(&refused))
	l.others.latest(collect(&others))
	merged := make([]*Exchange, 0, len(refused)+len(others))
	for len(refused)+len(others) > 0 && (n == 0 || len(merged) < n) {
		from := &others
		if len(others) == 0 || len(refused) > 0 && refused[0].sequence > others[0].sequence {
			from = &refused
		}
		merged = append(merged, (*from)[0])
		*from = (*from)[1:]
	}
	return merged
}

// Text returns a body as a record keeps it: at most MaxBody bytes and, if it
// may hold credentials, without them.
func Text(body []byte, credentials bool) string {
	text := string(body[:min(len(body), MaxBody)])
	if credentials {
		text = mask(text)
	}
	text = maskSignatures(text)
	if len(body) > MaxBody {
		text += "…"
	}
	return text
}
