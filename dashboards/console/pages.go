package console

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"vigil"
	"vigil/dashboards/phrase"
	"vigil/dashboards/view"
	"vigil/internal/api"
)

const (
	pageSize  = 50      // findings on a page of the queue
	eventSize = 50      // events on a finding's page
	maxOffset = 1000000 // of events or findings: beyond it an address is refused
)

// said is in words what came of a form: the address names it by a code, so that no text of
// elsewhere can stand there.
func said(code string) string {
	switch code {
	case "reveal-asked":
		return "A second person is asked. The name is shown once somebody else has approved."
	case "reveal-approved":
		return "You approved it: the name is shown to who asked, and to you."
	case "reveal-ended":
		return "It is ended: no name is shown."
	case "notice-kept":
		return "What you wrote is kept. Nothing was sent."
	case "notice-sent":
		return "It is written down that the notification was sent, with its text as it was."
	case "drill-begun":
		return "The drill has begun. Its board appears here when it is over; you need not wait."
	case "drill-stopped":
		return "The drill was ended."
	case "signed-out":
		return "You are signed out."
	case "set-up":
		return "Your account is set up, and you are signed in."
	}
	return ""
}

// livePage is a page whose Body renews itself from Poll.
type livePage struct {
	base
	// Poll is asked Every so often where nothing tells what changes; Topics are what is
	// listened to, parted by spaces (see api.Topic), empty for nothing.
	Poll, Every, Topics, Headers string
	Body                         template.HTML
}

type errorPage struct {
	base
	Headline, Remedy string
}

type queueBody struct {
	Status     view.Status
	Cards      []view.Finding
	Total      string
	Filters    []filterLink
	Filtered   bool
	NoEvents   bool
	First      firstStep
	Prev, Next string
	Host       string
}

type filterLink struct {
	Word, URL      string
	Current, Split bool
}

// render executes a template in full before anything is sent.
func (h *Handler) render(name string, data any) ([]byte, error) {
	var b bytes.Buffer
	if err := h.pages.ExecuteTemplate(&b, name, data); err != nil {
		return nil, fmt.Errorf("render %s: %w", name, err)
	}
	return b.Bytes(), nil
}

// now is the time by which "ago" is told: the clock's while the log keeps up with
// it, else (a replay, a stopped source) the time up to which the log is judged.
func (h *Handler) now(s api.Status) time.Time {
	now := h.cfg.Now()
	if s.Watermark.IsZero() || now.Sub(s.Watermark).Abs() < 10*time.Minute {
		return now
	}
	return s.Watermark
}

func (h *Handler) queue(w http.ResponseWriter, r *http.Request) { h.serveQueue(w, r, "queue") }

func (h *Handler) queueLive(w http.ResponseWriter, r *http.Request) {
	h.serveQueue(w, r, "queue-live")
}

func (h *Handler) serveQueue(w http.ResponseWriter, r *http.Request, name string) {
	q, bad := readQuery(r.URL.Query())
	if bad != nil {
		h.fail(w, r, bad)
		return
	}
	ctx, cancel := h.context(r)
	defer cancel()
	status, err := h.reader.Status(ctx)
	if err != nil {
		h.fail(w, r, h.readError(r, "status", err))
		return
	}
	page, err := h.reader.Findings(ctx, api.FindingFilter{MinSeverity: q.min, State: q.state, Limit: pageSize, Offset: (q.page - 1) * pageSize})
	if err != nil {
		h.fail(w, r, h.readError(r, "findings", err))
		return
	}
	h.content()
	now := h.now(status)
	data := queueBody{
		Status: view.NewStatus(status, now), Total: phrase.Count(int64(page.Total)), Filters: q.links(), Filtered: q.min != "" || q.state != "" || q.page > 1,
		NoEvents: status.Events == 0, Host: r.Host, First: h.firstStep(r),
	}
	for i := range page.Findings {
		card := view.NewFinding(&page.Findings[i], place(page.Findings[i].ID, now))
		if c, ok := page.Cases[page.Findings[i].ID]; ok {
			hands := view.NewHands(&c)
			card.Hands = &hands
		}
		data.Cards = append(data.Cards, card)
	}
	if q.page > 1 {
		data.Prev = "/" + q.with(q.min, q.state, q.page-1)
	}
	if q.page*pageSize < page.Total {
		data.Next = "/" + q.with(q.min, q.state, q.page+1)
	}
	body, err := h.render("queue-body", data)
	if err != nil {
		h.fail(w, r, h.readError(r, "page", err))
		return
	}
	h.sendLive(w, r, name, tagOf(body), livePage{base: h.base(r, "Findings", true), Poll: "/live" + q.with(q.min, q.state, q.page), Topics: "queue status",
		Every: milliseconds(h.cfg.Refresh), Body: template.HTML(body)}) //nolint:gosec // html/template made it
}

// place says where in the console a finding stands.
func place(id string, now time.Time) view.Options {
	path := "/findings/" + url.PathEscape(id)
	return view.Options{Now: now, Path: path, JSON: "/api/v1" + path}
}

// sendLive sends a whole page or its renewing part, or says that the one the
// client has is still right.
func (h *Handler) sendLive(w http.ResponseWriter, r *http.Request, name, tag string, page livePage) {
	h.sendPage(w, r, name, tag, &page, &page)
}

// sendPage is sendLive for a page that has more than a renewing part: data holds page.
func (h *Handler) sendPage(w http.ResponseWriter, r *http.Request, name, tag string, page *livePage, data any) {
	if tag != "" {
		if r.Header.Get("If-None-Match") == tag && strings.HasSuffix(name, "-live") {
			notModified(w, tag)
			return
		}
		// Quoted with JSON, so that the tag's own quotes survive.
		headers, err := json.Marshal(map[string]string{"If-None-Match": tag})
		if err == nil {
			page.Headers = string(headers)
		}
	}
	if !h.has("GET /live/events") {
		page.Topics = ""
	}
	if page.Headers == "" {
		page.Headers = "{}"
	}
	body, err := h.render(name, data)
	if err != nil {
		h.fail(w, r, h.readError(r, "page", err))
		return
	}
	if tag != "" {
		w.Header().Set("ETag", tag)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(body)
}

func notModified(w http.ResponseWriter, tag string) {
	w.Header().Set("ETag", tag)
	w.WriteHeader(http.StatusNotModified)
}

func tagOf(parts ...[]byte) string {
	sum := sha256.New()
	for _, p := range parts {
		sum.Write(p)
		sum.Write([]byte{0})
	}
	return `"` + hex.EncodeToString(sum.Sum(nil)[:12]) + `"`
}

// safely runs a read on a goroutine of ours: a panic there would end the program.
func safely(read func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return read()
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) + "ms" }

// query is what an address asks of the queue.
type query struct {
	min   vigil.Severity
	state vigil.FindingState
	page  int
}

func readQuery(values url.Values) (q query, bad *api.Problem) {
	q.min, q.state = vigil.Severity(values.Get("min")), vigil.FindingState(values.Get("state"))
	if q.min != "" && q.min.Rank() == 0 {
		return q, badRequest("“min” is not low, medium, high or critical.")
	}
	if q.state != "" && q.state != vigil.StateOpen && q.state != vigil.StateClosed {
		return q, badRequest("“state” is not open or closed.")
	}
	q.page, bad = readNumber(values, "page", 1, 1, maxOffset/pageSize)
	return q, bad
}

func readNumber(values url.Values, name string, otherwise, low, high int) (int, *api.Problem) {
	s := values.Get(name)
	if s == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < low || n > high {
		return 0, badRequest("“%s” is not a number from %d to %d.", name, low, high)
	}
	return n, nil
}

// with writes the query string for another choice.
func (q query) with(least vigil.Severity, state vigil.FindingState, page int) string {
	v := url.Values{}
	if least != "" {
		v.Set("min", string(least))
	}
	if state != "" {
		v.Set("state", string(state))
	}
	if page > 1 {
		v.Set("page", strconv.Itoa(page))
	}
	if len(v) == 0 {
		return ""
	}
	return "?" + v.Encode()
}

func (q query) links() []filterLink {
	var out []filterLink
	for _, s := range []struct {
		min  vigil.Severity
		word string
	}{{"", "all"}, {vigil.SeverityMedium, "medium and up"}, {vigil.SeverityHigh, "high and up"}, {vigil.SeverityCritical, "critical"}} {
		out = append(out, filterLink{Word: s.word, URL: "/" + q.with(s.min, q.state, 1), Current: q.min == s.min})
	}
	out = append(out, filterLink{Split: true})
	for _, s := range []struct {
		state vigil.FindingState
		word  string
	}{{"", "any state"}, {vigil.StateOpen, "still going"}, {vigil.StateClosed, "over"}} {
		out = append(out, filterLink{Word: s.word, URL: "/" + q.with(q.min, s.state, 1), Current: q.state == s.state})
	}
	return out
}

// validID tells whether a text can be a finding's id: at most 128 letters, digits
// and -_.~: signs.
func validID(id string) bool {
	if id == "" || len(id) > 128 || id == "." || id == ".." {
		return false
	}
	for i := 0; i < len(id); i++ {
		switch c := id[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9',
			c == '-', c == '_', c == '.', c == '~', c == ':':
		default:
			return false
		}
	}
	return true
}
