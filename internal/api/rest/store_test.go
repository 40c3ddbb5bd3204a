package rest_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	"vigil"
	"vigil/internal/api"
)

// store is the services in memory: what is not here panics when it is asked for.
type store struct {
	api.Reader
	api.Decider
	api.Silencer
	api.Reporter

	mu       sync.Mutex
	err      error // what each call returns
	findings []vigil.Finding
	case1    api.CaseView
	said     []api.Saying
	kept     map[string]api.DoneOnce
}

func at(day int) time.Time { return time.Date(2026, 10, day, 8, 0, 0, 0, time.UTC) }

// newStore holds n findings, the worst first.
func newStore(n int) *store {
	s := &store{kept: map[string]api.DoneOnce{}, case1: api.CaseView{Case: vigil.Case{ID: "c-1", Revision: 7, State: vigil.CaseNew, Severity: vigil.SeverityHigh, Findings: []string{"f-000"}}}}
	for i := range n {
		s.findings = append(s.findings, vigil.Finding{
			ID: fmt.Sprintf("f-%03d", i), Revision: 1, State: vigil.StateOpen, Severity: vigil.SeverityHigh, Harm: float64(n - i), Start: at(1), End: at(2), Detected: at(2),
		})
	}
	return s
}

func (s *store) Findings(_ context.Context, f api.FindingFilter) (page api.FindingPage, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	page.Total = len(s.findings)
	for i := range s.findings {
		x := &s.findings[i]
		if f.After != nil && x.Harm >= f.After.Weight {
			continue
		}
		if len(page.Findings) == f.Limit {
			last := page.Findings[f.Limit-1]
			page.Next = &api.FindingKey{Weight: last.Harm, ID: last.ID}
			break
		}
		page.Findings = append(page.Findings, *x)
	}
	return page, s.err
}

func (s *store) Finding(_ context.Context, id string) (vigil.Finding, error) {
	for _, f := range s.findings {
		if f.ID == id {
			return f, s.err
		}
	}
	return vigil.Finding{}, fmt.Errorf("finding %q: %w", id, api.ErrNotFound)
}

func (s *store) Cases(_ context.Context, f api.QueueFilter) (page api.CasePage, err error) {
	if f.State == "" || f.State == s.case1.Case.State {
		page.Cases, page.Total = []vigil.Case{s.case1.Case}, 1
	}
	return page, s.err
}

func (s *store) Case(_ context.Context, id string) (api.CaseView, error) {
	if id != s.case1.Case.ID {
		return api.CaseView{}, api.ErrNotFound
	}
	return s.case1, s.err
}

func (s *store) CaseEvents(_ context.Context, _ string, after int64, limit int) (out []vigil.CaseEvent, err error) {
	for _, e := range s.case1.Events {
		if e.N > after && len(out) < limit {
			out = append(out, e)
		}
	}
	return out, s.err
}

func (s *store) Status(context.Context) (api.Status, error) { return api.Status{Progress: -1}, s.err }

func (s *store) Decide(_ context.Context, x api.Saying) (vigil.Verdict, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch x.Finding {
	case "gone":
		return vigil.Verdict{}, fmt.Errorf("finding: %w", api.ErrNotFound)
	case "settled":
		return vigil.Verdict{}, fmt.Errorf("%w: nothing to take back", api.ErrRefused)
	case "own":
		return vigil.Verdict{}, api.ErrOwnCase
	case "taken":
		return vigil.Verdict{}, api.ErrStale
	}
	s.said = append(s.said, x)
	return vigil.Verdict{Finding: x.Finding, Word: x.Word, By: "actor-x", Time: at(3)}, s.err
}
