package portal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sandfhir/sandfhir/authz"
)

// Action is a step of the review.
type Action string

// The steps. The first is the developer's, the others are the
// administrator's.
const (
	Submit     Action = "submit"     // a draft is handed in for review
	Approve    Action = "approve"    // what is under review goes to production
	Reject     Action = "reject"     // what is under review is declined
	Deactivate Action = "deactivate" // what is in production is taken out of it
)

// Actions are all steps.
func Actions() []Action { return []Action{Submit, Approve, Reject, Deactivate} }

// NeedsReason reports whether the step has to be explained to the developer.
func (a Action) NeedsReason() bool { return a == Reject || a == Deactivate }

// The two who change a status. There are no accounts.
const (
	Developer     = "the developer"
	Administrator = "an administrator"
)

// By is who takes the step.
func (a Action) By() string {
	if a == Submit {
		return Developer
	}
	return Administrator
}

// target is the status that the step leads to.
func (a Action) target() authz.Status {
	switch a {
	case Submit:
		return authz.StatusUnderReview
	case Approve:
		return authz.StatusActive
	}
	return authz.StatusRejected
}

// Allowed returns the steps that can be taken now: a draft is submitted, what
// is under review is approved or rejected, and what is active, or has an
// approved copy that goes on in production while it is edited, is deactivated.
func (s *Service) Allowed() []Action {
	var list []Action
	switch s.Status {
	case authz.StatusDraft:
		list = []Action{Submit}
	case authz.StatusUnderReview:
		list = []Action{Approve, Reject}
	case authz.StatusActive:
		return []Action{Deactivate}
	}
	if s.Live != nil {
		list = append(list, Deactivate)
	}
	return list
}

// A StaleError says that a service is not what it was when a step was decided on.
type StaleError struct{ Action Action }

// Error says what can be done instead.
func (e *StaleError) Error() string {
	return "The service has changed since it was looked at, and was not " + e.Action.participle() + ". Look at what it asks for now."
}

// A ConflictError says that a step cannot be taken in the status that a service
// has.
type ConflictError struct {
	Action  Action
	Status  authz.Status
	Allowed []Action
}

// Error says what can be done instead.
func (e *ConflictError) Error() string {
	text := fmt.Sprintf("A service that is %s cannot be %s.", inWords(e.Status), e.Action.participle())
	if len(e.Allowed) == 0 {
		return text + " Edit it: that makes it a draft again, which can be submitted."
	}
	var words []string
	for _, a := range e.Allowed {
		words = append(words, a.participle())
	}
	return text + " It can be " + strings.Join(words, " or ") + "."
}

func inWords(s authz.Status) string {
	switch s {
	case authz.StatusDraft:
		return "a draft"
	case authz.StatusUnderReview:
		return "under review"
	}
	return string(s)
}

func (a Action) participle() string {
	switch a {
	case Submit:
		return "submitted for review"
	case Approve:
		return "approved"
	case Reject:
		return "rejected"
	}
	return "deactivated"
}

// ErrNoReason says that a step needs a reason, because the developer has
// nothing else to go by.
var ErrNoReason = errors.New("rejecting and deactivating need a reason: it is all that the developer gets to read")

// MaxReason is the greatest length of a reason in bytes.
const MaxReason = 2000

// Take takes a step of the review. The error is ErrNoService, ErrNoReason, or a
// *ConflictError where the service's status does not allow it.
//
// Where seen is not "" it is the Revision that the step is about: another one is a
// *StaleError.
func (p *Portal) Take(ctx context.Context, id string, action Action, reason, seen string) (*Service, error) {
	reason = strings.TrimSpace(reason)
	if action.NeedsReason() && reason == "" {
		return nil, ErrNoReason
	}
	if len(reason) > MaxReason {
		reason = strings.ToValidUTF8(reason[:MaxReason], "") + "…"
	}
	_, err := p.Sandbox.Change(ctx, id, func(c *authz.Client) error {
		s, err := p.service(ctx, c)
		switch {
		case err != nil:
			return err
		case c.Source == authz.SourceAdmin:
			return ErrNoService
		case seen != "" && seen != s.Revision():
			return &StaleError{Action: action}
		case !slices.Contains(s.Allowed(), action):
			return &ConflictError{Action: action, Status: c.Status, Allowed: s.Allowed()}
		}
		p.turn(c, action.target(), action.By(), reason)
		return p.inProduction(ctx, s, action)
	})
	if errors.Is(err, authz.ErrNoClient) {
		err = ErrNoService
	}
	if err != nil {
		return nil, err
	}
	return p.Service(ctx, id)
}

// turn gives the client another status.
func (p *Portal) turn(c *authz.Client, to authz.Status, by, reason string) {
	c.Status, c.StatusBy, c.StatusReason, c.StatusAt = to, by, reason, p.Now()
}

// inProduction does what the step means there: approval brings a copy of the
// client, under the same client_id, and deactivation ends the copy that is
// there. Rejecting a revision leaves the one that was approved.
func (p *Portal) inProduction(ctx context.Context, s *Service, action Action) error {
	var copied authz.Client
	switch {
	case action == Approve:
		copied = *s.Client
		copied.CreatedAt, copied.RegistrationToken = p.Now(), nil
		if s.Live != nil {
			copied.CreatedAt = s.Live.CreatedAt
		}
	case action == Deactivate && s.Live != nil:
		_, err := p.Production.Change(ctx, s.ID, func(c *authz.Client) error {
			p.turn(c, s.Status, s.StatusBy, s.StatusReason)
			return nil
		})
		return err
	default:
		return nil
	}
	if _, err := p.Store.PutClient(ctx, authz.Production, &copied); err != nil {
		return fmt.Errorf("change the service in production: %w", err)
	}
	return p.Store.ResetPolicy(ctx, authz.Production, copied.ID) // it is derived from the scopes that were approved
}
