package app

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"vigil"
	"vigil/detector/rules"
	"vigil/internal/api"
	"vigil/internal/config"
	"vigil/internal/ledger"
	"vigil/internal/pack"
)

// packs makes evidence packs. It is safe for concurrent use.
type packs struct {
	reader *reader
	conf   func() *config.Config
}

// look reads a case, and its findings that are kept, for who asks.
func (p *packs) look(ctx context.Context, id string) (vigil.Case, []vigil.Finding, error) {
	l := p.reader.app.ledger
	c, err := l.Case(ctx, id)
	if err != nil {
		return c, nil, err
	}
	if err := p.reader.keepOff(ctx, &c); err != nil {
		return c, nil, err
	}
	var out []vigil.Finding
	for _, id := range c.Findings {
		f, err := l.Finding(ctx, id)
		if gone(err) {
			continue
		}
		if err != nil {
			return c, nil, err
		}
		finite(&f)
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b vigil.Finding) int { return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.ID, b.ID)) })
	return c, out, nil
}

// PackPreview implements api.Packs.
func (p *packs) PackPreview(ctx context.Context, id string) (api.PackPreview, error) {
	c, findings, err := p.look(ctx, id)
	if err != nil {
		return api.PackPreview{}, err
	}
	if err := p.reader.record(ctx, "evidence pack looked at", "case "+c.ID); err != nil {
		return api.PackPreview{}, err
	}
	out := api.PackPreview{Case: c, Findings: findings, MostEvents: pack.MaxEvents}
	n, err := p.reader.app.ledger.Notice(ctx, c.ID)
	if err != nil {
		return out, err
	}
	out.Notice = n.Revision > 0
	for _, s := range spansOf(findings) {
		page, err := p.reader.app.ledger.Events(ctx, s.query(s.from, s.to, 1))
		if err != nil {
			return out, err
		}
		out.Events += int64(page.Total)
	}
	key, _, err := loadReportKey(p.conf().DataDir, false)
	switch {
	case err == nil:
		out.Key = publicText(key.Public().(ed25519.PublicKey))
	case !errors.Is(err, fs.ErrNotExist):
		return out, err
	}
	return out, nil
}

// Pack implements api.Packs.
func (p *packs) Pack(ctx context.Context, id string) (string, func(context.Context, io.Writer) error, error) {
	c, findings, err := p.look(ctx, id)
	if err != nil {
		return "", nil, err
	}
	a, now := p.reader.app, p.reader.app.opts.Now().UTC()
	key, err := signingKey(ctx, a.ledger, p.conf().DataDir, now)
	if err != nil {
		return "", nil, err
	}
	who := cmp.Or(api.PersonOf(ctx).By, "console")
	if _, err := a.ledger.Audit(ctx, ledger.AuditRecord{Time: now, Who: who, What: "evidence pack made", Object: "case " + c.ID}); err != nil {
		return "", nil, fmt.Errorf("%w: %w", api.ErrUnrecorded, err)
	}
	out := &pack.Contents{Case: c, Findings: findings}
	out.Of.Program, out.Of.Made = a.opts.Version, now
	out.Of.Settings, out.Of.Rules = judgedBy(p.conf(), a.judge().rules)
	// After the findings: what they are followed from lies before this.
	out.Of.LogJudged = a.ledger.Applied()
	stats, err := a.ledger.Stats(ctx)
	if err != nil {
		return "", nil, err
	}
	out.Of.LogCut = stats.Cut
	n, head, err := a.ledger.AuditHead(ctx)
	if err != nil {
		return "", nil, err
	}
	out.Of.AuditRecords, out.Of.AuditHead = n, hex.EncodeToString(head)
	if out.Timeline, err = a.ledger.CaseEvents(ctx, c.ID, 0, pack.MaxTimeline); err != nil {
		return "", nil, err
	}
	if err := a.ledger.Notices(ctx, c.ID, func(k *vigil.Notice) error { out.Notices = append(out.Notices, *k); return nil }); err != nil {
		return "", nil, err
	}
	write := func(ctx context.Context, w io.Writer) error {
		out.Events = func(yield func(*vigil.Event) error) error { return eachCaseEvent(ctx, a.ledger, findings, yield) }
		out.Audit = func(yield func(pack.AuditRecord) error) error { return eachAuditOf(ctx, a.ledger, &c, n, yield) }
		_, err := pack.Write(w, out, key)
		return err
	}
	return "vigil-evidence-" + c.ID + ".zip", write, nil
}

// judgedBy are hashes over what findings depend on besides the log.
func judgedBy(cfg *config.Config, set *rules.Set) (settings, marks string) {
	s, m := config.PrintOf(cfg.Budget, cfg.MaxActors, cfg.MaxCold), config.PrintOf(set.Marks())
	return hex.EncodeToString(s[:]), hex.EncodeToString(m[:])
}

// eachAuditOf visits the records of the audit log up to a number that are about a case or
// a finding of it.
func eachAuditOf(ctx context.Context, l *ledger.Ledger, c *vigil.Case, upTo uint64, visit func(pack.AuditRecord) error) error {
	about := map[string]bool{c.ID: true}
	for _, id := range c.Findings {
		about[id] = true
	}
	var previous []byte
	visited := 0
	for after := uint64(0); after < upTo && visited < pack.MaxAudit; {
		records, err := l.AuditLog(ctx, after, 1_000)
		if err != nil {
			return err
		}
		if len(records) == 0 {
			return nil
		}
		for i := range records {
			r := &records[i]
			if r.N > upTo {
				return nil
			}
			if mentions(r.Object, about) && visited < pack.MaxAudit {
				visited++
				if err := visit(pack.AuditRecord{
					N: r.N, Time: r.Time, Who: r.Who, What: r.What, Object: r.Object, Previous: hex.EncodeToString(previous), Hash: hex.EncodeToString(r.Hash),
				}); err != nil {
					return err
				}
			}
			after, previous = r.N, r.Hash
		}
	}
	return nil
}

// mentions reports whether a text names one of some ids. A colon may follow it, and may be a
// part of it.
func mentions(text string, ids map[string]bool) bool {
	return slices.ContainsFunc(strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' || r == ';' }), func(word string) bool {
		return ids[word] || ids[strings.TrimSuffix(word, ":")]
	})
}

var _ api.Packs = (*packs)(nil)
