package alerts

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"vigil"
)

// Pipeline decides what is told of findings: route, mute, inhibit, deduplicate, limit.
// Each stage is a file. It does no I/O and reads no clock; it is for one goroutine. What
// it must know after a restart is in State, and in the Told of each case, which the caller
// keeps.
type Pipeline struct {
	policy    Policy
	notifiers []string
	limits    limiter
}

// NewPipeline makes a pipeline for the notifiers of these names. The state is that of an
// earlier one, zero for none; link opens the queue of cases, relative to the console.
func NewPipeline(policy Policy, notifiers []string, state State, link string) (*Pipeline, error) {
	if len(notifiers) == 0 {
		return nil, errors.New("the pipeline needs a notifier")
	}
	if err := policy.Check(notifiers); err != nil {
		return nil, err
	}
	policy = policy.withDefaults()
	return &Pipeline{policy: policy, notifiers: slices.Clone(notifiers), limits: newLimiter(policy.Limits, notifiers, state, link)}, nil
}

// Input is a revision of a finding and all that is known when it comes.
type Input struct {
	Finding *vigil.Finding
	// Case is the one that it belongs to, as Join left it; Lead the finding that
	// speaks for it, nil when that is Finding.
	Case *vigil.Case
	Lead *vigil.Finding
	// Told is what the last decision about the case left, nil for a case that is new.
	Told *Told
	// Silences are those that may hold; Cases knows the others that were told.
	Silences []vigil.Silence
	Cases    Cases
	Now      time.Time
}

// graver reports whether the case is graver than people know, or were kept from knowing.
func (in *Input) graver() bool {
	return in.Told != nil && in.Told.Severity != "" && in.Case.Severity.Rank() > in.Told.Severity.Rank()
}

func (in *Input) lead() *vigil.Finding {
	if in.Lead != nil {
		return in.Lead
	}
	return in.Finding
}

// Told is what people know of a case: the pipeline's memory of it. The caller keeps it
// with the case and hands it back.
type Told struct {
	// Notifiers have its card.
	Notifiers []string `json:"notifiers,omitempty"`
	// Print is of the card that they have, At when it was told last, Since when first, or
	// when it last got graver or opened anew: reminders count from there.
	// Nudged is when somebody was reminded or called.
	Print  string    `json:"print,omitempty"`
	At     time.Time `json:"at,omitzero"`
	Since  time.Time `json:"since,omitzero"`
	Nudged time.Time `json:"nudged,omitzero"`
	// Severity is the gravest at any decision, so that one that goes up and down is not
	// news each time; State is that of the card.
	Severity vigil.Severity  `json:"severity,omitempty"`
	State    vigil.CaseState `json:"state,omitempty"`
	// Total is how many findings were told of, or held, and Replied when a reply told
	// of one last.
	Total   int       `json:"total,omitempty"`
	Replied time.Time `json:"replied,omitzero"`
	// Below is the case whose card told of this one in its stead.
	Below string `json:"below,omitempty"`
	// Floods are those that counted it.
	Floods []string `json:"floods,omitempty"`
	// Escalation is that of the finding that led when it was routed last.
	Escalation string `json:"escalation,omitempty"`
}

// Decision is what is to be done about one revision.
type Decision struct {
	// New are the notifiers that get the case's card first now, Edit those whose card
	// changes. Both may be empty.
	New, Edit []string
	// Reply is told below a card, nil for none.
	Reply *Below
	// Held says why the case has no card of its own, empty when it has one.
	Held vigil.MuteReason
	// Later is when to decide again, with what is known by then, because a change of the
	// card waits: for the next edit, or for the end of a silence or snooze; zero for never.
	Later time.Time
	// Escalation names what happens when nobody acknowledges, empty for reminders only.
	Escalation string
	// Events belong in the case's timeline.
	Events []vigil.CaseEvent
	// Notices are what is told of floods.
	Notices []FloodNotice
	// Told is to be kept, and handed back with the next revision.
	Told Told
}

// Below is a reply, and below whose card it is told.
type Below struct {
	// ID is the message's, Case whose card it is, Notify who has it. Notifiers that do
	// not thread are among them: they are not to be offered replies.
	ID     string
	Case   string
	Notify []string
	Reply  Reply
}

// Decide decides about one revision. The revisions of an instant come worst first.
func (p *Pipeline) Decide(in Input) Decision {
	d := Decision{}
	if in.Told != nil {
		d.Told = in.Told.clone()
	}
	target := p.policy.route(in.Finding, p.notifiers)
	// A milder finding that joins must not call fewer people.
	if in.Told == nil || in.Finding.ID == in.Case.Lead || d.Told.Escalation == "" {
		d.Told.Escalation = target.Escalation
	}
	d.Escalation = d.Told.Escalation
	fresh := slices.DeleteFunc(target.Notify, func(n string) bool { return slices.Contains(d.Told.Notifiers, n) })
	first := len(d.Told.Notifiers) == 0

	why, until := mute(&in)
	switch {
	case why != "":
		if d.hold(&in, why); !first {
			d.Later = until
		}
	case first && over(&in):
		d.hold(&in, in.Case.Held)
	case first && len(fresh) == 0:
		d.hold(&in, vigil.HeldRoute)
	case first && p.inhibit(&d, &in):
		d.hold(&in, vigil.HeldInhibit)
	default:
		p.edit(&d, &in, false)
		p.tell(&d, &in, fresh)
	}
	if in.graver() || d.Told.Severity == "" {
		d.Told.Severity = in.Case.Severity
	}
	return d
}

// Edit decides about what a person did to a case: its cards follow at once, whatever is
// muted. Nobody gets a first card by it.
func (p *Pipeline) Edit(in Input) Decision {
	d := Decision{}
	if in.Told != nil {
		d.Told = in.Told.clone()
	}
	p.edit(&d, &in, true)
	return d
}

// Tick is called about once a minute: it returns what is to be told of floods although no
// finding comes.
func (p *Pipeline) Tick(now time.Time) []FloodNotice { return p.limits.tick(now.UTC()) }

// State is what the next pipeline must know, fit for JSON.
func (p *Pipeline) State() State { return p.limits.state() }

// Restore puts the pipeline back to a state, as when what it decided could not be kept.
func (p *Pipeline) Restore(s State) {
	p.limits = newLimiter(p.policy.Limits, p.notifiers, s, p.limits.link)
}

// over reports whether a case that was held needs no card any more: somebody resolved it,
// or there is nothing new but that it is over.
func over(in *Input) bool {
	if in.Case.Held == "" || in.Told == nil {
		return false
	}
	return in.Case.State == vigil.CaseResolved || !in.Case.Open && in.Case.Total <= in.Told.Total && !in.graver()
}

// hold keeps the case back, and says so in its timeline when that is new. One that has a
// card keeps it.
func (d *Decision) hold(in *Input, why vigil.MuteReason) {
	if len(d.Told.Notifiers) > 0 {
		return
	}
	d.Held = why
	d.Told.Total = in.Case.Total
	if in.Case.Held != why {
		d.Events = append(d.Events, happened(in.Case.ID, in.Now.UTC(), vigil.CaseHeld, string(why)))
	}
}

// inhibit says the finding below the card of the case that tells it, once.
func (p *Pipeline) inhibit(d *Decision, in *Input) bool {
	s := p.policy.inhibitor(in.Finding, in.Case.ID, in.Cases, in.Now.UTC())
	if s == nil {
		return false
	}
	graver := in.graver()
	if d.Told.Below != s.Case.ID || graver {
		d.Told.Below = s.Case.ID
		d.Reply = below(in, s.Case.ID, s.Told.Notifiers, Reply{
			Kind: vigil.CaseJoined, Text: "Also " + subjectOf(in.Finding) + ": " + in.Finding.Sentence, Loud: graver,
		})
	}
	return true
}

// edit brings the cards that were told up to date.
func (p *Pipeline) edit(d *Decision, in *Input, atOnce bool) {
	t, now := &d.Told, in.Now.UTC()
	if len(t.Notifiers) == 0 {
		return
	}
	print := printOf(in.Case, in.lead())
	if print == t.Print && print != "" {
		return
	}
	graver := in.graver()
	if !atOnce && !graver && in.Case.State == t.State {
		if next := t.At.Add(p.policy.Limits.EditEvery); !now.Before(t.At) && now.Before(next) {
			d.Later = next
			return
		}
	}
	d.Edit = slices.Clone(t.Notifiers)
	reopened := t.State == vigil.CaseResolved && in.Case.State == vigil.CaseNew
	if graver || reopened {
		t.Since = now
	}
	if !atOnce {
		d.Reply = news(in, t, graver, reopened)
	}
	t.Print, t.At, t.State = print, now, in.Case.State
}

// tell gives the card to those who do not have it, as far as their limits allow.
func (p *Pipeline) tell(d *Decision, in *Input, fresh []string) {
	t, now := &d.Told, in.Now.UTC()
	for _, n := range fresh {
		ok, notice := p.limits.take(n, in.Case, in.lead(), t, now)
		if ok {
			d.New = append(d.New, n)
		}
		d.Notices = append(d.Notices, notice...)
	}
	switch {
	case len(d.New) > 0 && len(t.Notifiers) == 0:
		t.Print, t.At, t.Since, t.State = printOf(in.Case, in.lead()), now, now, in.Case.State
		t.Total, t.Below = in.Case.Total, ""
	case len(d.New) == 0 && len(t.Notifiers) == 0:
		d.hold(in, vigil.HeldFlood)
	}
	t.Notifiers = append(t.Notifiers, d.New...)
}

// replyEvery is the least time between two replies that say that findings joined: the
// card counts each of them.
const replyEvery = 10 * time.Minute

// news is what a change of a card is worth saying below it; nil for nothing.
func news(in *Input, t *Told, graver, reopened bool) *Below {
	now := in.Now.UTC()
	joined := in.Case.Total - t.Total
	r := Reply{Loud: graver || reopened}
	switch {
	case graver:
		r.Kind, r.Text = vigil.CaseGrew, fmt.Sprintf("Now %s, %s before. ", in.Case.Severity, t.Severity)
	case reopened:
		r.Kind, r.Text = vigil.CaseReopened, "Opened anew. "
	case joined > 0 && !now.Before(t.Replied.Add(replyEvery)):
		r.Kind = vigil.CaseJoined
	default:
		return nil
	}
	if joined > 0 {
		r.Text += Count(int64(joined), "more finding", "more findings") + ". "
		t.Replied = now
	}
	r.Text += in.Finding.Sentence
	t.Total = in.Case.Total
	return below(in, in.Case.ID, t.Notifiers, r)
}

func below(in *Input, id string, notify []string, r Reply) *Below {
	r.Time, r.Text = in.Now.UTC(), Cut(Clean(r.Text), maxReason)
	return &Below{ID: fmt.Sprintf("reply/%s/%d", in.Case.ID, in.Case.Revision), Case: id, Notify: slices.Clone(notify), Reply: r}
}

func (t *Told) clone() Told {
	c := *t
	c.Notifiers, c.Floods = slices.Clone(t.Notifiers), slices.Clone(t.Floods)
	return c
}
