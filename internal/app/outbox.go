package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync"
	"time"

	"vigil"
	"vigil/alerts"
	"vigil/internal/ledger"
)

// channelNote is what the outbox needs to know of a way to tell.
type channelNote struct {
	name string
	// threads says that replies are told below their card.
	threads bool
}

// outbox lets the deliverer work on the ledger's outbox. It is safe for
// concurrent use.
type outbox struct {
	ledger *ledger.Ledger

	mu       sync.Mutex // guards all below
	channels []channelNote
	// taken are the rows that were handed out last and are not reported on yet, by notifier
	// and id. A notifier's lane asks for more only when it is done with them.
	taken map[string]map[string]ledger.OutboxItem
}

func newOutbox(l *ledger.Ledger) *outbox {
	return &outbox{ledger: l, taken: map[string]map[string]ledger.OutboxItem{}}
}

// tell says by which ways it is told from now on.
func (o *outbox) tell(channels []channelNote) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.channels = channels
}

// told lists the ways by which it is told.
func (o *outbox) told() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	names := make([]string, len(o.channels))
	for i, c := range o.channels {
		names[i] = c.name
	}
	return names
}

// threads reports whether a way tells replies below their card.
func (o *outbox) threads(name string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.ContainsFunc(o.channels, func(c channelNote) bool { return c.name == name && c.threads })
}

// messages makes the outbox rows of findings, which the dispatcher decides on.
func (o *outbox) messages(findings []vigil.Finding) ([]ledger.OutboxItem, error) {
	var items []ledger.OutboxItem
	for i := range findings {
		f := findings[i]
		f.SubjectIDs = nil // cards count subjects and never list them
		payload, err := json.Marshal(f)
		if err != nil {
			return nil, fmt.Errorf("write message of finding %q: %w", f.ID, err)
		}
		items = append(items, ledger.OutboxItem{
			ID: fmt.Sprintf("%s-%s-%d", ledger.Pipeline, f.ID, f.Revision), Notifier: ledger.Pipeline, Kind: alerts.KindFinding,
			FindingID: f.ID, Revision: f.Revision, Priority: f.Severity.Rank(), Payload: payload,
		})
	}
	return items, nil
}

// enqueue puts a message that follows from no entry, such as a digest, in the
// outbox.
func (o *outbox) enqueue(ctx context.Context, m alerts.Message) error {
	return o.enqueueTo(ctx, o.told(), m)
}

// enqueueTo does what enqueue does, for some of the channels.
func (o *outbox) enqueueTo(ctx context.Context, notifiers []string, m alerts.Message) error {
	if len(notifiers) == 0 {
		return nil
	}
	payload, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("write message %q: %w", m.ID, err)
	}
	items := make([]ledger.OutboxItem, len(notifiers))
	for i, n := range notifiers {
		items[i] = ledger.OutboxItem{ID: n + "-" + m.ID, Notifier: n, Kind: m.Kind, Payload: payload}
	}
	return o.ledger.Enqueue(ctx, items...)
}

// findingPath is where the console shows a finding, relative to its address:
// that one may be another when the message is sent.
func findingPath(id string) string { return "/findings/" + url.PathEscape(id) }

// errNobody is why a message for a notifier that is no longer configured is
// given up.
var errNobody = errors.New("this way of telling is no longer configured")

// Due implements alerts.Outbox.
func (o *outbox) Due(ctx context.Context, notifier string, now time.Time, most int) ([]alerts.Item, error) {
	rows, err := o.ledger.Due(ctx, notifier, now, most)
	if err != nil {
		return nil, err
	}
	var items []alerts.Item
	taken := make(map[string]ledger.OutboxItem, len(rows))
	for _, row := range rows {
		m, err := o.read(ctx, &row)
		if err != nil {
			if err := o.ledger.Failed(ctx, row, fmt.Errorf("read message: %w", err), time.Time{}, false); err != nil {
				return nil, err
			}
			continue
		}
		m.Receipt, m.Parent, m.InDoubt = row.Receipt, row.Parent, row.InDoubt && row.Receipt == ""
		items = append(items, alerts.Item{ID: row.ID, Message: m, Attempts: row.Attempts, Created: row.Created})
		row.Payload = nil
		taken[row.ID] = row
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.taken[notifier] = taken
	return items, nil
}

// read reads the message of a row. A card that is damaged is written anew.
func (o *outbox) read(ctx context.Context, row *ledger.OutboxItem) (m alerts.Message, err error) {
	if err = json.Unmarshal(row.Payload, &m); err == nil || row.Case == "" {
		return m, err
	}
	c, err := o.ledger.Case(ctx, row.Case)
	if err != nil {
		return m, err
	}
	lead, err := leadOf(ctx, o.ledger, &c)
	return cardOf(&c, &lead), err
}

// Begin implements alerts.Outbox.
func (o *outbox) Begin(ctx context.Context, notifier string, it alerts.Item) error {
	o.mu.Lock()
	row, ok := o.taken[notifier][it.ID]
	o.mu.Unlock()
	if !ok {
		return nil
	}
	return o.ledger.Begin(ctx, row)
}

// take notes that a row is handed out still.
func (o *outbox) take(row ledger.OutboxItem) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.taken[row.Notifier][row.ID] = row
}

// give returns the row that an item came from.
func (o *outbox) give(notifier, id string) (ledger.OutboxItem, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	row, ok := o.taken[notifier][id]
	delete(o.taken[notifier], id)
	return row, ok
}

// Done implements alerts.Outbox.
func (o *outbox) Done(ctx context.Context, notifier string, it alerts.Item, receipt string) error {
	row, ok := o.give(notifier, it.ID)
	if !ok {
		return nil
	}
	if err := o.ledger.Done(ctx, row, receipt); err != nil {
		o.take(row)
		return err
	}
	return nil
}

// Failed implements alerts.Outbox.
func (o *outbox) Failed(ctx context.Context, notifier string, it alerts.Item, cause error, next time.Time) error {
	row, ok := o.give(notifier, it.ID)
	if !ok {
		return nil
	}
	if err := o.ledger.Failed(ctx, row, cause, next, it.Message.InDoubt); err != nil {
		o.take(row)
		return err
	}
	return nil
}

var _ alerts.Outbox = (*outbox)(nil)
