package sample

import (
	"context"
	"slices"
	"sync"

	"vigil"
	"vigil/internal/api"
)

// Reader answers from memory. It is safe for concurrent use.
type Reader struct {
	mu       sync.Mutex
	findings []vigil.Finding
	events   map[string][]*vigil.Event
	cases    []api.CaseView
	status   api.Status
	err      error
	hostile  func(any)
	calls    map[string]int
	seen     map[string]bool // cases
}

var _ api.Reader = (*Reader)(nil)

// NewReader holds the findings given, with 120 events each.
func NewReader(findings ...vigil.Finding) *Reader {
	r := &Reader{events: map[string][]*vigil.Event{}, calls: map[string]int{}, seen: map[string]bool{}, status: Status()}
	for _, f := range slices.Backward(findings) {
		r.Add(f)
	}
	return r
}

// Add puts a finding at the head of the queue.
func (r *Reader) Add(f vigil.Finding) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.findings = append([]vigil.Finding{f}, r.findings...)
	if r.events[f.ID] == nil && f.About != "" {
		r.events[f.ID] = Events(&f, 120)
	}
}

// SetEvents replaces the events of a finding.
func (r *Reader) SetEvents(id string, events []*vigil.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events[id] = events
}

// SetStatus replaces the program's state.
func (r *Reader) SetStatus(s api.Status) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = s
}

// Fail makes every call return err, until it is nil again.
func (r *Reader) Fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
}

// Calls tells how often the method of that name was called.
func (r *Reader) Calls(method string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.calls[method]
}

// begin counts a call and returns the error it must answer with.
func (r *Reader) begin(ctx context.Context, method string) error {
	r.calls[method]++
	if r.err != nil {
		return r.err
	}
	return ctx.Err()
}

// Status implements api.Reader.
func (r *Reader) Status(ctx context.Context) (api.Status, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.status, r.begin(ctx, "Status")
}

// Findings implements api.Reader; the order is that of adding, newest first.
func (r *Reader) Findings(ctx context.Context, f api.FindingFilter) (api.FindingPage, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.begin(ctx, "Findings"); err != nil {
		return api.FindingPage{}, err
	}
	var all []vigil.Finding
	for _, x := range r.findings {
		if x.Severity.Rank() < f.MinSeverity.Rank() || (f.State != "" && x.State != f.State) {
			continue
		}
		all = append(all, x)
	}
	limit := f.Limit
	if limit == 0 {
		limit = 200
	}
	from := min(f.Offset, len(all))
	page := api.FindingPage{Findings: all[from:min(from+limit, len(all))], Total: len(all), Cases: map[string]vigil.Case{}}
	for i := range page.Findings {
		if c := r.caseOf(page.Findings[i].ID); c != nil {
			page.Cases[page.Findings[i].ID] = c.Case
		}
	}
	return page, nil
}

// Finding implements api.Reader.
func (r *Reader) Finding(ctx context.Context, id string) (vigil.Finding, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.begin(ctx, "Finding"); err != nil {
		return vigil.Finding{}, err
	}
	for _, f := range r.findings {
		if f.ID == id {
			return f, nil
		}
	}
	return vigil.Finding{}, api.ErrNotFound
}

// FindingEvents implements api.Reader.
func (r *Reader) FindingEvents(ctx context.Context, id string, offset, limit int) (api.EventPage, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.begin(ctx, "FindingEvents"); err != nil {
		return api.EventPage{}, err
	}
	all := r.events[id]
	from := min(offset, len(all))
	to := min(from+limit, len(all))
	return api.EventPage{Events: all[from:to], Total: len(all), More: to < len(all)}, nil
}

// FindingTimeline implements api.Reader.
func (r *Reader) FindingTimeline(ctx context.Context, id string) (api.Timeline, error) {
	f, err := r.Finding(ctx, id)
	if err != nil {
		return api.Timeline{}, err
	}
	return Timeline(&f), nil
}
