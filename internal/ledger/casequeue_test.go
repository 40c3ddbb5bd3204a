package ledger_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/internal/api"
	"vigil/internal/ledger"
)

// queued is a ledger with cases of every kind that the queue tells apart.
func queued(t testing.TB, n int, opts ledger.Options) *ledger.Ledger {
	t.Helper()
	l := open(t, ledger.Config{Dir: t.TempDir()}, opts)
	for i := 0; i < n; {
		var w ledger.Casework
		for end := min(i+5_000, n); i < end; i++ {
			c := caseOf(i, []vigil.CaseState{vigil.CaseResolved, vigil.CaseNew, vigil.CaseAcknowledged}[i%3], float64(i%1_000))
			c.Severity = []vigil.Severity{vigil.SeverityLow, vigil.SeverityMedium, vigil.SeverityHigh, vigil.SeverityCritical}[i%4]
			c.Opened = start.Add(time.Duration(i) * time.Minute)
			c.Stores, c.Sources = []string{fmt.Sprintf("store-%d", i%5)}, []string{"pg"}
			if i%2 == 0 {
				c.Owner = "actor-ann"
			}
			if i%7 == 0 {
				c.About = vigil.AboutNetwork
			}
			w.Cases = append(w.Cases, ledger.CaseChange{Case: c, Events: []vigil.CaseEvent{{Kind: vigil.CaseOpened, Time: start}}})
		}
		if err := l.Work(t.Context(), w); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// ids lists a part of the queue.
func ids(p api.CasePage) string {
	var b strings.Builder
	for i := range p.Cases {
		b.WriteString(p.Cases[i].ID + " ")
	}
	return b.String()
}

func TestQueueIsNarrowed(t *testing.T) {
	t.Parallel()
	l := queued(t, 12, ledger.Options{})
	for name, c := range map[string]struct {
		filter api.QueueFilter
		total  int64
		want   string
	}{
		"all":        {api.QueueFilter{}, 12, "c-11 c-10 c-9 c-8 c-7 c-6 c-5 c-4 c-3 c-2 c-1 c-0 "},
		"unresolved": {api.QueueFilter{Unresolved: true}, 8, "c-11 c-10 c-8 c-7 c-5 c-4 c-2 c-1 "},
		"resolved":   {api.QueueFilter{State: vigil.CaseResolved, MinSeverity: vigil.SeverityCritical}, 1, "c-3 "},
		"owner":      {api.QueueFilter{Owner: "actor-ann", State: vigil.CaseNew}, vigil.Unknown, "c-10 c-4 "},
		"nobody's":   {api.QueueFilter{Unowned: true, State: vigil.CaseNew}, vigil.Unknown, "c-7 c-1 "},
		"network":    {api.QueueFilter{About: vigil.AboutNetwork}, vigil.Unknown, "c-7 c-0 "},
		"a store":    {api.QueueFilter{Place: "store-1"}, vigil.Unknown, "c-11 c-6 c-1 "},
		"no prefix":  {api.QueueFilter{Place: "store"}, vigil.Unknown, ""},
		"a time":     {api.QueueFilter{OpenedFrom: start.Add(2 * time.Minute), OpenedTo: start.Add(4 * time.Minute)}, vigil.Unknown, "c-3 c-2 "},
	} {
		page, err := l.CaseQueue(t.Context(), c.filter, ledger.Viewer{})
		if err != nil || page.Total != c.total || ids(page) != c.want || page.Next != "" {
			t.Errorf("%s: %s of %d, next %q, error %v", name, ids(page), page.Total, page.Next, err)
		}
	}
	for _, after := range []string{"x", "e30", "!!!", strings.Repeat("A", 10_000)} {
		if _, err := l.CaseQueue(t.Context(), api.QueueFilter{After: after}, ledger.Viewer{}); !errors.Is(err, ledger.ErrCursor) {
			t.Errorf("after %.20q: error %v", after, err)
		}
	}
}

// The pages of the queue are all of it once, whatever comes meanwhile.
func TestQueueByPages(t *testing.T) {
	t.Parallel()
	l := queued(t, 100, ledger.Options{})
	seen, after := map[string]int{}, ""
	for n := range 100 {
		page, err := l.CaseQueue(t.Context(), api.QueueFilter{After: after, Limit: 7}, ledger.Viewer{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range page.Cases {
			seen[page.Cases[i].ID]++
		}
		if err := l.Work(t.Context(), ledger.Casework{Cases: []ledger.CaseChange{{Case: caseOf(1_000+n, vigil.CaseNew, 5_000)}}}); err != nil {
			t.Fatal(err)
		}
		if after = page.Next; after == "" {
			break
		}
	}
	for i := range 100 {
		if seen[fmt.Sprintf("c-%d", i)] != 1 {
			t.Errorf("case %d was shown %d times", i, seen[fmt.Sprintf("c-%d", i)])
		}
	}
}

// How many there are is known without counting, through all that becomes of cases.
func TestQueueTotals(t *testing.T) {
	t.Parallel()
	l := queued(t, 12, ledger.Options{})
	total := func(f api.QueueFilter) int64 {
		t.Helper()
		page, err := l.CaseQueue(t.Context(), f, ledger.Viewer{})
		if err != nil || int64(len(page.Cases)) != page.Total {
			t.Errorf("%+v: %d listed of %d, error %v", f, len(page.Cases), page.Total, err)
		}
		return page.Total
	}
	c := caseOf(1, vigil.CaseResolved, 4)
	c.Revision = 2
	if err := l.Work(t.Context(), ledger.Casework{Cases: []ledger.CaseChange{{Case: c, Was: 1}}}); err != nil {
		t.Fatal(err)
	}
	if n := total(api.QueueFilter{State: vigil.CaseNew}); n != 3 {
		t.Errorf("%d new, want 3", n)
	}
	if n := total(api.QueueFilter{State: vigil.CaseResolved}); n != 5 {
		t.Errorf("%d resolved, want 5", n)
	}
	if _, err := l.Prune(t.Context(), start.AddDate(50, 0, 0)); err != nil {
		t.Fatal(err)
	}
	if n := total(api.QueueFilter{}); n != 0 {
		t.Errorf("%d after all went", n)
	}
}

// What likely is a breach comes first, by the lead's chance.
func TestQueueByExpectedHarm(t *testing.T) {
	t.Parallel()
	l := open(t, ledger.Config{Dir: t.TempDir()}, ledger.Options{})
	if _, err := l.AcceptTick(t.Context(), vigil.Tick{Watermark: start}); err != nil {
		t.Fatal(err)
	}
	var w ledger.Casework
	var all []vigil.Finding
	for i := range 2 {
		c := caseOf(i, vigil.CaseNew, float64(10+i))
		c.Lead = fmt.Sprintf("f-%d", i)
		w.Cases = append(w.Cases, ledger.CaseChange{Case: c})
		all = append(all, vigil.Finding{ID: c.Lead, Revision: 1, State: vigil.StateOpen, Harm: c.Harm, Severity: c.Severity, Start: start, End: start, Detected: start})
	}
	if err := l.Apply(t.Context(), ledger.Applied{From: 1, Seq: 1, Findings: all}); err != nil {
		t.Fatal(err)
	}
	if err := l.Work(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		rated []ledger.Rated
		want  string
	}{
		{nil, "c-1 c-0 "},
		{[]ledger.Rated{{ID: "f-0", Revision: 1, Likely: 0.9}, {ID: "f-1", Revision: 1, Likely: 0.1}}, "c-0 c-1 "},
		{[]ledger.Rated{{ID: "f-0", Revision: 9, Likely: 0}}, "c-0 c-1 "}, // of a revision that is not there
	} {
		if err := l.Rate(t.Context(), x.rated); err != nil {
			t.Fatal(err)
		}
		if page, err := l.CaseQueue(t.Context(), api.QueueFilter{}, ledger.Viewer{}); err != nil || ids(page) != x.want {
			t.Errorf("%+v: %s, error %v", x.rated, ids(page), err)
		}
	}
}

// What is new is of somebody, until they have looked at it or said that they saw all.
func TestNews(t *testing.T) {
	t.Parallel()
	clock := start
	l := queued(t, 3, ledger.Options{Now: func() time.Time { return clock }})
	news := func(who string, want int, list string) {
		t.Helper()
		page, err := l.CaseQueue(t.Context(), api.QueueFilter{New: true}, ledger.Viewer{By: who})
		n, nerr := l.News(t.Context(), api.QueueFilter{}, ledger.Viewer{By: who})
		if err != nil || nerr != nil || n != want || ids(page) != list {
			t.Errorf("%s: %d new, want %d, list %s, errors %v %v", who, n, want, ids(page), err, nerr)
		}
	}
	news("ann", 3, "c-2 c-1 c-0 ")
	// What is counted is what is listed, whatever the filter: c-0 is resolved.
	for _, f := range []api.QueueFilter{
		{Unresolved: true}, {State: vigil.CaseResolved}, {About: vigil.AboutNetwork}, {Place: "store-1"}, {Owner: "actor-ann"}, {MinSeverity: vigil.SeverityHigh},
	} {
		n, err := l.News(t.Context(), f, ledger.Viewer{By: "ann"})
		f.New = true
		page, perr := l.CaseQueue(t.Context(), f, ledger.Viewer{By: "ann"})
		if err != nil || perr != nil || n != len(page.Cases) || n == 0 || n == 3 {
			t.Errorf("%+v: %d new, listed %s, errors %v %v", f, n, ids(page), err, perr)
		}
	}
	if err := l.SeeCase(t.Context(), "ann", "c-1", clock); err != nil {
		t.Fatal(err)
	}
	news("ann", 2, "c-2 c-0 ")
	news("bob", 3, "c-2 c-1 c-0 ")
	if err := l.SeeCases(t.Context(), "ann", clock); err != nil {
		t.Fatal(err)
	}
	news("ann", 0, "")
	clock = clock.Add(time.Minute)
	grow := func(revision int, kind vigil.CaseEventKind) {
		t.Helper()
		c := caseOf(1, vigil.CaseNew, 1)
		c.Revision = revision
		if err := l.Work(t.Context(), ledger.Casework{Cases: []ledger.CaseChange{{Case: c, Was: revision - 1, Events: []vigil.CaseEvent{{Kind: kind, Time: clock}}}}}); err != nil {
			t.Fatal(err)
		}
	}
	grow(2, vigil.CaseNoted)
	news("ann", 0, "")
	grow(3, vigil.CaseJoined)
	news("ann", 1, "c-1 ")
}

// Cases that concern who looks are neither listed nor counted: those about them, and those
// in which they took part.
func TestOwnCasesAreNotCounted(t *testing.T) {
	t.Parallel()
	l := queued(t, 6, ledger.Options{})
	if _, err := l.AcceptTick(t.Context(), vigil.Tick{Watermark: start}); err != nil {
		t.Fatal(err)
	}
	team := vigil.Finding{ID: "f-team", Revision: 1, State: vigil.StateOpen, About: vigil.AboutTeam, Team: "night", Actors: []string{"actor-me", "actor-2"}, Start: start, End: start, Detected: start}
	about := vigil.Case{ID: "c-me", Revision: 1, State: vigil.CaseNew, About: vigil.AboutActor, Actor: "actor-me", Tenant: "shop", Findings: []string{"f-gone"}, Total: 1, Lead: "f-gone", Severity: vigil.SeverityHigh, Harm: 1}
	took := vigil.Case{ID: "c-team", Revision: 1, State: vigil.CaseNew, About: vigil.AboutTeam, Team: "night", Findings: []string{"f-team"}, Total: 1, Lead: "f-team", Severity: vigil.SeverityHigh, Harm: 1}
	if err := l.Apply(t.Context(), ledger.Applied{Seq: 1, Findings: []vigil.Finding{team}}); err != nil {
		t.Fatal(err)
	}
	opened := []vigil.CaseEvent{{Kind: vigil.CaseOpened, Time: start}}
	if err := l.Work(t.Context(), ledger.Casework{Cases: []ledger.CaseChange{{Case: about, Events: opened}, {Case: took, Join: []string{"f-team"}, Events: opened}}}); err != nil {
		t.Fatal(err)
	}
	me := []ledger.Self{{Tenant: "shop", Actor: "actor-me"}, {Actor: "actor-me"}}
	for _, c := range []struct {
		filter api.QueueFilter
		is     []ledger.Self
		want   int
	}{
		{api.QueueFilter{}, nil, 8}, {api.QueueFilter{}, me, 6}, {api.QueueFilter{Unresolved: true}, me, 4}, {api.QueueFilter{State: vigil.CaseNew}, me, 2},
		{api.QueueFilter{State: vigil.CaseResolved}, me, 2}, {api.QueueFilter{MinSeverity: vigil.SeverityHigh}, me, 2},
		{api.QueueFilter{State: vigil.CaseNew}, []ledger.Self{{Actor: "actor-me"}}, 3}, // of another tenant: not they
	} {
		who := ledger.Viewer{By: "ann", Is: c.is}
		page, err := l.CaseQueue(t.Context(), c.filter, who)
		n, nerr := l.News(t.Context(), c.filter, who)
		if err != nil || nerr != nil || len(page.Cases) != c.want || page.Total != int64(c.want) || n != c.want {
			t.Errorf("%+v: %d of %d listed, %d new, want %d; %v %v", c.filter, len(page.Cases), page.Total, n, c.want, err, nerr)
		}
	}
}
