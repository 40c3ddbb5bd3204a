package main

import (
	"fmt"
	"time"
)

// planSupervisors plans three supervisors: they read samples of everyone's
// chats, look at lists, and report at the week's and the month's end.
func (s *sim) planSupervisors() {
	zones := []string{"Europe/Berlin", "America/Chicago", "Asia/Manila"}
	i := 0
	for _, m := range s.staff {
		if m.group != "supervisors" {
			continue
		}
		loc, err := time.LoadLocation(zones[i%len(zones)])
		if err != nil {
			s.err = fmt.Errorf("load a supervisor's clock: %w", err)
			return
		}
		own := int64(i%len(zones) + 1)
		addr := fmt.Sprintf("%s%d", teams[own-1].office, 10+i)
		i++
		s.days(loc, func(midnight time.Time) {
			if wd := midnight.Weekday(); wd != time.Saturday && wd != time.Sunday {
				s.supervise(m, own, addr, midnight)
			}
		})
	}
	for _, d := range []time.Time{
		time.Date(2026, 10, 5, 0, 0, 0, 0, time.UTC), time.Date(2026, 10, 30, 0, 0, 0, 0, time.UTC), time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC),
	} {
		s.odd("month-end-report", "qa.*", d.Add(-2*time.Hour), d.AddDate(0, 0, 1), "Supervisors pull a month's conversations and figures for the monthly report.")
	}
}

const sqlSample = `SELECT id, contact_id, assignee_id, status, created_at FROM conversations WHERE account_id = $1 AND created_at >= $2 AND created_at < $3 ORDER BY id LIMIT $4`

// supervise is one supervisor's day.
func (s *sim) supervise(m member, own int64, addr string, midnight time.Time) {
	r := random(s.opt.seed, "supervision "+m.login+midnight.Format(time.DateOnly))
	if chance(r, 0.02) && midnight.Format(time.DateOnly) != "2026-11-03" {
		return
	}
	begin := midnight.Add(9*time.Hour + between(r, -20*time.Minute, 25*time.Minute))
	end := begin.Add(between(r, 465*time.Minute, 520*time.Minute))
	c := &client{s: s, r: r, l: login{user: m.login, app: desk(teams[own-1].name, begin), addr: addr}}
	s.at(begin, func(t time.Time) {
		t = c.open(t)
		c.ask(t, statement{sql: sqlQueue, args: []any{own, int64(100)}})
	})
	s.at(end, c.close)
	// A sample each of two hours: a list, then a dozen chats, read and not answered.
	for round := range 3 {
		at := begin.Add(time.Duration(round)*150*time.Minute + between(r, 5*time.Minute, 40*time.Minute))
		acct := own
		if chance(r, 0.25) {
			acct = 1 + r.Int64N(3)
		}
		c.later(at, statement{sql: sqlSample, args: []any{acct, seconds(at.AddDate(0, 0, -7)), seconds(at), int64(50)}})
		for range 4 + r.IntN(8) {
			at = at.Add(40*time.Second + coarse(r, 3*time.Minute))
			s.at(at, func(t time.Time) {
				if c.sess == nil {
					return
				}
				v := s.world.conversations[s.world.recent(r, acct, 700)]
				s.look(&agent{account: acct}, c, r, t, v)
			})
		}
	}
	s.supervisorReports(c, own, midnight, begin.Add(between(r, 60*time.Minute, 300*time.Minute)))
}

// supervisorReports is what the week's and the month's end ask for.
func (s *sim) supervisorReports(c *client, own int64, midnight, at time.Time) {
	const (
		figures = `SELECT u.name, count(*), min(m.created_at), max(m.created_at) FROM messages m JOIN users u ON u.id = m.sender_id WHERE m.account_id = $1 AND m.created_at >= $2 AND m.created_at < $3 GROUP BY u.name`
		casesBy = `SELECT status, priority, count(*) FROM cases WHERE account_id = $1 AND updated_at >= $2 GROUP BY status, priority`
	)
	date := midnight.Format(time.DateOnly)
	var from time.Time
	limit := int64(200)
	switch {
	case date == "2026-10-05":
		from, limit = time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC), 1000
	case date == "2026-10-30", date == "2026-11-02":
		from, limit = time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), 1000
	case midnight.Weekday() == time.Friday:
		from = seconds(midnight.AddDate(0, 0, -7))
	default:
		return
	}
	s.at(at, func(t time.Time) {
		t = c.ask(t, statement{sql: figures, args: []any{own, from, seconds(at)}})
		c.ask(t, statement{sql: casesBy, args: []any{own, from}})
	})
	// A list page after page, and a few of the chats in it.
	for page := range int(limit / 200) {
		at = at.Add(time.Minute + coarse(c.r, 4*time.Minute))
		begin := from.AddDate(0, 0, page*6)
		c.later(at, statement{sql: sqlSample, args: []any{own, begin, begin.AddDate(0, 0, 6), int64(200)}})
		for range 3 {
			at = at.Add(30*time.Second + coarse(c.r, time.Minute))
			s.at(at, func(t time.Time) {
				if c.sess != nil {
					s.look(&agent{account: own}, c, c.r, t, s.world.conversations[s.world.recent(c.r, own, 1500)])
				}
			})
		}
	}
}
