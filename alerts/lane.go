package alerts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

const (
	// dueMax is how many due messages are looked at for the worst one.
	dueMax = 16
	// tellMax is how many waiting messages the fallback prints at most while a
	// notifier is held up: the worst ones.
	tellMax = 1000
	// memoryMax bounds what a lane remembers of single messages.
	memoryMax = 4096
)

// lane is one notifier's goroutine: it sends one message at a time.
type lane struct {
	cfg      Config
	outbox   Outbox
	notifier Notifier
	fallback Notifier
	log      *slog.Logger
	rng      *rand.Rand
	pace     time.Duration
	wake     chan struct{}

	// Only the lane's goroutine touches these.
	failures int       // sends that failed since one succeeded
	hold     time.Time // no send before it
	refused  bool      // the notifier refuses everything; tried again after hold
	lastLog  string    // the failure that was logged last
	lastTell time.Time // when waiting messages were looked through last

	// unkept has receipts of messages that were sent but that the outbox could not
	// mark as done, so that they are not sent again; receipts has them by thread,
	// so that a later revision still edits. told has the messages that the fallback
	// printed, by thread, and printed its receipts. All are bounded by memoryMax,
	// and only spare duplicates: losing them loses no message.
	unkept, receipts, told, printed map[string]string

	mu    sync.Mutex // guards stats
	stats Stats
}

func (l *lane) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.wake:
		case <-timer.C:
		}
		wait := l.cfg.Poll
		for ctx.Err() == nil {
			more, err := l.step(ctx)
			if err != nil && ctx.Err() == nil {
				l.count(func(s *Stats) { s.OutboxErrors++; s.LastError = err.Error() })
				l.say(slog.LevelError, "the outbox fails; messages wait", err)
				break
			}
			if !more {
				break
			}
		}
		if !l.refused {
			if h := time.Until(l.hold); h > 0 {
				wait = min(wait, h)
			}
		}
		timer.Reset(max(wait, time.Millisecond))
	}
}

// step sends at most one message. It reports whether there may be another to
// send now; an error is the outbox's.
func (l *lane) step(ctx context.Context) (more bool, err error) {
	now := time.Now()
	items, err := l.outbox.Due(ctx, l.notifier.Name(), now, dueMax)
	if err != nil {
		return false, fmt.Errorf("read the outbox: %w", err)
	}
	if len(items) == 0 {
		return false, nil
	}
	slices.SortStableFunc(items, worstFirst)
	held := now.Before(l.hold)
	switch {
	case held && l.refused:
		return true, l.giveToFallback(ctx, items[0], nil)
	case held:
		return false, l.tellWaiting(ctx, now)
	}
	return l.send(ctx, items[0])
}

// worstFirst orders by severity, then harm, then age. A digest ranks with the
// mildest findings. Edits of what is told already come after what is not yet
// told, so that one finding that grows each second does not hold back a new one.
func worstFirst(a, b Item) int {
	return cmp.Or(
		cmp.Compare(edit(&a.Message), edit(&b.Message)),
		cmp.Compare(rank(&b.Message), rank(&a.Message)),
		cmp.Compare(harm(&b.Message), harm(&a.Message)),
		a.Created.Compare(b.Created),
	)
}

func edit(m *Message) int {
	if m.Receipt != "" {
		return 1
	}
	return 0
}

func rank(m *Message) int {
	if m.Finding == nil {
		return 1
	}
	return m.Finding.Severity.Rank()
}

func harm(m *Message) float64 {
	if m.Finding == nil {
		return 0
	}
	return m.Finding.Harm
}

func (l *lane) send(ctx context.Context, it Item) (more bool, err error) {
	// A send in flight outlives cancellation for a moment: a message that is
	// posted without its receipt being kept would be posted again.
	sctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.cfg.SendTimeout)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(l.cfg.Grace, cancel) })
	defer stop()

	receipt, sent := l.unkept[it.Message.ID]
	if !sent {
		m := it.Message
		if m.Receipt == "" {
			m.Receipt = l.receipts[m.Thread()]
		}
		began := time.Now()
		receipt, err = l.notify(sctx, l.notifier, m)
		if err != nil {
			return l.failed(sctx, it, err)
		}
		l.hold = began.Add(l.pace)
		l.failures, l.refused = 0, false
		l.count(func(s *Stats) { s.Sent++; s.LastError = "" })
		if l.lastLog != "" {
			l.lastLog = ""
			l.log.Info("messages are delivered again")
		}
	}
	delete(l.told, it.Message.Thread())
	if err := l.done(sctx, it, receipt); err != nil {
		return false, err
	}
	return true, nil
}

// done records a delivery. Where the outbox fails, the receipt is kept here.
func (l *lane) done(ctx context.Context, it Item, receipt string) error {
	if err := l.outbox.Done(ctx, l.notifier.Name(), it, receipt); err != nil {
		remember(l.unkept, it.Message.ID, receipt)
		remember(l.receipts, it.Message.Thread(), receipt)
		return fmt.Errorf("record a delivery in the outbox: %w", err)
	}
	delete(l.unkept, it.Message.ID)
	delete(l.receipts, it.Message.Thread())
	return nil
}

// failed decides what happens to a message that could not be sent.
func (l *lane) failed(ctx context.Context, it Item, cause error) (more bool, err error) {
	now := time.Now()
	var retry *RetryError
	if errors.As(cause, &retry) || errors.Is(cause, context.DeadlineExceeded) || errors.Is(cause, context.Canceled) {
		l.failures++
		wait := l.backoff(l.failures)
		if retry != nil && retry.After > 0 {
			wait = max(wait, min(retry.After, l.cfg.MaxAfter))
		}
		l.hold = now.Add(wait)
		// The message itself rests a little longer than the notifier, so that
		// the next try is with another one: a single message that always fails
		// must not hold up the rest.
		next := l.hold.Add(max(l.pace, l.cfg.MinBackoff))
		if own := now.Add(l.backoff(it.Attempts + 1)); own.After(next) {
			next = own
		}
		l.count(func(s *Stats) { s.Retries++; s.LastError = cause.Error() })
		l.say(slog.LevelWarn, "a message could not be sent; it is tried again", cause)
		if next.After(it.Created.Add(l.cfg.FallbackAfter)) {
			l.tell(ctx, it, false)
		}
		if err := l.outbox.Failed(ctx, l.notifier.Name(), it, cause, next); err != nil {
			return false, fmt.Errorf("record a failure in the outbox: %w", err)
		}
		return false, nil
	}

	var refused *RefusedError
	if errors.As(cause, &refused) && refused.All {
		l.refused, l.hold = true, now.Add(l.cfg.RetryRefused)
	}
	l.count(func(s *Stats) { s.Refused++; s.LastError = cause.Error() })
	l.say(slog.LevelError, "a message was refused for good; it is printed instead", cause)
	return true, l.giveToFallback(ctx, it, cause)
}

// giveToFallback delivers by the fallback in the notifier's stead.
func (l *lane) giveToFallback(ctx context.Context, it Item, cause error) error {
	if cause == nil {
		cause = errors.New("the notifier refuses all messages")
	}
	if l.tell(ctx, it, true) {
		return l.done(ctx, it, it.Message.Receipt)
	}
	// Without a fallback that works the message is not lost: it waits.
	if err := l.outbox.Failed(ctx, l.notifier.Name(), it, cause, time.Now().Add(l.cfg.RetryRefused)); err != nil {
		return fmt.Errorf("record a failure in the outbox: %w", err)
	}
	return nil
}

// tellWaiting prints what waits too long for a notifier that is held up. It
// looks through the outbox a few times in the time that messages may wait.
func (l *lane) tellWaiting(ctx context.Context, now time.Time) error {
	if l.fallback == nil || now.Sub(l.lastTell) < l.cfg.FallbackAfter/6 {
		return nil
	}
	l.lastTell = now
	items, err := l.outbox.Due(ctx, l.notifier.Name(), now, tellMax)
	if err != nil {
		return fmt.Errorf("read the outbox: %w", err)
	}
	slices.SortStableFunc(items, worstFirst)
	for _, it := range items {
		if err := ctx.Err(); err != nil {
			return err
		}
		if now.Sub(it.Created) >= l.cfg.FallbackAfter {
			l.tell(ctx, it, false)
		}
	}
	return nil
}

// tell prints a message by the fallback, and reports whether it is told. Of what
// only waits for its notifier, one revision is enough; instead of the notifier,
// the fallback tells each revision, once.
func (l *lane) tell(ctx context.Context, it Item, eachRevision bool) bool {
	if l.fallback == nil {
		return false
	}
	thread := it.Message.Thread()
	if id, ok := l.told[thread]; ok && (!eachRevision || id == it.Message.ID) {
		return true
	}
	m := it.Message
	m.Receipt = l.printed[thread]
	receipt, err := l.notify(ctx, l.fallback, m)
	if err != nil {
		l.log.Error("the fallback failed too", slog.String("error", err.Error()))
		return false
	}
	remember(l.told, thread, it.Message.ID)
	remember(l.printed, thread, receipt)
	l.count(func(s *Stats) { s.FellBack++ })
	return true
}

// backoff is the wait after the n-th failure in a row, from 1, with a jitter of
// a fifth.
func (l *lane) backoff(n int) time.Duration {
	d := l.cfg.MaxBackoff
	if n < 32 {
		if e := l.cfg.MinBackoff << (n - 1); e > 0 && e < d {
			d = e
		}
	}
	return time.Duration(float64(d) * (0.8 + 0.4*l.rng.Float64()))
}

func (l *lane) count(f func(*Stats)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(&l.stats)
}

// say logs a failure when it differs from the last one.
func (l *lane) say(level slog.Level, msg string, err error) {
	if text := err.Error(); text != l.lastLog {
		l.lastLog = text
		l.log.Log(context.Background(), level, msg, slog.String("error", text))
	}
}

func remember(m map[string]string, k, v string) {
	if len(m) >= memoryMax {
		clear(m)
	}
	m[k] = v
}

// notify calls foreign code: a panic in it becomes an error, and its message one
// that is refused.
func (l *lane) notify(ctx context.Context, n Notifier, m Message) (receipt string, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("notifier %s panicked: %q", n.Name(), fmt.Sprint(r))
			l.log.Error("a notifier panicked", slog.String("panicked", n.Name()), slog.String("stack", string(debug.Stack())))
		}
	}()
	return n.Notify(ctx, m)
}
