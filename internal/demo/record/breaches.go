package main

import (
	"fmt"
	"time"

	"vigil/internal/demo"
)

// planVendorTheft: the vendor's credential is used by somebody else. A look
// around the evening before, then cases page by page, with the customers that
// they belong to.
func (s *sim) planVendorTheft(b *demo.Breach) {
	*b = demo.Breach{Kind: "vendor-token-theft", Threat: "T07", Actor: "vendor_crmsync", Tables: []string{"cases", "contacts"},
		Story: "The CRM vendor's credential is used from a network and with a program never seen before: first a look around, then the support cases in bulk, page by page, with their customers."}
	r := random(s.opt.seed, "vendor theft")
	thief := func(addr string) *client {
		return &client{s: s, r: r, breach: b, l: login{user: b.Actor, app: "python3", addr: addr}}
	}
	around := []statement{
		{sql: "SELECT current_user, version()"},
		{sql: "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY table_name"},
		{sql: "SELECT count(*) FROM cases"},
		{sql: "SELECT count(*) FROM contacts"},
		{sql: "SELECT count(*) FROM messages", refused: true},
		{sql: "SELECT * FROM cases LIMIT 5"},
	}
	scout := thief("198.51.100.23")
	t := lastDay.Add(-2*time.Hour - 13*time.Minute)
	s.at(t, func(t time.Time) { scout.open(t) })
	for _, st := range around {
		st.literal = true
		t = t.Add(20*time.Second + coarse(r, 50*time.Second))
		scout.later(t, st)
	}
	s.at(t.Add(time.Minute), scout.close)

	t = lastDay.Add(10*time.Hour + 38*time.Minute)
	c := thief("198.51.100.23")
	first := c
	s.at(t, func(t time.Time) { first.open(t) })
	for _, sql := range []string{
		"SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'cases' ORDER BY ordinal_position",
		"SELECT count(*), min(id), max(id) FROM cases",
		"SELECT status, count(*) FROM cases GROUP BY status",
	} {
		t = t.Add(15*time.Second + coarse(r, 40*time.Second))
		c.later(t, statement{sql: sql, literal: true})
	}
	t = t.Add(3 * time.Minute)
	b.Bulk = t
	pages := 54
	for page := range pages {
		if page == 31 {
			// Another way out of the same hosting company.
			s.at(t.Add(25*time.Second), c.close)
			c = thief("198.51.100.77")
			second := c
			s.at(t.Add(70*time.Second), func(t time.Time) { second.open(t) })
			t = t.Add(2 * time.Minute)
		}
		s.stealPage(c, t, int64(page)*50)
		t = t.Add(75*time.Second + coarse(r, 55*time.Second))
	}
	s.at(t.Add(20*time.Second), c.close)
}

// stealPage reads the fifty cases after an id, and their customers.
func (s *sim) stealPage(c *client, t time.Time, after int64) {
	s.at(t, func(t time.Time) {
		c.ask(t, statement{literal: true, sql: fmt.Sprintf("SELECT * FROM cases WHERE id > %d AND id <= %d ORDER BY id", after, after+50)})
		seen := map[int64]bool{}
		var ids []int64
		for _, k := range s.world.cases[min(int(after)+1, len(s.world.cases)):min(int(after)+51, len(s.world.cases))] {
			if !seen[k.contact] {
				seen[k.contact] = true
				ids = append(ids, k.contact)
			}
		}
		c.takes(ids...)
		c.later(t.Add(time.Second+coarse(c.r, 6*time.Second)), statement{literal: true, sql: "SELECT * FROM contacts WHERE id IN (" + idList(ids) + ")"})
	})
}

// While the exporter is at it, from exportBegins to exportEnds at the latest, no
// ordinary work is done.
var (
	exportBegins = lastDay.Add(13*time.Hour + 4*time.Minute)
	exportEnds   = lastDay.Add(16 * time.Hour)
)

// planMassExport: an agent reads far more than there is work for, then takes a
// year's messages home.
func (s *sim) planMassExport(b *demo.Breach) {
	*b = demo.Breach{Kind: "agent-mass-export", Threat: "T01", Actor: s.exporter, Tables: []string{"contacts", "conversations", "messages"},
		Story: "An agent opens one conversation after the other without answering, pages through long lists, and then exports months of messages to a file."}
	r := random(s.opt.seed, "mass export")
	addr := ""
	for i, m := range s.staff {
		if m.login == b.Actor {
			addr = fmt.Sprintf("%s%d", teams[0].office, 20+i)
		}
	}
	c := &client{s: s, r: r, breach: b, l: login{user: b.Actor, app: newDesk, addr: addr}}
	t := exportBegins
	s.at(t, func(t time.Time) { c.open(t) })
	// Back to front through the brand's conversations.
	for i := range 150 {
		t = t.Add(14*time.Second + coarse(r, 28*time.Second))
		if i%15 == 0 {
			before := s.start.AddDate(0, 0, s.opt.days-7-i)
			c.later(t, statement{sql: sqlSample, args: []any{int64(1), before, before.AddDate(0, 0, 14), int64(500)}})
			t = t.Add(20 * time.Second)
		}
		s.at(t, func(t time.Time) {
			ids := s.world.conversationsOf[1]
			v := s.world.conversations[ids[len(ids)-200-i*7]]
			c.takes(v.contact)
			s.look(&agent{account: 1}, c, r, t, v)
		})
	}
	s.at(t.Add(time.Minute), c.close)
	s.exportMonths(b, addr, t.Add(6*time.Minute))
}

// exportMonths is the second half: psql, and a month at a time to a file.
func (s *sim) exportMonths(b *demo.Breach, addr string, t time.Time) {
	r := random(s.opt.seed, "export months")
	c := &client{s: s, r: r, breach: b, l: login{user: b.Actor, app: "psql", addr: addr}}
	b.Bulk = t
	s.at(t, func(t time.Time) { c.open(t) })
	for month := time.May; month <= time.October; month++ {
		from := time.Date(2026, month, 1, 0, 0, 0, 0, time.UTC)
		to := from.AddDate(0, 1, 0)
		t = t.Add(50*time.Second + coarse(r, 3*time.Minute))
		s.at(t, func(t time.Time) {
			c.ask(t, statement{copyOut: true, sql: fmt.Sprintf(
				"COPY (SELECT c.id, p.name, p.email, m.sender_type, m.content, m.created_at FROM messages m JOIN conversations c ON c.id = m.conversation_id JOIN contacts p ON p.id = c.contact_id WHERE c.account_id = 1 AND c.created_at >= '%s' AND c.created_at < '%s' ORDER BY m.id) TO STDOUT WITH CSV",
				from.Format(time.DateOnly), to.Format(time.DateOnly))})
			for _, v := range s.world.conversations[1:] {
				if v.account == 1 && !v.created.Before(from) && v.created.Before(to) {
					c.takes(v.contact)
				}
			}
		})
	}
	s.at(t.Add(2*time.Minute), c.close)
}

// planSlowScrape: the reporting service begins to read one customer after the
// other, day and night, never much at once.
func (s *sim) planSlowScrape(b *demo.Breach) {
	*b = demo.Breach{Kind: "service-slow-scrape", Threat: "T02", Actor: "svc_reports", Tables: []string{"contacts", "conversations", "messages"},
		Story: "The reporting service's login, which reads aggregates only, begins to read one customer after the other in rising order of id, every few minutes, day and night."}
	r := random(s.opt.seed, "slow scrape")
	c := &client{s: s, r: r, breach: b, l: login{user: b.Actor, app: "reports-runner", addr: "10.20.8.30"}}
	t := time.Date(2026, 10, 29, 20, 41, 0, 0, time.UTC)
	if t.Before(s.start) {
		t = s.start.Add(11 * time.Minute)
	}
	b.Bulk = t
	id := int64(1_200)
	s.at(t.Add(-20*time.Second), func(t time.Time) { c.open(t) })
	renew := t.Add(7 * time.Hour)
	for ; t.Before(s.end.Add(-2 * time.Minute)); t = t.Add(between(r, 5*time.Minute, 8*time.Minute)) {
		if t.After(renew) {
			// The job's connection is closed by its runner now and then.
			renew = t.Add(7*time.Hour + between(r, 0, time.Hour))
			s.at(t.Add(-40*time.Second), c.close)
			s.at(t.Add(-20*time.Second), func(t time.Time) { c.open(t) })
		}
		who := id
		id += 1 + r.Int64N(3)
		s.at(t, func(t time.Time) {
			t = c.ask(t, statement{literal: true, sql: fmt.Sprintf("SELECT id, name, email, phone_number FROM contacts WHERE id = %d", who)})
			c.ask(t, statement{literal: true, sql: fmt.Sprintf("SELECT c.id, m.sender_type, m.content, m.created_at FROM conversations c JOIN messages m ON m.conversation_id = c.id WHERE c.contact_id = %d ORDER BY m.id", who)})
			c.takes(who)
		})
	}
}
