package objects

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func quoted(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		panic(err) // of a string: it can't be
	}
	return string(b)
}

var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

func TestMemory(t *testing.T) {
	t.Parallel()
	m := newMemory(noon.Add(-time.Hour))
	o := object{key: "a", version: "1", changed: noon}
	if !m.new(o) {
		t.Error("an object that nobody read is known")
	}
	m.add(o)
	m.advance(o.changed, noon.Add(time.Minute), 48*time.Hour)
	again := o
	again.version = "2"
	old := object{key: "b", version: "1", changed: noon.Add(-2 * time.Hour)}
	if m.new(o) || !m.new(again) || m.new(old) {
		t.Error("what is read is new, or a new version is not, or what lies before the start is")
	}
	m.now = reading{[]byte("k\xff"), "v", 7}
	m.troubled = []*troubled{{Key: []byte("t"), Version: "3", Since: noon, Next: noon, Wait: time.Hour}}
	p := place{scheme: "s3", name: "b"}
	position, err := m.position(p)
	if err != nil {
		t.Fatal(err)
	}
	var kept saved
	if err := json.Unmarshal(position, &kept); err != nil {
		t.Fatal(err)
	}
	back := kept.recall(p)
	if back == nil {
		t.Fatal("our own position is not known")
	}
	if diff := cmp.Diff(m.now, back.now) + cmp.Diff(m.troubled, back.troubled) + cmp.Diff(m.done, back.done); diff != "" {
		t.Error(diff)
	}
	if back.new(o) || !back.floor.Equal(m.floor) {
		t.Error("what was read is forgotten")
	}
	if kept.recall(place{scheme: "s3", name: "c"}) != nil {
		t.Error("another bucket's position is taken")
	}
}

// The lookback moves on with what is read, whatever a single time says.
func TestMemoryMovesOn(t *testing.T) {
	t.Parallel()
	m := newMemory(time.Time{})
	late := object{key: "2100", version: "1", changed: noon.AddDate(74, 0, 0)}
	m.add(late)
	m.advance(late.changed, noon, time.Hour)
	if want := noon.Add(-time.Hour); !m.floor.Equal(want) {
		t.Errorf("the floor is %s, want %s", m.floor, want)
	}
	for i := range 100 {
		at := noon.Add(time.Duration(i) * time.Hour)
		m.add(object{key: fmt.Sprint(i), version: "1", changed: at})
		m.advance(at, at, 24*time.Hour)
	}
	if len(m.done) > 30 || m.new(late) {
		t.Errorf("%d objects are remembered; that of 2100 is new: %v", len(m.done), m.new(late))
	}
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	m := newMemory(time.Time{})
	for i := range maxDone * 3 / 2 {
		at := noon.Add(time.Duration(i) * time.Second)
		m.add(object{key: fmt.Sprint(i), version: "1", changed: at})
		m.advance(at, at, 30*24*time.Hour)
	}
	if len(m.done) > maxDone {
		t.Errorf("%d objects are remembered", len(m.done))
	}
	if old := (object{key: "late", version: "1", changed: noon}); m.new(old) {
		t.Error("what lies below what is remembered is new")
	}
	position, err := m.position(place{scheme: "s3", name: "b"})
	if err != nil || len(position) > 12*maxDone {
		t.Errorf("the position has %d bytes, %v", len(position), err)
	}
}

func TestPrefixes(t *testing.T) {
	t.Parallel()
	from, to := time.Date(2026, 11, 30, 22, 0, 0, 0, time.UTC), time.Date(2026, 12, 1, 1, 0, 0, 0, time.UTC)
	for text, want := range map[string][]string{
		"a/":                    {"a/"},
		"{yyyy}/{mm}/{dd}/":     {"2026/11/30/", "2026/12/01/", "2026/12/02/"},
		"y={yyyy}/m={mm}/":      {"y=2026/m=11/", "y=2026/m=12/"},
		"{yyyy}-{mm}-{dd}-{hh}": {"2026-11-30-22", "2026-11-30-23", "2026-12-01-00", "2026-12-01-01", "2026-12-01-02"},
	} {
		p, err := parsePrefix(text)
		if err != nil {
			t.Fatal(err)
		}
		got := p.between(from, to)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
		for _, key := range got {
			if !p.keys.MatchString(key + "x") {
				t.Errorf("%s: %s does not fit", text, key)
			}
		}
	}
	p, _ := parsePrefix("{yyyy}/{mm}/{dd}/{hh}/")
	if n := len(p.between(time.Time{}, to)); n > maxExpanded+2 {
		t.Errorf("%d prefixes are listed", n)
	}
	for _, wrong := range []string{"{dd}/", "a/*/b", "{year}/", "/a"} {
		if _, err := parsePrefix(wrong); err == nil {
			t.Errorf("%s passes", wrong)
		}
	}
}

func TestURLs(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"s3://b?region=r": "s3://b", "gs://b": "gs://b", "azblob://c?storage_account=a": "azblob://c",
		"/var/log/x/": "file:///var/log/x", "file:///var/log": "file:///var/log",
	} {
		if p, err := parsePlace(text); err != nil || p.String() != want {
			t.Errorf("%s: %s, %v", text, p, err)
		}
	}
	for _, wrong := range []string{
		"", "b", "http://b", "s3://", "s3://user:secret@b", "s3://b/prefix/", "file://host/x", "azblob://c?sas_token=canary", "s3://b?secret_key=canary", ":",
	} {
		if _, err := parsePlace(wrong); err == nil {
			t.Errorf("%s passes", wrong)
		}
	}
}
