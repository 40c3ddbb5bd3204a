package file_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"vigil"
	"vigil/collectors"
	"vigil/collectors/file"
	"vigil/collectors/formats/native"
)

// oracle is a ledger that knows what was written: it drops repeated ids, commits
// the position with the events, and counts each number that came.
type oracle struct {
	mu       sync.Mutex // guards all below
	position []byte
	ids      map[string]bool
	// fresh counts, by number, the events that the ledger would keep.
	fresh  map[int]int
	below  int // all numbers below came
	repeat int
	quar   []vigil.Quarantined
	lapses []vigil.Lapse
}

func newOracle() *oracle { return &oracle{ids: map[string]bool{}, fresh: map[int]int{}} }

func (o *oracle) accept(b *collectors.Batch) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if b.Position != nil {
		o.position = b.Position
	}
	for _, e := range b.Events {
		if o.ids[e.ID] {
			o.repeat++
			continue
		}
		o.ids[e.ID] = true
		n, _ := strconv.Atoi(strings.TrimPrefix(e.Session, "s-"))
		o.fresh[n]++
	}
	o.quar = append(o.quar, b.Quarantined...)
	o.lapses = append(o.lapses, b.Lapses...)
}

func (o *oracle) at() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.position
}

// has tells whether all numbers below n came.
func (o *oracle) has(n int) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.fresh[o.below] > 0 {
		o.below++
	}
	return o.below >= n
}

// victim runs the collector and kills it: from the moment of the kill its sink takes
// nothing more, as if the process had ended.
type victim struct {
	t      testing.TB
	tail   func() *file.Tail
	ledger *oracle

	dead   *atomic.Bool
	cancel context.CancelFunc
	done   chan error
	kills  int
}

func (v *victim) start() {
	dead := &atomic.Bool{}
	sink := collectors.SinkFunc(func(_ context.Context, b collectors.Batch) error {
		if dead.Load() {
			return errRefused
		}
		v.ledger.accept(&b)
		return nil
	})
	ctx, cancel := context.WithCancel(v.t.Context())
	v.dead, v.cancel, v.done = dead, cancel, make(chan error, 1)
	go func() { v.done <- v.tail().Run(ctx, v.ledger.at(), sink) }()
}

func (v *victim) stop(kill bool) {
	v.dead.Store(kill)
	v.cancel()
	if err := <-v.done; err != nil && !errors.Is(err, errRefused) {
		v.t.Errorf("the collector ended: %v", err)
	}
	v.kills++
}

// torturer is the writer of one log and all that is done to its files.
type torturer struct {
	t    testing.TB
	rng  *rand.Rand
	dir  string
	name string // the log's name within dir
	ids  bool   // lines carry ids of their own

	f      *os.File
	n      *int
	rounds int
	v      *victim
	lastUp time.Time
	resets int
}

func (w *torturer) path(suffix string) string { return filepath.Join(w.dir, w.name+suffix) }

func (w *torturer) must(errs ...error) {
	if err := errors.Join(errs...); err != nil {
		w.t.Helper()
		w.t.Fatal(err)
	}
}

func (w *torturer) open() *os.File {
	f, err := os.OpenFile(w.path(""), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	w.must(err)
	return f
}

func (w *torturer) reopen() {
	w.must(w.f.Close())
	w.f = w.open()
}

func (w *torturer) text(n int) string {
	e := vigil.NewEvent()
	if w.ids {
		e.ID = fmt.Sprintf("e%d", n)
	}
	e.Time, e.Actor.ID, e.Action = start.Add(time.Duration(n)*time.Second), "maria", vigil.ActionRead
	e.Session = fmt.Sprintf("s-%d", n)
	e.UserAgent = strings.Repeat("x", w.rng.IntN(200))
	return string(native.Append(nil, e)) + "\n"
}

// load writes lines to f, torn over several writes, some with a pause within a line.
func (w *torturer) load(f *os.File, k int) {
	var b strings.Builder
	for range k {
		b.WriteString(w.text(*w.n))
		*w.n++
	}
	text := b.String()
	for text != "" {
		cut := 1 + w.rng.IntN(min(len(text), 4000))
		_, err := f.WriteString(text[:cut])
		w.must(err)
		text = text[cut:]
		if w.rng.IntN(12) == 0 {
			wait(time.Duration(w.rng.IntN(8)) * time.Millisecond)
		}
	}
}

// settled waits until the ledger holds all that was written; nothing is written meanwhile.
func (w *torturer) settled() {
	w.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !w.v.ledger.has(*w.n) {
		w.kill(false)
		if time.Now().After(deadline) {
			w.t.Fatalf("never: all lines; %s", w.v.ledger.wrong(*w.n))
		}
		wait(2 * time.Millisecond)
	}
}

// kill kills the collector every few hundred milliseconds, now and then with a while in
// which nothing runs, in which the log may go on.
func (w *torturer) kill(write bool) {
	if time.Since(w.lastUp) < time.Duration(100+w.rng.IntN(300))*time.Millisecond {
		return
	}
	w.v.stop(w.rng.IntN(4) != 0)
	if write && w.rng.IntN(3) == 0 {
		w.load(w.f, w.rng.IntN(40))
	}
	w.v.start()
	w.lastUp = time.Now()
}

// copySlowly copies a file in pieces, so that the copy is seen before it is whole.
func (w *torturer) copySlowly(to io.Writer, from string) {
	b, err := os.ReadFile(from)
	w.must(err)
	for len(b) > 0 {
		cut := min(len(b), 1+w.rng.IntN(1+len(b)))
		_, err := to.Write(b[:cut])
		w.must(err)
		b = b[cut:]
		if w.rng.IntN(2) == 0 {
			wait(time.Duration(w.rng.IntN(6)) * time.Millisecond)
		}
	}
}

// away gives a name that no rotation had yet, numbered or dated.
func (w *torturer) away() string {
	w.rounds++
	switch w.rng.IntN(3) {
	case 0:
		return w.path(fmt.Sprintf("-202611%02dT%02d%02d%02d", 1+w.rounds/80%28, w.rounds/40%24, w.rounds%60, w.rng.IntN(60)))
	case 1:
		at := fmt.Sprintf("-202610%02dT%02d%02d%02d", 1+w.rounds/80%28, w.rounds/40%24, w.rounds%60, w.rng.IntN(60))
		return filepath.Join(w.dir, strings.TrimSuffix(w.name, ".log")+at+".log")
	}
	return w.path(fmt.Sprintf(".%d", 100+w.rounds))
}

// rotations are the ways in which files change under the collector.
func (w *torturer) rotations() map[string]func() {
	return map[string]func(){
		"rename and create": func() {
			w.must(os.Rename(w.path(""), w.away()))
			w.reopen()
		},
		"rename, create later": func() {
			w.must(os.Rename(w.path(""), w.away()))
			w.load(w.f, w.rng.IntN(60))
			w.reopen()
		},
		"two write": func() {
			w.must(os.Rename(w.path(""), w.away()))
			old := w.f
			w.f = w.open()
			for range 3 {
				w.load(w.f, w.rng.IntN(20))
				w.load(old, w.rng.IntN(20))
			}
			w.must(old.Close())
		},
		"chain": func() {
			for i := 6; i >= 0; i-- {
				from := w.path(fmt.Sprintf(".%d", i))
				if i == 0 {
					from = w.path("")
				}
				if i == 6 {
					// The last of the chain goes for good, and must have been read.
					if _, err := os.Stat(from); err == nil {
						w.settled()
						w.must(os.Remove(from))
					}
					continue
				}
				if err := os.Rename(from, w.path(fmt.Sprintf(".%d", i+1))); err != nil && !errors.Is(err, os.ErrNotExist) {
					w.t.Fatal(err)
				}
			}
			w.reopen()
		},
		"copytruncate": func() {
			to, err := os.OpenFile(w.away(), os.O_CREATE|os.O_WRONLY, 0o600)
			w.must(err)
			w.copySlowly(to, w.path(""))
			w.must(to.Close(), os.Truncate(w.path(""), 0))
		},
		"copytruncate and pack": func() {
			name := w.away()
			to, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY, 0o600)
			w.must(err)
			w.copySlowly(to, w.path(""))
			w.must(to.Close(), os.Truncate(w.path(""), 0))
			w.load(w.f, w.rng.IntN(30))
			w.pack(name)
		},
		"truncate": func() {
			w.settled()
			w.must(os.Truncate(w.path(""), 0))
		},
		"inode again": func() {
			w.settled()
			w.v.stop(w.rng.IntN(2) == 0)
			info, err := os.Stat(w.path(""))
			w.must(err)
			was := info.Sys().(*syscall.Stat_t).Ino
			w.must(w.f.Close(), os.Remove(w.path("")))
			for range 50 {
				w.f = w.open()
				info, err := w.f.Stat()
				w.must(err)
				if info.Sys().(*syscall.Stat_t).Ino == was {
					break
				}
				w.must(w.f.Close(), os.Remove(w.path("")))
			}
			if _, err := w.f.Stat(); err != nil {
				w.f = w.open()
			}
			w.load(w.f, 1+w.rng.IntN(60))
			w.v.start()
			w.lastUp = time.Now()
		},
		"pack at once": func() {
			name := w.away()
			w.must(os.Rename(w.path(""), name))
			w.reopen()
			w.pack(name)
		},
		"pack later": func() {
			name := w.away()
			w.must(os.Rename(w.path(""), name))
			w.reopen()
			for range 4 {
				w.load(w.f, w.rng.IntN(40))
				w.kill(true)
				wait(10 * time.Millisecond)
			}
			w.pack(name)
		},
		"delete while open": func() {
			w.settled() // so that it runs, and has the file open
			w.v.stop(false)
			w.v.start()
			n := *w.n
			w.load(w.f, 1)
			eventually(w.t, "the line that shows it is open", func() bool { return w.v.ledger.has(n + 1) })
			w.load(w.f, w.rng.IntN(100))
			w.must(os.Remove(w.path("")))
			w.load(w.f, w.rng.IntN(50))
			eventually(w.t, "the deleted file", func() bool { return w.v.ledger.has(*w.n) })
			w.reopen()
			w.lastUp = time.Now()
		},
		"new folder": func() {
			dir := filepath.Join(w.dir, fmt.Sprintf("shard%d", w.rounds), "deep")
			w.rounds++
			w.must(os.MkdirAll(dir, 0o700))
			f, err := os.OpenFile(filepath.Join(dir, "help.log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
			w.must(err)
			w.load(f, 1+w.rng.IntN(30))
			w.must(f.Close())
		},
		"empty": func() {
			w.must(os.WriteFile(w.away(), nil, 0o600))
			w.must(os.Rename(w.path(""), w.away()))
			w.reopen()
			w.must(os.Rename(w.path(""), w.away()))
			w.reopen()
		},
		"hard link": func() {
			name := w.away()
			w.must(os.Link(w.path(""), name))
			w.load(w.f, w.rng.IntN(30))
			if w.rng.IntN(2) == 0 {
				w.must(os.Remove(w.path("")))
				w.reopen()
			} else {
				w.must(os.Remove(name))
			}
		},
		"older backup": func() {
			b, err := os.ReadFile(w.path(""))
			w.must(err)
			w.load(w.f, w.rng.IntN(60))
			w.settled()
			b = b[:bytes.LastIndexByte(b, '\n')+1]
			backup := filepath.Join(w.dir, "backup.tmp")
			w.must(os.WriteFile(backup, b, 0o600))
			if w.rng.IntN(2) == 0 {
				w.must(os.Rename(backup, w.path("")))
				w.reopen()
			} else {
				w.must(os.WriteFile(w.path(""), b, 0o600), os.Remove(backup))
			}
			w.resets++
		},
		"symlink": func() {
			// The files themselves lie where no pattern looks.
			w.rounds++
			target := filepath.Join(w.dir, fmt.Sprintf("data.%s.%d", strings.TrimSuffix(w.name, ".log"), 1000+w.rounds))
			if info, err := os.Lstat(w.path("")); err == nil && info.Mode()&os.ModeSymlink == 0 {
				w.must(os.Rename(w.path(""), w.away()))
			}
			w.must(os.WriteFile(target, nil, 0o600))
			tmp := filepath.Join(w.dir, "link.tmp")
			w.must(os.Symlink(target, tmp), os.Rename(tmp, w.path("")))
			w.reopen()
			w.load(w.f, 1+w.rng.IntN(30))
			// Now and then a second swap; the first must have been seen, or nobody knows
			// what the link led to.
			if w.rng.IntN(3) == 0 {
				next := target + "9"
				w.must(os.WriteFile(next, nil, 0o600), os.Symlink(next, tmp))
				w.settled()
				w.must(os.Rename(tmp, w.path("")))
				w.load(w.f, w.rng.IntN(30))
				w.reopen()
			}
			w.load(w.f, w.rng.IntN(30))
			// A plain file again, for the other ways.
			w.settled()
			w.must(os.Remove(w.path("")))
			w.reopen()
		},
	}
}

// pack compresses a rotated file as gzip and zstd do it: slowly, and the original goes
// when the archive is whole.
func (w *torturer) pack(name string) {
	b, err := os.ReadFile(name)
	w.must(err)
	packed, ending := gz(w.t, string(b)), ".gz"
	if w.rng.IntN(2) == 0 {
		packed, ending = zst(w.t, string(b)), ".zst"
	}
	to, err := os.OpenFile(name+ending, os.O_CREATE|os.O_WRONLY, 0o600)
	w.must(err)
	for len(packed) > 0 {
		cut := 1 + w.rng.IntN(len(packed))
		_, err := to.Write(packed[:cut])
		w.must(err)
		packed = packed[cut:]
		if w.rng.IntN(2) == 0 {
			wait(time.Duration(w.rng.IntN(6)) * time.Millisecond)
		}
	}
	info, err := os.Stat(name)
	w.must(err, to.Close(), os.Chtimes(name+ending, info.ModTime(), info.ModTime()), os.Remove(name))
}

// wrong tells what came not once.
func (o *oracle) wrong(n int) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var lost, doubled, invented []string
	for i := range n {
		switch c := o.fresh[i]; {
		case c == 0:
			lost = append(lost, strconv.Itoa(i))
		case c > 1:
			doubled = append(doubled, strconv.Itoa(i))
		}
	}
	for i := range o.fresh {
		if i < 0 || i >= n {
			invented = append(invented, strconv.Itoa(i))
		}
	}
	if len(lost)+len(doubled)+len(invented) == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d lost: %.200s; %d doubled: %.200s; invented: %.100s", len(lost), n, strings.Join(lost, " "),
		len(doubled), strings.Join(doubled, " "), strings.Join(invented, " "))
}

// The ledger check: a log under continuous load and rotations of all kinds, followed by
// a collector that is killed all the time. Every line counts once.
func TestTailLedgerCheck(t *testing.T) {
	t.Parallel()
	seeds, rounds := 4, 18
	if os.Getenv("VIGIL_TORTURE") != "" {
		seeds, rounds = 8, 200
	}
	first := uint64(1)
	if s, err := strconv.ParseUint(os.Getenv("VIGIL_SEED"), 10, 64); err == nil {
		first = s
	}
	for seed := first; seed < first+uint64(seeds); seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			ledgerCheck(t, seed, rounds)
		})
	}
}

func ledgerCheck(t *testing.T, seed uint64, rounds int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 7))
	dir, n := t.TempDir(), 0
	o := newOracle()
	v := &victim{t: t, ledger: o, tail: func() *file.Tail {
		return tail(t, func(cfg *file.TailConfig) { cfg.Settle = 500 * time.Millisecond }, filepath.Join(dir, "**", "help*"))
	}}
	w := &torturer{t: t, rng: rng, dir: dir, name: "help.log", ids: seed%2 == 0, n: &n, v: v}
	w.f = w.open()
	v.start()
	w.lastUp = time.Now()
	defer func() { v.cancel() }()
	ways := w.rotations()
	var names []string
	for name := range ways {
		names = append(names, name)
	}
	slices.Sort(names)
	var done []string
	defer func() {
		if t.Failed() {
			t.Logf("position: %s", strings.ReplaceAll(string(o.at()), "},{", "},\n{"))
			t.Logf("seed %d: %s", seed, strings.Join(done, ", "))
		}
	}()
	for range rounds {
		w.load(w.f, rng.IntN(150))
		w.kill(true)
		name := names[rng.IntN(len(names))]
		done = append(done, name)
		ways[name]()
		w.kill(true)
		if t.Failed() {
			break
		}
		w.load(w.f, rng.IntN(60))
	}
	// A file of which a decoder holds nothing and that has come to its end commits all.
	w.settled()
	v.stop(false)
	v.start()
	w.load(w.f, 10)
	w.settled()
	v.stop(false)
	if wrong := o.wrong(n); wrong != "" {
		t.Error(wrong)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.quar) != 0 {
		t.Errorf("%d set aside: %+v", len(o.quar), o.quar[:min(3, len(o.quar))])
	}
	for _, l := range o.lapses {
		// A file that is removed while nothing runs may have held more: these are. One that
		// is being read again, after it went back, is removed before that has come to an end.
		removed := slices.Contains(done, "inode again") || slices.Contains(done, "symlink") || slices.Contains(done, "delete while open")
		again := slices.Contains(done, "older backup")
		if l.Kind != vigil.LapseReset && !removed && !again {
			t.Errorf("%+v", l)
		}
	}
	t.Logf("%d lines, %d rotations, %d kills, %d read again, %d lapses", n, len(done), v.kills, o.repeat, len(o.lapses))
}
