package app

import (
	"context"
	"fmt"
	"strings"

	"vigil/detector/rules"
	"vigil/internal/api"
	"vigil/internal/ledger"
	"vigil/internal/yaml"
)

// triedFile is what the file of a rule that is tried is called in messages.
const triedFile = "rule"

// triedRule reads the text of a rule that is to be tried, and runs its examples.
func triedRule(text string) (*rules.Rule, error) {
	if len(text) > api.MaxRuleText {
		return nil, fmt.Errorf("%w: the rule is %d bytes long, at most %d are read", api.ErrRefused, len(text), api.MaxRuleText)
	}
	r, wrong := rules.Load(triedFile, []byte(text))
	if r != nil {
		wrong = r.Try()
	}
	if len(wrong) > 0 {
		return nil, fmt.Errorf("%w: %w", api.ErrRefused, &yaml.Error{Problems: wrong})
	}
	return r, nil
}

// tryRule counts what a rule would have told, with one reader of the ledger beside the
// service.
func (b *backtests) tryRule(ctx context.Context, ask *api.ReplayAsk) (out *api.RulePreview, err error) {
	r, err := triedRule(ask.Rule)
	if err != nil {
		return nil, err
	}
	a := b.reader.app
	l, err := ledger.OpenReader(ctx, ledgerConfig(a.conf()), ledger.Options{})
	if err != nil {
		return nil, err
	}
	defer func() {
		if cerr := l.Close(); err == nil && cerr != nil {
			err = cerr
		}
	}()
	h, opts := &history{ledger: l}, BacktestOptions{From: ask.From, To: ask.To}
	if err := h.span(ctx, &opts); err != nil {
		return nil, err
	}
	p := newPreviewer(r)
	p.from, p.to = opts.From, opts.To
	if err := p.overLedger(ctx, l, h.stats, b.progress); err != nil {
		return nil, err
	}
	out = p.result(a.judge().status.Load().Budget)
	out.From, out.To = opts.From.UTC(), opts.To.UTC()
	if set := a.judge().rules; set.Find(r.ID) != nil {
		out.Warnings = append(out.Warnings, fmt.Sprintf("a rule %q is in force already; what is counted here is this text alone", strings.TrimSpace(r.ID)))
	}
	return out, nil
}
