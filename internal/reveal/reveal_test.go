package reveal_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"vigil/internal/access"
	"vigil/internal/api"
	"vigil/internal/reveal"
)

var start = time.Date(2026, 11, 2, 3, 0, 0, 0, time.UTC)

// world is all that a desk asks for, in memory.
type world struct {
	mu      sync.Mutex // guards all below
	now     time.Time
	reveals map[string]api.Reveal
	audit   []reveal.Audit
	sealed  bool
	barred  map[string]bool
	looked  int
	told    []string // requests of which others were told that they wait
}

func newDesk() (*reveal.Desk, *world) {
	w := &world{now: start, reveals: map[string]api.Reveal{}, barred: map[string]bool{}}
	return reveal.New(w, w, func() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.now }), w
}

func (w *world) Keep(_ context.Context, r api.Reveal, was int, a reveal.Audit) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.sealed:
		return api.ErrUnrecorded
	case w.reveals[r.ID].Revision != was:
		return api.ErrStale
	}
	w.reveals[r.ID], w.audit = r, append(w.audit, a)
	return nil
}

func (w *world) Write(_ context.Context, a reveal.Audit) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.sealed {
		return api.ErrUnrecorded
	}
	w.audit = append(w.audit, a)
	return nil
}

func (w *world) One(_ context.Context, id string) (api.Reveal, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r, ok := w.reveals[id]
	if !ok {
		return r, api.ErrNotFound
	}
	return r, nil
}

func (w *world) some(keep func(api.Reveal) bool) (out []api.Reveal, _ error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.reveals {
		if keep(r) {
			out = append(out, r)
		}
	}
	return out, nil
}

func (w *world) OfCase(_ context.Context, id string, _ int) ([]api.Reveal, error) {
	return w.some(func(r api.Reveal) bool { return r.Case == id })
}

func (w *world) Since(_ context.Context, from time.Time, _ int) ([]api.Reveal, error) {
	return w.some(func(r api.Reveal) bool { return !r.Asked.Before(from) })
}

func (w *world) Mine(ctx context.Context) []string { return api.PersonOf(ctx).Logins }

func (w *world) Case(ctx context.Context, id string) error {
	if id == "c-of-"+api.PersonOf(ctx).By {
		return api.ErrOwnCase
	}
	return nil
}

func (w *world) Concerns(ctx context.Context, id string) (bool, error) {
	if id == "c-gone" {
		return false, api.ErrNotFound
	}
	return w.Case(ctx, id) != nil, nil
}

func (w *world) Waits(_ context.Context, r api.Reveal) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told = append(w.told, r.ID)
}

func (w *world) Involved(ctx context.Context, id, pseudonym string) (bool, error) {
	return pseudonym == "actor-x" || pseudonym == "subject-x", w.Case(ctx, id)
}

func (w *world) May(_ context.Context, by string, _ access.Deed) (may, known bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.barred[by], !strings.HasPrefix(by, "guise-"), nil
}

func (w *world) Name(context.Context, string) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.looked++
	if !strings.HasPrefix(w.audit[len(w.audit)-1].What, "name shown") {
		return "", errors.New("a name was looked up before that was written down")
	}
	return "Ann Other", nil
}

// as is a context of somebody with roles; responder when none are given.
func as(t *testing.T, by string, roles ...access.Role) context.Context {
	if len(roles) == 0 {
		roles = []access.Role{access.RoleResponder}
	}
	return api.WithPerson(t.Context(), api.Person{By: by, Logins: []string{by + "-login"}, Roles: roles, Way: api.WaySession})
}

func by(ctx context.Context, way api.Way) context.Context {
	p := api.PersonOf(ctx)
	p.Way = way
	return api.WithPerson(ctx, p)
}

const why = "The account must be locked by the help desk."

func ask(t *testing.T, d *reveal.Desk, ctx context.Context) api.Reveal {
	t.Helper()
	r, err := d.AskReveal(ctx, api.RevealAsk{Case: "c-1", Pseudonym: "actor-x", Reason: why, Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestTwoPeopleRevealOneName(t *testing.T) {
	t.Parallel()
	d, w := newDesk()
	ann, bo, cy := as(t, "ann"), as(t, "bo"), as(t, "cy")
	r := ask(t, d, ann)
	if again := ask(t, d, ann); again.ID != r.ID || len(w.reveals) != 1 {
		t.Errorf("the same form twice made %d requests", len(w.reveals))
	}
	if _, name, said, err := d.Reveal(ann, r.ID); name != "" || said == "" || err != nil {
		t.Errorf("before approval: %q, %q, %v", name, said, err)
	}
	got, err := d.ApproveReveal(bo, r.ID, 1)
	if err != nil || got.State != api.RevealGranted || got.Until.Sub(start) != api.RevealFor {
		t.Fatalf("%+v, %v", got, err)
	}
	for who, ctx := range map[string]context.Context{"who asked": ann, "who approved": bo} {
		if _, name, said, err := d.Reveal(ctx, r.ID); name != "Ann Other" || err != nil {
			t.Errorf("%s: %q, %q, %v", who, name, said, err)
		}
	}
	for who, ctx := range map[string]context.Context{"a third person": cy, "a token": by(ann, api.WayToken), "a command": by(ann, api.WayLocal)} {
		if _, name, said, err := d.Reveal(ctx, r.ID); name != "" || said == "" || err != nil {
			t.Errorf("%s: %q, %q, %v", who, name, said, err)
		}
		if names, err := d.Names(ctx, "c-1"); len(names) != 0 || err != nil {
			t.Errorf("%s: names %v, %v", who, names, err)
		}
	}
	if names, err := d.Names(ann, "c-1"); len(names) != 1 || names["actor-x"] != "Ann Other" || err != nil {
		t.Errorf("names: %v, %v", names, err)
	}
	w.now = start.Add(api.RevealFor)
	if _, name, said, err := d.Reveal(ann, r.ID); name != "" || said == "" || err != nil {
		t.Errorf("after its end: %q, %q, %v", name, said, err)
	}
	var did []string
	for _, a := range w.audit {
		did = append(did, a.Who+" "+a.What)
	}
	slices.Sort(did)
	const read = " request for a name read"
	want := []string{"ann name asked for", "ann name shown", "ann name shown", "ann" + read, "ann" + read, "ann" + read, "ann" + read, "bo name approved", "bo name shown", "cy" + read}
	if !slices.Equal(did, want) || w.looked != 3 {
		t.Errorf("written down: %q, looked up %d times", did, w.looked)
	}
}

func TestNoApprovalButByASecondPerson(t *testing.T) {
	t.Parallel()
	twin := as(t, "twin") // another account of the same login
	p := api.PersonOf(twin)
	p.Logins = []string{"ann-login"}
	twin = api.WithPerson(twin, p)
	for name, ctx := range map[string]context.Context{
		"who asked":              as(t, "ann"),
		"another account":        twin,
		"an API token":           by(as(t, "bo"), api.WayToken),
		"a command":              by(as(t, "bo"), api.WayLocal),
		"an analyst":             as(t, "bo", access.RoleAnalyst),
		"an admin":               as(t, "bo", access.RoleAdmin),
		"a viewer":               as(t, "bo", access.RoleViewer),
		"nobody":                 t.Context(),
		"who asked, by the demo": by(as(t, "ann"), api.WayOpen),
	} {
		d, w := newDesk()
		r := ask(t, d, as(t, "ann"))
		if _, err := d.ApproveReveal(ctx, r.ID, 1); !errors.Is(err, api.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
		if w.reveals[r.ID].State != api.RevealOpen {
			t.Errorf("%s: it is %s", name, w.reveals[r.ID].State)
		}
	}
	d, _ := newDesk()
	r, err := d.AskReveal(as(t, "ann"), api.RevealAsk{Case: "c-of-bo", Pseudonym: "actor-x", Reason: why})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.ApproveReveal(as(t, "bo"), r.ID, 1); !errors.Is(err, api.ErrOwnCase) {
		t.Errorf("by whom the case is about: %v", err)
	}
	if _, _, _, err := d.Reveal(as(t, "bo"), r.ID); !errors.Is(err, api.ErrOwnCase) {
		t.Errorf("looked at by whom the case is about: %v", err)
	}
	if _, err := d.EndReveal(as(t, "bo"), r.ID, 1); !errors.Is(err, api.ErrOwnCase) {
		t.Errorf("refused by whom the case is about: %v", err)
	}
	if _, err := d.AskReveal(as(t, "ann"), api.RevealAsk{Case: "c-of-ann", Pseudonym: "actor-x", Reason: why}); !errors.Is(err, api.ErrOwnCase) {
		t.Errorf("asked by whom the case is about: %v", err)
	}
	all, err := d.Reveals(as(t, "bo"), "")
	if err != nil || len(all) != 0 {
		t.Errorf("somebody is listed what is asked about themselves: %+v, %v", all, err)
	}
}

// TestRaceOfApprovals has a hundred people approve at once: one does.
func TestRaceOfApprovals(t *testing.T) {
	t.Parallel()
	d, w := newDesk()
	r := ask(t, d, as(t, "ann"))
	var wg sync.WaitGroup
	granted := make(chan string, 100)
	for i := range 100 {
		who := fmt.Sprint("person-", i)
		if i%10 == 0 {
			who = "ann"
		}
		ctx := as(t, who)
		wg.Go(func() {
			if _, err := d.ApproveReveal(ctx, r.ID, 1); err == nil {
				granted <- who
			} else if !errors.Is(err, api.ErrStale) && !errors.Is(err, api.ErrRefused) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	close(granted)
	var who []string
	for g := range granted {
		who = append(who, g)
	}
	got := w.reveals[r.ID]
	if len(who) != 1 || got.Decider != who[0] || got.Decider == got.By || got.Revision != 2 {
		t.Errorf("granted by %q: %+v", who, got)
	}
}

func TestWhoWasDisabledHasApprovedNothing(t *testing.T) {
	t.Parallel()
	for _, who := range []string{"ann", "bo"} {
		d, w := newDesk()
		r := ask(t, d, as(t, "ann"))
		if _, err := d.ApproveReveal(as(t, "bo"), r.ID, 1); err != nil {
			t.Fatal(err)
		}
		w.barred[who] = true
		if _, name, said, err := d.Reveal(as(t, "ann"), r.ID); name != "" || said == "" || err != nil {
			t.Errorf("%s is disabled: %q, %q, %v", who, name, said, err)
		}
	}
	d, w := newDesk()
	r := ask(t, d, as(t, "ann"))
	w.barred["ann"] = true
	if _, err := d.ApproveReveal(as(t, "bo"), r.ID, 1); !errors.Is(err, api.ErrRefused) {
		t.Errorf("approved for who is disabled: %v", err)
	}
	// By a demonstration's open door two people come whom nobody has an account of.
	d, _ = newDesk()
	ada, ben := by(as(t, "guise-ada"), api.WayOpen), by(as(t, "guise-ben"), api.WayOpen)
	r = ask(t, d, ada)
	if _, err := d.ApproveReveal(ben, r.ID, 1); err != nil {
		t.Fatal(err)
	}
	if _, name, said, err := d.Reveal(ada, r.ID); name == "" || err != nil {
		t.Errorf("in a demonstration: %q, %v", said, err)
	}
}

func TestWhatCannotBeRecordedIsNotShown(t *testing.T) {
	t.Parallel()
	d, w := newDesk()
	r := ask(t, d, as(t, "ann"))
	if _, err := d.ApproveReveal(as(t, "bo"), r.ID, 1); err != nil {
		t.Fatal(err)
	}
	w.sealed = true
	if _, name, _, err := d.Reveal(as(t, "ann"), r.ID); name != "" || !errors.Is(err, api.ErrUnrecorded) {
		t.Errorf("%q, %v", name, err)
	}
	if names, err := d.Names(as(t, "ann"), "c-1"); len(names) != 0 || !errors.Is(err, api.ErrUnrecorded) {
		t.Errorf("%v, %v", names, err)
	}
	if w.looked != 0 {
		t.Error("the name was looked up")
	}
}

func TestEnds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		granted bool
		ctx     context.Context
		want    api.RevealState
		err     error
	}{
		"withdrawn":             {ctx: as(t, "ann"), want: api.RevealWithdrawn},
		"refused":               {ctx: as(t, "bo"), want: api.RevealRefused},
		"not by an analyst":     {ctx: as(t, "cy", access.RoleAnalyst), want: api.RevealOpen, err: api.ErrRefused},
		"ended":                 {granted: true, ctx: as(t, "ann"), want: api.RevealEnded},
		"ended by an officer":   {granted: true, ctx: as(t, "cy", access.RolePrivacy), want: api.RevealEnded},
		"a grant by an analyst": {granted: true, ctx: as(t, "cy", access.RoleAnalyst), want: api.RevealGranted, err: api.ErrRefused},
	} {
		d, w := newDesk()
		r := ask(t, d, as(t, "ann"))
		if c.granted {
			var err error
			if r, err = d.ApproveReveal(as(t, "bo"), r.ID, 1); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := d.EndReveal(c.ctx, r.ID, r.Revision+1); !errors.Is(err, api.ErrStale) {
			t.Errorf("%s, of a stale page: %v", name, err)
		}
		if _, err := d.EndReveal(c.ctx, r.ID, r.Revision); !errors.Is(err, c.err) || w.reveals[r.ID].State != c.want {
			t.Errorf("%s: %s, %v", name, w.reveals[r.ID].State, err)
		}
		if _, err := d.EndReveal(c.ctx, r.ID, w.reveals[r.ID].Revision); err == nil {
			t.Errorf("%s: it was ended twice", name)
		}
	}
	d, w := newDesk()
	r := ask(t, d, as(t, "ann"))
	w.now = start.Add(api.RevealWaits)
	if _, err := d.ApproveReveal(as(t, "bo"), r.ID, 1); !errors.Is(err, api.ErrRefused) {
		t.Errorf("approved a day later: %v", err)
	}
}

func TestAsking(t *testing.T) {
	t.Parallel()
	for name, a := range map[string]api.RevealAsk{
		"no reason":        {Case: "c-1", Pseudonym: "actor-x", Reason: " \n "},
		"no pseudonym":     {Case: "c-1", Reason: why},
		"of another case":  {Case: "c-1", Pseudonym: "actor-other", Reason: why},
		"for two hours":    {Case: "c-1", Pseudonym: "actor-x", Reason: why, For: 2 * time.Hour},
		"for a second":     {Case: "c-1", Pseudonym: "actor-x", Reason: why, For: time.Second},
		"for less than no": {Case: "c-1", Pseudonym: "actor-x", Reason: why, For: -time.Hour},
	} {
		d, w := newDesk()
		if _, err := d.AskReveal(as(t, "ann"), a); !errors.Is(err, api.ErrRefused) || len(w.reveals) != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	d, _ := newDesk()
	if _, err := d.AskReveal(as(t, "ann", access.RoleAdmin), api.RevealAsk{Case: "c-1", Pseudonym: "actor-x", Reason: why}); !errors.Is(err, api.ErrRefused) {
		t.Errorf("an admin asks: %v", err)
	}
	for i := range reveal.MaxOpen + 1 {
		_, err := d.AskReveal(as(t, "ann"), api.RevealAsk{Case: fmt.Sprint("c-", i), Pseudonym: "actor-x", Reason: why + "\x1b[0m" + strings.Repeat("é", 600)})
		if (err != nil) != (i == reveal.MaxOpen) {
			t.Errorf("request %d: %v", i, err)
		}
	}
	if _, err := d.AskReveal(as(t, "bo"), api.RevealAsk{Case: "c-1", Pseudonym: "actor-x", Reason: why, Key: "1"}); err != nil {
		t.Error(err)
	}
	if _, err := d.AskReveal(as(t, "bo"), api.RevealAsk{Case: "c-1", Pseudonym: "actor-x", Reason: why, Key: "2"}); !errors.Is(err, api.ErrRefused) {
		t.Errorf("asked for twice: %v", err)
	}
}

// A request tells a pseudonym and why somebody wants its name: who looks at one is on record,
// whatever they are shown.
func TestLooksAtRequestsAreRecorded(t *testing.T) {
	t.Parallel()
	d, w := newDesk()
	r := ask(t, d, as(t, "ann"))
	for what, look := range map[string]func(ctx context.Context) (shown bool, err error){
		"requests for names listed": func(ctx context.Context) (bool, error) { all, err := d.Reveals(ctx, ""); return len(all) > 0, err },
		"requests for names listed of a case": func(ctx context.Context) (bool, error) {
			all, err := d.Reveals(ctx, "c-1")
			return len(all) > 0, err
		},
		"request for a name read": func(ctx context.Context) (bool, error) {
			got, _, _, err := d.Reveal(ctx, r.ID)
			return got.ID != "", err
		},
	} {
		w.sealed = true
		if shown, err := look(as(t, "bo")); shown || !errors.Is(err, api.ErrUnrecorded) {
			t.Errorf("%s: shown though it can't be recorded: %v, %v", what, shown, err)
		}
		w.sealed = false
		if shown, err := look(as(t, "bo")); !shown || err != nil {
			t.Errorf("%s: %v, %v", what, shown, err)
		}
		if last := w.audit[len(w.audit)-1]; last.Who != "bo" || !strings.HasPrefix(what, last.What) {
			t.Errorf("%s: recorded as %+v", what, last)
		}
	}
}

// Who may decide is told how many requests wait for them, and others once that one waits.
func TestWaiting(t *testing.T) {
	t.Parallel()
	d, w := newDesk()
	ann := as(t, "ann")
	r := ask(t, d, ann)
	ask(t, d, ann)
	if len(w.told) != 1 || w.told[0] != r.ID {
		t.Errorf("told of %v", w.told)
	}
	for i, c := range []string{"c-2", "c-of-bo", "c-gone"} {
		x := r
		x.ID, x.Case = fmt.Sprint("r-", i), c
		w.reveals[x.ID] = x
	}
	twin := api.PersonOf(as(t, "twin"))
	twin.Logins = []string{"ann-login"}
	written := len(w.audit)
	waiting := func(name string, ctx context.Context, want int) {
		t.Helper()
		if n, err := d.WaitingReveals(ctx); err != nil || n != want {
			t.Errorf("%s: %d wait, want %d, %v", name, n, want, err)
		}
	}
	waiting("who asked", ann, 0)
	waiting("another account of who asked", api.WithPerson(t.Context(), twin), 0)
	waiting("whom one is about", as(t, "bo"), 2)
	waiting("a second person", as(t, "cy"), 3)
	waiting("an analyst", as(t, "dan", access.RoleAnalyst), 0)
	if len(w.audit) != written {
		t.Errorf("written down: %+v", w.audit[written:])
	}
	if _, err := d.ApproveReveal(as(t, "cy"), r.ID, 1); err != nil {
		t.Fatal(err)
	}
	waiting("once one is approved", as(t, "cy"), 2)
	w.now = start.Add(api.RevealWaits)
	waiting("once their time is over", as(t, "cy"), 0)
}
