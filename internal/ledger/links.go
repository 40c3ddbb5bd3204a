package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"vigil"
	"vigil/internal/api"
)

const (
	// linkSubjects is up to how many customers a finding is found by: who read more has
	// them in common with everybody.
	linkSubjects = 20
	// linkedAtMost bounds the findings that are looked at of each thing in common: those
	// that came last.
	linkedAtMost = 50
)

type link struct{ kind, name string }

// linksOf are the things by which a finding is related to others: who and whose it is
// about, and the networks and query shapes that were news in it. What everybody uses, as
// the office's network, relates nobody.
func linksOf(f *vigil.Finding) []link {
	var out []link
	add := func(kind api.Relation, name string) {
		if l := (link{string(kind), name}); name != "" && !slices.Contains(out, l) {
			out = append(out, l)
		}
	}
	add(api.RelatedActor, f.Actor)
	for _, a := range f.Actors {
		add(api.RelatedActor, a)
	}
	add(api.RelatedSubject, f.Subject)
	if len(f.SubjectIDs) <= linkSubjects {
		for _, s := range f.SubjectIDs {
			add(api.RelatedSubject, s)
		}
	}
	add(api.RelatedNetwork, f.Network)
	for i := range f.Contributions {
		switch c := &f.Contributions[i]; c.Observation {
		case "network":
			add(api.RelatedNetwork, c.SeenLabel)
		case "shape":
			add(api.RelatedShape, c.SeenLabel)
		}
	}
	return out
}

// putLinks notes what a finding is related by. What an earlier revision was stays.
func putLinks(ctx context.Context, tx *sql.Tx, f *vigil.Finding) error {
	for _, x := range linksOf(f) {
		if _, err := tx.ExecContext(ctx, `INSERT INTO finding_link (kind, name, detected, finding) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			x.kind, x.name, nanos(f.Detected), f.ID); err != nil {
			return fmt.Errorf("note what it is related by: %w", err)
		}
	}
	return nil
}

// linksIn lists what a finding is related by, its case as well.
func linksIn(ctx context.Context, tx *sql.Tx, id string) (out []link, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT DISTINCT kind, name FROM finding_link WHERE finding = ?1
		UNION ALL SELECT ?2, casefile FROM case_finding WHERE finding = ?1`, id, string(api.RelatedCase))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var l link
		if err := rows.Scan(&l.kind, &l.name); err != nil {
			return nil, err
		}
		out = append(out, l)
	}
	return out, rows.Err()
}

// linked lists the ids of findings that have something in common with one, and what: of
// each thing those that came last.
func linked(ctx context.Context, tx *sql.Tx, id string) (map[string][]api.Tie, error) {
	links, err := linksIn(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	out := map[string][]api.Tie{}
	for _, l := range links {
		query := `SELECT finding FROM finding_link WHERE kind = ? AND name = ? ORDER BY detected DESC LIMIT ?`
		args := []any{l.kind, l.name, linkedAtMost}
		if l.kind == string(api.RelatedCase) {
			query, args = `SELECT finding FROM case_finding WHERE casefile = ? LIMIT ?`, []any{l.name, linkedAtMost}
		}
		ids, err := texts(ctx, tx, query, args...)
		if err != nil {
			return nil, err
		}
		for _, other := range ids {
			tie := api.Tie{Relation: api.Relation(l.kind), Name: l.name}
			if other != id && !slices.Contains(out[other], tie) {
				out[other] = append(out[other], tie)
			}
		}
	}
	return out, nil
}

func texts(ctx context.Context, tx *sql.Tx, query string, args ...any) (out []string, err error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

// Related lists the findings that have something in common with one, worst first, at most
// max, and how many more it knows of. Of a thing that very many have in common only those
// that came last are looked at.
func (l *Ledger) Related(ctx context.Context, id string, max int) (out []api.Related, left int, err error) {
	err = l.read(ctx, func(tx *sql.Tx) error {
		out = nil
		ties, err := linked(ctx, tx, id)
		if err != nil {
			return err
		}
		for _, other := range sortedKeys(ties) {
			f, err := l.findingIn(ctx, tx, other)
			if err != nil {
				return err
			}
			if f != nil {
				out = append(out, api.Related{Finding: *f, Ties: ties[other]})
			}
		}
		return nil
	})
	if err != nil {
		return nil, 0, fmt.Errorf("read what is related to finding %q: %w", id, err)
	}
	slices.SortStableFunc(out, func(a, b api.Related) int { return worse(&a.Finding, &b.Finding) })
	left = len(out)
	out = out[:min(len(out), max)]
	return out, left - len(out), nil
}

// worse orders findings as the queue does.
func worse(a, b *vigil.Finding) int {
	return cmp.Or(cmp.Compare(b.Harm, a.Harm), cmp.Compare(b.Severity.Rank(), a.Severity.Rank()), b.Detected.Compare(a.Detected), cmp.Compare(a.ID, b.ID))
}

// findingIn reads a finding, nil where it is gone or damaged, which is logged.
func (l *Ledger) findingIn(ctx context.Context, tx *sql.Tx, id string) (*vigil.Finding, error) {
	f, err := scanFinding(tx.QueryRowContext(ctx, `SELECT `+findingColumns+` FROM finding f LEFT JOIN verdict v ON v.finding = f.id WHERE f.id = ?`, id).Scan)
	var damage *CorruptError
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil
	case errors.As(err, &damage):
		l.log.Error("a finding is damaged and left out", "error", err)
		return nil, nil
	case err != nil:
		return nil, err
	}
	return &f, nil
}

// FindingsOf lists the findings that an actor took part in, the newest first, at most max.
func (l *Ledger) FindingsOf(ctx context.Context, actor string, max int) (out []vigil.Finding, total int, err error) {
	err = l.read(ctx, func(tx *sql.Tx) error {
		out = nil
		if err := tx.QueryRowContext(ctx, `SELECT count(DISTINCT finding) FROM finding_link WHERE kind = ? AND name = ?`, string(api.RelatedActor), actor).Scan(&total); err != nil {
			return err
		}
		ids, err := texts(ctx, tx, `SELECT finding FROM finding_link WHERE kind = ? AND name = ? GROUP BY finding ORDER BY max(detected) DESC LIMIT ?`, string(api.RelatedActor), actor, max)
		if err != nil {
			return err
		}
		for _, id := range ids {
			f, err := l.findingIn(ctx, tx, id)
			if err != nil {
				return err
			}
			if f != nil {
				out = append(out, *f)
			}
		}
		return nil
	})
	if err != nil {
		return nil, 0, fmt.Errorf("read findings of an actor: %w", err)
	}
	return out, total, nil
}
