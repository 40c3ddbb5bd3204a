package syslog

import (
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/collectors"
)

var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

func TestHeader(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 2, 9, 0, 1, 0, time.UTC)
	for text, want := range map[string]string{
		`<34>1 2026-11-02T09:00:01Z web su 7 ID47 - x`:                                           "web su 0",
		`<34>1 2026-11-02T09:00:01Z web su - - [meta sequenceId="29"] x`:                         "web su 29",
		`<34>1 2026-11-02T09:00:01Z web su - - [a b="\]\""][meta x="1" sequenceId="2147483647"]`: "web su 2147483647",
		`<34>1 2026-11-02T09:00:01Z web su - - [meta sequenceId="2147483648"] x`:                 "web su 0",
		`<34>1 2026-11-02T09:00:01Z web su - - [meta sequenceId="-1"] x`:                         "web su 0",
		`<34>1 2026-11-02T09:00:01Z web su - - [meta sequenceId="29`:                             "web su 0",
		`<34>1 2026-11-02T09:00:01Z web su - - x [meta sequenceId="29"]`:                         "web su 0",
		`<34>Nov  2 09:00:01 web su[12]: x`:                                                      "web su 0",
		`<34>2026-11-02T10:00:01+01:00 web su: x`:                                                "web su 0",
		`Nov  2 09:00:01 web su: x`:                                                              "web su 0",
		`<34>Nov  2 09:00:01 su: x`:                                                              "  0",
	} {
		h := readHeader([]byte(text), noon)
		if got := fmt.Sprintf("%s %s %d", h.host, h.app, h.sequence); got != want || !h.at.Equal(at) {
			t.Errorf("%s: got %q at %s", text, got, h.at)
		}
	}
	for _, text := range []string{"", "<", "<34>", "<34>1", "<34>1 ", "<34>1 - - - - - -", "hello", "<x>Nov  2", `{"time":1}`, "<34>Nov 32 09:00:01 web x: y"} {
		if h := readHeader([]byte(text), noon); !h.at.IsZero() || h.sequence != 0 {
			t.Errorf("%q: %+v", text, h)
		}
	}
	// The year that is left out is the one nearest to now.
	newYear := time.Date(2027, 1, 1, 0, 0, 5, 0, time.UTC)
	if h := readHeader([]byte("<34>Dec 31 23:59:59 web su: x"), newYear); h.at.Year() != 2026 {
		t.Error(h.at)
	}
}

func TestHoles(t *testing.T) {
	t.Parallel()
	type seen struct {
		app string
		n   int64
	}
	one := func(ns ...int64) (out []seen) {
		for _, n := range ns {
			out = append(out, seen{"app", n})
		}
		return out
	}
	for name, c := range map[string]struct {
		seen    []seen
		missing int64
	}{
		"in order":              {one(5, 6, 7, 8), 0},
		"a hole":                {one(5, 6, 9, 10), 2},
		"two holes":             {one(5, 7, 9), 2},
		"out of order":          {one(5, 8, 6, 7, 9), 0},
		"partly late":           {one(1, 5, 3, 6), 2},
		"sent again":            {one(5, 6, 7, 5, 6, 7, 8), 0},
		"began anew":            {one(500, 501, 1, 2, 3), 0},
		"a hole after anew":     {one(500, 1, 2, 4), 1},
		"numbers come round":    {one(maxSequence-1, maxSequence, 1, 2), 0},
		"one count for all":     {[]seen{{"a", 1}, {"b", 2}, {"a", 3}, {"b", 4}, {"a", 5}, {"b", 8}}, 2},
		"a count for each":      {[]seen{{"a", 1}, {"b", 900}, {"a", 2}, {"b", 901}, {"b", 902}, {"a", 3}}, 0},
		"a count for each, one": {[]seen{{"a", 1}, {"b", 900}, {"a", 2}, {"b", 901}, {"a", 5}, {"b", 902}}, 2},
	} {
		w := newWatch("logs")
		for i, s := range c.seen {
			h := header{host: []byte("web"), app: []byte(s.app), sequence: s.n}
			w.message("192.0.2.7", &h, noon.Add(time.Duration(i)*time.Millisecond))
		}
		if early := w.due(noon.Add(time.Second), false); len(early) > 0 {
			t.Errorf("%s: told before what is late had its time: %+v", name, early)
		}
		missing := int64(0)
		for _, l := range w.due(noon.Add(time.Minute), false) {
			if l.Kind != vigil.LapseHole || l.Source != "logs" || l.Text == "" {
				t.Errorf("%s: %+v", name, l)
			}
			missing += l.Missing
		}
		if missing != c.missing {
			t.Errorf("%s: %d are missing, want %d", name, missing, c.missing)
		}
	}
}

func TestClock(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	for name, c := range map[string]struct {
		// at is the sender's clock against ours, message by message, a second apart.
		at   []time.Duration
		want int
	}{
		"right":                  {[]time.Duration{0, 0, -time.Minute, time.Hour}, 0},
		"old, out of its queue":  {[]time.Duration{0, -9 * day, -8 * day, -4 * day, 0}, 1},
		"old from the beginning": {[]time.Duration{-9 * day, -8 * day, 0}, 0},
		"set ahead":              {[]time.Duration{0, 2 * day, 2 * day, 2 * day}, 1},
		"ahead and back":         {[]time.Duration{0, 2 * day, 0, 0}, 2},
		"flapping":               {slices.Repeat([]time.Duration{0, 2 * day}, 1000), 2},
	} {
		w := newWatch("logs")
		told := 0
		for i, off := range c.at {
			now := noon.Add(time.Duration(i) * time.Millisecond)
			h := header{host: []byte("web"), at: now.Add(off)}
			w.message("192.0.2.7", &h, now)
			for _, l := range w.due(now, false) {
				if l.Kind != vigil.LapseClock {
					t.Errorf("%s: %+v", name, l)
				}
				told++
			}
		}
		if told != c.want {
			t.Errorf("%s: told %d times, want %d", name, told, c.want)
		}
	}
}

// However many originators there are, only so much is remembered and told.
func TestWatchIsBounded(t *testing.T) {
	t.Parallel()
	w := newWatch("logs")
	for i := range 5 * maxHosts {
		host := fmt.Appendf(nil, "host-%d", i)
		w.message("192.0.2.7", &header{host: host, app: []byte("a"), sequence: 1}, noon)
		w.message("192.0.2.7", &header{host: host, app: []byte("a"), sequence: 5, at: noon.Add(72 * time.Hour)}, noon)
	}
	for i := range 10 * maxApps {
		w.message("192.0.2.7", &header{host: []byte("one"), app: fmt.Appendf(nil, "a%d", i), sequence: int64(i * 7)}, noon)
	}
	if n := len(w.due(noon.Add(time.Hour), true)); n > maxHosts {
		t.Errorf("%d lapses at once", n)
	}
	if n := len(w.sequences()); n > maxKept {
		t.Errorf("%d originators in a position", n)
	}
}

func TestSequencesGoOn(t *testing.T) {
	t.Parallel()
	w := newWatch("logs")
	w.message("192.0.2.7", &header{host: []byte("web"), app: []byte("a"), sequence: 7}, noon)
	p := collectors.Position("", positionOf(position{Said: w.sequences()}), slog.New(slog.DiscardHandler), (*position).sound)
	if p == nil {
		t.Fatal("our own position is not known")
	}
	again := newWatch("logs")
	again.goOn(p.Said)
	again.message("192.0.2.7", &header{host: []byte("web"), app: []byte("a"), sequence: 10}, noon)
	got := again.due(noon, true)
	if len(got) != 1 || got[0].Missing != 2 {
		t.Errorf("%+v", got)
	}
}

func TestRELPSession(t *testing.T) {
	t.Parallel()
	s := &session{}
	for _, c := range []struct {
		txnr, missing int64
		bad           bool
	}{{1, 0, false}, {2, 0, false}, {5, 2, false}, {6, 0, false}, {6, 0, true}, {3, 0, true}} {
		if missing, err := s.number(c.txnr); missing != c.missing || (err != nil) != c.bad {
			t.Errorf("%d: %d, %v", c.txnr, missing, err)
		}
	}
	s.last = maxTxnr
	if missing, err := s.number(1); missing != 0 || err != nil {
		t.Error(missing, err)
	}
	s.owed = []debt{{2, 20}, {3, 30}, {4, 40}}
	if got := string(s.settle(nil, 30, true)); got != "2 rsp 6 200 OK\n" {
		t.Errorf("%q", got)
	}
	if got := string(s.settle(nil, 0, false)); got != "3 rsp 6 200 OK\n4 rsp 6 200 OK\n" || len(s.owed) != 0 {
		t.Errorf("%q", got)
	}
	for offer, ok := range map[string]bool{
		"relp_version=0\nrelp_software=librelp,1.11.0,http://librelp.adiscon.com\ncommands=syslog": true,
		"relp_version=1\ncommands=syslog,starttls":                                                 true,
		"relp_version=9\ncommands=syslog":                                                          false,
		"relp_version=0\ncommands=eventlog":                                                        false,
		"":                                                                                         true,
	} {
		if _, got := opening([]byte(offer)); got != ok {
			t.Errorf("%q: %v", offer, got)
		}
	}
}

func TestOrdinals(t *testing.T) {
	t.Parallel()
	o := ordinals{size: 4}
	var got []uint64
	for _, h := range []uint64{1, 1, 2, 1, 3, 4, 5, 1, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 2} {
		got = append(got, o.next(h))
	}
	if diff := cmp.Diff([]uint64{0, 1, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, got); diff != "" {
		t.Error(diff)
	}
	if len(o.young)+len(o.old) > 8 {
		t.Error("it grows")
	}
	first := place(1, 1)
	if place(1, 0) == first || place(1, 0) == place(2, 0) || first != place(1, 1) || place(^uint64(0), 9) < 0 || place(5, 5) >= 1<<43 {
		t.Error("places are mixed up")
	}
}
