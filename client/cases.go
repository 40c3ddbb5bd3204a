package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"time"

	"vigil"
)

// CaseFilter narrows a list of cases. The zero filter lists all.
type CaseFilter struct {
	// Min leaves out milder ones. State is new, acknowledged, resolved or unresolved,
	// empty for all.
	Min   vigil.Severity
	State string
	// Owner is the pseudonym of who has it; Unowned lists those that nobody has.
	Owner   string
	Unowned bool
	About   vigil.About
	// Place is a store or source of which a finding of the case tells.
	Place string
	// OpenedFrom and OpenedTo bound when it began, the second excluded.
	OpenedFrom, OpenedTo time.Time
	// Page is how many are asked for at once, 1 to 500; zero means 100.
	Page int
}

// Cases lists cases, those first of which most harm is to be expected. It asks for the next part when it
// is needed, and ends with the first error.
func (c *Client) Cases(ctx context.Context, f CaseFilter) iter.Seq2[vigil.Case, error] {
	q := url.Values{}
	set(q, "min", string(f.Min))
	set(q, "state", f.State)
	set(q, "owner", f.Owner)
	setTrue(q, "unowned", f.Unowned)
	set(q, "about", string(f.About))
	set(q, "place", f.Place)
	setTime(q, "opened_from", f.OpenedFrom)
	setTime(q, "opened_to", f.OpenedTo)
	return pages[vigil.Case](ctx, c, "/cases", q, f.Page, "cases")
}

// Case is a case and the end of its timeline.
type Case struct {
	vigil.Case
	// Events are the latest of EventsTotal, in order.
	Events      []vigil.CaseEvent `json:"events"`
	EventsTotal int               `json:"events_total"`
}

// Case gives one case.
func (c *Client) Case(ctx context.Context, id string) (x Case, err error) {
	err = c.do(ctx, request{method: http.MethodGet, path: path("cases", id)}, &x)
	return x, err
}

// CaseEvents lists a case's whole timeline, the oldest line first.
func (c *Client) CaseEvents(ctx context.Context, id string) iter.Seq2[vigil.CaseEvent, error] {
	return pages[vigil.CaseEvent](ctx, c, path("cases", id, "events"), url.Values{}, 0, "events")
}

// Colleague is somebody to whom a case can be given.
type Colleague struct {
	// By is their pseudonym.
	By    string   `json:"by"`
	Roles []string `json:"roles"`
}

// Colleagues lists those to whom a case can be given, but who asks.
func (c *Client) Colleagues(ctx context.Context) ([]Colleague, error) {
	var out struct{ Colleagues []Colleague }
	err := c.do(ctx, request{method: http.MethodGet, path: "/colleagues"}, &out)
	return out.Colleagues, err
}

// Done is a case after a deed.
type Done struct {
	// Text says what was done.
	Text string     `json:"text"`
	Case vigil.Case `json:"case"`
	// Question is what the person is asked, where they are.
	Question string `json:"question,omitempty"`
}

// On is a case as it was seen: with the revision, a deed is refused as stale where a
// person has changed the case since. Zero does not ask for that.
type On struct {
	Case string
	Seen int
}

func (c *Client) deed(ctx context.Context, on On, method, deed string, body any) (d Done, err error) {
	err = c.do(ctx, request{method: method, path: path("cases", on.Case, deed), body: body, seen: on.Seen}, &d)
	return d, err
}

type noted struct {
	Note string `json:"note,omitempty"`
}

// Acknowledge takes a case.
func (c *Client) Acknowledge(ctx context.Context, on On) (Done, error) {
	return c.deed(ctx, on, http.MethodPost, "acknowledge", noted{})
}

// Assign gives a case to the person of a pseudonym, empty for who asks.
func (c *Client) Assign(ctx context.Context, on On, to string) (Done, error) {
	return c.deed(ctx, on, http.MethodPost, "assign", struct {
		To string `json:"to,omitempty"`
	}{to})
}

// Snooze leaves a case alone for a while, at most vigil.MaxSnooze, unless it gets graver.
func (c *Client) Snooze(ctx context.Context, on On, length time.Duration) (Done, error) {
	return c.deed(ctx, on, http.MethodPost, "snooze", struct {
		For float64 `json:"for_seconds"`
	}{length.Seconds()})
}

// Note writes a note into a case's timeline.
func (c *Client) Note(ctx context.Context, on On, text string) (Done, error) {
	return c.deed(ctx, on, http.MethodPost, "note", noted{text})
}

// Aware says that who asks has become aware of a breach: the 72 hours begin.
func (c *Client) Aware(ctx context.Context, on On) (Done, error) {
	return c.deed(ctx, on, http.MethodPost, "aware", noted{})
}

type asking struct {
	Preview bool `json:"preview,omitempty"`
}

// Ask has the person asked in Slack whom a case is about: was this you, and what was it for.
// The answer comes into the case.
func (c *Client) Ask(ctx context.Context, on On) (Done, error) {
	return c.deed(ctx, on, http.MethodPost, "ask", asking{})
}

// Question tells what Ask would ask, and asks nobody. That somebody looked is on record.
func (c *Client) Question(ctx context.Context, id string) (string, error) {
	d, err := c.deed(ctx, On{Case: id}, http.MethodPost, "ask", asking{Preview: true})
	return d.Question, err
}

// Judge gives a verdict on a case, which resolves it.
func (c *Client) Judge(ctx context.Context, on On, word vigil.Word, note string) (Done, error) {
	return c.deed(ctx, on, http.MethodPut, "verdict", struct {
		Word vigil.Word `json:"word"`
		Note string     `json:"note,omitempty"`
	}{word, note})
}

// Reopen takes the verdict on a case back.
func (c *Client) Reopen(ctx context.Context, on On, note string) (Done, error) {
	return c.deed(ctx, on, http.MethodDelete, "verdict", noted{note})
}
