//go:build !race

package traffic_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/internal/traffic"
)

// TestEachHappeningShows finds every happening in the traffic itself, with the
// log as the key.
func TestEachHappeningShows(t *testing.T) {
	t.Parallel()
	events, log := play(t, busy)
	perDay := func(f func(e *vigil.Event) bool) []int {
		days := make([]int, busy.Days)
		for _, e := range events {
			if f(e) {
				days[int(e.Time.Sub(busy.Start)/(24*time.Hour))]++
			}
		}
		return days
	}
	by := func(id string) func(e *vigil.Event) bool {
		return func(e *vigil.Event) bool { return e.Actor.ID == id }
	}
	tests := map[traffic.Happening]func(t *testing.T, all []traffic.Occurrence){
		traffic.Tickets: func(t *testing.T, _ []traffic.Occurrence) {
			readers, teams, first, last := map[string]map[string]bool{}, map[string]map[string]bool{}, map[string]time.Time{}, map[string]time.Time{}
			for _, e := range events {
				if e.Actor.Role != "agent" || e.Ticket == "" || e.Purpose != "" {
					continue
				}
				add(readers, e.Ticket, e.Actor.ID)
				add(teams, e.Ticket, e.Actor.Team)
				if _, ok := first[e.Ticket]; !ok {
					first[e.Ticket] = e.Time
				}
				last[e.Ticket] = e.Time
			}
			var moved, abroad, lasting int
			for id, who := range readers {
				if len(who) > 1 {
					moved++
				}
				if len(teams[id]) > 1 {
					abroad++
				}
				if last[id].Sub(first[id]) > 24*time.Hour {
					lasting++
				}
			}
			if n := len(readers); moved < n/20 || abroad < n/50 || lasting < n/20 || lasting > n/2 {
				t.Errorf("of %d tickets %d moved, %d to another team, %d lasted over a day", n, moved, abroad, lasting)
			}
		},
		traffic.QASampling: func(t *testing.T, _ []traffic.Occurrence) {
			workers := map[string]map[string]bool{}
			samples, others := 0, 0
			for _, e := range events {
				switch {
				case e.Purpose == "qa":
					samples++
					if e.Actor.Role != "supervisor" || e.Conversation == "" || len(e.Subjects) != 1 || e.Ticket != "" {
						t.Fatalf("%s is no sample: %+v", e.ID, e)
					}
					if !workers[e.Conversation][e.Actor.ID] && len(workers[e.Conversation]) > 0 {
						others++
					}
				case e.Conversation != "":
					add(workers, e.Conversation, e.Actor.ID)
				}
			}
			if samples < 50 || others*10 < samples*8 {
				t.Errorf("%d events of sampling, %d of them in others' conversations", samples, others)
			}
		},
		traffic.BotSessions: func(t *testing.T, _ []traffic.Occurrence) {
			calls, subjects := map[string]int{}, map[string]map[string]bool{}
			for _, e := range events {
				if e.Actor.Kind != vigil.KindBot {
					continue
				}
				if e.Principal == "" || !strings.HasPrefix(e.Session, "b-") {
					t.Fatalf("%s: session %s for %q", e.ID, e.Session, e.Principal)
				}
				calls[e.Session]++
				add(subjects, e.Session, e.Principal)
				for _, s := range e.Subjects {
					add(subjects, e.Session, s)
				}
			}
			total := 0
			for s, n := range calls {
				total += n
				if len(subjects[s]) != 1 {
					t.Fatalf("%s is about %v", s, subjects[s])
				}
			}
			if mean := float64(total) / float64(len(calls)); len(calls) < 200 || mean < 2.5 {
				t.Errorf("%d sessions of %.1f calls", len(calls), mean)
			}
		},
		traffic.VectorSearch: func(t *testing.T, _ []traffic.Occurrence) {
			n := count(events, func(e *vigil.Event) bool {
				if e.Action != vigil.ActionSearch || e.Store != "vector" {
					return false
				}
				if e.Actor.Kind != vigil.KindBot || e.Limit < 1 || e.Limit > 20 || e.Rows > e.Limit {
					t.Fatalf("%s asks for %d and gets %d", e.ID, e.Limit, e.Rows)
				}
				return true
			})
			if n < 200 {
				t.Errorf("%d searches", n)
			}
		},
		traffic.ETLOrder: func(t *testing.T, all []traffic.Occurrence) {
			nights := map[int][]string{}
			for _, e := range within(events, all[0]) {
				if e.Resource == "contacts" {
					day := int(e.Time.Sub(busy.Start) / (24 * time.Hour))
					nights[day] = append(nights[day], e.Subjects...)
				}
			}
			if len(nights) < busy.Days-2 {
				t.Errorf("%d nights", len(nights))
			}
			for d, ids := range nights {
				if !slices.IsSorted(ids) || len(slices.Compact(ids)) != len(ids) || len(ids) < 500 || ids[0] != traffic.Customer(0) || ids[len(ids)-1] != traffic.Customer(len(ids)-1) {
					t.Fatalf("night %d is not all customers in order", d)
				}
			}
		},
		traffic.SyncIncremental: func(t *testing.T, all []traffic.Occurrence) {
			var empty, some int
			for _, e := range within(events, all[0]) {
				if e.SubjectCount > 0 {
					some++
				} else if e.SubjectCount == 0 {
					empty++
				}
			}
			if some < 100 || empty < 10 {
				t.Errorf("%d fetched something, %d nothing", some, empty)
			}
		},
		traffic.OnCall: func(t *testing.T, all []traffic.Occurrence) {
			calls := 0
			for _, o := range all {
				if o.Ticket == "" {
					continue
				}
				calls++
				if n := count(within(events, o), func(e *vigil.Event) bool { return e.Ticket == o.Ticket && e.Purpose == "incident" }); n < 5 {
					t.Errorf("%s: %d statements", o.Ticket, n)
				}
				if !slices.ContainsFunc(all, func(r traffic.Occurrence) bool {
					return r.Ticket == "" && r.Actors[0] == o.Actors[0] && r.Start.Before(o.Start) && o.Start.Before(r.End.AddDate(0, 0, 1))
				}) {
					t.Errorf("%s rings somebody who is not on the rota", o.Ticket)
				}
			}
			if calls == 0 {
				t.Error("no incident in five weeks")
			}
		},
		traffic.Holiday: func(t *testing.T, all []traffic.Occurrence) {
			o := all[0]
			on := len(within(events, o))
			o.Start, o.End = o.Start.AddDate(0, 0, -7), o.End.AddDate(0, 0, -7)
			if usual := len(within(events, o)); on*2 > usual {
				t.Errorf("%d events on the holiday, %d a week before", on, usual)
			}
		},
		traffic.Joiners: func(t *testing.T, all []traffic.Occurrence) {
			for _, o := range all {
				week := func(k int) int {
					from := o.Start.AddDate(0, 0, 7*k)
					return len(within(events, traffic.Occurrence{Start: from, End: from.AddDate(0, 0, 7), Actors: o.Actors}))
				}
				before := len(within(events, traffic.Occurrence{Start: busy.Start, End: o.Start, Actors: o.Actors}))
				if before > 0 || week(0) == 0 || week(0) >= week(2) {
					t.Errorf("%s: %d events before the first day, %d in the first week, %d in the third", o.Actors[0], before, week(0), week(2))
				}
			}
		},
		traffic.Leavers: func(t *testing.T, all []traffic.Occurrence) {
			for _, o := range all {
				if count(within(events, o), func(e *vigil.Event) bool { return e.Purpose == "handover" }) == 0 {
					t.Errorf("%s hands nothing over", o.Actors[0])
				}
				if n := count(events, func(e *vigil.Event) bool { return e.Actor.ID == o.Actors[0] && e.Time.After(o.End.Add(12*time.Hour)) }); n > 0 {
					t.Errorf("%s: %d events after leaving", o.Actors[0], n)
				}
			}
		},
		traffic.LongLeave: func(t *testing.T, all []traffic.Occurrence) {
			o := all[0]
			days := perDay(by(o.Actors[0]))
			before, after := within(events, traffic.Occurrence{Start: busy.Start, End: o.Start, Actors: o.Actors}), within(events, o)
			if len(before) == 0 || len(after) == 0 || after[0].Time.Sub(before[len(before)-1].Time) < 14*24*time.Hour {
				t.Errorf("%s works %v", o.Actors[0], days)
			}
			if count(after, func(e *vigil.Event) bool { return strings.HasPrefix(e.IP, o.Network) }) == 0 {
				t.Errorf("never from %s", o.Network)
			}
		},
		traffic.Spike: func(t *testing.T, all []traffic.Occurrence) {
			days := perDay(func(e *vigil.Event) bool { return e.Actor.Kind == vigil.KindBot || e.Actor.Role == "agent" })
			d := int(all[0].Start.Sub(busy.Start) / (24 * time.Hour))
			if now, usual := days[d]+days[d+1], days[d-7]+days[d-6]; now*10 < usual*16 || now > usual*4 {
				t.Errorf("%d events in the spike, %d a week before", now, usual)
			}
		},
		traffic.Replatform: func(t *testing.T, all []traffic.Occurrence) {
			o := all[0]
			for _, e := range events {
				if e.Actor.ID == o.Actors[0] && strings.HasPrefix(e.IP, o.Network+".") != !e.Time.Before(o.Start) {
					t.Fatalf("%s is from %s with %s", e.ID, e.IP, e.UserAgent)
				}
			}
			after := within(events, o)
			if len(after) == 0 || after[0].UserAgent == events[slices.IndexFunc(events, by(o.Actors[0]))].UserAgent {
				t.Error("the agent string stays")
			}
		},
		traffic.MonthEnd: func(t *testing.T, all []traffic.Occurrence) {
			o := all[0]
			if !strings.HasPrefix(o.Note, "quarter") {
				t.Errorf("September's end is called %q", o.Note)
			}
			big := func(e *vigil.Event) bool {
				return e.Action == vigil.ActionExport && e.Purpose == "reporting" && e.Rows >= 1_500
			}
			if n, all := count(within(events, o), big), count(events, big); n < 3 || n != all {
				t.Errorf("%d large reports, %d at any time", n, all)
			}
		},
		traffic.Reindex: func(t *testing.T, all []traffic.Occurrence) {
			subjects := map[string]bool{}
			for _, e := range within(events, all[0]) {
				for _, s := range e.Subjects {
					subjects[s] = true
				}
			}
			if len(subjects) < 1_000 {
				t.Errorf("%d customers are indexed", len(subjects))
			}
		},
		traffic.CustomerPortal: func(t *testing.T, _ []traffic.Occurrence) {
			n := count(events, func(e *vigil.Event) bool {
				if e.Actor.Role != traffic.RoleCustomer || e.Purpose == "shared-link" {
					return false
				}
				if e.Action == vigil.ActionRead && e.Subjects[0] != e.Actor.ID {
					t.Fatalf("%s reads %v", e.Actor.ID, e.Subjects)
				}
				return e.Action == vigil.ActionLogin
			})
			if n < 300 {
				t.Errorf("%d sign-ins", n)
			}
		},
		traffic.EmployerNAT: func(t *testing.T, all []traffic.Occurrence) {
			who := map[string]bool{}
			for _, e := range within(events, all[0]) {
				if e.IP == all[0].Network && e.Action == vigil.ActionLogin {
					who[e.Actor.ID] = true
				}
			}
			if len(who) < 30 {
				t.Errorf("%d customers from one address", len(who))
			}
		},
		traffic.SharedLinks: func(t *testing.T, all []traffic.Occurrence) {
			for _, o := range all {
				var ids []string
				for _, e := range within(events, o) {
					if e.Purpose == "shared-link" {
						ids = append(ids, e.Subjects[0])
					}
				}
				if len(ids) < 8 || slices.IsSorted(ids) {
					t.Errorf("%s follows %v", o.Actors[0], ids)
				}
			}
		},
		traffic.VIPIncident: func(t *testing.T, all []traffic.Occurrence) {
			readers := map[string]bool{}
			for _, e := range within(events, all[0]) {
				if len(e.Subjects) == 1 && e.Subjects[0] == all[0].Subjects[0] && e.Ticket == all[0].Ticket {
					readers[e.Actor.ID] = true
				}
			}
			if len(readers) < 5 {
				t.Errorf("%d agents on the case", len(readers))
			}
		},
		traffic.Backlog: func(t *testing.T, all []traffic.Occurrence) {
			ranges := map[string][]string{}
			for _, e := range within(events, all[0]) {
				if e.Purpose == "backlog" {
					ranges[e.Actor.ID] = append(ranges[e.Actor.ID], e.Subjects[0])
				}
			}
			if len(ranges) < 2 {
				t.Errorf("%d agents share it", len(ranges))
			}
			for a, ids := range ranges {
				if !slices.IsSorted(ids) {
					t.Errorf("%s works through %v", a, ids)
				}
			}
		},
		traffic.VPN: func(t *testing.T, _ []traffic.Occurrence) {
			networks := map[string]map[string]bool{}
			for _, e := range events {
				if e.Actor.Role == "agent" {
					add(networks, e.Session, vigil.NetworkOf(e.IP))
				}
			}
			two := 0
			for _, n := range networks {
				if len(n) > 2 {
					t.Fatalf("a session from %v", n)
				}
				two += len(n) - 1
			}
			if two < 3 || two > len(networks)/5 {
				t.Errorf("%d of %d sessions are from two networks", two, len(networks))
			}
		},
	}
	for _, h := range traffic.Everything().List() {
		t.Run(h.String(), func(t *testing.T) {
			t.Parallel()
			all := only(t, log, h)
			if tests[h] == nil {
				t.Fatal("nobody looks for it")
			}
			tests[h](t, all)
		})
	}
}
