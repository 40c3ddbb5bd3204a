//go:build !race

package file_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// An archive that gives far more than a log would is left, with its reason; what came
// before is kept and the others go on.
func TestTailBombs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, archive := range map[string][]byte{
		"a.log.1.gz": bomb(t, lines(0, 10, time.Second), "x", 128<<20),
		"b.log.1.gz": bomb(t, lines(10, 20, time.Second), "\x00", 128<<20),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), archive, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	appendTo(t, filepath.Join(dir, "z.log"), lines(20, 30, time.Second))
	l := &ledger{}
	stop := follow(t, tail(t, nil, filepath.Join(dir, "*")), l)
	eventually(t, "the bombs are left", func() bool {
		_, quar, _ := l.state()
		n := 0
		for _, q := range quar {
			if q.Code == "bomb" {
				n++
			}
		}
		return n == 2
	})
	appendTo(t, filepath.Join(dir, "z.log"), lines(30, 40, time.Second))
	eventually(t, "the others go on", l.has(40))
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	ids, _, _ := l.state()
	once(t, ids, 40)
	// A restart does not begin with them again.
	_, before, _ := l.state()
	appendTo(t, filepath.Join(dir, "z.log"), lines(40, 50, time.Second))
	readUntil(t, l, 50, filepath.Join(dir, "*"))
	if _, after, _ := l.state(); len(after) != len(before) {
		t.Errorf("%+v", after[len(before):])
	}
}
