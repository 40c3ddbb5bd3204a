package ledger

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite"
)

// Findings of before have their relations, and one that is damaged keeps nothing from
// being brought up to date.
func TestFindingsOfBeforeAreRelated(t *testing.T) {
	t.Parallel()
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	steps := migrations()
	at := 0
	for at < len(steps) && !strings.Contains(steps[at], "CREATE TABLE finding_link") {
		if _, err := db.ExecContext(t.Context(), steps[at]); err != nil {
			t.Fatal(err)
		}
		at++
	}
	insert := func(id, data string) {
		if _, err := db.ExecContext(t.Context(), `INSERT INTO finding (id, revision, state, severity, harm, detected, updated, data, sum) VALUES (?, 1, 'open', 1, 1, 5, 5, ?, 0)`, id, []byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	insert("f-1", `{"actor":"a","actors":["b","a"]}`)
	insert("f-2", `{"subject":"s","actors":null}`)
	insert("f-3", `{"network":"10.0.0.0/24", torn`)
	if _, err := db.ExecContext(t.Context(), steps[at]); err != nil {
		t.Fatal(err)
	}
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	got, err := texts(t.Context(), tx, `SELECT kind || '=' || name || ' ' || finding FROM finding_link ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	if want := "actor=a f-1, actor=b f-1, subject=s f-2"; strings.Join(got, ", ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}
