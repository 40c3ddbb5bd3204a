package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"time"

	"vigil"
	"vigil/internal/api"
	"vigil/internal/ledger"
	"vigil/internal/privacy"
)

const (
	// previewed is how far back an exception is tried before it is made.
	previewed = 30 * 24 * time.Hour
	// previewFindings and previewEvents bound what is looked at for that.
	previewFindings = 5_000
	// maxExceptions bounds the exceptions that hold at once: each is asked of every
	// span of whom it is for.
	maxExceptions = 200
	// judgedAtMost bounds the findings from which triage is learnt.
	judgedAtMost = 5_000
)

// desk is where people's words enter the log: each is first written into the audit
// log, and then becomes a control record. It is safe for concurrent use.
type desk struct {
	ledger     *ledger.Ledger
	pseudonyms *privacy.Pseudonymizer
	triage     *triager
	now        func() time.Time
	// people are the users in force; nil for none.
	people func() *people
	// book has the cases, which follow a verdict that was not given by way of them.
	book *casebook
}

// list returns a part of the queue, and how likely each finding in it is.
func (d *desk) list(ctx context.Context, f api.FindingFilter) (api.FindingPage, error) {
	d.triage.refresh(ctx)
	page, err := d.ledger.Findings(ctx, f)
	for i := range page.Findings {
		d.triage.rate(&page.Findings[i])
	}
	return page, err
}

// one returns a finding, and how likely it is.
func (d *desk) one(ctx context.Context, id string) (vigil.Finding, error) {
	d.triage.refresh(ctx)
	f, err := d.ledger.Finding(ctx, id)
	if err == nil {
		d.triage.rate(&f)
	}
	return f, err
}

// Decide implements api.Decider.
func (d *desk) Decide(ctx context.Context, s api.Saying) (vigil.Verdict, error) {
	name, by := d.speaker(ctx, s.By)
	f, err := d.ledger.Finding(ctx, s.Finding)
	if err != nil {
		return vigil.Verdict{}, err
	}
	if err := d.keepOff(ctx, by, d.namesOf(ctx, name), &f); err != nil {
		return vigil.Verdict{}, err
	}
	v, err := d.judge(ctx, s.Finding, s.Word, by, s.Note)
	if err == nil {
		err = d.book.judged(ctx, v)
	}
	return v, err
}

// keepOff says api.ErrOwnCase to somebody with these logins for a finding of a case that is
// about themselves, and writes down that they tried.
func (d *desk) keepOff(ctx context.Context, by string, names []string, f *vigil.Finding) error {
	if d.people == nil {
		return nil
	}
	own, err := d.book.concernsFinding(ctx, d.people(), names, f)
	if err != nil || !own {
		return err
	}
	return cmp.Or(d.audit(ctx, by, keptOffFinding, "finding "+f.ID), api.ErrOwnCase)
}

// judge gives a verdict by somebody, or takes one back, as of one finding alone.
func (d *desk) judge(ctx context.Context, finding string, word vigil.Word, by, note string) (vigil.Verdict, error) {
	f, err := d.ledger.Finding(ctx, finding)
	if err != nil {
		return vigil.Verdict{}, err
	}
	v := vigil.Verdict{
		Finding: f.ID, Word: word, By: by, Note: note, Time: d.now(),
		About: f.About, Actor: f.Actor, Tenant: f.Tenant, Start: f.Start, End: f.End,
	}
	if err := v.Clean(); err != nil {
		return v, fmt.Errorf("%w: %w", api.ErrRefused, err)
	}
	if v.Undone() && f.Verdict == nil {
		return v, fmt.Errorf("%w: finding %s has no verdict to take back", api.ErrRefused, f.ID)
	}
	what := "verdict: " + string(v.Word)
	if v.Undone() {
		what = "verdict taken back: " + string(f.Verdict.Word)
	}
	if err := d.audit(ctx, v.By, what, "finding "+f.ID); err != nil {
		return v, err
	}
	if _, err := d.ledger.AcceptVerdict(ctx, v); err != nil {
		return v, err
	}
	d.triage.said()
	return v, nil
}

// audit writes a deed down before it is done.
func (d *desk) audit(ctx context.Context, who, what, object string) error {
	if _, err := d.ledger.Audit(ctx, ledger.AuditRecord{Time: d.now().UTC(), Who: who, What: what, Object: object}); err != nil {
		return fmt.Errorf("%w: %w", api.ErrUnrecorded, err)
	}
	return nil
}

// Judged implements api.Decider.
func (d *desk) Judged(ctx context.Context) ([]vigil.Finding, error) {
	who := api.PersonOf(ctx)
	if err := d.audit(ctx, cmp.Or(who.By, commandLine), "verdicts listed", ""); err != nil {
		return nil, err
	}
	all, err := d.ledger.Judged(ctx, judgedAtMost)
	if d.people == nil {
		return all, err
	}
	return d.people().others(who.Logins, all), err
}

// Expect implements api.Decider.
func (d *desk) Expect(ctx context.Context, ask api.Expecting) (api.Covered, error) {
	ask.By, _ = d.speaker(ctx, ask.By)
	return d.except(ctx, d.namesOf(ctx, ask.By), api.DeedOf(ctx), ask)
}

// speaker is who speaks: who asks in the context, or whom a command on this machine names.
// Nobody else can speak in another's name.
func (d *desk) speaker(ctx context.Context, named string) (name, by string) {
	who := api.PersonOf(ctx)
	if who.By == "" || who.Way == api.WayLocal && named != "" {
		return named, d.pseudonyms.Actor("", named)
	}
	return cmp.Or(who.Name, who.By), who.By
}

// namesOf are by what the sources know who speaks under a name.
func (d *desk) namesOf(ctx context.Context, name string) []string {
	return append(d.loginsOf(name), api.PersonOf(ctx).Logins...)
}

// loginsOf are by what the sources know somebody who gives a name.
func (d *desk) loginsOf(by string) []string {
	names := logins([]string{by})
	if d.people != nil {
		if who := d.people().named(by); who != nil {
			names = append(names, who.logins...)
		}
	}
	return names
}

// except makes or previews an exception by somebody who has these logins at the sources.
// One that is asked for twice by the same deed is made once; the deed is empty where it
// can't come twice.
func (d *desk) except(ctx context.Context, names []string, deedID string, ask api.Expecting) (api.Covered, error) {
	refuse := func(err error) (api.Covered, error) { return api.Covered{}, fmt.Errorf("%w: %w", api.ErrRefused, err) }
	f, err := d.ledger.Finding(ctx, ask.Finding)
	if err != nil {
		return api.Covered{}, err
	}
	if err := d.keepOff(ctx, d.pseudonyms.Actor("", ask.By), names, &f); err != nil {
		return api.Covered{}, err
	}
	x, err := vigil.NewException(&f, ask.Scope, ask.ForRole)
	if err != nil {
		return refuse(err)
	}
	from, err := d.eventNow(ctx)
	if err != nil {
		return api.Covered{}, err
	}
	if !(ask.For > 0 && ask.For <= vigil.MaxException.Seconds()) {
		return refuse(fmt.Errorf("an exception holds for a time of up to %d days", vigil.MaxException/(24*time.Hour)))
	}
	// Within the actor's tenant, so that it shows when somebody excuses themselves.
	x.By, x.Note, x.Time = d.pseudonyms.Actor(f.Tenant, ask.By), ask.Note, d.now()
	x.From, x.To = from, from.Add(time.Duration(ask.For*float64(time.Second)))
	x.ID = exceptionID(&x, deedID)
	if err := x.Clean(); err != nil {
		return refuse(err)
	}
	if ask.Preview {
		if err := d.audit(ctx, x.By, "exception previewed", "finding "+f.ID); err != nil {
			return api.Covered{}, err
		}
	}
	out, err := d.covered(ctx, x, names)
	if err != nil || ask.Preview {
		return out, err
	}
	if x.Note == "" {
		return refuse(errors.New("the exception gives no reason: say why in a sentence"))
	}
	switch protects, err := d.protects(ctx, &x, names); {
	case err != nil:
		return out, err
	case protects:
		return refuse(errors.New("whom an exception protects can't make it: ask somebody else"))
	}
	all, err := d.ledger.Exceptions(ctx)
	if err != nil {
		return out, err
	}
	if holding := slices.DeleteFunc(all, func(x vigil.Exception) bool { return !x.Holds(from) }); len(holding) >= maxExceptions {
		return refuse(fmt.Errorf("%d exceptions hold already, at most %d may: end some first", len(holding), maxExceptions))
	}
	if err := d.audit(ctx, x.By, "exception made: "+string(x.Scope), "exception "+x.ID+" out of finding "+f.ID); err != nil {
		return out, err
	}
	_, err = d.ledger.AcceptException(ctx, x)
	return out, err
}

// protects reports whether an exception holds for somebody with these logins: as its
// actor, or as one of its role by what they did lately.
func (d *desk) protects(ctx context.Context, x *vigil.Exception, names []string) (bool, error) {
	if d.people == nil {
		return false, nil
	}
	if x.Who.Actor != "" {
		return d.people().is(names, x.Who.Tenant, x.Who.Actor), nil
	}
	for _, name := range names {
		page, err := d.ledger.Events(ctx, ledger.EventQuery{
			Actor: d.pseudonyms.Actor(x.Who.Tenant, name), From: x.From.Add(-previewed), To: x.From.Add(time.Second), Limit: 1,
		})
		if err != nil {
			return false, err
		}
		if len(page.Events) > 0 && x.Who.Fits(&page.Events[0].Actor) {
			return true, nil
		}
	}
	return false, nil
}

// exceptionID is the same for the same deed, and else another each time.
func exceptionID(x *vigil.Exception, deedID string) string {
	h := fnv.New64a()
	if deedID == "" {
		deedID = strconv.FormatInt(x.Time.UnixNano(), 10)
	}
	fmt.Fprintf(h, "%s\x00%s\x00%s", x.Finding, x.Scope, deedID)
	return fmt.Sprintf("x-%016x", h.Sum64())
}

// ofThePast is how far the newest event may lag the clock and still be of now.
const ofThePast = 24 * time.Hour

// eventNow is now in event time: the clock's, or the latest event's where the log is
// of the past.
func (d *desk) eventNow(ctx context.Context) (time.Time, error) {
	stats, err := d.ledger.Stats(ctx)
	if err != nil {
		return time.Time{}, err
	}
	var last time.Time
	for _, s := range stats.Sources {
		if s.LastEvent.After(last) {
			last = s.LastEvent
		}
	}
	if now := d.now(); last.IsZero() || now.Sub(last) < ofThePast {
		return now.UTC(), nil
	}
	return last.UTC(), nil
}

// covered looks at what the exception would have covered lately. Somebody with these logins
// is told of no finding about themselves.
func (d *desk) covered(ctx context.Context, x vigil.Exception, names []string) (api.Covered, error) {
	out := api.Covered{Exception: x, Since: x.From.Add(-previewed), Wholly: []string{}, Partly: []string{}}
	for offset := 0; offset < previewFindings; {
		page, err := d.ledger.Findings(ctx, api.FindingFilter{Limit: 500, Offset: offset})
		if err != nil {
			return out, err
		}
		for i := range page.Findings {
			f := &page.Findings[i]
			if f.End.Before(out.Since) || d.people != nil && d.people().took(names, f) {
				continue
			}
			switch wholly, partly := x.Silences(f); {
			case wholly:
				out.Wholly = append(out.Wholly, f.ID)
			case partly:
				out.Partly = append(out.Partly, f.ID)
			}
		}
		if offset += 500; offset >= page.Total {
			break
		}
	}
	page, err := d.ledger.Events(ctx, ledger.EventQuery{Actor: x.Who.Actor, Tenant: &x.Who.Tenant, From: out.Since, To: x.From, Limit: ledger.MaxPage})
	if err != nil {
		return out, err
	}
	for _, e := range page.Events {
		if !x.Who.Fits(&e.Actor) {
			continue
		}
		out.Of++
		if within(&x, e) {
			out.Events++
		}
	}
	return out, nil
}

// within reports whether an access lies in the exception's scope. Amounts are of all
// accesses.
func within(x *vigil.Exception, e *vigil.Event) bool {
	switch x.Scope {
	case vigil.ScopeNetwork:
		return slices.Contains(x.Values, e.Network)
	case vigil.ScopeResource:
		name := e.Resource
		if e.Store != "" {
			name = e.Store + "/" + name
		}
		return slices.Contains(x.Values, name) || slices.Contains(x.Values, e.Resource)
	}
	return true
}

// EndException implements api.Decider.
func (d *desk) EndException(ctx context.Context, id, by string) (vigil.Exception, error) {
	all, err := d.ledger.Exceptions(ctx)
	if err != nil {
		return vigil.Exception{}, err
	}
	at := slices.IndexFunc(all, func(x vigil.Exception) bool { return x.ID == id })
	if at < 0 {
		return vigil.Exception{}, fmt.Errorf("exception %q: %w", id, api.ErrNotFound)
	}
	x := all[at]
	if x.Ended {
		return x, fmt.Errorf("%w: exception %s is ended already", api.ErrRefused, id)
	}
	x.Ended = true
	_, x.EndedBy = d.speaker(ctx, by)
	if x.EndedBy == "" {
		return x, fmt.Errorf("%w: nobody is named who ends the exception", api.ErrRefused)
	}
	if err := x.Clean(); err != nil {
		return x, fmt.Errorf("%w: %w", api.ErrRefused, err)
	}
	if err := d.audit(ctx, x.EndedBy, "exception ended", "exception "+x.ID); err != nil {
		return x, err
	}
	_, err = d.ledger.AcceptException(ctx, x)
	return x, err
}

// Exceptions implements api.Decider: the latest first. One out of a finding about who asks
// would tell of it, and is left out.
func (d *desk) Exceptions(ctx context.Context) ([]vigil.Exception, error) {
	who := api.PersonOf(ctx)
	if err := d.audit(ctx, cmp.Or(who.By, commandLine), "exceptions listed", ""); err != nil {
		return nil, err
	}
	all, err := d.ledger.Exceptions(ctx)
	if d.people != nil {
		all = slices.DeleteFunc(all, func(x vigil.Exception) bool { return d.people().is(who.Logins, x.Who.Tenant, x.Actor) })
	}
	slices.SortFunc(all, func(a, b vigil.Exception) int { return cmp.Or(b.Time.Compare(a.Time), cmp.Compare(a.ID, b.ID)) })
	return all, err
}

var _ api.Decider = (*desk)(nil)
