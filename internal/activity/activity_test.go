package activity_test

import (
	"slices"
	"testing"
	"time"

	"vigil/internal/activity"
)

func at(s string) int64 {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t.UnixNano()
}

func TestSessionsEndWithHalfAnHourOfSilence(t *testing.T) {
	t.Parallel()
	day := "2026-11-02T"
	times := []int64{at(day + "11:00:00Z"), at(day + "09:00:00Z"), at(day + "09:29:59Z"), at(day + "09:59:58Z"), at(day + "10:29:58Z"), at(day + "11:00:00Z")}
	got, left := activity.Sessions(times, 2)
	want := []activity.Session{{From: at(day + "10:29:58Z"), To: at(day + "10:29:58Z"), Accesses: 1}, {From: at(day + "11:00:00Z"), To: at(day + "11:00:00Z"), Accesses: 2}}
	if left != 1 || len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("got %v and %d left, want %v and 1", got, left, want)
	}
	if got, left := activity.Sessions(nil, 2); len(got) != 0 || left != 0 {
		t.Errorf("of nothing: %v, %d", got, left)
	}
}

func TestBucketFits(t *testing.T) {
	t.Parallel()
	for span := time.Second; span < 100*365*24*time.Hour; span += span/10*7 + time.Second {
		b := activity.Bucket(span, 600)
		if b <= 0 || span > b*600 {
			t.Fatalf("%s in buckets of %s are more than 600", span, b)
		}
	}
	if b := activity.Bucket(10*time.Minute, 600); b != time.Second {
		t.Errorf("ten minutes are told by %s", b)
	}
}

func TestWeekBeginsOnMonday(t *testing.T) {
	t.Parallel()
	for text, hour := range map[string]int{"2026-11-02T00:59:59Z": 0, "2026-11-08T23:00:00Z": 167, "1969-12-29T01:00:00Z": 1, "1970-01-01T00:00:00Z": 72} {
		var w activity.Week
		w.Add(at(text))
		if w[hour] != 1 {
			t.Errorf("%s is not hour %d of the week: %v", text, hour, w)
		}
	}
}

func TestNetworksKnowWhatIsNew(t *testing.T) {
	t.Parallel()
	from := at("2026-11-02T09:00:00Z")
	n := activity.Networks{From: from}
	n.Add(from-1, "10.0.0.0/24", "DE", "", false)
	n.Add(from, "10.0.0.0/24", "DE", "", false)
	n.Add(from+2, "198.51.100.0/24", "NL", "AS64500", true)
	n.Add(from+1, "198.51.100.0/24", "NL", "AS64500", false)
	n.Add(from-9, "192.0.2.0/24", "", "", false)
	n.Add(from, "", "", "", false)
	got, left := n.List(10)
	want := []activity.Network{
		{Name: "198.51.100.0/24", Country: "NL", ASN: "AS64500", Accesses: 2, Refused: 1, First: from + 1, Last: from + 2},
		{Name: "10.0.0.0/24", Country: "DE", Accesses: 1, Before: 1, First: from, Last: from},
	}
	if left != 0 || len(got) != 2 || got[0] != want[0] || got[1] != want[1] || !got[0].New() || got[1].New() || n.Unnamed != 1 {
		t.Errorf("got %+v, %d left, %d unnamed", got, left, n.Unnamed)
	}
	if got, left := n.List(1); len(got) != 1 || left != 1 {
		t.Errorf("of two, %d are listed and %d left", len(got), left)
	}
	flood := activity.Networks{}
	for i := range int64(activity.MaxNetworks + 5) {
		flood.Add(i, time.Duration(i).String(), "", "", false)
	}
	if flood.Others != 5 {
		t.Errorf("%d are beyond the bound, want 5", flood.Others)
	}
}

func TestNamed(t *testing.T) {
	t.Parallel()
	n := activity.NewNamed(3, 5)
	n.Add(0, []string{"ann", "bob"}, "c-1")
	n.Add(0, []string{"bob"}, "")
	n.Add(2, nil, "c-1")
	n.Add(2, nil, "")
	if got := n.Counts(); !slices.Equal(got, []float64{2, 0, 1}) {
		t.Errorf("counted %v", got)
	}
	n.Add(1, []string{"ann"}, "")
	n.Add(1, []string{"ann"}, "") // one more than may be looked at
	if got := n.Counts(); got != nil {
		t.Errorf("of too many: %v", got)
	}
}
