package feeds_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/internal/feeds"
	"vigil/internal/privacy"
)

// log is what the program's log is to a service.
type log struct {
	entries []vigil.Facts
	fail    error
	said    bytes.Buffer
	now     time.Time
}

func (l *log) known(_ context.Context, kind vigil.FactKind) (out []vigil.Facts, err error) {
	for _, f := range l.entries {
		if f.Kind == kind {
			out = append(out, f)
		}
	}
	return out, nil
}

func (l *log) accept(_ context.Context, f vigil.Facts) error {
	if l.fail != nil {
		return l.fail
	}
	l.entries = append(l.entries, f)
	return nil
}

func (l *log) service(t *testing.T, all ...feeds.Feed) *feeds.Service {
	t.Helper()
	p, err := privacy.New([]byte("a key of enough bytes"), privacy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return feeds.NewService(all, feeds.Options{
		Known: l.known, Accept: l.accept, Pseudonyms: p, Logger: slog.New(slog.NewTextHandler(&l.said, nil)), Now: func() time.Time { return l.now },
	})
}

func directory(path string) feeds.Feed {
	return feeds.Feed{Spec: feeds.Spec{Name: "hr", Kind: vigil.FactPerson}, Files: []string{path}}
}

// people is a directory of n people, the first of whom has another role by version.
func people(n, version int) string {
	var b strings.Builder
	b.WriteString("actor,role,surname\n")
	for i := range n {
		role := "agent"
		if i == 0 {
			role = fmt.Sprint("role-", version)
		}
		fmt.Fprintf(&b, "canary-%d,%s,Canary%d\n", i, role, i)
	}
	return b.String()
}

func write(t *testing.T, path, text string, at time.Time) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
}

func poll(t *testing.T, s *feeds.Service) feeds.Status {
	t.Helper()
	if err := s.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s.Statuses()[0]
}

func TestOnlyWhatChangedIsTold(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "people.csv")
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	l := &log{now: start}
	write(t, path, people(20, 1), start)
	s := l.service(t, directory(path))
	if st := poll(t, s); st.Records != 20 || st.Trouble != "" || len(l.entries) != 1 {
		t.Fatalf("%+v, %d entries", st, len(l.entries))
	}
	poll(t, s)
	write(t, path, people(20, 1), start.Add(time.Hour)) // touched, not changed
	poll(t, s)
	if len(l.entries) != 1 {
		t.Fatalf("told again: %d entries", len(l.entries))
	}
	write(t, path, people(19, 2), start.Add(2*time.Hour))
	if st := poll(t, s); st.Records != 19 || len(l.entries) != 3 || len(l.entries[1].Removed) != 1 || len(l.entries[2].People) != 1 {
		t.Fatalf("%+v, %+v", st, l.entries[1:])
	}
	// Another start knows from the log what was told.
	again := l.service(t, directory(path))
	if st := poll(t, again); st.Records != 19 || len(l.entries) != 3 {
		t.Errorf("after a restart: %+v, %d entries", st, len(l.entries))
	}
	// What is configured no more is forgotten.
	none := l.service(t, feeds.Feed{Spec: feeds.Spec{Name: "other", Kind: vigil.FactPerson}, Files: []string{path}})
	poll(t, none)
	if f := l.entries[3]; f.Feed != "hr" || !f.Whole || len(f.People) != 0 {
		t.Errorf("%+v", f)
	}
	text, err := json.Marshal(l.entries)
	if err != nil {
		t.Fatal(err)
	}
	if all := string(text) + l.said.String(); strings.Contains(strings.ToLower(all), "canary") {
		t.Error("somebody shows in clear")
	}
}

func TestHalfADirectoryIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "people.csv")
	l := &log{now: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)}
	write(t, path, people(20, 1), l.now)
	s := l.service(t, directory(path))
	poll(t, s)
	write(t, path, people(9, 1), l.now.Add(time.Hour))
	if st := poll(t, s); st.Records != 20 || !strings.Contains(st.Trouble, "9 records where 20 are known") || len(l.entries) != 1 {
		t.Fatalf("%+v", st)
	}
	if st := poll(t, s); st.Trouble == "" {
		t.Error("the trouble is over by looking again")
	}
	if n := strings.Count(l.said.String(), "is in trouble"); n != 1 {
		t.Errorf("told %d times", n)
	}
	write(t, path, people(11, 1), l.now.Add(2*time.Hour))
	if st := poll(t, s); st.Records != 11 || st.Trouble != "" {
		t.Errorf("a smaller one that is large enough: %+v", st)
	}
	write(t, path, people(2, 1), l.now.Add(3*time.Hour))
	may := directory(path)
	may.MayShrink = true
	if st := poll(t, l.service(t, may)); st.Records != 2 {
		t.Errorf("one that may: %+v", st)
	}
}

func TestTroublesAreSaid(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "people.csv")
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	l := &log{now: start}
	f := directory(path)
	f.StaleAfter = 24 * time.Hour
	s := l.service(t, f)
	if st := poll(t, s); !strings.Contains(st.Trouble, "there is no file") {
		t.Errorf("no file: %+v", st)
	}
	write(t, path, "actor,surname\ncanary,M\xfcller\n", start)
	if st := poll(t, s); !strings.Contains(st.Trouble, "no UTF-8") {
		t.Errorf("Latin-1: %+v", st)
	}
	write(t, path, people(3, 1), start.Add(time.Minute))
	if st := poll(t, s); st.Trouble != "" {
		t.Errorf("well again: %+v", st)
	}
	l.now = start.Add(25 * time.Hour)
	if st := poll(t, s); !strings.Contains(st.Trouble, "nothing new since 1 March") || st.Records != 3 {
		t.Errorf("stale: %+v", st)
	}
	// What can't be kept is read again.
	l.fail = errors.New("disk full")
	write(t, path, people(4, 2), l.now)
	if err := s.Poll(t.Context()); err == nil {
		t.Error("a log that fails is no error")
	}
	l.fail = nil
	if st := poll(t, s); st.Records != 4 || st.Trouble != "" {
		t.Errorf("after the log came back: %+v", st)
	}
}

func TestRhythmIsLearnt(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "people.csv")
	l := &log{now: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)}
	s := l.service(t, directory(path))
	for i := range 10 {
		l.now = l.now.Add(time.Hour)
		write(t, path, people(3, i), l.now)
		poll(t, s)
	}
	l.now = l.now.Add(3 * time.Hour)
	if st := poll(t, s); st.Trouble != "" {
		t.Errorf("after three hours: %+v", st)
	}
	l.now = l.now.Add(2 * time.Hour)
	if st := poll(t, s); st.Trouble == "" {
		t.Error("five hours of silence of what comes hourly")
	}
}

func TestPush(t *testing.T) {
	t.Parallel()
	const token = "0123456789abcdef"
	l := &log{now: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)}
	s := l.service(t, feeds.Feed{Spec: feeds.Spec{Name: "hr", Kind: vigil.FactPerson}}, feeds.Feed{Spec: feeds.Spec{Name: "desk", Kind: vigil.FactAssignment}})
	h, err := feeds.NewReceiver(s, map[string]string{"hr": token, "desk": "fedcba9876543210"})
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte(people(20, 1))); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct {
		method, name, token, kind, encoding, body string
		want                                      int
		holds                                     string
	}{
		{http.MethodPut, "hr", "", "text/csv", "", people(20, 1), 401, ""},
		{http.MethodPut, "hr", "fedcba9876543210", "text/csv", "", people(20, 1), 401, ""},
		{http.MethodPut, "none", token, "text/csv", "", people(20, 1), 401, ""},
		{http.MethodGet, "hr", token, "", "", "", 405, "PUT"},
		{http.MethodPut, "hr", token, "text/csv", "gzip", packed.String(), 202, `"changed":20`},
		{http.MethodPut, "hr", token, "text/csv", "gzip", "no gzip", 400, ""},
		{http.MethodPut, "hr", token, "", "", people(20, 2), 202, `"changed":1`},
		{http.MethodPost, "hr", token, "application/json", "", `[{"actor":"new"},{"actor":"","role":"x"}]`, 202, `"set_aside":1`},
		{http.MethodPut, "hr", token, "text/csv", "", people(3, 2), 409, "fewer than half"},
		{http.MethodPut, "hr", token, "text/csv", "", "who\nx\n", 422, "there is no column actor"},
		{http.MethodPut, "hr", token, "application/yaml", "", "- actor: [", 422, ""},
	} {
		r := httptest.NewRequest(c.method, feeds.PushPath+c.name, strings.NewReader(c.body))
		if c.token != "" {
			r.Header.Set("Authorization", "Bearer "+c.token)
		}
		r.Header.Set("Content-Type", c.kind)
		r.Header.Set("Content-Encoding", c.encoding)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.want || !strings.Contains(w.Body.String(), c.holds) {
			t.Errorf("%d: %s %s: %d %s; want %d with %q", i, c.method, c.name, w.Code, w.Body, c.want, c.holds)
		}
	}
	if st := s.Statuses()[0]; st.Records != 21 {
		t.Errorf("%+v", st)
	}
	l.fail = errors.New("full")
	r := httptest.NewRequest(http.MethodPut, feeds.PushPath+"hr", strings.NewReader(people(21, 3)))
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("a full log: %d", w.Code)
	}
}

func TestUnknownPeopleAreNoted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := &log{now: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)}
	write(t, filepath.Join(dir, "people.csv"), people(3, 1), l.now)
	write(t, filepath.Join(dir, "tickets.csv"), "actor,ticket\ncanary-1,t1\nghost,t2\n", l.now)
	s := l.service(t, directory(filepath.Join(dir, "people.csv")),
		feeds.Feed{Spec: feeds.Spec{Name: "desk", Kind: vigil.FactAssignment}, Files: []string{filepath.Join(dir, "tickets.csv")}})
	poll(t, s)
	if said := l.said.String(); !strings.Contains(said, "people whom the directory does not know") || !strings.Contains(said, "records=1") {
		t.Errorf("%s", said)
	}
}
