//go:build !race

package traffic_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/internal/traffic"
)

var small = traffic.Config{Events: 20_000, Actors: 120, Days: 14, Seed: 7}

func TestGenerateGivesExactlyWhatWasAsked(t *testing.T) {
	t.Parallel()
	for _, cfg := range []traffic.Config{
		small,
		{Events: 1, Actors: 20, Days: 1},
		{Events: 500, Actors: 300, Days: 3},
		{Events: 50_000, Actors: 20, Days: 2, Start: time.Date(2026, 1, 31, 22, 30, 0, 0, time.UTC)},
	} {
		n := 0
		last := time.Time{}
		ids := map[string]bool{}
		err := traffic.Generate(cfg, func(e *vigil.Event) {
			n++
			if err := e.Validate(); err != nil {
				t.Fatalf("event %d of %+v: %v", n, cfg, err)
			}
			if e.Time.Before(last) {
				t.Fatalf("event %d of %+v: time goes back from %s to %s", n, cfg, last, e.Time)
			}
			last = e.Time
			if ids[e.ID] {
				t.Fatalf("id %s comes twice", e.ID)
			}
			ids[e.ID] = true
		})
		if err != nil {
			t.Fatal(err)
		}
		if n != cfg.Events {
			t.Errorf("%+v gave %d events", cfg, n)
		}
	}
}

func TestSameSeedSameBytes(t *testing.T) {
	t.Parallel()
	sum := func(cfg traffic.Config) [32]byte {
		var b bytes.Buffer
		if _, err := traffic.Write(&b, cfg); err != nil {
			t.Fatal(err)
		}
		return sha256.Sum256(b.Bytes())
	}
	other := small
	other.Seed++
	if first, second := sum(small), sum(small); first != second {
		t.Error("the same configuration gave other bytes")
	}
	if sum(small) == sum(other) {
		t.Error("another seed gave the same bytes")
	}
}

func TestOneConversationOneCustomer(t *testing.T) {
	t.Parallel()
	owner := map[string]string{}
	err := traffic.Generate(small, func(e *vigil.Event) {
		if e.Conversation == "" {
			return
		}
		if len(e.Subjects) != 1 {
			t.Fatalf("%s names %d customers in %s", e.ID, len(e.Subjects), e.Conversation)
		}
		if was, ok := owner[e.Conversation]; ok && was != e.Subjects[0] {
			t.Fatalf("%s belongs to %s and %s", e.Conversation, was, e.Subjects[0])
		}
		owner[e.Conversation] = e.Subjects[0]
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(owner) < 500 {
		t.Errorf("only %d conversations", len(owner))
	}
}

// TestTexture holds the traffic to what it promises to look like.
func TestTexture(t *testing.T) {
	t.Parallel()
	cfg := traffic.Config{Events: 150_000, Actors: 80, Days: 28, Seed: 3}
	perHour := map[string]map[int64]float64{}
	networks := map[string]map[string]bool{}
	shapes := map[string]map[string]bool{}
	byDay := map[time.Weekday]int{}
	err := traffic.Generate(cfg, func(e *vigil.Event) {
		byDay[e.Time.Weekday()]++
		add(shapes, e.Actor.Role, e.Shape)
		if e.Actor.Role != "agent" {
			return
		}
		add(networks, e.Actor.ID, vigil.NetworkOf(e.IP))
		if perHour[e.Actor.ID] == nil {
			perHour[e.Actor.ID] = map[int64]float64{}
		}
		perHour[e.Actor.ID][e.Time.Unix()/3600]++
	})
	if err != nil {
		t.Fatal(err)
	}
	// Worked hours vary more than Poisson would, but not without bound.
	var ratios []float64
	for _, hours := range perHour {
		var sum, squares float64
		for _, n := range hours {
			sum += n
			squares += n * n
		}
		n := float64(len(hours))
		mean := sum / n
		ratios = append(ratios, (squares/n-mean*mean)/mean)
	}
	slices.Sort(ratios)
	if m := ratios[len(ratios)/2]; m < 1.6 || m > 20 {
		t.Errorf("median variance over mean of an agent's hours is %.2f", m)
	}
	var many int
	for _, n := range networks {
		if len(n) > 6 {
			many++
		}
	}
	if many > len(networks)/50 {
		t.Errorf("%d of %d agents use more than 6 networks", many, len(networks))
	}
	for role, s := range shapes {
		if len(s) < 5 || len(s) > 70 {
			t.Errorf("role %s uses %d shapes", role, len(s))
		}
	}
	if byDay[time.Sunday]*2 > byDay[time.Tuesday] {
		t.Errorf("Sundays are as busy as Tuesdays: %v", byDay)
	}
}

func TestInjectedEventsTakeTheirPlace(t *testing.T) {
	t.Parallel()
	collect := func(extra ...*vigil.Event) (ids []string) {
		w, err := traffic.New(small)
		if err != nil {
			t.Fatal(err)
		}
		w.Inject(extra...)
		for e := range w.Events() {
			ids = append(ids, e.ID)
		}
		for range w.Events() {
			t.Fatal("a world gave events a second time")
		}
		return ids
	}
	plain := collect()
	start := time.Date(2026, 10, 5, 0, 0, 0, 0, time.UTC)
	var extra []*vigil.Event
	for i, at := range []time.Duration{400 * time.Hour, -time.Hour, 50 * time.Hour} {
		e := vigil.NewEvent()
		e.ID, e.Time, e.Actor.ID, e.Action = "x"+string(rune('0'+i)), start.Add(at), "stranger", vigil.ActionRead
		extra = append(extra, e)
	}
	mixed := collect(extra...)
	if mixed[0] != "x1" || mixed[len(mixed)-1] != "x0" || !slices.Contains(mixed, "x2") {
		t.Errorf("injected events are not in their places: %q … %q", mixed[0], mixed[len(mixed)-1])
	}
	clean := slices.DeleteFunc(mixed, func(id string) bool { return strings.HasPrefix(id, "x") })
	if diff := cmp.Diff(plain, clean); diff != "" {
		t.Errorf("injecting changed the clean traffic (-before +after):\n%s", diff)
	}
}

func TestWriteIsJSON(t *testing.T) {
	t.Parallel()
	w, err := traffic.New(traffic.Config{Events: 2_000, Actors: 40, Days: 3})
	if err != nil {
		t.Fatal(err)
	}
	odd := vigil.NewEvent()
	odd.ID, odd.Actor.ID, odd.Action = "odd", "a\"\\\x01\u202e<&", vigil.ActionRead
	odd.Time, _ = w.Span()
	w.Inject(odd)
	var b bytes.Buffer
	n, err := w.Write(&b)
	if err != nil || n != 2_001 {
		t.Fatalf("wrote %d events, %v", n, err)
	}
	seen := false
	for line := range bytes.Lines(b.Bytes()) {
		var e struct{ ID, Actor, Action, Time string }
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		seen = seen || e.ID == "odd" && e.Actor == odd.Actor.ID
	}
	if !seen {
		t.Error("the odd actor did not survive")
	}
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	for _, cfg := range []traffic.Config{
		{Events: -1}, {Actors: 19}, {Days: -1}, {Actors: math.MaxInt32, Days: 1000},
	} {
		if _, err := traffic.New(cfg); err == nil {
			t.Errorf("%+v was taken", cfg)
		}
	}
}

func add(m map[string]map[string]bool, key, value string) {
	if m[key] == nil {
		m[key] = map[string]bool{}
	}
	m[key][value] = true
}
