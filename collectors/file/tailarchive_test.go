package file_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"vigil/collectors/file"
)

// bomb is a small archive that gives size bytes: of one line that never ends, or of NULs.
func bomb(t *testing.T, head, fill string, size int) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := io.WriteString(w, head)
	block := []byte(strings.Repeat(fill, 1<<20))
	for range size >> 20 {
		if err == nil {
			_, err = w.Write(block)
		}
	}
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// An archive that is written for ever, and a line that never ends, hold nobody up, and
// what is whole of them comes.
func TestTailEndless(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "a.log.1.gz"))
	if err != nil {
		t.Fatal(err)
	}
	w := gzip.NewWriter(f)
	// A hole of a terabyte takes no room.
	hole := filepath.Join(dir, "b.log")
	appendTo(t, hole, lines(0, 5, time.Second))
	if err := os.Truncate(hole, 1<<40); err != nil {
		t.Fatal(err)
	}
	l := &ledger{}
	stop := follow(t, tail(t, func(cfg *file.TailConfig) { cfg.Settle = 20 * time.Millisecond }, filepath.Join(dir, "*")), l)
	n := 5
	for round := range 10 {
		_, err := io.WriteString(w, lines(n, n+40, time.Second))
		n += 40
		appendTo(t, filepath.Join(dir, "z.log"), lines(n, n+10, time.Second))
		n += 10
		if err := errors.Join(err, w.Flush()); err != nil {
			t.Fatal(err)
		}
		eventually(t, fmt.Sprintf("round %d", round), l.has(n))
	}
	if err := errors.Join(stop(), f.Close()); err != nil {
		t.Fatal(err)
	}
	ids, quar, _ := l.state()
	once(t, ids, n)
	if len(quar) != 0 {
		t.Errorf("%+v", quar)
	}
}
