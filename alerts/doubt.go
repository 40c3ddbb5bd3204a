package alerts

import (
	"context"
	"errors"
	"log/slog"
)

// attempt sends one message once. A first send whose outcome would not be known after a
// kill is noted in the outbox before; one that is in doubt already is looked for, and
// what is found is edited instead of sent again. The item says on return whether it is in
// doubt.
func (l *lane) attempt(ctx context.Context, it *Item) (receipt string, err error) {
	m := it.Message
	thread := m.Thread()
	if m.Receipt == "" {
		m.Receipt = l.receipts[thread]
	}
	if l.finder == nil || m.Receipt != "" {
		it.Message.InDoubt = false
		return l.notify(ctx, l.notifier, m)
	}

	found := false
	if _, ok := l.doubt[thread]; m.InDoubt || ok {
		m.InDoubt = true
		receipt, err := l.find(ctx, m)
		switch {
		case err != nil && again(err):
			l.doubts(it, true)
			return "", err
		case err != nil:
			// It can't be told whether it was delivered; twice is better than not at all.
			l.log.Warn("a message in doubt can't be looked for; it is sent again", slog.String("error", err.Error()))
		case receipt != "":
			l.count(func(s *Stats) { s.Found++ })
			if m.Kind == KindReply {
				l.doubts(it, false)
				return receipt, nil // replies do not change
			}
			found, m.Receipt = true, receipt
			remember(l.receipts, thread, receipt)
		}
	}
	if !found {
		if err := l.outbox.Begin(ctx, l.notifier.Name(), *it); err != nil {
			// A message that may come twice is better than one that waits for a disk.
			l.count(func(s *Stats) { s.OutboxErrors++ })
			l.log.Warn("the outbox can't note that a message is being sent", slog.String("error", err.Error()))
		}
	}
	receipt, err = l.notify(ctx, l.notifier, m)
	l.doubts(it, err != nil && (found || unsure(err)))
	return receipt, err
}

// doubts notes whether an item's thread is in doubt.
func (l *lane) doubts(it *Item, is bool) {
	it.Message.InDoubt = is
	if is {
		remember(l.doubt, it.Message.Thread(), "")
	} else {
		delete(l.doubt, it.Message.Thread())
	}
}

// find looks whether a message was delivered.
func (l *lane) find(ctx context.Context, m Message) (receipt string, err error) {
	defer l.caught(l.notifier.Name(), &err)
	return l.finder.Find(ctx, m)
}

// again reports whether an error is for now only.
func again(err error) bool {
	var retry *RetryError
	return errors.As(err, &retry) || cutOff(err)
}

// unsure reports whether a message may have been delivered in spite of the error.
func unsure(err error) bool {
	var retry *RetryError
	return errors.As(err, &retry) && retry.InDoubt || cutOff(err)
}

func cutOff(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}
