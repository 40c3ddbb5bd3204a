package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"vigil"
	"vigil/detector/rules"
	"vigil/internal/api"
	"vigil/internal/config"
	"vigil/internal/ledger"
)

// rulesToJudge returns the rules that are to judge: those that two people agreed on, else
// the configuration's, which must be well in any case. unkept says why people's own can't be
// had, so that the configuration's stand in for them.
func rulesToJudge(ctx context.Context, l *ledger.Ledger, cfg *config.Config) (set *rules.Set, unkept error, err error) {
	set, wrong := LoadRules(cfg.Rules)
	if len(wrong) > 0 {
		return nil, nil, &config.Error{Problems: wrong}
	}
	d, err := decidedIn(ctx, l)
	if err != nil || d.Rules == nil {
		return set, nil, err
	}
	own, err := keptRules(ctx, l, d.Rules.Marks)
	if lost := (*lostRules)(nil); errors.As(err, &lost) {
		return set, lost, nil
	}
	return cmp.Or(own, set), nil, err
}

// lostRules is the error of rules that can't be brought back.
type lostRules struct {
	gone []string // ids of those whose text is not kept
	bad  string   // what is wrong with one
}

// Error says it in a sentence.
func (e *lostRules) Error() string {
	if n := len(e.gone); n > 0 {
		return fmt.Sprintf("The text of %s as it was then is not kept.", strings.Join(e.gone[:min(n, listedRules)], ", "))
	}
	return "This vigil can't read a rule of then any more: " + e.bad + "."
}

// keptRules reads rules by their digests: those that are built in, and the texts that the
// ledger keeps. The error is a *lostRules where one can't be had.
func keptRules(ctx context.Context, l *ledger.Ledger, marks []vigil.RuleMark) (*rules.Set, error) {
	builtin, err := rules.Builtin()
	if err != nil {
		return nil, err
	}
	have := map[string]*rules.Rule{}
	for _, r := range builtin {
		have[digestOf(r)] = r
	}
	var ask []string
	for _, m := range marks {
		if have[m.Digest] == nil {
			ask = append(ask, m.Digest)
		}
	}
	texts, err := l.RuleTexts(ctx, ask)
	if err != nil {
		return nil, err
	}
	var all []*rules.Rule
	lost := &lostRules{}
	for _, m := range marks {
		r := have[m.Digest]
		if text, ok := texts[m.Digest]; r == nil && ok {
			var wrong []config.Problem
			if r, wrong = rules.Load(m.ID, []byte(text)); len(wrong) > 0 {
				return nil, &lostRules{bad: (&config.Error{Problems: wrong[:1]}).Error()}
			}
		}
		if r == nil {
			lost.gone = append(lost.gone, m.ID)
			continue
		}
		all = append(all, r)
	}
	if len(lost.gone) > 0 {
		return nil, lost
	}
	return rules.New(all), nil
}

// noRules says in a sentence why the rules of a version can't be brought back, empty where
// they can.
func noRules(ctx context.Context, l *ledger.Ledger, now, v *api.SettingVersion) (string, error) {
	switch {
	case len(v.Rules) == 0:
		return "Which rules judged then is not known.", nil
	case slices.Equal(v.Rules, now.Rules):
		return "They are the rules in force.", nil
	}
	_, err := keptRules(ctx, l, v.Rules)
	if lost := (*lostRules)(nil); errors.As(err, &lost) {
		return lost.Error(), nil
	}
	return "", err
}

// allRules are the rules of a set, those that are switched off too.
func allRules(set *rules.Set) []*rules.Rule { return append(slices.Clone(set.Rules()), set.Off()...) }

func textsOf(set *rules.Set) (out []string) {
	for _, r := range allRules(set) {
		out = append(out, r.Text)
	}
	return out
}

// digestOf is the digest of a rule's mark.
func digestOf(r *rules.Rule) string { return rules.New([]*rules.Rule{r}).Marks()[0].Digest }

// rejudge has the rules that are to judge do so from the next entry of the log on.
func (a *App) rejudge() error {
	a.reloading.Lock()
	defer a.reloading.Unlock()
	if a.ending.Err() != nil {
		return nil // the next start takes them
	}
	ctx := a.ending
	set, err := a.rulesNow(ctx, a.conf())
	if err != nil {
		return fmt.Errorf("bring the rules into force: %w", err)
	}
	next := &edition{cfg: a.conf(), rules: set}
	if err := a.replace(ctx, partJudging, judgingPrint(next.cfg, set), func() (func(context.Context) error, error) { return a.startJudging(ctx, next) }); err != nil {
		a.fail(fmt.Errorf("exchange the rules: %w", err)) // nothing judges: whoever runs the service must see it
		return err
	}
	if !slices.Equal(a.judge().rules.Marks(), set.Marks()) {
		return errors.New("the rules are confirmed, but the detector can't take them now: they come into force with the next start")
	}
	a.notingRules.Lock()
	a.rulesNoted = false // a decision may leave the rules as they are, and yet is to be named
	a.notingRules.Unlock()
	return a.noteRules(ctx)
}

// rulesNow is rulesToJudge of the service itself: what stands in for people's own is logged.
func (a *App) rulesNow(ctx context.Context, cfg *config.Config) (*rules.Set, error) {
	set, unkept, err := rulesToJudge(ctx, a.ledger, cfg)
	if unkept != nil {
		a.logger.Error("the rules that two people agreed on can't be had: the configuration's judge instead", "error", unkept.Error())
	}
	return set, err
}
