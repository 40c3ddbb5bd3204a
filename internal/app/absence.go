package app

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"vigil"
	"vigil/internal/ledger"
)

const (
	// absentAfter is how long nothing can have been taken in for it to be told to the log.
	absentAfter = time.Minute
	// pulse is how often is noted that the program runs and has room.
	pulse = "@every 10s"
)

// presence tells the log of times in which nobody listened to the sources: since the
// program was stopped or suspended, or had no room. What sources did not tell then is not
// their silence. It is told before anything else is taken in. It is safe for concurrent
// use.
type presence struct {
	ledger *ledger.Ledger
	now    func() time.Time
	// full says why there is no room, nil when there is.
	full func() *string

	mu   sync.Mutex
	last time.Time // when there was room the last time
}

// newPresence goes on from the newest entry of the log.
func newPresence(ctx context.Context, l *ledger.Ledger, now func() time.Time, full func() *string) (*presence, error) {
	last, err := l.LastAccepted(ctx)
	if err != nil {
		return nil, err
	}
	p := &presence{ledger: l, now: now, full: full, last: last}
	if last.IsZero() {
		p.last = p.clock()
	}
	return p, nil
}

// clock is the wall's: the one that runs on while a machine is suspended.
func (p *presence) clock() time.Time { return p.now().Round(0) }

// listening notes that it is listened now, and tells since when it was not.
func (p *presence) listening(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock()
	if now.Sub(p.last) > absentAfter {
		data, err := json.Marshal(vigil.Absence{From: p.last.UTC(), To: now.UTC()})
		if err != nil {
			return fmt.Errorf("encode absence: %w", err)
		}
		if _, err := p.ledger.AcceptControl(ctx, vigil.Control{Type: vigil.ControlAbsence, Data: data}); err != nil {
			return err
		}
	}
	if now.After(p.last) {
		p.last = now
	}
	return nil
}

// beat is the pulse. While there is no room, whoever gets some next tells of it.
func (p *presence) beat(ctx context.Context) error {
	if p.full() != nil {
		return nil
	}
	return p.listening(ctx)
}
