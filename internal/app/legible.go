package app

import (
	"fmt"
	"sync"
	"time"

	"vigil"
	"vigil/collectors"
	"vigil/internal/ledger"
)

const (
	// unreadLeast is how many records of an hour must be set aside to be told, and
	// unreadShare which part of the hour's.
	unreadLeast = 20
	unreadShare = 0.5
	// legibleShare is which part of a source's records was set aside at most while all
	// was well, of legibleLeast records at least.
	legibleShare = 0.01
	legibleLeast = 100
)

// legible watches which part of its records each source has set aside. A source of which
// nearly everything could be read, and now most can't, has another format than before:
// until someone looks it is as good as silent. It tells at most once an hour and source.
// It is safe for concurrent use, and holds as many sources as are configured.
type legible struct {
	mu      sync.Mutex
	sources map[string]*legibility
}

type legibility struct {
	// good and bad are the records of the past that could be read and could not.
	good, bad float64
	hour      time.Time
	// now are those of the present hour, ahead of bad those too far ahead of the clock.
	now  tally
	told tally // of now
}

type tally struct{ good, bad, ahead int64 }

// newLegible goes on from what the ledger has counted.
func newLegible(stats []ledger.SourceStats) *legible {
	l := &legible{sources: map[string]*legibility{}}
	for _, s := range stats {
		l.sources[s.Name] = &legibility{good: float64(s.Events), bad: float64(s.Quarantined)}
	}
	return l
}

// look says what a batch shows of its source. done is called once the batch is durable.
func (l *legible) look(b *collectors.Batch, now time.Time) (lapses []vigil.Lapse, done func()) {
	batch := tally{good: int64(len(b.Events)), bad: int64(len(b.Quarantined))}
	for i := range b.Quarantined {
		if b.Quarantined[i].Code == clockCode {
			batch.ahead++
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.sources[b.Source]
	if s == nil {
		s = &legibility{}
		l.sources[b.Source] = s
	}
	next := *s
	if hour := now.Truncate(time.Hour); hour.After(next.hour) {
		next.turn(hour)
	}
	next.now.good += batch.good
	next.now.bad += batch.bad
	next.now.ahead += batch.ahead
	lapses = next.tell(b.Source, now)
	return lapses, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		*s = next
	}
}

// turn begins an hour. One that was told does not become the usual.
func (s *legibility) turn(hour time.Time) {
	if s.told.bad == 0 {
		s.good += float64(s.now.good)
		s.bad += float64(s.now.bad)
	}
	// Of long ago less counts.
	if sum := s.good + s.bad; sum > 1e6 {
		s.good, s.bad = s.good*1e6/sum, s.bad*1e6/sum
	}
	s.hour, s.now, s.told = hour, tally{}, tally{}
}

func (s *legibility) tell(source string, now time.Time) []vigil.Lapse {
	n := s.now
	if s.told.bad != 0 || n.bad < unreadLeast || float64(n.bad) < unreadShare*float64(n.good+n.bad) {
		return nil
	}
	lapse := vigil.Lapse{Source: source, Start: s.hour, End: now, Missing: n.bad}
	switch past := s.good + s.bad; {
	case 2*n.ahead >= n.bad:
		lapse.Kind = vigil.LapseClock
		lapse.Text = fmt.Sprintf("Within an hour %d of its records were of a time that lies more than %d minutes ahead, and were set aside.", n.ahead, int(maxAhead.Minutes()))
	case past >= legibleLeast && s.bad < legibleShare*past:
		lapse.Kind = vigil.LapseUnread
		lapse.Text = fmt.Sprintf("Within an hour %d of %d records could not be read, where nearly all could before.", n.bad, n.good+n.bad)
	default:
		return nil
	}
	s.told = n
	return []vigil.Lapse{lapse}
}
