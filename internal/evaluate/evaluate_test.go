package evaluate_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"vigil/internal/evaluate"
	"vigil/internal/metrics/nab"
)

func TestEdgesBecomeEvents(t *testing.T) {
	t.Parallel()
	const rows = "10.0.0.1,10.0.0.2,06/01/1998-07:55,-\n10.0.0.3,10.0.0.2,06/01/1998-07:56,smurf\n"
	var out bytes.Buffer
	labels, err := evaluate.WriteEdges(&out, strings.NewReader(rows), 0)
	want := `{"id":"0","time":"1998-06-01T07:55:00Z","actor":"10.0.0.1","action":"read","resource":"10.0.0.2"}
{"id":"1","time":"1998-06-01T07:56:00Z","actor":"10.0.0.3","action":"read","resource":"10.0.0.2"}
`
	if err != nil || out.String() != want || !slices.Equal(labels, []bool{false, true}) {
		t.Errorf("%v, %v\n%s", labels, err, out.String())
	}
	if labels, err := evaluate.WriteEdges(io.Discard, strings.NewReader(rows), 1); err != nil || len(labels) != 1 {
		t.Errorf("one of two: %v, %v", labels, err)
	}
	for _, bad := range []string{"a,b,c\n", "a,b,yesterday,-\n"} {
		if _, err := evaluate.WriteEdges(io.Discard, strings.NewReader(bad), 0); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestLogins(t *testing.T) {
	t.Parallel()
	const rows = `datetime,source_ip,username,success,failure_reason
2018-01-01 00:05:32.5,1.1.1.1,ann,True,
2018-01-01 00:06:00,6.6.6.6,ann,False,error_wrong_password
2018-01-01 00:07:00,6.6.6.6,bob,True,
`
	logins, err := evaluate.ReadLogins(strings.NewReader(rows), map[string]bool{"1.1.1.1": true})
	if err != nil || len(logins) != 3 {
		t.Fatalf("%v, %v", logins, err)
	}
	var out bytes.Buffer
	labels, err := evaluate.LoginEvents(logins)(&out)
	if err != nil || !slices.Equal(labels, []bool{false, true, true}) {
		t.Fatalf("%v, %v", labels, err)
	}
	if first, _, _ := strings.Cut(out.String(), "\n"); first != `{"id":"0","time":"2018-01-01T00:05:32.5Z","actor":"ann","action":"login","ip":"1.1.1.1","outcome":"success"}` {
		t.Error(first)
	}
	if !strings.Contains(out.String(), `"ip":"6.6.6.6","outcome":"denied"`) {
		t.Error(out.String())
	}
	// A feature knows only what came before: the first rows are the same whatever follows.
	all := evaluate.LoginFeatures(logins)
	for n := range logins {
		if got := evaluate.LoginFeatures(logins[:n+1]); !slices.Equal(got[n], all[n]) {
			t.Errorf("login %d: %v alone, %v with what follows", n, got[n], all[n])
		}
	}
	for _, bad := range []string{"x,1.1.1.1,ann,True,\n", "2018-01-01 00:05:32,1.1.1.1,ann,perhaps,\n", "2018-01-01 00:05:32,1\n"} {
		if _, err := evaluate.ReadLogins(strings.NewReader("h,h,h,h,h\n"+bad), nil); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestWindowsAreFoundByTime(t *testing.T) {
	t.Parallel()
	var times []time.Time
	for i := range 10 {
		times = append(times, time.Date(2020, 1, 1, i, 0, 0, 0, time.UTC))
	}
	got, err := evaluate.WindowsOf(times, [][2]string{{"2020-01-01 02:00:00.000000", "2020-01-01 04:30:00.000000"}, {"2020-01-01 09:00:00", "2020-01-02 00:00:00"}})
	if err != nil || !slices.Equal(got, []nab.Window{{First: 2, Last: 4}, {First: 9, Last: 9}}) {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range [][2]string{{"2021-01-01 00:00:00", "2021-01-02 00:00:00"}, {"x", "y"}} {
		if _, err := evaluate.WindowsOf(times, [][2]string{bad}); err == nil {
			t.Errorf("%v is taken", bad)
		}
	}
}

func TestInsertReplacesBetweenMarkers(t *testing.T) {
	t.Parallel()
	doc := "# Title\n\ntext\n"
	one, err := evaluate.Insert(doc, "a", "first\n")
	if err != nil || !strings.HasPrefix(one, doc) || !strings.Contains(one, "first\n") {
		t.Fatalf("%q, %v", one, err)
	}
	two, _ := evaluate.Insert(one, "b", "other")
	again, _ := evaluate.Insert(two, "a", "second")
	if strings.Contains(again, "first") || !strings.Contains(again, "second\n<!-- /detection:a -->\n") || !strings.Contains(again, "other") {
		t.Errorf("%q", again)
	}
	if same, _ := evaluate.Insert(again, "a", "second"); same != again {
		t.Errorf("twice is not once: %q", same)
	}
	if _, err := evaluate.Insert("<!-- detection:a -->\n", "a", "x"); err == nil {
		t.Error("half a pair is taken")
	}
}

// script is the command of a program that stands for another. It is read by a
// shell rather than run itself: a file that was just written can't be run while
// another test forks.
func script(t *testing.T, text string) []string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"sh", path}
}

func TestScoresAreMatchedByID(t *testing.T) {
	t.Parallel()
	events := func(w io.Writer) ([]bool, error) {
		_, err := io.WriteString(w, "one\ntwo\nthree\n")
		return []bool{false, true, false}, err
	}
	p := evaluate.Program{Command: script(t, `cat >/dev/null
echo '{"id":"1","surprise":3,"contributions":[{"x":[1,2]}],"models":{"b":{"score":5,"p":0.1},"a":{"score":7,"p":0.2}}}'
echo '{"id":"0","surprise":1,"models":{"a":{"score":2,"p":0.5}}}'
`)}
	s, err := p.Score(t.Context(), events)
	if err != nil {
		t.Fatal(err)
	}
	if s.Events != 2 || !slices.Equal(s.Names, []string{"merged p", "a score", "a p", "b score", "b p"}) ||
		!slices.Equal(s.By["merged p"], []float64{1, 3, 0}) || !slices.Equal(s.By["b score"], []float64{0, 5, 0}) || !slices.Equal(s.By["a p"], []float64{.5, .8, 0}) {
		t.Errorf("%+v", s)
	}
	text, err := evaluate.EventTable(s, []evaluate.PeerRow{{Name: "gone", Err: evaluate.ErrNotInstalled}, {Name: "broken", Err: io.ErrUnexpectedEOF}})
	if err != nil || !strings.Contains(text, "3 events, 33.3% of them attacks; 2 got a score.") || !strings.Contains(text, "| vigil, a score | 1.000 | 1.000 |") ||
		!strings.Contains(text, "| gone | not installed |") || !strings.Contains(text, "| broken | failed |") {
		t.Errorf("%v\n%s", err, text)
	}

	for name, text := range map[string]string{
		"an unknown id": `cat >/dev/null; echo '{"id":"7","surprise":3}'`,
		"no number":     `cat >/dev/null; echo '{"id":"x","surprise":3}'`,
		"no JSON":       `cat >/dev/null; echo hello`,
		"silence":       `cat >/dev/null`,
		"a failure":     `cat >/dev/null; echo '{"id":"1","surprise":3}'; echo why >&2; exit 3`,
	} {
		if _, err := (evaluate.Program{Command: script(t, text)}).Score(t.Context(), events); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	broken := func(io.Writer) ([]bool, error) { return nil, io.ErrUnexpectedEOF }
	if _, err := p.Score(t.Context(), broken); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("half a set: %v", err)
	}
}

func TestPeers(t *testing.T) {
	t.Parallel()
	rows, labels := [][]float64{{1, 2}, {3, 4}, {50, 60}}, []bool{false, false, true}
	// The score is the row's first number; the seed is the sixth argument.
	good := script(t, `sed 's/,.*//'; echo 0.5 >&2`)
	r, err := evaluate.NewPeer(good...).Measure(t.Context(), ".", t.TempDir(), rows, labels)
	if err != nil || r.Quality.AUC != 1 || r.Low != 1 || r.Up != 1 || r.Rate != 6 {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := evaluate.NewPeer().Measure(t.Context(), ".", t.TempDir(), rows, labels); !errors.Is(err, evaluate.ErrNotInstalled) {
		t.Errorf("one that is not there: %v", err)
	}
	for name, text := range map[string]string{
		"too few":   `echo 1; echo 0.5 >&2`,
		"no time":   `sed 's/,.*//'`,
		"no number": `echo x; echo 0.5 >&2`,
		"a crash":   `exit 1`,
	} {
		if _, err := evaluate.NewPeer(script(t, text)...).Measure(t.Context(), ".", t.TempDir(), rows, labels); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if names := evaluate.Peers(); len(names) != 3 {
		t.Errorf("%d peers", len(names))
	}
}

func TestDataThatIsNotThere(t *testing.T) {
	t.Parallel()
	p, dir := evaluate.Program{Command: []string{"false"}}, t.TempDir()
	_, edges := evaluate.Edges(t.Context(), dir, 0)
	_, logins := evaluate.Logins(dir)
	_, nabErr := p.NAB(t.Context(), dir)
	_, cloud := p.Cloud(t.Context(), dir)
	for _, err := range []error{edges, logins, nabErr, cloud} {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v", err)
		}
	}
}

// The public sets are read to their end, where they are.
func TestPublicSets(t *testing.T) {
	t.Parallel()
	data := filepath.Join("..", "..", "..", "shared", "data")
	if _, err := os.Stat(data); err != nil {
		t.Skip("NOT CHECKED: there is no ../shared/data beside the project")
	}
	logins, err := evaluate.Logins(data)
	if err != nil || len(logins) != 38_700 {
		t.Fatalf("%d logins, %v", len(logins), err)
	}
	events, err := evaluate.Edges(t.Context(), data, 1000)
	if err != nil {
		t.Skip("NOT CHECKED: ", err)
	}
	if labels, err := events(io.Discard); err != nil || len(labels) != 1000 {
		t.Fatalf("%d edges, %v", len(labels), err)
	}
}
