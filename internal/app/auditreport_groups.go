package app

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/axiomhq/hyperloglog"

	"vigil"
	"vigil/dashboards/audit"
)

// groupKey is the role and team of accounts.
type groupKey struct {
	role, team string
	kind       vigil.ActorKind
}

// headcount counts accounts and what they did together.
type headcount struct {
	used, with map[string]struct{}
	accesses   int64
	subjects   *hyperloglog.Sketch
}

func newHeadcount() *headcount {
	return &headcount{used: map[string]struct{}{}, with: map[string]struct{}{}, subjects: hyperloglog.New()}
}

func (t *headcount) add(o *headcount) {
	maps.Copy(t.used, o.used)
	maps.Copy(t.with, o.with)
	t.accesses += o.accesses
	// Two sketches of one precision always merge.
	_ = t.subjects.Merge(o.subjects)
}

// few says that so few people used access that their sum would tell of each.
func (t *headcount) few() bool { return len(t.used) > 0 && len(t.used) < audit.Few }

// small says that a group is not to be shown by itself.
func (t *headcount) small() bool { return t.few() || len(t.with) > 0 && len(t.with) < audit.Few }

// group is a headcount of each store, and of all.
type group struct {
	name    string
	machine bool
	whole   *headcount
	stores  map[string]*headcount
}

// groups are all of a report, at most auditMaxGroups with auditMaxStoresEach each: the
// rest counts as "others".
type groups struct{ all map[groupKey]*group }

func newGroups() *groups { return &groups{all: map[groupKey]*group{}} }

const otherStores = "other stores"

func (gs *groups) of(k groupKey) *group {
	if k.kind == vigil.KindUnspecified {
		k.kind = vigil.KindHuman // as who is not known to be a machine counts
	}
	g := gs.all[k]
	if g == nil {
		name := groupName(k.role, k.team, k.kind)
		if len(gs.all) >= auditMaxGroups {
			k = groupKey{role: "other roles", kind: k.kind}
			name = groupName(k.role, "", k.kind)
			if have := gs.all[k]; have != nil {
				return have
			}
		}
		g = &group{name: name, machine: machine(k.kind), whole: newHeadcount(), stores: map[string]*headcount{}}
		gs.all[k] = g
	}
	return g
}

// cell is the headcount of a group on a store.
func (gs *groups) cell(k groupKey, store string) *headcount {
	g := gs.of(k)
	t := g.stores[store]
	if t == nil {
		if len(g.stores) >= auditMaxStoresEach {
			if store = otherStores; g.stores[store] != nil {
				return g.stores[store]
			}
		}
		t = newHeadcount()
		g.stores[store] = t
	}
	return t
}

// use counts an account in its group.
func (gs *groups) use(k groupKey, actor string, u *use) {
	g := gs.of(k)
	g.whole.used[actor] = struct{}{}
	for store := range u.stores {
		gs.cell(k, store).used[actor] = struct{}{}
	}
}

// with counts an account that has access.
func (gs *groups) with(k groupKey, actor string) { gs.of(k).whole.with[actor] = struct{}{} }

// shown is what may be shown: groups of people too small for it are put together.
func (gs *groups) shown() []audit.Group {
	var people, out []*group
	for _, g := range gs.all {
		for _, t := range g.stores {
			g.whole.accesses += t.accesses
			_ = g.whole.subjects.Merge(t.subjects) // as above
		}
		if g.machine {
			out = append(out, g)
			continue
		}
		people = append(people, g)
	}
	out = append(out, together(people)...)
	slices.SortFunc(out, func(a, b *group) int {
		rank := func(g *group) int {
			switch {
			case g.machine:
				return 2
			case strings.HasPrefix(g.name, smallGroups):
				return 1
			}
			return 0
		}
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.name, b.name))
	})
	shown := make([]audit.Group, 0, len(out))
	for _, g := range out {
		x := audit.Group{
			Name: g.name, Machine: g.machine, With: len(g.whole.with), Used: len(g.whole.used), Withheld: !g.machine && g.whole.few(),
			Accesses: g.whole.accesses, Customers: int64(g.whole.subjects.Estimate()), Stores: g.storeUses(),
		}
		if x.Withheld {
			x.Accesses, x.Customers = 0, 0
		}
		shown = append(shown, x)
	}
	return shown
}

const smallGroups = "smaller groups together"

// together puts small groups into one, and the next larger with them until that is
// large enough: with one alone withheld, it could be told from the sum.
func together(all []*group) []*group {
	slices.SortFunc(all, func(a, b *group) int {
		return cmp.Or(cmp.Compare(len(a.whole.used), len(b.whole.used)), cmp.Compare(len(a.whole.with), len(b.whole.with)), cmp.Compare(a.name, b.name))
	})
	var large []*group
	sum := &group{whole: newHeadcount(), stores: map[string]*headcount{}}
	n := 0
	take := func(g *group) {
		n++
		sum.name = g.name
		sum.whole.add(g.whole)
		for store, t := range g.stores {
			if sum.stores[store] == nil {
				sum.stores[store] = newHeadcount()
			}
			sum.stores[store].add(t)
		}
	}
	for _, g := range all {
		if g.whole.small() {
			take(g)
			continue
		}
		large = append(large, g)
	}
	for n > 0 && sum.whole.few() && len(large) > 0 {
		take(large[0])
		large = large[1:]
	}
	switch {
	case n == 0:
		return large
	case n > 1:
		sum.name = fmt.Sprintf("%s (%d)", smallGroups, n)
	}
	return append(large, sum)
}

// storeUses is a group's stores: those on which few people were are put together in the
// same way.
func (g *group) storeUses() []audit.StoreUse {
	type cell struct {
		name string
		*headcount
	}
	var cells []cell
	for name, t := range g.stores {
		if len(t.used) > 0 {
			cells = append(cells, cell{name, t})
		}
	}
	slices.SortFunc(cells, func(a, b cell) int {
		return cmp.Or(cmp.Compare(len(a.used), len(b.used)), cmp.Compare(a.name, b.name))
	})
	if !g.machine {
		rest := cell{otherStores, newHeadcount()}
		n := 0
		for len(cells) > 0 && (cells[0].few() || n > 0 && rest.few()) {
			if n++; n == 1 {
				rest.name = cells[0].name
			} else {
				rest.name = otherStores
			}
			rest.add(cells[0].headcount)
			cells = cells[1:]
		}
		if n > 0 {
			cells = append(cells, rest)
		}
	}
	out := make([]audit.StoreUse, 0, len(cells))
	for _, c := range cells {
		u := audit.StoreUse{Store: c.name, Used: len(c.used), Withheld: !g.machine && c.few()}
		if !u.Withheld {
			u.Accesses, u.Customers = c.accesses, int64(c.subjects.Estimate())
		}
		out = append(out, u)
	}
	slices.SortFunc(out, func(a, b audit.StoreUse) int { return cmp.Compare(a.Store, b.Store) })
	return out
}
