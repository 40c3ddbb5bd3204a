package alerts

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"vigil"
)

// Policy says who is told what, and how much of it. The zero Policy tells everything to
// everybody, at most ten new messages in ten minutes of each grade.
type Policy struct {
	// Routes are tried in order; Default is for what none of them fits, so that
	// nothing is lost.
	Routes  []Route
	Default Target
	// Inhibit are rules of the user's own, besides those that are built in.
	Inhibit []InhibitRule
	Limits  Limits
	// Remind says after how long a case that nobody acknowledged is told again.
	Remind Remind
	// Escalations are named by routes, Rotas by the levels of an escalation.
	Escalations map[string]Escalation
	Rotas       map[string]*Rota
}

// Target is who is told.
type Target struct {
	// Notify are names of notifiers. Of Default, nobody named means all.
	Notify []string
	// Escalation names what happens when nobody acknowledges; empty for reminders only.
	Escalation string
}

// Route is one rule of who is told. One that names no notifier holds what it fits: it is
// in the console and in the digest only.
type Route struct {
	Match vigil.Match
	Target
	// Continue says that the routes below are tried as well.
	Continue bool
}

// InhibitRule keeps back what Mute fits while a case whose lead When fits is open and was
// told within a day, where both agree in all of Equal.
type InhibitRule struct {
	When vigil.Match
	Mute vigil.Match
	// Equal are of: actor, team, tenant, store, source.
	Equal []string
}

// Limits bound what one notifier is told.
type Limits struct {
	// Mild is how many new cases of severity low and medium, High how many of severity
	// high, may be told within Period. Defaults 10, 10 and 10 min. Critical ones are
	// never held.
	Mild   int
	High   int
	Period time.Duration
	// EditEvery is the least time between two edits of one case whose severity and state
	// stay the same. Default 30 s.
	EditEvery time.Duration
}

// Remind is how long a case may be told and not acknowledged before it is told again,
// by severity; the wait doubles with each reminder. Zero means the default, a negative
// time that there is no reminder. Low ones are never told again.
type Remind struct {
	Critical time.Duration // default 10 min
	High     time.Duration // default 30 min
	Medium   time.Duration // default 8 h
}

// Escalation is who is called, one level after the other, while nobody acknowledges.
type Escalation struct {
	Levels []Level
}

// Level is one step of an escalation.
type Level struct {
	// After is the time since the case was told first, or got graver, or opened anew.
	After time.Duration
	// Notify are notifiers that are told from then on, Call people who are called by
	// name, Rotas those whose turn it is.
	Notify []string
	Call   []string
	Rotas  []string
}

// Bounds of a policy.
const (
	maxRoutes = 200
	maxLevels = 10
	maxRota   = 100
)

func (p Policy) withDefaults() Policy {
	l := &p.Limits
	for _, n := range []*int{&l.Mild, &l.High} {
		if *n == 0 {
			*n = 10
		}
	}
	for _, d := range []struct {
		v *time.Duration
		d time.Duration
	}{
		{&l.Period, 10 * time.Minute}, {&l.EditEvery, 30 * time.Second},
		{&p.Remind.Critical, 10 * time.Minute}, {&p.Remind.High, 30 * time.Minute}, {&p.Remind.Medium, 8 * time.Hour},
	} {
		if *d.v == 0 {
			*d.v = d.d
		}
	}
	return p
}

// Check says what is wrong with a policy, each problem with the field it is in; nil when
// nothing is. Notifiers are the names of those that are configured.
func (p *Policy) Check(notifiers []string) error {
	var errs []error
	say := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	known := func(field string, names []string) {
		for _, n := range names {
			if !slices.Contains(notifiers, n) {
				say("%s: there is no notifier %q; configured are: %s", field, n, strings.Join(notifiers, ", "))
			}
		}
	}
	match := func(field string, m vigil.Match) {
		if m.Empty() {
			return
		}
		if err := m.Clean(); err != nil {
			say("%s: %w", field, err)
		}
	}
	target := func(field string, t Target) {
		known(field+".notify", t.Notify)
		if _, ok := p.Escalations[t.Escalation]; !ok && t.Escalation != "" {
			say("%s.escalation: there is no escalation %q; add it under escalations", field, t.Escalation)
		}
	}
	if len(p.Routes) > maxRoutes || len(p.Inhibit) > maxRoutes {
		say("routes, inhibit: more than %d rules", maxRoutes)
	}
	for i := range p.Routes {
		field := fmt.Sprintf("routes[%d]", i)
		match(field+".match", p.Routes[i].Match)
		target(field, p.Routes[i].Target)
	}
	target("default", p.Default)
	for i := range p.Inhibit {
		r, field := &p.Inhibit[i], fmt.Sprintf("inhibit[%d]", i)
		match(field+".when", r.When)
		match(field+".mute", r.Mute)
		if r.Mute.Empty() && len(r.Equal) == 0 {
			say("%s: it would keep back everything: name what in mute, or what must agree in equal", field)
		}
		for _, e := range r.Equal {
			if _, ok := equals[e]; !ok {
				say("%s.equal: %q is nothing that findings can agree in; say actor, team, tenant, store or source", field, e)
			}
		}
	}
	if p.Limits.Mild < 0 || p.Limits.High < 0 || p.Limits.Period < 0 || p.Limits.EditEvery < 0 {
		say("limits: a number is negative; leave it out for the default")
	}
	for name, e := range p.Escalations {
		field := "escalations." + name
		if len(e.Levels) == 0 || len(e.Levels) > maxLevels {
			say("%s: it has %d levels; give 1 to %d", field, len(e.Levels), maxLevels)
		}
		var last time.Duration
		for i, l := range e.Levels {
			at := fmt.Sprintf("%s.levels[%d]", field, i)
			if l.After <= last {
				say("%s.after: each level comes after the one before: give a time over %s", at, last)
			}
			last = l.After
			known(at+".notify", l.Notify)
			if len(l.Notify)+len(l.Call)+len(l.Rotas) == 0 {
				say("%s: nobody is called; name notifiers, people or rotas", at)
			}
			for _, r := range l.Rotas {
				if p.Rotas[r] == nil {
					say("%s.rotas: there is no rota %q; add it under rotas", at, r)
				}
			}
		}
	}
	for name, r := range p.Rotas {
		if r == nil {
			say("rotas.%s: it is empty", name)
		} else if err := r.Check(); err != nil {
			say("rotas.%s: %w", name, err)
		}
	}
	// Maps have no order, messages should.
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(errs...)
}
