package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"
)

// team is a group of agents who serve one brand from one office.
type team struct {
	name, brand, zone, office string
	agents                    []string
}

// teams are the three offices; a team's account is its index plus one.
var teams = []team{
	{"emea", "Nordwind Telecom", "Europe/Berlin", "10.20.1.", []string{
		"maria", "piotr", "dario", "sofie", "henrik", "leila", "matteo", "agnes", "bruno", "katja", "oisin", "petra", "ruben", "silke", "tomasz", "yasmin"}},
	{"amer", "Bluepeak Mobile", "America/Chicago", "10.20.2.", []string{
		"ashley", "carlos", "denise", "ethan", "grace", "hector", "imani", "jorge", "kelsey", "luis", "monica", "nathan", "rosa", "noor"}},
	{"apac", "Lantern Broadband", "Asia/Manila", "10.20.3.", []string{
		"andrea", "benjo", "corazon", "daniel", "liezel", "jomar", "kristine", "paolo", "rhea", "vince"}},
}

// member is somebody or something with a login.
type member struct {
	login, name, group, team string
}

// hire lists everyone who has a login, n of them human agents: as many of each
// team as its share, at least one.
func hire(n int) []member {
	total := 0
	for _, t := range teams {
		total += len(t.agents)
	}
	var staff []member
	for i, t := range teams {
		k := max(1, n*len(t.agents)/total)
		if i == len(teams)-1 {
			k = n - len(staff)
		}
		for _, a := range t.agents[:k] {
			staff = append(staff, member{t.name + "." + a, a, "agents", t.name})
		}
	}
	return append(staff, []member{
		{"qa.ingrid", "ingrid", "supervisors", "quality"}, {"qa.marcus", "marcus", "supervisors", "quality"}, {"qa.yuki", "yuki", "supervisors", "quality"},
		{"eng.tomas", "tomas", "engineers", "platform"}, {"eng.priya", "priya", "engineers", "platform"},
		{"bot_chat", "chat bot", "chatbot", ""}, {"svc_inbound", "inbound mail", "inbound", ""}, {"svc_export", "nightly export", "exporter", ""},
		{"svc_reports", "reports", "reporting", ""}, {"vendor_crmsync", "CRM sync", "crm_vendor", ""},
	}...)
}

// agent is a human agent's habits.
type agent struct {
	member
	userID  int64
	index   int
	account int64
	loc     *time.Location
	// shift is when the day begins, after local midnight; it moves by swing every
	// other week.
	shift, swing time.Duration
	// pace is how many conversations an ordinary day holds.
	pace float64
	// home are the days worked from home.
	home             map[time.Weekday]bool
	office, homeAddr string
	// mine are conversations that the agent has answered, newest last.
	mine []int64
}

// agents derives everyone's habits from the seed.
func (s *sim) agents() ([]*agent, error) {
	var out []*agent
	for i, m := range s.staff {
		if m.group != "agents" {
			continue
		}
		acct := accountOfTeam(m.team)
		t := teams[acct-1]
		loc, err := time.LoadLocation(t.zone)
		if err != nil {
			return nil, fmt.Errorf("load the clock of team %q: %w", t.name, err)
		}
		r := random(s.opt.seed, "habits of "+m.login)
		a := &agent{member: m, userID: int64(i + 1), index: len(out), account: acct, loc: loc, home: map[time.Weekday]bool{}}
		a.shift = time.Duration(pick(r, []int{7, 8, 8, 9, 9, 10, 12})) * time.Hour
		if chance(r, 0.2) {
			a.swing = 3 * time.Hour
		}
		a.pace = 17.5 * math.Exp(0.3*r.NormFloat64())
		a.office = fmt.Sprintf("%s%d", t.office, 20+i)
		a.homeAddr = fmt.Sprintf("203.0.113.%d", 20+i)
		if chance(r, 0.45) {
			first := time.Weekday(1 + r.IntN(4))
			a.home[first], a.home[first+1] = true, true
		}
		if a.login == s.exporter {
			delete(a.home, lastDay.Weekday())
		}
		out = append(out, a)
	}
	return out, nil
}

func accountOfTeam(name string) int64 {
	for i, t := range teams {
		if t.name == name {
			return int64(i + 1)
		}
	}
	return 1
}

// day is what one day holds for an agent.
type day struct {
	begin, end, lunch, back time.Time
	addr                    string
	pace                    float64
}

// dayOf says how a is to work on the day that begins at midnight, if at all.
func (s *sim) dayOf(a *agent, midnight time.Time) (day, bool) {
	r := random(s.opt.seed, "day of "+a.login+midnight.Format(time.DateOnly))
	date := midnight.Format(time.DateOnly)
	weekend := midnight.Weekday() == time.Saturday || midnight.Weekday() == time.Sunday
	sick := chance(r, 0.018)
	_, week := midnight.ISOWeek()
	onDuty := (week*2+int(midnight.Weekday())+a.index)%6 == 0
	if a.login == swapped && date == "2026-10-24" {
		weekend, sick = false, false
	}
	switch {
	case weekend && !onDuty, a.away(date):
		return day{}, false
	case sick && !weekend && date != "2026-11-03":
		s.odd("sick-day", a.login, midnight, midnight.AddDate(0, 0, 1), "Ill, and not at work.")
		return day{}, false
	}
	begin := midnight.Add(a.shift)
	// A clock change makes a day of 23 or 25 hours; shifts follow the wall.
	begin = time.Date(begin.Year(), begin.Month(), begin.Day(), int(a.shift.Hours()), 0, 0, 0, a.loc)
	if week%2 == 1 {
		begin = begin.Add(a.swing)
	}
	d := day{
		begin: begin.Add(between(r, -9*time.Minute, 12*time.Minute)),
		lunch: begin.Add(between(r, 225*time.Minute, 285*time.Minute)),
		end:   begin.Add(between(r, 490*time.Minute, 535*time.Minute)),
		addr:  a.office,
		pace:  a.pace * gamma(r, 22),
	}
	d.back = d.lunch.Add(between(r, 28*time.Minute, 65*time.Minute))
	if a.home[midnight.Weekday()] {
		d.addr = a.homeAddr
	}
	switch {
	case weekend:
		d.pace *= 0.8
	case midnight.Weekday() == time.Monday:
		d.pace *= 1.12
	case midnight.Weekday() == time.Friday:
		d.pace *= 0.93
	}
	switch date {
	case "2026-10-26": // the busy Monday
		d.pace *= 1.25
		d.end = d.end.Add(between(r, 0, 50*time.Minute))
	case "2026-10-28":
		if a.login == stranded {
			d.addr = "203.0.113.201"
		}
	}
	if a.login == newcomer && date < "2026-10-26" {
		d.pace *= 0.55
	}
	if a.login == holiday && date == "2026-10-19" {
		d.pace *= 1.4 // what has piled up
	}
	return d, true
}

// People with a part of their own in the story.
const (
	newcomer  = "amer.noor"
	holiday   = "emea.sofie"
	swapped   = "apac.benjo"
	stranded  = "amer.carlos"
	forgetful = "emea.piotr"
)

// away says whether a is not there on a date for long.
func (a *agent) away(date string) bool {
	switch a.login {
	case newcomer:
		return date < "2026-10-19"
	case holiday:
		return date >= "2026-10-12" && date <= "2026-10-18"
	}
	return false
}

// hourFactor is how busy an hour of an agent's day is, given how far it is gone.
func hourFactor(gone time.Duration) float64 {
	switch h := gone.Hours(); {
	case h < 0.5:
		return 0.7
	case h < 3:
		return 1.2
	case h < 6:
		return 1.0
	case h < 7.5:
		return 0.9
	}
	return 0.65
}

// desk is the name by which the agents' program calls itself: a new release
// reaches one team after the other.
func desk(teamName string, t time.Time) string {
	from := map[string]time.Time{
		"apac": time.Date(2026, 10, 19, 22, 0, 0, 0, time.UTC),
		"emea": time.Date(2026, 10, 20, 4, 0, 0, 0, time.UTC),
		"amer": time.Date(2026, 10, 21, 10, 0, 0, 0, time.UTC),
	}[teamName]
	if t.Before(from) {
		return oldDesk
	}
	return newDesk
}

const (
	oldDesk = "helpdesk-desk 5.2.1"
	newDesk = "helpdesk-desk 5.3.0"
)

// seconds is a time as applications write it.
func seconds(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// quoted lists ids for an IN list.
func idList(ids []int64) string {
	var b strings.Builder
	for i, id := range ids {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprint(&b, id)
	}
	return b.String()
}

// coarse draws a person's pause around a mean.
func coarse(r *rand.Rand, mean time.Duration) time.Duration {
	return time.Duration(float64(mean) * gamma(r, 1.7))
}
