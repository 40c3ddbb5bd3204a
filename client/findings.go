package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"vigil"
	"vigil/internal/api"
)

// FindingFilter narrows a list of findings. The zero filter lists all.
type FindingFilter struct {
	// Min leaves out milder ones; State is open or closed, empty for both.
	Min   vigil.Severity
	State vigil.FindingState
	// DetectedFrom and DetectedTo bound when they were declared, the second excluded.
	DetectedFrom, DetectedTo time.Time
	// Page is how many are asked for at once, 1 to 500; zero means 100.
	Page int
}

// Findings lists findings, those first that may do most harm. It asks for the next part
// when it is needed, and ends with the first error.
func (c *Client) Findings(ctx context.Context, f FindingFilter) iter.Seq2[vigil.Finding, error] {
	q := url.Values{}
	set(q, "min", string(f.Min))
	set(q, "state", string(f.State))
	setTime(q, "detected_from", f.DetectedFrom)
	setTime(q, "detected_to", f.DetectedTo)
	return pages[vigil.Finding](ctx, c, "/findings", q, f.Page, "findings")
}

// Finding gives one finding.
func (c *Client) Finding(ctx context.Context, id string) (f vigil.Finding, err error) {
	err = c.do(ctx, request{method: http.MethodGet, path: path("findings", id)}, &f)
	return f, err
}

// GiveVerdict says what a finding was.
func (c *Client) GiveVerdict(ctx context.Context, finding string, word vigil.Word, note string) (vigil.Verdict, error) {
	return c.Say(ctx, finding, Saying{Word: word, Note: note})
}

// Saying is a verdict.
type Saying = api.Saying

// Say gives a verdict, or takes the one in force back where the saying has no word.
func (c *Client) Say(ctx context.Context, finding string, s Saying) (v vigil.Verdict, err error) {
	q := request{method: http.MethodPut, path: path("findings", finding, "verdict"), body: s}
	if s.Word == "" {
		q.method, q.body = http.MethodDelete, undoing{By: s.By, Note: s.Note}
	}
	err = c.do(ctx, q, &v)
	return v, err
}

// TakeVerdictBack takes the verdict on a finding back.
func (c *Client) TakeVerdictBack(ctx context.Context, finding string) (vigil.Verdict, error) {
	return c.Say(ctx, finding, Saying{})
}

// Judged lists the findings with a verdict, the newest first.
func (c *Client) Judged(ctx context.Context) ([]vigil.Finding, error) {
	var out struct{ Findings []vigil.Finding }
	err := c.do(ctx, request{method: http.MethodGet, path: "/verdicts"}, &out)
	return out.Findings, err
}

// undoing takes something back.
type undoing struct {
	By   string `json:"by,omitempty"`
	Note string `json:"note,omitempty"`
}

func set(q url.Values, name, value string) {
	if value != "" {
		q.Set(name, value)
	}
}

func setTrue(q url.Values, name string, yes bool) {
	if yes {
		q.Set(name, "true")
	}
}

func setTime(q url.Values, name string, t time.Time) {
	if !t.IsZero() {
		q.Set(name, t.UTC().Format(time.RFC3339Nano))
	}
}

func setCount(q url.Values, name string, n int) {
	if n > 0 {
		q.Set(name, strconv.Itoa(n))
	}
}
