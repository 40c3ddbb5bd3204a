package detector

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"vigil"
	"vigil/detector/features"
	"vigil/detector/rules"
)

const (
	// floodLimit bounds the findings that one rule opens in a day (UTC). Beyond it one
	// finding says how many there would be.
	floodLimit = 50
	// failureLimit is on how many events a rule may fail before it is switched off.
	failureLimit = 100
	// maxOffices bounds the networks of people; officeDays is how long they are kept.
	maxOffices = 1 << 16
	officeDays = 30
)

// laws is how rules stand: what is frozen between merges, and how often each spoke.
type laws struct {
	// Offices are the networks that people came from, by hash, and the last day (UTC).
	Offices map[uint64]int64
	// Failed counts the events that a rule failed on, Off says that it is switched off;
	// both by the rule's fingerprint, so that a mended rule runs again.
	Failed map[string]int64
	Off    map[string]bool
	Floods map[string]flood // by the rule's id
}

// flood is how many findings a rule opened on its last day.
type flood struct {
	Day          int64
	Opened, Held int64
	Told         int64 // of Held
	Revision     int
	Started      int64
}

// ready fills in what an empty state lacks.
func (l laws) ready() laws {
	if l.Offices == nil {
		l.Offices = map[uint64]int64{}
	}
	if l.Failed == nil {
		l.Failed = map[string]int64{}
	}
	if l.Off == nil {
		l.Off = map[string]bool{}
	}
	if l.Floods == nil {
		l.Floods = map[string]flood{}
	}
	return l
}

// switchedOff says that a rule failed too often.
func (s *shared) switchedOff(r *rules.Rule) bool { return s.Laws.Off[r.Fingerprint] }

// peopleNetwork notes where people work, and tells of others whether people worked
// there before the last merge.
func (sh *shard) peopleNetwork(e *vigil.Event) bool {
	if e.Network == "" {
		return false
	}
	switch e.Actor.Kind {
	case vigil.KindHuman, vigil.KindAdmin:
		network, day := features.Hash(e.Network), features.Day.Index(e.Time.UnixNano())
		if !e.Late && sh.shared.Laws.Offices[network] != day && len(sh.offices) < maxOffices/shardCount {
			sh.offices[network] = struct{}{}
		}
		return true
	case vigil.KindService, vigil.KindBot, vigil.KindVendor:
		_, ok := sh.shared.Laws.Offices[features.Hash(e.Network)]
		return ok
	}
	return false
}

// takeRules takes over what a shard's rules met since the last merge, at now.
func (s *shared) takeRules(sh *shard, now int64) {
	failed := sh.watch.Failures()
	sh.dirty = sh.dirty || len(sh.offices)+len(failed) > 0
	s.takeOffices(sh, now)
	for _, f := range failed {
		s.failed(f, now)
	}
	if len(failed) > 0 {
		sh.watch.Forgive()
	}
}

// takeOffices takes over from where people worked since the last merge, at now.
func (s *shared) takeOffices(sh *shard, now int64) {
	day := features.Day.Index(now - 1)
	s.fitter.lowest = lowestKeys(s.fitter.lowest, sh.offices, len(sh.offices)) // in order
	for _, network := range s.fitter.lowest {
		if _, known := s.Laws.Offices[network]; known || len(s.Laws.Offices) < maxOffices {
			s.Laws.Offices[network] = day
		}
	}
	clear(sh.offices)
}

// failed counts a rule's failures, and switches it off when there are too many.
func (s *shared) failed(f rules.Failure, now int64) {
	key := f.Rule.Fingerprint
	s.Laws.Failed[key] += f.Events
	if s.Laws.Failed[key] < failureLimit || s.Laws.Off[key] {
		return
	}
	s.Laws.Off[key] = true
	out := aboutRule(f.Rule, "off", now)
	out.Severity, out.Revision, out.Events = vigil.SeverityMedium, 1, s.Laws.Failed[key]
	out.Sentence = fmt.Sprintf("The rule %s failed on %s and is switched off: %s.", f.Rule.ID, plural(out.Events, "access", "accesses"), f.Message)
	out.Contributions[0].Seen, out.Contributions[0].High, out.Contributions[0].Text = float64(out.Events), failureLimit-1, f.Message
	out.Counterfactual = "The rule runs again once its file is mended: its condition must be one that holds or fails for any access."
	s.found = append(s.found, out)
}

// endDay forgets networks that people have not come from for long.
func (l *laws) endDay(now int64) {
	day := features.Day.Index(now)
	maps.DeleteFunc(l.Offices, func(_ uint64, last int64) bool { return day-last > officeDays })
}

// aboutRule begins a finding about a rule itself.
func aboutRule(r *rules.Rule, what string, t int64) vigil.Finding {
	return vigil.Finding{
		ID: findingID("rule\x00"+r.ID, what, t), State: vigil.StateClosed, About: vigil.AboutSource, Source: "rule " + r.ID, Rule: r.ID, Lane: "rule",
		Start: utc(t), End: utc(t), Detected: utc(t), Evidence: ruleEvidence, Harm: 1,
		Subjects: vigil.Unknown, Rows: vigil.Unknown, Conversations: vigil.Unknown,
		Contributions: []vigil.Contribution{{
			Model: "rule", Observation: "events", Span: "day", SpanStart: utc(t), Frame: "everyone", P: 1e-9, E: 1e9, Share: 1,
		}},
	}
}

// collectRuled gathers what rules found, in an order that does not depend on who ran
// which, and holds back what is too much of one rule.
func (e *Engine) collectRuled() []vigil.Finding {
	var all []ruled
	for _, sh := range e.shards {
		all = append(all, sh.ruled...)
		clear(sh.ruled)
		sh.ruled = sh.ruled[:0]
	}
	slices.SortStableFunc(all, func(a, b ruled) int {
		return cmp.Or(a.told.Detected.Compare(b.told.Detected), cmp.Compare(a.told.ID, b.told.ID), cmp.Compare(a.told.Revision, b.told.Revision))
	})
	var found []vigil.Finding
	for _, r := range all {
		if r.told.Revision == 1 {
			var news *vigil.Finding
			if r.ruling.Held, news = e.shared.admit(&r.told); news != nil {
				found = append(found, *news)
			}
		}
		if !r.ruling.Held {
			found = append(found, r.told)
		}
	}
	return found
}

// admit counts a new finding of a rule. When it is one too many it is held back, and a
// finding may say so.
func (s *shared) admit(f *vigil.Finding) (held bool, news *vigil.Finding) {
	rule := s.rules.Find(f.Rule)
	t := f.Detected.UnixNano()
	day := features.Day.Index(t)
	fl := s.Laws.Floods[f.Rule]
	if day > fl.Day {
		fl = flood{Day: day}
	}
	defer func() { s.Laws.Floods[f.Rule] = fl }()
	if fl.Opened < floodLimit || rule == nil {
		fl.Opened++
		return false, nil
	}
	fl.Held++
	if !grew(fl.Held, fl.Told) {
		return true, nil
	}
	if fl.Started == 0 {
		fl.Started = t
	}
	fl.Told = fl.Held
	fl.Revision++
	out := aboutRule(rule, "flood", fl.Started)
	out.End, out.Severity, out.Revision, out.Events = utc(t), vigil.SeverityMedium, fl.Revision, fl.Opened+fl.Held
	out.Sentence = fmt.Sprintf("The rule %s would open %s today; %d were told, the others are held back until midnight (UTC).",
		rule.ID, plural(fl.Opened+fl.Held, "finding", "findings"), floodLimit)
	c := &out.Contributions[0]
	c.Seen, c.High, c.Text = float64(out.Events), floodLimit, fmt.Sprintf("the rule opened %s in one day", plural(out.Events, "finding", "findings"))
	out.Counterfactual = "Narrow the rule, or see with vigil rules preview whom it is about."
	return true, &out
}
