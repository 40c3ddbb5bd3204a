package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"vigil"
	"vigil/alerts"
	"vigil/internal/access"
	"vigil/internal/api"
	"vigil/internal/ledger"
)

// caseDesk is where deeds on cases are done, whether they come by way of a message (see Do)
// or from the console (see Work): it looks up who acts, asks the table of roles, keeps people off cases about themselves, and hands the deed to
// who does it. It is safe for concurrent use.
type caseDesk struct {
	desk   *desk
	book   *casebook
	people func() *people
	roster roster
	status func(ctx context.Context) (api.Status, error)
	// members are the channel's own people, for whom no user is configured; nil for none.
	members func(ctx context.Context) ([]member, error)
	// asker returns who asks people in Slack, nil where nobody does; may be nil itself.
	asker func() asker

	// several is held while a deed of several steps is done: what two people judge at once
	// is one word and then the other, and a press that comes twice waits for itself.
	several sync.Mutex
}

// newCaseDesk makes the desk of this service.
func (a *App) newCaseDesk() *caseDesk {
	d := &caseDesk{desk: a.desk, book: a.book, people: a.people.Load, roster: a.identity, status: a.reader.Status}
	if door, ok := a.opts.Door.(*demoDoor); ok {
		d.roster = door
	}
	d.members = (&members{talk: a.talking.Load, now: a.opts.Now, gate: make(chan struct{}, 1)}).get
	d.asker = func() asker {
		if t := a.talking.Load(); t != nil {
			return t
		}
		return nil
	}
	return d
}

// member is somebody whom a channel knows.
type member struct{ id, email string }

// Do implements alerts.Desk.
func (d *caseDesk) Do(ctx context.Context, a alerts.Act) (alerts.Outcome, error) {
	if a.Deed == alerts.DeedAnswer {
		return d.answer(ctx, a)
	}
	who, err := d.member(ctx, a.By)
	if err != nil {
		return alerts.Outcome{}, err
	}
	if who == nil {
		return alerts.Outcome{}, alerts.ErrStranger
	}
	return d.do(ctx, who, a)
}

// member is somebody who may sign in, as of now; nil for a stranger, and for who is disabled.
func (d *caseDesk) member(ctx context.Context, who alerts.Person) (*person, error) {
	by := d.people().pseudonym(who)
	if by == "" {
		return nil, nil
	}
	u, ok, err := d.roster.Member(ctx, by)
	if err != nil || !ok {
		return nil, err
	}
	return &person{name: u.Name, by: u.By, roles: u.Roles, logins: u.Logins}, nil
}

// do has somebody do a deed.
func (d *caseDesk) do(ctx context.Context, who *person, a alerts.Act) (alerts.Outcome, error) {
	if !access.May(who.roles, access.Deed(a.Deed)) {
		return alerts.Outcome{}, fmt.Errorf("%w: %s needs another one", alerts.ErrMayNot, a.Deed)
	}
	if !a.Preview && (a.Deed == alerts.DeedVerdict || a.Deed == alerts.DeedExpect) {
		d.several.Lock()
		defer d.several.Unlock()
	}
	if done, err := d.did(ctx, a); err != nil {
		return alerts.Outcome{}, err
	} else if done {
		return d.again(ctx, who, a)
	}
	switch a.Deed {
	case alerts.DeedStatus:
		return d.standing(ctx)
	case alerts.DeedTop:
		return d.top(ctx, who)
	case alerts.DeedReaders:
		return d.readers(ctx, who, a.Subject)
	case alerts.DeedSilence:
		return d.silence(ctx, who, a)
	}
	c, lead, err := d.open(ctx, who, a.Case)
	if err != nil {
		return alerts.Outcome{}, err
	}
	return d.work(ctx, who, a, &c, &lead)
}

// open reads a case and its lead for who acts, who must not be the one whom it is about.
func (d *caseDesk) open(ctx context.Context, who *person, id string) (vigil.Case, vigil.Finding, error) {
	c, lead, err := d.book.look(ctx, id)
	if err != nil {
		return c, lead, noCase(err)
	}
	own, err := d.own(ctx, who, &c)
	if own && err == nil {
		err = cmp.Or(d.desk.audit(ctx, who.by, keptOffCase, "case "+c.ID), alerts.ErrOwnCase)
	}
	return c, lead, err
}

// did reports whether the same press was delivered, and done, before.
func (d *caseDesk) did(ctx context.Context, a alerts.Act) (bool, error) {
	if a.ID == "" || a.Preview {
		return false, nil
	}
	return d.book.ledger.Did(ctx, a.ID)
}

// again is what came of a press that was delivered before: the case as it is now.
func (d *caseDesk) again(ctx context.Context, who *person, a alerts.Act) (alerts.Outcome, error) {
	out := alerts.Outcome{Text: "This was done already."}
	switch c, lead, err := d.open(ctx, who, a.Case); {
	case err == nil:
		out.Case, out.Finding, out.Link = &c, &lead, findingPath(lead.ID)
	case !errors.Is(err, alerts.ErrNoCase): // it is past its retention, or the deed was on none
		return alerts.Outcome{}, err
	}
	return out, nil
}

// own reports whether a case is about who acts, or they took part in one of its findings.
func (d *caseDesk) own(ctx context.Context, who *person, c *vigil.Case) (bool, error) {
	return d.book.concerns(ctx, d.people(), who.logins, c)
}

// work does a deed on a case.
func (d *caseDesk) work(ctx context.Context, who *person, a alerts.Act, c *vigil.Case, lead *vigil.Finding) (alerts.Outcome, error) {
	do := deed{id: a.ID, by: who.by, seen: a.Seen}
	now := d.book.now().UTC().Round(0)
	switch a.Deed {
	case alerts.DeedLook:
		if err := d.desk.audit(ctx, who.by, "look", "case "+c.ID); err != nil {
			return alerts.Outcome{}, err
		}
		return alerts.Outcome{Case: c, Finding: lead, Link: findingPath(lead.ID)}, nil
	case alerts.DeedAcknowledge:
		do.what = "case acknowledged"
		return d.changed(ctx, c.ID, do, "You have taken note of it.", func(c *vigil.Case, _ *vigil.Finding) (change, error) {
			if c.State == vigil.CaseResolved {
				return change{}, refusedf("the case is resolved already")
			}
			acknowledge(c, do, now)
			return do.note(now, vigil.CaseTaken, "took note of it"), nil
		})
	case alerts.DeedAssign:
		return d.assign(ctx, who, a, do, c.ID, now)
	case alerts.DeedSnooze:
		do.what = "case snoozed"
		if a.For <= 0 || a.For > vigil.MaxSnooze {
			return alerts.Outcome{}, refusedf("a case can be snoozed for up to %d days", vigil.MaxSnooze/(24*time.Hour))
		}
		until := now.Add(a.For)
		text := "snoozed it until " + alerts.Moment(until)
		return d.changed(ctx, c.ID, do, "It is left alone until "+alerts.Moment(until)+", unless it gets graver.", func(c *vigil.Case, _ *vigil.Finding) (change, error) {
			acknowledge(c, do, now)
			c.Snoozed, c.SnoozedBy = until, do.by
			return do.note(now, vigil.CaseSnoozed, text), nil
		})
	case alerts.DeedAware:
		do.what = "72-hour clock started"
		return d.changed(ctx, c.ID, do, "The clock runs until "+alerts.Moment(now.Add(vigil.NotificationPeriod))+".", func(c *vigil.Case, _ *vigil.Finding) (change, error) {
			if c.Aware != nil {
				return change{}, refusedf("the clock runs already, until %s", alerts.Moment(c.Due()))
			}
			acknowledge(c, do, now)
			c.Aware = &vigil.Mark{By: do.by, Time: now}
			ch := do.note(now, vigil.CaseAware, "became aware of a breach: the authority is to be notified until "+alerts.Moment(c.Due()))
			ch.replies[0].Loud = true
			return ch, nil
		})
	case alerts.DeedNote:
		do.what = "note on case"
		text := alerts.Cut(alerts.Clean(strings.TrimSpace(a.Note)), vigil.MaxNote)
		if text == "" {
			return alerts.Outcome{}, refusedf("the note is empty")
		}
		return d.changed(ctx, c.ID, do, "The note is kept.", func(*vigil.Case, *vigil.Finding) (change, error) {
			return do.note(now, vigil.CaseNoted, text), nil
		})
	case alerts.DeedUnasked:
		return d.unasked(ctx, a, do, c.ID, now)
	case alerts.DeedVerdict:
		return d.verdict(ctx, a, do, c, now)
	case alerts.DeedExpect:
		return d.expect(ctx, who, a, do, c, now)
	case alerts.DeedAsk:
		return d.ask(ctx, a, do, c, lead, now)
	}
	return alerts.Outcome{}, refusedf("%q is nothing that can be done", string(a.Deed))
}

// acknowledge notes who took note of a case first.
func acknowledge(c *vigil.Case, d deed, now time.Time) {
	if c.Acknowledged == nil {
		c.Acknowledged = &vigil.Mark{By: d.by, Time: now}
	}
	if c.State == vigil.CaseNew {
		c.State = vigil.CaseAcknowledged
	}
	c.Owner = cmp.Or(c.Owner, d.by)
}

// changed does a change and says what came of it.
func (d *caseDesk) changed(ctx context.Context, id string, do deed, text string, fn func(c *vigil.Case, lead *vigil.Finding) (change, error)) (alerts.Outcome, error) {
	c, lead, err := d.book.change(ctx, id, do, fn)
	if err != nil {
		return alerts.Outcome{}, noCase(err)
	}
	return alerts.Outcome{Text: text, Case: &c, Finding: &lead, Link: findingPath(lead.ID)}, nil
}

func (d *caseDesk) assign(ctx context.Context, who *person, a alerts.Act, do deed, id string, now time.Time) (alerts.Outcome, error) {
	do.what = "case assigned"
	to := who
	if a.To.ID != "" {
		var err error
		if to, err = d.member(ctx, a.To); err != nil {
			return alerts.Outcome{}, err
		}
		if to == nil {
			return alerts.Outcome{}, refusedf("they are no user of vigil, or are disabled")
		}
		if !access.May(to.roles, access.DeedAcknowledge) {
			return alerts.Outcome{}, refusedf("their role does not let them work on cases")
		}
	}
	text := "It is yours now."
	if to != who {
		text = "It is theirs now."
	}
	return d.changed(ctx, id, do, text, func(c *vigil.Case, _ *vigil.Finding) (change, error) {
		if own, err := d.own(ctx, to, c); err != nil {
			return change{}, err
		} else if own {
			return change{}, refusedf("the case is about them")
		}
		acknowledge(c, do, now)
		c.Owner = to.by
		ch := do.note(now, vigil.CaseAssigned, "assigned it")
		ch.replies[0].Call = []string{to.by}
		return ch, nil
	})
}

// verdict judges all findings of a case alike.
func (d *caseDesk) verdict(ctx context.Context, a alerts.Act, do deed, c *vigil.Case, now time.Time) (alerts.Outcome, error) {
	if a.TakeBack {
		return d.takeBack(ctx, a, do, c.ID, now)
	}
	do.what = "verdict: " + string(a.Word)
	if !a.Word.Known() {
		return alerts.Outcome{}, refusedf("%q is no verdict; say breach, misuse, expected or unknown", string(a.Word))
	}
	text := "judged it: " + string(a.Word)
	if note := alerts.Cut(alerts.Clean(strings.TrimSpace(a.Note)), 200); note != "" {
		text += " (" + note + ")"
	}
	seen := c.Total
	return d.changed(ctx, c.ID, do, "Your verdict is kept, and teaches what comes after.", func(c *vigil.Case, _ *vigil.Finding) (change, error) {
		if c.Total != seen || do.seen > 0 && c.Joined > do.seen {
			return change{}, refusedf("another finding has just joined the case: look at it again, and judge it with that")
		}
		if err := d.judgeAll(ctx, c, a.Word, do.by, a.Note); err != nil {
			return change{}, err
		}
		resolve(c, do, a.Word, now)
		return do.note(now, vigil.CaseJudged, text), nil
	})
}

// takeBack takes the verdict on all findings of a case back, and opens it anew.
func (d *caseDesk) takeBack(ctx context.Context, a alerts.Act, do deed, id string, now time.Time) (alerts.Outcome, error) {
	do.what = "verdict taken back"
	return d.changed(ctx, id, do, "The verdict is taken back, and the case is open again.", func(c *vigil.Case, _ *vigil.Finding) (change, error) {
		if c.Word == "" {
			return change{}, refusedf("the case has no verdict that could be taken back")
		}
		if err := d.judgeAll(ctx, c, "", do.by, a.Note); err != nil {
			return change{}, err
		}
		c.Word, c.State = "", vigil.CaseAcknowledged
		return do.note(now, vigil.CaseReopened, "took the verdict back"), nil
	})
}

// judgeAll gives a verdict on each finding of a case, or takes those back that there are.
func (d *caseDesk) judgeAll(ctx context.Context, c *vigil.Case, word vigil.Word, by, note string) error {
	for _, id := range c.Findings {
		if word == "" {
			f, err := d.desk.ledger.Finding(ctx, id)
			if err != nil && !gone(err) {
				return err
			}
			if f.Verdict == nil {
				continue
			}
		}
		_, err := d.desk.judge(ctx, id, word, by, note)
		if err != nil && !errors.Is(err, api.ErrNotFound) { // else it is past its retention
			return notDone(err)
		}
	}
	return nil
}

// resolve ends a case by a word.
func resolve(c *vigil.Case, do deed, word vigil.Word, now time.Time) {
	acknowledge(c, do, now)
	c.Word, c.State = word, vigil.CaseResolved
}

// expect makes or previews an exception out of a case's lead.
func (d *caseDesk) expect(ctx context.Context, who *person, a alerts.Act, do deed, c *vigil.Case, now time.Time) (alerts.Outcome, error) {
	do.what = "exception out of case"
	if !a.Preview {
		if err := do.stale(c); err != nil {
			return alerts.Outcome{}, err
		}
		do.seen = 0 // what is made below is told of in any case
	}
	covered, err := d.desk.except(ctx, who.logins, a.ID, api.Expecting{
		Finding: c.Lead, By: who.name, Note: a.Note, Scope: a.Scope, ForRole: a.ForRole, For: a.For.Seconds(), Preview: a.Preview,
	})
	if err != nil {
		return alerts.Outcome{}, notDone(err)
	}
	told := d.covered(ctx, &covered)
	if a.Preview {
		return alerts.Outcome{Covered: told, Case: c}, nil
	}
	text := "expects it until " + alerts.Moment(covered.Exception.To) + ": " + told.Says
	out, err := d.changed(ctx, c.ID, do, "From now on this is expected: "+told.Says, func(c *vigil.Case, _ *vigil.Finding) (change, error) {
		acknowledge(c, do, now)
		return do.note(now, vigil.CaseExcepted, alerts.Cut(text, vigil.MaxNote)), nil
	})
	out.Covered = told
	return out, err
}

// refusedf says to who acts why something can't be done.
func refusedf(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{alerts.ErrNotDone}, args...)...)
}

func noCase(err error) error {
	switch {
	case errors.Is(err, api.ErrNotFound):
		return alerts.ErrNoCase
	case errors.Is(err, ledger.ErrStale):
		return refusedf("somebody else has just changed the case: look at it again")
	}
	return err
}

// notDone lets what the desk refuses be shown to who acts.
func notDone(err error) error {
	switch {
	case errors.Is(err, api.ErrRefused):
		return fmt.Errorf("%w: %s", alerts.ErrNotDone, strings.TrimPrefix(err.Error(), api.ErrRefused.Error()+": "))
	case errors.Is(err, api.ErrNotFound):
		return alerts.ErrNoCase
	}
	return err
}

var _ alerts.Desk = (*caseDesk)(nil)
