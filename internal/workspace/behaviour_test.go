package workspace_test

import (
	"errors"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/behaviour"
	"github.com/sandfhir/sandfhir/internal/workspace"
)

func open(t *testing.T, cfg workspace.Config) *workspace.Workspace {
	t.Helper()
	cfg.Populations = workspace.NewPopulations("")
	w, err := workspace.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

// Of changes at the same time none is lost.
func TestChangesFollowEachOther(t *testing.T) {
	t.Parallel()
	w := open(t, workspace.Config{})
	before := w.Behaviour().Authz().MaxJTI
	const writers, changes = 8, 50
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for range changes {
				err := w.ChangeBehaviour(func(b behaviour.Behaviour) (behaviour.Behaviour, error) {
					n := b.Authz().MaxJTI
					runtime.Gosched()
					return b.With("jti.max_len", strconv.Itoa(n+1), "a test")
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got, want := w.Behaviour().Authz().MaxJTI, before+writers*changes; got != want {
		t.Errorf("after %d changes it is %d, want %d", writers*changes, got, want)
	}
}

// An environment that was asked for stays as it is; both change at once, and
// not at all where the change fails.
func TestEnvironmentsChangeAtOnce(t *testing.T) {
	t.Parallel()
	aidbox, err := behaviour.Load("aidbox")
	if err != nil {
		t.Fatal(err)
	}
	w := open(t, workspace.Config{})
	held := w.Environment(authz.Sandbox)
	failed := errors.New("no")
	if err := w.ChangeBehaviour(func(behaviour.Behaviour) (behaviour.Behaviour, error) { return aidbox, failed }); !errors.Is(err, failed) || w.Behaviour().Name != "strict" {
		t.Errorf("got %v under %s", err, w.Behaviour().Name)
	}
	if err := w.ChangeBehaviour(func(behaviour.Behaviour) (behaviour.Behaviour, error) { return aidbox, nil }); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{authz.Sandbox, authz.Production} {
		if got := w.Environment(name).Auth.Behaviour(); got.TokenType != "Bearer" {
			t.Errorf("%s: got token_type %s", name, got.TokenType)
		}
	}
	if got := held.Auth.Behaviour(); got.TokenType != "bearer" {
		t.Errorf("a request under way changed: token_type %s", got.TokenType)
	}
	now := w.Environment(authz.Sandbox)
	a, err := held.Data(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if b, err := now.Data(t.Context()); err != nil || a != b {
		t.Errorf("the data are others after the change: %v", err)
	}
}

// A workspace can go back to what it began under.
func TestBehavioursOfAWorkspace(t *testing.T) {
	t.Parallel()
	payer, err := behaviour.Read("payer.json", []byte(`{"name":"payer"}`))
	if err != nil {
		t.Fatal(err)
	}
	names := func(w *workspace.Workspace) (list []string) {
		for _, b := range w.Behaviours() {
			list = append(list, b.Name)
		}
		return list
	}
	if got := names(open(t, workspace.Config{})); len(got) != 2 || got[0] != "strict" {
		t.Errorf("got %v", got)
	}
	if got := names(open(t, workspace.Config{Behaviour: payer})); len(got) != 3 || got[2] != "payer" {
		t.Errorf("got %v", got)
	}
}
