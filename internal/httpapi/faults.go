package httpapi

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/fault"
	"github.com/sandfhir/sandfhir/internal/portal"
	"github.com/sandfhir/sandfhir/internal/r4"
)

// faultHeader asks for a fault for one request, by whoever may use the controls.
const faultHeader = "X-Sandfhir-Fault"

// faults is the seam where faults act: in front of every handler and behind it,
// within the recorder, so that an exchange shows which fault it met. Those of
// file bodies act where the body is sent. The controls and pages meet none.
func (s *Server) faults(c *fiber.Ctx) error {
	l := callOf(c)
	if err := l.readFaultHeader(); err != nil {
		return err
	}
	if err := l.goBy(l.meetRules()); err != nil {
		return err
	}
	if rule := l.meet(fault.Before); rule != nil {
		if done, err := l.instead(rule); done {
			return err
		}
	}
	if err := c.Next(); err != nil {
		return l.changeRefusal(err)
	}
	if l.exchange.later {
		return nil
	}
	if rule := l.meet(fault.After); rule != nil {
		return l.changeAnswer(rule)
	}
	return nil
}

// readFaultHeader reads the fault that the request itself asks for.
func (l *call) readFaultHeader() error {
	values := l.Request().Header.PeekAll(faultHeader)
	if len(values) == 0 {
		return nil
	}
	text := string(values[0])
	if err := l.mayControl(); err != nil {
		return err
	}
	rule, err := fault.Parse(text)
	if err != nil {
		return badRequest("value", faultHeader+": "+err.Error())
	}
	if rule.Counted() {
		return badRequest("value", faultHeader+" is for this one request: # and what follows means nothing here")
	}
	switch {
	case len(values) > 1:
		return badRequest("value", faultHeader+" is there twice; a request takes one")
	case rule.Fault.Plain || rule.Fault.ID == "token.die_after_requests":
		return badRequest("value", faultHeader+": "+rule.Fault.ID+" is about more than one request")
	case !slices.ContainsFunc(rule.Fault.On, func(k fault.Kind) bool { return slices.Contains(l.possibleKinds(), k) }):
		return badRequest("value", faultHeader+": the fault "+rule.Fault.ID+" does not meet this request")
	}
	l.ownFault = rule
	return nil
}

// possibleKinds are the kinds of request that this one may turn out to be of.
func (l *call) possibleKinds() (kinds []fault.Kind) {
	for _, at := range []fault.Stage{fault.Rules, fault.Before, fault.After, fault.Body, fault.Refusal} {
		kinds = append(kinds, l.faultKinds(at)...)
	}
	if slices.Contains(kinds, fault.Status) {
		kinds = append(kinds, fault.Manifest)
	}
	if slices.Contains(kinds, fault.FHIR) {
		kinds = append(kinds, fault.Bearer)
	}
	return kinds
}

// meet returns the fault that the request meets at a stage, or nil.
func (l *call) meet(at fault.Stage) *fault.Rule {
	set := l.workspace.Faults
	if l.ownFault == nil && set.Empty() {
		return nil
	}
	q := l.faultRequest(at)
	if len(q.Kinds) == 0 {
		return nil
	}
	rule := l.ownFault
	if rule == nil || !rule.Matches(at, q) {
		rule = set.Meet(at, q)
	}
	if rule != nil {
		l.noteFault(rule)
	}
	return rule
}

// meetRules returns the faults of the behaviour that the request meets.
func (l *call) meetRules() []*fault.Rule {
	set := l.workspace.Faults
	if l.ownFault == nil && set.Empty() {
		return nil
	}
	q := l.faultRequest(fault.Rules)
	if len(q.Kinds) == 0 {
		return nil
	}
	rules := set.MeetRules(q)
	if own := l.ownFault; own != nil && own.Matches(fault.Rules, q) {
		rules = append(rules, own) // the last one prevails
	}
	for _, r := range rules {
		l.noteFault(r)
	}
	return rules
}

// noteFault has the exchange tell of a fault.
func (l *call) noteFault(r *fault.Rule) {
	l.exchange.Fault = strings.TrimPrefix(l.exchange.Fault+", "+r.Text, ", ")
}

// goBy has the request be answered under the behaviour in force as rules change it.
func (l *call) goBy(rules []*fault.Rule) (err error) {
	if len(rules) == 0 {
		return nil
	}
	b := l.workspace.Behaviour()
	for _, r := range rules {
		if b, err = r.Change(b); err != nil {
			return err
		}
	}
	if l.ruled, err = l.workspace.PortalUnder(b); err != nil {
		return err
	}
	l.env, err = l.env.Under(b)
	return err
}

// portal is the developer portal, under the behaviour that the request is answered
// by.
func (l *call) portal() *portal.Portal {
	if l.ruled != nil {
		return l.ruled
	}
	return l.workspace.Portal()
}

// faultRequest is the request as faults see it.
func (l *call) faultRequest(at fault.Stage) fault.Request {
	q := fault.Request{Path: l.routed, Kinds: l.faultKinds(at), Client: l.exchange.Client, At: l.workspace.Wall.Now()}
	if len(q.Kinds) == 0 {
		return q
	}
	if at == fault.Before && slices.Contains(q.Kinds, fault.FHIR) && l.tokensDie() {
		bearer := authz.BearerRequest{Authorization: l.authorizations(), Query: l.query(), Addresses: l.addresses}
		if d := l.env.Auth.Authenticate(l.UserContext(), bearer); d.Err == nil {
			q.Kinds, q.Token = append(q.Kinds, fault.Bearer), d.Access.TokenID
		}
	}
	if q.Client == "" && (at == fault.Before || at == fault.Rules) {
		q.Client = l.claimedClient()
	}
	if at == fault.Before {
		q.From, _ = netip.ParseAddr(l.IP())
		if slices.Contains(q.Kinds, fault.KickOff) {
			q.Repeats = func() bool { return l.repeatsExport(q.Client) }
		}
	}
	segments := strings.Split(strings.TrimPrefix(l.routed, fhir+"/"), "/")
	for i, s := range segments[1:] {
		if before := segments[i]; q.Client == "" && at == fault.Rules && slices.Contains([]string{"services", "clients", "register"}, before) {
			q.Client = s
		}
	}
	q.Type = segments[0]
	if last := segments[len(segments)-1]; segments[0] == "_export" {
		q.Type, _, _ = strings.Cut(last, ".")
	}
	if !r4.Definitions().IsType(q.Type) {
		q.Type = ""
	}
	return q
}

// tokensDie reports whether a fault is about tokens that are good.
func (l *call) tokensDie() bool {
	isAbout := func(f fault.Fault) bool { return slices.Contains(f.On, fault.Bearer) }
	return l.ownFault != nil && isAbout(l.ownFault.Fault) || slices.ContainsFunc(l.workspace.Faults.List(), func(s fault.State) bool { return isAbout(s.Rule.Fault) })
}

// faultKinds are the kinds of request that this one is of.
func (l *call) faultKinds(at fault.Stage) []fault.Kind {
	switch {
	case isHostedKeySet(l.routed):
		return []fault.Kind{fault.Any, fault.Keys}
	case at == fault.Rules && l.registers():
		return []fault.Kind{fault.Registration}
	case at == fault.Rules && (l.routed == fhir+metadata || strings.HasSuffix(l.routed, issuerDocument+"/auth")):
		return []fault.Kind{fault.Discovery}
	case l.surface == plainSurface:
		return nil // pages, controls, and those who watch over the process
	case strings.HasSuffix(l.routed, smartDocument):
		return []fault.Kind{fault.Any, fault.Discovery}
	case l.routed == "/auth/token" || l.routed == movedToken:
		if at == fault.After && l.Response().StatusCode() != fiber.StatusOK {
			return nil
		}
		return []fault.Kind{fault.Any, fault.Token}
	case l.routed == keysDocument || l.routed == "/auth/jwks":
		return []fault.Kind{fault.Any, fault.ServerKeys}
	case l.surface != fhirSurface || isOpen(l.routed):
		return []fault.Kind{fault.Any}
	}
	kinds := []fault.Kind{fault.Any, fault.FHIR}
	if isDump(l.routed) {
		return append(kinds, fault.Dump)
	}
	rest, isJob := strings.CutPrefix(l.routed, fhir+"/_export/")
	switch parts := strings.Split(rest, "/"); {
	case strings.Contains(l.routed, "/$export"):
		if strings.HasPrefix(l.routed, fhir+"/Group/") {
			kinds = append(kinds, fault.Group)
		}
		return append(kinds, fault.KickOff)
	case !isJob:
		return kinds
	case at == fault.Refusal:
		return append(kinds, fault.Job)
	case l.Method() == fiber.MethodDelete:
		return kinds
	case len(parts) == 3 && parts[1] != "manifest":
		if l.Query("signature") != "" && len(l.authorizations()) > 0 {
			kinds = append(kinds, fault.Signed)
		}
		return append(kinds, fault.File)
	case at == fault.After && l.Response().StatusCode() == fiber.StatusOK && len(l.Response().Body()) > 0:
		return append(kinds, fault.Manifest)
	}
	return append(kinds, fault.Status)
}

// registers reports whether the request is about a client's registration, or its
// secret.
func (l *call) registers() bool {
	return l.Method() != fiber.MethodGet && l.Method() != fiber.MethodHead && (isBelow(l.routed, "/auth/register") || isBelow(l.routed, "/portal") ||
		strings.HasSuffix(l.routed, "/rotate-secret"))
}

// repeatsExport reports whether an export of a client that is running was asked for
// by the same URL.
func (l *call) repeatsExport(client string) bool {
	exports, err := l.env.Exports(l.UserContext())
	return err == nil && exports.IsRunning(l.UserContext(), client, l.requestURL())
}

// claimedClient is the client that a request claims to come from, by its access
// token, its assertion or its secret; nothing is verified.
func (l *call) claimedClient() string {
	scheme, credentials, _ := strings.Cut(l.Get(fiber.HeaderAuthorization), " ")
	switch {
	case strings.EqualFold(scheme, "Bearer"):
		return claimOf(credentials, "client_id")
	case strings.EqualFold(scheme, "Basic"):
		pair, _ := base64.StdEncoding.DecodeString(credentials)
		id, _, _ := strings.Cut(string(pair), ":")
		if decoded, err := url.QueryUnescape(id); err == nil {
			return decoded
		}
		return id
	case l.surface == oauthSurface && l.Method() == fiber.MethodPost:
		form, _ := url.ParseQuery(string(l.peekBody()))
		if assertion := form.Get("client_assertion"); assertion != "" {
			return claimOf(assertion, "iss")
		}
		return form.Get("client_id")
	}
	return ""
}

// peekBody returns the beginning of the body, which is there to be read as
// before.
func (l *call) peekBody() []byte {
	stream := l.bodyStream()
	if stream == nil {
		return nil
	}
	read, _ := io.ReadAll(io.LimitReader(stream, maxOAuthBody+1)) // what fails fails again for whoever reads on
	l.body = &onceReader{r: io.MultiReader(bytes.NewReader(read), stream)}
	return read
}

// claimOf is a claim of a JWT, or "".
func claimOf(jwt, name string) string {
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		return ""
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return ""
	}
	claims := map[string]any{}
	if json.Unmarshal(text, &claims) != nil {
		return ""
	}
	value, _ := claims[name].(string)
	return value
}

// A faultState is a fault as the control surface shows it.
type faultState struct {
	ID    string `json:"id"`
	Fault string `json:"fault" jsonschema:"as it was written"`
	Does  string `json:"does"`
	Rows  string `json:"rows,omitempty" jsonschema:"of the table of mistakes and mishaps"`
	Hits  int    `json:"hits" jsonschema:"how many requests have met it"`
	Spent bool   `json:"spent" jsonschema:"whether it meets no more"`
}

type faultList struct {
	Faults []faultState `json:"faults"`
}

// A faultAsked is a fault that is to be added.
type faultAsked struct {
	Fault string `json:"fault"`
}

func faultStateOf(s fault.State) faultState {
	return faultState{s.ID, s.Rule.Text, s.Rule.Fault.Does, s.Rule.Fault.Rows, s.Hits, s.Spent}
}

// listFaults lists the faults with how often they were met; to a browser as a
// page.
func (l *call) listFaults() error {
	if l.wantsPage() {
		return l.faultsPage("", "")
	}
	list := faultList{Faults: []faultState{}}
	for _, s := range l.workspace.Faults.List() {
		list.Faults = append(list.Faults, faultStateOf(s))
	}
	return l.json(fiber.StatusOK, list)
}

// addFault adds a fault: {"fault":"poll.5xx#times=2"}.
func (l *call) addFault() error {
	if l.hasForm() {
		return l.addFaultByForm()
	}
	var asked faultAsked
	if err := l.readControl(`a fault is {"fault":"poll.5xx#times=2"}`, &asked); err != nil {
		return err
	}
	rule, err := fault.Parse(asked.Fault)
	if err != nil {
		return badRequest("value", err.Error())
	}
	id := l.workspace.Faults.Add(rule)
	return l.json(fiber.StatusCreated, l.faultByID(id))
}

func (l *call) faultByID(id string) *faultState {
	list := l.workspace.Faults.List()
	i := slices.IndexFunc(list, func(s fault.State) bool { return s.ID == id })
	if i < 0 {
		return nil
	}
	state := faultStateOf(list[i])
	return &state
}

func (l *call) readFault() error {
	if state := l.faultByID(l.Params("fault")); state != nil {
		return l.json(fiber.StatusOK, state)
	}
	return notFound("%v", fault.ErrNoRule)
}

func (l *call) removeFault() error {
	if err := l.workspace.Faults.Remove(l.Params("fault")); err != nil {
		return notFound("%v", err)
	}
	return l.SendStatus(fiber.StatusNoContent)
}

func (l *call) clearFaults() error {
	if strings.HasSuffix(l.path, "/") { // a script whose id is empty means one fault, and not all
		return notFound("%v", fault.ErrNoRule)
	}
	l.workspace.Faults.Clear()
	return l.SendStatus(fiber.StatusNoContent)
}

// tokenElsewhere is the token endpoint while a fault moves it there.
func (l *call) tokenElsewhere() error {
	if !l.workspace.Faults.Stands(moveTokenEndpoint) {
		return notFound("there is nothing at %s", l.routed)
	}
	return l.token()
}

// hold holds an answer back by a rule, for as long as that stands.
func (l *call) hold(r *fault.Rule) {
	timer := time.NewTimer(r.Duration("by"))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-l.workspace.Faults.Gone(r):
	case <-l.server.stopped: // nobody waits for the rest
	}
}
