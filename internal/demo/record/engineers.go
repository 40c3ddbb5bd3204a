package main

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// planEngineers plans two engineers on call: seldom there, psql and questions
// of the moment, and one long evening when something was broken.
func (s *sim) planEngineers() {
	for i, who := range []string{"eng.tomas", "eng.priya"} {
		office, home := fmt.Sprintf("10.20.9.%d", 11+i), fmt.Sprintf("203.0.113.%d", 221+i)
		s.days(time.UTC, func(midnight time.Time) {
			r := random(s.opt.seed, "on call "+who+midnight.Format(time.DateOnly))
			if wd := midnight.Weekday(); wd == time.Saturday || wd == time.Sunday {
				return
			}
			for range 2 {
				if chance(r, 0.28) {
					addr := office
					if chance(r, 0.3) {
						addr = home
					}
					s.adhoc(who, addr, r, midnight.Add(between(r, 8*time.Hour, 17*time.Hour)), 3+r.IntN(9), 2*time.Minute)
				}
			}
		})
	}
	night := time.Date(2026, 10, 21, 18, 52, 0, 0, time.UTC)
	r := random(s.opt.seed, "incident")
	s.adhoc("eng.priya", "203.0.113.222", r, night, 105, 110*time.Second)
	s.adhoc("eng.tomas", "203.0.113.221", r, night.Add(40*time.Minute), 45, 150*time.Second)
	s.odd("incident", "eng.*", night, night.Add(5*time.Hour), "Messages arrive twice: two engineers look for the cause all evening, from home.")
}

// adhoc is one psql session.
func (s *sim) adhoc(who, addr string, r *rand.Rand, t time.Time, n int, mean time.Duration) {
	c := &client{s: s, r: r, l: login{user: who, app: "psql", addr: addr}}
	s.at(t, func(t time.Time) { c.open(t) })
	for range n {
		t = t.Add(8*time.Second + coarse(r, mean))
		s.at(t, func(t time.Time) { c.ask(t, s.question(r, t)) })
	}
	s.at(t.Add(coarse(r, 3*time.Minute)+time.Second), c.close)
}

// question is something that an engineer would want to know.
func (s *sim) question(r *rand.Rand, t time.Time) statement {
	id := s.world.recent(r, 1+r.Int64N(3), 400)
	v := s.world.conversations[id]
	since := t.Add(-between(r, 20*time.Minute, 6*time.Hour)).Format("2006-01-02 15:04")
	var sql string
	switch r.IntN(12) {
	case 0, 1:
		sql = fmt.Sprintf("select * from conversations where id = %d;", id)
	case 2, 3, 4:
		sql = fmt.Sprintf("select id, sender_type, left(content, 20), created_at from messages where conversation_id = %d order by id;", id)
	case 5:
		sql = fmt.Sprintf("select conversation_id, content, count(*) from messages where created_at > '%s' group by 1, 2 having count(*) > 1;", since)
	case 6:
		sql = fmt.Sprintf("select count(*) from messages where created_at > '%s';", since)
	case 7:
		sql = fmt.Sprintf("select status, count(*) from conversations where updated_at > '%s' group by status;", since)
	case 8:
		sql = fmt.Sprintf("select id, email from contacts where id = %d;", v.contact)
	case 9:
		sql = "select pid, state, query_start from pg_stat_activity order by query_start;"
	case 10:
		sql = fmt.Sprintf("select m.id, m.created_at, c.status\n  from messages m join conversations c on c.id = m.conversation_id\n where c.contact_id = %d\n order by m.id desc limit 50;", v.contact)
	default:
		if chance(r, 0.3) {
			return statement{literal: true, refused: true, sql: fmt.Sprintf("select * from message where conversation_id = %d;", id)}
		}
		sql = fmt.Sprintf("select id, status, updated_at from cases where contact_id = %d;", v.contact)
	}
	return statement{literal: true, sql: sql}
}
