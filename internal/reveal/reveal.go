// Package reveal leads a pseudonym back to a name when two people agree that it must be: one
// who works on a case asks, with a reason, for the name behind one pseudonym of that case; a
// second person approves in a console session of their own; the name is then shown to these
// two, for an hour at most.
//
// A [Desk] keeps the rules and holds no state: requests are rows of a [Store], which lets one
// of many who decide at once succeed. Each step is in the audit log before it takes effect, and
// each look, at a name above all, before it is answered. A Desk is safe for concurrent use.
//
// Nobody approves what they asked for themselves, by whatever account or way they come in; an
// API token or a message approves nothing. That an approver may approve is asked again whenever
// the name is shown: who was disabled in between has approved nothing. At most [MaxOpen]
// requests of one person wait at once.
package reveal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"vigil/internal/access"
	"vigil/internal/api"
)

// MaxOpen bounds the requests of one person that wait, MaxListed those that are listed.
const (
	MaxOpen   = 20
	MaxListed = 200
)

// listedFor is for how long a request is listed after it was asked for.
const listedFor = 7 * 24 * time.Hour

// ErrNoName says that nothing leads the pseudonym back.
var ErrNoName = errors.New("nothing leads this pseudonym back")

// Audit is what is written down of a step.
type Audit struct{ Who, What, Object string }

// Store keeps requests.
type Store interface {
	// Keep makes a request durable together with its audit record. was is the revision that
	// it was changed from, 0 for a new one. The error wraps api.ErrStale when it is at another,
	// and api.ErrUnrecorded when nothing can be written.
	Keep(ctx context.Context, r api.Reveal, was int, a Audit) error
	// One wraps api.ErrNotFound.
	One(ctx context.Context, id string) (api.Reveal, error)
	OfCase(ctx context.Context, caseID string, most int) ([]api.Reveal, error)
	Since(ctx context.Context, from time.Time, most int) ([]api.Reveal, error)
	// Write writes down what takes no request along. The error wraps api.ErrUnrecorded.
	Write(ctx context.Context, a Audit) error
}

// World is what a Desk asks of the rest of the program.
type World interface {
	// Mine returns the pseudonyms by which the person who asks may stand in sources.
	Mine(ctx context.Context) []string
	// Case wraps api.ErrNotFound where there is no such case, and api.ErrOwnCase where it is
	// about who asks.
	Case(ctx context.Context, caseID string) error
	// Concerns reports whether a case is about who asks, who is not told so. The error wraps
	// api.ErrNotFound where there is no such case.
	Concerns(ctx context.Context, caseID string) (bool, error)
	// Waits tells those who may approve that a request waits for one of them.
	Waits(ctx context.Context, r api.Reveal)
	// Involved reports whether a pseudonym is an actor or a customer of a case. The errors
	// are those of Case.
	Involved(ctx context.Context, caseID, pseudonym string) (bool, error)
	// May reports whether somebody, by their pseudonym, may do a deed as of now. known is
	// false where nobody knows them.
	May(ctx context.Context, by string, d access.Deed) (may, known bool, err error)
	// Name returns what stands behind a pseudonym. The error wraps ErrNoName.
	Name(ctx context.Context, pseudonym string) (string, error)
}

// Desk is where names are asked for.
type Desk struct {
	store Store
	world World
	now   func() time.Time
}

// New makes a desk.
func New(s Store, w World, now func() time.Time) *Desk { return &Desk{store: s, world: w, now: now} }

func refused(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{api.ErrRefused}, args...)...)
}

// AskReveal implements api.Revealer.
func (d *Desk) AskReveal(ctx context.Context, ask api.RevealAsk) (api.Reveal, error) {
	who := api.PersonOf(ctx)
	reason := tidy(ask.Reason)
	if ask.For == 0 {
		ask.For = api.RevealFor
	}
	switch {
	case !who.May(access.DeedReveal):
		return api.Reveal{}, refused("your role does not let you ask for a name")
	case len(reason) < 10:
		return api.Reveal{}, refused("say in a sentence why the name is needed; the second person decides by it")
	case ask.For < time.Minute || ask.For > api.RevealMost:
		return api.Reveal{}, refused("a name is shown for a minute at least and %d minutes at most", int(api.RevealMost.Minutes()))
	case ask.Pseudonym == "":
		return api.Reveal{}, refused("say for which pseudonym")
	}
	involved, err := d.world.Involved(ctx, ask.Case, ask.Pseudonym)
	if err != nil {
		return api.Reveal{}, err
	}
	if !involved {
		return api.Reveal{}, refused("that pseudonym is no actor and no customer of this case: a reveal is for one of them")
	}
	now := d.now().UTC().Round(0)
	sum := sha256.Sum256([]byte(strings.Join([]string{who.By, ask.Case, ask.Pseudonym, ask.Key}, "\x00")))
	r := api.Reveal{
		ID: "r-" + hex.EncodeToString(sum[:8]), Revision: 1, Case: ask.Case, Pseudonym: ask.Pseudonym, Reason: reason,
		State: api.RevealOpen, By: who.By, As: d.world.Mine(ctx), Asked: now, For: ask.For.Seconds(),
	}
	if done, err := d.store.One(ctx, r.ID); !errors.Is(err, api.ErrNotFound) {
		return done, err // the same form, sent twice
	}
	if err := d.room(ctx, &r, now); err != nil {
		return api.Reveal{}, err
	}
	err = d.store.Keep(ctx, r, 0, Audit{who.By, "name asked for", object(&r) + ": " + reason})
	if errors.Is(err, api.ErrStale) { // the same form, sent twice at once
		return d.store.One(ctx, r.ID)
	}
	if err == nil {
		d.world.Waits(ctx, r)
	}
	return r, err
}

// room refuses a request that would be one of too many, or that is open already.
func (d *Desk) room(ctx context.Context, r *api.Reveal, now time.Time) error {
	recent, err := d.store.Since(ctx, now.Add(-api.RevealWaits), 10*MaxListed)
	if err != nil {
		return err
	}
	waiting := 0
	for i := range recent {
		o := &recent[i]
		if o.StateAt(now) != api.RevealOpen {
			continue
		}
		if o.Case == r.Case && o.Pseudonym == r.Pseudonym && o.By == r.By {
			return refused("you have asked for this name already; it waits for a second person")
		}
		if o.By == r.By {
			waiting++
		}
	}
	if waiting >= MaxOpen {
		return refused("%d names that you asked for wait already: withdraw some, or let somebody decide", waiting)
	}
	return nil
}

// ApproveReveal implements api.Revealer.
func (d *Desk) ApproveReveal(ctx context.Context, id string, seen int) (api.Reveal, error) {
	who := api.PersonOf(ctx)
	r, err := d.current(ctx, id, seen)
	if err != nil {
		return r, err
	}
	now := d.now().UTC().Round(0)
	switch {
	case !who.May(access.DeedApprove):
		return r, refused("your role does not let you approve that a name is shown")
	case who.Way != api.WaySession && who.Way != api.WayOpen:
		return r, refused("a name is approved in the console by somebody who is signed in there, and no other way")
	case r.StateAt(now) != api.RevealOpen:
		return r, refused("nothing is open here: it is %s", r.StateAt(now))
	case d.mine(ctx, &r):
		err := d.store.Write(ctx, Audit{who.By, "own request not approved", object(&r)})
		return r, errors.Join(refused("a second person must approve, and you asked"), err)
	}
	// Not by somebody whom the case is about, and not for a pseudonym that has left it.
	involved, err := d.world.Involved(ctx, r.Case, r.Pseudonym)
	if err != nil {
		return r, err
	}
	if !involved {
		return r, refused("the pseudonym is no longer one of this case")
	}
	if err := d.stillMay(ctx, r.By, false, access.DeedReveal); err != nil {
		return r, err
	}
	was := r.Revision
	r.Revision++
	r.State, r.Decider, r.Decided, r.Open = api.RevealGranted, who.By, now, who.Way == api.WayOpen
	r.Until = now.Add(time.Duration(r.For * float64(time.Second)))
	err = d.store.Keep(ctx, r, was, Audit{who.By, "name approved", object(&r) + " for " + r.By + " until " + r.Until.Format(time.RFC3339)})
	return r, err
}

// mine reports whether a request is of who asks, by whatever account.
func (d *Desk) mine(ctx context.Context, r *api.Reveal) bool {
	return r.By == api.PersonOf(ctx).By || slices.ContainsFunc(d.world.Mine(ctx), func(a string) bool { return slices.Contains(r.As, a) })
}

// WaitingReveals implements api.Revealer.
func (d *Desk) WaitingReveals(ctx context.Context) (n int, err error) {
	if !api.PersonOf(ctx).May(access.DeedApprove) {
		return 0, nil
	}
	now := d.now()
	recent, err := d.store.Since(ctx, now.Add(-api.RevealWaits), MaxListed)
	if err != nil {
		return 0, err
	}
	for i := range recent {
		r := &recent[i]
		if r.StateAt(now) != api.RevealOpen || d.mine(ctx, r) {
			continue
		}
		switch own, err := d.world.Concerns(ctx, r.Case); {
		case errors.Is(err, api.ErrNotFound):
		case err != nil:
			return 0, err
		case !own:
			n++
		}
	}
	return n, nil
}

// EndReveal implements api.Revealer.
func (d *Desk) EndReveal(ctx context.Context, id string, seen int) (api.Reveal, error) {
	who := api.PersonOf(ctx)
	r, err := d.current(ctx, id, seen)
	if err != nil {
		return r, err
	}
	now := d.now().UTC().Round(0)
	was := r.Revision
	var what string
	switch state := r.StateAt(now); {
	case state == api.RevealOpen && who.By == r.By:
		r.State, what = api.RevealWithdrawn, "request for a name withdrawn"
	case state == api.RevealOpen && who.May(access.DeedApprove):
		if err := d.world.Case(ctx, r.Case); err != nil {
			return r, err
		}
		r.State, r.Decider, r.Decided, what = api.RevealRefused, who.By, now, "name refused"
	case state == api.RevealGranted && (who.By == r.By || who.May(access.DeedApprove)):
		r.State, what = api.RevealEnded, "name ended"
	case state != api.RevealOpen && state != api.RevealGranted:
		return r, refused("it is over already: %s", state)
	default:
		return r, refused("only who asked, or who may approve, ends this")
	}
	r.Revision++
	r.Ender = who.By
	err = d.store.Keep(ctx, r, was, Audit{who.By, what, object(&r)})
	return r, err
}

// current reads a request as who decides saw it.
func (d *Desk) current(ctx context.Context, id string, seen int) (api.Reveal, error) {
	r, err := d.store.One(ctx, id)
	if err == nil && r.Revision != seen {
		err = api.ErrStale
	}
	return r, err
}

// Reveal implements api.Revealer.
func (d *Desk) Reveal(ctx context.Context, id string) (r api.Reveal, name, why string, err error) {
	if r, err = d.store.One(ctx, id); err != nil {
		return r, "", "", err
	}
	// Who is kept off the case is kept off what is asked about it.
	if err = d.world.Case(ctx, r.Case); err != nil && !errors.Is(err, api.ErrNotFound) {
		return r, "", "", err
	}
	if why, err = d.inForce(ctx, &r); err != nil {
		return api.Reveal{}, "", "", err
	}
	if why != "" {
		if err := d.store.Write(ctx, Audit{api.PersonOf(ctx).By, "request for a name read", object(&r)}); err != nil {
			return api.Reveal{}, "", "", err
		}
		return r, "", why, nil
	}
	name, err = d.show(ctx, &r)
	if errors.Is(err, ErrNoName) {
		return r, "", "Nothing leads this pseudonym back: the vault has no name for it. It may be off, have been lost, or hold names of a later time only.", nil
	}
	return r, name, "", err
}

// Names returns the names that are revealed to who asks of a case, by pseudonym. Each is
// written down as shown.
func (d *Desk) Names(ctx context.Context, caseID string) (map[string]string, error) {
	all, err := d.store.OfCase(ctx, caseID, MaxListed)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for i := range all {
		r := &all[i]
		why, err := d.inForce(ctx, r)
		if err != nil {
			return nil, err
		}
		if why != "" || out[r.Pseudonym] != "" {
			continue
		}
		name, err := d.show(ctx, r)
		if errors.Is(err, ErrNoName) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out[r.Pseudonym] = name
	}
	return out, nil
}

// show writes down that a name is shown, and looks it up.
func (d *Desk) show(ctx context.Context, r *api.Reveal) (string, error) {
	if err := d.store.Write(ctx, Audit{api.PersonOf(ctx).By, "name shown", object(r)}); err != nil {
		return "", err
	}
	return d.world.Name(ctx, r.Pseudonym)
}

// inForce says in words why who asks is shown no name; empty when they are.
func (d *Desk) inForce(ctx context.Context, r *api.Reveal) (why string, err error) {
	who := api.PersonOf(ctx)
	switch {
	case r.StateAt(d.now()) != api.RevealGranted:
		return "The name is not shown: the request is " + string(r.StateAt(d.now())) + ".", nil
	case who.By != r.By && who.By != r.Decider:
		return "The name is shown to who asked and who approved, and to nobody else.", nil
	case who.Way != api.WaySession && who.Way != api.WayOpen:
		return "The name is shown in the console alone, to somebody who is signed in there.", nil
	}
	for by, deed := range map[string]access.Deed{r.By: access.DeedReveal, r.Decider: access.DeedApprove} {
		err := d.stillMay(ctx, by, r.Open, deed)
		if errors.Is(err, api.ErrRefused) {
			return "The name is not shown: one of the two people may no longer do this.", nil
		}
		if err != nil {
			return "", err
		}
	}
	return "", nil
}

// stillMay asks whether somebody may do a deed as of now. An open door knows no accounts: who
// comes by it may as long as they come.
func (d *Desk) stillMay(ctx context.Context, by string, open bool, deed access.Deed) error {
	may, known, err := d.world.May(ctx, by, deed)
	if err != nil {
		return err
	}
	if who := api.PersonOf(ctx); !known && (open || who.Way == api.WayOpen) {
		return nil
	}
	if !may {
		return refused("%s may no longer do this", by)
	}
	return nil
}

// Reveals implements api.Revealer.
func (d *Desk) Reveals(ctx context.Context, caseID string) (out []api.Reveal, err error) {
	if caseID != "" {
		if err := d.world.Case(ctx, caseID); err != nil {
			return nil, err
		}
		if err := d.listed(ctx, "case "+caseID); err != nil {
			return nil, err
		}
		return d.store.OfCase(ctx, caseID, MaxListed)
	}
	if err := d.listed(ctx, ""); err != nil {
		return nil, err
	}
	all, err := d.store.Since(ctx, d.now().Add(-listedFor), MaxListed)
	if err != nil {
		return nil, err
	}
	for _, r := range all {
		err := d.world.Case(ctx, r.Case)
		if errors.Is(err, api.ErrOwnCase) {
			continue
		}
		if err != nil && !errors.Is(err, api.ErrNotFound) {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// listed writes down that requests are listed, with their reasons.
func (d *Desk) listed(ctx context.Context, object string) error {
	return d.store.Write(ctx, Audit{api.PersonOf(ctx).By, "requests for names listed", object})
}

// object names a request for the audit log.
func object(r *api.Reveal) string { return "case " + r.Case + ": " + r.Pseudonym + " (" + r.ID + ")" }

// tidy makes one line of a reason.
func tidy(s string) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "\uFFFD"), func(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.C, r) }), " ")
	if len(s) > api.MaxRevealReason {
		s = strings.ToValidUTF8(s[:api.MaxRevealReason], "")
	}
	return s
}

var _ api.Revealer = (*Desk)(nil)
