package main

import (
	"io"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"vigil/internal/demo"
)

// rehearse plays the story without a server.
func rehearse(t *testing.T, args ...string) (*dryTape, *sim, demo.Truth) {
	t.Helper()
	o, err := parse(append([]string{"-dry"}, args...), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	tape := newDryTape()
	s := newSim(o, tape)
	truth, err := s.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return tape, s, truth
}

func TestSameSeedSameStatements(t *testing.T) {
	t.Parallel()
	_, _, a := rehearse(t, "-days", "4")
	_, _, b := rehearse(t, "-days", "4")
	_, _, c := rehearse(t, "-days", "4", "-seed", "7")
	if a.Digest != b.Digest {
		t.Error("the same seed gave other statements")
	}
	if a.Digest == c.Digest {
		t.Error("another seed gave the same statements")
	}
}

// TestTheRecordingIsThisStory fails when the program has changed what happens
// and the recording was not made again.
func TestTheRecordingIsThisStory(t *testing.T) {
	t.Parallel()
	if runtime.GOARCH != "amd64" {
		t.Skip("SKIPPED: the recording was made on amd64; elsewhere floating-point numbers may differ in their last bit")
	}
	recorded, err := demo.Key()
	if err != nil {
		t.Fatal(err)
	}
	_, _, now := rehearse(t, "-seed", strconv.FormatUint(recorded.Seed, 10))
	if recorded.Digest != now.Digest || recorded.Statements != now.Statements {
		t.Errorf("the recording holds %d statements (%s), the program would send %d (%s): record again with make record",
			recorded.Statements, recorded.Digest, now.Statements, now.Digest)
	}
}

func TestTheWholeStory(t *testing.T) {
	t.Parallel()
	tape, s, truth := rehearse(t)
	// Statements that one click causes may overlap those of another; more would
	// mean that something was sent before its time.
	if tape.backwards > 500*time.Millisecond {
		t.Errorf("something was planned %s before what was already done", tape.backwards)
	}
	if n := truth.Statements; n < 140_000 || n > 220_000 {
		t.Errorf("%d statements, want 140,000 to 220,000", n)
	}
	for _, m := range s.staff {
		if tape.byUser[m.login] == nil || tape.byUser[m.login].statements == 0 {
			t.Errorf("%s never did anything", m.login)
		}
	}
	if len(truth.Irregularities) < 15 {
		t.Errorf("%d irregularities, want at least 15", len(truth.Irregularities))
	}
	kinds := map[string]bool{}
	for _, o := range truth.Irregularities {
		kinds[o.Kind] = true
		if !o.Start.Before(o.End) || o.Story == "" {
			t.Errorf("irregularity %+v is not whole", o)
		}
		if o.Actor == "*" || strings.HasSuffix(o.Actor, ".*") {
			continue
		}
		if tape.byUser[o.Actor] == nil {
			t.Errorf("irregularity %q is about %q, whom nobody knows", o.Kind, o.Actor)
		}
	}
	for _, k := range []string{"sick-day", "holiday", "new-joiner", "busy-monday", "month-end-report", "incident", "vendor-catch-up", "release", "new-network", "late-export"} {
		if !kinds[k] {
			t.Errorf("no irregularity %q", k)
		}
	}
}

func TestAgentsAreBelievable(t *testing.T) {
	t.Parallel()
	tape, s, _ := rehearse(t)
	agents, err := s.agents()
	if err != nil {
		t.Fatal(err)
	}
	slowest, fastest := 1e9, 0.0
	for _, a := range agents {
		if a.login == newcomer || a.login == s.exporter {
			continue
		}
		// Two sessions a day: one before lunch, one after.
		c := tape.byUser[a.login]
		perDay := float64(c.statements) / (float64(c.sessions) / 2)
		slowest, fastest = min(slowest, perDay), max(fastest, perDay)
	}
	if slowest < 40 || fastest > 500 || fastest < 2*slowest {
		t.Errorf("statements a day run from %.0f to %.0f, want some twice as fast as others, between 40 and 500", slowest, fastest)
	}
}

func TestFlagsAreChecked(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{}, {"-out", "x", "-days", "0"}, {"-out", "x", "-days", "31"}, {"-out", "x", "-agents", "2"}, {"-out", "x", "-level", "99"}, {"-unknown"},
	} {
		if _, err := parse(args, io.Discard); err == nil {
			t.Errorf("%q was accepted", args)
		}
	}
}
