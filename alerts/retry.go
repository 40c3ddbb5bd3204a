package alerts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// failed decides what happens to a message that could not be sent.
func (l *lane) failed(ctx context.Context, it Item, cause error) (more bool, err error) {
	now := time.Now()
	var retry *RetryError
	if errors.As(cause, &retry) || cutOff(cause) {
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
		if l.late(it, next) {
			l.tell(ctx, it, false)
		}
		if err := l.outbox.Failed(ctx, l.notifier.Name(), it, cause, next); err != nil {
			return false, fmt.Errorf("record a failure in the outbox: %w", err)
		}
		return false, nil
	}

	if refusesAll(cause) {
		l.refused, l.hold = true, now.Add(l.cfg.RetryRefused)
	}
	l.count(func(s *Stats) { s.Refused++; s.LastError = cause.Error() })
	l.say(slog.LevelError, "a message was refused for good; it is printed instead", cause)
	return true, l.giveToFallback(ctx, it, cause)
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

func refusesAll(err error) bool {
	var refused *RefusedError
	return errors.As(err, &refused) && refused.All
}
