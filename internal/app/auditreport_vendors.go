package app

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/axiomhq/hyperloglog"

	"vigil"
	"vigil/dashboards/audit"
	"vigil/dashboards/phrase"
	"vigil/detector/reasons"
	"vigil/internal/ledger"
)

// decodeFacts reads a control record of facts.
func decodeFacts(data []byte) (f vigil.Facts, ok bool) { return f, json.Unmarshal(data, &f) == nil }

// taken is what one account took that a contract is for.
type taken struct {
	contracts      []vigil.Contract
	accesses, rows int64
	customers      *hyperloglog.Sketch
	days           map[int64]*takenDay
	outside        map[string]int64
}

// takenDay is a day (UTC) of it, and what the contract allows on it.
type takenDay struct {
	customers     *hyperloglog.Sketch
	unnamed, rows int64
	bounds        reasons.Bounds
	approved      bool
}

func (d *takenDay) count() int64 { return int64(d.customers.Estimate()) + d.unnamed }

// outsideWays names the ways of being outside a contract.
var outsideWays = []struct {
	of   reasons.Breach
	what string
}{
	{reasons.OutsideExpired, "after or before the contract's time"},
	{reasons.OutsideResource, "other stores or resources"},
	{reasons.OutsideFields, "other fields"},
	{reasons.OutsideAction, "other actions"},
	{reasons.OutsideHours, "at other hours"},
	{reasons.OutsideNetwork, "from other networks"},
	{reasons.OutsideRegion, "to other regions"},
	{reasons.OutsideDestination, "to other destinations"},
	{reasons.OutsideCustomer, "without naming the customer"},
}

const byChange = ", with an approved change"

// vendors holds what vendors and machines took against their contracts, by a second
// walk over their events alone. People are no part of it: what one of them does is
// nobody's business here.
func (g *gathering) vendors(ctx context.Context) error {
	v := &g.report.Vendors
	v.Told, v.Contracts = g.told[vigil.FactContract], len(g.contracts)
	all := map[string]*taken{}
	for _, actor := range slices.Sorted(maps.Keys(g.uses)) {
		u := g.uses[actor]
		if u.kind == vigil.KindHuman || u.kind == vigil.KindAdmin {
			continue
		}
		who := vigil.Actor{ID: actor, Kind: u.kind, Role: u.role, Team: u.team, Tenant: u.tenant}
		var of []vigil.Contract
		for _, c := range g.contracts {
			if c.Fits(&who) {
				of = append(of, c)
			}
		}
		switch {
		case len(of) > 0 && len(all) < auditVendorActors:
			all[actor] = &taken{contracts: of, customers: hyperloglog.New(), days: map[int64]*takenDay{}, outside: map[string]int64{}}
		case len(of) > 0:
			v.More++
		case u.kind == vigil.KindVendor && v.Told:
			v.Without = append(v.Without, actor)
		}
	}
	if len(all) == 0 {
		return nil
	}
	seen, err := g.ledger.Survey(ctx, ledger.Survey{
		From: g.from, To: g.to, Actors: slices.Sorted(maps.Keys(all)), Most: g.limits.vendorEvents,
	}, func(events []*vigil.Event) {
		for _, e := range events {
			if t := all[e.Actor.ID]; t != nil && e.Outcome != vigil.OutcomeDenied && e.Outcome != vigil.OutcomeError {
				t.add(g.book, e)
			}
		}
	})
	if err != nil {
		return err
	}
	v.Sample = g.saw(seen)
	for _, actor := range slices.Sorted(maps.Keys(all)) {
		v.Rows = append(v.Rows, all[actor].row(actor))
	}
	if len(v.Rows) > audit.MaxRows {
		v.More, v.Rows = v.More+len(v.Rows)-audit.MaxRows, v.Rows[:audit.MaxRows]
	}
	return nil
}

// add counts an access, and what of it is outside.
func (t *taken) add(book *reasons.Book, e *vigil.Event) {
	checked := book.Check(e)
	approved := checked.Found&reasons.Approved != 0
	for _, w := range outsideWays {
		if checked.Against&w.of == 0 {
			continue
		}
		what := w.what
		if approved {
			what += byChange
		}
		t.outside[what]++
	}
	if !e.Action.Discloses() {
		return
	}
	t.accesses++
	t.rows += max(0, e.Rows)
	number := e.Time.Unix() / int64(24*time.Hour/time.Second)
	d := t.days[number]
	if d == nil {
		if len(t.days) >= auditMaxDays {
			return
		}
		d = &takenDay{customers: hyperloglog.New()}
		t.days[number] = d
	}
	d.bounds, d.approved = checked.Bounds, d.approved || approved
	d.rows += max(0, e.Rows)
	for _, s := range e.Subjects {
		t.customers.Insert([]byte(s))
		d.customers.Insert([]byte(s))
	}
	// The list is cut, or nobody is named: the rest counts by its number.
	d.unnamed += max(0, e.SubjectCount-int64(len(e.Subjects)))
}

func (t *taken) row(actor string) audit.Vendor {
	x := audit.Vendor{Account: actor, Accesses: t.accesses, Rows: t.rows, Customers: int64(t.customers.Estimate())}
	var names, agreed []string
	for _, c := range t.contracts {
		if c.ID != "" {
			names = append(names, c.ID)
		}
		agreed = append(agreed, agreedIn(&c))
	}
	x.Contract, x.Agreed = strings.Join(names, ", "), strings.Join(agreed, " / ")
	for _, what := range slices.Sorted(maps.Keys(t.outside)) {
		x.Outside = append(x.Outside, audit.Outside{What: what, Accesses: t.outside[what]})
	}
	over := map[string]int64{}
	for _, d := range t.days {
		x.MaxDay = max(x.MaxDay, d.count())
		note := func(what string) {
			if d.approved {
				what += byChange
			}
			over[what]++
		}
		if b := d.bounds.Customers; b > 0 && d.count() > b {
			note("more customers a day than agreed")
		}
		if b := d.bounds.Rows; b > 0 && d.rows > b {
			note("more rows a day than agreed")
		}
	}
	for _, what := range slices.Sorted(maps.Keys(over)) {
		x.Outside = append(x.Outside, audit.Outside{What: what, Days: over[what]})
	}
	return x
}

// agreedIn says in words what a contract allows.
func agreedIn(c *vigil.Contract) string {
	var parts []string
	list := func(what string, of []string) {
		if len(of) == 0 {
			return
		}
		some := of[:min(len(of), 5)]
		text := what + " " + strings.Join(some, ", ")
		if left := len(of) - len(some); left > 0 {
			text += fmt.Sprintf(" and %d more", left)
		}
		parts = append(parts, text)
	}
	list("stores", c.Stores)
	list("resources", c.Resources)
	list("fields", c.Fields)
	var actions []string
	for _, a := range c.Actions {
		actions = append(actions, string(a))
	}
	list("actions", actions)
	if c.PerDay > 0 {
		parts = append(parts, phrase.Plural(c.PerDay, "customer", "customers")+" a day")
	}
	if c.RowsPerDay > 0 {
		parts = append(parts, phrase.Plural(c.RowsPerDay, "row", "rows")+" a day")
	}
	if len(c.Hours) > 0 {
		parts = append(parts, "hours "+hours(c.Hours)+" UTC")
	}
	list("networks", c.Networks)
	list("regions", c.Regions)
	list("destinations", c.Destinations)
	if c.PerCustomer {
		parts = append(parts, "each access names its customer")
	}
	if !c.To.IsZero() {
		parts = append(parts, "until "+c.To.Format("2 Jan 2006"))
	}
	if len(parts) == 0 {
		return "no bounds"
	}
	return strings.Join(parts, "; ")
}

// hours writes hours of the day as runs: "8 to 17, 22".
func hours(list []int) string {
	list = slices.Compact(slices.Sorted(slices.Values(list)))
	var out []string
	for i := 0; i < len(list); {
		j := i
		for j+1 < len(list) && list[j+1] == list[j]+1 {
			j++
		}
		if j == i {
			out = append(out, fmt.Sprint(list[i]))
		} else {
			out = append(out, fmt.Sprintf("%d to %d", list[i], list[j]))
		}
		i = j + 1
	}
	return strings.Join(out, ", ")
}
