package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"
)

// dryTape sends nothing: it counts what would have been sent.
type dryTape struct {
	byUser  map[string]*dryCount
	logins  int64
	logouts int64
	last    time.Time
	// backwards is the longest that a step was planned before one already done:
	// what happens at once overlaps a little, and no more.
	backwards time.Duration
}

type dryCount struct {
	statements, sessions int64
	first, last          time.Time
}

func newDryTape() *dryTape {
	return &dryTape{byUser: map[string]*dryCount{}}
}

func (d *dryTape) see(t time.Time, user string) *dryCount {
	if back := d.last.Sub(t); back > 0 {
		d.backwards = max(d.backwards, back)
	} else {
		d.last = t
	}
	c := d.byUser[user]
	if c == nil {
		c = &dryCount{first: t}
		d.byUser[user] = c
	}
	c.last = t
	return c
}

func (d *dryTape) connect(_ context.Context, t time.Time, l login) (session, error) {
	c := d.see(t, l.user)
	c.sessions++
	d.logins++
	if l.wrongPassword {
		return nil, nil
	}
	return &drySession{tape: d, user: l.user}, nil
}

// report prints the counts, busiest first.
func (d *dryTape) report(w io.Writer) {
	users := make([]string, 0, len(d.byUser))
	var total int64
	for u, c := range d.byUser {
		users = append(users, u)
		total += c.statements
	}
	slices.SortFunc(users, func(a, b string) int {
		return int(d.byUser[b].statements - d.byUser[a].statements)
	})
	for _, u := range users {
		c := d.byUser[u]
		fmt.Fprintf(w, "%-22s %7d statements %5d sessions  %s to %s\n", u, c.statements, c.sessions,
			c.first.Format(time.DateTime), c.last.Format(time.DateTime))
	}
	fmt.Fprintf(w, "%d statements, %d sessions, %s overlap at most\n", total, d.logins, d.backwards)
}

type drySession struct {
	tape *dryTape
	user string
}

func (s *drySession) do(_ context.Context, t time.Time, _ statement) (int64, error) {
	s.tape.see(t, s.user).statements++
	return 0, nil
}

func (s *drySession) close(_ context.Context, t time.Time) error {
	s.tape.see(t, s.user)
	s.tape.logouts++
	return nil
}
