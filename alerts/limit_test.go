package alerts_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/alerts"
)

// TestFlood: ten thousand mild findings in ten minutes are twenty messages at most, and
// the severe one among them is told at once.
func TestFlood(t *testing.T) {
	t.Parallel()
	d := newDesk(t, alerts.Policy{}, "slack")
	const many = 10_000
	severe := about("f-severe", "eve", "high")
	at := func(i int) time.Time { return began.Add(time.Duration(i) * 10 * time.Minute / many) }
	var sent []string
	flood := 0
	for i := range many {
		f := about(fmt.Sprint("f-", i), fmt.Sprint("a-", i), "low")
		f.Source = "pg"
		c, events := alerts.Join(nil, nil, &f, at(i))
		_ = events
		got := d.p.Decide(alerts.Input{Finding: &f, Case: &c, Now: at(i)})
		d.keep(&c, got)
		if got.Held == vigil.HeldFlood {
			flood++
		}
		if i == many/2 {
			before := len(d.sent)
			d.take(severe, at(i))
			if len(d.sent) != before+1 || d.sent[before] != "new slack "+id(severe) {
				t.Errorf("the severe one: %v", d.sent[before:])
			}
		}
		if i%1000 == 0 {
			// The state survives restarts.
			text, err := json.Marshal(d.p.State())
			if err != nil {
				t.Fatal(err)
			}
			var s alerts.State
			if err := json.Unmarshal(text, &s); err != nil {
				t.Fatal(err)
			}
			if d.p, err = alerts.NewPipeline(alerts.Policy{}, []string{"slack"}, s, "/cases"); err != nil {
				t.Fatal(err)
			}
			d.notices(d.p.Tick(at(i)))
		}
	}
	sent = d.out()
	if len(sent) > 20 || flood != many-10 {
		t.Errorf("%d messages, %d held: %v", len(sent), flood, sent)
	}
	// It ends once it has been quiet, with the whole count.
	var last []alerts.FloodNotice
	ended := time.Time{}
	for now := began.Add(10 * time.Minute); now.Before(began.Add(time.Hour)) && ended.IsZero(); now = now.Add(time.Minute) {
		if got := d.p.Tick(now); len(got) > 0 {
			if last = got; got[0].Ended {
				ended = now
			}
		}
	}
	if ended.IsZero() || ended.After(began.Add(31*time.Minute)) {
		t.Fatalf("it ended at %v", ended)
	}
	n := last[0].Message.Notice
	if !strings.Contains(n.Sentence, "9,990 cases are told (9,990 low) in no message of their own") || !slices.Equal(n.Lines, []string{"From: pg 9,990", "By: day 9,990"}) {
		t.Errorf("%+v", n)
	}
	f := about("f-after", "zoe", "low")
	d.take(f, ended)
	d.want("new slack " + id(f))
	if got := d.p.Tick(ended.Add(time.Hour)); len(got) != 0 {
		t.Errorf("more is said after the end: %v", got)
	}
}

// TestFloodGrades: high ones have a bucket of their own, critical ones none, each
// notifier its own; what was counted is counted once, and told when it gets graver.
func TestFloodGrades(t *testing.T) {
	t.Parallel()
	d := newDesk(t, alerts.Policy{Limits: alerts.Limits{Mild: 1, High: 2}, Routes: []alerts.Route{
		{Match: vigil.Match{Teams: []string{"x"}}, Target: alerts.Target{Notify: []string{"mail"}}},
	}, Default: alerts.Target{Notify: []string{"slack"}}}, "slack", "mail")
	told := func(id string, s vigil.Severity) bool {
		return len(d.take(about(id, id, s), began).New) > 0
	}
	for _, tc := range []struct {
		id   string
		s    vigil.Severity
		told bool
	}{{"a", "low", true}, {"b", "medium", false}, {"c", "high", true}, {"d", "high", true}, {"e", "high", false}, {"f", "critical", true}, {"g", "critical", true}} {
		if got := told(tc.id, tc.s); got != tc.told {
			t.Errorf("%s of severity %s: told %v", tc.id, tc.s, got)
		}
	}
	x := about("x", "x", "low")
	x.Team = "x"
	if got := d.take(x, began); !slices.Equal(got.New, []string{"mail"}) {
		t.Errorf("another notifier: %+v", got)
	}
	var begun, total int
	b := about("b", "b", "medium")
	for i := range 5 {
		b.Sentence = fmt.Sprint("more ", i)
		got := d.take(b, began.Add(time.Duration(i+1)*2*time.Minute))
		for _, n := range got.Notices {
			total++
			if n.Began {
				begun++
			}
		}
	}
	if s := d.p.State().Buckets["slack/mild"].Flood; s == nil || s.Counts["medium"] != 1 || begun != 0 || total != 0 {
		t.Errorf("%+v, %d notices", s, total)
	}
	b.Severity = "critical"
	d.out()
	d.take(b, began.Add(11*time.Minute))
	d.want("new slack " + id(b))
}

// TestGoneNotifier: a flood of a notifier that is no longer configured is told nobody.
func TestGoneNotifier(t *testing.T) {
	t.Parallel()
	d := newDesk(t, alerts.Policy{Limits: alerts.Limits{Mild: 1}}, "slack", "mail")
	for _, a := range []string{"a", "b"} {
		d.take(about(a, a, "low"), began)
	}
	p, err := alerts.NewPipeline(alerts.Policy{}, []string{"mail"}, d.p.State(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range p.Tick(began.Add(time.Hour)) {
		if n.Notifier != "mail" {
			t.Errorf("%+v", n)
		}
	}
	if s := p.State(); len(s.Buckets) != 1 || s.Buckets["mail/mild"].At.IsZero() {
		t.Errorf("%+v", s)
	}
}

// A clock that ran ahead and is set back keeps nothing from people for as long.
func TestClockIsSetBack(t *testing.T) {
	t.Parallel()
	d := newDesk(t, alerts.Policy{}, "slack")
	ahead := began.Add(24 * time.Hour)
	for i := range 12 {
		d.take(about(fmt.Sprint("f-", i), fmt.Sprint("a-", i), "low"), ahead)
	}
	d.out()
	now := began
	for range 3 { // the flood ebbs, the bucket fills
		now = now.Add(10 * time.Minute)
		d.p.Tick(now)
		d.take(about(fmt.Sprint("f-", now.Unix()), fmt.Sprint("a-", now.Unix()), "low"), now)
	}
	now = now.Add(10 * time.Minute)
	d.out()
	f := about("f-new", "new", "low")
	d.take(f, now)
	if got := d.out(); len(got) != 1 || got[0] != "new slack "+id(f) {
		t.Errorf("told %v", got)
	}
	// Nor an edit.
	old := about("f-0", "a-0", "low")
	old.Revision, old.Subjects = 2, old.Subjects+500
	d.take(old, now)
	if got := d.out(); len(got) != 1 || got[0] != "edit slack "+id(old) {
		t.Errorf("edited %v", got)
	}
}
