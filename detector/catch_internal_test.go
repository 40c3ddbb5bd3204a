package detector

import (
	"math"
	"testing"
	"time"

	"vigil"
	"vigil/detector/features"
	"vigil/detector/rules"
)

// retrieval is one access of a bot to what it answers from.
func retrieval(at time.Time, limit int64) *vigil.Event {
	e := vigil.NewEvent()
	e.Time, e.Action, e.Store, e.Resource = at, vigil.ActionSearch, "vector", "memories"
	e.Actor = vigil.Actor{ID: "bot", Kind: vigil.KindBot}
	e.Limit = limit
	return e
}

func fold(sh *shard, e *vigil.Event) *actor {
	var tr trace
	tr.reset()
	sh.apply(e, &tr)
	return sh.byKey[string(appendActorKey(nil, e.Actor.Tenant, e.Actor.ID))]
}

// TestTheFirstLargerPageIsSeen asks for five of something for a day, then once for
// fifty.
func TestTheFirstLargerPageIsSeen(t *testing.T) {
	t.Parallel()
	sh := newShard(newShared(newBudget(0), rules.New(nil)), 16, 16)
	at := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	page := func(limit int64) (float64, bool) {
		a := fold(sh, retrieval(at, limit))
		at = at.Add(time.Minute)
		return a.Lane[features.Quarter].span.Measure(features.Page)
	}
	if _, ok := page(5); ok {
		t.Error("the first access has a size to be held against")
	}
	usual := 0.0
	for range 400 {
		usual, _ = page(5)
	}
	if usual > 0.5 {
		t.Errorf("the usual page is %.1f decades out of the ordinary", usual)
	}
	if alike, _ := page(6); alike > 1 {
		t.Errorf("a page one larger is %.1f decades out of the ordinary", alike)
	}
	if larger, _ := page(50); larger < 6 {
		t.Errorf("ten times the page is %.1f decades out of the ordinary", larger)
	}
	at = at.Add(time.Hour)
	if unknown, ok := page(vigil.Unknown); ok {
		t.Errorf("a size that is not told is judged: %.1f decades", unknown)
	}
}

// An exception expects accesses up to its size, in its span, and no larger ones.
func TestAnExpectedPageIsNoNews(t *testing.T) {
	t.Parallel()
	sh := newShard(newShared(newBudget(0), rules.New(nil)), 16, 16)
	at := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	sh.shared.exceptions = []vigil.Exception{{
		ID: "x", Who: vigil.Who{Actor: "bot"}, Scope: vigil.ScopeAmount, Period: vigil.Period{From: at, To: at.AddDate(0, 0, 9)},
		Bounds: []vigil.Bound{{Observation: "page", Span: "day", Most: 60}},
	}}
	largest := func(limit int64, l features.Lane) float64 {
		a := fold(sh, retrieval(at, limit))
		at = at.Add(time.Minute)
		return a.Lane[l].span.Largest().Records
	}
	for range 5 * pageKnown {
		largest(5, features.Day)
	}
	for _, c := range []struct {
		limit   int64
		day, in float64
	}{{50, 0, 50}, {80, 80, 80}} {
		if quarter, day := largest(c.limit, features.Quarter), largest(c.limit, features.Day); day != c.day || quarter != c.in {
			t.Errorf("of %d records the day tells %v, the quarter %v; want %v and %v", c.limit, day, quarter, c.day, c.in)
		}
	}
}

// TestKindsOfPagesAreBounded reads far more kinds of things than are told apart.
func TestKindsOfPagesAreBounded(t *testing.T) {
	t.Parallel()
	sh := newShard(newShared(newBudget(0), rules.New(nil)), 16, 16)
	at := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	var a *actor
	for i := range 5 * pageKinds {
		e := retrieval(at.Add(time.Duration(i)*time.Second), 5)
		e.Resource = string(rune('a' + i))
		a = fold(sh, e)
	}
	if len(a.Pages) > pageKinds {
		t.Errorf("%d kinds of pages are remembered, at most %d", len(a.Pages), pageKinds)
	}
}

func TestTwoClientsInTurnSplitASession(t *testing.T) {
	t.Parallel()
	type client struct {
		network, agent string
		after          time.Duration
	}
	office, hotel := "10.0.1.0/24", "198.51.100.0/24"
	for name, c := range map[string]struct {
		clients []client
		want    int
	}{
		"a VPN changes its exit":    {[]client{{office, "Firefox", 0}, {hotel, "Firefox", time.Minute}, {hotel, "Firefox", time.Minute}}, 0},
		"back in the evening":       {[]client{{office, "Firefox", 0}, {hotel, "Firefox", time.Minute}, {office, "Firefox", 9 * time.Hour}}, 0},
		"onwards, never back":       {[]client{{office, "A", 0}, {hotel, "A", time.Minute}, {"203.0.113.0/24", "A", time.Minute}}, 0},
		"two in turn":               {[]client{{office, "A", 0}, {hotel, "B", time.Minute}, {office, "A", time.Minute}, {hotel, "B", time.Minute}}, 2},
		"two programs in one place": {[]client{{office, "A", 0}, {office, "B", time.Minute}, {office, "A", time.Minute}}, 1},
		"what is not told":          {[]client{{office, "A", 0}, {"", "", time.Minute}, {office, "", time.Minute}, {"", "A", time.Minute}}, 0},
	} {
		var s session
		var r features.Reader
		at, got := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC), 0
		for _, x := range c.clients {
			at = at.Add(x.after)
			e := &vigil.Event{Time: at, Session: "s", Network: x.network, UserAgent: x.agent}
			var values [features.Categories]features.Value
			r.Categories(e, &values)
			if s.alternated(e, &values) {
				got++
			}
		}
		if got != c.want {
			t.Errorf("%s: %d returns, want %d", name, got, c.want)
		}
	}
}

// TestSmallCountsHaveNoTail ranks a count among many zeros and a few ones.
func TestSmallCountsHaveNoTail(t *testing.T) {
	t.Parallel()
	sh := newShard(newShared(newBudget(0), rules.New(nil)), 16, 16)
	a := fold(sh, retrieval(time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC), 5))
	term, g := kindTerm(features.New, frameSelf), sh.shared.everyone
	sketch := &g.Sketch[features.Day][term]
	for i := range 3000 {
		sketch.Add(0.001*float64(i%7), 1)
	}
	for i := range 40 {
		sketch.Add(0.3+0.001*float64(i), 1)
	}
	g.freeze(nil, allLanes)
	const raw = 2.5
	floor := min(1/(sketch.N+1), math.Pow(10, -raw))
	if p := sh.ranked(a, features.Day, term, raw, 1); p < 0.999*floor {
		t.Errorf("what the model gives one chance in 300 gets p %g of 3,040 ranks", p)
	}
}
