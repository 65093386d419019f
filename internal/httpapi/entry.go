package httpapi

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/exchange"
	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/r4"
)

// An entry is one of a batch or transaction: a request of its own, which takes
// the way of all others through the route that serves it (FHIR R4, http,
// batch/transaction).
type entry struct {
	*call
	route   route
	index   int    // in the Bundle
	fullURL string // or ""
	node    *fhirjson.Node
	bundle  []byte // that node is of
	batch   *answers
	answer  []byte // once taken
	refused error  // what is wrong with it before anything is tried; nil for nothing

	change fhirstore.Change // of a transaction's write, once read
}

// newContext returns a context for a request that came by no connection. Its
// type belongs to a library below fiber.
func newContext[C any](acquire func(*C) *fiber.Ctx) *fiber.Ctx { return acquire(new(C)) }

// newEntry reads an entry of the Bundle that the parent's request brought in
// body.
func (l *call) newEntry(index int, node *fhirjson.Node, body []byte) *entry {
	e := &entry{index: index, node: node, bundle: body, fullURL: node.Str("fullUrl")}
	request := node.Get("request")
	method, url := request.Str("method"), request.Str("url")
	e.call = l.entryCall(method, url)
	if e.refused = e.formed(node, request); e.refused == nil {
		e.refused = e.call.refused
	}
	if e.refused == nil {
		e.refused = e.find(method, url)
	}
	if e.refused == nil {
		e.refused = e.call.checkPolicies()
	}
	if e.refused == nil {
		e.refused = e.fill(request, body)
	}
	return e
}

// formed refuses an entry that is not what FHIR has it be: what is misspelt or
// of another type would be passed over, conditions among it.
func (e *entry) formed(node, request *fhirjson.Node) error {
	switch {
	case node.Kind != fhirjson.Object:
		return e.wrong("structure", "", "an entry is a JSON object; this is a JSON "+node.Kind.String())
	case request == nil:
		return e.wrong("required", "request", "an entry of a batch or transaction needs a request")
	case request.Kind != fhirjson.Object:
		return e.wrong("structure", "request", "request is a JSON object; this is a JSON "+request.Kind.String())
	}
	if unknown := unknownMember(node, "Bundle.entry"); unknown != "" {
		return e.wrong("structure", unknown, "an entry has no element "+unknown)
	}
	if unknown := unknownMember(request, "Bundle.entry.request"); unknown != "" {
		return e.wrong("structure", "request."+unknown, "the request of an entry has no element "+unknown)
	}
	for i := range request.Members {
		if m := &request.Members[i]; m.Value.Kind != fhirjson.Object && m.Value.Kind != fhirjson.Array && (m.Value.Kind != fhirjson.String || strings.TrimSpace(m.Value.Text) == "") && m.Name != "url" {
			return e.wrong("value", "request."+m.Name, m.Name+" has to be a string that is not empty")
		}
	}
	for _, name := range [...]string{"method", "url"} {
		switch value := request.Get(name); {
		case value == nil:
			return e.wrong("required", "request."+name, "the request has no "+name)
		case value.Kind != fhirjson.String:
			return e.wrong("structure", "request."+name, name+" is a string; this is a JSON "+value.Kind.String())
		}
	}
	if full := node.Get("fullUrl"); full != nil && (full.Kind != fhirjson.String || full.Text == "") {
		return e.wrong("value", "fullUrl", "fullUrl has to be a string that is not empty")
	}
	return nil
}

// unknownMember returns the name of a member that the elements of a type do not
// have, or "".
func unknownMember(n *fhirjson.Node, typ string) string {
	for i := range n.Members {
		name := n.Members[i].Name
		if name == "resourceType" && typ == "Bundle" {
			continue
		}
		if _, known := r4.Definitions().Element(typ, strings.TrimPrefix(name, "_")); !known {
			return name
		}
	}
	return ""
}

// wrong is a refusal of the entry for something in it.
func (e *entry) wrong(code, element, message string) *httpError {
	refused := badRequest(code, message)
	if refused.expression = e.expression(); element != "" {
		refused.expression += "." + element
	}
	return refused
}

// expression is the FHIRPath of the entry.
func (e *entry) expression() string { return "Bundle.entry[" + strconv.Itoa(e.index) + "]" }

// name is what messages call the entry.
func (e *entry) name() string {
	name := "entry " + strconv.Itoa(e.index+1)
	if e.Method() != "" {
		name += " (" + e.Method() + " " + strings.TrimPrefix(e.node.Get("request").Str("url"), e.addresses.FHIRBase+"/") + ")"
	}
	return name
}

// entryCall returns a call for an entry's request, for the same caller at the
// same base URL.
func (l *call) entryCall(method, url string) *call {
	c := newContext(l.server.app.AcquireCtx)
	base := strings.TrimPrefix(l.addresses.FHIRBase, l.root)
	c.Request().SetRequestURI(base + "/" + l.relative(url))
	c.SetUserContext(l.UserContext())
	of, _ := l.server.newCall(c)
	of.method, of.surface, of.root, of.prefix, of.addresses = method, fhirSurface, l.root, l.prefix, l.addresses
	of.workspace, of.env, of.access, of.noPolicy = l.workspace, l.env, l.access, l.noPolicy
	of.exchange = &recording{Exchange: exchange.Exchange{
		Kind: exchange.Entry, Parent: l.exchange.ID, Environment: l.env.Name, At: l.exchange.At, Client: l.exchange.Client, Access: l.exchange.Access,
		Method: method, URL: exchange.MaskURL(of.requestURL()),
	}}
	return of
}

// find finds the route that serves the entry.
func (e *entry) find(method, url string) error {
	rest := e.relative(url)
	scheme, _, absolute := strings.Cut(rest, "://")
	switch {
	case absolute && !strings.ContainsAny(scheme, "/?"):
		return e.wrong("invalid", "request.url", "the url "+url+" is of another server; here it is relative to "+e.addresses.FHIRBase+"/, such as Patient/1")
	case strings.HasPrefix(rest, "/"):
		return e.wrong("invalid", "request.url", "the url "+url+" begins with a slash, so it is not relative to the base URL: write "+strings.TrimLeft(rest, "/"))
	case rest == "" && method == http.MethodPost:
		return e.wrong("invalid", "request.url", "a batch or transaction cannot hold another one")
	case isOpen(e.routed) && !strings.HasSuffix(e.routed, metadata):
		return e.wrong("not-supported", "request.url", url+" cannot be part of a batch or transaction; ask for it by itself")
	}
	for _, r := range e.server.routes {
		if r.method != method && (r.method != http.MethodGet || method != http.MethodHead) {
			continue
		}
		bound, ok := r.bind(e.routed)
		switch {
		case !ok:
		case r.alone:
			return e.wrong("not-supported", "request.url", method+" "+url+" cannot be part of a batch or transaction; send it by itself")
		default:
			e.route, e.bound = r, bound
			return nil
		}
	}
	return e.nothingHere()
}

// fill gives the entry's request its header fields and its body.
func (e *entry) fill(request *fhirjson.Node, body []byte) error {
	h := &e.Request().Header
	h.Set(fiber.HeaderAccept, fhirJSON)
	for name, value := range map[string]string{
		fiber.HeaderIfMatch:     request.Str("ifMatch"),
		fiber.HeaderIfNoneMatch: request.Str("ifNoneMatch"),
		ifNoneExist:             request.Str("ifNoneExist"),
	} {
		if value != "" {
			h.Set(name, value)
		}
	}
	if text := request.Str("ifModifiedSince"); text != "" {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return e.wrong("value", "request.ifModifiedSince", "ifModifiedSince is "+strconv.Quote(text)+"; it has to be an instant such as 2026-01-31T08:00:00Z")
		}
		h.Set(fiber.HeaderIfModifiedSince, at.UTC().Format(httpDate))
	}
	resource := e.node.Get("resource")
	switch e.method {
	case http.MethodPost, http.MethodPut, http.MethodPatch:
	default:
		return nil
	}
	if err := e.agrees(); err != nil {
		return err
	}
	if resource == nil {
		if strings.Contains(e.routed, "/$") {
			return nil
		}
		return e.wrong("required", "resource", "a "+e.method+" needs a resource in its entry")
	}
	contentType, content := fhirJSON, body[resource.Start:resource.End]
	if e.method == http.MethodPatch && resource.Str("resourceType") == "Binary" {
		contentType = resource.Str("contentType")
		var err error
		if content, err = decodeBase64(resource.Str("data")); err != nil {
			return e.wrong("value", "resource.data", "the data of the Binary is not base64")
		}
	}
	h.Set(fiber.HeaderContentType, contentType)
	h.SetContentLength(len(content))
	e.call.body = &onceReader{r: bytes.NewReader(content)}
	return nil
}

// agrees refuses the fullUrl of an update that is the URL of another resource:
// references to it would lead to the wrong one (FHIR R4, Bundle, entry.fullUrl).
func (e *entry) agrees() error {
	typ, id := e.bound["type"], e.bound["id"]
	if e.method == http.MethodPost || id == "" || !strings.Contains(e.fullURL, "://") {
		return nil
	}
	parts := strings.Split(e.fullURL, "/")
	last := parts[max(0, len(parts)-2):]
	if len(last) == 2 && r4.Definitions().IsType(last[0]) && (last[0] != typ || last[1] != id) {
		return e.wrong("invalid", "fullUrl", "the fullUrl "+e.fullURL+" is the URL of "+strings.Join(last, "/")+", but the entry is about "+typ+"/"+id)
	}
	return nil
}

// relative is a URL of an entry without the base URL that it may begin with.
func (l *call) relative(url string) string {
	base := l.addresses.FHIRBase
	if len(url) >= len(base) && strings.EqualFold(url[:len(base)], base) && (len(url) == len(base) || strings.ContainsRune("/?", rune(url[len(base)]))) {
		return strings.TrimPrefix(url[len(base):], "/")
	}
	return url
}

// rank is the place of the entry's method in the order of processing (FHIR R4,
// http, transaction processing rules).
func (e *entry) rank() int {
	switch {
	case e.method == http.MethodDelete:
		return 0
	case e.route.change == nil:
		return 3
	case e.method == http.MethodPost:
		return 1
	}
	return 2
}

// serve answers the entry by itself.
func (e *entry) serve() {
	err := e.refused
	if err == nil {
		err = e.route.serve(e.call)
	}
	if err != nil {
		e.refuse(err)
	}
}

// maxRecorded is how many refused entries of a Bundle are recorded: the log of
// exchanges has room for others as well.
const maxRecorded = 50

// refuse answers the entry with an error, and keeps a record of it, which the
// record of the whole Bundle does not show.
func (e *entry) refuse(err error) {
	log := e.workspace.Exchanges
	e.batch.refused++
	if id, failed := log.NewID(); failed == nil && e.batch.refused <= maxRecorded {
		e.exchange.ID, e.exchange.Page = id, e.exchangeURL(id)
		defer func() {
			e.exchange.Status = e.Response().StatusCode()
			e.exchange.ResponseBody = e.bodyText(fhirJSON, e.Response().Body())
			log.Add(&e.exchange.Exchange)
		}()
	}
	_ = e.fail(err) // it writes to memory
}

// append appends the entry of the answer (FHIR R4, Bundle, entry.response).
func (e *entry) append(to []byte) []byte {
	response := e.Response()
	status, body := response.StatusCode(), response.Body()
	if status < 400 && !hasBody(e.method, status) {
		body = nil
	}
	to = append(to, '{')
	isOutcome := status >= 400 || e.route.change != nil && e.preferences()["return"] == "OperationOutcome"
	if len(body) > 0 && !isOutcome {
		to = append(append(append(to, `"resource":`...), body...), ',')
	}
	to = appendString(append(to, `"response":{"status":`...), strconv.Itoa(status)+" "+http.StatusText(status))
	if at := string(response.Header.Peek(fiber.HeaderLocation)); at != "" {
		to = appendString(append(to, `,"location":`...), at)
	}
	if v := e.version; v != nil && status < 400 {
		to = appendString(append(to, `,"etag":`...), etag(v.Version))
		to = append(append(to, `,"lastModified":"`+fhirstore.FormatInstant(v.At)...), '"')
	}
	if len(body) > 0 && isOutcome {
		to = append(append(to, `,"outcome":`...), body...)
	}
	return append(to, "}}"...)
}
