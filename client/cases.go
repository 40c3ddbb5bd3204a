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
	// Page is how many are asked for at once, 1 to 500; zero means 100.
	Page int
}

// Cases lists cases, those first that may do most harm. It asks for the next part when it
// is needed, and ends with the first error.
func (c *Client) Cases(ctx context.Context, f CaseFilter) iter.Seq2[vigil.Case, error] {
	q := url.Values{}
	set(q, "min", string(f.Min))
	set(q, "state", f.State)
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

// Done is a case after a deed.
type Done struct {
	// Text says what was done.
	Text string     `json:"text"`
	Case vigil.Case `json:"case"`
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
