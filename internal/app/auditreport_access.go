package app

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/axiomhq/hyperloglog"

	"vigil"
	"vigil/dashboards/audit"
	"vigil/dashboards/phrase"
	"vigil/internal/ledger"
)

// use is what one account did in the period. It is never shown: groups are.
type use struct {
	role, team string
	kind       vigil.ActorKind
	tenant     string
	// first and last are its accesses that show data, stores how many on each.
	first, last time.Time
	stores      map[string]int64
	// left is when its person left, zero for not; after the first access then.
	left, after time.Time
}

// usedColumns are what access needs of an event.
var usedColumns = []string{"actor", "time", "actor_kind", "role", "team", "tenant", "action", "store", "subjects.list.element", "outcome"}

// placed is who an account is: by the directory, else by its own accesses.
func (g *gathering) placed(actor string, role, team *string, kind *vigil.ActorKind) (left time.Time, known bool) {
	p := g.people[actor]
	if p == nil {
		return left, false
	}
	*role, *team, *kind = cmp.Or(p.Role, *role), cmp.Or(p.Team, *team), cmp.Or(p.Kind, *kind)
	return p.Leaves, true
}

// machine says that an account is no person's. Who is not known to be a machine counts
// as a person.
func machine(k vigil.ActorKind) bool {
	switch k {
	case vigil.KindService, vigil.KindBot, vigil.KindVendor:
		return true
	}
	return false
}

// groupName is what accounts of one role and team are called.
func groupName(role, team string, kind vigil.ActorKind) string {
	var parts []string
	if role != "" {
		parts = append(parts, role)
	}
	if team != "" {
		parts = append(parts, team)
	}
	if len(parts) == 0 {
		parts = append(parts, "no role told")
	}
	name := strings.Join(parts, ", ")
	if word := phrase.Kind(kind); word != "" && kind != vigil.KindHuman && !strings.EqualFold(role, string(kind)) {
		name += " (" + word + ")"
	}
	return name
}

// access counts who used access, by one walk over the period's events.
func (g *gathering) access(ctx context.Context) error {
	a := &g.report.Access
	g.uses = map[string]*use{}
	groups := newGroups()
	all := hyperloglog.New()
	seen, err := g.ledger.Survey(ctx, ledger.Survey{From: g.from, To: g.to, Columns: usedColumns, Most: g.limits.events}, func(events []*vigil.Event) {
		for _, e := range events {
			if !e.Action.Discloses() || e.Outcome == vigil.OutcomeDenied || e.Outcome == vigil.OutcomeError {
				continue
			}
			a.Accesses++
			u := g.use(e)
			if u == nil {
				continue
			}
			u.stores[e.Store]++
			cell := groups.cell(groupKey{u.role, u.team, u.kind}, e.Store)
			cell.accesses++
			if len(e.Subjects) == 0 {
				a.Unnamed++
			}
			for _, s := range e.Subjects {
				all.Insert([]byte(s))
				cell.subjects.Insert([]byte(s))
			}
		}
	})
	if err != nil {
		return err
	}
	a.Sample, a.Customers = g.saw(seen), int64(all.Estimate())
	a.Directory, a.Used = g.told[vigil.FactPerson], len(g.uses)
	for actor, u := range g.uses {
		if g.people[actor] != nil {
			a.UsedKnown++
		}
		groups.use(groupKey{u.role, u.team, u.kind}, actor, u)
	}
	for actor, p := range g.people {
		if g.employed(p) {
			a.Known++
			groups.with(groupKey{p.Role, p.Team, p.Kind}, actor)
		}
	}
	a.Groups = groups.shown()
	g.accounts()
	return nil
}

// use notes an access of an account; nil when too many accounts are noted.
func (g *gathering) use(e *vigil.Event) *use {
	u := g.uses[e.Actor.ID]
	if u == nil {
		if len(g.uses) >= auditMaxActors {
			g.crowded = true
			return nil
		}
		u = &use{role: e.Actor.Role, team: e.Actor.Team, kind: e.Actor.Kind, tenant: e.Actor.Tenant, stores: map[string]int64{}}
		u.left, _ = g.placed(e.Actor.ID, &u.role, &u.team, &u.kind)
		g.uses[e.Actor.ID] = u
	}
	if u.first.IsZero() || e.Time.Before(u.first) {
		u.first = e.Time
	}
	if e.Time.After(u.last) {
		u.last = e.Time
	}
	if !u.left.IsZero() && !e.Time.Before(u.left) && (u.after.IsZero() || e.Time.Before(u.after)) {
		u.after = e.Time
	}
	return u
}

// employed says that somebody has access at some time of the period.
func (g *gathering) employed(p *vigil.Person) bool {
	return (p.Started.IsZero() || p.Started.Before(g.to)) && (p.Leaves.IsZero() || p.Leaves.After(g.from))
}

// accounts lists access against use: first what calls for a look.
func (g *gathering) accounts() {
	a := &g.report.Access
	var list []audit.Account
	for actor, p := range g.people {
		if !g.employed(p) && g.uses[actor] == nil {
			continue
		}
		x := audit.Account{Actor: actor, Role: p.Role, Team: p.Team, Kind: p.Kind, Known: true, Used: g.uses[actor] != nil}
		if !p.Leaves.IsZero() && p.Leaves.Before(g.to) {
			x.Left = p.Leaves
		}
		list = append(list, x)
	}
	for actor, u := range g.uses {
		if g.people[actor] == nil {
			list = append(list, audit.Account{Actor: actor, Role: u.role, Team: u.team, Kind: u.kind, Used: true})
		}
	}
	rank := func(x *audit.Account) int {
		switch {
		case !x.Left.IsZero() && x.Used:
			return 0
		case !x.Known && a.Directory:
			return 1
		case !x.Used:
			return 2
		}
		return 3
	}
	slices.SortFunc(list, func(x, y audit.Account) int {
		return cmp.Or(cmp.Compare(rank(&x), rank(&y)), cmp.Compare(x.Role, y.Role), cmp.Compare(x.Team, y.Team), cmp.Compare(x.Actor, y.Actor))
	})
	if len(list) > audit.MaxAccounts {
		a.More, list = len(list)-audit.MaxAccounts, list[:audit.MaxAccounts]
	}
	a.Accounts = list
}

// seenColumns are what dormant needs of an event.
var seenColumns = []string{"actor", "time", "actor_kind", "role", "team", "action", "outcome"}

// seenAccount is an account of before the period.
type seenAccount struct {
	role, team string
	kind       vigil.ActorKind
	last       time.Time
}

// dormant looks for accounts that nobody uses: those of the directory, and those that
// were used before as far back as may be looked, the newest first.
func (g *gathering) dormant(ctx context.Context) error {
	d := &g.report.Dormant
	d.Since, d.Directory = g.to.Add(-auditDormant), g.told[vigil.FactPerson]
	before := map[string]*seenAccount{}
	_, begin, err := g.ledger.DailyEvents(ctx, g.from, g.to)
	if err != nil {
		return err
	}
	oldest := begin
	seen, err := g.ledger.Survey(ctx, ledger.Survey{To: g.from, Columns: seenColumns, Most: g.limits.events, Newest: true}, func(events []*vigil.Event) {
		for _, e := range events {
			if oldest.IsZero() || e.Time.Before(oldest) {
				oldest = e.Time
			}
			if !e.Action.Discloses() || e.Outcome == vigil.OutcomeDenied || e.Outcome == vigil.OutcomeError {
				continue
			}
			s := before[e.Actor.ID]
			if s == nil {
				if len(before) >= auditMaxActors {
					continue
				}
				s = &seenAccount{role: e.Actor.Role, team: e.Actor.Team, kind: e.Actor.Kind}
				before[e.Actor.ID] = s
			}
			if e.Time.After(s.last) {
				s.last = e.Time
			}
		}
	})
	if err != nil {
		return err
	}
	g.saw(seen)
	d.Watched = oldest
	if seen.Sampled() && seen.Since.After(d.Watched) {
		d.Watched, d.Looked = seen.Since, seen.Since
	}
	last := func(actor string) time.Time {
		if u := g.uses[actor]; u != nil {
			return u.last
		}
		if s := before[actor]; s != nil {
			return s.last
		}
		return time.Time{}
	}
	candidates := map[string]bool{}
	for _, m := range []map[string]bool{keysOf(g.uses), keysOf(before)} {
		maps.Copy(candidates, m)
	}
	for actor, p := range g.people {
		if g.employed(p) && (p.Leaves.IsZero() || p.Leaves.After(g.to)) && !p.Started.After(d.Since) {
			candidates[actor] = true
		}
	}
	for _, actor := range slices.Sorted(maps.Keys(candidates)) {
		at := last(actor)
		if !at.Before(d.Since) {
			d.Active++
			continue
		}
		x := audit.DormantAccount{Actor: actor, Last: at}
		var kind vigil.ActorKind
		if s := before[actor]; s != nil {
			x.Role, x.Team, kind = s.role, s.team, s.kind
		}
		var left time.Time
		if left, x.Known = g.placed(actor, &x.Role, &x.Team, &kind); x.Known && !left.IsZero() && !left.After(g.to) {
			continue // gone, and so is the access
		}
		x.Role = cmp.Or(x.Role, phrase.Kind(kind))
		d.Accounts = append(d.Accounts, x)
	}
	slices.SortStableFunc(d.Accounts, func(x, y audit.DormantAccount) int { return x.Last.Compare(y.Last) })
	if len(d.Accounts) > audit.MaxRows {
		d.More, d.Accounts = len(d.Accounts)-audit.MaxRows, d.Accounts[:audit.MaxRows]
	}
	for _, actor := range slices.Sorted(maps.Keys(g.uses)) {
		if u := g.uses[actor]; !u.after.IsZero() {
			d.Leavers = append(d.Leavers, audit.Leaver{Actor: actor, Role: u.role, Team: u.team, Left: u.left, First: u.after, Last: u.last})
		}
	}
	return nil
}

func keysOf[V any](m map[string]V) map[string]bool {
	out := make(map[string]bool, len(m))
	for k := range m {
		out[k] = true
	}
	return out
}
