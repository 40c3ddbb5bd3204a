package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func at(t *testing.T, s string) time.Time {
	t.Helper()
	v, err := time.Parse("2006-01-02 15:04:05.000000", s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// steps notes, for each line of in, the step that wrote it: names[i] for line i.
func stepsOf(in string, marks []step, of []int) []step {
	out := append([]step{}, marks...)
	var offset int64
	for i, line := range strings.SplitAfter(strings.TrimSuffix(in, "\n"), "\n") {
		offset += int64(len(line))
		out[of[i]].end = offset
	}
	return out
}

func TestRewriteMovesTimesAndNothingElse(t *testing.T) {
	t.Parallel()
	in := `2026-01-01 10:00:00.100 UTC [7]: user=,db=,app=,client= LOG:  database system was shut down at 2026-01-01 09:59:58 UTC
2026-01-01 10:00:00.200 UTC [9]: user=[unknown],db=[unknown],app=[unknown],client=10.20.1.5 LOG:  connection received: host=10.20.1.5 port=4711
2026-01-01 10:00:00.205 UTC [9]: user=a,db=d,app=x,client=10.20.1.5 LOG:  AUDIT: SESSION,1,1,READ,SELECT,,,"select 1
	2026-01-01 10:00:00.205 UTC [9]: not a line of its own",<none>,1
2026-01-01 10:00:00.310 UTC [9]: user=a,db=d,app=x,client=10.20.1.5 LOG:  disconnection: session time: 0:00:00.110 user=a database=d host=10.20.1.5 port=4711
2026-01-01 10:00:00.311 UTC [10]: user=b,db=d,app=x,client=10.20.1.6 LOG:  disconnection: session time: 0:00:00.050 user=b database=d host=10.20.1.6 port=4712
`
	want := `2026-10-05 00:00:00.100 UTC [7]: user=,db=,app=,client= LOG:  database system was shut down at 2026-10-04 23:59:58 UTC
2026-10-05 08:00:00.000 UTC [9]: user=[unknown],db=[unknown],app=[unknown],client=10.20.1.5 LOG:  connection received: host=10.20.1.5 port=4711
2026-10-05 08:00:00.005 UTC [9]: user=a,db=d,app=x,client=10.20.1.5 LOG:  AUDIT: SESSION,1,1,READ,SELECT,,,"select 1
	2026-01-01 10:00:00.205 UTC [9]: not a line of its own",<none>,1
2026-10-06 10:02:03.010 UTC [9]: user=a,db=d,app=x,client=10.20.1.5 LOG:  disconnection: session time: 26:02:03.010 user=a database=d host=10.20.1.5 port=4711
2026-10-06 10:02:03.011 UTC [10]: user=b,db=d,app=x,client=10.20.1.6 LOG:  disconnection: session time: 0:00:00.050 user=b database=d host=10.20.1.6 port=4712
`
	steps := stepsOf(in, []step{
		{sim: at(t, "2026-10-05 00:00:00.000000"), real: at(t, "2026-01-01 10:00:00.000000")},
		{sim: at(t, "2026-10-05 08:00:00.000000"), real: at(t, "2026-01-01 10:00:00.200400")},
		{sim: at(t, "2026-10-06 10:02:03.000000"), real: at(t, "2026-01-01 10:00:00.300000")},
	}, []int{0, 1, 1, 1, 2, 2})
	var out bytes.Buffer
	lines, err := rewrite(strings.NewReader(in), &out, steps)
	if err != nil {
		t.Fatal(err)
	}
	if lines != 6 {
		t.Errorf("%d lines, want 6", lines)
	}
	if d := cmp.Diff(want, out.String()); d != "" {
		t.Error(d)
	}
}

func TestRewriteNeverGoesBack(t *testing.T) {
	t.Parallel()
	// The first step took two real seconds, but the next one is simulated a
	// second after it; then the machine's clock jumps back.
	in := `2026-01-01 10:00:02.000 UTC [9]: LOG:  slow
2026-01-01 10:00:02.000 UTC [9]: LOG:  next
2026-01-01 09:00:00.000 UTC [9]: LOG:  clock jumped
`
	want := `2026-10-05 08:00:01.000 UTC [9]: LOG:  slow
2026-10-05 08:00:01.000 UTC [9]: LOG:  next
2026-10-05 08:00:01.000 UTC [9]: LOG:  clock jumped
`
	steps := stepsOf(in, []step{
		{sim: at(t, "2026-10-05 08:00:00.000000"), real: at(t, "2026-01-01 10:00:00.000000")},
		{sim: at(t, "2026-10-05 08:00:01.000000"), real: at(t, "2026-01-01 10:00:02.000000")},
	}, []int{0, 1, 1})
	var out bytes.Buffer
	if _, err := rewrite(strings.NewReader(in), &out, steps); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, out.String()); d != "" {
		t.Error(d)
	}
}

func TestRewriteRefusesWhatIsNoLog(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{
		"no time":   "hello\n",
		"odd time":  "2026-13-45 10:00:00.000 UTC [9]: LOG:  x\n",
		"empty":     "\n",
		"no prefix": strings.Repeat("x", 80) + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := rewrite(strings.NewReader(in), &bytes.Buffer{}, []step{{end: int64(len(in))}})
			if err == nil || !strings.Contains(err.Error(), "line 1") {
				t.Errorf("got %v, want an error that names line 1", err)
			}
		})
	}
	if _, err := rewrite(strings.NewReader(""), &bytes.Buffer{}, nil); err == nil {
		t.Error("no steps: want an error")
	}
}
