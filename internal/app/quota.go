package app

import (
	"fmt"
	"sync"
	"time"

	"vigil/collectors"
)

// quotaBurst is for how long a source may save up what it did not use.
const quotaBurst = time.Minute

// quota bounds what one source may bring, in events a second. A batch is never cut: one
// that is too much is taken, and what follows waits until it is made good. It is safe for
// concurrent use.
type quota struct {
	rate float64
	now  func() time.Time

	mu   sync.Mutex // guards all below
	left float64
	at   time.Time
}

// newQuota returns nil for a rate of zero: no bound.
func newQuota(rate float64, now func() time.Time) *quota {
	if rate <= 0 {
		return nil
	}
	return &quota{rate: rate, now: now, left: rate * quotaBurst.Seconds(), at: now()}
}

// overQuota says that a source brings more than it may.
type overQuota struct {
	source string
	rate   float64
	wait   time.Duration
}

func (e *overQuota) Error() string {
	return fmt.Sprintf("source %q brings more than its quota of %g events/s", e.source, e.rate)
}

// RetryAfter implements collectors.Later.
func (e *overQuota) RetryAfter() time.Duration { return e.wait }

// check tells whether the source may bring more now.
func (q *quota) check(source string) error {
	if q == nil {
		return nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.refill()
	if q.left > 0 {
		return nil
	}
	wait := time.Duration((1 - q.left) / q.rate * float64(time.Second))
	return &overQuota{source: source, rate: q.rate, wait: max(wait, 100*time.Millisecond)}
}

// took counts what came in.
func (q *quota) took(n int) {
	if q == nil {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.refill()
	q.left -= float64(n)
}

func (q *quota) refill() {
	now := q.now()
	if past := now.Sub(q.at); past > 0 {
		q.left = min(q.left+q.rate*past.Seconds(), q.rate*quotaBurst.Seconds())
		q.at = now
	}
}

var _ collectors.Later = (*overQuota)(nil)
