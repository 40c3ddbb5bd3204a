package ledger_test

import (
	"os"
	"path/filepath"
	"testing"

	"vigil/internal/ledger"
)

// The database holds hashes of passwords: others can't read it, whatever the folder lets
// them do, nor one that was made before.
func TestTheDatabaseIsItsOwners(t *testing.T) {
	t.Parallel()
	for name, made := range map[string]os.FileMode{"new": 0, "made before": 0o644, "a group's": 0o660} {
		dir := t.TempDir()
		path := filepath.Join(dir, "ledger.db")
		if made != 0 {
			if err := os.WriteFile(path, nil, made); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, made); err != nil {
				t.Fatal(err)
			}
		}
		l := open(t, ledger.Config{Dir: dir}, ledger.Options{})
		if _, err := l.Audit(t.Context(), ledger.AuditRecord{Who: "actor-ann", What: "case read"}); err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(path + "*")
		if err != nil || len(files) < 2 {
			t.Fatalf("%q, %v", files, err)
		}
		for _, f := range files {
			info, err := os.Stat(f)
			if err != nil {
				t.Fatal(err)
			}
			if perm := info.Mode().Perm(); perm&0o007 != 0 || made == 0 && perm != 0o600 || made == 0o660 && perm&0o060 != 0o060 {
				t.Errorf("%s: %s has the mode %v", name, filepath.Base(f), perm)
			}
		}
	}
}
