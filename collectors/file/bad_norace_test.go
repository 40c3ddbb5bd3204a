//go:build !race

package file_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"vigil/collectors/file"
)

// A bomb is left early.
func TestBomb(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	b.Write(zst(t, lines(0, 40, time.Second)))
	w := zstWriter(t, &b)
	if _, err := io.Copy(w, &repeat{make([]byte, 64<<10), 4 << 30}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	res := read(t, file.Config{}, files(t, map[string][]byte{"a.log.zst": b.Bytes()}))
	sameIDs(t, res.ids, ids(0, 40))
	if res.codes()["bomb"] != 1 {
		t.Errorf("%+v", res.quar)
	}
}

// A line of 100 MB must not be held in memory; what stands around it is read.
func TestHundredMegabyteLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.log")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []io.Reader{
		strings.NewReader(lines(0, 40, time.Second)),
		&repeat{bytes.Repeat([]byte("x"), 64<<10), 100 << 20},
		strings.NewReader("\n" + lines(40, 80, time.Second)),
	} {
		if _, err := io.Copy(f, r); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	res := read(t, file.Config{}, path)
	runtime.ReadMemStats(&after)
	sameIDs(t, res.ids, ids(0, 80))
	if len(res.quar) != 1 || res.quar[0].Size != 100<<20 || res.quar[0].Hash == 0 || res.quar[0].Line != 41 {
		t.Errorf("%+v", res.quar)
	}
	// All that was ever allocated, not only what was held at once.
	if used := after.TotalAlloc - before.TotalAlloc; used > 24<<20 {
		t.Errorf("%d MB were allocated", used>>20)
	}
}
