package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"vigil"
	"vigil/collectors"
	"vigil/internal/app"
	"vigil/internal/ledger"
	"vigil/internal/privacy"
	"vigil/internal/traffic"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"vigil": main})
}

// The command line as people use it: output, errors, exit codes.
func TestScripts(t *testing.T) {
	t.Parallel()
	dir := "testdata/script"
	if len(scripts) > 0 {
		dir = ""
	}
	testscript.Run(t, testscript.Params{
		Dir:                 dir,
		Files:               scripts,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("VIGIL_PSEUDONYM_KEY", "a key for scripts, long enough")
			env.Setenv("NO_COLOR", "1")
			env.Setenv("TMPDIR", env.Getenv("WORK"))
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"traffic": writeTraffic,
			"long":    writeLong,
			"bytes":   writeBytes,
			"packed":  writePacked,
			"status":  status,
			"lines":   lines,
			"kept":    writeKept,
			"await":   await,
			"until":   until,
			"named":   named,
			"envfile": envFile,
			"flip":    flip,
		},
	})
}

// traffic FILE EVENTS ACTORS DAYS THREAT... writes made-up traffic with breaches.
func writeTraffic(ts *testscript.TestScript, _ bool, args []string) {
	events, err := strconv.Atoi(args[1])
	ts.Check(err)
	actors, err := strconv.Atoi(args[2])
	ts.Check(err)
	var out bytes.Buffer
	days, err := strconv.Atoi(args[3])
	ts.Check(err)
	world, err := traffic.New(traffic.Config{Events: events, Actors: actors, Days: days, Seed: 1})
	ts.Check(err)
	for _, threat := range args[4:] {
		breach, err := world.Stage(traffic.Stage{Threat: traffic.Threat(threat)})
		ts.Check(err)
		world.Inject(breach.Events...)
	}
	_, err = world.Write(&out)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), out.Bytes(), 0o600))
}

// long FILE MEGABYTES appends one line of that length, without a line end.
func writeLong(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	ts.Check(err)
	defer f.Close()
	chunk := bytes.Repeat([]byte("x"), 1<<20)
	for range n {
		_, err := f.Write(chunk)
		ts.Check(err)
	}
}

// bytes FILE QUOTED appends what a Go string literal's inside says.
func writeBytes(ts *testscript.TestScript, _ bool, args []string) {
	text, err := strconv.Unquote(`"` + args[1] + `"`)
	ts.Check(err)
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	ts.Check(err)
	defer f.Close()
	_, err = f.WriteString(text)
	ts.Check(err)
}

// packed FILE FROM PERCENT packs what a file holds a thousand times over, and
// keeps so much of the archive.
func writePacked(ts *testscript.TestScript, _ bool, args []string) {
	keep, err := strconv.Atoi(args[2])
	ts.Check(err)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	for range 1_000 {
		_, err := z.Write([]byte(ts.ReadFile(args[1])))
		ts.Check(err)
	}
	ts.Check(z.Close())
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), packed.Bytes()[:packed.Len()*keep/100], 0o600))
}

// status CODE COMMAND ARGS... runs a command that must exit with the code.
func status(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	if err != nil {
		var exit interface{ ExitCode() int }
		if !asExit(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if fmt.Sprint(got) != args[0] {
		ts.Fatalf("exit code %d, not %s", got, args[0])
	}
}

// kept DIR makes a data folder with two findings about one actor, the events of one,
// and a key.
func writeKept(ts *testscript.TestScript, _ bool, args []string) {
	ctx, dir := context.Background(), ts.MkAbs(args[0])
	l, err := ledger.Open(ctx, ledger.Config{Dir: dir}, ledger.Options{})
	ts.Check(err)
	p, err := privacy.New([]byte("a key for scripts, long enough"), privacy.Options{})
	ts.Check(err)
	now := time.Now().UTC().Truncate(time.Hour)
	var events []*vigil.Event
	for i := range 4 {
		e := vigil.NewEvent()
		e.ID, e.Time = fmt.Sprint("e-", i), now.Add(time.Duration(i-9)*time.Minute)
		e.Actor = vigil.Actor{ID: p.Actor("", "mallory"), Kind: vigil.KindHuman, Role: "agent"}
		e.Action, e.Resource, e.Store = vigil.ActionRead, "contacts", "helpdesk"
		e.Network = []string{"198.51.100.0/24", "203.0.113.0/24"}[i%2]
		events = append(events, e)
	}
	_, _, err = l.Accept(ctx, collectors.Batch{Source: "bot", Events: events})
	ts.Check(err)
	one := vigil.Finding{
		ID: "f-1", Revision: 1, State: vigil.StateOpen, About: vigil.AboutActor, Actor: events[0].Actor.ID, ActorKind: vigil.KindHuman, Role: "agent",
		Start: now.Add(-time.Hour), End: now, Detected: now, Severity: vigil.SeverityHigh, Lane: "day", Evidence: 5, Threshold: 4, Harm: 10,
		Sentence: "Somebody read 41 customers; usual are 3.", Networks: []string{"203.0.113.0/24"}, Subjects: 41, Events: 41,
		Contributions: []vigil.Contribution{
			{Model: "novelty", Observation: "network", Span: "day", Frame: "everyone", Seen: 1, SeenLabel: "203.0.113.0/24", P: 1e-4, E: 100, Share: .7},
			{Model: "volume", Observation: "subjects", Span: "day", Frame: "self", Seen: 40, Expected: 3, P: 1e-3, E: 10, Share: .3},
		},
	}
	two := one
	two.ID, two.Rule, two.Harm, two.Severity = "f-2", "one-conversation-one-customer", 5, vigil.SeverityMedium
	ts.Check(l.Apply(ctx, ledger.Applied{Seq: l.Last(), Findings: []vigil.Finding{one, two}}))
	ts.Check(l.Close())
}

// await FILE waits until a file is there.
func await(ts *testscript.TestScript, _ bool, args []string) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(time.Minute); ; {
		if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
			return
		}
		select {
		case <-deadline:
			ts.Fatalf("%s is not there", args[0])
		case <-tick.C:
		}
	}
}

// until PATTERN COMMAND ARGS... runs a command until it writes what matches.
func until(ts *testscript.TestScript, _ bool, args []string) {
	pattern, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(time.Minute); ; {
		ts.Check(ts.Exec(args[1], args[2:]...))
		if pattern.MatchString(ts.ReadFile("stdout")) {
			return
		}
		select {
		case <-deadline:
			ts.Fatalf("nothing matches %s", args[0])
		case <-tick.C:
		}
	}
}

// named NAME PATTERN names what the pattern's first group matches in stdout.
func named(ts *testscript.TestScript, _ bool, args []string) {
	pattern, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	found := pattern.FindStringSubmatch(ts.ReadFile("stdout"))
	if found == nil {
		ts.Fatalf("nothing matches %s", args[1])
	}
	ts.Setenv(args[0], found[1])
}

// envfile NAME FILE names what a file holds.
func envFile(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile(args[1])))
}

// flip FILE changes one bit in the middle of a file.
func flip(ts *testscript.TestScript, _ bool, args []string) {
	data := []byte(ts.ReadFile(args[0]))
	data[len(data)/2] ^= 4
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), data, 0o600))
}

func asExit(err error, to *interface{ ExitCode() int }) bool {
	e, ok := err.(interface{ ExitCode() int })
	if ok {
		*to = e
	}
	return ok
}

// lines FILE COUNT checks how many lines a file (or stdout, stderr) has.
func lines(ts *testscript.TestScript, _ bool, args []string) {
	if got := bytes.Count([]byte(ts.ReadFile(args[0])), []byte("\n")); fmt.Sprint(got) != args[1] {
		ts.Fatalf("%s has %d lines, not %s", args[0], got, args[1])
	}
}

// What the documentation shows as native events is read as such.
func TestDocumentedEventsParse(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "events.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(text), "```json\n")
	block, _, _ = strings.Cut(block, "```")
	path := filepath.Join(t.TempDir(), "events.ndjson")
	if err := os.WriteFile(path, []byte(block), 0o600); err != nil {
		t.Fatal(err)
	}
	var got []*vigil.Event
	summary, err := app.ParseEvents(t.Context(), app.Input{Files: []string{path}}, func(e *vigil.Event) error {
		got = append(got, e)
		return nil
	})
	if err != nil || len(summary.Quarantined) != 0 || len(got) != strings.Count(block, "\n") || len(got) < 3 {
		t.Fatalf("%d events, %v set aside, %v", len(got), summary.Quarantined, err)
	}
	// Each key that is shown ends up somewhere.
	if e := got[1]; e.Rows != 12 || e.Bytes != 3400 || e.Limit != 50 || e.SubjectCount != 1 || e.Ticket != "t-5" || e.ResourceTenant != "acme" || e.Shape == "" {
		t.Errorf("got %+v", e)
	}
	if e := got[2]; e.Principal != "cust-17" || e.Destination == nil || e.Destination.Region != "us" {
		t.Errorf("got %+v", e)
	}
}
