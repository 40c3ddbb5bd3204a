package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
	"time"

	"vigil"
)

// OutboxItem is one message for one notifier.
type OutboxItem struct {
	// ID is unique and stable: the same message queued twice is sent once.
	ID string
	// Notifier is the name of who sends it.
	Notifier string
	// Kind is free ("finding", "digest").
	Kind string
	// FindingID is set for the card of a finding, with the finding's Revision. A
	// newer revision takes the place of an older one that was not sent yet, and
	// carries the receipt of one that was.
	FindingID string
	Revision  int
	// Case is set for the card of a case instead, with the case's revision: so many
	// findings as it has, it has one card.
	Case string
	// ReplyTo is the case below whose card this goes.
	ReplyTo string
	// Priority orders what is due: larger first, such as a severity's rank.
	Priority int
	// Payload is the message. Past 1 MiB it is refused.
	Payload []byte
	// NotBefore is when it may be sent at the earliest; zero is at once.
	NotBefore time.Time

	// What follows is filled in by Due.

	// Receipt is what the notifier returned for an earlier revision, empty when
	// this is the first.
	Receipt string
	// Parent is the receipt of the card of ReplyTo, empty when that was not sent.
	Parent string
	// InDoubt says that an attempt was begun of which the end is not known.
	InDoubt bool
	// Attempts counts the failures so far, LastError is the newest.
	Attempts  int
	LastError string
	// Created is when it was queued, Due when it may be sent.
	Created, Due time.Time

	// n is the row: a revision that took an older one's place has another.
	n int64
}

// Pipeline is the notifier of what nobody has decided on yet. A newer revision of such a
// message does not wait for what an older one waits for.
const Pipeline = "pipeline"

// maxPayload bounds one message: 1 MiB.
const maxPayload = 1 << 20

// thread is what at most one message at a time waits for: the finding's card, or
// the message itself.
func (i OutboxItem) thread() string {
	switch {
	case i.Case != "":
		return caseThread(i.Case)
	case i.FindingID != "":
		return "finding/" + i.FindingID
	}
	return "message/" + i.ID
}

func caseThread(id string) string { return "case/" + id }

// caseOf is the case whose thread this is, empty for other threads.
func caseOf(thread string) string {
	id, ok := strings.CutPrefix(thread, caseThread(""))
	if !ok {
		return ""
	}
	return id
}

func (i OutboxItem) parent() string {
	if i.ReplyTo == "" {
		return ""
	}
	return caseThread(i.ReplyTo)
}

// Enqueue queues messages that follow from no entry of the log, such as a
// digest. They are durable when it returns.
func (l *Ledger) Enqueue(ctx context.Context, items ...OutboxItem) error {
	err := l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for _, item := range items {
			if _, err := l.enqueue(ctx, tx, item); err != nil {
				return fmt.Errorf("message %q: %w", item.ID, err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("queue messages: %w", err)
	}
	l.mail.broadcast()
	return nil
}

// enqueue reports whether the message is one to send: not an older revision
// than what waits or was sent already.
func (l *Ledger) enqueue(ctx context.Context, tx *sql.Tx, item OutboxItem) (bool, error) {
	switch {
	case item.ID == "" || item.Notifier == "":
		return false, errors.New("a message needs an id and a notifier")
	case len(item.Payload) > maxPayload:
		return false, fmt.Errorf("payload of %d bytes, at most %d", len(item.Payload), maxPayload)
	}
	var known sql.NullInt64
	err := tx.QueryRowContext(ctx, `SELECT max(revision) FROM (
		SELECT revision FROM outbox WHERE notifier = ?1 AND thread = ?2
		UNION ALL SELECT revision FROM receipt WHERE notifier = ?1 AND thread = ?2)`, item.Notifier, item.thread()).Scan(&known)
	if err != nil {
		return false, err
	}
	if known.Valid && known.Int64 >= int64(item.Revision) {
		return false, nil
	}
	// What waits keeps its place and its patience: a server that asked to be left
	// alone is not asked sooner because there is more to say.
	now := l.now().UnixNano()
	created, due, dead, begun := now, now, 0, 0
	err = tx.QueryRowContext(ctx, `DELETE FROM outbox WHERE notifier = ? AND thread = ? RETURNING created, due, dead, begun`,
		item.Notifier, item.thread()).Scan(&created, &due, &dead, &begun)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return false, err
	}
	if dead != 0 || item.Notifier == Pipeline {
		due = now
	}
	if !item.NotBefore.IsZero() {
		due = max(due, item.NotBefore.UnixNano())
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO outbox (id, notifier, thread, finding, kind, revision, priority, payload, sum, created, due, parent, begun)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		item.ID, item.Notifier, item.thread(), item.FindingID, item.Kind, item.Revision, item.Priority,
		notNil(item.Payload), int64(crc32.Checksum(item.Payload, castagnoli)), created, due, item.parent(), begun)
	return err == nil, err
}

func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// Due returns up to max messages of a notifier that may be sent now, the most
// important first and the longest waiting of those; a reply not before its card was sent.
// One that is damaged has no payload: what it is about has a checksum of its own. They stay queued until Done: a crash between sending and Done sends again.
func (l *Ledger) Due(ctx context.Context, notifier string, now time.Time, max int) ([]OutboxItem, error) {
	var items []OutboxItem
	err := l.read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT o.n, o.id, o.notifier, o.thread, o.parent, o.finding, o.kind, o.revision, o.priority, o.payload, o.sum,
				o.created, o.due, o.attempts, o.error, o.begun, coalesce(r.receipt, ''), coalesce(p.receipt, '')
			FROM outbox o LEFT JOIN receipt r ON r.notifier = o.notifier AND r.thread = o.thread
				LEFT JOIN receipt p ON p.notifier = o.notifier AND p.thread = o.parent
			WHERE o.notifier = ?1 AND o.dead = 0 AND o.due <= ?2
				AND (o.parent = '' OR p.thread IS NOT NULL OR NOT EXISTS (SELECT 1 FROM outbox c WHERE c.notifier = ?1 AND c.thread = o.parent AND c.dead = 0))
			ORDER BY o.priority DESC, o.created, o.n LIMIT ?3`, notifier, now.UnixNano(), max)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var i OutboxItem
			var created, due, sum int64
			var thread, parent string
			if err := rows.Scan(&i.n, &i.ID, &i.Notifier, &thread, &parent, &i.FindingID, &i.Kind, &i.Revision, &i.Priority, &i.Payload, &sum,
				&created, &due, &i.Attempts, &i.LastError, &i.InDoubt, &i.Receipt, &i.Parent); err != nil {
				return err
			}
			i.Case, i.ReplyTo = caseOf(thread), caseOf(parent)
			i.Created, i.Due = fromNanos(created), fromNanos(due)
			if int64(crc32.Checksum(i.Payload, castagnoli)) != sum {
				l.log.Error("a message is damaged", "message", fmt.Sprintf("%q", i.ID))
				i.Payload = nil
			}
			items = append(items, i)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("read outbox: %w", err)
	}
	return items, nil
}

// NextDue returns when the next message may be sent; ok is false when none
// waits.
func (l *Ledger) NextDue(ctx context.Context) (at time.Time, ok bool, err error) {
	var due sql.NullInt64
	err = l.read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT min(due) FROM outbox WHERE dead = 0`).Scan(&due)
	})
	if err != nil {
		return time.Time{}, false, fmt.Errorf("read outbox: %w", err)
	}
	return fromNanos(due.Int64), due.Valid, nil
}

// MailSignal returns a channel that is closed when messages are queued next.
// Take it, then look with Due, then wait on it: so nothing is missed.
func (l *Ledger) MailSignal() <-chan struct{} { return l.mail.next() }

// Done notes that the message, as Due returned it, was sent, and keeps the
// receipt for the next revision of its finding. That a newer revision took the
// message's place meanwhile is no error: that one stays queued.
func (l *Ledger) Done(ctx context.Context, item OutboxItem, receipt string) error {
	err := l.write(ctx, func(ctx context.Context, tx *sql.Tx) error { return l.done(ctx, tx, item, receipt) })
	if err != nil {
		return fmt.Errorf("note message %q as sent: %w", item.ID, err)
	}
	return nil
}

func (l *Ledger) done(ctx context.Context, tx *sql.Tx, item OutboxItem, receipt string) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM outbox WHERE n = ?`, item.n); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO receipt (notifier, thread, revision, receipt, sent) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (notifier, thread) DO UPDATE SET revision = max(revision, excluded.revision), sent = excluded.sent,
			receipt = CASE WHEN excluded.receipt = '' THEN receipt ELSE excluded.receipt END`,
		item.Notifier, item.thread(), item.Revision, receipt, l.now().UnixNano())
	return err
}

// Begin notes that an attempt to send the message is about to be made. Until Done or
// Failed says how it ended, the message is in doubt: it may have been delivered.
func (l *Ledger) Begin(ctx context.Context, item OutboxItem) error {
	err := l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE outbox SET begun = 1 WHERE n = ?`, item.n)
		return err
	})
	if err != nil {
		return fmt.Errorf("note message %q as begun: %w", item.ID, err)
	}
	return nil
}

// Orphans returns up to max messages of notifiers that are not among those that are
// named, oldest first.
func (l *Ledger) Orphans(ctx context.Context, notifiers []string, max int) ([]OutboxItem, error) {
	known, err := json.Marshal(append([]string{}, notifiers...))
	if err != nil {
		return nil, err
	}
	var items []OutboxItem
	err = l.read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT n, id, notifier, thread, finding, kind, revision, payload FROM outbox
			WHERE dead = 0 AND notifier NOT IN (SELECT value FROM json_each(?)) ORDER BY n LIMIT ?`, string(known), max)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var i OutboxItem
			var thread string
			if err := rows.Scan(&i.n, &i.ID, &i.Notifier, &thread, &i.FindingID, &i.Kind, &i.Revision, &i.Payload); err != nil {
				return err
			}
			i.Case = caseOf(thread)
			items = append(items, i)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("read outbox: %w", err)
	}
	return items, nil
}

// CaseReceipts returns the receipts of a notifier for the cards of cases that are not
// resolved, by case, at most max.
func (l *Ledger) CaseReceipts(ctx context.Context, notifier string, max int) (map[string]string, error) {
	out := map[string]string{}
	err := l.read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT c.id, r.receipt FROM casefile c JOIN receipt r ON r.notifier = ? AND r.thread = 'case/' || c.id
			WHERE c.state <> ? ORDER BY c.id LIMIT ?`, notifier, string(vigil.CaseResolved), max)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id, receipt string
			if err := rows.Scan(&id, &receipt); err != nil {
				return err
			}
			out[id] = receipt
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("read receipts: %w", err)
	}
	return out, nil
}

// Failed notes that sending failed and when to try again. A zero next gives the
// message up: it is counted, kept to look at, and sent no more, until a newer
// revision takes its place. inDoubt says that it may have been delivered all the same.
func (l *Ledger) Failed(ctx context.Context, item OutboxItem, cause error, next time.Time, inDoubt bool) error {
	text := cause.Error()
	if len(text) > maxReason {
		text = text[:maxReason]
	}
	err := l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if next.IsZero() {
			res, err := tx.ExecContext(ctx, `UPDATE outbox SET attempts = attempts + 1, error = ?, dead = 1 WHERE n = ? AND dead = 0`, text, item.n)
			if err != nil {
				return err
			}
			n, err := res.RowsAffected()
			if err != nil {
				return err
			}
			return count(ctx, tx, counterDead, n)
		}
		_, err := tx.ExecContext(ctx, `UPDATE outbox SET attempts = attempts + 1, error = ?, due = ?, begun = ? WHERE n = ?`, text, next.UnixNano(), inDoubt, item.n)
		return err
	})
	if err != nil {
		return fmt.Errorf("note message %q as failed: %w", item.ID, err)
	}
	return nil
}
