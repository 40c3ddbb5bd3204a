package app

import (
	"fmt"
	"strings"
	"testing"

	"vigil"
	"vigil/dashboards/audit"
)

// countedGroups counts so many accounts of each role on stores: each did ten accesses a store.
func countedGroups(roles map[string]map[string]int) []audit.Group {
	gs := newGroups()
	for role, stores := range roles {
		kind := vigil.KindHuman
		if strings.HasPrefix(role, "bot") {
			kind = vigil.KindBot
		}
		k := groupKey{role: role, kind: kind}
		for store, n := range stores {
			for i := range n {
				gs.cell(k, store).accesses += 10
				gs.cell(k, store).subjects.Insert(fmt.Append(nil, role, store, i))
				gs.use(k, fmt.Sprint(role, i), &use{stores: map[string]int64{store: 10}})
			}
		}
	}
	return gs.shown()
}

// What fewer than five people did is never shown, nor is it what is left of a sum when
// all that is shown is taken away.
func TestFewPeopleHideAmongOthers(t *testing.T) {
	t.Parallel()
	for name, roles := range map[string]map[string]map[string]int{
		"one small group":        {"agent": {"a": 20}, "auditor": {"a": 1}, "lead": {"a": 6}},
		"two small groups":       {"agent": {"a": 20}, "auditor": {"a": 3}, "lead": {"a": 4}},
		"a small store":          {"agent": {"a": 20, "b": 2, "c": 9}},
		"two small stores":       {"agent": {"a": 20, "b": 2, "c": 2, "d": 8}},
		"everything small":       {"agent": {"a": 2}, "auditor": {"a": 1}},
		"machines beside people": {"agent": {"a": 9}, "bot-x": {"a": 1}},
	} {
		withheld := 0
		for _, g := range countedGroups(roles) {
			if g.Machine {
				if g.Withheld || g.Accesses != 10 {
					t.Errorf("%s: the machine %+v", name, g)
				}
				continue
			}
			if g.Used > 0 && g.Used < audit.Few {
				if withheld++; !g.Withheld || g.Accesses != 0 || g.Customers != 0 {
					t.Errorf("%s: %+v is shown", name, g)
				}
			}
			var sum int64
			small := 0
			for _, u := range g.Stores {
				sum += u.Accesses
				if u.Withheld {
					small++
				}
				if u.Used < audit.Few && (!u.Withheld || u.Accesses != 0) {
					t.Errorf("%s: %+v of %s is shown", name, u, g.Name)
				}
			}
			if small > 0 && !g.Withheld {
				t.Errorf("%s: %s is %d, and all but one store make %d", name, g.Name, g.Accesses, sum)
			}
		}
		if withheld > 0 && name != "everything small" {
			t.Errorf("%s: %d groups are withheld beside others", name, withheld)
		}
	}
}

// Groups and stores are bounded, and nothing is lost beyond.
func TestGroupsAreBounded(t *testing.T) {
	t.Parallel()
	gs := newGroups()
	const n = auditMaxGroups + 50
	for i := range n {
		k := groupKey{role: fmt.Sprint("role ", i), kind: vigil.KindHuman}
		for s := range auditMaxStoresEach + 5 {
			gs.cell(k, fmt.Sprint("store ", s)).accesses++
			gs.use(k, fmt.Sprint("actor ", i), &use{stores: map[string]int64{fmt.Sprint("store ", s): 1}})
		}
	}
	if len(gs.all) > auditMaxGroups+1 {
		t.Errorf("%d groups", len(gs.all))
	}
	var sum int64
	for _, g := range gs.shown() {
		if sum += g.Accesses; len(g.Stores) > auditMaxStoresEach+1 {
			t.Errorf("%s has %d stores", g.Name, len(g.Stores))
		}
	}
	if sum != n*(auditMaxStoresEach+5) {
		t.Errorf("%d accesses are counted", sum)
	}
}
