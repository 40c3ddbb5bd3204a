package sqltable_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"vigil"
	"vigil/collectors"
	"vigil/collectors/collectorstest"
	sqltable "vigil/collectors/sql"
)

// clock is one that a test sets.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }

type running struct {
	cancel context.CancelFunc
	done   chan error
}

// run starts a collector of the peer.
func run(t testing.TB, cfg sqltable.Config, now func() time.Time, position []byte, sink collectors.Sink) *running {
	t.Helper()
	c, err := sqltable.New(cfg, sqltable.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	r := &running{cancel: cancel, done: make(chan error, 1)}
	go func() {
		err := c.Run(ctx, position, sink)
		if err != nil && ctx.Err() == nil {
			t.Errorf("Run returned %v", err)
		}
		r.done <- err
	}()
	t.Cleanup(cancel)
	return r
}

func (r *running) stop(t testing.TB) {
	t.Helper()
	r.cancel()
	select {
	case err := <-r.done:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("Run does not return")
	}
}

func oracle() *collectorstest.Oracle { return collectorstest.NewOracle("audit", nil) }

// record makes record n, of now.
func record(n int) collectorstest.Record {
	return collectorstest.Record{N: n, Time: time.Now()}
}

// Eight writers whose transactions take long and short, and of which some are rolled back,
// write through a sequence with a cache, while the collector is stopped and started: each
// row that was committed comes, and each once.
func TestManyWritersAndRestarts(t *testing.T) {
	t.Parallel()
	s := startPostgres(t)
	for _, c := range []struct {
		name   string
		change func(*sqltable.Config)
	}{{"numbers", nil}, {"times", byTime}, {"sparse", func(c *sqltable.Config) { c.Sparse = true }}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newPeer(t, s, c.change)
			p.cfg.Batch = 40
			s.exec(t, p.db, "ALTER SEQUENCE audit_id_seq CACHE 7", "ALTER TABLE audit ALTER at SET DEFAULT now()")
			var n atomic.Int64
			var mu sync.Mutex
			committed := map[int]bool{}
			var writers sync.WaitGroup
			for w := range 8 {
				writers.Go(func() {
					rng := rand.New(rand.NewPCG(uint64(w), 1))
					conn, err := pgx.Connect(t.Context(), s.url(p.db))
					if err != nil {
						t.Error(err)
						return
					}
					defer conn.Close(context.WithoutCancel(t.Context()))
					for range 60 {
						tx, err := conn.Begin(t.Context())
						if err != nil {
							t.Error(err)
							return
						}
						var mine []int
						for range 1 + rng.IntN(4) {
							k := int(n.Add(1))
							mine = append(mine, k)
							if _, err := tx.Exec(t.Context(), insert(false, record(k))); err != nil {
								t.Error(err)
							}
							if _, err := tx.Exec(t.Context(), "SELECT pg_sleep($1)", rng.ExpFloat64()*0.01); err != nil {
								t.Error(err)
							}
						}
						if rng.IntN(4) == 0 {
							_ = tx.Rollback(t.Context())
							continue
						}
						// Counted before the commit: it may be seen before it returns.
						mu.Lock()
						for _, k := range mine {
							committed[k] = true
						}
						mu.Unlock()
						if err := tx.Commit(t.Context()); err != nil {
							t.Error(err)
						}
					}
				})
			}
			finished := make(chan struct{})
			go func() { writers.Wait(); close(finished) }()
			o := oracle()
			rng := rand.New(rand.NewPCG(9, 9))
			for busy := true; busy; {
				r := run(t, p.cfg, nil, o.Position(), o)
				some := rng.IntN(120)
				before := 0
				o.Await(t, "some rows, or the end", func(events, _, _ int) bool {
					before = max(before, 1)
					select {
					case <-finished:
						busy = false
						return true
					default:
						return events >= some
					}
				})
				r.stop(t)
			}
			r := run(t, p.cfg, nil, o.Position(), o)
			o.AwaitRecords(t, len(committed))
			r.stop(t)
			lost := 0
			for k := range committed {
				if o.Event(k) == nil {
					lost++
				}
			}
			got := 0
			o.Await(t, "nothing", func(events, _, _ int) bool { got = events; return true })
			if lost > 0 || got != len(committed) {
				t.Errorf("of %d committed rows %d are lost, and %d came", len(committed), lost, got)
			}
			t.Logf("%d rows were committed, of %d written", len(committed), n.Load())
		})
	}
}

// A row whose transaction lasts longer than settle comes all the same: PostgreSQL tells
// that the transaction still runs.
func TestVeryLongTransaction(t *testing.T) {
	t.Parallel()
	s := startPostgres(t)
	for _, change := range []func(*sqltable.Config){nil, byTime} {
		p := newPeer(t, s, change)
		s.exec(t, p.db, "ALTER TABLE audit ALTER at SET DEFAULT now()")
		conn, err := pgx.Connect(t.Context(), s.url(p.db))
		if err != nil {
			t.Fatal(err)
		}
		tx, err := conn.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), insert(false, record(1))); err != nil {
			t.Fatal(err)
		}
		var c clock
		o := oracle()
		r := run(t, p.cfg, c.now, nil, o)
		for n := 2; n <= 6; n++ {
			s.exec(t, p.db, insert(false, record(n)))
			o.AwaitRecords(t, n-1)
			c.advance(40 * time.Minute)
		}
		if err := tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		o.AwaitRecords(t, 6)
		r.stop(t)
		o.Check(t, 6)
		if got := o.Lapses(); len(got) > 0 {
			t.Errorf("told: %+v", got)
		}
		conn.Close(t.Context())
	}
}

// await waits for the first lapse and returns it.
func await(t *testing.T, o *collectorstest.Oracle, n int) vigil.Lapse {
	t.Helper()
	o.Await(t, fmt.Sprintf("lapse %d", n), func(_, _, _ int) bool { return len(o.Lapses()) >= n })
	return o.Lapses()[n-1]
}

// What a table tells of itself: rows that were deleted before they were read, and that it
// was emptied, cut back, or lost what it had. Rollbacks are not told.
func TestTableIsTamperedWith(t *testing.T) {
	t.Parallel()
	s := startPostgres(t)
	p := newPeer(t, s, nil)
	var c clock
	o := oracle()
	s.exec(t, p.db, insert(false, record(1)))
	r := run(t, p.cfg, c.now, nil, o)
	o.AwaitRecords(t, 1)
	// 500 numbers of a rollback are nothing, 5,000 that are gone are.
	s.exec(t, p.db, "SELECT setval('audit_id_seq', nextval('audit_id_seq') + 500)", insert(false, record(2)))
	o.AwaitRecords(t, 2)
	s.exec(t, p.db, "SELECT setval('audit_id_seq', nextval('audit_id_seq') + 4999)", insert(false, record(3)))
	o.AwaitRecords(t, 3)
	c.advance(2 * time.Minute)
	l := await(t, o, 1)
	if l.Kind != vigil.LapseHole || l.Missing != 5000 || !strings.Contains(l.Text, "deleted") || l.Start.After(l.End) {
		t.Errorf("told: %+v", l)
	}
	// The newest rows go.
	s.exec(t, p.db, insert(false, record(4), record(5)))
	o.AwaitRecords(t, 5)
	s.exec(t, p.db, "DELETE FROM audit WHERE subjects IN ('{c4}', '{c5}')")
	if l := await(t, o, 2); l.Kind != vigil.LapseReset || !strings.Contains(l.Text, "went back") {
		t.Errorf("told: %+v", l)
	}
	// The table is emptied and begins anew, beyond where we were.
	r.stop(t)
	s.exec(t, p.db, "TRUNCATE audit RESTART IDENTITY", insert(false, record(6), record(7)), "SELECT setval('audit_id_seq', 100000)", insert(false, record(8)))
	r = run(t, p.cfg, c.now, o.Position(), o)
	if l := await(t, o, 3); l.Kind != vigil.LapseReset || !strings.Contains(l.Text, "emptied") {
		t.Errorf("told: %+v", l)
	}
	o.AwaitRecords(t, 8)
	// A rewrite that leaves the rows is nothing.
	s.exec(t, p.db, "VACUUM FULL audit")
	s.exec(t, p.db, insert(false, record(9)))
	o.AwaitRecords(t, 9)
	// A number out of this world does not hide those that follow, however long they take.
	s.exec(t, p.db, "INSERT INTO audit (id, time, actor, action, subjects) VALUES (9223372036854775807, now()::text, 'a', 'read', '{c10}')")
	s.exec(t, p.db, "UPDATE audit SET time = to_char(now(), 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') WHERE id = 9223372036854775807")
	s.exec(t, p.db, insert(false, record(11)))
	o.Await(t, "the row after it", func(_, _, _ int) bool { return o.Event(11) != nil })
	for n := 12; n < 15; n++ {
		c.advance(time.Hour)
		s.exec(t, p.db, insert(false, record(n)))
		o.Await(t, "a row below", func(_, _, _ int) bool { return o.Event(n) != nil })
	}
	r.stop(t)
	if l := await(t, o, 4); l.Kind != vigil.LapseHole {
		t.Errorf("told: %+v", l)
	}
}

// A server that lost what it had told, and gives the numbers anew, is told; what follows
// is read.
func TestNumbersGivenTwice(t *testing.T) {
	t.Parallel()
	s := startPostgres(t)
	p := newPeer(t, s, nil)
	o := oracle()
	s.exec(t, p.db, insert(false, record(1), record(2), record(3)))
	r := run(t, p.cfg, nil, nil, o)
	o.AwaitRecords(t, 3)
	r.stop(t)
	// As a standby does that takes over without the last rows.
	s.exec(t, p.db, "DELETE FROM audit WHERE id > 1", "SELECT setval('audit_id_seq', 1)", insert(false, record(4), record(5)))
	if err := s.kill(); err != nil {
		t.Fatal(err)
	}
	if err := s.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	r = run(t, p.cfg, nil, o.Position(), o)
	o.AwaitRecords(t, 5)
	r.stop(t)
	o.Check(t, 5)
	if l := await(t, o, 1); l.Kind != vigil.LapseReset {
		t.Errorf("told: %+v", l)
	}
}

// A time from the future does not hide the present, and one that went back is told.
func TestTimesThatGoWrong(t *testing.T) {
	t.Parallel()
	s := startPostgres(t)
	p := newPeer(t, s, byTime)
	var c clock
	o := oracle()
	at := func(when string, n int) {
		s.exec(t, p.db, insert(false, record(n)), fmt.Sprintf("UPDATE audit SET at = %s WHERE subjects = '{c%d}'", when, n))
	}
	s.exec(t, p.db, insert(false, record(1)))
	at("timestamptz '2999-01-01'", 2)
	r := run(t, p.cfg, c.now, nil, o)
	o.AwaitRecords(t, 2)
	for n := 3; n < 8; n++ {
		c.advance(30 * time.Second)
		s.exec(t, p.db, insert(false, record(n)))
		o.Await(t, "a row of now", func(_, _, _ int) bool { return o.Event(n) != nil })
	}
	r.stop(t)
	s.exec(t, p.db, "TRUNCATE audit")
	r = run(t, p.cfg, c.now, o.Position(), o)
	if l := await(t, o, 1); l.Kind != vigil.LapseReset {
		t.Errorf("told: %+v", l)
	}
	at("now() - interval '3 days'", 8)
	o.AwaitRecords(t, 8)
	// Many rows of one time, more than a batch has.
	var many []collectorstest.Record
	for n := 9; n <= 1008; n++ {
		many = append(many, record(n))
	}
	s.exec(t, p.db, "ALTER TABLE audit ALTER at SET DEFAULT now()", insert(false, many...))
	o.AwaitRecords(t, 1008)
	r.stop(t)
	o.Check(t, 1008)
}
