package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"time"

	"vigil"
	"vigil/collectors"
)

// The bounds of one entry; a larger batch becomes several entries of the same
// transaction.
const (
	maxEntryEvents = 20_000
	maxEntryValues = 1 << 20  // subjects and fields
	maxEntryBytes  = 64 << 20 // strings
)

// maxGroup bounds the events that share one commit.
const maxGroup = 100_000

// request is one call of Accept on its way through the queue.
type request struct {
	kind        vigil.EntryKind
	source      string
	position    []byte
	events      []*vigil.Event
	quarantined []vigil.Quarantined
	lapses      [][]byte // encoded controls, which follow the events
	body        []byte   // of a tick or a control
	// also is written in the same transaction.
	also func(in *inserter) error

	parts []part
	// lead hands the leadership over; done says that the outcome is known.
	lead, done chan struct{}

	// The outcome.
	seq   uint64
	fresh int
	err   error
}

// part is what becomes one entry.
type part struct {
	events      []*vigil.Event
	first, last int64
	body        []byte
	sum         uint32
}

// Accept makes the batch durable together with its source's position, and only
// then returns nil. seq is the number of the entry it became (the last of them
// when it was large), 0 when nothing in it was fresh; fresh counts the events that
// were not among the remembered ids. A batch without a fresh event still commits
// its position. Events that break the rules of the vocabulary are quarantined.
//
// Accept waits while more than MaxPending events are not applied. A *FullError
// means that there is no room now.
func (l *Ledger) Accept(ctx context.Context, b collectors.Batch) (seq uint64, fresh int, err error) {
	if b.Source == "" {
		return 0, 0, errors.New("accept batch: it names no source")
	}
	r := &request{kind: vigil.EntryEvents, source: b.Source, position: b.Position, quarantined: slices.Clone(b.Quarantined)}
	for i := range r.quarantined {
		cleanQuarantined(&r.quarantined[i], b.Source)
	}
	if r.lapses, err = lapses(&b, l.now().UTC()); err != nil {
		return 0, 0, fmt.Errorf("accept batch of %q: %w", b.Source, err)
	}
	r.events = make([]*vigil.Event, 0, len(b.Events))
	for _, e := range b.Events {
		if q := cleanEvent(e, b.Source); q != nil {
			r.quarantined = append(r.quarantined, *q)
			continue
		}
		r.events = append(r.events, e)
	}
	if l.cfg.MaxPending > 0 && len(r.events) > 0 {
		err := l.until(ctx, l.progress, func() (bool, error) { return l.pending.room(b.Source, l.cfg.MaxPending), nil })
		if err != nil {
			return 0, 0, err
		}
	}
	// Most batches hold nothing that was seen before, so they are encoded here,
	// where callers run side by side, and again under the lock only if they must.
	if r.parts, err = l.encode(r.events); err != nil {
		return 0, 0, fmt.Errorf("accept batch of %q: %w", b.Source, err)
	}
	if err := l.submit(ctx, r); err != nil {
		return 0, 0, fmt.Errorf("accept batch of %q: %w", b.Source, err)
	}
	return r.seq, r.fresh, nil
}

// AcceptTick makes a tick durable as the next entry.
func (l *Ledger) AcceptTick(ctx context.Context, t vigil.Tick) (uint64, error) {
	r := &request{kind: vigil.EntryTick, body: encodeTick(t)}
	if err := l.submit(ctx, r); err != nil {
		return 0, fmt.Errorf("accept tick: %w", err)
	}
	return r.seq, nil
}

// AcceptControl makes a control record durable as the next entry.
func (l *Ledger) AcceptControl(ctx context.Context, c vigil.Control) (uint64, error) {
	r := &request{kind: vigil.EntryControl, body: encodeControl(c)}
	if err := l.submit(ctx, r); err != nil {
		return 0, fmt.Errorf("accept control %q: %w", c.Type, err)
	}
	return r.seq, nil
}

// encode splits events into entries and makes their bodies.
func (l *Ledger) encode(events []*vigil.Event) ([]part, error) {
	var parts []part
	for len(events) > 0 {
		n, values, size := 0, 0, 0
		p := part{first: events[0].Time.UnixNano(), last: events[0].Time.UnixNano()}
		for n < len(events) && n < maxEntryEvents && values < maxEntryValues && size < maxEntryBytes {
			e := events[n]
			values += len(e.Subjects) + len(e.Fields)
			size += eventSize(e)
			at := e.Time.UnixNano()
			p.first, p.last = min(p.first, at), max(p.last, at)
			n++
		}
		p.events, events = events[:n], events[n:]
		body, err := l.codec.Encode(p.events)
		if err != nil {
			return nil, err
		}
		p.body, p.sum = body, crc32.Checksum(body, castagnoli)
		parts = append(parts, p)
	}
	return parts, nil
}

// submit puts the request into the queue and waits for its outcome. Whoever
// finds nobody at work leads: it commits what is queued, its own request among it,
// in one transaction, and hands the lead on.
func (l *Ledger) submit(ctx context.Context, r *request) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r.lead, r.done = make(chan struct{}), make(chan struct{})
	l.queueMu.Lock()
	l.queue = append(l.queue, r)
	if l.leading {
		l.queueMu.Unlock()
		select {
		case <-r.done:
			return r.err
		case <-r.lead:
		}
	} else {
		l.leading = true
		l.queueMu.Unlock()
	}
	for {
		group := l.group()
		l.commit(ctx, group)
		for _, g := range group {
			close(g.done)
		}
		if slices.Contains(group, r) {
			break
		}
	}
	l.queueMu.Lock()
	defer l.queueMu.Unlock()
	if len(l.queue) > 0 {
		close(l.queue[0].lead)
	} else {
		l.leading = false
	}
	return r.err
}

// group takes from the queue what goes into one commit.
func (l *Ledger) group() []*request {
	l.queueMu.Lock()
	defer l.queueMu.Unlock()
	n, events := 0, 0
	for n < len(l.queue) && (n == 0 || events+len(l.queue[n].events) <= maxGroup) {
		events += len(l.queue[n].events)
		n++
	}
	group := slices.Clone(l.queue[:n])
	l.queue = append(l.queue[:0], l.queue[n:]...)
	return group
}

// commit makes the group durable and sets each one's outcome. The caller's
// context must not decide over the others' batches.
func (l *Ledger) commit(ctx context.Context, group []*request) {
	ctx = context.WithoutCancel(ctx)
	fail := func(err error) {
		for _, r := range group {
			r.seq, r.fresh, r.err = 0, 0, err
		}
	}
	if err := l.admit(ctx); err != nil {
		fail(err)
		return
	}
	l.dedupMu.Lock()
	defer l.dedupMu.Unlock()
	ids, err := l.sift(group)
	if err != nil {
		fail(err)
		return
	}
	last := l.last.Load()
	at := l.now().UTC()
	err = l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		in := &inserter{ctx: ctx, tx: tx, at: at, seq: last, keep: l.cfg.MaxQuarantine}
		for _, r := range group {
			if err := in.request(r); err != nil {
				return err
			}
		}
		last = in.seq
		return in.finish()
	})
	if err != nil {
		fail(err)
		return
	}
	for _, id := range ids {
		l.window.add(id)
	}
	for _, r := range group {
		l.pending.add(r.source, int64(r.fresh))
	}
	if last != l.last.Load() {
		l.last.Store(last)
		l.accepted.broadcast()
	}
}

// admit refuses when the ledger is for reading, and when the disk or the configured size
// is full.
func (l *Ledger) admit(ctx context.Context) error {
	if l.w == nil {
		return ErrReadOnly
	}
	if err := l.room(l.cfg.MinFree); err != nil {
		return err
	}
	if l.cfg.MaxBytes > 0 {
		size, err := l.size(ctx)
		if err != nil {
			return err
		}
		if size > l.cfg.MaxBytes {
			return &FullError{Dir: l.cfg.Dir, Size: size, Max: l.cfg.MaxBytes}
		}
	}
	return nil
}

// sift takes out of the requests what was seen before, and returns the hashes
// to remember once the commit has succeeded.
func (l *Ledger) sift(group []*request) ([]uint64, error) {
	total := 0
	for _, r := range group {
		total += len(r.events) + len(r.quarantined)
	}
	staged := make(map[uint64]struct{}, total)
	ids := make([]uint64, 0, total)
	fresh := func(h uint64) bool {
		if _, ok := staged[h]; ok || l.window.has(h) {
			return false
		}
		staged[h] = struct{}{}
		ids = append(ids, h)
		return true
	}
	for _, r := range group {
		if r.kind != vigil.EntryEvents {
			continue
		}
		all := len(r.events)
		kept := r.events[:0:0]
		for _, e := range r.events {
			if fresh(l.window.eventHash(e)) {
				kept = append(kept, e)
			}
		}
		r.fresh = len(kept)
		if len(kept) < all {
			parts, err := l.encode(kept)
			if err != nil {
				return nil, err
			}
			r.parts = parts
		}
		r.quarantined = slices.DeleteFunc(r.quarantined, func(q vigil.Quarantined) bool { return !fresh(l.window.quarantineHash(q)) })
	}
	return ids, nil
}

// inserter writes one group of requests.
type inserter struct {
	ctx  context.Context
	tx   *sql.Tx
	at   time.Time
	seq  uint64
	keep int
}

func (in *inserter) exec(query string, args ...any) error {
	_, err := in.tx.ExecContext(in.ctx, query, args...)
	return err
}

func (in *inserter) request(r *request) error {
	if r.kind != vigil.EntryEvents {
		if err := in.entry(r, part{body: r.body, sum: crc32.Checksum(r.body, castagnoli)}); err != nil {
			return err
		}
		r.seq = in.seq
		if r.also != nil {
			return r.also(in)
		}
		return nil
	}
	lastEvent := int64(0)
	for _, p := range r.parts {
		if err := in.entry(r, p); err != nil {
			return err
		}
		r.seq = in.seq
		lastEvent = max(lastEvent, p.last)
	}
	if err := in.source(r, lastEvent); err != nil {
		return err
	}
	for _, body := range r.lapses {
		if err := in.insert(vigil.EntryControl, r.source, part{body: body, sum: crc32.Checksum(body, castagnoli)}); err != nil {
			return err
		}
	}
	return in.quarantine(r)
}

func (in *inserter) entry(r *request, p part) error { return in.insert(r.kind, r.source, p) }

func (in *inserter) insert(kind vigil.EntryKind, source string, p part) error {
	in.seq++
	m := meta{seq: in.seq, kind: kind, source: source, accepted: in.at.UnixNano(), events: len(p.events), first: p.first, last: p.last}
	if err := in.exec(`INSERT INTO entry (seq, kind, source, accepted, events, first, last, sum) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		int64(m.seq), string(m.kind), m.source, m.accepted, m.events, m.first, m.last, int64(m.checksum(p.sum))); err != nil {
		return fmt.Errorf("write entry: %w", err)
	}
	if err := in.exec(`INSERT INTO body (seq, data) VALUES (?, ?)`, int64(m.seq), p.body); err != nil {
		return fmt.Errorf("write batch: %w", err)
	}
	return nil
}

func (in *inserter) source(r *request, lastEvent int64) error {
	duplicates := len(r.events) - r.fresh
	if err := in.exec(`INSERT INTO source (name, events, duplicates, last_event, last_accepted) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET events = events + excluded.events, duplicates = duplicates + excluded.duplicates,
			last_event = max(last_event, excluded.last_event), last_accepted = excluded.last_accepted`,
		r.source, r.fresh, duplicates, lastEvent, in.at.UnixNano()); err != nil {
		return fmt.Errorf("write source: %w", err)
	}
	if r.position == nil {
		return nil
	}
	if err := in.exec(`UPDATE source SET position = ?, sum = ? WHERE name = ?`,
		r.position, int64(positionSum(r.source, r.position)), r.source); err != nil {
		return fmt.Errorf("write position: %w", err)
	}
	return nil
}

// quarantine counts every record and keeps the newest to look at.
func (in *inserter) quarantine(r *request) error {
	if len(r.quarantined) == 0 {
		return nil
	}
	type kind struct{ source, code string }
	counts := make(map[kind]int)
	for _, q := range r.quarantined {
		counts[kind{q.Source, q.Code}]++
	}
	for k, n := range counts {
		if err := in.exec(`INSERT INTO quarantine_count (source, code, n) VALUES (?, ?, ?)
			ON CONFLICT (source, code) DO UPDATE SET n = n + excluded.n`, k.source, k.code, n); err != nil {
			return fmt.Errorf("count quarantine: %w", err)
		}
	}
	for _, q := range r.quarantined[max(0, len(r.quarantined)-in.keep):] {
		at := int64(0)
		if !q.Time.IsZero() {
			at = q.Time.UnixNano()
		}
		if err := in.exec(`INSERT INTO quarantine (source, file, line, offset, time, reason, code, size, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			q.Source, q.File, q.Line, q.Offset, at, q.Reason, q.Code, q.Size, int64(q.Hash)); err != nil {
			return fmt.Errorf("write quarantine: %w", err)
		}
	}
	return in.exec(`DELETE FROM quarantine WHERE n <= (SELECT max(n) FROM quarantine) - ?`, in.keep)
}

func (in *inserter) finish() error {
	return in.exec(`UPDATE meta SET value = ? WHERE name = 'last'`, int64(in.seq))
}
