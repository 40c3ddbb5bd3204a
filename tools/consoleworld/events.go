package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"vigil"
	"vigil/collectors"
	"vigil/detector"
	"vigil/internal/ledger"
	"vigil/internal/series"
)

const (
	days     = 90
	actors   = 10_000
	shifts   = 3
	batch    = 4_096
	sealEach = 8 * 65_536
	// learnt is of how long before its end the model knows.
	learnt = time.Hour
)

// The worst that a page can be about.
const (
	busyActor    = "p_busy"
	busyCustomer = "subject-busy"
)

type world struct {
	l         *ledger.Ledger
	rng       *rand.Rand
	now       time.Time
	events    int
	customers int
	findings  int

	made, unsealed int
	seq            uint64
	pending        []*vigil.Event
	points         map[series.Key]*series.Point
	engine         *detector.Engine
}

func newWorld(l *ledger.Ledger, scale float64, now time.Time) *world {
	return &world{
		l: l, rng: rand.New(rand.NewPCG(1, 2)), now: now, events: int(scale * 100e6),
		customers: max(1_000, int(scale*1e6)), findings: max(10, int(scale*100_000)), points: map[series.Key]*series.Point{},
	}
}

func actorID(i int) string    { return fmt.Sprintf("p_%05d", i) }
func customerID(i int) string { return fmt.Sprintf("subject-%07d", i) }

// fill writes the events, minute by minute.
func (w *world) fill(ctx context.Context) error {
	engine, err := detector.New(detector.Config{}, detector.Options{})
	if err != nil {
		return err
	}
	w.engine = engine
	minutes := days * 24 * 60
	for m := range minutes {
		at := w.now.Add(time.Duration(m-minutes) * time.Minute)
		n := w.events*(m+1)/minutes - w.events*m/minutes
		for i := range n {
			w.pending = append(w.pending, w.event(at.Add(time.Duration(i)*time.Minute/time.Duration(n)), i))
		}
		if len(w.pending) >= batch || m == minutes-1 {
			if err := w.take(ctx, !at.Before(w.now.Add(-learnt))); err != nil {
				return err
			}
		}
	}
	if _, err := w.l.SealAll(ctx); err != nil {
		return err
	}
	return w.snapshot(ctx)
}

// event is the i-th of a minute.
func (w *world) event(at time.Time, i int) *vigil.Event {
	e := vigil.NewEvent()
	who := w.rng.IntN(actors/shifts)*shifts + at.Hour()*shifts/24
	whom := customerID(int(w.rng.ExpFloat64()*float64(w.customers)/8) % w.customers)
	store := who % 3
	e.ID, e.Time, e.Source = fmt.Sprintf("%x-%x", at.UnixNano(), i), at, fmt.Sprintf("desk-%d", store)
	e.Actor = vigil.Actor{ID: actorID(who), Kind: vigil.KindHuman, Role: "agent", Team: fmt.Sprintf("team-%02d", who%40)}
	e.Network = fmt.Sprintf("10.%d.%d.0/24", who%50, (who+at.YearDay()/30)%250)
	if i == 0 { // the worst comes once a minute at least
		e.Actor, e.Network = vigil.Actor{ID: busyActor, Kind: vigil.KindService, Role: "bot"}, "10.0.0.0/24"
	}
	if i == 1 || i == 0 && w.events < 2*days*24*60 {
		whom = busyCustomer
	}
	e.Session = fmt.Sprintf("s-%s-%d", e.Actor.ID, at.Unix()/14_400)
	e.Conversation = fmt.Sprintf("c-%s-%d", whom, at.Unix()/86_400)
	e.Action, e.Store, e.Resource, e.ResourceClass = vigil.ActionRead, fmt.Sprintf("store-%d", store), []string{"tickets", "customers", "chats", "orders"}[w.rng.IntN(4)], "chat"
	e.Subjects, e.SubjectCount, e.Rows, e.Outcome = []string{whom}, 1, int64(1+w.rng.IntN(5)), vigil.OutcomeSuccess
	return e
}

// take has the ledger accept what is pending and, without judging it, call it judged. What
// the model is to know is folded.
func (w *world) take(ctx context.Context, learn bool) error {
	for _, e := range w.pending {
		k := series.Key{Source: e.Source, Store: e.Store, Action: string(e.Action), ActorKind: string(e.Actor.Kind), Role: e.Actor.Role}
		p := w.points[k]
		if p == nil {
			p = &series.Point{Start: e.Time.Truncate(series.Window), Key: k}
			w.points[k] = p
		}
		p.Events++
		p.Rows += e.Rows
		p.Subjects++
	}
	a := ledger.Applied{From: w.seq + 1, Events: int64(len(w.pending))}
	for _, p := range w.points {
		a.Points = append(a.Points, *p)
	}
	clear(w.points)
	var err error
	if a.Seq, _, err = w.l.Accept(ctx, collectors.Batch{Source: w.pending[0].Source, Events: w.pending}); err != nil {
		return err
	}
	if learn {
		if _, err := w.engine.Fold(&vigil.Entry{Seq: a.Seq, Kind: vigil.EntryEvents, Accepted: w.now, Events: w.pending}); err != nil {
			return err
		}
	}
	if err := w.l.Apply(ctx, a); err != nil {
		return err
	}
	w.seq, w.made, w.unsealed, w.pending = a.Seq, w.made+len(w.pending), w.unsealed+len(w.pending), w.pending[:0]
	if w.unsealed >= sealEach {
		w.unsealed = 0
		if _, err := w.l.SealAll(ctx); err != nil {
			return err
		}
		fmt.Printf("%d events\n", w.made)
	}
	return nil
}

// snapshot keeps the model, so that the service need not judge all of it first.
func (w *world) snapshot(ctx context.Context) error {
	parts, err := w.engine.Snapshot(true)
	if err != nil {
		return err
	}
	s := ledger.Snapshot{Seq: w.seq, All: true}
	for _, p := range parts {
		s.Parts = append(s.Parts, ledger.SnapshotPart(p))
	}
	return w.l.SaveSnapshot(ctx, s)
}
