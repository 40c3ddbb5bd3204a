package app

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"vigil"
	"vigil/dashboards/audit"
	"vigil/detector"
	"vigil/detector/reasons"
	"vigil/internal/config"
	"vigil/internal/ledger"
)

// The bounds of what is looked at for one audit report. Where there is more, a sample is
// taken, and the report says so.
const (
	// auditEvents bounds the events that are read by some of their columns, and each of
	// the other two those that are read whole.
	auditEvents        = 50_000_000
	auditVendorEvents  = 5_000_000
	auditMeterEvents   = 300_000
	auditMaxActors     = 500_000
	auditMaxDays       = 1_000
	auditMaxLapses     = 10_000
	auditDormant       = 90 * 24 * time.Hour
	auditVendorActors  = 500
	auditMaxGroups     = 300
	auditMaxStoresEach = 50
)

// auditor gathers what stands in an audit report out of a data folder. It only reads.
type auditor struct {
	ledger *ledger.Ledger
	cfg    *config.Config
	// budget is what the running detector has as its budget, zero where none runs and
	// none is configured.
	budget float64
	logger *slog.Logger
	limits auditLimits
}

// auditLimits are the bounds that tests make smaller.
type auditLimits struct{ events, vendorEvents, meterEvents int64 }

func (l auditLimits) orDefault() auditLimits {
	set := func(n *int64, def int64) {
		if *n == 0 {
			*n = def
		}
	}
	set(&l.events, auditEvents)
	set(&l.vendorEvents, auditVendorEvents)
	set(&l.meterEvents, auditMeterEvents)
	return l
}

// gathering is one report in the making.
type gathering struct {
	*auditor
	from, to time.Time
	report   *audit.Report
	damaged  int

	book   *reasons.Book
	told   map[vigil.FactKind]bool
	people map[string]*vigil.Person
	// contracts are those in force in the period.
	contracts []vigil.Contract
	uses      map[string]*use
	// crowded says that there were more accounts than are counted.
	crowded bool
}

// gather fills in the report for [from, to).
func (a *auditor) gather(ctx context.Context, r *audit.Report) error {
	a.limits = a.limits.orDefault()
	g := &gathering{auditor: a, from: r.From, to: r.To, report: r}
	for _, step := range []struct {
		what string
		do   func(context.Context) error
	}{
		{"facts", g.facts}, {"accesses", g.access}, {"dormant accounts", g.dormant}, {"vendors", g.vendors},
		{"findings", g.findings}, {"coverage", g.coverage}, {"audit log", g.watcher},
	} {
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("gather %s for the audit report: %w", step.what, err)
		}
	}
	g.remarks(ctx)
	return nil
}

// remarks says what a reader must know of the report as a whole.
func (g *gathering) remarks(ctx context.Context) {
	r := g.report
	if g.damaged > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("%d parts of what is kept are damaged and could not be read: what they hold is missing here.", g.damaged))
	}
	if g.crowded {
		r.Notes = append(r.Notes, fmt.Sprintf("More than %d accounts used access: those beyond are in the sums of accesses alone.", auditMaxActors))
	}
	if r.Made.Before(r.To) {
		r.Notes = append(r.Notes, "The period was not over when the report was made: it tells of what had come until then.")
	}
	if r.Dormant.Watched.After(r.From) {
		r.Notes = append(r.Notes, "Accesses are kept since "+r.Dormant.Watched.Format("2 January 2006 15:04 UTC")+" only: what was before is missing here.")
	}
	if stats, err := g.ledger.Stats(ctx); err == nil && stats.Pending > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("%d events had come and were not judged yet when the report was made.", stats.Pending))
	}
}

// facts reads what feeds told of people, contracts and changes, as it stands now, and of which
// kinds any told something: the newest snapshot, and the records after it.
func (g *gathering) facts(ctx context.Context) error {
	kinds := []vigil.FactKind{vigil.FactPerson, vigil.FactContract, vigil.FactChange}
	seq, parts, err := g.ledger.SnapshotParts(ctx, detector.ReasonParts(kinds...)...)
	if err != nil {
		return err
	}
	some := make([]detector.Part, len(parts))
	for i, p := range parts {
		some[i] = detector.Part(p)
	}
	if g.book, err = detector.RestoreReasons(some); err != nil {
		return err
	}
	g.told = map[vigil.FactKind]bool{}
	for _, k := range g.book.Told() {
		g.told[k] = true
	}
	err = g.ledger.EachControl(ctx, seq, func(_ time.Time, c vigil.Control) error {
		if c.Type != vigil.ControlFacts {
			return nil
		}
		f, ok := decodeFacts(c.Data)
		if !ok {
			return nil
		}
		g.told[f.Kind] = true
		if slices.Contains(kinds, f.Kind) {
			g.book.Apply(f)
		}
		return nil
	})
	if err != nil {
		return err
	}
	g.people = map[string]*vigil.Person{}
	for _, f := range g.book.Facts(vigil.FactPerson) {
		for i := range f.People {
			p := &f.People[i]
			g.people[p.Actor] = p
		}
	}
	for _, f := range g.book.Facts(vigil.FactContract) {
		for _, c := range f.Contracts {
			if (c.From.IsZero() || c.From.Before(g.to)) && (c.To.IsZero() || c.To.After(g.from)) {
				g.contracts = append(g.contracts, c)
			}
		}
	}
	return nil
}

func (g *gathering) saw(s ledger.Surveyed) audit.Sample {
	g.damaged += s.Damaged
	return audit.Sample{Looked: s.Looked, Held: s.Held}
}
