package redis

import (
	"errors"
	"sync"
)

// maxQueue bounds what waits to be handed over, in bytes; perLine is what a line costs
// beside its text.
const (
	maxQueue = 32 << 20
	perLine  = 64
)

// errBehind ends a connection whose lines were not handed over in time.
var errBehind = errors.New("read MONITOR: lines come faster than they are taken; the connection was ended, since the server would have kept them in its memory. The time until the next one is not watched")

// queue is between who reads and who hands over. What does not fit in ends it.
type queue struct {
	most int
	// ready has a value when there is something to take, or the end.
	ready chan struct{}

	mu    sync.Mutex
	lines []line
	size  int
	err   error
}

// line is one of MONITOR, with its time in microseconds since 1970 and the client's
// address, both zero when it has none. text is nil for our own: it tells the time alone.
type line struct {
	text   []byte
	micros int64
	addr   string
}

func newQueue(most int) *queue { return &queue{most: most, ready: make(chan struct{}, 1)} }

// put adds a line, or returns errBehind.
func (q *queue) put(l line) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	defer q.wake()
	if q.size += len(l.text) + perLine; q.size > q.most {
		return errBehind
	}
	q.lines = append(q.lines, l)
	return nil
}

// end says that nothing more comes, and why.
func (q *queue) end(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.err = err
	q.wake()
}

func (q *queue) wake() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

func (q *queue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.lines)
}

// take returns up to n lines in their order, and once all are taken why there are no more.
func (q *queue) take(n int) ([]line, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n = min(n, len(q.lines))
	out := q.lines[:n:n]
	for _, l := range out {
		q.size -= len(l.text) + perLine
	}
	if q.lines = q.lines[n:]; len(q.lines) == 0 {
		q.lines = nil // the room is let go
		return out, q.err
	}
	q.wake()
	return out, nil
}
