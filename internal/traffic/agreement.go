package traffic

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"vigil"
)

// The purposes for which customers are asked. The help desk's own work names
// neither: who withdrew is never read for them.
const (
	PurposeMarketing = "marketing"
	PurposeTraining  = "training"
)

// Gone is the id of a customer whose record was erased. None of them occurs in the
// events.
func Gone(n int) string { return Customer(-1 - n) }

// consents tells what customers allow. Some withdraw within the span; a few who did
// are under a legal hold and are read on.
func (b *facts) consents() {
	span := b.end().Sub(b.start())
	for c := range b.w.Customers(b.start()) {
		u := mix(b.w.cfg.Seed ^ uint64(c) ^ 0xc0245e47)
		if u%3 != 0 {
			continue
		}
		given := b.start().AddDate(0, 0, -30-int(u>>8%700))
		base := vigil.Consent{Subject: Customer(c), Tenant: Tenant, Given: given}
		switch u >> 20 % 200 {
		case 0: // everything, under a legal hold
			base.Withdrawn, base.LegalHold = b.start().AddDate(0, 0, -int(u>>30%20)-1), true
			f := b.told(b.start(), vigil.FactConsent)
			f.Consents = append(f.Consents, base)
			continue
		case 1, 2, 3, 4, 5, 6, 7, 8:
			base.Purpose = [2]string{PurposeMarketing, PurposeTraining}[u>>40&1]
			f := b.told(b.start(), vigil.FactConsent)
			f.Consents = append(f.Consents, base)
			base.Withdrawn = b.start().Add(time.Duration(float64(span) * float64(u>>11) / (1 << 53))).Truncate(time.Second)
			f = b.told(base.Withdrawn.Add(2*time.Minute), vigil.FactConsent)
			f.Consents = append(f.Consents, base)
			continue
		}
		for _, purpose := range []string{PurposeMarketing, PurposeTraining} {
			base.Purpose = purpose
			f := b.told(b.start(), vigil.FactConsent)
			f.Consents = append(f.Consents, base)
		}
	}
	for n := range max(5, b.w.Customers(b.start())/500) {
		at := b.start().Add(span * time.Duration(n) / time.Duration(max(5, b.w.Customers(b.start())/500))).Truncate(time.Second)
		f := b.told(at.Add(2*time.Minute), vigil.FactConsent)
		f.Consents = append(f.Consents, vigil.Consent{Subject: Gone(n), Tenant: Tenant, Withdrawn: at.AddDate(0, 0, -3), Erased: at})
	}
}

// contracts tells what vendors and bots may do: what they do, with headroom.
func (b *facts) contracts() {
	daily := make([]int, b.w.cfg.Days)
	for _, a := range b.w.actors {
		if a.role.cases != nil {
			for d := range daily {
				daily[d] += b.w.planned(a, d)
			}
		}
	}
	everybody := slices.Max(daily)
	for _, a := range b.w.actors {
		var ops []op
		c := vigil.Contract{
			ID: "contract-" + a.ID, Who: who(a), Networks: []string{a.office + ".0/24"},
			Period: vigil.Period{From: b.start().AddDate(-1, 0, 0).Truncate(24 * time.Hour), To: b.end().AddDate(0, 6, 0)},
		}
		busiest := 0
		for d := range daily {
			busiest = max(busiest, b.w.planned(a, d))
		}
		switch a.role.name {
		case "bot":
			ops = slices.Concat(botCases, vectorCases)
			c.PerDay = int64(200 + 2*busiest)
			c.RowsPerDay = int64(2_000 + 60*busiest)
			c.Regions, c.Destinations = []string{homeCountry}, []string{"chat"}
			c.PerCustomer = b.w.has(BotSessions)
		case "sync":
			ops = syncDuties
			c.PerDay = int64(400 + 40*busiest)
			if b.w.has(SyncIncremental) { // what everybody works on
				c.PerDay = int64(400 + everybody)
			}
			c.RowsPerDay = max(c.PerDay, int64(400+200*busiest))
			c.Regions, c.Destinations = []string{homeCountry, vendorCountry}, []string{"crm"}
		default:
			continue
		}
		for i := range ops {
			o := &ops[i]
			store := a.role.store
			if o.store != "" {
				store = o.store
			}
			c.Stores, c.Resources, c.Actions = oneMore(c.Stores, store), oneMore(c.Resources, o.resource), oneMore(c.Actions, o.action)
			for _, field := range o.fields {
				c.Fields = oneMore(c.Fields, field)
			}
		}
		f := b.told(b.start(), vigil.FactContract)
		f.Contracts = append(f.Contracts, c)
		for _, o := range b.w.log {
			if o.Happening == Replatform && slices.Contains(o.Actors, a.ID) {
				c.Networks = append(slices.Clone(c.Networks), strings.TrimSuffix(o.Network, ".")+".0/24")
				f := b.told(o.Start.AddDate(0, 0, -2), vigil.FactContract)
				f.Contracts = append(f.Contracts, c)
			}
		}
	}
}

// planned is how many events an actor makes on a day.
func (w *World) planned(a *actor, day int) (n int) {
	hours := w.cfg.Days * 24
	for h := day * 24; h < min(day*24+24, hours); h++ {
		n += int(w.plan[a.index*hours+h])
	}
	return n
}

// oneMore adds x where it is not yet.
func oneMore[T comparable](list []T, x T) []T {
	if slices.Contains(list, x) {
		return list
	}
	return append(list, x)
}

// jobs tells the standing work that has no ticket: exports, syncs and indexing by
// resource, analysts' tables, reports by their purpose.
func (b *facts) jobs() {
	f := b.told(b.start(), vigil.FactAssignment)
	work := func(a *actor, ops []op) {
		seen := map[string]bool{}
		for i := range ops {
			o := &ops[i]
			store := a.role.store
			if o.store != "" {
				store = o.store
			}
			if key := store + "/" + o.resource; !seen[key] {
				seen[key] = true
				f.Assignments = append(f.Assignments, vigil.Assignment{ID: "job-" + a.ID + "-" + store + "-" + o.resource, Who: who(a), Store: store, Resource: o.resource})
			}
		}
	}
	for _, a := range b.w.actors {
		switch a.role.name {
		case "etl":
			work(a, etlDuties)
		case "sync":
			work(a, syncDuties)
		case "index":
			work(a, vectorDuties)
		case "analyst":
			work(a, analystDuties)
		}
	}
	for _, role := range []string{"supervisor", "analyst"} {
		f.Assignments = append(f.Assignments, vigil.Assignment{ID: "task-reporting-" + role, Who: vigil.Who{Role: role}, Purpose: "reporting"})
	}
}

// purposes tells for what people read besides their tickets, and how much a day. What
// a role always does is declared for good; what comes up, for those and as long as
// it does.
func (b *facts) purposes() {
	add := func(known time.Time, id string, w vigil.Who, purpose string, perDay int64, p vigil.Period) {
		f := b.told(known, vigil.FactPurpose)
		f.Purposes = append(f.Purposes, vigil.Purpose{ID: "purpose-" + purpose + "-" + id, Who: w, Purpose: purpose, PerDay: perDay, Period: p})
	}
	for _, p := range []struct {
		role, purpose string
		perDay        int64
	}{{"supervisor", "qa", 120}, {"supervisor", "quality", 120}, {"supervisor", "reporting", 0}, {"analyst", "reporting", 0}, {"index", "reindex", 0}} {
		add(b.start(), p.role, vigil.Who{Role: p.role}, p.purpose, p.perDay, vigil.Period{})
	}
	for i, o := range b.w.log {
		purpose, perDay := "", int64(0)
		switch o.Happening {
		case Leavers:
			purpose, perDay = "handover", 200
		case VIPIncident:
			purpose, perDay = "assigned", 40
		case Backlog:
			purpose, perDay = "backlog", 300
		case SharedLinks:
			purpose, perDay = "shared-link", 60
		case OnCall:
			if o.Ticket != "" {
				purpose, perDay = "incident", 300
			}
		}
		if purpose == "" {
			continue
		}
		for _, id := range o.Actors {
			period := vigil.Period{From: o.Start.Add(-time.Hour), To: o.End.Add(time.Hour)}
			add(period.From, strconv.Itoa(i)+"-"+id, vigil.Who{Actor: id}, purpose, perDay, period)
		}
	}
}
