package detector

import (
	"fmt"
	"testing"
	"time"

	"vigil"
	"vigil/detector/features"
	"vigil/detector/rules"
)

// TestColleaguesBringNewColleagues lets forty customers of one employer, of whom a
// third never came from its address, sign in at once, and forty strangers elsewhere.
func TestColleaguesBringNewColleagues(t *testing.T) {
	t.Parallel()
	s := newShared(newBudget(0), rules.New(nil))
	models, err := newAffinities()
	if err != nil {
		t.Fatal(err)
	}
	ts := newTargets(s, models.edges, 64, 64)
	at := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	come := func(network, who string) {
		e := &vigil.Event{Time: at, Network: network, Outcome: vigil.OutcomeSuccess, Action: vigil.ActionLogin, Actor: vigil.Actor{ID: who, Kind: vigil.KindHuman}}
		var tr trace
		tr.reset()
		tr.actor = actorHash(e)
		ts.apply(e, reach{hash: features.Hash(network), kind: targetNetwork}, &tr)
	}
	// Two weeks in which a colleague or two come each quarter of an hour, at times new.
	for i := range 14 * 32 {
		come("employer", fmt.Sprint("colleague-", i*7%200))
		come("employer", fmt.Sprint("colleague-", i*13%200))
		if i%2 == 0 {
			come("employer", fmt.Sprint("newcomer-", i))
		}
		come("elsewhere", fmt.Sprint("visitor-", i/8))
		at = at.Add(15 * time.Minute)
	}
	for i := range 40 {
		if i%3 == 0 {
			come("employer", fmt.Sprint("late-", i))
		} else {
			come("employer", fmt.Sprint("colleague-", i))
		}
		if i%3 == 0 {
			come("elsewhere", fmt.Sprint("stranger-", i))
		}
	}
	raw := func(network string) float64 {
		rds, _ := ts.judgeNetwork(ts.networks.known[features.Hash(network)])
		return rds[0].Raw
	}
	if r := raw("employer"); r > 2 {
		t.Errorf("14 new ones among 26 who belong there are %.1f decades out of the ordinary", r)
	}
	if r := raw("elsewhere"); r < 4 {
		t.Errorf("14 new ones by themselves are %.1f decades out of the ordinary", r)
	}
}

// TestWhatAlwaysScoresHighIsNoMoreNews ranks the largest score of few: of one who
// always scores so, and of one who never did.
func TestWhatAlwaysScoresHighIsNoMoreNews(t *testing.T) {
	t.Parallel()
	sh := newShard(newShared(newBudget(0), rules.New(nil)), 16, 16)
	a := fold(sh, retrieval(time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC), 5))
	term, g := measureTerm(features.Order), sh.shared.everyone
	for i := range 200 {
		g.Sketch[features.Day][term].Add(0.01*float64(i%50), 1)
	}
	g.freeze(nil, allLanes)
	level, spread := &a.Lane[features.Day].Level[term], g.Spread[features.Day][term]
	never := sh.ranked(a, features.Day, term, 52, 1)
	for range 20 {
		level.Observe(55, spread, 1)
		level.Observe(45, spread, 1)
	}
	always := sh.ranked(a, features.Day, term, 52, 1)
	// It is at the end of the ranks either way; what the model adds differs.
	if always < 10*never {
		t.Errorf("a walk of 52 decades has p %g for one who always walks 50, %g for one who never does", always, never)
	}
}

// TestATheftOfWeeksDoesNotHideFromPeers scores high against its peers every day, and is
// as odd to them on the last as on the first.
func TestATheftOfWeeksDoesNotHideFromPeers(t *testing.T) {
	t.Parallel()
	sh := newShard(newShared(newBudget(0), rules.New(nil)), 16, 16)
	a := fold(sh, retrieval(time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC), 5))
	g := sh.shared.everyone
	first, last := map[frame]float64{}, map[frame]float64{}
	for f := range frame(frames) {
		term := kindTerm(features.Strangers, f)
		for i := range 1000 {
			g.Sketch[features.Day][term].Add(0.004*float64(i), 1)
		}
		g.freeze(nil, allLanes)
		first[f] = sh.ranked(a, features.Day, term, 3, 1)
		for range 10 {
			a.Lane[features.Day].Level[term].Observe(3, g.Spread[features.Day][term], 1)
		}
		last[f] = sh.ranked(a, features.Day, term, 3, 1)
	}
	if !(last[frameSelf] > 2*first[frameSelf]) {
		t.Errorf("its own level does not follow it: p %g, then %g", first[frameSelf], last[frameSelf])
	}
	for _, f := range []frame{framePeers, frameEveryone} {
		if last[f] > 1.5*first[f] {
			t.Errorf("against its %s the same score has p %g, after ten such days %g", f, first[f], last[f])
		}
	}
}
