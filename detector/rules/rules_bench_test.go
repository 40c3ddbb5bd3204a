package rules_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/detector/rules"
)

// realistic are conditions as people write them; %d makes them different.
var realistic = []string{
	`action == "export" and known(rows) and rows > 100%d and not justified`,
	`kind == "vendor" and country != "" and country not in ["DE", "FR", "X%d"]`,
	`resource_class == "payment" and role not in ["billing", "role-%d"] and discloses`,
	`(hour < 6 or hour >= 22) and weekday in ["saturday", "sunday"] and action == "search" and limit > 50%d`,
	`team == "team-%d" and foreign_region and not approved`,
	`any(fields, # in ["iban", "card", "f%d"]) and kind == "bot"`,
	`resource startsWith "hr_%d" and unjustified`,
	`mentions(user_agent, ["python-requests", "scrapy", "tool%d"]) and kind == "human" and outcome == "denied"`,
	`unbounded and resource matches "^chat_%d" and kind in ["human", "admin"]`,
	`vip and not assigned and purpose != "quality-%d"`,
}

// fifty is the built-in rules with the user's, fifty in all.
func fifty(tb testing.TB) *rules.Set {
	tb.Helper()
	all, err := rules.Builtin()
	if err != nil {
		tb.Fatal(err)
	}
	for i := 0; len(all) < 50; i++ {
		when := fmt.Sprintf(realistic[i%len(realistic)], i)
		r := load(tb, "'"+strings.ReplaceAll(when, "'", "''")+"'")
		r.ID = fmt.Sprintf("mine-%d", i)
		all = append(all, r)
	}
	return rules.New(all)
}

// traffic is what passes: mostly a bot's and people's reads.
func traffic() []*vigil.Event {
	var out []*vigil.Event
	for i := range 256 {
		e := vigil.NewEvent()
		e.Time = time.Date(2026, 3, 2, i%24, 0, i, 0, time.UTC)
		e.Actor = vigil.Actor{ID: fmt.Sprintf("a-%d", i%20), Kind: vigil.KindHuman, Role: "agent", Team: "emea", App: "helpdesk"}
		e.Action, e.Store, e.Resource, e.ResourceClass = vigil.ActionRead, "pg-main", "public.messages", "chat"
		e.Subjects, e.Rows, e.Network = []string{fmt.Sprintf("c-%d", i)}, int64(i), "10.0.0.0/24"
		e.Fields = []string{"id", "body", "author", "created_at"}
		e.UserAgent, e.Outcome, e.Conversation = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36", vigil.OutcomeSuccess, fmt.Sprintf("v-%d", i)
		switch i % 8 {
		case 1, 3:
			e.Actor.Kind, e.Actor.Role, e.UserAgent = vigil.KindBot, "assistant", "helper/2.1"
		case 5:
			e.Action, e.Limit = vigil.ActionSearch, 25
		case 7:
			e.Actor.Kind, e.Action, e.Rows = vigil.KindService, vigil.ActionExport, 20
		}
		out = append(out, e)
	}
	return out
}

func BenchmarkFiftyRules(b *testing.B) {
	w, events := fifty(b).Watch(nil), traffic()
	hits := 0
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		hits += len(w.Check(events[i%len(events)], &rules.Known{}))
	}
	b.ReportMetric(float64(hits)/float64(b.N), "hits/event")
}

func BenchmarkBuiltinRules(b *testing.B) {
	all, err := rules.Builtin()
	if err != nil {
		b.Fatal(err)
	}
	w, events := rules.New(all).Watch(nil), traffic()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		w.Check(events[i%len(events)], &rules.Known{})
	}
}
