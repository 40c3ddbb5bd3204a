package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"vigil"
	"vigil/alerts"
	"vigil/internal/ledger"
)

// asker puts questions to people where they can answer. *talk.Talk implements it.
type asker interface {
	// Workspace is the one in which people are asked.
	Workspace(ctx context.Context) (string, error)
	// Ask sends a question; the words say why it could not be, empty once it was.
	Ask(ctx context.Context, q *alerts.Question) string
}

// askAside has the person asked in Slack whom a case is about, for somebody who does not ask
// by way of Slack themselves.
func (d *caseDesk) askAside(ctx context.Context, who *person, a alerts.Act) (alerts.Outcome, error) {
	var by asker
	if d.asker != nil {
		by = d.asker()
	}
	if by == nil {
		return alerts.Outcome{}, refusedf("people are asked in Slack, where nobody answers for vigil: it has to run, with slack.app_token or slack.signing_secret beside slack.token")
	}
	workspace, err := by.Workspace(ctx)
	if err != nil {
		return alerts.Outcome{}, refusedf("%s", alerts.Clean(err.Error()))
	}
	a.By = alerts.Person{Channel: slackName, Workspace: workspace}
	out, err := d.do(ctx, who, a)
	if err != nil || a.Preview || out.Question == nil {
		return out, err
	}
	failed := by.Ask(ctx, out.Question)
	if failed == "" {
		return out, nil
	}
	words := "The question could not be delivered: " + failed
	// Also when whoever asked has gone away meanwhile: the case must not say that they were asked.
	if _, err := d.do(context.WithoutCancel(ctx), who, alerts.Act{ID: a.ID + "-undelivered", Deed: alerts.DeedUnasked, Case: a.Case, Note: words}); err != nil {
		return alerts.Outcome{}, err
	}
	return alerts.Outcome{}, refusedf("%s", words)
}

// ask asks the person whom a case is about: was this you, and why.
func (d *caseDesk) ask(ctx context.Context, a alerts.Act, do deed, c *vigil.Case, lead *vigil.Finding, now time.Time) (alerts.Outcome, error) {
	do.what = "person asked"
	if !c.OfPerson() {
		return alerts.Outcome{}, refusedf("the case is about no person who could be asked")
	}
	if a.Preview {
		// It shows who is behind a pseudonym.
		if err := d.desk.audit(ctx, do.by, "person looked up", "case "+c.ID); err != nil {
			return alerts.Outcome{}, err
		}
	}
	to, err := d.whoIs(ctx, c)
	if err != nil {
		return alerts.Outcome{}, err
	}
	question := &alerts.Question{Case: c.ID, To: alerts.Person{Channel: a.By.Channel, ID: to, Workspace: a.By.Workspace}, Text: questionText(lead)}
	if a.Preview {
		return alerts.Outcome{Case: c, Question: question}, nil
	}
	out, err := d.changed(ctx, c.ID, do, "They are asked; what they answer lands in the case.", func(c *vigil.Case, _ *vigil.Finding) (change, error) {
		if c.Asked != nil && c.Asked.Answered.IsZero() && now.Sub(c.Asked.Time) < askAgain {
			return change{}, refusedf("they were asked on %s and have not answered yet", alerts.Moment(c.Asked.Time))
		}
		acknowledge(c, do, now)
		c.Asked = &vigil.Asked{Mark: vigil.Mark{By: do.by, Time: now}, To: d.askedKey(question.To)}
		return do.note(now, vigil.CaseAsked, "asked the person"), nil
	})
	if err != nil {
		return out, err
	}
	out.Question = question
	return out, nil
}

// unasked takes a question back that did not reach the person, so that it can be put
// again.
func (d *caseDesk) unasked(ctx context.Context, a alerts.Act, do deed, id string, now time.Time) (alerts.Outcome, error) {
	do.what = "question not delivered"
	return d.changed(ctx, id, do, "The case says so.", func(c *vigil.Case, _ *vigil.Finding) (change, error) {
		if c.Asked != nil && c.Asked.Answered.IsZero() && c.Asked.By == do.by {
			c.Asked = nil
		}
		return do.note(now, vigil.CaseNoted, alerts.Cut(alerts.Clean(a.Note), vigil.MaxNote)), nil
	})
}

// askAgain is how long a question waits for its answer before it can be put again.
const askAgain = time.Hour

// questionText asks, and names no customer.
func questionText(f *vigil.Finding) string {
	what := "read customers' data"
	if f.Subjects > 0 {
		what = "read data of " + alerts.Count(f.Subjects, "customer", "customers")
	} else if f.Events > 0 {
		what = "made " + alerts.Count(f.Events, "access", "accesses") + " to customers' data"
	}
	where := ""
	if len(f.Stores) > 0 {
		where = " in " + alerts.Cut(alerts.Clean(strings.Join(f.Stores[:min(len(f.Stores), 3)], ", ")), 120)
	}
	when := between(f.Start, f.End)
	return fmt.Sprintf("%s an account of yours %s%s. That is more or other than usual. Was this you, and what was it for?",
		strings.ToUpper(when[:1])+when[1:], what, where)
}

// whoIs finds the channel's id of the person whom a case is about: among the users, else
// among the channel's members by their mail address. Nothing of it is kept.
func (d *caseDesk) whoIs(ctx context.Context, c *vigil.Case) (string, error) {
	p := d.people()
	for i := range p.all {
		if one := &p.all[i]; one.slack != "" && p.is(one.logins, c.Tenant, c.Actor) {
			return one.slack, nil
		}
	}
	if d.members == nil {
		return "", refusedf("nobody knows who they are here: give their Slack id under users, with their login under actors")
	}
	members, err := d.members(ctx)
	if err != nil {
		return "", refusedf("the list of Slack's members can't be read (%s), and no user is configured with this login", alerts.Clean(err.Error()))
	}
	for _, m := range members {
		if p.is(logins([]string{m.email}), c.Tenant, c.Actor) {
			return m.id, nil
		}
	}
	return "", refusedf("no Slack member has a mail address that fits: give their Slack id under users, with their login under actors")
}

// askedKey is by what a person who was asked is known again.
func (d *caseDesk) askedKey(p alerts.Person) string {
	return d.desk.pseudonyms.Actor("", p.Channel+"/"+p.Workspace+"/"+p.ID)
}

// answer takes what the person says whom a case is about, from nobody else.
func (d *caseDesk) answer(ctx context.Context, a alerts.Act) (alerts.Outcome, error) {
	if done, err := d.did(ctx, a); done || err != nil {
		return alerts.Outcome{Text: answered}, err
	}
	key := d.askedKey(a.By)
	do := deed{id: a.ID, by: key, what: "person answered"}
	now := d.book.now().UTC().Round(0)
	why := alerts.Cut(alerts.Clean(strings.TrimSpace(a.Note)), vigil.MaxNote)
	_, _, err := d.book.change(ctx, a.Case, do, func(c *vigil.Case, _ *vigil.Finding) (change, error) {
		switch {
		case c.Asked == nil || c.Asked.To != key:
			return change{}, alerts.ErrNoCase
		case !c.Asked.Answered.IsZero():
			return change{}, refusedf("you have answered already")
		}
		asked := *c.Asked
		asked.Answered, asked.Mine, asked.Why = now, a.Mine, why
		c.Asked = &asked
		text := "the person says that it was not them"
		if a.Mine {
			text = "the person says that it was them"
		}
		if why != "" {
			text += ": " + why
		}
		ch := do.note(now, vigil.CaseAnswered, text)
		ch.replies[0].By, ch.replies[0].Loud = "", !a.Mine
		if c.Owner != "" {
			ch.replies[0].Call = []string{c.Owner}
		}
		return ch, nil
	})
	if err != nil {
		return alerts.Outcome{}, noCase(err)
	}
	return alerts.Outcome{Text: answered}, nil
}

// answered thanks who was asked.
const answered = "Thank you: your answer is with the security team."

// readersShown bounds the readers of a customer that are told.
const readersShown = 15

// readersBack is how far back they are looked for.
const readersBack = 90 * 24 * time.Hour

// readingBy is what one actor read of a customer.
type readingBy struct {
	actor       string
	kind        vigil.ActorKind
	role        string
	events      int
	first, last time.Time
}

// readers tells who read a customer's data.
func (d *caseDesk) readers(ctx context.Context, who *person, subject string) (alerts.Outcome, error) {
	subject = strings.TrimSpace(subject)
	if subject == "" {
		return alerts.Outcome{}, refusedf("name the customer, by the id that the store has or by the pseudonym")
	}
	ids := []string{subject}
	if !strings.HasPrefix(subject, "subject-") {
		ids = nil
		for _, t := range d.tenants() {
			ids = append(ids, d.desk.pseudonyms.Subject(t, subject))
		}
	}
	if err := d.desk.audit(ctx, who.by, "look", "readers of "+strings.Join(ids, ", ")); err != nil {
		return alerts.Outcome{}, err
	}
	found, total, whole, err := d.readings(ctx, ids)
	if err != nil {
		return alerts.Outcome{}, err
	}
	out := alerts.Outcome{Text: "Nobody has read data of this customer in the last 90 days, as far as the sources tell."}
	if len(found) > 0 {
		out.Text = fmt.Sprintf("%s read data of this customer in the last 90 days, in %s.",
			alerts.Count(int64(len(found)), "account", "accounts"), alerts.Count(int64(total), "access", "accesses"))
	}
	if !whole {
		out.Text += " There may be more: not all could be looked through."
	}
	for i, r := range found {
		if i == readersShown {
			out.Lines = append(out.Lines, fmt.Sprintf("and %d more", len(found)-readersShown))
			break
		}
		line := r.actor
		if r.role != "" {
			line += " (" + alerts.Cut(alerts.Clean(r.role), 80) + ")"
		}
		out.Lines = append(out.Lines, line+": "+alerts.Count(int64(r.events), "access", "accesses")+", "+between(r.first, r.last))
	}
	return out, nil
}

// between says from when to when, and the day once where it is one.
func between(from, to time.Time) string {
	from, to = from.UTC(), to.UTC()
	const day, hour = "Mon 2 Jan 2006", "15:04"
	switch f, t := from.Format(day), to.Format(day); {
	case f != t:
		return "from " + f + ", " + from.Format(hour) + " to " + t + ", " + to.Format(hour) + " UTC"
	case from.Format(hour) == to.Format(hour):
		return "on " + f + " at " + from.Format(hour) + " UTC"
	default:
		return "on " + f + " between " + from.Format(hour) + " and " + to.Format(hour) + " UTC"
	}
}

func (d *caseDesk) tenants() []string { return tenantsOf(d.people(), d.desk.ledger) }

// tenantsOf are the tenants of the configuration, and those that events were of.
func tenantsOf(p *people, l *ledger.Ledger) []string {
	all := slices.Clone(p.tenants)
	for _, k := range l.SeriesKeys() {
		all = append(all, k.Tenant)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// readings sums up who read any of the subjects, who read last first, and reports whether
// that is the whole of it.
func (d *caseDesk) readings(ctx context.Context, subjects []string) (out []readingBy, total int, whole bool, err error) {
	whole = true
	by := map[string]*readingBy{}
	to := d.book.now().Add(time.Minute)
	for _, s := range subjects {
		page, err := d.desk.ledger.Events(ctx, ledger.EventQuery{Subject: s, From: to.Add(-readersBack), To: to, Limit: ledger.MaxPage})
		if err != nil {
			return nil, 0, false, err
		}
		total += page.Total
		whole = whole && !page.More && page.Damaged == 0
		for _, e := range page.Events {
			r := by[e.Actor.ID]
			if r == nil {
				r = &readingBy{actor: e.Actor.ID, kind: e.Actor.Kind, role: e.Actor.Role, first: e.Time, last: e.Time}
				by[e.Actor.ID] = r
			}
			r.events++
			if e.Time.Before(r.first) {
				r.first = e.Time
			}
			if e.Time.After(r.last) {
				r.last = e.Time
			}
		}
	}
	return sortedReadings(by), total, whole, nil
}
