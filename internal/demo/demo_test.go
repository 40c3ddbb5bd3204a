package demo_test

import (
	"bufio"
	"strings"
	"testing"
	"time"

	"vigil/internal/demo"
)

// maxArchive is how large the embedded log may be, in bytes.
const maxArchive = 4 << 20

// logLine is what the tests read of one line.
type logLine struct {
	at           time.Time
	pid, user    string
	client, rest string
	// refused is set on the line that repeats a statement after its error.
	refused bool
}

// eachLine calls f with each line that starts a message, and returns the number
// of all lines.
func eachLine(t *testing.T, f func(n int64, l logLine)) int64 {
	t.Helper()
	r, err := demo.Log()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, 1<<20)
	const stamp = "2006-01-02 15:04:05.000 MST"
	var n int64
	for sc.Scan() {
		n++
		text := sc.Text()
		if strings.HasPrefix(text, "\t") {
			continue
		}
		if len(text) < len(stamp) {
			t.Fatalf("line %d has no time: %q", n, text)
		}
		at, err := time.Parse(stamp, text[:len(stamp)])
		if err != nil {
			t.Fatalf("line %d: %v", n, err)
		}
		l := logLine{at: at}
		_, text, _ = strings.Cut(text, "[")
		var prefix string
		l.pid, prefix, _ = strings.Cut(text, "]: ")
		prefix, l.rest, _ = strings.Cut(prefix, " LOG:  ")
		l.refused = strings.Contains(prefix, " STATEMENT:  ")
		for part := range strings.SplitSeq(prefix, ",") {
			k, v, _ := strings.Cut(part, "=")
			switch k {
			case "user":
				l.user = v
			case "client":
				l.client = v
			}
		}
		f(n, l)
	}
	if err := sc.Err(); err != nil {
		t.Fatal(err)
	}
	return n
}

func key(t *testing.T) demo.Truth {
	t.Helper()
	truth, err := demo.Key()
	if err != nil {
		t.Fatal(err)
	}
	return truth
}

func TestArchiveIsSmallAndWhole(t *testing.T) {
	t.Parallel()
	if n := len(demo.Compressed()); n == 0 || n > maxArchive {
		t.Errorf("the archive has %d bytes, want 1 to %d", n, maxArchive)
	}
	truth := key(t)
	var first, last time.Time
	lines := eachLine(t, func(n int64, l logLine) {
		if first.IsZero() {
			first = l.at
		}
		if l.at.Before(last) {
			t.Errorf("line %d goes back from %s to %s", n, last, l.at)
		}
		last = l.at
	})
	if lines != truth.Lines || lines < 150_000 || lines > 250_000 {
		t.Errorf("%d lines, the key says %d, want 150,000 to 250,000", lines, truth.Lines)
	}
	if first.Before(truth.Start) || first.Sub(truth.Start) > time.Hour {
		t.Errorf("the first line is of %s, the recording begins at %s", first, truth.Start)
	}
	if !last.Before(truth.End) || truth.End.Sub(last) > time.Hour {
		t.Errorf("the last line is of %s, the recording ends at %s", last, truth.End)
	}
	if truth.LastDay.AddDate(0, 0, 1) != truth.End {
		t.Errorf("the last day begins at %s, the end is %s", truth.LastDay, truth.End)
	}
}

func TestEachBreachIsInTheLog(t *testing.T) {
	t.Parallel()
	truth := key(t)
	if len(truth.Breaches) != 3 {
		t.Fatalf("%d breaches, want 3", len(truth.Breaches))
	}
	statements := make([]map[string]int64, len(truth.Breaches))
	for i := range statements {
		statements[i] = map[string]int64{}
	}
	eachLine(t, func(_ int64, l logLine) {
		for i, b := range truth.Breaches {
			if l.user == b.Actor && !l.at.Before(b.Start) && !l.at.After(b.End.Add(time.Second)) && strings.HasPrefix(l.rest, "AUDIT: ") {
				statements[i][l.client]++
			}
		}
	})
	for i, b := range truth.Breaches {
		if b.Customers < 500 || b.Rows < int64(b.Customers) || b.Story == "" {
			t.Errorf("%s: %d customers, %d rows, story %q", b.Kind, b.Customers, b.Rows, b.Story)
		}
		if b.Start.After(b.Bulk) || !b.Bulk.Before(b.End) || b.Start.Before(truth.Start) || b.End.After(truth.End) {
			t.Errorf("%s: start %s, bulk %s, end %s are out of order", b.Kind, b.Start, b.Bulk, b.End)
		}
		var n int64
		for _, a := range b.Addresses {
			if statements[i][a] == 0 {
				t.Errorf("%s: no audit line of %s from %s", b.Kind, b.Actor, a)
			}
			n += statements[i][a]
		}
		// A refused statement leaves no audit line, a join leaves two.
		if n < b.Statements-5 {
			t.Errorf("%s: %d audit lines of %s for %d statements", b.Kind, n, b.Actor, b.Statements)
		}
	}
}

func TestRulesKnowEveryActor(t *testing.T) {
	t.Parallel()
	users := map[string]bool{}
	eachLine(t, func(_ int64, l logLine) { users[l.user] = true })
	delete(users, "")
	delete(users, "[unknown]")
	if len(users) < 45 {
		t.Errorf("%d actors, want at least 45", len(users))
	}
	for u := range users {
		known := false
		for _, r := range demo.ActorRules() {
			prefix, _ := strings.CutSuffix(r.Match, "*")
			if strings.HasPrefix(u, prefix) {
				known = r.Kind.Valid() && r.Role != ""
				break
			}
		}
		if !known {
			t.Errorf("no rule knows %q", u)
		}
	}
}
