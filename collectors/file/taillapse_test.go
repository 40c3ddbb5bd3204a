package file_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/collectors"
)

func (l *ledger) seen() []vigil.Lapse {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]vigil.Lapse(nil), l.lapses...)
}

// readUntil follows the glob until n events are there, and stops.
func readUntil(t *testing.T, l *ledger, n int, glob string) {
	t.Helper()
	stop := follow(t, tail(t, nil, glob), l)
	eventually(t, fmt.Sprintf("%d events", n), l.has(n))
	if err := stop(); err != nil {
		t.Fatal(err)
	}
}

// lapsed follows the glob until a lapse of the kind comes.
func lapsed(t *testing.T, l *ledger, kind vigil.LapseKind, glob string) vigil.Lapse {
	t.Helper()
	stop := follow(t, tail(t, nil, glob), l)
	eventually(t, "a lapse", func() bool { return len(l.seen()) > 0 })
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	got := l.seen()
	if len(got) != 1 || got[0].Kind != kind || got[0].Source != "desk" || got[0].Missing != vigil.Unknown || got[0].End.IsZero() {
		t.Fatalf("%+v", got)
	}
	return got[0]
}

// A log that is removed while nothing runs may have held more.
func TestTailTellsOfRemovedLog(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "help.log")
	l := &ledger{}
	appendTo(t, path, lines(0, 20, time.Second))
	readUntil(t, l, 20, path)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	appendTo(t, path, lines(20, 30, time.Second))
	if got := lapsed(t, l, vigil.LapseDropped, path); !strings.HasPrefix(got.Text, "Lines that were not read are lost") {
		t.Error(got.Text)
	}
	ids, _, _ := l.state()
	once(t, ids, 30)
	// It is told once.
	appendTo(t, path, lines(30, 40, time.Second))
	readUntil(t, l, 40, path)
	if got := l.seen(); len(got) != 1 {
		t.Errorf("%+v", got)
	}
}

// Lines of a file that is overwritten while it is not read to its end are counted in bytes.
func TestTailTellsOfOverwrittenText(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "help.log")
	l := &ledger{}
	appendTo(t, path, lines(0, 1000, time.Second))
	// The ledger takes the first batch and no more.
	taken := false
	err := tail(t, nil, path).Run(t.Context(), nil, collectors.SinkFunc(func(ctx context.Context, b collectors.Batch) error {
		if taken {
			return errRefused
		}
		taken = true
		return l.Accept(ctx, b)
	}))
	if !errors.Is(err, errRefused) {
		t.Fatal(err)
	}
	ids, _, _ := l.state()
	n := len(ids)
	if n == 0 || n == 1000 {
		t.Fatalf("%d events", n)
	}
	if err := os.WriteFile(path, []byte(lines(1000, 1030, time.Second)), 0o600); err != nil {
		t.Fatal(err)
	}
	got := lapsed(t, l, vigil.LapseDropped, path)
	if want := fmt.Sprintf("At least %d bytes", len(lines(n, 1000, time.Second))); !strings.HasPrefix(got.Text, want) {
		t.Errorf("%s; want %s", got.Text, want)
	}
	if ids, _, _ := l.state(); len(ids) != n+30 {
		t.Errorf("%d events", len(ids))
	}
}

// An older state put in a log's place is read again, and what is then written to it is not
// taken for what was read before.
func TestTailTellsOfOlderState(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"renamed", "written over", "cut"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, "help.log")
			l := &ledger{}
			appendTo(t, path, lines(0, 60, time.Second))
			readUntil(t, l, 60, path)
			old := lines(0, 25, time.Second)
			var err error
			switch how {
			case "renamed":
				appendTo(t, filepath.Join(dir, "backup"), old)
				err = os.Rename(filepath.Join(dir, "backup"), path)
			case "written over":
				err = os.WriteFile(path, []byte(old), 0o600)
			case "cut":
				err = os.Truncate(path, int64(len(old)))
			}
			if err != nil {
				t.Fatal(err)
			}
			lapsed(t, l, vigil.LapseReset, path)
			stop := follow(t, tail(t, nil, path), l)
			appendTo(t, path, lines(60, 70, time.Second))
			eventually(t, "what came then", func() bool {
				ids, _, _ := l.state()
				return strings.Contains(strings.Join(ids, " ")+" ", "e69 ")
			})
			if err := stop(); err != nil {
				t.Fatal(err)
			}
			fresh := map[string]bool{}
			ids, _, _ := l.state()
			for _, id := range ids {
				fresh[id] = true
			}
			if len(fresh) != 70 {
				t.Errorf("%d of 70", len(fresh))
			}
		})
	}
}

// Ordinary rotations are no lapses, whether vigil runs or not and whether it is shown the
// rotated files or not.
func TestTailTellsNothingOfRotation(t *testing.T) {
	t.Parallel()
	for name, rotate := range map[string]rotation{"rename": rename, "shift": shift, "copytruncate": copyTruncate, "pack": renameAndPack} {
		for _, glob := range []string{"help.log*", "help.log"} {
			t.Run(name+" "+glob, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				path, glob := filepath.Join(dir, "help.log"), filepath.Join(dir, glob)
				l := &ledger{}
				n := 0
				for round := 1; round <= 3; round++ {
					appendTo(t, path, lines(n, n+30, time.Second))
					readUntil(t, l, n+30, glob)
					appendTo(t, path, lines(n+30, n+50, time.Second))
					rotate(t, dir, round)
					appendTo(t, path, lines(n+50, n+60, time.Second))
					n += 60
					readUntil(t, l, n, glob)
				}
				// What is lost would be told by now.
				stop := follow(t, tail(t, nil, glob), l)
				wait(1200 * time.Millisecond)
				if err := stop(); err != nil {
					t.Fatal(err)
				}
				ids, quar, _ := l.state()
				once(t, ids, n)
				if got := l.seen(); len(got)+len(quar) != 0 {
					t.Errorf("%+v %+v", got, quar)
				}
			})
		}
	}
}

// Two files that start with the same long header are two.
func TestTailSameHeader(t *testing.T) {
	t.Parallel()
	for _, size := range []int{200, 4000} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, "help.log")
			header := `{"banner":"` + strings.Repeat("-", size) + "\"}\n"
			l := &ledger{}
			text := lines(0, 30, time.Second)
			appendTo(t, path, header)
			stop := follow(t, tail(t, nil, filepath.Join(dir, "help.log*")), l)
			wait(30 * time.Millisecond)
			err := os.Rename(path, path+".1")
			appendTo(t, path, header)
			wait(30 * time.Millisecond)
			appendTo(t, path, text)
			eventually(t, "30", l.has(30))
			// Truncated and grown beyond where it was read, between two looks.
			err = errors.Join(err, os.WriteFile(path, []byte(header+lines(30, 90, time.Second)), 0o600))
			eventually(t, "90", l.has(90))
			if err := errors.Join(err, stop()); err != nil {
				t.Fatal(err)
			}
			ids, _, _ := l.state()
			once(t, ids, 90)
		})
	}
}

// A link that leads to another file while nothing runs: the rest of the one before is found.
func TestTailLinkSwapped(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	link := filepath.Join(dir, "current.log")
	l := &ledger{}
	appendTo(t, filepath.Join(dir, "data-a"), lines(0, 20, time.Second))
	if err := os.Symlink(filepath.Join(dir, "data-a"), link); err != nil {
		t.Fatal(err)
	}
	readUntil(t, l, 20, link)
	appendTo(t, filepath.Join(dir, "data-a"), lines(20, 30, time.Second))
	appendTo(t, filepath.Join(dir, "data-b"), lines(30, 40, time.Second))
	if err := errors.Join(os.Remove(link), os.Symlink(filepath.Join(dir, "data-b"), link)); err != nil {
		t.Fatal(err)
	}
	readUntil(t, l, 40, link)
	ids, _, _ := l.state()
	once(t, ids, 40)
}

// A second name of a file is not a second file.
func TestTailHardLink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "help.log")
	appendTo(t, path, "")
	if err := os.Link(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	l := &ledger{}
	stop := follow(t, tail(t, nil, filepath.Join(dir, "help.log*")), l)
	appendTo(t, path, lines(0, 30, time.Second))
	eventually(t, "30", l.has(30))
	appendTo(t, path+".1", lines(30, 40, time.Second))
	eventually(t, "40", l.has(40))
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	ids, _, _ := l.state()
	once(t, ids, 40)
}

// Of several copies of a log the longest goes on where it stood.
func TestTailLongestCopy(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "help.log")
	l := &ledger{}
	appendTo(t, path, lines(0, 30, time.Second))
	appendTo(t, path+".old", lines(0, 20, time.Second))
	glob := filepath.Join(dir, "help.log*")
	readUntil(t, l, 30, glob)
	appendTo(t, path, lines(30, 50, time.Second))
	copyTruncate(t, dir, 1)
	appendTo(t, path, lines(50, 60, time.Second))
	readUntil(t, l, 60, glob)
	ids, _, _ := l.state()
	once(t, ids, 60)
}
