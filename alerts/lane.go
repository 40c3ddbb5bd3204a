package alerts

import (
	"cmp"
	"context"
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
	finder   Finder // the notifier, when it can look; else nil
	log      *slog.Logger
	rng      *rand.Rand
	pace     time.Duration
	wake     chan struct{}

	templates *Templates
	fallbacks []*fallback

	// Only the lane's goroutine touches these.
	failures int           // sends that failed since one succeeded
	slow     time.Duration // how long the last of them took
	hold     time.Time     // no send before it
	refused  bool          // the notifier refuses everything; tried again after hold
	lastLog  string        // the failure that was logged last
	lastTell time.Time     // when waiting messages were looked through last

	// unkept has receipts of messages that were sent but that the outbox could not
	// mark as done, so that they are not sent again; receipts has them by thread,
	// so that a later revision still edits. told has the messages that a fallback
	// told, by thread, and printed its receipts, by fallback and thread. doubt has the
	// threads in doubt. All are bounded by memoryMax, and only spare duplicates: losing
	// them loses no message.
	unkept, receipts, told, printed, doubt map[string]string

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

// worstFirst orders by severity, then harm, then age. What has no severity ranks with
// the mildest. Edits of what is told already, and replies below it, come after what is
// not yet told, so that one finding that grows each second does not hold back a new one
// and a reply comes after its card.
func worstFirst(a, b Item) int {
	return cmp.Or(
		cmp.Compare(edit(&a.Message), edit(&b.Message)),
		cmp.Compare(rank(&b.Message), rank(&a.Message)),
		cmp.Compare(harm(&b.Message), harm(&a.Message)),
		a.Created.Compare(b.Created),
	)
}

func edit(m *Message) int {
	if m.Receipt != "" || m.Kind == KindReply {
		return 1
	}
	return 0
}

func rank(m *Message) int { return max(1, m.Severity().Rank()) }

func harm(m *Message) float64 {
	switch {
	case m.Case != nil:
		return m.Case.Harm
	case m.Finding != nil:
		return m.Finding.Harm
	}
	return 0
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
		began := time.Now()
		receipt, err = l.attempt(sctx, &it)
		if err != nil {
			l.slow = time.Since(began)
			return l.failed(sctx, it, err)
		}
		l.hold = began.Add(l.pace)
		l.failures, l.slow, l.refused = 0, 0, false
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
	delete(l.doubt, it.Message.Thread())
	return nil
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

// notify has a notifier tell a message, in the user's words.
func (l *lane) notify(ctx context.Context, n Notifier, m Message) (receipt string, err error) {
	defer l.caught(n.Name(), &err)
	m.Words = l.templates.Words(n.Name(), m)
	return n.Notify(ctx, m)
}

// caught is deferred around foreign code: a panic in it becomes an error, and its message
// one that is refused.
func (l *lane) caught(name string, err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("notifier %s panicked: %q", name, fmt.Sprint(r))
		l.log.Error("a notifier panicked", slog.String("panicked", name), slog.String("stack", string(debug.Stack())))
	}
}
