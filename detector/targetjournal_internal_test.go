package detector

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/detector/features"
	"vigil/detector/rules"
	"vigil/models/volume"
)

// siege is two weeks of a network and a customer, then a day on which many strangers
// come from the one and read the other. It returns what a second such day would be
// judged by: the surprise of as many newcomers, refused and readers, and of the same
// accounts how many would be new.
func siege(t *testing.T, attack bool, said ...bool) (raw [4]float64, ranks float64) {
	t.Helper()
	models, err := newAffinities()
	if err != nil {
		t.Fatal(err)
	}
	s := newShared(newBudget(0), rules.New(nil))
	ts := newTargets(s, models.edges, 64, 64)
	at := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	const network, customer = "192.0.2.0/24", "c-1"
	hashes := func(e *vigil.Event) (uint64, uint64) {
		return features.Hash(network), subjectSalt(e) + features.Hash(customer)
	}
	come := func(who string, outcome vigil.Outcome) {
		e := vigil.NewEvent()
		e.Time, e.Network, e.Outcome, e.Action, e.Subjects = at, network, outcome, vigil.ActionRead, []string{customer}
		e.Actor = vigil.Actor{ID: who}
		var tr trace
		tr.reset()
		tr.actor = actorHash(e)
		n, c := hashes(e)
		ts.apply(e, reach{hash: n, kind: targetNetwork}, &tr)
		ts.apply(e, reach{hash: c, kind: targetSubject}, &tr)
	}
	for day := range 14 {
		for i := range 8 {
			come(fmt.Sprint("colleague-", (i+day)%10), vigil.OutcomeSuccess)
			at = at.Add(15 * time.Minute)
		}
		at = at.Add(22 * time.Hour)
		s.merge(nil, []*targets{ts}, at.UnixNano()/hourNanos*hourNanos)
	}
	s.budget.Ready = [lines]bool{lineSubject: true, lineNetwork: true}
	s.budget.Line = [lines]float64{lineSubject: 0.01, lineNetwork: 0.01}
	if attack {
		for i := range 60 {
			come(fmt.Sprint("stranger-", i), vigil.OutcomeSuccess)
			come(fmt.Sprint("refused-", i), vigil.OutcomeDenied)
		}
		if len(ts.networks.open) != 1 || len(ts.subjects.open) != 1 {
			t.Fatalf("%d findings about networks, %d about customers", len(ts.networks.open), len(ts.subjects.open))
		}
	}
	at = at.Add(24 * time.Hour)
	ts.advance(at.UnixNano())
	s.merge(nil, []*targets{ts}, at.UnixNano()/hourNanos*hourNanos)
	for _, out := range said {
		for _, j := range ts.journals {
			if !ts.takeOut(j.Finding, out) {
				t.Fatal("nothing is held of the finding")
			}
		}
		ts = carried(t, s, ts)
	}
	at = at.Add(24 * time.Hour)
	ts.advance(at.UnixNano())
	s.merge(nil, []*targets{ts}, at.UnixNano()/hourNanos*hourNanos)
	n, c := hashes(vigil.NewEvent())
	net, sub := ts.networks.known[n], ts.subjects.known[c]
	// Each is forgotten up to now, as the next visit would.
	surprise := func(st stream, days float64) float64 {
		st.forget(days)
		return st.Rate.Predict(volume.DefaultPrior(), 1).Surprise(60)
	}
	quarters := float64(features.Quarter.Index(at.UnixNano()) - net.Seen)
	raw[0], raw[1] = surprise(net.Newcomers, quarters/96), surprise(net.Refused, quarters/96)
	raw[2] = surprise(sub.Past, float64(features.Day.Index(at.UnixNano())-int64(sub.Seen)))
	for i := range 60 {
		who := actorHash(&vigil.Event{Actor: vigil.Actor{ID: fmt.Sprint("stranger-", i)}})
		if _, regular := net.Regulars[who]; !regular {
			raw[3]++
		}
	}
	return raw, s.Flows[flowReaders].Sketch.N
}

// carried is a shard of targets after a restart.
func carried(t *testing.T, s *shared, ts *targets) *targets {
	t.Helper()
	c, err := newCodec()
	if err != nil {
		t.Fatal(err)
	}
	st, err := ts.state()
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.enc.Marshal(st)
	if err != nil {
		t.Fatal(err)
	}
	var back targetsState
	if err := c.dec.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	models, err := newAffinities()
	if err != nil {
		t.Fatal(err)
	}
	fresh := newTargets(s, models.edges, 64, 64)
	if err := fresh.restore(&back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(ts.journals, fresh.journals); diff != "" {
		t.Errorf("journals after a restart (-before +after):\n%s", diff)
	}
	return fresh
}

// What a confirmed breach taught of a network and a customer is gone, and comes back
// when the word is taken back.
func TestConfirmedBreachLeavesCustomersAndNetworks(t *testing.T) {
	t.Parallel()
	plain, _ := siege(t, false)
	robbed, ranks := siege(t, true)
	out, less := siege(t, true, true)
	back, again := siege(t, true, true, false)
	for i, what := range []string{"newcomers", "refused", "readers", "accounts that would be new"} {
		taught := math.Abs(robbed[i] - plain[i])
		t.Logf("%s: %.3f without, %.3f with, %.3f taken out, %.3f taken back", what, plain[i], robbed[i], out[i], back[i])
		if taught == 0 {
			t.Errorf("%s: the theft taught nothing", what)
		}
		if math.Abs(out[i]-plain[i]) > taught/5 || math.Abs(back[i]-robbed[i]) > taught/20 {
			t.Errorf("%s: %.3f without the theft, %.3f with it, %.3f taken out, %.3f taken back", what, plain[i], robbed[i], out[i], back[i])
		}
	}
	if less >= ranks || math.Abs(again-ranks) > 1e-6 {
		t.Errorf("ranks weigh %.3f, %.3f taken out, %.3f taken back", ranks, less, again)
	}
}
