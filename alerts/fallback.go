package alerts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"
)

// fallbackRest is how long a fallback that failed is left alone.
const fallbackRest = 30 * time.Second

// fallback is another way of telling, as one lane knows it.
type fallback struct {
	notifier Notifier
	hold     time.Time // not asked before
	last     time.Time // when it was asked last
}

// late reports whether a message will have waited too long by a time, or by the end of a
// send that begins then and takes as long as the last one that failed.
func (l *lane) late(it Item, by time.Time) bool {
	return by.Add(l.slow).After(it.Created.Add(l.cfg.FallbackAfter))
}

// giveToFallback delivers by a fallback in the notifier's stead.
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

// tellWaiting has a fallback tell what waits too long for a notifier that is held up. It looks through the outbox a few times in the time that messages may wait.
func (l *lane) tellWaiting(ctx context.Context, now time.Time) error {
	if len(l.fallbacks) == 0 || now.Sub(l.lastTell) < l.cfg.FallbackAfter/6 {
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
		if l.late(it, now) {
			l.tell(ctx, it, false)
		}
	}
	return nil
}

// tell gives a message to the first fallback that takes it, and reports whether it is
// told. Of what only waits for its notifier, one revision is enough; instead of the
// notifier, the fallback tells each revision, once.
func (l *lane) tell(ctx context.Context, it Item, eachRevision bool) bool {
	thread := it.Message.Thread()
	if id, ok := l.told[thread]; ok && (!eachRevision || id == it.Message.ID) {
		return true
	}
	for _, f := range l.fallbacks {
		if time.Now().Before(f.hold) {
			continue
		}
		key := f.notifier.Name() + "\x00" + thread
		m := it.Message
		m.Receipt, m.Parent, m.InDoubt = l.printed[key], "", false
		receipt, err := l.ask(ctx, f, m)
		if err != nil {
			if again(err) || refusesAll(err) {
				f.hold = time.Now().Add(fallbackRest)
			}
			l.log.Error("a fallback failed too", slog.String("fallback", f.notifier.Name()), slog.String("error", err.Error()))
			continue
		}
		remember(l.told, thread, it.Message.ID)
		remember(l.printed, key, receipt)
		l.count(func(s *Stats) { s.FellBack++ })
		return true
	}
	return false
}

// ask has a fallback tell a message, at its pace.
func (l *lane) ask(ctx context.Context, f *fallback, m Message) (receipt string, err error) {
	if p, ok := f.notifier.(Pacer); ok {
		if wait := time.Until(f.last.Add(p.Pace())); wait > 0 {
			timer := time.NewTimer(wait)
			defer timer.Stop()
			select {
			case <-timer.C:
			case <-ctx.Done():
				return "", ctx.Err()
			}
		}
	}
	f.last = time.Now()
	ctx, cancel := context.WithTimeout(ctx, l.cfg.SendTimeout)
	defer cancel()
	return l.notify(ctx, f.notifier, m)
}
