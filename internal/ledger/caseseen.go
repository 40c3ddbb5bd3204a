package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"vigil/internal/api"
)

// SeeCases notes that somebody has seen all that is new by a time.
func (l *Ledger) SeeCases(ctx context.Context, who string, until time.Time) error {
	err := l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM case_seen WHERE who = ? AND casefile <> '' AND seen <= ?`, who, nanos(until)); err != nil {
			return err
		}
		return seeCase(ctx, tx, who, "", until)
	})
	if err != nil {
		return fmt.Errorf("note what is seen: %w", err)
	}
	return nil
}

// SeeCase notes that somebody has seen what is new of a case by a time. Nothing is written
// where nothing was new.
func (l *Ledger) SeeCase(ctx context.Context, who, id string, until time.Time) error {
	fresh, err := l.NewTo(ctx, who, []string{id})
	if err != nil || !fresh[id] {
		return err
	}
	if err := l.write(ctx, func(ctx context.Context, tx *sql.Tx) error { return seeCase(ctx, tx, who, id, until) }); err != nil {
		return fmt.Errorf("note that case %q is seen: %w", id, err)
	}
	return nil
}

func seeCase(ctx context.Context, tx *sql.Tx, who, id string, until time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO case_seen (who, casefile, seen) VALUES (?, ?, ?)
		ON CONFLICT (who, casefile) DO UPDATE SET seen = max(seen, excluded.seen)`, who, id, nanos(until))
	return err
}

// isNew is of a casefile c of which somebody, ?1, has not seen the news.
const isNew = `c.news > coalesce((SELECT seen FROM case_seen WHERE who = ?1 AND casefile = ''), 0)
	AND c.news > coalesce((SELECT seen FROM case_seen s WHERE s.who = ?1 AND s.casefile = c.id), 0)`

// NewTo returns which of some cases hold news that somebody has not seen.
func (l *Ledger) NewTo(ctx context.Context, who string, ids []string) (map[string]bool, error) {
	out := make(map[string]bool, len(ids))
	err := l.read(ctx, func(tx *sql.Tx) error {
		clear(out)
		stmt, err := tx.PrepareContext(ctx, `SELECT EXISTS (SELECT 1 FROM casefile c WHERE c.id = ?2 AND `+isNew+`)`)
		if err != nil {
			return err
		}
		defer stmt.Close()
		for _, id := range ids {
			var fresh bool
			if err := stmt.QueryRowContext(ctx, who, id).Scan(&fresh); err != nil {
				return err
			}
			out[id] = fresh
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("ask what is new: %w", err)
	}
	return out, nil
}

// News counts the cases of a filter that hold news which somebody has not seen, up to
// api.MaxNews: those that CaseQueue lists when it is asked for the new ones among them.
func (l *Ledger) News(ctx context.Context, f api.QueueFilter, who Viewer) (n int, err error) {
	f.New, f.After = true, ""
	err = l.read(ctx, func(tx *sql.Tx) error {
		own, err := who.own(ctx, tx)
		if err != nil {
			return err
		}
		where, args, err := narrowed(&f, who.By, own)
		if err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT 1 FROM casefile INDEXED BY casefile_news`+where+` LIMIT ?)`, append(args, api.MaxNews)...).Scan(&n)
	})
	if err != nil {
		return 0, fmt.Errorf("count what is new: %w", err)
	}
	return n, nil
}
