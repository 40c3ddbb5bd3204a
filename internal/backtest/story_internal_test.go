package backtest

import (
	"testing"
	"time"

	"vigil"
	"vigil/internal/api"
)

// at is a time of a test, in hours.
func at(hours int) time.Time {
	return time.Date(2026, 10, 5, 0, 0, 0, 0, time.UTC).Add(time.Duration(hours) * time.Hour)
}

// told is a finding about an actor, which began at one hour and was found at another.
func told(id, actor string, start, detected int, word vigil.Word) vigil.Finding {
	f := vigil.Finding{
		ID: id, About: vigil.AboutActor, Actor: actor, Lane: "day", Severity: vigil.SeverityHigh,
		Start: at(start), End: at(detected), Detected: at(detected),
	}
	if word != "" {
		f.Verdict = &vigil.Verdict{Finding: id, Word: word}
	}
	return f
}

func TestCompare(t *testing.T) {
	t.Parallel()
	ruled := told("r-1", "ann", 10, 10, "")
	ruled.Rule, ruled.Lane = "leaver", "rule"
	network := told("n-1", "", 0, 12, vigil.WordExpected)
	network.About, network.Network, network.Actors = vigil.AboutNetwork, "192.0.2.0/24", []string{"dan"}
	for name, c := range map[string]struct {
		live, again []vigil.Finding
		judged      []vigil.Finding
		want        api.ReplayCounts
		breaches    api.ReplayCounts
		expected    api.ReplayCounts
		seconds     float64
	}{
		"the same": {
			live: []vigil.Finding{told("a", "ann", 0, 5, "")}, again: []vigil.Finding{told("a", "ann", 0, 5, "")},
			want: api.ReplayCounts{Live: 1, Again: 1, Same: 1},
		},
		"a breach is found earlier, under another name": {
			live: []vigil.Finding{told("a", "ann", 0, 30, vigil.WordBreach)}, again: []vigil.Finding{told("b", "ann", 0, 5, "")},
			want: api.ReplayCounts{Live: 1, Again: 1, Earlier: 1}, breaches: api.ReplayCounts{Live: 1, Again: 1, Earlier: 1}, seconds: -25 * 3600,
		},
		"misuse is lost": {
			live: []vigil.Finding{told("a", "ann", 0, 5, vigil.WordMisuse)},
			want: api.ReplayCounts{Live: 1, Gone: 1}, breaches: api.ReplayCounts{Live: 1, Gone: 1},
		},
		"what was expected is spared": {
			live: []vigil.Finding{told("a", "ann", 0, 5, vigil.WordExpected)},
			want: api.ReplayCounts{Live: 1, Gone: 1}, expected: api.ReplayCounts{Live: 1, Gone: 1},
		},
		"who is another, or long after, is no match": {
			live:  []vigil.Finding{told("a", "ann", 0, 5, ""), told("b", "bob", 0, 5, "")},
			again: []vigil.Finding{told("c", "cleo", 0, 5, ""), told("d", "bob", 60, 65, "")},
			want:  api.ReplayCounts{Live: 2, Again: 2, New: 2, Gone: 2},
		},
		"a rule's finding is none of the evidence": {
			live: []vigil.Finding{told("a", "ann", 8, 10, "")}, again: []vigil.Finding{ruled},
			want: api.ReplayCounts{Live: 1, Again: 1, New: 1, Gone: 1},
		},
		"new, of what was judged a breach elsewhere": {
			again: []vigil.Finding{told("b", "eve", 3, 6, "")}, judged: []vigil.Finding{told("z", "eve", 0, 4, vigil.WordBreach)},
			want: api.ReplayCounts{Again: 1, New: 1}, breaches: api.ReplayCounts{Again: 1, New: 1},
		},
		"new, of what was expected of those who came from a network": {
			again: []vigil.Finding{told("b", "dan", 3, 6, "")}, judged: []vigil.Finding{network},
			want: api.ReplayCounts{Again: 1, New: 1}, expected: api.ReplayCounts{Again: 1, New: 1},
		},
		"out of the time, but moved into it": {
			live: []vigil.Finding{told("a", "ann", 90, 105, "")}, again: []vigil.Finding{told("a", "ann", 90, 95, "")},
			want: api.ReplayCounts{Live: 1, Again: 1, Earlier: 1}, seconds: -10 * 3600,
		},
		"out of the time": {
			live: []vigil.Finding{told("a", "ann", 101, 105, "")},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &api.ReplayReport{From: at(0), To: at(100)}
			compare(r, storiesOf(c.live), storiesOf(c.again), storiesOf(c.judged))
			if r.All != c.want || r.Breaches != c.breaches || r.Expected != c.expected {
				t.Errorf("all %+v, breaches %+v, expected %+v", r.All, r.Breaches, r.Expected)
			}
			if len(r.Differences) != c.want.Differ() || len(r.Differences) > 0 && r.Differences[0].Seconds != c.seconds {
				t.Errorf("differences %+v", r.Differences)
			}
		})
	}
}

func TestDifferencesAreListedWeightiestFirstAndBounded(t *testing.T) {
	t.Parallel()
	var live []vigil.Finding
	for i := range maxDifferences + 7 {
		live = append(live, told(string(rune('a'+i%26))+time.Duration(i).String(), "ann", 0, 1+i%50, ""))
	}
	live = append(live, told("expected", "bob", 0, 5, vigil.WordExpected), told("breach", "cleo", 0, 5, vigil.WordBreach))
	r := &api.ReplayReport{From: at(0), To: at(100)}
	compare(r, storiesOf(live), nil, nil)
	if len(r.Differences) != maxDifferences || r.More != 9 || r.Differences[0].Live.ID != "breach" || r.Differences[1].Live.ID != "expected" {
		t.Errorf("%d listed, %d more, first %+v", len(r.Differences), r.More, r.Differences[:2])
	}
	days := 0
	for _, d := range r.Days {
		days += d.Live
	}
	if days != len(live) || len(r.Days) != 5 {
		t.Errorf("%d findings on %d days", days, len(r.Days))
	}
}
