package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"vigil"
	"vigil/internal/api"
)

// ErrStale is of a case that somebody else has changed meanwhile.
var ErrStale = errors.New("the case was changed meanwhile")

// ErrDone is of a deed that was done already.
var ErrDone = errors.New("this was done already")

// CaseChange is a case as it is to be, and what happened to it.
type CaseChange struct {
	Case vigil.Case
	// Was is the revision that it was changed from, 0 for a new case.
	Was int
	// Join are ids of findings that join it.
	Join []string
	// Events are added to its timeline.
	Events []vigil.CaseEvent
	// Note is what the pipeline of messages remembers of it; nil leaves it as it is.
	Note []byte
}

// Casework is what happens to cases at once: all of it or nothing.
type Casework struct {
	Cases []CaseChange
	// Outbox are messages to send; Taken those of the pipeline that led to all this, and
	// Later those of them that are to come again at their NotBefore.
	Outbox, Taken, Later []OutboxItem
	// Silences are made or changed. What waits for the end of one is decided on anew.
	Silences []vigil.Silence
	// Notices are notifications as they are to be: each one revision on from the last.
	Notices []vigil.Notice
	// Audit is written first.
	Audit []AuditRecord
	// Deed names the deed, empty for what the program does by itself.
	Deed string
	// Keep are small states by name.
	Keep map[string][]byte
}

// Work makes casework durable in one transaction. The error wraps ErrStale when a
// case or a notification is not at the revision that it was changed from, and ErrDone when the deed was
// done before; nothing is written then.
func (l *Ledger) Work(ctx context.Context, w Casework) error {
	queued := false
	err := l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		queued = false
		if w.Deed != "" {
			res, err := tx.ExecContext(ctx, `INSERT INTO deed (id, time) VALUES (?, ?) ON CONFLICT DO NOTHING`, w.Deed, l.now().UnixNano())
			if err != nil {
				return err
			}
			if n, err := res.RowsAffected(); err != nil || n == 0 {
				return errors.Join(err, ErrDone)
			}
		}
		for _, r := range w.Audit {
			if _, err := l.audit(ctx, tx, r); err != nil {
				return fmt.Errorf("write audit record: %w", err)
			}
		}
		for i := range w.Cases {
			if err := l.putCase(ctx, tx, &w.Cases[i]); err != nil {
				return fmt.Errorf("keep case %q: %w", w.Cases[i].Case.ID, err)
			}
		}
		for i := range w.Notices {
			if err := l.putNotice(ctx, tx, &w.Notices[i]); err != nil {
				return fmt.Errorf("keep notification of case %q: %w", w.Notices[i].Case, err)
			}
		}
		for i := range w.Silences {
			s := &w.Silences[i]
			data, err := json.Marshal(s)
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO silence (id, data, sum) VALUES (?, ?, ?)
				ON CONFLICT (id) DO UPDATE SET data = excluded.data, sum = excluded.sum`, s.ID, data, int64(findingSum(s.ID, data))); err != nil {
				return fmt.Errorf("keep silence %q: %w", s.ID, err)
			}
		}
		if len(w.Silences) > 0 {
			now := l.now().UnixNano()
			if _, err := tx.ExecContext(ctx, `UPDATE outbox SET due = ?1 WHERE notifier = ?2 AND dead = 0 AND due > ?1`, now, Pipeline); err != nil {
				return err
			}
			queued = true
		}
		for _, item := range w.Outbox {
			ok, err := l.enqueue(ctx, tx, item)
			if err != nil {
				return fmt.Errorf("queue message %q: %w", item.ID, err)
			}
			queued = queued || ok
		}
		for _, item := range w.Taken {
			if err := l.done(ctx, tx, item, ""); err != nil {
				return err
			}
		}
		for _, item := range w.Later {
			if _, err := tx.ExecContext(ctx, `UPDATE outbox SET due = ? WHERE n = ?`, item.NotBefore.UnixNano(), item.n); err != nil {
				return err
			}
		}
		for name, data := range w.Keep {
			if _, err := tx.ExecContext(ctx, `INSERT INTO kept (name, data, sum) VALUES (?, ?, ?)
				ON CONFLICT (name) DO UPDATE SET data = excluded.data, sum = excluded.sum`, name, notNil(data), int64(findingSum(name, data))); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keep casework: %w", err)
	}
	if len(w.Cases)+len(w.Silences) > 0 {
		var change Change
		for i := range w.Cases {
			change.Cases = append(change.Cases, w.Cases[i].Case.ID)
			change.Findings = append(change.Findings, w.Cases[i].Case.Findings...)
		}
		l.tell(change)
	}
	if queued {
		l.mail.broadcast()
	}
	if l.cfg.Spool && len(w.Cases) > 0 {
		l.dirty.broadcast()
	}
	return nil
}

// Did reports whether a deed was done.
func (l *Ledger) Did(ctx context.Context, deed string) (done bool, err error) {
	err = l.read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM deed WHERE id = ?)`, deed).Scan(&done)
	})
	if err != nil {
		return false, fmt.Errorf("look for deed %q: %w", deed, err)
	}
	return done, nil
}

func (l *Ledger) putCase(ctx context.Context, tx *sql.Tx, c *CaseChange) error {
	var have int
	err := tx.QueryRowContext(ctx, `SELECT revision FROM casefile WHERE id = ?`, c.Case.ID).Scan(&have)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if have != c.Was {
		return ErrStale
	}
	data, err := json.Marshal(&c.Case)
	if err != nil {
		return err
	}
	x := &c.Case
	if err := l.countCase(ctx, tx, x); err != nil {
		return err
	}
	news := slices.ContainsFunc(c.Events, func(e vigil.CaseEvent) bool { return isNews(e.Kind) })
	_, err = tx.ExecContext(ctx, `INSERT INTO casefile (id, revision, topic, state, severity, harm, open, start, last, opened, updated, data, sum, lead, owner, about, places, expected, news)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?6 * coalesce((SELECT likely FROM finding WHERE id = ?14), 1), ?11)
		ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, state = excluded.state, severity = excluded.severity, harm = excluded.harm,
			open = excluded.open, start = excluded.start, last = excluded.last, updated = excluded.updated, data = excluded.data, sum = excluded.sum,
			lead = excluded.lead, owner = excluded.owner, places = CASE WHEN excluded.places = '' THEN places ELSE excluded.places END, expected = excluded.expected,
			news = CASE WHEN ?18 THEN excluded.news ELSE news END`,
		x.ID, x.Revision, x.Topic(), string(x.State), x.Severity.Rank(), x.Harm, x.Open, nanos(x.Start), nanos(x.End), nanos(x.Opened), nanos(l.now()),
		data, int64(findingSum(x.ID, data)), x.Lead, x.Owner, string(x.About), placesOf(x), news)
	if err != nil {
		return err
	}
	if c.Note != nil {
		if _, err := tx.ExecContext(ctx, `UPDATE casefile SET note = ? WHERE id = ?`, c.Note, x.ID); err != nil {
			return err
		}
	}
	for _, finding := range c.Join {
		if _, err := tx.ExecContext(ctx, `INSERT INTO case_finding (finding, casefile) VALUES (?, ?) ON CONFLICT DO NOTHING`, finding, x.ID); err != nil {
			return err
		}
	}
	for _, e := range c.Events {
		if _, err := tx.ExecContext(ctx, `INSERT INTO case_event (casefile, time, who, kind, text) VALUES (?, ?, ?, ?, ?)`,
			x.ID, nanos(e.Time), e.By, string(e.Kind), e.Text); err != nil {
			return err
		}
	}
	return nil
}

// isNews reports whether something of a case's timeline came by itself, rather than by
// those who work on it.
func isNews(k vigil.CaseEventKind) bool {
	switch k {
	case vigil.CaseOpened, vigil.CaseGrew, vigil.CaseJoined, vigil.CaseReopened, vigil.CaseAnswered:
		return true
	}
	return false
}

// placesOf are the stores and sources of a case, each between line feeds.
func placesOf(c *vigil.Case) string {
	if len(c.Stores)+len(c.Sources) == 0 {
		return ""
	}
	clean := strings.NewReplacer("\n", " ")
	var b strings.Builder
	b.WriteByte('\n')
	for _, name := range slices.Concat(c.Stores, c.Sources) {
		b.WriteString(clean.Replace(name))
		b.WriteByte('\n')
	}
	return b.String()
}

// Case returns one case; the error wraps api.ErrNotFound when there is none, and is a
// *CorruptError when it is damaged.
func (l *Ledger) Case(ctx context.Context, id string) (vigil.Case, error) {
	return l.oneCase(ctx, fmt.Sprintf("case %q", id), `SELECT `+caseColumns+` FROM casefile c WHERE id = ?`, id)
}

// CaseOf returns the case that a finding belongs to. The errors are as Case's. Of a
// damaged one the ID and the Revision are returned all the same.
func (l *Ledger) CaseOf(ctx context.Context, finding string) (vigil.Case, error) {
	return l.oneCase(ctx, fmt.Sprintf("case of finding %q", finding),
		`SELECT `+caseColumns+` FROM casefile c JOIN case_finding f ON f.casefile = c.id WHERE f.finding = ?`, finding)
}

// CasesAbout returns the unresolved cases about a topic, those first of which the findings
// go on for longest, at most max. Damaged ones are left out and logged.
func (l *Ledger) CasesAbout(ctx context.Context, topic string, max int) ([]vigil.Case, error) {
	var out []vigil.Case
	err := l.read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT `+caseColumns+` FROM casefile c WHERE topic = ? AND state <> ? ORDER BY last DESC, id LIMIT ?`,
			topic, string(vigil.CaseResolved), max)
		if err != nil {
			return err
		}
		out, err = l.scanCases(rows)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read cases: %w", err)
	}
	return out, nil
}

// scanCases reads rows to their end. Damaged cases are left out and logged.
func (l *Ledger) scanCases(rows *sql.Rows) ([]vigil.Case, error) {
	defer rows.Close()
	var out []vigil.Case
	for rows.Next() {
		c, err := scanCase(rows.Scan)
		var damage *CorruptError
		if errors.As(err, &damage) {
			l.log.Error("a case is damaged and left out", "error", err)
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

// CaseNotes calls visit with each unresolved case that has changed since a time, and what
// the pipeline remembers of it.
func (l *Ledger) CaseNotes(ctx context.Context, since time.Time, visit func(id string, note []byte)) error {
	err := l.read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT id, note FROM casefile WHERE state <> ? AND updated >= ? ORDER BY id`,
			string(vigil.CaseResolved), nanos(since))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id string
			var note []byte
			if err := rows.Scan(&id, &note); err != nil {
				return err
			}
			visit(id, note)
		}
		return rows.Err()
	})
	if err != nil {
		return fmt.Errorf("read cases' notes: %w", err)
	}
	return nil
}

// CaseNote returns what the pipeline remembers of a case, empty for nothing.
func (l *Ledger) CaseNote(ctx context.Context, id string) ([]byte, error) {
	var note []byte
	err := l.read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT note FROM casefile WHERE id = ?`, id).Scan(&note)
	})
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("read note of case %q: %w", id, err)
	}
	return note, nil
}

func (l *Ledger) oneCase(ctx context.Context, what, query string, args ...any) (c vigil.Case, err error) {
	err = l.read(ctx, func(tx *sql.Tx) error {
		c, err = scanCase(tx.QueryRowContext(ctx, query, args...).Scan)
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return c, fmt.Errorf("%s: %w", what, api.ErrNotFound)
	}
	if err != nil {
		return c, fmt.Errorf("read %s: %w", what, err)
	}
	return c, nil
}

// caseColumns are what scanCase reads, of a casefile c.
const caseColumns = `c.id, c.revision, c.data, c.sum`

func scanCase(scan func(...any) error) (c vigil.Case, err error) {
	var data []byte
	var sum int64
	if err := scan(&c.ID, &c.Revision, &data, &sum); err != nil {
		return c, err
	}
	id, revision := c.ID, c.Revision
	if err := readSaid("case", id, data, sum, &c); err != nil {
		return vigil.Case{ID: id, Revision: revision}, err
	}
	return c, nil
}

// CaseFilter narrows a list of cases. The zero filter lists all.
type CaseFilter struct {
	// State "" lists all states; Unresolved those that are not resolved.
	State       vigil.CaseState
	Unresolved  bool
	MinSeverity vigil.Severity
	// OpenedFrom and OpenedTo bound when they began, the second excluded; zero for no
	// bound.
	OpenedFrom, OpenedTo time.Time
	// Limit bounds the list; zero means 200. Offset skips.
	Limit, Offset int
}

// Cases lists cases, those first that may do most harm, and how many there are.
// Damaged ones are left out and logged.
func (l *Ledger) Cases(ctx context.Context, f CaseFilter) (out []vigil.Case, total int, err error) {
	if f.Limit <= 0 {
		f.Limit = 200
	}
	to := f.OpenedTo
	if to.IsZero() {
		to = time.Unix(0, 1<<63-1)
	}
	// The index of the queue holds all that is asked of: which cases, and in which order, is
	// known before any is read.
	where := ` FROM casefile WHERE (?1 = '' OR state = ?1) AND (?2 = 0 OR state <> ?3) AND severity >= ?4 AND opened >= ?5 AND opened < ?6`
	args := []any{string(f.State), f.Unresolved, string(vigil.CaseResolved), f.MinSeverity.Rank(), nanos(f.OpenedFrom), nanos(to)}
	err = l.read(ctx, func(tx *sql.Tx) error {
		if err := tx.QueryRowContext(ctx, `SELECT count(*)`+where, args...).Scan(&total); err != nil {
			return err
		}
		args := append(args, f.Limit, max(0, f.Offset))
		rows, err := tx.QueryContext(ctx, `SELECT `+caseColumns+` FROM (SELECT rowid AS at`+where+`
			ORDER BY harm DESC, severity DESC, opened DESC, id LIMIT ?7 OFFSET ?8) q JOIN casefile c ON c.rowid = q.at
			ORDER BY c.harm DESC, c.severity DESC, c.opened DESC, c.id`, args...)
		if err != nil {
			return err
		}
		out, err = l.scanCases(rows)
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("read cases: %w", err)
	}
	return out, total, nil
}

// CaseEvents returns up to max lines of a case's timeline after the given number, in
// order.
func (l *Ledger) CaseEvents(ctx context.Context, id string, after int64, max int) ([]vigil.CaseEvent, error) {
	var out []vigil.CaseEvent
	err := l.read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT n, casefile, time, who, kind, text FROM case_event WHERE casefile = ? AND n > ? ORDER BY n LIMIT ?`, id, after, max)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var e vigil.CaseEvent
			var at int64
			if err := rows.Scan(&e.N, &e.Case, &at, &e.By, &e.Kind, &e.Text); err != nil {
				return err
			}
			e.Time = fromNanos(at)
			out = append(out, e)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("read timeline of case %q: %w", id, err)
	}
	return out, nil
}

// Silences returns all that were made and are kept, ended ones too, in the order of their
// ids. A damaged one is left out and logged.
func (l *Ledger) Silences(ctx context.Context) (out []vigil.Silence, err error) {
	err = l.read(ctx, func(tx *sql.Tx) error {
		out, err = l.silences(ctx, tx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read silences: %w", err)
	}
	return out, nil
}

func (l *Ledger) silences(ctx context.Context, tx *sql.Tx) (out []vigil.Silence, err error) {
	err = eachSaid(ctx, l, tx, "silence", func(_ string, s vigil.Silence) { out = append(out, s) },
		`SELECT id, data, sum FROM silence ORDER BY id`)
	return out, err
}

// Kept returns a small state that Work has kept by name, nil when there is none or it
// is damaged, which is logged: such a state spares repetition and no more.
func (l *Ledger) Kept(ctx context.Context, name string) ([]byte, error) {
	var data []byte
	var sum int64
	err := l.read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT data, sum FROM kept WHERE name = ?`, name).Scan(&data, &sum)
	})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read state %q: %w", name, err)
	case int64(findingSum(name, data)) != sum:
		l.log.Error("a state is damaged and begins anew", "state", name)
		return nil, nil
	}
	return data, nil
}
