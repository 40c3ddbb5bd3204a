package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigil/internal/traffic"
)

func TestWriteGivesTheTraffic(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "t.ndjson")
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-write", path, "-events", "500", "-actors", "30", "-days", "2"}, &out); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(text, []byte{'\n'}); n != 500 {
		t.Errorf("%d lines", n)
	}
}

func TestMiddleIsTheMedianWithTheLargestMemory(t *testing.T) {
	t.Parallel()
	got := middle([]cost{{wall: 3 * time.Second, memory: 9}, {wall: time.Second, memory: 1}, {wall: 2 * time.Second, memory: 4}})
	if got.wall != 2*time.Second || got.memory != 9 {
		t.Errorf("got %+v", got)
	}
}

func TestLonger(t *testing.T) {
	t.Parallel()
	base := traffic.Config{Events: 10, Actors: 20, Days: 3}
	for grow, want := range map[string]traffic.Config{
		"days":   {Events: 100, Actors: 20, Days: 30},
		"rate":   {Events: 100, Actors: 20, Days: 3},
		"actors": {Events: 100, Actors: 200, Days: 3},
	} {
		if got, err := longer(base, grow, 10); err != nil || got != want {
			t.Errorf("%s: %+v, %v", grow, got, err)
		}
	}
	if _, err := longer(base, "wild", 10); err == nil {
		t.Error("an unknown way to grow was taken")
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	t.Parallel()
	var k tail
	for range 100 {
		if _, err := k.Write([]byte(strings.Repeat("x", 99) + "\n")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := k.Write([]byte("the end")); err != nil {
		t.Fatal(err)
	}
	if k.Len() != 4096 || !strings.HasSuffix(k.String(), "the end") {
		t.Errorf("%d bytes are kept", k.Len())
	}
}
