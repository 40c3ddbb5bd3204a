package objects_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/collectors/collectorstest"
	"vigil/collectors/objects"
)

// sorted lists what is set aside by the object's name and code.
func aside(o *collectorstest.Oracle) map[string]string {
	out := map[string]string{}
	for _, q := range o.Quarantined() {
		name := q.File[strings.LastIndexByte(q.File, '/')+1:]
		out[name] = strings.TrimSpace(out[name] + " " + q.Code)
	}
	return out
}

func TestPoisonedObjects(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	good := packed(t, text(records(1, 50)...))
	broken := packed(t, text(records(101, 5000)...))
	broken[len(broken)/2] ^= 0xff
	s.put("1-cut", packed(t, text(records(51, 50)...))[:200])
	s.put("2-broken", broken)
	s.put("3-header", []byte{0x1f, 0x8b, 9, 9})
	s.put("4-binary", bytes.Repeat([]byte{1, 2, 3, 4, 200, 201}, 500))
	s.put("5-empty", nil)
	s.put("6-picture", []byte("\x89PNG\r\n\x1a\n"))
	s.put("7-folder/", nil)
	s.put("8-parquet", []byte("PAR1"))
	s.put("9-good", good)
	s.put("a-twice", append(bytes.Clone(packed(t, text(records(10_001, 10)...))), packed(t, text(records(10_011, 10)...))...))
	o := newOracle()
	cfg := config(s.url())
	for range 2 { // a restart sets nothing aside that was
		stop := begin(t, o, collector(t, cfg, objects.Options{}))
		o.Await(t, "what is good and what is bad", func(events, n, _ int) bool { return o.Event(50) != nil && o.Event(10_020) != nil && n >= 6 })
		if err := stop(); err != nil {
			t.Fatal(err)
		}
	}
	got := aside(o)
	want := map[string]string{"1-cut": got["1-cut"], "2-broken": got["2-broken"], "3-header": "corrupt", "4-binary": "binary", "6-picture": "binary", "8-parquet": "binary"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(got["1-cut"], "truncated") || !strings.Contains(got["2-broken"], "corrupt") {
		t.Errorf("%v", got)
	}
	for _, q := range o.Quarantined() {
		if q.Reason == "" || q.Source != source || !strings.HasPrefix(q.File, "s3://logs/") {
			t.Errorf("%+v", q)
		}
	}
	if l := o.Lapses(); len(l) > 0 {
		t.Errorf("%+v", l)
	}
}

// An archive that never ends is left.
func TestBomb(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	// An archive of many members, each of which is a MiB of blank lines.
	member := packed(t, bytes.Repeat([]byte(strings.Repeat(" ", 1<<10-1)+"\n"), 1<<10))
	bomb := bytes.Repeat(member, 80)
	for name, content := range map[string][]byte{"1.gz": bomb, "2": text(records(1, 3)...)} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o := newOracle()
	stop := begin(t, o, collector(t, config(dir), objects.Options{}))
	o.Await(t, "the others and the bomb", func(events, n, _ int) bool { return events == 3 && n == 1 })
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if got := aside(o)["1.gz"]; got != "bomb" {
		t.Errorf("it is set aside as %q", got)
	}
}

func TestAnObjectWrittenOverIsNewAndOneThatGrowsIsNot(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	o := newOracle()
	s.put("a", text(records(1, 10)...))
	stop := begin(t, o, collector(t, config(s.url()), objects.Options{}))
	o.AwaitRecords(t, 10)
	s.put("a", text(records(1, 20)...)) // it grew
	o.AwaitRecords(t, 20)
	s.put("a", text(records(21, 20)...)) // other records, where those were
	o.AwaitRecords(t, 40)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	o.Check(t, 40)
}

// One object may not be read, one goes away before it is read: the others go on, and it
// is told. A restart goes on so.
func TestDeniedAndGone(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	var denied atomic.Int64
	s.guard(func(w http.ResponseWriter, r *http.Request) bool {
		var status int
		var code string
		switch {
		case r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/b-locked"):
			denied.Add(1)
			status, code = http.StatusForbidden, "AccessDenied"
		case r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/c-gone"):
			status, code = http.StatusNotFound, "NoSuchKey"
		default:
			return true
		}
		w.WriteHeader(status)
		fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>%s</Code><Message>canary</Message></Error>`, code)
		return false
	})
	s.put("a", text(records(1, 10)...))
	s.put("b-locked", text(records(11, 10)...))
	s.put("c-gone", text(records(21, 10)...))
	s.put("d", text(records(11, 10)...))
	o := newOracle()
	for n := range 2 {
		stop := begin(t, o, collector(t, config(s.url()), objects.Options{}))
		if n == 1 {
			s.put("e", text(records(21, 10)...))
		}
		o.AwaitRecords(t, 20+n*10)
		o.Await(t, "the lapses", func(int, int, int) bool { return len(o.Lapses()) == 2 })
		if err := stop(); err != nil {
			t.Fatal(err)
		}
	}
	o.Check(t, 30)
	if n := denied.Load(); n != 1 {
		t.Errorf("the object was asked for %d times, want 1: the next time comes in a minute", n)
	}
	if diff := cmp.Diff(map[string]string{"b-locked": "unreadable"}, aside(o)); diff != "" {
		t.Error(diff)
	}
	kinds := map[vigil.LapseKind]bool{}
	for _, l := range o.Lapses() {
		kinds[l.Kind] = true
		if l.Source != source || l.Text == "" || l.Start.After(l.End) || l.Missing != vigil.Unknown {
			t.Errorf("%+v", l)
		}
	}
	if !kinds[vigil.LapseDropped] || !kinds[vigil.LapseUnaudited] {
		t.Errorf("%v", kinds)
	}
}

// Where nothing may be read at all the source fails, and says which right is missing.
func TestEverythingDenied(t *testing.T) {
	t.Parallel()
	for what, right := range map[string]string{"list": "s3:ListBucket", "read": "s3:GetObject"} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			for n := range 3 {
				s.put(fmt.Sprint(n), text(records(1, 1)...))
			}
			s.guard(func(w http.ResponseWriter, r *http.Request) bool {
				if listing := r.URL.Query().Has("list-type"); listing != (what == "list") {
					return true
				}
				w.WriteHeader(http.StatusForbidden)
				fmt.Fprint(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message>no</Message></Error>`)
				return false
			})
			o := newOracle()
			c := collector(t, config(s.url()), objects.Options{})
			if err := c.Run(t.Context(), nil, o); err == nil || !strings.Contains(err.Error(), right) {
				t.Errorf("Run: %v", err)
			}
			if err := c.Check(t.Context()); err == nil || !strings.Contains(err.Error(), right) {
				t.Errorf("Check: %v", err)
			}
			if n := len(o.Quarantined()) + len(o.Lapses()); n > 0 {
				t.Errorf("%d are set aside or told", n)
			}
			s.guard(nil)
			if err := c.Check(t.Context()); err != nil {
				t.Errorf("Check with all rights: %v", err)
			}
		})
	}
}

// A connection that breaks within an object is the source's failure at first; where it
// breaks there again and again the others go on.
func TestABrokenConnection(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	var times atomic.Int64
	s.guard(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet || !strings.HasSuffix(r.URL.Path, "/a") {
			return true
		}
		times.Add(1)
		w.Header().Set("Content-Length", "1000000")
		w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
		_, _ = w.Write(text(records(1, 10)...))
		return false
	})
	s.put("a", text(records(1, 100)...))
	s.put("b", text(records(101, 10)...))
	o := newOracle()
	c := collector(t, config(s.url()), objects.Options{})
	for n := range 2 {
		err := c.Run(t.Context(), o.Position(), o)
		if err == nil || !strings.Contains(err.Error(), "read s3://logs") {
			t.Fatalf("run %d: %v", n, err)
		}
	}
	stop := begin(t, o, c)
	o.Await(t, "the other object", func(int, int, int) bool { return o.Event(110) != nil })
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if got := aside(o)["a"]; got != "unreadable" {
		t.Errorf("it is set aside as %q", got)
	}
}

// Keys may hold anything.
func TestStrangeKeys(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	o := newOracle()
	keys := []string{"a b+c%20d.log", "ü/日本/😀.log", "a//b.log", "../x.log", "x/../y.log", "a?b#c&d.log", `q"u'o\te.log`, "<xml>&amp;.log", "__0x41__.log", strings.Repeat("k", 900)}
	for i, key := range keys {
		s.put(key, text(records(i+1, 1)...))
	}
	stop := begin(t, o, collector(t, config(s.url()), objects.Options{}))
	o.AwaitRecords(t, len(keys))
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	o.Check(t, len(keys))
	if q, l := o.Quarantined(), o.Lapses(); len(q)+len(l) > 0 {
		t.Errorf("%+v %+v", q, l)
	}
}

func TestFolderKeepsToItself(t *testing.T) {
	t.Parallel()
	outside, dir := t.TempDir(), t.TempDir()
	put := func(name string, rs ...collectorstest.Record) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, text(rs...), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put(filepath.Join(outside, "secret.log"), records(1000, 10)...)
	put(filepath.Join(dir, "in")+"/a\xff\n.log", records(1, 10)...)
	put(filepath.Join(dir, "in", "b.attrs"), records(11, 10)...)
	for from, to := range map[string]string{
		"out.log": filepath.Join(outside, "secret.log"), "up.log": "../../" + filepath.Base(filepath.Dir(outside)) + "/" + filepath.Base(outside) + "/secret.log",
		"folder": outside, "loop": "loop", "nowhere.log": "gone.log",
	} {
		if err := os.Symlink(to, filepath.Join(dir, from)); err != nil {
			t.Fatal(err)
		}
	}
	o := newOracle()
	stop := begin(t, o, collector(t, config(dir), objects.Options{}))
	o.AwaitRecords(t, 20)
	put(filepath.Join(dir, "z.log"), records(21, 1)...)
	o.AwaitRecords(t, 21)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	o.Check(t, 21)
	if q := o.Quarantined(); len(q) > 0 {
		t.Errorf("%+v", q)
	}
}

// A file that is being written is not taken for a damaged one.
func TestFolderWhileItIsWritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	whole := text(records(1, 3000)...)
	archive := packed(t, text(records(3001, 3000)...))
	write := func(name string, content []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("a.log", whole[:len(whole)/2])
	write("b.gz", archive[:len(archive)/2])
	write("c.gz", archive[:3])
	o := newOracle()
	stop := begin(t, o, collector(t, config(dir), objects.Options{}))
	o.AwaitRecords(t, 1000)
	write("a.log", whole)
	write("b.gz", archive)
	write("c.gz", packed(t, text(records(6001, 1)...)))
	o.AwaitRecords(t, 6001)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	o.Check(t, 6001)
	if q := o.Quarantined(); len(q) > 0 {
		t.Errorf("%+v", q)
	}
}

// No secret of an address gets into an error.
func TestErrorsHoldNoSecrets(t *testing.T) {
	t.Setenv("AZURE_STORAGE_ACCOUNT", "acct")
	t.Setenv("AZURE_STORAGE_SAS_TOKEN", "sv=2024&sig=canary%2Bsecret")
	t.Setenv("AZURE_STORAGE_DOMAIN", "127.0.0.1:1")
	t.Setenv("AZURE_STORAGE_PROTOCOL", "http")
	t.Setenv("AZURE_STORAGE_IS_LOCAL_EMULATOR", "true")
	c := collector(t, config("azblob://logs"), objects.Options{})
	ctx, cancel := context5(t)
	defer cancel()
	err := c.Check(ctx)
	if err == nil || strings.Contains(err.Error(), "canary") || !strings.Contains(err.Error(), "azblob://logs") {
		t.Errorf("%v", err)
	}
}
