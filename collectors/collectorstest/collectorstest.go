// Package collectorstest is the suite that every collector passes: that nothing is lost
// and nothing counts twice, whatever befalls the collector, its source and its sink.
//
// A collector's test makes a [Way] out of a real peer (a server, a broker, a folder) and
// calls [Run]. The sink of the suite is an [Oracle]: it keeps what the ledger keeps, and
// knows every record that was ever written.
package collectorstest

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/collectors"
)

// Record is one that a test writes into the source.
type Record struct {
	// N is its number, from 1, unique within a test.
	N int
	// Time is when the access was.
	Time time.Time
	// Poison makes it one that can't be read.
	Poison bool
}

// Line is the record as one line of the native format, without its end. A poisoned one
// is broken JSON.
func (r Record) Line() []byte {
	if r.Poison {
		return fmt.Appendf(nil, `{"time":"%s","actor":"poison-%d","subj`, r.Time.UTC().Format(time.RFC3339Nano), r.N)
	}
	line, err := json.Marshal(map[string]any{
		"time": r.Time.UTC().Format(time.RFC3339Nano), "actor": "agent-" + strconv.Itoa(r.N%7), "action": "read",
		"subjects": []string{"c" + strconv.Itoa(r.N)}, "resource": "conversations", "source": "forged",
	})
	if err != nil {
		panic(err) // of strings alone: it can't be
	}
	return line
}

// Peer is the other end of a collector: what holds records or sends them.
type Peer interface {
	// Write gives records to the peer, which holds them until they can be read or sent,
	// as a proper client of its kind does. It returns once the peer has them: it must
	// not wait for a collector, which may not run.
	Write(ctx context.Context, records ...Record) error
	// Collector makes a collector that reads the peer, as a start of the program does.
	// It may be called again once the last one has returned.
	Collector() (collectors.Collector, error)
}

// Breaker is a peer that can go away and come back, with what it holds.
type Breaker interface {
	Peer
	Down(ctx context.Context) error
	Up(ctx context.Context) error
}

// Way describes a collector to the suite.
type Way struct {
	// Source is the source's name in the collector's configuration.
	Source string
	// Peer makes a fresh peer for one test, which ends with it.
	Peer func(t *testing.T) Peer
	// Forgets says that the peer keeps nothing for a collector that is away (UDP,
	// MONITOR): then nothing is asked of what is written meanwhile.
	Forgets bool
	// Unacknowledged says that the way can't tell the sender what was kept, so that a
	// kill may lose what was under way (plain syslog over TCP).
	Unacknowledged bool
	// Stamps says that the peer gives a record its time itself, so that none is late or
	// wrong.
	Stamps bool
	// NoPoison says that the peer can't hold a record that can't be read.
	NoPoison bool
	// Records is how many a test writes at once; zero means 200.
	Records int
	// Number tells which record an event is, 0 when that can't be told; nil reads the
	// subject, as Record.Line writes it.
	Number func(e *vigil.Event) int
}

// patience is how long a test waits for what must happen.
const patience = time.Minute

// start is when the records of a test begin.
var start = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

func numberOf(e *vigil.Event) int {
	if len(e.Subjects) != 1 {
		return 0
	}
	n, err := strconv.Atoi(strings.TrimPrefix(e.Subjects[0], "c"))
	if err != nil {
		return 0
	}
	return n
}

// records makes n records from number first on, a second apart.
func records(first, n int) []Record {
	out := make([]Record, n)
	for i := range out {
		out[i] = Record{N: first + i, Time: start.Add(time.Duration(first+i) * time.Second)}
	}
	return out
}

// running is a collector that runs.
type running struct {
	cancel context.CancelFunc
	done   chan struct{}
	err    error
}

// run starts the peer's collector from the oracle's position.
func run(t *testing.T, p Peer, sink collectors.Sink, position []byte) *running {
	t.Helper()
	c, err := p.Collector()
	if err != nil {
		t.Fatalf("make the collector: %v", err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	r := &running{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.err = c.Run(ctx, position, sink)
	}()
	t.Cleanup(func() {
		cancel()
		<-r.done
	})
	return r
}

// stop cancels, waits, and returns what Run returned.
func (r *running) stop(t *testing.T) error {
	t.Helper()
	r.cancel()
	return r.wait(t)
}

func (r *running) wait(t *testing.T) error {
	t.Helper()
	select {
	case <-r.done:
	case <-time.After(patience):
		t.Fatal("Run does not return")
	}
	return r.err
}

func write(t *testing.T, p Peer, rs ...Record) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := p.Write(ctx, rs...); err != nil {
		t.Fatalf("write %d records: %v", len(rs), err)
	}
}
