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

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/collectors/file"
	"vigil/collectors/formats"
	"vigil/collectors/formats/native"
)

func TestBadInput(t *testing.T) {
	t.Parallel()
	good := lines(0, 40, time.Second)
	packed := gz(t, good)
	zpacked := zst(t, good)
	bad := bytes.Clone(packed)
	bad[len(bad)/2] ^= 0xff
	for _, c := range []struct {
		name    string
		content []byte
		// least is how many events must come at least; codes what is set aside.
		least int
		codes map[string]int
	}{
		{"half a last line", []byte(good + line(40, time.Second)[:50]), 40, map[string]int{"truncated": 1}},
		{"long line", []byte(good + strings.Repeat("x", 5<<20) + "\n" + line(40, time.Second)), 41, map[string]int{"too-long": 1}},
		{"long last line", []byte(good + strings.Repeat("x", 5<<20)), 40, map[string]int{"too-long": 1}},
		{"line just too long", []byte(good + strings.Repeat("x", formats.MaxLine+1) + "\n" + line(40, time.Second)), 41, map[string]int{"too-long": 1}},
		{"hole in the middle", []byte(good + string(make([]byte, 300_000)) + line(40, time.Second)), 41, map[string]int{"binary": 1}},
		{"hole at the end", []byte(good + string(make([]byte, 300_000))), 40, map[string]int{"binary": 1}},
		{"NUL in a line", []byte(good + "{\x00}\n" + line(40, time.Second)), 41, map[string]int{"binary": 1}},
		{"latin-1 line", []byte(good + strings.Replace(line(40, time.Second), "maria", "mar\xeda", 1) + line(41, time.Second)), 41, map[string]int{"json": 1}},
		{"garbage lines", []byte(good + "\x01\x02\xff\n\x80\n" + line(40, time.Second)), 41, map[string]int{"json": 2}},
		{"cut gzip", packed[:len(packed)*2/3], 0, map[string]int{"truncated": 2}},
		{"cut gzip trailer", packed[:len(packed)-4], 40, map[string]int{"truncated": 1}},
		{"damaged gzip", bad, 0, nil},
		{"cut zstd", zpacked[:len(zpacked)-3], 0, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			res := read(t, file.Config{}, files(t, map[string][]byte{"a.log": c.content, "b.log": []byte(lines(100, 110, time.Second))}))
			if len(res.events) < c.least+10 {
				t.Errorf("%d events, want %d at least", len(res.events), c.least+10)
			}
			if c.codes != nil {
				if diff := cmp.Diff(c.codes, res.codes()); diff != "" && c.name != "cut gzip" {
					t.Error(diff)
				}
			}
			if len(res.quar) == 0 {
				t.Error("nothing is set aside")
			}
			for _, q := range res.quar {
				if q.Reason == "" || q.File == "" || filepath.Base(q.File) != "a.log" {
					t.Errorf("%+v", q)
				}
			}
		})
	}
}

func TestRefusedFiles(t *testing.T) {
	t.Parallel()
	good := lines(0, 40, time.Second)
	for name, content := range map[string][]byte{
		"program": []byte("\x7fELF\x01\x02\x03" + strings.Repeat("\x00\x01", 500)),
		"noise":   bytes.Repeat([]byte{1, 2, 3, 4, 200, 201}, 500),
		"xz":      []byte("\xfd7zXZ\x00abc"),
		"nested":  gz(t, string(gz(t, good))),
		"header":  {0x1f, 0x8b, 9, 9},
		"prose":   []byte("dear diary,\nnothing happened today\n"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := files(t, map[string][]byte{"bad.log": content, "good.log": []byte(good)})
			res := read(t, file.Config{}, dir)
			sameIDs(t, res.ids, ids(0, 40))
			if len(res.quar) != 1 || res.quar[0].Line != 0 || filepath.Base(res.quar[0].File) != "bad.log" {
				t.Errorf("%+v", res.quar)
			}
			// Alone it is an error that names the file.
			_, err := file.Open([]string{filepath.Join(dir, "bad.log")}, file.Config{Formats: []formats.Format{native.Format()}})
			if err == nil || !strings.Contains(err.Error(), "bad.log: ") {
				t.Errorf("alone: %v", err)
			}
		})
	}
}

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"a.log": lines(0, 3, time.Second)})
	empty := t.TempDir()
	all := []formats.Format{native.Format()}
	for _, c := range []struct {
		name string
		args []string
		cfg  file.Config
	}{
		{"missing", []string{filepath.Join(dir, "x.log")}, file.Config{Formats: all}},
		{"missing beside good", []string{filepath.Join(dir, "x.log"), filepath.Join(dir, "a.log")}, file.Config{Formats: all}},
		{"glob of nothing", []string{filepath.Join(dir, "*.txt")}, file.Config{Formats: all}},
		{"empty folder", []string{empty}, file.Config{Formats: all}},
		{"no formats", []string{dir}, file.Config{}},
		{"unknown format", []string{dir}, file.Config{Formats: all, Format: "morse"}},
		{"unknown parameter", []string{dir}, file.Config{Formats: all, Params: map[string]map[string]string{"native": {"x": "y"}}}},
	} {
		if r, err := file.Open(c.args, c.cfg); err == nil {
			t.Errorf("%s passes", c.name)
			_ = r.Close()
		}
	}
}

func TestEmptyFiles(t *testing.T) {
	t.Parallel()
	res := read(t, file.Config{}, files(t, map[string]string{"a.log": "", "b.log": "\n\n", "c.log": lines(0, 3, time.Second)}))
	sameIDs(t, res.ids, ids(0, 3))
	if len(res.quar) != 0 || len(res.summary.Files) != 3 {
		t.Errorf("%+v", res.summary)
	}
}

// repeat is an endless text in little memory.
type repeat struct {
	text []byte
	left int64
}

func (r *repeat) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(int64(len(p)), r.left)], r.text)
	r.left -= int64(n)
	return n, nil
}

// A disk that is full where sorting would spill is an error that says so.
func TestNoRoomToSort(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for n := range 3000 {
		b.WriteString(line(n*7919%3000, time.Hour))
	}
	dir := files(t, map[string]string{"a.log": b.String()})
	r, err := file.Open([]string{dir}, file.Config{
		Formats: []formats.Format{native.Format()}, SortMemory: 10 << 10, TempDir: filepath.Join(dir, "missing"),
	})
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = r.NextBatch(0)
	}
	if errors.Is(err, io.EOF) || !strings.Contains(err.Error(), "temporary file") {
		t.Error(err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func TestCloseEarly(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"a.log": lines(0, 9000, time.Second), "b.log": lines(9000, 18000, time.Second)})
	r, err := file.Open([]string{dir}, file.Config{Formats: []formats.Format{native.Format()}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.NextBatch(10); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if _, err := r.NextBatch(10); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("after Close: %v", err)
	}
}

func TestProgress(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string][]byte{"a.log.gz": gz(t, lines(0, 3000, time.Second))})
	var last, total int64
	read(t, file.Config{Progress: func(done, all int64) {
		if done < last || done > all {
			t.Errorf("%d after %d of %d", done, last, all)
		}
		last, total = done, all
	}}, dir)
	if last != total || total == 0 {
		t.Errorf("%d of %d at the end", last, total)
	}
}

// holding is a format whose decoder keeps each line back until the next one.
type holding struct{ formats.Format }

type holder struct {
	formats.Decoder
	held []byte
	line formats.Line
}

func (h holding) New(o formats.Options) (formats.Decoder, error) {
	d, err := h.Format.New(o)
	return &holder{Decoder: d}, err
}

func (h *holder) Decode(line formats.Line, emit formats.Emit) error {
	err := h.Flush(emit)
	h.held, h.line = bytes.Clone(line.Text), line
	return err
}

func (h *holder) Flush(emit formats.Emit) error {
	if h.held == nil {
		return nil
	}
	line := h.line
	line.Text, h.held = h.held, nil
	return h.Decoder.Decode(line, emit)
}

func (h *holder) Pending() (int64, bool) { return h.line.Offset, h.held != nil }

// What a decoder holds back at a change of files belongs to the file before.
func TestHeldAcrossFiles(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"h.log.1": lines(0, 500, time.Second), "h.log": lines(500, 520, time.Second)})
	res := read(t, file.Config{Formats: []formats.Format{holding{native.Format()}}}, dir)
	sameIDs(t, res.ids, ids(0, 520))
	if got := filepath.Base(res.events[499].Origin.File); got != "h.log.1" {
		t.Errorf("the last event of the first file is said to be of %s", got)
	}
}

// A tail must lose nothing that a decoder holds, however it ends; what it gives
// twice has the same id.
func TestTailWithHeldLines(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "h.log")
	l := &ledger{}
	hold := func(c *file.TailConfig) {
		c.Formats = []formats.Format{holding{native.Format()}}
		c.Settle = time.Hour
	}
	n := 0
	for round := range 6 {
		stop := follow(t, tail(t, hold, path+"*"), l)
		for range 3 {
			appendTo(t, path, lines(n, n+10, time.Second))
			n += 10
			eventually(t, "all but the last", func() bool {
				ids, _, _ := l.state()
				return distinct(ids) >= n-1
			})
		}
		if round%2 == 1 {
			if err := os.Rename(path, fmt.Sprintf("%s.%d", path, round)); err != nil {
				t.Fatal(err)
			}
			appendTo(t, path, lines(n, n+10, time.Second))
			n += 10
			eventually(t, "all but the last after a rotation", func() bool { ids, _, _ := l.state(); return distinct(ids) >= n-1 })
		}
		if err := stop(); err != nil {
			t.Fatal(err)
		}
	}
	stop := follow(t, tail(t, func(c *file.TailConfig) { hold(c); c.Settle = 20 * time.Millisecond }, path+"*"), l)
	eventually(t, "the last one, when the log rests", func() bool { ids, _, _ := l.state(); return distinct(ids) == n })
	if err := stop(); err != nil {
		t.Fatal(err)
	}
}

func distinct(ids []string) int {
	seen := map[string]bool{}
	for _, id := range ids {
		seen[id] = true
	}
	return len(seen)
}

// Any bytes give events that are valid, or are set aside; the same each time.
func FuzzReader(f *testing.F) {
	f.Add([]byte(lines(0, 3, time.Second)))
	f.Add(gz(f, lines(0, 3, time.Second)))
	f.Add(zst(f, lines(0, 3, time.Second)))
	f.Add([]byte("\xff\xfe{\x00}\x00\n\x00"))
	f.Add([]byte(line(5, time.Hour) + line(1, time.Hour) + "\x00\x00\n" + line(900, time.Hour) + line(2, time.Hour)))
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), "f.log")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		run := func() (events []*vigil.Event, quar []vigil.Quarantined) {
			r, err := file.Open([]string{path}, file.Config{
				Formats: []formats.Format{native.Format()}, Format: "native",
				Quarantine: func(q vigil.Quarantined) { quar = append(quar, q) },
			})
			if err != nil {
				return nil, nil
			}
			defer r.Close()
			for {
				batch, err := r.NextBatch(0)
				if errors.Is(err, io.EOF) {
					return events, quar
				}
				if err != nil {
					t.Fatal(err)
				}
				events = append(events, batch...)
			}
		}
		events, quar := run()
		for _, e := range events {
			if err := e.Validate(); err != nil {
				t.Fatal(err)
			}
		}
		again, quarAgain := run()
		if diff := cmp.Diff(events, again) + cmp.Diff(quar, quarAgain); diff != "" {
			t.Error(diff)
		}
	})
}
