//nolint:thelper // these are the tests, and say where they fail
package collectorstest

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// Run runs the suite, each test with a peer of its own, in parallel.
func Run(t *testing.T, w Way) {
	if w.Records == 0 {
		w.Records = 200
	}
	for _, test := range []struct {
		name string
		run  func(t *testing.T, w Way)
	}{
		{"delivers", delivers},
		{"restart", restart},
		{"killed", killed},
		{"lost answer", lostAnswer},
		{"back-pressure", backPressure},
		{"cancel while the sink blocks", cancelBlocked},
		{"sink fails", sinkFails},
		{"late and out of order", lateAndUnordered},
		{"clock skew", clockSkew},
		{"poison", poison},
		{"gone and back", goneAndBack},
		{"another way's position", otherPosition},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, w)
		})
	}
}

func (w Way) oracle() *Oracle { return NewOracle(w.Source, w.Number) }

func delivers(t *testing.T, w Way) {
	p, o := w.Peer(t), w.oracle()
	r := run(t, p, o, nil)
	write(t, p, records(1, w.Records)...)
	o.AwaitRecords(t, w.Records)
	if err := r.stop(t); err != nil {
		t.Errorf("Run returned %v after it was cancelled, want nil", err)
	}
	o.Check(t, w.Records)
	for _, n := range []int{1, w.Records} {
		if e := o.Event(n); e != nil && (e.Source != w.Source || e.Received.IsZero()) {
			t.Errorf("record %d came as source %q, received at %s", n, e.Source, e.Received)
		}
	}
}

// restart stops and starts again, with records written meanwhile.
func restart(t *testing.T, w Way) {
	p, o := w.Peer(t), w.oracle()
	all := 0
	for range 4 {
		r := run(t, p, o, o.Position())
		write(t, p, records(all+1, w.Records)...)
		all += w.Records
		o.AwaitRecords(t, all)
		if err := r.stop(t); err != nil {
			t.Fatalf("Run returned %v after it was cancelled, want nil", err)
		}
		if !w.Forgets {
			write(t, p, records(all+1, w.Records)...)
			all += w.Records
		}
	}
	r := run(t, p, o, o.Position())
	o.AwaitRecords(t, all)
	if err := r.stop(t); err != nil {
		t.Error(err)
	}
	o.Check(t, all)
	o.mu.Lock()
	defer o.mu.Unlock()
	// A stop at leisure leaves nothing to read again, or little.
	if o.repeated > all/2 {
		t.Errorf("%d of %d records were offered again after stops at leisure: is the position used?", o.repeated, all)
	}
}

// killed ends runs in the middle, with nothing said to anybody.
func killed(t *testing.T, w Way) {
	if w.Forgets || w.Unacknowledged {
		t.Skip("the way can't tell its sender what was kept")
	}
	p, o := w.Peer(t), w.oracle()
	rng := rand.New(rand.NewPCG(1, uint64(w.Records)))
	all := 0
	for range 12 {
		m := &mortal{oracle: o}
		r := run(t, p, m, o.Position())
		write(t, p, records(all+1, w.Records)...)
		some := all + rng.IntN(w.Records)
		all += w.Records
		o.AwaitRecords(t, some)
		m.kill()
		_ = r.stop(t) // killed: what it says is heard by nobody
	}
	r := run(t, p, o, o.Position())
	o.AwaitRecords(t, all)
	if err := r.stop(t); err != nil {
		t.Error(err)
	}
	o.Check(t, all)
}

// lostAnswer takes batches and tells the collector otherwise, as a crash between the
// commit and the acknowledgement does.
func lostAnswer(t *testing.T, w Way) {
	if w.Forgets || w.Unacknowledged {
		t.Skip("the way can't tell its sender what was kept")
	}
	p, o := w.Peer(t), w.oracle()
	m := &mortal{oracle: o, deaf: true}
	before := o.Position()
	r := run(t, p, m, before)
	write(t, p, records(1, w.Records)...)
	o.Await(t, "a batch", func(events, _, _ int) bool { return events > 0 })
	_ = r.stop(t) // an answer that is lost may be an error to it
	// From the old position: the worst that a lost answer can do.
	r = run(t, p, o, before)
	o.AwaitRecords(t, w.Records)
	if err := r.stop(t); err != nil {
		t.Error(err)
	}
	o.Check(t, w.Records)
}

// backPressure lets nothing through for a while: nothing may be lost, and only so many
// may wait inside.
func backPressure(t *testing.T, w Way) {
	p, o := w.Peer(t), w.oracle()
	o.Block()
	r := run(t, p, o, nil)
	n := w.Records * 5
	if w.Forgets {
		n = w.Records
	}
	write(t, p, records(1, n)...)
	o.Await(t, "a batch at the door", func(_, _, inside int) bool { return inside > 0 })
	o.Unblock()
	o.AwaitRecords(t, n)
	if err := r.stop(t); err != nil {
		t.Error(err)
	}
	o.Check(t, n)
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.crowd > 64 {
		t.Errorf("%d batches waited at once for a sink that was blocked", o.crowd)
	}
}

// cancelBlocked ends a run whose sink is stuck.
func cancelBlocked(t *testing.T, w Way) {
	p, o := w.Peer(t), w.oracle()
	o.Block()
	r := run(t, p, o, nil)
	write(t, p, records(1, w.Records)...)
	o.Await(t, "a batch at the door", func(_, _, inside int) bool { return inside > 0 })
	_ = r.stop(t) // the last hand-over can't succeed: an error is right too
	o.Unblock()
	if w.Forgets || w.Unacknowledged {
		return
	}
	r = run(t, p, o, o.Position())
	o.AwaitRecords(t, w.Records)
	if err := r.stop(t); err != nil {
		t.Error(err)
	}
	o.Check(t, w.Records)
}

// sinkFails refuses for a while. A collector returns the error to be restarted, or, where
// its peers come to it, tells them to come again.
func sinkFails(t *testing.T, w Way) {
	if w.Forgets || w.Unacknowledged {
		t.Skip("the way can't tell its sender what was kept")
	}
	p, o := w.Peer(t), w.oracle()
	o.Refuse(true)
	r := run(t, p, o, nil)
	write(t, p, records(1, w.Records)...)
	o.Await(t, "an offer", func(_, _, _ int) bool {
		select {
		case <-r.done:
			return true
		default:
			return o.offered()
		}
	})
	o.Refuse(false)
	r = keepRunning(t, p, o, r, w.Records, "after the sink failed")
	if err := r.stop(t); err != nil {
		t.Error(err)
	}
	o.Check(t, w.Records)
}

// offered says whether a batch was ever offered.
func (o *Oracle) offered() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.crowd > 0
}

func lateAndUnordered(t *testing.T, w Way) {
	if w.Stamps {
		t.Skip("the peer gives records their times")
	}
	p, o := w.Peer(t), w.oracle()
	rs := records(1, w.Records)
	rng := rand.New(rand.NewPCG(2, 2))
	for i := range rs {
		rs[i].Time = rs[i].Time.Add(-time.Duration(rng.IntN(24*3600)) * time.Second)
	}
	r := run(t, p, o, nil)
	write(t, p, rs...)
	o.AwaitRecords(t, w.Records)
	if err := r.stop(t); err != nil {
		t.Error(err)
	}
	o.Check(t, w.Records)
	for _, rec := range rs {
		if e := o.Event(rec.N); e != nil && e.Time.Sub(rec.Time).Abs() > time.Second {
			t.Fatalf("record %d was at %s and came as %s", rec.N, rec.Time, e.Time)
		}
	}
}

// clockSkew gives times that can't be. They come, or are set aside with a reason, and
// those beside them are not touched.
func clockSkew(t *testing.T, w Way) {
	if w.Stamps {
		t.Skip("the peer gives records their times")
	}
	p, o := w.Peer(t), w.oracle()
	rs := records(1, w.Records)
	wrong := []time.Time{
		time.Unix(0, 0), time.Unix(1, 0), time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC), start.Add(-240 * time.Hour), start.Add(10 * time.Minute),
	}
	for i, at := range wrong {
		rs[(i+1)*w.Records/10].Time = at
	}
	r := run(t, p, o, nil)
	write(t, p, rs...)
	o.Await(t, "all records, or their being set aside", func(events, aside, _ int) bool { return events+aside >= w.Records })
	if err := r.stop(t); err != nil {
		t.Error(err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.events) < w.Records-len(wrong) || len(o.events)+len(o.aside) != w.Records {
		t.Errorf("of %d records, %d with a wrong time, %d came and %d were set aside", w.Records, len(wrong), len(o.events), len(o.aside))
	}
}

// poison puts records that can't be read among the others.
func poison(t *testing.T, w Way) {
	if w.NoPoison {
		t.Skip("the peer holds no record that can't be read")
	}
	p, o := w.Peer(t), w.oracle()
	rs := records(1, w.Records)
	var mixed []Record
	bad := 0
	for i, rec := range rs {
		mixed = append(mixed, rec)
		if i%20 == 10 {
			bad++
			mixed = append(mixed, Record{N: 1_000_000 + i, Time: rec.Time, Poison: true})
		}
	}
	r := run(t, p, o, nil)
	write(t, p, mixed...)
	done := func(events, aside, _ int) bool { return events >= len(rs) && aside >= bad }
	o.Await(t, "all records, and the bad ones set aside", done)
	if err := r.stop(t); err != nil {
		t.Error(err)
	}
	// A restart sets nothing aside that was set aside.
	r = run(t, p, o, o.Position())
	write(t, p, records(len(rs)+1, 1)...)
	o.AwaitRecords(t, len(rs)+1)
	if err := r.stop(t); err != nil {
		t.Error(err)
	}
	o.Check(t, len(rs)+1)
	aside := o.Quarantined()
	if len(aside) != bad {
		t.Errorf("%d records are set aside, want %d", len(aside), bad)
	}
	for _, q := range aside {
		if q.Reason == "" || q.Code == "" {
			t.Errorf("set aside without a reason: %+v", q)
		}
	}
}

// goneAndBack takes the source away under a running collector.
func goneAndBack(t *testing.T, w Way) {
	p, ok := w.Peer(t).(Breaker)
	if !ok {
		t.Skip("the peer can't go away")
	}
	o := w.oracle()
	all := 0
	r := run(t, p, o, nil)
	for round := range 3 {
		write(t, p, records(all+1, w.Records)...)
		all += w.Records
		o.AwaitRecords(t, all)
		if err := p.Down(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := p.Up(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !w.Forgets && !w.Unacknowledged {
			write(t, p, records(all+1, w.Records)...)
			all += w.Records
		}
		r = keepRunning(t, p, o, r, all, fmt.Sprintf("round %d", round))
	}
	if err := r.stop(t); err != nil {
		t.Error(err)
	}
	o.Check(t, all)
}

// keepRunning starts the collector again as often as it fails, as the supervisor does,
// until n records have come. For a way that forgets it waits for the one after that.
func keepRunning(t *testing.T, p Peer, o *Oracle, r *running, n int, what string) *running {
	t.Helper()
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		o.mu.Lock()
		have, changed := len(o.events), o.changed
		o.mu.Unlock()
		if have >= n {
			return r
		}
		select {
		case <-r.done:
			if r.err == nil {
				t.Fatalf("%s: Run returned nil though nobody cancelled it", what)
			}
			<-time.After(20 * time.Millisecond) // the supervisor's back-off
			r = run(t, p, o, o.Position())
		case <-changed:
		case <-time.After(time.Second):
		}
	}
	t.Fatalf("%s: waited in vain for %d records", what, n)
	return nil
}

// otherPosition starts from bytes that are no position, or another way's: each time the
// source is read as if for the first time.
func otherPosition(t *testing.T, w Way) {
	p, o := w.Peer(t), w.oracle()
	n, all := min(w.Records, 20), 0
	for _, position := range []string{
		"{", "null", "\x00\xff", `[1,2]`, `{"x":1}`,
		// What collectors keep, as others do that have the same names for something else.
		`{"logs":1,"of":1,"ledger":1,"stream":1,"lists":1,"states":1,"read":"x","until":"x","seen":{},"created":1}`,
	} {
		r := run(t, p, o, []byte(position))
		write(t, p, records(all+1, n)...)
		all += n
		o.AwaitRecords(t, all)
		if err := r.stop(t); err != nil {
			t.Fatalf("from %q Run returned %v", position, err)
		}
	}
	o.Check(t, all)
}
