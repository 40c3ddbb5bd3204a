package app

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/axiomhq/hyperloglog"

	"vigil"
	"vigil/dashboards/audit"
	"vigil/internal/drill"
	"vigil/internal/feeds"
	"vigil/internal/ledger"
)

// coverage is what was not seen: silent sources, lapses, times without vigil, feeds
// that are missing, and the blind-spot meter on a sample.
func (g *gathering) coverage(ctx context.Context) error {
	c := &g.report.Coverage
	if err := g.sources(ctx); err != nil {
		return err
	}
	err := g.ledger.EachControl(ctx, 0, func(accepted time.Time, x vigil.Control) error {
		switch x.Type {
		case vigil.ControlLapse:
			var l vigil.Lapse
			if json.Unmarshal(x.Data, &l) != nil || !g.within(cmp.Or(l.End, accepted)) {
				return nil
			}
			if len(c.Lapses) >= auditMaxLapses {
				c.MoreLapses++
				return nil
			}
			c.Lapses = append(c.Lapses, audit.Lapse{Source: l.Source, Kind: string(l.Kind), Text: l.Text, Start: l.Start, End: l.End, Missing: l.Missing})
		case vigil.ControlAbsence:
			var a vigil.Absence
			if json.Unmarshal(x.Data, &a) == nil && a.From.Before(g.to) && a.To.After(g.from) {
				c.Absences = append(c.Absences, vigil.Period(a))
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := g.feeds(); err != nil {
		return err
	}
	var told []vigil.FactKind
	for _, k := range vigil.FactKinds() {
		if g.told[k] {
			told = append(told, k)
			continue
		}
		c.Missing = append(c.Missing, k)
	}
	cover := drill.NewCoverage()
	seen, err := g.ledger.Survey(ctx, ledger.Survey{From: g.from, To: g.to, Most: g.limits.meterEvents}, func(events []*vigil.Event) {
		for _, e := range events {
			cover.Add(e)
		}
	})
	if err != nil {
		return err
	}
	c.Sample = audit.Sample{Looked: seen.Looked, Held: seen.Held}
	for _, v := range drill.Meter(cover, told) {
		c.Blind = append(c.Blind, audit.Blind{Row: v.Row, Name: v.Name, Sight: string(v.Sight), By: v.By, Mend: v.Mend})
	}
	return nil
}

func (g *gathering) within(t time.Time) bool { return !t.Before(g.from) && t.Before(g.to) }

// sources counts what each told by day, from the time series.
func (g *gathering) sources(ctx context.Context) error {
	counts, begin, err := g.ledger.DailyEvents(ctx, g.from, g.to)
	if err != nil {
		return err
	}
	stats, err := g.ledger.Stats(ctx)
	if err != nil {
		return err
	}
	all := map[string]*audit.Source{}
	of := func(name string) *audit.Source {
		if all[name] == nil {
			all[name] = &audit.Source{Name: name, ByDay: make([]int64, days(g.from, g.to))}
		}
		return all[name]
	}
	for i := range g.cfg.Sources {
		of(g.cfg.Sources[i].Name)
	}
	for name, byDay := range counts {
		s := of(name)
		for i, n := range byDay {
			s.ByDay[i] = n
			s.Events += n
		}
	}
	for i := range stats.Sources {
		s := of(stats.Sources[i].Name)
		s.SetAside, s.Last = stats.Sources[i].Quarantined, stats.Sources[i].LastEvent
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		for i, n := range all[name].ByDay {
			start := g.from.Add(time.Duration(i) * 24 * time.Hour)
			if n == 0 && !start.Before(begin) && !start.Add(24*time.Hour).After(g.report.Made) {
				all[name].Empty++
			}
		}
		g.report.Coverage.Sources = append(g.report.Coverage.Sources, *all[name])
	}
	return nil
}

func days(from, to time.Time) int { return int((to.Sub(from) + 24*time.Hour - 1) / (24 * time.Hour)) }

// feeds reads the note that the service leaves of how they stand.
func (g *gathering) feeds() error {
	text, err := os.ReadFile(filepath.Join(g.cfg.DataDir, feedNote))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var all []feeds.Status
	if err == nil && json.Unmarshal(text, &all) != nil {
		g.report.Notes = append(g.report.Notes, "The note of how the feeds stand can't be read.")
	}
	for _, f := range all {
		if f.Name == honeyFeed && f.Records == 0 {
			continue // it is there without being configured
		}
		g.report.Coverage.Feeds = append(g.report.Coverage.Feeds, audit.Feed{Name: f.Name, Kind: string(f.Kind), Records: f.Records, Trouble: f.Trouble})
	}
	return nil
}

// watcher verifies the audit log and counts what it says of the period.
func (g *gathering) watcher(ctx context.Context) error {
	w := &g.report.Watcher
	n, hash, err := g.ledger.VerifyAudit(ctx)
	var broken *ledger.CorruptError
	if errors.As(err, &broken) {
		w.Broken = broken.Error()
	} else if err != nil {
		return err
	}
	w.Records, w.Head = n, hex.EncodeToString(hash)
	type key struct{ what, by string }
	deeds := map[key]*audit.Deed{}
	things := map[key]*hyperloglog.Sketch{}
	for after := uint64(0); ; {
		records, err := g.ledger.AuditLog(ctx, after, 1_000)
		if err != nil {
			return err
		}
		if len(records) == 0 {
			break
		}
		for _, r := range records {
			after = r.N
			if !g.within(r.Time) {
				continue
			}
			k := key{r.What, deedBy(r.Who)}
			if deeds[k] == nil {
				deeds[k], things[k] = &audit.Deed{What: k.what, By: k.by}, hyperloglog.New()
			}
			deeds[k].Times++
			if r.Object != "" {
				things[k].Insert([]byte(r.Object))
			}
			if r.What == auditReloaded {
				w.Settings = append(w.Settings, audit.Change{Time: r.Time, By: deedBy(r.Who), What: r.Object})
			}
		}
	}
	for k, d := range deeds {
		d.Things = int64(things[k].Estimate())
		w.Deeds = append(w.Deeds, *d)
	}
	slices.SortFunc(w.Deeds, func(a, b audit.Deed) int { return cmp.Or(cmp.Compare(a.What, b.What), cmp.Compare(a.By, b.By)) })
	changes, err := g.ledger.RulesChanges(ctx, audit.MaxRows)
	if err != nil {
		return err
	}
	for _, c := range slices.Backward(changes) {
		if g.within(c.Time) {
			w.Rules = append(w.Rules, audit.Change{Time: c.Time, By: "vigil itself", What: describeRules(&c)})
		}
	}
	return nil
}

// deedBy says by whom in general something was done: nobody is named.
func deedBy(who string) string {
	switch who {
	case "console", commandLine:
		return who
	case "vigil":
		return "vigil itself"
	}
	return "a person"
}
