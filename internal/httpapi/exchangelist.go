package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/internal/exchange"
	"github.com/sandfhir/sandfhir/internal/nearest"
	"github.com/sandfhir/sandfhir/web"
)

// longestWait is how long a request may wait for an exchange.
const longestWait = 5 * time.Minute

// exchanges lists the workspace's exchanges, newest first: as JSON, or to a
// browser as a page. See operations for what the query can say.
func (l *call) exchanges() error {
	if l.wantsPage() {
		return l.exchangesPage()
	}
	filter, query, err := l.exchangeFilter("limit", "after", "wait", "_format")
	if err != nil {
		return err
	}
	limit, err := strconv.Atoi(l.Query("limit", "100"))
	if err != nil || limit < 1 {
		return badRequest("value", "limit has to be a whole number from 1")
	}
	wait, err := readWait(query.Get("wait"))
	if err != nil {
		return err
	}
	list := l.exchangesAfter(query.Get("after"), wait, filter.Keeps)
	slices.Reverse(list)
	views := make([]exchangeView, min(limit, len(list)))
	for i := range views {
		views[i] = viewOf(list[i])
	}
	l.Set(fiber.HeaderCacheControl, "no-store")
	return l.json(fiber.StatusOK, views)
}

func readWait(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	wait, err := time.ParseDuration(text)
	if err != nil || wait < 0 || wait > longestWait {
		return 0, badRequest("value", fmt.Sprintf("wait has to be a duration such as 10s, at most %s", longestWait))
	}
	return wait, nil
}

// exchangeFilter reads the filter of a request; a parameter that is neither of a
// filter nor one of others is refused, since it would keep everything.
func (l *call) exchangeFilter(others ...string) (exchange.Filter, url.Values, error) {
	query, err := url.ParseQuery(l.query())
	if err != nil {
		return exchange.Filter{}, nil, badRequest("value", "the query is not one of names and values")
	}
	known := append(exchange.FilterNames(), others...)
	for name := range query {
		if !slices.Contains(known, name) && name != "admin" {
			text := fmt.Sprintf("there is no parameter %q; there are %s", name, strings.Join(known, ", "))
			if near := nearest.Name(name, known); near != "" {
				text = fmt.Sprintf("there is no parameter %q; did you mean %s?", name, near)
			}
			return exchange.Filter{}, nil, badRequest("value", text)
		}
	}
	filter, err := exchange.ParseFilter(query)
	if err != nil {
		return filter, nil, badRequest("value", err.Error())
	}
	return filter, query, nil
}

// exchangesAfter returns the exchanges after the one with an id, oldest first.
// Where there is none yet it waits for one.
func (l *call) exchangesAfter(id string, wait time.Duration, keep func(*exchange.Exchange) bool) []*exchange.Exchange {
	if wait == 0 {
		return l.workspace.Exchanges.Since(id, keep)
	}
	ctx, cancel := context.WithTimeout(l.UserContext(), wait)
	defer cancel()
	go func() {
		select {
		case <-l.server.stopped:
			cancel()
		case <-ctx.Done():
		}
	}()
	list, err := l.workspace.Exchanges.Await(ctx, id, keep)
	if err != nil {
		return nil // in vain
	}
	return list
}

// pagedExchanges is how many exchanges the page lists.
const pagedExchanges = 200

// exchangesPage shows the list to a person. A filter that is wrong is shown with
// what is wrong, and keeps everything.
func (l *call) exchangesPage() error {
	filter, query, err := l.exchangeFilter("limit", "after", "wait", "_format")
	page := web.ExchangesPage{Site: l.site()}
	if err != nil {
		page.Problem, query, filter = sentence(err.Error()), url.Values{}, exchange.Filter{}
		l.Status(fiber.StatusBadRequest)
	}
	page.Filter = web.ExchangeFilter{
		Path: query.Get("path"), Client: query.Get("client"), Status: query.Get("status"), Check: query.Get("check"), Refused: filter.Refused,
	}
	narrowed := url.Values{}
	for _, name := range exchange.FilterNames() {
		if value := query.Get(name); value != "" {
			narrowed.Set(name, value)
		}
	}
	page.Events, page.HAR = "events?"+narrowed.Encode(), "exchanges.har?"+narrowed.Encode()
	narrowed.Set("_format", "json")
	page.JSON = "exchanges?" + narrowed.Encode()
	list := l.workspace.Exchanges.List(pagedExchanges+1, filter.Keeps)
	page.More = len(list) > pagedExchanges
	for _, e := range list[:min(len(list), pagedExchanges)] {
		page.Exchanges = append(page.Exchanges, l.exchangeRow(e))
	}
	return l.page(page)
}

// exchangesHAR gives exchanges as a file that browsers and proxies read.
func (l *call) exchangesHAR() error {
	filter, _, err := l.exchangeFilter()
	if err != nil {
		return err
	}
	l.Set(fiber.HeaderCacheControl, "no-store")
	l.Set(fiber.HeaderContentDisposition, `attachment; filename="sandfhir.har"`)
	return l.json(fiber.StatusOK, exchange.NewHAR(l.workspace.Exchanges.Since("", filter.Keeps)))
}

const eventStream = "text/event-stream"

// events sends exchanges as they come (HTML Standard, server-sent events), from
// now on or after the one that Last-Event-ID names.
func (l *call) events() error {
	filter, _, err := l.exchangeFilter()
	if err != nil {
		return err
	}
	l.Set(fiber.HeaderContentType, eventStream)
	l.Set(fiber.HeaderCacheControl, "no-store")
	l.Set("X-Accel-Buffering", "no") // of proxies
	feed := &eventFeed{log: l.workspace.Exchanges, keep: filter.Keeps, last: l.Get("Last-Event-ID"), stopped: l.server.stopped}
	l.streamPiped(feed, 0, false)
	return nil
}

// An eventFeed is a body of server-sent events. It ends with the workspace and
// with the server, and where its reader is too slow: who comes again with
// Last-Event-ID goes on.
type eventFeed struct {
	log     *exchange.Log
	keep    func(*exchange.Exchange) bool
	last    string // id of the exchange to go on after, or ""
	stopped <-chan struct{}
}

// heartbeat is how often a silent feed says that it is there, by which it finds
// out that its reader is not.
const heartbeat = 15 * time.Second

func (f *eventFeed) send(w io.Writer, _, _ int64) error {
	added, leave := f.log.Follow()
	defer leave()
	if _, err := io.WriteString(w, "retry: 1000\n\n"); err != nil {
		return gone(err)
	}
	if f.last != "" {
		for _, e := range f.log.Since(f.last, f.keep) {
			if err := writeEvent(w, e); err != nil {
				return gone(err)
			}
		}
	}
	silent := time.NewTicker(heartbeat)
	defer silent.Stop()
	for {
		select {
		case e, ok := <-added:
			if !ok {
				return nil
			}
			if f.keep(e) {
				if err := writeEvent(w, e); err != nil {
					return gone(err)
				}
			}
		case <-silent.C:
			if _, err := io.WriteString(w, ": here\n\n"); err != nil {
				return gone(err)
			}
		case <-f.stopped:
			return nil
		}
	}
}

// gone is nil: that a reader of events goes is how every feed ends.
func gone(err error) error {
	if errors.Is(err, io.ErrClosedPipe) {
		return nil
	}
	return err
}

func writeEvent(w io.Writer, e *exchange.Exchange) error {
	data, err := marshal(viewOf(e))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "id: %s\nevent: exchange\ndata: %s\n\n", e.ID, data)
	return err
}
