package alerts_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"vigil"
	"vigil/alerts"
)

// pass lets a bubble's clock run on.
func pass(d time.Duration) { <-time.After(d) }

// row is one row of the memory outbox.
type row struct {
	item alerts.Item
	due  time.Time
}

// outbox keeps rows as the ledger does: one per thread, a newer revision in the
// place of an undelivered older one.
type outbox struct {
	mu       sync.Mutex // guards all
	n        int
	rows     []row
	receipts map[string]string
	failDone int // so many calls of Done fail
	failDue  int
	doubt    map[string]bool // threads

	failBegin int
}

func newOutbox() *outbox { return &outbox{receipts: map[string]string{}, doubt: map[string]bool{}} }

func (o *outbox) add(m alerts.Message) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.n++
	it := alerts.Item{ID: fmt.Sprint(o.n), Message: m, Created: time.Now()}
	for i := range o.rows {
		if o.rows[i].item.Message.Thread() == m.Thread() {
			o.rows[i] = row{it, time.Now()}
			return
		}
	}
	o.rows = append(o.rows, row{it, time.Now()})
}

func (o *outbox) Due(_ context.Context, _ string, now time.Time, max int) ([]alerts.Item, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.failDue > 0 {
		o.failDue--
		return nil, errors.New("disk full")
	}
	var out []alerts.Item
	for _, r := range o.rows {
		if !r.due.After(now) {
			it := r.item
			it.Message.Receipt = o.receipts[it.Message.Thread()]
			it.Message.InDoubt = o.doubt[it.Message.Thread()]
			out = append(out, it)
		}
	}
	slices.SortStableFunc(out, func(a, b alerts.Item) int { return sev(b) - sev(a) })
	return out[:min(len(out), max)], nil
}

func sev(it alerts.Item) int {
	if it.Message.Finding == nil {
		return 1
	}
	return it.Message.Finding.Severity.Rank()
}

// Begin notes that the thread is in doubt, as the ledger does durably.
func (o *outbox) Begin(_ context.Context, _ string, it alerts.Item) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.failBegin > 0 {
		o.failBegin--
		return errors.New("disk full")
	}
	o.doubt[it.Message.Thread()] = true
	return nil
}

func (o *outbox) Done(_ context.Context, _ string, it alerts.Item, receipt string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.failDone > 0 {
		o.failDone--
		return errors.New("disk full")
	}
	o.rows = slices.DeleteFunc(o.rows, func(r row) bool { return r.item.ID == it.ID })
	delete(o.doubt, it.Message.Thread())
	if receipt != "" {
		o.receipts[it.Message.Thread()] = receipt
	}
	return nil
}

func (o *outbox) Failed(_ context.Context, _ string, it alerts.Item, _ error, next time.Time) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.doubt[it.Message.Thread()] = it.Message.InDoubt
	for i := range o.rows {
		if o.rows[i].item.ID == it.ID {
			o.rows[i].item.Attempts++
			o.rows[i].due = next
		}
	}
	return nil
}

func (o *outbox) left() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.rows)
}

// notifier does what send says, and notes what it was given.
type notifier struct {
	name string
	pace time.Duration
	send func(ctx context.Context, n int, m alerts.Message) (string, error)

	mu   sync.Mutex // guards all below
	n    int
	busy bool
	at   []time.Time
	got  []alerts.Message
	errs []string
}

func (n *notifier) Name() string        { return n.name }
func (n *notifier) Pace() time.Duration { return n.pace }

func (n *notifier) Notify(ctx context.Context, m alerts.Message) (string, error) {
	n.mu.Lock()
	n.n++
	call := n.n
	if n.busy {
		n.errs = append(n.errs, "two messages in flight")
	}
	n.busy = true
	n.mu.Unlock()
	receipt, err := fmt.Sprintf("r%d", call), error(nil)
	if n.send != nil {
		receipt, err = n.send(ctx, call, m)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.busy = false
	n.at = append(n.at, time.Now())
	if err == nil {
		n.got = append(n.got, m)
	}
	return receipt, err
}

func (n *notifier) ids() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var out []string
	for _, m := range n.got {
		out = append(out, m.ID)
	}
	return out
}

func finding(id string, revision int, s vigil.Severity) alerts.Message {
	return alerts.Message{ID: fmt.Sprintf("%s/%d", id, revision), Kind: alerts.KindFinding, Finding: &vigil.Finding{ID: id, Revision: revision, Severity: s, Sentence: "x"}}
}

// run starts a deliverer within a bubble and returns a func that ends it.
func run(t *testing.T, cfg alerts.Config, opts alerts.Options) (*alerts.Deliverer, func()) {
	t.Helper()
	d, err := alerts.NewDeliverer(cfg, opts)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := d.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	return d, func() { cancel(); <-ended }
}
