package ledger

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"vigil"
)

// ErrCursor is of a place in a list that this ledger did not give out.
var ErrCursor = errors.New("this is no place in the list")

// QueueFilter narrows the queue of cases. The zero filter lists all.
type QueueFilter struct {
	// State "" lists all states; Unresolved those that are not resolved.
	State       vigil.CaseState
	Unresolved  bool
	MinSeverity vigil.Severity
	// Owner is who has it; Unowned lists those that nobody has.
	Owner   string
	Unowned bool
	About   vigil.About
	// Place is a store or a source of which a finding of the case tells.
	Place string
	// OpenedFrom and OpenedTo bound when it began, the second excluded; zero for no bound.
	OpenedFrom, OpenedTo time.Time
	// NewTo lists those of which somebody has not seen the news.
	NewTo string
	// After is the place after which the list goes on, as QueuePage.Next told; empty for
	// its beginning.
	After string
	// Limit bounds the list; zero means 50.
	Limit int
}

// plain reports whether the tally counts all that the filter lists.
func (f *QueueFilter) plain() bool {
	return f.Owner == "" && !f.Unowned && f.About == "" && f.Place == "" && f.OpenedFrom.IsZero() && f.OpenedTo.IsZero() && f.NewTo == ""
}

// QueuePage is a part of the queue of cases.
type QueuePage struct {
	Cases []vigil.Case
	// Next is the place after the last of them, empty at the end.
	Next string
	// Total is how many the filter lists, vigil.Unknown where that would have to be
	// counted.
	Total int64
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

// query writes what the filter asks of casefile. The index casefile_list holds all of it.
func (f *QueueFilter) query() (where string, args []any, err error) {
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
	if f.NewTo != "" {
		add(`news > coalesce((SELECT seen FROM case_seen WHERE who = ? AND casefile = ''), 0)`, f.NewTo)
		add(`news > coalesce((SELECT seen FROM case_seen s WHERE s.who = ? AND s.casefile = casefile.id), 0)`, f.NewTo)
	}
	if len(parts) == 0 {
		return "", nil, nil
	}
	return ` WHERE ` + strings.Join(parts, ` AND `), args, nil
}

// CaseQueue lists cases, those first of which most harm is to be expected: the lead's harm
// times how likely a breach it is. Damaged ones are left out and logged. The error wraps
// ErrCursor for a place that is none.
func (l *Ledger) CaseQueue(ctx context.Context, f QueueFilter) (page QueuePage, err error) {
	if f.Limit <= 0 {
		f.Limit = 50
	}
	where, args, err := f.query()
	if err != nil {
		return page, err
	}
	err = l.read(ctx, func(tx *sql.Tx) error {
		page = QueuePage{Total: vigil.Unknown}
		if f.plain() {
			err := tx.QueryRowContext(ctx, `SELECT coalesce(sum(n), 0) FROM case_tally WHERE (?1 = '' OR state = ?1) AND (?2 = 0 OR state <> ?3) AND severity >= ?4`,
				string(f.State), f.Unresolved, string(vigil.CaseResolved), f.MinSeverity.Rank()).Scan(&page.Total)
			if err != nil {
				return err
			}
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
		return QueuePage{}, fmt.Errorf("read queue of cases: %w", err)
	}
	return page, nil
}

// scanQueue reads rows into a page of at most limit cases.
func (l *Ledger) scanQueue(rows *sql.Rows, limit int, page *QueuePage) error {
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
		rows, err := tx.QueryContext(ctx, `SELECT `+caseColumns+` FROM casefile c WHERE topic IN (?`+strings.Repeat(`, ?`, len(topics)-1)+`) AND id <> ? ORDER BY last DESC, id LIMIT ?`,
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
