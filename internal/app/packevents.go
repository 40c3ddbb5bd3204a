package app

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"vigil"
	"vigil/internal/ledger"
	"vigil/internal/pack"
)

const (
	// packSlice is how many events are held in memory at once while a pack is made.
	packSlice = 50_000
	// packNarrowest is the shortest time that a slice may have.
	packNarrowest = time.Millisecond
)

// span is a question for events, and the time for which it is asked.
type span struct {
	ask      ledger.EventQuery
	from, to time.Time // from inclusive, to exclusive
}

func (s *span) query(from, to time.Time, limit int) ledger.EventQuery {
	q := s.ask
	q.From, q.To, q.Limit = from, to, limit
	if q.From.Before(s.from) {
		q.From = s.from
	}
	if q.To.After(s.to) {
		q.To = s.to
	}
	return q
}

func (s *span) overlaps(from, to time.Time) bool { return s.from.Before(to) && from.Before(s.to) }

// spansOf are the questions that the findings of a case ask; those about the same thing
// that overlap are one.
func spansOf(findings []vigil.Finding) []span {
	byTopic := map[string][]span{}
	var topics []string
	for i := range findings {
		f := &findings[i]
		q, ok := queryOf(f)
		if !ok {
			continue
		}
		topic := fmt.Sprintf("%s %q", f.Topic(), f.Actors)
		if byTopic[topic] == nil {
			topics = append(topics, topic)
		}
		byTopic[topic] = append(byTopic[topic], span{ask: q, from: pack.From(f), to: f.End.Add(1)})
	}
	var out []span
	for _, topic := range topics {
		all := byTopic[topic]
		slices.SortFunc(all, func(a, b span) int { return a.from.Compare(b.from) })
		out = append(out, all[0])
		for _, s := range all[1:] {
			last := &out[len(out)-1]
			if s.from.After(last.to) {
				out = append(out, s)
			} else if s.to.After(last.to) {
				last.to = s.to
			}
		}
	}
	return out
}

// eachCaseEvent hands over the events of findings in the order of time, each once. About
// packSlice of them are in memory at once: a time with more is cut in two.
func eachCaseEvent(ctx context.Context, l *ledger.Ledger, findings []vigil.Finding, yield func(*vigil.Event) error) error {
	spans := spansOf(findings)
	if len(spans) == 0 {
		return nil
	}
	from, to := spans[0].from, spans[0].to
	for _, s := range spans {
		if s.from.Before(from) {
			from = s.from
		}
		if s.to.After(to) {
			to = s.to
		}
	}
	return sliceOf(ctx, l, spans, from, to, yield)
}

func sliceOf(ctx context.Context, l *ledger.Ledger, spans []span, from, to time.Time, yield func(*vigil.Event) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var events []*vigil.Event
	total := 0
	for i := range spans {
		if !spans[i].overlaps(from, to) {
			continue
		}
		page, err := l.Events(ctx, spans[i].query(from, to, packSlice))
		if err != nil {
			return err
		}
		if page.Damaged > 0 {
			return fmt.Errorf("%d parts of the log between %s and %s are damaged: mend them first, or the pack would lack what is in them", page.Damaged, from, to)
		}
		if page.More && to.Sub(from) <= packNarrowest {
			return fmt.Errorf("%d accesses at %s are more than can be put in order: the pack would lack some", page.Total, from)
		}
		total += page.Total
		if total > packSlice && to.Sub(from) > packNarrowest {
			break
		}
		events = append(events, page.Events...)
	}
	if total > packSlice && to.Sub(from) > packNarrowest {
		// In as many parts as would each be half full, were the events spread evenly.
		n := time.Duration(min(1_000, 2*total/packSlice+1))
		step := max(to.Sub(from)/n, packNarrowest)
		for at := from; at.Before(to); at = at.Add(step) {
			end := at.Add(step)
			if end.After(to) {
				end = to
			}
			if err := sliceOf(ctx, l, spans, at, end, yield); err != nil {
				return err
			}
		}
		return nil
	}
	slices.SortStableFunc(events, func(a, b *vigil.Event) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.Source, b.Source), cmp.Compare(a.ID, b.ID))
	})
	for i, e := range events {
		if i > 0 && e.ID == events[i-1].ID && e.Source == events[i-1].Source {
			continue
		}
		if err := yield(e); err != nil {
			return err
		}
	}
	return nil
}
