package main

import (
	"fmt"
	"strings"
	"time"
)

// planServices plans everything that is no person: the bot, inbound mail, the
// nightly export, the reports and the vendor's sync.
func (s *sim) planServices() {
	s.planBot()
	s.planInbound()
	s.planExport()
	s.planReports()
	s.planVendor()
}

// arrivals is how many chats begin in an hour (UTC) of the week, on average, for
// all brands together.
func arrivals(t time.Time) float64 {
	h := t.Hour()
	// Customers are awake somewhere at any time; Europe and America most of all.
	shape := [24]float64{2.2, 1.9, 2.1, 2.0, 2.0, 2.3, 3.0, 4.2, 5.0, 5.4, 5.2, 4.8, 4.9, 5.6, 6.0, 5.8, 5.2, 4.8, 4.4, 4.2, 3.8, 3.4, 2.9, 2.5}
	n := shape[h] * 0.8
	switch t.Weekday() {
	case time.Saturday, time.Sunday:
		n *= 0.6
	case time.Monday:
		n *= 1.15
	}
	if t.Format(time.DateOnly) == "2026-10-26" {
		n *= 1.5
	}
	return n
}

// stream plans f at random moments, in number overdispersed around what an hour
// holds on average.
func (s *sim) stream(name string, share float64, f func(t time.Time)) {
	r := random(s.opt.seed, "arrivals of "+name)
	scale := min(1, float64(s.opt.agents)/40+0.05)
	for hour := s.start; hour.Before(s.end); hour = hour.Add(time.Hour) {
		mean := arrivals(hour) * share * scale * gamma(r, 9)
		// Exponential gaps give a Poisson number.
		for at := r.ExpFloat64() / mean; at < 1; at += r.ExpFloat64() / mean {
			s.at(hour.Add(time.Duration(at*float64(time.Hour))), f)
		}
	}
}

const (
	sqlNewConv = `INSERT INTO conversations (account_id, contact_id, team, channel, status, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $6) RETURNING id`
	sqlBotConv = `SELECT id, account_id, contact_id, status FROM conversations WHERE id = $1 AND contact_id = $2`
	sqlBotCont = `SELECT id, name, email FROM contacts WHERE id = $1`
	sqlBotMsgs = `SELECT sender_type, content FROM messages WHERE conversation_id = $1 ORDER BY id DESC LIMIT 12`
	sqlBotCase = `SELECT id, status, subject FROM cases WHERE contact_id = $1 AND status <> 'closed' ORDER BY updated_at DESC LIMIT 5`
	sqlHandOff = `UPDATE conversations SET status = 'open', updated_at = $1 WHERE id = $2`
	sqlSettle  = `UPDATE conversations SET status = 'resolved', updated_at = $1 WHERE id = $2`
)

// tagged ends a statement in the comment by which the bot's framework names the
// chat that it serves.
func tagged(sql string, id int64) string { return fmt.Sprintf("%s /*conversation='%d'*/", sql, id) }

// planBot plans the chat bot: two connections, renewed each morning at four.
func (s *sim) planBot() {
	r := random(s.opt.seed, "bot")
	pool := make([]*client, 2)
	for i := range pool {
		c := &client{s: s, r: r, l: login{user: "bot_chat", app: "chatbot-runtime/2.8", addr: fmt.Sprintf("10.20.8.1%d", i)}}
		pool[i] = c
		s.at(s.start.Add(time.Duration(i+1)*time.Second), func(t time.Time) { c.open(t) })
		for d := s.start.Add(4 * time.Hour); d.Before(s.end); d = d.AddDate(0, 0, 1) {
			s.at(d.Add(time.Duration(i)*10*time.Second), func(t time.Time) {
				c.close(t)
				s.at(t.Add(2*time.Second), func(t time.Time) { c.open(t) })
			})
		}
	}
	n := 0
	s.stream("chats", 0.75, func(t time.Time) {
		n++
		s.chat(pool[n%len(pool)], t)
	})
}

// chat is one customer talking to the bot.
func (s *sim) chat(c *client, t time.Time) {
	if c.sess == nil {
		return // the bot is being restarted; the customer goes away
	}
	r := c.r
	acct := accountOf(r)
	who := s.world.customer(r, acct)
	id := s.world.addConversation(acct, who, "web", seconds(t))
	t = c.ask(t, statement{sql: sqlNewConv, wantID: id, args: []any{acct, who, teams[acct-1].name, "web", "bot", seconds(t)}})
	t = c.ask(t, statement{sql: tagged(sqlBotCont, id), unprepared: true, args: []any{who}})
	s.turn(c, t, id, 1+r.IntN(4))
}

// turn is one question and its answer; left says how many follow.
func (s *sim) turn(c *client, t time.Time, id int64, left int) {
	if c.sess == nil {
		return
	}
	r := c.r
	v := s.world.at(id)
	t = s.write(c, t, v, "Contact", nil, phrase(r, "Contact"))
	t = c.ask(t, statement{sql: tagged(sqlBotMsgs, id), unprepared: true, args: []any{id}})
	switch u := r.Float64(); {
	case u < 0.3:
		t = c.ask(t, statement{sql: tagged(sqlBotCase, id), unprepared: true, args: []any{v.contact}})
	case u < 0.45:
		t = c.ask(t, statement{sql: tagged(sqlBotConv, id), unprepared: true, args: []any{id, v.contact}})
	}
	s.at(t.Add(between(r, 900*time.Millisecond, 5*time.Second)), func(t time.Time) {
		t = s.write(c, t, s.world.at(id), "AgentBot", nil, phrase(r, "AgentBot"))
		if left > 1 {
			s.at(t.Add(8*time.Second+coarse(r, 40*time.Second)), func(t time.Time) { s.turn(c, t, id, left-1) })
			return
		}
		v := s.world.at(id)
		if chance(r, 0.42) {
			c.ask(t, statement{sql: sqlHandOff, args: []any{seconds(t), id}})
			v.status = "open"
			s.world.queues[v.account] = append(s.world.queues[v.account], id)
			return
		}
		c.ask(t, statement{sql: sqlSettle, args: []any{seconds(t), id}})
		v.status = "resolved"
	})
}

// planInbound plans the service that turns mail into conversations. It also
// enters new customers.
func (s *sim) planInbound() {
	const newContact = `INSERT INTO contacts (account_id, name, email, phone_number, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5) RETURNING id`
	r := random(s.opt.seed, "inbound")
	c := &client{s: s, r: r, l: login{user: "svc_inbound", app: "mail-gateway", addr: "10.20.8.20"}}
	s.at(s.start.Add(5*time.Second), func(t time.Time) { c.open(t) })
	s.stream("mail", 3.1, func(t time.Time) {
		acct := accountOf(r)
		var who int64
		if chance(r, 0.12) {
			who = s.world.addContact(r, acct, t)
			p := s.world.contacts[who]
			t = c.ask(t, statement{sql: newContact, wantID: who, args: []any{acct, p.name, p.email, p.phone, p.created}})
		} else {
			who = s.world.customer(r, acct)
		}
		id := s.world.addConversation(acct, who, "email", seconds(t))
		t = c.ask(t, statement{sql: sqlNewConv, wantID: id, args: []any{acct, who, teams[acct-1].name, "email", "open", seconds(t)}})
		v := s.world.at(id)
		v.status = "open"
		s.write(c, t, v, "Contact", nil, phrase(r, "Contact"))
		s.world.queues[acct] = append(s.world.queues[acct], id)
	})
}

// planExport plans the nightly copy of everything to the warehouse, at two.
func (s *sim) planExport() {
	r := random(s.opt.seed, "export")
	tables := []string{"accounts", "users", "contacts", "conversations", "cases", "messages", "attachments"}
	night := func(at time.Time) {
		c := &client{s: s, r: r, l: login{user: "svc_export", app: "nightly-export", addr: "10.20.8.40"}}
		s.at(at, func(t time.Time) {
			c.open(t)
			for _, table := range tables {
				t = t.Add(between(r, 5*time.Second, 40*time.Second))
				c.later(t, statement{sql: "COPY public." + table + " TO STDOUT", copyOut: true})
			}
			s.at(t.Add(30*time.Second), c.close)
		})
	}
	s.days(time.UTC, func(midnight time.Time) {
		switch midnight.Format(time.DateOnly) {
		case "2026-10-14":
			// The night's run found no disk; somebody ran it again in the morning.
			night(midnight.Add(9*time.Hour + 5*time.Minute))
			s.odd("late-export", "svc_export", midnight.Add(2*time.Hour), midnight.Add(10*time.Hour), "The nightly export did not run and is made up for after nine.")
		default:
			night(midnight.Add(2*time.Hour + between(r, 2*time.Second, 40*time.Second)))
		}
	})
}

// The fixed set of the reporting service. It reads aggregates, no customer.
var (
	frequentReports = []string{
		`SELECT account_id, status, count(*) FROM conversations GROUP BY account_id, status`,
		`SELECT team, count(*) FROM conversations WHERE status = 'open' GROUP BY team`,
		`SELECT date_trunc('hour', created_at) AS hour, sender_type, count(*) FROM messages WHERE created_at >= '%[1]s' GROUP BY 1, 2`,
		`SELECT assignee_id, count(*) FROM conversations WHERE updated_at >= '%[1]s' AND assignee_id IS NOT NULL GROUP BY assignee_id`,
		`SELECT priority, status, count(*) FROM cases GROUP BY priority, status`,
		`SELECT channel, status, count(*) FROM conversations WHERE created_at >= '%[1]s' GROUP BY channel, status`,
		`SELECT account_id, count(*) FROM contacts GROUP BY account_id`,
	}
	dailyReports = []string{
		`SELECT channel, count(*), count(DISTINCT contact_id) FROM conversations WHERE created_at >= '%[1]s' GROUP BY channel`,
		`SELECT u.name, count(*) FROM messages m JOIN users u ON u.id = m.sender_id WHERE m.sender_type = 'User' AND m.created_at >= '%[1]s' GROUP BY u.name ORDER BY 2 DESC`,
		`SELECT subject, count(*) FROM cases WHERE created_at >= '%[1]s' GROUP BY subject ORDER BY 2 DESC`,
		`SELECT account_id, count(*) FROM contacts WHERE created_at >= '%[1]s' GROUP BY account_id`,
		`SELECT avg(n) FROM (SELECT conversation_id, count(*) AS n FROM messages WHERE created_at >= '%[1]s' GROUP BY conversation_id) x`,
	}
)

// planReports plans the dashboards' refresh: half-hourly in working hours, a longer
// set in the morning.
func (s *sim) planReports() {
	r := random(s.opt.seed, "reports")
	batch := func(at time.Time, set []string, since time.Duration) {
		c := &client{s: s, r: r, l: login{user: "svc_reports", app: "reports-runner", addr: "10.20.8.30"}}
		s.at(at, func(t time.Time) {
			t = c.open(t)
			for _, sql := range set {
				from := t.Add(-since).Truncate(time.Hour).Format(time.DateTime)
				if strings.Contains(sql, "%") {
					sql = fmt.Sprintf(sql, from)
				}
				t = c.ask(t, statement{sql: sql, literal: true})
			}
			c.close(t)
		})
	}
	s.days(time.UTC, func(midnight time.Time) {
		batch(midnight.Add(6*time.Hour+10*time.Minute), dailyReports, 24*time.Hour)
		from, to := 6, 21
		if wd := midnight.Weekday(); wd == time.Saturday || wd == time.Sunday {
			from, to = 9, 12
		}
		for at := midnight.Add(time.Duration(from) * time.Hour); at.Before(midnight.Add(time.Duration(to) * time.Hour)); at = at.Add(30 * time.Minute) {
			batch(at.Add(between(r, 3*time.Second, 50*time.Second)), frequentReports, time.Hour)
		}
	})
}

// planVendor plans the CRM vendor's hourly sync of what has changed.
func (s *sim) planVendor() {
	r := random(s.opt.seed, "vendor")
	down := func(t time.Time) bool {
		return t.Format(time.DateOnly) == "2026-10-22" && t.Hour() >= 4 && t.Hour() < 10
	}
	last := s.start.Add(-time.Hour)
	for hour := s.start; hour.Before(s.end); hour = hour.Add(time.Hour) {
		if down(hour) {
			continue
		}
		c := &client{s: s, r: r, l: login{user: "vendor_crmsync", app: "crm-sync/4.2", addr: fmt.Sprintf("192.0.2.%d", pick(r, []int{10, 10, 10, 11}))}}
		at := hour.Add(7*time.Minute + between(r, 0, 50*time.Second))
		since := last
		last = at
		s.at(at, func(t time.Time) {
			t = c.open(t)
			s.syncSince(c, t, since)
		})
	}
	day := time.Date(2026, 10, 22, 0, 0, 0, 0, time.UTC)
	s.odd("vendor-catch-up", "vendor_crmsync", day.Add(4*time.Hour), day.Add(11*time.Hour), "The vendor was down for six hours and then reads what it has missed, at once.")
}

// syncSince reads the cases that changed, the customers that they belong to and
// the customers that changed.
func (s *sim) syncSince(c *client, t, since time.Time) {
	const stamp = "2006-01-02 15:04:05+00"
	t = c.ask(t, statement{literal: true, sql: fmt.Sprintf(
		`SELECT id, account_id, contact_id, status, priority, subject, updated_at FROM cases WHERE updated_at > '%s' AND updated_at <= '%s' ORDER BY updated_at, id LIMIT 500`,
		since.Format(stamp), t.Format(stamp))})
	seen := map[int64]bool{}
	var ids []int64
	for _, k := range s.world.cases[1:] {
		if k.updated.After(since) && !k.updated.After(t) && !seen[k.contact] {
			seen[k.contact] = true
			ids = append(ids, k.contact)
		}
	}
	for len(ids) > 0 {
		n := min(len(ids), 25)
		t = c.ask(t, statement{literal: true, sql: `SELECT id, account_id, name, email, phone_number, updated_at FROM contacts WHERE id IN (` + idList(ids[:n]) + `)`})
		ids = ids[n:]
	}
	t = c.ask(t, statement{literal: true, sql: fmt.Sprintf(
		`SELECT id, account_id, name, email, phone_number, updated_at FROM contacts WHERE updated_at > '%s' AND updated_at <= '%s' ORDER BY updated_at, id LIMIT 500`,
		since.Format(stamp), t.Format(stamp))})
	c.close(t)
}
