package app

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"vigil/alerts"
)

// troubles are what is wrong with ways to tell, by name, for the operator.
type troubles struct {
	mu  sync.Mutex
	all map[string]string // guarded by mu
}

func (t *troubles) set(name, text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.all == nil {
		t.all = map[string]string{}
	}
	if text == "" {
		delete(t.all, name)
		return
	}
	t.all[name] = text
}

func (t *troubles) clear() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all = nil
}

// list says them, sorted by name.
func (t *troubles) list() (out []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(t.all)) {
		out = append(out, fmt.Sprintf("%s can't be used: %s.", name, alerts.Cut(alerts.Clean(t.all[name]), 300)))
	}
	return out
}

// checkWays tries each way to tell once, at start, so that a wrong token shows before the
// first finding. What is told of it goes by the fallback meanwhile.
func (a *App) checkWays(ctx context.Context, w *ways) {
	for _, n := range w.notifiers {
		if _, ok := bare(n).(checker); !ok {
			continue
		}
		a.checking.Go(func() {
			limited, cancel := context.WithTimeout(ctx, liveTime)
			defer cancel()
			note, err := tryNotifier(limited, n)
			switch {
			case ctx.Err() != nil: // nobody waits for it any more
			case err == nil && note != "":
				a.logger.Warn("a way to tell works, and yet there is something to know", "channel", n.Name(), "note", note)
			case err != nil:
				a.logger.Warn("a way to tell can't be used as it is; what it can't tell goes by the fallback", "channel", n.Name(), "error", err.Error())
				a.troubles.set("Channel "+n.Name(), err.Error())
			}
		})
	}
}

// watchWays keeps what is wrong with ways to tell up to date by what becomes of messages.
func (a *App) watchWays(ctx context.Context, d *alerts.Deliverer) error {
	tick := time.NewTicker(waysLook)
	defer tick.Stop()
	sent := map[string]int64{}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		for name, s := range d.Stats() {
			switch {
			case s.LastError != "":
				a.troubles.set("Channel "+name, s.LastError)
			case s.Sent > sent[name]:
				a.troubles.set("Channel "+name, "")
			}
			sent[name] = s.Sent
		}
	}
}

// waysLook is how often it is looked at how messages fare.
const waysLook = 5 * time.Second
