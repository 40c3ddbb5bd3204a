package ledger

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/internal/api"
)

// beforeConsole makes a ledger as the version before the console left it, whose cases told
// neither stores nor sources, and returns what writes rows into it.
func beforeConsole(t *testing.T, dir string) func(query string, args ...any) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	exec := func(query string, args ...any) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
			t.Fatal(err)
		}
	}
	for i, step := range migrations() {
		if strings.Contains(step, "ALTER TABLE casefile ADD COLUMN lead") {
			exec(fmt.Sprintf(`PRAGMA user_version = %d`, i))
			return exec
		}
		exec(step)
	}
	t.Fatal("no step gives cases a queue")
	return nil
}

// A ledger of the version before the console migrates whole, with the cases that it has:
// they stand in the queue, can be narrowed by all that it can be, and are worked on.
func TestCasesOfBeforeTheConsole(t *testing.T) {
	t.Parallel()
	dir, at := t.TempDir(), time.Date(2026, 10, 1, 9, 0, 0, 0, time.UTC)
	exec := beforeConsole(t, dir)
	finding := func(id string, harm, likely float64, data string) {
		data = fmt.Sprintf(`{"id":%q,"revision":1,"state":"open","about":"actor","actor":"actor-1","severity":"high","harm":%g,%s}`, id, harm, data)
		exec(`INSERT INTO finding (id, revision, state, severity, harm, detected, updated, data, sum, likely) VALUES (?, 1, 'open', 3, ?, ?, ?, ?, ?, ?)`,
			id, harm, nanos(at), nanos(at), []byte(data), int64(findingSum(id, []byte(data))), likely)
	}
	file := func(id, state, owner, lead string, severity int, harm float64, findings ...string) {
		data := fmt.Sprintf(`{"id":%q,"revision":3,"state":%q,"about":"actor","actor":"actor-1","findings":["%s"],"total":%d,"lead":%q,"severity":"high","harm":%g,"open":true,`+
			`"start":"2026-10-01T08:00:00Z","end":"2026-10-01T09:00:00Z","opened":"2026-10-01T09:00:00Z","owner":%q}`, id, state, strings.Join(findings, `","`), len(findings), lead, harm, owner)
		exec(`INSERT INTO casefile (id, revision, topic, state, severity, harm, open, start, last, opened, updated, data, sum) VALUES (?, 3, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?)`,
			id, "actor\x00\x00actor-1", state, severity, harm, nanos(at), nanos(at), nanos(at), nanos(at), []byte(data), int64(findingSum(id, []byte(data))))
		for _, f := range findings {
			exec(`INSERT INTO case_finding (finding, casefile) VALUES (?, ?)`, f, id)
		}
		exec(`INSERT INTO case_event (casefile, time, who, kind, text) VALUES (?, ?, 'vigil', 'opened', 'high')`, id, nanos(at))
	}
	finding("f-1", 10, 0.1, `"stores":["pg"],"source":"audit-log"`)
	finding("f-2", 4, 0.9, `"stores":["pg","redis"]`)
	finding("f-3", 2, 1, `"sources":["a","b"],"stores":null`)
	file("c-1", "new", "", "f-1", 3, 10, "f-1", "f-3")
	file("c-2", "acknowledged", "actor-ann", "f-2", 3, 4, "f-2")
	file("c-3", "resolved", "actor-ann", "f-gone", 2, 2, "f-gone")
	exec(`INSERT INTO casefile (id, revision, topic, state, severity, harm, open, start, last, opened, updated, data, sum) VALUES ('c-torn', 1, 't', 'new', 1, 1, 1, 5, 5, 5, 5, ?, 0)`, []byte(`{"stores": torn`))

	l, err := Open(t.Context(), Config{Dir: dir}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	listed := func(f api.QueueFilter) string {
		t.Helper()
		page, err := l.CaseQueue(t.Context(), f, Viewer{By: "actor-bob"})
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for i := range page.Cases {
			b.WriteString(page.Cases[i].ID + " ")
		}
		return fmt.Sprintf("%sof %d", b.String(), page.Total)
	}
	check := func(f api.QueueFilter, want string) {
		t.Helper()
		if got := listed(f); got != want {
			t.Errorf("%+v: %s, want %s", f, got, want)
		}
	}
	// By expected harm: 4 x 0.9, then 2 that nobody has rated, then 10 x 0.1. The torn one is
	// counted and can't be shown.
	check(api.QueueFilter{}, "c-2 c-3 c-1 of 4")
	check(api.QueueFilter{State: vigil.CaseResolved}, "c-3 of 1")
	check(api.QueueFilter{Unresolved: true, MinSeverity: vigil.SeverityHigh}, "c-2 c-1 of 2")
	check(api.QueueFilter{Owner: "actor-ann"}, "c-2 c-3 of -1")
	check(api.QueueFilter{About: vigil.AboutActor, Unowned: true}, "c-1 of -1")
	for place, want := range map[string]string{"pg": "c-2 c-1 of -1", "redis": "c-2 of -1", "audit-log": "c-1 of -1", "b": "c-1 of -1", "udit": "of -1"} {
		check(api.QueueFilter{Place: place}, want)
	}
	if n, err := l.News(t.Context(), api.QueueFilter{Unresolved: true, MinSeverity: vigil.SeverityHigh}, Viewer{By: "actor-bob"}); err != nil || n != 2 {
		t.Errorf("%d new to somebody, %v", n, err)
	}
	if events, total, err := l.LastCaseEvents(t.Context(), "c-1", 10); err != nil || total != 1 || events[0].Kind != vigil.CaseOpened {
		t.Errorf("timeline %+v, %v", events, err)
	}
	takeCase(t, l, "c-1")
	check(api.QueueFilter{Owner: "actor-bob", Place: "audit-log", State: vigil.CaseAcknowledged}, "c-1 of -1")
	check(api.QueueFilter{State: vigil.CaseAcknowledged}, "c-2 c-1 of 2")
}

// takeCase has somebody take a case, as the desk does.
func takeCase(t *testing.T, l *Ledger, id string) {
	t.Helper()
	c, err := l.Case(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	was := c.Revision
	c.Revision, c.Owner, c.State = was+1, "actor-bob", vigil.CaseAcknowledged
	if err := l.Work(t.Context(), Casework{Cases: []CaseChange{{Case: c, Was: was}}}); err != nil {
		t.Fatal(err)
	}
}
