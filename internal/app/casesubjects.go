package app

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"vigil"
	"vigil/internal/api"
	"vigil/internal/ledger"
	"vigil/internal/subjects"
)

const (
	// countFresh is how long a case's count of customers is shown before it is made anew;
	// one that takes long is shown ten times as long as it takes.
	countFresh = time.Minute
	// maxCounts bounds the counts that are kept: each may hold subjects.MaxListed customers.
	maxCounts = 4
	// countMost bounds the making of one.
	countMost = 5 * time.Minute
)

// caseSubjects tells whose data a case's accesses touched. It is safe for concurrent use.
type caseSubjects struct {
	reader *reader
	// names are those that are revealed to who asks.
	names func(ctx context.Context, caseID string) (map[string]string, error)

	// making are the counts in the making.
	making sync.WaitGroup

	mu     sync.Mutex
	counts map[string]*counted // by what was counted
}

// counted is a count that is made, or being made.
type counted struct {
	done       chan struct{}
	began, end time.Time
	sum        api.TouchSum
	list       []api.Touched
	err        error
}

// CaseSubjects implements api.SubjectLister.
func (s *caseSubjects) CaseSubjects(ctx context.Context, id string, f api.TouchFilter) (api.TouchPage, error) {
	c, err := s.open(ctx, id, "whose data looked at")
	if err != nil {
		return api.TouchPage{}, err
	}
	sum, list, err := s.count(ctx, &c)
	if err != nil {
		return api.TouchPage{}, err
	}
	page := api.TouchPage{Case: c, Sum: sum}
	limit := min(cmp.Or(max(f.Limit, 0), 100), 1000)
	for i := range list {
		x := &list[i]
		if f.Touch != "" && x.Touch != f.Touch || f.Class != nil && !slices.Contains(x.Classes, *f.Class) {
			continue
		}
		page.Total++
		switch {
		case x.Subject <= f.After:
		case len(page.List) < limit:
			page.List = append(page.List, *x)
		case page.Next == "":
			page.Next = page.List[limit-1].Subject
		}
	}
	return page, nil
}

// ExportSubjects implements api.SubjectLister.
func (s *caseSubjects) ExportSubjects(ctx context.Context, id, form string) (vigil.Case, api.TouchSum, []api.Touched, error) {
	c, err := s.open(ctx, id, "whose data exported as "+form)
	if err != nil {
		return c, api.TouchSum{}, nil, err
	}
	sum, list, err := s.count(ctx, &c)
	if err != nil {
		return c, sum, nil, err
	}
	names, err := s.names(ctx, id)
	if err != nil || len(names) == 0 {
		return c, sum, list, err
	}
	list = slices.Clone(list) // the count is shown to others too
	for i := range list {
		list[i].Name = names[list[i].Subject]
	}
	return c, sum, list, nil
}

// open reads a case for who asks, and writes that down.
func (s *caseSubjects) open(ctx context.Context, id, what string) (vigil.Case, error) {
	r := s.reader
	c, err := r.app.ledger.Case(ctx, id)
	if err != nil {
		return c, err
	}
	if err := r.keepOff(ctx, &c); err != nil {
		return c, err
	}
	return c, r.record(ctx, what, "case "+id)
}

// involved reports whether a pseudonym is an actor or a customer of a case.
func (s *caseSubjects) involved(ctx context.Context, c *vigil.Case, pseudonym string) (bool, error) {
	if pseudonym == "" {
		return false, nil
	}
	found := pseudonym == c.Actor || pseudonym == c.Subject
	err := s.reader.app.ledger.CaseFindings(ctx, c.ID, func(f *vigil.Finding) {
		found = found || pseudonym == f.Actor || pseudonym == f.Subject || slices.Contains(f.Actors, pseudonym) || slices.Contains(f.SubjectIDs, pseudonym)
	})
	if err != nil || found {
		return found, err
	}
	_, list, err := s.count(ctx, c)
	if err != nil {
		return false, err
	}
	_, found = sort.Find(len(list), func(i int) int { return strings.Compare(pseudonym, list[i].Subject) })
	return found, nil
}

// count counts the customers of a case, once for who asks at the same time or soon after. A
// count goes on when who asked for it leaves, so that one of a huge case comes to its end.
func (s *caseSubjects) count(ctx context.Context, c *vigil.Case) (api.TouchSum, []api.Touched, error) {
	parts, told, err := s.parts(ctx, c)
	if err != nil {
		return api.TouchSum{}, nil, err
	}
	key := fmt.Sprint(parts)
	now := s.reader.app.opts.Now()
	s.mu.Lock()
	x := s.counts[key]
	if x == nil || x.stale(now) {
		x = &counted{done: make(chan struct{}), began: now}
		if s.counts == nil {
			s.counts = map[string]*counted{}
		}
		s.makeRoom(now)
		s.counts[key] = x
		s.making.Go(func() { s.make(context.WithoutCancel(ctx), x, parts, told) })
	}
	s.mu.Unlock()
	select {
	case <-x.done:
		return x.sum, x.list, x.err
	case <-ctx.Done():
		return api.TouchSum{}, nil, ctx.Err()
	}
}

// stale says that a count is to be made anew.
func (x *counted) stale(now time.Time) bool {
	select {
	case <-x.done:
		return x.err != nil || now.Sub(x.end) > max(countFresh, 10*x.end.Sub(x.began))
	default:
		return false
	}
}

// makeRoom drops the oldest counts that are made. It needs mu.
func (s *caseSubjects) makeRoom(now time.Time) {
	for key, x := range s.counts {
		if x.stale(now) {
			delete(s.counts, key)
		}
	}
	for len(s.counts) >= maxCounts {
		oldest := ""
		for key, x := range s.counts {
			if oldest == "" || x.began.Before(s.counts[oldest].began) {
				oldest = key
			}
		}
		delete(s.counts, oldest) // who waits for it has it still
	}
}

// make counts.
func (s *caseSubjects) make(ctx context.Context, x *counted, parts []casePart, told []toldOf) {
	a := s.reader.app
	ctx, cancel := context.WithTimeout(ctx, countMost)
	defer cancel()
	stop := context.AfterFunc(a.ending, cancel)
	defer stop()
	defer func() {
		if p := recover(); p != nil {
			x.err = fmt.Errorf("count customers: panic: %v", p)
		}
		x.end = a.opts.Now()
		close(x.done)
	}()
	columns := append(subjects.TouchColumns(), "actor", "tenant", "network")
	tally, damaged := subjects.New(0), 0
	for i, p := range parts {
		n, err := a.ledger.EachEvent(ctx, p.query, columns, func(e *vigil.Event) {
			// An access that belongs to several findings counts once.
			if !slices.ContainsFunc(parts[:i], func(before casePart) bool { return before.query.Match(e) }) {
				tally.Add(e, p.query.Subject)
			}
		})
		if damaged += n; err != nil {
			x.err = err
			return
		}
	}
	for i := range told {
		for _, id := range told[i].subjects {
			tally.Name(id, told[i].from, told[i].to)
		}
	}
	x.sum, x.list = tally.Done(damaged, a.opts.Now())
}

// casePart is some of the accesses of a case: those of what a finding is about, in its time.
type casePart struct{ query ledger.EventQuery }

// String tells parts apart.
func (p casePart) String() string {
	q := p.query
	tenant := "any"
	if q.Tenant != nil {
		tenant = fmt.Sprintf("%q", *q.Tenant)
	}
	return fmt.Sprintf("%q %q %q %q %s %d %d", q.Actor, q.Actors, q.Subject, q.Network, tenant, q.From.UnixNano(), q.To.UnixNano())
}

// toldOf are the customers whom a finding names itself: those of accesses that are no longer
// kept, and on whose behalf a bot acted.
type toldOf struct {
	subjects []string
	from, to time.Time
}

// parts are the accesses of a case by its findings; where none is kept any more, by what the
// case itself says. Findings about the same whose times overlap are one part. A source's
// findings are about no access.
func (s *caseSubjects) parts(ctx context.Context, c *vigil.Case) (out []casePart, told []toldOf, err error) {
	same := map[string][]casePart{}
	take := func(f *vigil.Finding) {
		q, ok := queryOf(f)
		if !ok || f.About == vigil.AboutSource {
			return
		}
		if ids := f.SubjectIDs; len(ids) > 0 && f.About != vigil.AboutSubject {
			told = append(told, toldOf{ids, f.Start, f.End})
		}
		q.Actors = slices.Sorted(slices.Values(q.Actors))
		who := casePart{q}.String()
		q.From, q.To = f.Start, f.End.Add(1)
		same[who] = append(same[who], casePart{q})
	}
	kept := false
	if err := s.reader.app.ledger.CaseFindings(ctx, c.ID, func(f *vigil.Finding) { kept = true; take(f) }); err != nil {
		return nil, nil, err
	}
	if !kept {
		f := ghost(c)
		take(&f)
	}
	for _, all := range same {
		slices.SortFunc(all, func(a, b casePart) int { return a.query.From.Compare(b.query.From) })
		one := all[0]
		for _, p := range all[1:] {
			if p.query.From.After(one.query.To) {
				out = append(out, one)
				one = p
			} else if p.query.To.After(one.query.To) {
				one.query.To = p.query.To
			}
		}
		out = append(out, one)
	}
	slices.SortFunc(out, func(a, b casePart) int { return strings.Compare(a.String(), b.String()) })
	return out, told, nil
}

var _ api.SubjectLister = (*caseSubjects)(nil)
