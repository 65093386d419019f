package exchange

import (
	"mime"
	"net/http"
	"net/url"
	"time"
)

// HAR is an HTTP Archive 1.2 of exchanges, which browsers and proxies read. What
// records leave out, secrets and the rest of long bodies, is left out of it.
type HAR struct {
	Log HARLog `json:"log"`
}

// HARLog is the one member of a HAR.
type HARLog struct {
	Version string     `json:"version"`
	Creator HARCreator `json:"creator"`
	Entries []HAREntry `json:"entries"`
}

// HARCreator names the program.
type HARCreator struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// A HAREntry is an exchange. Comment tells of its refusal.
type HAREntry struct {
	Started  time.Time      `json:"startedDateTime"`
	Time     float64        `json:"time"` // milliseconds
	Request  HARRequest     `json:"request"`
	Response HARResponse    `json:"response"`
	Cache    struct{}       `json:"cache"`
	Timings  map[string]any `json:"timings"`
	Comment  string         `json:"comment,omitempty"`
	ID       string         `json:"_sandfhir"` // of the exchange
}

// A HARRequest is a request.
type HARRequest struct {
	Method      string   `json:"method"`
	URL         string   `json:"url"`
	HTTPVersion string   `json:"httpVersion"`
	Cookies     []Header `json:"cookies"`
	Headers     []Header `json:"headers"`
	QueryString []Header `json:"queryString"`
	PostData    *HARBody `json:"postData,omitempty"`
	HeadersSize int      `json:"headersSize"` // -1: not known
	BodySize    int      `json:"bodySize"`
}

// A HARResponse is an answer.
type HARResponse struct {
	Status      int      `json:"status"`
	StatusText  string   `json:"statusText"`
	HTTPVersion string   `json:"httpVersion"`
	Cookies     []Header `json:"cookies"`
	Headers     []Header `json:"headers"`
	Content     HARBody  `json:"content"`
	RedirectURL string   `json:"redirectURL"`
	HeadersSize int      `json:"headersSize"`
	BodySize    int64    `json:"bodySize"`
}

// A HARBody is a body.
type HARBody struct {
	Size     int64    `json:"size,omitempty"`
	MimeType string   `json:"mimeType"`
	Text     string   `json:"text"`
	Params   []Header `json:"params,omitempty"`
}

// NewHAR returns the HAR of exchanges.
func NewHAR(list []*Exchange) HAR {
	h := HAR{HARLog{Version: "1.2", Creator: HARCreator{"Sandfhir", "1"}, Entries: make([]HAREntry, len(list))}}
	for i, e := range list {
		h.Log.Entries[i] = e.har()
	}
	return h
}

func (e *Exchange) har() HAREntry {
	const httpVersion, notKnown = "HTTP/1.1", -1
	took := e.Seconds * 1000
	entry := HAREntry{
		Started: e.At, Time: took, ID: e.ID, Comment: e.refusal(),
		Timings: map[string]any{"send": 0, "wait": took, "receive": 0},
		Request: HARRequest{
			Method: e.Method, URL: e.URL, HTTPVersion: httpVersion, Cookies: []Header{}, Headers: some(e.RequestHeader),
			QueryString: []Header{}, HeadersSize: notKnown, BodySize: len(e.RequestBody),
		},
		Response: HARResponse{
			Status: e.Status, StatusText: http.StatusText(e.Status), HTTPVersion: httpVersion, Cookies: []Header{}, Headers: some(e.ResponseHeader),
			Content:     HARBody{Size: e.ResponseBytes, MimeType: value(e.ResponseHeader, "Content-Type"), Text: e.ResponseBody},
			RedirectURL: value(e.ResponseHeader, "Location"), HeadersSize: notKnown, BodySize: e.ResponseBytes,
		},
	}
	if u, err := url.Parse(e.URL); err == nil {
		entry.Request.QueryString = pairs(u.RawQuery)
	}
	if e.RequestBody != "" {
		body := &HARBody{MimeType: value(e.RequestHeader, "Content-Type"), Text: e.RequestBody}
		if media, _, _ := mime.ParseMediaType(body.MimeType); media == formType {
			body.Params = pairs(e.RequestBody)
		}
		entry.Request.PostData = body
	}
	return entry
}

const formType = "application/x-www-form-urlencoded"

// refusal is why a request was refused, in sentences.
func (e *Exchange) refusal() string {
	if c := e.Failed(); c != nil {
		return c.ID() + ": " + c.Explanation()
	}
	return e.Refusal
}

func some(list []Header) []Header { return append([]Header{}, list...) }
