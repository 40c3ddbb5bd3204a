package app

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"vigil"
	"vigil/internal/config"
	"vigil/internal/ledger"
)

// listedRules bounds the rules of each kind that the audit log names; the log of events
// has all.
const listedRules = 20

// noteRules writes into the audit log and into the log of events which rules judge from
// here on, when they are others than the last. What can't be written now is tried again.
func (a *App) noteRules(ctx context.Context) error {
	a.notingRules.Lock()
	defer a.notingRules.Unlock()
	if a.rulesNoted {
		return nil
	}
	set := a.judge().rules
	if err := a.ledger.KeepRuleTexts(ctx, textsOf(set)); err != nil {
		return err
	}
	last, err := a.ledger.RulesChanges(ctx, 1)
	if err != nil {
		return err
	}
	d, err := decidedIn(ctx, a.ledger)
	if err != nil {
		return err
	}
	var before []vigil.RuleMark
	if len(last) > 0 {
		before = last[0].Rules
	}
	c, differ := vigil.NewRulesChange(before, set.Marks())
	by := d.GrantedRules
	if by != nil && by.Own && !slices.Equal(by.Marks, set.Marks()) {
		by = nil // they do not judge yet
	}
	if by != nil && len(last) > 0 && last[0].ID == by.ID { // the log names them since before a crash
		if err := a.settings.noted(ctx, by.ID); err != nil {
			return err
		}
		by = nil
	}
	if by == nil && !differ {
		a.rulesNoted = true
		return nil
	}
	if by != nil {
		c.ID, c.Own, c.By, c.Confirmed, c.Why = by.ID, by.Own, by.By, by.Confirmed, by.Why
	}
	c.Time, c.From = a.opts.Now().UTC().Round(0), a.judge().rulesFrom
	if !a.rulesAudited {
		if _, err := a.ledger.Audit(ctx, ledger.AuditRecord{Time: c.Time, Who: "vigil", What: "rules changed", Object: describeRules(&c)}); err != nil {
			return err
		}
		a.rulesAudited = true
	}
	_, err = a.ledger.AcceptRules(ctx, c)
	a.intake.note(err)
	if err != nil {
		return err
	}
	if by != nil {
		if err := a.settings.noted(ctx, by.ID); err != nil {
			return err
		}
	}
	a.rulesNoted = true
	a.logger.Info("other rules judge than before", "from_entry", c.From, "added", len(c.Added), "changed", len(c.Changed), "removed", len(c.Removed))
	return nil
}

// describeRules names what changed, each rule with the first digits of its digest.
func describeRules(c *vigil.RulesChange) string {
	now := map[string]vigil.RuleMark{}
	for _, r := range c.Rules {
		now[r.ID] = r
	}
	list := func(what string, ids []string) string {
		var words []string
		for _, id := range ids[:min(len(ids), listedRules)] {
			r, ok := now[id]
			switch {
			case !ok:
				words = append(words, id)
			case r.Off:
				words = append(words, fmt.Sprintf("%s (%.12s, off)", id, r.Digest))
			default:
				words = append(words, fmt.Sprintf("%s (%.12s)", id, r.Digest))
			}
		}
		if more := len(ids) - len(words); more > 0 {
			words = append(words, fmt.Sprintf("%d more", more))
		}
		return what + " " + strings.Join(words, ", ")
	}
	ids := func(marks []vigil.RuleMark) (out []string) {
		for _, m := range marks {
			out = append(out, m.ID)
		}
		return out
	}
	parts := []string{fmt.Sprintf("from entry %d", c.From)}
	for _, p := range []struct {
		what string
		ids  []string
	}{{"added", c.Added}, {"changed", ids(c.Changed)}, {"removed", ids(c.Removed)}} {
		if len(p.ids) > 0 {
			parts = append(parts, list(p.what, p.ids))
		}
	}
	return strings.Join(parts, "; ")
}

// RulesHistory lists which rules judged from when on, the newest first, at most max of
// some 200. It reads the data folder beside the service that writes to it.
func RulesHistory(ctx context.Context, cfg *config.Config, max int) (changes []vigil.RulesChange, err error) {
	err = readBeside(ctx, cfg, func(l *ledger.Ledger) error {
		changes, err = l.RulesChanges(ctx, max)
		return err
	})
	return changes, err
}
