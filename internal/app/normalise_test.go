package app

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/internal/config"
)

func event(actor string) *vigil.Event {
	e := vigil.NewEvent()
	e.Time = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	e.Actor.ID, e.Action = actor, vigil.ActionRead
	return e
}

func TestActorRules(t *testing.T) {
	t.Parallel()
	rules, err := newActorRules([]config.ActorRule{
		{Match: "svc_*", Kind: vigil.KindService, Role: "etl"},
		{Match: "vendor_[ab]?", Kind: vigil.KindVendor, Tenant: "outside"},
		{App: "psql*", Network: "10.0.0.0/8", Role: "engineer", Team: "platform"},
		{Match: `we\*rd.name`, Role: "literal"},
		{Match: "*/admin", Kind: vigil.KindAdmin},
		{Source: "crm", Match: "*", Role: "crm"},
	})
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		id, app, ip, source string
		want                vigil.Actor
	}{
		{id: "svc_export", want: vigil.Actor{Kind: vigil.KindService, Role: "etl"}},
		{id: "xsvc_export", want: vigil.Actor{}},
		{id: "vendor_a1", want: vigil.Actor{Kind: vigil.KindVendor, Tenant: "outside"}},
		{id: "vendor_c1", want: vigil.Actor{}},
		{id: "eve", app: "psql 15", ip: "10.1.2.3", want: vigil.Actor{Role: "engineer", Team: "platform"}},
		{id: "eve", app: "psql 15", ip: "::ffff:10.1.2.3", want: vigil.Actor{Role: "engineer", Team: "platform"}},
		{id: "eve", app: "psql 15", ip: "192.0.2.1", want: vigil.Actor{}},
		{id: "eve", app: "psql 15", want: vigil.Actor{}},
		{id: "we*rd.name", want: vigil.Actor{Role: "literal"}},
		{id: "we*rdxname", want: vigil.Actor{}},
		{id: "a/b/admin", want: vigil.Actor{Kind: vigil.KindAdmin}},
		{id: "anyone", source: "crm", want: vigil.Actor{Role: "crm"}},
	}
	for round := range 2 { // the second from memory
		for _, c := range cases {
			e := event(c.id)
			e.Actor.App, e.IP, e.Source = c.app, c.ip, c.source
			rules.apply(e)
			c.want.ID, c.want.App = c.id, c.app
			if e.Actor != c.want {
				t.Errorf("round %d, %+v: %+v", round, c, e.Actor)
			}
		}
	}
	// More identities than are remembered change nothing.
	for i := range 3 * memoSize {
		e := event(fmt.Sprint("svc_", i))
		if rules.apply(e); e.Actor.Role != "etl" {
			t.Fatalf("identity %d: %+v", i, e.Actor)
		}
	}
	for _, glob := range []string{"a[", "[]"} {
		if _, err := newActorRules([]config.ActorRule{{Match: glob}}); err == nil {
			t.Errorf("pattern %q is taken", glob)
		}
	}
}

func TestNormaliser(t *testing.T) {
	t.Parallel()
	rules, err := newActorRules(nil)
	if err != nil {
		t.Fatal(err)
	}
	now := event("a").Time
	n := &normaliser{source: "helpdesk", store: "chat", rules: rules, now: func() time.Time { return now }}

	e := event("maria")
	e.Source, e.IP, e.Subjects, e.SubjectCount = "forged", "198.51.100.7", []string{"a", "b"}, 1
	if q, ok := n.event(e); !ok {
		t.Fatalf("refused: %+v", q)
	}
	if e.Source != "helpdesk" || e.Store != "chat" || e.Network != "198.51.100.0/24" || e.SubjectCount != 2 {
		t.Errorf("got %+v", e)
	}
	for name, c := range map[string]struct {
		change func(e *vigil.Event)
		code   string
		reason string
	}{
		"no actor": {func(e *vigil.Event) { e.Actor.ID = "" }, "event", "actor is missing"},
		"a clock":  {func(e *vigil.Event) { e.Time = now.Add(time.Hour) }, "clock", "1h0m0s ahead"},
	} {
		e := event("maria")
		e.Origin = vigil.Origin{File: "x.log", Line: 7, Offset: 70, Hash: 1}
		c.change(e)
		q, ok := n.event(e)
		if ok || q.Code != c.code || !strings.Contains(q.Reason, c.reason) || q.File != "x.log" || q.Line != 7 || q.Source != "helpdesk" {
			t.Errorf("%s: %+v, %v", name, q, ok)
		}
	}
	e = event("maria")
	e.Time = now.Add(14 * time.Minute)
	if _, ok := n.event(e); !ok {
		t.Error("a clock a little ahead is refused")
	}
}
