package ledger

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"vigil"
	"vigil/internal/api"
)

// ErrCursor is of a place in a list that this ledger did not give out.
var ErrCursor = errors.New("this is no place in the list")

// Viewer is who looks at the queue.
type Viewer struct {
	// By is under what it is kept which news they have seen.
	By string
	// Is are those whom they are themselves at the sources: cases about one of these, or in
	// which one took part, are neither listed nor counted.
	Is []Self
}

// Self is one of whom somebody is at the sources.
type Self struct{ Tenant, Actor string }

// own lists the cases that concern the viewer.
func (w *Viewer) own(ctx context.Context, tx *sql.Tx) ([]string, error) {
	if len(w.Is) == 0 {
		return nil, nil
	}
	var topics, names []any
	for _, s := range w.Is {
		f := vigil.Finding{About: vigil.AboutActor, Tenant: s.Tenant, Actor: s.Actor}
		topics, names = append(topics, f.Topic()), append(names, s.Actor)
	}
	ids, err := texts(ctx, tx, `SELECT id FROM casefile WHERE topic IN (`+marks(len(topics))+`) UNION
		SELECT k.id FROM finding_link l JOIN case_finding c ON c.finding = l.finding JOIN casefile k ON k.id = c.casefile
		WHERE l.kind = 'actor' AND l.name IN (`+marks(len(names))+`) AND k.about <> 'actor'`, append(topics, names...)...)
	if err != nil {
		return nil, fmt.Errorf("look for cases about who looks: %w", err)
	}
	return ids, nil
}

// marks are as many placeholders, at least one.
func marks(n int) string { return `?` + strings.Repeat(`, ?`, n-1) }

// tallied reports whether the tally counts all that a filter lists.
func tallied(f *api.QueueFilter) bool {
	return f.Owner == "" && !f.Unowned && f.About == "" && f.Place == "" && f.OpenedFrom.IsZero() && f.OpenedTo.IsZero() && !f.New
}

// queueKey is a place in the queue: what it is ordered by.
type queueKey struct {
	Expected float64 `json:"e"`
	Severity int     `json:"s"`
	Opened   int64   `json:"o"`
	ID       string  `json:"i"`
}

func (k queueKey) String() string {
	data, _ := json.Marshal(k) // expected is finite: SQLite holds no other
	return base64.RawURLEncoding.EncodeToString(data)
}

// parseQueueKey reads a place that String wrote.
func parseQueueKey(s string) (k queueKey, err error) {
	data, err := base64.RawURLEncoding.DecodeString(s)
	if err == nil {
		err = json.Unmarshal(data, &k)
	}
	if err != nil || k.ID == "" || k.String() != s {
		return k, ErrCursor
	}
	return k, nil
}

// narrowed writes what a filter asks of casefile, for somebody but those cases that are
// their own. The indexes casefile_list and casefile_news hold all of it.
func narrowed(f *api.QueueFilter, who string, own []string) (where string, args []any, err error) {
	var parts []string
	add := func(part string, values ...any) { parts, args = append(parts, part), append(args, values...) }
	if f.After != "" {
		k, err := parseQueueKey(f.After)
		if err != nil {
			return "", nil, err
		}
		add(`expected <= ?`, k.Expected)
		add(`(expected < ? OR severity < ? OR severity = ? AND (opened < ? OR opened = ? AND id > ?))`, k.Expected, k.Severity, k.Severity, k.Opened, k.Opened, k.ID)
	}
	if f.State != "" {
		add(`state = ?`, string(f.State))
	}
	if f.Unresolved {
		add(`state <> ?`, string(vigil.CaseResolved))
	}
	if r := f.MinSeverity.Rank(); r > 0 {
		add(`severity >= ?`, r)
	}
	if f.Owner != "" {
		add(`owner = ?`, f.Owner)
	}
	if f.Unowned {
		add(`owner = ''`)
	}
	if f.About != "" {
		add(`about = ?`, string(f.About))
	}
	if f.Place != "" {
		add(`instr(places, ?) > 0`, "\n"+f.Place+"\n")
	}
	if !f.OpenedFrom.IsZero() {
		add(`opened >= ?`, nanos(f.OpenedFrom))
	}
	if !f.OpenedTo.IsZero() {
		add(`opened < ?`, nanos(f.OpenedTo))
	}
	if f.New {
		add(`news > coalesce((SELECT seen FROM case_seen WHERE who = ? AND casefile = ''), 0)`, who)
		add(`news > coalesce((SELECT seen FROM case_seen s WHERE s.who = ? AND s.casefile = casefile.id), 0)`, who)
	}
	if len(own) > 0 {
		parts = append(parts, `id NOT IN (`+marks(len(own))+`)`)
		for _, id := range own {
			args = append(args, id)
		}
	}
	if len(parts) == 0 {
		return "", nil, nil
	}
	return ` WHERE ` + strings.Join(parts, ` AND `), args, nil
}

// CaseQueue lists cases for somebody, those first of which most harm is to be expected: the
// lead's harm times how likely a breach it is. Damaged ones are left out and logged. The
// error wraps ErrCursor for a place that is none.
func (l *Ledger) CaseQueue(ctx context.Context, f api.QueueFilter, who Viewer) (page api.CasePage, err error) {
	if f.Limit <= 0 {
		f.Limit = 50
	}
	err = l.read(ctx, func(tx *sql.Tx) error {
		page = api.CasePage{Total: vigil.Unknown}
		own, err := who.own(ctx, tx)
		if err != nil {
			return err
		}
		if tallied(&f) {
			if page.Total, err = tally(ctx, tx, &f, own); err != nil {
				return err
			}
		}
		where, args, err := narrowed(&f, who.By, own)
		if err != nil {
			return err
		}
		// Which cases, and in which order, is known before any is read.
		rows, err := tx.QueryContext(ctx, `SELECT `+caseColumns+`, c.expected, c.severity, c.opened FROM
			(SELECT rowid AS at FROM casefile INDEXED BY casefile_list`+where+` ORDER BY expected DESC, severity DESC, opened DESC, id LIMIT ?) q
			JOIN casefile c ON c.rowid = q.at ORDER BY c.expected DESC, c.severity DESC, c.opened DESC, c.id`, append(args, f.Limit+1)...)
		if err != nil {
			return err
		}
		defer rows.Close()
		return l.scanQueue(rows, f.Limit, &page)
	})
	if err != nil {
		return api.CasePage{}, fmt.Errorf("read queue of cases: %w", err)
	}
	return page, nil
}

// tally counts what a filter lists that asks for state and severity alone, but somebody's
// own cases.
func tally(ctx context.Context, tx *sql.Tx, f *api.QueueFilter, own []string) (n int64, err error) {
	err = tx.QueryRowContext(ctx, `SELECT coalesce(sum(n), 0) FROM case_tally WHERE (?1 = '' OR state = ?1) AND (?2 = 0 OR state <> ?3) AND severity >= ?4`,
		string(f.State), f.Unresolved, string(vigil.CaseResolved), f.MinSeverity.Rank()).Scan(&n)
	if err != nil || len(own) == 0 {
		return n, err
	}
	args := []any{string(f.State), f.Unresolved, string(vigil.CaseResolved), f.MinSeverity.Rank()}
	for _, id := range own {
		args = append(args, id)
	}
	var mine int64
	err = tx.QueryRowContext(ctx, `SELECT count(*) FROM casefile WHERE (?1 = '' OR state = ?1) AND (?2 = 0 OR state <> ?3) AND severity >= ?4
		AND id IN (`+marks(len(own))+`)`, args...).Scan(&mine)
	return n - mine, err
}

// scanQueue reads rows into a page of at most limit cases.
func (l *Ledger) scanQueue(rows *sql.Rows, limit int, page *api.CasePage) error {
	var last queueKey
	for n := 0; rows.Next(); n++ {
		if n == limit {
			page.Next = last.String()
			break
		}
		c, err := scanCase(func(to ...any) error { return rows.Scan(append(to, &last.Expected, &last.Severity, &last.Opened)...) })
		last.ID = c.ID
		var damage *CorruptError
		if errors.As(err, &damage) {
			l.log.Error("a case is damaged and left out", "error", err)
			continue
		}
		if err != nil {
			return err
		}
		page.Cases = append(page.Cases, c)
	}
	return rows.Err()
}

// CasesOn returns the cases about any of some topics but the one given, those of which the
// findings go on for longest first, at most max. Damaged ones are left out and logged.
func (l *Ledger) CasesOn(ctx context.Context, topics []string, but string, max int) (out []vigil.Case, err error) {
	if len(topics) == 0 {
		return nil, nil
	}
	args := make([]any, 0, len(topics)+2)
	for _, t := range topics {
		args = append(args, t)
	}
	err = l.read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT `+caseColumns+` FROM casefile c WHERE topic IN (`+marks(len(topics))+`) AND id <> ? ORDER BY last DESC, id LIMIT ?`,
			append(args, but, max)...)
		if err != nil {
			return err
		}
		out, err = l.scanCases(rows)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read related cases: %w", err)
	}
	return out, nil
}
