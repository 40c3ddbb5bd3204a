package file_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"vigil"
	"vigil/collectors"
	"vigil/collectors/file"
	"vigil/collectors/formats"
	"vigil/collectors/formats/native"
)

// ledger keeps batches and the position together, as the real one does.
type ledger struct {
	mu       sync.Mutex // guards all below
	position []byte
	ids      []string
	quar     []vigil.Quarantined
	lapses   []vigil.Lapse
	// random, when set, refuses one batch in ten.
	random *rand.Rand
}

var errRefused = errors.New("the ledger is full")

func (l *ledger) Accept(_ context.Context, b collectors.Batch) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.random != nil && l.random.IntN(10) == 0 {
		return errRefused
	}
	if b.Position != nil {
		l.position = b.Position
	}
	for _, e := range b.Events {
		l.ids = append(l.ids, e.ID)
	}
	l.quar = append(l.quar, b.Quarantined...)
	l.lapses = append(l.lapses, b.Lapses...)
	return nil
}

func (l *ledger) state() ([]string, []vigil.Quarantined, []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.ids), slices.Clone(l.quar), l.position
}

func tail(t testing.TB, change func(*file.TailConfig), globs ...string) *file.Tail {
	t.Helper()
	cfg := file.TailConfig{
		Config: file.Config{Source: "desk", Formats: []formats.Format{native.Format()}},
		Poll:   2 * time.Millisecond, BatchEvery: 5 * time.Millisecond, BatchEvents: 100, Settle: 60 * time.Millisecond,
	}
	if change != nil {
		change(&cfg)
	}
	tl, err := file.NewTail(globs, cfg, file.TailOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return tl
}

// follow runs tl until the returned stop is called; stop gives Run's error.
func follow(t testing.TB, tl *file.Tail, l *ledger) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	_, _, position := l.state()
	done := make(chan error, 1)
	go func() { done <- tl.Run(ctx, position, l) }()
	return func() error {
		cancel()
		return <-done
	}
}

// eventually waits for a condition, with a deadline.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
		wait(2 * time.Millisecond)
	}
}

func wait(d time.Duration) { <-time.After(d) }

func (l *ledger) has(n int) func() bool {
	return func() bool {
		ids, _, _ := l.state()
		return len(ids) >= n
	}
}

func appendTo(t testing.TB, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

// once checks that each of e0 to e(n-1) came exactly once.
func once(t *testing.T, got []string, n int) {
	t.Helper()
	count := map[string]int{}
	for _, id := range got {
		count[id]++
	}
	var lost, doubled []string
	for i := range n {
		switch c := count[fmt.Sprintf("e%d", i)]; {
		case c == 0:
			lost = append(lost, fmt.Sprint(i))
		case c > 1:
			doubled = append(doubled, fmt.Sprint(i))
		}
	}
	if len(lost)+len(doubled) > 0 || len(count) != n {
		t.Errorf("%d events of %d; lost %.200s; doubled %.200s", len(count), n, strings.Join(lost, " "), strings.Join(doubled, " "))
	}
}

func TestTailFollows(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "help.log")
	appendTo(t, path, lines(0, 50, time.Second))
	l := &ledger{}
	stop := follow(t, tail(t, nil, path), l)
	eventually(t, "50", l.has(50))
	whole := line(50, time.Second)
	appendTo(t, path, whole[:40])
	wait(100 * time.Millisecond)
	if ids, quar, _ := l.state(); len(ids) != 50 || len(quar) != 0 {
		t.Fatalf("half a line gives %d events, %v", len(ids), quar)
	}
	appendTo(t, path, whole[40:]+"nonsense\n"+line(51, time.Second))
	eventually(t, "52", l.has(52))
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	ids, quar, position := l.state()
	once(t, ids, 52)
	if len(quar) != 1 || quar[0].Line != 52 || quar[0].Code != "json" || quar[0].Source != "desk" || quar[0].Time.IsZero() {
		t.Errorf("%+v", quar)
	}
	if bytes.Contains(position, []byte("maria")) {
		t.Errorf("the position holds text of the log: %s", position)
	}
	// A restart goes on where it stood.
	appendTo(t, path, lines(52, 60, time.Second))
	stop = follow(t, tail(t, nil, path), l)
	eventually(t, "60", l.has(60))
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	ids, _, _ = l.state()
	once(t, ids, 60)
}

// rotation is one way in which a log is rotated.
type rotation func(t testing.TB, dir string, n int)

func rename(t testing.TB, dir string, n int) {
	if err := os.Rename(filepath.Join(dir, "help.log"), filepath.Join(dir, fmt.Sprintf("help.log.%d", n))); err != nil {
		t.Fatal(err)
	}
}

// Rotation by number, as logrotate does it: all move up.
func shift(t testing.TB, dir string, _ int) {
	for i := 50; i >= 0; i-- {
		from := filepath.Join(dir, fmt.Sprintf("help.log.%d", i))
		if i == 0 {
			from = filepath.Join(dir, "help.log")
		}
		if err := os.Rename(from, filepath.Join(dir, fmt.Sprintf("help.log.%d", i+1))); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
}

func copyTruncate(t testing.TB, dir string, n int) {
	path := filepath.Join(dir, "help.log")
	b, err := os.ReadFile(path)
	if err := errors.Join(err, os.WriteFile(filepath.Join(dir, fmt.Sprintf("help.log.%d", n)), b, 0o600), os.Truncate(path, 0)); err != nil {
		t.Fatal(err)
	}
}

func renameAndPack(t testing.TB, dir string, n int) {
	rename(t, dir, n)
	path := filepath.Join(dir, fmt.Sprintf("help.log.%d", n))
	b, err := os.ReadFile(path)
	if err := errors.Join(err, os.WriteFile(path+".gz", gz(t, string(b)), 0o600), os.Remove(path)); err != nil {
		t.Fatal(err)
	}
}

func TestTailRotations(t *testing.T) {
	t.Parallel()
	for name, rotate := range map[string]rotation{"rename": rename, "shift": shift, "copytruncate": copyTruncate, "pack": renameAndPack} {
		for _, running := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s running %v", name, running), func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				path := filepath.Join(dir, "help.log")
				l := &ledger{}
				glob := filepath.Join(dir, "help.log*")
				stop := follow(t, tail(t, nil, glob), l)
				n := 0
				for round := 1; round <= 6; round++ {
					appendTo(t, path, lines(n, n+40, time.Second))
					n += 40
					eventually(t, "read", l.has(n))
					if !running {
						if err := stop(); err != nil {
							t.Fatal(err)
						}
					}
					appendTo(t, path, lines(n, n+30, time.Second))
					n += 30
					rotate(t, dir, round)
					appendTo(t, path, lines(n, n+20, time.Second))
					n += 20
					if !running {
						stop = follow(t, tail(t, nil, glob), l)
					}
					eventually(t, "read after the rotation", l.has(n))
				}
				if err := stop(); err != nil {
					t.Fatal(err)
				}
				ids, quar, _ := l.state()
				once(t, ids, n)
				if len(quar) != 0 {
					t.Errorf("%+v", quar)
				}
			})
		}
	}
}

// A file that is rotated out of the pattern, and removed, is read to its end
// all the same while it is open.
func TestTailRotatedOutOfSight(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "help.log")
	l := &ledger{}
	stop := follow(t, tail(t, nil, path), l)
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	write(lines(0, 20, time.Second))
	eventually(t, "20", l.has(20))
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	write(lines(20, 30, time.Second))
	appendTo(t, path, lines(30, 40, time.Second))
	eventually(t, "40", l.has(40))
	write(strings.TrimSuffix(line(40, time.Second), "\n"))
	eventually(t, "the last line of the old file, without its end", l.has(41))
	if err := errors.Join(f.Close(), stop()); err != nil {
		t.Fatal(err)
	}
	ids, _, _ := l.state()
	once(t, ids, 41)
}

// Rotations of all kinds under writing, restarts at any moment and a ledger that
// refuses: every line counts once.
func TestTailTorture(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 1))
			dir := t.TempDir()
			path := filepath.Join(dir, "help.log")
			glob := filepath.Join(dir, "help.log*")
			l := &ledger{random: rand.New(rand.NewPCG(seed, 2))}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan struct{})
			var restart struct {
				sync.Mutex
				cancel context.CancelFunc
			}
			go func() {
				defer close(done)
				for ctx.Err() == nil {
					run, stop := context.WithCancel(ctx)
					restart.Lock()
					restart.cancel = stop
					restart.Unlock()
					_, _, position := l.state()
					if err := tail(t, nil, glob).Run(run, position, l); err != nil && !errors.Is(err, errRefused) {
						t.Error(err)
					}
					stop()
				}
			}()
			rotations := []rotation{rename, copyTruncate, renameAndPack}
			if seed%2 == 0 {
				rotations = []rotation{rename}
			}
			n := 0
			for step := range 150 {
				k := 1 + rng.IntN(20)
				text := lines(n, n+k, time.Second)
				n += k
				cut := rng.IntN(len(text))
				appendTo(t, path, text[:cut])
				if rng.IntN(3) == 0 {
					wait(time.Duration(rng.IntN(4)) * time.Millisecond)
				}
				appendTo(t, path, text[cut:])
				switch rng.IntN(8) {
				case 0:
					rotations[rng.IntN(len(rotations))](t, dir, step+1)
				case 1:
					restart.Lock()
					if restart.cancel != nil {
						restart.cancel()
					}
					restart.Unlock()
				}
			}
			eventually(t, fmt.Sprintf("%d lines", n), func() bool {
				ids, _, _ := l.state()
				slices.Sort(ids)
				return len(slices.Compact(ids)) >= n
			})
			wait(50 * time.Millisecond)
			cancel()
			<-done
			ids, quar, _ := l.state()
			once(t, ids, n)
			if len(quar) != 0 {
				t.Errorf("%+v", quar[:min(3, len(quar))])
			}
		})
	}
}

func TestTailSetsAside(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a.log": "\xef\xbb\xbf" + line(0, time.Second) + strings.Repeat("x", 3<<20) + "\n" + line(1, time.Second) + "a\x00b\n",
		"b.log": "\x7fELF" + strings.Repeat("\x01\x02", 600),
		"c.log": strings.Repeat("dear diary, nothing happened\n", 30),
		"d.log": lineAt(7, time.Now().Add(72*time.Hour)) + line(2, time.Second),
	} {
		appendTo(t, filepath.Join(dir, name), text)
	}
	l := &ledger{}
	stop := follow(t, tail(t, nil, filepath.Join(dir, "*.log")), l)
	eventually(t, "all", func() bool {
		ids, quar, _ := l.state()
		return len(ids) == 3 && len(quar) == 5
	})
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	ids, quar, _ := l.state()
	once(t, ids, 3)
	var codes []string
	for _, q := range quar {
		codes = append(codes, filepath.Base(q.File)+" "+q.Code)
	}
	slices.Sort(codes)
	if want := "a.log binary,a.log too-long,b.log binary,c.log format,d.log clock"; strings.Join(codes, ",") != want {
		t.Errorf("%v", codes)
	}
}

func TestTailConfig(t *testing.T) {
	t.Parallel()
	formats := []formats.Format{native.Format()}
	for _, c := range []struct {
		globs []string
		cfg   file.Config
	}{
		{nil, file.Config{Formats: formats}},
		{[]string{"[a"}, file.Config{Formats: formats}},
		{[]string{"a"}, file.Config{}},
		{[]string{"a"}, file.Config{Formats: formats, Format: "morse"}},
	} {
		if _, err := file.NewTail(c.globs, file.TailConfig{Config: c.cfg}, file.TailOptions{}); err == nil {
			t.Errorf("%+v passes", c)
		}
	}
}

// A position that is not one of files, as after a change of the way in, begins anew.
func TestTailOfAnotherPosition(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.log")
	appendTo(t, path, lines(0, 5, time.Second))
	ctx, cancel := context.WithCancel(t.Context())
	l := &ledger{}
	done := make(chan error, 1)
	go func() { done <- tail(t, nil, path).Run(ctx, []byte("{nonsense"), l) }()
	eventually(t, "all is read", l.has(5))
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
