package file_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"vigil"
	"vigil/collectors/file"
	"vigil/collectors/formats"
	"vigil/collectors/formats/native"
)

var start = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

// line is event n of a log, every being the time from one to the next.
func line(n int, every time.Duration) string {
	return lineAt(n, start.Add(time.Duration(n)*every))
}

func lineAt(n int, at time.Time) string {
	e := vigil.NewEvent()
	e.ID, e.Time, e.Actor.ID, e.Action = fmt.Sprintf("e%d", n), at, "maria", vigil.ActionRead
	e.Subjects = []string{fmt.Sprintf("cust-%d", n%7)}
	return string(native.Append(nil, e)) + "\n"
}

func lines(from, to int, every time.Duration) string {
	var b strings.Builder
	for n := from; n < to; n++ {
		b.WriteString(line(n, every))
	}
	return b.String()
}

func gz(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(text))
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zstWriter(t testing.TB, b *bytes.Buffer) io.WriteCloser {
	t.Helper()
	w, err := zstd.NewWriter(b)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func zst(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zstWriter(t, &b)
	_, err := w.Write([]byte(text))
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// files writes a folder and returns its path.
func files[T string | []byte](t testing.TB, content map[string]T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range content {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

type result struct {
	ids     []string
	events  []*vigil.Event
	quar    []vigil.Quarantined
	summary file.Summary
}

func (r result) codes() map[string]int {
	m := map[string]int{}
	for _, q := range r.quar {
		m[q.Code]++
	}
	return m
}

func read(t testing.TB, cfg file.Config, args ...string) result {
	t.Helper()
	var res result
	if cfg.Formats == nil {
		cfg.Formats = []formats.Format{native.Format()}
	}
	cfg.Quarantine = func(q vigil.Quarantined) { res.quar = append(res.quar, q) }
	r, err := file.Open(args, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	for {
		batch, err := r.NextBatch(100)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(batch) == 0 || len(batch) > 100 {
			t.Fatalf("a batch of %d", len(batch))
		}
		for _, e := range batch {
			res.ids = append(res.ids, e.ID)
			res.events = append(res.events, e)
		}
	}
	res.summary = r.Summary()
	if int(res.summary.Events) != len(res.events) {
		t.Errorf("the summary has %d events of %d", res.summary.Events, len(res.events))
	}
	var told int
	for _, n := range res.summary.Quarantined {
		told += int(n)
	}
	if told != len(res.quar) {
		t.Errorf("the summary has %d set aside of %d: %v", told, len(res.quar), res.summary.Quarantined)
	}
	return res
}

func ids(from, to int) []string {
	var out []string
	for n := from; n < to; n++ {
		out = append(out, fmt.Sprintf("e%d", n))
	}
	return out
}

func sameIDs(t *testing.T, got, want []string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		if len(diff) > 2000 {
			diff = diff[:2000]
		}
		t.Errorf("%d events, want %d: %s", len(got), len(want), diff)
	}
}

func TestRotationsAndPacking(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string][]byte{
		"help.log":              []byte(lines(3000, 4000, time.Second)),
		"help.log.1":            []byte(lines(2000, 3000, time.Second)),
		"help.log.2.gz":         append(gz(t, lines(1000, 1500, time.Second)), gz(t, lines(1500, 2000, time.Second))...),
		"help.log-20261102.zst": zst(t, lines(0, 1000, time.Second)),
	})
	res := read(t, file.Config{Source: "desk"}, dir)
	sameIDs(t, res.ids, ids(0, 4000))
	if len(res.quar) != 0 || len(res.summary.Files) != 4 || len(res.summary.Notes) != 0 {
		t.Errorf("%v, %+v", res.quar, res.summary)
	}
	if o := res.events[1500].Origin; o.File != filepath.Join(dir, "help.log.2.gz") || o.Line != 501 {
		t.Errorf("origin %+v", o)
	}
	if res.events[0].Source != "desk" {
		t.Errorf("source %q", res.events[0].Source)
	}
	f := res.summary.Files[0]
	if f.Format != "native" || f.Lines != 1000 || f.Events != 1000 || f.Bytes == 0 || f.First.IsZero() || !f.Last.After(f.First) {
		t.Errorf("%+v", f)
	}
}

func TestStreamsAreMerged(t *testing.T) {
	t.Parallel()
	content := map[string]string{}
	var texts [5]strings.Builder
	rng := rand.New(rand.NewPCG(1, 2))
	for n := range 5000 {
		texts[rng.IntN(5)].WriteString(line(n, time.Second))
	}
	for i := range texts {
		content[fmt.Sprintf("host-%c.log", 'a'+i)] = texts[i].String()
	}
	dir := files(t, content)
	sameIDs(t, read(t, file.Config{}, filepath.Join(dir, "host-*.log")).ids, ids(0, 5000))
}

// Logs full of equal times, bad lines and disorder come out the same each time.
func TestSameEachTime(t *testing.T) {
	t.Parallel()
	content := map[string]string{}
	for i := range 6 {
		var b strings.Builder
		for n := range 2000 {
			at := n / 20
			if i == 5 {
				at = 99 - at
			}
			b.WriteString(lineAt(i*10_000+n, start.Add(time.Duration(at)*time.Minute)))
			if n%50 == i {
				b.WriteString("nonsense\n")
			}
		}
		content[fmt.Sprintf("host-%c.log", 'a'+i)] = b.String()
	}
	dir := files(t, content)
	first := read(t, file.Config{}, dir)
	if len(first.ids) != 12_000 || len(first.quar) != 240 {
		t.Fatalf("%d events, %d set aside", len(first.ids), len(first.quar))
	}
	for range 4 {
		again := read(t, file.Config{}, dir)
		sameIDs(t, again.ids, first.ids)
		if diff := cmp.Diff(first.quar, again.quar); diff != "" {
			t.Error(diff[:min(len(diff), 500)])
		}
	}
}

// More logs side by side than may be open at once.
func TestManyStreams(t *testing.T) {
	t.Parallel()
	content := map[string]string{}
	var texts [150]strings.Builder
	for n := range 6000 {
		texts[n*7919%150].WriteString(line(n, time.Second))
	}
	for i := range texts {
		content[fmt.Sprintf("conv.%d", i)] = texts[i].String()
	}
	dir := files(t, content)
	res := read(t, file.Config{SortMemory: 1 << 20, TempDir: t.TempDir()}, dir)
	sameIDs(t, res.ids, ids(0, 6000))
}

func TestLittleDisorder(t *testing.T) {
	t.Parallel()
	order := make([]int, 3000)
	for i := range order {
		order[i] = i
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for i := 0; i+20 < len(order); i += 20 {
		rng.Shuffle(20, func(a, b int) { order[i+a], order[i+b] = order[i+b], order[i+a] })
	}
	var b strings.Builder
	for _, n := range order {
		b.WriteString(line(n, time.Second))
	}
	res := read(t, file.Config{}, files(t, map[string]string{"a.log": b.String()}))
	sameIDs(t, res.ids, ids(0, 3000))
	if len(res.summary.Notes) != 0 {
		t.Errorf("notes %q", res.summary.Notes)
	}
}

func TestNewestFirstAndUnordered(t *testing.T) {
	t.Parallel()
	const total = 9000
	for _, c := range []struct {
		name  string
		order file.Order
		at    func(i int) int
		pack  bool
	}{
		{"newest first", file.NewestFirst, func(i int) int { return total - 1 - i }, false},
		{"newest first, packed", file.NewestFirst, func(i int) int { return total - 1 - i }, true},
		{"shuffled", file.Unordered, func(i int) int { return i * 7919 % total }, false},
		{"two exports, the later first", file.Unordered, func(i int) int { return (i + total/2) % total }, false},
		{"two exports, packed", file.Unordered, func(i int) int { return (i + total/2) % total }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var b strings.Builder
			for i := range total {
				b.WriteString(line(c.at(i), 13*time.Minute))
			}
			content := []byte(b.String())
			if c.pack {
				content = gz(t, b.String())
			}
			temp := t.TempDir()
			for _, memory := range []int64{100 << 10, 0} {
				res := read(t, file.Config{SortMemory: memory, TempDir: temp}, files(t, map[string][]byte{"a.log": content}))
				sameIDs(t, res.ids, ids(0, total))
				if len(res.summary.Notes) != 1 || res.summary.Files[0].Order != c.order {
					t.Errorf("notes %q, order %q", res.summary.Notes, res.summary.Files[0].Order)
				}
			}
			if left, err := os.ReadDir(temp); err != nil || len(left) != 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

func TestEqualTimesKeepTheirOrder(t *testing.T) {
	t.Parallel()
	var forth, back strings.Builder
	for n := range 2000 {
		forth.WriteString(lineAt(n, start.Add(time.Duration(n/50)*time.Hour)))
		back.WriteString(lineAt(1999-n, start.Add(time.Duration((1999-n)/50)*time.Hour)))
	}
	sameIDs(t, read(t, file.Config{}, files(t, map[string]string{"a.log": forth.String()})).ids, ids(0, 2000))
	for _, memory := range []int64{60 << 10, 0} {
		sameIDs(t, read(t, file.Config{SortMemory: memory}, files(t, map[string]string{"a.log": back.String()})).ids, ids(0, 2000))
	}
}

func TestWrongClocks(t *testing.T) {
	t.Parallel()
	base := start
	at := base.Add
	for _, c := range []struct {
		name  string
		times []time.Time
		wrong []int
	}{
		{"one ahead", append(append(steady(at(0), 50), at(400*24*time.Hour)), steady(at(time.Hour), 50)...), []int{50}},
		{"one behind", append(append(steady(at(0), 50), at(-400*24*time.Hour)), steady(at(time.Hour), 50)...), []int{50}},
		{"five ahead", append(append(steady(at(0), 50), steady(at(90*24*time.Hour), 5)...), steady(at(time.Hour), 100)...), []int{50, 51, 52, 53, 54}},
		{"a weekend", append(steady(at(0), 50), steady(at(72*time.Hour), 50)...), nil},
		{"a quiet log", []time.Time{at(0), at(100 * time.Hour), at(200 * time.Hour), at(300 * time.Hour), at(900 * time.Hour)}, nil},
		{"first ahead", append([]time.Time{at(9000 * time.Hour)}, steady(at(0), 80)...), []int{0}},
		{"first from 2000", append([]time.Time{time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)}, steady(at(0), 80)...), []int{0}},
		{"slow beginning", append([]time.Time{at(-300 * time.Hour)}, steady(at(0), 80)...), nil},
		{"last ahead", append(steady(at(0), 80), at(48*time.Hour)), nil},
		{"one", []time.Time{at(0)}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			wrong := map[int]bool{}
			for _, n := range c.wrong {
				wrong[n] = true
			}
			var b strings.Builder
			var want []string
			for n, at := range c.times {
				b.WriteString(lineAt(n, at))
				if !wrong[n] {
					want = append(want, fmt.Sprintf("e%d", n))
				}
			}
			res := read(t, file.Config{}, files(t, map[string]string{"a.log": b.String()}))
			sameIDs(t, res.ids, want)
			if res.codes()["clock"] != len(c.wrong) || len(res.quar) != len(c.wrong) {
				t.Errorf("%+v", res.quar)
			}
			for _, q := range res.quar {
				if !wrong[int(q.Line-1)] || !strings.Contains(q.Reason, "clock was wrong") || q.File == "" {
					t.Errorf("%+v", q)
				}
			}
		})
	}
}

func steady(from time.Time, n int) []time.Time {
	var out []time.Time
	for i := range n {
		out = append(out, from.Add(time.Duration(i)*time.Minute))
	}
	return out
}

func TestEncodings(t *testing.T) {
	t.Parallel()
	text := strings.ReplaceAll(lines(0, 40, time.Second), "maria", "mária 😀")
	wide := func(big bool, mark bool) []byte {
		var out []byte
		units := utf16.Encode([]rune(text))
		if mark {
			units = append([]uint16{0xfeff}, units...)
		}
		for _, u := range units {
			if big {
				out = append(out, byte(u>>8), byte(u))
			} else {
				out = append(out, byte(u), byte(u>>8))
			}
		}
		return out
	}
	for name, content := range map[string][]byte{
		"utf-8":                 []byte(text),
		"utf-8 with mark":       []byte("\xef\xbb\xbf" + text),
		"crlf":                  []byte(strings.ReplaceAll(text, "\n", "\r\n")),
		"utf-16le with mark":    wide(false, true),
		"utf-16be with mark":    wide(true, true),
		"utf-16le":              wide(false, false),
		"utf-16be":              wide(true, false),
		"utf-16 packed":         gz(t, string(wide(false, true))),
		"no end of the last":    []byte(strings.TrimSuffix(text, "\n")),
		"blank lines":           []byte(strings.ReplaceAll(text, "\n", "\n\n  \n")),
		"hole at the start":     append(make([]byte, 200_000), text...),
		"empty members between": append(append(gz(t, ""), gz(t, text)...), gz(t, "")...),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res := read(t, file.Config{}, files(t, map[string][]byte{"a.log": content}))
			sameIDs(t, res.ids, ids(0, 40))
			want := 0
			if name == "hole at the start" {
				want = 1
			}
			if len(res.quar) != want || res.events[0].Actor.ID != "mária 😀" {
				t.Errorf("%v %q", res.quar, res.events[0].Actor.ID)
			}
		})
	}
}
