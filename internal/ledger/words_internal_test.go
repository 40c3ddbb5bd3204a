package ledger

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite"
)

// Verdicts of before are counted, and one that is damaged keeps nothing from being brought up
// to date.
func TestVerdictsOfBeforeAreCounted(t *testing.T) {
	t.Parallel()
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	exec := func(query string, args ...any) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
			t.Fatal(err)
		}
	}
	steps := migrations()
	at := 0
	for at < len(steps) && !strings.Contains(steps[at], "CREATE TABLE word_tally") {
		exec(steps[at])
		at++
	}
	const november = 1_793_500_000_000_000_000
	for id, data := range map[string]string{
		"f-1": `{"lane":"day","contributions":[{"model":"volume"}]}`, "f-2": `{"lane":"day","contributions":null}`, "f-3": `{"lane": torn`,
	} {
		exec(`INSERT INTO finding (id, revision, state, severity, harm, detected, updated, data, sum) VALUES (?, 1, 'open', 1, 1, ?, 5, ?, 0)`, id, november, []byte(data))
		exec(`INSERT INTO verdict (finding, data, sum) VALUES (?, ?, 0)`, id, []byte(`{"word":"breach"}`))
	}
	exec(`INSERT INTO verdict (finding, data, sum) VALUES ('f-4', ?, 0)`, []byte(`{"word": torn`))
	exec(steps[at])
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	got, err := texts(t.Context(), tx, `SELECT sort || ' ' || name || ' ' || word || ' ' || n FROM word_tally WHERE name <> '' ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	if want := "lane day breach 2, model volume breach 1, month 2026-11 breach 3"; strings.Join(got, ", ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}
