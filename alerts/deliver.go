package alerts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

// Item is one row of the outbox: a message for one notifier.
type Item struct {
	// ID names the row for the outbox.
	ID string
	// Message is what to tell. Its Receipt is that of the latest delivered
	// revision of the same thread, empty for the first. InDoubt is set while Begin
	// marked the thread and neither Done nor Failed followed, and as Failed left it.
	Message Message
	// Attempts is how often it was tried, Created when it was put in the outbox.
	Attempts int
	Created  time.Time
}

// Outbox is where messages wait. It outlives the process.
type Outbox interface {
	// Due returns up to max messages for the named notifier whose time has come,
	// the worst severity first and among equals the oldest. A row that a newer
	// revision has replaced does not come.
	Due(ctx context.Context, notifier string, now time.Time, max int) ([]Item, error)
	// Begin notes durably that a first send of the item begins: whoever reads the outbox
	// after a kill finds its message in doubt. So is a newer revision that takes its
	// place. It is called for notifiers that can look, and only then.
	Begin(ctx context.Context, notifier string, it Item) error
	// Done takes the item off and keeps its receipt for the thread. When a newer
	// revision has replaced the item meanwhile, that one stays.
	Done(ctx context.Context, notifier string, it Item, receipt string) error
	// Failed counts an attempt and lets the item rest until next. The thread is in doubt
	// from then on when the item's message is, else no more.
	Failed(ctx context.Context, notifier string, it Item, cause error, next time.Time) error
}

// Config holds the times by which a Deliverer works. Zero fields mean the
// defaults.
type Config struct {
	// MinBackoff and MaxBackoff bound the wait after a failure, which doubles
	// from the one to the other, give or take a fifth. Defaults 1 s and 15 s, so that
	// most of what waits is told within a minute of a channel's return, also when the last try hung.
	MinBackoff, MaxBackoff time.Duration
	// MaxAfter bounds what a notifier may ask to wait. Default 1 h.
	MaxAfter time.Duration
	// SendTimeout bounds one send. Default 20 s.
	SendTimeout time.Duration
	// FallbackAfter is how long a message may wait before a fallback tells it as
	// well. Default 45 s, so that it is told within a minute of a channel's end.
	FallbackAfter time.Duration
	// Poll is how often the outbox is asked when nothing wakes the Deliverer.
	// Default 2 s.
	Poll time.Duration
	// RetryRefused is how often a notifier that refuses everything is tried
	// again; meanwhile the fallback takes its messages. Default 10 min.
	RetryRefused time.Duration
	// Grace is how long a send in flight may go on after cancellation. Default 5 s.
	Grace time.Duration
}

func (c Config) withDefaults() Config {
	for _, d := range []struct {
		v *time.Duration
		d time.Duration
	}{
		{&c.MinBackoff, time.Second}, {&c.MaxBackoff, 15 * time.Second}, {&c.MaxAfter, time.Hour},
		{&c.SendTimeout, 20 * time.Second}, {&c.FallbackAfter, 45 * time.Second}, {&c.Poll, 2 * time.Second},
		{&c.RetryRefused, 10 * time.Minute}, {&c.Grace, 5 * time.Second},
	} {
		if *d.v <= 0 {
			*d.v = d.d
		}
	}
	c.MaxBackoff = max(c.MaxBackoff, c.MinBackoff)
	return c
}

// Options is what code passes.
type Options struct {
	// Outbox is where messages wait. Required.
	Outbox Outbox
	// Notifiers deliver; their names must differ. At least one is required.
	Notifiers []Notifier
	// Fallbacks tell what a notifier refuses or is too slow for: the first that takes
	// the message. One that fails is left alone for half a minute. A notifier is no
	// fallback of its own; one that is both is called by several goroutines. None means
	// that messages wait in the outbox.
	Fallbacks []Notifier
	// Templates change the words of cards; nil for none.
	Templates *Templates
	// Logger gets changes of standing; nil means none.
	Logger *slog.Logger
	// Seed makes the jitter repeatable.
	Seed uint64
}

// Stats counts what became of messages for one notifier since the start.
type Stats struct {
	// Sent were delivered, FellBack told by a fallback (a message may be both), Refused
	// turned down for good, Retries sends that failed for now. Found were in doubt, and
	// had been delivered.
	Sent, FellBack, Refused, Retries, Found int64
	// OutboxErrors counts calls of the outbox that failed.
	OutboxErrors int64
	// LastError is the latest failure's text, empty after a success.
	LastError string
}

// Deliverer takes messages from an outbox to notifiers.
type Deliverer struct {
	lanes []*lane
}

// NewDeliverer makes a Deliverer; Run starts it.
func NewDeliverer(cfg Config, opts Options) (*Deliverer, error) {
	if opts.Outbox == nil {
		return nil, errors.New("deliverer needs an outbox")
	}
	if len(opts.Notifiers) == 0 {
		return nil, errors.New("deliverer needs a notifier")
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	cfg = cfg.withDefaults()
	d := &Deliverer{}
	names := map[string]bool{}
	for i, n := range opts.Notifiers {
		if names[n.Name()] {
			return nil, fmt.Errorf("two notifiers are called %q", n.Name())
		}
		names[n.Name()] = true
		l := &lane{
			cfg: cfg, outbox: opts.Outbox, notifier: n, templates: opts.Templates,
			log:      opts.Logger.With(slog.String("notifier", n.Name())),
			rng:      rand.New(rand.NewPCG(opts.Seed, uint64(i))),
			wake:     make(chan struct{}, 1),
			unkept:   map[string]string{},
			receipts: map[string]string{},
			told:     map[string]string{},
			printed:  map[string]string{},
			doubt:    map[string]string{},
		}
		for _, f := range opts.Fallbacks {
			if f.Name() != n.Name() {
				l.fallbacks = append(l.fallbacks, &fallback{notifier: f})
			}
		}
		l.finder, _ = n.(Finder)
		if p, ok := n.(Pacer); ok {
			l.pace = max(0, p.Pace())
		}
		d.lanes = append(d.lanes, l)
	}
	return d, nil
}

// Run delivers until ctx is cancelled, and then returns nil once the sends in
// flight have ended, at the latest after Config.Grace. It is called once.
func (d *Deliverer) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for _, l := range d.lanes {
		wg.Go(func() { l.run(ctx) })
	}
	wg.Wait()
	return nil
}

// Wake says that the outbox has something new. It never blocks.
func (d *Deliverer) Wake() {
	for _, l := range d.lanes {
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}

// Stats tells what became of messages, by notifier's name.
func (d *Deliverer) Stats() map[string]Stats {
	out := make(map[string]Stats, len(d.lanes))
	for _, l := range d.lanes {
		l.mu.Lock()
		out[l.notifier.Name()] = l.stats
		l.mu.Unlock()
	}
	return out
}
