package main

import (
	"math/rand/v2"
	"time"
)

// The statements of the agents' program, as its data layer writes them.
const (
	sqlQueue = `SELECT id, contact_id, assignee_id, channel, status, updated_at FROM conversations WHERE account_id = $1 AND status = 'open' ORDER BY updated_at DESC LIMIT $2`
	sqlConv  = `SELECT id, account_id, contact_id, assignee_id, team, channel, status, created_at, updated_at FROM conversations WHERE account_id = $1 AND id = $2 LIMIT 1`
	sqlCont  = `SELECT id, name, email, phone_number, created_at FROM contacts WHERE id = $1 LIMIT 1`
	sqlMsgs  = `SELECT id, sender_type, sender_id, content, created_at FROM messages WHERE conversation_id = $1 ORDER BY id DESC LIMIT 20`
	sqlMsgs2 = `SELECT id, sender_type, sender_id, content, created_at, length(content) AS size FROM messages WHERE conversation_id = $1 ORDER BY id DESC LIMIT 30`
	sqlSeen  = `SELECT count(*) FROM conversations WHERE contact_id = $1`
	sqlPrev  = `SELECT id, channel, status, created_at FROM conversations WHERE contact_id = $1 ORDER BY created_at DESC LIMIT 10`
	sqlCases = `SELECT id, status, priority, subject, updated_at FROM cases WHERE contact_id = $1 ORDER BY updated_at DESC`
	sqlFiles = `SELECT a.id, a.file_name, a.file_size, m.created_at FROM attachments a JOIN messages m ON m.id = a.message_id WHERE a.conversation_id = $1`
	sqlFind  = `SELECT id, name, email, phone_number FROM contacts WHERE account_id = $1 AND email = $2`
	sqlMine  = `SELECT c.id, c.status, c.updated_at, p.name FROM conversations c JOIN contacts p ON p.id = c.contact_id WHERE c.assignee_id = $1 AND c.status = 'open' ORDER BY c.updated_at DESC LIMIT 25`
	sqlReply = `INSERT INTO messages (account_id, conversation_id, sender_type, sender_id, content, created_at) VALUES ($1, $2, $3, $4, $5, $6) RETURNING id`
	sqlState = `UPDATE conversations SET status = $1, assignee_id = $2, updated_at = $3 WHERE id = $4`
	sqlAddr  = `UPDATE contacts SET phone_number = $1, updated_at = $2 WHERE id = $3`
	sqlOpen  = `INSERT INTO cases (account_id, contact_id, conversation_id, status, priority, subject, description, created_at, updated_at) VALUES ($1, $2, $3, 'new', $4, $5, $6, $7, $7) RETURNING id`
	sqlCase  = `UPDATE cases SET status = $1, updated_at = $2 WHERE id = $3`
)

// planAgents plans everyone's days.
func (s *sim) planAgents() {
	agents, err := s.agents()
	if err != nil {
		s.err = err
		return
	}
	for _, a := range agents {
		s.days(a.loc, func(midnight time.Time) {
			if d, ok := s.dayOf(a, midnight); ok {
				s.planShift(a, d)
			}
		})
	}
	s.tellAgents()
}

// planShift plans one day: two stretches of work with lunch between them.
func (s *sim) planShift(a *agent, d day) {
	r := random(s.opt.seed, "work of "+a.login+d.begin.Format(time.DateOnly))
	s.stretch(a, d, r, d.begin, d.lunch)
	s.stretch(a, d, r, d.back, d.end)
}

// stretch is work between two pauses, over one connection.
func (s *sim) stretch(a *agent, d day, r *rand.Rand, from, to time.Time) {
	c := &client{s: s, r: r, l: login{user: a.login, app: desk(a.team, from), addr: d.addr}}
	worked := d.lunch.Sub(d.begin) + d.end.Sub(d.back)
	gap := time.Duration(float64(worked) / d.pace)
	s.at(from, func(t time.Time) {
		if a.login == forgetful && t.Format(time.DateOnly) == "2026-10-15" && from.Equal(d.begin) {
			s.mistype(c, t)
			t = t.Add(time.Minute)
		}
		s.at(t, func(t time.Time) {
			t = c.open(t)
			t = c.ask(t, statement{sql: sqlMine, args: []any{a.userID}})
			c.ask(t, statement{sql: sqlQueue, args: []any{a.account, int64(25)}})
		})
	})
	var next func(t time.Time)
	next = func(t time.Time) {
		if !t.Before(to) {
			return
		}
		if stealing := a.login == s.exporter && t.After(exportBegins) && t.Before(exportEnds); !stealing {
			s.visit(a, c, t)
		}
		s.at(t.Add(time.Duration(float64(coarse(r, gap))/hourFactor(t.Sub(d.begin)))), next)
	}
	s.at(from.Add(between(r, 80*time.Second, 5*time.Minute)), next)
	s.at(to, c.close)
}

// mistype is three attempts with a wrong password.
func (s *sim) mistype(c *client, t time.Time) {
	wrong := c.l
	wrong.wrongPassword = true
	for i := range 3 {
		s.at(t.Add(time.Duration(i)*7*time.Second), func(t time.Time) {
			s.sent(t, wrong)
			if _, err := s.tape.connect(s.ctx, t, wrong); err != nil {
				s.err = err
			}
		})
	}
}

// choose picks the conversation to look at next: what waits, what one has
// worked on, or something that a colleague asked about.
func (s *sim) choose(a *agent, r *rand.Rand) int64 {
	u := r.Float64()
	if u < 0.62 {
		if id := s.world.take(a.account); id != 0 {
			return id
		}
	}
	if n := len(a.mine); u < 0.86 && n > 0 {
		// The last ones most of all.
		back := int(r.ExpFloat64() * 6)
		return a.mine[n-1-min(back, n-1)]
	}
	return s.world.recent(r, a.account, 1500)
}

// visit is one conversation looked at, and mostly answered.
func (s *sim) visit(a *agent, c *client, t time.Time) {
	r := c.r
	id := s.choose(a, r)
	v := s.world.conversations[id]
	if chance(r, 0.22) {
		c.ask(t, statement{sql: sqlQueue, args: []any{a.account, int64(25)}})
		t = t.Add(time.Second + coarse(r, 4*time.Second))
	}
	if chance(r, 0.05) {
		find := statement{sql: sqlFind, args: []any{a.account, s.world.contacts[v.contact].email}}
		c.later(t, find)
		t = t.Add(time.Second + coarse(r, 3*time.Second))
	}
	s.at(t, func(t time.Time) { s.look(a, c, r, t, v) })
	if !chance(r, 0.8) {
		return // looked, and left to somebody else
	}
	s.at(t.Add(30*time.Second+coarse(r, 100*time.Second)), func(t time.Time) { s.reply(a, c, r, t, id, 0.25) })
}

// look is what the program asks when a conversation is opened.
func (s *sim) look(a *agent, c *client, r *rand.Rand, t time.Time, v conversation) {
	t = c.ask(t, statement{sql: sqlConv, args: []any{a.account, v.id}})
	t = c.ask(t, statement{sql: sqlCont, args: []any{v.contact}})
	t = c.ask(t, c.messages(v.id))
	if c.l.app == newDesk && chance(r, 0.3) { // the new release's panel, for those who have it open
		t = c.ask(t, statement{sql: sqlSeen, args: []any{v.contact}})
	}
	t = t.Add(time.Second + coarse(r, 5*time.Second))
	switch u := r.Float64(); {
	case u < 0.18:
		c.later(t, statement{sql: sqlCases, args: []any{v.contact}})
	case u < 0.28:
		c.later(t, statement{sql: sqlPrev, args: []any{v.contact}})
	case u < 0.36:
		c.later(t, statement{sql: sqlFiles, args: []any{v.id}})
	}
}

// messages asks for a conversation's messages as this release of the program
// does.
func (c *client) messages(id int64) statement {
	if c.l.app == newDesk {
		return statement{sql: sqlMsgs2, args: []any{id}}
	}
	return statement{sql: sqlMsgs, args: []any{id}}
}

// reply writes to the customer, and goes on for a while with chance more.
func (s *sim) reply(a *agent, c *client, r *rand.Rand, t time.Time, id int64, more float64) {
	if c.sess == nil {
		return
	}
	v := s.world.at(id)
	t = s.write(c, t, v, "User", a.userID, phrase(r, "User"))
	status := "open"
	if !chance(r, more) {
		status = pick(r, []string{"resolved", "resolved", "open", "snoozed"})
	}
	if v.status != status || v.assignee == nil {
		t = c.ask(t, statement{sql: sqlState, args: []any{status, a.userID, seconds(t), id}})
	}
	v.status, v.updated, v.assignee = status, seconds(t), &a.userID
	a.mine = append(a.mine, id)
	if len(a.mine) > 40 {
		a.mine = a.mine[1:]
	}
	s.paperwork(a, c, r, t, *v)
	if status == "open" && chance(r, 0.7) {
		again := t.Add(2*time.Minute + coarse(r, 4*time.Minute))
		c.later(again, c.messages(id))
		s.at(again.Add(20*time.Second+coarse(r, time.Minute)), func(t time.Time) { s.reply(a, c, r, t, id, more/3) })
	}
}

// paperwork is what a reply sometimes brings with it.
func (s *sim) paperwork(a *agent, c *client, r *rand.Rand, t time.Time, v conversation) {
	soon := t.Add(time.Second + coarse(r, 6*time.Second))
	switch u := r.Float64(); {
	case u < 0.10:
		s.at(soon.Add(coarse(r, 20*time.Second)), func(t time.Time) {
			if c.sess == nil {
				return
			}
			id := s.world.addCase(r, v.id, t)
			k := s.world.cases[id]
			c.ask(t, statement{sql: sqlOpen, wantID: id, args: []any{a.account, v.contact, v.id, k.priority, k.subject, k.description, seconds(t)}})
		})
	case u < 0.22:
		if ids := s.world.casesOf[v.contact]; len(ids) > 0 {
			changed := soon.Add(time.Second + coarse(r, 12*time.Second))
			c.later(soon, statement{sql: sqlCases, args: []any{v.contact}})
			c.later(changed, statement{sql: sqlCase, args: []any{pick(r, caseStates), seconds(changed), pick(r, ids)}})
		}
	case u < 0.25:
		c.later(soon, statement{sql: sqlAddr, args: []any{s.world.contacts[v.contact].phone, seconds(soon), v.contact}})
	}
}

// write inserts a message.
func (s *sim) write(c *client, t time.Time, v *conversation, sender string, senderID any, text string) time.Time {
	if c.sess == nil {
		return t
	}
	s.world.messages++
	return c.ask(t, statement{sql: sqlReply, wantID: s.world.messages, args: []any{v.account, v.id, sender, senderID, text, seconds(t)}})
}

// tellAgents notes what looks odd about the agents and is not.
func (s *sim) tellAgents() {
	at := func(month time.Month, day, hour int) time.Time {
		return time.Date(2026, month, day, hour, 0, 0, 0, time.UTC)
	}
	s.odd("new-joiner", newcomer, at(10, 19, 0), s.end, "Starts in the third week: no past of her own, a slow first week.")
	s.odd("holiday", holiday, at(10, 12, 0), at(10, 20, 0), "A week away, then a Monday of catching up.")
	s.odd("mistyped-password", forgetful, at(10, 15, 4), at(10, 15, 14), "Three failed logins before the right password.")
	s.odd("shift-swap", swapped, at(10, 23, 16), at(10, 24, 16), "Works a Saturday for a colleague.")
	s.odd("new-network", stranded, at(10, 28, 10), at(10, 29, 3), "Works from a relative's home: an address never seen before.")
	s.odd("busy-monday", "*", at(10, 26, 0), at(10, 27, 6), "An outage at one brand's supplier: more chats and longer shifts for everybody.")
	s.odd("release", "apac.*", at(10, 19, 22), at(10, 22, 0), "A new release of the agents' program: another application name, other statements.")
	s.odd("release", "emea.*", at(10, 20, 4), at(10, 22, 0), "The same release reaches the second team.")
	s.odd("release", "amer.*", at(10, 21, 10), at(10, 23, 0), "The same release reaches the third team.")
	s.odd("clock-change", "emea.*", at(10, 25, 1), at(10, 27, 0), "Summer time ends in Europe: shifts begin an hour later in UTC.")
	s.odd("clock-change", "amer.*", at(11, 1, 7), at(11, 3, 0), "Summer time ends in North America.")
}
