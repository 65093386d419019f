package httpapi

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/reference"
)

// maxEntries is how many entries a batch or transaction may have.
const maxEntries = 10_000

// transact is FHIR R4, http, batch/transaction. Each entry needs the scopes of
// what it does, the Bundle itself none.
func (l *call) transact() error {
	if err := l.authenticate(); err != nil {
		return err
	}
	if err := l.answersJSON(); err != nil {
		return err
	}
	if err := l.refuseConditions("a batch or transaction", "put it into the request of its entry", conditionFields()...); err != nil {
		return err
	}
	body, err := l.jsonBody()
	if err != nil {
		return err
	}
	root, err := fhirjson.Parse(body)
	if err != nil {
		return err
	}
	typ := root.Str("type")
	list := root.Get("entry")
	switch got := root.Str("resourceType"); {
	case got != "Bundle":
		return badRequest("invalid", fmt.Sprintf("what is posted to the base URL is a Bundle of the type batch or transaction; this is %s: to create a resource, post it to the URL of its type", cmp.Or(got, "no resource")))
	case typ != "batch" && typ != "transaction":
		return &httpError{status: fiber.StatusUnprocessableEntity, code: "not-supported", expression: "Bundle.type",
			message: fmt.Sprintf("a Bundle of the type %q cannot be carried out: batch and transaction can. To store it as it is, post it to /Bundle", typ)}
	case list != nil && list.Kind != fhirjson.Array:
		return &httpError{status: fiber.StatusBadRequest, code: "structure", expression: "Bundle.entry", message: "entry has to be an array; it is a JSON " + list.Kind.String()}
	case list != nil && len(list.Items) > maxEntries:
		return &httpError{status: fiber.StatusRequestEntityTooLarge, code: "too-costly",
			message: fmt.Sprintf("the Bundle has %d entries; %d are the most that are taken", len(list.Items), maxEntries)}
	}
	if unknown := unknownMember(root, "Bundle"); unknown != "" {
		return &httpError{status: fiber.StatusBadRequest, code: "structure", expression: "Bundle." + unknown, message: "a Bundle has no element " + unknown}
	}
	var entries []*entry
	whole := &answers{}
	for i := 0; list != nil && i < len(list.Items); i++ {
		e := l.newEntry(i, &list.Items[i], body)
		e.batch = whole
		defer l.server.app.ReleaseCtx(e.Ctx)
		entries = append(entries, e)
	}
	if err := uniqueNames(entries); err != nil {
		return err
	}
	if typ == "batch" {
		l.batch(entries)
	} else if err := l.transaction(entries, root, body); err != nil {
		return err
	}
	answer := []byte(`{"resourceType":"Bundle","type":"` + typ + `-response"`)
	for i, e := range entries {
		answer = append(answer, separator(i, `,"entry":[`)...)
		answer = append(answer, e.answer...)
	}
	if len(entries) > 0 {
		answer = append(answer, ']')
	}
	l.applyPreference(l.preferences()["return"])
	return l.send(fiber.StatusOK, fhirJSON, append(answer, '}'))
}

// answers are those of a Bundle's entries together.
type answers struct {
	bytes   int
	refused int // entries
}

// maxAnswers is how large they may be together, in bytes: a small request can
// ask for anything many times.
const maxAnswers = 64 << 20

func (a *answers) full() bool { return a.bytes > maxAnswers }

func tooLargeAnswers() error {
	return &httpError{status: fiber.StatusRequestEntityTooLarge, code: "too-costly",
		message: "the answers to the entries before are " + bytesText(maxAnswers) + " together, the most that a batch or transaction brings; ask for the rest by itself, or for less with _count, _elements or Prefer: return=minimal"}
}

// take keeps what an entry is answered with.
func (e *entry) take() {
	e.answer = e.append(nil)
	e.batch.bytes += len(e.answer)
	e.Response().ResetBody()
}

// separator stands before the i-th member of a list that begins with open.
func separator(i int, open string) string {
	if i == 0 {
		return open
	}
	return ","
}

// uniqueNames refuses a Bundle in which a fullUrl stands for two entries. It is
// stricter than bdl-7 (FHIR R4, Bundle), which lets versions of one resource
// share one.
func uniqueNames(entries []*entry) error {
	at := map[string]int{}
	for _, e := range entries {
		if e.fullURL == "" {
			continue
		}
		if other, taken := at[e.fullURL]; taken {
			return e.wrong("duplicate", "fullUrl", fmt.Sprintf("entries %d and %d have the same fullUrl, %s", other+1, e.index+1, e.fullURL))
		}
		at[e.fullURL] = e.index
	}
	return nil
}

// batch answers entries one by one, each as if it had come alone (FHIR R4, http,
// batch processing rules).
func (l *call) batch(entries []*entry) {
	written := map[string]*entry{}
	for _, e := range entries {
		if e.fullURL != "" && e.route.change != nil && (e.method == fiber.MethodPost || strings.HasPrefix(strings.ToLower(e.fullURL), "urn:")) {
			written[e.fullURL] = e
		}
	}
	for _, e := range inOrder(entries) {
		if e.refused == nil {
			e.refused = e.independent(written)
		}
		if e.refused == nil && e.route.change == nil && e.batch.full() {
			e.refused = tooLargeAnswers()
		}
		e.copyPreferences(l)
		e.serve()
		e.take()
	}
}

// inOrder returns entries in the order in which they are processed.
func inOrder(entries []*entry) []*entry {
	ordered := slices.Clone(entries)
	slices.SortStableFunc(ordered, func(a, b *entry) int { return cmp.Compare(a.rank(), b.rank()) })
	return ordered
}

// transaction carries out all entries of a Bundle or none. The Bundle is judged
// as a whole, as any resource that is written: so it is said where in it
// something is wrong.
func (l *call) transaction(entries []*entry, root *fhirjson.Node, body []byte) error {
	for _, e := range entries {
		if e.refused != nil {
			return e.failed(e.refused)
		}
	}
	store, err := l.data()
	if err == nil {
		err = store.Judge(root, body)
	}
	if err != nil {
		return err
	}
	t := fhirstore.Transaction{Base: l.addresses.FHIRBase, Judged: true}
	var writes, reads []*entry
	for _, e := range inOrder(entries) {
		e.copyPreferences(l)
		if e.route.change == nil {
			reads = append(reads, e)
			continue
		}
		c, err := e.route.change(e.call)
		if err != nil {
			return e.failed(err)
		}
		c.FullURL = e.fullURL
		e.change = c
		writes, t.Changes = append(writes, e), append(t.Changes, c)
	}
	if len(writes) == 0 {
		return readAll(store, reads)
	}
	_, err = store.Transact(l.UserContext(), l.view(), t, func(after *fhirstore.Store, done []fhirstore.Changed) error {
		for i, e := range writes {
			e.store = after
			if err := e.changed(after, e.change, done[i]); err != nil {
				return e.failed(err)
			}
			if e.take(); e.batch.full() {
				return e.failed(tooLargeAnswers())
			}
		}
		return readAll(after, reads)
	})
	var failed *fhirstore.ChangeError
	if errors.As(err, &failed) {
		return writes[failed.Index].failedChange(failed.Err, writes)
	}
	return err
}

// readAll answers the entries of a transaction that change nothing.
func readAll(store *fhirstore.Store, entries []*entry) error {
	for _, e := range entries {
		e.store = store
		if err := e.route.serve(e.call); err != nil {
			return e.failed(err)
		}
		if e.take(); e.batch.full() {
			return e.failed(tooLargeAnswers())
		}
	}
	return nil
}

// copyPreferences gives an entry the preferences of the whole request.
func (e *entry) copyPreferences(l *call) {
	for _, v := range l.Request().Header.PeekAll("Prefer") {
		e.Request().Header.AddBytesV("Prefer", v)
	}
}

// independent refuses an entry of a batch that refers to what another one
// writes (FHIR R4, http, batch processing rules).
func (e *entry) independent(written map[string]*entry) error {
	resource := e.node.Get("resource")
	if resource == nil || len(written) == 0 {
		return nil
	}
	var wrong error
	reference.Edits(resource, e.bundle, func(_ reference.Kind, text string, _ int) string {
		if other := written[text]; other != nil && other != e && wrong == nil {
			wrong = e.wrong("invalid", "resource", fmt.Sprintf("the reference %s means entry %d, and entries of a batch know nothing of each other; send them in a transaction", text, other.index+1))
		}
		return ""
	})
	return wrong
}

// An entryError is why a transaction failed.
type entryError struct {
	entry *entry
	err   error
}

func (e *entryError) Error() string { return e.entry.name() + ": " + e.err.Error() }
func (e *entryError) Unwrap() error { return e.err }

func (e *entry) failed(err error) error {
	if errors.As(err, new(*entryError)) {
		return err
	}
	return &entryError{e, err}
}

// failedChange is failed, with what the store says of changes in the words of
// entries.
func (e *entry) failedChange(err error, writes []*entry) error {
	var overlap *fhirstore.OverlapError
	if !errors.As(err, &overlap) {
		return e.failed(e.refusedChange(e.change, err))
	}
	other := writes[overlap.Other]
	what := fmt.Sprintf("it and %s are about the same resource, %s/%s", other.name(), overlap.Type, overlap.ID)
	if overlap.Matched {
		what = fmt.Sprintf("its criteria match what %s writes, %s/%s", other.name(), overlap.Type, overlap.ID)
	}
	return e.failed(badRequest("duplicate", what+"; a transaction's outcome must not depend on the order of its entries"))
}

// asHTTP is the failure of the whole transaction.
func (e *entryError) asHTTP(l *call) *httpError {
	inner := *e.entry.asHTTP(e.err)
	l.exchange.Checks = append(l.exchange.Checks, e.entry.exchange.Checks...)
	inner.message = e.entry.name() + ": " + inner.message
	own := e.entry.expression()
	switch {
	case strings.HasPrefix(inner.expression, "Bundle.entry["):
	case inner.expression == "" || e.entry.change.Type == "":
		inner.expression = own
	default:
		inner.expression = withinEntry(own, inner.expression)
	}
	if inner.issues != nil {
		inner.issues = placeless(inner.issues)
		for i := range inner.issues {
			issue := &inner.issues[i]
			issue.Message = e.entry.name() + ": " + issue.Message
			issue.Expression = withinEntry(own, issue.Expression)
		}
	}
	return &inner
}

// withinEntry is the FHIRPath of an element of an entry's resource.
func withinEntry(entry, expression string) string {
	if _, rest, ok := strings.Cut(expression, "."); ok {
		return entry + ".resource." + rest
	}
	return entry + ".resource"
}
