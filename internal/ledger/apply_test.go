package ledger_test

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"vigil"
	"vigil/internal/api"
	"vigil/internal/ledger"
	"vigil/internal/series"
)

func finding(id string, revision int, harm float64) vigil.Finding {
	return vigil.Finding{
		ID: id, Revision: revision, State: vigil.StateOpen, About: vigil.AboutActor, Actor: "agent-07",
		Start: start, End: start.Add(time.Hour), Detected: start.Add(time.Hour), Severity: vigil.SeverityHigh, Lane: "day",
		Evidence: 4.5, Threshold: 3, Harm: harm, Sentence: "agent-07 read 900 conversations", Rows: vigil.Unknown, Subjects: 900, Events: 1200, Conversations: vigil.Unknown,
		Contributions: []vigil.Contribution{{Model: "volume", Observation: "subjects", Span: "day", SpanStart: start, Frame: "self", Seen: 900, Expected: 40, P: 1e-6}},
	}
}

func card(f vigil.Finding) ledger.OutboxItem {
	return ledger.OutboxItem{
		ID: fmt.Sprintf("slack/%s/%d", f.ID, f.Revision), Notifier: "slack", Kind: "finding", FindingID: f.ID, Revision: f.Revision,
		Priority: f.Severity.Rank(), Payload: []byte(f.Sentence),
	}
}

func TestApplyIsAllOrNothingAndInOrder(t *testing.T) {
	t.Parallel()
	cfg := ledger.Config{Dir: t.TempDir(), Spool: true}
	l := open(t, cfg, ledger.Options{})
	accept(t, l, 0, 100)
	accept(t, l, 100, 100)
	caps := series.NewCaps(0, nil)
	for _, a := range []ledger.Applied{{Seq: 2}, {Seq: 0}, {From: 1, Seq: 3}, {From: 2, Seq: 1}} {
		if err := l.Apply(t.Context(), a); !errors.Is(err, ledger.ErrOrder) {
			t.Errorf("apply %d to %d: error %v, want ErrOrder", a.From, a.Seq, err)
		}
	}
	first := ledger.Applied{Seq: 1, Findings: []vigil.Finding{finding("f-1", 1, 3)}, Points: series.Roll(traffic(0, 100), caps), Events: 100}
	bad := first
	bad.Findings = append([]vigil.Finding{finding("f-0", 1, 1)}, finding("f-2", 1, math.NaN()))
	if err := l.Apply(t.Context(), bad); err == nil {
		t.Fatal("a finding that is no JSON was taken")
	}
	if page, err := l.Findings(t.Context(), api.FindingFilter{}); err != nil || page.Total != 0 || l.Applied() != 0 {
		t.Fatalf("after a failure: %d findings, applied %d, error %v", page.Total, l.Applied(), err)
	}
	if err := l.Apply(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	if err := l.Apply(t.Context(), first); !errors.Is(err, ledger.ErrOrder) {
		t.Fatalf("applied twice: %v", err)
	}
	l = reopen(t, l, cfg)
	second := ledger.Applied{Seq: 2, Findings: []vigil.Finding{finding("f-1", 2, 5), finding("f-3", 1, 4)}, Points: series.Roll(traffic(100, 100), caps), Events: 100, Late: 3}
	if err := l.Apply(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	page, err := l.Findings(t.Context(), api.FindingFilter{})
	if err != nil {
		t.Fatal(err)
	}
	want := api.FindingPage{Findings: []vigil.Finding{finding("f-1", 2, 5), finding("f-3", 1, 4)}, Total: 2}
	if diff := cmp.Diff(want, page); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	points, err := l.Points(t.Context(), start, start.Add(time.Hour), 0)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(series.Roll(traffic(0, 200), series.NewCaps(0, nil)), points); diff != "" {
		t.Errorf("totals (-want +got):\n%s", diff)
	}
	stats, err := l.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if stats.Judged != 200 || stats.Late != 3 || stats.Pending != 0 || stats.Applied != 2 {
		t.Errorf("counts %+v", stats)
	}
}

func TestFindingsFilter(t *testing.T) {
	t.Parallel()
	l := open(t, ledger.Config{}, ledger.Options{})
	accept(t, l, 0, 1)
	mild, closed := finding("f-mild", 1, 9), finding("f-closed", 1, 2)
	mild.Severity, closed.State = vigil.SeverityLow, vigil.StateClosed
	if err := l.Apply(t.Context(), ledger.Applied{Seq: 1, Findings: []vigil.Finding{mild, closed, finding("f-a", 1, 1)}}); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		filter api.FindingFilter
		want   []string
		total  int
	}{
		"all":    {api.FindingFilter{}, []string{"f-mild", "f-closed", "f-a"}, 3},
		"severe": {api.FindingFilter{MinSeverity: vigil.SeverityHigh}, []string{"f-closed", "f-a"}, 2},
		"open":   {api.FindingFilter{State: vigil.StateOpen}, []string{"f-mild", "f-a"}, 2},
		"second": {api.FindingFilter{Limit: 1, Offset: 1}, []string{"f-closed"}, 3},
	} {
		page, err := l.Findings(t.Context(), test.filter)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, f := range page.Findings {
			ids = append(ids, f.ID)
		}
		if diff := cmp.Diff(test.want, ids); diff != "" || page.Total != test.total {
			t.Errorf("%s: total %d, ids (-want +got):\n%s", name, page.Total, diff)
		}
	}
	if _, err := l.Finding(t.Context(), "f-none"); !errors.Is(err, api.ErrNotFound) {
		t.Errorf("error %v, want ErrNotFound", err)
	}
}

func TestOutbox(t *testing.T) {
	t.Parallel()
	clock := start
	l := open(t, ledger.Config{}, ledger.Options{Now: func() time.Time { return clock }})
	seq := uint64(0)
	apply := func(items ...ledger.OutboxItem) {
		t.Helper()
		seq++
		accept(t, l, int(seq), 1)
		if err := l.Apply(t.Context(), ledger.Applied{Seq: seq, Outbox: items}); err != nil {
			t.Fatal(err)
		}
	}
	due := func(at time.Time) []ledger.OutboxItem {
		t.Helper()
		items, err := l.Due(t.Context(), "slack", at, 10)
		if err != nil {
			t.Fatal(err)
		}
		return items
	}
	one, two := finding("f-1", 1, 1), finding("f-2", 1, 1)
	two.Severity = vigil.SeverityCritical
	apply(card(one), card(two))
	want := []ledger.OutboxItem{card(two), card(one)}
	for i := range want {
		want[i].Created, want[i].Due = clock, clock
	}
	items := due(clock)
	if diff := cmp.Diff(want, items, cmpopts.IgnoreUnexported(ledger.OutboxItem{})); diff != "" {
		t.Fatalf("due (-want +got):\n%s", diff)
	}

	// While the second's card is on its way, its next revision comes: that one
	// stays to be sent, and edits what the first made.
	two.Revision = 2
	apply(card(two))
	if err := l.Done(t.Context(), items[0], "ts-17"); err != nil {
		t.Fatal(err)
	}
	items = due(clock)
	if len(items) != 2 || items[0].Revision != 2 || items[0].Receipt != "ts-17" {
		t.Fatalf("due %+v", items)
	}
	// The first fails; a newer revision replaces it, and keeps its patience.
	if err := l.Failed(t.Context(), items[1], errors.New("rate limited"), clock.Add(time.Minute), false); err != nil {
		t.Fatal(err)
	}
	one.Revision = 2
	apply(card(one))
	if got := due(clock); len(got) != 1 || got[0].FindingID != "f-2" {
		t.Fatalf("due before its time: %+v", got)
	}
	if got := due(clock.Add(time.Minute)); len(got) != 2 || got[1].ID != card(one).ID {
		t.Fatalf("due after its time: %+v", got)
	}
	// An older revision, or one that was sent, is not sent again.
	one.Revision = 1
	if err := l.Done(t.Context(), items[0], ""); err != nil {
		t.Fatal(err)
	}
	apply(card(one), card(two))
	got := due(clock.Add(time.Hour))
	if len(got) != 1 || got[0].Revision != 2 {
		t.Fatalf("due %+v", got)
	}
	// Given up: kept, counted, silent.
	if err := l.Failed(t.Context(), got[0], errors.New("channel_not_found"), time.Time{}, false); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := l.NextDue(t.Context()); ok || err != nil {
		t.Errorf("something is still due (%v)", err)
	}
	stats, err := l.Stats(t.Context())
	if err != nil || stats.DeadMessages != 1 || stats.Waiting != 0 {
		t.Errorf("counts %+v, error %v", stats, err)
	}
	// A digest is sent once, however often it is queued.
	digest := ledger.OutboxItem{ID: "digest/2026-11-02", Notifier: "slack", Kind: "digest", Payload: []byte("{}")}
	for range 2 {
		if err := l.Enqueue(t.Context(), digest); err != nil {
			t.Fatal(err)
		}
	}
	got = due(clock)
	if len(got) != 1 {
		t.Fatalf("due %+v", got)
	}
	if err := l.Done(t.Context(), got[0], "x"); err != nil {
		t.Fatal(err)
	}
	if err := l.Enqueue(t.Context(), digest); err != nil {
		t.Fatal(err)
	}
	if got = due(clock); len(got) != 0 {
		t.Errorf("digest is due again: %+v", got)
	}
	if err := l.Enqueue(t.Context(), ledger.OutboxItem{ID: "x", Notifier: "slack", Payload: make([]byte, 2<<20)}); err == nil {
		t.Error("a message of 2 MiB was taken")
	}
}

func TestSpoolKeepsWhatChangedMeanwhile(t *testing.T) {
	t.Parallel()
	l := open(t, ledger.Config{Spool: true}, ledger.Options{})
	caps := series.NewCaps(0, nil)
	apply := func(from, n int) {
		t.Helper()
		seq := accept(t, l, from, n)
		if err := l.Apply(t.Context(), ledger.Applied{Seq: seq, Points: series.Roll(traffic(from, n), caps)}); err != nil {
			t.Fatal(err)
		}
	}
	apply(0, 480) // two minutes
	first, err := l.DirtyPoints(t.Context(), 1)
	if err != nil || len(first.Points) != 1 || first.Points[0].Events != 240 {
		t.Fatalf("points %+v, error %v", first, err)
	}
	both, err := l.DirtyPoints(t.Context(), 100)
	if err != nil || len(both.Points) != 2 {
		t.Fatalf("points %+v, error %v", both, err)
	}
	apply(480, 60) // a third minute begins
	late := traffic(1_000_000, 1)
	late[0].Time = start
	seq, err := l.AcceptTick(t.Context(), vigil.Tick{Watermark: start})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Apply(t.Context(), ledger.Applied{Seq: seq, Points: series.Roll(late, caps)}); err != nil {
		t.Fatal(err)
	}
	// The first minute grew after it was read: writing the old total does not
	// take it off.
	for _, token := range []series.Token{first.Token, both.Token} {
		if err := l.MarkWritten(t.Context(), token); err != nil {
			t.Fatal(err)
		}
	}
	left, err := l.DirtyPoints(t.Context(), 100)
	if err != nil || len(left.Points) != 2 || left.Points[0].Events != 241 || left.Points[1].Events != 60 {
		t.Fatalf("points %+v, error %v", left, err)
	}
	if n, err := l.DropDirty(t.Context(), 1); n != 1 || err != nil {
		t.Errorf("dropped %d, error %v", n, err)
	}
	if left, err = l.DirtyPoints(t.Context(), 100); err != nil || len(left.Points) != 1 || left.Points[0].Events != 60 {
		t.Errorf("points %+v, error %v: the oldest goes first", left, err)
	}
	if err := l.WaitDirty(t.Context()); err != nil {
		t.Error(err)
	}
	if err := l.MarkWritten(t.Context(), 17); err == nil {
		t.Error("a foreign token was taken")
	}
}

func TestAuditChain(t *testing.T) {
	t.Parallel()
	cfg := ledger.Config{Dir: t.TempDir()}
	l := open(t, cfg, ledger.Options{})
	var last []byte
	for i := range 5 {
		hash, err := l.Audit(t.Context(), ledger.AuditRecord{Who: "console", What: "look", Object: fmt.Sprintf("finding f-%d", i)})
		if err != nil {
			t.Fatal(err)
		}
		last = hash
	}
	n, hash, err := l.VerifyAudit(t.Context())
	if n != 5 || string(hash) != string(last) || err != nil {
		t.Fatalf("%d records, error %v", n, err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := sqlExec(t, cfg.Dir, `UPDATE audit SET object = 'nothing' WHERE n = 3`); err == nil {
		t.Error("an audit record could be changed")
	}
	for _, query := range []string{`DROP TRIGGER audit_is_append_only_update`, `UPDATE audit SET object = 'nothing' WHERE n = 3`} {
		if err := sqlExec(t, cfg.Dir, query); err != nil {
			t.Fatal(err)
		}
	}
	l = open(t, cfg, ledger.Options{})
	var damage *ledger.CorruptError
	if n, _, err := l.VerifyAudit(t.Context()); n != 2 || !errors.As(err, &damage) {
		t.Errorf("%d records, error %v: the third was changed", n, err)
	}
}

// TestReadersNeverOutrunTheWriter judges as fast as entries become visible: each
// entry that can be read can be applied.
func TestReadersNeverOutrunTheWriter(t *testing.T) {
	t.Parallel()
	l := open(t, ledger.Config{}, ledger.Options{})
	const n = 400
	var wg sync.WaitGroup
	wg.Go(func() {
		for range n {
			if _, err := l.AcceptTick(t.Context(), vigil.Tick{Watermark: start}); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for applied := uint64(0); applied < n && !t.Failed(); {
		entries, err := l.Entries(t.Context(), applied, 16)
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) == 0 {
			continue
		}
		next := entries[len(entries)-1].Seq
		if err := l.Apply(t.Context(), ledger.Applied{From: applied + 1, Seq: next}); err != nil {
			t.Error(err)
			break
		}
		applied = next
	}
	wg.Wait()
}
