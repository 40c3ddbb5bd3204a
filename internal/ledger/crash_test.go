package ledger_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/collectors"
	"vigil/internal/api"
	"vigil/internal/ledger"
	"vigil/internal/series"
)

// The crash test runs this test binary again as a child that does all that a
// ledger is for, and kills it. What the child says on its standard output is the
// oracle: it says it only after the ledger did.

const crashDir = "VIGIL_LEDGER_CRASH_DIR"

// crashSources are read by one goroutine each.
func crashSources() []string { return []string{"pg", "nginx"} }

func crashConfig(dir string) ledger.Config {
	return ledger.Config{Dir: dir, SegmentEvents: 1500, MaxBatches: 24, SealAfter: time.Millisecond, SealMaxAge: 50 * time.Millisecond, Snapshots: 2, MaxPending: 5_000, Spool: true}
}

// crashEvent is event k of a source: always the same.
func crashEvent(source string, k int) *vigil.Event {
	e := traffic(k, 1)[0]
	e.Source, e.ID = source, fmt.Sprintf("%s-%d", source, k)
	// More roles than a tag has room for.
	e.Actor.Role = fmt.Sprintf("role-%d", k*7919%300)
	return e
}

// crashFinding is what entry seq makes grow; ok is false for most entries.
func crashFinding(seq uint64) (vigil.Finding, bool) {
	if seq%5 != 0 {
		return vigil.Finding{}, false
	}
	return finding(fmt.Sprintf("f-%d", seq/15), int(seq%15/5)+1, float64(seq)), true
}

// fold is a detector in small: it counts each actor's events, in parts.
type fold struct {
	parts   map[string]map[string]int
	changed map[string]bool
	seq     uint64
}

func newFold() *fold {
	return &fold{parts: make(map[string]map[string]int), changed: make(map[string]bool)}
}

func (f *fold) add(e vigil.Entry) {
	f.seq = e.Seq
	for _, ev := range e.Events {
		part := ev.Actor.ID[len(ev.Actor.ID)-1:]
		if f.parts[part] == nil {
			f.parts[part] = make(map[string]int)
		}
		f.parts[part][ev.Actor.ID]++
		f.changed[part] = true
	}
}

func (f *fold) save(ctx context.Context, l *ledger.Ledger) error {
	s := ledger.Snapshot{Seq: f.seq}
	for part := range f.changed {
		data, err := json.Marshal(f.parts[part])
		if err != nil {
			return err
		}
		s.Parts = append(s.Parts, ledger.SnapshotPart{Name: part, Data: data})
	}
	f.changed = make(map[string]bool)
	return l.SaveSnapshot(ctx, s)
}

// restore loads the newest snapshot and judges again what came after it, up to
// what was applied.
func (f *fold) restore(ctx context.Context, l *ledger.Ledger) error {
	s, ok, err := l.LoadSnapshot(ctx)
	if err != nil {
		return err
	}
	if ok {
		f.seq = s.Seq
		for _, p := range s.Parts {
			var counts map[string]int
			if err := json.Unmarshal(p.Data, &counts); err != nil {
				return err
			}
			f.parts[p.Name] = counts
		}
	}
	for f.seq < l.Applied() {
		entries, err := l.Entries(ctx, f.seq, int(min(l.Applied()-f.seq, 64)))
		if err != nil {
			return err
		}
		for _, e := range entries {
			f.add(e)
		}
	}
	return nil
}

// apply judges the next entries.
func (f *fold) apply(ctx context.Context, l *ledger.Ledger, caps *series.Caps) error {
	entries, err := l.Entries(ctx, f.seq, 16)
	if err != nil || len(entries) == 0 {
		return err
	}
	a := ledger.Applied{From: entries[0].Seq}
	for _, e := range entries {
		f.add(e)
		a.Seq = e.Seq
		a.Events += int64(len(e.Events))
		a.Points = append(a.Points, series.Roll(e.Events, caps)...)
		if finding, ok := crashFinding(e.Seq); ok {
			a.Findings = append(a.Findings, finding)
			a.Outbox = append(a.Outbox, card(finding))
		}
	}
	return l.Apply(ctx, a)
}

// crashChild runs the child when this process is one. It never ends by itself.
func crashChild() bool {
	dir := os.Getenv(crashDir)
	if dir == "" {
		return false
	}
	if err := runCrashChild(dir); err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	return true
}

func runCrashChild(dir string) error {
	ctx := context.Background()
	began := time.Now()
	l, err := ledger.Open(ctx, crashConfig(dir), ledger.Options{})
	if err != nil {
		return err
	}
	// One write to a pipe of less than 4 KiB is never torn.
	say := func(format string, args ...any) { _, _ = os.Stdout.WriteString(fmt.Sprintf(format+"\n", args...)) }
	say("open %d", time.Since(began).Milliseconds())
	failed := make(chan error, 8)
	run := func(step func() error) {
		go func() {
			for {
				if err := step(); err != nil {
					failed <- err
					return
				}
			}
		}()
	}
	for _, source := range crashSources() {
		position, err := l.Position(ctx, source)
		if err != nil {
			return err
		}
		next, _ := strconv.Atoi(string(position)) // nothing yet: 0
		rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
		run(func() error {
			// Now and then some of what was offered is offered again, as after a lost
			// acknowledgement.
			from, n := next, 1+rng.IntN(200)
			if rng.IntN(4) == 0 {
				from = max(0, next-rng.IntN(300))
			}
			b := collectors.Batch{Source: source, Position: []byte(strconv.Itoa(next + n))}
			for k := from; k < next+n; k++ {
				b.Events = append(b.Events, crashEvent(source, k))
			}
			_, fresh, err := l.Accept(ctx, b)
			if err != nil {
				return err
			}
			if fresh != n {
				return fmt.Errorf("%d of %d events of %s from %d were fresh", fresh, n, source, next)
			}
			next += n
			say("ack %s %d", source, next)
			return nil
		})
	}
	state, caps := newFold(), series.NewCaps(0, l.SeriesKeys())
	if err := state.restore(ctx, l); err != nil {
		return err
	}
	applied := 0
	run(func() error {
		if err := l.Wait(ctx, state.seq); err != nil {
			return err
		}
		if err := state.apply(ctx, l, caps); err != nil {
			return err
		}
		say("applied %d", state.seq)
		if applied++; applied%5 == 0 {
			_, err := l.AcceptTick(ctx, vigil.Tick{Watermark: start})
			return err
		}
		if applied%7 == 0 {
			return state.save(ctx, l)
		}
		return nil
	})
	run(func() error {
		if err := l.Wait(ctx, l.Last()); err != nil {
			return err
		}
		_, err := l.Seal(ctx, time.Now())
		return err
	})
	run(func() error {
		next := l.MailSignal()
		items, err := l.Due(ctx, "slack", time.Now(), 1)
		if err != nil {
			return err
		}
		if len(items) == 0 {
			<-next
			return nil
		}
		say("sent %s", items[0].ID)
		return l.Done(ctx, items[0], "receipt-of-"+items[0].FindingID)
	})
	say("ready")
	return <-failed
}

// oracle is what the child has said.
type oracle struct {
	acked   map[string]int
	applied uint64
	sent    map[string]int
	opens   []int
	errs    []string
}

func (o *oracle) line(line string) {
	f := strings.Fields(line)
	switch {
	case len(f) == 3 && f[0] == "ack":
		o.acked[f[1]], _ = strconv.Atoi(f[2])
	case len(f) == 2 && f[0] == "applied":
		o.applied, _ = strconv.ParseUint(f[1], 10, 64)
	case len(f) == 2 && f[0] == "sent":
		o.sent[f[1]]++
	case len(f) == 2 && f[0] == "open":
		ms, _ := strconv.Atoi(f[1])
		o.opens = append(o.opens, ms)
	case line != "ready":
		o.errs = append(o.errs, line)
	}
}

// round starts a child, lets it work for a while, and kills it.
func (o *oracle) round(t *testing.T, dir string, work time.Duration) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), crashDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	in := bufio.NewReader(out)
	for {
		line, err := in.ReadString('\n')
		if errors.Is(err, io.EOF) {
			break // a line without its end was cut by the kill
		}
		if err != nil {
			t.Fatal(err)
		}
		line = strings.TrimSuffix(line, "\n")
		o.line(line)
		if line == "ready" {
			timer.Reset(work)
		}
	}
	_ = cmd.Wait() // it was killed
}

func TestKilledFiftyTimes(t *testing.T) {
	t.Parallel()
	rounds := 50
	if testing.Short() {
		rounds = 12
	}
	dir := t.TempDir()
	o := &oracle{acked: make(map[string]int), sent: make(map[string]int)}
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 2))
	for range rounds {
		o.round(t, dir, time.Duration(5+rng.IntN(250))*time.Millisecond)
		if len(o.errs) > 0 {
			t.Fatalf("the child says: %v", o.errs)
		}
	}
	began := time.Now()
	l := open(t, crashConfig(dir), ledger.Options{})
	o.opens = append(o.opens, int(time.Since(began).Milliseconds()))
	if slowest := slices.Max(o.opens); slowest > 5000 {
		t.Errorf("the slowest start took %d ms, more than 5 s", slowest)
	}
	if l.Applied() < o.applied {
		t.Errorf("applied up to %d, but it said %d", l.Applied(), o.applied)
	}
	state, caps := newFold(), series.NewCaps(0, l.SeriesKeys())
	if err := state.restore(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	for state.seq < l.Last() {
		if err := state.apply(t.Context(), l, caps); err != nil {
			t.Fatal(err)
		}
	}
	total := o.checkLog(t, l, state)
	o.checkFindings(t, l)
	if damage, err := l.Verify(t.Context()); len(damage) > 0 || err != nil {
		t.Errorf("damage %v, error %v", damage, err)
	}
	stats, err := l.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if stats.Judged != int64(total) || stats.Pending != 0 || stats.Damaged != 0 {
		t.Errorf("judged %d of %d events, %d pending, %d damaged", stats.Judged, total, stats.Pending, stats.Damaged)
	}
	t.Logf("%d kills, %d events, %d entries, %d segments, newest snapshot at %d, slowest start %d ms",
		rounds, total, l.Last(), stats.Segments, stats.SnapshotSeq, slices.Max(o.opens))
}

// checkLog holds the log, the totals, the search and the fold's state against
// what was acknowledged: each event once, none invented. It returns their number.
func (o *oracle) checkLog(t *testing.T, l *ledger.Ledger, state *fold) int {
	t.Helper()
	want := series.NewCaps(0, nil)
	next := make(map[string]int)
	sums := make(map[time.Time]map[series.Key]series.Point)
	again := newFold()
	total := 0
	for again.seq < l.Last() {
		entries, err := l.Entries(t.Context(), again.seq, 64)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			again.add(e)
			for _, ev := range e.Events {
				if w := crashEvent(ev.Source, next[ev.Source]); !reflect.DeepEqual(w, ev) {
					t.Fatalf("event %d of %s (-want +got):\n%s", next[ev.Source], ev.Source, cmp.Diff(w, ev))
				}
				next[ev.Source]++
				total++
			}
			for _, p := range series.Roll(e.Events, want) {
				if sums[p.Start] == nil {
					sums[p.Start] = make(map[series.Key]series.Point)
				}
				s := sums[p.Start][p.Key]
				s.Start, s.Key = p.Start, p.Key
				s.Events, s.Rows, s.Bytes, s.Subjects, s.Denied = s.Events+p.Events, s.Rows+p.Rows, s.Bytes+p.Bytes, s.Subjects+p.Subjects, s.Denied+p.Denied
				sums[p.Start][p.Key] = s
			}
		}
	}
	for source, n := range o.acked {
		if next[source] < n {
			t.Errorf("%d events of %s are there, %d were acknowledged", next[source], source, n)
		}
		if p, err := l.Position(t.Context(), source); err != nil || string(p) != strconv.Itoa(next[source]) {
			t.Errorf("position of %s is %q (error %v), its events go to %d", source, p, err, next[source])
		}
	}
	if diff := cmp.Diff(again.parts, state.parts); diff != "" {
		t.Errorf("state by snapshot and by the whole log differ (-log +snapshot):\n%s", diff)
	}
	points, err := l.Points(t.Context(), start.Add(-time.Hour), start.Add(1000*time.Hour), 10_000_000)
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[time.Time]map[series.Key]series.Point)
	for _, p := range points {
		if got[p.Start] == nil {
			got[p.Start] = make(map[series.Key]series.Point)
		}
		got[p.Start][p.Key] = p
	}
	if diff := cmp.Diff(sums, got); diff != "" {
		t.Errorf("totals of the time series (-log +kept):\n%.2000s", diff)
	}
	page, err := l.Events(t.Context(), ledger.EventQuery{Limit: 1})
	if err != nil || page.Total != total || page.Damaged != 0 {
		t.Errorf("search finds %d events (%d damaged, error %v), the log has %d", page.Total, page.Damaged, err, total)
	}
	return total
}

// checkFindings holds the findings and messages against the entries that were
// judged.
func (o *oracle) checkFindings(t *testing.T, l *ledger.Ledger) {
	t.Helper()
	want := make(map[string]vigil.Finding)
	for seq := uint64(1); seq <= l.Applied(); seq++ {
		if f, ok := crashFinding(seq); ok {
			want[f.ID] = f
		}
	}
	page, err := l.Findings(t.Context(), api.FindingFilter{Limit: 1_000_000})
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]vigil.Finding)
	for _, f := range page.Findings {
		got[f.ID] = f
	}
	if diff := cmp.Diff(want, got); diff != "" || len(got) != len(page.Findings) {
		t.Errorf("%d findings (-want +got):\n%.2000s", len(page.Findings), diff)
	}
	waiting := make(map[string]bool)
	items, err := l.Due(t.Context(), "slack", time.Now().Add(time.Hour), 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range items {
		waiting[i.ID] = true
	}
	again := 0
	for _, n := range o.sent {
		again += n - 1
	}
	if again > len(o.opens) {
		t.Errorf("%d messages were sent again in %d crashes: at most the one on its way may be", again, len(o.opens))
	}
	for _, id := range slices.Sorted(maps.Keys(want)) {
		if c := card(want[id]).ID; o.sent[c] == 0 && !waiting[c] {
			t.Errorf("message %s was neither sent nor waits", c)
		}
	}
}
