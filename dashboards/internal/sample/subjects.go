package sample

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"vigil"
	"vigil/internal/access"
	"vigil/internal/api"
	"vigil/internal/reveal"
)

// Touched are the customers of a case, of two classes of data.
func Touched() (api.TouchSum, []api.Touched) {
	sum := api.TouchSum{
		Events: 2_202, Unnamed: 1_400, Untold: 3, Beyond: 12, Damaged: 1, AsOf: now,
		Classes: []api.ClassTouched{{Class: "chat", Confirmed: 90, Possible: 30}, {Class: "", Possible: 30}},
	}
	var list []api.Touched
	for i, s := range Subjects(120) {
		x := api.Touched{Subject: s, Touch: api.TouchConfirmed, Classes: []string{"chat"}, Shown: int64(1 + i%7), First: now.Add(-time.Hour), Last: now}
		if i%4 == 3 {
			x.Touch, x.Classes, x.Shown, x.Unsure = api.TouchPossible, []string{"", "chat"}, 0, 2
			sum.Possible++
		} else {
			sum.Confirmed++
		}
		list = append(list, x)
	}
	return sum, list
}

// Readings are those who read one customer.
func Readings() []api.Reading {
	return []api.Reading{
		{
			Actor: "actor-9f0xqw54jvm3b", Kind: vigil.KindHuman, Role: "agent", Team: "emea", Tenant: "acme", Shown: 14, Refused: 2, First: now.Add(-90 * 24 * time.Hour), Last: now,
			Stores: []string{"crm", "helpdesk"}, Tickets: 9, Purposes: []string{"quality-review"}, Bare: 4, Cases: []string{"c-7c1e09a4b2d35f60"},
		},
		{Actor: "actor-b0t5assist00", Kind: vigil.KindBot, Shown: 1, Other: 1, First: now.Add(-time.Hour), Last: now.Add(-time.Hour), Stores: []string{"helpdesk"}, Bare: 1},
	}
}

// Whose answers whose data was touched, and by whom, from memory; only for who told a purpose.
type Whose struct {
	// Case is the one case that there is.
	Case vigil.Case
	Sum  api.TouchSum
	List []api.Touched
	Who  []api.Reading

	mu    sync.Mutex
	asked api.ReadersAsk // guarded by mu
}

// NewWhose answers with the samples, or with texts in their place.
func NewWhose(f *vigil.Finding, texts []string) *Whose {
	w := &Whose{Case: Case(f).Case, Who: Readings()}
	w.Sum, w.List = Touched()
	if texts != nil {
		fill := &filler{texts: texts, numbers: []float64{0}}
		fill.value(reflect.ValueOf(&w.List).Elem())
		fill.value(reflect.ValueOf(&w.Sum).Elem())
		fill.value(reflect.ValueOf(&w.Who).Elem())
		// What leads on to another page must be an id, or there is no link.
		for i, s := range Subjects(len(w.List)) {
			w.List[i].Subject = s
		}
		for i := range w.Who {
			w.Who[i].Actor, w.Who[i].Cases = fmt.Sprint("actor-", i), []string{"c-1"}
		}
	}
	return w
}

// CaseSubjects implements api.SubjectLister.
func (w *Whose) CaseSubjects(_ context.Context, id string, f api.TouchFilter) (api.TouchPage, error) {
	if id != w.Case.ID {
		return api.TouchPage{}, api.ErrNotFound
	}
	page := api.TouchPage{Case: w.Case, Sum: w.Sum}
	for _, x := range w.List {
		if f.Touch != "" && x.Touch != f.Touch {
			continue
		}
		if page.Total++; x.Subject > f.After && len(page.List) < f.Limit {
			page.List = append(page.List, x)
		}
	}
	if len(page.List) == f.Limit {
		page.Next = page.List[f.Limit-1].Subject
	}
	return page, nil
}

// ExportSubjects implements api.SubjectLister.
func (w *Whose) ExportSubjects(_ context.Context, id, _ string) (vigil.Case, api.TouchSum, []api.Touched, error) {
	if id != w.Case.ID {
		return vigil.Case{}, api.TouchSum{}, nil, api.ErrNotFound
	}
	return w.Case, w.Sum, w.List, nil
}

// AskReaders implements api.ReaderFinder.
func (w *Whose) AskReaders(_ context.Context, ask api.ReadersAsk) ([]string, error) {
	if ask.Purpose == "" {
		return nil, fmt.Errorf("%w: say why you ask", api.ErrRefused)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = ask
	return []string{"subject-asked"}, nil
}

// Asked is what was asked last.
func (w *Whose) Asked() api.ReadersAsk {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.asked
}

// ExportReaders implements api.ReaderFinder.
func (w *Whose) ExportReaders(ctx context.Context, ids []string, _ string) (api.ReadersPage, error) {
	return w.Readers(ctx, ids)
}

// Readers implements api.ReaderFinder: without a purpose for all but the customer asked.
func (w *Whose) Readers(_ context.Context, ids []string) (api.ReadersPage, error) {
	if ids[0] != "subject-asked" {
		return api.ReadersPage{}, api.ErrUnasked
	}
	return api.ReadersPage{Subjects: ids, Since: now.Add(-90 * 24 * time.Hour), Readers: w.Who, More: 1, Accesses: 20, Damaged: 1}, nil
}

// World is a reveal.World and a reveal.Store in memory. It is safe for concurrent use.
type World struct {
	// Own is the case that is about who asks, NoName that no name is kept.
	Own    string
	NoName bool

	mu      sync.Mutex
	reveals map[string]api.Reveal
	audit   []reveal.Audit
	barred  map[string]bool
	sealed  bool
}

// NewWorld has some requests, with texts in the place of the samples' where there are any.
func NewWorld(caseID string, texts []string) *World {
	w := &World{reveals: map[string]api.Reveal{}, barred: map[string]bool{}}
	for i, r := range []api.Reveal{
		{By: "actor-bo", State: api.RevealOpen, Reason: "The customer must be told, and support has to know who it is."},
		{By: "actor-ann", State: api.RevealGranted, Decider: "actor-bo", Until: now.Add(20 * time.Minute), Reason: "The account has to be locked."},
		{By: "actor-ann", State: api.RevealRefused, Decider: "actor-bo", Reason: "I am curious who that is."},
	} {
		r.Pseudonym = "actor-9f0xqw54jvm3b"
		r.Asked, r.For, r.Revision = now.Add(-time.Duration(i+1)*time.Minute), 1800, 2
		if texts != nil {
			r.Pseudonym, r.Reason, r.Decider = texts[i%len(texts)], texts[(i+7)%len(texts)], texts[(i+31)%len(texts)]
			if r.By != "actor-ann" {
				r.By = texts[(i+57)%len(texts)]
			}
		}
		r.ID, r.Case = fmt.Sprintf("r-%016d", i), caseID
		w.reveals[r.ID] = r
	}
	return w
}

// Bar takes from somebody whatever they may.
func (w *World) Bar(by string) { w.mu.Lock(); defer w.mu.Unlock(); w.barred[by] = true }

// Seal lets nothing be written down any more.
func (w *World) Seal(on bool) { w.mu.Lock(); defer w.mu.Unlock(); w.sealed = on }

// Audit is what was written down.
func (w *World) Audit() []reveal.Audit {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]reveal.Audit(nil), w.audit...)
}

// Keep implements reveal.Store.
func (w *World) Keep(_ context.Context, r api.Reveal, was int, a reveal.Audit) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.reveals[r.ID].Revision != was {
		return api.ErrStale
	}
	if w.sealed {
		return api.ErrUnrecorded
	}
	w.reveals[r.ID], w.audit = r, append(w.audit, a)
	return nil
}

// Write implements reveal.Store.
func (w *World) Write(_ context.Context, a reveal.Audit) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.sealed {
		return api.ErrUnrecorded
	}
	w.audit = append(w.audit, a)
	return nil
}

// One implements reveal.Store.
func (w *World) One(_ context.Context, id string) (api.Reveal, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r, ok := w.reveals[id]
	if !ok {
		return r, api.ErrNotFound
	}
	return r, nil
}

// OfCase implements reveal.Store.
func (w *World) OfCase(_ context.Context, id string, _ int) (out []api.Reveal, _ error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.reveals {
		if r.Case == id {
			out = append(out, r)
		}
	}
	return newest(out), nil
}

// Since implements reveal.Store.
func (w *World) Since(_ context.Context, from time.Time, _ int) (out []api.Reveal, _ error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.reveals {
		if !r.Asked.Before(from) {
			out = append(out, r)
		}
	}
	return newest(out), nil
}

func newest(all []api.Reveal) []api.Reveal {
	slices.SortFunc(all, func(a, b api.Reveal) int { return cmp.Or(b.Asked.Compare(a.Asked), cmp.Compare(a.ID, b.ID)) })
	return all
}

// Mine implements reveal.World.
func (w *World) Mine(ctx context.Context) []string { return api.PersonOf(ctx).Logins }

// Case implements reveal.World.
func (w *World) Case(_ context.Context, id string) error {
	if id == w.Own {
		return api.ErrOwnCase
	}
	return nil
}

// Concerns implements reveal.World.
func (w *World) Concerns(_ context.Context, id string) (bool, error) { return id == w.Own, nil }

// Waits implements reveal.World.
func (w *World) Waits(context.Context, api.Reveal) {}

// Involved implements reveal.World: everybody but actor-other is.
func (w *World) Involved(ctx context.Context, id, pseudonym string) (bool, error) {
	return pseudonym != "actor-other", w.Case(ctx, id)
}

// May implements reveal.World.
func (w *World) May(_ context.Context, by string, _ access.Deed) (may, known bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.barred[by], true, nil
}

// Name implements reveal.World.
func (w *World) Name(context.Context, string) (string, error) {
	if w.NoName {
		return "", reveal.ErrNoName
	}
	return "ann.other@example.com", nil
}

var (
	_ api.SubjectLister = (*Whose)(nil)
	_ api.ReaderFinder  = (*Whose)(nil)
	_ reveal.Store      = (*World)(nil)
	_ reveal.World      = (*World)(nil)
)
